/* A GAR that begins with a Perception-LM: the base's bytes, zeros for masks, the mean for new tokens; and it
 * answers as the base does. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "io/checkpoint.h"
#include "io/convert.h"
#include "io/safetensors.h"
#include "model/gar_from_base.h"
#include "model/gar_tensors.h"
#include "support/api.h"
#include "support/tempdir.h"
#include "text/tokenizer.h"
#include "text/tokenizer_write.h"

enum { TOKENS = 290, HIDDEN = 96 }; /* gar-test without the six last tokens */

typedef struct {
    gr_runtime *rt;
    test_dir dir;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f.rt = test_runtime_threads(2);
    test_dir_make(&f.dir);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    test_dir_remove(&f->dir);
    gr_runtime_free(f->rt);
    return 0;
}

/* --- a base -------------------------------------------------------------------------------------------- */

static void write_vocabulary(fixture *f, const gr_folder *folder)
{
    static const char *const first[] = { "<|begin_of_text|>",
                                         "<|end_of_text|>",
                                         "<|image|>",
                                         "<|video|>",
                                         "<|reserved_special_token_2|>",
                                         "<|reserved_special_token_3|>",
                                         "<|start_header_id|>",
                                         "<|end_header_id|>",
                                         "<|reserved_special_token_4|>",
                                         "<|eot_id|>" };
    static char names[TOKENS - 256][40];
    gr_special_token tokens[TOKENS - 256];
    gr_error err = { 0 };
    for (int i = 0; i < TOKENS - 256; i++) {
        if (i < 10)
            snprintf(names[i], sizeof names[i], "%s", first[i]);
        else
            snprintf(names[i], sizeof names[i], "<|reserved_special_token_%d|>", i - 5);
        tokens[i] = (gr_special_token){ 256 + i, names[i] };
    }
    const gr_tokenizer_text t = {
        .specials = tokens, .n_specials = TOKENS - 256, .bos = 256, .eos = 265, .context = 4096
    };
    MUST(gr_tokenizer_write_files(folder, f->rt, &t, &err));
}

static gr_gar_config base_config(bool tied, int rows)
{
    gr_error err = { 0 };
    gr_gar_config c;
    MUST(gr_gar_config_preset(&c, "gar-test", &err));
    c.base_only = true;
    c.n_prompts = c.n_crop = 0;
    memset(c.crop_ids, 0, sizeof c.crop_ids);
    c.text.vocab = rows;
    c.text.tied = tied;
    c.stored = GR_DTYPE_BF16;
    return c;
}

static void write_weights(fixture *f, const gr_gar_config *c, const char *path)
{
    gr_error err = { 0 };
    gr_gar_tensors list;
    gr_safetensors_writer *w;
    gr_tensor_spec specs[128];
    size_t n = 0;
    MUST(gr_gar_tensors_build(&list, f->rt, c, &err));
    for (size_t i = 0; i < list.n; i++) {
        if (list.at[i].optional)
            continue;
        specs[n] = (gr_tensor_spec){ .name = list.at[i].name, .dtype = c->stored, .rank = list.at[i].rank };
        memcpy(specs[n++].shape, list.at[i].shape, sizeof list.at[i].shape);
    }
    MUST(gr_safetensors_writer_open(&w, f->rt, path, specs, n, NULL, &err));
    for (size_t i; (i = gr_safetensors_writer_next(w)) < n;) {
        const size_t count = gr_safetensors_writer_left(w) / 2;
        uint8_t *bytes = test_malloc(2 * count);
        MUST(gr_draw_tensor(bytes, c->stored, specs[i].name, 5, specs[i].shape, specs[i].rank, 0, count,
                            &err));
        MUST(gr_safetensors_writer_add(w, bytes, 2 * count, &err));
        test_free(bytes);
    }
    MUST(gr_safetensors_writer_commit(w, &err));
    gr_gar_tensors_fini(&list);
}

/* DIR/name, with an embedding of so many rows. */
static void make_base(fixture *f, const char *name, bool tied, int rows)
{
    gr_error err = { 0 };
    gr_folder folder;
    gr_buf text;
    const gr_gar_config c = base_config(tied, rows);
    MUST(gr_folder_init(&folder, test_dir_file(&f->dir, name), &err));
    MUST(gr_folder_make(&folder, &err));
    gr_buf_init(&text, f->rt, 1 << 16);
    MUST(gr_gar_config_write(&text, &c, &err));
    MUST(gr_folder_add(&folder, "config.json", text.data, text.len, &err));
    gr_buf_fini(&text);
    write_vocabulary(f, &folder);
    char path[4200];
    snprintf(path, sizeof path, "%s/model.safetensors", folder.work);
    write_weights(f, &c, path);
    MUST(gr_folder_finish(&folder, GR_OK, &err));
}

static gr_status grow(fixture *f, const char *base, const char *to, gr_error *err)
{
    return gr_gar_from_base(f->rt, test_dir_file(&f->dir, base), test_dir_file(&f->dir, to), NULL, err);
}

/* --- weights ------------------------------------------------------------------------------------------- */

