/* Ranks: several that train together learn what one learns, hold the same bits, and stop and fail together.
 * Here a rank is a thread with a runtime of its own, and sums are made over memory that all of them see. */
#include "test.h"

#include <math.h>
#include <pthread.h>

#include "support/trained.h"
#include "train/snapshot.h"
#include "train/train_run.h"

enum { WORLD = 2, STEPS = 4, SAMPLES = 7 };
#define APART 1e-5 /* rounding of sums in another order gave 1e-6 */

typedef struct {
    pthread_barrier_t meet;
    void *x[WORLD];
} meeting;

typedef struct {
    meeting *m;
    int rank;
    test_dir *dir;
    gr_runtime *rt;
    gr_trainer *t;
    lesson data;
    int stop_after, records; /* of a run */
    gr_train_config c;
    gr_status st;
    gr_error err;
    gr_train_outcome outcome;
} member;

/* Sums in ascending order of ranks, on each of them. */
static gr_status sum(void *user, gr_dtype type, void *x, size_t n, gr_error *err)
{
    const member *me = user;
    const size_t width = type == GR_DTYPE_F32 ? sizeof(float) : sizeof(double);
    (void)err;
    char *out = calloc(n, width);
    me->m->x[me->rank] = x;
    pthread_barrier_wait(&me->m->meet);
    for (int r = 0; r < WORLD; r++)
        for (size_t i = 0; i < n; i++) {
            if (type == GR_DTYPE_F32)
                ((float *)(void *)out)[i] += ((const float *)me->m->x[r])[i];
            else
                ((double *)(void *)out)[i] += ((const double *)me->m->x[r])[i];
        }
    pthread_barrier_wait(&me->m->meet);
    memcpy(x, out, n * width);
    free(out);
    return GR_OK;
}

typedef struct {
    test_dir dir;
    meeting m;
    member members[WORLD];
} fixture;

static int setup(void **state)
{
    static fixture f;
    memset(&f, 0, sizeof f);
    test_dir_make(&f.dir);
    pthread_barrier_init(&f.m.meet, NULL, WORLD);
    for (int r = 0; r < WORLD; r++)
        f.members[r] = (member){ .m = &f.m,
                                 .rank = r,
                                 .dir = &f.dir,
                                 .rt = test_runtime_threads(1),
                                 .outcome = { .size = sizeof(gr_train_outcome) } };
    trained_make(f.members[0].rt, &f.dir);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    for (int r = 0; r < WORLD; r++)
        gr_runtime_free(f->members[r].rt);
    pthread_barrier_destroy(&f->m.meet);
    test_dir_remove(&f->dir);
    return 0;
}

static void together(fixture *f, void *(*work)(void *member))
{
    pthread_t threads[WORLD];
    for (int r = 0; r < WORLD; r++)
        assert_int_equal(pthread_create(&threads[r], NULL, work, &f->members[r]), 0);
    for (int r = 0; r < WORLD; r++)
        pthread_join(threads[r], NULL);
}

static void good(const member *me)
{
    if (me->st != GR_OK)
        fail_msg("rank %d: %s", me->rank, me->err.msg);
}

static void all_good(const fixture *f)
{
    for (int r = 0; r < WORLD; r++)
        good(&f->members[r]);
}

/* --- steps --------------------------------------------------------------------------------------------- */

static gr_trainer *open_rank(member *me, int world)
{
    gr_error err = { 0 };
    gr_trainer *t;
    const gr_trainer_options o = { .limits = { GR_TRAIN_ALL, .max_rows = LESSON_ROWS, .max_tiles = 1,
                                               .max_regions = 1 },
                                   .adamw = GR_ADAMW_PUBLISHED,
                                   .ranks = { world > 1 ? me->rank : 0, world, world > 1 ? sum : NULL, me } };
    MUST(gr_trainer_open(&t, me->rt, test_dir_file(me->dir, "m"), &o, &err));
    MUST(gr_trainer_load(t, NULL, NULL, &err));
    lesson_init(&me->data, &t->gar->config, SAMPLES, true);
    return t;
}

static void steps(member *me)
{
    const gr_train_source source = lesson_source(&me->data);
    gr_trainer_result result;
    for (int i = 0; i < STEPS && me->st == GR_OK; i++)
        me->st = gr_trainer_step(me->t, &source, 0, 2 * (uint64_t)i, 2, 1e-3, &result, &me->err);
}

static void *step_on(void *user)
{
    steps(user);
    return NULL;
}

/* Length of the difference of trained weights, as a share of how far the run has moved them. An element whose
 * gradient is little more than rounding moves by a whole step either way, so not every element is close. */
static double apart(const gr_trainer *a, const gr_trainer *b, const gr_trainer *before)
{
    double moved = 0, differ = 0;
    for (size_t i = 0; i < a->flat.n; i++) {
        const double step = (double)b->flat.weights[i] - before->flat.weights[i],
                     other = (double)a->flat.weights[i] - b->flat.weights[i];
        moved += step * step;
        differ += other * other;
    }
    assert_true(sqrt(moved / (double)a->flat.n) > 1e-4); /* else nothing would be shown */
    if (getenv("GR_SHOW"))
        printf("apart: %.1e\n", sqrt(differ / moved));
    return sqrt(differ / moved);
}

static void ranks_hold_the_same_bits_and_learn_what_one_learns(void **state)
{
    fixture *f = *state;
    for (int r = 0; r < WORLD; r++)
        f->members[r].t = open_rank(&f->members[r], WORLD);
    together(f, step_on);
    all_good(f);
    trained_same(f->members[0].t, f->members[1].t);
    assert_int_equal(f->members[0].data.asked, STEPS); /* a half each */
    member alone = { .dir = &f->dir, .rt = f->members[0].rt };
    gr_trainer *before = open_rank(&alone, 1);
    alone.t = open_rank(&alone, 1);
    steps(&alone);
    good(&alone);
    assert_true(apart(f->members[0].t, alone.t, before) < APART);
    gr_trainer_close(before);
    gr_trainer_close(alone.t);
    for (int r = 0; r < WORLD; r++)
        gr_trainer_close(f->members[r].t);
}

