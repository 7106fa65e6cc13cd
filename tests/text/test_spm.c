#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "support/toy_pieces.h"
#include "text/spm.h"
#include "text/stream.h"
#include "text/unicode.h"

#define LLAMA "tokenizers/llama-spm/vocab.gguf"

typedef struct {
    gr_runtime *rt;
    gr_tokenizer *t;
    gr_ids ids;
    gr_buf out;
    uint32_t seed;
} bench;

static bench bench_with(gr_runtime *rt, gr_tokenizer *t)
{
    bench b = { .rt = rt, .t = t, .seed = 11 };
    gr_ids_init(&b.ids, rt, 1 << 22);
    gr_buf_init(&b.out, rt, 1 << 24);
    return b;
}

static bench bench_llama(void)
{
    gr_runtime *rt = test_runtime();
    gr_tokenizer *t = NULL;
    gr_error err = { 0 };
    MUST(gr_tokenizer_open(&t, rt, SHARED_FILE(LLAMA), &err));
    return bench_with(rt, t);
}

static bench bench_toy(const toy_piece *more, size_t n)
{
    gr_runtime *rt = test_runtime();
    gr_tokenizer *t = NULL;
    gr_error err = { 0 };
    MUST(toy_pieces_make(&t, rt, more, n, &err));
    return bench_with(rt, t);
}

static void bench_free(bench *b)
{
    gr_ids_fini(&b->ids);
    gr_buf_fini(&b->out);
    gr_tokenizer_free(b->t);
    gr_runtime_free(b->rt);
}

static uint32_t draw(bench *b, uint32_t below)
{
    b->seed = b->seed * 1664525 + 1013904223;
    return (b->seed >> 8) % below;
}

static void encode(bench *b, const char *text, size_t n, unsigned flags)
{
    gr_error err = { 0 };
    gr_ids_clear(&b->ids);
    MUST(gr_tokenizer_encode(b->t, text, n, flags, &b->ids, &err));
}

static const char *decode(bench *b, unsigned flags)
{
    gr_error err = { 0 };
    gr_buf_clear(&b->out);
    MUST(gr_tokenizer_decode(b->t, b->ids.v, b->ids.n, flags, &b->out, &err));
    return gr_buf_str(&b->out);
}

/* `want` ends with -1. */
static void check_ids(bench *b, const char *text, unsigned flags, const int32_t *want)
{
    encode(b, text, strlen(text), flags);
    size_t n = 0;
    for (; want[n] >= 0; n++)
        if (n >= b->ids.n || b->ids.v[n] != want[n])
            fail_msg("'%s': token %zu is %d, expected %d", text, n, n < b->ids.n ? b->ids.v[n] : -1, want[n]);
    if (b->ids.n != n)
        fail_msg("'%s': %zu tokens, expected %zu", text, b->ids.n, n);
}

#define IDS(...) ((const int32_t[]){ __VA_ARGS__, -1 })

/* --- the published vocabulary -------------------------------------------------------------------------- */

/* Inputs end at "\n__ggml_vocab_test__\n"; ids are a line each. */
static void published_vectors_of_llama_hold(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA);
    NEED_SHARED("tokenizers/llama-spm/vectors.inp");
    static const char mark[] = "\n__ggml_vocab_test__\n";
    bench b = bench_llama();
    gr_error err = { 0 };
    char *texts, *lines;
    size_t size;
    MUST(gr_file_read(b.rt, SHARED_FILE("tokenizers/llama-spm/vectors.inp"), 1 << 20, &texts, &size, &err));
    MUST(gr_file_read(b.rt, SHARED_FILE("tokenizers/llama-spm/vectors.out"), 1 << 20, &lines, &size, &err));
    int n_vectors = 0;
    char *text = texts, *line = lines;
    for (char *end; (end = strstr(text, mark)); text = end + sizeof mark - 1, n_vectors++) {
        encode(&b, text, (size_t)(end - text), 0);
        size_t i = 0;
        for (; *line != '\n'; i++) {
            char *after;
            const long want = strtol(line, &after, 10);
            assert_true(after > line);
            if (i >= b.ids.n || b.ids.v[i] != want)
                fail_msg("vector %d: token %zu is %d, expected %ld", n_vectors, i,
                         i < b.ids.n ? b.ids.v[i] : -1, want);
            line = after + strspn(after, " ");
        }
        line++;
        assert_int_equal(b.ids.n, i);
        *end = '\0';
        assert_string_equal(decode(&b, 0), text);
    }
    assert_int_equal(n_vectors, 46);
    assert_int_equal(*line, '\0');
    gr_free(b.rt, texts);
    gr_free(b.rt, lines);
    bench_free(&b);
}

