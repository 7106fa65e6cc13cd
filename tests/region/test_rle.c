#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "io/json.h"
#include "region/box.h"
#include "region/polygon.h"
#include "region/rle.h"

static int start(void **state) { return (*state = test_runtime()) == NULL; }

static int stop(void **state)
{
    gr_runtime_free(*state);
    return 0;
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    static uint32_t table[256];
    for (uint32_t i = 0; !table[255] && i < 256; i++) {
        uint32_t v = i;
        for (int k = 0; k < 8; k++)
            v = v >> 1 ^ (v & 1 ? 0xedb88320u : 0);
        table[i] = v;
    }
    uint32_t crc = ~0u;
    while (n--)
        crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
    return ~crc;
}

static void check_text(const gr_rle *r, const char *want, const char *what)
{
    gr_error err = { 0 };
    gr_buf text;
    gr_buf_init(&text, r->rt, 1 << 24);
    MUST(gr_rle_to_text(&text, r, &err));
    if (strcmp(gr_buf_str(&text), want))
        fail_msg("%s: text '%.200s', expected '%.200s'", what, gr_buf_str(&text), want);
    gr_buf_fini(&text);
}

static void check_runs(const gr_rle *r, const uint32_t *want, size_t n)
{
    assert_int_equal(r->n, n);
    assert_memory_equal(r->runs, want, n * sizeof *want);
}

/* --- small cases of the specification ------------------------------------------------------------ */

static void runs_go_down_columns_and_start_with_zeros(void **state)
{
    static const struct {
        int h, w;
        uint8_t rows[12];
        uint32_t runs[6];
        size_t n;
        const char *text;
        double box[4];
    } cases[] = {
        { 3, 4, { 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0 }, { 3, 2, 1, 2, 4 }, 5, "32103", { 1, 0, 2, 2 } },
        { 2, 3, { 1, 1, 0, 0, 1, 1 }, { 0, 1, 1, 2, 1, 1 }, 6, "01110O", { 0, 0, 3, 2 } },
    };
    for (size_t i = 0; i < 2; i++) {
        gr_error err = { 0 };
        gr_mask *mask, *back;
        gr_rle r, again;
        double box[4];
        MUST(gr_mask_new(&mask, *state, cases[i].w, cases[i].h, &err));
        memcpy(mask->data, cases[i].rows, (size_t)(cases[i].w * cases[i].h));
        MUST(gr_rle_from_mask(&r, mask, &err));
        check_runs(&r, cases[i].runs, cases[i].n);
        check_text(&r, cases[i].text, "small case");
        MUST(gr_rle_from_text(&again, *state, cases[i].h, cases[i].w, cases[i].text, strlen(cases[i].text),
                              &err));
        check_runs(&again, cases[i].runs, cases[i].n);
        MUST(gr_rle_to_mask(&back, &again, &err));
        assert_memory_equal(back->data, mask->data, (size_t)(cases[i].w * cases[i].h));
        gr_rle_box(&r, box);
        assert_memory_equal(box, cases[i].box, sizeof box);
        assert_int_equal(gr_rle_area(&r), gr_mask_area(mask));
        gr_rle_fini(&r);
        gr_rle_fini(&again);
        gr_mask_free(mask);
        gr_mask_free(back);
    }
}

static void large_numbers_take_several_characters(void **state)
{
    static const uint32_t runs[] = { 100, 1000, 5, 40000, 3 }, dot[] = { 0, 12 };
    gr_error err = { 0 };
    gr_rle r;
    MUST(gr_rle_from_text(&r, *state, 41108, 1, "T3Xo05hRV1N", 11, &err));
    check_runs(&r, runs, 5);
    check_text(&r, "T3Xo05hRV1N", "large numbers");
    gr_rle_fini(&r);
    MUST(gr_rle_from_text(&r, *state, 3, 4, "0<", 2, &err));
    check_runs(&r, dot, 2);
    gr_rle_fini(&r);
}

