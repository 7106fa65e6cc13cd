#include "dataset/arrow_cursor.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/half.h"
#include "dataset/arrow_batch.h"
#include "dataset/scratch.h"

#define CACHE_BYTES ((size_t)16 << 20)
#define ROW_BYTES   ((size_t)256 << 20)
#define SLOTS       256 /* batches that are held, unless one reading needs more; looked through one by one */

typedef struct {
    gr_arrow_batch *batch;
    uint64_t used; /* the reading that used it last */
} slot;

struct gr_arrow_cursor {
    gr_runtime *rt;
    slot *slots;
    size_t n_slots, slots_cap, cache_bytes;
    uint64_t reading; /* counts calls */
    gr_scratch values;
    const gr_arrow_file *file; /* whose row the values belong to; NULL: there are none */
    uint64_t row;
};

gr_status gr_arrow_cursor_new(gr_arrow_cursor **out, gr_runtime *rt, const gr_arrow_cursor_options *options,
                              gr_error *err)
{
    const gr_arrow_cursor_options o = options ? *options : (gr_arrow_cursor_options){ 0 };
    gr_arrow_cursor *c = *out = gr_calloc(rt, 1, sizeof *c);
    if (!c)
        return gr_fail(err, GR_ERR_MEM, "no memory for a cursor");
    c->rt = rt;
    c->cache_bytes = o.cache_bytes ? o.cache_bytes : CACHE_BYTES;
    gr_scratch_init(&c->values, rt, o.row_bytes ? o.row_bytes : ROW_BYTES);
    return GR_OK;
}

void gr_arrow_cursor_free(gr_arrow_cursor *c)
{
    if (!c)
        return;
    gr_arrow_cursor_forget(c, NULL);
    gr_scratch_fini(&c->values);
    gr_free(c->rt, c->slots);
    gr_free(c->rt, c);
}

/* --- batches held -------------------------------------------------------------------------------------- */

static void drop(gr_arrow_cursor *c, size_t i)
{
    gr_arrow_batch_free(c->slots[i].batch);
    c->slots[i] = c->slots[--c->n_slots];
}

void gr_arrow_cursor_forget(gr_arrow_cursor *c, const gr_arrow_file *f)
{
    for (size_t i = c->n_slots; i-- > 0;)
        if (!f || c->slots[i].batch->file == f)
            drop(c, i);
    if (f && c->file != f)
        return;
    c->file = NULL;
    gr_scratch_reset(&c->values);
}

static size_t oldest(const gr_arrow_cursor *c)
{
    size_t best = 0;
    for (size_t i = 1; i < c->n_slots; i++)
        if (c->slots[i].used < c->slots[best].used)
            best = i;
    return best;
}

/* Drops the batches not used for longest until the rest fits; those of the present reading stay. */
static void trim(gr_arrow_cursor *c)
{
    size_t bytes = 0;
    for (size_t i = 0; i < c->n_slots; i++)
        bytes += c->slots[i].batch->bytes;
    while (bytes > c->cache_bytes && c->slots[oldest(c)].used != c->reading) {
        bytes -= c->slots[oldest(c)].batch->bytes;
        drop(c, oldest(c));
    }
}

static gr_status hold(gr_arrow_cursor *c, const gr_arrow_file *file, const gr_arrow_entry *entry,
                      int dictionary_of, gr_arrow_batch **out, gr_error *err)
{
    for (size_t i = 0; i < c->n_slots; i++)
        if (c->slots[i].batch->entry == entry) {
            c->slots[i].used = c->reading;
            *out = c->slots[i].batch;
            return GR_OK;
        }
    if (c->n_slots >= SLOTS && c->slots[oldest(c)].used != c->reading)
        drop(c, oldest(c));
    if (!gr_grow(c->rt, &c->slots, &c->slots_cap, c->n_slots, c->n_slots + 1, sizeof *c->slots))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu batches", c->n_slots + 1);
    GR_TRY(gr_arrow_batch_open(out, file, entry, dictionary_of, err));
    c->slots[c->n_slots++] = (slot){ *out, c->reading };
    return GR_OK;
}

