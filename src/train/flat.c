#include "train/flat.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/half.h"

#define ALIGN 16 /* floats: a cache line */

/* --- planning ------------------------------------------------------------------------------------------ */

static void add_range(gr_flat *f, size_t tensor, const char *name, size_t count, gr_range_kind kind)
{
    f->ranges[f->n_ranges++] = (gr_range){ tensor, name, f->n, count, kind };
    f->n += (count + ALIGN - 1) / ALIGN * ALIGN;
}

static void add_tensors(gr_flat *f, const gr_gar *m, unsigned parts)
{
    for (size_t i = 0; i < m->tensors.n; i++) {
        const gr_gar_tensor *t = &m->tensors.at[i];
        const gr_weight *w = &m->weights[i];
        if (gr_trains(parts, gr_train_part_of(t->id)) && gr_weight_is_stored(w))
            add_range(f, i, t->name, w->rows * w->cols, GR_RANGE_TENSOR);
    }
    f->n_tensors = f->n_ranges;
}

#define BEFORE "base_model.model."
#define SUFFIX ".weight"

/* Writes the name of A (half 'A') or B of a tensor's adapter and its zero; returns where the next may stand.
 */
static char *write_name(char *to, const char *tensor, char half)
{
    const int module = (int)(strlen(tensor) - strlen(SUFFIX));
    return to + sprintf(to, BEFORE "%.*s.lora_%c" SUFFIX, module, tensor, half) + 1;
}

static void add_adapter(gr_flat *f, const gr_gar *m, size_t i, char **name)
{
    const gr_weight *w = &m->weights[i];
    const size_t rank = (size_t)f->lora.rank;
    for (int half = 0; half < 2; half++) {
        const char *mine = *name;
        gr_weight *made = &f->adapters[f->n_ranges - f->n_tensors];
        *name = write_name(*name, m->tensors.at[i].name, half == 0 ? 'A' : 'B');
        *made = (gr_weight){ .name = mine,
                             .dtype = GR_DTYPE_F32,
                             .rows = half == 0 ? rank : w->rows,
                             .cols = half == 0 ? w->cols : rank };
        add_range(f, i, mine, made->rows * made->cols, half == 0 ? GR_RANGE_LORA_A : GR_RANGE_LORA_B);
    }
}

/* What an adapter is beside stays as it is: were both trained, one of them would do. */
static gr_status check_frozen(const gr_lora *l, unsigned parts, gr_error *err)
{
    for (int t = 0; t < GR_LORA_TARGET_COUNT; t++) {
        const gr_train_part part = gr_train_part_of(gr_lora_target_tensor((gr_lora_target)t));
        if (l->targets >> t & 1 && gr_trains(parts, part))
            return gr_fail(err, GR_ERR_ARG,
                           "an adapter of %s, and '%s' is among the parts that are trained as a whole; an "
                           "adapter is for a part that is frozen",
                           gr_lora_target_name((gr_lora_target)t), gr_train_part_name(part));
    }
    return GR_OK;
}

static gr_status add_adapters(gr_flat *f, const gr_gar *m, unsigned parts, gr_error *err)
{
    size_t n = 0, chars = 0;
    GR_TRY(gr_lora_check(&f->lora, err));
    GR_TRY(check_frozen(&f->lora, parts, err));
    for (size_t i = 0; i < m->tensors.n; i++)
        if (gr_lora_adapts(&f->lora, m->tensors.at[i].id)) {
            n += 2;
            chars += 2 * (sizeof BEFORE + strlen(m->tensors.at[i].name) + sizeof ".lora_A");
        }
    f->adapters = gr_calloc(f->rt, n + 1, sizeof *f->adapters);
    char *name = f->names = gr_malloc(f->rt, chars + 1, 1);
    if (!f->adapters || !name)
        return gr_fail(err, GR_ERR_MEM, "no memory for a list of %zu adapters", n / 2);
    for (size_t i = 0; i < m->tensors.n; i++)
        if (gr_lora_adapts(&f->lora, m->tensors.at[i].id))
            add_adapter(f, m, i, &name);
    return GR_OK;
}

gr_status gr_flat_plan(gr_flat *f, const gr_gar *m, unsigned parts, gr_error *err)
{
    return gr_flat_plan_lora(f, m, parts, NULL, err);
}

gr_status gr_flat_plan_lora(gr_flat *f, const gr_gar *m, unsigned parts, const gr_lora *lora, gr_error *err)
{
    *f = (gr_flat){ .rt = m->rt };
    if (lora)
        f->lora = *lora;
    f->ranges = gr_calloc(m->rt, 3 * m->tensors.n, sizeof *f->ranges); /* itself, A and B */
    if (!f->ranges)
        return gr_fail(err, GR_ERR_MEM, "no memory for a list of %zu tensors", m->tensors.n);
    add_tensors(f, m, parts);
    gr_status st = f->lora.targets ? add_adapters(f, m, parts, err) : GR_OK;
    if (st == GR_OK && f->n_ranges == 0)
        st = gr_fail(err, GR_ERR_ARG, "%s: the model has no tensor of the parts that are to be trained",
                     m->dir);
    if (st != GR_OK)
        gr_flat_fini(f);
    return st;
}

/* --- taking -------------------------------------------------------------------------------------------- */

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

/* First values of an adapter: A is drawn a piece at a time, B stays zero. */
static void draw_adapter(const gr_flat *f, const gr_range *r, size_t cols)
{
    float piece[1024];
    const size_t most = sizeof piece / sizeof *piece;
    for (size_t i = 0; r->kind == GR_RANGE_LORA_A && i < r->count; i += most) {
        const size_t n = r->count - i < most ? r->count - i : most;
        gr_lora_draw(piece, &f->lora, r->name, cols, i, n);
        f->b->ops->write(f->b, f->weights + r->offset + i, piece, n * sizeof *piece);
    }
}

static void place_adapter(gr_flat *f, const gr_range *r)
{
    gr_weight *w = &f->adapters[(size_t)(r - f->ranges) - f->n_tensors];
    w->stored = w->vector = f->weights + r->offset;
    draw_adapter(f, r, w->cols);
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
        if (r->kind == GR_RANGE_TENSOR)
            GR_TRY(read_tensor(f, r, &m->weights[r->tensor], err));
        else
            place_adapter(f, r);
    }
    if (progress)
        progress(user, f->n, f->n);
    return GR_OK;
}

void gr_flat_attach(const gr_flat *f, gr_gar *m, bool *held)
{
    m->held = held;
    for (size_t i = 0; i < f->n_tensors; i++) {
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
    gr_free(f->rt, f->adapters);
    gr_free(f->rt, f->names);
    *f = (gr_flat){ 0 };
}

/* Among n groups of `step` ranges, of ascending tensors: the first range of the group of one. */
static const gr_range *find(const gr_range *ranges, size_t n, size_t step, size_t tensor)
{
    for (size_t low = 0, high = n; low < high;) {
        const size_t mid = (low + high) / 2;
        const gr_range *r = &ranges[mid * step];
        if (r->tensor == tensor)
            return r;
        if (r->tensor < tensor)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const gr_range *gr_flat_find(const gr_flat *f, size_t tensor)
{
    return find(f->ranges, f->n_tensors, 1, tensor);
}

const gr_range *gr_flat_find_adapter(const gr_flat *f, size_t tensor)
{
    return find(f->ranges + f->n_tensors, (f->n_ranges - f->n_tensors) / 2, 2, tensor);
}

const gr_weight *gr_flat_adapter(const gr_flat *f, const gr_range *r)
{
    return &f->adapters[(size_t)(r - f->ranges) - f->n_tensors];
}
