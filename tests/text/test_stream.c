#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "text/stream.h"
#include "text/unicode.h"

#define TOY_FILE TEST_FILE("golden/text/tokenizer.json")
#define LLAMA3   "tokenizers/llama3-gar/tokenizer.json"

typedef struct {
    gr_runtime *rt;
    gr_tokenizer *t;
    gr_buf out, whole;
    uint32_t seed;
} bench;

static bench bench_new(const char *file)
{
    bench b = { .rt = test_runtime(), .seed = 7 };
    gr_error err = { 0 };
    MUST(gr_tokenizer_open(&b.t, b.rt, file, &err));
    gr_buf_init(&b.out, b.rt, 1 << 20);
    gr_buf_init(&b.whole, b.rt, 1 << 20);
    return b;
}

static void bench_free(bench *b)
{
    gr_buf_fini(&b->out);
    gr_buf_fini(&b->whole);
    gr_tokenizer_free(b->t);
    gr_runtime_free(b->rt);
}

static uint32_t draw(bench *b, uint32_t below)
{
    b->seed = b->seed * 1664525 + 1013904223;
    return (b->seed >> 8) % below;
}

/* Python's str.replace on a zero-terminated text. */
static void replace_all(bench *b, gr_buf *text, const char *from, const char *to)
{
    gr_buf out;
    gr_buf_init(&out, b->rt, 1 << 20);
    const char *p = gr_buf_str(text);
    for (const char *found; (found = strstr(p, from)); p = found + strlen(from)) {
        gr_buf_add(&out, p, (size_t)(found - p));
        gr_buf_text(&out, to);
    }
    gr_buf_text(&out, p);
    gr_buf_clear(text);
    gr_buf_add(text, gr_buf_str(&out), out.len);
    gr_buf_fini(&out);
}

/* Whole-text decoding as its definition says: join, replace what is ill-formed, then the ten replacements. */
static void decode_by_definition(bench *b, const int32_t *ids, size_t n, unsigned flags)
{
    uint8_t raw[8192], fffd[4];
    size_t n_raw = 0, size;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *bytes = gr_tokenizer_bytes(b->t, ids[i], &size);
        if (bytes && !((flags & GR_DECODE_SKIP_SPECIAL) && gr_tokenizer_is_special(b->t, ids[i]))) {
            assert_true(n_raw + size <= sizeof raw);
            memcpy(raw + n_raw, bytes, size);
            n_raw += size;
        }
    }
    gr_buf_clear(&b->whole);
    for (size_t at = 0; at < n_raw;) {
        const gr_utf8 c = gr_utf8_decode(raw + at, n_raw - at);
        if (c.state == GR_UTF8_OK)
            gr_buf_add(&b->whole, raw + at, (size_t)c.bytes);
        else
            gr_buf_add(&b->whole, fffd, (size_t)gr_utf8_encode(GR_REPLACEMENT, fffd));
        at += (size_t)c.bytes;
    }
    static const char *const pairs[][2] = { { " .", "." },    { " ?", "?" },   { " !", "!" },
                                            { " ,", "," },    { " ' ", "'" },  { " n't", "n't" },
                                            { " 'm", "'m" },  { " 's", "'s" }, { " 've", "'ve" },
                                            { " 're", "'re" } };
    for (size_t i = 0; (flags & GR_DECODE_CLEAN_UP) && i < sizeof pairs / sizeof *pairs; i++)
        replace_all(b, &b->whole, pairs[i][0], pairs[i][1]);
}

static void check_stream(bench *b, const int32_t *ids, size_t n, unsigned flags)
{
    gr_error err = { 0 };
    gr_stream s;
    MUST(gr_stream_init(&s, b->t, flags, NULL, 0, &err));
    gr_buf_clear(&b->out);
    for (size_t i = 0; i < n; i++) {
        MUST(gr_stream_push(&s, ids[i], &b->out, &err));
        assert_true(gr_utf8_valid(gr_buf_str(&b->out), b->out.len)); /* whole characters at every moment */
    }
    MUST(gr_stream_flush(&s, &b->out, &err));
    decode_by_definition(b, ids, n, flags);
    assert_string_equal(gr_buf_str(&b->out), gr_buf_str(&b->whole));
    gr_buf_clear(&b->out);
    MUST(gr_tokenizer_decode(b->t, ids, n, flags, &b->out, &err));
    assert_string_equal(gr_buf_str(&b->out), gr_buf_str(&b->whole));
}

