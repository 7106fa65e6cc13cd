#include "test.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/file.h"
#include "io/safetensors.h"
#include "support/tempdir.h"

static gr_runtime *rt;

static int setup(void **state)
{
    (void)state;
    rt = test_runtime();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gr_runtime_free(rt);
    return 0;
}

/* A file of that header and `n` data bytes 0, 1, 2, ...; `declared` < 0: the header's true length. */
static size_t build(uint8_t *out, const char *header, long long declared, size_t n)
{
    const uint64_t length = declared < 0 ? strlen(header) : (uint64_t)declared;
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(length >> (8 * i));
    memcpy(out + 8, header, strlen(header));
    for (size_t i = 0; i < n; i++)
        out[8 + strlen(header) + i] = (uint8_t)i;
    return 8 + strlen(header) + n;
}

static gr_status parse_bytes(gr_safetensors **f, const void *file, size_t size, gr_error *err)
{
    const gr_source memory = gr_source_of(file, size);
    return gr_safetensors_parse(f, rt, &memory, "t", err);
}

static uint8_t built[8192];

static gr_status parse(gr_safetensors **f, const char *header, size_t n_data, gr_error *err)
{
    return parse_bytes(f, built, build(built, header, -1, n_data), err);
}

/* What the published writer (safetensors 0.8.0, safetensors.numpy.save) makes of five small tensors. */
static const uint8_t published[] = "0\x01\x00\x00\x00\x00\x00\x00{\"__metadata__\":{\"format\":\"pt\"},\"c\":"
                                   "{\"dtype\":\"F64\",\"shape\":[1],"
                                   "\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_"
                                   "offsets\":[8,16]},\"a\":{\"dtype\":\"I32\","
                                   "\"shape\":[1],\"data_offsets\":[16,20]},\"z\":{\"dtype\":\"F16\","
                                   "\"shape\":[0,3],\"data_offsets\":[20,20]},\"s\":{"
                                   "\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[20,21]}}"
                                   "\x00\x00\x00\x00\x00\x00\xf8?\x00\x00\x80?\x00\x00\x00@\x03"
                                   "\x00\x00\x00\x07";

static void a_published_file_is_read(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_safetensors *f;
    MUST(parse_bytes(&f, published, sizeof published - 1, &err));
    assert_int_equal(gr_safetensors_count(f), 5);
    assert_string_equal(gr_safetensors_at(f, 0)->name, "a");
    const gr_safetensor *b = gr_safetensors_find(f, "b"), *z = gr_safetensors_find(f, "z"),
                        *s = gr_safetensors_find(f, "s");
    float values[2];
    memcpy(values, published + b->offset, sizeof values);
    assert_true(values[0] == 1 && values[1] == 2);
    assert_int_equal(b->dtype, GR_DTYPE_F32);
    assert_true(b->rank == 1 && b->shape[0] == 2 && b->bytes == 8);
    assert_true(z->rank == 2 && z->shape[0] == 0 && z->bytes == 0);
    assert_true(s->rank == 0 && s->bytes == 1 && published[s->offset] == 7);
    assert_null(gr_safetensors_find(f, "q"));
    size_t n;
    const char *metadata = gr_safetensors_metadata(f, &n);
    assert_int_equal(n, strlen("{\"format\":\"pt\"}"));
    assert_memory_equal(metadata, "{\"format\":\"pt\"}", n);
    gr_safetensors_free(f);
}

