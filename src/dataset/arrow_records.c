#include "dataset/arrow_records.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "dataset/dataset_folder.h"
#include "dataset/gar_row.h"
#include "region/rle.h"

/* --- one row ------------------------------------------------------------------------------------------- */

typedef struct {
    gr_arrow_cursor *cursor;
    gr_record *r;
    gr_error *err;
} reader;

static bool is_null(const gr_arrow_value *v) { return !v || v->kind == GR_VALUE_NULL; }

static gr_status expected(const reader *rd, const char *what, const gr_arrow_value *v, const char *kinds)
{
    return gr_fail(rd->err, GR_ERR_FORMAT, "%s is %s, expected %s", what,
                   v ? gr_value_kind_name(v->kind) : "missing", kinds);
}

/* Null leaves *to as it is. */
static gr_status read_text(const reader *rd, const char *what, const gr_arrow_value *v, gr_chars *to)
{
    if (is_null(v))
        return GR_OK;
    if (v->kind != GR_VALUE_BYTES)
        return expected(rd, what, v, "text");
    return gr_record_text(rd->r, to, (const char *)v->as.bytes.at, v->as.bytes.n, rd->err);
}

static gr_status read_int(const reader *rd, const char *what, const gr_arrow_value *v, int32_t *to)
{
    if (is_null(v))
        return GR_OK;
    if (v->kind != GR_VALUE_INT)
        return expected(rd, what, v, "a whole number");
    if (v->as.integer < INT32_MIN || v->as.integer > INT32_MAX)
        return gr_fail(rd->err, GR_ERR_FORMAT, "%s is %lld, expected 32 bits", what,
                       (long long)v->as.integer);
    *to = (int32_t)v->as.integer;
    return GR_OK;
}

/* A list, however it was stored; NULL for null. */
static gr_status read_list(const reader *rd, const gr_arrow_value *v, const gr_arrow_value **list)
{
    *list = NULL;
    return is_null(v) ? GR_OK : gr_arrow_cursor_list(rd->cursor, v, list, rd->err);
}

static size_t length(const gr_arrow_value *list) { return list ? list->as.list.n : 0; }

static gr_status read_key(const reader *rd, const gr_arrow_value *v)
{
    char text[24];
    if (v->kind != GR_VALUE_INT)
        return read_text(rd, "the row's key", v, &rd->r->key);
    const int n = snprintf(text, sizeof text, "%lld", (long long)v->as.integer);
    return gr_record_text(rd->r, &rd->r->key, text, (size_t)n, rd->err);
}

static gr_status read_image(const reader *rd, const gr_arrow_value *v)
{
    if (v->kind == GR_VALUE_BYTES)
        return gr_gar_row_image_text(rd->r, (const char *)v->as.bytes.at, v->as.bytes.n, rd->err);
    if (v->kind != GR_VALUE_STRUCT)
        return expected(rd, "image", v, "text or {bytes, path}");
    const gr_arrow_value *bytes = gr_arrow_member(v, "bytes"), *path = gr_arrow_member(v, "path");
    if (is_null(bytes) && is_null(path))
        return GR_OK;
    rd->r->form = GR_PICTURE_STORED;
    GR_TRY(read_text(rd, "image.bytes", bytes, &rd->r->bytes));
    return read_text(rd, "image.path", path, &rd->r->path);
}

/* --- GAR's columns ------------------------------------------------------------------------------------- */

static gr_status read_turn(const reader *rd, const gr_arrow_value *v)
{
    const gr_arrow_value *from = gr_arrow_member(v, "from"), *value = gr_arrow_member(v, "value");
    gr_from who;
    if (!from || from->kind != GR_VALUE_BYTES)
        return expected(rd, "the \"from\" of a turn", from, "text");
    if (!value || value->kind != GR_VALUE_BYTES)
        return expected(rd, "the \"value\" of a turn", value, "text");
    GR_TRY(gr_from_parse(&who, (const char *)from->as.bytes.at, from->as.bytes.n, rd->err));
    return gr_record_add_turn(rd->r, who, (const char *)value->as.bytes.at, value->as.bytes.n, rd->err);
}

static gr_status read_conversations(const reader *rd, const gr_arrow_value *v)
{
    const gr_arrow_value *list;
    GR_TRY(read_list(rd, v, &list));
    for (size_t i = 0; i < length(list); i++)
        GR_TRY(read_turn(rd, &list->as.list.items[i]));
    return GR_OK;
}

static gr_status read_size(const reader *rd, const gr_arrow_value *v, int32_t size[2])
{
    if (!v || v->kind != GR_VALUE_LIST || v->as.list.n != 2)
        return gr_fail(rd->err, GR_ERR_FORMAT, "the size of a mask is not [height, width]");
    for (int i = 0; i < 2; i++)
        GR_TRY(read_int(rd, "the size of a mask", &v->as.list.items[i], &size[i]));
    return GR_OK;
}