static void random_streams(const char *file, int rounds)
{
    /* bytes that cut characters and begin what clean-up removes */
    static const int32_t telling[] = { ' ',  '.',  '?',  '\'', 'n',  't',  's',  'v',  'e',
                                       0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x99, 0x82, 0xC3, 0xA9,
                                       0xED, 0xA0, 0xFF, 258,  265,  291,  299,  -1 };
    bench b = bench_new(file);
    const bool bytes_only = gr_tokenizer_n_vocab(b.t) < 1000;
    for (int round = 0; round < rounds; round++) {
        int32_t ids[40];
        const size_t n = draw(&b, 40);
        for (size_t i = 0; i < n; i++)
            ids[i] = bytes_only && draw(&b, 4)
                         ? telling[draw(&b, sizeof telling / sizeof *telling)]
                         : (int32_t)draw(&b, (uint32_t)gr_tokenizer_n_vocab(b.t) + 3) + (bytes_only ? 1 : 0);
        for (size_t i = 0; i < n; i++)
            if (bytes_only && ids[i] == 0)
                ids[i] = 1; /* strings of the test end at a zero byte */
        check_stream(&b, ids, n, (unsigned)round % 4);
    }
    bench_free(&b);
}

static void streamed_bytes_equal_the_decoded_whole(void **state)
{
    (void)state;
    random_streams(TOY_FILE, 4000);
}

static void streamed_llama3_tokens_equal_the_decoded_whole(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA3);
    random_streams(SHARED_FILE(LLAMA3), 2000);
}

/* --- stop strings -------------------------------------------------------------------------------------- */

/* Streams a text byte by byte; gives the index of the stop string that was found. */
static int stream_text(bench *b, const char *text, unsigned flags, const char *const *stops, size_t n_stops)
{
    gr_error err = { 0 };
    gr_stream s;
    MUST(gr_stream_init(&s, b->t, flags, stops, n_stops, &err));
    gr_buf_clear(&b->out);
    for (const char *p = text; *p; p++)
        MUST(gr_stream_push(&s, (uint8_t)*p, &b->out, &err));
    MUST(gr_stream_flush(&s, &b->out, &err));
    return s.stopped;
}

static void text_ends_before_the_stop_string_that_is_complete_first(void **state)
{
    (void)state;
    static const struct {
        const char *text, *stops[4], *want;
        int stopped;
    } cases[] = {
        { "one END two", { "END" }, "one ", 0 },
        { "one EN", { "END" }, "one EN", -1 }, /* what was held back comes at the end */
        { "EEND", { "END" }, "E", 0 },         /* a match begun inside a failed one */
        { "ababac!", { "abac" }, "ab", 0 },
        { "aabaaab", { "aaab" }, "aab", 0 },
        { "xabcd", { "bcx", "c" }, "xab", 1 },    /* a longer one was still possible */
        { "xabc", { "c", "bc", "abc" }, "x", 2 }, /* several end here: the longest */
        { "h\xC3\xA9llo", { "\xC3\xA9" }, "h", 0 },
        { "\xC3\xA8\xC3", { "\xC3\xA9" }, "\xC3\xA8\xEF\xBF\xBD", -1 },
        { "ab", { "abc", "bc", "cab", "bab" }, "ab", -1 },
        { "a\n\nb", { "\n\n" }, "a", 0 },
        { "", { "x" }, "", -1 },
        { "x", { "x" }, "", 0 },
    };
    bench b = bench_new(TOY_FILE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = 0;
        while (n < 4 && cases[i].stops[n])
            n++;
        const int stopped = stream_text(&b, cases[i].text, 0, cases[i].stops, n);
        if (stopped != cases[i].stopped || strcmp(gr_buf_str(&b.out), cases[i].want) != 0)
            fail_msg("'%s': stopped %d with '%s', expected %d with '%s'", cases[i].text, stopped,
                     gr_buf_str(&b.out), cases[i].stopped, cases[i].want);
    }
    /* stop strings look at the cleaned text */
    assert_int_equal(stream_text(&b, "a . b", GR_DECODE_CLEAN_UP, (const char *const[]){ "a." }, 1), 0);
    assert_int_equal(stream_text(&b, "a . b", GR_DECODE_CLEAN_UP, (const char *const[]){ " ." }, 1), -1);
    assert_string_equal(gr_buf_str(&b.out), "a. b");
    bench_free(&b);
}