static void the_writer_gives_the_published_bytes(void **state)
{
    (void)state;
    gr_error err = { 0 };
    test_dir d;
    test_dir_make(&d);
    static const gr_tensor_spec specs[] = {
        { "a", GR_DTYPE_I32, 1, { 1 } }, { "b", GR_DTYPE_F32, 1, { 2 } },    { "c", GR_DTYPE_F64, 1, { 1 } },
        { "s", GR_DTYPE_U8, 0, { 0 } },  { "z", GR_DTYPE_F16, 2, { 0, 3 } },
    };
    static const char *const metadata[] = { "format", "pt", NULL };
    const char *path = test_dir_file(&d, "out");
    gr_safetensors_writer *w;
    MUST(gr_safetensors_writer_open(&w, rt, path, specs, 5, metadata, &err));
    const double c = 1.5;
    const float b[] = { 1, 2 };
    const int32_t a = 3;
    assert_int_equal(gr_safetensors_writer_next(w), 2);
    MUST(gr_safetensors_writer_add(w, &c, 8, &err));
    assert_int_equal(gr_safetensors_writer_next(w), 1);
    MUST(gr_safetensors_writer_add(w, b, 3, &err)); /* in any portions */
    assert_int_equal(gr_safetensors_writer_left(w), 5);
    MUST(gr_safetensors_writer_add(w, (const char *)b + 3, 5, &err));
    MUST(gr_safetensors_writer_add(w, &a, 4, &err));
    assert_int_equal(gr_safetensors_writer_next(w), 3); /* z has no data */
    MUST_FAIL(gr_safetensors_writer_add(w, "\7\7", 2, &err), GR_ERR_ARG, "has 1 to come");
    MUST(gr_safetensors_writer_add(w, "\7", 1, &err));
    assert_int_equal(gr_safetensors_writer_next(w), 5);
    assert_false(gr_path_exists(path)); /* it appears when it is complete */
    MUST(gr_safetensors_writer_commit(w, &err));
    char *written;
    size_t size;
    MUST(gr_file_read(rt, path, 4096, &written, &size, &err));
    assert_int_equal(size, sizeof published - 1);
    assert_memory_equal(written, published, size);
    gr_free(rt, written);
    assert_int_equal(test_dir_count(&d), 1);
    test_dir_remove(&d);
}

static void broken_files_are_refused(void **state)
{
    static const struct {
        const char *header;
        size_t n_data;
        gr_status want;
        const char *part;
    } cases[] = {
#define T(name, dtype, shape, from, to) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"
        { "{" T("a", "F32", "[1]", 0, 4) "," T("b", "F32", "[1]", 2, 6) "}", 6, GR_ERR_FORMAT,
          "it overlaps 'a'" },
        { "{" T("a", "F32", "[1]", 0, 4) "," T("b", "F32", "[1]", 0, 4) "}", 4, GR_ERR_FORMAT,
          "it overlaps" },
        { "{" T("a", "F32", "[1]", 0, 4) "," T("b", "F32", "[1]", 6, 10) "}", 10, GR_ERR_FORMAT,
          "there is a hole behind 'a'" },
        { "{" T("a", "F32", "[1]", 1, 5) "}", 5, GR_ERR_FORMAT, "hole behind 'the start of the data'" },
        { "{" T("a", "F32", "[1]", 0, 4) "}", 5, GR_ERR_FORMAT, "1 bytes after the last" },
        { "{" T("a", "F32", "[1]", 0, 4) "}", 3, GR_ERR_FORMAT, "ends at 4 of 3 data bytes" },
        { "{" T("a", "F32", "[2]", 0, 4) "}", 4, GR_ERR_FORMAT, "expected 8 bytes for F32 of shape [2]" },
        { "{" T("a", "F32", "[1]", 4, 0) "}", 4, GR_ERR_FORMAT, "data_offsets [4, 0]" },
        { "{" T("a", "F32", "[4294967296,4294967296]", 0, 0) "}", 0, GR_ERR_FORMAT, "overflows" },
        { "{" T("a", "F32", "[9223372036854775807]", 0, 0) "}", 0, GR_ERR_FORMAT, "overflows" },
        { "{" T("a", "U8", "[9223372036854775807]", 0, 9223372036854775807) "}", 0, GR_ERR_FORMAT,
          "cut off" },
        { "{" T("a", "F32", "[-1]", 0, 0) "}", 0, GR_ERR_FORMAT, "a: -1, expected a whole number" },
        { "{" T("a", "F32", "[1.0]", 0, 4) "}", 4, GR_ERR_FORMAT, "whole number" },
        { "{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4, GR_ERR_LIMIT, "more than 8 dimensions" },
        { "{" T("a", "F4", "[2]", 0, 1) "}", 1, GR_ERR_UNSUPPORTED, "element type 'F4'" },
        { "{" T("a", "f32", "[1]", 0, 4) "}", 4, GR_ERR_UNSUPPORTED, "element type 'f32'" },
        { "{" T("a", "F32", "[1]", 0, 4) "," T("a", "F32", "[1]", 4, 8) "}", 8, GR_ERR_FORMAT,
          "tensor 'a' twice" },
        { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
          GR_ERR_FORMAT, "'dtype' twice" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, GR_ERR_FORMAT, "a: there is no 'data_offsets'" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, GR_ERR_FORMAT,
          "has 1 numbers" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}", 4, GR_ERR_FORMAT,
          "has 3 numbers" },
        { "{\"a\":[]}", 0, GR_ERR_FORMAT, "expected an object" },
        { "{\"__metadata__\":{\"a\":1}}", 0, GR_ERR_FORMAT, "may hold texts only" },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, GR_ERR_FORMAT, "'__metadata__' twice" },
        { "[]", 0, GR_ERR_FORMAT, "does not begin with '{'" },
        { " {}", 0, GR_ERR_FORMAT, "does not begin with '{'" },
        { "{}x", 0, GR_ERR_FORMAT, "expected the end of the text" },
        { "{", 0, GR_ERR_FORMAT, "expected a key" },
        { "", 0, GR_ERR_FORMAT, "does not begin with '{'" },
    };
    (void)state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_safetensors *f;
        MUST_FAIL(parse(&f, cases[i].header, cases[i].n_data, &err), cases[i].want, cases[i].part);
        assert_null(f);
    }
}

