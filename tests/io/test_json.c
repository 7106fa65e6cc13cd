#include "test.h"

#include <locale.h>
#include <time.h>

#include "base/file.h"
#include "io/json.h"

typedef struct {
    gr_runtime *rt;
    gr_json j;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f.rt = test_runtime();
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    gr_runtime_free(((fixture *)*state)->rt);
    return 0;
}

static gr_json *begin_n(void **state, const char *text, size_t n)
{
    fixture *f = *state;
    gr_json_init(&f->j, f->rt, text, n, "t.json", 100);
    return &f->j;
}

static gr_json *begin(void **state, const char *text) { return begin_n(state, text, strlen(text)); }

static void a_document_is_walked_in_order(void **state)
{
    gr_error err = { 0 };
    gr_json *j =
        begin(state, " {\"a\":[1, 2,3],\n\"b\" : {\"c\":true,\"d\":null}, \"e\":-2.5e1,\"f\":\"x\"} ");
    const char *key;
    int64_t sum = 0;
    char seen[32] = "";
    for (gr_json_object(j); gr_json_key(j, &key);) {
        strcat(seen, key);
        if (key[0] == 'a')
            for (gr_json_array(j); gr_json_item(j);)
                sum += gr_json_int(j, 0, 9);
        else if (key[0] == 'b')
            for (gr_json_object(j); gr_json_key(j, &key);)
                if (key[0] == 'c')
                    assert_true(gr_json_bool(j));
                else
                    assert_true(gr_json_null(j));
        else if (key[0] == 'e')
            assert_true(gr_json_number(j) == -25.0);
        else
            assert_string_equal(gr_json_string(j, NULL), "x");
    }
    MUST(gr_json_status(j, true, &err));
    assert_string_equal(seen, "abef");
    assert_int_equal(sum, 6);
    gr_json_fini(j);
}

static void escapes_become_utf8(void **state)
{
    gr_error err = { 0 };
    gr_json *j = begin(state, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00 \xc3\xa9\"");
    assert_string_equal(gr_json_string(j, NULL),
                        "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \xc3\xa9");
    MUST(gr_json_status(j, true, &err));
    gr_json_fini(j);

    j = begin(state, "\"a\\u0000b\"");
    size_t n;
    assert_memory_equal(gr_json_string(j, &n), "a\0b", 4);
    assert_int_equal(n, 3);
    gr_json_fini(j);
}

static void malformed_texts_are_refused_with_the_place(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "", "line 1, column 1: expected a value" },
        { "  ", "expected a value, found the end" },
        { "{", "expected a key" },
        { "[", "expected a value" },
        { "[1", "expected ',' or ']', found the end" },
        { "[1 2]", "line 1, column 4: expected ',' or ']', found '2'" },
        { "[1,]", "a comma before ']'" },
        { "[,1]", "expected a value, found ','" },
        { "{\"a\":1,}", "a comma before '}'" },
        { "{\"a\" 1}", "expected ':' after a key, found '1'" },
        { "{a:1}", "expected a key in quotes, found 'a'" },
        { "{\"a\":}", "expected a value, found '}'" },
        { "[1}", "expected ',' or ']', found '}'" },
        { "1 x", "expected the end of the text, found 'x'" },
        { "\xef\xbb\xbf{}", "expected a value, found 0xef" },
        { "[\n\n tru]", "line 3, column 2: expected 'true'" },
        { "nul", "expected 'null'" },
        { "01", "begins with 0" },
        { "-", "wants a digit" },
        { "1.", "wants a digit" },
        { ".5", "expected a value" },
        { "1e", "wants a digit" },
        { "+1", "expected a value" },
        { "NaN", "expected a value" },
        { "\"abc", "without an end" },
        { "\"a\nb\"", "control character 0x0a" },
        { "\"\\x\"", "unknown escape" },
        { "\"\\", "unknown escape" },
        { "\"\\u12g4\"", "four hexadecimal digits" },
        { "\"\\u12", "four hexadecimal digits" },
        { "\"\\ud800\"", "surrogate" },
        { "\"\\ud800\\u0041\"", "surrogate" },
        { "\"\\udc00\"", "surrogate" },
        { "\"\xff\"", "0xff is not UTF-8" },
        { "\"\xc0\xaf\"", "not UTF-8" },
        { "\"\xed\xa0\x80\"", "not UTF-8" },
        { "\"\xf4\x90\x80\x80\"", "not UTF-8" },
        { "\"\xe2\x82", "not UTF-8" },
    };
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_json *j = begin(state, cases[i].text);
        gr_json_skip(j);
        MUST_FAIL(gr_json_status(j, true, &err), GR_ERR_FORMAT, cases[i].part);
        assert_int_equal(gr_json_peek(j), GR_JSON_END);
        gr_json_fini(j);
    }
}

