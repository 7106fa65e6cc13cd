#include "test.h"

#include "io/protobuf.h"
#include "support/gguf_file.h"
#include "support/tempdir.h"
#include "support/toy_pieces.h"
#include "text/spm_gguf.h"
#include "text/spm_model.h"

static const toy_piece pieces[] = {
    { U_SPACE, -4, GR_SPM_NORMAL },
    { "a", -5, GR_SPM_NORMAL },
    { "aa", -1, GR_SPM_NORMAL },
};
enum { N_PIECES = 3, SPACE = 259, A, AA };

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

static gr_status from_gguf(gr_tokenizer **t, bench *b, gr_error *err)
{
    gr_gguf *f;
    *t = NULL;
    const gr_source memory = gr_source_of(b->file.data, b->file.len);
    GR_TRY(gr_gguf_parse(&f, b->rt, &memory, "t.gguf", err));
    const gr_status st = gr_tokenizer_from_gguf(t, b->rt, f, err);
    gr_gguf_free(f);
    return st;
}

static gr_status from_model(gr_tokenizer **t, bench *b, gr_error *err)
{
    return gr_tokenizer_from_spm_model(t, b->rt, (const uint8_t *)b->file.data, b->file.len, "t.model", err);
}

static void check_text(bench *b, gr_tokenizer *t, const char *text, const int32_t *want, size_t n)
{
    gr_error err = { 0 };
    gr_ids ids;
    gr_ids_init(&ids, b->rt, 100);
    MUST(gr_tokenizer_encode(t, text, strlen(text), 0, &ids, &err));
    assert_int_equal(ids.n, n);
    assert_memory_equal(ids.v, want, n * sizeof *want);
    gr_ids_fini(&ids);
}

static void both_files_give_the_same_tokenizer(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    for (int model = 0; model < 2; model++) {
        gr_tokenizer *t;
        gr_buf_clear(&b.file);
        if (model)
            toy_pieces_model(&b.file, pieces, N_PIECES);
        else
            toy_pieces_gguf(&b.file, pieces, N_PIECES, 0);
        MUST(model ? from_model(&t, &b, &err) : from_gguf(&t, &b, &err));
        assert_int_equal(gr_tokenizer_n_vocab(t), 262);
        assert_int_equal(gr_tokenizer_bos(t), 1);
        check_text(&b, t, "aaab", (const int32_t[]){ SPACE, AA, A, 3 + 'b' }, 4);
        gr_tokenizer_free(t);
    }
    bench_free(&b);
}

static void what_a_file_says_about_texts_is_followed(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    gr_tokenizer *t;
    toy_pieces_gguf(&b.file, pieces, N_PIECES, 2);
    gguf_key_bool(&b.file, "tokenizer.ggml.add_bos_token", false);
    gguf_key_bool(&b.file, "tokenizer.ggml.add_space_prefix", false);
    MUST(from_gguf(&t, &b, &err));
    assert_int_equal(gr_tokenizer_bos(t), -1);
    check_text(&b, t, "aa", (const int32_t[]){ AA }, 1);
    gr_tokenizer_free(t);
    gr_buf_clear(&b.file);
    toy_pieces_model(&b.file, pieces, N_PIECES);
    proto_bytes(&b.file, 2, "\xC8\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 12); /* bos_id: -1 */
    proto_bytes(&b.file, 3, "\x18\x00", 2);                                          /* add_dummy_prefix */
    MUST(from_model(&t, &b, &err));
    assert_int_equal(gr_tokenizer_bos(t), -1);
    check_text(&b, t, "aa", (const int32_t[]){ AA }, 1);
    gr_tokenizer_free(t);
    bench_free(&b);
}

static void a_folder_or_a_file_is_opened(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    test_dir d;
    test_dir_make(&d);
    for (int model = 0; model < 2; model++) {
        gr_tokenizer *t;
        char path[4096];
        snprintf(path, sizeof path, "%s", test_dir_file(&d, model ? "tokenizer.model" : "any.gguf"));
        gr_buf_clear(&b.file);
        if (model)
            toy_pieces_model(&b.file, pieces, N_PIECES);
        else
            toy_pieces_gguf(&b.file, pieces, N_PIECES, 0);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(b.file.data, 1, b.file.len, f), b.file.len);
        fclose(f);
        MUST(gr_tokenizer_open(&t, b.rt, path, &err));
        gr_tokenizer_free(t);
        if (model) {
            path[strlen(path) - strlen("/tokenizer.model")] = '\0';
            MUST(gr_tokenizer_open(&t, b.rt, path, &err));
            assert_int_equal(gr_tokenizer_n_vocab(t), 262);
            gr_tokenizer_free(t);
        }
    }
    test_dir_remove(&d);
    bench_free(&b);
}

