#include "dataset/arrow_file.h"

#include <string.h>

#include "base/alloc.h"
#include "dataset/arrow_message.h"

/* A stream half way. */
typedef struct {
    gr_arrow_file *f;
    uint8_t *meta; /* of the present message */
    size_t meta_cap;
    bool has_schema;
    gr_error *err;
} indexing;

static gr_status read_meta(indexing *p, const gr_arrow_frame *frame)
{
    if (!gr_grow(p->f->rt, &p->meta, &p->meta_cap, 0, frame->meta_bytes, 1))
        return gr_fail(p->err, GR_ERR_MEM, "no memory for %zu bytes of metadata", frame->meta_bytes);
    return gr_source_read(&p->f->source, frame->meta_at, p->meta, frame->meta_bytes, p->err);
}

static gr_status add_batch(indexing *p, const gr_arrow_entry *e)
{
    gr_arrow_file *f = p->f;
    if (!gr_grow(f->rt, &f->batches, &f->batches_cap, f->n_batches, f->n_batches + 1, sizeof *f->batches))
        return gr_fail(p->err, GR_ERR_MEM, "no memory for %zu record batches", f->n_batches + 1);
    if (e->n_rows > UINT64_MAX / 2 - f->n_rows)
        return gr_fail(p->err, GR_ERR_LIMIT, "more than 2^63 rows");
    f->batches[f->n_batches] = *e;
    f->batches[f->n_batches++].first_row = f->n_rows;
    f->n_rows += e->n_rows;
    return GR_OK;
}

static gr_status add_dictionary(indexing *p, const gr_arrow_entry *e, const gr_arrow_record *r)
{
    gr_arrow_file *f = p->f;
    if (!gr_grow(f->rt, &f->dictionaries, &f->dictionaries_cap, f->n_dictionaries, f->n_dictionaries + 1,
                 sizeof *f->dictionaries))
        return gr_fail(p->err, GR_ERR_MEM, "no memory for %zu dictionaries", f->n_dictionaries + 1);
    f->dictionaries[f->n_dictionaries++] =
        (gr_arrow_dictionary){ .at = *e, .id = r->id, .is_delta = r->is_delta, .before_batch = f->n_batches };
    return GR_OK;
}

static gr_status take_batch(indexing *p, const gr_arrow_frame *frame, const gr_arrow_message *m)
{
    gr_arrow_record r;
    if (!p->has_schema)
        return gr_fail(p->err, GR_ERR_FORMAT, "a batch before the schema");
    GR_TRY(gr_arrow_record_parse(&r, m, p->err));
    const size_t left = p->f->source.size - frame->body_at;
    if ((uint64_t)m->body_bytes > left)
        return gr_fail(p->err, GR_ERR_FORMAT, "a body of %lld bytes where %zu are left: the file is cut off",
                       (long long)m->body_bytes, left);
    const gr_arrow_entry e = { .meta_at = frame->meta_at,
                               .meta_bytes = frame->meta_bytes,
                               .body_at = frame->body_at,
                               .body_bytes = (size_t)m->body_bytes,
                               .n_rows = (uint64_t)r.length };
    return m->kind == GR_ARROW_RECORD_BATCH ? add_batch(p, &e) : add_dictionary(p, &e, &r);
}

static gr_status take_message(indexing *p, const gr_arrow_frame *frame, size_t *next)
{
    gr_arrow_message m;
    GR_TRY(read_meta(p, frame));
    gr_fb fb = gr_fb_of(p->meta, frame->meta_bytes);
    GR_TRY(gr_arrow_message_parse(&m, &fb, p->err));
    if (m.kind != GR_ARROW_SCHEMA)
        GR_TRY(take_batch(p, frame, &m));
    else if (p->has_schema || m.body_bytes)
        return gr_fail(p->err, GR_ERR_FORMAT, p->has_schema ? "a second schema" : "a schema with a body");
    else
        GR_TRY(gr_arrow_schema_parse(&p->f->schema, p->f->rt, m.header, p->err));
    p->has_schema = true;
    *next = frame->body_at + (size_t)m.body_bytes;
    return GR_OK;
}

/* The magic of the random-access format, before the stream it holds. */
static gr_status skip_magic(const gr_source *source, size_t *at, gr_error *err)
{
    uint8_t head[8];
    *at = 0;
    if (source->size < sizeof head)
        return GR_OK;
    GR_TRY(gr_source_read(source, 0, head, sizeof head, err));
    if (memcmp(head, "ARROW1\0", 8) == 0)
        *at = 8;
    return GR_OK;
}

static gr_status index_stream(gr_arrow_file *f, gr_error *err)
{
    gr_error why = { 0 };
    indexing p = { .f = f, .err = &why };
    size_t at, n = 0;
    bool ended = false;
    gr_status st = skip_magic(&f->source, &at, &why);
    while (st == GR_OK) {
        gr_arrow_frame frame;
        st = gr_arrow_frame_find(&frame, &ended, &f->source, at, &why);
        if (st != GR_OK || ended)
            break;
        st = take_message(&p, &frame, &at);
        n += st == GR_OK;
    }
    gr_free(f->rt, p.meta);
    if (st != GR_OK)
        return gr_fail(err, st, "%s: message %zu, at byte %zu: %s", f->name, n, at, why.msg);
    if (!p.has_schema)
        return gr_fail(err, GR_ERR_FORMAT, "%s: an Arrow stream without a schema", f->name);
    return GR_OK;
}

/* Takes the source in every case. */
static gr_status open_source(gr_arrow_file **out, gr_runtime *rt, gr_source *source, const char *name,
                             gr_error *err)
{
    *out = NULL;
    gr_arrow_file *f = gr_calloc(rt, 1, sizeof *f);
    char *copy = gr_strdup(rt, name);
    if (!f || !copy) {
        gr_free(rt, f);
        gr_free(rt, copy);
        gr_source_close(source);
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for its index", name);
    }
    *f = (gr_arrow_file){ .rt = rt, .name = copy, .source = *source };
    const gr_status st = index_stream(f, err);
    if (st != GR_OK)
        gr_arrow_file_close(f);
    else
        *out = f;
    return st;
}

gr_status gr_arrow_file_open(gr_arrow_file **out, gr_runtime *rt, const char *path, gr_error *err)
{
    gr_source source;
    *out = NULL;
    GR_TRY(gr_source_open(&source, path, err));
    return open_source(out, rt, &source, path, err);
}

gr_status gr_arrow_file_parse(gr_arrow_file **out, gr_runtime *rt, const void *bytes, size_t n,
                              const char *name, gr_error *err)
{
    gr_source source = gr_source_of(bytes, n);
    return open_source(out, rt, &source, name, err);
}

void gr_arrow_file_close(gr_arrow_file *f)
{
    if (!f)
        return;
    gr_source_close(&f->source);
    gr_arrow_schema_fini(&f->schema);
    gr_free(f->rt, f->batches);
    gr_free(f->rt, f->dictionaries);
    gr_free(f->rt, f->name);
    gr_free(f->rt, f);
}

size_t gr_arrow_file_batch_of(const gr_arrow_file *f, uint64_t row)
{
    size_t lo = 0, hi = f->n_batches; /* batches[lo].first_row <= row < batches[hi].first_row */
    while (hi - lo > 1) {
        const size_t mid = lo + (hi - lo) / 2;
        if (f->batches[mid].first_row <= row)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}
