#define _XOPEN_SOURCE 700
#include "dataset/dataset_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "dataset/dataset_state.h"

#define LISTED_MAX 200 /* bytes of a list of splits in a sentence */

struct gr_dataset {
    gr_runtime *rt;
    char path[GR_DATASET_PATH_MAX];
    gr_dataset_state state; /* of the folder of the shards */
    gr_arrow_file **shards;
    uint64_t *first_rows; /* of each shard, and the number of all rows */
    size_t n_shards;
};

/* --- the JSON files ------------------------------------------------------------------------------------ */

typedef gr_status parse_state(gr_dataset_state *s, gr_runtime *rt, const char *text, size_t n,
                              const char *file, gr_error *err);

static gr_status read_state(const gr_dataset *d, const char *path, parse_state *parse, gr_dataset_state *out,
                            gr_error *err)
{
    char *text;
    size_t n;
    GR_TRY(gr_file_read(d->rt, path, GR_DATASET_JSON_MAX, &text, &n, err));
    const gr_status st = parse(out, d->rt, text, n, path, err);
    gr_free(d->rt, text);
    return st;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* data-*-of-*.arrow */
static bool is_shard_name(const char *name)
{
    const size_t n = strlen(name);
    return n > 16 && memcmp(name, "data-", 5) == 0 && strstr(name, "-of-") &&
           strcmp(name + n - 6, ".arrow") == 0;
}

/* Names alone tell how many shards there should be: data-00003-of-00042.arrow is the fourth of 42. */
static gr_status check_names(const gr_dataset *d, gr_error *err)
{
    char expected[64];
    const char *of = strstr(d->state.names[0], "-of-");
    const long n = strtol(of + 4, NULL, 10);
    for (size_t i = 0; i < d->state.n_names; i++) {
        snprintf(expected, sizeof expected, "data-%05zu-of-%05ld.arrow", i, n);
        if (strcmp(d->state.names[i], expected) != 0)
            return gr_fail(err, GR_ERR_FORMAT, "%s: state.json is missing, and shard %s where %s is expected",
                           d->path, d->state.names[i], expected);
    }
    if (n < 0 || (size_t)n != d->state.n_names)
        return gr_fail(err, GR_ERR_FORMAT, "%s: state.json is missing, and there are %zu of %ld shards",
                       d->path, d->state.n_names, n);
    return GR_OK;
}

/* Downloads that kept only the shards are common. */
static gr_status list_shards(gr_dataset *d, gr_error *err)
{
    DIR *folder = opendir(d->path);
    gr_error why = { 0 };
    gr_status st = GR_OK;
    if (!folder)
        return gr_fail(err, GR_ERR_IO, "%s: cannot open the folder: %s", d->path, strerror(errno));
    d->state.rt = d->rt;
    for (struct dirent *e; st == GR_OK && (e = readdir(folder));)
        if (is_shard_name(e->d_name))
            st = gr_dataset_state_add(&d->state, e->d_name, &why);
    closedir(folder);
    if (st != GR_OK)
        return gr_fail(err, st, "%s: %s", d->path, why.msg);
    if (d->state.n_names == 0)
        return gr_fail(err, GR_ERR_IO,
                       "%s: no data set: there is neither state.json nor a shard data-*-of-*.arrow", d->path);
    qsort(d->state.names, d->state.n_names, sizeof *d->state.names, by_text);
    GR_TRY(check_names(d, err));
    gr_log(d->rt, GR_LOG_WARNING,
           "%s: state.json is missing; its %zu shards are taken in the order of their names", d->path,
           d->state.n_names);
    return GR_OK;
}

/* --- splits -------------------------------------------------------------------------------------------- */

static const char *list_names(const gr_dataset_state *splits, char text[LISTED_MAX])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < splits->n_names && used < LISTED_MAX; i++)
        used += (size_t)snprintf(text + used, LISTED_MAX - used, "%s'%s'", i ? ", " : "", splits->names[i]);
    return text;
}

