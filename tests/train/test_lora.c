/* Low-rank adapters in whole models: against PyTorch (tests/golden/make/make_lora.py), at their beginning,
 * the same bits on every road, merged into the tensors, and refused where they make no sense. */
#include "support/training.h"

#include "base/half.h"
#include "support/counting.h"
#include "train/merge.h"

#define CASE       "g-single-paper"
#define GOLDEN     "lora-" CASE
#define ALL_LAYERS ((1u << GR_LORA_TARGET_COUNT) - 1)

static const gr_lora golden = { .targets = 1u << GR_LORA_Q | 1u << GR_LORA_V | 1u << GR_LORA_GATE |
                                           1u << GR_LORA_DOWN | 1u << GR_LORA_QKV | 1u << GR_LORA_FC2,
                                .rank = 5,
                                .alpha = 8,
                                .seed = 3 };
static const gr_lora everywhere = { .targets = ALL_LAYERS, .rank = 3, .alpha = 7, .seed = 3 };

static void open_adapted(training *t, unsigned parts, const gr_lora *lora)
{
    training_open(t,
                  &(training_setup){
                      .file = GOLDEN, .name = CASE, .parts = parts, .lora = lora, .threads = 2, .cpu = ~0u });
}

/* Values of an adapter as make_lora.py draws them: neither A nor B is zero, so that every gradient shows. */
static void draw_adapters(training *t)
{
    for (size_t i = t->flat.n_tensors; i < t->flat.n_ranges; i++) {
        const gr_range *r = &t->flat.ranges[i];
        const double std =
            r->kind == GR_RANGE_LORA_A ? 1 / sqrt((double)gr_flat_adapter(&t->flat, r)->cols) : 0.1;
        float *values = malloc(r->count * sizeof *values);
        assert_non_null(values);
        for (size_t k = 0; k < r->count; k++)
            values[k] = (float)(std * training_unit(r->name, k));
        t->c.backend->ops->write(t->c.backend, t->flat.weights + r->offset, values,
                                 r->count * sizeof *values);
        free(values);
    }
}

/* The gradients of a flat buffer, in host memory. */
static float *gradients(const training *t)
{
    float *g = malloc(t->flat.n * sizeof *g);
    assert_non_null(g);
    t->c.backend->ops->read(t->c.backend, g, t->flat.grads, t->flat.n * sizeof *g);
    return g;
}

/* --- against PyTorch ----------------------------------------------------------------------------------- */

static void loss_gradients_and_steps_are_those_of_pytorch(void **state)
{
    (void)state;
    static training t;
    open_adapted(&t, 0, &golden);
    assert_int_equal(t.want.lora.targets, golden.targets);
    assert_int_equal(t.want.lora.rank, golden.rank);
    assert_true(t.want.lora.alpha == golden.alpha);
    draw_adapters(&t);
    training_compare(&t);
    training_close(&t);
}

/* --- merging ------------------------------------------------------------------------------------------- */

#define MERGED 1e-5 /* of what is added: W + delta is rounded to f32, and W is up to 10 times delta */

static size_t tensor_of(const gr_gar *m, const char *name)
{
    for (size_t i = 0; i < m->tensors.n; i++)
        if (strcmp(m->tensors.at[i].name, name) == 0)
            return i;
    fail_msg("no tensor '%s'", name);
    return 0;
}

static void merged_tensors_are_those_of_pytorch(void **state)
{
    (void)state;
    static training t;
    gr_error err = { 0 };
    open_adapted(&t, 0, &golden);
    draw_adapters(&t);
    assert_int_equal(2 * t.want.n_deltas, t.flat.n_ranges);
    for (int i = 0; i < t.want.n_deltas; i++) {
        const training_row *want = &t.want.deltas[i];
        const size_t tensor = tensor_of(t.c.gar, want->name);
        const gr_weight *w = &t.c.gar->weights[tensor];
        const size_t n = w->rows * w->cols, some = w->rows / 3;
        float *merged = malloc(n * sizeof *merged), *stored = malloc(n * sizeof *stored);
        assert_non_null(merged);
        assert_non_null(stored);
        MUST(gr_merge_rows(&t.flat, t.c.gar, tensor, some, w->rows - some, GR_DTYPE_F32,
                           merged + some * w->cols, &err));
        MUST(gr_merge_rows(&t.flat, t.c.gar, tensor, 0, some, GR_DTYPE_F32, merged, &err));
        MUST(gr_weight_read(w, 0, 0, n, stored, &err));
        for (size_t k = 0; k < n; k++)
            merged[k] -= stored[k];
        const training_row got = training_row_of(want->name, merged, n);
        const double error = fmax(fabs(got.norm - want->norm), fabs(got.probe - want->probe)) / want->norm;
        if (!(error < MERGED))
            fail_msg("'%s': %.9g and %.9g are added, expected %.9g and %.9g", want->name, got.norm, got.probe,
                     want->norm, want->probe);
        free(merged), free(stored);
    }
    training_close(&t);
}