static void bounds_hold(void **state)
{
    gr_error err = { 0 };
    char deep[2 * GR_JSON_MAX_DEPTH + 3] = "";
    memset(deep, '[', GR_JSON_MAX_DEPTH);
    memset(deep + GR_JSON_MAX_DEPTH, ']', GR_JSON_MAX_DEPTH);
    gr_json *j = begin(state, deep);
    gr_json_skip(j);
    MUST(gr_json_status(j, true, &err));
    gr_json_fini(j);

    memset(deep, '[', GR_JSON_MAX_DEPTH + 1);
    j = begin(state, deep);
    gr_json_skip(j);
    MUST_FAIL(gr_json_status(j, true, &err), GR_ERR_LIMIT, "deeper than 64");
    gr_json_fini(j);

    char text[104]; /* 100 characters pass, 101 do not */
    memset(text, 'x', sizeof text);
    text[0] = text[101] = '"';
    j = begin_n(state, text, 102);
    assert_int_equal(strlen(gr_json_string(j, NULL)), 100);
    gr_json_fini(j);
    text[101] = 'x', text[102] = '"';
    j = begin_n(state, text, 103);
    gr_json_string(j, NULL);
    MUST_FAIL(gr_json_status(j, true, &err), GR_ERR_LIMIT, "more than 100 bytes");
    gr_json_fini(j);
    j = begin_n(state, text, 103);
    gr_json_skip(j);
    MUST(gr_json_status(j, true, &err));
    gr_json_fini(j);
}

static void zero_bytes_are_refused_in_keys_and_plain_strings(void **state)
{
    gr_error err = { 0 };
    const char *key;
    gr_json *j = begin(state, "{\"a\\u0000\":1}");
    gr_json_object(j);
    assert_false(gr_json_key(j, &key));
    assert_string_equal(key, "");
    MUST_FAIL(gr_json_status(j, false, &err), GR_ERR_FORMAT, "zero byte");
    gr_json_fini(j);
    j = begin(state, "\"a\\u0000\"");
    assert_string_equal(gr_json_string(j, NULL), "");
    MUST_FAIL(gr_json_status(j, false, &err), GR_ERR_FORMAT, "zero byte");
    gr_json_fini(j);
}

static void integers_keep_their_range(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } cases[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "99999999999999999999999999999999999999999999999", false, 0 },
        { "1.0", false, 0 },
        { "1e3", false, 0 },
    };
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_json *j = begin(state, cases[i].text);
        const int64_t got = gr_json_int(j, INT64_MIN, INT64_MAX);
        if (cases[i].ok) {
            MUST(gr_json_status(j, true, &err));
            assert_true(got == cases[i].want);
        } else {
            MUST_FAIL(gr_json_status(j, true, &err), GR_ERR_FORMAT, "expected a whole number");
        }
        gr_json_fini(j);
    }
    gr_json *j = begin(state, "7");
    assert_int_equal(gr_json_int(j, 8, 9), 8); /* an empty value is inside the range too */
    MUST_FAIL(gr_json_status(j, true, &err), GR_ERR_FORMAT, "7, expected a whole number in 8..9");
    gr_json_fini(j);
}

