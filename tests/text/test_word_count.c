#include "test.h"

#include "grasp/tokenizer.h"
#include "support/counting.h"
#include "support/tempdir.h"
#include "text/word_count.h"

#define WORDS_MAX 1000000

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    gr_word_counter words;
    uint64_t blocks;
} counted;

static gr_status count_blocks(counted *c, const gr_corpus_format *f, gr_error *err)
{
    gr_corpus corpus;
    gr_status st = gr_corpus_open(&corpus, c->rt, f, err);
    while (st == GR_OK && (st = gr_corpus_next(&corpus, err)) == GR_OK && corpus.used > 0) {
        st = gr_word_counter_add(&c->words, &corpus, err);
        c->blocks++;
    }
    gr_corpus_close(&corpus);
    return st;
}

static void open_threads(counted *c, int n_threads)
{
    *c = (counted){ .rt = test_runtime_threads(n_threads) };
    test_dir_make(&c->dir);
    gr_word_counter_init(&c->words, c->rt, WORDS_MAX);
}

static void done(counted *c)
{
    gr_word_counter_fini(&c->words);
    test_dir_remove(&c->dir);
    gr_runtime_free(c->rt);
}

static uint64_t count_of(const counted *c, const char *word)
{
    const uint64_t hash = gr_word_hash(word, strlen(word));
    for (int s = 0; s < GR_WORD_SHARDS; s++) {
        const int32_t found = gr_word_table_find(&c->words.shards[s], word, strlen(word));
        if (found >= 0) {
            assert_int_equal(c->words.shards[s].v[found].hash, hash);
            return c->words.shards[s].v[found].count;
        }
    }
    return 0;
}

/* Counts one file of that text. */
static void count_text(counted *c, const char *text, gr_corpus_format f)
{
    gr_error err = { 0 };
    open_threads(c, 2);
    test_dir_write(&c->dir, "text", text, strlen(text));
    const char *paths[] = { test_dir_file(&c->dir, "text") };
    f.paths = paths;
    f.n_paths = 1;
    MUST(count_blocks(c, &f, &err));
}

static void a_text_is_a_line_with_its_end(void **state)
{
    (void)state;
    counted c;
    count_text(&c, "red red\nblue\n\n\nred.\n", (gr_corpus_format){ 0 });
    assert_int_equal(c.words.documents, 5);
    assert_int_equal(count_of(&c, "red"), 2);
    assert_int_equal(count_of(&c, " red"), 1);
    assert_int_equal(count_of(&c, "\n"), 4); /* two lines are nothing else */
    assert_int_equal(count_of(&c, ".\n"), 1);
    assert_int_equal(count_of(&c, "\n\n"), 0);
    done(&c);
    count_text(&c, "no end", (gr_corpus_format){ 0 });
    assert_int_equal(c.words.documents, 1);
    assert_int_equal(count_of(&c, " end"), 1);
    done(&c);
}

static void a_text_is_a_whole_file_when_asked(void **state)
{
    (void)state;
    counted c;
    count_text(&c, "red red\nblue\n\n\nred.\n", (gr_corpus_format){ .whole_files = true });
    assert_int_equal(c.words.documents, 1);
    assert_int_equal(count_of(&c, "\n\n\n"), 1);
    assert_int_equal(count_of(&c, "\n"), 1);
    done(&c);
}

static void a_text_is_the_member_of_a_line_when_asked(void **state)
{
    (void)state;
    counted c;
    count_text(&c,
               "{\"text\":\"a\\nred\",\"other\":{\"text\":\"green\"}}\n"
               "  \r\n\n"
               "{\"n\":[1,2],\"text\":\"\\u00e4 red\"}\n"
               "{\"text\":\"\"}",
               (gr_corpus_format){ .field = "text" });
    assert_int_equal(c.words.documents, 3);
    assert_int_equal(count_of(&c, "red"), 1);
    assert_int_equal(count_of(&c, " red"), 1);
    assert_int_equal(count_of(&c, "\xc3\xa4"), 1);
    assert_int_equal(count_of(&c, "green"), 0);
    done(&c);
}