/* All tensors trained, those with an adapter replaced by what merging gives. */
static double loss_of_merged(const training *adapted)
{
    static training t;
    gr_error err = { 0 };
    training_open(
        &t, &(training_setup){ .file = CASE, .name = CASE, .parts = GR_TRAIN_ALL, .threads = 2, .cpu = ~0u });
    for (size_t i = 0; i < t.flat.n_ranges; i++) {
        const gr_range *r = &t.flat.ranges[i];
        if (gr_flat_find_adapter(&adapted->flat, r->tensor))
            MUST(gr_merge_rows(&adapted->flat, adapted->c.gar, r->tensor, 0,
                               adapted->c.gar->weights[r->tensor].rows, GR_DTYPE_F32,
                               t.flat.weights + r->offset, &err));
    }
    const double loss = training_pass(&t, 0);
    training_close(&t);
    return loss;
}

static void a_merged_model_computes_what_the_adapted_one_does(void **state)
{
    (void)state;
    static training t;
    open_adapted(&t, 0, &everywhere);
    const double before = training_pass(&t, 0);
    draw_adapters(&t);
    const double adapted = training_pass(&t, 0);
    if (getenv("GR_SHOW"))
        printf("loss %.9g, adapted %.9g, merged %.9g\n", before, adapted, loss_of_merged(&t));
    assert_true(fabs(adapted / before - 1) > 1e-3);             /* a hundred times what is allowed below */
    assert_true(fabs(loss_of_merged(&t) / adapted - 1) < 1e-5); /* rounding, as against PyTorch */
    training_close(&t);
}

/* |merged - (W + factor B A)| in double, in units of bf16 at that place. */
static double bf16_error(const gr_flat *f, const gr_range *a, const gr_weight *w, size_t o, size_t k,
                         const uint16_t *stored, const uint16_t *merged)
{
    double sum = 0;
    for (size_t j = 0; j < (size_t)f->lora.rank; j++)
        sum += (double)f->weights[a[1].offset + o * (size_t)f->lora.rank + j] *
               (double)f->weights[a->offset + j * w->cols + k];
    const double exact =
        (double)gr_f32_from_bf16(stored[o * w->cols + k]) + (double)f->lora.alpha / f->lora.rank * sum;
    int exponent;
    frexp(exact, &exponent);
    return fabs((double)gr_f32_from_bf16(merged[o * w->cols + k]) - exact) / ldexp(1, exponent - 8);
}