/* Against a search in the whole text, for all that random texts over two letters can do. */
static void stop_strings_agree_with_a_plain_search(void **state)
{
    (void)state;
    bench b = bench_new(TOY_FILE);
    for (int round = 0; round < 20000; round++) {
        char text[41] = "", stop[2][10] = { "", "" };
        for (size_t i = 0, n = draw(&b, 40); i < n; i++)
            text[i] = "aab"[draw(&b, 3)];
        for (int k = 0; k < 2; k++)
            for (size_t i = 0, n = 1 + draw(&b, 9); i < n; i++)
                stop[k][i] = "aab"[draw(&b, 3)];
        size_t cut = strlen(text), first_end = SIZE_MAX;
        int which = -1;
        for (int k = 0; k < 2; k++) {
            const char *found = strstr(text, stop[k]);
            const size_t n = strlen(stop[k]);
            const size_t end = found ? (size_t)(found - text) + n : SIZE_MAX;
            if (found && (end < first_end || (end == first_end && n > first_end - cut))) {
                first_end = end;
                cut = end - n;
                which = k;
            }
        }
        const char *const stops[] = { stop[0], stop[1] };
        assert_int_equal(stream_text(&b, text, 0, stops, 2), which);
        text[cut] = '\0';
        assert_string_equal(gr_buf_str(&b.out), text);
    }
    bench_free(&b);
}

static void impossible_stop_strings_are_refused(void **state)
{
    (void)state;
    bench b = bench_new(TOY_FILE);
    gr_error err = { 0 };
    gr_stream s;
    char big[GR_STOP_BYTES_MAX + 2];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    const char *const many[] = { "a", "b", "c", "d", "e" }, *const empty[] = { "a", "" };
    const char *const cut[] = { "\xA9" }, *const longer[] = { big };
    MUST_FAIL(gr_stream_init(&s, b.t, 0, many, 5, &err), GR_ERR_ARG, "at most 4");
    MUST_FAIL(gr_stream_init(&s, b.t, 0, empty, 2, &err), GR_ERR_ARG, "stop string 1 is empty");
    MUST_FAIL(gr_stream_init(&s, b.t, 0, cut, 1, &err), GR_ERR_ARG, "not UTF-8");
    MUST_FAIL(gr_stream_init(&s, b.t, 0, longer, 1, &err), GR_ERR_LIMIT, "257 bytes");
    big[GR_STOP_BYTES_MAX] = '\0';
    MUST(gr_stream_init(&s, b.t, 0, longer, 1, &err));
    assert_int_equal(stream_text(&b, big, 0, longer, 1), 0);
    bench_free(&b);
}

/* --- published decoding -------------------------------------------------------------------------------- */

static void read_ids(gr_json *j, gr_ids *ids)
{
    gr_ids_clear(ids);
    for (gr_json_array(j); gr_json_item(j);)
        assert_int_equal(gr_ids_add(ids, (int32_t)gr_json_int(j, 0, 1 << 20), NULL), GR_OK);
}

static unsigned flags_of(const char *key)
{
    return (strncmp(key, "skip", 4) == 0 ? GR_DECODE_SKIP_SPECIAL : 0u) |
           (strstr(key, "_clean") ? GR_DECODE_CLEAN_UP : 0u);
}

