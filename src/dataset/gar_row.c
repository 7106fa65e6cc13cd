#include "dataset/gar_row.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "region/mask.h"
#include "region/rle.h"

static const char data_prefix[] = "data:base64,";

/* --- pieces -------------------------------------------------------------------------------------------- */

static gr_status set_bytes(gr_record *r, const char *base64, size_t n, gr_error *err)
{
    uint8_t *bytes;
    size_t n_bytes;
    gr_runtime *rt = r->arena.rt;
    GR_TRY(gr_base64_decode(&bytes, &n_bytes, rt, base64, n, err));
    const gr_status st = gr_record_text(r, &r->bytes, (const char *)bytes, n_bytes, err);
    gr_free(rt, bytes);
    return st;
}

static bool has_prefix(const char *text, size_t n)
{
    return n >= sizeof data_prefix - 1 && memcmp(text, data_prefix, sizeof data_prefix - 1) == 0;
}

gr_status gr_gar_row_image_text(gr_record *r, const char *text, size_t n, gr_error *err)
{
    const size_t skip = sizeof data_prefix - 1;
    if (has_prefix(text, n)) {
        r->form = GR_PICTURE_DATA;
        return set_bytes(r, text + skip, n - skip, err);
    }
    r->form = GR_PICTURE_PATH;
    return gr_record_text(r, &r->path, text, n, err);
}

static gr_status add_mask(gr_record *r, int32_t height, int32_t width, const char *text, size_t n,
                          gr_error *err)
{
    gr_record_region *g;
    GR_TRY(gr_mask_check_size("a mask", width, height, err));
    GR_TRY(gr_record_add_region(r, &g, err));
    g->has_rle = true;
    g->rle_height = height;
    g->rle_width = width;
    if (r->n_regions == 1) { /* rows state no size of the picture but this one */
        r->height = height;
        r->width = width;
    }
    return gr_record_text(r, &g->rle, text, n, err);
}

gr_status gr_gar_row_add_counts(gr_record *r, int32_t height, int32_t width, const char *text, size_t n,
                                gr_error *err)
{
    return add_mask(r, height, width, text, n, err);
}

gr_status gr_gar_row_add_runs(gr_record *r, int32_t height, int32_t width, const uint32_t *runs, size_t n,
                              gr_error *err)
{
    gr_rle rle;
    gr_buf text;
    GR_TRY(gr_rle_from_runs(&rle, r->arena.rt, height, width, runs, n, err));
    gr_buf_init(&text, r->arena.rt, GR_RECORD_BYTES_MAX);
    gr_status st = gr_rle_to_text(&text, &rle, err);
    if (st == GR_OK)
        st = add_mask(r, height, width, gr_buf_str(&text), text.len, err);
    gr_buf_fini(&text);
    gr_rle_fini(&rle);
    return st;
}

/* --- reading ------------------------------------------------------------------------------------------- */

typedef struct {
    gr_json *j;
    gr_record *r;
} reader;

/* Hands a failure of another part to the JSON reader, which says where it is. */
static void pass_on(reader *rd, const gr_error *why)
{
    if (why->status != GR_OK)
        gr_json_fail(rd->j, why->status, "%s", why->msg);
}

static void fail_for_room(reader *rd)
{
    gr_error why = { 0 };
    gr_record_no_room(rd->r, &why);
    pass_on(rd, &why);
}

static bool good(const reader *rd) { return rd->j->err.status == GR_OK; }

static void read_text(reader *rd, gr_chars *to)
{
    gr_error why = { 0 };
    size_t n;
    const char *text = gr_json_string(rd->j, &n);
    if (good(rd))
        gr_record_text(rd->r, to, text, n, &why);
    pass_on(rd, &why);
}

static void read_bytes(reader *rd)
{
    gr_error why = { 0 };
    size_t n;
    const char *text = gr_json_string(rd->j, &n);
    const size_t skip = has_prefix(text, n) ? sizeof data_prefix - 1 : 0;
    if (good(rd))
        set_bytes(rd->r, text + skip, n - skip, &why);
    pass_on(rd, &why);
}

static void read_stored_image(reader *rd)
{
    const char *key;
    rd->r->form = GR_PICTURE_STORED;
    for (gr_json_object(rd->j); gr_json_key(rd->j, &key);) {
        const bool bytes = strcmp(key, "bytes") == 0, path = strcmp(key, "path") == 0;
        if (!bytes && !path)
            gr_json_skip(rd->j);
        else if (gr_json_null(rd->j))
            ;
        else if (bytes)
            read_bytes(rd);
        else
            read_text(rd, &rd->r->path);
    }
}

