#include "dataset/json_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define PIECE_BYTES ((size_t)1 << 20) /* what is read at a time; part of the fingerprint */

typedef struct {
    gr_row_source head;
    gr_runtime *rt;
    char *path;
    gr_source file;
    gr_row_parser parse;
    bool is_array;
    uint64_t *begin; /* [head.count + 1]: where rows begin, and where the last one ends */
    size_t capacity;
} json_rows;

/* --- finding the rows ---------------------------------------------------------------------------------- */

/* A text that is looked at byte by byte: what kind of file it is, and where in it we are. */
typedef struct {
    json_rows *rows;
    enum { BEFORE, LINES, ARRAY, AFTER } where;
    bool in_row;             /* LINES: something stands on this line */
    int depth;               /* ARRAY: brackets open inside the array */
    bool in_string, escaped; /* ARRAY */
    bool comma;              /* ARRAY: one stands between the last row and here, or there is no row yet */
    uint64_t at, end;        /* of the present byte; after the last row */
    gr_error *err;
} scanner;

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static gr_status begin_row(scanner *s)
{
    json_rows *r = s->rows;
    if (r->head.count == GR_ROWS_MAX)
        return gr_fail(s->err, GR_ERR_LIMIT, "%s: over %zu rows", r->path, GR_ROWS_MAX);
    if (!gr_grow(r->rt, &r->begin, &r->capacity, r->head.count, r->head.count + 2, sizeof *r->begin))
        return gr_fail(s->err, GR_ERR_MEM, "%s: no memory for the places of %zu rows", r->path,
                       r->head.count);
    r->begin[r->head.count++] = s->at;
    return GR_OK;
}

static gr_status unexpected(const scanner *s, char c, const char *expected)
{
    return gr_fail(s->err, GR_ERR_FORMAT, "%s: byte %llu is 0x%02x, expected %s", s->rows->path,
                   (unsigned long long)s->at, (unsigned char)c, expected);
}

static gr_status scan_before(scanner *s, char c)
{
    if (is_space(c))
        return GR_OK;
    if (c == '[') {
        s->where = ARRAY;
        s->rows->is_array = s->comma = true;
        return GR_OK;
    }
    if (c != '{')
        return unexpected(s, c, "'{' of the first row, or '[' of a list of rows");
    s->where = LINES;
    s->in_row = true;
    return begin_row(s);
}

static gr_status scan_line(scanner *s, char c)
{
    if (c == '\n')
        s->in_row = false;
    else if (!s->in_row && !is_space(c)) {
        s->in_row = true;
        GR_TRY(begin_row(s));
    }
    if (s->in_row)
        s->end = s->at + 1;
    return GR_OK;
}

/* Between rows of the array. */
static gr_status scan_between(scanner *s, char c)
{
    const bool first = s->rows->head.count == 0;
    if (is_space(c))
        return GR_OK;
    if (c == ']' && (!s->comma || first)) {
        s->where = AFTER;
        return GR_OK;
    }
    if (c == ',' && !s->comma) {
        s->comma = true;
        return GR_OK;
    }
    if (c != '{' || !s->comma)
        return unexpected(s, c, s->comma ? "'{' of a row" : "',' or ']'");
    s->depth = 1;
    s->comma = false;
    return begin_row(s);
}

static gr_status scan_array(scanner *s, char c)
{
    if (s->depth == 0)
        return scan_between(s, c);
    if (s->in_string) {
        s->in_string = s->escaped || c != '"';
        s->escaped = !s->escaped && c == '\\';
    } else if (c == '"')
        s->in_string = true;
    else if (c == '{' || c == '[')
        s->depth++;
    else if (c == '}' || c == ']')
        s->depth--;
    if (s->depth == 0)
        s->end = s->at + 1;
    return GR_OK;
}

/* How many of these bytes change nothing: the rest of a line, or of a text inside a row of an array. */
static size_t dull(const scanner *s, const char *piece, size_t n)
{
    if (s->where == LINES && s->in_row) {
        const char *end = memchr(piece, '\n', n);
        return end ? (size_t)(end - piece) : n;
    }
    size_t k = 0;
    if (s->where == ARRAY && s->in_string && !s->escaped)
        while (k < n && piece[k] != '"' && piece[k] != '\\')
            k++;
    return k;
}

static gr_status scan_byte(scanner *s, char c)
{
    switch (s->where) {
    case BEFORE:
        return scan_before(s, c);
    case LINES:
        return scan_line(s, c);
    case ARRAY:
        return scan_array(s, c);
    default:
        return is_space(c) ? GR_OK : unexpected(s, c, "nothing after the list of rows");
    }
}

static gr_status scan(scanner *s, const char *piece, size_t n)
{
    for (size_t i = 0; i < n; i++, s->at++) {
        const size_t passed = dull(s, piece + i, n - i);
        i += passed;
        s->at += passed;
        if (s->where == LINES && passed)
            s->end = s->at;
        if (i == n)
            return GR_OK;
        GR_TRY(scan_byte(s, piece[i]));
    }
    return GR_OK;
}

