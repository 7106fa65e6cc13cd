/* Weights from a file: packed, turned into vectors, looked up; and files that do not hold what they held. */
#include "support/rig.h"

#include "base/half.h"
#include "base/rng.h"
#include "op/ops.h"
#include "support/tempdir.h"

#define BEFORE 3 /* bytes in front of the data, so that nothing is aligned */

static const gr_dtype dtypes[] = { GR_DTYPE_F32, GR_DTYPE_BF16, GR_DTYPE_F16 };

typedef struct {
    test_dir dir;
    gr_source file;
    gr_weight w;
    float *values; /* stored rows */
} stored;

/* Values of both signs, zeros, subnormals and large ones, at the width of the type. */
static float value_at(gr_dtype dtype, uint64_t i)
{
    static const float edges[] = { -0.0f, 0x1p-24f, 65504.0f, -0x1p-14f };
    const float x = i % 7 == 3 ? edges[i / 7 % 4] : (float)(2 * gr_uniform(11, 0, i) - 1);
    return dtype == GR_DTYPE_BF16  ? gr_round_bf16(x)
           : dtype == GR_DTYPE_F16 ? gr_f32_from_f16(gr_f16_from_f32(x))
                                   : x;
}

static void put(uint8_t *to, gr_dtype dtype, float x)
{
    const uint16_t h = dtype == GR_DTYPE_BF16 ? gr_bf16_from_f32(x) : gr_f16_from_f32(x);
    memcpy(to, dtype == GR_DTYPE_F32 ? (const void *)&x : &h, gr_dtype_bytes(dtype));
}

/* A weight in a file of its own; from element `odd_one` on all are `odd`. */
static void store(stored *s, gr_dtype dtype, size_t rows, size_t cols, size_t odd_one, float odd)
{
    gr_error err = { 0 };
    const size_t n = rows * cols, element = gr_dtype_bytes(dtype);
    uint8_t *bytes = calloc(BEFORE + n, element);
    s->values = malloc(n * sizeof *s->values);
    assert_true(bytes && s->values);
    for (size_t i = 0; i < n; i++) {
        s->values[i] = i >= odd_one ? odd : value_at(dtype, i);
        put(bytes + BEFORE + i * element, dtype, s->values[i]);
    }
    test_dir_make(&s->dir);
    test_dir_write(&s->dir, "w", bytes, BEFORE + n * element);
    MUST(gr_source_open(&s->file, test_dir_file(&s->dir, "w"), &err));
    s->w = (gr_weight){ .name = "w",
                        .file = "w.safetensors",
                        .dtype = dtype,
                        .rows = rows,
                        .cols = cols,
                        .source = &s->file,
                        .offset = BEFORE };
    free(bytes);
}

static void discard(stored *s)
{
    gr_source_close(&s->file);
    test_dir_remove(&s->dir);
    free(s->values);
}

/* Where logical row r is stored, written out once more. */
static size_t place_of(const gr_weight *w, size_t r)
{
    const size_t g = (size_t)w->paired_rows, half = g / 2;
    return g == 0 ? r : r / g * g + (r % g < half ? 2 * (r % g) : 2 * (r % g - half) + 1);
}

static float wanted(const stored *s, size_t row, size_t col)
{
    const float x = s->values[place_of(&s->w, row) * s->w.cols + col];
    return s->w.round_bf16 ? gr_round_bf16(x) : x;
}

static void check_panels(const stored *s)
{
    const gr_weight *w = &s->w;
    const size_t element = gr_dtype_bytes(w->panel_dtype);
    for (size_t p = 0; p < gr_n_panels(w->rows); p++)
        for (size_t k = 0; k < w->cols; k++) {
            float lane[GR_PANEL];
            gr_panel_widen(lane, (const uint8_t *)w->panels + (p * w->cols + k) * GR_PANEL * element,
                           w->panel_dtype, 1);
            for (size_t o = 0; o < GR_PANEL; o++) {
                const size_t row = p * GR_PANEL + o;
                const float want = row < w->rows ? wanted(s, row, k) : 0;
                if (gr_f32_bits(lane[o]) != gr_f32_bits(want))
                    fail_msg("%s, %zu x %zu, round %d, pairs %d: row %zu, column %zu is %g, expected %g",
                             gr_dtype_name(w->dtype), w->rows, w->cols, w->round_bf16, w->paired_rows, row, k,
                             (double)lane[o], (double)want);
            }
        }
}

