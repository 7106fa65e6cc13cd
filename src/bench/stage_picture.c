/* stage_picture.c - what is done to a picture before a model sees it. */
#include <stdio.h>

#include "bench/stages.h"
#include "engine/request.h"

/* --- decoding ------------------------------------------------------------------------------------ */

typedef struct {
    gr_runtime *rt;
    const void *bytes;
    size_t n;
} encoded;

static gr_status run_decode(void *user, gr_error *err)
{
    const encoded *e = user;
    gr_image *image;
    GR_TRY(gr_image_decode(&image, e->rt, e->bytes, e->n, NULL, err));
    gr_image_free(image);
    return GR_OK;
}

static gr_status measure_decode(gr_stages *s, const char *name, const void *bytes, size_t n, gr_error *err)
{
    encoded e = { s->rt, bytes, n };
    const gr_image *i = s->image;
    gr_bench_row row = { .name = name, .rows = i->height, .inputs = i->width, .outputs = i->channels };
    row.bytes = (double)i->height * i->width * i->channels;
    return gr_stages_measure(s, &row, &(gr_work){ run_decode, &e }, GR_N_LIMITS, err);
}

gr_status gr_stages_decoding(gr_stages *s, gr_error *err)
{
    const gr_bench_stage_options *o = s->options;
    if (o->file)
        return measure_decode(s, "picture/decode", o->file, o->file_bytes, err);
    GR_TRY(measure_decode(s, "picture/decode-pnm", s->pnm.data, s->pnm.len, err));
    return s->png.len ? measure_decode(s, "picture/decode-png", s->png.data, s->png.len, err) : GR_OK;
}

/* --- cutting ------------------------------------------------------------------------------------- */

typedef struct {
    const gr_model *model;
    const gr_request *request;
} cutting;

static gr_status run_cut(void *user, gr_error *err)
{
    const cutting *c = user;
    gr_prepared p;
    GR_TRY(gr_request_plan(&p, c->model, c->request, err));
    const gr_status st = gr_request_cut(&p, c->request, err);
    gr_prepared_fini(&p);
    return st;
}

/* Prompt, tiles and masks of a picture; bytes are those of the tiles. */
gr_status gr_stages_cutting(gr_stages *s, int tiles, gr_error *err)
{
    char name[64];
    const gr_request request = gr_stages_request(s, tiles);
    cutting c = { s->model, &request };
    gr_request_size size;
    GR_TRY(gr_request_measure(s->model, &request, &size, err));
    const double side = s->model->gar->config.vision.tile_px;
    gr_bench_row row = { .name = name, .rows = s->image->height, .inputs = s->image->width, .outputs = 3 };
    snprintf(name, sizeof name, "picture/cut-1+%d", size.across * size.down);
    row.bytes = (1.0 + size.across * size.down) * side * side * 3;
    return gr_stages_measure(s, &row, &(gr_work){ run_cut, &c }, GR_N_LIMITS, err);
}
