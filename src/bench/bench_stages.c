/* bench_stages.c - a whole answer, stage by stage, beside the limits. */
#include <math.h>

#include "base/runtime.h"
#include "bench/machine.h"
#include "bench/picture.h"
#include "bench/stages.h"
#include "media/codec.h"
#include "region/canvas.h"

#define MAX_TOKENS 1000000

void gr_bench_stage_options_init(gr_bench_stage_options *options)
{
    *options = (gr_bench_stage_options){
        .size = sizeof *options, .tiles = { 1, 4, 16 }, .max_tokens = 16, .repeats = 3, .seconds = 0.25
    };
}

static gr_status check_options(gr_stages *s, gr_error *err)
{
    const gr_bench_stage_options *o = s->options;
    if (o->size != sizeof *o)
        return gr_fail(
            err, GR_ERR_ARG,
            "gr_bench_stage_options.size is %zu, this library expects %zu: call gr_bench_stage_options_init",
            o->size, sizeof *o);
    for (int i = 0; i < GR_BENCH_MAX_TILES && o->tiles[i] != 0; i++) {
        if (o->tiles[i] < 1 || o->tiles[i] > GR_CANVAS_MAX_TILES)
            return gr_fail(err, GR_ERR_ARG, "a picture of %d tiles, expected 1 to %d", o->tiles[i],
                           GR_CANVAS_MAX_TILES);
        s->tiles[s->n_tiles++] = o->tiles[i];
    }
    if (s->n_tiles == 0)
        return gr_fail(err, GR_ERR_ARG, "no number of tiles is given");
    if (o->max_tokens < 2 || o->max_tokens > MAX_TOKENS)
        return gr_fail(err, GR_ERR_ARG, "answers of %d tokens, expected 2 to %d; the first ends the prompt",
                       o->max_tokens, MAX_TOKENS);
    return gr_timing_check(o->repeats, o->seconds, err);
}

static gr_status measure_limits(gr_stages *s, gr_error *err)
{
    const gr_timing timing = { .repeats = s->options->repeats,
                               .seconds = fmin(s->options->seconds, 0.25),
                               .go_on = gr_stages_go_on,
                               .user = s };
    for (gr_limit limit = 0; limit < GR_N_LIMITS; limit++) {
        gr_bench_row row;
        GR_TRY(gr_limits_measure(&row, &s->limits, limit, &timing, err));
        gr_stages_tell(s, &row, "limit");
    }
    return GR_OK;
}

/* --- picture and model -------------------------------------------------------------------------- */

static gr_status open_picture(gr_stages *s, gr_error *err)
{
    const gr_bench_stage_options *o = s->options;
    if (o->file)
        return gr_image_decode(&s->image, s->rt, o->file, o->file_bytes, NULL, err);
    GR_TRY(gr_bench_picture(&s->image, s->rt, err));
    gr_file_writer to;
    gr_file_writer_to_memory(&to, &s->pnm);
    GR_TRY(gr_pnm_encode(&to, s->image, err));
#ifdef GR_HAVE_SPNG
    gr_file_writer_to_memory(&to, &s->png);
    GR_TRY(gr_png_encode(&to, s->image, err));
#endif
    return GR_OK;
}

static gr_status open_region(gr_stages *s, gr_error *err)
{
    static const char middle[] = "box:0.25,0.25,0.75,0.75@norm";
    gr_region_spec *spec;
    gr_region_frame frame;
    gr_region_frame_init(&frame, s->image);
    GR_TRY(gr_region_spec_parse(&spec, s->rt, middle, sizeof middle - 1, err));
    const gr_status st = gr_region_resolve(&s->region, s->rt, spec, &frame, err);
    gr_region_spec_free(spec);
    return st;
}

static bool on_load(void *user, size_t done, size_t total)
{
    (void)done, (void)total;
    return gr_stages_go_on(user);
}

/* Room for the largest answer, and no more; says first what that takes. */
static gr_status measure_engine(gr_stages *s, gr_error *err)
{
    gr_engine_options *o = &s->engine_options;
    uint64_t known = 0; /* bit n - 1: some number of tiles gives n */
    int kept = 0;
    gr_engine_options_init(o);
    o->max_regions = o->max_tiles = 1;
    o->progress = on_load;
    o->progress_user = s;
    for (int i = 0; i < s->n_tiles; i++) {
        const gr_request request = gr_stages_request(s, s->tiles[i]);
        gr_request_size size;
        GR_TRY(gr_request_measure(s->model, &request, &size, err));
        const int tiles = size.across * size.down, context = size.prompt_rows + s->options->max_tokens;
        o->max_tiles = tiles > o->max_tiles ? tiles : o->max_tiles;
        o->max_context = context > o->max_context ? context : o->max_context;
        if (!(known >> (tiles - 1) & 1))
            s->tiles[kept++] = s->tiles[i];
        known |= (uint64_t)1 << (tiles - 1);
    }
    s->n_tiles = kept;
    return gr_engine_measure(s->model, o, &s->announced, err);
}

