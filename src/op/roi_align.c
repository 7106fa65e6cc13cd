/* roi_align.c - boxes of a map of tiles pooled to a square grid. Source: He et al. 2017 (Mask R-CNN), section
 * 3; sampling as in torchvision.ops.roi_align with aligned=True and sampling_ratio=2.
 *
 * A cell is the mean of 2 x 2 samples. A sample more than a cell outside the map counts 0; otherwise it is
 * clamped to the map and interpolated between four cells. Boxes come in cells, already shifted by half a
 * cell; a box without area is all one sample. */
#include <math.h>
#include <string.h>

#include "graph/op.h"
#include "op/ops.h"

#define SAMPLES      2
#define COLUMN_BLOCK 64

/* The map: tiles of side x side rows, `across` x `down` of them, row by row from feature row `first`. */
typedef struct {
    size_t side, across, first;
    int width, height; /* cells */
} map_shape;

static map_shape shape_of(const gr_task *t, const gr_mat *canvas)
{
    const size_t side = (size_t)t->attr.side;
    return (map_shape){ side, (size_t)canvas->i[0], (size_t)canvas->i[2], canvas->i[0] * (int)side,
                        canvas->i[1] * (int)side };
}

static size_t row_of(const map_shape *m, int y, int x)
{
    const size_t ty = (size_t)y / m->side, tx = (size_t)x / m->side;
    return m->first + (ty * m->across + tx) * m->side * m->side + (size_t)y % m->side * m->side +
           (size_t)x % m->side;
}

/* The four rows a sample reads and their weights; false: it counts 0. */
typedef struct {
    size_t row[4];
    float weight[4];
} sample;

static void axis(float at, int size, int *low, int *high, float *fraction)
{
    if (at < 0)
        at = 0;
    *low = (int)at;
    if (*low >= size - 1) {
        *low = *high = size - 1;
        *fraction = 0;
    } else {
        *high = *low + 1;
        *fraction = at - (float)*low;
    }
}

static bool sample_at(const map_shape *m, float y, float x, sample *s)
{
    if (!(y >= -1.0f && y <= (float)m->height && x >= -1.0f && x <= (float)m->width))
        return false;
    int y0, y1, x0, x1;
    float fy, fx;
    axis(y, m->height, &y0, &y1, &fy);
    axis(x, m->width, &x0, &x1, &fx);
    *s = (sample){ { row_of(m, y0, x0), row_of(m, y0, x1), row_of(m, y1, x0), row_of(m, y1, x1) },
                   { (1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx } };
    return true;
}

/* Sample i of cell (row, col) of a box pooled to grid x grid. */
static bool box_sample(const map_shape *m, const float *box, int grid, int row, int col, int i, sample *s)
{
    const float bin_x = (box[2] - box[0]) / (float)grid, bin_y = (box[3] - box[1]) / (float)grid;
    const float y = box[1] + (float)row * bin_y + ((float)(i / SAMPLES) + 0.5f) * bin_y / SAMPLES;
    const float x = box[0] + (float)col * bin_x + ((float)(i % SAMPLES) + 0.5f) * bin_x / SAMPLES;
    return sample_at(m, y, x, s);
}

static bool roi_infer(gr_node *n)
{
    const gr_value *boxes = n->in[1], *canvas = n->in[2];
    if (boxes->cols != 4 || !canvas->index || canvas->cols != 3 || n->attr.side < 1 || n->attr.factor < 1) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE,
                      "roi_align: boxes of %d columns, expected 4; canvas of %d, expected an index of 3",
                      boxes->cols, canvas->cols);
        return false;
    }
    n->out[0]->extent = boxes->extent;
    n->out[0]->factor = boxes->factor * n->attr.factor * n->attr.factor;
    return true;
}