static void broken_run_lengths_are_explained(void **state)
{
    gr_error err = { 0 };
    gr_rle r;
#define REFUSED(h, w, text, status, part) \
    MUST_FAIL(gr_rle_from_text(&r, *state, h, w, text, strlen(text), &err), status, part)
    REFUSED(3, 4, "32104", GR_ERR_FORMAT, "sum to 13, expected 3 x 4 = 12");
    REFUSED(3, 4, "", GR_ERR_FORMAT, "sum to 0");
    REFUSED(3, 4, "3210T", GR_ERR_FORMAT, "end inside a number");
    REFUSED(3, 4, "3 103", GR_ERR_FORMAT, "character 2 of the run lengths is 0x20");
    REFUSED(3, 4, "3p103", GR_ERR_FORMAT, "0x70");
    REFUSED(3, 4, "O", GR_ERR_FORMAT, "run 0 is -1");
    REFUSED(3, 4, "3210I", GR_ERR_FORMAT, "run 4 is -6");
    REFUSED(3, 4, "=", GR_ERR_FORMAT, "run 0 is 13");
    REFUSED(3, 4, "ooooooooooooooooooooo", GR_ERR_FORMAT, "over 32 bits");
    REFUSED(0, 4, "0", GR_ERR_ARG, "4 x 0");
    REFUSED(-3, 4, "0", GR_ERR_ARG, "-3");
    REFUSED(100000, 100000, "0", GR_ERR_LIMIT, "178956970");
    const uint32_t runs[] = { 4294967295u, 4294967295u, 14 };
    MUST_FAIL(gr_rle_from_runs(&r, *state, 3, 4, runs, 3, &err), GR_ERR_FORMAT, "sum to 8589934604");
    MUST_FAIL(gr_rle_from_runs(&r, *state, 3, 4, runs, GR_RLE_MAX_RUNS + 1, &err), GR_ERR_LIMIT,
              "4194305 runs");
    assert_null(r.runs);
#undef REFUSED
}

static void runs_of_nothing_are_harmless(void **state)
{
    gr_error err = { 0 };
    const uint32_t runs[] = { 0, 0, 2, 0, 0, 3, 0, 0, 1 };
    gr_rle r, merged;
    double box[4];
    MUST(gr_rle_from_runs(&r, *state, 3, 2, runs, 9, &err));
    gr_rle_box(&r, box);
    assert_true(box[0] == 0 && box[1] == 0 && box[2] == 2 && box[3] == 3);
    MUST(gr_rle_merge(&merged, &r, &r, false, &err)); /* merging also tidies */
    const uint32_t tidy[] = { 2, 3, 1 };
    check_runs(&merged, tidy, 3);
    assert_true(gr_rle_iou(&r, &merged, false) == 1);
    gr_rle_fini(&r);
    gr_rle_fini(&merged);
}

static void random_masks_survive_the_round_trip(void **state)
{
    for (int i = 0; i < 300; i++) {
        const int w = 1 + (int)(gr_uniform(1, (uint64_t)i, 0) * 40),
                  h = 1 + (int)(gr_uniform(1, (uint64_t)i, 1) * 40);
        const double density = gr_uniform(1, (uint64_t)i, 2);
        gr_error err = { 0 };
        gr_mask *mask, *back;
        gr_rle r, again;
        gr_buf text;
        gr_bounds b;
        double box[4];
        MUST(gr_mask_new(&mask, *state, w, h, &err));
        for (int k = 0; k < w * h; k++)
            mask->data[k] = gr_uniform(2, (uint64_t)i, (uint64_t)k / 3) < density;
        gr_buf_init(&text, *state, 1 << 20);
        MUST(gr_rle_from_mask(&r, mask, &err));
        MUST(gr_rle_to_text(&text, &r, &err));
        MUST(gr_rle_from_text(&again, *state, h, w, gr_buf_str(&text), text.len, &err));
        MUST(gr_rle_to_mask(&back, &again, &err));
        if (memcmp(back->data, mask->data, (size_t)(w * h)))
            fail_msg("mask %d of %d x %d does not come back", i, w, h);
        gr_rle_box(&r, box);
        gr_mask_bounds(mask, &b);
        assert_true(box[0] == b.x0 && box[0] + box[2] == b.x1); /* columns; rows may be widened */
        assert_true(box[1] <= b.y0 && box[1] + box[3] >= b.y1);
        gr_buf_fini(&text);
        gr_rle_fini(&r);
        gr_rle_fini(&again);
        gr_mask_free(mask);
        gr_mask_free(back);
    }
}

