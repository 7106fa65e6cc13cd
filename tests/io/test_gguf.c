#include "test.h"

#include "base/file.h"
#include "base/half.h"
#include "io/gguf.h"
#include "support/counting.h"
#include "support/gguf_file.h"
#include "support/tempdir.h"

typedef struct {
    gr_runtime *rt;
    gr_buf file;
} bench;

static bench bench_new(void)
{
    bench b = { .rt = test_runtime() };
    gr_buf_init(&b.file, b.rt, 1 << 24);
    return b;
}

static void bench_free(bench *b)
{
    gr_buf_fini(&b->file);
    gr_runtime_free(b->rt);
}

static gr_status parse(gr_gguf **f, bench *b, gr_error *err)
{
    const gr_source memory = gr_source_of(b->file.data, b->file.len);
    return gr_gguf_parse(f, b->rt, &memory, "t.gguf", err);
}

/* The file is refused with that status and sentence; then the buffer is empty again. */
static void refused(bench *b, gr_status want, const char *part)
{
    gr_error err = { 0 };
    gr_gguf *f;
    MUST_FAIL(parse(&f, b, &err), want, part);
    assert_null(f);
    gr_buf_clear(&b->file);
}

#define DIMS(...) ((const uint64_t[]){ __VA_ARGS__ })

/* Every type of value, two tensors in another order than their data, one of blocks. */
static void make_whole(gr_buf *out, uint32_t version)
{
    static const struct {
        const char *key;
        uint32_t type;
        uint64_t value;
        int bytes;
    } numbers[] = {
        { "n.u8", GR_GGUF_U8, 200, 1 },
        { "n.i8", GR_GGUF_I8, 0x80, 1 },
        { "n.u16", GR_GGUF_U16, 65535, 2 },
        { "n.i16", GR_GGUF_I16, 7, 2 },
        { "n.i32", GR_GGUF_I32, 0xffffffff, 4 },
        { "n.u64", GR_GGUF_U64, 1ull << 40, 8 },
        { "n.i64", GR_GGUF_I64, 3, 8 },
        { "n.f32", GR_GGUF_F32, 0x3fc00000, 4 },
        { "n.f64", GR_GGUF_F64, 0xc004000000000000, 8 },
    };
    gguf_head(out, version, 2, 15);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        gguf_key(out, numbers[i].key, numbers[i].type);
        gguf_number(out, numbers[i].value, numbers[i].bytes);
    }
    gguf_key_uint(out, "general.alignment", 64);
    gguf_key_bool(out, "n.bool", true);
    gguf_key_string(out, "text", "h\xC3\xA9");
    gguf_key_array(out, "a.text", GR_GGUF_STRING, 3);
    gguf_string(out, "one");
    gguf_string(out, "");
    gguf_string(out, "three");
    gguf_key_array(out, "a.f32", GR_GGUF_F32, 2);
    gguf_number(out, 0x3f800000, 4);
    gguf_number(out, 0xc0000000, 4);
    gguf_key_array(out, "a.empty", GR_GGUF_I32, 0);
    gguf_tensor(out, "z.weight", 2, DIMS(3, 2), 0, 64);
    gguf_tensor(out, "a.weight", 1, DIMS(32), 8, 0);
    gguf_pad(out, 64);
    for (int i = 0; i < 34; i++)
        gguf_number(out, (uint64_t)i, 1);
    gguf_pad(out, 64);
    for (int i = 0; i < 6; i++)
        gguf_number(out, gr_f32_bits((float)i), 4);
}