/* Ids that prompts of later models are known to have (shared/spec: regiongpt.md 4.1 and 4.3, glamm.md 4.2).
 */
static void handy_ids_of_llama_hold(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA);
    bench b = bench_llama();
    assert_int_equal(gr_tokenizer_n_vocab(b.t), 32000);
    assert_int_equal(gr_tokenizer_bos(b.t), 1);
    assert_int_equal(gr_tokenizer_id(b.t, "<unk>"), 0);
    assert_int_equal(gr_tokenizer_id(b.t, "</s>"), 2);
    assert_int_equal(gr_tokenizer_id(b.t, "\n"), 13);
    assert_int_equal(gr_tokenizer_id(b.t, " "), 29871);
    assert_int_equal(gr_tokenizer_id(b.t, "<0x0A>"), -1);
    assert_true(gr_tokenizer_is_special(b.t, 2) && !gr_tokenizer_is_special(b.t, 13));
    check_ids(&b, "\n", 0, IDS(29871, 13));
    check_ids(&b, " Region [2].", GR_ENCODE_CONTINUES, IDS(11069, 518, 29906, 1822));
    check_ids(&b, "USER:", GR_ENCODE_CONTINUES, IDS(11889, 29901));
    check_ids(&b, "USER:", 0, IDS(3148, 1001, 29901));
    check_ids(&b, "</s>USER:", GR_ENCODE_SPECIALS, IDS(2, 11889, 29901));
    check_ids(&b, "</s>USER:", GR_ENCODE_SPECIALS | GR_ENCODE_PREFIX_EACH, IDS(2, 3148, 1001, 29901));
    check_ids(&b, "It is</s>", GR_ENCODE_SPECIALS, IDS(739, 338, 2));
    check_ids(&b, "?", 0, IDS(1577));
    bench_free(&b);
}

/* The text of the ids and the stream of them are the text that was encoded. */
static void check_round_trip(bench *b, const char *text, size_t n, unsigned flags)
{
    gr_error err = { 0 };
    encode(b, text, n, flags);
    decode(b, 0);
    if (b->out.len != n || memcmp(gr_buf_str(&b->out), text, n) != 0)
        fail_msg("'%s' became '%s'", text, gr_buf_str(&b->out));
    gr_buf_clear(&b->out);
    gr_stream s;
    MUST(gr_stream_init(&s, b->t, 0, NULL, 0, &err));
    for (size_t i = 0; i < b->ids.n; i++)
        MUST(gr_stream_push(&s, b->ids.v[i], &b->out, &err));
    MUST(gr_stream_flush(&s, &b->out, &err));
    assert_true(b->out.len == n && memcmp(gr_buf_str(&b->out), text, n) == 0);
    size_t ends[512], at = 0;
    assert_true(b->ids.n <= 512);
    gr_tokenizer_ends(b->t, b->ids.v, b->ids.n, ends);
    for (size_t i = 0; i < b->ids.n; at = ends[i++]) {
        size_t len;
        const uint8_t *bytes = gr_tokenizer_bytes(b->t, b->ids.v[i], &len);
        const size_t lead = i == 0 ? gr_tokenizer_lead(b->t, b->ids.v[0]) : 0;
        assert_int_equal(ends[i] - at, len - lead);
        assert_memory_equal(text + at, bytes + lead, len - lead);
    }
    assert_int_equal(at, n);
}

