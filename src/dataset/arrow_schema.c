#include "dataset/arrow_schema.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* --- types --------------------------------------------------------------------------------------------- */

#define ANY (-1)

typedef struct {
    const char *name;
    gr_arrow_layout layout;
    int n_buffers, offset_width;
    int n_children; /* exactly, or ANY */
    bool writable;
} type_row;

static const type_row types[GR_ARROW_TYPE_COUNT] = {
    [GR_ARROW_NULL] = { "null", GR_ARROW_NO_DATA, 0, 0, 0, true },
    [GR_ARROW_INT] = { "int", GR_ARROW_NUMBERS, 2, 0, 0, true },
    [GR_ARROW_FLOAT] = { "float", GR_ARROW_NUMBERS, 2, 0, 0, true },
    [GR_ARROW_BINARY] = { "binary", GR_ARROW_BYTES, 3, 4, 0, true },
    [GR_ARROW_UTF8] = { "utf8", GR_ARROW_BYTES, 3, 4, 0, true },
    [GR_ARROW_BOOL] = { "bool", GR_ARROW_BITS, 2, 0, 0, true },
    [GR_ARROW_DECIMAL] = { "decimal", GR_ARROW_BLOBS, 2, 0, 0, false },
    [GR_ARROW_DATE] = { "date", GR_ARROW_NUMBERS, 2, 0, 0, false },
    [GR_ARROW_TIME] = { "time", GR_ARROW_NUMBERS, 2, 0, 0, false },
    [GR_ARROW_TIMESTAMP] = { "timestamp", GR_ARROW_NUMBERS, 2, 0, 0, false },
    [GR_ARROW_INTERVAL] = { "interval", GR_ARROW_BLOBS, 2, 0, 0, false },
    [GR_ARROW_LIST] = { "list", GR_ARROW_ITEMS, 2, 4, 1, true },
    [GR_ARROW_STRUCT] = { "struct", GR_ARROW_MEMBERS, 1, 0, ANY, true },
    [GR_ARROW_FIXED_BINARY] = { "fixed_size_binary", GR_ARROW_BLOBS, 2, 0, 0, true },
    [GR_ARROW_FIXED_LIST] = { "fixed_size_list", GR_ARROW_FIXED_ITEMS, 1, 0, 1, true },
    [GR_ARROW_MAP] = { "map", GR_ARROW_ITEMS, 2, 4, 1, false },
    [GR_ARROW_DURATION] = { "duration", GR_ARROW_NUMBERS, 2, 0, 0, false },
    [GR_ARROW_LARGE_BINARY] = { "large_binary", GR_ARROW_BYTES, 3, 8, 0, true },
    [GR_ARROW_LARGE_UTF8] = { "large_utf8", GR_ARROW_BYTES, 3, 8, 0, true },
    [GR_ARROW_LARGE_LIST] = { "large_list", GR_ARROW_ITEMS, 2, 8, 1, true },
    [GR_ARROW_RUN_END] = { "run_end_encoded", GR_ARROW_PASSED_OVER, 0, 0, 2, false },
    [GR_ARROW_BINARY_VIEW] = { "binary_view", GR_ARROW_PASSED_OVER, 2, 0, 0, false },
    [GR_ARROW_UTF8_VIEW] = { "utf8_view", GR_ARROW_PASSED_OVER, 2, 0, 0, false },
    [GR_ARROW_LIST_VIEW] = { "list_view", GR_ARROW_PASSED_OVER, 3, 0, 1, false },
    [GR_ARROW_LARGE_LIST_VIEW] = { "large_list_view", GR_ARROW_PASSED_OVER, 3, 0, 1, false },
};

static const type_row *row_of(gr_arrow_type type)
{
    return (unsigned)type < GR_ARROW_TYPE_COUNT && types[type].name ? &types[type] : NULL;
}