static void a_rank_that_fails_stops_the_others_too(void **state)
{
    fixture *f = *state;
    for (int r = 0; r < WORLD; r++)
        f->members[r].t = open_rank(&f->members[r], WORLD);
    f->members[1].data.spoiled = 1;
    together(f, step_on);
    assert_int_equal(f->members[0].st, GR_ERR_CANCELLED);
    assert_non_null(strstr(f->members[0].err.msg, "1 of 2 ranks failed"));
    assert_int_equal(f->members[1].st, GR_ERR_LIMIT);
    assert_non_null(strstr(f->members[1].err.msg, "step 1: the loss of sample"));
    member alone = { .dir = &f->dir, .rt = f->members[0].rt };
    gr_trainer *before = open_rank(&alone, 1);
    for (int r = 0; r < WORLD; r++)
        trained_same(f->members[r].t, before);
    gr_trainer_close(before);
    for (int r = 0; r < WORLD; r++)
        gr_trainer_close(f->members[r].t);
}

/* --- runs ---------------------------------------------------------------------------------------------- */

static void configure(member *me, const char *output)
{
    gr_error err = { 0 };
    char text[2][400];
    gr_train_config_init(&me->c, me->rt);
    snprintf(text[0], sizeof text[0], "model=%s", test_dir_file(me->dir, "m"));
    snprintf(text[1], sizeof text[1], "output=%s", test_dir_file(me->dir, output));
    const char *const options[] = { text[0],       text[1],       "accumulation=2", "learning_rate=1e-3",
                                    "max_rows=64", "max_tiles=1", "max_regions=1",  "steps=6",
                                    "warmup=0" };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        MUST(gr_train_config_set(&me->c, options[i], &err));
}

static void on_record(void *user, const gr_train_record *r)
{
    (void)r;
    ((member *)user)->records++;
}

static bool stops(void *user)
{
    const member *me = user;
    return me->stop_after > 0 && me->records >= me->stop_after;
}

static void run(member *me, int world, bool resume)
{
    gr_error err = { 0 };
    gr_gar *gar;
    MUST(gr_gar_open(&gar, me->rt, me->c.model, GR_ROUND_NONE, &err));
    lesson_init(&me->data, &gar->config, SAMPLES, true);
    const gr_train_source source = lesson_source(&me->data);
    const gr_train_job job = { .data = &source,
                               .validation = NULL,
                               .ranks = { world > 1 ? me->rank : 0, world, world > 1 ? sum : NULL, me },
                               .resume = resume,
                               .stop = stops,
                               .record = on_record,
                               .user = me };
    me->records = 0;
    me->st = gr_train_run(me->rt, &me->c, &job, &me->outcome, &me->err);
    gr_gar_close(gar);
}

static void *run_ranked(void *user)
{
    run(user, WORLD, false);
    return NULL;
}

static gr_trainer *state_of(member *me, const char *output)
{
    gr_error err = { 0 };
    gr_snapshot_state s;
    gr_trainer *t = open_rank(me, 1);
    gr_snapshot_state_init(&s, me->rt);
    MUST(gr_snapshot_load(t, &s, test_dir_file(me->dir, output), &err));
    gr_snapshot_state_fini(&s);
    return t;
}

static void a_run_of_two_is_stopped_by_either_and_goes_on_with_one(void **state)
{
    fixture *f = *state;
    for (int r = 0; r < WORLD; r++)
        configure(&f->members[r], "shared");
    f->members[1].stop_after = 3;
    together(f, run_ranked);
    all_good(f);
    for (int r = 0; r < WORLD; r++)
        assert_true(f->members[r].outcome.stopped && f->members[r].outcome.step == 3);
    member *first = &f->members[0];
    assert_int_equal(gr_snapshot_newest(test_dir_file(&f->dir, "shared")), 3);
    run(first, 1, true);
    good(first);
    assert_int_equal(first->outcome.step, 6);
    configure(first, "alone");
    run(first, 1, false);
    good(first);
    gr_trainer *before = open_rank(first, 1), *shared = state_of(first, "shared"),
               *alone = state_of(first, "alone");
    assert_int_equal(shared->steps, alone->steps);
    assert_true(apart(shared, alone, before) < APART);
    gr_trainer_close(before);
    gr_trainer_close(shared);
    gr_trainer_close(alone);
}

static void what_cannot_be_shared_is_refused(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_ranks r = { .rank = 2, .world = 2, .sum = sum };
    MUST_FAIL(gr_ranks_check(&r, 2, &err), GR_ERR_ARG, "rank 2 of a world of 2");
    r = (gr_ranks){ .rank = 1, .world = 2 };
    MUST_FAIL(gr_ranks_check(&r, 2, &err), GR_ERR_ARG, "no function that adds up");
    r.sum = sum;
    MUST_FAIL(gr_ranks_check(&r, 5, &err), GR_ERR_ARG,
              "accumulation is 5 samples a step, which 2 ranks cannot share");
    MUST(gr_ranks_check(&r, 4, &err));
    MUST(gr_ranks_check(&(gr_ranks){ 0 }, 5, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ranks_hold_the_same_bits_and_learn_what_one_learns, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rank_that_fails_stops_the_others_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_of_two_is_stopped_by_either_and_goes_on_with_one, setup,
                                        teardown),
        cmocka_unit_test(what_cannot_be_shared_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