static gr_status read_runs(const reader *rd, const gr_arrow_value *list, const int32_t size[2])
{
    const size_t n = list->as.list.n;
    uint32_t *runs = n <= GR_RLE_MAX_RUNS ? gr_arena_take(&rd->r->arena, n, sizeof *runs) : NULL;
    if (!runs)
        return n > GR_RLE_MAX_RUNS
                   ? gr_fail(rd->err, GR_ERR_LIMIT, "%zu runs are over the limit of %zu", n, GR_RLE_MAX_RUNS)
                   : gr_record_no_room(rd->r, rd->err);
    for (size_t i = 0; i < n; i++) {
        const gr_arrow_value *run = &list->as.list.items[i];
        if (run->kind != GR_VALUE_INT || run->as.integer < 0 || run->as.integer > UINT32_MAX)
            return gr_fail(rd->err, GR_ERR_FORMAT, "run %zu of a mask is not a number of pixels", i);
        runs[i] = (uint32_t)run->as.integer;
    }
    return gr_gar_row_add_runs(rd->r, size[0], size[1], runs, n, rd->err);
}

static gr_status read_mask(const reader *rd, const gr_arrow_value *v)
{
    int32_t size[2] = { 0 };
    const gr_arrow_value *counts = gr_arrow_member(v, "counts");
    GR_TRY(read_size(rd, gr_arrow_member(v, "size"), size));
    if (counts && counts->kind == GR_VALUE_LIST)
        return read_runs(rd, counts, size);
    if (!counts || counts->kind != GR_VALUE_BYTES)
        return expected(rd, "the counts of a mask", counts, "text or a list");
    return gr_gar_row_add_counts(rd->r, size[0], size[1], (const char *)counts->as.bytes.at,
                                 counts->as.bytes.n, rd->err);
}

/* One mask, and not a list of masks stored member by member. */
static bool is_one_mask(const gr_arrow_value *v)
{
    const gr_arrow_value *size = v->kind == GR_VALUE_STRUCT ? gr_arrow_member(v, "size") : NULL;
    return size && size->kind == GR_VALUE_LIST && size->as.list.n > 0 &&
           size->as.list.items[0].kind == GR_VALUE_INT;
}

static gr_status read_masks(const reader *rd, const gr_arrow_value *v)
{
    const gr_arrow_value *list;
    if (is_one_mask(v))
        return read_mask(rd, v);
    GR_TRY(read_list(rd, v, &list));
    for (size_t i = 0; i < length(list); i++)
        GR_TRY(read_mask(rd, &list->as.list.items[i]));
    return length(list) ? GR_OK
                        : gr_fail(rd->err, GR_ERR_FORMAT,
                                  "an empty list of masks, expected null where there are none");
}

/* --- columns of records -------------------------------------------------------------------------------- */

static gr_status read_width(const reader *rd, const gr_arrow_value *v)
{
    return read_int(rd, "width", v, &rd->r->width);
}

static gr_status read_height(const reader *rd, const gr_arrow_value *v)
{
    return read_int(rd, "height", v, &rd->r->height);
}

static gr_status read_task(const reader *rd, const gr_arrow_value *v)
{
    return read_text(rd, "task", v, &rd->r->task);
}

static gr_status read_meta(const reader *rd, const gr_arrow_value *v)
{
    return read_text(rd, "meta", v, &rd->r->meta);
}

static gr_status read_box(const reader *rd, const gr_arrow_value *v, gr_record_region *g)
{
    if (is_null(v))
        return GR_OK;
    if (v->kind != GR_VALUE_LIST || v->as.list.n != 4)
        return expected(rd, "the box of a region", v, "four numbers");
    for (int i = 0; i < 4; i++) {
        const gr_arrow_value *x = &v->as.list.items[i];
        if (x->kind != GR_VALUE_DOUBLE)
            return expected(rd, "a number of a box", x, "a floating-point number");
        g->box[i] = (float)x->as.number;
    }
    g->has_box = true;
    return GR_OK;
}

static gr_status read_rle(const reader *rd, const gr_arrow_value *v, gr_record_region *g)
{
    int32_t size[2] = { 0 };
    if (is_null(v) || is_null(gr_arrow_member(v, "counts")))
        return GR_OK;
    GR_TRY(read_size(rd, gr_arrow_member(v, "size"), size));
    g->has_rle = true;
    g->rle_height = size[0];
    g->rle_width = size[1];
    return read_text(rd, "the counts of a mask", gr_arrow_member(v, "counts"), &g->rle);
}

