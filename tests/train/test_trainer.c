/* A model in training: what it takes is said before, steps are steps of the optimiser, and what is not finite
 * stops it and changes nothing. */
#include "test.h"

#include "support/counting.h"
#include "support/trained.h"

typedef struct {
    test_dir dir;
    gr_runtime *rt;
} fixture;

static int setup(void **state)
{
    static fixture f;
    test_dir_make(&f.dir);
    f.rt = test_runtime();
    trained_make(f.rt, &f.dir);
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

static gr_trainer_options options_of(unsigned parts)
{
    return (gr_trainer_options){
        .limits = { .parts = parts, .max_rows = LESSON_ROWS, .max_tiles = 1, .max_regions = 1 },
        .adamw = GR_ADAMW_PUBLISHED
    };
}

static const gr_lora adapters = {
    .targets = 1u << GR_LORA_Q | 1u << GR_LORA_V | 1u << GR_LORA_FC1, .rank = 4, .alpha = 8, .seed = 3
};

static gr_trainer *train(const fixture *f, gr_runtime *rt, unsigned parts)
{
    return trained_open(rt, &f->dir, parts);
}

/* --- memory -------------------------------------------------------------------------------------------- */

static void memory_is_known_before_it_is_taken(void **state)
{
    const fixture *f = *state;
    static const unsigned parts[] = { GR_TRAIN_ALL, 1u << GR_TRAIN_PROJECTOR, 1u << GR_TRAIN_EMBED, 0,
                                      1u << GR_TRAIN_MASK };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        gr_error err = { 0 };
        gr_trainer *t;
        counting memory = { 0 };
        gr_runtime *rt = counting_runtime(&memory, 2);
        gr_trainer_options o = options_of(parts[i]);
        o.keep = i % 2 ? GR_KEEP_NO : GR_KEEP_YES;
        if (i >= 3)
            o.limits.lora = adapters;
        MUST(gr_trainer_open(&t, rt, test_dir_file(&f->dir, "m"), &o, &err));
        const size_t before = memory.now;
        MUST(gr_trainer_load(t, NULL, NULL, &err));
        const size_t taken = memory.now - before;
        /* Graphs and other small things are not added up. */
        assert_in_range(taken, t->memory.frozen + t->memory.flat + t->memory.passes,
                        t->memory.frozen + t->memory.flat + t->memory.passes + (1 << 19));
        assert_true(memory.peak - before <= t->memory.total + (1 << 19));
        gr_trainer_close(t);
        gr_runtime_free(rt);
    }
}

static void what_does_not_fit_is_refused_with_its_bytes(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t;
    char want[64];
    gr_trainer_options o = options_of(GR_TRAIN_ALL);
    o.keep = GR_KEEP_NO;
    MUST(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err));
    const size_t total = t->memory.total;
    gr_trainer_close(t);
    o.memory_bytes = total;
    o.keep = GR_KEEP_AUTO;
    MUST(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err));
    gr_trainer_close(t);
    o.memory_bytes = total - 1;
    snprintf(want, sizeof want, "training takes %zu bytes, %zu are allowed", total, total - 1);
    MUST_FAIL(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err), GR_ERR_LIMIT, want);
    assert_null(t);
    o = options_of(0);
    MUST_FAIL(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err), GR_ERR_ARG, "no tensor");
    MUST_FAIL(gr_trainer_open(&t, f->rt, "/nowhere", &o, &err), GR_ERR_IO, "/nowhere");
}

/* What blocks compute is kept where there is room for it. */
static void values_are_kept_where_there_is_room(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t;
    size_t total[3];
    gr_trainer_options o = options_of(GR_TRAIN_ALL);
    for (gr_keep keep = GR_KEEP_AUTO; keep <= GR_KEEP_NO; keep++) {
        o.keep = keep;
        MUST(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err));
        assert_int_equal(t->o.limits.keeps, keep != GR_KEEP_NO);
        total[keep] = t->memory.total;
        gr_trainer_close(t);
    }
    assert_true(total[GR_KEEP_YES] > total[GR_KEEP_NO] && total[GR_KEEP_AUTO] == total[GR_KEEP_YES]);
    o.keep = GR_KEEP_AUTO;
    for (size_t less = 0; less < 2; less++) {
        o.memory_bytes = total[GR_KEEP_YES] - less;
        MUST(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err));
        assert_int_equal(t->o.limits.keeps, less == 0);
        assert_int_equal(t->memory.total, total[less == 0 ? GR_KEEP_YES : GR_KEEP_NO]);
        gr_trainer_close(t);
    }
    o.keep = GR_KEEP_YES;
    MUST_FAIL(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err), GR_ERR_LIMIT, "are allowed");
}