static void read_image(reader *rd)
{
    gr_error why = { 0 };
    size_t n;
    if (gr_json_null(rd->j))
        return;
    if (gr_json_peek(rd->j) == GR_JSON_OBJECT) {
        read_stored_image(rd);
        return;
    }
    const char *text = gr_json_string(rd->j, &n);
    if (good(rd))
        gr_gar_row_image_text(rd->r, text, n, &why);
    pass_on(rd, &why);
}

/* A turn as it comes together; the parts of the transposed form come one list after the other. */
typedef struct {
    bool has_from, has_value;
    gr_from from;
    gr_chars value;
} turn_parts;

static void read_from(reader *rd, turn_parts *t)
{
    gr_error why = { 0 };
    size_t n;
    const char *word = gr_json_string(rd->j, &n);
    if (good(rd))
        gr_from_parse(&t->from, word, n, &why);
    pass_on(rd, &why);
    t->has_from = true;
}

static void read_value(reader *rd, turn_parts *t)
{
    read_text(rd, &t->value);
    t->has_value = true;
}

static void add_turn(reader *rd, const turn_parts *t)
{
    gr_error why = { 0 };
    if (!good(rd))
        return;
    if (!t->has_from || !t->has_value) {
        gr_json_fail(rd->j, GR_ERR_FORMAT, "a turn needs \"from\" and \"value\"");
        return;
    }
    gr_record_add_turn(rd->r, t->from, "", 0, &why);
    pass_on(rd, &why);
    if (good(rd))
        rd->r->turns[rd->r->n_turns - 1].value = t->value;
}

static void read_turn(reader *rd)
{
    turn_parts t = { 0 };
    const char *key;
    for (gr_json_object(rd->j); gr_json_key(rd->j, &key);) {
        if (strcmp(key, "from") == 0 && !t.has_from)
            read_from(rd, &t);
        else if (strcmp(key, "value") == 0 && !t.has_value)
            read_value(rd, &t);
        else if (strcmp(key, "from") == 0 || strcmp(key, "value") == 0)
            gr_json_fail(rd->j, GR_ERR_FORMAT, "\"%s\" twice in a turn", key);
        else
            gr_json_skip(rd->j);
    }
    add_turn(rd, &t);
}

/* One list of the transposed form, filling in what turns have of it. */
static void read_column(reader *rd, turn_parts **turns, size_t *capacity, size_t *n_turns,
                        void (*read)(reader *, turn_parts *))
{
    size_t n = 0;
    for (gr_json_array(rd->j); gr_json_item(rd->j); n++) {
        if (n == GR_RECORD_TURNS_MAX) {
            gr_json_fail(rd->j, GR_ERR_LIMIT, "a row with more than %d turns", GR_RECORD_TURNS_MAX);
            return;
        }
        if (n == *n_turns && !gr_arena_append(&rd->r->arena, turns, capacity, (*n_turns)++, sizeof **turns)) {
            fail_for_room(rd);
            return;
        }
        read(rd, &(*turns)[n]);
    }
}

static void read_transposed_turns(reader *rd)
{
    turn_parts *turns = NULL;
    size_t capacity = 0, n = 0;
    bool seen[2] = { false, false };
    const char *key;
    for (gr_json_object(rd->j); gr_json_key(rd->j, &key);) {
        const bool from = strcmp(key, "from") == 0, value = strcmp(key, "value") == 0;
        if (!from && !value) {
            gr_json_skip(rd->j);
            continue;
        }
        if (seen[value])
            gr_json_fail(rd->j, GR_ERR_FORMAT, "\"%s\" twice in conversations", key);
        seen[value] = true;
        read_column(rd, &turns, &capacity, &n, from ? read_from : read_value);
    }
    for (size_t i = 0; i < n && good(rd); i++)
        add_turn(rd, &turns[i]);
}

static void read_turns(reader *rd)
{
    if (gr_json_peek(rd->j) == GR_JSON_OBJECT) {
        read_transposed_turns(rd);
        return;
    }
    for (gr_json_array(rd->j); gr_json_item(rd->j);)
        read_turn(rd);
}

/* Members of a mask, in whatever order they come. */
typedef struct {
    int32_t size[2]; /* height, width */
    size_t n_size;
    bool has_counts, is_list;
    gr_chars text;
    uint32_t *runs;
    size_t n_runs, capacity;
} mask_parts;

