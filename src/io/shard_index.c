#include "io/shard_index.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/json.h"
#include "io/safetensors.h"

/* While reading, pointers are offsets + 1 into x->names, which moves as it grows. */
static const char *as_offset(size_t at) { return (const char *)(uintptr_t)(at + 1); }
static size_t offset_of(const char *p) { return (size_t)((uintptr_t)p - 1); }

static bool usable_file_name(const char *s)
{
    static const char suffix[] = ".safetensors";
    const size_t n = strlen(s);
    for (const char *p = s; *p; p++)
        if (*p == '/' || *p == '\\' || (unsigned char)*p < 0x20)
            return false;
    return n > sizeof suffix - 1 && n <= 255 && s[0] != '.' &&
           strcmp(s + n - (sizeof suffix - 1), suffix) == 0;
}

/* The index of a file's name, which is added when it is new; -1 after a failure. */
static int file_index(gr_shard_index *x, gr_json *j, const char *name, size_t last)
{
    if (last < x->n_files && strcmp(x->names.data + offset_of(x->files[last]), name) == 0)
        return (int)last; /* neighbours mostly share a file */
    for (size_t i = 0; i < x->n_files; i++)
        if (strcmp(x->names.data + offset_of(x->files[i]), name) == 0)
            return (int)i;
    if (!usable_file_name(name)) {
        gr_json_fail(j, GR_ERR_FORMAT, "'%.100s' is not the name of a .safetensors file in the same folder",
                     name);
        return -1;
    }
    if (x->n_files == GR_SHARDS_MAX) {
        gr_json_fail(j, GR_ERR_LIMIT, "more than %d files", GR_SHARDS_MAX);
        return -1;
    }
    const size_t at = x->names.len;
    if (!gr_grow(x->rt, &x->files, &x->files_capacity, x->n_files, x->n_files + 1, sizeof *x->files) ||
        !gr_buf_add(&x->names, name, strlen(name) + 1)) {
        gr_json_fail(j, GR_ERR_MEM, "no memory for the index");
        return -1;
    }
    x->files[x->n_files] = as_offset(at);
    return (int)x->n_files++;
}

static void read_weight_map(gr_shard_index *x, gr_json *j)
{
    const char *tensor;
    size_t last = 0;
    for (gr_json_object(j); gr_json_key(j, &tensor);) {
        if (x->n_rows == GR_SAFETENSORS_MAX_TENSORS) {
            gr_json_fail(j, GR_ERR_LIMIT, "more than %d tensors", GR_SAFETENSORS_MAX_TENSORS);
            return;
        }
        const size_t at = x->names.len;
        if (!gr_grow(x->rt, &x->rows, &x->rows_capacity, x->n_rows, x->n_rows + 1, sizeof *x->rows) ||
            !gr_buf_add(&x->names, tensor, strlen(tensor) + 1)) {
            gr_json_fail(j, GR_ERR_MEM, "no memory for the index");
            return;
        }
        const char *name = gr_json_string(j, NULL);
        if (j->err.status != GR_OK)
            return;
        const int file = file_index(x, j, name, last);
        if (file < 0)
            return;
        last = (size_t)file;
        x->rows[x->n_rows++] = (gr_shard_row){ as_offset(at), file };
    }
}

static int by_tensor(const void *a, const void *b)
{
    return strcmp(((const gr_shard_row *)a)->tensor, ((const gr_shard_row *)b)->tensor);
}

static gr_status finish(gr_shard_index *x, const char *name, gr_error *err)
{
    if (x->n_rows == 0)
        return gr_fail(err, GR_ERR_FORMAT, "%s: 'weight_map' names no tensor", name);
    for (size_t i = 0; i < x->n_rows; i++)
        x->rows[i].tensor = x->names.data + offset_of(x->rows[i].tensor);
    for (size_t i = 0; i < x->n_files; i++)
        x->files[i] = x->names.data + offset_of(x->files[i]);
    qsort(x->rows, x->n_rows, sizeof *x->rows, by_tensor);
    for (size_t i = 1; i < x->n_rows; i++)
        if (strcmp(x->rows[i - 1].tensor, x->rows[i].tensor) == 0)
            return gr_fail(err, GR_ERR_FORMAT, "%s: tensor '%s' twice", name, x->rows[i].tensor);
    return GR_OK;
}

gr_status gr_shard_index_parse(gr_shard_index *x, gr_runtime *rt, const char *json, size_t n,
                               const char *name, gr_error *err)
{
    *x = (gr_shard_index){ .rt = rt };
    gr_buf_init(&x->names, rt, 2 * GR_SHARD_INDEX_MAX_SIZE);
    gr_json j;
    const char *key;
    bool seen = false;
    gr_json_init(&j, rt, json, n, name, GR_SAFETENSORS_MAX_NAME);
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        if (strcmp(key, "weight_map") != 0) {
            gr_json_skip(
                &j); /* "metadata": total_size, which published files do not agree on the meaning of */
            continue;
        }
        if (seen)
            gr_json_fail(&j, GR_ERR_FORMAT, "'weight_map' twice");
        seen = true;
        read_weight_map(x, &j);
    }
    gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    if (st == GR_OK && !seen)
        st = gr_fail(err, GR_ERR_FORMAT, "%s: there is no 'weight_map'", name);
    if (st == GR_OK)
        st = finish(x, name, err);
    if (st != GR_OK)
        gr_shard_index_fini(x);
    return st;
}

void gr_shard_index_fini(gr_shard_index *x)
{
    gr_buf_fini(&x->names);
    gr_free(x->rt, x->rows);
    gr_free(x->rt, x->files);
    *x = (gr_shard_index){ .rt = x->rt };
}

void gr_shard_name(char out[64], size_t i, size_t n)
{
    snprintf(out, 64, "model-%05zu-of-%05zu.safetensors", i + 1, n);
}