/* Adapters take 16 bytes an element, as whatever is trained; what they are beside stays packed. */
static void adapters_are_announced(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t, *frozen;
    gr_trainer_options o = options_of(1u << GR_TRAIN_MASK);
    MUST(gr_trainer_open(&frozen, f->rt, test_dir_file(&f->dir, "m"), &o, &err));
    o.limits.lora = adapters;
    MUST(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err));
    assert_int_equal(t->memory.frozen, frozen->memory.frozen);
    assert_int_equal(t->memory.flat - frozen->memory.flat, 16 * (t->flat.n - frozen->flat.n));
    assert_true(t->flat.n > frozen->flat.n && t->memory.passes >= frozen->memory.passes);
    gr_trainer_close(frozen);
    gr_trainer_close(t);
    o.limits.parts |= 1u << GR_TRAIN_DECODER;
    MUST_FAIL(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err), GR_ERR_ARG,
              "an adapter of q_proj, and 'decoder' is among the parts that are trained as a whole");
}

/* --- steps --------------------------------------------------------------------------------------------- */

/* One step over n samples is what the passes give, each with weight 1/n, and one AdamW step. */
static void a_step_averages_its_samples(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *a = train(f, f->rt, GR_TRAIN_ALL), *b = train(f, f->rt, GR_TRAIN_ALL);
    gr_trainer_result result;
    lesson l;
    double sum = 0;
    lesson_init(&l, &a->gar->config, 5, true);
    const gr_train_source source = lesson_source(&l);
    MUST(gr_trainer_step(a, &source, 1, 2, 3, 1e-3, &result, &err));
    for (uint64_t i = 2; i < 5; i++) {
        gr_train_item item;
        double loss;
        MUST(source.give(source.user, 1, i, &item, &err));
        MUST(gr_passes_run(b->passes, &item.sample, 1 / 3.0f, &loss, &err));
        sum += loss / 3;
    }
    const double norm = gr_grad_norm(&b->flat);
    gr_adamw_step(&b->o.adamw, &b->flat, 1, 1e-3, norm);
    assert_true(result.loss == sum && result.norm == norm && a->steps == 1);
    assert_int_equal(result.rows, 3 * 41);
    assert_memory_equal(a->flat.weights, b->flat.weights, a->flat.n * sizeof(float));
    gr_trainer_close(a);
    gr_trainer_close(b);
}

static void steps_do_not_depend_on_threads(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *one = train(f, f->rt, GR_TRAIN_ALL);
    gr_runtime *rt = test_runtime_threads(3);
    gr_trainer *other = train(f, rt, GR_TRAIN_ALL), *both[] = { one, other };
    for (int i = 0; i < 2; i++) {
        lesson l;
        gr_trainer_result result;
        lesson_init(&l, &both[i]->gar->config, 4, true);
        const gr_train_source source = lesson_source(&l);
        for (int step = 0; step < 3; step++)
            MUST(gr_trainer_step(both[i], &source, 0, (uint64_t)step * 2, 2, 1e-3, &result, &err));
    }
    assert_memory_equal(one->flat.weights, other->flat.weights, one->flat.n * sizeof(float));
    assert_memory_equal(one->flat.v, other->flat.v, one->flat.n * sizeof(float));
    gr_trainer_close(one);
    gr_trainer_close(other);
    gr_runtime_free(rt);
}

static void steps_change_adapters_and_nothing_beside_them(void **state)
{
    const fixture *f = *state;
    gr_trainer *t = trained_open_adapted(f->rt, &f->dir, "m", 0, &adapters),
               *fresh = trained_open_adapted(f->rt, &f->dir, "m", 0, &adapters);
    assert_int_equal(t->flat.n_tensors, 0);
    trained_steps(t, 0, 2); /* in the first one B is zero, and A learns nothing */
    for (size_t i = 0; i < t->flat.n_ranges; i++) {
        const gr_range *r = &t->flat.ranges[i];
        assert_memory_not_equal(t->flat.weights + r->offset, fresh->flat.weights + r->offset,
                                r->count * sizeof(float));
    }
    gr_trainer_close(t);
    gr_trainer_close(fresh);
}

static bool no(void *user)
{
    (void)user;
    return false;
}

static void validation_is_the_mean_loss_and_changes_nothing(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = train(f, f->rt, GR_TRAIN_ALL);
    lesson l;
    gr_trainer_result result;
    gr_validation v;
    lesson_init(&l, &t->gar->config, 3, true);
    const gr_train_source source = lesson_source(&l);
    MUST(gr_trainer_validate(t, &source, 3, NULL, NULL, &v, &err));
    assert_true(gr_grad_norm(&t->flat) == 0 && t->steps == 0);
    MUST(gr_trainer_step(t, &source, 0, 0, 3, 0, &result, &err));
    assert_true(fabs(v.all.loss / result.loss - 1) < 1e-12); /* the same samples; divided in another order */
    MUST_FAIL(gr_trainer_validate(t, &source, 3, no, NULL, &v, &err), GR_ERR_CANCELLED,
              "after 0 of 3 validation samples");
    gr_trainer_close(t);
}

