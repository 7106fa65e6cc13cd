#include "train/loader_source.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/arrow_records.h"
#include "dataset/gar_row.h"
#include "dataset/json_rows.h"
#include "synth/synth_rows.h"
#include "train/loader.h"
#include "train/row_lengths.h"

struct gr_loader_source {
    gr_runtime *rt;
    const gr_model *m;
    gr_gar_sample_rules rules;
    gr_row_source **files; /* [n] */
    size_t n, capacity;
    gr_row_sources sets;
    gr_ranks ranks;
    gr_order order;
    int32_t *lengths; /* of each row; NULL: not grouped */
    char *image_root;
    gr_loader *loader; /* NULL: none is open */
    uint64_t next;     /* the element that it gives next */
    gr_gar_sample *sample;
    gr_picture picture;
    char name[128];
};

/* --- opening ------------------------------------------------------------------------------------------- */

static gr_status open_file(gr_loader_source *s, const char *path, gr_error *err)
{
    if (!gr_grow(s->rt, &s->files, &s->capacity, s->n, s->n + 1, sizeof(gr_row_source *)))
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for a list of files", path);
    GR_TRY(gr_synth_rows_named(path) ? gr_synth_rows_open(&s->files[s->n], s->rt, path, err)
           : gr_path_is_dir(path)
               ? gr_arrow_records_open(&s->files[s->n], s->rt, path, NULL, NULL, err)
               : gr_json_rows_open(&s->files[s->n], s->rt, path, NULL, gr_gar_row_parse, err));
    s->n++;
    return GR_OK;
}

static gr_status open_files(gr_loader_source *s, const char *paths, gr_error *err)
{
    for (const char *at = paths; *at;) {
        const size_t n = strcspn(at, ",");
        char *path = gr_strndup(s->rt, at, n);
        if (!path)
            return gr_fail(err, GR_ERR_MEM, "no memory for a path");
        const gr_status st = n > 0 ? open_file(s, path, err) : GR_OK;
        gr_free(s->rt, path);
        GR_TRY(st);
        at += n + (at[n] == ',');
    }
    return gr_row_sources_init(&s->sets, s->files, s->n, err);
}

static gr_status open_all(gr_loader_source *s, const gr_loader_source_options *o, gr_error *err)
{
    GR_TRY(gr_model_need_text(s->m, err));
    GR_TRY(open_files(s, o->paths, err));
    gr_gar_sample_rules_init(&s->rules, &s->m->gar->config, &s->m->markers, s->m->tokenizer, &s->m->profile);
    if (o->image_root[0] && !(s->image_root = gr_strdup(s->rt, o->image_root)))
        return gr_fail(err, GR_ERR_MEM, "no memory for a path");
    s->rules.picture.root = s->image_root;
    s->rules.max_tiles = o->max_tiles;
    s->rules.max_rows = o->max_rows;
    s->rules.regions = o->regions;
    s->rules.no_picture = o->no_picture;
    GR_TRY(gr_gar_sample_rules_check(&s->rules, err));
    if (o->by_length)
        GR_TRY(gr_row_lengths(&s->lengths, s->rt, &s->sets, &s->rules, o->seed, err));
    GR_TRY(gr_ranks_check(&o->ranks, o->accumulation, err));
    const int world = gr_ranks_world(&o->ranks);
    const gr_order_options order = { .n_rows = s->sets.count,
                                     .world = world,
                                     .accumulation = o->accumulation / world,
                                     .seed = o->seed,
                                     .lengths = s->lengths };
    return gr_order_init(&s->order, s->rt, &order, err);
}

gr_status gr_loader_source_open(gr_loader_source **out, const gr_model *m, const gr_loader_source_options *o,
                                gr_error *err)
{
    *out = NULL;
    gr_loader_source *s = gr_calloc(m->rt, 1, sizeof *s);
    if (!s)
        return gr_fail(err, GR_ERR_MEM, "no memory for a source of samples");
    s->rt = m->rt;
    s->m = m;
    s->ranks = o->ranks;
    const gr_status st = open_all(s, o, err);
    if (st != GR_OK)
        gr_loader_source_close(s);
    else
        *out = s;
    return st;
}

static void close_loader(gr_loader_source *s)
{
    gr_gar_sample_free(s->sample);
    gr_loader_close(s->loader);
    s->sample = NULL;
    s->loader = NULL;
}

