#include "train/flat.h"

#include "base/alloc.h"
#include "base/half.h"

#define ALIGN 16 /* floats: a cache line */

gr_status gr_flat_plan(gr_flat *f, const gr_gar *m, unsigned parts, gr_error *err)
{
    *f = (gr_flat){ .rt = m->rt };
    f->ranges = gr_calloc(m->rt, m->tensors.n, sizeof *f->ranges);
    if (!f->ranges)
        return gr_fail(err, GR_ERR_MEM, "no memory for a list of %zu tensors", m->tensors.n);
    for (size_t i = 0; i < m->tensors.n; i++) {
        const gr_gar_tensor *t = &m->tensors.at[i];
        const gr_weight *w = &m->weights[i];
        if (!gr_trains(parts, gr_train_part_of(t->id)) || !gr_weight_is_stored(w))
            continue;
        f->ranges[f->n_ranges++] = (gr_range){ i, t->name, f->n, w->rows * w->cols };
        f->n += (w->rows * w->cols + ALIGN - 1) / ALIGN * ALIGN;
    }
    if (f->n_ranges > 0)
        return GR_OK;
    gr_flat_fini(f);
    return gr_fail(err, GR_ERR_ARG, "%s: the model has no tensor of the parts that are to be trained",
                   m->dir);
}

size_t gr_flat_bytes(const gr_flat *f) { return 4 * f->n * sizeof(float); }

/* Rows of a tensor in logical order, as f32. */
static gr_status read_weights(const gr_flat *f, float *to, const gr_weight *w, float *row, gr_error *err)
{
    for (size_t r = 0; r < w->rows; r++, to += w->cols) {
        const size_t stored = gr_weight_stored_row(w, r);
        uint8_t *read = (uint8_t *)(row + w->cols) - w->cols * gr_dtype_bytes(w->dtype);
        GR_TRY(gr_weight_read(w, stored, 0, w->cols, read, err));
        GR_TRY(gr_weight_check(w, stored, 0, w->cols, read, err));
        if (w->dtype != GR_DTYPE_F32)
            gr_widen_in_place(row, w->dtype == GR_DTYPE_BF16 ? 1 : 2, w->cols);
        f->b->ops->write(f->b, to, row, w->cols * sizeof *row);
    }
    return GR_OK;
}

static gr_status read_tensor(const gr_flat *f, const gr_range *r, const gr_weight *w, gr_error *err)
{
    float *row = gr_malloc(f->rt, w->cols, sizeof *row);
    if (!row)
        return gr_fail(err, GR_ERR_MEM, "no memory for a row of '%s'", r->name);
    const gr_status st = read_weights(f, f->weights + r->offset, w, row, err);
    gr_free(f->rt, row);
    return st;
}

static void clear(const gr_flat *f, float *to)
{
    static const float zeros[4096];
    for (size_t i = 0; i < f->n; i += 4096)
        f->b->ops->write(f->b, to + i, zeros, (f->n - i < 4096 ? f->n - i : 4096) * sizeof *zeros);
}

gr_status gr_flat_take(gr_flat *f, gr_backend *b, const gr_gar *m,
                       bool (*progress)(void *user, size_t done, size_t total), void *user, gr_error *err)
{
    float **buffers[] = { &f->weights, &f->grads, &f->m, &f->v };
    f->b = b;
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        if (!(*buffers[i] = b->ops->place(b, f->n * sizeof(float), err)))
            return gr_error_prefix(err, "weights, gradients and moments of %zu bytes", gr_flat_bytes(f));
        clear(f, *buffers[i]);
    }
    for (size_t i = 0; i < f->n_ranges; i++) {
        const gr_range *r = &f->ranges[i];
        if (progress && !progress(user, r->offset, f->n))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled while loading");
        GR_TRY(read_tensor(f, r, &m->weights[r->tensor], err));
    }
    if (progress)
        progress(user, f->n, f->n);
    return GR_OK;
}

void gr_flat_attach(const gr_flat *f, gr_gar *m, bool *held)
{
    m->held = held;
    for (size_t i = 0; i < f->n_ranges; i++) {
        gr_weight *w = &m->weights[f->ranges[i].tensor];
        float *at = f->weights + f->ranges[i].offset;
        held[f->ranges[i].tensor] = true;
        *w = (gr_weight){ .name = w->name,
                          .file = w->file,
                          .dtype = GR_DTYPE_F32,
                          .rows = w->rows,
                          .cols = w->cols,
                          .stored = at,
                          .vector = at,
                          .looked_up = at,
                          .rows_ready = true };
    }
}

void gr_flat_detach(gr_gar *m)
{
    for (size_t i = 0; m->held && i < m->tensors.n; i++)
        if (m->held[i]) /* nothing is left that could be read or released */
            m->weights[i] = (gr_weight){ .name = m->weights[i].name };
    m->held = NULL;
}

void gr_flat_fini(gr_flat *f)
{
    if (!f->rt)
        return;
    float *buffers[] = { f->weights, f->grads, f->m, f->v };
    for (size_t i = 0; f->b && i < sizeof buffers / sizeof *buffers; i++)
        f->b->ops->release(f->b, buffers[i]);
    gr_free(f->rt, f->ranges);
    *f = (gr_flat){ 0 };
}

const gr_range *gr_flat_find(const gr_flat *f, size_t tensor)
{
    for (size_t low = 0, high = f->n_ranges; low < high;) {
        const size_t mid = (low + high) / 2;
        if (f->ranges[mid].tensor == tensor)
            return &f->ranges[mid];
        if (f->ranges[mid].tensor < tensor)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}
