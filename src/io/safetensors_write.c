#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "io/json.h"
#include "io/safetensors.h"

typedef struct {
    gr_tensor_spec spec;
    size_t index; /* in the caller's list */
    size_t bytes;
} planned;

struct gr_safetensors_writer {
    gr_runtime *rt;
    gr_file_writer file;
    size_t n, now;  /* tensors, and the one that is being written */
    size_t written; /* bytes of it */
    planned *plan;  /* in the order of the file */
};

/* As the published writer (safetensors/src/tensor.rs, prepare): types in falling order, which puts the larger
 * first, then names. */
static int by_file_order(const void *a, const void *b)
{
    const gr_tensor_spec *x = &((const planned *)a)->spec, *y = &((const planned *)b)->spec;
    if (x->dtype != y->dtype)
        return x->dtype > y->dtype ? -1 : 1;
    return strcmp(x->name, y->name);
}

static gr_status check_spec(const char *path, const gr_tensor_spec *t, size_t *bytes, gr_error *err)
{
    size_t count;
    const size_t element = gr_dtype_bytes(t->dtype);
    if (strlen(t->name) > GR_SAFETENSORS_MAX_NAME)
        return gr_fail(err, GR_ERR_LIMIT, "%s: a tensor name of %zu bytes, the limit is %d", path,
                       strlen(t->name), GR_SAFETENSORS_MAX_NAME);
    if (t->name[0] == '\0' || strcmp(t->name, "__metadata__") == 0)
        return gr_fail(err, GR_ERR_ARG, "%s: '%s' cannot be a tensor's name", path, t->name);
    if (!element || t->rank < 0 || t->rank > GR_MAX_RANK || !gr_shape_count(&count, t->rank, t->shape) ||
        count > (size_t)INT64_MAX / element)
        return gr_fail(err, GR_ERR_ARG, "%s: tensor '%s': a type or shape that cannot be written", path,
                       t->name);
    *bytes = count * element;
    return GR_OK;
}