static void merged_bf16_is_rounded_once(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_backend *b;
    gr_gar *m;
    gr_flat f;
    test_dir dir;
    test_drawn_checkpoint(rt, &dir, "g-untied", 5, GR_DTYPE_BF16);
    MUST(gr_backend_cpu_new(&b, rt, &err));
    MUST(gr_gar_open(&m, rt, dir.path, GR_ROUND_NONE, &err));
    MUST(gr_flat_plan_lora(&f, m, 0, &golden, &err));
    MUST(gr_flat_take(&f, b, m, NULL, NULL, &err));
    const gr_range *a = &f.ranges[0];
    const gr_weight *w = &m->weights[a->tensor];
    const size_t n = w->rows * w->cols;
    uint16_t *merged = malloc(n * sizeof *merged), *stored = malloc(n * sizeof *stored);
    assert_non_null(merged);
    assert_non_null(stored);
    MUST(gr_weight_read(w, 0, 0, n, stored, &err));
    MUST(gr_merge_rows(&f, m, a->tensor, 0, w->rows, GR_DTYPE_BF16, merged, &err));
    assert_memory_equal(merged, stored, n * sizeof *merged); /* B is zero */
    for (size_t i = 0; i < a[1].count; i++)
        f.weights[a[1].offset + i] = (float)(0.1 * training_unit("B", i));
    MUST(gr_merge_rows(&f, m, a->tensor, 0, w->rows, GR_DTYPE_BF16, merged, &err));
    for (size_t i = 0; i < n; i++) /* half a unit, and what f32 may be beside the middle of two */
        assert_true(bf16_error(&f, a, w, i / w->cols, i % w->cols, stored, merged) < 0.5 + 1e-3);
    free(merged), free(stored);
    gr_flat_fini(&f);
    gr_gar_close(m);
    gr_backend_free(b);
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

/* --- the beginning ------------------------------------------------------------------------------------- */

static const gr_range *other_range(const training *t, const gr_range *r)
{
    const gr_range *found = training_range(t, r->name);
    if (!found)
        fail_msg("no range '%s'", r->name);
    return found;
}

static void same_gradients(const training *a, const training *b, const char *what)
{
    for (size_t i = 0; i < a->flat.n_ranges; i++) {
        const gr_range *r = &a->flat.ranges[i], *s = other_range(b, r);
        for (size_t k = 0; k < r->count; k++)
            if (a->flat.grads[r->offset + k] != b->flat.grads[s->offset + k])
                fail_msg("%s: element %zu of '%s' has gradient %.9g, expected %.9g", what, k, r->name,
                         (double)a->flat.grads[r->offset + k], (double)b->flat.grads[s->offset + k]);
    }
}

static bool all_zero(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0)
            return false;
    return true;
}

static void a_new_adapter_changes_nothing(void **state)
{
    (void)state;
    static training plain, adapted;
    const unsigned parts = 1u << GR_TRAIN_MASK;
    open_adapted(&plain, parts, NULL);
    open_adapted(&adapted, parts, &everywhere);
    assert_true(training_pass(&plain, 1) == training_pass(&adapted, 1));
    same_gradients(&plain, &adapted, "before the first step");
    for (size_t i = adapted.flat.n_tensors; i < adapted.flat.n_ranges; i++) {
        const gr_range *r = &adapted.flat.ranges[i]; /* of A nothing comes through a B that is zero */
        assert_int_equal(all_zero(adapted.flat.grads + r->offset, r->count), r->kind == GR_RANGE_LORA_A);
        assert_int_equal(all_zero(adapted.flat.weights + r->offset, r->count), r->kind == GR_RANGE_LORA_B);
    }
    training_close(&plain);
    training_close(&adapted);
}

static void a_is_drawn_evenly_from_the_seed_and_its_name(void **state)
{
    (void)state;
    enum { N = 40000, IN = 64 };
    static float x[N], other[N];
    const gr_lora lora = { .seed = 1 };
    double sum = 0, squares = 0;
    gr_lora_draw(x, &lora, "a", IN, 0, N);
    for (int i = 0; i < N; i++) {
        assert_true(fabsf(x[i]) <= 0.125f);
        sum += (double)x[i], squares += (double)x[i] * (double)x[i];
    }
    assert_true(fabs(sum / N) < 0.0015);                             /* 4 times 0.125 / sqrt(3 N) */
    assert_true(fabs(squares / N / (0.125 * 0.125 / 3) - 1) < 0.02); /* 4 times 0.9 / sqrt(N) */
    gr_lora_draw(other, &lora, "a", IN, 0, 777);
    gr_lora_draw(other + 777, &lora, "a", IN, 777, N - 777);
    assert_memory_equal(x, other, sizeof x);
    gr_lora_draw(other, &lora, "b", IN, 0, N);
    assert_memory_not_equal(x, other, 16 * sizeof *x);
    gr_lora_draw(other, &(gr_lora){ .seed = 2 }, "a", IN, 0, N);
    assert_memory_not_equal(x, other, 16 * sizeof *x);
}

/* --- the same bits ------------------------------------------------------------------------------------- */