/* --- polygons ------------------------------------------------------------------------------------ */

static void polygons_are_drawn_as_coco_does(void **state)
{
    static const struct {
        int h, w;
        double xy[8];
        size_t n;
        const char *text;
    } cases[] = {
        { 5, 6, { 1, 1, 4, 1, 4, 3, 1, 3 }, 4, "6230009" },
        { 4, 5, { .5, .5, 3.5, .5, 3.5, 2.5 }, 3, "91303" },
    };
    gr_error err = { 0 };
    gr_rle r;
    for (size_t i = 0; i < 2; i++) {
        MUST(gr_polygon_to_rle(&r, *state, cases[i].h, cases[i].w, cases[i].xy, cases[i].n, &err));
        check_text(&r, cases[i].text, "small polygon");
        gr_rle_fini(&r);
    }
    const double box[4] = { 1, 1, 3, 2 };
    MUST(gr_coco_box_to_rle(&r, *state, 5, 6, box, &err));
    check_text(&r, "6230009", "small box");
    gr_rle_fini(&r);
    const double same[6] = { 2, 2, 2, 2, 2, 2 }; /* no extent at all */
    MUST(gr_polygon_to_rle(&r, *state, 5, 6, same, 3, &err));
    assert_int_equal(gr_rle_area(&r), 0);
    gr_rle_fini(&r);
}

static void absurd_polygons_are_refused(void **state)
{
    gr_error err = { 0 };
    gr_rle r;
    const double nan[6] = { 0, 0, 5, NAN, 5, 5 }, far[6] = { 0, 0, 5, 2e6, 5, 5 }, inf[2] = { INFINITY, 1 };
    MUST_FAIL(gr_polygon_to_rle(&r, *state, 9, 9, nan, 3, &err), GR_ERR_ARG, "y of polygon point 1 is nan");
    MUST_FAIL(gr_polygon_to_rle(&r, *state, 9, 9, far, 3, &err), GR_ERR_ARG, "2e+06");
    MUST_FAIL(gr_polygon_to_rle(&r, *state, 9, 9, inf, 1, &err), GR_ERR_ARG, "x of polygon point 0 is inf");
    MUST_FAIL(gr_polygon_to_rle(&r, *state, 9, 9, inf, 0, &err), GR_ERR_ARG, "without points");
    static double zigzag[2 * 100];
    for (int i = 0; i < 100; i++)
        zigzag[2 * i] = i % 2 ? 1e6 : -1e6;
    MUST_FAIL(gr_polygon_to_rle(&r, *state, 9, 9, zigzag, 100, &err), GR_ERR_LIMIT, "fifths of a pixel");
}

/* A square ring with a square hole; edges on pixel borders and on centres. */
static void even_odd_cuts_holes_by_pixel_centres(void **state)
{
    static const double xy[] = { 1, 1, 7, 1, 7, 7, 1, 7, /* hole */ 2.5, 2.5, 5.5, 2.5, 5.5, 5.5, 2.5, 5.5 };
    static const size_t first[] = { 0, 4, 8 };
    gr_error err = { 0 };
    gr_mask *m;
    MUST(gr_mask_new(&m, *state, 8, 8, &err));
    MUST(gr_polygon_even_odd(m, xy, first, 2, &err));
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            const bool outer = x >= 1 && x < 7 && y >= 1 && y < 7, hole = x >= 2 && x < 5 && y >= 2 && y < 5;
            if (m->data[8 * y + x] != (outer && !hole))
                fail_msg("pixel %d, %d is %d", x, y, m->data[8 * y + x]);
        }
    gr_mask_free(m);
    /* Far over every border: all inside. */
    static const double huge[] = { -1e6, -1e6, 1e6, -1e6, 1e6, 1e6, -1e6, 1e6 };
    MUST(gr_mask_new(&m, *state, 5, 3, &err));
    MUST(gr_polygon_even_odd(m, huge, first, 1, &err));
    assert_int_equal(gr_mask_area(m), 15);
    gr_mask_free(m);
}

/* --- vectors of the reference program ------------------------------------------------------------ */