static void roi_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const int grid = t->attr.factor;
    const map_shape m = shape_of(t, &t->in[2]);
    const size_t cells = (size_t)grid * (size_t)grid, cols = t->out[0].cols;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const size_t cell = r % cells;
        float *y = gr_row(&t->out[0], r);
        memset(y, 0, cols * sizeof *y);
        for (int i = 0; i < SAMPLES * SAMPLES; i++) {
            sample s;
            if (!box_sample(&m, gr_row(&t->in[1], r / cells), grid, (int)cell / grid, (int)cell % grid, i,
                            &s))
                continue;
            const float *a = gr_row(&t->in[0], s.row[0]), *b = gr_row(&t->in[0], s.row[1]);
            const float *c = gr_row(&t->in[0], s.row[2]), *d = gr_row(&t->in[0], s.row[3]);
            for (size_t k = 0; k < cols; k++)
                y[k] += s.weight[0] * a[k] + s.weight[1] * b[k] + s.weight[2] * c[k] + s.weight[3] * d[k];
        }
        for (size_t k = 0; k < cols; k++)
            y[k] /= SAMPLES * SAMPLES;
        gr_finish(t, y, cols);
    }
}

extern const gr_op gr_op_roi_align_grad;

static void roi_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)want;
    gr_value *in[] = { dy[0], n->in[1], n->in[2], n->in[0] };
    gr_node *back = gr_graph_add(g, &gr_op_roi_align_grad, &n->attr, in, 4);
    dx[0] = back ? back->out[0] : NULL;
}

static gr_cost roi_cost(const gr_node *n, const int *extents)
{
    const double cells = (double)gr_value_rows(n->out[0], extents) * n->out[0]->cols;
    return (gr_cost){ 33 * cells, 4 * 5 * cells };
}

const gr_op gr_op_roi_align = { .name = "roi_align",
                                .min_in = 3,
                                .max_in = 3,
                                .n_out = 1,
                                .infer = roi_infer,
                                .forward = roi_forward,
                                .cost = roi_cost,
                                .grad = roi_rule };

/* Inputs dy, boxes, canvas, and the features for their shape. Every cell's gradient goes to the rows it was
 * read from, in the order of cells; a unit is a block of columns, so no two units touch the same number. */
static bool roi_grad_infer(gr_node *n)
{
    n->out[0]->extent = n->in[3]->extent;
    n->out[0]->factor = n->in[3]->factor;
    return true;
}

static size_t roi_grad_units(const gr_task *t, int phase)
{
    (void)phase;
    return (t->out[0].cols + COLUMN_BLOCK - 1) / COLUMN_BLOCK;
}

static void roi_grad_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const int grid = t->attr.factor;
    const map_shape m = shape_of(t, &t->in[2]);
    const size_t cells = (size_t)grid * (size_t)grid, c0 = unit * COLUMN_BLOCK;
    const size_t n = t->out[0].cols - c0 < COLUMN_BLOCK ? t->out[0].cols - c0 : COLUMN_BLOCK;
    for (size_t r = 0; r < t->out[0].rows && !t->adds; r++)
        memset(gr_row(&t->out[0], r) + c0, 0, n * sizeof(float));
    for (size_t r = 0; r < t->in[0].rows; r++)
        for (int i = 0; i < SAMPLES * SAMPLES; i++) {
            sample s;
            const size_t cell = r % cells;
            if (!box_sample(&m, gr_row(&t->in[1], r / cells), grid, (int)cell / grid, (int)cell % grid, i,
                            &s))
                continue;
            const float *dy = gr_row(&t->in[0], r) + c0;
            for (int corner = 0; corner < 4; corner++) {
                float *dx = gr_row(&t->out[0], s.row[corner]) + c0;
                const float w = s.weight[corner] / (SAMPLES * SAMPLES);
                for (size_t k = 0; k < n; k++)
                    dx[k] += w * dy[k];
            }
        }
    for (size_t r = 0; r < t->out[0].rows && !t->adds; r++)
        gr_finish(t, gr_row(&t->out[0], r) + c0, n);
}

const gr_op gr_op_roi_align_grad = { .name = "roi_align_grad",
                                     .min_in = 4,
                                     .max_in = 4,
                                     .n_out = 1,
                                     .adds = true,
                                     .infer = roi_grad_infer,
                                     .units = roi_grad_units,
                                     .forward = roi_grad_forward };

gr_value *gr_roi_align(gr_value *features, gr_value *boxes, gr_value *canvas, int tile_side, int side)
{
    gr_value *in[] = { features, boxes, canvas };
    const gr_attr attr = { .side = tile_side, .factor = side };
    gr_node *n =
        features && boxes && canvas ? gr_graph_add(features->graph, &gr_op_roi_align, &attr, in, 3) : NULL;
    return n ? n->out[0] : NULL;
}
