/* Whole runs: something is learnt, what is asked for is written, and stopping and going on changes nothing.
 */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "grasp/model.h"
#include "support/trained.h"
#include "train/adamw.h"
#include "train/snapshot.h"
#include "train/train_run.h"

typedef struct {
    test_dir dir;
    gr_runtime *rt;
    gr_train_config c;
    gr_gar *gar; /* for its configuration */
    lesson data, validation;
    gr_train_source source, validation_source;
    gr_train_job job;
    gr_train_outcome outcome;
    /* What the run told. */
    int records, validations, stop_after, polls, stop_at_poll;
    double last_validation, last_lr;
    gr_trainer_memory memory;
} fixture;

static void on_record(void *user, const gr_train_record *r)
{
    fixture *f = user;
    f->records++;
    f->last_lr = r->lr;
    assert_true(r->step >= 1 && r->step <= r->steps && isfinite(r->loss) && r->lr >= 0 && r->peak_bytes > 0);
}

static void on_validated(void *user, int64_t step, double loss)
{
    fixture *f = user;
    assert_true(step > 0);
    f->validations++;
    f->last_validation = loss;
}

static bool on_announce(void *user, const gr_trainer_memory *m)
{
    ((fixture *)user)->memory = *m;
    return true;
}

static bool stops(void *user)
{
    fixture *f = user;
    return ++f->polls == f->stop_at_poll || (f->stop_after > 0 && f->records >= f->stop_after);
}

static void set(fixture *f, const char *assignment)
{
    gr_error err = { 0 };
    MUST(gr_train_config_set(&f->c, assignment, &err));
}

static void set_path(fixture *f, const char *name, const char *file)
{
    char text[400];
    snprintf(text, sizeof text, "%s=%s", name, test_dir_file(&f->dir, file));
    set(f, text);
}

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    memset(&f, 0, sizeof f);
    test_dir_make(&f.dir);
    f.rt = test_runtime();
    trained_make(f.rt, &f.dir);
    MUST(gr_gar_open(&f.gar, f.rt, test_dir_file(&f.dir, "m"), GR_ROUND_NONE, &err));
    gr_train_config_init(&f.c, f.rt);
    set_path(&f, "model", "m");
    set_path(&f, "output", "run");
    static const char *const options[] = { "accumulation=2", "learning_rate=3e-3", "warmup=0.1",
                                           "max_rows=64",    "max_tiles=1",        "max_regions=1",
                                           "epochs=3" };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        set(&f, options[i]);
    lesson_init(&f.data, &f.gar->config, 5, true);
    lesson_init(&f.validation, &f.gar->config, 4, false);
    f.source = lesson_source(&f.data);
    f.validation_source = lesson_source(&f.validation);
    f.job = (gr_train_job){ .data = &f.source,
                            .announce = on_announce,
                            .record = on_record,
                            .validated = on_validated,
                            .stop = stops,
                            .user = &f };
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_gar_close(f->gar);
    gr_runtime_free(f->rt);
    test_dir_remove(&f->dir);
    return 0;
}

static gr_status go(fixture *f, gr_error *err)
{
    f->records = 0;
    return gr_train_run(f->rt, &f->c, &f->job, &f->outcome, err);
}

static void same_file(const fixture *f, const char *a, const char *b)
{
    gr_error err = { 0 };
    char *x, *y;
    size_t n, m;
    MUST(gr_file_read(f->rt, test_dir_file(&f->dir, a), (size_t)1 << 28, &x, &n, &err));
    MUST(gr_file_read(f->rt, test_dir_file(&f->dir, b), (size_t)1 << 28, &y, &m, &err));
    if (n != m || memcmp(x, y, n) != 0)
        fail_msg("%s and %s differ", a, b);
    gr_free(f->rt, x);
    gr_free(f->rt, y);
}