typedef struct {
    int h, w;
    char kind[16];
    char *text[8]; /* counts, or the inputs */
    int n_text;
    char *joined, *met; /* union, intersection */
    int64_t area;
    uint32_t crc;
    uint32_t *runs;
    size_t n_runs;
    double *xy;
    size_t n_xy;
    double box[4], iou[8][8], iou_crowd[8][8], dt[8][4], gt[8][4];
    int n_dt, n_gt;
} vector;

static size_t read_numbers(gr_json *j, double *out, size_t max)
{
    size_t n = 0;
    for (gr_json_array(j); gr_json_item(j);) {
        const double v = gr_json_number(j);
        if (n < max)
            out[n++] = v;
    }
    return n;
}

static char *read_string(gr_json *j)
{
    char *copy = strdup(gr_json_string(j, NULL));
    assert_non_null(copy);
    return copy;
}

static void read_vector(gr_json *j, vector *v)
{
    const char *key;
    *v = (vector){ .xy = malloc(sizeof(double) * 4096), .runs = malloc(sizeof(uint32_t) * 65536) };
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "h") == 0)
            v->h = (int)gr_json_int(j, 1, 10000);
        else if (strcmp(key, "w") == 0)
            v->w = (int)gr_json_int(j, 1, 10000);
        else if (strcmp(key, "counts") == 0)
            v->text[v->n_text++] = read_string(j);
        else if (strcmp(key, "inputs") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                v->text[v->n_text++ & 7] = read_string(j);
        else if (strcmp(key, "union") == 0)
            v->joined = read_string(j);
        else if (strcmp(key, "intersection") == 0)
            v->met = read_string(j);
        else if (strcmp(key, "area") == 0)
            v->area = gr_json_int(j, 0, INT64_MAX);
        else if (strcmp(key, "crc32") == 0)
            v->crc = (uint32_t)gr_json_int(j, 0, UINT32_MAX);
        else if (strcmp(key, "counts_list") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                v->runs[v->n_runs++ & 65535] = (uint32_t)gr_json_int(j, 0, UINT32_MAX);
        else if (strcmp(key, "poly") == 0)
            v->n_xy = read_numbers(j, v->xy, 4096);
        else if (strcmp(key, "bbox") == 0 || strcmp(key, "bbox_in") == 0)
            read_numbers(j, v->box, 4);
        else if (strcmp(key, "iou") == 0 || strcmp(key, "iou_crowd") == 0) {
            int row = 0;
            const bool crowd = key[3] != '\0';
            for (gr_json_array(j); gr_json_item(j); row++)
                read_numbers(j, crowd ? v->iou_crowd[row & 7] : v->iou[row & 7], 8);
        } else if (strcmp(key, "dt") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                read_numbers(j, v->dt[v->n_dt++ & 7], 4);
        else if (strcmp(key, "gt") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                read_numbers(j, v->gt[v->n_gt++ & 7], 4);
        else
            gr_json_skip(j);
    }
}

static void free_vector(vector *v)
{
    for (int i = 0; i < v->n_text; i++)
        free(v->text[i]);
    free(v->joined), free(v->met), free(v->runs), free(v->xy);
}

static void check_box(const gr_rle *r, const double want[4], const char *what)
{
    double box[4];
    gr_rle_box(r, box);
    for (int k = 0; k < 4; k++)
        if (box[k] != want[k])
            fail_msg("%s: box [%g %g %g %g], expected [%g %g %g %g]", what, box[0], box[1], box[2], box[3],
                     want[0], want[1], want[2], want[3]);
}

static void check_encode(gr_runtime *rt, const vector *v)
{
    gr_error err = { 0 };
    gr_rle r, back;
    gr_mask *mask;
    MUST(gr_rle_from_text(&r, rt, v->h, v->w, v->text[0], strlen(v->text[0]), &err));
    check_runs(&r, v->runs, v->n_runs);
    MUST(gr_rle_to_mask(&mask, &r, &err));
    assert_int_equal(crc32_of(mask->data, (size_t)(v->h * v->w)), v->crc);
    assert_int_equal(gr_mask_area(mask), v->area);
    MUST(gr_rle_from_mask(&back, mask, &err));
    check_text(&back, v->text[0], "encode");
    check_box(&r, v->box, "encode");
    gr_rle_fini(&r);
    gr_rle_fini(&back);
    gr_mask_free(mask);
}

static void check_merge(gr_runtime *rt, const vector *v)
{
    gr_error err = { 0 };
    gr_rle in[8], all[2];
    for (int i = 0; i < v->n_text; i++)
        MUST(gr_rle_from_text(&in[i], rt, v->h, v->w, v->text[i], strlen(v->text[i]), &err));
    for (int which = 0; which < 2; which++) {
        MUST(gr_rle_merge(&all[which], &in[0], &in[0], which, &err));
        for (int i = 1; i < v->n_text; i++) {
            gr_rle next;
            MUST(gr_rle_merge(&next, &all[which], &in[i], which, &err));
            gr_rle_fini(&all[which]);
            all[which] = next;
        }
        check_text(&all[which], which ? v->met : v->joined, which ? "intersection" : "union");
        gr_rle_fini(&all[which]);
    }
    for (int a = 0; a < v->n_text; a++)
        for (int b = 0; b < v->n_text; b++) {
            assert_true(fabs(gr_rle_iou(&in[a], &in[b], false) - v->iou[a][b]) <= 1e-12);
            assert_true(fabs(gr_rle_iou(&in[a], &in[b], true) - v->iou_crowd[a][b]) <= 1e-12);
        }
    for (int i = 0; i < v->n_text; i++)
        gr_rle_fini(&in[i]);
}

static void check_drawn(gr_runtime *rt, const vector *v, bool polygon)
{
    gr_error err = { 0 };
    gr_rle r;
    if (polygon)
        MUST(gr_polygon_to_rle(&r, rt, v->h, v->w, v->xy, v->n_xy / 2, &err));
    else
        MUST(gr_coco_box_to_rle(&r, rt, v->h, v->w, v->box, &err));
    check_text(&r, v->text[0], polygon ? "polygon" : "box");
    assert_int_equal(gr_rle_area(&r), v->area);
    if (polygon)
        check_box(&r, v->box, "polygon");
    gr_rle_fini(&r);
}

static void the_reference_vectors_come_out(void **state)
{
    NEED_SHARED("golden/masks/rle_cases.json");
    gr_error err = { 0 };
    char *text;
    size_t n;
    MUST(gr_file_read(*state, SHARED_FILE("golden/masks/rle_cases.json"), 1 << 24, &text, &n, &err));
    gr_json j;
    gr_json_init(&j, *state, text, n, "rle_cases.json", 1 << 20);
    const char *key;
    int count[5] = { 0 };
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        static const char *const groups[] = { "encode", "merge_iou", "polygon", "box", "box_iou" };
        int group = 0;
        while (group < 5 && strcmp(key, groups[group]))
            group++;
        if (group == 5 || gr_json_peek(&j) != GR_JSON_ARRAY) {
            gr_json_skip(&j);
            continue;
        }
        for (gr_json_array(&j); gr_json_item(&j); count[group]++) {
            vector v;
            read_vector(&j, &v);
            if (group == 0)
                check_encode(*state, &v);
            else if (group == 1)
                check_merge(*state, &v);
            else if (group < 4)
                check_drawn(*state, &v, group == 2);
            for (int a = 0; a < v.n_dt && group == 4; a++)
                for (int b = 0; b < v.n_gt; b++) {
                    assert_true(fabs(gr_coco_box_iou(v.dt[a], v.gt[b], false) - v.iou[a][b]) <= 1e-12);
                    assert_true(fabs(gr_coco_box_iou(v.dt[a], v.gt[b], true) - v.iou_crowd[a][b]) <= 1e-12);
                }
            free_vector(&v);
        }
    }
    MUST(gr_json_status(&j, true, &err));
    printf("%d encoded, %d merged, %d polygons, %d boxes, %d box overlaps\n", count[0], count[1], count[2],
           count[3], count[4]);
    for (int i = 0; i < 5; i++)
        assert_true(count[i] > 0);
    gr_json_fini(&j);
    gr_free(*state, text);
}

/* --- every mask of the published annotations ----------------------------------------------------- */

typedef struct {
    char file[128];
    int entry, mask, h, w;
    int64_t area, runs;
    double bbox[4], minmax[4];
    uint32_t crc;
} mask_line;

static void read_line(gr_json *j, mask_line *l)
{
    const char *key;
    *l = (mask_line){ 0 };
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "file") == 0)
            snprintf(l->file, sizeof l->file, "%s", gr_json_string(j, NULL));
        else if (strcmp(key, "bbox") == 0)
            read_numbers(j, l->bbox, 4);
        else if (strcmp(key, "minmax") == 0)
            read_numbers(j, l->minmax, 4);
        else if (strcmp(key, "entry") == 0)
            l->entry = (int)gr_json_int(j, 0, 100000);
        else if (strcmp(key, "mask") == 0)
            l->mask = (int)gr_json_int(j, 0, 1000);
        else if (strcmp(key, "h") == 0)
            l->h = (int)gr_json_int(j, 1, 100000);
        else if (strcmp(key, "w") == 0)
            l->w = (int)gr_json_int(j, 1, 100000);
        else if (strcmp(key, "area") == 0)
            l->area = gr_json_int(j, 0, INT64_MAX);
        else if (strcmp(key, "runs") == 0)
            l->runs = gr_json_int(j, 0, INT64_MAX);
        else if (strcmp(key, "crc32") == 0)
            l->crc = (uint32_t)gr_json_int(j, 0, UINT32_MAX);
        else
            gr_json_skip(j);
    }
}