/* --- refusals ------------------------------------------------------------------------------------------ */

static void refused(bench *b, gr_status (*read)(gr_tokenizer **t, bench *b, gr_error *err), gr_status want,
                    const char *part)
{
    gr_error err = { 0 };
    gr_tokenizer *t;
    MUST_FAIL(read(&t, b, &err), want, part);
    assert_null(t);
    gr_buf_clear(&b->file);
}

static void pieces_that_break_a_rule_are_refused(void **state)
{
    static char longest[600];
    static const struct {
        toy_piece piece;
        gr_status want;
        const char *part;
    } cases[] = {
        { { "", 0, GR_SPM_NORMAL }, GR_ERR_FORMAT, "piece 262 is empty" },
        { { "\xFF", 0, GR_SPM_NORMAL }, GR_ERR_FORMAT, "piece 262 is not UTF-8" },
        { { "b", INFINITY, GR_SPM_NORMAL }, GR_ERR_FORMAT, "score that is not finite" },
        { { "b", NAN, GR_SPM_NORMAL }, GR_ERR_FORMAT, "score that is not finite" },
        { { "b", 0, 7 }, GR_ERR_FORMAT, "piece 262 has the type 7" },
        { { "b", 0, 0 }, GR_ERR_FORMAT, "has the type 0" },
        { { "<0xGG>", 0, GR_SPM_BYTE }, GR_ERR_FORMAT, "is the byte '<0xGG>'" },
        { { "<0x0a>", 0, GR_SPM_BYTE }, GR_ERR_FORMAT, "is the byte '<0x0a>'" },
        { { "<0x0A>", 0, GR_SPM_BYTE }, GR_ERR_FORMAT, "byte 0x0A has two pieces, 13 and 262" },
        { { "aa", 0, GR_SPM_NORMAL }, GR_ERR_FORMAT, "'aa' is there twice, with ids 261 and 262" },
        { { "aa", 0, GR_SPM_USER }, GR_ERR_FORMAT, "is there twice" },
        { { " ", 0, GR_SPM_NORMAL }, GR_ERR_FORMAT, "' ' is there twice" },
        { { "</s>", 0, GR_SPM_CONTROL }, GR_ERR_FORMAT, "control piece '</s>' is there twice, with ids" },
        { { longest, 0, GR_SPM_NORMAL }, GR_ERR_LIMIT, "599 bytes, the limit is 512" },
        { { longest, 0, GR_SPM_USER }, GR_ERR_LIMIT, "599 bytes, the limit is 256" },
    };
    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    bench b = bench_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const toy_piece all[] = { pieces[0], pieces[1], pieces[2], cases[i].piece };
        toy_pieces_gguf(&b.file, all, 4, 0);
        refused(&b, from_gguf, cases[i].want, cases[i].part);
        toy_pieces_model(&b.file, all, 4);
        refused(&b, from_model, cases[i].want, cases[i].part);
    }
    toy_pieces_gguf(&b.file, pieces + 1, 2, 0);
    refused(&b, from_gguf, GR_ERR_UNSUPPORTED, "no piece U+2581");
    bench_free(&b);
}

