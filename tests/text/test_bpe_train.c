#include "test.h"

#include "base/alloc.h"
#include "support/counting.h"
#include "text/bpe_train.h"
#include "text/vocab.h"

/* Words as text with spaces between them: a space does not become part of a word here. */
static void count(gr_word_counter *c, gr_runtime *rt, const char *words)
{
    gr_word_counter_init(c, rt, 1000000);
    for (size_t n; *words; words += n + (words[n] == ' ')) {
        n = strcspn(words, " ");
        if (n > 0)
            gr_word_table_add(&c->shards[n % GR_WORD_SHARDS], gr_word_hash(words, n), words, n, 1);
    }
}

typedef struct {
    gr_runtime *rt;
    gr_word_counter words;
    gr_bpe_learned l;
} learning;

static void learn(learning *t, const char *words, const gr_bpe_train_options *o)
{
    gr_error err = { 0 };
    t->rt = test_runtime_threads(1);
    count(&t->words, t->rt, words);
    MUST(gr_bpe_train(&t->l, t->rt, &t->words, o, &err));
}

static void done(learning *t)
{
    gr_bpe_learned_fini(&t->l);
    gr_word_counter_fini(&t->words);
    gr_runtime_free(t->rt);
}

/* The learned tokens, in order, with spaces between them. */
static const char *tokens_text(const gr_bpe_learned *l)
{
    static char text[1 << 16];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 256; i < l->tokens.n && at < sizeof text - 4200; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", i > 256 ? " " : "",
                               (int)l->tokens.v[i].len,
                               (const char *)gr_word_bytes(&l->tokens, &l->tokens.v[i]));
    return text;
}

/* With 0 for a field: as many tokens as there may be, of pairs however rare. */
static void learns_so(const char *words, const char *want, gr_bpe_train_options o)
{
    learning t;
    if (o.max_tokens == 0)
        o.max_tokens = 10000;
    if (o.min_frequency == 0)
        o.min_frequency = 1;
    learn(&t, words, &o);
    assert_string_equal(tokens_text(&t.l), want);
    done(&t);
}

static void learns(const char *words, const char *want)
{
    learns_so(words, want, (gr_bpe_train_options){ 0 });
}

static void the_most_frequent_pair_comes_first(void **state)
{
    (void)state;
    learns("xy xy xy qa qa", "xy qa");
    learns("qa xy qa xy xy", "xy qa");
    /* of two xa one is left when ab is joined, the first in order of those that are there once */
    learns("xab yab zab xa", "ab xa xab yab zab");
}

/* Ids of bytes are in the order of the characters that spell them: '!' to '~' first, control characters and
 * the space last. */
static void equally_frequent_pairs_come_in_the_order_of_their_ids(void **state)
{
    (void)state;
    learns("zb ya xc", "xc ya zb"); /* the lower left one */
    learns("xc xb xa", "xa xb xc"); /* then the lower right one */
    learns("\tb ab", "ab \tb");     /* byte 9 has a higher id than byte 97 */
    learns("\xc3\xa4 \xc3\xb6 ~z", "~z \xc3\xa4 \xc3\xb6");
    learns("ab ab cd cd abe cde", "ab cd abe cde"); /* learned ids count as any others */
}

static void joins_go_from_left_to_right(void **state)
{
    (void)state;
    learns("aaa", "aa aaa");         /* aa a, not a aa */
    learns("aaaaa", "aa aaa aaaaa"); /* aa aa a: aa a has the lower ids */
    learns("ababa xab", "ab xab aba ababa");
}

static void a_pair_must_be_as_frequent_as_asked(void **state)
{
    (void)state;
    learns_so("ab ab ab cd cd ef", "ab cd ef", (gr_bpe_train_options){ .min_frequency = 1 });
    learns_so("ab ab ab cd cd ef", "ab cd", (gr_bpe_train_options){ .min_frequency = 2 });
    learns_so("ab ab ab cd cd ef", "ab", (gr_bpe_train_options){ .min_frequency = 3 });
    learns_so("ab ab ab cd cd ef", "", (gr_bpe_train_options){ .min_frequency = 4 });
    learns_so(
        "abc abc xbc ab", "ab abc",
        (gr_bpe_train_options){ .min_frequency = 2 }); /* bc had three, two of them are within ab c by then */
}

static void no_more_tokens_are_learned_than_asked_for(void **state)
{
    (void)state;
    learns_so("ab ab ab cd cd ef", "ab cd", (gr_bpe_train_options){ .max_tokens = 258 });
    learns_so("ab ab ab cd cd ef", "", (gr_bpe_train_options){ .max_tokens = 256 });
}

static void nothing_is_learned_of_no_text_and_of_single_bytes(void **state)
{
    (void)state;
    learns("", "");
    learns("a b c a b a", "");
}