static void read_runs(reader *rd, mask_parts *m)
{
    m->is_list = true;
    for (gr_json_array(rd->j); gr_json_item(rd->j);) {
        const uint32_t run = (uint32_t)gr_json_int(rd->j, 0, UINT32_MAX);
        if (m->n_runs == GR_RLE_MAX_RUNS) {
            gr_json_fail(rd->j, GR_ERR_LIMIT, "over the limit of %zu runs", GR_RLE_MAX_RUNS);
            return;
        }
        uint32_t *to = gr_arena_append(&rd->r->arena, &m->runs, &m->capacity, m->n_runs, sizeof run);
        if (!to) {
            fail_for_room(rd);
            return;
        }
        *to = run;
        m->n_runs++;
    }
}

static void read_mask_parts(reader *rd, mask_parts *m)
{
    const char *key;
    for (gr_json_object(rd->j); gr_json_key(rd->j, &key);) {
        const bool size = strcmp(key, "size") == 0, counts = strcmp(key, "counts") == 0;
        if ((size && m->n_size) || (counts && m->has_counts))
            gr_json_fail(rd->j, GR_ERR_FORMAT, "\"%s\" twice in a mask", key);
        else if (size)
            for (gr_json_array(rd->j); gr_json_item(rd->j); m->n_size++) {
                const int32_t v = (int32_t)gr_json_int(rd->j, 1, GR_MASK_MAX_PIXELS);
                if (m->n_size < 2)
                    m->size[m->n_size] = v;
            }
        else if (counts) {
            m->has_counts = true;
            if (gr_json_peek(rd->j) == GR_JSON_ARRAY)
                read_runs(rd, m);
            else
                read_text(rd, &m->text);
        } else
            gr_json_skip(rd->j);
    }
}

static void read_mask(reader *rd)
{
    mask_parts m = { 0 };
    gr_error why = { 0 };
    read_mask_parts(rd, &m);
    if (!good(rd))
        return;
    if (m.n_size != 2 || !m.has_counts) {
        gr_json_fail(rd->j, GR_ERR_FORMAT, "a mask needs \"size\": [height, width] and \"counts\"");
        return;
    }
    if (m.is_list)
        gr_gar_row_add_runs(rd->r, m.size[0], m.size[1], m.runs, m.n_runs, &why);
    else
        gr_gar_row_add_counts(rd->r, m.size[0], m.size[1], m.text.at, m.text.n, &why);
    pass_on(rd, &why);
}

static void read_masks(reader *rd)
{
    if (gr_json_null(rd->j))
        return;
    if (gr_json_peek(rd->j) == GR_JSON_OBJECT) {
        read_mask(rd);
        return;
    }
    for (gr_json_array(rd->j); gr_json_item(rd->j);)
        read_mask(rd);
    if (rd->r->n_regions == 0)
        gr_json_fail(rd->j, GR_ERR_FORMAT, "an empty list of masks, expected null where there are none");
}

static void read_key(reader *rd)
{
    if (gr_json_null(rd->j))
        return;
    if (gr_json_peek(rd->j) == GR_JSON_STRING) {
        read_text(rd, &rd->r->key);
        return;
    }
    char text[24];
    gr_error why = { 0 };
    const int n = snprintf(text, sizeof text, "%lld", (long long)gr_json_int(rd->j, INT64_MIN, INT64_MAX));
    gr_record_text(rd->r, &rd->r->key, text, (size_t)n, &why);
    pass_on(rd, &why);
}

static const struct {
    const char *key;
    void (*read)(reader *);
} members[] = {
    { "image", read_image }, { "conversations", read_turns }, { "mask_rle", read_masks }, { "id", read_key }
};
enum { MEMBERS = sizeof members / sizeof *members };

static void read_row(reader *rd)
{
    bool seen[MEMBERS] = { false };
    const char *key;
    for (gr_json_object(rd->j); gr_json_key(rd->j, &key);) {
        int i = 0;
        while (i < MEMBERS && strcmp(members[i].key, key) != 0)
            i++;
        if (i == MEMBERS)
            gr_json_skip(rd->j);
        else if (seen[i])
            gr_json_fail(rd->j, GR_ERR_FORMAT, "\"%s\" twice in a row", key);
        else {
            seen[i] = true;
            members[i].read(rd);
        }
    }
}

