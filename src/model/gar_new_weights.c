/* gar_new_weights.c - drawn weights into safetensors files, a few megabytes at a time. */
#include <string.h>

#include "base/file.h"
#include "base/runtime.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/shard_index.h"
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
    size_t *bytes;         /* [n] */
    int *shard;            /* [n] */
    size_t n;
    int n_shards;
    uint64_t done, total;
    uint8_t *buffer; /* PORTION elements */
} weights;

/* One portion of one tensor, by threads. */
typedef struct {
    const gr_tensor_spec *spec;
    uint64_t seed;
    uint8_t *out;
    size_t first, count;
} portion;

static void draw_unit(void *user, size_t unit, int worker)
{
    const portion *p = user;
    const size_t at = unit * UNIT, n = p->count - at < UNIT ? p->count - at : UNIT;
    (void)worker;
    gr_draw_tensor(p->out + at * gr_dtype_bytes(p->spec->dtype), p->spec->dtype, p->spec->name, p->seed,
                   p->spec->shape, p->spec->rank, p->first + at, n,
                   NULL); /* was tried on no elements before */
}

static gr_status write_tensor(weights *w, gr_safetensors_writer *file, size_t i, gr_error *err)
{
    const size_t element = gr_dtype_bytes(w->dtype), n = w->bytes[i] / element;
    GR_TRY(gr_draw_tensor(w->buffer, w->dtype, w->specs[i].name, w->o->seed, w->specs[i].shape,
                          w->specs[i].rank, 0, 0, err));
    for (size_t at = 0; at < n; at += PORTION) {
        portion p = { &w->specs[i], w->o->seed, w->buffer, at, n - at < PORTION ? n - at : PORTION };
        gr_threads_run(w->rt->threads, (p.count + UNIT - 1) / UNIT, draw_unit, &p);
        GR_TRY(gr_safetensors_writer_add(file, w->buffer, p.count * element, err));
        w->done += p.count * element;
        if (w->o->progress && !w->o->progress(w->o->user, w->done, w->total))
            return gr_fail(err, GR_ERR_CANCELLED, "%s: cancelled after %llu of %llu bytes", w->folder->work,
                           (unsigned long long)w->done, (unsigned long long)w->total);
    }
    return GR_OK;
}

/* The file of the tensors first..end-1, which are neighbours in the list. */
static gr_status write_shard(weights *w, const char *name, size_t first, size_t end, gr_error *err)
{
    static const char *const metadata[] = { "format", "pt", NULL };
    char path[4096];
    gr_safetensors_writer *file;
    if (!gr_path_join(path, sizeof path, w->folder->work, name))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", w->folder->work);
    GR_TRY(gr_safetensors_writer_open(&file, w->rt, path, w->specs + first, end - first, metadata, err));
    for (size_t i; (i = gr_safetensors_writer_next(file)) < end - first;) {
        const gr_status st = write_tensor(w, file, first + i, err);
        if (st != GR_OK) {
            gr_safetensors_writer_abort(file);
            return st;
        }
    }
    return gr_safetensors_writer_commit(file, err);
}

static gr_status write_index(const weights *w, gr_error *err)
{
    gr_buf text;
    gr_json_writer j;
    gr_buf_init(&text, w->rt, GR_SHARD_INDEX_MAX_SIZE);
    gr_json_writer_init(&j, &text, true);
    gr_json_put_object(&j);
    gr_json_put_key(&j, "metadata");
    gr_json_put_object(&j);
    gr_json_put_key(&j, "total_size");
    gr_json_put_int(&j, (int64_t)w->total);
    gr_json_put_end(&j, '}');
    gr_json_put_key(&j, "weight_map");
    gr_json_put_object(&j);
    for (size_t i = 0; i < w->n; i++) {
        char name[64];
        gr_shard_name(name, (size_t)w->shard[i], (size_t)w->n_shards);
        gr_json_put_key(&j, w->specs[i].name);
        gr_json_put_text(&j, name);
    }
    gr_json_put_end(&j, '}');
    gr_json_put_end(&j, '}');
    gr_buf_text(&text, "\n");
    const gr_status st =
        text.failed ? gr_fail(err, GR_ERR_MEM, "%s: no memory for the index", w->folder->work)
                    : gr_folder_add(w->folder, "model.safetensors.index.json", text.data, text.len, err);
    gr_buf_fini(&text);
    return st;
}

