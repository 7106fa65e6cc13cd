/* gar_new.c - the folder of a new model: made beside its place, renamed when it is complete. */
#include "model/gar_new.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "model/gar_folder.h"
#include "model/gar_new_internal.h"
#include "text/tokenizer.h"

static gr_status make_tokenizer(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder,
                                gr_error *err)
{
    gr_new_specials s;
    GR_TRY(gr_gar_new_specials(&s, rt, c, err));
    const gr_tokenizer_text t = {
        .specials = s.tokens,
        .n_specials = s.n,
        .bos = c->text.bos,
        .eos = c->text.eos[c->text.n_eos - 1], /* <|eot_id|> in published files */
        .context = c->text.context,
    };
    const gr_status st = gr_tokenizer_write_files(folder, rt, &t, err);
    gr_gar_new_specials_fini(&s, rt);
    return st;
}

/* --- the folder ---------------------------------------------------------------------------------------- */

static gr_status fill_folder(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder,
                             const gr_gar_new_options *o, gr_error *err)
{
    GR_TRY(gr_gar_folder_config(rt, c, folder, NULL, err));
    GR_TRY(
        gr_gar_folder_chat_template(rt, folder, err)); /* a tokenizer that has one of its own replaces it */
    GR_TRY(o->tokenizer ? gr_gar_folder_tokenizer(rt, folder, o->tokenizer, err)
                        : make_tokenizer(rt, c, folder, err));
    return gr_gar_new_weights(rt, c, folder, o, err);
}

/* Before the folder is made; where the system cannot tell, writing finds out. */
static gr_status check_room(gr_runtime *rt, const gr_gar_config *c, const char *place,
                            const gr_gar_new_options *o, gr_error *err)
{
    gr_gar_new_size size;
    struct statvfs disk;
    char parent[4096];
    GR_TRY(gr_gar_new_measure(&size, rt, c, o, err));
    const char *slash = strrchr(place, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - place + 1) : 1, slash ? place : ".");
    if (statvfs(parent, &disk) != 0)
        return GR_OK;
    const double room = (double)disk.f_bavail * (double)disk.f_frsize;
    if (room < (double)size.bytes)
        return gr_fail(err, GR_ERR_IO, "%s: the weights take %.3g GB, the disk has room for %.3g GB", place,
                       (double)size.bytes * 1e-9, room * 1e-9);
    return GR_OK;
}

gr_status gr_gar_new(gr_runtime *rt, const gr_gar_config *config, const char *dir,
                     const gr_gar_new_options *options, gr_error *err)
{
    static const gr_gar_new_options defaults = { 0 };
    const gr_gar_new_options *o = options ? options : &defaults;
    gr_gar_config c = *config;
    gr_folder folder;
    if (c.base_only)
        return gr_fail(err, GR_ERR_ARG, "%s: a new model is a GAR, not a base without mask embedding", dir);
    GR_TRY(gr_gar_new_dtype(&c.stored, config, o, err));
    GR_TRY(gr_folder_init(&folder, dir, err));
    if (o->tokenizer)
        GR_TRY(gr_gar_new_check_tokenizer(rt, &c, o->tokenizer, err));
    GR_TRY(check_room(rt, &c, folder.place, o, err));
    GR_TRY(gr_folder_make(&folder, err));
    return gr_folder_finish(&folder, fill_folder(rt, &c, &folder, o, err), err);
}