static gr_status read_region(const reader *rd, const gr_arrow_value *v)
{
    gr_record_region *g;
    const gr_arrow_value *score = gr_arrow_member(v, "score");
    GR_TRY(gr_record_add_region(rd->r, &g, rd->err));
    if (!is_null(score) && score->kind != GR_VALUE_DOUBLE)
        return expected(rd, "the score of a region", score, "a floating-point number");
    if (!is_null(score))
        g->score = (float)score->as.number;
    GR_TRY(read_int(rd, "the id of a region", gr_arrow_member(v, "id"), &g->id));
    GR_TRY(read_box(rd, gr_arrow_member(v, "box"), g));
    GR_TRY(read_rle(rd, gr_arrow_member(v, "rle"), g));
    GR_TRY(read_text(rd, "the label of a region", gr_arrow_member(v, "label"), &g->label));
    return read_text(rd, "the source of a region", gr_arrow_member(v, "source"), &g->source);
}

static gr_status read_regions(const reader *rd, const gr_arrow_value *v)
{
    const gr_arrow_value *list;
    GR_TRY(read_list(rd, v, &list));
    for (size_t i = 0; i < length(list); i++)
        GR_TRY(read_region(rd, &list->as.list.items[i]));
    return GR_OK;
}

/* Indices into the regions. */
static gr_status read_indices(const reader *rd, const gr_arrow_value *v, gr_region_list *to)
{
    if (is_null(v))
        return GR_OK;
    if (v->kind != GR_VALUE_LIST)
        return expected(rd, "the regions of a turn or span", v, "a list");
    int32_t *of = gr_arena_take(&rd->r->arena, v->as.list.n, sizeof *of);
    if (!of)
        return gr_record_no_room(rd->r, rd->err);
    for (size_t i = 0; i < v->as.list.n; i++)
        GR_TRY(read_int(rd, "the index of a region", &v->as.list.items[i], &of[i]));
    *to = (gr_region_list){ of, v->as.list.n };
    return GR_OK;
}

static gr_status read_turns(const reader *rd, const gr_arrow_value *v)
{
    const gr_arrow_value *list;
    GR_TRY(read_list(rd, v, &list));
    for (size_t i = 0; i < length(list); i++) {
        GR_TRY(read_turn(rd, &list->as.list.items[i]));
        GR_TRY(read_indices(rd, gr_arrow_member(&list->as.list.items[i], "regions"),
                            &rd->r->turns[rd->r->n_turns - 1].regions));
    }
    return GR_OK;
}

static gr_status read_spans(const reader *rd, const gr_arrow_value *v)
{
    const gr_arrow_value *list;
    GR_TRY(read_list(rd, v, &list));
    for (size_t i = 0; i < length(list); i++) {
        const gr_arrow_value *item = &list->as.list.items[i];
        gr_record_span *s;
        GR_TRY(gr_record_add_span(rd->r, &s, rd->err));
        GR_TRY(read_int(rd, "the turn of a span", gr_arrow_member(item, "turn"), &s->turn));
        GR_TRY(read_int(rd, "the start of a span", gr_arrow_member(item, "start"), &s->start));
        GR_TRY(read_int(rd, "the end of a span", gr_arrow_member(item, "end"), &s->end));
        GR_TRY(read_indices(rd, gr_arrow_member(item, "regions"), &s->regions));
    }
    return GR_OK;
}