/* --- values -------------------------------------------------------------------------------------------- */

/* Rows [begin, begin + n) of the ready column of field f, to be given as values. */
typedef struct {
    gr_arrow_cursor *c;
    gr_arrow_batch *batch;
    size_t before_batch; /* which dictionaries count */
    int f;
    const gr_arrow_column *column;
    int64_t begin;
    size_t n;
    gr_arrow_value *values; /* n of them, null */
    gr_error *err;
} span;

static gr_status read_span(gr_arrow_cursor *c, gr_arrow_batch *batch, size_t before_batch, int f,
                           int64_t begin, int64_t n, gr_arrow_value **out, gr_error *err);

static const gr_arrow_field *field_of(const span *s) { return &s->batch->file->schema.fields[s->f]; }
static bool has(const span *s, size_t i) { return gr_arrow_column_has(s->column, s->begin + (int64_t)i); }

/* `x`: the number found, before `what`. */
static gr_status span_fail(const span *s, gr_status status, uint64_t x, const char *what)
{
    char path[160];
    return gr_fail(s->err, status, "column '%s': %llu %s",
                   gr_arrow_path(&s->batch->file->schema, s->f, path, sizeof path), (unsigned long long)x,
                   what);
}

static gr_status take(const span *s, size_t n, size_t size, void *out)
{
    return gr_scratch_take(&s->c->values, n, size, out, s->err);
}

static gr_status read_bits(span *s)
{
    const size_t from = (size_t)s->begin / 8, n = ((size_t)s->begin + s->n + 7) / 8 - from;
    uint8_t *bits;
    GR_TRY(take(s, n, 1, &bits));
    GR_TRY(gr_arrow_batch_read(s->batch, s->f, from, bits, n, s->err));
    for (size_t i = 0; i < s->n; i++) {
        const size_t at = (size_t)s->begin + i - 8 * from;
        s->values[i].kind = GR_VALUE_BOOL;
        s->values[i].as.flag = bits[at >> 3] >> (at & 7) & 1;
    }
    return GR_OK;
}

