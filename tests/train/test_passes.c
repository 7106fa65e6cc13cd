/* Whole models forward and backward, and optimiser steps, against the published PyTorch path
 * (tests/golden/make/make_train.py): loss, every gradient, five steps of the published recipe. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "io/json.h"
#include "support/golden_case.h"
#include "train/adamw.h"
#include "train/passes.h"

enum { MAX_IDS = 2048, MAX_GRADS = 200 };

/* A file tests/golden/train/CASE.json. */
typedef struct {
    int32_t ids[MAX_IDS];
    int n_ids, first_label, n_losses, n_norms, n_grads;
    double loss, rate, losses[16], norms[16], noise;
    struct {
        char name[128];
        double norm, probe; /* length, and product with the drawn direction */
    } grads[MAX_GRADS];
} wanted;

static void read_gradient(gr_json *j, wanted *w)
{
    int k = 0;
    for (gr_json_array(j); gr_json_item(j); k++)
        if (k == 0)
            snprintf(w->grads[w->n_grads].name, sizeof w->grads[0].name, "%s", gr_json_string(j, NULL));
        else
            *(k == 1 ? &w->grads[w->n_grads].norm : &w->grads[w->n_grads].probe) = gr_json_number(j);
    w->n_grads++;
}

static void read_wanted(gr_runtime *rt, const char *name, wanted *w)
{
    gr_error err = { 0 };
    char path[1024], *text;
    const char *key;
    size_t size;
    gr_json j;
    memset(w, 0, sizeof *w);
    snprintf(path, sizeof path, TEST_FILE("golden/train/%s.json"), name);
    MUST(gr_file_read(rt, path, 1 << 22, &text, &size, &err));
    gr_json_init(&j, rt, text, size, path, 1 << 20);
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        if (strcmp(key, "ids") == 0)
            for (gr_json_array(&j); gr_json_item(&j);)
                w->ids[w->n_ids++] = (int32_t)gr_json_int(&j, 0, 1 << 20);
        else if (strcmp(key, "first_label") == 0)
            w->first_label = (int)gr_json_int(&j, 1, MAX_IDS);
        else if (strcmp(key, "loss") == 0)
            w->loss = gr_json_number(&j);
        else if (strcmp(key, "loss_noise") == 0)
            w->noise = gr_json_number(&j);
        else if (strcmp(key, "learning_rate") == 0)
            w->rate = gr_json_number(&j);
        else if (strcmp(key, "losses") == 0)
            for (gr_json_array(&j); gr_json_item(&j);)
                w->losses[w->n_losses++] = gr_json_number(&j);
        else if (strcmp(key, "norms") == 0)
            for (gr_json_array(&j); gr_json_item(&j);)
                w->norms[w->n_norms++] = gr_json_number(&j);
        else if (strcmp(key, "gradients") == 0)
            for (gr_json_array(&j); gr_json_item(&j);)
                read_gradient(&j, w);
        else
            gr_json_skip(&j);
    }
    MUST(gr_json_status(&j, true, &err));
    gr_json_fini(&j);
    gr_free(rt, text);
}

/* --- a model in training ------------------------------------------------------------------------------- */

typedef struct {
    golden_case c;
    wanted want;
    gr_flat flat;
    bool held[1024];
    gr_passes *passes;
    gr_picture picture;
    int32_t source[MAX_IDS], labels[MAX_IDS];
    gr_train_sample sample;
} training;

static void training_open_on(training *t, const char *name, unsigned parts, int threads, unsigned cpu,
                             golden_backend backend)
{
    gr_error err = { 0 };
    memset(t, 0, sizeof *t);
    golden_case_open_on(&t->c, name, threads, cpu, backend);
    read_wanted(t->c.rt, name, &t->want);
    MUST(gr_flat_plan(&t->flat, t->c.gar, parts, &err));
    MUST(gr_flat_take(&t->flat, t->c.backend, t->c.gar, NULL, NULL, &err));
    assert_true(t->c.gar->tensors.n <= 1024);
    gr_flat_attach(&t->flat, t->c.gar, t->held);
    MUST(gr_gar_prepare(t->c.gar, t->c.backend, t->want.n_ids, NULL, NULL, &err));
    const gr_passes_limits limits = {
        .parts = parts, .max_rows = t->want.n_ids, .max_tiles = 5, .max_regions = 5
    };
    MUST(gr_passes_new(&t->passes, t->c.gar, t->c.backend, &t->flat, &limits, &err));
    for (int i = 0; i < t->want.n_ids; i++)
        t->labels[i] = i >= t->want.first_label ? t->want.ids[i] : -1;
    t->sample =
        (gr_train_sample){ .ids = t->want.ids, .source = t->source, .labels = t->labels, .n = t->want.n_ids };
    golden_case_sources(&t->c, t->want.ids, t->source, (size_t)t->want.n_ids);
    if (golden_case_picture(&t->c, &t->picture))
        t->sample.picture = &t->picture;
}