/* Every linear layer adapted: as many parameters as a segment may have. */
static void gradients_do_not_depend_on_threads_or_backend(void **state)
{
    (void)state;
    static training one, other;
    training_setup s = { .file = GOLDEN, .name = CASE, .lora = &everywhere, .threads = 1, .cpu = ~0u };
    training_open(&one, &s);
    draw_adapters(&one);
    const double loss = training_pass(&one, 0.5f);
    for (int way = 0; way < 2; way++) {
        s.threads = way == 0 ? 8 : 3;
        s.backend = way == 0 ? NULL : gr_backend_check_new;
        training_open(&other, &s);
        draw_adapters(&other);
        assert_true(training_pass(&other, 0.5f) == loss);
        float *got = gradients(&other);
        assert_memory_equal(one.flat.grads, got, one.flat.n * sizeof *got);
        free(got);
        training_close(&other);
    }
    training_close(&one);
}

/* While B is zero adapters do not see each other: one kind alone has the gradients that it has among all, and
 * so have the parts that are trained beside them. */
static void adapters_left_out_change_no_gradient_of_the_others(void **state)
{
    (void)state;
    static training all, some;
    static const char *const targets[] = { "qkv", "proj,fc1,fc2", "linear_1,linear_2", "k_proj,o_proj",
                                           "down_proj" };
    open_adapted(&all, 0, &everywhere);
    const double loss = training_pass(&all, 1);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        gr_error err = { 0 };
        gr_lora lora = everywhere;
        MUST(gr_lora_targets_parse(&lora.targets, targets[i], &err));
        open_adapted(&some, 0, &lora);
        assert_true(training_pass(&some, 1) == loss);
        same_gradients(&some, &all, targets[i]);
        training_close(&some);
    }
    training_close(&all);
}

/* --- what is held -------------------------------------------------------------------------------------- */

static size_t padded(size_t n) { return (n + 15) / 16 * 16; }

static void a_frozen_base_has_neither_gradients_nor_moments(void **state)
{
    (void)state;
    static training t;
    size_t n = 0, layers = 0;
    open_adapted(&t, 0, &golden);
    for (size_t i = 0; i < t.c.gar->tensors.n; i++) {
        const gr_weight *w = &t.c.gar->weights[i];
        if (!gr_lora_adapts(&golden, t.c.gar->tensors.at[i].id))
            continue;
        n += padded(w->rows * 5) + padded(w->cols * 5);
        layers++;
        assert_non_null(w->panels); /* packed as for inference */
    }
    assert_int_equal(layers, 2 * 2 + 3 * 4); /* of two tower blocks and three decoder layers */
    assert_int_equal(t.flat.n_tensors, 0);
    assert_int_equal(t.flat.n_ranges, 2 * layers);
    assert_int_equal(t.flat.n, n);
    assert_int_equal(gr_flat_bytes(&t.flat), 16 * n);
    training_close(&t);
}

static void ranges_are_named_as_peft_names_them(void **state)
{
    (void)state;
    static training t;
    const gr_lora lora = { .targets = 1u << GR_LORA_Q | 1u << GR_LORA_QKV, .rank = 2, .alpha = 2 };
    open_adapted(&t, 1u << GR_TRAIN_PROJECTOR, &lora);
    const gr_range *first = &t.flat.ranges[t.flat.n_tensors];
    assert_string_equal(
        first->name, "base_model.model.mllm.model.vision_tower.timm_model.blocks.0.attn.qkv.lora_A.weight");
    const gr_range *q = training_range(
        &t, "base_model.model.mllm.model.language_model.layers.2.self_attn.q_proj.lora_B.weight");
    assert_non_null(q);
    assert_int_equal(q->kind, GR_RANGE_LORA_B);
    assert_string_equal(t.c.gar->tensors.at[q->tensor].name,
                        "mllm.model.language_model.layers.2.self_attn.q_proj.weight");
    assert_ptr_equal(gr_flat_find_adapter(&t.flat, q->tensor) + 1, q);
    assert_null(gr_flat_find(&t.flat, q->tensor)); /* itself it is frozen */
    assert_int_equal(t.flat.n_tensors, 4);         /* weights and biases of the projector */
    for (size_t i = 0; i < t.flat.n_tensors; i++) {
        assert_ptr_equal(gr_flat_find(&t.flat, t.flat.ranges[i].tensor), &t.flat.ranges[i]);
        assert_null(gr_flat_find_adapter(&t.flat, t.flat.ranges[i].tensor));
    }
    training_close(&t);
}

