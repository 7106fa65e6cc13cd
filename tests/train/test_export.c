/* What training writes is a model folder like any other. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "grasp/model.h"
#include "grasp/new.h"
#include "support/trained.h"
#include "train/export.h"

typedef struct {
    test_dir dir;
    gr_runtime *rt;
} fixture;

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    gr_new_options o;
    gr_new_options_init(&o);
    o.seed = 11;
    o.dtype = GR_DTYPE_BF16;
    test_dir_make(&f.dir);
    f.rt = test_runtime();
    MUST(gr_checkpoint_new(f.rt, "gar-test", test_dir_file(&f.dir, "half"), &o, &err));
    o.dtype = GR_DTYPE_F32;
    o.shard_bytes = 300000;
    MUST(gr_checkpoint_new(f.rt, "gar-test", test_dir_file(&f.dir, "full"), &o, &err));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_runtime_free(f->rt);
    test_dir_remove(&f->dir);
    return 0;
}

static gr_trainer *train(const fixture *f, const char *model, unsigned parts)
{
    return trained_open_adapted(f->rt, &f->dir, model, parts, &(gr_lora){ 0 });
}

static void same_file(const fixture *f, const char *a, const char *b)
{
    gr_error err = { 0 };
    char *x, *y;
    size_t n, m;
    MUST(gr_file_read(f->rt, test_dir_file(&f->dir, a), (size_t)1 << 26, &x, &n, &err));
    MUST(gr_file_read(f->rt, test_dir_file(&f->dir, b), (size_t)1 << 26, &y, &m, &err));
    if (n != m || memcmp(x, y, n) != 0)
        fail_msg("%s and %s differ", a, b);
    gr_free(f->rt, x);
    gr_free(f->rt, y);
}

/* Whatever is trained and whatever is frozen: nothing was learnt, so nothing changed. */
static void an_untrained_model_is_its_source_again(void **state)
{
    const fixture *f = *state;
    static const unsigned parts[] = { GR_TRAIN_ALL, 1u << GR_TRAIN_DECODER | 1u << GR_TRAIN_MASK };
    static const char *const files[] = { "config.json", "model.safetensors", "tokenizer.json",
                                         "tokenizer_config.json", "generation_config.json" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        gr_error err = { 0 };
        gr_trainer *t = train(f, "half", parts[i]);
        const gr_export_options o = { .dtype = GR_DTYPE_BF16, .replaces = i > 0 };
        MUST(gr_export(t, test_dir_file(&f->dir, "again"), &o, &err));
        gr_trainer_close(t);
        for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
            char a[64], b[64];
            snprintf(a, sizeof a, "half/%s", files[k]);
            snprintf(b, sizeof b, "again/%s", files[k]);
            same_file(f, a, b);
        }
    }
}

static void shards_and_types_are_as_asked_for(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_model *m;
    gr_model_info info = { .size = sizeof info };
    gr_trainer *t = train(f, "full", 1u << GR_TRAIN_PROJECTOR);
    const gr_export_options same = { .dtype = GR_DTYPE_F32, .shard_bytes = 300000 },
                            half = { .dtype = GR_DTYPE_BF16 };
    MUST(gr_export(t, test_dir_file(&f->dir, "shards"), &same, &err));
    same_file(f, "full/model.safetensors.index.json", "shards/model.safetensors.index.json");
    MUST(gr_export(t, test_dir_file(&f->dir, "rounded"), &half, &err));
    same_file(f, "half/model.safetensors", "rounded/model.safetensors"); /* drawn, then rounded: the same */
    MUST(gr_model_open(&m, f->rt, test_dir_file(&f->dir, "rounded"), NULL, &err));
    MUST(gr_model_describe(m, &info, &err));
    assert_string_equal(info.dtypes, "BF16");
    gr_model_close(m);
    gr_trainer_close(t);
}