static void values_are_read_with_their_types(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    for (uint32_t version = 2; version <= 3; version++) {
        gr_gguf *f;
        gr_buf_clear(&b.file);
        make_whole(&b.file, version);
        MUST(parse(&f, &b, &err));
        uint64_t n = 5;
        double x = 0;
        bool yes = false;
        gr_gguf_text text;
        MUST(gr_gguf_uint(f, "n.u8", GR_GGUF_REQUIRED, 255, &n, &err));
        assert_int_equal(n, 200);
        MUST(gr_gguf_uint(f, "n.i16", GR_GGUF_REQUIRED, 255, &n, &err));
        assert_int_equal(n, 7);
        MUST(gr_gguf_uint(f, "n.u64", GR_GGUF_REQUIRED, UINT64_MAX, &n, &err));
        assert_true(n == 1ull << 40);
        MUST(gr_gguf_uint(f, "absent", GR_GGUF_OPTIONAL, 9, &n, &err));
        assert_true(n == 1ull << 40);
        MUST(gr_gguf_float(f, "n.f32", GR_GGUF_REQUIRED, &x, &err));
        assert_true(x == 1.5);
        MUST(gr_gguf_float(f, "n.f64", GR_GGUF_REQUIRED, &x, &err));
        assert_true(x == -2.5);
        MUST(gr_gguf_bool(f, "n.bool", GR_GGUF_REQUIRED, &yes, &err));
        assert_true(yes);
        MUST(gr_gguf_string(f, "text", GR_GGUF_REQUIRED, &text, &err));
        assert_int_equal(text.n, 3);
        assert_memory_equal(text.at, "h\xC3\xA9", 3);
        MUST_FAIL(gr_gguf_uint(f, "n.u16", GR_GGUF_REQUIRED, 65534, &n, &err), GR_ERR_FORMAT,
                  "t.gguf: key 'n.u16' is 65535, expected at most 65534");
        MUST_FAIL(gr_gguf_uint(f, "n.i8", GR_GGUF_REQUIRED, 255, &n, &err), GR_ERR_FORMAT, "is negative");
        MUST_FAIL(gr_gguf_uint(f, "n.i32", GR_GGUF_REQUIRED, 255, &n, &err), GR_ERR_FORMAT, "is negative");
        MUST_FAIL(gr_gguf_uint(f, "n.f32", GR_GGUF_OPTIONAL, 9, &n, &err), GR_ERR_FORMAT,
                  "is of type f32, expected a whole number");
        MUST_FAIL(gr_gguf_uint(f, "a.empty", GR_GGUF_REQUIRED, 9, &n, &err), GR_ERR_FORMAT, "array of i32");
        MUST_FAIL(gr_gguf_uint(f, "n.u", GR_GGUF_REQUIRED, 9, &n, &err), GR_ERR_FORMAT,
                  "there is no key 'n.u'");
        MUST_FAIL(gr_gguf_float(f, "n.u8", GR_GGUF_REQUIRED, &x, &err), GR_ERR_FORMAT, "expected f32 or f64");
        MUST_FAIL(gr_gguf_bool(f, "n.u8", GR_GGUF_REQUIRED, &yes, &err), GR_ERR_FORMAT, "expected bool");
        MUST_FAIL(gr_gguf_string(f, "a.text", GR_GGUF_REQUIRED, &text, &err), GR_ERR_FORMAT,
                  "array of string, expected string");
        gr_gguf_free(f);
    }
    bench_free(&b);
}

static void arrays_are_views_of_the_file(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    gr_gguf *f;
    make_whole(&b.file, 3);
    MUST(parse(&f, &b, &err));
    const gr_gguf_value *v;
    static const char *const want[] = { "one", "", "three" };
    MUST(gr_gguf_array(f, "a.text", GR_GGUF_REQUIRED, GR_GGUF_STRING, &v, &err));
    assert_int_equal(v->count, 3);
    size_t at = 0;
    for (size_t i = 0; i < v->count; i++) {
        const gr_gguf_text text = gr_gguf_next_string(v, &at);
        assert_int_equal(text.n, strlen(want[i]));
        assert_memory_equal(text.at, want[i], text.n);
        assert_true(text.at >= b.file.data && text.at + text.n <= b.file.data + b.file.len);
    }
    assert_int_equal(at, v->bytes);
    MUST(gr_gguf_array(f, "a.f32", GR_GGUF_REQUIRED, GR_GGUF_F32, &v, &err));
    assert_true(gr_gguf_f32_at(v, 0) == 1 && gr_gguf_f32_at(v, 1) == -2);
    MUST(gr_gguf_array(f, "a.empty", GR_GGUF_REQUIRED, GR_GGUF_I32, &v, &err));
    assert_int_equal(v->count, 0);
    v = NULL;
    MUST(gr_gguf_array(f, "absent", GR_GGUF_OPTIONAL, GR_GGUF_I32, &v, &err));
    assert_null(v);
    MUST_FAIL(gr_gguf_array(f, "a.f32", GR_GGUF_OPTIONAL, GR_GGUF_I32, &v, &err), GR_ERR_FORMAT,
              "array of f32, expected array of i32");
    gr_gguf_free(f);
    bench_free(&b);
}