/* Graphs and lists are not announced: they do not grow with the model's width. */
#define NOT_ANNOUNCED ((size_t)256 << 10)

static void memory_is_what_was_announced(void **state)
{
    (void)state;
    counting c = { 0 };
    gr_error err = { 0 };
    gr_runtime *rt = counting_runtime(&c, 2);
    gr_backend *b;
    gr_gar *m;
    gr_flat f;
    gr_passes *p;
    gr_passes_memory plain, said;
    bool held[256];
    test_dir dir;
    gr_passes_limits limits = { .max_rows = 200, .max_tiles = 3, .max_regions = 1 };
    test_drawn_checkpoint(rt, &dir, "g-untied", 5, GR_DTYPE_F32);
    MUST(gr_backend_cpu_new(&b, rt, &err));
    MUST(gr_gar_open(&m, rt, dir.path, GR_ROUND_NONE, &err));
    MUST(gr_passes_measure(&plain, m, b, &limits, &err));
    limits.lora = everywhere;
    MUST(gr_passes_measure(&said, m, b, &limits, &err));
    assert_true(said.arena > plain.arena); /* there is a backward pass */
    MUST(gr_flat_plan_lora(&f, m, 0, &everywhere, &err));
    size_t before = atomic_load(&c.now);
    MUST(gr_flat_take(&f, b, m, NULL, NULL, &err));
    size_t taken = atomic_load(&c.now) - before;
    assert_true(taken >= gr_flat_bytes(&f) && taken < gr_flat_bytes(&f) + 4096);
    assert_true(m->tensors.n <= sizeof held);
    memset(held, 0, sizeof held);
    gr_flat_attach(&f, m, held);
    MUST(gr_gar_prepare(m, b, limits.max_rows, NULL, NULL, &err));
    before = atomic_load(&c.now);
    MUST(gr_passes_new(&p, m, b, &f, &limits, &err));
    taken = atomic_load(&c.now) - before;
    assert_true(taken >= said.total && taken < said.total + NOT_ANNOUNCED);
    gr_passes_free(p);
    gr_flat_detach(m);
    gr_flat_fini(&f);
    gr_gar_close(m);
    gr_backend_free(b);
    test_dir_remove(&dir);
    gr_runtime_free(rt);
    assert_int_equal(atomic_load(&c.now), 0);
}

/* --- refusals ------------------------------------------------------------------------------------------ */

static void words_that_name_no_linear_layer_are_refused(void **state)
{
    (void)state;
    gr_error err = { 0 };
    unsigned bits;
    MUST(gr_lora_targets_parse(&bits, "v_proj,q_proj", &err));
    assert_int_equal(bits, 1u << GR_LORA_Q | 1u << GR_LORA_V);
    for (int i = 0; i < GR_LORA_TARGET_COUNT; i++) {
        MUST(gr_lora_targets_parse(&bits, gr_lora_target_name((gr_lora_target)i), &err));
        assert_int_equal(bits, 1u << i);
    }
    MUST_FAIL(gr_lora_targets_parse(&bits, "q_proj,norm1", &err), GR_ERR_ARG,
              "'norm1' is no linear layer that can have an adapter; expected some of q_proj, k_proj, v_proj, "
              "o_proj, gate_proj, up_proj, down_proj, qkv, proj, fc1, fc2, linear_1 and linear_2");
    MUST_FAIL(gr_lora_targets_parse(&bits, "", &err), GR_ERR_ARG, "'' is no linear layer");
    MUST_FAIL(gr_lora_targets_parse(&bits, "q_proj,", &err), GR_ERR_ARG, "'' is no linear layer");
}