const char *gr_arrow_type_name(gr_arrow_type type) { return row_of(type) ? row_of(type)->name : NULL; }
bool gr_arrow_writable(gr_arrow_type type) { return row_of(type) && row_of(type)->writable; }
int gr_arrow_n_buffers(const gr_arrow_field *f) { return f->is_dictionary ? 2 : types[f->type].n_buffers; }

/* Which widths a type takes that has one: bytes of a number, of a blob, items of a row. */
static bool width_fits(const gr_arrow_field *f)
{
    switch (f->layout) {
    case GR_ARROW_NUMBERS:
        return f->width == 8 || f->width == 4 || f->width == 2 || (f->width == 1 && f->type == GR_ARROW_INT);
    case GR_ARROW_BLOBS:
    case GR_ARROW_FIXED_ITEMS:
        return f->width >= 0;
    default:
        return f->width == 0;
    }
}

/* --- making -------------------------------------------------------------------------------------------- */

typedef struct {
    gr_arrow_schema *s;
    size_t cap;
    gr_error *err;
} making;

static gr_status fail_at(const making *m, int f, gr_status status, const char *what)
{
    char path[200];
    return gr_fail(m->err, status, "column '%s': %s", gr_arrow_path(m->s, f, path, sizeof path), what);
}

/* Appends a field of that name; *out is its index. */
static gr_status add_field(making *m, int parent, const char *name, size_t n, int *out)
{
    gr_arrow_schema *s = m->s;
    const int depth = parent < 0 ? 0 : s->fields[parent].depth + 1;
    if (s->n_fields == GR_ARROW_FIELDS_MAX)
        return gr_fail(m->err, GR_ERR_LIMIT, "the schema has more than %d fields", GR_ARROW_FIELDS_MAX);
    if (depth >= GR_ARROW_DEPTH_MAX)
        return fail_at(m, parent, GR_ERR_LIMIT, "lists and structs more than 64 deep");
    if (n && memchr(name, '\0', n))
        return gr_fail(m->err, GR_ERR_FORMAT, "field %d of the schema has a zero byte in its name",
                       s->n_fields);
    char *copy = gr_strndup(s->rt, name, n);
    if (!copy || !gr_grow(s->rt, &s->fields, &m->cap, (size_t)s->n_fields, (size_t)s->n_fields + 1,
                          sizeof *s->fields)) {
        gr_free(s->rt, copy);
        return gr_fail(m->err, GR_ERR_MEM, "no memory for a schema of %d fields", s->n_fields + 1);
    }
    s->fields[s->n_fields] = (gr_arrow_field){ .name = copy, .parent = parent, .depth = depth };
    *out = s->n_fields++;
    return GR_OK;
}

/* Checks type and width and derives what follows from them; children are counted already. */
static gr_status settle_field(making *m, int f)
{
    gr_arrow_field *field = &m->s->fields[f];
    const type_row *row = row_of(field->type);
    char what[120];
    if (!row) {
        snprintf(what, sizeof what,
                 field->type == GR_ARROW_UNION ? "unions (type %d) are not read" : "type %d is unknown",
                 (int)field->type);
        return fail_at(m, f, GR_ERR_UNSUPPORTED, what);
    }
    field->layout = row->layout;
    field->offset_width = row->offset_width;
    field->is_signed = field->is_signed || field->type != GR_ARROW_INT; /* dates count in both directions */
    if (row->n_children != ANY && field->n_children != row->n_children) {
        snprintf(what, sizeof what, "%s with %d children, expected %d", row->name, field->n_children,
                 row->n_children);
        return fail_at(m, f, GR_ERR_FORMAT, what);
    }
    if (!width_fits(field)) {
        snprintf(what, sizeof what, "%s of width %d", row->name, field->width);
        return fail_at(m, f, GR_ERR_FORMAT, what);
    }
    return GR_OK;
}

/* --- reading ------------------------------------------------------------------------------------------- */

static int bytes_of_bits(int64_t bits)
{
    return bits >= 0 && bits % 8 == 0 && bits <= 512 ? (int)(bits / 8) : -1;
}