static const struct {
    const char *name;
    gr_status (*read)(const reader *, const gr_arrow_value *); /* not called for null */
} columns[] = {
    { "image", read_image },    { "conversations", read_conversations },
    { "mask_rle", read_masks }, { "id", read_key },
    { "key", read_key },        { "regions", read_regions },
    { "turns", read_turns },    { "spans", read_spans },
    { "width", read_width },    { "height", read_height },
    { "task", read_task },      { "meta", read_meta },
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* --- the source ---------------------------------------------------------------------------------------- */

typedef struct lent lent;
struct lent {
    lent *next;
    gr_arrow_cursor *cursor;
};

typedef struct {
    gr_row_source head;
    gr_runtime *rt;
    gr_dataset *data;
    int fields[COLUMNS];   /* -1: there is no such column */
    pthread_mutex_t mutex; /* of `idle`: cursors that nobody reads with */
    lent *idle;
} arrow_records;

static gr_status borrow(const arrow_records *rows, lent **out, gr_error *err)
{
    arrow_records *r = (arrow_records *)rows;
    pthread_mutex_lock(&r->mutex);
    *out = r->idle;
    if (*out)
        r->idle = (*out)->next;
    pthread_mutex_unlock(&r->mutex);
    if (*out)
        return GR_OK;
    lent *made = gr_calloc(r->rt, 1, sizeof *made);
    if (!made)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for a cursor", r->head.name);
    const gr_status st = gr_arrow_cursor_new(&made->cursor, r->rt, NULL, err);
    if (st != GR_OK)
        gr_free(r->rt, made);
    else
        *out = made;
    return st;
}

static void give_back(const arrow_records *rows, lent *cursor)
{
    arrow_records *r = (arrow_records *)rows;
    pthread_mutex_lock(&r->mutex);
    cursor->next = r->idle;
    r->idle = cursor;
    pthread_mutex_unlock(&r->mutex);
}

static gr_status read_columns(const arrow_records *rows, size_t i, const reader *rd)
{
    for (int k = 0; k < COLUMNS; k++) {
        const gr_arrow_value *v;
        gr_error why = { 0 };
        const reader quiet = { rd->cursor, rd->r, &why };
        if (rows->fields[k] < 0)
            continue;
        GR_TRY(gr_dataset_read(rows->data, rd->cursor, i, rows->fields[k], &v, rd->err));
        const gr_status st = is_null(v) ? GR_OK : columns[k].read(&quiet, v);
        if (st != GR_OK)
            return gr_fail(rd->err, st, "%s: row %zu: %s", gr_dataset_path(rows->data), i, why.msg);
    }
    return GR_OK;
}

static gr_status read_row(const gr_row_source *source, size_t i, gr_record *record, gr_error *err)
{
    const arrow_records *rows = (const arrow_records *)source;
    lent *cursor;
    GR_TRY(borrow(rows, &cursor, err));
    const gr_status st = read_columns(rows, i, &(reader){ cursor->cursor, record, err });
    give_back(rows, cursor);
    return st;
}

static void close_rows(gr_row_source *source)
{
    arrow_records *r = (arrow_records *)source;
    while (r->idle) {
        lent *next = r->idle->next;
        gr_arrow_cursor_free(r->idle->cursor);
        gr_free(r->rt, r->idle);
        r->idle = next;
    }
    gr_dataset_close(r->data);
    pthread_mutex_destroy(&r->mutex);
    gr_free(r->rt, r);
}

static const gr_row_format arrow_format = { .read = read_row, .close = close_rows };

/* Not of the content, which is too much to read: of what a data set that was written anew has otherwise. */
static gr_hash fingerprint(const gr_dataset *d)
{
    const char *stated = gr_dataset_fingerprint(d);
    gr_hash h = gr_hash_bytes((gr_hash){ 0 }, stated, strlen(stated));
    for (size_t i = 0; i < gr_dataset_n_shards(d); i++) {
        const gr_arrow_file *f = gr_dataset_shard(d, i);
        const uint64_t numbers[2] = { f->n_rows, f->source.size };
        h = gr_hash_bytes(h, numbers, sizeof numbers);
    }
    return h;
}

static void set_name(char name[GR_ROWS_NAME_BYTES], const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t from = n;
    while (from > 0 && path[from - 1] != '/')
        from--;
    snprintf(name, GR_ROWS_NAME_BYTES, "%.*s", (int)(n - from), path + from);
}

static gr_status open_data(arrow_records *r, const char *path, const char *split, gr_error *err)
{
    GR_TRY(gr_dataset_open(&r->data, r->rt, path, split, err));
    const uint64_t n = gr_dataset_n_rows(r->data);
    bool talks = false;
    for (int k = 0; k < COLUMNS; k++) {
        r->fields[k] = gr_arrow_find(gr_dataset_schema(r->data), columns[k].name);
        talks |=
            r->fields[k] >= 0 && (columns[k].read == read_conversations || columns[k].read == read_turns);
    }
    if (!talks)
        return gr_fail(err, GR_ERR_FORMAT, "%s: no column 'conversations' or 'turns'", path);
    if (n > GR_ROWS_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%s: over %zu rows", path, GR_ROWS_MAX);
    r->head.count = (size_t)n;
    r->head.fingerprint = fingerprint(r->data);
    return GR_OK;
}

gr_status gr_arrow_records_open(gr_row_source **out, gr_runtime *rt, const char *path, const char *split,
                                const char *name, gr_error *err)
{
    *out = NULL;
    arrow_records *r = gr_calloc(rt, 1, sizeof *r);
    if (!r)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for its rows", path);
    *r = (arrow_records){ .head.format = &arrow_format, .rt = rt };
    pthread_mutex_init(&r->mutex, NULL);
    if (name)
        snprintf(r->head.name, sizeof r->head.name, "%s", name);
    else
        set_name(r->head.name, path);
    const gr_status st = open_data(r, path, split, err);
    if (st != GR_OK)
        close_rows(&r->head);
    else
        *out = &r->head;
    return st;
}
