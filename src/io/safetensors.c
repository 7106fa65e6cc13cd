#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/reader.h"
#include "io/json.h"

/* A tensor while the header is read: the name is an offset, because the arena moves. */
typedef struct {
    gr_safetensor t;
    size_t name_at;
    uint64_t begin, end;
} entry;

struct gr_safetensors {
    gr_runtime *rt;
    gr_buf names; /* zero-terminated, one after the other */
    entry *entries;
    size_t n, capacity;
    char *metadata; /* a copy of its text */
    size_t metadata_bytes;
};

/* --- one entry of the header --------------------------------------------------------------------------- */

static void read_dtype(gr_json *j, entry *e)
{
    char text[32] = "";
    const char *name = gr_json_string(j, NULL);
    if (j->err.status != GR_OK)
        return;
    e->t.dtype = gr_dtype_from_name(name);
    if (e->t.dtype != GR_DTYPE_COUNT)
        return;
    strncat(text, name, sizeof text - 1);
    gr_json_fail(j, GR_ERR_UNSUPPORTED, "element type '%s' is not one that can be read", text);
}

static void read_shape(gr_json *j, entry *e)
{
    e->t.rank = 0;
    for (gr_json_array(j); gr_json_item(j);) {
        const int64_t dim = gr_json_int(j, 0, INT64_MAX);
        if (e->t.rank == GR_MAX_RANK) {
            gr_json_fail(j, GR_ERR_LIMIT, "a shape of more than %d dimensions", GR_MAX_RANK);
            return;
        }
        e->t.shape[e->t.rank++] = dim;
    }
}

static void read_offsets(gr_json *j, entry *e)
{
    uint64_t v[2] = { 0, 0 };
    int n = 0;
    for (gr_json_array(j); gr_json_item(j); n++) {
        const int64_t x = gr_json_int(j, 0, INT64_MAX);
        if (n < 2)
            v[n] = (uint64_t)x;
    }
    if (n != 2)
        gr_json_fail(j, GR_ERR_FORMAT, "data_offsets has %d numbers, expected 2", n);
    e->begin = v[0];
    e->end = v[1];
}

/* Reads {"dtype", "shape", "data_offsets"}. */
static void read_entry(gr_json *j, entry *e)
{
    static const struct {
        const char *key;
        void (*read)(gr_json *j, entry *e);
    } fields[] = { { "dtype", read_dtype }, { "shape", read_shape }, { "data_offsets", read_offsets } };
    const int n_fields = sizeof fields / sizeof *fields;
    unsigned seen = 0;
    const char *key;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        int i = 0;
        while (i < n_fields && strcmp(key, fields[i].key) != 0)
            i++;
        if (i == n_fields) {
            gr_json_skip(j); /* a later format may say more */
            continue;
        }
        if (seen & 1u << i)
            gr_json_fail(j, GR_ERR_FORMAT, "'%s' twice", fields[i].key);
        seen |= 1u << i;
        fields[i].read(j, e);
    }
    for (int i = 0; i < n_fields && j->err.status == GR_OK; i++)
        if (!(seen & 1u << i))
            gr_json_fail(j, GR_ERR_FORMAT, "there is no '%s'", fields[i].key);
}

static void read_metadata(gr_safetensors *f, gr_json *j)
{
    const char *key;
    if (f->metadata)
        gr_json_fail(j, GR_ERR_FORMAT, "'__metadata__' twice");
    gr_json_peek(j);
    const char *text = j->at;
    for (gr_json_object(j); gr_json_key(j, &key);)
        if (gr_json_peek(j) == GR_JSON_STRING)
            gr_json_skip(j);
        else
            gr_json_fail(j, GR_ERR_FORMAT, "'__metadata__' may hold texts only");
    if (j->err.status != GR_OK)
        return;
    f->metadata_bytes = (size_t)(j->at - text);
    f->metadata = gr_strndup(f->rt, text, f->metadata_bytes);
    if (!f->metadata)
        gr_json_fail(j, GR_ERR_MEM, "no memory for %zu bytes of '__metadata__'", f->metadata_bytes);
}