/* Against strtod, which the C library rounds correctly; also where the locale writes a comma. */
static void numbers_are_the_nearest_double(void **state)
{
    static const char *const cases[] = {
        "0",
        "-0.0",
        "1",
        "0.1",
        "3.141592653589793",
        "1e22",
        "1e23",
        "8.5e-5",
        "0.00001",
        "2.2250738585072014e-308",
        "4.9406564584124654e-324",
        "1e-400",
        "1.7976931348623157e308",
        "123456789012345678901234567890",
        "9007199254740993",
        "9007199254740992.99999999999999999999999999999999",
        "100000000000000000000e-20",
        "0.000000000000000000000000000000000000000000001e45",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.000000000000000111022302462515654042363166809082031250000000000000000000000000000000000000001",
    };
    gr_error err = { 0 };
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            setlocale(LC_NUMERIC, "C");
            const double want = strtod(cases[i], NULL);
            if (pass == 1 && !setlocale(LC_NUMERIC, "de_DE.UTF-8"))
                continue; /* that locale is not installed */
            gr_json *j = begin(state, cases[i]);
            const double got = gr_json_number(j);
            MUST(gr_json_status(j, true, &err));
            if (memcmp(&got, &want, sizeof got) != 0)
                fail_msg("%s: %.17g, expected %.17g", cases[i], got, want);
            gr_json_fini(j);
        }
    }
    setlocale(LC_NUMERIC, "C");
    static char many[2000] = "0.";
    memset(many + 2, '0', 1000);
    memset(many + 1002, '7', 900);
    strcpy(many + 1902, "e1000");
    gr_json *j = begin(state, many);
    assert_true(gr_json_number(j) == strtod(many, NULL));
    gr_json_fini(j);
    j = begin(state, "1e309");
    assert_true(gr_json_number(j) == 0);
    MUST_FAIL(gr_json_status(j, true, &err), GR_ERR_FORMAT, "range of double");
    gr_json_fini(j);
}

static void a_wrong_kind_is_named(void **state)
{
    gr_error err = { 0 };
    gr_json *j = begin(state, "{\"k\":\n \"3\"}");
    const char *key;
    gr_json_object(j);
    assert_true(gr_json_key(j, &key));
    gr_json_int(j, 0, 9);
    MUST_FAIL(gr_json_status(j, false, &err), GR_ERR_FORMAT,
              "t.json: line 2, column 2: expected a number, found a string");
    gr_json_fini(j);

    j = begin(state, "[5,\n   6]"); /* what the caller finds wrong is at the value it has just read */
    gr_json_array(j);
    while (gr_json_item(j))
        if (gr_json_int(j, 0, 9) == 6)
            gr_json_fail(j, GR_ERR_SHAPE, "six is %s", "odd");
    MUST_FAIL(gr_json_status(j, true, &err), GR_ERR_SHAPE, "line 2, column 4: six is odd");
    gr_json_fini(j);
}

static void raw_values_keep_their_text(void **state)
{
    gr_error err = { 0 };
    gr_json *j = begin(state, "[ {\"a\" : [1, 2]} , 4]");
    size_t n;
    gr_json_array(j);
    assert_true(gr_json_item(j));
    const char *raw = gr_json_raw(j, &n);
    assert_int_equal(n, strlen("{\"a\" : [1, 2]}"));
    assert_memory_equal(raw, "{\"a\" : [1, 2]}", n);
    assert_true(gr_json_item(j));
    assert_int_equal(gr_json_int(j, 0, 9), 4);
    assert_false(gr_json_item(j));
    MUST(gr_json_status(j, true, &err));
    gr_json_fini(j);
}

static void written_text_is_as_expected(void **state)
{
    fixture *f = *state;
    gr_buf b;
    gr_buf_init(&b, f->rt, 4096);
    for (int pretty = 0; pretty < 2; pretty++) {
        gr_json_writer w;
        gr_buf_clear(&b);
        gr_json_writer_init(&w, &b, pretty);
        gr_json_put_object(&w);
        gr_json_put_key(&w, "a\"");
        gr_json_put_array(&w);
        gr_json_put_int(&w, INT64_MIN);
        gr_json_put_bool(&w, true);
        gr_json_put_null(&w);
        gr_json_put_string(&w, "\xff\xc3\xa9\x01\n\\\0z", 8);
        gr_json_put_end(&w, ']');
        gr_json_put_key(&w, "b");
        gr_json_put_object(&w);
        gr_json_put_end(&w, '}');
        gr_json_put_key(&w, "c");
        gr_json_put_raw(&w, "[1]", 3);
        gr_json_put_end(&w, '}');
        assert_false(b.failed);
        assert_string_equal(
            gr_buf_str(&b),
            pretty ? "{\n  \"a\\\"\": [\n    -9223372036854775808,\n    true,\n    null,\n    "
                     "\"\xef\xbf\xbd\xc3\xa9\\u0001\\n\\\\\\u0000z\"\n  ],\n  \"b\": {},\n  \"c\": [1]\n}"
                   : "{\"a\\\"\":[-9223372036854775808,true,null,\"\xef\xbf\xbd\xc3\xa9\\u0001\\n\\\\\\"
                     "u0000z\"],\"b\":{},\"c\":[1]}");
    }
    gr_buf_fini(&b);
}