static void adapters_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static training t;
    gr_error err = { 0 };
    gr_flat none;
    gr_passes *p;
    gr_lora l = golden;
    static float rows[96 * 200];
    open_adapted(&t, 0, &golden);
    const gr_gar *m = t.c.gar;
    l.rank = 0;
    MUST_FAIL(gr_flat_plan_lora(&none, m, 0, &l, &err), GR_ERR_ARG, "adapters of rank 0, expected 1 to 1024");
    l.rank = 1025;
    MUST_FAIL(gr_flat_plan_lora(&none, m, 0, &l, &err), GR_ERR_ARG, "rank 1025");
    l.rank = 1, l.alpha = 0;
    MUST_FAIL(gr_flat_plan_lora(&none, m, 0, &l, &err), GR_ERR_ARG, "alpha 0");
    l.alpha = INFINITY;
    MUST_FAIL(gr_flat_plan_lora(&none, m, 0, &l, &err), GR_ERR_ARG, "alpha inf");
    MUST_FAIL(gr_flat_plan_lora(&none, m, 1u << GR_TRAIN_DECODER, &golden, &err), GR_ERR_ARG,
              "an adapter of q_proj, and 'decoder' is among the parts that are trained as a whole");
    l.targets = 0;
    MUST_FAIL(gr_flat_plan_lora(&none, m, 0, &l, &err), GR_ERR_ARG, "no tensor of the parts");
    gr_passes_limits limits = { .max_rows = 20, .max_tiles = 1, .max_regions = 1, .lora = golden };
    limits.lora.rank = 6;
    MUST_FAIL(gr_passes_new(&p, t.c.gar, t.c.backend, &t.flat, &limits, &err), GR_ERR_ARG,
              "of rank 6, and the flat buffers hold 0x");
    const gr_range *a = &t.flat.ranges[0];
    const size_t n = m->weights[a->tensor].rows;
    MUST_FAIL(gr_merge_rows(&t.flat, m, a->tensor, n - 1, 2, GR_DTYPE_F32, rows, &err), GR_ERR_ARG,
              "are to be merged");
    MUST_FAIL(gr_merge_rows(&t.flat, m, a->tensor, n + 1, 0, GR_DTYPE_F32, rows, &err), GR_ERR_ARG,
              "are to be merged");
    MUST_FAIL(gr_merge_rows(&t.flat, m, 0, 0, 1, GR_DTYPE_F32, rows, &err), GR_ERR_ARG, "and no adapter");
    training_close(&t);
}

/* Whichever allocation fails, planning says so and holds nothing. */
static void no_memory_is_a_sentence(void **state)
{
    (void)state;
    counting c = { 0 };
    gr_error err = { 0 };
    gr_runtime *rt = counting_runtime(&c, 1);
    gr_gar *m;
    gr_flat f;
    test_dir dir;
    test_drawn_checkpoint(rt, &dir, "g-untied", 5, GR_DTYPE_F32);
    MUST(gr_gar_open(&m, rt, dir.path, GR_ROUND_NONE, &err));
    const size_t held = atomic_load(&c.now);
    for (size_t k = 1; k <= 4; k++) {
        atomic_store(&c.calls, 0);
        atomic_store(&c.fail_at, k);
        err = (gr_error){ 0 };
        const gr_status st = gr_flat_plan_lora(&f, m, 0, &golden, &err);
        if (atomic_load(&c.calls) < k) {
            MUST(st);
            gr_flat_fini(&f);
            assert_int_equal(k, 4); /* ranges, weights, names */
        } else if (st != GR_ERR_MEM || !err.msg[0]) {
            fail_msg("allocation %zu: status %d, '%s'", k, st, err.msg);
        }
        assert_int_equal(atomic_load(&c.now), held);
    }
    atomic_store(&c.fail_at, 0);
    gr_gar_close(m);
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_gradients_and_steps_are_those_of_pytorch),
        cmocka_unit_test(merged_tensors_are_those_of_pytorch),
        cmocka_unit_test(a_merged_model_computes_what_the_adapted_one_does),
        cmocka_unit_test(merged_bf16_is_rounded_once),
        cmocka_unit_test(a_new_adapter_changes_nothing),
        cmocka_unit_test(a_is_drawn_evenly_from_the_seed_and_its_name),
        cmocka_unit_test(gradients_do_not_depend_on_threads_or_backend),
        cmocka_unit_test(adapters_left_out_change_no_gradient_of_the_others),
        cmocka_unit_test(a_frozen_base_has_neither_gradients_nor_moments),
        cmocka_unit_test(ranges_are_named_as_peft_names_them),
        cmocka_unit_test(memory_is_what_was_announced),
        cmocka_unit_test(words_that_name_no_linear_layer_are_refused),
        cmocka_unit_test(adapters_that_make_no_sense_are_refused),
        cmocka_unit_test(no_memory_is_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
