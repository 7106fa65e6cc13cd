#include "train/trained_weights.h"

#include <string.h>

#include "base/alloc.h"
#include "base/half.h"
#include "io/convert.h"
#include "io/shard_writer.h"
#include "train/merge.h"

#define PORTION ((size_t)1 << 18) /* elements that are rounded at a time */

/* What a spec is filled from. */
typedef struct {
    size_t tensor;         /* index into the model's list */
    const gr_range *range; /* of a trained weight or an adapter; NULL: read from the source */
} origin;

typedef struct {
    const gr_trainer *t;
    const gr_trained_weights_options *o;
    const char *dir;
    gr_tensor_spec *specs; /* [n] */
    origin *origins;       /* [n] */
    size_t n, widest;      /* widest: elements of the longest row of a frozen weight */
    uint64_t done, total;
    float *values;   /* of a row, or of a portion */
    uint8_t *stored; /* the same in the stored type */
} weights;

static gr_tensor_spec *add(weights *w, const char *name, size_t tensor, const gr_range *range)
{
    gr_tensor_spec *s = &w->specs[w->n];
    *s = (gr_tensor_spec){ .name = name, .dtype = w->o->dtype };
    w->origins[w->n++] = (origin){ tensor, range };
    return s;
}

static void plan_tensors(weights *w)
{
    const gr_gar *m = w->t->gar;
    for (size_t i = 0; i < m->tensors.n; i++) {
        const gr_gar_tensor *t = &m->tensors.at[i];
        const gr_range *r = gr_flat_find(&w->t->flat, i);
        if (!r && (!w->o->frozen || !m->bound[i].stored))
            continue;
        if (!r && m->weights[i].cols > w->widest)
            w->widest = m->weights[i].cols;
        gr_tensor_spec *s = add(w, t->name, i, r);
        s->rank = t->rank;
        memcpy(s->shape, t->shape, sizeof t->shape);
    }
}

static void plan_adapters(weights *w)
{
    const gr_flat *f = &w->t->flat;
    for (size_t i = f->n_tensors; i < f->n_ranges; i++) {
        const gr_range *r = &f->ranges[i];
        const gr_weight *adapter = gr_flat_adapter(f, r);
        gr_tensor_spec *s = add(w, r->name, r->tensor, r);
        s->rank = 2;
        s->shape[0] = adapter->rows;
        s->shape[1] = adapter->cols;
    }
}

static gr_status plan(weights *w, gr_error *err)
{
    const size_t most = w->t->gar->tensors.n + w->t->flat.n_ranges;
    if (w->o->dtype != GR_DTYPE_F32 && w->o->dtype != GR_DTYPE_BF16 && w->o->dtype != GR_DTYPE_F16)
        return gr_fail(err, GR_ERR_ARG, "weights of type %s, expected F32, BF16 or F16",
                       gr_dtype_name(w->o->dtype));
    w->specs = gr_calloc(w->t->rt, most, sizeof *w->specs);
    w->origins = gr_calloc(w->t->rt, most, sizeof *w->origins);
    if (!w->specs || !w->origins)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the list of weights", w->dir);
    plan_tensors(w);
    if (!w->o->frozen)
        plan_adapters(w);
    return GR_OK;
}

static void plan_fini(weights *w)
{
    gr_runtime *rt = w->t->rt;
    gr_free(rt, w->specs);
    gr_free(rt, w->origins);
    gr_free(rt, w->values);
    gr_free(rt, w->stored);
}

/* n elements that lie in w->stored. */
static gr_status put_stored(weights *w, gr_safetensors_writer *to, size_t n, gr_error *err)
{
    const size_t bytes = n * gr_dtype_bytes(w->o->dtype);
    GR_TRY(gr_safetensors_writer_add(to, w->stored, bytes, err));
    w->done += bytes;
    return GR_OK;
}

static gr_status put(weights *w, gr_safetensors_writer *to, const float *values, size_t n, gr_error *err)
{
    gr_from_f32(w->stored, values, w->o->dtype, n);
    return put_stored(w, to, n, err);
}

static gr_status look_around(const weights *w, gr_error *err)
{
    return !w->o->progress || w->o->progress(w->o->user, w->done, w->total)
               ? GR_OK
               : gr_fail(err, GR_ERR_CANCELLED, "%s: cancelled after %llu of %llu bytes", w->dir,
                         (unsigned long long)w->done, (unsigned long long)w->total);
}