static void check_against(const gr_rle *r, const mask_line *l)
{
    gr_error err = { 0 };
    gr_mask *mask;
    gr_rle back;
    gr_bounds b;
    char what[200];
    snprintf(what, sizeof what, "%s entry %d mask %d", l->file, l->entry, l->mask);
    if (r->height != l->h || r->width != l->w || (int64_t)gr_rle_area(r) != l->area ||
        (int64_t)r->n != l->runs)
        fail_msg("%s: [%d, %d], area %llu, %zu runs", what, r->height, r->width,
                 (unsigned long long)gr_rle_area(r), r->n);
    check_box(r, l->bbox, what);
    MUST(gr_rle_to_mask(&mask, r, &err));
    if (crc32_of(mask->data, (size_t)mask->width * (size_t)mask->height) != l->crc)
        fail_msg("%s: the pixels differ", what);
    assert_true(gr_mask_bounds(mask, &b));
    assert_true(b.x0 == l->minmax[0] && b.y0 == l->minmax[1] && b.x1 - 1 == l->minmax[2] &&
                b.y1 - 1 == l->minmax[3]);
    MUST(gr_rle_from_mask(&back, mask, &err));
    check_runs(&back, r->runs, r->n);
    gr_rle_fini(&back);
    gr_mask_free(mask);
}