static void a_header_length_that_lies_is_refused(void **state)
{
    static const char header[] = "{" T("a", "F32", "[1]", 0, 4) "}";
    static const struct {
        long long declared;
        gr_status want;
        const char *part;
    } cases[] = {
        { 100000001, GR_ERR_LIMIT, "the limit is 100000000" },
        { 0x7fffffffffffffff, GR_ERR_LIMIT, "not a safetensors file?" },
        { sizeof header + 20, GR_ERR_FORMAT, "the file is cut off" },
        { sizeof header - 2, GR_ERR_FORMAT, "found the end of the text" },
        { 0, GR_ERR_FORMAT, "does not begin" },
    };
    (void)state;
    gr_error err = { 0 };
    uint8_t file[256];
    gr_safetensors *f;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t n = build(file, header, cases[i].declared, 4);
        MUST_FAIL(parse_bytes(&f, file, n, &err), cases[i].want, cases[i].part);
    }
    const size_t n = build(file, header, -1, 4); /* cut off anywhere */
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1); /* of that very size, for the sanitizer */
        memcpy(copy, file, cut);
        MUST_FAIL(parse_bytes(&f, copy, cut, &err), GR_ERR_FORMAT, "t: ");
        free(copy);
    }
}

static void odd_but_correct_files_are_read(void **state)
{
    static const struct {
        const char *header;
        size_t n_data, n_tensors;
    } cases[] = {
        { "{}", 0, 0 },
        { "{}      ", 0, 0 },
        { "{" T("a", "U8", "[3]", 0, 3) "," T("b", "F32", "[1]", 3, 7) "}", 7, 2 }, /* misaligned */
        { "{" T("b", "F32", "[1]", 4, 8) "," T("a", "F32", "[]", 0, 4) "}  ", 8, 2 },
        { "{" T("a", "F32", "[0]", 0, 0) "," T("b", "F32", "[1]", 0, 4) "," T("c", "F32", "[5,0]", 4, 4) "}",
          4, 3 },
        { "{\"a\":{\"later\":[{}],\"data_offsets\":[0,4],\"shape\":[1],\"dtype\":\"F32\"}}", 4, 1 },
    };
    (void)state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_safetensors *f;
        MUST(parse(&f, cases[i].header, cases[i].n_data, &err));
        assert_int_equal(gr_safetensors_count(f), cases[i].n_tensors);
        if (i == 2)
            assert_int_equal(built[gr_safetensors_find(f, "b")->offset], 3);
        gr_safetensors_free(f);
    }
}