static void read_header(gr_safetensors *f, gr_json *j)
{
    const char *key;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "__metadata__") == 0) {
            read_metadata(f, j);
            continue;
        }
        if (f->n == GR_SAFETENSORS_MAX_TENSORS) {
            gr_json_fail(j, GR_ERR_LIMIT, "more than %d tensors", GR_SAFETENSORS_MAX_TENSORS);
            return;
        }
        const size_t name_at = f->names.len;
        if (!gr_grow(f->rt, &f->entries, &f->capacity, f->n, f->n + 1, sizeof *f->entries) ||
            !gr_buf_add(&f->names, key, strlen(key) + 1)) {
            gr_json_fail(j, GR_ERR_MEM, "no memory for %zu tensors", f->n + 1);
            return;
        }
        entry *e = &f->entries[f->n++];
        e->name_at = name_at;
        j->about = f->names.data + name_at; /* does not move until the next name */
        read_entry(j, e);
        j->about = NULL;
    }
}

/* --- rules that need all entries ----------------------------------------------------------------------- */

static int by_offset(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->t.name, ((const entry *)b)->t.name);
}

/* Offsets agree with shape and type, and the tensors fill [0, data_bytes) side by side. */
static gr_status check_layout(gr_safetensors *f, size_t data_at, size_t data_bytes, const char *file,
                              gr_error *err)
{
    uint64_t at = 0;
    const char *before = "the start of the data";
    if (f->n) /* no entries, no array */
        qsort(f->entries, f->n, sizeof *f->entries, by_offset);
    for (size_t i = 0; i < f->n; i++) {
        entry *e = &f->entries[i];
        char shape[200];
        size_t count;
        gr_shape_text(shape, sizeof shape, e->t.rank, e->t.shape);
        const size_t element = gr_dtype_bytes(e->t.dtype);
        if (!gr_shape_count(&count, e->t.rank, e->t.shape) || count > SIZE_MAX / element)
            return gr_fail(err, GR_ERR_FORMAT, "%s: tensor '%s': shape %s overflows", file, e->t.name, shape);
        if (e->end < e->begin || e->end - e->begin != count * element)
            return gr_fail(
                err, GR_ERR_FORMAT,
                "%s: tensor '%s': data_offsets [%llu, %llu], expected %zu bytes for %s of shape %s", file,
                e->t.name, (unsigned long long)e->begin, (unsigned long long)e->end, count * element,
                gr_dtype_name(e->t.dtype), shape);
        if (e->begin != at)
            return gr_fail(err, GR_ERR_FORMAT, "%s: tensor '%s' begins at %llu, expected %llu: %s '%s'", file,
                           e->t.name, (unsigned long long)e->begin, (unsigned long long)at,
                           e->begin < at ? "it overlaps" : "there is a hole behind", before);
        if (e->end > data_bytes)
            return gr_fail(err, GR_ERR_FORMAT,
                           "%s: tensor '%s' ends at %llu of %zu data bytes: the file is cut off", file,
                           e->t.name, (unsigned long long)e->end, data_bytes);
        e->t.offset = data_at + (size_t)e->begin;
        e->t.bytes = count * element;
        at = e->end;
        before = e->t.name;
    }
    if (at != data_bytes)
        return gr_fail(err, GR_ERR_FORMAT, "%s: %llu bytes after the last tensor", file,
                       (unsigned long long)(data_bytes - at));
    return GR_OK;
}

/* --- the whole file ------------------------------------------------------------------------------------ */

#define LENGTH 8 /* bytes of the header's length */

static gr_status read_source(const gr_source *file, size_t at, void *to, size_t n, const char *name,
                             gr_error *err)
{
    gr_error why = { 0 };
    return gr_source_read(file, at, to, n, &why) == GR_OK
               ? GR_OK
               : gr_fail(err, why.status, "%s: the header: %s", name, why.msg);
}

