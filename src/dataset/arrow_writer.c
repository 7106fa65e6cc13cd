#include "dataset/arrow_writer.h"

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/arrow_builder.h"
#include "dataset/arrow_message.h"

#define BATCH_ROWS  1000
#define BATCH_BYTES ((size_t)256 << 20)

struct gr_arrow_writer {
    gr_runtime *rt;
    const gr_arrow_schema *schema;
    gr_arrow_writer_options limits;
    gr_arrow_builder batch;
    gr_buf message;
    gr_file_writer file;
    gr_hash hash;
    size_t bytes;
    uint64_t n_rows;
    bool finished;
};

/* --- bytes --------------------------------------------------------------------------------------------- */

static size_t padded(size_t n) { return (n + 7) / 8 * 8; }

static void put(gr_arrow_writer *w, const void *bytes, size_t n)
{
    gr_file_writer_add(&w->file, bytes, n);
    w->hash = gr_hash_bytes(w->hash, bytes, n);
    w->bytes += n;
}

/* A buffer of the body, padded to a multiple of 8. */
static void put_buffer(gr_arrow_writer *w, const char *bytes, size_t n)
{
    static const char zeros[8];
    if (n == 0)
        return;
    put(w, bytes, n);
    put(w, zeros, padded(n) - n);
}

/* --- messages ------------------------------------------------------------------------------------------ */

/* Begins a message; *header is where its reference to the header is. */
static gr_fb_writer begin_message(gr_arrow_writer *w, gr_arrow_message_kind kind, size_t body_bytes,
                                  size_t *header)
{
    enum { BODY, HEADER, VERSION, KIND, COUNT };
    gr_fb_field t[COUNT] = {
        [BODY] = { .slot = 3, .bytes = 8, .value = (int64_t)body_bytes },
        [HEADER] = { .slot = 2, .bytes = 4 },
        [VERSION] = { .slot = 0, .bytes = 2, .value = 4 },
        [KIND] = { .slot = 1, .bytes = 1, .value = kind },
    };
    gr_buf_clear(&w->message);
    gr_buf_add(&w->message, "\xff\xff\xff\xff\0\0\0\0",
               8); /* the marker, and the size, which is not known yet */
    gr_fb_writer fb = gr_fb_writer_begin(&w->message);
    gr_fb_point(&fb, 0, gr_fb_put_table(&fb, t, COUNT));
    *header = t[HEADER].at;
    return fb;
}

static gr_status end_message(gr_arrow_writer *w, gr_fb_writer *fb, gr_error *err)
{
    gr_fb_writer_end(fb);
    if (w->message.failed)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the metadata of a batch", w->file.path);
    const size_t n = w->message.len - 8;
    for (size_t i = 0; i < 4; i++)
        w->message.data[4 + i] = (char)(n >> (8 * i));
    put(w, w->message.data, w->message.len);
    return gr_file_writer_status(&w->file, err);
}

static gr_status put_schema(gr_arrow_writer *w, gr_error *err)
{
    size_t header;
    gr_fb_writer fb = begin_message(w, GR_ARROW_SCHEMA, 0, &header);
    gr_fb_point(&fb, header, gr_arrow_schema_put(w->schema, &fb));
    return end_message(w, &fb, err);
}

/* The buffers of a field, in the order of the format. Returns how many. */
static int buffers_of(const gr_arrow_writer *w, int f, const gr_buf *buffers[3])
{
    static const gr_buf nothing = { 0 };
    const gr_arrow_building *c = &w->batch.columns[f];
    const gr_arrow_field *field = &w->schema->fields[f];
    const int n = gr_arrow_n_buffers(field);
    buffers[0] = c->n_null ? &c->validity : &nothing;
    buffers[1] = field->offset_width ? &c->offsets : &c->data;
    buffers[2] = &c->data;
    return n;
}

static size_t body_bytes(const gr_arrow_writer *w, size_t *n_buffers)
{
    const gr_buf *buffers[3];
    size_t bytes = 0;
    *n_buffers = 0;
    for (int f = 0; f < w->schema->n_fields; f++) {
        const int n = buffers_of(w, f, buffers);
        for (int i = 0; i < n; i++)
            bytes += padded(buffers[i]->len);
        *n_buffers += (size_t)n;
    }
    return bytes;
}

static size_t put_nodes(const gr_arrow_writer *w, gr_fb_writer *fb)
{
    const size_t at = gr_fb_put_vector(fb, (size_t)w->schema->n_fields, 8);
    for (int f = 0; f < w->schema->n_fields; f++) {
        gr_fb_put_number(fb, (uint64_t)w->batch.columns[f].length, 8);
        gr_fb_put_number(fb, (uint64_t)w->batch.columns[f].n_null, 8);
    }
    return at;
}

static size_t put_places(const gr_arrow_writer *w, gr_fb_writer *fb, size_t n_buffers)
{
    const gr_buf *buffers[3];
    size_t offset = 0;
    const size_t at = gr_fb_put_vector(fb, n_buffers, 8);
    for (int f = 0; f < w->schema->n_fields; f++) {
        const int n = buffers_of(w, f, buffers);
        for (int i = 0; i < n; i++) {
            gr_fb_put_number(fb, offset, 8);
            gr_fb_put_number(fb, buffers[i]->len, 8);
            offset += padded(buffers[i]->len);
        }
    }
    return at;
}