static uint8_t *read_all(const gr_stored *t)
{
    gr_error err = { 0 };
    uint8_t *bytes = test_malloc(t->bytes);
    MUST(gr_stored_read(t, 0, bytes, t->bytes, &err));
    return bytes;
}

/* Old rows as they were; each new one the mean of all old ones, rounded once. */
static void check_table(const gr_stored *old, const gr_stored *now)
{
    uint8_t *a = read_all(old), *b = read_all(now);
    const size_t width = HIDDEN * 2, rows = (size_t)old->shape[0];
    assert_int_equal(now->shape[0], TOKENS + 6);
    assert_memory_equal(a, b, TOKENS * width);
    float *x = test_malloc(rows * HIDDEN * sizeof *x), mean[HIDDEN];
    assert_true(gr_to_f32(x, a, GR_DTYPE_BF16, rows * HIDDEN));
    for (size_t c = 0; c < HIDDEN; c++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++)
            sum += (double)x[r * HIDDEN + c];
        mean[c] = (float)(sum / (double)rows);
    }
    uint16_t want[HIDDEN];
    assert_true(gr_from_f32(want, mean, GR_DTYPE_BF16, HIDDEN));
    for (int i = 0; i < 6; i++)
        assert_memory_equal(b + (size_t)(TOKENS + i) * width, want, width);
    test_free(x);
    test_free(a);
    test_free(b);
}

static void check_weights(fixture *f, const char *base, const char *made, bool tied)
{
    gr_error err = { 0 };
    gr_checkpoint *a, *b;
    int tables = 0, zeros = 0;
    MUST(gr_checkpoint_open(&a, f->rt, test_dir_file(&f->dir, base), &err));
    MUST(gr_checkpoint_open(&b, f->rt, test_dir_file(&f->dir, made), &err));
    assert_int_equal(gr_checkpoint_count(b), gr_checkpoint_count(a) + 1);
    for (size_t i = 0; i < gr_checkpoint_count(b); i++) {
        const gr_stored *now = gr_checkpoint_at(b, i), *old = strncmp(now->name, "mllm.", 5) == 0
                                                                  ? gr_checkpoint_find(a, now->name + 5)
                                                                  : NULL;
        assert_int_equal(now->dtype, GR_DTYPE_BF16);
        if (old && (strstr(now->name, "embed_tokens") || strstr(now->name, "lm_head"))) {
            check_table(old, now);
            tables++;
            continue;
        }
        uint8_t *bytes = read_all(now);
        if (old) {
            uint8_t *was = read_all(old);
            assert_int_equal(now->bytes, old->bytes);
            assert_memory_equal(bytes, was, now->bytes);
            test_free(was);
        } else {
            assert_string_equal(now->name, "mask_patch_embedding.weight");
            for (size_t k = 0; k < now->bytes; k++)
                assert_int_equal(bytes[k], 0);
            zeros++;
        }
        test_free(bytes);
    }
    assert_true(tables == (tied ? 1 : 2) && zeros == 1);
    gr_checkpoint_close(a);
    gr_checkpoint_close(b);
}

static void a_gar_has_the_bytes_of_its_base_zeros_and_means(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    for (int tied = 0; tied < 2; tied++) { /* the second base pads its embedding, as some do */
        const char *base = tied ? "base-tied" : "base", *made = tied ? "gar-tied" : "gar";
        make_base(f, base, tied, tied ? TOKENS + 30 : TOKENS);
        MUST(grow(f, base, made, &err));
        check_weights(f, base, made, tied);
    }
    gr_gar_config c;
    const gr_gar_new_options paper = { .profile = "paper" };
    MUST(gr_gar_from_base(f->rt, test_dir_file(&f->dir, "base"), test_dir_file(&f->dir, "paper"), &paper,
                          &err));
    MUST(gr_gar_config_load(&c, f->rt, test_dir_file(&f->dir, "paper"), &err));
    assert_string_equal(c.profile, "paper");
    MUST(gr_gar_config_load(&c, f->rt, test_dir_file(&f->dir, "gar"), &err));
    assert_string_equal(c.profile, "");
    assert_true(!c.base_only && c.n_prompts == 5 && c.text.vocab == TOKENS + 6 && c.stored == GR_DTYPE_BF16);
    static const int32_t crops[] = { 260, 261, 264, 266, 267 };
    assert_memory_equal(c.crop_ids, crops, sizeof crops);
    gr_tokenizer *t;
    MUST(gr_tokenizer_open(&t, f->rt, test_dir_file(&f->dir, "gar"), &err));
    assert_int_equal(gr_tokenizer_id(t, "<Prompt0>"), TOKENS);
    assert_int_equal(gr_tokenizer_id(t, "<NO_Prompt>"), TOKENS + 5);
    assert_true(gr_tokenizer_is_special(t, TOKENS + 4));
    gr_tokenizer_free(t);
}

/* --- answers ------------------------------------------------------------------------------------------- */

