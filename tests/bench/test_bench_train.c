/* Steps of training of a small model: which rows come, what they count, what ends them. */
#include "test.h"

#include "bench/limits.h"
#include "grasp/bench.h"
#include "grasp/new.h"
#include "support/tempdir.h"

#define MAX_ROWS 16

typedef struct {
    int n;
    gr_bench_row row[MAX_ROWS];
    char name[MAX_ROWS][64], unit[MAX_ROWS][16];
    uint64_t done, total;
    int64_t polls_allowed; /* then it is cancelled; -1: never */
} seen;

static void on_row(void *user, const gr_bench_row *row)
{
    seen *s = user;
    assert_true(s->n < MAX_ROWS && strlen(row->name) < 64 && strlen(row->unit) < 16);
    s->row[s->n] = *row;
    strcpy(s->name[s->n], row->name);
    strcpy(s->unit[s->n], row->unit);
    s->n++;
}

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    seen *s = user;
    assert_true(done <= total);
    s->done = done;
    s->total = total;
    return s->polls_allowed < 0 || s->polls_allowed-- > 0;
}

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    char model[512];
} world;

static int start(void **state)
{
    static world w;
    gr_error err = { 0 };
    w.rt = test_runtime();
    test_dir_make(&w.dir);
    snprintf(w.model, sizeof w.model, "%s", test_dir_file(&w.dir, "model"));
    MUST(gr_checkpoint_new(w.rt, "gar-test", w.model, NULL, &err));
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    world *w = *state;
    test_dir_remove(&w->dir);
    gr_runtime_free(w->rt);
    return 0;
}

static gr_bench_train_options options(seen *s)
{
    gr_bench_train_options o;
    gr_bench_train_options_init(&o);
    *s = (seen){ .polls_allowed = -1 };
    o.repeats = 1;
    o.seconds = 0;
    o.tiles = 2;
    o.watch = (gr_bench_watch){ on_row, on_progress, s };
    return o;
}

static const gr_bench_row *row_of(const seen *s, const char *name)
{
    for (int i = 0; i < s->n; i++)
        if (strcmp(s->name[i], name) == 0)
            return &s->row[i];
    fail_msg("there is no row %s", name);
    return NULL;
}

static double work_of(const seen *s, const char *name) { return 1e9 * row_of(s, name)->median; }

static void run(seen *s, const world *w, const gr_bench_train_options *o)
{
    gr_error err = { 0 };
    MUST(gr_bench_train(w->rt, w->model, o, &err));
    assert_true(s->done == (uint64_t)s->n && s->total == (uint64_t)s->n);
}

static void a_step_is_measured_and_its_work_counted(void **state)
{
    const world *w = *state;
    static const char *const want[] = { "limit/fma",        "limit/read",       "sample/forward",
                                        "sample/gradients", "step/optimiser",   "step/whole",
                                        "step/rate",        "work/forward",     "work/again",
                                        "work/backward",    "memory/announced", "memory/peak" };
    static seen s;
    const gr_bench_train_options o = options(&s);
    run(&s, w, &o);
    assert_int_equal(s.n, sizeof want / sizeof *want);
    for (int i = 0; i < s.n; i++) {
        const gr_bench_row *r = &s.row[i];
        assert_string_equal(s.name[i], want[i]);
        if (!(r->repeats >= 1 && r->min > 0 && r->min <= r->median && r->median <= r->max &&
              isfinite(r->max)))
            fail_msg("%s: %g [%g..%g]", s.name[i], r->median, r->min, r->max);
    }
    /* 3 tiles and a region of 16 rows each, 128 of text. */
    const gr_bench_row *step = row_of(&s, "step/whole"), *rate = row_of(&s, "step/rate");
    assert_int_equal(step->rows, 4 * 16 + 128);
    assert_true(fabs(rate->median * step->seconds_median - 1) < 1e-9);
    assert_string_equal(s.unit[6], "samples/s");
    assert_true(isfinite(step->fraction) && step->fraction > 0 && isnan(rate->fraction));

    /* Both gradients of a product cost what it does; attention's seven products make it a little more. */
    const double forward = work_of(&s, "work/forward"), again = work_of(&s, "work/again"),
                 backward = work_of(&s, "work/backward");
    assert_true(row_of(&s, "sample/forward")->flop == forward);
    assert_true(fabs(step->flop - (forward + again + backward)) < 1);
    assert_true(backward > 1.8 * forward && backward < 2.8 * forward);
    assert_true(again < 0.2 * forward); /* what blocks compute is kept */
}