static void random_round_trips(bench *b, int rounds)
{
    static const char *const parts[] = {
        " ",
        " ",
        "  ",
        "\n",
        "a",
        "b",
        "ab",
        "abc",
        "the",
        " the",
        "\t",
        "1",
        "22",
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "<s",
        "s>",
        "</",
        "<0x0A>",
        "x",
        "\xF0\x9F\x99\x82",
        "\xE6\x88\x91",
        "\xCC\x81",
        "Hello",
        ".",
        "'s",
        "[U]",
        "&",
    };
    for (int round = 0; round < rounds; round++) {
        char text[256] = "";
        const uint32_t n = draw(b, 24);
        for (uint32_t i = 0; i < n; i++)
            strcat(text, parts[draw(b, sizeof parts / sizeof *parts)]);
        check_round_trip(b, text, strlen(text), round & 1 ? GR_ENCODE_SPECIALS : 0);
    }
}

static void random_text_comes_back_from_llama(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA);
    bench b = bench_llama();
    random_round_trips(&b, 3000);
    bench_free(&b);
}

/* --- a vocabulary that can be seen at a glance ---------------------------------------------------------- */

/* Ids: 0 <unk>, 1 <s>, 2 </s>, 3 + byte, then these from 259. */
enum { SPACE = 259, A, B, C, AB, BC, ABC, AA, SA, USER, U2, ACUTE, Q, QQ, QQQ, Z };
static const toy_piece pieces[] = {
    { U_SPACE, -100, GR_SPM_NORMAL },      { "a", -101, GR_SPM_NORMAL },
    { "b", -102, GR_SPM_NORMAL },          { "c", -103, GR_SPM_NORMAL },
    { "ab", -2, GR_SPM_NORMAL },           { "bc", -1, GR_SPM_NORMAL },
    { "abc", -3, GR_SPM_NORMAL },          { "aa", -2, GR_SPM_NORMAL },
    { U_SPACE "a", -50, GR_SPM_NORMAL },   { "[U]", 0, GR_SPM_USER },
    { "[U]" U_SPACE "b", 0, GR_SPM_USER }, { "\xC3\xA9", -104, GR_SPM_NORMAL },
    { "q", -105, GR_SPM_NORMAL },          { "qq", -10, GR_SPM_UNUSED },
    { "qqq", -9, GR_SPM_NORMAL },          { "z", -106, GR_SPM_UNUSED },
};
#define TOY     bench_toy(pieces, sizeof pieces / sizeof *pieces)
#define BYTE(b) (3 + (b))

static void the_highest_score_merges_first_and_the_leftmost_of_equals(void **state)
{
    (void)state;
    bench b = TOY;
    check_ids(&b, "abc", GR_ENCODE_CONTINUES, IDS(ABC)); /* bc, then a bc */
    check_ids(&b, "ab", GR_ENCODE_CONTINUES, IDS(AB));
    check_ids(&b, "aab", GR_ENCODE_CONTINUES, IDS(AA, B)); /* aa and ab score alike: the left one */
    check_ids(&b, "aaa", GR_ENCODE_CONTINUES, IDS(AA, A));
    check_ids(&b, "aaaa", GR_ENCODE_CONTINUES, IDS(AA, AA));
    check_ids(&b, "aaab", GR_ENCODE_CONTINUES, IDS(AA, AB));
    check_ids(&b, "cba", GR_ENCODE_CONTINUES, IDS(C, B, A));
    check_ids(&b, "", 0, IDS(-1)); /* no space before nothing */
    bench_free(&b);
}

static void a_space_is_put_before_a_text_and_taken_from_it_again(void **state)
{
    (void)state;
    bench b = TOY;
    check_ids(&b, "a", 0, IDS(SA));
    assert_string_equal(decode(&b, 0), "a");
    check_ids(&b, " a", 0, IDS(SPACE, SA));
    assert_string_equal(decode(&b, 0), " a");
    check_ids(&b, "b", 0, IDS(SPACE, B));
    check_ids(&b,
              "\xE2\x96\x81"
              "a",
              0, IDS(SPACE, SA)); /* U+2581 is a space */
    check_ids(&b, "a", GR_ENCODE_CONTINUES, IDS(A));
    check_ids(&b, "a</s>a<s> a", GR_ENCODE_SPECIALS, IDS(SA, 2, A, 1, SA));
    assert_string_equal(decode(&b, 0), "a</s>a<s> a");
    assert_string_equal(decode(&b, GR_DECODE_SKIP_SPECIAL), "aa a");
    check_ids(&b, "<s> a", GR_ENCODE_SPECIALS, IDS(1, SA));
    assert_string_equal(decode(&b, 0), "<s> a");
    assert_string_equal(decode(&b, GR_DECODE_SKIP_SPECIAL), "a");
    check_ids(&b, "</s>a</s>", GR_ENCODE_SPECIALS | GR_ENCODE_PREFIX_EACH, IDS(2, SA, 2));
    check_ids(&b, "a<s>a", GR_ENCODE_SPECIALS | GR_ENCODE_CONTINUES, IDS(A, 1, A));
    gr_ids_clear(&b.ids);
    gr_error err = { 0 };
    MUST(gr_ids_add(&b.ids, BYTE(' '), &err));
    assert_string_equal(decode(&b, 0), " "); /* a byte is what it is */
    bench_free(&b);
}

