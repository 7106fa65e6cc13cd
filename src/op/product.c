#include "op/product.h"

#include <string.h>

#include "backend/cpu/kernels.h"
#include "backend/weight.h"

#define GROUP 16 /* most panels that share one laying of rows side by side */

static size_t row_blocks(const gr_product *p) { return (p->rows + p->block_rows - 1) / p->block_rows; }

/* As large as leaves four units to each worker, since a group shares the laying of its rows. */
static size_t panels_a_unit(const gr_product *p, int n_workers)
{
    const size_t blocks = row_blocks(p), n_panels = gr_n_panels(p->cols);
    size_t group = GROUP;
    while (group > 1 && blocks * ((n_panels + group - 1) / group) < 4 * (size_t)n_workers)
        group /= 2;
    return group;
}

size_t gr_product_scratch(size_t block_rows)
{
    return (block_rows + GR_STRIP_MAX + GR_PANEL) * GR_K_BLOCK * sizeof(float);
}

size_t gr_product_units(const gr_product *p, int n_workers)
{
    const size_t group = panels_a_unit(p, n_workers);
    return row_blocks(p) * ((gr_n_panels(p->cols) + group - 1) / group);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

void gr_product_rows(const gr_product *p, float *strips, size_t r0, size_t rows, size_t i0, size_t n)
{
    const size_t tall = (size_t)p->k->strip_rows;
    for (size_t r = 0; r < rows; r += tall)
        p->k->transpose(strips + r * GR_K_BLOCK, tall, gr_row(p->a, r0 + r) + i0, p->a->stride,
                        least(rows - r, tall), n);
}

void gr_product_row_pairs(const gr_product *p, float *strips, size_t r0, size_t rows, size_t i0, size_t n)
{
    const size_t tall = (size_t)p->k->strip_rows;
    float two[GR_STRIP_MAX][GR_K_BLOCK / 2];
    for (size_t first = 0; first < rows; first += tall) {
        const size_t m = least(rows - first, tall);
        for (size_t r = 0; r < m; r++)
            p->k->to_pairs(two[r], gr_row(p->a, r0 + first + r) + i0, n);
        p->k->transpose(strips + first * GR_K_BLOCK, tall, two[0], GR_K_BLOCK / 2, m, (n + 1) / 2);
    }
}

/* Columns of b from the first of panel `c` on. */
typedef struct {
    const float *from; /* of row i0 */
    size_t stride, width;
} column_part;

static column_part columns_of(const gr_mat *b, size_t c, size_t i0)
{
    const size_t stride = b->weight ? b->cols : b->stride;
    return (column_part){ b->f + i0 * stride + c * GR_PANEL, stride,
                          least(b->cols - c * GR_PANEL, GR_PANEL) };
}

static void ask_for(const column_part *b, size_t i, size_t n)
{
    if (i + GR_PRODUCT_AHEAD >= n)
        return;
    __builtin_prefetch(b->from + (i + GR_PRODUCT_AHEAD) * b->stride);
    __builtin_prefetch(b->from + (i + GR_PRODUCT_AHEAD) * b->stride + GR_PANEL / 2);
}

const void *gr_product_columns(const gr_product *p, float *room, size_t c, size_t i0, size_t n)
{
    const column_part b = columns_of(p->b, c, i0);
    const float *from = b.from;
    float *to = room;
    for (size_t i = 0; i < n; i++, from += b.stride, to += GR_PANEL) {
        ask_for(&b, i, n);
        if (b.width == GR_PANEL) /* a constant, for the compiler */
            memcpy(to, from, GR_PANEL * sizeof(float));
        else
            memcpy(to, from, b.width * sizeof(float));
    }
    return room;
}

const void *gr_product_column_pairs(const gr_product *p, float *room, size_t c, size_t i0, size_t n)
{
    const column_part b = columns_of(p->b, c, i0);
    for (size_t i = 0; i < n; i += 2) {
        const float *from = b.from + i * b.stride;
        ask_for(&b, i, n);
        ask_for(&b, i + 1, n);
        p->k->pair_rows(room + i / 2 * GR_PANEL, from, i + 1 < n ? from + b.stride : NULL, b.width);
    }
    return room;
}

bool gr_product_by_pairs(const gr_task *t) { return t->round == GR_ROUND_PRODUCTS && t->k->strip_paired; }

gr_product_part gr_product_run(const gr_product *p, int n_workers, size_t unit, void *scratch)
{
    const size_t blocks = row_blocks(p), group = panels_a_unit(p, n_workers), tall = (size_t)p->k->strip_rows;
    const size_t r0 = unit % blocks * p->block_rows, m = least(p->rows - r0, p->block_rows);
    const size_t p0 = unit / blocks * group, p1 = least(p0 + group, gr_n_panels(p->cols));
    float *room = scratch, *strips = room + GR_PANEL * GR_K_BLOCK;
    if (p->depth == 0 && !p->adds) /* a sum of nothing */
        for (size_t r = r0; r < r0 + m; r++)
            memset(p->out + r * p->ldo + p0 * GR_PANEL, 0,
                   (least(p1 * GR_PANEL, p->cols) - p0 * GR_PANEL) * sizeof(float));
    for (size_t i0 = 0; i0 < p->depth; i0 += GR_K_BLOCK) {
        const size_t n = least(p->depth - i0, GR_K_BLOCK);
        p->strips(p, strips, r0, m, i0, n);
        for (size_t c = p0; c < p1; c++) {
            const void *panel = p->panel(p, room, c, i0, n);
            for (size_t r = 0; r < m; r += tall)
                p->multiply(p->out + (r0 + r) * p->ldo + c * GR_PANEL, p->ldo, least(m - r, tall),
                            least(p->cols - c * GR_PANEL, GR_PANEL), strips + r * GR_K_BLOCK, n, panel,
                            i0 == 0 && !p->adds);
        }
    }
    return (gr_product_part){ r0, r0 + m, p0 * GR_PANEL, least(p1 * GR_PANEL, p->cols) };
}