static gr_status enter_split(gr_dataset *d, const gr_dataset_state *splits, const char *split, gr_error *err)
{
    char listed[LISTED_MAX], inside[GR_DATASET_PATH_MAX];
    const char *name = split ? NULL : splits->n_names == 1 ? splits->names[0] : NULL;
    for (size_t i = 0; split && i < splits->n_names; i++)
        name = strcmp(splits->names[i], split) == 0 ? splits->names[i] : name;
    if (!name)
        return gr_fail(err, GR_ERR_ARG,
                       split ? "%s: there is no split '%s'; it has %s"
                             : "%s: which split is meant%s? It has %s",
                       d->path, split ? split : "", list_names(splits, listed));
    if (!gr_path_join(inside, sizeof inside, d->path, name))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", d->path);
    memcpy(d->path, inside, sizeof inside);
    return GR_OK;
}

/* Of a folder of splits, goes into one. */
static gr_status choose_split(gr_dataset *d, const char *split, gr_error *err)
{
    char path[GR_DATASET_PATH_MAX];
    gr_dataset_state splits;
    if (!gr_path_join(path, sizeof path, d->path, "dataset_dict.json"))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", d->path);
    if (!gr_path_exists(path))
        return !split ? GR_OK
                      : gr_fail(
                            err, GR_ERR_ARG,
                            "%s: split '%s' is asked for, but this is no folder of splits: dataset_dict.json "
                            "is missing",
                            d->path, split);
    GR_TRY(read_state(d, path, gr_dataset_splits_parse, &splits, err));
    const gr_status st = enter_split(d, &splits, split, err);
    gr_dataset_state_fini(&splits);
    return st;
}

/* --- shards -------------------------------------------------------------------------------------------- */

/* Opens shard i, whose path this is. */
static gr_status open_shard(gr_dataset *d, size_t i, const char *path, gr_error *err)
{
    gr_error why = { 0 };
    GR_TRY(gr_arrow_file_open(&d->shards[i], d->rt, path, err));
    d->n_shards = i + 1;
    const gr_arrow_file *f = d->shards[i];
    if (i > 0 && gr_arrow_schema_compare(&d->shards[0]->schema, &f->schema, &why) != GR_OK)
        return gr_fail(err, why.status, "%s: %s as in %s", path, why.msg, d->shards[0]->name);
    if (f->n_rows > UINT64_MAX / 2 - d->first_rows[i])
        return gr_fail(err, GR_ERR_LIMIT, "%s: more than 2^63 rows with those before", path);
    d->first_rows[i + 1] = d->first_rows[i] + f->n_rows;
    return GR_OK;
}

static gr_status make_room(gr_dataset *d, size_t n, gr_error *err)
{
    d->shards = gr_calloc(d->rt, n, sizeof *d->shards);
    d->first_rows = gr_calloc(d->rt, n + 1, sizeof *d->first_rows);
    return d->shards && d->first_rows ? GR_OK
                                      : gr_fail(err, GR_ERR_MEM, "%s: no memory for %zu shards", d->path, n);
}

static gr_status open_folder(gr_dataset *d, const char *split, gr_error *err)
{
    char path[GR_DATASET_PATH_MAX];
    GR_TRY(choose_split(d, split, err));
    if (!gr_path_join(path, sizeof path, d->path, "state.json"))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", d->path);
    if (gr_path_exists(path))
        GR_TRY(read_state(d, path, gr_dataset_state_parse, &d->state, err));
    else
        GR_TRY(list_shards(d, err));
    if (d->state.n_names == 0)
        return gr_fail(err, GR_ERR_FORMAT, "%s: '_data_files' lists no shard, and a shard holds the columns",
                       path);
    GR_TRY(make_room(d, d->state.n_names, err));
    for (size_t i = 0; i < d->state.n_names; i++) {
        if (!gr_path_join(path, sizeof path, d->path, d->state.names[i]))
            return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", d->path);
        GR_TRY(open_shard(d, i, path, err));
    }
    return GR_OK;
}