/* Neighbours go into one file as long as they fit. */
static void assign_shards(weights *w, uint64_t limit)
{
    uint64_t used = 0;
    for (size_t i = 0; i < w->n; i++) {
        if (i > 0 && used + w->bytes[i] > limit) {
            w->n_shards++;
            used = 0;
        }
        w->shard[i] = w->n_shards;
        used += w->bytes[i];
        w->total += w->bytes[i];
    }
    w->n_shards++;
}

static gr_status write_all(weights *w, gr_error *err)
{
    if (w->n_shards == 1)
        return write_shard(w, "model.safetensors", 0, w->n, err);
    if (w->n_shards > GR_SHARDS_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%s: %d files of weights, the limit is %d", w->folder->work,
                       w->n_shards, GR_SHARDS_MAX);
    for (size_t first = 0, end; first < w->n; first = end) {
        char name[64];
        for (end = first + 1; end < w->n && w->shard[end] == w->shard[first];)
            end++;
        gr_shard_name(name, (size_t)w->shard[first], (size_t)w->n_shards);
        GR_TRY(write_shard(w, name, first, end, err));
    }
    return write_index(w, err);
}

/* Which tensors of the list are written, how large they are and in which file. */
static gr_status plan(weights *w, const gr_gar_tensors *list, gr_error *err)
{
    w->specs = gr_calloc(w->rt, list->n, sizeof *w->specs);
    w->bytes = gr_calloc(w->rt, list->n, sizeof *w->bytes);
    w->shard = gr_calloc(w->rt, list->n, sizeof *w->shard);
    if (!w->specs || !w->bytes || !w->shard)
        return gr_fail(err, GR_ERR_MEM, "no memory for the list of weights");
    for (size_t i = 0; i < list->n; i++) {
        const gr_gar_tensor *t = &list->at[i];
        size_t count;
        if (t->optional)
            continue;
        gr_tensor_spec *s = &w->specs[w->n];
        *s = (gr_tensor_spec){ .name = t->name, .dtype = w->dtype, .rank = t->rank };
        memcpy(s->shape, t->shape, sizeof t->shape);
        if (!gr_shape_count(&count, t->rank, t->shape) || count > SIZE_MAX / 8)
            return gr_fail(err, GR_ERR_LIMIT, "tensor '%s' is too large", t->name);
        w->bytes[w->n++] = count * gr_dtype_bytes(w->dtype);
    }
    assign_shards(w, w->o->shard_bytes ? w->o->shard_bytes : GR_GAR_SHARD_BYTES);
    return GR_OK;
}

static void plan_fini(weights *w)
{
    gr_free(w->rt, w->specs);
    gr_free(w->rt, w->bytes);
    gr_free(w->rt, w->shard);
}

gr_status gr_gar_new_measure(gr_gar_new_size *size, gr_runtime *rt, const gr_gar_config *config,
                             const gr_gar_new_options *options, gr_error *err)
{
    static const gr_gar_new_options defaults = { 0 };
    gr_gar_tensors list;
    weights w = { .rt = rt, .o = options ? options : &defaults };
    GR_TRY(gr_gar_new_dtype(&w.dtype, config, w.o, err));
    GR_TRY(gr_gar_tensors_build(&list, rt, config, err));
    const gr_status st = plan(&w, &list, err);
    if (st == GR_OK)
        *size = (gr_gar_new_size){ (int)w.n, w.n_shards, list.n_parameters, w.total, w.dtype };
    plan_fini(&w);
    gr_gar_tensors_fini(&list);
    return st;
}

gr_status gr_gar_new_weights(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder,
                             const gr_gar_new_options *o, gr_error *err)
{
    gr_gar_tensors list;
    GR_TRY(gr_gar_tensors_build(&list, rt, c, err));
    weights w = { .rt = rt, .o = o, .folder = folder, .dtype = c->stored };
    gr_status st = plan(&w, &list, err);
    if (st == GR_OK && !(w.buffer = gr_malloc(rt, PORTION, gr_dtype_bytes(w.dtype))))
        st = gr_fail(err, GR_ERR_MEM, "no memory to draw weights");
    if (st == GR_OK)
        st = write_all(&w, err);
    gr_free(rt, w.buffer);
    plan_fini(&w);
    gr_gar_tensors_fini(&list);
    return st;
}