/* Rows of golden/text/decode.json for one tokenizer: what the published library makes of ids. */
static void check_golden(const char *name, const char *file)
{
    bench b = bench_new(file);
    gr_error err = { 0 };
    char *text;
    size_t size;
    int checked = 0;
    MUST(gr_file_read(b.rt, TEST_FILE("golden/text/decode.json"), 1 << 24, &text, &size, &err));
    gr_json j;
    gr_json_init(&j, b.rt, text, size, "decode.json", 1 << 20);
    gr_ids ids;
    gr_ids_init(&ids, b.rt, 10000);
    const char *key;
    for (gr_json_array(&j); gr_json_item(&j);) {
        bool mine = false;
        for (gr_json_object(&j); gr_json_key(&j, &key);) {
            const unsigned flags = flags_of(key);
            if (strcmp(key, "tokenizer") == 0) {
                mine = strcmp(gr_json_string(&j, NULL), name) == 0;
            } else if (strcmp(key, "ids") == 0) {
                read_ids(&j, &ids);
            } else if (mine) {
                gr_buf_clear(&b.out);
                MUST(gr_tokenizer_decode(b.t, ids.v, ids.n, flags, &b.out, &err));
                assert_string_equal(gr_buf_str(&b.out), gr_json_string(&j, NULL));
                checked++;
            } else {
                gr_json_skip(&j);
            }
        }
    }
    MUST(gr_json_status(&j, true, &err));
    assert_int_equal(checked, 48);
    gr_ids_fini(&ids);
    gr_json_fini(&j);
    gr_free(b.rt, text);
    bench_free(&b);
}

static void decoding_equals_the_published_library(void **state)
{
    (void)state;
    check_golden("gar-test", TOY_FILE);
}

static void decoding_llama3_equals_the_published_library(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA3);
    check_golden("llama3-gar", SHARED_FILE(LLAMA3));
}

static void a_full_buffer_is_reported(void **state)
{
    (void)state;
    bench b = bench_new(TOY_FILE);
    gr_error err = { 0 };
    gr_buf small;
    gr_buf_init(&small, b.rt, 3);
    const int32_t ids[] = { 'a', 'b', 'c', 'd' };
    MUST_FAIL(gr_tokenizer_decode(b.t, ids, 4, 0, &small, &err), GR_ERR_LIMIT, "more than 3 bytes");
    gr_buf_fini(&small);
    bench_free(&b);
}

/* Where special tokens are left out, those that are asked for stay: the regions that an answer is about. */
static void special_tokens_that_are_shown_stay(void **state)
{
    (void)state;
    bench b = bench_new(TOY_FILE);
    gr_error err = { 0 };
    gr_stream s;
    int32_t special[2];
    int found = 0;
    for (int32_t id = 0; id < (int32_t)gr_tokenizer_n_vocab(b.t) && found < 2; id++)
        if (gr_tokenizer_is_special(b.t, id))
            special[found++] = id;
    assert_int_equal(found, 2);
    const int32_t ids[] = { special[0], 'a', special[1], 'b', special[0] };
    for (int shown = 0; shown <= 2; shown++) {
        MUST(gr_stream_init(&s, b.t, GR_DECODE_SKIP_SPECIAL, NULL, 0, &err));
        s.shown = special + 1;
        s.n_shown = shown == 1;
        if (shown == 2)
            s.shown = special, s.n_shown = 2;
        gr_buf_clear(&b.out);
        gr_buf_clear(&b.whole);
        for (size_t i = 0; i < 5; i++) {
            size_t n;
            const uint8_t *bytes = gr_tokenizer_bytes(b.t, ids[i], &n);
            MUST(gr_stream_push(&s, ids[i], &b.out, &err));
            if (i % 2 || shown == 2 || (shown == 1 && i == 2))
                gr_buf_add(&b.whole, bytes, n);
        }
        MUST(gr_stream_flush(&s, &b.out, &err));
        assert_string_equal(gr_buf_str(&b.out), gr_buf_str(&b.whole));
    }
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streamed_bytes_equal_the_decoded_whole),
        cmocka_unit_test(special_tokens_that_are_shown_stay),
        cmocka_unit_test(streamed_llama3_tokens_equal_the_decoded_whole),
        cmocka_unit_test(text_ends_before_the_stop_string_that_is_complete_first),
        cmocka_unit_test(stop_strings_agree_with_a_plain_search),
        cmocka_unit_test(impossible_stop_strings_are_refused),
        cmocka_unit_test(decoding_equals_the_published_library),
        cmocka_unit_test(decoding_llama3_equals_the_published_library),
        cmocka_unit_test(a_full_buffer_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