static int count_lines(const fixture *f, const char *file, const char *with)
{
    gr_error err = { 0 };
    char *text;
    size_t n;
    int lines = 0;
    MUST(gr_file_read(f->rt, test_dir_file(&f->dir, file), (size_t)1 << 24, &text, &n, &err));
    for (char *at = text; (at = strstr(at, with)); at++)
        lines++;
    gr_free(f->rt, text);
    return lines;
}

/* --- learning ------------------------------------------------------------------------------------------ */

/* Every answer is learnt by heart. A sample's loss is the mean over its 7 scored tokens of -ln p; where it is
 * below ln 2 / 7 every single token has p > 1/2, so that the likeliest token is the label: forced greedy
 * decoding gives the labels, all of them. */
static void a_set_is_learnt_to_the_last_token(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    lesson l;
    double loss;
    set(f, "steps=60");
    set(f, "log_every=20");
    set(f, "dtype=f32");
    set_path(f, "export_to", "learnt");
    MUST(go(f, &err));
    assert_true(f->outcome.step == 60 && !f->outcome.stopped && f->records == 3);
    gr_trainer *t = trained_open_adapted(f->rt, &f->dir, "learnt", GR_TRAIN_ALL, &(gr_lora){ 0 });
    lesson_init(&l, &t->gar->config, 5, true);
    const gr_train_source source = lesson_source(&l);
    for (uint64_t i = 0; i < 5; i++) {
        gr_train_item item;
        MUST(source.give(source.user, 0, i, &item, &err));
        MUST(gr_passes_run(t->passes, &item.sample, 0, &loss, &err));
        if (getenv("GR_SHOW"))
            printf("sample %d: loss %g\n", (int)i, loss);
        assert_true(loss < log(2) / (LESSON_ANSWER + 1));
        gr_passes_score score; /* so each token is likelier than all others together */
        MUST(gr_passes_look(t->passes, &item.sample, &score, &err));
        assert_true(score.loss == loss && score.scored == LESSON_ANSWER + 1 && score.hits == score.scored);
    }
    gr_validation v;
    MUST(gr_trainer_validate(t, &source, 5, NULL, NULL, &v, &err));
    assert_true(v.all.accuracy == 1 && v.all.n == 5);
    gr_trainer_close(t);
    gr_model *m;
    MUST(gr_model_open(&m, f->rt, test_dir_file(&f->dir, "learnt"), NULL, &err));
    gr_model_close(m);
}

/* --- what a run writes --------------------------------------------------------------------------------- */

static void log_validation_and_checkpoints_come_as_asked_for(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    f->job.validation = &f->validation_source;
    set(f, "validate_every=3");
    set(f, "validation_samples=2");
    set(f, "save_every=4");
    MUST(go(f, &err)); /* 5 samples, 2 a step: 3 steps an epoch, 9 in all */
    assert_true(f->outcome.step == 9 && f->outcome.steps == 9 && f->records == 9 && f->validations == 3);
    const gr_schedule published = { 3e-3, 1e-5, 1, 18 }; /* counted in samples; a tenth of 18 is 1 */
    assert_true(f->last_lr == gr_schedule_lr(&published, 17));
    assert_int_equal(f->data.asked, 18);
    assert_int_equal(f->validation.asked, 6);
    assert_true(f->memory.total > 0 && isfinite(f->last_validation));
    assert_int_equal(count_lines(f, "run/log.jsonl", "\"loss\":"), 9);
    assert_int_equal(count_lines(f, "run/log.jsonl", "\"validation_loss\":"), 3);
    assert_int_equal(count_lines(f, "run/log.jsonl", "\"event\":"), 2); /* begun, finished */
    assert_true(gr_path_exists(test_dir_file(&f->dir, "run/ckpt-000000008/DONE")) &&
                gr_path_exists(test_dir_file(&f->dir, "run/ckpt-000000009/DONE")) &&
                !gr_path_exists(test_dir_file(&f->dir, "run/ckpt-000000004")));
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "a run is there already, at step 9");
    f->job.resume = true;
    MUST(go(f, &err)); /* nothing is left to do */
    assert_true(f->outcome.step == 9 && f->records == 0 && isnan(f->outcome.loss));
}