static void what_is_trained_decides_the_work(void **state)
{
    const world *w = *state;
    static seen all, mask, lora;
    gr_bench_train_options o = options(&all);
    run(&all, w, &o);
    o = options(&mask);
    o.parts = "mask,projector";
    run(&mask, w, &o);
    o = options(&lora);
    o.parts = "none";
    o.lora_rank = 4;
    run(&lora, w, &o);
    assert_true(work_of(&mask, "work/backward") < 0.7 * work_of(&all, "work/backward"));
    /* Adapters of the decoder: no tile is gone back through. */
    assert_true(work_of(&lora, "work/backward") < work_of(&mask, "work/backward"));
    assert_true(row_of(&lora, "step/optimiser")->bytes < row_of(&mask, "step/optimiser")->bytes);
}

/* Where nothing is kept, all of the forward pass is made again but the loss, which is made once. */
static void little_memory_makes_values_again(void **state)
{
    const world *w = *state;
    static seen plenty, little;
    gr_error err = { 0 };
    gr_bench_train_options o = options(&plenty);
    run(&plenty, w, &o);
    o = options(&little);
    o.memory_gb = 1e-3 * row_of(&plenty, "memory/announced")->median - 1e-5;
    run(&little, w, &o);
    assert_true(row_of(&little, "memory/announced")->median < row_of(&plenty, "memory/announced")->median);
    assert_true(work_of(&little, "work/again") > 0.8 * work_of(&little, "work/forward"));
    o.memory_gb = 1e-6;
    MUST_FAIL(gr_bench_train(w->rt, w->model, &o, &err), GR_ERR_LIMIT, "are allowed");
}

static void what_is_wrong_is_refused(void **state)
{
    const world *w = *state;
    static seen s;
    gr_error err = { 0 };
    gr_bench_train_options o = options(&s);
    o.size = 1;
    MUST_FAIL(gr_bench_train(w->rt, w->model, &o, &err), GR_ERR_ARG, "gr_bench_train_options_init");
    o = options(&s), o.tiles = 65;
    MUST_FAIL(gr_bench_train(w->rt, w->model, &o, &err), GR_ERR_ARG, "65 tiles, expected 1 to 64");
    o = options(&s), o.rows = 60;
    MUST_FAIL(gr_bench_train(w->rt, w->model, &o, &err), GR_ERR_ARG, "a sequence of 60 rows");
    o = options(&s), o.rows = 100000;
    MUST_FAIL(gr_bench_train(w->rt, w->model, &o, &err), GR_ERR_ARG, "expected 2 to 4096 rows");
    o = options(&s), o.parts = "nose";
    MUST_FAIL(gr_bench_train(w->rt, w->model, &o, &err), GR_ERR_ARG, "nose");
    o = options(&s), o.repeats = 0;
    MUST_FAIL(gr_bench_train(w->rt, w->model, &o, &err), GR_ERR_ARG, "repeats");
    o = options(&s), o.memory_gb = -1;
    MUST_FAIL(gr_bench_train(w->rt, w->model, &o, &err), GR_ERR_ARG, "memory of -1 GB");
    o = options(&s);
    MUST_FAIL(gr_bench_train(w->rt, "/nowhere", &o, &err), GR_ERR_IO, "/nowhere");
    for (int polls = 1; polls < 20; polls += 6) {
        o = options(&s);
        s.polls_allowed = polls;
        MUST_FAIL(gr_bench_train(w->rt, w->model, &o, &err), GR_ERR_CANCELLED, "cancelled");
        assert_true(s.n < 12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_measured_and_its_work_counted),
        cmocka_unit_test(what_is_trained_decides_the_work),
        cmocka_unit_test(little_memory_makes_values_again),
        cmocka_unit_test(what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