static gr_status fill_trained(weights *w, const gr_range *r, gr_safetensors_writer *to, gr_error *err)
{
    for (size_t at = 0; at < r->count; at += PORTION) {
        const size_t n = r->count - at < PORTION ? r->count - at : PORTION;
        w->t->backend->ops->read(w->t->backend, w->values, w->t->flat.weights + r->offset + at,
                                 n * sizeof(float));
        GR_TRY(put(w, to, w->values, n, err));
        GR_TRY(look_around(w, err));
    }
    return GR_OK;
}

/* Rows in logical order: Meta's files hold some in pairs. */
static gr_status fill_frozen(weights *w, const gr_weight *from, gr_safetensors_writer *to, gr_error *err)
{
    for (size_t r = 0; r < from->rows; r++) {
        const size_t stored = gr_weight_stored_row(from, r);
        uint8_t *read = (uint8_t *)(w->values + from->cols) - from->cols * gr_dtype_bytes(from->dtype);
        GR_TRY(gr_weight_read(from, stored, 0, from->cols, read, err));
        GR_TRY(gr_weight_check(from, stored, 0, from->cols, read, err));
        if (from->dtype != GR_DTYPE_F32)
            gr_widen_in_place(w->values, from->dtype == GR_DTYPE_BF16 ? 1 : 2, from->cols);
        GR_TRY(put(w, to, w->values, from->cols, err));
    }
    return look_around(w, err);
}

static gr_status fill_merged(weights *w, size_t tensor, gr_safetensors_writer *to, gr_error *err)
{
    const gr_trainer *t = w->t;
    const size_t rows = t->gar->weights[tensor].rows, cols = t->gar->weights[tensor].cols,
                 most = cols < PORTION ? PORTION / cols : 1;
    for (size_t r = 0; r < rows; r += most) {
        const size_t n = rows - r < most ? rows - r : most;
        GR_TRY(gr_merge_rows(&t->flat, t->gar, tensor, r, n, w->o->dtype, w->stored, err));
        GR_TRY(put_stored(w, to, n * cols, err));
        GR_TRY(look_around(w, err));
    }
    return GR_OK;
}

static gr_status fill(void *user, size_t i, gr_safetensors_writer *to, gr_error *err)
{
    weights *w = user;
    const origin *from = &w->origins[i];
    if (from->range)
        return fill_trained(w, from->range, to, err);
    if (gr_flat_find_adapter(&w->t->flat, from->tensor))
        return fill_merged(w, from->tensor, to, err);
    return fill_frozen(w, &w->t->gar->weights[from->tensor], to, err);
}

static gr_shard_job job_of(weights *w)
{
    return (gr_shard_job){ w->specs, w->n, w->o->shard_bytes, fill, w };
}

gr_status gr_trained_weights_measure(uint64_t *bytes, const gr_trainer *t,
                                     const gr_trained_weights_options *o, gr_error *err)
{
    weights w = { .t = t, .o = o, .dir = t->gar->dir };
    gr_shard_size size = { 0 };
    gr_status st = plan(&w, err);
    const gr_shard_job job = job_of(&w);
    if (st == GR_OK)
        st = gr_shards_measure(&size, &job, w.dir, err);
    *bytes = size.bytes;
    plan_fini(&w);
    return st;
}

gr_status gr_trained_weights_write(const gr_trainer *t, const char *dir, const gr_trained_weights_options *o,
                                   gr_error *err)
{
    weights w = { .t = t, .o = o, .dir = dir };
    gr_status st = gr_trained_weights_measure(&w.total, t, o, err);
    if (st == GR_OK)
        st = plan(&w, err);
    const size_t n = w.widest > PORTION ? w.widest : PORTION;
    if (st == GR_OK && (!(w.values = gr_malloc(t->rt, n, sizeof *w.values)) ||
                        !(w.stored = gr_malloc(t->rt, n, gr_dtype_bytes(o->dtype)))))
        st = gr_fail(err, GR_ERR_MEM, "%s: no memory to write weights", dir);
    const gr_shard_job job = job_of(&w);
    if (st == GR_OK)
        st = gr_shards_write(t->rt, dir, &job, err);
    plan_fini(&w);
    return st;
}