static gr_status open_model(gr_stages *s, gr_error *err)
{
    GR_TRY(gr_engine_open(&s->engine, s->model, &s->engine_options, err));
    GR_TRY(gr_tile_bench_open(&s->tile, s->model->gar, err));
    s->tile.go_on = gr_stages_go_on;
    s->tile.user = s;
    return GR_OK;
}

/* --- a tile -------------------------------------------------------------------------------------- */

typedef struct {
    gr_tile_bench *tile;
    gr_part part;
} part_work;

static gr_status run_part(void *user, gr_error *err)
{
    const part_work *w = user;
    return gr_tile_bench_run(w->tile, w->part, err);
}

static gr_status measure_parts(gr_stages *s, gr_error *err)
{
    const gr_gar_config *c = &s->model->gar->config;
    const int patches = c->vision.grid * c->vision.grid, tokens = c->tokens_side * c->tokens_side,
              pixels = c->vision.tile_px * c->vision.tile_px;
    const gr_bench_row rows[GR_N_PARTS] = {
        { .name = "tile/embed", .rows = 1, .inputs = 4 * pixels, .outputs = c->vision.dim },
        { .name = "tile/tower",
          .rows = gr_pe_rows(&c->vision),
          .inputs = c->vision.dim,
          .outputs = c->vision.dim },
        { .name = "tile/projector", .rows = patches, .inputs = c->vision.dim, .outputs = c->text.hidden },
        { .name = "tile/replay", .rows = tokens, .inputs = c->text.hidden, .outputs = c->text.hidden },
    };
    for (gr_part part = 0; part < GR_N_PARTS; part++) {
        part_work w = { &s->tile, part };
        gr_bench_row row = rows[part];
        gr_tile_bench_cost(&s->tile, part, &row.flop, &row.bytes);
        GR_TRY(gr_stages_measure(s, &row, &(gr_work){ run_part, &w },
                                 part == GR_PART_REPLAY ? GR_LIMIT_READ : GR_LIMIT_FMA, err));
    }
    return GR_OK;
}

/* --- memory -------------------------------------------------------------------------------------- */

static void tell_memory(gr_stages *s, const char *name, double bytes, double fraction)
{
    const double mb = bytes * 1e-6;
    gr_bench_row row = { .name = name,
                         .unit = "MB",
                         .bytes = bytes,
                         .repeats = 1,
                         .median = mb,
                         .min = mb,
                         .max = mb,
                         .fraction = fraction };
    gr_stages_tell(s, &row, "memory");
}

/* What the limits hold was written from the first to the last, so it is in the peak whole. */
static void tell_memories(gr_stages *s)
{
    const double announced = (double)s->announced.total,
                 peak = (double)gr_machine_peak_bytes() - gr_limits_amount(&s->limits, GR_LIMIT_READ);
    tell_memory(s, "memory/announced", announced, NAN);
    tell_memory(s, "memory/peak", peak, peak / announced);
}

/* --- all of it ----------------------------------------------------------------------------------- */

static gr_status measure_all(gr_stages *s, gr_error *err)
{
    GR_TRY(measure_limits(s, err));
    GR_TRY(gr_stages_decoding(s, err));
    for (int i = 0; i < s->n_tiles; i++)
        GR_TRY(gr_stages_cutting(s, s->tiles[i], err));
    GR_TRY(open_model(s, err));
    GR_TRY(measure_parts(s, err));
    for (int i = 0; i < s->n_tiles; i++)
        GR_TRY(gr_stages_answer(s, s->tiles[i], err));
    tell_memories(s);
    gr_stages_go_on(s); /* all is done, and said so */
    return GR_OK;
}

/* What is wrong with a question is said before anything is timed. */
static gr_status open_and_measure(gr_stages *s, gr_error *err)
{
    GR_TRY(gr_model_need_text(s->model, err));
    GR_TRY(open_picture(s, err));
    GR_TRY(open_region(s, err));
    GR_TRY(measure_engine(s, err));
    s->total =
        GR_N_LIMITS + (s->png.len ? 2 : 1) + GR_N_PARTS + (1 + GR_ANSWER_ROWS) * (uint64_t)s->n_tiles + 2;
    GR_TRY(gr_limits_init(&s->limits, s->rt, err));
    const gr_status st = measure_all(s, err);
    gr_limits_fini(&s->limits);
    return st;
}

static void close_all(gr_stages *s)
{
    if (s->tile.model)
        gr_tile_bench_close(&s->tile);
    gr_engine_close(s->engine);
    gr_region_free(s->region);
    gr_image_free(s->image);
    gr_buf_fini(&s->pnm);
    gr_buf_fini(&s->png);
}

gr_status gr_bench_stages(gr_model *model, const gr_bench_stage_options *options, gr_error *err)
{
    gr_stages s = { .options = options, .model = model, .rt = model->rt };
    GR_TRY(check_options(&s, err));
    gr_buf_init(&s.pnm, s.rt, (size_t)16 << 20);
    gr_buf_init(&s.png, s.rt, (size_t)16 << 20);
    const gr_status st = open_and_measure(&s, err);
    close_all(&s);
    return st;
}