static void what_has_no_piece_becomes_its_bytes(void **state)
{
    (void)state;
    bench b = TOY;
    check_ids(&b, "a\n", 0, IDS(SA, BYTE('\n')));
    check_ids(&b, "\xC3\xA9\xC3\xA8", GR_ENCODE_CONTINUES, IDS(ACUTE, BYTE(0xC3), BYTE(0xA8)));
    check_ids(&b, "<0x0A>", GR_ENCODE_CONTINUES,
              IDS(BYTE('<'), BYTE('0'), BYTE('x'), BYTE('0'), BYTE('A'), BYTE('>')));
    /* not UTF-8: bytes as well, decoded as U+FFFD for each ill-formed part */
    check_ids(&b,
              "a\xC3"
              "b\xFF\xE2\x82",
              0, IDS(SA, BYTE(0xC3), B, BYTE(0xFF), BYTE(0xE2), BYTE(0x82)));
    assert_string_equal(decode(&b, 0), "a\xEF\xBF\xBD"
                                       "b\xEF\xBF\xBD\xEF\xBF\xBD");
    encode(&b, "a\0b", 3, GR_ENCODE_CONTINUES);
    assert_int_equal(b.ids.n, 3);
    assert_int_equal(b.ids.v[1], BYTE(0));
    bench_free(&b);
}

static void user_defined_pieces_are_never_cut_or_merged(void **state)
{
    (void)state;
    bench b = TOY;
    check_ids(&b, "a[U]a", 0, IDS(SA, USER, A)); /* and no space after them */
    check_ids(&b, "[U] bc", 0, IDS(SPACE, U2, C));
    check_ids(&b, "[U] ab", 0, IDS(SPACE, USER, SPACE, AB));
    check_ids(&b, "[U", GR_ENCODE_CONTINUES, IDS(BYTE('['), BYTE('U')));
    assert_false(gr_tokenizer_is_special(b.t, USER));
    bench_free(&b);
}

static void spellings_of_control_pieces_are_ordinary_text_of_users(void **state)
{
    (void)state;
    bench b = TOY;
    check_ids(&b, "<s>", GR_ENCODE_CONTINUES, IDS(BYTE('<'), BYTE('s'), BYTE('>')));
    check_ids(&b, "<unk>", GR_ENCODE_SPECIALS, IDS(0));
    bench_free(&b);
}

/* Unused pieces are steps on the way, not results. */
static void unused_pieces_are_taken_apart(void **state)
{
    (void)state;
    bench b = TOY;
    check_ids(&b, "qq", GR_ENCODE_CONTINUES, IDS(Q, Q));
    check_ids(&b, "qqq", GR_ENCODE_CONTINUES, IDS(QQQ));
    check_ids(&b, "qqqq", GR_ENCODE_CONTINUES, IDS(QQQ, Q));
    check_ids(&b, "zq", GR_ENCODE_CONTINUES, IDS(BYTE('z'), Q));
    bench_free(&b);
}

static void random_text_comes_back(void **state)
{
    (void)state;
    bench b = TOY;
    random_round_trips(&b, 3000);
    bench_free(&b);
}