static double float_of(uint64_t bits, int width)
{
    double x;
    if (width == 2)
        return gr_f32_from_f16((uint16_t)bits);
    if (width == 4)
        return gr_f32_from_bits((uint32_t)bits);
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int64_t signed_of(uint64_t bits, int width)
{
    const int unused = 64 - 8 * width;
    return (int64_t)(bits << unused) >> unused;
}

/* The stored numbers of the span. */
static gr_status read_raw(span *s, uint8_t **raw)
{
    const size_t width = (size_t)s->column->width;
    GR_TRY(take(s, s->n, width ? width : 1, raw));
    return gr_arrow_batch_read(s->batch, s->f, (size_t)s->begin * width, *raw, s->n * width, s->err);
}

static gr_status read_numbers(span *s)
{
    const gr_arrow_field *field = field_of(s);
    const int width = s->column->width;
    uint8_t *raw;
    GR_TRY(read_raw(s, &raw));
    for (size_t i = 0; i < s->n; i++) {
        const uint64_t bits = gr_fb_number(raw + i * (size_t)width, width);
        gr_arrow_value *v = &s->values[i];
        if (!has(s, i)) /* what lies there means nothing, and need not fit */
            continue;
        v->kind = field->type == GR_ARROW_FLOAT ? GR_VALUE_DOUBLE : GR_VALUE_INT;
        if (v->kind == GR_VALUE_DOUBLE)
            v->as.number = float_of(bits, width);
        else if (field->is_signed)
            v->as.integer = signed_of(bits, width);
        else if (bits <= INT64_MAX)
            v->as.integer = (int64_t)bits;
        else
            return span_fail(s, GR_ERR_LIMIT, bits, "is above 2^63 - 1");
    }
    return GR_OK;
}

static gr_status read_blobs(span *s)
{
    const size_t width = (size_t)s->column->width;
    uint8_t *raw;
    GR_TRY(read_raw(s, &raw));
    for (size_t i = 0; i < s->n; i++) {
        s->values[i].kind = GR_VALUE_BYTES;
        s->values[i].as.bytes.at = raw + i * width;
        s->values[i].as.bytes.n = width;
    }
    return GR_OK;
}

static int64_t offset(const span *s, size_t i)
{
    return gr_arrow_column_offset(s->column, s->begin + (int64_t)i);
}

static gr_status read_bytes(span *s)
{
    const int64_t from = offset(s, 0);
    const size_t n = (size_t)(offset(s, s->n) - from);
    uint8_t *bytes;
    GR_TRY(take(s, n, 1, &bytes));
    GR_TRY(gr_arrow_batch_read(s->batch, s->f, (size_t)from, bytes, n, s->err));
    for (size_t i = 0; i < s->n; i++) {
        s->values[i].kind = GR_VALUE_BYTES;
        s->values[i].as.bytes.at = bytes + (offset(s, i) - from);
        s->values[i].as.bytes.n = (size_t)(offset(s, i + 1) - offset(s, i));
    }
    return GR_OK;
}

/* Where the items of row i begin in the child; i = n: where those of the last end. */
static int64_t first_item(const span *s, size_t i)
{
    return s->column->layout == GR_ARROW_FIXED_ITEMS ? (s->begin + (int64_t)i) * s->column->width
                                                     : offset(s, i);
}

static gr_status read_items(span *s)
{
    const int64_t from = first_item(s, 0);
    gr_arrow_value *items;
    GR_TRY(read_span(s->c, s->batch, s->before_batch, s->f + 1, from, first_item(s, s->n) - from, &items,
                     s->err));
    for (size_t i = 0; i < s->n; i++) {
        s->values[i].kind = GR_VALUE_LIST;
        s->values[i].as.list.items = items + (first_item(s, i) - from);
        s->values[i].as.list.n = (size_t)(first_item(s, i + 1) - first_item(s, i));
    }
    return GR_OK;
}

static gr_status read_members(span *s)
{
    const gr_arrow_schema *schema = &s->batch->file->schema;
    const gr_arrow_value **members;
    size_t k = 0;
    GR_TRY(take(s, (size_t)field_of(s)->n_children, sizeof *members, &members));
    for (int f = s->f + 1; f < field_of(s)->next; f = schema->fields[f].next) {
        gr_arrow_value *values;
        GR_TRY(read_span(s->c, s->batch, s->before_batch, f, s->begin, (int64_t)s->n, &values, s->err));
        members[k++] = values;
    }
    for (size_t i = 0; i < s->n; i++) {
        s->values[i].kind = GR_VALUE_STRUCT;
        s->values[i].as.fields.members = members;
        s->values[i].as.fields.row = i;
        s->values[i].as.fields.schema = schema;
        s->values[i].as.fields.field = s->f;
    }
    return GR_OK;
}

static gr_status read_nothing(span *s)
{
    (void)s;
    return GR_OK;
}

/* --- dictionaries -------------------------------------------------------------------------------------- */

/* The batches that make up a dictionary at that place of the stream: the last one that replaced it, and what
 * was appended since. */
static gr_status find_chunks(const span *s, const gr_arrow_dictionary ***chunks, size_t *n)
{
    const gr_arrow_file *file = s->batch->file;
    const int64_t id = field_of(s)->dictionary;
    *n = 0;
    GR_TRY(take(s, file->n_dictionaries, sizeof **chunks, chunks));
    for (size_t i = 0; i < file->n_dictionaries; i++) {
        const gr_arrow_dictionary *d = &file->dictionaries[i];
        if (d->id != id || d->before_batch > s->before_batch)
            continue;
        *n = d->is_delta ? *n : 0;
        (*chunks)[(*n)++] = d;
    }
    return GR_OK;
}

static gr_status read_entry(const span *s, uint64_t index, const gr_arrow_dictionary **chunks,
                            size_t n_chunks, gr_arrow_value *out)
{
    uint64_t first = 0;
    for (size_t i = 0; i < n_chunks; i++) {
        const gr_arrow_entry *at = &chunks[i]->at;
        if (index - first < at->n_rows) {
            gr_arrow_batch *batch;
            gr_arrow_value *value;
            GR_TRY(hold(s->c, s->batch->file, at, s->f, &batch, s->err)); /* for another field perhaps */
            GR_TRY(read_span(s->c, batch, s->before_batch, batch->first_field, (int64_t)(index - first), 1,
                             &value, s->err));
            *out = *value;
            return GR_OK;
        }
        first += at->n_rows;
    }
    return span_fail(s, GR_ERR_FORMAT, index, "is not in its dictionary");
}

static gr_status read_indices(span *s)
{
    const gr_arrow_field *field = field_of(s);
    const gr_arrow_dictionary **chunks;
    size_t n_chunks;
    uint8_t *raw;
    GR_TRY(read_raw(s, &raw));
    GR_TRY(find_chunks(s, &chunks, &n_chunks));
    for (size_t i = 0; i < s->n; i++) {
        const int width = s->column->width;
        const uint64_t bits = gr_fb_number(raw + i * (size_t)width, width);
        /* a negative index is far beyond any dictionary */
        const uint64_t index = field->index_signed ? (uint64_t)signed_of(bits, width) : bits;
        if (has(s, i))
            GR_TRY(read_entry(s, index, chunks, n_chunks, &s->values[i]));
    }
    return GR_OK;
}

/* --- one span ------------------------------------------------------------------------------------------ */

static gr_status read_column(span *s)
{
    static gr_status (*const readers[])(span *) = {
        [GR_ARROW_NO_DATA] = read_nothing,   [GR_ARROW_BITS] = read_bits,
        [GR_ARROW_NUMBERS] = read_numbers,   [GR_ARROW_BLOBS] = read_blobs,
        [GR_ARROW_BYTES] = read_bytes,       [GR_ARROW_ITEMS] = read_items,
        [GR_ARROW_FIXED_ITEMS] = read_items, [GR_ARROW_MEMBERS] = read_members,
    };
    if (field_of(s)->is_dictionary && !s->batch->is_dictionary)
        return read_indices(s);
    return readers[s->column->layout](s);
}

/* As deep as the schema, and one more for a dictionary. */
static gr_status read_span(gr_arrow_cursor *c, gr_arrow_batch *batch, size_t before_batch, int f,
                           int64_t begin, int64_t n, gr_arrow_value **out, gr_error *err)
{
    gr_arrow_column *column;
    GR_TRY(gr_arrow_batch_column(batch, f, &column, err));
    GR_TRY(gr_scratch_take(&c->values, (size_t)n, sizeof **out, out, err));
    for (int64_t i = 0; i < n; i++)
        (*out)[i] = (gr_arrow_value){ .kind = GR_VALUE_NULL };
    span s = { c, batch, before_batch, f, column, begin, (size_t)n, *out, err };
    if (n > 0)
        GR_TRY(read_column(&s));
    for (size_t i = 0; i < s.n; i++)
        if (!has(&s, i))
            (*out)[i].kind = GR_VALUE_NULL;
    return GR_OK;
}

/* --- rows ---------------------------------------------------------------------------------------------- */

/* Whether one of the structs around field f is null in that row. */
static gr_status is_hidden(gr_arrow_batch *batch, int f, int64_t row, bool *hidden, gr_error *err)
{
    const gr_arrow_field *fields = batch->file->schema.fields;
    *hidden = false;
    for (f = fields[f].parent; f >= 0 && !*hidden; f = fields[f].parent) {
        gr_arrow_column *column;
        GR_TRY(gr_arrow_batch_column(batch, f, &column, err));
        *hidden = !gr_arrow_column_has(column, row);
    }
    return GR_OK;
}

static gr_status read_row(gr_arrow_cursor *c, const gr_arrow_file *f, size_t batch_at, int64_t row, int field,
                          const gr_arrow_value **out, gr_error *err)
{
    gr_arrow_batch *batch;
    gr_arrow_value *value;
    bool hidden;
    GR_TRY(hold(c, f, &f->batches[batch_at], -1, &batch, err));
    GR_TRY(is_hidden(batch, field, row, &hidden, err));
    GR_TRY(read_span(c, batch, batch_at, field, row, 1, &value, err));
    if (hidden)
        value->kind = GR_VALUE_NULL;
    *out = value;
    return GR_OK;
}

static bool is_reachable(const gr_arrow_schema *s, int f)
{
    if (f < 0 || f >= s->n_fields)
        return false;
    for (f = s->fields[f].parent; f >= 0; f = s->fields[f].parent)
        if (s->fields[f].type != GR_ARROW_STRUCT)
            return false;
    return true;
}

gr_status gr_arrow_cursor_read(gr_arrow_cursor *c, const gr_arrow_file *f, uint64_t row, int field,
                               const gr_arrow_value **out, gr_error *err)
{
    *out = NULL;
    if (row >= f->n_rows || !is_reachable(&f->schema, field))
        return gr_fail(err, GR_ERR_ARG, "%s: row %llu of %llu, field %d: there is no such row or column",
                       f->name, (unsigned long long)row, (unsigned long long)f->n_rows, field);
    if (c->file != f || c->row != row)
        gr_scratch_reset(&c->values);
    c->file = f;
    c->row = row;
    c->reading++;
    gr_error why = { 0 };
    const size_t at = gr_arrow_file_batch_of(f, row);
    const uint64_t row_of_batch = row - f->batches[at].first_row;
    const gr_status st = read_row(c, f, at, (int64_t)row_of_batch, field, out, &why);
    trim(c);
    return st == GR_OK ? st
                       : gr_fail(err, st, "%s: row %llu (row %llu of record batch %zu): %s", f->name,
                                 (unsigned long long)row, (unsigned long long)row_of_batch, at, why.msg);
}

/* --- lists of structs ---------------------------------------------------------------------------------- */

/* A struct of n lists of one length; false: anything else. */
static bool is_transposed(const gr_arrow_value *v, size_t *n_members, size_t *length)
{
    *n_members = gr_arrow_n_members(v);
    for (size_t k = 0; k < *n_members; k++) {
        const gr_arrow_value *member = gr_arrow_member_at(v, k);
        if (member->kind != GR_VALUE_LIST || (k > 0 && member->as.list.n != *length))
            return false;
        *length = member->as.list.n;
    }
    return *n_members > 0;
}

static gr_status transpose(gr_arrow_cursor *c, const gr_arrow_value *v, size_t n_members, size_t length,
                           const gr_arrow_value **out, gr_error *err)
{
    const gr_arrow_value **members;
    gr_arrow_value *list, *items;
    GR_TRY(gr_scratch_take(&c->values, n_members, sizeof *members, &members, err));
    GR_TRY(gr_scratch_take(&c->values, 1, sizeof *list, &list, err));
    GR_TRY(gr_scratch_take(&c->values, length, sizeof *items, &items, err));
    for (size_t k = 0; k < n_members; k++)
        members[k] = gr_arrow_member_at(v, k)->as.list.items;
    for (size_t i = 0; i < length; i++) {
        items[i] = *v;
        items[i].as.fields.members = members;
        items[i].as.fields.row = i;
    }
    *list = (gr_arrow_value){ .kind = GR_VALUE_LIST, .as.list = { items, length } };
    *out = list;
    return GR_OK;
}

gr_status gr_arrow_cursor_list(gr_arrow_cursor *c, const gr_arrow_value *v, const gr_arrow_value **out,
                               gr_error *err)
{
    size_t n_members, length = 0;
    *out = NULL;
    if (v->kind == GR_VALUE_LIST) {
        *out = v;
        return GR_OK;
    }
    if (is_transposed(v, &n_members, &length))
        return transpose(c, v, n_members, length, out, err);
    return gr_fail(err, GR_ERR_FORMAT, "a %s, expected a list of structs or a struct of lists of one length",
                   gr_value_kind_name(v->kind));
}
