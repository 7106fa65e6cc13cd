#include "dataset/dataset_state.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/json.h"

gr_status gr_dataset_state_add(gr_dataset_state *s, const char *name, gr_error *err)
{
    if (s->n_names == GR_DATASET_NAMES_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "more than %d names", GR_DATASET_NAMES_MAX);
    char *copy = gr_strdup(s->rt, name);
    if (!copy || !gr_grow(s->rt, &s->names, &s->cap, s->n_names, s->n_names + 1, sizeof *s->names)) {
        gr_free(s->rt, copy);
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu names", s->n_names + 1);
    }
    s->names[s->n_names++] = copy;
    return GR_OK;
}

void gr_dataset_state_fini(gr_dataset_state *s)
{
    for (size_t i = 0; i < s->n_names; i++)
        gr_free(s->rt, s->names[i]);
    if (s->rt)
        gr_free(s->rt, s->names);
    *s = (gr_dataset_state){ 0 };
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

static void take_name(gr_json *j, gr_dataset_state *s, bool is_split)
{
    gr_error why = { 0 };
    const char *name = gr_json_string(j, NULL);
    if (j->err.status != GR_OK)
        return;
    if (!stays_inside(name))
        gr_json_fail(j, GR_ERR_FORMAT, "the file name '%.100s' leads out of the folder", name);
    else if (is_split && strchr(name, '/'))
        gr_json_fail(j, GR_ERR_FORMAT, "'%.100s' is no name of a split", name);
    else if (gr_dataset_state_add(s, name, &why) != GR_OK)
        gr_json_fail(j, why.status, "%s", why.msg);
}

/* {"filename": "data-00000-of-00001.arrow"} */
static void take_file(gr_json *j, gr_dataset_state *s)
{
    const char *key;
    bool found = false;
    for (gr_json_object(j); gr_json_key(j, &key);)
        if (strcmp(key, "filename") == 0 && !found) {
            take_name(j, s, false);
            found = true;
        } else {
            gr_json_skip(j);
        }
    if (!found)
        gr_json_fail(j, GR_ERR_FORMAT, "a data file without 'filename'");
}

static void take_state(gr_json *j, gr_dataset_state *s)
{
    const char *key;
    bool found = false;
    for (gr_json_object(j); gr_json_key(j, &key);)
        if (strcmp(key, "_data_files") == 0 && !found) {
            found = true;
            for (gr_json_array(j); gr_json_item(j);)
                take_file(j, s);
        } else if (strcmp(key, "_fingerprint") == 0 && gr_json_peek(j) == GR_JSON_STRING) {
            snprintf(s->fingerprint, sizeof s->fingerprint, "%s", gr_json_string(j, NULL));
        } else {
            gr_json_skip(j);
        }
    if (!found)
        gr_json_fail(j, GR_ERR_FORMAT, "'_data_files', the list of shards, is missing");
}

static void take_splits(gr_json *j, gr_dataset_state *s)
{
    const char *key;
    bool found = false;
    for (gr_json_object(j); gr_json_key(j, &key);)
        if (strcmp(key, "splits") == 0 && !found) {
            found = true;
            for (gr_json_array(j); gr_json_item(j);)
                take_name(j, s, true);
        } else {
            gr_json_skip(j);
        }
    if (!found)
        gr_json_fail(j, GR_ERR_FORMAT, "'splits', the list of splits, is missing");
}

static gr_status parse(gr_dataset_state *s, gr_runtime *rt, const char *text, size_t n, const char *file,
                       void (*take)(gr_json *, gr_dataset_state *), gr_error *err)
{
    gr_json j;
    *s = (gr_dataset_state){ .rt = rt };
    gr_json_init(&j, rt, text, n, file, GR_DATASET_PATH_MAX);
    take(&j, s);
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    if (st != GR_OK)
        gr_dataset_state_fini(s);
    return st;
}

gr_status gr_dataset_state_parse(gr_dataset_state *s, gr_runtime *rt, const char *text, size_t n,
                                 const char *file, gr_error *err)
{
    return parse(s, rt, text, n, file, take_state, err);
}

gr_status gr_dataset_splits_parse(gr_dataset_state *s, gr_runtime *rt, const char *text, size_t n,
                                  const char *file, gr_error *err)
{
    return parse(s, rt, text, n, file, take_splits, err);
}