/* What was learnt is what is read again, to the rounding of the type. */
static void learnt_weights_are_read_again(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = train(f, "full", GR_TRAIN_ALL), *again;
    lesson l;
    gr_trainer_result result;
    lesson_init(&l, &t->gar->config, 4, true);
    const gr_train_source source = lesson_source(&l);
    MUST(gr_trainer_step(t, &source, 0, 0, 2, 1e-3, &result, &err));
    const gr_export_options o = { .dtype = GR_DTYPE_F32 };
    MUST(gr_export(t, test_dir_file(&f->dir, "learnt"), &o, &err));
    again = train(f, "learnt", GR_TRAIN_ALL);
    assert_memory_equal(t->flat.weights, again->flat.weights, t->flat.n * sizeof(float));
    gr_trainer_close(again);
    gr_trainer_close(t);
}

/* Published folders say more in the files beside the configuration than a configuration holds: which code
 * makes the processor (auto_map), of which class. A folder without one of them gets what a new model has. */
static void what_the_source_says_beside_its_configuration_is_kept(void **state)
{
    const fixture *f = *state;
    static const char *const kept[][2] = {
        { "processor_config.json",
          "{\"auto_map\":{\"AutoProcessor\":\"mine.Processor\"},\"patch_size\":14,\"pooling_ratio\":2}" },
        { "preprocessor_config.json",
          "{\"auto_map\":{\"AutoImageProcessor\":\"mine.Images\"},\"tile_size\":112}" },
        { "video_preprocessor_config.json", "{\"video_processor_type\":\"Mine\"}" },
        { "generation_config.json", "{\"max_new_tokens\":7}" },
        { "chat_template.jinja", "{{ messages }}" }
    };
    const size_t n = sizeof kept / sizeof *kept;
    gr_error err = { 0 };
    char a[64], b[64];
    MUST(gr_checkpoint_new(f->rt, "gar-test", test_dir_file(&f->dir, "own"), NULL, &err));
    MUST(gr_checkpoint_new(f->rt, "gar-test", test_dir_file(&f->dir, "bare"), NULL, &err));
    for (size_t i = 0; i < n; i++) {
        snprintf(a, sizeof a, "own/%s", kept[i][0]);
        test_dir_write(&f->dir, a, kept[i][1], strlen(kept[i][1]));
        snprintf(a, sizeof a, "bare/%s", kept[i][0]);
        assert_int_equal(unlink(test_dir_file(&f->dir, a)), 0);
    }
    const gr_export_options o = { .dtype = GR_DTYPE_F32 };
    gr_trainer *own = train(f, "own", 1u << GR_TRAIN_MASK), *bare = train(f, "bare", 1u << GR_TRAIN_MASK);
    MUST(gr_export(own, test_dir_file(&f->dir, "own-again"), &o, &err));
    MUST(gr_export(bare, test_dir_file(&f->dir, "bare-again"), &o, &err));
    gr_trainer_close(own);
    gr_trainer_close(bare);
    for (size_t i = 0; i < n; i++) {
        snprintf(a, sizeof a, "own/%s", kept[i][0]);
        snprintf(b, sizeof b, "own-again/%s", kept[i][0]);
        same_file(f, a, b);
        snprintf(a, sizeof a, "half/%s", kept[i][0]);
        snprintf(b, sizeof b, "bare-again/%s", kept[i][0]);
        if (strcmp(kept[i][0], "chat_template.jinja") != 0) /* a tokenizer's file: none is made up for it */
            same_file(f, a, b);
    }
}

/* --- adapters ------------------------------------------------------------------------------------------ */

static const gr_lora adapters = { .targets = 1u << GR_LORA_Q | 1u << GR_LORA_DOWN | 1u << GR_LORA_FC1 |
                                             1u << GR_LORA_LINEAR_1,
                                  .rank = 3,
                                  .alpha = 6,
                                  .seed = 5 };

static double loss_of(gr_trainer *t)
{
    gr_error err = { 0 };
    lesson l;
    gr_validation v;
    lesson_init(&l, &t->gar->config, 3, true);
    const gr_train_source source = lesson_source(&l);
    MUST(gr_trainer_validate(t, &source, 3, NULL, NULL, &v, &err));
    return v.all.loss;
}

static double loss_of_folder(const fixture *f, const char *model)
{
    gr_trainer *t = train(f, model, 1u << GR_TRAIN_MASK);
    const double loss = loss_of(t);
    gr_trainer_close(t);
    return loss;
}