static void training_open(training *t, const char *name, unsigned parts, int threads)
{
    training_open_on(t, name, parts, threads, ~0u, gr_backend_cpu_new);
}

static void training_close(training *t)
{
    gr_passes_free(t->passes);
    gr_flat_detach(t->c.gar);
    gr_flat_fini(&t->flat);
    golden_case_close(&t->c);
}

static double pass(training *t, float scale)
{
    gr_error err = { 0 };
    double loss;
    MUST(gr_passes_run(t->passes, &t->sample, scale, &loss, &err));
    return loss;
}

/* Element i of the direction that tests/golden/make/draw.py draws for a name (draw.unit, seed 1). */
static double direction(const char *name, size_t i)
{
    char stream[160];
    snprintf(stream, sizeof stream, "probe.%s", name);
    const uint32_t counter[4] = { (uint32_t)(i / 2), 0, 0, 0 }, key[2] = { 1, gr_fnv1a32(stream) };
    const gr_philox_block b = gr_philox(counter, key);
    const uint32_t a = b.v[i % 2 * 2], c = b.v[i % 2 * 2 + 1];
    return ((double)((a & 0xffff) + (a >> 16) + (c & 0xffff) + (c >> 16)) - 131070) / 37837;
}

static const gr_range *range_of(const training *t, const char *name)
{
    for (size_t i = 0; i < t->flat.n_ranges; i++)
        if (strcmp(t->flat.ranges[i].name, name) == 0)
            return &t->flat.ranges[i];
    return NULL;
}

/* --- against PyTorch ----------------------------------------------------------------------------------- */

#define LOSS     1e-5 /* relative; the golden files' own rounding is about 1e-7 */
#define GRADIENT 1e-4 /* of a tensor's length; PyTorch's f32 and double differ by up to 7e-6 */
#define STEPS \
    3 /* times what PyTorch's own losses differ by over the steps between f32 and double: 3e-5 to 1e-3 */

/* Length and product with a direction, relative to the length; tensors that hardly move the loss count
 * against a floor of 1e-5 of the RMS of all gradients. */
static void compare_gradients(const training *t)
{
    double all = 0, worst = 0;
    size_t n = 0;
    for (int g = 0; g < t->want.n_grads; g++) {
        const gr_range *r = range_of(t, t->want.grads[g].name);
        if (!r)
            fail_msg("%s: no gradient of '%s'", t->c.name, t->want.grads[g].name);
        all += t->want.grads[g].norm * t->want.grads[g].norm;
        n += r->count;
    }
    const double rms = sqrt(all / (double)n);
    assert_int_equal(t->want.n_grads, t->flat.n_ranges);
    for (int g = 0; g < t->want.n_grads; g++) {
        const gr_range *r = range_of(t, t->want.grads[g].name);
        double squares = 0, probe = 0;
        for (size_t i = 0; i < r->count; i++) {
            const double x = (double)t->flat.grads[r->offset + i];
            squares += x * x;
            probe += x * direction(r->name, i);
        }
        const double floor = 1e-5 * rms * sqrt((double)r->count),
                     size = t->want.grads[g].norm > floor ? t->want.grads[g].norm : floor;
        const double error =
            fmax(fabs(sqrt(squares) - t->want.grads[g].norm), fabs(probe - t->want.grads[g].probe)) / size;
        worst = fmax(worst, error);
        if (!(error < GRADIENT))
            fail_msg(
                "%s: gradient of '%s': length %.9g and product %.9g, expected %.9g and %.9g: off by %.2g",
                t->c.name, r->name, sqrt(squares), probe, t->want.grads[g].norm, t->want.grads[g].probe,
                error);
    }
    if (getenv("GR_SHOW"))
        printf("%s: worst gradient off by %.2e\n", t->c.name, worst);
}