static void numbers_are_written_short_and_read_back(void **state)
{
    static const struct {
        double x;
        const char *text;
    } cases[] = {
        { 0, "0.0" },
        { -0.0, "-0.0" },
        { 1, "1.0" },
        { 0.1, "0.1" },
        { -2.5, "-2.5" },
        { 1e16, "1"
                "0000000000000000.0" },
        { 1e17, "1e17" },
        { 1e-5, "0.00001" },
        { 1.5e-6, "1.5e-6" },
        { 500000, "500000.0" },
        { 1.0 / 3, "0.3333333333333333" },
        { NAN, "null" },
        { INFINITY, "null" },
        { 1e-5 / 3, "3.3333333333333337e-6" },
    };
    fixture *f = *state;
    gr_error err = { 0 };
    gr_buf b;
    gr_buf_init(&b, f->rt, 4096);
    gr_json_writer w;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_buf_clear(&b);
        gr_json_writer_init(&w, &b, false);
        gr_json_put_number(&w, cases[i].x);
        assert_string_equal(gr_buf_str(&b), cases[i].text);
    }
    uint64_t u = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        u ^= u << 13, u ^= u >> 7, u ^= u << 17;
        double x, back;
        memcpy(&x, &u, sizeof x);
        if (!isfinite(x))
            continue;
        gr_buf_clear(&b);
        gr_json_writer_init(&w, &b, false);
        gr_json_put_number(&w, x);
        gr_json *j = begin(state, gr_buf_str(&b));
        back = gr_json_number(j);
        MUST(gr_json_status(j, true, &err));
        assert_memory_equal(&back, &x, sizeof x);
        gr_json_fini(j);
    }
    gr_buf_clear(&b);
    gr_json_writer_init(&w, &b, false);
    gr_json_put_f32(&w, -0.1f);
    assert_string_equal(gr_buf_str(&b), "-0.1");
    gr_buf_fini(&b);
}

/* The vocabulary of Llama 3 is 17 MB of JSON; a copy of the text of a published tokenizer is near enough. */
static void a_big_text_is_read_fast(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const size_t n_members = 400000;
    gr_buf b;
    gr_buf_init(&b, f->rt, (size_t)1 << 26);
    gr_buf_text(&b, "{\n");
    for (size_t i = 0; i < n_members; i++)
        gr_buf_printf(&b, "%s      \"\\u0120word\xc4\xa0number%zu\": %zu", i ? ",\n" : "", i, i);
    gr_buf_text(&b, "\n}\n");
    assert_false(b.failed);
    const clock_t start = clock();
    gr_json j;
    const char *key;
    int64_t sum = 0;
    gr_json_init(&j, f->rt, b.data, b.len, "big", 1000);
    for (gr_json_object(&j); gr_json_key(&j, &key);)
        sum += gr_json_int(&j, 0, 1 << 30);
    MUST(gr_json_status(&j, true, &err));
    gr_json_fini(&j);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    assert_int_equal(sum, (int64_t)(n_members * (n_members - 1) / 2));
    printf("%zu bytes in %.3f s: %.0f MB/s\n", b.len, seconds, (double)b.len / seconds / 1e6);
    assert_true(seconds < 5); /* sanitizers included; about 0.1 s without */
    gr_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_walked_in_order),
        cmocka_unit_test(escapes_become_utf8),
        cmocka_unit_test(malformed_texts_are_refused_with_the_place),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(zero_bytes_are_refused_in_keys_and_plain_strings),
        cmocka_unit_test(integers_keep_their_range),
        cmocka_unit_test(numbers_are_the_nearest_double),
        cmocka_unit_test(a_wrong_kind_is_named),
        cmocka_unit_test(raw_values_keep_their_text),
        cmocka_unit_test(written_text_is_as_expected),
        cmocka_unit_test(numbers_are_written_short_and_read_back),
        cmocka_unit_test(a_big_text_is_read_fast),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