/* Half a megabyte of one letter: as many steps as n log n asks for, not n * n. */
static void a_long_run_of_one_letter_costs_n_log_n_steps(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_vocab v;
    gr_vocab_init(&v, rt);
    char run[257];
    float scores[256 + 10] = { 0 };
    memset(run, 'a', sizeof run);
    for (int32_t i = 0; i < 256; i++)
        MUST(gr_vocab_add(&v, i, &(uint8_t){ (uint8_t)i }, 1, GR_TOKEN_BYTE, &err));
    MUST(gr_vocab_add(&v, 256, " ", 1, GR_TOKEN_MODEL, &err));
    for (int32_t k = 0; k <= 8; k++) {
        MUST(gr_vocab_add(&v, 257 + k, run, (size_t)1 << k, GR_TOKEN_MODEL, &err));
        scores[257 + k] = (float)-k;
    }
    MUST(gr_vocab_index(&v, &err));
    gr_spm m;
    gr_spm_init(&m, rt, &v);
    MUST(gr_spm_join(&m, scores, &err));
    const size_t n = 1 << 19;
    uint8_t *text = gr_malloc(rt, n, 1);
    memset(text, 'a', n);
    gr_ids ids;
    gr_ids_init(&ids, rt, n);
    gr_spm_work work;
    gr_spm_work_init(&work, rt);
    MUST(gr_spm_encode(&m, &work, text, n, false, &ids, &err));
    assert_int_equal(ids.n, n / 256);
    for (size_t i = 0; i < ids.n; i++)
        assert_int_equal(ids.v[i], 257 + 8);
    assert_true(work.heap.steps < 4 * n * 19);
    gr_spm_work_fini(&work, rt);
    gr_ids_fini(&ids);
    gr_free(rt, text);
    gr_spm_fini(&m);
    gr_vocab_fini(&v);
    gr_runtime_free(rt);
}

/* The definition: look at all pairs, merge the best, begin again. */
static void encode_by_definition(const char *text, int32_t *out, size_t *n_out)
{
    size_t at[300], n = 0;
    const size_t len = strlen(text);
    for (size_t i = 0; i <= len; i++)
        at[n++] = i;
    n--; /* part i is text[at[i]..at[i + 1]) */
    for (;;) {
        size_t best = n;
        float score = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const int32_t id =
                toy_pieces_find(pieces, sizeof pieces / sizeof *pieces, text + at[i], at[i + 2] - at[i]);
            if (id >= 0 && (best == n || pieces[id].score > score)) {
                best = i;
                score = pieces[id].score;
            }
        }
        if (best == n)
            break;
        memmove(at + best + 1, at + best + 2, (n - best - 1) * sizeof *at);
        n--;
    }
    *n_out = n;
    for (size_t i = 0; i < n; i++)
        out[i] =
            SPACE + toy_pieces_find(pieces, sizeof pieces / sizeof *pieces, text + at[i], at[i + 1] - at[i]);
}

static void random_text_is_encoded_as_the_definition_says(void **state)
{
    (void)state;
    bench b = TOY;
    for (int round = 0; round < 4000; round++) {
        char text[41];
        int32_t want[300];
        size_t n = draw(&b, 40), n_want;
        for (size_t i = 0; i < n; i++)
            text[i] = "aaabbc"[draw(&b, 6)];
        text[n] = '\0';
        encode_by_definition(text, want, &n_want);
        want[n_want] = -1;
        check_ids(&b, text, GR_ENCODE_CONTINUES, want);
    }
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_of_llama_hold),
        cmocka_unit_test(handy_ids_of_llama_hold),
        cmocka_unit_test(random_text_comes_back_from_llama),
        cmocka_unit_test(the_highest_score_merges_first_and_the_leftmost_of_equals),
        cmocka_unit_test(a_space_is_put_before_a_text_and_taken_from_it_again),
        cmocka_unit_test(what_has_no_piece_becomes_its_bytes),
        cmocka_unit_test(user_defined_pieces_are_never_cut_or_merged),
        cmocka_unit_test(spellings_of_control_pieces_are_ordinary_text_of_users),
        cmocka_unit_test(unused_pieces_are_taken_apart),
        cmocka_unit_test(random_text_comes_back),
        cmocka_unit_test(a_long_run_of_one_letter_costs_n_log_n_steps),
        cmocka_unit_test(random_text_is_encoded_as_the_definition_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