static void lines_that_do_not_have_the_member_are_refused_by_their_number(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } rows[] = {
        { "{\"text\":\"a\"}\n{\"test\":\"b\"}\n", "/text: line 2, column " },
        { "{\"text\":\"a\"}\n{\"test\":\"b\"}\n", "the object has no member 'text'" },
        { "\n\n{\"text\":1}\n", "/text: line 3, column 9: expected a string" },
        { "{\"text\":\"a\",\"text\":\"b\"}\n", "'text' is there twice" },
        { "[\"text\"]\n", "line 1, column 1: expected an object" },
        { "{\"text\":\"a\"} x\n", "line 1, column 14" },
        { "{\"text\":\"a\n", "line 1" },
        { "{\"text\":\"\xff\"}\n", "line 1" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        counted c;
        gr_error err = { 0 };
        open_threads(&c, 2);
        test_dir_write(&c.dir, "text", rows[i].text, strlen(rows[i].text));
        const char *paths[] = { test_dir_file(&c.dir, "text") };
        const gr_corpus_format f = { .paths = paths, .n_paths = 1, .field = "text" };
        MUST_FAIL(count_blocks(&c, &f, &err), GR_ERR_FORMAT, rows[i].part);
        done(&c);
    }
}

static void bytes_that_are_no_text_count_as_they_are(void **state)
{
    (void)state;
    counted c;
    count_text(&c,
               "a\xff\xfe"
               "b \xc3\n",
               (gr_corpus_format){ 0 });
    assert_int_equal(count_of(&c, "a"), 1);
    assert_int_equal(count_of(&c, "\xff\xfe"), 1);
    assert_int_equal(count_of(&c, "b"), 1);
    assert_int_equal(gr_word_counter_totals(&c.words).bytes, 7);
    done(&c);
}

/* --- many of them -------------------------------------------------------------------------------------- */

/* Lines of words that follow from a number; about `n` bytes. */
static void write_text(const test_dir *dir, const char *name, size_t n, uint32_t seed)
{
    char *text = malloc(n + 64);
    size_t at = 0;
    assert_non_null(text);
    while (at < n) {
        seed = seed * 1664525u + 1013904223u;
        at += (size_t)sprintf(text + at, seed >> 28 ? "w%x " : "w%x\n", (unsigned)((seed >> 12) % 5000));
    }
    test_dir_write(dir, name, text, at);
    free(text);
}

static void check_same(const gr_word_counter *a, const gr_word_counter *b)
{
    assert_int_equal(a->documents, b->documents);
    for (int s = 0; s < GR_WORD_SHARDS; s++) {
        assert_int_equal(a->shards[s].n, b->shards[s].n);
        assert_int_equal(a->shards[s].bytes.len, b->shards[s].bytes.len);
        assert_memory_equal(a->shards[s].v, b->shards[s].v, a->shards[s].n * sizeof *a->shards[s].v);
        assert_memory_equal(a->shards[s].bytes.data, b->shards[s].bytes.data, a->shards[s].bytes.len);
    }
}

/* Even the order of the words. */
static void the_same_is_counted_by_any_number_of_threads(void **state)
{
    (void)state;
    counted one, many;
    gr_error err = { 0 };
    open_threads(&one, 1);
    open_threads(&many, 5);
    write_text(&one.dir, "a", GR_CORPUS_BLOCK + 100000, 1);
    write_text(&one.dir, "b", 300000, 2);
    test_dir_write(&one.dir, "c", "", 0);
    const char *paths[] = { test_dir_file(&one.dir, "a"), test_dir_file(&one.dir, "b"),
                            test_dir_file(&one.dir, "c") };
    const gr_corpus_format f = { .paths = paths, .n_paths = 3 };
    MUST(count_blocks(&one, &f, &err));
    MUST(count_blocks(&many, &f, &err));
    assert_true(one.blocks > 1);
    check_same(&one.words, &many.words);
    done(&one);
    done(&many);
}

static void a_text_may_be_longer_than_a_block(void **state)
{
    (void)state;
    counted c;
    gr_error err = { 0 };
    const size_t n = GR_CORPUS_BLOCK + 77;
    char *text = malloc(n);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        text[i] = i % 8 ? 'x' : ' ';
    memcpy(text, "short\n", 6);
    text[n - 9] = '\n'; /* the long line ends, "xxxxxxxx" follows */
    open_threads(&c, 2);
    test_dir_write(&c.dir, "long", text, n);
    free(text);
    const char *paths[] = { test_dir_file(&c.dir, "long") };
    const gr_corpus_format f = { .paths = paths, .n_paths = 1 };
    MUST(count_blocks(&c, &f, &err));
    assert_int_equal(c.words.documents, 3);
    assert_int_equal(count_of(&c, "short"), 1);
    assert_true(count_of(&c, " xxxxxxx") > GR_CORPUS_BLOCK / 8 - 3);
    done(&c);
}