static void gguf_vocabularies_that_break_a_rule_are_refused(void **state)
{
    (void)state;
    bench b = bench_new();
    gguf_head(&b.file, 3, 0, 0);
    refused(&b, from_gguf, GR_ERR_FORMAT, "t.gguf: there is no key 'tokenizer.ggml.model'");
    gguf_head(&b.file, 3, 0, 1);
    gguf_key_string(&b.file, "tokenizer.ggml.model", "gpt2");
    refused(&b, from_gguf, GR_ERR_UNSUPPORTED, "is 'gpt2', expected 'llama'");
    gguf_head(&b.file, 3, 0, 4);
    gguf_key_string(&b.file, "tokenizer.ggml.model", "llama");
    gguf_key_array(&b.file, "tokenizer.ggml.tokens", GR_GGUF_STRING, 0);
    gguf_key_array(&b.file, "tokenizer.ggml.scores", GR_GGUF_F32, 0);
    gguf_key_array(&b.file, "tokenizer.ggml.token_type", GR_GGUF_I32, 0);
    refused(&b, from_gguf, GR_ERR_UNSUPPORTED, "t.gguf: the vocabulary has no piece <0x00>");
    gguf_head(&b.file, 3, 0, 4);
    gguf_key_string(&b.file, "tokenizer.ggml.model", "llama");
    gguf_key_array(&b.file, "tokenizer.ggml.tokens", GR_GGUF_STRING, 0);
    gguf_key_array(&b.file, "tokenizer.ggml.scores", GR_GGUF_F32, 1);
    gguf_number(&b.file, 0, 4);
    gguf_key_array(&b.file, "tokenizer.ggml.token_type", GR_GGUF_I32, 0);
    refused(&b, from_gguf, GR_ERR_FORMAT, "0 tokens, 1 scores and 0 types");
    static const char *const flags[] = { "tokenizer.ggml.add_eos_token",
                                         "tokenizer.ggml.remove_extra_whitespaces" };
    for (int i = 0; i < 2; i++) {
        toy_pieces_gguf(&b.file, pieces, N_PIECES, 1);
        gguf_key_bool(&b.file, flags[i], true);
        refused(&b, from_gguf, GR_ERR_UNSUPPORTED, flags[i]);
    }
    toy_pieces_gguf(&b.file, pieces, N_PIECES, 1);
    gguf_key_uint(&b.file, "tokenizer.ggml.bos_token_id", 262);
    refused(&b, from_gguf, GR_ERR_FORMAT, "begins a text is 262, there are 262 pieces");
    toy_pieces_gguf(&b.file, pieces, N_PIECES, 1);
    gguf_key_array(&b.file, "tokenizer.ggml.precompiled_charsmap", GR_GGUF_U8, 1);
    gguf_number(&b.file, 0, 1);
    refused(&b, from_gguf, GR_ERR_UNSUPPORTED, "texts would be normalised");
    bench_free(&b);
}

static void models_that_would_treat_texts_otherwise_are_refused(void **state)
{
    static const struct {
        uint32_t field;
        const char *message;
        size_t n;
        const char *part;
    } cases[] = {
        { 2, "\x18\x01", 2, "model_type is not BPE" },
        { 2, "\x98\x02\x00", 3, "byte_fallback is off" },
        { 2, "\xC0\x01\x01", 3, "treat_whitespace_as_suffix" },
        { 3, "\x12\x01x", 3, "precompiled_charsmap" },
        { 5, "\x12\x01x", 3, "precompiled_charsmap" },
        { 3, "\x20\x01", 2, "remove_extra_whitespaces" },
        { 3, "\x28\x00", 2, "escape_whitespaces" },
    };
    (void)state;
    bench b = bench_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        toy_pieces_model(&b.file, pieces, N_PIECES);
        proto_bytes(&b.file, cases[i].field, cases[i].message, cases[i].n);
        refused(&b, from_model, GR_ERR_UNSUPPORTED, cases[i].part);
    }
    refused(&b, from_model, GR_ERR_UNSUPPORTED, "model_type"); /* an empty file is the default model */
    bench_free(&b);
}