gr_status gr_gar_row_parse(gr_record *r, const char *text, size_t n, const char *name, gr_error *err)
{
    gr_json j;
    gr_record_clear(r);
    gr_json_init(&j, r->arena.rt, text, n, name, GR_RECORD_BYTES_MAX);
    reader rd = { &j, r };
    read_row(&rd);
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    if (st != GR_OK)
        gr_record_clear(r);
    return st;
}

/* --- writing ------------------------------------------------------------------------------------------- */

/* Base64 needs no escapes, so it is put between quotes as it is. */
static void put_base64(gr_json_writer *w, const char *prefix, gr_chars bytes, gr_runtime *rt, size_t max)
{
    gr_buf text;
    gr_buf_init(&text, rt, max);
    gr_buf_text(&text, "\"");
    gr_buf_text(&text, prefix);
    gr_base64_encode(&text, bytes.at, bytes.n);
    gr_buf_text(&text, "\"");
    if (text.failed)
        w->out->failed = true;
    else
        gr_json_put_raw(w, text.data, text.len);
    gr_buf_fini(&text);
}

static void put_image(gr_json_writer *w, const gr_record *r)
{
    gr_runtime *rt = r->arena.rt;
    const size_t max = w->out->max;
    switch (r->form) {
    case GR_PICTURE_NONE:
        gr_json_put_null(w);
        break;
    case GR_PICTURE_PATH:
        gr_json_put_string(w, r->path.at, r->path.n);
        break;
    case GR_PICTURE_DATA:
        put_base64(w, data_prefix, r->bytes, rt, max);
        break;
    case GR_PICTURE_STORED:
        gr_json_put_object(w);
        gr_json_put_key(w, "bytes");
        if (r->bytes.n)
            put_base64(w, "", r->bytes, rt, max);
        else
            gr_json_put_null(w);
        gr_json_put_key(w, "path");
        if (r->path.n)
            gr_json_put_string(w, r->path.at, r->path.n);
        else
            gr_json_put_null(w);
        gr_json_put_end(w, '}');
        break;
    }
}

static void put_turns(gr_json_writer *w, const gr_record *r)
{
    gr_json_put_array(w);
    for (size_t i = 0; i < r->n_turns; i++) {
        gr_json_put_object(w);
        gr_json_put_key(w, "from");
        gr_json_put_text(w, gr_from_name(r->turns[i].from));
        gr_json_put_key(w, "value");
        gr_json_put_string(w, r->turns[i].value.at, r->turns[i].value.n);
        gr_json_put_end(w, '}');
    }
    gr_json_put_end(w, ']');
}

static void put_masks(gr_json_writer *w, const gr_record *r)
{
    if (r->n_regions == 0) {
        gr_json_put_null(w);
        return;
    }
    gr_json_put_array(w);
    for (size_t i = 0; i < r->n_regions; i++) {
        const gr_record_region *g = &r->regions[i];
        gr_json_put_object(w);
        gr_json_put_key(w, "size");
        gr_json_put_array(w);
        gr_json_put_int(w, g->rle_height);
        gr_json_put_int(w, g->rle_width);
        gr_json_put_end(w, ']');
        gr_json_put_key(w, "counts");
        gr_json_put_string(w, g->rle.at, g->rle.n);
        gr_json_put_end(w, '}');
    }
    gr_json_put_end(w, ']');
}

gr_status gr_gar_row_write(gr_buf *out, const gr_record *r, gr_error *err)
{
    gr_json_writer w;
    for (size_t i = 0; i < r->n_regions; i++)
        if (!r->regions[i].has_rle)
            return gr_fail(err, GR_ERR_ARG, "%.200s: region %zu has no run lengths, which a GAR row needs",
                           r->key.at, i);
    gr_json_writer_init(&w, out, false);
    gr_json_put_object(&w);
    if (r->key.n) {
        gr_json_put_key(&w, "id");
        gr_json_put_string(&w, r->key.at, r->key.n);
    }
    gr_json_put_key(&w, "image");
    put_image(&w, r);
    gr_json_put_key(&w, "conversations");
    put_turns(&w, r);
    gr_json_put_key(&w, "mask_rle");
    put_masks(&w, r);
    gr_json_put_end(&w, '}');
    return out->failed ? gr_fail(err, GR_ERR_MEM, "%.200s: a row of more than %zu bytes, or no memory for it",
                                 r->key.at, out->max)
                       : GR_OK;
}
