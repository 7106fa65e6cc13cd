#include "train/moments_file.h"

#include <string.h>

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "io/json.h"

#define FORMAT     "grasp-moments-1"
#define MAX_HEADER ((size_t)16 << 20)
#define ALIGN      64

enum { N_BUFFERS = 3 };

static void buffers_of(const gr_flat *f, float *out[N_BUFFERS])
{
    out[0] = f->weights;
    out[1] = f->m;
    out[2] = f->v;
}

/* --- writing ------------------------------------------------------------------------------------------- */

static void put_range(gr_json_writer *j, const gr_range *r, float *const buffers[N_BUFFERS])
{
    gr_json_put_object(j);
    gr_json_put_key(j, "tensor");
    gr_json_put_text(j, r->name);
    gr_json_put_key(j, "offset");
    gr_json_put_int(j, (int64_t)r->offset);
    gr_json_put_key(j, "count");
    gr_json_put_int(j, (int64_t)r->count);
    gr_json_put_key(j, "crc32c");
    gr_json_put_array(j);
    for (int i = 0; i < N_BUFFERS; i++)
        gr_json_put_int(j, gr_crc32c(0, buffers[i] + r->offset, r->count * sizeof(float)));
    gr_json_put_end(j, ']');
    gr_json_put_end(j, '}');
}

static void build_header(const gr_flat *f, float *const buffers[N_BUFFERS], gr_buf *out)
{
    gr_json_writer j;
    gr_buf_add(out, "\0\0\0\0\0\0\0\0", 8);
    gr_json_writer_init(&j, out, false);
    gr_json_put_object(&j);
    gr_json_put_key(&j, "format");
    gr_json_put_text(&j, FORMAT);
    gr_json_put_key(&j, "elements");
    gr_json_put_int(&j, (int64_t)f->n);
    gr_json_put_key(&j, "ranges");
    gr_json_put_array(&j);
    for (size_t i = 0; i < f->n_ranges; i++)
        put_range(&j, &f->ranges[i], buffers);
    gr_json_put_end(&j, ']');
    gr_json_put_end(&j, '}');
    while (!out->failed && out->len % ALIGN)
        gr_buf_add(out, " ", 1);
    for (int i = 0; i < 8 && !out->failed; i++)
        out->data[i] = (char)(unsigned char)((uint64_t)(out->len - 8) >> (8 * i));
}

gr_status gr_moments_write(const gr_flat *f, const char *path, gr_error *err)
{
    const size_t bytes = f->n * sizeof(float);
    float *buffers[N_BUFFERS];
    gr_file_writer file;
    gr_buf header;
    buffers_of(f, buffers);
    GR_TRY(gr_file_writer_open(&file, path, err));
    gr_buf_init(&header, f->rt, MAX_HEADER);
    build_header(f, buffers, &header);
    gr_status st = header.failed ? gr_fail(err, GR_ERR_MEM, "%s: no memory for its header", path) : GR_OK;
    if (st == GR_OK)
        st = gr_file_writer_reserve(&file, header.len + N_BUFFERS * bytes, err);
    if (st == GR_OK) {
        gr_file_writer_add(&file, header.data, header.len);
        for (int i = 0; i < N_BUFFERS; i++)
            gr_file_writer_add(&file, buffers[i], bytes);
        st = gr_file_writer_commit(&file, err);
    } else {
        gr_file_writer_abort(&file);
    }
    gr_buf_fini(&header);
    return st;
}

/* --- reading ------------------------------------------------------------------------------------------- */

typedef struct {
    gr_flat *f;
    const char *path;
    gr_source file;
    size_t begin;       /* of the data */
    int64_t n_elements; /* -1: not seen */
    size_t next;        /* the range that probably comes next */
    bool *seen;         /* [n_ranges] */
} reading;

/* One entry of "ranges". */
typedef struct {
    const gr_range *to; /* NULL: nobody wants it */
    int64_t offset, count;
    uint32_t crc[N_BUFFERS];
    int n_crc;
} entry;

static const gr_range *find(reading *r, const char *name)
{
    for (size_t i = 0; i < r->f->n_ranges; i++) {
        const size_t at = (r->next + i) % r->f->n_ranges;
        if (strcmp(r->f->ranges[at].name, name) == 0) {
            r->next = at + 1;
            return &r->f->ranges[at];
        }
    }
    return NULL;
}

static gr_status read_range(reading *r, const entry *e, gr_error *err)
{
    static const char *const names[N_BUFFERS] = { "weights", "first moments", "second moments" };
    float *buffers[N_BUFFERS];
    buffers_of(r->f, buffers);
    if ((size_t)e->count != e->to->count || e->n_crc != N_BUFFERS || e->offset > r->n_elements - e->count)
        return gr_fail(err, GR_ERR_FORMAT,
                       "%s: tensor '%s': %lld elements from %lld on of %lld, expected %zu elements and three "
                       "checksums",
                       r->path, e->to->name, (long long)e->count, (long long)e->offset,
                       (long long)r->n_elements, e->to->count);
    for (int i = 0; i < N_BUFFERS; i++) {
        float *to = buffers[i] + e->to->offset;
        const size_t bytes = e->to->count * sizeof *to,
                     at = r->begin + ((size_t)i * (size_t)r->n_elements + (size_t)e->offset) * sizeof *to;
        if (gr_source_read(&r->file, at, to, bytes, err) != GR_OK)
            return gr_error_prefix(err, "%s", r->path);
        if (gr_crc32c(0, to, bytes) != e->crc[i])
            return gr_fail(err, GR_ERR_FORMAT,
                           "%s: tensor '%s': its %s do not have the checksum of the header", r->path,
                           e->to->name, names[i]);
    }
    r->seen[e->to - r->f->ranges] = true;
    return GR_OK;
}

