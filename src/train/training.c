/* training.c - grasp/train.h: the options, the data they name, the run. */
#include "grasp/train.h"

#include "base/alloc.h"
#include "train/loader_source.h"
#include "train/train_run.h"

#define TEXT_MAX ((size_t)1 << 20)

struct gr_training {
    gr_train_config config;
    gr_buf text;
};

gr_status gr_training_new(gr_training **out, gr_runtime *rt, gr_error *err)
{
    gr_training *t = *out = gr_calloc(rt, 1, sizeof *t);
    if (!t)
        return gr_fail(err, GR_ERR_MEM, "no memory for the options of a run");
    gr_train_config_init(&t->config, rt);
    gr_buf_init(&t->text, rt, TEXT_MAX);
    return GR_OK;
}

void gr_training_free(gr_training *t)
{
    if (!t)
        return;
    gr_buf_fini(&t->text);
    gr_free(t->config.rt, t);
}

gr_status gr_training_read(gr_training *t, const char *path, gr_error *err)
{
    return gr_train_config_read(&t->config, path, err);
}

gr_status gr_training_set(gr_training *t, const char *assignment, gr_error *err)
{
    return gr_train_config_set(&t->config, assignment, err);
}

gr_status gr_training_show(gr_training *t, bool table, const char **text, gr_error *err)
{
    gr_buf_clear(&t->text);
    gr_train_config_write(&t->config, &t->text, table);
    *text = gr_buf_str(&t->text);
    return t->text.failed ? gr_fail(err, GR_ERR_MEM, "no memory to show the options") : GR_OK;
}

/* Of the canvas: what is left beside the thumbnail and a crop of each region. */
static int canvas_tiles(const gr_train_config *c)
{
    const int64_t left = c->max_tiles - 1 - (c->region_rows == GR_REGION_CROP ? c->max_regions : 0);
    return left > 1 ? (int)left : 1;
}

static gr_status open_source(gr_loader_source **out, const gr_model *m, const gr_train_config *c,
                             const char *paths, gr_error *err)
{
    const gr_loader_source_options o = { .paths = paths,
                                         .image_root = c->image_root,
                                         .seed = (uint64_t)c->seed,
                                         .accumulation = (int)c->accumulation,
                                         .by_length = c->group_by_length == 1,
                                         .max_tiles = canvas_tiles(c),
                                         .max_rows = (size_t)c->max_rows,
                                         .regions = (gr_region_source)c->region_rows, /* the words' order */
                                         .no_picture = c->picture_rows == 1 };
    return gr_loader_source_open(out, m, &o, err);
}

/* Both sources, and the run on them. */
static gr_status run_on(const gr_training *t, const gr_model *m, bool resume, const gr_train_watch *w,
                        gr_train_outcome *outcome, gr_error *err)
{
    const gr_train_config *c = &t->config;
    gr_loader_source *data, *validation = NULL;
    gr_train_source sources[2];
    GR_TRY(open_source(&data, m, c, c->data, err));
    gr_status st = c->validation[0] ? open_source(&validation, m, c, c->validation, err) : GR_OK;
    if (st == GR_OK) {
        sources[0] = gr_loader_source_of(data);
        if (validation)
            sources[1] = gr_loader_source_of(validation);
        const gr_train_job job = { .data = &sources[0],
                                   .validation = validation ? &sources[1] : NULL,
                                   .resume = resume,
                                   .stop = w->stop,
                                   .announce = w->announce,
                                   .loading = w->loading,
                                   .record = w->record,
                                   .validated = w->validated,
                                   .user = w->user };
        st = gr_train_run(c->rt, c, &job, outcome, err);
    }
    gr_loader_source_close(validation);
    gr_loader_source_close(data);
    return st;
}

gr_status gr_training_run(const gr_training *t, bool resume, const gr_train_watch *watch,
                          gr_train_outcome *outcome, gr_error *err)
{
    static const gr_train_watch nobody = { .size = sizeof nobody };
    const gr_train_watch *w = watch ? watch : &nobody;
    gr_model *m;
    if (w->size != sizeof *w || outcome->size != sizeof *outcome)
        return gr_fail(
            err, GR_ERR_ARG,
            "gr_train_watch.size is %zu and gr_train_outcome.size %zu, this library expects %zu and %zu",
            w->size, outcome->size, sizeof *w, sizeof *outcome);
    *outcome = (gr_train_outcome){ .size = sizeof *outcome };
    GR_TRY(gr_train_config_check(&t->config, err));
    GR_TRY(gr_model_open(&m, t->config.rt, t->config.model, NULL, err));
    const gr_status st = run_on(t, m, resume, w, outcome, err);
    gr_model_close(m);
    return st;
}