static void compare_case(const char *name, unsigned cpu)
{
    static training t;
    const gr_adamw published = GR_ADAMW_PUBLISHED;
    training_open_on(&t, name, GR_TRAIN_ALL, 2, cpu, gr_backend_cpu_new);
    assert_true(fabs(pass(&t, 0) / t.want.loss - 1) < LOSS); /* forward alone */
    for (int step = 0; step < t.want.n_norms; step++) {
        const double loss = pass(&t, 1), norm = gr_grad_norm(&t.flat);
        if (step == 0) {
            assert_true(fabs(loss / t.want.loss - 1) < LOSS);
            compare_gradients(&t);
        }
        if (getenv("GR_SHOW"))
            printf("%s: step %d: loss %.8g (%.8g), norm %.8g (%.8g)\n", name, step, loss, t.want.losses[step],
                   norm, t.want.norms[step]);
        assert_true(fabs(loss / t.want.losses[step] - 1) < STEPS * t.want.noise);
        assert_true(fabs(norm / t.want.norms[step] - 1) <
                    10 * STEPS); /* a gradient moves more than the loss */
        gr_adamw_step(&published, &t.flat, step + 1, t.want.rate, norm);
    }
    assert_true(fabs(pass(&t, 0) / t.want.losses[t.want.n_norms] - 1) < STEPS * t.want.noise);
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

static void gradients_do_not_depend_on_threads_or_backend(void **state)
{
    (void)state;
    static training one, other;
    training_open(&one, "r-single-released", GR_TRAIN_ALL, 1);
    const double loss = pass(&one, 0.5f);
    for (int way = 0; way < 3; way++) {
        training_open_on(&other, "r-single-released", GR_TRAIN_ALL, way == 0 ? 3 : 8, ~0u,
                         way == 2 ? gr_backend_check_new : gr_backend_cpu_new);
        assert_true(pass(&other, 0.5f) == loss);
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
    training_open(&all, "r-single-released", GR_TRAIN_ALL, 2);
    const double loss = pass(&all, 1);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        gr_error err = { 0 };
        unsigned bits;
        MUST(gr_train_parts_parse(&bits, parts[i], &err));
        training_open(&some, "r-single-released", bits, 2);
        assert_true(pass(&some, 1) == loss);
        assert_true(some.flat.n < all.flat.n);
        for (size_t k = 0; k < some.flat.n_ranges; k++) {
            const gr_range *mine = &some.flat.ranges[k], *theirs = range_of(&all, mine->name);
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
    training_open(&t, "r-single-released", 1u << GR_TRAIN_PROJECTOR, 1);
    gr_train_sample s = t.sample;
    int32_t labels[MAX_IDS];
    for (int i = 0; i < MAX_IDS; i++)
        labels[i] = -1;
    s.labels = labels;
    MUST_FAIL(gr_passes_run(t.passes, &s, 1, &loss, &err), GR_ERR_ARG, "no row of the sample is scored");
    labels[0] = 5; /* nothing stands before the first row */
    MUST_FAIL(gr_passes_run(t.passes, &s, 1, &loss, &err), GR_ERR_ARG, "no row of the sample is scored");
    labels[3] = 1 << 20;
    MUST_FAIL(gr_passes_run(t.passes, &s, 1, &loss, &err), GR_ERR_ARG, "row 3 of a sample");
    s = t.sample;
    s.n = t.want.n_ids + 1;
    MUST_FAIL(gr_passes_run(t.passes, &s, 1, &loss, &err), GR_ERR_LIMIT, "rows, expected 2 to");
    for (size_t i = 0; i < t.flat.n; i++)
        assert_true(t.flat.grads[i] == 0); /* nothing was added */
    gr_flat none;
    MUST_FAIL(gr_flat_plan(&none, t.c.gar, 0, &err), GR_ERR_ARG, "no tensor of the parts");
    unsigned parts;
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
        cmocka_unit_test(gradients_do_not_depend_on_threads_or_backend),
        cmocka_unit_test(frozen_parts_change_no_gradient_of_the_others),
        cmocka_unit_test(samples_that_cannot_be_scored_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