static gr_status plan(gr_safetensors_writer *w, const gr_tensor_spec *specs, const char *path, size_t *total,
                      gr_error *err)
{
    *total = 0;
    for (size_t i = 0; i < w->n; i++) {
        planned *p = &w->plan[i];
        *p = (planned){ .spec = specs[i], .index = i };
        GR_TRY(check_spec(path, &specs[i], &p->bytes, err));
        if (p->bytes > (size_t)INT64_MAX - *total)
            return gr_fail(err, GR_ERR_LIMIT, "%s: more bytes than a file can have", path);
        *total += p->bytes;
    }
    qsort(w->plan, w->n, sizeof *w->plan, by_file_order);
    return GR_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gr_status check_names(gr_runtime *rt, const gr_tensor_spec *specs, size_t n, const char *path,
                             gr_error *err)
{
    gr_status st = GR_OK;
    const char **names = gr_malloc(rt, n, sizeof *names);
    if (!names)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for %zu tensors", path, n);
    for (size_t i = 0; i < n; i++)
        names[i] = specs[i].name;
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 1; i < n && st == GR_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            st = gr_fail(err, GR_ERR_ARG, "%s: tensor '%s' twice", path, names[i]);
    gr_free(rt, names);
    return st;
}

/* The header with its length in front, padded so that the data begins at a multiple of 8. */
static void build_header(const gr_safetensors_writer *w, gr_buf *out, const char *const *metadata)
{
    gr_json_writer j;
    uint64_t at = 0;
    gr_buf_add(out, "\0\0\0\0\0\0\0\0", 8);
    gr_json_writer_init(&j, out, false);
    gr_json_put_object(&j);
    if (metadata) {
        gr_json_put_key(&j, "__metadata__");
        gr_json_put_object(&j);
        for (; metadata[0]; metadata += 2) {
            gr_json_put_key(&j, metadata[0]);
            gr_json_put_text(&j, metadata[1]);
        }
        gr_json_put_end(&j, '}');
    }
    for (size_t i = 0; i < w->n; i++) {
        const planned *p = &w->plan[i];
        gr_json_put_key(&j, p->spec.name);
        gr_json_put_object(&j);
        gr_json_put_key(&j, "dtype");
        gr_json_put_text(&j, gr_dtype_name(p->spec.dtype));
        gr_json_put_key(&j, "shape");
        gr_json_put_array(&j);
        for (int d = 0; d < p->spec.rank; d++)
            gr_json_put_int(&j, p->spec.shape[d]);
        gr_json_put_end(&j, ']');
        gr_json_put_key(&j, "data_offsets");
        gr_json_put_array(&j);
        gr_json_put_int(&j, (int64_t)at);
        gr_json_put_int(&j, (int64_t)(at += p->bytes));
        gr_json_put_end(&j, ']');
        gr_json_put_end(&j, '}');
    }
    gr_json_put_end(&j, '}');
    while (!out->failed && out->len % 8)
        gr_buf_add(out, " ", 1);
    for (int i = 0; i < 8 && !out->failed; i++)
        out->data[i] = (char)(unsigned char)((uint64_t)(out->len - 8) >> (8 * i));
}

/* Tensors without data are passed over at once. */
static void settle(gr_safetensors_writer *w)
{
    while (w->now < w->n && w->written == w->plan[w->now].bytes) {
        w->now++;
        w->written = 0;
    }
}

static gr_status begin(gr_safetensors_writer *w, const char *path, const gr_tensor_spec *specs,
                       const char *const *metadata, gr_error *err)
{
    size_t total;
    GR_TRY(plan(w, specs, path, &total, err));
    GR_TRY(check_names(w->rt, specs, w->n, path, err));
    gr_buf header;
    gr_buf_init(&header, w->rt, GR_SAFETENSORS_MAX_HEADER);
    build_header(w, &header, metadata);
    gr_status st = GR_OK;
    if (header.failed &&
        header.len > header.max - 4 * GR_SAFETENSORS_MAX_NAME) /* the next entry was too much */
        st = gr_fail(err, GR_ERR_LIMIT, "%s: the header of %zu tensors is over the limit of %d bytes", path,
                     w->n, GR_SAFETENSORS_MAX_HEADER);
    else if (header.failed)
        st = gr_fail(err, GR_ERR_MEM, "%s: no memory for the header of %zu tensors", path, w->n);
    if (st == GR_OK)
        st = gr_file_writer_open(&w->file, path, err);
    if (st == GR_OK)
        st = gr_file_writer_reserve(&w->file, header.len + total, err);
    if (st == GR_OK)
        gr_file_writer_add(&w->file, header.data, header.len);
    gr_buf_fini(&header);
    for (size_t i = 0; i < w->n; i++)
        w->plan[i].spec.name = NULL; /* was borrowed */
    settle(w);
    return st;
}

gr_status gr_safetensors_writer_open(gr_safetensors_writer **out, gr_runtime *rt, const char *path,
                                     const gr_tensor_spec *specs, size_t n, const char *const *metadata,
                                     gr_error *err)
{
    *out = NULL;
    gr_safetensors_writer *w = gr_calloc(rt, 1, sizeof *w);
    if (!w)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for a writer", path);
    w->rt = rt;
    w->n = n;
    w->plan = gr_calloc(rt, n, sizeof *w->plan);
    const gr_status st = w->plan ? begin(w, path, specs, metadata, err)
                                 : gr_fail(err, GR_ERR_MEM, "%s: no memory for %zu tensors", path, n);
    if (st != GR_OK)
        gr_safetensors_writer_abort(w);
    else
        *out = w;
    return st;
}

size_t gr_safetensors_writer_next(const gr_safetensors_writer *w)
{
    return w->now < w->n ? w->plan[w->now].index : w->n;
}

size_t gr_safetensors_writer_left(const gr_safetensors_writer *w)
{
    return w->now < w->n ? w->plan[w->now].bytes - w->written : 0;
}

gr_status gr_safetensors_writer_add(gr_safetensors_writer *w, const void *bytes, size_t n, gr_error *err)
{
    if (n > gr_safetensors_writer_left(w))
        return gr_fail(err, GR_ERR_ARG, "%s: %zu bytes for a tensor that has %zu to come", w->file.path, n,
                       gr_safetensors_writer_left(w));
    gr_file_writer_add(&w->file, bytes, n);
    w->written += n;
    settle(w);
    return gr_file_writer_status(&w->file, err);
}

static void release(gr_safetensors_writer *w)
{
    gr_free(w->rt, w->plan);
    gr_free(w->rt, w);
}

gr_status gr_safetensors_writer_commit(gr_safetensors_writer *w, gr_error *err)
{
    gr_status st;
    if (w->now < w->n) {
        st = gr_fail(err, GR_ERR_ARG, "%s: %zu of %zu tensors lack data", w->file.path, w->n - w->now, w->n);
        gr_file_writer_abort(&w->file);
    } else {
        st = gr_file_writer_commit(&w->file, err);
    }
    release(w);
    return st;
}

void gr_safetensors_writer_abort(gr_safetensors_writer *w)
{
    if (!w)
        return;
    gr_file_writer_abort(&w->file);
    release(w);
}