/* Text and picture alone: what GAR adds is not asked for. */
static void answer(fixture *f, const char *model, bool picture, api_answer *out)
{
    gr_error err = { 0 };
    gr_request r;
    gr_answer_options o;
    gr_model *m = api_model(f->rt, test_dir_file(&f->dir, model), GR_NUMERICS_EXACT);
    gr_engine *e = api_engine(m, 1, 900, 0);
    gr_session *s = api_session(e);
    gr_image *image = api_image(f->rt, 60, 50, 3);
    gr_request_init(&r, m);
    gr_answer_options_init(&o);
    o.max_tokens = 12;
    r.question = "What is in the picture?";
    r.image = picture ? image : NULL;
    MUST(gr_session_ask(s, &r, &o, &err));
    MUST(gr_session_answer(s, NULL, NULL, &err));
    api_take(s, out);
    gr_image_free(image);
    gr_session_close(s);
    gr_engine_close(e);
    gr_model_close(m);
}

static void it_answers_as_its_base_does(void **state)
{
    fixture *f = *state;
    for (int picture = 0; picture < 2; picture++) {
        api_answer base, made;
        answer(f, "base", picture, &base);
        answer(f, "gar", picture, &made);
        assert_true(base.n == made.n && base.n > 0);
        assert_memory_equal(base.ids, made.ids, base.n * sizeof *base.ids);
    }
}

/* --- refusals ------------------------------------------------------------------------------------------ */

static void what_is_no_base_is_refused_and_nothing_is_left(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    MUST_FAIL(grow(f, "gar", "x", &err), GR_ERR_ARG, "is a GAR already");
    MUST_FAIL(grow(f, "nothing", "x", &err), GR_ERR_IO, "nothing");
    MUST_FAIL(grow(f, "base", "gar", &err), GR_ERR_ARG, "is there already");
    make_base(f, "short", true, TOKENS - 1);
    MUST_FAIL(grow(f, "short", "x", &err), GR_ERR_ARG, "290 tokens, and the embedding has 289 rows");
    /* a vocabulary that has the prompts */
    make_base(f, "named", true, TOKENS + 6);
    char *json;
    size_t n;
    MUST(gr_file_read(f->rt, test_dir_file(&f->dir, "gar/tokenizer.json"), 1 << 22, &json, &n, &err));
    test_dir_write(&f->dir, "named/tokenizer.json", json, n);
    gr_free(f->rt, json);
    MUST_FAIL(grow(f, "named", "x", &err), GR_ERR_ARG, "has '<Prompt0>' already");
    assert_false(gr_path_exists(test_dir_file(&f->dir, "x")));
}

static bool never(void *user, uint64_t done, uint64_t total)
{
    assert_true(done > 0 && done <= total);
    return ++*(int *)user < 3;
}

static void it_can_be_cancelled(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    int calls = 0;
    const int before = test_dir_count(&f->dir);
    const gr_gar_new_options o = { .progress = never, .user = &calls };
    MUST_FAIL(gr_gar_from_base(f->rt, test_dir_file(&f->dir, "base"), test_dir_file(&f->dir, "y"), &o, &err),
              GR_ERR_CANCELLED, "cancelled after");
    assert_int_equal(calls, 3);
    assert_int_equal(test_dir_count(&f->dir), before);
}

static void a_vocabulary_grows_and_the_rest_of_its_file_stays(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    static const char *const tokens[] = { "<a>", "<b>" };
    static const struct {
        const char *json, *want;
    } cases[] = {
        { "{\"x\": [1], \"added_tokens\": [ ], \"y\": 2}",
          "{\"x\": [1], \"added_tokens\": [ {\"id\":7,\"content\":\"<a>\"" },
        { "{\"added_tokens\":[{\"id\":0,\"content\":\"]\"}],\"y\":2}",
          "{\"added_tokens\":[{\"id\":0,\"content\":\"]\"},{\"id\":7," },
    };
    for (size_t i = 0; i < 2; i++) {
        gr_buf out;
        gr_buf_init(&out, f->rt, 1 << 16);
        MUST(gr_gar_grow_tokenizer(&out, f->rt, cases[i].json, strlen(cases[i].json), "t", tokens, 2, 7,
                                   &err));
        assert_memory_equal(out.data, cases[i].want, strlen(cases[i].want));
        assert_non_null(strstr(gr_buf_str(&out), "{\"id\":8,\"content\":\"<b>\""));
        gr_buf_fini(&out);
    }
    gr_buf out;
    gr_buf_init(&out, f->rt, 1 << 16);
    MUST_FAIL(gr_gar_grow_tokenizer(&out, f->rt, "{\"model\":{}}", 12, "t", tokens, 2, 7, &err),
              GR_ERR_FORMAT, "t: there is no list \"added_tokens\"");
    MUST_FAIL(gr_gar_grow_tokenizer(&out, f->rt, "{\"added_tokens\":[}", 18, "t", tokens, 2, 7, &err),
              GR_ERR_FORMAT, "t: line 1");
    gr_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gar_has_the_bytes_of_its_base_zeros_and_means),
        cmocka_unit_test(it_answers_as_its_base_does),
        cmocka_unit_test(what_is_no_base_is_refused_and_nothing_is_left),
        cmocka_unit_test(it_can_be_cancelled),
        cmocka_unit_test(a_vocabulary_grows_and_the_rest_of_its_file_stays),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