/* The parameters of a type: format/Schema.fbs. A width of -1 is refused by settle_field. */
static void read_type(gr_arrow_field *f, gr_fb_table type)
{
    static const int float_bytes[] = { 2, 4, 8 }, date_bytes[] = { 4, 8 }, interval_bytes[] = { 4, 8, 16 };
    int64_t unit;
    switch (f->type) {
    case GR_ARROW_INT:
        f->width = bytes_of_bits(gr_fb_int(type, 0, 4, 0));
        f->is_signed = gr_fb_int(type, 1, 1, 0) != 0;
        break;
    case GR_ARROW_FLOAT:
        unit = gr_fb_int(type, 0, 2, 0);
        f->width = unit >= 0 && unit <= 2 ? float_bytes[unit] : -1;
        break;
    case GR_ARROW_DATE:
        unit = gr_fb_int(type, 0, 2, 1);
        f->width = unit >= 0 && unit <= 1 ? date_bytes[unit] : -1;
        break;
    case GR_ARROW_TIME:
        f->width = bytes_of_bits(gr_fb_int(type, 1, 4, 32));
        break;
    case GR_ARROW_TIMESTAMP:
    case GR_ARROW_DURATION:
        f->width = 8;
        break;
    case GR_ARROW_INTERVAL:
        unit = gr_fb_int(type, 0, 2, 0);
        f->width = unit >= 0 && unit <= 2 ? interval_bytes[unit] : -1;
        break;
    case GR_ARROW_DECIMAL:
        f->width = bytes_of_bits(gr_fb_int(type, 2, 4, 128));
        break;
    case GR_ARROW_FIXED_BINARY:
    case GR_ARROW_FIXED_LIST:
        f->width = (int)gr_fb_int(type, 0, 4, 0);
        break;
    default:
        break;
    }
}

/* Dictionary-encoded: rows are indices, and the children, if any, belong to the values. */
static gr_status read_dictionary(making *m, int f, gr_fb_table encoding)
{
    gr_arrow_field *field = &m->s->fields[f];
    const gr_fb_table index = gr_fb_child(encoding, 1);
    if (field->n_children)
        return fail_at(m, f, GR_ERR_UNSUPPORTED, "a dictionary of lists or structs is not read");
    if (field->layout == GR_ARROW_PASSED_OVER)
        return fail_at(m, f, GR_ERR_UNSUPPORTED, "a dictionary of views is not read");
    field->is_dictionary = true;
    field->dictionary = gr_fb_int(encoding, 0, 8, 0);
    field->index_width = index.at ? bytes_of_bits(gr_fb_int(index, 0, 4, 0)) : 4;
    field->index_signed = index.at ? gr_fb_int(index, 1, 1, 0) != 0 : true;
    const int w = field->index_width;
    return w == 1 || w == 2 || w == 4 || w == 8
               ? GR_OK
               : fail_at(m, f, GR_ERR_FORMAT, "dictionary indices of other than 8, 16, 32 or 64 bits");
}

static gr_status read_field(making *m, gr_fb_table table, int parent);

static gr_status read_children(making *m, gr_fb_vector children, int parent, int *n_children)
{
    *n_children = 0;
    for (size_t i = 0; i < children.n && !children.fb->fault; i++, ++*n_children)
        GR_TRY(read_field(m, gr_fb_table_at(children, i), parent));
    return GR_OK;
}

/* As deep as add_field lets it go. */
static gr_status read_field(making *m, gr_fb_table table, int parent)
{
    const gr_fb_vector name = gr_fb_string(table, 0);
    int f, n_children;
    if (table.fb->fault)
        return GR_OK; /* told by the caller */
    GR_TRY(add_field(m, parent, name.n ? (const char *)name.data : "", name.n, &f));
    m->s->fields[f].type = (gr_arrow_type)(uint8_t)gr_fb_int(table, 2, 1, 0);
    m->s->fields[f].nullable = gr_fb_int(table, 1, 1, 0) != 0;
    read_type(&m->s->fields[f], gr_fb_child(table, 3));
    GR_TRY(read_children(m, gr_fb_tables(table, 5), f, &n_children));
    m->s->fields[f].n_children = n_children;
    m->s->fields[f].next = m->s->n_fields;
    if (table.fb->fault)
        return GR_OK;
    GR_TRY(settle_field(m, f));
    const gr_fb_table encoding = gr_fb_child(table, 4);
    return encoding.at ? read_dictionary(m, f, encoding) : GR_OK;
}