/* {"size": [h, w], "counts": text} */
static void read_rle(gr_json *j, gr_runtime *rt, gr_rle *r)
{
    const char *key;
    double size[2] = { 0 };
    char *counts = NULL;
    for (gr_json_object(j); gr_json_key(j, &key);)
        if (strcmp(key, "size") == 0)
            read_numbers(j, size, 2);
        else if (strcmp(key, "counts") == 0)
            counts = read_string(j);
        else
            gr_json_skip(j);
    gr_error err = { 0 };
    assert_non_null(counts);
    MUST(gr_rle_from_text(r, rt, (int)size[0], (int)size[1], counts, strlen(counts), &err));
    free(counts);
}

/* The masks of one annotation file, in order, each against its line. */
typedef struct {
    gr_runtime *rt;
    const mask_line *lines;
    size_t n, at;
} mask_walk;

static void check_next(mask_walk *w, const gr_rle *r, const char *file)
{
    if (w->at >= w->n || strcmp(w->lines[w->at].file, file))
        fail_msg("%s has more masks than lines", file);
    check_against(r, &w->lines[w->at++]);
}

/* Ferret-Bench gives polygons; the picture's size is in the line. */
static void check_polygons(mask_walk *w, gr_json *j, const char *file)
{
    gr_error err = { 0 };
    gr_rle all = { 0 };
    assert_true(w->at < w->n);
    const mask_line *l = &w->lines[w->at];
    for (gr_json_array(j); gr_json_item(j);) {
        static double xy[8192];
        const size_t n = read_numbers(j, xy, 8192);
        gr_rle ring, both;
        MUST(gr_polygon_to_rle(&ring, w->rt, l->h, l->w, xy, n / 2, &err));
        if (all.n) {
            MUST(gr_rle_merge(&both, &all, &ring, false, &err));
            gr_rle_fini(&all);
            gr_rle_fini(&ring);
            all = both;
        } else
            all = ring;
    }
    check_next(w, &all, file);
    gr_rle_fini(&all);
}