static void broken_protobuf_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *part;
    } cases[] = {
        { "\x0a", 1, "cut off in a number" },
        { "\x0a\x05"
          "abcd",
          6, "cut off in a text" },
        { "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "cut off in a text" },
        { "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "more than 64 bits" },
        { "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12, "more than 64 bits" },
        { "\x0d\x01\x02\x03", 4, "cut off in a number" },
        { "\x09\x01\x02\x03\x04\x05\x06\x07", 8, "cut off in a number" },
        { "\x0b", 1, "groups" },
        { "\x0f", 1, "groups" },
        { "\x02\x00", 2, "a field number" },
        { "\x0a\x02\x0a\x05", 4, "piece 0: cut off" },
        { "\x12\x01\x18", 3, "trainer_spec: cut off" },
    };
    (void)state;
    bench b = bench_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_buf_add(&b.file, cases[i].bytes, cases[i].n);
        refused(&b, from_model, GR_ERR_FORMAT, cases[i].part);
    }
    gr_proto p = { (const uint8_t *)"\x80\x01\xE5\x8E\x26\x1d\x01\x02\x03\x04", NULL, NULL };
    p.end = p.at + 10;
    gr_proto_field f;
    assert_true(gr_proto_next(&p, &f) && f.number == 16 && f.value == 624485);
    assert_true(gr_proto_next(&p, &f) && f.number == 3 && f.wire == GR_PROTO_FIXED32 &&
                f.value == 0x04030201);
    assert_false(gr_proto_next(&p, &f));
    assert_null(p.bad);
    bench_free(&b);
}

/* --- memory -------------------------------------------------------------------------------------------- */

typedef struct {
    int left; /* allocations that succeed */
} budget;

static void *budget_alloc(void *user, size_t bytes, size_t align)
{
    budget *b = user;
    void *memory = NULL;
    return b->left-- > 0 && posix_memalign(&memory, align, bytes) == 0 ? memory : NULL;
}

static void budget_release(void *user, void *memory)
{
    (void)user;
    free(memory);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    bench b = bench_new();
    toy_pieces_gguf(&b.file, pieces, N_PIECES, 0);
    budget limit = { 1000 };
    gr_runtime_options o;
    gr_runtime_options_init(&o);
    o.n_threads = 1;
    o.allocator = (gr_allocator){ budget_alloc, budget_release, &limit };
    gr_error err = { 0 };
    gr_runtime *rt;
    MUST(gr_runtime_new(&rt, &o, &err));
    bench small = { .rt = rt, .file = b.file };
    gr_status st = GR_ERR_MEM;
    for (int n = 0; st != GR_OK; n++) {
        assert_true(n < 500);
        limit.left = n;
        gr_tokenizer *t;
        gr_ids ids;
        gr_ids_init(&ids, rt, 100);
        err = (gr_error){ 0 };
        st = from_gguf(&t, &small, &err);
        if (st == GR_OK)
            st = gr_tokenizer_encode(t, "aaa b", 5, 0, &ids, &err);
        assert_true(st == GR_OK || (st == GR_ERR_MEM && err.msg[0]));
        gr_ids_fini(&ids);
        gr_tokenizer_free(t);
    }
    gr_runtime_free(rt);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_files_give_the_same_tokenizer),
        cmocka_unit_test(what_a_file_says_about_texts_is_followed),
        cmocka_unit_test(a_folder_or_a_file_is_opened),
        cmocka_unit_test(pieces_that_break_a_rule_are_refused),
        cmocka_unit_test(gguf_vocabularies_that_break_a_rule_are_refused),
        cmocka_unit_test(models_that_would_treat_texts_otherwise_are_refused),
        cmocka_unit_test(broken_protobuf_is_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
