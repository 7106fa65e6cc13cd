#include "dataset/arrow_batch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "dataset/arrow_compress.h"

static gr_status GR_PRINTF(5, 6)
    column_fail(const gr_arrow_batch *b, int f, gr_error *err, gr_status status, const char *fmt, ...)
{
    char what[300], path[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return gr_fail(err, status, "column '%s': %s", gr_arrow_path(&b->file->schema, f, path, sizeof path),
                   what);
}

/* --- places of buffers --------------------------------------------------------------------------------- */

/* The lists of a batch half way. */
typedef struct {
    gr_arrow_batch *b;
    const gr_arrow_record *r;
    size_t node, buffer, variadic; /* taken so far */
    gr_error *err;
} placing;

static gr_status take_buffer(placing *p, int f, gr_arrow_buffer *out)
{
    const size_t body = p->b->entry->body_bytes;
    if (p->buffer == p->r->buffers.n)
        return column_fail(p->b, f, p->err, GR_ERR_FORMAT, "the batch has only %zu buffers", p->buffer);
    const uint8_t *at = p->r->buffers.data + 16 * p->buffer++;
    const int64_t offset = gr_fb_i64(at), n = gr_fb_i64(at + 8);
    if (n < 0 || (n > 0 && (offset < 0 || (uint64_t)offset > body || (uint64_t)n > body - (uint64_t)offset)))
        return column_fail(p->b, f, p->err, GR_ERR_FORMAT, "a buffer of %lld bytes at %lld of a body of %zu",
                           (long long)n, (long long)offset, body);
    if (n > 0)
        *out = (gr_arrow_buffer){ .at = p->b->entry->body_at + (size_t)offset, .stored = (size_t)n };
    return GR_OK;
}

/* The buffers of a column that is passed over. */
static gr_status skip_buffers(placing *p, int f, int n)
{
    gr_arrow_buffer ignored;
    const gr_arrow_type type = p->b->file->schema.fields[f].type;
    for (int i = 0; i < n; i++)
        GR_TRY(take_buffer(p, f, &ignored));
    if (type != GR_ARROW_BINARY_VIEW && type != GR_ARROW_UTF8_VIEW)
        return GR_OK;
    if (p->variadic == p->r->variadic.n)
        return column_fail(p->b, f, p->err, GR_ERR_FORMAT, "the batch does not say how many buffers it has");
    const int64_t more = gr_fb_i64(p->r->variadic.data + 8 * p->variadic++);
    if (more < 0 || (uint64_t)more > p->r->buffers.n - p->buffer)
        return column_fail(p->b, f, p->err, GR_ERR_FORMAT, "%lld further buffers, the batch has %zu",
                           (long long)more, p->r->buffers.n - p->buffer);
    p->buffer += (size_t)more;
    return GR_OK;
}

static gr_status take_buffers(placing *p, int f, gr_arrow_column *c)
{
    const gr_arrow_field *field = &p->b->file->schema.fields[f];
    if (c->layout == GR_ARROW_PASSED_OVER)
        return skip_buffers(p, f, gr_arrow_n_buffers(field));
    if (c->layout == GR_ARROW_NO_DATA)
        return GR_OK;
    GR_TRY(take_buffer(p, f, &c->validity));
    if (c->offset_width)
        GR_TRY(take_buffer(p, f, &c->offsets));
    if (c->layout == GR_ARROW_FIXED_ITEMS || c->layout == GR_ARROW_MEMBERS || c->layout == GR_ARROW_ITEMS)
        return GR_OK;
    return take_buffer(p, f, &c->data);
}

static void lay_out(const gr_arrow_batch *b, const gr_arrow_field *field, gr_arrow_column *c)
{
    if (field->is_dictionary && !b->is_dictionary)
        *c = (gr_arrow_column){ .layout = GR_ARROW_NUMBERS, .width = field->index_width };
    else
        *c = (gr_arrow_column){ .layout = field->layout,
                                .width = field->width,
                                .offset_width = field->offset_width };
}

/* Rows that a column has at least, by its parent's; with offsets that is seen when they are read. */
static gr_status check_length(placing *p, int f, const gr_arrow_column *c)
{
    const int parent = p->b->file->schema.fields[f].parent;
    if (f == p->b->first_field || parent < 0) {
        if (c->length != p->r->length)
            return column_fail(p->b, f, p->err, GR_ERR_FORMAT, "%lld rows in a batch of %lld",
                               (long long)c->length, (long long)p->r->length);
        return GR_OK;
    }
    const gr_arrow_column *above = &p->b->columns[parent - p->b->first_field];
    const int64_t per_row = above->layout == GR_ARROW_MEMBERS       ? 1
                            : above->layout == GR_ARROW_FIXED_ITEMS ? above->width
                                                                    : 0;
    if (per_row > 0 && c->length / per_row < above->length)
        return column_fail(p->b, f, p->err, GR_ERR_FORMAT, "%lld values for %lld rows of %lld",
                           (long long)c->length, (long long)above->length, (long long)per_row);
    return GR_OK;
}

static gr_status place_column(placing *p, int f)
{
    gr_arrow_column *c = &p->b->columns[f - p->b->first_field];
    lay_out(p->b, &p->b->file->schema.fields[f], c);
    if (p->node == p->r->nodes.n)
        return column_fail(p->b, f, p->err, GR_ERR_FORMAT, "the batch has only %zu columns", p->node);
    const uint8_t *at = p->r->nodes.data + 16 * p->node++;
    c->length = gr_fb_i64(at);
    c->null_count = gr_fb_i64(at + 8);
    if (c->length < 0 || c->length > GR_ARROW_LENGTH_MAX || c->null_count > c->length)
        return column_fail(p->b, f, p->err, GR_ERR_FORMAT, "%lld rows, %lld of them null",
                           (long long)c->length, (long long)c->null_count);
    GR_TRY(check_length(p, f, c));
    return take_buffers(p, f, c);
}

static gr_status place_columns(gr_arrow_batch *b, const gr_arrow_record *r, gr_error *err)
{
    placing p = { .b = b, .r = r, .err = err };
    for (int f = b->first_field; f < b->first_field + b->n_fields; f++)
        GR_TRY(place_column(&p, f));
    if (p.node != r->nodes.n || p.buffer != r->buffers.n)
        return gr_fail(err, GR_ERR_FORMAT,
                       "the batch has %zu columns and %zu buffers, the schema asks for %zu and %zu",
                       r->nodes.n, r->buffers.n, p.node, p.buffer);
    return GR_OK;
}

/* --- opening ------------------------------------------------------------------------------------------- */

static gr_status parse_batch(gr_arrow_batch *b, const uint8_t *meta, gr_error *err)
{
    gr_arrow_message m;
    gr_arrow_record r;
    gr_fb fb = gr_fb_of(meta, b->entry->meta_bytes);
    GR_TRY(gr_arrow_message_parse(&m, &fb, err));
    GR_TRY(gr_arrow_record_parse(&r, &m, err));
    if ((uint64_t)m.body_bytes != b->entry->body_bytes || (uint64_t)r.length != b->entry->n_rows)
        return gr_fail(err, GR_ERR_FORMAT, "its metadata have changed since the file was opened");
    b->codec = r.codec;
    return place_columns(b, &r, err);
}

gr_status gr_arrow_batch_open(gr_arrow_batch **out, const gr_arrow_file *file, const gr_arrow_entry *entry,
                              int dictionary_of, gr_error *err)
{
    gr_runtime *rt = file->rt;
    const bool is_dictionary = dictionary_of >= 0;
    const int n_fields = is_dictionary ? 1 : file->schema.n_fields;
    *out = NULL;
    gr_arrow_batch *b = gr_calloc(rt, 1, sizeof *b);
    gr_arrow_column *columns = gr_calloc(rt, (size_t)n_fields, sizeof *columns);
    uint8_t *meta = gr_malloc(rt, entry->meta_bytes, 1);
    gr_status st = GR_OK;
    if (!b || !columns || !meta) {
        st = gr_fail(err, GR_ERR_MEM, "no memory for a batch of %d columns", n_fields);
        gr_free(rt, b);
        gr_free(rt, columns);
        gr_free(rt, meta);
        return st;
    }
    *b = (gr_arrow_batch){ .file = file,
                           .entry = entry,
                           .is_dictionary = is_dictionary,
                           .first_field = is_dictionary ? dictionary_of : 0,
                           .n_fields = n_fields,
                           .columns = columns,
                           .bytes = sizeof *b + (size_t)n_fields * sizeof *columns };
    st = gr_source_read(&file->source, entry->meta_at, meta, entry->meta_bytes, err);
    if (st == GR_OK)
        st = parse_batch(b, meta, err);
    gr_free(rt, meta);
    if (st != GR_OK)
        gr_arrow_batch_free(b);
    else
        *out = b;
    return st;
}

void gr_arrow_batch_free(gr_arrow_batch *b)
{
    if (!b)
        return;
    gr_runtime *rt = b->file->rt;
    for (int i = 0; i < b->n_fields; i++) {
        gr_free(rt, b->columns[i].validity.bytes);
        gr_free(rt, b->columns[i].offsets.bytes);
        gr_free(rt, b->columns[i].data.bytes);
    }
    gr_free(rt, b->columns);
    gr_free(rt, b);
}

/* --- buffers ------------------------------------------------------------------------------------------- */

/* Finds out how long a buffer is unpacked: each that is not empty begins with that as an i64, -1 for one that
 * is stored as it is. */
static gr_status measure(gr_arrow_batch *b, int f, gr_arrow_buffer *buffer, gr_error *err)
{
    buffer->n = buffer->stored;
    if (b->codec == GR_ARROW_RAW || buffer->stored == 0)
        return GR_OK;
    uint8_t head[8];
    if (buffer->stored < sizeof head)
        return column_fail(b, f, err, GR_ERR_FORMAT, "a compressed buffer of %zu bytes, expected at least 8",
                           buffer->stored);
    GR_TRY(gr_source_read(&b->file->source, buffer->at, head, sizeof head, err));
    const int64_t n = gr_fb_i64(head);
    if (n < -1)
        return column_fail(b, f, err, GR_ERR_FORMAT, "a compressed buffer of %lld bytes", (long long)n);
    buffer->at += sizeof head;
    buffer->stored -= sizeof head;
    buffer->packed = n >= 0;
    buffer->n = buffer->packed ? (size_t)n : buffer->stored;
    return GR_OK;
}

static gr_status unpack(gr_arrow_batch *b, int f, const gr_arrow_buffer *buffer, uint8_t *to, gr_error *err)
{
    uint8_t *packed = gr_malloc(b->file->rt, buffer->stored, 1);
    gr_error why = { 0 };
    if (!packed)
        return column_fail(b, f, err, GR_ERR_MEM, "no memory for %zu compressed bytes", buffer->stored);
    gr_status st = gr_source_read(&b->file->source, buffer->at, packed, buffer->stored, &why);
    if (st == GR_OK)
        st = gr_arrow_unpack(b->codec, packed, buffer->stored, to, buffer->n, &why);
    gr_free(b->file->rt, packed);
    return st == GR_OK ? st : column_fail(b, f, err, st, "%s", why.msg);
}

/* Brings all of a measured buffer into memory. */
static gr_status load(gr_arrow_batch *b, int f, gr_arrow_buffer *buffer, gr_error *err)
{
    if (buffer->bytes || buffer->n == 0)
        return GR_OK;
    if (buffer->n > GR_ARROW_BUFFER_MAX)
        return column_fail(b, f, err, GR_ERR_LIMIT, "a buffer of %zu bytes in memory, the limit is %zu",
                           buffer->n, GR_ARROW_BUFFER_MAX);
    uint8_t *bytes = gr_malloc(b->file->rt, buffer->n, 1);
    if (!bytes)
        return column_fail(b, f, err, GR_ERR_MEM, "no memory for a buffer of %zu bytes", buffer->n);
    const gr_status st = buffer->packed ? unpack(b, f, buffer, bytes, err)
                                        : gr_source_read(&b->file->source, buffer->at, bytes, buffer->n, err);
    if (st != GR_OK) {
        gr_free(b->file->rt, bytes);
        return st;
    }
    buffer->bytes = bytes;
    b->bytes += buffer->n;
    return GR_OK;
}

gr_status gr_arrow_batch_read(gr_arrow_batch *b, int f, size_t at, void *to, size_t n, gr_error *err)
{
    gr_arrow_buffer *data = &b->columns[f - b->first_field].data;
    if (n == 0)
        return GR_OK;
    if (!data->packed)
        return gr_source_read(&b->file->source, data->at + at, to, n, err);
    GR_TRY(load(b, f, data, err));
    memcpy(to, data->bytes + at, n);
    return GR_OK;
}

/* --- columns ------------------------------------------------------------------------------------------- */

static gr_status load_validity(gr_arrow_batch *b, int f, gr_arrow_column *c, gr_error *err)
{
    const size_t need = ((size_t)c->length + 7) / 8;
    GR_TRY(measure(b, f, &c->validity, err));
    if (c->validity.n == 0 && c->null_count > 0 && c->layout != GR_ARROW_NO_DATA)
        return column_fail(b, f, err, GR_ERR_FORMAT, "%lld rows are null, but which ones is not said",
                           (long long)c->null_count);
    if (c->validity.n > 0 && c->validity.n < need)
        return column_fail(b, f, err, GR_ERR_FORMAT,
                           "%zu bytes say which of %lld rows are null, expected %zu", c->validity.n,
                           (long long)c->length, need);
    return load(b, f, &c->validity, err);
}

/* Offsets never go back, and end within what they count: bytes, or rows of the child. */
static gr_status load_offsets(gr_arrow_batch *b, int f, gr_arrow_column *c, int64_t end, gr_error *err)
{
    GR_TRY(measure(b, f, &c->offsets, err));
    if (c->length == 0 && c->offsets.n < (size_t)c->offset_width) {
        c->offsets.n = 0; /* no rows, no offsets: gr_arrow_column_offset gives 0 */
        return GR_OK;
    }
    const size_t need = ((size_t)c->length + 1) * (size_t)c->offset_width;
    if (c->offsets.n < need)
        return column_fail(b, f, err, GR_ERR_FORMAT, "%zu bytes of offsets for %lld rows, expected %zu",
                           c->offsets.n, (long long)c->length, need);
    GR_TRY(load(b, f, &c->offsets, err));
    int64_t last = 0;
    for (int64_t i = 0; i <= c->length; i++) {
        const int64_t offset = gr_arrow_column_offset(c, i);
        if (offset < last || offset > end)
            return column_fail(b, f, err, GR_ERR_FORMAT, "offset %lld is %lld, expected %lld to %lld",
                               (long long)i, (long long)offset, (long long)last, (long long)end);
        last = offset;
    }
    return GR_OK;
}

/* Bytes that the rows of a column take at least in its data; false: more than there can be. */
static bool data_needed(const gr_arrow_column *c, size_t *need)
{
    *need = 0;
    if (c->layout == GR_ARROW_BITS)
        *need = ((size_t)c->length + 7) / 8;
    if (c->layout != GR_ARROW_NUMBERS && c->layout != GR_ARROW_BLOBS)
        return true;
    if (c->width && (size_t)c->length > SIZE_MAX / 2 / (size_t)c->width)
        return false;
    *need = (size_t)c->length * (size_t)c->width;
    return true;
}

static gr_status prepare(gr_arrow_batch *b, int f, gr_arrow_column *c, gr_error *err)
{
    const gr_arrow_field *field = &b->file->schema.fields[f];
    size_t need;
    if (c->layout == GR_ARROW_PASSED_OVER)
        return column_fail(b, f, err, GR_ERR_UNSUPPORTED, "values of the type %s are not read",
                           gr_arrow_type_name(field->type));
    GR_TRY(load_validity(b, f, c, err));
    GR_TRY(measure(b, f, &c->data, err));
    if (!data_needed(c, &need) || c->data.n < need)
        return column_fail(b, f, err, GR_ERR_FORMAT, "%zu bytes of data are too few for %lld rows", c->data.n,
                           (long long)c->length);
    if (c->offset_width)
        GR_TRY(load_offsets(b, f, c,
                            c->layout == GR_ARROW_BYTES ? (int64_t)c->data.n
                                                        : b->columns[f + 1 - b->first_field].length,
                            err));
    return GR_OK;
}

/* After a failure, as before: the next try begins anew. */
static void forget(gr_arrow_batch *b, gr_arrow_column *c, const gr_arrow_column *was)
{
    gr_arrow_buffer *const buffers[] = { &c->validity, &c->offsets, &c->data };
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        if (buffers[i]->bytes) {
            b->bytes -= buffers[i]->n;
            gr_free(b->file->rt, buffers[i]->bytes);
        }
    *c = *was;
}

gr_status gr_arrow_batch_column(gr_arrow_batch *b, int f, gr_arrow_column **out, gr_error *err)
{
    gr_arrow_column *c = *out = &b->columns[f - b->first_field];
    if (c->ready)
        return GR_OK;
    const gr_arrow_column was = *c;
    const gr_status st = prepare(b, f, c, err);
    if (st != GR_OK)
        forget(b, c, &was);
    c->ready = st == GR_OK;
    return st;
}

bool gr_arrow_column_has(const gr_arrow_column *c, int64_t row)
{
    return !c->validity.bytes || (c->validity.bytes[row >> 3] >> (row & 7) & 1);
}

int64_t gr_arrow_column_offset(const gr_arrow_column *c, int64_t i)
{
    if (!c->offsets.bytes)
        return 0;
    const uint64_t offset =
        gr_fb_number(c->offsets.bytes + (size_t)i * (size_t)c->offset_width, c->offset_width);
    return c->offset_width == 4 ? (int32_t)(uint32_t)offset : (int64_t)offset;
}