static void tensors_have_their_slowest_axis_first(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    gr_gguf *f;
    make_whole(&b.file, 3);
    MUST(parse(&f, &b, &err));
    assert_int_equal(gr_gguf_n_tensors(f), 2);
    assert_string_equal(gr_gguf_tensor_at(f, 0)->name, "a.weight");
    const gr_gguf_tensor *z = gr_gguf_tensor_find(f, "z.weight"), *a = gr_gguf_tensor_find(f, "a.weight");
    assert_true(z->rank == 2 && z->shape[0] == 2 && z->shape[1] == 3 && z->bytes == 24);
    for (int i = 0; i < 6; i++) {
        uint32_t bits;
        memcpy(&bits, b.file.data + z->offset + 4 * i, 4);
        assert_true(gr_f32_from_bits(bits) == (float)i);
    }
    assert_string_equal(a->storage->name, "Q8_0");
    assert_int_equal(a->bytes, 34);
    assert_int_equal(b.file.data[a->offset + 33], 33);
    assert_null(gr_gguf_tensor_find(f, "b.weight"));
    gr_gguf_free(f);
    bench_free(&b);
}

static void headers_that_are_not_little_endian_version_2_or_3_are_refused(void **state)
{
    (void)state;
    bench b = bench_new();
    refused(&b, GR_ERR_FORMAT, "not a GGUF file");
    gr_buf_text(&b.file, "GGML....................");
    refused(&b, GR_ERR_FORMAT, "not a GGUF file");
    gguf_head(&b.file, 0x03000000, 0, 0);
    refused(&b, GR_ERR_UNSUPPORTED, "big-endian");
    gguf_head(&b.file, 1, 0, 0);
    refused(&b, GR_ERR_UNSUPPORTED, "version 1");
    gguf_head(&b.file, 4, 0, 0);
    refused(&b, GR_ERR_UNSUPPORTED, "version 4");
    gguf_head(&b.file, 3, 0, UINT64_MAX);
    refused(&b, GR_ERR_FORMAT, "cut off in key");
    gguf_head(&b.file, 3, UINT64_MAX, 0);
    refused(&b, GR_ERR_FORMAT, "cut off in tensor name");
    bench_free(&b);
}

static void keys_that_break_a_rule_are_refused(void **state)
{
    (void)state;
    bench b = bench_new();
    gguf_head(&b.file, 3, 0, 1);
    gguf_key_uint(&b.file, "", 1);
    refused(&b, GR_ERR_FORMAT, "key 0 has 0 bytes");
    gguf_head(&b.file, 3, 0, 1);
    gguf_number(&b.file, 65536, 8);
    refused(&b, GR_ERR_LIMIT, "has 65536 bytes");
    gguf_head(&b.file, 3, 0, 1);
    gguf_key_uint(&b.file, "a\nb", 1);
    refused(&b, GR_ERR_FORMAT, "byte 0x0a");
    gguf_head(&b.file, 3, 0, 3);
    gguf_key_uint(&b.file, "same", 1);
    gguf_key_uint(&b.file, "other", 1);
    gguf_key_uint(&b.file, "same", 2);
    refused(&b, GR_ERR_FORMAT, "key 'same' twice");
    gguf_head(&b.file, 3, 0, 1);
    gguf_key(&b.file, "k", 13);
    refused(&b, GR_ERR_UNSUPPORTED, "key 'k' has the type 13");
    gguf_head(&b.file, 3, 0, 1);
    gguf_key_array(&b.file, "k", GR_GGUF_ARRAY, 1);
    refused(&b, GR_ERR_UNSUPPORTED, "array of arrays");
    gguf_head(&b.file, 3, 0, 1);
    gguf_key_array(&b.file, "k", GR_GGUF_U8, (1ull << 30) + 1);
    refused(&b, GR_ERR_LIMIT, "array of 1073741825 items");
    gguf_head(&b.file, 3, 0, 1);
    gguf_key_array(&b.file, "k", GR_GGUF_F64, 1ull << 30);
    refused(&b, GR_ERR_FORMAT, "cut off in a value");
    gguf_head(&b.file, 3, 0, 1);
    gguf_key_array(&b.file, "k", GR_GGUF_STRING, 1ull << 30);
    refused(&b, GR_ERR_FORMAT, "cut off in a string");
    gguf_head(&b.file, 3, 0, 1);
    gguf_key(&b.file, "k", GR_GGUF_STRING);
    gguf_number(&b.file, (1ull << 30) + 1, 8);
    refused(&b, GR_ERR_LIMIT, "string of 1073741825 bytes");
    gguf_head(&b.file, 3, 0, 1);
    gguf_key(&b.file, "k", GR_GGUF_BOOL);
    gguf_number(&b.file, 2, 1);
    refused(&b, GR_ERR_FORMAT, "a bool is 2");
    for (uint32_t bad = 0; bad <= 48; bad += 48) {
        gguf_head(&b.file, 3, 0, 1);
        gguf_key_uint(&b.file, "general.alignment", bad);
        refused(&b, GR_ERR_FORMAT, "expected a power of two");
    }
    bench_free(&b);
}