static bool same_type(const gr_arrow_field *a, const gr_arrow_field *b)
{
    return a->type == b->type && a->width == b->width && a->is_signed == b->is_signed &&
           a->n_children == b->n_children;
}

/* Columns that share a dictionary share the type of its values. */
static gr_status check_dictionaries(making *m)
{
    const gr_arrow_field *fields = m->s->fields;
    for (int f = 0; f < m->s->n_fields; f++)
        for (int first = 0; fields[f].is_dictionary && first < f; first++)
            if (fields[first].is_dictionary && fields[first].dictionary == fields[f].dictionary &&
                !same_type(&fields[first], &fields[f]))
                return fail_at(m, f, GR_ERR_FORMAT,
                               "its dictionary has values of another type in another column");
    return GR_OK;
}

static gr_status keep_metadata(making *m, gr_fb_vector pairs)
{
    for (size_t i = 0; i < pairs.n; i++) {
        const gr_fb_table pair = gr_fb_table_at(pairs, i);
        const gr_fb_vector key = gr_fb_string(pair, 0), value = gr_fb_string(pair, 1);
        if (m->s->huggingface || key.n != 11 || memcmp(key.data, "huggingface", 11) != 0)
            continue;
        m->s->huggingface = gr_strndup(m->s->rt, value.n ? (const char *)value.data : "", value.n);
        if (!m->s->huggingface)
            return gr_fail(m->err, GR_ERR_MEM, "no memory for %zu bytes of the schema's metadata", value.n);
    }
    return GR_OK;
}

gr_status gr_arrow_schema_parse(gr_arrow_schema *s, gr_runtime *rt, gr_fb_table table, gr_error *err)
{
    *s = (gr_arrow_schema){ .rt = rt };
    making m = { .s = s, .err = err };
    int n_columns;
    gr_status st =
        gr_fb_int(table, 0, 2, 0) == 0
            ? GR_OK
            : gr_fail(err, GR_ERR_UNSUPPORTED, "numbers are big-endian; little-endian ones are read");
    if (st == GR_OK)
        st = read_children(&m, gr_fb_tables(table, 1), -1, &n_columns);
    if (st == GR_OK)
        st = keep_metadata(&m, gr_fb_tables(table, 2));
    if (st == GR_OK && table.fb->fault)
        st = gr_fail(err, GR_ERR_FORMAT, "the schema has %s, at byte %zu", table.fb->fault,
                     table.fb->fault_at);
    if (st == GR_OK)
        st = check_dictionaries(&m);
    if (st != GR_OK)
        gr_arrow_schema_fini(s);
    return st;
}

/* --- one's own ----------------------------------------------------------------------------------------- */

/* Takes fields[*at] and all below it. */
static gr_status take_field(making *m, const gr_arrow_field *fields, int n, int *at, int parent)
{
    int f;
    if (*at >= n)
        return gr_fail(m->err, GR_ERR_ARG, "the schema ends before all children are there, after %d fields",
                       n);
    const gr_arrow_field *from = &fields[(*at)++];
    GR_TRY(add_field(m, parent, from->name, strlen(from->name), &f));
    gr_arrow_field *to = &m->s->fields[f];
    to->type = from->type;
    to->width = from->width;
    to->is_signed = from->is_signed;
    to->is_image = from->is_image;
    to->nullable = from->nullable;
    to->n_children = from->n_children;
    for (int i = 0; i < from->n_children; i++)
        GR_TRY(take_field(m, fields, n, at, f));
    m->s->fields[f].next = m->s->n_fields;
    return settle_field(m, f);
}