/* Whole and broken panels, one column, tiles and blocks (2048 columns of f32) that do not come out even. */
static void panels_hold_what_is_stored(void **state)
{
    static const size_t sizes[][2] = { { 1, 1 },   { 32, 32 },   { 33, 31 },
                                       { 64, 65 }, { 70, 2048 }, { 40, 4100 } };
    (void)state;
    gr_error err = { 0 };
    rig r;
    rig_open(&r, RIG_CPU, 2);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int t = 0; t < 3; t++)
            for (int how = 0; how < 3; how++) {
                stored s;
                store(&s, dtypes[t], sizes[i][0], sizes[i][1], SIZE_MAX, 0);
                s.w.round_bf16 = how == 1;
                s.w.paired_rows = how == 2 && sizes[i][0] % 8 == 0 ? 8 : 0;
                MUST(r.be->ops->prepare(r.be, &s.w, GR_FORM_PANELS, &err));
                check_panels(&s);
                r.be->ops->unprepare(r.be, &s.w);
                discard(&s);
            }
    rig_close(&r);
}

static void vectors_hold_what_is_stored(void **state)
{
    (void)state;
    gr_error err = { 0 };
    rig r;
    rig_open(&r, RIG_CPU, 1);
    for (int t = 0; t < 3; t++)
        for (int round = 0; round < 2; round++) {
            stored s;
            store(&s, dtypes[t], 5, 333, SIZE_MAX, 0);
            s.w.round_bf16 = round;
            MUST(r.be->ops->prepare(r.be, &s.w, GR_FORM_VECTOR, &err));
            for (size_t i = 0; i < 5 * 333; i++)
                assert_int_equal(gr_f32_bits(s.w.vector[i]), gr_f32_bits(wanted(&s, i / 333, i % 333)));
            r.be->ops->unprepare(r.be, &s.w);
            discard(&s);
        }
    rig_close(&r);
}

/* --- looking rows up ----------------------------------------------------------------------------------- */

enum { ROWS = 70, COLS = 77, IDS = 40 };

static gr_graph *look_up_graph(rig *r, gr_rounding round)
{
    gr_error err = { 0 };
    gr_graph *g;
    MUST(gr_graph_new(&g, r->rt, "look up", round, &err));
    const int rows = gr_graph_extent(g, "rows", IDS);
    gr_value *ids = gr_graph_input_index(g, "ids", rows, 1, 1);
    gr_graph_output(g, gr_embed(ids, gr_graph_param(g, "table", ROWS, COLS), NULL));
    MUST(gr_graph_plan(g, r->be, &err));
    return g;
}

static gr_status look_up(rig *r, const gr_graph *g, const gr_weight *w, const int32_t *ids, float *out,
                         gr_error *err)
{
    float *device = rig_space(r, IDS * COLS * sizeof *out);
    const gr_run run = { .extents = { IDS },
                         .inputs = { rig_put(r, ids, IDS * sizeof *ids) },
                         .outputs = { device },
                         .params = { w },
                         .arena = rig_space(r, gr_graph_arena_bytes(g)) };
    const gr_status st = gr_graph_run(g, r->be, &run, err);
    if (st == GR_OK)
        rig_get(r, out, device, IDS * COLS * sizeof *out);
    return st;
}

static void check_rows(rig *r, gr_dtype dtype, gr_rounding round, bool panels, int pairs)
{
    gr_error err = { 0 };
    float out[IDS * COLS];
    int32_t ids[IDS];
    stored s;
    gr_graph *g = look_up_graph(r, round);
    store(&s, dtype, ROWS, COLS, SIZE_MAX, 0);
    s.w.round_bf16 = round == GR_ROUND_BF16;
    s.w.paired_rows = pairs;
    for (int i = 0; i < IDS; i++)
        ids[i] = i * 37 % ROWS;
    if (panels)
        MUST(r->be->ops->prepare(r->be, &s.w, GR_FORM_PANELS, &err));
    MUST(r->be->ops->prepare(r->be, &s.w, GR_FORM_ROWS, &err));
    if (panels) /* nothing is needed from the file any more */
        assert_int_equal(truncate(test_dir_file(&s.dir, "w"), 0), 0);
    MUST(look_up(r, g, &s.w, ids, out, &err));
    for (int i = 0; i < IDS; i++)
        for (size_t k = 0; k < COLS; k++)
            if (gr_f32_bits(out[i * COLS + (int)k]) != gr_f32_bits(wanted(&s, (size_t)ids[i], k)))
                fail_msg("%s, round %d, panels %d: row %d, column %zu", gr_dtype_name(dtype), round, panels,
                         ids[i], k);
    r->be->ops->unprepare(r->be, &s.w);
    rig_clear(r);
    gr_graph_free(g);
    discard(&s);
}