/* --- stopping and going on ----------------------------------------------------------------------------- */

static void stopping_and_going_on_changes_nothing(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    MUST(go(f, &err));
    set_path(f, "output", "parts");
    f->job.resume = true; /* begins where there is nothing yet */
    f->stop_after = 2;
    for (int calls = 1; calls <= 5; calls++) {
        gr_runtime *rt = f->rt;
        f->rt = test_runtime_threads(1 + calls % 3);
        MUST(go(f, &err));
        assert_true(f->outcome.stopped == (calls < 5) && f->outcome.step == (calls < 5 ? 2 * calls : 9));
        gr_runtime_free(f->rt);
        f->rt = rt;
    }
    same_file(f, "run/ckpt-000000009/optim/rank-00000-of-00001.bin",
              "parts/ckpt-000000009/optim/rank-00000-of-00001.bin");
    same_file(f, "run/ckpt-000000009/model/model.safetensors",
              "parts/ckpt-000000009/model/model.safetensors");
}

/* Between two samples of a step and within a validation too, where a large model would be waited for: what
 * was begun is given up, and what was whole is saved. */
static void a_step_is_given_up_and_made_again(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    set(f, "accumulation=4");
    set(f, "steps=5");
    set(f, "validate_every=2");
    f->job.validation = &f->validation_source;
    MUST(go(f, &err));
    const int polls = f->polls;
    set_path(f, "output", "parts");
    f->job.resume = true;
    int calls = 0;
    for (f->outcome.stopped = true; f->outcome.stopped; calls++) {
        assert_true(calls < 60);
        const int64_t step = f->outcome.step;
        f->polls = 0;
        f->stop_at_poll = 4 + calls % 13;
        MUST(go(f, &err));
        if (f->outcome.stopped)
            assert_true(f->polls == f->stop_at_poll && (calls == 0 || f->outcome.step >= step));
    }
    assert_true(calls >= 3 && polls >= 5 * 5 + 2 * 4);
    same_file(f, "run/ckpt-000000005/optim/rank-00000-of-00001.bin",
              "parts/ckpt-000000005/optim/rank-00000-of-00001.bin");
}

static void a_stop_file_is_obeyed_once(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    set(f, "steps=2");
    MUST(go(f, &err));
    set_path(f, "output", "other");
    assert_int_equal(gr_path_exists(test_dir_file(&f->dir, "other")), 0);
    f->job.resume = true;
    f->stop_after = 1;
    MUST(go(f, &err));
    f->stop_after = 0;
    test_dir_write(&f->dir, "other/STOP", "", 0);
    MUST(go(f, &err));
    assert_true(f->outcome.stopped && f->outcome.step == 1);
    MUST(go(f, &err));
    assert_true(!f->outcome.stopped && f->outcome.step == 2);
}

static void another_run_does_not_go_on(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    f->stop_after = 1;
    MUST(go(f, &err));
    f->job.resume = true;
    f->stop_after = 0;
    set(f, "clip=2");
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "clip is 2.0, and the run was begun with 1.0: it cannot go on");
    set(f, "clip=1");
    f->source.fingerprint++;
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "the run was begun with other data");
    f->source.fingerprint--;
    set(f, "keep=7"); /* may change */
    MUST(go(f, &err));
    assert_int_equal(f->outcome.step, 9);
}

static double loss_of_folder(fixture *f, const char *model)
{
    gr_error err = { 0 };
    gr_trainer *t = trained_open_adapted(f->rt, &f->dir, model, 1u << GR_TRAIN_MASK, &(gr_lora){ 0 });
    gr_validation v;
    MUST(gr_trainer_validate(t, &f->validation_source, f->validation.count, NULL, NULL, &v, &err));
    gr_trainer_close(t);
    return v.all.loss;
}