gr_status gr_arrow_schema_of(gr_arrow_schema *s, gr_runtime *rt, const gr_arrow_field *fields, int n,
                             gr_error *err)
{
    *s = (gr_arrow_schema){ .rt = rt };
    gr_error why = { 0 };
    making m = { .s = s, .err = &why };
    gr_status st = GR_OK;
    for (int at = 0; at < n && st == GR_OK;)
        st = take_field(&m, fields, n, &at, -1);
    if (st == GR_OK)
        return GR_OK;
    gr_arrow_schema_fini(s);
    return gr_fail(err, st == GR_ERR_FORMAT || st == GR_ERR_UNSUPPORTED ? GR_ERR_ARG : st, "%s", why.msg);
}

void gr_arrow_schema_fini(gr_arrow_schema *s)
{
    for (int f = 0; f < s->n_fields; f++)
        gr_free(s->rt, (char *)(uintptr_t)s->fields[f].name);
    if (s->rt) {
        gr_free(s->rt, s->fields);
        gr_free(s->rt, s->huggingface);
    }
    *s = (gr_arrow_schema){ 0 };
}

/* --- asking -------------------------------------------------------------------------------------------- */

int gr_arrow_child(const gr_arrow_schema *s, int parent, const char *name, size_t n)
{
    const int end = parent < 0 ? s->n_fields : s->fields[parent].next;
    for (int f = parent + 1; f < end; f = s->fields[f].next)
        if (strlen(s->fields[f].name) == n && memcmp(s->fields[f].name, name, n) == 0)
            return f;
    return -1;
}

int gr_arrow_find(const gr_arrow_schema *s, const char *path)
{
    int f = gr_arrow_child(s, -1, path, strlen(path));
    if (f >= 0)
        return f;
    for (int parent = -1;; parent = f) {
        const size_t n = strcspn(path, ".");
        f = gr_arrow_child(s, parent, path, n);
        if (f < 0 || path[n] == '\0')
            return f;
        if (s->fields[f].type != GR_ARROW_STRUCT)
            return -1;
        path += n + 1;
    }
}

const char *gr_arrow_path(const gr_arrow_schema *s, int f, char *text, size_t n)
{
    int chain[GR_ARROW_DEPTH_MAX + 1], depth = 0;
    for (; f >= 0 && depth <= GR_ARROW_DEPTH_MAX; f = s->fields[f].parent)
        chain[depth++] = f;
    size_t used = 0;
    text[0] = '\0';
    while (depth > 0 && used < n) {
        const int more =
            snprintf(text + used, n - used, "%s%s", used ? "." : "", s->fields[chain[--depth]].name);
        used += more > 0 ? (size_t)more : 0;
    }
    return text;
}

static void describe(const gr_arrow_field *f, char text[80])
{
    if (f->width)
        snprintf(text, 80, "%s%s of width %d", f->type == GR_ARROW_INT && !f->is_signed ? "unsigned " : "",
                 types[f->type].name, f->width);
    else
        snprintf(text, 80, "%s", types[f->type].name);
}

gr_status gr_arrow_schema_compare(const gr_arrow_schema *expected, const gr_arrow_schema *found,
                                  gr_error *err)
{
    char path[200], want[80], got[80];
    for (int f = 0; f < expected->n_fields && f < found->n_fields; f++) {
        const gr_arrow_field *a = &expected->fields[f], *b = &found->fields[f];
        if (strcmp(a->name, b->name) != 0 || a->parent != b->parent)
            return gr_fail(err, GR_ERR_FORMAT, "column '%s' where '%s' is expected",
                           gr_arrow_path(found, f, got, sizeof got),
                           gr_arrow_path(expected, f, path, sizeof path));
        describe(a, want);
        describe(b, got);
        if (!same_type(a, b))
            return gr_fail(err, GR_ERR_FORMAT, "column '%s' is %s, expected %s",
                           gr_arrow_path(found, f, path, sizeof path), got, want);
    }
    if (expected->n_fields != found->n_fields)
        return gr_fail(err, GR_ERR_FORMAT, "%d fields in all columns, expected %d", found->n_fields,
                       expected->n_fields);
    return GR_OK;
}