static gr_status read_entry(reading *r, gr_json *j, gr_error *err)
{
    entry e = { .offset = -1, .count = -1 };
    const char *key;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "tensor") == 0)
            e.to = find(r, gr_json_string(j, NULL));
        else if (strcmp(key, "offset") == 0)
            e.offset = gr_json_int(j, 0, r->n_elements);
        else if (strcmp(key, "count") == 0)
            e.count = gr_json_int(j, 1, r->n_elements);
        else if (strcmp(key, "crc32c") == 0)
            for (gr_json_array(j); gr_json_item(j); e.n_crc++)
                e.crc[e.n_crc < N_BUFFERS ? e.n_crc : 0] = (uint32_t)gr_json_int(j, 0, UINT32_MAX);
        else
            gr_json_skip(j);
    }
    GR_TRY(gr_json_status(j, false, err));
    if (e.offset < 0 || e.count < 0)
        return gr_fail(err, GR_ERR_FORMAT, "%s: a range without offset or count", r->path);
    return e.to ? read_range(r, &e, err) : GR_OK;
}

static gr_status read_header(reading *r, const char *text, size_t n, gr_error *err)
{
    gr_json j;
    const char *key;
    gr_status st = GR_OK;
    bool known = false;
    gr_json_init(&j, r->f->rt, text, n, r->path, 4096);
    for (gr_json_object(&j); st == GR_OK && gr_json_key(&j, &key);) {
        if (strcmp(key, "format") == 0)
            known = strcmp(gr_json_string(&j, NULL), FORMAT) == 0;
        else if (strcmp(key, "elements") == 0)
            r->n_elements = gr_json_int(&j, 1, (int64_t)(r->file.size / (N_BUFFERS * sizeof(float))));
        else if (strcmp(key, "ranges") == 0 && known && r->n_elements > 0)
            for (gr_json_array(&j); st == GR_OK && gr_json_item(&j);)
                st = read_entry(r, &j, err);
        else
            gr_json_skip(&j);
    }
    if (st == GR_OK)
        st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    if (st == GR_OK && (!known || r->n_elements < 0))
        st = gr_fail(err, GR_ERR_FORMAT,
                     "%s: its header does not say \"format\": \"" FORMAT "\" and how many "
                     "elements there are",
                     r->path);
    for (size_t i = 0; st == GR_OK && i < r->f->n_ranges; i++)
        if (!r->seen[i])
            st = gr_fail(err, GR_ERR_FORMAT, "%s: it lacks tensor '%s', which is trained", r->path,
                         r->f->ranges[i].name);
    return st;
}

static gr_status read_file(reading *r, gr_error *err)
{
    uint8_t length[8];
    uint64_t n = 0;
    if (gr_source_read(&r->file, 0, length, sizeof length, err) != GR_OK)
        return gr_error_prefix(err, "%s", r->path);
    for (int i = 8; i-- > 0;)
        n = n << 8 | length[i];
    if (n > MAX_HEADER || n > r->file.size - sizeof length)
        return gr_fail(err, GR_ERR_FORMAT, "%s: a header of %llu bytes in a file of %zu", r->path,
                       (unsigned long long)n, r->file.size);
    r->begin = sizeof length + (size_t)n;
    char *text = gr_malloc(r->f->rt, (size_t)n + 1, 1);
    r->seen = gr_calloc(r->f->rt, r->f->n_ranges, sizeof *r->seen);
    gr_status st =
        text && r->seen ? GR_OK : gr_fail(err, GR_ERR_MEM, "%s: no memory for its header", r->path);
    if (st == GR_OK && gr_source_read(&r->file, sizeof length, text, (size_t)n, err) != GR_OK)
        st = gr_error_prefix(err, "%s", r->path);
    if (st == GR_OK)
        st = read_header(r, text, (size_t)n, err);
    gr_free(r->f->rt, text);
    gr_free(r->f->rt, r->seen);
    return st;
}

gr_status gr_moments_parse(gr_flat *f, const gr_source *file, const char *name, gr_error *err)
{
    reading r = { .f = f, .path = name, .file = *file, .n_elements = -1 };
    return read_file(&r, err);
}

gr_status gr_moments_read(gr_flat *f, const char *path, gr_error *err)
{
    gr_source file;
    GR_TRY(gr_source_open(&file, path, err));
    const gr_status st = gr_moments_parse(f, &file, path, err);
    gr_source_close(&file);
    return st;
}