static void tensors_that_break_a_rule_are_refused(void **state)
{
    static const struct {
        const char *name;
        uint64_t dims[4];
        uint32_t rank, type;
        uint64_t offset;
        gr_status want;
        const char *part;
    } cases[] = {
        { "t", { 4 }, 1, 0, 31, GR_ERR_FORMAT, "begins at 31, expected a multiple of 32" },
        { "t", { 4 }, 1, 0, 96, GR_ERR_FORMAT, "16 bytes at 96 of 64 data bytes: the file is cut off" },
        { "t", { 17 }, 1, 0, 0, GR_ERR_FORMAT, "68 bytes at 0 of 64" },
        { "t", { 4 }, 1, 0, UINT64_MAX - 31, GR_ERR_FORMAT, "of 64 data bytes" },
        { "t", { 4 }, 5, 0, 0, GR_ERR_LIMIT, "5 dimensions" },
        { "t", { 1ull << 63 }, 1, 24, 0, GR_ERR_FORMAT, "a dimension of 9223372036854775808" },
        { "t", { 1ull << 32, 1ull << 32 }, 2, 24, 0, GR_ERR_FORMAT, "overflows" },
        { "t", { 1ull << 62 }, 1, 28, 0, GR_ERR_FORMAT, "overflows" },
        { "t", { 1ull << 40, 1ull << 40, 1ull << 40, 0 }, 3, 8, 0, GR_ERR_FORMAT, "overflows" },
        { "t", { 48 }, 1, 8, 0, GR_ERR_FORMAT, "shape [48]: Q8_0 takes rows of a multiple of 32" },
        { "t", { 128, 2 }, 2, 12, 0, GR_ERR_FORMAT, "shape [2, 128]: Q4_K takes rows of a multiple of 256" },
        { "t", { 0 }, 0, 2, 0, GR_ERR_FORMAT, "Q4_0 takes rows" },
        { "t", { 4 }, 1, 4, 0, GR_ERR_UNSUPPORTED, "element type 4 (Q4_2, removed" },
        { "t", { 4 }, 1, 36, 0, GR_ERR_UNSUPPORTED, "I2_S of ik_llama.cpp" },
        { "t", { 4 }, 1, 139, 0, GR_ERR_UNSUPPORTED, "element type 139 (IQ4_K of ik_llama.cpp" },
        { "t", { 4 }, 1, 97, 0, GR_ERR_UNSUPPORTED, "from 97 up" },
        { "t", { 4 }, 1, 43, 0, GR_ERR_UNSUPPORTED, "element type 43 (unknown" },
        { "", { 4 }, 1, 0, 0, GR_ERR_FORMAT, "tensor name 0 has 0 bytes" },
        { "a23456789b23456789c23456789d23456789e23456789f23456789g23456789h",
          { 4 },
          1,
          0,
          0,
          GR_ERR_LIMIT,
          "has 64 bytes, expected 1 to 63" },
    };
    (void)state;
    bench b = bench_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gguf_head(&b.file, 3, 1, 0);
        gguf_tensor(&b.file, cases[i].name, cases[i].rank > 4 ? 0 : cases[i].rank, cases[i].dims,
                    cases[i].type, cases[i].offset);
        if (cases[i].rank > 4)
            b.file.data[24 + 8 + 1] = (char)cases[i].rank;
        gguf_pad(&b.file, 32);
        for (int k = 0; k < 64; k++)
            gguf_number(&b.file, 0, 1);
        refused(&b, cases[i].want, cases[i].part);
    }
    for (int same_name = 0; same_name < 2; same_name++) {
        gguf_head(&b.file, 3, 2, 0);
        gguf_tensor(&b.file, "a", 1, DIMS(9), 0, 0);
        gguf_tensor(&b.file, same_name ? "a" : "b", 1, DIMS(1), 0, same_name ? 64 : 32);
        gguf_pad(&b.file, 32);
        for (int k = 0; k < 68; k++)
            gguf_number(&b.file, 0, 1);
        refused(&b, GR_ERR_FORMAT, same_name ? "tensor 'a' twice" : "'b' begins at 32, inside of 'a'");
    }
    bench_free(&b);
}

/* Whatever the place of the cut: a sentence, and no read beyond it (the copy is of that very size). */
static void a_file_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    make_whole(&b.file, 3);
    for (size_t cut = 0; cut < b.file.len; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        memcpy(copy, b.file.data, cut);
        gr_gguf *f;
        err = (gr_error){ 0 };
        const gr_source memory = gr_source_of(copy, cut);
        if (gr_gguf_parse(&f, b.rt, &memory, "t", &err) != GR_ERR_FORMAT || f || !err.msg[0])
            fail_msg("cut at %zu: '%s'", cut, err.msg);
        free(copy);
    }
    bench_free(&b);
}

