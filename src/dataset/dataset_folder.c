#define _XOPEN_SOURCE 700
#include "dataset/dataset_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "io/json.h"

#define PATH_MAX_BYTES  4096
#define FINGERPRINT_MAX 64
#define LISTED_MAX      200 /* bytes of a list of splits in a sentence */

struct gr_dataset {
    gr_runtime *rt;
    char path[PATH_MAX_BYTES];
    char fingerprint[FINGERPRINT_MAX + 1];
    char **names; /* of the shards, below the folder */
    size_t n_names, names_cap;
    gr_arrow_file **shards;
    uint64_t *first_rows; /* of each shard, and the number of all rows */
    size_t n_shards;
};

/* --- names of shards ----------------------------------------------------------------------------------- */

static gr_status add_name(gr_dataset *d, const char *name, gr_error *err)
{
    if (d->n_names == GR_DATASET_SHARDS_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "more than %d shards", GR_DATASET_SHARDS_MAX);
    char *copy = gr_strdup(d->rt, name);
    if (!copy || !gr_grow(d->rt, &d->names, &d->names_cap, d->n_names, d->n_names + 1, sizeof *d->names)) {
        gr_free(d->rt, copy);
        return gr_fail(err, GR_ERR_MEM, "no memory for the names of %zu shards", d->n_names + 1);
    }
    d->names[d->n_names++] = copy;
    return GR_OK;
}

/* A name that stays in the folder: relative, without "..". */
static bool stays_inside(const char *name)
{
    if (*name == '\0' || *name == '/')
        return false;
    for (const char *part = name; *part;) {
        const size_t n = strcspn(part, "/");
        if (n == 2 && memcmp(part, "..", 2) == 0)
            return false;
        part += n + (part[n] == '/');
    }
    return true;
}

/* {"filename": "data-00000-of-00001.arrow"} */
static void read_file_entry(gr_json *j, gr_dataset *d)
{
    const char *key;
    bool found = false;
    gr_error why = { 0 };
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "filename") != 0) {
            gr_json_skip(j);
            continue;
        }
        const char *name = gr_json_string(j, NULL);
        if (j->err.status == GR_OK && !stays_inside(name))
            gr_json_fail(j, GR_ERR_FORMAT, "the file name '%.100s' leads out of the folder", name);
        else if (j->err.status == GR_OK && add_name(d, name, &why) != GR_OK)
            gr_json_fail(j, why.status, "%s", why.msg);
        found = true;
    }
    if (!found)
        gr_json_fail(j, GR_ERR_FORMAT, "a data file without 'filename'");
}

static void read_state_keys(gr_json *j, gr_dataset *d)
{
    const char *key;
    bool found = false;
    for (gr_json_object(j); gr_json_key(j, &key);)
        if (strcmp(key, "_data_files") == 0 && !found) {
            found = true;
            for (gr_json_array(j); gr_json_item(j);)
                read_file_entry(j, d);
        } else if (strcmp(key, "_fingerprint") == 0 && gr_json_peek(j) == GR_JSON_STRING) {
            const char *text = gr_json_string(j, NULL);
            snprintf(d->fingerprint, sizeof d->fingerprint, "%.*s", FINGERPRINT_MAX, text);
        } else {
            gr_json_skip(j);
        }
    if (!found)
        gr_json_fail(j, GR_ERR_FORMAT, "'_data_files', the list of shards, is missing");
}

/* Reads a JSON file of the folder by `take`. */
static gr_status read_json(gr_dataset *d, const char *path, void (*take)(gr_json *j, gr_dataset *d),
                           gr_error *err)
{
    char *text;
    size_t n;
    gr_json j;
    GR_TRY(gr_file_read(d->rt, path, GR_DATASET_JSON_MAX, &text, &n, err));
    gr_json_init(&j, d->rt, text, n, path, PATH_MAX_BYTES);
    take(&j, d);
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
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
    const char *of = strstr(d->names[0], "-of-");
    const long n = strtol(of + 4, NULL, 10);
    for (size_t i = 0; i < d->n_names; i++) {
        snprintf(expected, sizeof expected, "data-%05zu-of-%05ld.arrow", i, n);
        if (strcmp(d->names[i], expected) != 0)
            return gr_fail(err, GR_ERR_FORMAT, "%s: state.json is missing, and shard %s where %s is expected",
                           d->path, d->names[i], expected);
    }
    if (n < 0 || (size_t)n != d->n_names)
        return gr_fail(err, GR_ERR_FORMAT, "%s: state.json is missing, and there are %zu of %ld shards",
                       d->path, d->n_names, n);
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
    for (struct dirent *e; st == GR_OK && (e = readdir(folder));)
        if (is_shard_name(e->d_name))
            st = add_name(d, e->d_name, &why);
    closedir(folder);
    if (st != GR_OK)
        return gr_fail(err, st, "%s: %s", d->path, why.msg);
    if (d->n_names == 0)
        return gr_fail(err, GR_ERR_IO,
                       "%s: no data set: there is neither state.json nor a shard data-*-of-*.arrow", d->path);
    qsort(d->names, d->n_names, sizeof *d->names, by_text);
    GR_TRY(check_names(d, err));
    gr_log(d->rt, GR_LOG_WARNING,
           "%s: state.json is missing; its %zu shards are taken in the order of their names", d->path,
           d->n_names);
    return GR_OK;
}

