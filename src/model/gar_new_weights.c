/* gar_new_weights.c - drawn weights into safetensors files, a few megabytes at a time. */
#include <string.h>

#include "base/runtime.h"
#include "io/shard_writer.h"
#include "model/draw.h"
#include "model/gar_new_internal.h"
#include "model/gar_tensors.h"

#define UNIT    ((size_t)1 << 15) /* elements that one thread draws at a time */
#define PORTION ((size_t)1 << 21) /* elements between two looks at `progress` */

typedef struct {
    gr_runtime *rt;
    const gr_gar_new_options *o;
    const gr_folder *folder;
    gr_dtype dtype;
    gr_tensor_spec *specs; /* [n] required tensors, in the order of the list */
    size_t n;
    uint64_t done, total;
    uint8_t *buffer; /* PORTION elements */
} weights;

/* One portion of one tensor, by threads. */
typedef struct {
    const gr_tensor_spec *spec;
    const gr_gar_new_options *o;
    uint8_t *out;
    size_t first, count;
} portion;

static void draw_unit(void *user, size_t unit, int worker)
{
    const portion *p = user;
    const size_t at = unit * UNIT, n = p->count - at < UNIT ? p->count - at : UNIT;
    (void)worker;
    gr_draw_tensor_as(p->out + at * gr_dtype_bytes(p->spec->dtype), p->spec->dtype, p->o->scales,
                      p->spec->name, p->o->seed, p->spec->shape, p->spec->rank, p->first + at, n,
                      NULL); /* was tried on no elements before */
}

static gr_status draw_tensor(void *user, size_t i, gr_safetensors_writer *file, gr_error *err)
{
    weights *w = user;
    const gr_tensor_spec *s = &w->specs[i];
    const size_t element = gr_dtype_bytes(w->dtype), n = gr_safetensors_writer_left(file) / element;
    GR_TRY(gr_draw_tensor_as(w->buffer, w->dtype, w->o->scales, s->name, w->o->seed, s->shape, s->rank, 0, 0,
                             err));
    for (size_t at = 0; at < n; at += PORTION) {
        portion p = { s, w->o, w->buffer, at, n - at < PORTION ? n - at : PORTION };
        gr_threads_run(w->rt->threads, (p.count + UNIT - 1) / UNIT, draw_unit, &p);
        GR_TRY(gr_safetensors_writer_add(file, w->buffer, p.count * element, err));
        w->done += p.count * element;
        if (w->o->progress && !w->o->progress(w->o->user, w->done, w->total))
            return gr_fail(err, GR_ERR_CANCELLED, "%s: cancelled after %llu of %llu bytes", w->folder->work,
                           (unsigned long long)w->done, (unsigned long long)w->total);
    }
    return GR_OK;
}

/* Which tensors of the list are written. */
static gr_status plan(weights *w, const gr_gar_tensors *list, gr_error *err)
{
    w->specs = gr_calloc(w->rt, list->n, sizeof *w->specs);
    if (!w->specs)
        return gr_fail(err, GR_ERR_MEM, "no memory for the list of weights");
    for (size_t i = 0; i < list->n; i++) {
        const gr_gar_tensor *t = &list->at[i];
        if (t->optional)
            continue;
        gr_tensor_spec *s = &w->specs[w->n++];
        *s = (gr_tensor_spec){ .name = t->name, .dtype = w->dtype, .rank = t->rank };
        memcpy(s->shape, t->shape, sizeof t->shape);
    }
    return GR_OK;
}

gr_status gr_gar_new_dtype(gr_dtype *out, const gr_gar_config *c, const gr_gar_new_options *o, gr_error *err)
{
    *out = o->dtype != 0 && o->dtype != GR_DTYPE_COUNT ? o->dtype : c->stored;
    if (*out != GR_DTYPE_F32 && *out != GR_DTYPE_BF16 && *out != GR_DTYPE_F16)
        return gr_fail(err, GR_ERR_ARG, "weights of type %s, expected F32, BF16 or F16", gr_dtype_name(*out));
    return GR_OK;
}

static gr_shard_job job_of(weights *w)
{
    return (gr_shard_job){ w->specs, w->n, w->o->shard_bytes, draw_tensor, w };
}

gr_status gr_gar_new_measure(gr_gar_new_size *size, gr_runtime *rt, const gr_gar_config *config,
                             const gr_gar_new_options *options, gr_error *err)
{
    static const gr_gar_new_options defaults = { 0 };
    gr_gar_tensors list;
    gr_shard_size files = { 0 };
    weights w = { .rt = rt, .o = options ? options : &defaults };
    GR_TRY(gr_gar_new_dtype(&w.dtype, config, w.o, err));
    GR_TRY(gr_gar_tensors_build(&list, rt, config, err));
    gr_status st = plan(&w, &list, err);
    const gr_shard_job job = job_of(&w);
    if (st == GR_OK)
        st = gr_shards_measure(&files, &job, "a new model", err);
    if (st == GR_OK)
        *size = (gr_gar_new_size){ (int)w.n, files.files, list.n_parameters, files.bytes, w.dtype };
    gr_free(rt, w.specs);
    gr_gar_tensors_fini(&list);
    return st;
}

gr_status gr_gar_new_weights(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder,
                             const gr_gar_new_options *o, gr_error *err)
{
    gr_gar_tensors list;
    gr_shard_size files = { 0 };
    GR_TRY(gr_gar_tensors_build(&list, rt, c, err));
    weights w = { .rt = rt, .o = o, .folder = folder, .dtype = c->stored };
    gr_status st = plan(&w, &list, err);
    const gr_shard_job job = job_of(&w);
    if (st == GR_OK)
        st = gr_shards_measure(&files, &job, folder->work, err);
    w.total = files.bytes;
    if (st == GR_OK && !(w.buffer = gr_malloc(rt, PORTION, gr_dtype_bytes(w.dtype))))
        st = gr_fail(err, GR_ERR_MEM, "no memory to draw weights");
    if (st == GR_OK)
        st = gr_shards_write(rt, folder->work, &job, err);
    gr_free(rt, w.buffer);
    gr_free(rt, w.specs);
    gr_gar_tensors_fini(&list);
    return st;
}