static gr_status open_any(gr_dataset *d, const char *split, gr_error *err)
{
    if (gr_path_is_dir(d->path))
        return open_folder(d, split, err);
    if (split)
        return gr_fail(err, GR_ERR_ARG, "%s: split '%s' is asked for, but this is no folder of splits",
                       d->path, split);
    GR_TRY(make_room(d, 1, err));
    return open_shard(d, 0, d->path, err);
}

gr_status gr_dataset_open(gr_dataset **out, gr_runtime *rt, const char *path, const char *split,
                          gr_error *err)
{
    *out = NULL;
    if (strlen(path) >= GR_DATASET_PATH_MAX)
        return gr_fail(err, GR_ERR_ARG, "a path of %zu bytes is too long, at most %d", strlen(path),
                       GR_DATASET_PATH_MAX - 1);
    gr_dataset *d = gr_calloc(rt, 1, sizeof *d);
    if (!d)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for a data set", path);
    d->rt = rt;
    memcpy(d->path, path, strlen(path) + 1);
    const gr_status st = open_any(d, split, err);
    if (st != GR_OK)
        gr_dataset_close(d);
    else
        *out = d;
    return st;
}

void gr_dataset_close(gr_dataset *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_shards; i++)
        gr_arrow_file_close(d->shards[i]);
    gr_dataset_state_fini(&d->state);
    gr_free(d->rt, d->shards);
    gr_free(d->rt, d->first_rows);
    gr_free(d->rt, d);
}

uint64_t gr_dataset_n_rows(const gr_dataset *d) { return d->first_rows[d->n_shards]; }
const gr_arrow_schema *gr_dataset_schema(const gr_dataset *d) { return &d->shards[0]->schema; }
const char *gr_dataset_path(const gr_dataset *d) { return d->path; }
const char *gr_dataset_fingerprint(const gr_dataset *d) { return d->state.fingerprint; }
size_t gr_dataset_n_shards(const gr_dataset *d) { return d->n_shards; }
const gr_arrow_file *gr_dataset_shard(const gr_dataset *d, size_t i) { return d->shards[i]; }

static gr_hash hash_number(gr_hash h, uint64_t x) { return gr_hash_bytes(h, &x, sizeof x); }

static gr_hash hash_schema(gr_hash h, const gr_arrow_schema *s)
{
    for (int f = 0; f < s->n_fields; f++) {
        const gr_arrow_field *field = &s->fields[f];
        h = gr_hash_bytes(h, field->name, strlen(field->name));
        h = hash_number(h, (uint64_t)field->type);
        h = hash_number(h, (uint64_t)field->width << 1 | field->is_signed);
        h = hash_number(h, (uint64_t)field->n_children);
    }
    return h;
}

gr_hash gr_dataset_hash(const gr_dataset *d)
{
    gr_hash h = gr_hash_bytes((gr_hash){ 0 }, d->state.fingerprint, strlen(d->state.fingerprint));
    h = hash_schema(h, gr_dataset_schema(d));
    for (size_t i = 0; i < d->n_shards; i++) {
        const gr_arrow_file *f = d->shards[i];
        h = hash_number(h, f->source.size);
        for (size_t k = 0; k < f->n_batches; k++)
            h = hash_number(hash_number(h, f->batches[k].n_rows), f->batches[k].body_bytes);
    }
    return h;
}

gr_status gr_dataset_read(const gr_dataset *d, gr_arrow_cursor *c, uint64_t row, int field,
                          const gr_arrow_value **out, gr_error *err)
{
    *out = NULL;
    if (row >= gr_dataset_n_rows(d))
        return gr_fail(err, GR_ERR_ARG, "%s: row %llu of %llu: there is no such row", d->path,
                       (unsigned long long)row, (unsigned long long)gr_dataset_n_rows(d));
    size_t lo = 0, hi = d->n_shards; /* first_rows[lo] <= row < first_rows[hi] */
    while (hi - lo > 1) {
        const size_t mid = lo + (hi - lo) / 2;
        if (d->first_rows[mid] <= row)
            lo = mid;
        else
            hi = mid;
    }
    return gr_arrow_cursor_read(c, d->shards[lo], row - d->first_rows[lo], field, out, err);
}
