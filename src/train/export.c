#include "train/export.h"

#include <dirent.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "model/gar_folder.h"
#include "train/trained_weights.h"

#define CODE_MAX ((size_t)16 << 20)

/* Files of the source that go along: code that config.json's auto_map names, and the terms of use. */
static bool goes_along(const char *name)
{
    const size_t n = strlen(name);
    return (n > 3 && strcmp(name + n - 3, ".py") == 0) || strncmp(name, "LICENSE", 7) == 0;
}

static gr_status copy(gr_runtime *rt, const gr_folder *to, const char *from, const char *name, gr_error *err)
{
    char path[4096], *bytes;
    size_t n;
    if (!gr_path_join(path, sizeof path, from, name))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", from);
    GR_TRY(gr_file_read(rt, path, CODE_MAX, &bytes, &n, err));
    const gr_status st = gr_folder_add(to, name, bytes, n, err);
    gr_free(rt, bytes);
    return st;
}

static gr_status copy_code(gr_runtime *rt, const gr_folder *to, const char *from, gr_error *err)
{
    DIR *d = opendir(from); /* a single file as a model has none */
    gr_status st = GR_OK;
    for (struct dirent *e; d && st == GR_OK && (e = readdir(d));)
        if (goes_along(e->d_name))
            st = copy(rt, to, from, e->d_name, err);
    if (d)
        closedir(d);
    return st;
}

static gr_status fill(const gr_trainer *t, const gr_folder *folder, const gr_export_options *o, gr_error *err)
{
    gr_gar_config config = t->gar->config;
    const gr_trained_weights_options weights = { .dtype = o->dtype,
                                                 .frozen = true,
                                                 .shard_bytes = o->shard_bytes,
                                                 .progress = o->progress,
                                                 .user = o->user };
    config.stored = o->dtype;
    GR_TRY(gr_gar_folder_config(t->rt, &config, folder, t->gar->dir, err));
    GR_TRY(gr_gar_folder_tokenizer(t->rt, folder, t->gar->dir, err));
    GR_TRY(copy_code(t->rt, folder, t->gar->dir, err));
    return gr_trained_weights_write(t, folder->work, &weights, err);
}

gr_status gr_export(const gr_trainer *t, const char *dir, const gr_export_options *o, gr_error *err)
{
    gr_folder folder;
    GR_TRY(o->replaces ? gr_folder_init_over(&folder, dir, err) : gr_folder_init(&folder, dir, err));
    GR_TRY(gr_folder_make(&folder, err));
    return gr_folder_finish(&folder, fill(t, &folder, o, err), err);
}
