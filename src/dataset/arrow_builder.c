#include "dataset/arrow_builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/half.h"
#include "text/unicode.h"

static gr_status GR_PRINTF(5, 6)
    fail_at(const gr_arrow_schema *s, int f, gr_error *err, gr_status status, const char *fmt, ...)
{
    char what[200], path[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return gr_fail(err, status, "column '%s': %s", gr_arrow_path(s, f, path, sizeof path), what);
}

gr_status gr_arrow_builder_init(gr_arrow_builder *b, gr_runtime *rt, const gr_arrow_schema *schema,
                                gr_error *err)
{
    *b = (gr_arrow_builder){ .rt = rt, .schema = schema };
    for (int f = 0; f < schema->n_fields; f++)
        if (!gr_arrow_writable(schema->fields[f].type) || schema->fields[f].is_dictionary)
            return fail_at(schema, f, err, GR_ERR_ARG, "%s is not written",
                           schema->fields[f].is_dictionary ? "a dictionary"
                                                           : gr_arrow_type_name(schema->fields[f].type));
    b->columns = gr_calloc(rt, (size_t)schema->n_fields, sizeof *b->columns);
    if (!b->columns)
        return gr_fail(err, GR_ERR_MEM, "no memory for %d columns", schema->n_fields);
    for (int f = 0; f < schema->n_fields; f++) {
        gr_buf_init(&b->columns[f].validity, rt, SIZE_MAX / 2);
        gr_buf_init(&b->columns[f].offsets, rt, SIZE_MAX / 2);
        gr_buf_init(&b->columns[f].data, rt, SIZE_MAX / 2);
    }
    return GR_OK;
}

void gr_arrow_builder_fini(gr_arrow_builder *b)
{
    for (int f = 0; b->columns && f < b->schema->n_fields; f++) {
        gr_buf_fini(&b->columns[f].validity);
        gr_buf_fini(&b->columns[f].offsets);
        gr_buf_fini(&b->columns[f].data);
    }
    if (b->rt)
        gr_free(b->rt, b->columns);
    *b = (gr_arrow_builder){ 0 };
}

void gr_arrow_builder_clear(gr_arrow_builder *b)
{
    for (int f = 0; f < b->schema->n_fields; f++) {
        gr_arrow_building *c = &b->columns[f];
        c->length = c->n_null = c->end = 0;
        gr_buf_clear(&c->validity);
        gr_buf_clear(&c->offsets);
        gr_buf_clear(&c->data);
    }
    b->n_rows = b->bytes = 0;
}

/* --- checking ------------------------------------------------------------------------------------------ */

typedef struct {
    const gr_arrow_schema *s;
    size_t bytes;
    gr_error *err;
} checking;

static gr_value_kind kind_of(const gr_arrow_field *f)
{
    static const gr_value_kind kinds[] = {
        [GR_ARROW_NO_DATA] = GR_VALUE_NULL,     [GR_ARROW_BITS] = GR_VALUE_BOOL,
        [GR_ARROW_NUMBERS] = GR_VALUE_INT,      [GR_ARROW_BLOBS] = GR_VALUE_BYTES,
        [GR_ARROW_BYTES] = GR_VALUE_BYTES,      [GR_ARROW_ITEMS] = GR_VALUE_LIST,
        [GR_ARROW_FIXED_ITEMS] = GR_VALUE_LIST, [GR_ARROW_MEMBERS] = GR_VALUE_STRUCT,
    };
    return f->type == GR_ARROW_FLOAT ? GR_VALUE_DOUBLE : kinds[f->layout];
}

static gr_status count(checking *p, int f, size_t bytes)
{
    if (bytes > GR_ARROW_BATCH_MAX - p->bytes)
        return fail_at(p->s, f, p->err, GR_ERR_LIMIT, "with it the row takes more than %zu bytes",
                       GR_ARROW_BATCH_MAX);
    p->bytes += bytes;
    return GR_OK;
}

static bool fits(const gr_arrow_field *f, int64_t x)
{
    const int bits = 8 * f->width - (f->is_signed ? 1 : 0);
    if (bits >= 63)
        return f->is_signed || x >= 0;
    return x < (int64_t)1 << bits && x >= (f->is_signed ? -((int64_t)1 << bits) : 0);
}

static gr_status check_bytes(checking *p, int f, const gr_arrow_value *v)
{
    const gr_arrow_field *field = &p->s->fields[f];
    const size_t n = v->as.bytes.n;
    if (field->layout == GR_ARROW_BLOBS && n != (size_t)field->width)
        return fail_at(p->s, f, p->err, GR_ERR_ARG, "%zu bytes, expected %d", n, field->width);
    if ((field->type == GR_ARROW_UTF8 || field->type == GR_ARROW_LARGE_UTF8) &&
        !gr_utf8_valid(v->as.bytes.at, n))
        return fail_at(p->s, f, p->err, GR_ERR_ARG, "text of %zu bytes that is not UTF-8", n);
    return count(p, f, n);
}

static gr_status check_value(checking *p, int f, const gr_arrow_value *v);

static gr_status check_list(checking *p, int f, const gr_arrow_value *v)
{
    const gr_arrow_field *field = &p->s->fields[f];
    if (field->layout == GR_ARROW_FIXED_ITEMS && v->as.list.n != (size_t)field->width)
        return fail_at(p->s, f, p->err, GR_ERR_ARG, "a list of %zu, expected %d", v->as.list.n, field->width);
    for (size_t i = 0; i < v->as.list.n; i++)
        GR_TRY(check_value(p, f + 1, &v->as.list.items[i]));
    return GR_OK;
}

static gr_status check_members(checking *p, int f, const gr_arrow_value *v)
{
    size_t k = 0;
    for (int child = f + 1; child < p->s->fields[f].next; child = p->s->fields[child].next)
        GR_TRY(check_value(p, child, gr_arrow_member_at(v, k++)));
    return GR_OK;
}

/* Values that stand for a null in the columns below it: a fixed-size list has its items all the same. */
static gr_status count_null(checking *p, int f)
{
    const gr_arrow_field *field = &p->s->fields[f];
    if (field->layout == GR_ARROW_BLOBS)
        return count(p, f, (size_t)field->width);
    if (field->layout == GR_ARROW_FIXED_ITEMS)
        for (int i = 0; i < field->width; i++) {
            GR_TRY(count(p, f, 8));
            GR_TRY(count_null(p, f + 1));
        }
    for (int child = f + 1; field->layout == GR_ARROW_MEMBERS && child < field->next;
         child = p->s->fields[child].next)
        GR_TRY(count_null(p, child));
    return GR_OK;
}

static gr_status check_value(checking *p, int f, const gr_arrow_value *v)
{
    const gr_arrow_field *field = &p->s->fields[f];
    GR_TRY(count(p, f, 8)); /* a number, an offset */
    if (v->kind == GR_VALUE_NULL)
        return field->nullable || field->layout == GR_ARROW_NO_DATA
                   ? count_null(p, f)
                   : fail_at(p->s, f, p->err, GR_ERR_ARG, "null, which it may not be");
    if (v->kind != kind_of(field))
        return fail_at(p->s, f, p->err, GR_ERR_ARG, "a %s, expected %s", gr_value_kind_name(v->kind),
                       gr_value_kind_name(kind_of(field)));
    switch (v->kind) {
    case GR_VALUE_INT:
        return fits(field, v->as.integer) ? GR_OK
                                          : fail_at(p->s, f, p->err, GR_ERR_ARG, "%lld does not fit %d bits",
                                                    (long long)v->as.integer, 8 * field->width);
    case GR_VALUE_BYTES:
        return check_bytes(p, f, v);
    case GR_VALUE_LIST:
        return check_list(p, f, v);
    case GR_VALUE_STRUCT:
        return check_members(p, f, v);
    default:
        return GR_OK;
    }
}

gr_status gr_arrow_builder_check(const gr_arrow_builder *b, const gr_arrow_value *row, size_t *bytes,
                                 gr_error *err)
{
    checking p = { .s = b->schema, .err = err };
    size_t k = 0;
    for (int f = 0; f < b->schema->n_fields; f = b->schema->fields[f].next)
        GR_TRY(check_value(&p, f, &row[k++]));
    *bytes = p.bytes;
    return GR_OK;
}

/* --- adding -------------------------------------------------------------------------------------------- */

static void put_number(gr_buf *to, uint64_t value, int width)
{
    uint8_t at[8];
    for (int i = 0; i < width; i++, value >>= 8)
        at[i] = (uint8_t)value;
    gr_buf_add(to, at, (size_t)width);
}

/* Bit number `at`, the next one. */
static void put_bit(gr_buf *to, int64_t at, bool bit)
{
    if (at % 8 == 0)
        gr_buf_add(to, "", 1);
    if (bit && !to->failed)
        to->data[to->len - 1] = (char)(to->data[to->len - 1] | 1 << (at % 8));
}

static uint64_t float_bits(double x, int width)
{
    uint64_t bits;
    if (width == 2)
        return gr_f16_from_f32((float)x);
    if (width == 4)
        return gr_f32_bits((float)x);
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void put_zeros(gr_buf *to, size_t n)
{
    static const char zeros[64];
    for (size_t left = n; left > 0; left -= left < sizeof zeros ? left : sizeof zeros)
        gr_buf_add(to, zeros, left < sizeof zeros ? left : sizeof zeros);
}

static void add_value(gr_arrow_builder *b, int f, const gr_arrow_value *v);

static void add_items(gr_arrow_builder *b, int f, const gr_arrow_value *v)
{
    for (size_t i = 0; i < v->as.list.n; i++)
        add_value(b, f + 1, &v->as.list.items[i]);
    b->columns[f].end += (int64_t)v->as.list.n;
}

static void add_members(gr_arrow_builder *b, int f, const gr_arrow_value *v)
{
    size_t k = 0;
    for (int child = f + 1; child < b->schema->fields[f].next; child = b->schema->fields[child].next)
        add_value(b, child, gr_arrow_member_at(v, k++));
}

/* What lies in the buffers and below where a row is null. */
static void add_nothing(gr_arrow_builder *b, int f)
{
    static const gr_arrow_value null = { .kind = GR_VALUE_NULL };
    const gr_arrow_field *field = &b->schema->fields[f];
    gr_arrow_building *c = &b->columns[f];
    if (field->layout == GR_ARROW_BITS)
        put_bit(&c->data, c->length, false);
    if (field->layout == GR_ARROW_NUMBERS || field->layout == GR_ARROW_BLOBS)
        put_zeros(&c->data, (size_t)field->width);
    for (int i = 0; field->layout == GR_ARROW_FIXED_ITEMS && i < field->width; i++)
        add_value(b, f + 1, &null);
    for (int child = f + 1; field->layout == GR_ARROW_MEMBERS && child < field->next;
         child = b->schema->fields[child].next)
        add_value(b, child, &null);
}

static void add_content(gr_arrow_builder *b, int f, const gr_arrow_value *v)
{
    const gr_arrow_field *field = &b->schema->fields[f];
    gr_arrow_building *c = &b->columns[f];
    switch (v->kind) {
    case GR_VALUE_BOOL:
        put_bit(&c->data, c->length, v->as.flag);
        break;
    case GR_VALUE_INT:
        put_number(&c->data, (uint64_t)v->as.integer, field->width);
        break;
    case GR_VALUE_DOUBLE:
        put_number(&c->data, float_bits(v->as.number, field->width), field->width);
        break;
    case GR_VALUE_BYTES:
        gr_buf_add(&c->data, v->as.bytes.at, v->as.bytes.n);
        c->end += (int64_t)v->as.bytes.n;
        break;
    case GR_VALUE_LIST:
        add_items(b, f, v);
        break;
    case GR_VALUE_STRUCT:
        add_members(b, f, v);
        break;
    default:
        add_nothing(b, f);
    }
}

static void add_value(gr_arrow_builder *b, int f, const gr_arrow_value *v)
{
    const gr_arrow_field *field = &b->schema->fields[f];
    gr_arrow_building *c = &b->columns[f];
    if (field->offset_width && c->length == 0)
        put_number(&c->offsets, 0, field->offset_width);
    add_content(b, f, v);
    if (field->offset_width)
        put_number(&c->offsets, (uint64_t)c->end, field->offset_width);
    if (field->layout != GR_ARROW_NO_DATA)
        put_bit(&c->validity, c->length, v->kind != GR_VALUE_NULL);
    c->n_null += v->kind == GR_VALUE_NULL;
    c->length++;
}

static bool failed(const gr_arrow_builder *b)
{
    for (int f = 0; f < b->schema->n_fields; f++)
        if (b->columns[f].validity.failed || b->columns[f].offsets.failed || b->columns[f].data.failed)
            return true;
    return false;
}

gr_status gr_arrow_builder_add(gr_arrow_builder *b, const gr_arrow_value *row, size_t bytes, gr_error *err)
{
    size_t k = 0;
    for (int f = 0; f < b->schema->n_fields; f = b->schema->fields[f].next)
        add_value(b, f, &row[k++]);
    if (failed(b))
        return gr_fail(err, GR_ERR_MEM, "no memory for a batch of %zu rows of %zu bytes", b->n_rows + 1,
                       b->bytes + bytes);
    b->n_rows++;
    b->bytes += bytes;
    return GR_OK;
}