/* --- writing ------------------------------------------------------------------------------------------- */

static size_t put_type(const gr_arrow_field *f, gr_fb_writer *w)
{
    gr_fb_field width[2] = { { .slot = 0, .bytes = 4, .value = f->width } };
    switch (f->type) {
    case GR_ARROW_INT:
        width[0].value = 8 * f->width;
        width[1] = (gr_fb_field){ .slot = 1, .bytes = 1, .value = f->is_signed };
        return gr_fb_put_table(w, width, 2);
    case GR_ARROW_FLOAT:
        width[0].bytes = 2;
        width[0].value = f->width == 8 ? 2 : f->width == 4 ? 1 : 0;
        return gr_fb_put_table(w, width, 1);
    case GR_ARROW_FIXED_BINARY:
    case GR_ARROW_FIXED_LIST:
        return gr_fb_put_table(w, width, 1);
    default:
        return gr_fb_put_table(w, width, 0);
    }
}

/* The vector of the children of `parent`, n of them, and all below. */
static size_t put_fields(const gr_arrow_schema *s, gr_fb_writer *w, int parent, size_t n)
{
    const size_t vector = gr_fb_put_tables(w, n);
    const int end = parent < 0 ? s->n_fields : s->fields[parent].next;
    size_t i = 0;
    for (int f = parent + 1; f < end; f = s->fields[f].next, i++) {
        const gr_arrow_field *field = &s->fields[f];
        enum { NAME, TYPE, CHILDREN, NULLABLE, TYPE_TYPE, COUNT };
        gr_fb_field t[COUNT] = {
            [NAME] = { .slot = 0, .bytes = 4 },
            [TYPE] = { .slot = 3, .bytes = 4 },
            [CHILDREN] = { .slot = 5, .bytes = 4 },
            [NULLABLE] = { .slot = 1, .bytes = 1, .value = field->nullable },
            [TYPE_TYPE] = { .slot = 2, .bytes = 1, .value = field->type },
        };
        gr_fb_point(w, vector + 4 + 4 * i, gr_fb_put_table(w, t, COUNT));
        gr_fb_point(w, t[NAME].at, gr_fb_put_string(w, field->name, strlen(field->name)));
        gr_fb_point(w, t[TYPE].at, put_type(field, w));
        gr_fb_point(w, t[CHILDREN].at, put_fields(s, w, f, (size_t)field->n_children));
    }
    return vector;
}

static size_t put_metadata(const gr_arrow_schema *s, gr_fb_writer *w)
{
    const size_t vector = gr_fb_put_tables(w, 1);
    gr_fb_field pair[] = { { .slot = 0, .bytes = 4 }, { .slot = 1, .bytes = 4 } };
    gr_fb_point(w, vector + 4, gr_fb_put_table(w, pair, 2));
    gr_fb_point(w, pair[0].at, gr_fb_put_string(w, "huggingface", 11));
    gr_fb_point(w, pair[1].at, gr_fb_put_string(w, s->huggingface, strlen(s->huggingface)));
    return vector;
}

size_t gr_arrow_schema_put(const gr_arrow_schema *s, gr_fb_writer *w)
{
    size_t n_columns = 0;
    for (int f = 0; f < s->n_fields; f = s->fields[f].next)
        n_columns++;
    gr_fb_field t[] = { { .slot = 1, .bytes = 4 },
                        { .slot = 0, .bytes = 2 /* little-endian */ },
                        { .slot = 2, .bytes = 4 } };
    const size_t at = gr_fb_put_table(w, t, s->huggingface ? 3 : 2);
    gr_fb_point(w, t[0].at, put_fields(s, w, -1, n_columns));
    if (s->huggingface)
        gr_fb_point(w, t[2].at, put_metadata(s, w));
    return at;
}