static gr_status put_batch(gr_arrow_writer *w, gr_error *err)
{
    const gr_buf *buffers[3];
    size_t header, n_buffers;
    const size_t body = body_bytes(w, &n_buffers);
    gr_fb_field t[] = { { .slot = 0, .bytes = 8, .value = (int64_t)w->batch.n_rows },
                        { .slot = 1, .bytes = 4 },
                        { .slot = 2, .bytes = 4 } };
    gr_fb_writer fb = begin_message(w, GR_ARROW_RECORD_BATCH, body, &header);
    gr_fb_point(&fb, header, gr_fb_put_table(&fb, t, 3));
    gr_fb_point(&fb, t[1].at, put_nodes(w, &fb));
    gr_fb_point(&fb, t[2].at, put_places(w, &fb, n_buffers));
    GR_TRY(end_message(w, &fb, err));
    for (int f = 0; f < w->schema->n_fields; f++) {
        const int n = buffers_of(w, f, buffers);
        for (int i = 0; i < n; i++)
            put_buffer(w, buffers[i]->data, buffers[i]->len);
    }
    gr_arrow_builder_clear(&w->batch);
    return gr_file_writer_status(&w->file, err);
}

/* --- the file ------------------------------------------------------------------------------------------ */

static void free_writer(gr_arrow_writer *w)
{
    gr_arrow_builder_fini(&w->batch);
    gr_buf_fini(&w->message);
    gr_free(w->rt, w);
}

gr_status gr_arrow_writer_open(gr_arrow_writer **out, gr_runtime *rt, const char *path,
                               const gr_arrow_schema *schema, const gr_arrow_writer_options *options,
                               gr_error *err)
{
    gr_error why = { 0 };
    *out = NULL;
    gr_arrow_writer *w = gr_calloc(rt, 1, sizeof *w);
    if (!w)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory to write it", path);
    *w = (gr_arrow_writer){ .rt = rt, .schema = schema, .limits = { BATCH_ROWS, BATCH_BYTES } };
    if (options && options->batch_rows)
        w->limits.batch_rows = options->batch_rows;
    if (options && options->batch_bytes)
        w->limits.batch_bytes =
            options->batch_bytes < GR_ARROW_BATCH_MAX ? options->batch_bytes : GR_ARROW_BATCH_MAX;
    gr_buf_init(&w->message, rt, GR_ARROW_META_MAX);
    gr_status st = gr_arrow_builder_init(&w->batch, rt, schema, &why);
    if (st != GR_OK)
        gr_fail(err, st, "%s: %s", path, why.msg);
    else
        st = gr_file_writer_open(&w->file, path, err);
    if (st == GR_OK)
        st = put_schema(w, err);
    if (st == GR_OK) {
        *out = w;
        return GR_OK;
    }
    gr_file_writer_abort(&w->file);
    free_writer(w);
    return st;
}

gr_status gr_arrow_writer_add(gr_arrow_writer *w, const gr_arrow_value *row, gr_error *err)
{
    size_t bytes;
    gr_error why = { 0 };
    gr_status st = gr_arrow_builder_check(&w->batch, row, &bytes, &why);
    const bool full = st == GR_OK && w->batch.n_rows > 0 &&
                      (w->batch.n_rows >= w->limits.batch_rows || w->batch.bytes >= w->limits.batch_bytes ||
                       bytes > w->limits.batch_bytes - w->batch.bytes);
    if (full)
        GR_TRY(put_batch(w, err));
    if (st == GR_OK)
        st = gr_arrow_builder_add(&w->batch, row, bytes, &why);
    if (st != GR_OK)
        return gr_fail(err, st, "%s: row %llu: %s", w->file.path, (unsigned long long)w->n_rows, why.msg);
    w->n_rows++;
    return GR_OK;
}

uint64_t gr_arrow_writer_n_rows(const gr_arrow_writer *w) { return w->n_rows; }
gr_hash gr_arrow_writer_hash(const gr_arrow_writer *w) { return w->hash; }
size_t gr_arrow_writer_bytes(const gr_arrow_writer *w) { return w->bytes; }

gr_status gr_arrow_writer_finish(gr_arrow_writer *w, gr_error *err)
{
    if (w->finished)
        return GR_OK;
    if (w->batch.n_rows)
        GR_TRY(put_batch(w, err));
    put(w, "\xff\xff\xff\xff\0\0\0\0", 8);
    w->finished = true;
    return gr_file_writer_status(&w->file, err);
}

gr_status gr_arrow_writer_commit(gr_arrow_writer *w, gr_error *err)
{
    gr_status st = gr_arrow_writer_finish(w, err);
    if (st == GR_OK)
        st = gr_file_writer_commit(&w->file, err);
    else
        gr_file_writer_abort(&w->file);
    free_writer(w);
    return st;
}

void gr_arrow_writer_abort(gr_arrow_writer *w)
{
    if (!w)
        return;
    gr_file_writer_abort(&w->file);
    free_writer(w);
}