/* Adapters alone: no part is trained as a whole. */
static void a_run_of_adapters_stops_goes_on_and_is_exported_without_them(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    set(f, "parts=none");
    set(f, "lora_rank=4");
    set(f, "lora_layers=q_proj,v_proj,down_proj,qkv");
    set(f, "dtype=f32");
    set_path(f, "export_to", "learnt");
    MUST(go(f, &err));
    set_path(f, "output", "parts");
    set(f, "export_to=");
    f->job.resume = true;
    f->stop_after = 4;
    MUST(go(f, &err));
    assert_true(f->outcome.stopped && f->outcome.step == 4);
    f->stop_after = 0;
    set(f, "lora_rank=5");
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "its adapters are of rank 4, and those in training of rank 5");
    set(f, "lora_rank=4");
    set(f, "seed=43");
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "seed is 43, and the run was begun with 42: it cannot go on");
    set(f, "seed=42");
    f->job.validation = &f->validation_source;
    set(f, "validate_every=9"); /* at the last step */
    MUST(go(f, &err));
    assert_true(f->outcome.step == 9 && f->validations == 1);
    same_file(f, "run/ckpt-000000009/optim/rank-00000-of-00001.bin",
              "parts/ckpt-000000009/optim/rank-00000-of-00001.bin");
    const double merged = loss_of_folder(f, "learnt");
    assert_true(fabs(merged - f->last_validation) < 1e-6 * merged); /* f32, added in another order */
    assert_true(fabs(merged - loss_of_folder(f, "m")) > 1e-2);
}

/* --- failures ------------------------------------------------------------------------------------------ */

static void what_is_not_finite_keeps_the_last_checkpoint(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    set(f, "save_every=1");
    f->data.spoiled = 4; /* the third step begins with it */
    MUST_FAIL(go(f, &err), GR_ERR_LIMIT, "step 3: the loss of sample lesson/4 is nan");
    assert_int_equal(gr_snapshot_newest(test_dir_file(&f->dir, "run")), 2);
    assert_int_equal(count_lines(f, "run/log.jsonl", "\"event\":\"failed\",\"says\":\"step 3: the loss"), 1);
    f->data.spoiled = -1;
    f->job.resume = true;
    MUST(go(f, &err));
    assert_int_equal(f->outcome.step, 9);
}

static bool no_announce(void *user, const gr_trainer_memory *m)
{
    (void)user;
    return m->total == 0;
}

static void what_cannot_begin_says_why(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    set(f, "parts=tower,tail");
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "'tail' is no part of a model");
    set(f, "parts=none");
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "nothing would be trained");
    set(f, "lora_rank=4");
    set(f, "lora_layers=q_proj,norm1");
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "lora_layers: 'norm1' is no linear layer that can have an adapter");
    set(f, "lora_layers=fc1");
    set(f, "parts=tower");
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "an adapter of fc1, and 'tower' is among the parts");
    set(f, "lora_rank=0");
    set(f, "parts=all");
    set(f, "memory_gb=0.001");
    MUST_FAIL(go(f, &err), GR_ERR_LIMIT, "bytes, 1000000 are allowed");
    set(f, "memory_gb=0");
    set(f, "max_rows=100000");
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "expected 2 to 4096 rows");
    set(f, "max_rows=64");
    f->job.announce = no_announce;
    MUST_FAIL(go(f, &err), GR_ERR_CANCELLED, "before memory was taken");
    set(f, "output=/nowhere/at/all");
    MUST_FAIL(go(f, &err), GR_ERR_IO, "/nowhere/at/all: cannot make this folder");
    set(f, "model=");
    MUST_FAIL(go(f, &err), GR_ERR_ARG, "the run has no model");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_set_is_learnt_to_the_last_token, setup, teardown),
        cmocka_unit_test_setup_teardown(log_validation_and_checkpoints_come_as_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(stopping_and_going_on_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_of_adapters_stops_goes_on_and_is_exported_without_them, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_step_is_given_up_and_made_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_file_is_obeyed_once, setup, teardown),
        cmocka_unit_test_setup_teardown(another_run_does_not_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_finite_keeps_the_last_checkpoint, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_begin_says_why, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