static void a_row_is_the_same_from_the_file_and_from_the_panels(void **state)
{
    (void)state;
    for (rig_kind kind = RIG_CPU; kind <= RIG_CHECK; kind++) {
        rig r;
        rig_open(&r, kind, 2);
        for (int t = 0; t < 3; t++)
            for (int panels = 0; panels < 2; panels++) {
                check_rows(&r, dtypes[t], GR_ROUND_NONE, panels, 0);
                check_rows(&r, dtypes[t], GR_ROUND_BF16, panels, 0);
                check_rows(&r, dtypes[t], GR_ROUND_NONE, panels, 10);
            }
        rig_close(&r);
    }
}

/* --- what can be wrong with a file --------------------------------------------------------------------- */

static void a_file_cut_short_is_a_sentence(void **state)
{
    (void)state;
    gr_error err = { 0 };
    int32_t ids[IDS] = { 0, 1, 69, 68 };
    float out[IDS * COLS];
    rig r;
    stored s;
    rig_open(&r, RIG_CPU, 2);
    gr_graph *g = look_up_graph(&r, GR_ROUND_NONE);
    store(&s, GR_DTYPE_BF16, ROWS, COLS, SIZE_MAX, 0);
    MUST(r.be->ops->prepare(r.be, &s.w, GR_FORM_ROWS, &err));
    MUST(look_up(&r, g, &s.w, ids, out, &err));
    assert_int_equal(truncate(test_dir_file(&s.dir, "w"), BEFORE + 68 * COLS * 2 + 10), 0);
    MUST_FAIL(
        look_up(&r, g, &s.w, ids, out, &err), GR_ERR_IO,
        "w.safetensors: tensor 'w': expected 154 bytes at 10629, found 0: the file had 10783 bytes when");
    ids[2] = 2; /* the row before is cut in two */
    MUST_FAIL(
        look_up(&r, g, &s.w, ids, out, &err), GR_ERR_IO,
        "w.safetensors: tensor 'w': expected 154 bytes at 10475, found 10: the file had 10783 bytes when");
    ids[3] = 67;
    MUST(look_up(&r, g, &s.w, ids, out, &err)); /* others are there */
    MUST_FAIL(
        r.be->ops->prepare(r.be, &s.w, GR_FORM_PANELS, &err), GR_ERR_IO,
        "w.safetensors: tensor 'w': expected 924 bytes at 9859, found 626: the file had 10783 bytes when it "
        "was opened and has 10485 now");
    MUST_FAIL(r.be->ops->prepare(r.be, &s.w, GR_FORM_VECTOR, &err), GR_ERR_IO, "expected 10780 bytes at 3");
    assert_true(!s.w.panels && !s.w.vector);
    rig_clear(&r);
    gr_graph_free(g);
    discard(&s);
    rig_close(&r);
}

/* In every form, and the first one when there are several. */
static void a_value_that_is_not_finite_is_a_sentence(void **state)
{
    (void)state;
    gr_error err = { 0 };
    int32_t ids[IDS] = { 0, 1, 69, 68 };
    float out[IDS * COLS];
    for (int t = 0; t < 3; t++)
        for (rig_kind kind = RIG_CPU; kind <= RIG_CHECK; kind++) {
            static const char *const says =
                "w.safetensors: tensor 'w': the value at row 69, column 5 is -inf, "
                "expected finite numbers only";
            rig r;
            stored s;
            rig_open(&r, kind, 2);
            gr_graph *g = look_up_graph(&r, GR_ROUND_NONE);
            store(&s, dtypes[t], ROWS, COLS, 69 * COLS + 5, -INFINITY);
            MUST_FAIL(r.be->ops->prepare(r.be, &s.w, GR_FORM_PANELS, &err), GR_ERR_FORMAT, says);
            MUST_FAIL(r.be->ops->prepare(r.be, &s.w, GR_FORM_VECTOR, &err), GR_ERR_FORMAT, says);
            if (kind == RIG_CHECK) { /* copied, and so looked at, at once */
                MUST_FAIL(r.be->ops->prepare(r.be, &s.w, GR_FORM_ROWS, &err), GR_ERR_FORMAT, says);
            } else {
                MUST(r.be->ops->prepare(r.be, &s.w, GR_FORM_ROWS, &err));
                MUST_FAIL(look_up(&r, g, &s.w, ids, out, &err), GR_ERR_FORMAT, says);
            }
            r.be->ops->unprepare(r.be, &s.w);
            rig_clear(&r);
            gr_graph_free(g);
            discard(&s);
            rig_close(&r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panels_hold_what_is_stored),
        cmocka_unit_test(vectors_hold_what_is_stored),
        cmocka_unit_test(a_row_is_the_same_from_the_file_and_from_the_panels),
        cmocka_unit_test(a_file_cut_short_is_a_sentence),
        cmocka_unit_test(a_value_that_is_not_finite_is_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
