/* new.c - grasp/new.h: the presets, and gar_new.h for what they are. */
#include "grasp/new.h"

#include "model/gar_from_base.h"

const char *gr_new_preset(size_t i) { return gr_gar_preset_name(i); }

void gr_new_options_init(gr_new_options *options)
{
    *options = (gr_new_options){ .size = sizeof *options, .dtype = GR_DTYPE_COUNT };
}

static gr_status inner_options(gr_gar_new_options *out, const gr_new_options *o, gr_error *err)
{
    *out = (gr_gar_new_options){ 0 };
    if (!o)
        return GR_OK;
    if (o->size != sizeof *o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_new_options.size is %zu, this library expects %zu: call gr_new_options_init",
                       o->size, sizeof *o);
    *out = (gr_gar_new_options){ .seed = o->seed,
                                 .dtype = o->dtype,
                                 .tokenizer = o->tokenizer,
                                 .profile = o->profile,
                                 .scales = o->for_training ? GR_DRAW_TRAINING : GR_DRAW_PEAKED,
                                 .shard_bytes = o->shard_bytes,
                                 .progress = o->progress,
                                 .user = o->progress_user };
    return GR_OK;
}

static gr_status config_of(gr_gar_config *c, gr_runtime *rt, const char *preset, const gr_new_options *o,
                           gr_error *err)
{
    GR_TRY(gr_gar_config_preset(c, preset, err));
    GR_TRY(gr_gar_config_set_profile(c,
                                     o && o->profile        ? o->profile
                                     : o && o->for_training ? "paper"
                                                            : "",
                                     err));
    return o && o->fit_vocab ? gr_gar_new_fit_tokenizer(c, rt, o->tokenizer, err) : GR_OK;
}

gr_status gr_new_measure(gr_new_size *size, gr_runtime *rt, const char *preset, const gr_new_options *options,
                         gr_error *err)
{
    gr_gar_new_options o;
    gr_gar_config c;
    gr_gar_new_size s;
    GR_TRY(inner_options(&o, options, err));
    GR_TRY(config_of(&c, rt, preset, options, err));
    GR_TRY(gr_gar_new_measure(&s, rt, &c, &o, err));
    *size = (gr_new_size){ s.tensors, s.files, s.parameters, s.bytes, s.dtype };
    return GR_OK;
}

gr_status gr_checkpoint_new(gr_runtime *rt, const char *preset, const char *dir,
                            const gr_new_options *options, gr_error *err)
{
    gr_gar_new_options o;
    gr_gar_config c;
    GR_TRY(inner_options(&o, options, err));
    GR_TRY(config_of(&c, rt, preset, options, err));
    return gr_gar_new(rt, &c, dir, &o, err);
}

gr_status gr_checkpoint_from_base(gr_runtime *rt, const char *base, const char *dir,
                                  const gr_new_options *options, gr_error *err)
{
    gr_gar_new_options o;
    GR_TRY(inner_options(&o, options, err));
    return gr_gar_from_base(rt, base, dir, &o, err);
}