/* --- splits -------------------------------------------------------------------------------------------- */

/* The names of splits become d->names. */
static void read_splits(gr_json *j, gr_dataset *d)
{
    const char *key;
    gr_error why = { 0 };
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "splits") != 0) {
            gr_json_skip(j);
            continue;
        }
        for (gr_json_array(j); gr_json_item(j);) {
            const char *name = gr_json_string(j, NULL);
            if (j->err.status == GR_OK && (!stays_inside(name) || strchr(name, '/')))
                gr_json_fail(j, GR_ERR_FORMAT, "'%.100s' is no name of a split", name);
            else if (j->err.status == GR_OK && add_name(d, name, &why) != GR_OK)
                gr_json_fail(j, why.status, "%s", why.msg);
        }
    }
}

static void forget_names(gr_dataset *d)
{
    for (size_t i = 0; i < d->n_names; i++)
        gr_free(d->rt, d->names[i]);
    d->n_names = 0;
}

static const char *list_names(const gr_dataset *d, char text[LISTED_MAX])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < d->n_names && used < LISTED_MAX; i++)
        used += (size_t)snprintf(text + used, LISTED_MAX - used, "%s'%s'", i ? ", " : "", d->names[i]);
    return text;
}

static gr_status enter_split(gr_dataset *d, const char *split, gr_error *err)
{
    char listed[LISTED_MAX], inside[PATH_MAX_BYTES];
    const char *name = split ? NULL : d->n_names == 1 ? d->names[0] : NULL;
    for (size_t i = 0; split && i < d->n_names; i++)
        name = strcmp(d->names[i], split) == 0 ? d->names[i] : name;
    if (!name)
        return gr_fail(err, GR_ERR_ARG,
                       split ? "%s: there is no split '%s'; it has %s"
                             : "%s: which split is meant%s? It has %s",
                       d->path, split ? split : "", list_names(d, listed));
    if (!gr_path_join(inside, sizeof inside, d->path, name))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", d->path);
    memcpy(d->path, inside, sizeof inside);
    return GR_OK;
}

/* Of a folder of splits, goes into one. */
static gr_status choose_split(gr_dataset *d, const char *split, gr_error *err)
{
    char path[PATH_MAX_BYTES];
    const bool fits = gr_path_join(path, sizeof path, d->path, "dataset_dict.json");
    if (!fits || !gr_path_exists(path)) {
        if (split)
            return gr_fail(err, GR_ERR_ARG,
                           "%s: split '%s' is asked for, but this is no folder of splits: "
                           "dataset_dict.json is missing",
                           d->path, split);
        return GR_OK;
    }
    gr_status st = read_json(d, path, read_splits, err);
    if (st == GR_OK)
        st = enter_split(d, split, err);
    forget_names(d);
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
    char path[PATH_MAX_BYTES];
    GR_TRY(choose_split(d, split, err));
    if (!gr_path_join(path, sizeof path, d->path, "state.json"))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", d->path);
    if (gr_path_exists(path))
        GR_TRY(read_json(d, path, read_state_keys, err));
    else
        GR_TRY(list_shards(d, err));
    if (d->n_names == 0)
        return gr_fail(err, GR_ERR_FORMAT, "%s: '_data_files' lists no shard, and a shard holds the columns",
                       path);
    GR_TRY(make_room(d, d->n_names, err));
    for (size_t i = 0; i < d->n_names; i++) {
        if (!gr_path_join(path, sizeof path, d->path, d->names[i]))
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
    if (strlen(path) >= PATH_MAX_BYTES)
        return gr_fail(err, GR_ERR_ARG, "a path of %zu bytes is too long, at most %d", strlen(path),
                       PATH_MAX_BYTES - 1);
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
    forget_names(d);
    gr_free(d->rt, d->names);
    gr_free(d->rt, d->shards);
    gr_free(d->rt, d->first_rows);
    gr_free(d->rt, d);
}

uint64_t gr_dataset_n_rows(const gr_dataset *d) { return d->first_rows[d->n_shards]; }
const gr_arrow_schema *gr_dataset_schema(const gr_dataset *d) { return &d->shards[0]->schema; }
const char *gr_dataset_path(const gr_dataset *d) { return d->path; }
const char *gr_dataset_fingerprint(const gr_dataset *d) { return d->fingerprint; }
size_t gr_dataset_n_shards(const gr_dataset *d) { return d->n_shards; }
const gr_arrow_file *gr_dataset_shard(const gr_dataset *d, size_t i) { return d->shards[i]; }

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
