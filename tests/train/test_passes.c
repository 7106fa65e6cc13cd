/* Whole models forward and backward, and optimiser steps, against the published PyTorch path
 * (tests/golden/make/make_train.py): loss, every gradient, ten steps of the published recipe. */
#include "support/training.h"

static void open_case(training *t, const char *name, unsigned parts, int threads)
{
    training_open(
        t, &(training_setup){ .file = name, .name = name, .parts = parts, .threads = threads, .cpu = ~0u });
}

/* --- against PyTorch ----------------------------------------------------------------------------------- */

static void compare_case(const char *name, unsigned cpu)
{
    static training t;
    training_open(
        &t, &(training_setup){ .file = name, .name = name, .parts = GR_TRAIN_ALL, .threads = 2, .cpu = cpu });
    training_compare(&t);
    training_close(&t);
}

static void five_regions_with_a_tied_head(void **state)
{
    (void)state;
    compare_case("l-five-paper", ~0u);
}
static void a_tower_without_class_token(void **state)
{
    (void)state;
    compare_case("g-single-paper", ~0u);
}
static void released_boxes_and_an_untied_head(void **state)
{
    (void)state;
    compare_case("r-single-released", ~0u);
}
static void every_kernel_set(void **state)
{
    (void)state;
    compare_case("g-single-paper", 0);
    compare_case("g-single-paper", GR_CPU_AVX2);
}

/* --- the same bits ------------------------------------------------------------------------------------- */

static void gradients_do_not_depend_on_threads_backend_or_what_is_kept(void **state)
{
    (void)state;
    static training one, other;
    open_case(&one, "r-single-released", GR_TRAIN_ALL, 1);
    const double loss = training_pass(&one, 0.5f);
    for (int way = 0; way < 5; way++) {
        training_open(&other,
                      &(training_setup){ .file = "r-single-released",
                                         .name = "r-single-released",
                                         .parts = GR_TRAIN_ALL,
                                         .threads = way % 2 == 0 ? 3 : 8,
                                         .cpu = ~0u,
                                         .backend = way == 2 || way == 4 ? gr_backend_check_new : NULL,
                                         .keeps = way >= 3 });
        assert_true(training_pass(&other, 0.5f) == loss);
        float *grads = malloc(one.flat.n * sizeof *grads);
        assert_non_null(grads);
        other.c.backend->ops->read(other.c.backend, grads, other.flat.grads, one.flat.n * sizeof *grads);
        assert_memory_equal(one.flat.grads, grads, one.flat.n * sizeof *grads);
        free(grads);
        training_close(&other);
    }
    training_close(&one);
}

/* Freezing takes work away and changes no gradient that is left. */
static void frozen_parts_change_no_gradient_of_the_others(void **state)
{
    (void)state;
    static training all, some;
    static const char *const parts[] = { "tower", "mask",           "projector",     "embed",     "decoder",
                                         "head",  "mask,projector", "tower,decoder", "embed,head" };
    open_case(&all, "r-single-released", GR_TRAIN_ALL, 2);
    const double loss = training_pass(&all, 1);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        gr_error err = { 0 };
        unsigned bits;
        MUST(gr_train_parts_parse(&bits, parts[i], &err));
        training_open(&some, &(training_setup){ .file = "r-single-released",
                                                .name = "r-single-released",
                                                .parts = bits,
                                                .threads = 2,
                                                .cpu = ~0u,
                                                .keeps = i % 2 });
        assert_true(training_pass(&some, 1) == loss);
        assert_true(some.flat.n < all.flat.n);
        for (size_t k = 0; k < some.flat.n_ranges; k++) {
            const gr_range *mine = &some.flat.ranges[k], *theirs = training_range(&all, mine->name);
            for (size_t e = 0; e < mine->count; e++)
                if (some.flat.grads[mine->offset + e] != all.flat.grads[theirs->offset + e])
                    fail_msg("%s: element %zu of '%s' has gradient %.9g, and %.9g when all is trained",
                             parts[i], e, mine->name, (double)some.flat.grads[mine->offset + e],
                             (double)all.flat.grads[theirs->offset + e]);
        }
        training_close(&some);
    }
    training_close(&all);
}

/* --- refusals ------------------------------------------------------------------------------------------ */

static void samples_that_cannot_be_scored_are_refused(void **state)
{
    (void)state;
    static training t;
    gr_error err = { 0 };
    double loss;
    open_case(&t, "r-single-released", 1u << GR_TRAIN_PROJECTOR, 1);
    gr_train_sample s = t.sample;
    int32_t labels[TRAINING_MAX_IDS];
    for (int i = 0; i < TRAINING_MAX_IDS; i++)
        labels[i] = -1;
    s.labels = labels;
    MUST_FAIL(gr_passes_run(t.passes, &s, 1, &loss, &err), GR_ERR_ARG, "no row of the sample is scored");
    labels[0] = 5; /* nothing stands before the first row */
    MUST_FAIL(gr_passes_run(t.passes, &s, 1, &loss, &err), GR_ERR_ARG, "no row of the sample is scored");
    labels[3] = 1 << 20;
    MUST_FAIL(gr_passes_run(t.passes, &s, 1, &loss, &err), GR_ERR_ARG, "row 3 of a sample");
    s = t.sample;
    s.n = TRAINING_MAX_IDS;
    MUST_FAIL(gr_passes_run(t.passes, &s, 1, &loss, &err), GR_ERR_LIMIT, "rows, expected 2 to");
    for (size_t i = 0; i < t.flat.n; i++)
        assert_true(t.flat.grads[i] == 0); /* nothing was added */
    gr_flat none;
    MUST_FAIL(gr_flat_plan(&none, t.c.gar, 0, &err), GR_ERR_ARG, "no tensor of the parts");
    unsigned parts;
    MUST(gr_train_parts_parse(&parts, "none", &err));
    assert_int_equal(parts, 0);
    MUST_FAIL(gr_train_parts_parse(&parts, "tower,tail", &err), GR_ERR_ARG, "'tail' is no part of a model");
    MUST_FAIL(gr_train_parts_parse(&parts, "", &err), GR_ERR_ARG, "'' is no part");
    training_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_regions_with_a_tied_head),
        cmocka_unit_test(a_tower_without_class_token),
        cmocka_unit_test(released_boxes_and_an_untied_head),
        cmocka_unit_test(every_kernel_set),
        cmocka_unit_test(gradients_do_not_depend_on_threads_backend_or_what_is_kept),
        cmocka_unit_test(frozen_parts_change_no_gradient_of_the_others),
        cmocka_unit_test(samples_that_cannot_be_scored_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
