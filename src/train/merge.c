#include "train/merge.h"

#include "base/alloc.h"
#include "base/half.h"
#include "io/convert.h"

typedef struct {
    const gr_flat *f;
    const gr_weight *w;
    const gr_range *b; /* of B; that of A stands before it */
    float *a;          /* [rank][cols] */
    float *sum;        /* [cols] */
    float *row_of_b;   /* [rank] */
} merging;

/* sum = row of B times A, its terms in ascending order of the rank; then W + factor sum. */
static void add_row(const merging *j, float *w, size_t row)
{
    const gr_backend *b = j->f->b;
    const size_t cols = j->w->cols, rank = (size_t)j->f->lora.rank;
    const float factor = gr_lora_factor(&j->f->lora);
    b->ops->read(j->f->b, j->row_of_b, j->f->weights + j->b->offset + row * rank, rank * sizeof(float));
    for (size_t c = 0; c < cols; c++)
        j->sum[c] = j->row_of_b[0] * j->a[c];
    for (size_t i = 1; i < rank; i++)
        for (size_t c = 0; c < cols; c++)
            j->sum[c] += j->row_of_b[i] * j->a[i * cols + c];
    for (size_t c = 0; c < cols; c++)
        w[c] += factor * j->sum[c];
}

/* W is read into the end of the f32 row that it becomes. */
static gr_status merge_row(const merging *j, size_t row, float *w, gr_error *err)
{
    const size_t cols = j->w->cols, stored = gr_weight_stored_row(j->w, row);
    uint8_t *read = (uint8_t *)(w + cols) - cols * gr_dtype_bytes(j->w->dtype);
    GR_TRY(gr_weight_read(j->w, stored, 0, cols, read, err));
    GR_TRY(gr_weight_check(j->w, stored, 0, cols, read, err));
    if (j->w->dtype != GR_DTYPE_F32)
        gr_widen_in_place(w, j->w->dtype == GR_DTYPE_BF16 ? 1 : 2, cols);
    add_row(j, w, row);
    return GR_OK;
}

gr_status gr_merge_rows(const gr_flat *f, const gr_gar *m, size_t tensor, size_t row, size_t n,
                        gr_dtype dtype, void *out, gr_error *err)
{
    const gr_range *a = gr_flat_find_adapter(f, tensor);
    const gr_weight *w = &m->weights[tensor];
    if (!a || row > w->rows || n > w->rows - row)
        return gr_fail(err, GR_ERR_ARG,
                       "'%s': rows %zu to %zu are to be merged; it has %zu rows and %s adapter",
                       m->tensors.at[tensor].name, row, row + n, w->rows, a ? "an" : "no");
    const size_t rank = (size_t)f->lora.rank, cols = w->cols, bytes = cols * gr_dtype_bytes(dtype);
    float *memory = gr_malloc(f->rt, (rank + 2) * cols + rank, sizeof *memory);
    if (!memory)
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu rows of '%s'", rank + 2, w->name);
    float *sum = memory + rank * cols, *widened = sum + cols;
    const merging j = { f, w, a + 1, memory, sum, widened + cols };
    f->b->ops->read(f->b, memory, f->weights + a->offset, rank * cols * sizeof *memory);
    gr_status st = GR_OK;
    for (size_t r = 0; r < n && (st = merge_row(&j, row + r, widened, err)) == GR_OK; r++)
        gr_from_f32((uint8_t *)out + r * bytes, widened, dtype, cols);
    gr_free(f->rt, memory);
    return st;
}