/* Samples 0 and 2 are of the first set, 1 of the second, and none of the third. */
static void a_validation_tells_sets_apart(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = train(f, f->rt, GR_TRAIN_ALL);
    lesson l;
    gr_validation v;
    gr_trainer_result one[3];
    lesson_init(&l, &t->gar->config, 3, true);
    gr_train_source source = lesson_source(&l);
    MUST(gr_trainer_validate(t, &source, 3, NULL, NULL, &v, &err));
    assert_true(v.sets[0].n == 0 && isnan(v.sets[0].loss)); /* a source that tells none apart */
    for (uint64_t i = 0; i < 3; i++)
        MUST(gr_trainer_step(t, &source, 0, i, 1, 0, &one[i], &err));
    l.n_sets = 2;
    source = lesson_source(&l);
    source.n_sets = 3;
    MUST(gr_trainer_validate(t, &source, 3, NULL, NULL, &v, &err));
    assert_true(fabs(v.all.loss / ((one[0].loss + one[1].loss + one[2].loss) / 3) - 1) < 1e-12);
    assert_true(v.sets[0].n == 2 && fabs(v.sets[0].loss / ((one[0].loss + one[2].loss) / 2) - 1) < 1e-12);
    assert_true(v.sets[1].n == 1 && fabs(v.sets[1].loss / one[1].loss - 1) < 1e-12);
    assert_true(v.sets[2].n == 0 && isnan(v.sets[2].loss) && isnan(v.sets[2].accuracy));
    assert_true(v.all.accuracy >= 0 && v.all.accuracy < 0.9); /* of random weights */
    assert_true(fabs(one[0].loss - one[1].loss) > 1e-6 && fabs(one[2].loss - one[1].loss) > 1e-6);
    gr_trainer_close(t);
}

/* --- failures ------------------------------------------------------------------------------------------ */

static void what_is_not_finite_stops_and_changes_nothing(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = train(f, f->rt, GR_TRAIN_ALL);
    lesson l;
    gr_trainer_result result;
    lesson_init(&l, &t->gar->config, 4, true);
    const gr_train_source source = lesson_source(&l);
    MUST(gr_trainer_step(t, &source, 0, 0, 2, 1e-3, &result, &err));
    const size_t bytes = t->flat.n * sizeof(float);
    float *kept[3] = { malloc(bytes), malloc(bytes), malloc(bytes) },
          *now[3] = { t->flat.weights, t->flat.m, t->flat.v };
    for (int i = 0; i < 3; i++) {
        assert_non_null(kept[i]);
        memcpy(kept[i], now[i], bytes);
    }
    l.spoiled = 3;
    MUST_FAIL(gr_trainer_step(t, &source, 0, 2, 2, 1e-3, &result, &err), GR_ERR_LIMIT,
              "step 2: the loss of sample lesson/3 is nan");
    l.refuses = true;
    MUST_FAIL(gr_trainer_step(t, &source, 0, 2, 2, 1e-3, &result, &err), GR_ERR_IO, "the lesson was lost");
    for (int i = 0; i < 3; i++) {
        assert_memory_equal(kept[i], now[i], bytes);
        free(kept[i]);
    }
    assert_true(t->steps == 1 && gr_grad_norm(&t->flat) == 0);
    gr_trainer_close(t);
}

/* A finite loss with gradients beyond f32: the norm tells. */
static void a_norm_that_is_not_finite_names_its_samples(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = train(f, f->rt, GR_TRAIN_ALL);
    lesson l;
    gr_trainer_result result;
    lesson_init(&l, &t->gar->config, 4, false);
    const gr_train_source source = lesson_source(&l);
    t->flat.grads[0] = INFINITY;
    MUST_FAIL(gr_trainer_step(t, &source, 0, 1, 2, 1e-3, &result, &err), GR_ERR_LIMIT,
              "step 1: the norm of the gradients is inf, over samples from lesson/1 to lesson/2");
    MUST(gr_trainer_step(t, &source, 0, 1, 2, 1e-3, &result, &err));
    gr_trainer_close(t);
}

static void a_sample_over_the_limits_is_named(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t;
    gr_trainer_options o = options_of(GR_TRAIN_ALL);
    lesson l;
    gr_trainer_result result;
    o.limits.max_rows = 20;
    MUST(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err));
    MUST(gr_trainer_load(t, NULL, NULL, &err));
    lesson_init(&l, &t->gar->config, 4, true);
    const gr_train_source source = lesson_source(&l);
    MUST_FAIL(gr_trainer_step(t, &source, 0, 0, 1, 1e-3, &result, &err), GR_ERR_LIMIT,
              "step 1, sample lesson/0: a sample of 41 rows, expected 2 to 20");
    gr_trainer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_known_before_it_is_taken),
        cmocka_unit_test(values_are_kept_where_there_is_room),
        cmocka_unit_test(what_does_not_fit_is_refused_with_its_bytes),
        cmocka_unit_test(adapters_are_announced),
        cmocka_unit_test(a_step_averages_its_samples),
        cmocka_unit_test(steps_do_not_depend_on_threads),
        cmocka_unit_test(steps_change_adapters_and_nothing_beside_them),
        cmocka_unit_test(validation_is_the_mean_loss_and_changes_nothing),
        cmocka_unit_test(a_validation_tells_sets_apart),
        cmocka_unit_test(what_is_not_finite_stops_and_changes_nothing),
        cmocka_unit_test(a_norm_that_is_not_finite_names_its_samples),
        cmocka_unit_test(a_sample_over_the_limits_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