static void every_byte_is_a_token_in_the_order_of_the_published_vocabulary(void **state)
{
    (void)state;
    learning t;
    const gr_bpe_train_options o = { .max_tokens = 256, .min_frequency = 1 };
    learn(&t, "ab", &o);
    assert_int_equal(t.l.tokens.n, 256);
    assert_int_equal(t.l.n_merges, 0);
    /* Ids of Llama 3: '!' 0, "\n" 198, ' ' 220, byte 173 the last. */
    static const struct {
        uint8_t byte;
        int id;
    } known[] = {
        { '!', 0 }, { 'a', 64 }, { '\n', 198 }, { ' ', 220 }, { 0, 188 }, { 173, 255 }, { 255, 187 }
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(gr_word_table_find(&t.l.tokens, &known[i].byte, 1), known[i].id);
    done(&t);
}

static void bytes_that_are_no_text_are_joined_like_others(void **state)
{
    (void)state;
    learns("\xff\xfe \xff\xfe \xc3 \x80x", "\xff\xfe \x80x");
}

/* Readers of tokenizer.json look for special tokens among the spellings of the vocabulary. */
static void no_token_is_spelled_as_a_special_one(void **state)
{
    (void)state;
    static const char *const reserved[] = { "abc", "<|x|>" };
    learns("abcd abcd abcd", "ab cd abcd");
    learns_so("abc abc abc abz", "ab abz", (gr_bpe_train_options){ .reserved = reserved, .n_reserved = 2 });
    learns("<|x|> <|x|>", "<| x| <|x| <|x|>");
    learns_so("<|x|> <|x|>", "<| x| <|x|", (gr_bpe_train_options){ .reserved = reserved, .n_reserved = 2 });
    /* what the characters stand for counts: U+0120 is the space, so this is the spelling of "\x20x" */
    static const char *const spelled[] = { "\xc4\xa0x" };
    learns_so("\xc4\xa0x", "\xc4\xa0 \xc4\xa0x",
              (gr_bpe_train_options){ .reserved = spelled, .n_reserved = 1 });
}

static void a_special_token_may_not_be_the_spelling_of_a_byte(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(1);
    gr_word_counter words;
    gr_bpe_learned l;
    gr_error err = { 0 };
    static const char *const reserved[] = { "ok", "\xc4\xa0" };
    const gr_bpe_train_options o = { 300, 1, reserved, 2, NULL, NULL };
    count(&words, rt, "ab");
    MUST_FAIL(gr_bpe_train(&l, rt, &words, &o, &err), GR_ERR_ARG, "is how the file spells a byte");
    gr_word_counter_fini(&words);
    gr_runtime_free(rt);
}

/* A reader refuses longer ones. */
static void no_token_is_longer_than_a_file_may_have(void **state)
{
    (void)state;
    static char word[3 * GR_TOKEN_BYTES_MAX];
    memset(word, 'a', sizeof word - 1);
    learning t;
    const gr_bpe_train_options o = { .max_tokens = 10000, .min_frequency = 1 };
    learn(&t, word, &o);
    size_t longest = 0;
    for (size_t i = 0; i < t.l.tokens.n; i++)
        longest = t.l.tokens.v[i].len > longest ? t.l.tokens.v[i].len : longest;
    assert_int_equal(longest, GR_TOKEN_BYTES_MAX);
    done(&t);
}

/* --- against the definition ---------------------------------------------------------------------------- */

enum { NAIVE_WORDS = 24, NAIVE_LENGTH = 14 };

typedef struct {
    int n_words, n[NAIVE_WORDS];
    int32_t ids[NAIVE_WORDS][NAIVE_LENGTH];
} naive;

static int64_t occurrences(const naive *x, int32_t left, int32_t right)
{
    int64_t count = 0;
    for (int w = 0; w < x->n_words; w++)
        for (int i = 0; i + 1 < x->n[w]; i++)
            count += x->ids[w][i] == left && x->ids[w][i + 1] == right;
    return count;
}

/* The pair that comes first in order; false: none occurs. */
static bool first_pair(const naive *x, int32_t pair[2])
{
    int64_t most = 0;
    for (int w = 0; w < x->n_words; w++)
        for (int i = 0; i + 1 < x->n[w]; i++) {
            const int32_t l = x->ids[w][i], r = x->ids[w][i + 1];
            const int64_t n = occurrences(x, l, r);
            if (n > most || (n == most && (l < pair[0] || (l == pair[0] && r < pair[1])))) {
                most = n;
                pair[0] = l;
                pair[1] = r;
            }
        }
    return most > 0;
}

static void join_everywhere(naive *x, const int32_t pair[2], int32_t joined)
{
    for (int w = 0; w < x->n_words; w++) {
        int n = 0;
        for (int i = 0; i < x->n[w]; i++)
            if (i + 1 < x->n[w] && x->ids[w][i] == pair[0] && x->ids[w][i + 1] == pair[1]) {
                x->ids[w][n++] = joined;
                i++;
            } else
                x->ids[w][n++] = x->ids[w][i];
        x->n[w] = n;
    }
}

/* Checks every merge of `l` against counting all pairs anew. */
static void check_definition(naive *x, const gr_bpe_learned *l, unsigned seed)
{
    int32_t pair[2] = { 0, 0 };
    size_t rank = 0;
    for (; first_pair(x, pair); rank++) {
        const gr_merge *m = &l->merges[rank];
        if (rank >= l->n_merges || m->left != pair[0] || m->right != pair[1] || m->result != 256 + (int)rank)
            fail_msg("seed %u, merge %zu is not %d %d", seed, rank, pair[0], pair[1]);
        const gr_word *a = &l->tokens.v[pair[0]], *b = &l->tokens.v[pair[1]], *both = &l->tokens.v[m->result];
        assert_int_equal(both->len, a->len + b->len);
        assert_memory_equal(gr_word_bytes(&l->tokens, both), gr_word_bytes(&l->tokens, a), a->len);
        assert_memory_equal(gr_word_bytes(&l->tokens, both) + a->len, gr_word_bytes(&l->tokens, b), b->len);
        assert_int_equal(both->count, occurrences(x, pair[0], pair[1]));
        join_everywhere(x, pair, m->result);
    }
    assert_int_equal(rank, l->n_merges);
}

static void every_merge_is_the_first_pair_of_the_text_as_it_is_then(void **state)
{
    (void)state;
    uint32_t draw = 1;
    for (unsigned seed = 0; seed < 1500; seed++) {
        char text[NAIVE_WORDS * (NAIVE_LENGTH + 1) + 1];
        naive x = { .n_words = 1 + (int)(seed % NAIVE_WORDS) };
        size_t at = 0;
        for (int w = 0; w < x.n_words; w++) {
            draw = draw * 1664525u + 1013904223u;
            x.n[w] = 1 + (int)((draw >> 16) % NAIVE_LENGTH);
            for (int i = 0; i < x.n[w]; i++) {
                draw = draw * 1664525u + 1013904223u;
                const int letter = (int)((draw >> 16) % (2 + seed % 3));
                x.ids[w][i] = 64 + letter; /* the id of 'a' is 64 */
                text[at++] = (char)('a' + letter);
            }
            text[at++] = ' ';
        }
        text[at] = '\0';
        learning t;
        const gr_bpe_train_options o = { .max_tokens = 512, .min_frequency = 1 };
        learn(&t, text, &o);
        check_definition(&x, &t.l, seed);
        done(&t);
    }
}

/* --- what ends it -------------------------------------------------------------------------------------- */

static bool stop_at_the_third(void *user, uint64_t tokens, uint64_t max_tokens)
{
    assert_int_equal(max_tokens, 10000);
    *(int *)user += 1;
    return tokens < 259;
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(1);
    gr_word_counter words;
    gr_bpe_learned l;
    gr_error err = { 0 };
    int told = 0;
    const gr_bpe_train_options o = { 10000, 1, NULL, 0, stop_at_the_third, &told };
    count(&words, rt, "abcdefgh abcdefgh");
    MUST_FAIL(gr_bpe_train(&l, rt, &words, &o, &err), GR_ERR_CANCELLED,
              "cancelled after 259 of 10000 tokens");
    assert_int_equal(told, 3);
    gr_word_counter_fini(&words);
    gr_runtime_free(rt);
}

static void memory_may_run_out_at_any_moment(void **state)
{
    (void)state;
    counting c = { 0 };
    gr_runtime *rt = counting_runtime(&c, 1);
    static const char *const reserved[] = { "<|x|>" };
    const gr_bpe_train_options o = { 300, 1, reserved, 1, NULL, NULL };
    gr_word_counter words;
    count(&words, rt, "the words that there are, and others that there are not");
    size_t failed = 0;
    for (gr_status st = GR_ERR_MEM; st != GR_OK; failed++) {
        gr_bpe_learned l;
        gr_error err = { 0 };
        const size_t before = c.now;
        c.fail_at = c.calls + 1 + failed;
        st = gr_bpe_train(&l, rt, &words, &o, &err);
        assert_true(st == GR_OK || (st == GR_ERR_MEM && err.msg[0]));
        if (st == GR_OK)
            gr_bpe_learned_fini(&l);
        assert_int_equal(c.now, before);
    }
    assert_true(failed > 10);
    c.fail_at = 0;
    gr_word_counter_fini(&words);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_frequent_pair_comes_first),
        cmocka_unit_test(equally_frequent_pairs_come_in_the_order_of_their_ids),
        cmocka_unit_test(joins_go_from_left_to_right),
        cmocka_unit_test(a_pair_must_be_as_frequent_as_asked),
        cmocka_unit_test(no_more_tokens_are_learned_than_asked_for),
        cmocka_unit_test(nothing_is_learned_of_no_text_and_of_single_bytes),
        cmocka_unit_test(every_byte_is_a_token_in_the_order_of_the_published_vocabulary),
        cmocka_unit_test(bytes_that_are_no_text_are_joined_like_others),
        cmocka_unit_test(no_token_is_spelled_as_a_special_one),
        cmocka_unit_test(a_special_token_may_not_be_the_spelling_of_a_byte),
        cmocka_unit_test(no_token_is_longer_than_a_file_may_have),
        cmocka_unit_test(every_merge_is_the_first_pair_of_the_text_as_it_is_then),
        cmocka_unit_test(it_can_be_cancelled),
        cmocka_unit_test(memory_may_run_out_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