static void the_writer_refuses_what_it_could_not_read(void **state)
{
    (void)state;
    gr_error err = { 0 };
    test_dir d;
    test_dir_make(&d);
    const char *path = test_dir_file(&d, "out");
    gr_safetensors_writer *w;
    const gr_tensor_spec twice[] = { { "a", GR_DTYPE_U8, 0, { 0 } }, { "a", GR_DTYPE_F32, 0, { 0 } } };
    const gr_tensor_spec reserved = { "__metadata__", GR_DTYPE_U8, 0, { 0 } };
    const gr_tensor_spec huge = { "a", GR_DTYPE_F32, 2, { INT64_MAX, 2 } };
    const gr_tensor_spec one = { "a", GR_DTYPE_U8, 1, { 2 } };
    MUST_FAIL(gr_safetensors_writer_open(&w, rt, path, twice, 2, NULL, &err), GR_ERR_ARG, "'a' twice");
    MUST_FAIL(gr_safetensors_writer_open(&w, rt, path, &reserved, 1, NULL, &err), GR_ERR_ARG, "__metadata__");
    MUST_FAIL(gr_safetensors_writer_open(&w, rt, path, &huge, 1, NULL, &err), GR_ERR_ARG,
              "cannot be written");
    MUST_FAIL(gr_safetensors_writer_open(&w, rt, test_dir_file(&d, "no/x"), &one, 1, NULL, &err), GR_ERR_IO,
              "cannot create");
    MUST(gr_safetensors_writer_open(&w, rt, path, &one, 1, NULL, &err));
    MUST_FAIL(gr_safetensors_writer_commit(w, &err), GR_ERR_ARG, "1 of 1 tensors lack data");
    MUST(gr_safetensors_writer_open(&w, rt, path, &one, 1, NULL, &err));
    gr_safetensors_writer_abort(w);
    assert_int_equal(test_dir_count(&d), 0);
    test_dir_remove(&d);
}

/* A limit of the process on file sizes stands in for the end of the disk: the same calls fail. */
static void a_full_disk_is_a_sentence_and_leaves_nothing(void **state)
{
    (void)state;
    gr_error err = { 0 };
    test_dir d;
    test_dir_make(&d);
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 1 << 16;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const gr_tensor_spec spec = { "a", GR_DTYPE_U8, 1, { 1 << 20 } };
    gr_safetensors_writer *w;
    gr_status st = gr_safetensors_writer_open(&w, rt, test_dir_file(&d, "x"), &spec, 1, NULL, &err);
    static const uint8_t block[1 << 15];
    for (int i = 0; i < 32 && st == GR_OK; i++)
        st = gr_safetensors_writer_add(w, block, sizeof block, &err);
    if (st != GR_OK && w)
        gr_safetensors_writer_abort(w);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(st, GR_ERR_IO);
    if (!strstr(err.msg, "no space for") && !strstr(err.msg, "cannot write it: "))
        fail_msg("%s", err.msg);
    assert_int_equal(test_dir_count(&d), 0);
    test_dir_remove(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_published_file_is_read),
        cmocka_unit_test(the_writer_gives_the_published_bytes),
        cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(a_header_length_that_lies_is_refused),
        cmocka_unit_test(odd_but_correct_files_are_read),
        cmocka_unit_test(the_writer_refuses_what_it_could_not_read),
        cmocka_unit_test(a_full_disk_is_a_sentence_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