/* Bytes of the header. */
static gr_status header_length(size_t *length, const gr_source *file, const char *name, gr_error *err)
{
    uint8_t bytes[LENGTH];
    if (file->size < LENGTH)
        return gr_fail(err, GR_ERR_FORMAT, "%s: %zu bytes, a safetensors file has at least 8", name,
                       file->size);
    GR_TRY(read_source(file, 0, bytes, LENGTH, name, err));
    gr_reader r = { bytes, bytes + LENGTH, false };
    const uint64_t n = gr_reader_u64(&r);
    if (n > GR_SAFETENSORS_MAX_HEADER)
        return gr_fail(err, GR_ERR_LIMIT,
                       "%s: a header of %llu bytes, the limit is %d: not a safetensors file?", name,
                       (unsigned long long)n, GR_SAFETENSORS_MAX_HEADER);
    if (n > file->size - LENGTH)
        return gr_fail(err, GR_ERR_FORMAT, "%s: a header of %llu bytes in a file of %zu: the file is cut off",
                       name, (unsigned long long)n, file->size);
    *length = (size_t)n;
    return GR_OK;
}

static gr_status parse_header(gr_safetensors *f, const char *header, size_t n, size_t data_bytes,
                              const char *name, gr_error *err)
{
    if (n == 0 || header[0] != '{')
        return gr_fail(err, GR_ERR_FORMAT, "%s: the header does not begin with '{'", name);
    gr_json j;
    gr_json_init(&j, f->rt, header, n, name, GR_SAFETENSORS_MAX_NAME);
    read_header(f, &j);
    gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    for (size_t i = 0; i < f->n; i++)
        f->entries[i].t.name = f->names.data + f->entries[i].name_at;
    if (st == GR_OK)
        st = check_layout(f, LENGTH + n, data_bytes, name, err);
    if (st == GR_OK && f->n)
        qsort(f->entries, f->n, sizeof *f->entries, by_name);
    for (size_t i = 1; st == GR_OK && i < f->n; i++)
        if (strcmp(f->entries[i - 1].t.name, f->entries[i].t.name) == 0)
            st = gr_fail(err, GR_ERR_FORMAT, "%s: tensor '%s' twice", name, f->entries[i].t.name);
    return st;
}

static gr_status parse(gr_safetensors *f, const gr_source *file, const char *name, gr_error *err)
{
    size_t n = 0;
    GR_TRY(header_length(&n, file, name, err));
    char *header = gr_malloc(f->rt, n, 1);
    if (!header)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for a header of %zu bytes", name, n);
    gr_status st = read_source(file, LENGTH, header, n, name, err);
    if (st == GR_OK)
        st = parse_header(f, header, n, file->size - LENGTH - n, name, err);
    gr_free(f->rt, header);
    return st;
}

gr_status gr_safetensors_parse(gr_safetensors **out, gr_runtime *rt, const gr_source *file, const char *name,
                               gr_error *err)
{
    *out = NULL;
    gr_safetensors *f = gr_calloc(rt, 1, sizeof *f);
    if (!f)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the header", name);
    f->rt = rt;
    gr_buf_init(&f->names, rt, (size_t)2 * GR_SAFETENSORS_MAX_HEADER);
    const gr_status st = parse(f, file, name, err);
    if (st != GR_OK)
        gr_safetensors_free(f);
    else
        *out = f;
    return st;
}

void gr_safetensors_free(gr_safetensors *f)
{
    if (!f)
        return;
    gr_buf_fini(&f->names);
    gr_free(f->rt, f->entries);
    gr_free(f->rt, f->metadata);
    gr_free(f->rt, f);
}

size_t gr_safetensors_count(const gr_safetensors *f) { return f->n; }
const gr_safetensor *gr_safetensors_at(const gr_safetensors *f, size_t i) { return &f->entries[i].t; }

const gr_safetensor *gr_safetensors_find(const gr_safetensors *f, const char *name)
{
    const entry key = { .t = { .name = name } };
    const entry *e = f->n ? bsearch(&key, f->entries, f->n, sizeof *f->entries, by_name) : NULL;
    return e ? &e->t : NULL;
}

const char *gr_safetensors_metadata(const gr_safetensors *f, size_t *n)
{
    *n = f->metadata_bytes;
    return f->metadata;
}
