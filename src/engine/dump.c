#include "engine/dump.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/target.h"
#include "io/safetensors.h"

#define MAX_TENSORS 128

typedef struct {
    char name[64];
    gr_dtype dtype;
    bool counted; /* the first dimension counts items */
    int rank;     /* of an item */
    int64_t dims[4];
    size_t items;
    gr_buf data;
} collected;

struct gr_dump {
    gr_runtime *rt;
    char *path;
    gr_error err; /* the first failure */
    collected at[MAX_TENSORS];
    int n;
};

gr_status gr_dump_open(gr_dump **out, gr_runtime *rt, const char *path, gr_error *err)
{
    /* The file is written at the end of what may be a long run: that it cannot be is better known now. */
    gr_file_writer probe;
    *out = NULL;
    GR_TRY(gr_target_check(path, err));
    GR_TRY(gr_file_writer_open(&probe, path, err));
    gr_file_writer_abort(&probe);
    *out = gr_calloc(rt, 1, sizeof **out);
    if (*out)
        (*out)->path = gr_strdup(rt, path);
    if (!*out || !(*out)->path) {
        gr_free(rt, *out);
        *out = NULL;
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for a dump", path);
    }
    (*out)->rt = rt;
    return GR_OK;
}

void gr_dump_clear(gr_dump *d)
{
    for (int i = 0; d && i < d->n; i++)
        gr_buf_fini(&d->at[i].data);
    if (d)
        d->n = 0;
}

void gr_dump_abort(gr_dump *d)
{
    if (!d)
        return;
    gr_dump_clear(d);
    gr_free(d->rt, d->path);
    gr_free(d->rt, d);
}

static collected *find(gr_dump *d, const char *name)
{
    for (int i = 0; i < d->n; i++)
        if (strcmp(d->at[i].name, name) == 0)
            return &d->at[i];
    if (d->n == MAX_TENSORS || strlen(name) >= sizeof d->at[0].name)
        return NULL;
    collected *c = &d->at[d->n++];
    memset(c, 0, sizeof *c);
    memcpy(c->name, name, strlen(name) + 1);
    gr_buf_init(&c->data, d->rt, SIZE_MAX / 4);
    return c;
}

void gr_dump_add(gr_dump *d, const char *name, gr_dtype dtype, size_t n, int rank, const int64_t *dims,
                 const void *data)
{
    if (!d || d->err.status != GR_OK)
        return;
    collected *c = find(d, name);
    if (!c) {
        gr_fail(&d->err, GR_ERR_LIMIT, "%s: more than %d tensors in a dump", d->path, MAX_TENSORS);
        return;
    }
    size_t bytes = (n ? n : 1) * gr_dtype_bytes(dtype);
    for (int i = 0; i < rank; i++) {
        bytes *= (size_t)dims[i];
        c->dims[i] = dims[i];
    }
    c->dtype = dtype;
    c->rank = rank;
    c->counted = n > 0;
    c->items += n;
    if (!gr_buf_add(&c->data, data, bytes))
        gr_fail(&d->err, GR_ERR_MEM, "%s: no memory for '%s' in the dump", d->path, name);
}

static void watch_put(void *user, const char *name, const float *data, size_t rows, size_t cols)
{
    const int64_t dims[2] = { (int64_t)rows, (int64_t)cols };
    if (strcmp(name, "vision_features") == 0 || strcmp(name, "image_features") == 0)
        gr_dump_add(user, name, GR_DTYPE_F32, 1, 2, dims, data); /* a tile each */
    else if (strncmp(name, "replay_", 7) == 0)
        gr_dump_add(user, name, GR_DTYPE_F32, 0, 2, dims, data);
    else
        gr_dump_add(user, name, GR_DTYPE_F32, rows, 1, dims + 1, data);
}

gr_core_watch gr_dump_watch(gr_dump *d) { return (gr_core_watch){ .put = d ? watch_put : NULL, .user = d }; }

static gr_status write_file(gr_dump *d, gr_error *err)
{
    gr_tensor_spec specs[MAX_TENSORS] = { 0 };
    gr_safetensors_writer *w;
    for (int i = 0; i < d->n; i++) {
        const collected *c = &d->at[i];
        specs[i] =
            (gr_tensor_spec){ .name = c->name, .dtype = c->dtype, .rank = c->rank + (c->counted ? 1 : 0) };
        if (c->counted)
            specs[i].shape[0] = (int64_t)c->items;
        memcpy(specs[i].shape + (c->counted ? 1 : 0), c->dims, (size_t)c->rank * sizeof *c->dims);
    }
    GR_TRY(gr_safetensors_writer_open(&w, d->rt, d->path, specs, (size_t)d->n, NULL, err));
    for (size_t i; (i = gr_safetensors_writer_next(w)) < (size_t)d->n;) {
        const gr_status st = gr_safetensors_writer_add(w, d->at[i].data.data, d->at[i].data.len, err);
        if (st != GR_OK) {
            gr_safetensors_writer_abort(w);
            return st;
        }
    }
    return gr_safetensors_writer_commit(w, err);
}

gr_status gr_dump_close(gr_dump *d, gr_error *err)
{
    if (!d)
        return GR_OK;
    gr_status st = d->err.status == GR_OK ? GR_OK : gr_fail(err, d->err.status, "%s", d->err.msg);
    if (st == GR_OK)
        st = write_file(d, err);
    gr_dump_abort(d);
    return st;
}
