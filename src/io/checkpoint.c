#include "io/checkpoint.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "io/safetensors.h"
#include "io/shard_index.h"

#define SINGLE "model.safetensors"
#define INDEX  "model.safetensors.index.json"

typedef struct {
    char *path;
    gr_source source;
    gr_safetensors *tensors;
} shard;

struct gr_checkpoint {
    gr_runtime *rt;
    shard *shards;
    size_t n_shards;
    gr_stored *stored; /* sorted by name */
    size_t n;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static gr_status open_shard(gr_checkpoint *c, shard *s, const char *path, gr_error *err)
{
    s->path = gr_strdup(c->rt, path);
    if (!s->path)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for its name", path);
    GR_TRY(gr_source_open(&s->source, path, err));
    return gr_safetensors_parse(&s->tensors, c->rt, &s->source, path, err);
}

/* --- all tensors of all files, by name ----------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const gr_stored *)a)->name, ((const gr_stored *)b)->name);
}

static gr_status collect(gr_checkpoint *c, gr_error *err)
{
    size_t n = 0;
    for (size_t s = 0; s < c->n_shards; s++)
        n += gr_safetensors_count(c->shards[s].tensors);
    c->stored = gr_calloc(c->rt, n, sizeof *c->stored);
    if (!c->stored)
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu tensors", n);
    for (size_t s = 0; s < c->n_shards; s++) {
        const shard *f = &c->shards[s];
        for (size_t i = 0; i < gr_safetensors_count(f->tensors); i++) {
            const gr_safetensor *t = gr_safetensors_at(f->tensors, i);
            gr_stored *out = &c->stored[c->n++];
            *out = (gr_stored){ .name = t->name,
                                .file = f->path,
                                .dtype = t->dtype,
                                .rank = t->rank,
                                .source = &f->source,
                                .offset = t->offset,
                                .bytes = t->bytes,
                                .file_index = (int)s };
            memcpy(out->shape, t->shape, sizeof out->shape);
        }
    }
    qsort(c->stored, c->n, sizeof *c->stored, by_name);
    for (size_t i = 1; i < c->n; i++)
        if (strcmp(c->stored[i - 1].name, c->stored[i].name) == 0)
            return gr_fail(err, GR_ERR_FORMAT, "%s: tensor '%s' is in %s too", c->stored[i - 1].file,
                           c->stored[i].name, base_name(c->stored[i].file));
    return GR_OK;
}

/* --- a folder with an index ---------------------------------------------------------------------------- */

/* What the index promises is there, and where it says. */
static gr_status check_index(const gr_checkpoint *c, const gr_shard_index *x, const char *path, gr_error *err)
{
    for (size_t i = 0; i < x->n_rows; i++) {
        const gr_shard_row *row = &x->rows[i];
        const gr_stored *t = gr_checkpoint_find(c, row->tensor);
        if (!t)
            return gr_fail(err, GR_ERR_FORMAT, "%s: tensor '%s' is not in %s", path, row->tensor,
                           x->files[row->file]);
        if (t->file_index != row->file)
            return gr_fail(err, GR_ERR_FORMAT, "%s: tensor '%s' should be in %s, it is in %s", path,
                           row->tensor, x->files[row->file], base_name(t->file));
    }
    for (size_t i = 0, r = 0; i < c->n; i++) { /* both are sorted */
        while (r < x->n_rows && strcmp(x->rows[r].tensor, c->stored[i].name) < 0)
            r++;
        if (r == x->n_rows || strcmp(x->rows[r].tensor, c->stored[i].name) != 0)
            gr_log(c->rt, GR_LOG_WARNING, "%s: tensor '%s' is not in the index", c->stored[i].file,
                   c->stored[i].name);
    }
    return GR_OK;
}

static gr_status open_shards(gr_checkpoint *c, const gr_shard_index *x, const char *dir, const char *index,
                             gr_error *err)
{
    char path[4096];
    c->shards = gr_calloc(c->rt, x->n_files, sizeof *c->shards);
    if (!c->shards)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for %zu files", dir, x->n_files);
    for (size_t i = 0; i < x->n_files; i++) {
        if (!gr_path_join(path, sizeof path, dir, x->files[i]))
            return gr_fail(err, GR_ERR_ARG, "%s: the path of %s is too long", dir, x->files[i]);
        if (!gr_path_exists(path))
            return gr_fail(err, GR_ERR_IO, "%s: names %s, which is missing", index, x->files[i]);
        c->n_shards = i + 1;
        GR_TRY(open_shard(c, &c->shards[i], path, err));
    }
    GR_TRY(collect(c, err));
    return check_index(c, x, index, err);
}

static gr_status open_index(gr_checkpoint *c, const char *dir, const char *index, gr_error *err)
{
    char *text;
    size_t n;
    gr_shard_index x;
    GR_TRY(gr_file_read(c->rt, index, GR_SHARD_INDEX_MAX_SIZE, &text, &n, err));
    gr_status st = gr_shard_index_parse(&x, c->rt, text, n, index, err);
    gr_free(c->rt, text);
    if (st != GR_OK)
        return st;
    st = open_shards(c, &x, dir, index, err);
    gr_shard_index_fini(&x);
    return st;
}

static gr_status open_single(gr_checkpoint *c, const char *path, gr_error *err)
{
    c->shards = gr_calloc(c->rt, 1, sizeof *c->shards);
    if (!c->shards)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory", path);
    c->n_shards = 1;
    GR_TRY(open_shard(c, c->shards, path, err));
    return collect(c, err);
}

/* --- a path -------------------------------------------------------------------------------------------- */

static bool ends_with(const char *s, const char *suffix)
{
    const size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* Weights of other kinds that a folder without safetensors may hold, for the message. */
static gr_status nothing_here(const char *dir, gr_error *err)
{
    static const char *const others[] = { "pytorch_model.bin", "pytorch_model.bin.index.json",
                                          "consolidated.pth", "consolidated.00.pth" };
    char path[4096];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (gr_path_join(path, sizeof path, dir, others[i]) && gr_path_exists(path))
            return gr_fail(err, GR_ERR_UNSUPPORTED, "%s: holds %s, but neither " SINGLE " nor " INDEX, dir,
                           others[i]);
    return gr_fail(err, GR_ERR_IO, "%s: holds neither " SINGLE " nor " INDEX, dir);
}

/* Files that look like weights and were not asked for: worth a line, since a folder may mix two models. */
static void report_other_files(const gr_checkpoint *c, const char *dir)
{
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        bool used = !ends_with(e->d_name, ".safetensors");
        for (size_t i = 0; i < c->n_shards && !used; i++)
            used = strcmp(base_name(c->shards[i].path), e->d_name) == 0;
        if (!used)
            gr_log(c->rt, GR_LOG_WARNING, "%s: %s is not part of the checkpoint and is not read", dir,
                   e->d_name);
    }
    closedir(d);
}

static gr_status open_folder(gr_checkpoint *c, const char *dir, gr_error *err)
{
    char single[4096], index[4096];
    if (!gr_path_join(single, sizeof single, dir, SINGLE) || !gr_path_join(index, sizeof index, dir, INDEX))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", dir);
    if (gr_path_exists(single)) /* before the index, as the published loader does */
        GR_TRY(open_single(c, single, err));
    else if (gr_path_exists(index))
        GR_TRY(open_index(c, dir, index, err));
    else
        return nothing_here(dir, err);
    report_other_files(c, dir);
    return GR_OK;
}

gr_status gr_checkpoint_open(gr_checkpoint **out, gr_runtime *rt, const char *path, gr_error *err)
{
    *out = NULL;
    if (!gr_path_exists(path))
        return gr_fail(err, GR_ERR_IO, "%s: there is no such folder or file", path);
    gr_checkpoint *c = gr_calloc(rt, 1, sizeof *c);
    if (!c)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for a checkpoint", path);
    c->rt = rt;
    gr_status st;
    if (gr_path_is_dir(path))
        st = open_folder(c, path, err);
    else if (ends_with(path, ".safetensors"))
        st = open_single(c, path, err);
    else
        st = gr_fail(err, GR_ERR_UNSUPPORTED, "%s: expected a folder or a .safetensors file", path);
    if (st != GR_OK)
        gr_checkpoint_close(c);
    else
        *out = c;
    return st;
}

void gr_checkpoint_close(gr_checkpoint *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_shards; i++) {
        gr_safetensors_free(c->shards[i].tensors);
        gr_source_close(&c->shards[i].source);
        gr_free(c->rt, c->shards[i].path);
    }
    gr_free(c->rt, c->shards);
    gr_free(c->rt, c->stored);
    gr_free(c->rt, c);
}

size_t gr_checkpoint_count(const gr_checkpoint *c) { return c->n; }
const gr_stored *gr_checkpoint_at(const gr_checkpoint *c, size_t i) { return &c->stored[i]; }

const gr_stored *gr_checkpoint_find(const gr_checkpoint *c, const char *name)
{
    const gr_stored key = { .name = name };
    return c->n ? bsearch(&key, c->stored, c->n, sizeof *c->stored, by_name) : NULL;
}

size_t gr_checkpoint_n_files(const gr_checkpoint *c) { return c->n_shards; }
const char *gr_checkpoint_file(const gr_checkpoint *c, size_t file_index)
{
    return c->shards[file_index].path;
}

gr_status gr_stored_read(const gr_stored *t, size_t from, void *to, size_t bytes, gr_error *err)
{
    gr_error why = { 0 };
    return gr_source_read(t->source, t->offset + from, to, bytes, &why) == GR_OK
               ? GR_OK
               : gr_fail(err, why.status, "%s: tensor '%s': %s", t->file, t->name, why.msg);
}