void gr_loader_source_close(gr_loader_source *s)
{
    if (!s)
        return;
    close_loader(s);
    gr_order_fini(&s->order);
    for (size_t i = 0; i < s->n; i++)
        gr_rows_close(s->files[i]);
    gr_free(s->rt, s->files);
    gr_free(s->rt, s->lengths);
    gr_free(s->rt, s->image_root);
    gr_free(s->rt, s);
}

/* --- giving -------------------------------------------------------------------------------------------- */

static gr_status give_tile(void *user, int t, float *pixels, float *mask, gr_error *err)
{
    (void)err;
    const gr_loader_source *s = user;
    const gr_gar_config *c = &s->m->gar->config;
    const size_t n = (size_t)c->vision.tile_px * (size_t)c->vision.tile_px;
    const gr_tiles *of, *mask_of;
    int at;
    gr_gar_sample_tile(s->sample, t, &of, &mask_of, &at);
    gr_tiles_floats(of, at, c->image_mean, c->image_std, pixels);
    memset(mask, 0, n * sizeof *mask);
    if (mask_of) {
        /* The plane as bytes first, at the front of its own memory; widened from the back. */
        uint8_t *bytes = (uint8_t *)(void *)mask;
        gr_tiles_bytes(mask_of, at, bytes);
        for (size_t i = n; i-- > 0;)
            mask[i] = bytes[i];
    }
    return GR_OK;
}

static gr_status seek(gr_loader_source *s, uint32_t epoch, uint64_t element, gr_error *err)
{
    const uint64_t world = (uint64_t)gr_ranks_world(&s->ranks);
    gr_loader_options o;
    if (element % world != (uint64_t)s->ranks.rank)
        return gr_fail(err, GR_ERR_ARG, "element %llu is not one of rank %d of %llu",
                       (unsigned long long)element, s->ranks.rank, (unsigned long long)world);
    if (s->loader && s->order.epoch == epoch && s->next == element)
        return GR_OK;
    close_loader(s);
    GR_TRY(gr_order_choose(&s->order, epoch, err));
    gr_loader_options_init(&o, &s->sets, &s->order, &s->rules);
    o.rank = s->ranks.rank;
    o.begin = element / world;
    GR_TRY(gr_loader_open(&s->loader, s->rt, &o, err));
    s->next = element;
    return GR_OK;
}

/* Crops are tiles as any other to the passes. The canvas is what replay asks about, and where crops are there
 * is none, so a row of all tiles but the first stands for it. */
static void set_picture(gr_loader_source *s, const gr_gar_sample *x)
{
    const bool plain = x->n_crops == 0;
    s->picture = (gr_picture){ .across = plain ? x->canvas.cols : gr_gar_sample_tiles(x) - 1,
                               .down = plain ? x->canvas.rows : 1,
                               .tile = give_tile,
                               .user = s,
                               .n_regions = x->n_boxes };
    memcpy(s->picture.boxes, x->boxes, sizeof s->picture.boxes);
}

static gr_status give(void *user, uint32_t epoch, uint64_t element, gr_train_item *out, gr_error *err)
{
    gr_loader_source *s = user;
    gr_loaded got;
    GR_TRY(seek(s, epoch, element, err));
    gr_gar_sample_free(s->sample);
    s->sample = NULL;
    GR_TRY(gr_loader_next(s->loader, &got, err));
    if (!got.sample)
        return gr_fail(err, GR_ERR_ARG, "element %llu is not in the epoch", (unsigned long long)element);
    const gr_gar_sample *x = s->sample = got.sample;
    s->next = element + (uint64_t)gr_ranks_world(&s->ranks);
    snprintf(s->name, sizeof s->name, "%s/%zu", s->files[got.set]->name, got.row);
    set_picture(s, x);
    *out = (gr_train_item){ .sample = { .picture = gr_gar_sample_tiles(x) > 0 ? &s->picture : NULL,
                                        .ids = x->ids.v,
                                        .source = x->source.v,
                                        .labels = x->labels,
                                        .n = (int)x->ids.n },
                            .name = s->name,
                            .set = got.set };
    return GR_OK;
}

gr_train_source gr_loader_source_of(gr_loader_source *s)
{
    const gr_hash hash = gr_row_sources_fingerprint(&s->sets);
    gr_train_source source = { .give = give,
                               .user = s,
                               .count = s->sets.count,
                               .fingerprint = hash.low ^ hash.high,
                               .order = s->lengths ? GR_PERMUTATION_NAME "-by-length" : GR_PERMUTATION_NAME };
    for (size_t i = 0; i < s->n && s->n <= GR_TRAIN_SETS; i++)
        source.sets[source.n_sets++] = s->files[i]->name;
    return source;
}