/* Written as f32 the difference is that of (W + s B A) x and W x + s B (A x), whatever the type of the
 * source: were W + s B A rounded to its bf16 first, that would be 2^-9 of every weight. As bf16 it is that
 * rounding, of weights that the adapter moved. */
static void a_model_exported_with_adapters_needs_none(void **state)
{
    const fixture *f = *state;
    static const char *const sources[] = { "half", "full" };
    for (int i = 0; i < 2; i++) {
        gr_error err = { 0 };
        gr_model *m;
        gr_trainer *t = trained_open_adapted(f->rt, &f->dir, sources[i], 1u << GR_TRAIN_MASK, &adapters);
        const gr_export_options full = { .dtype = GR_DTYPE_F32, .replaces = true },
                                half = { .dtype = GR_DTYPE_BF16, .replaces = true };
        const double before = loss_of(t);
        trained_steps(t, 0, 3);
        const double learnt = loss_of(t);
        MUST(gr_export(t, test_dir_file(&f->dir, "merged"), &full, &err));
        MUST(gr_export(t, test_dir_file(&f->dir, "merged-half"), &half, &err));
        gr_trainer_close(t);
        const double merged = loss_of_folder(f, "merged"), rounded = loss_of_folder(f, "merged-half");
        if (getenv("GR_SHOW"))
            printf("%s: loss %.9g, learnt %.9g, merged %.9g, as bf16 %.9g\n", sources[i], before, learnt,
                   merged, rounded);
        assert_true(fabs(learnt - before) > 1e-2);
        assert_true(fabs(merged - learnt) < 1e-6 * learnt);
        assert_true(fabs(rounded - learnt) < 0.1 * fabs(learnt - before));
        MUST(gr_model_open(&m, f->rt, test_dir_file(&f->dir, "merged-half"), NULL, &err));
        gr_model_close(m);
    }
}

/* Names and sizes are those of the source; B is zero, and so are the bits. */
static void new_adapters_leave_an_export_as_it_was(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = trained_open_adapted(f->rt, &f->dir, "half", 0, &adapters);
    const gr_export_options o = { .dtype = GR_DTYPE_BF16, .replaces = true };
    MUST(gr_export(t, test_dir_file(&f->dir, "again"), &o, &err));
    same_file(f, "half/model.safetensors", "again/model.safetensors");
    gr_trainer_close(t);
}

/* --- failures ------------------------------------------------------------------------------------------ */

static bool not_at_all(void *user, uint64_t done, uint64_t total)
{
    (void)user;
    return done > total;
}

static void what_fails_leaves_nothing(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = train(f, "half", GR_TRAIN_ALL);
    const int before = test_dir_count(&f->dir);
    gr_export_options o = { .dtype = GR_DTYPE_I32 };
    MUST_FAIL(gr_export(t, test_dir_file(&f->dir, "bad"), &o, &err), GR_ERR_ARG, "expected F32, BF16 or F16");
    o = (gr_export_options){ .dtype = GR_DTYPE_BF16, .progress = not_at_all };
    MUST_FAIL(gr_export(t, test_dir_file(&f->dir, "bad"), &o, &err), GR_ERR_CANCELLED, "cancelled after");
    o.progress = NULL;
    MUST_FAIL(gr_export(t, test_dir_file(&f->dir, "half"), &o, &err), GR_ERR_ARG, "is there already");
    MUST_FAIL(gr_export(t, test_dir_file(&f->dir, "no/bad"), &o, &err), GR_ERR_IO, "cannot make this folder");
    unlink(test_dir_file(&f->dir, "half/tokenizer.json"));
    MUST_FAIL(gr_export(t, test_dir_file(&f->dir, "bad"), &o, &err), GR_ERR_IO, "tokenizer.json");
    assert_int_equal(test_dir_count(&f->dir), before);
    gr_trainer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untrained_model_is_its_source_again),
        cmocka_unit_test(shards_and_types_are_as_asked_for),
        cmocka_unit_test(learnt_weights_are_read_again),
        cmocka_unit_test(what_the_source_says_beside_its_configuration_is_kept),
        cmocka_unit_test(a_model_exported_with_adapters_needs_none),
        cmocka_unit_test(new_adapters_leave_an_export_as_it_was),
        cmocka_unit_test(what_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