/* Of a file the head alone comes into memory, in larger and larger parts; data stay where they are. */
static void a_file_is_read_up_to_the_end_of_its_head(void **state)
{
    enum { TEXTS = 40000, DATA = 3000000 };
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    gr_gguf *f;
    gr_source file;
    const gr_gguf_value *v;
    test_dir d;
    counting c = { 0 };
    gr_runtime *rt = counting_runtime(&c, 1);
    test_dir_make(&d);
    gguf_head(&b.file, 3, 1, 1);
    gguf_key_array(&b.file, "texts", GR_GGUF_STRING, TEXTS);
    for (int i = 0; i < TEXTS; i++)
        gguf_string(&b.file, "a text that is read in parts");
    gguf_tensor(&b.file, "t", 1, DIMS(DATA), 24 /* I8 */, 0);
    gguf_pad(&b.file, 32);
    const size_t data_at = b.file.len;
    char *zeros = calloc(DATA, 1);
    assert_true(gr_buf_add(&b.file, zeros, DATA));
    free(zeros);
    test_dir_write(&d, "x.gguf", b.file.data, b.file.len);

    MUST(gr_source_open(&file, test_dir_file(&d, "x.gguf"), &err));
    MUST(gr_gguf_parse(&f, rt, &file, "x", &err));
    assert_true(atomic_load(&c.peak) < b.file.len + (1 << 21)); /* two parts for a moment, and no more data */
    assert_int_equal(gr_gguf_tensor_find(f, "t")->offset, data_at);
    MUST(gr_gguf_array(f, "texts", GR_GGUF_REQUIRED, GR_GGUF_STRING, &v, &err));
    size_t at = 0;
    for (int i = 0; i < TEXTS; i++)
        assert_memory_equal(gr_gguf_next_string(v, &at).at, "a text that is read in parts", 28);
    gr_gguf_free(f);

    assert_int_equal(truncate(test_dir_file(&d, "x.gguf"), 1200000), 0);
    MUST_FAIL(gr_gguf_parse(&f, rt, &file, "x", &err), GR_ERR_IO, "x: the head: expected");
    assert_null(f);
    gr_source_close(&file);
    MUST(gr_source_open(&file, test_dir_file(&d, "x.gguf"), &err));
    MUST_FAIL(gr_gguf_parse(&f, rt, &file, "x", &err), GR_ERR_FORMAT,
              "x: the file of 1200000 bytes is cut off");
    gr_source_close(&file);
    gr_runtime_free(rt);
    assert_int_equal(atomic_load(&c.now), 0);
    test_dir_remove(&d);
    bench_free(&b);
}

static void the_published_vocabulary_file_is_read(void **state)
{
    (void)state;
    NEED_SHARED("tokenizers/llama-spm/vocab.gguf");
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_source file;
    gr_gguf *f;
    MUST(gr_source_open(&file, SHARED_FILE("tokenizers/llama-spm/vocab.gguf"), &err));
    MUST(gr_gguf_parse(&f, rt, &file, "vocab.gguf", &err));
    assert_int_equal(gr_gguf_n_keys(f), 22);
    assert_int_equal(gr_gguf_n_tensors(f), 0);
    uint64_t n;
    double x;
    const gr_gguf_value *v;
    MUST(gr_gguf_uint(f, "llama.feed_forward_length", GR_GGUF_REQUIRED, 1 << 20, &n, &err));
    assert_int_equal(n, 11008);
    MUST(gr_gguf_float(f, "llama.attention.layer_norm_rms_epsilon", GR_GGUF_REQUIRED, &x, &err));
    assert_true((float)x == 1e-5f);
    MUST(gr_gguf_array(f, "tokenizer.ggml.token_type", GR_GGUF_REQUIRED, GR_GGUF_I32, &v, &err));
    assert_int_equal(v->count, 32000);
    assert_int_equal(gr_gguf_i32_at(v, 3), 6);
    gr_gguf_free(f);
    gr_source_close(&file);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_with_their_types),
        cmocka_unit_test(arrays_are_views_of_the_file),
        cmocka_unit_test(tensors_have_their_slowest_axis_first),
        cmocka_unit_test(headers_that_are_not_little_endian_version_2_or_3_are_refused),
        cmocka_unit_test(keys_that_break_a_rule_are_refused),
        cmocka_unit_test(tensors_that_break_a_rule_are_refused),
        cmocka_unit_test(a_file_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_file_is_read_up_to_the_end_of_its_head),
        cmocka_unit_test(the_published_vocabulary_file_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