/* A file that is a hole of zero bytes, without a line end. */
static void a_text_has_at_most_64_mib(void **state)
{
    (void)state;
    counted c;
    gr_error err = { 0 };
    open_threads(&c, 2);
    test_dir_write(&c.dir, "hole", "\n\n", 2);
    const char *paths[] = { test_dir_file(&c.dir, "hole") };
    const gr_corpus_format lines = { .paths = paths, .n_paths = 1 },
                           whole = { .paths = paths, .n_paths = 1, .whole_files = true };
    assert_int_equal(truncate(paths[0], (off_t)GR_TEXT_MAX + 3), 0);
    MUST_FAIL(count_blocks(&c, &lines, &err), GR_ERR_LIMIT, "hole: line 3 has more than 67108864 bytes");
    MUST_FAIL(count_blocks(&c, &whole, &err), GR_ERR_LIMIT, "hole: 67108867 bytes, a document has at most");
    done(&c);
}

static void more_distinct_words_than_allowed_are_refused(void **state)
{
    (void)state;
    counted c;
    gr_error err = { 0 };
    open_threads(&c, 2);
    test_dir_write(&c.dir, "text", "a b c d e\n", 10);
    const char *paths[] = { test_dir_file(&c.dir, "text") };
    const gr_corpus_format f = { .paths = paths, .n_paths = 1 };
    c.words.max_words = 5; /* "a", " b", " c", " d", " e", "\n" */
    MUST_FAIL(count_blocks(&c, &f, &err), GR_ERR_LIMIT, "6 distinct words so far, the limit is 5");
    done(&c);
    count_text(&c, "a b c d e\n", f);
    assert_int_equal(gr_word_counter_totals(&c.words).words, 6);
    done(&c);
}

static void files_must_be_there_and_agree_with_the_format(void **state)
{
    (void)state;
    counted c;
    gr_error err = { 0 };
    open_threads(&c, 1);
    const char *paths[] = { test_dir_file(&c.dir, "none") };
    const gr_corpus_format none = { .paths = paths }, missing = { .paths = paths, .n_paths = 1 },
                           both = { .paths = paths, .n_paths = 1, .whole_files = true, .field = "x" };
    MUST_FAIL(count_blocks(&c, &none, &err), GR_ERR_ARG, "no file of text was given");
    MUST_FAIL(count_blocks(&c, &missing, &err), GR_ERR_IO, "/none: cannot open");
    MUST_FAIL(count_blocks(&c, &both, &err), GR_ERR_ARG,
              "a whole file or the member 'x' of a line, not both");
    done(&c);
}

static void memory_may_run_out_at_any_moment(void **state)
{
    (void)state;
    test_dir dir;
    counting n = { 0 };
    test_dir_make(&dir);
    static const char text[] = "{\"x\":\"some words\"}\n{\"x\":\"and \\u00e4\"}\n";
    test_dir_write(&dir, "text", text, sizeof text - 1);
    const char *paths[] = { test_dir_file(&dir, "text") };
    const gr_corpus_format f = { .paths = paths, .n_paths = 1, .field = "x" };
    counted c = { .rt = counting_runtime(&n, 1) };
    const size_t before = n.now;
    size_t failed = 0;
    for (gr_status st = GR_ERR_MEM; st != GR_OK; failed++) {
        gr_error err = { 0 };
        gr_word_counter_init(&c.words, c.rt, WORDS_MAX);
        n.fail_at = n.calls + 1 + failed;
        st = count_blocks(&c, &f, &err);
        assert_true(st == GR_OK || (st == GR_ERR_MEM && err.msg[0]));
        gr_word_counter_fini(&c.words);
        assert_int_equal(n.now, before);
    }
    assert_true(failed > 10);
    gr_runtime_free(c.rt);
    test_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_a_line_with_its_end),
        cmocka_unit_test(a_text_is_a_whole_file_when_asked),
        cmocka_unit_test(a_text_is_the_member_of_a_line_when_asked),
        cmocka_unit_test(lines_that_do_not_have_the_member_are_refused_by_their_number),
        cmocka_unit_test(bytes_that_are_no_text_count_as_they_are),
        cmocka_unit_test(the_same_is_counted_by_any_number_of_threads),
        cmocka_unit_test(a_text_may_be_longer_than_a_block),
        cmocka_unit_test(a_text_has_at_most_64_mib),
        cmocka_unit_test(more_distinct_words_than_allowed_are_refused),
        cmocka_unit_test(files_must_be_there_and_agree_with_the_format),
        cmocka_unit_test(memory_may_run_out_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