static gr_status finish_scan(scanner *s)
{
    json_rows *r = s->rows;
    if (s->where == ARRAY)
        return gr_fail(s->err, GR_ERR_FORMAT, "%s: the list of rows has no end; the file has %zu bytes",
                       r->path, r->file.size);
    if (r->head.count)
        r->begin[r->head.count] = s->end;
    return GR_OK;
}

static gr_status find_rows(json_rows *r, gr_error *err)
{
    gr_error why = { 0 };
    scanner s = { .rows = r, .err = err };
    const size_t size = r->file.size;
    char *piece = gr_malloc(r->rt, size < PIECE_BYTES ? size : PIECE_BYTES, 1);
    if (!piece)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory to read it", r->path);
    gr_status st = GR_OK;
    for (size_t at = 0; at < size && st == GR_OK; at += PIECE_BYTES) {
        const size_t n = size - at < PIECE_BYTES ? size - at : PIECE_BYTES;
        if (gr_source_read(&r->file, at, piece, n, &why) != GR_OK)
            st = gr_fail(err, why.status, "%s: %s", r->path, why.msg);
        else {
            r->head.fingerprint = gr_hash_bytes(r->head.fingerprint, piece, n);
            st = scan(&s, piece, n);
        }
    }
    gr_free(r->rt, piece);
    return st == GR_OK ? finish_scan(&s) : st;
}

/* --- reading one --------------------------------------------------------------------------------------- */

/* The row's text goes to the beginning of the next one, over what separates them. */
static size_t trimmed(const json_rows *r, const char *text, size_t n)
{
    while (n > 0 && (is_space(text[n - 1]) || (r->is_array && text[n - 1] == ',')))
        n--;
    return n;
}

static gr_status read_row(const gr_row_source *source, size_t i, gr_record *record, gr_error *err)
{
    const json_rows *r = (const json_rows *)source;
    const uint64_t n = r->begin[i + 1] - r->begin[i];
    gr_runtime *rt = record->arena.rt;
    gr_error why = { 0 };
    if (n > GR_JSON_ROW_BYTES_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%s: row %zu has %llu bytes, at most %zu", r->path, i,
                       (unsigned long long)n, GR_JSON_ROW_BYTES_MAX);
    char *text = gr_malloc(rt, (size_t)n, 1);
    if (!text)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the %llu bytes of row %zu", r->path,
                       (unsigned long long)n, i);
    gr_status st = gr_source_read(&r->file, (size_t)r->begin[i], text, (size_t)n, &why);
    if (st != GR_OK)
        gr_fail(err, st, "%s: row %zu: %s", r->path, i, why.msg);
    else {
        char name[512];
        snprintf(name, sizeof name, "%.400s: row %zu", r->path, i);
        st = r->parse(record, text, trimmed(r, text, (size_t)n), name, err);
    }
    gr_free(rt, text);
    return st;
}

/* --- opening ------------------------------------------------------------------------------------------- */

static void close_rows(gr_row_source *source)
{
    json_rows *r = (json_rows *)source;
    gr_source_close(&r->file);
    gr_free(r->rt, r->begin);
    gr_free(r->rt, r->path);
    gr_free(r->rt, r);
}

static const gr_row_format json_format = { .read = read_row, .close = close_rows };

/* The last part of the path, without what follows its last point. */
static void name_of_file(char name[GR_ROWS_NAME_BYTES], const char *path)
{
    const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
    snprintf(name, GR_ROWS_NAME_BYTES, "%s", from);
    char *point = strrchr(name, '.');
    if (point && point != name)
        *point = '\0';
}

/* Takes the file, also when it fails. */
static gr_status open_source(gr_row_source **out, gr_runtime *rt, gr_source file, const char *path,
                             const char *name, gr_row_parser parse, gr_error *err)
{
    json_rows *r = gr_calloc(rt, 1, sizeof *r);
    if (!r) {
        gr_source_close(&file);
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for its rows", path);
    }
    *r = (json_rows){ .head.format = &json_format, .rt = rt, .file = file, .parse = parse };
    if (name)
        snprintf(r->head.name, sizeof r->head.name, "%s", name);
    else
        name_of_file(r->head.name, path);
    r->path = gr_strdup(rt, path);
    const gr_status st =
        r->path ? find_rows(r, err) : gr_fail(err, GR_ERR_MEM, "%s: no memory for its name", path);
    if (st != GR_OK)
        close_rows(&r->head);
    else
        *out = &r->head;
    return st;
}

gr_status gr_json_rows_open(gr_row_source **out, gr_runtime *rt, const char *path, const char *name,
                            gr_row_parser parse, gr_error *err)
{
    gr_source file;
    *out = NULL;
    GR_TRY(gr_source_open(&file, path, err));
    return open_source(out, rt, file, path, name, parse, err);
}

gr_status gr_json_rows_wrap(gr_row_source **out, gr_runtime *rt, const void *text, size_t n, const char *path,
                            const char *name, gr_row_parser parse, gr_error *err)
{
    *out = NULL;
    return open_source(out, rt, gr_source_of(text, n), path, name, parse, err);
}
