/* gar_row_read.c - the JSON of a row of GAR's training data, member by member. */
#include "dataset/gar_row.h"

#include <stdio.h>
#include <string.h>

#include "region/rle.h"

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
    if (good(rd))
        gr_gar_row_image_base64(rd->r, text, n, &why);
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