static void walk_value(mask_walk *w, gr_json *j, const char *file);

static void walk_object(mask_walk *w, gr_json *j, const char *file)
{
    const char *key;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        gr_rle r;
        const bool polygons = strstr(file, "Ferret") != NULL;
        if (strcmp(key, "mask_rle") == 0 || (strcmp(key, "segmentation") == 0 && !polygons)) {
            read_rle(j, w->rt, &r);
            check_next(w, &r, file);
            gr_rle_fini(&r);
        } else if (strcmp(key, "segmentation") == 0)
            check_polygons(w, j, file);
        else if (strcmp(key, "mask_rles") == 0)
            for (gr_json_array(j); gr_json_item(j);) {
                read_rle(j, w->rt, &r);
                check_next(w, &r, file);
                gr_rle_fini(&r);
            }
        else
            walk_value(w, j, file);
    }
}

static void walk_value(mask_walk *w, gr_json *j, const char *file)
{
    if (gr_json_peek(j) == GR_JSON_OBJECT)
        walk_object(w, j, file);
    else if (gr_json_peek(j) == GR_JSON_ARRAY)
        for (gr_json_array(j); gr_json_item(j);)
            walk_value(w, j, file);
    else
        gr_json_skip(j);
}

static void every_published_mask_decodes_to_its_pixels(void **state)
{
    NEED_SHARED("golden/masks/masks.jsonl");
    gr_error err = { 0 };
    char *text;
    size_t n, n_lines = 0;
    MUST(gr_file_read(*state, SHARED_FILE("golden/masks/masks.jsonl"), 1 << 24, &text, &n, &err));
    mask_line *lines = calloc(4096, sizeof *lines);
    for (char *at = text, *end; at < text + n && n_lines < 4096; at = end + 1) {
        end = memchr(at, '\n', (size_t)(text + n - at));
        end = end ? end : text + n;
        gr_json j;
        gr_json_init(&j, *state, at, (size_t)(end - at), "masks.jsonl", 1 << 16);
        read_line(&j, &lines[n_lines++]);
        MUST(gr_json_status(&j, true, &err));
        gr_json_fini(&j);
    }
    gr_free(*state, text);
    mask_walk w = { *state, lines, n_lines, 0 };
    while (w.at < n_lines) {
        char path[512];
        const char *file = lines[w.at].file;
        const size_t before = w.at;
        snprintf(path, sizeof path, "%s/%s", GR_SHARED_DATA, file);
        MUST(gr_file_read(*state, path, 1 << 28, &text, &n, &err));
        gr_json j;
        gr_json_init(&j, *state, text, n, file, 1 << 24);
        walk_value(&w, &j, file);
        MUST(gr_json_status(&j, true, &err));
        gr_json_fini(&j);
        gr_free(*state, text);
        if (w.at == before || (w.at < n_lines && strcmp(lines[w.at].file, file) == 0))
            fail_msg("%s has fewer masks than lines", file);
    }
    printf("%zu masks\n", n_lines);
    assert_true(n_lines >= 1600);
    free(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_go_down_columns_and_start_with_zeros),
        cmocka_unit_test(large_numbers_take_several_characters),
        cmocka_unit_test(broken_run_lengths_are_explained),
        cmocka_unit_test(runs_of_nothing_are_harmless),
        cmocka_unit_test(random_masks_survive_the_round_trip),
        cmocka_unit_test(polygons_are_drawn_as_coco_does),
        cmocka_unit_test(absurd_polygons_are_refused),
        cmocka_unit_test(even_odd_cuts_holes_by_pixel_centres),
        cmocka_unit_test(the_reference_vectors_come_out),
        cmocka_unit_test(every_published_mask_decodes_to_its_pixels),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
