/* bench_train.c - steps of training on one sample that is made up, beside the limits. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "bench/limits.h"
#include "bench/machine.h"
#include "bench/row.h"
#include "train/trainer.h"

#define MAX_TILES 64
#define TEXT_ROWS 128

/* Rows that are told: the limits, then forward, gradients, optimiser, step and its rate, three of work, two
 * of memory. */
enum { N_ROWS = GR_N_LIMITS + 10 };

typedef struct {
    const gr_bench_train_options *options;
    gr_runtime *rt;
    gr_limits limits;
    gr_trainer *t;
    gr_picture picture;
    gr_train_sample sample;
    int32_t *ids; /* [3][rows]: ids, sources, labels; owned */
    uint64_t done;
} train;

void gr_bench_train_options_init(gr_bench_train_options *options)
{
    *options = (gr_bench_train_options){ .size = sizeof *options,
                                         .parts = "all",
                                         .lora_layers = "q_proj,v_proj",
                                         .tiles = 1,
                                         .repeats = 5,
                                         .seconds = 1 };
}

static gr_status check_options(const gr_bench_train_options *o, gr_error *err)
{
    if (o->size != sizeof *o)
        return gr_fail(
            err, GR_ERR_ARG,
            "gr_bench_train_options.size is %zu, this library expects %zu: call gr_bench_train_options_init",
            o->size, sizeof *o);
    if (o->tiles < 1 || o->tiles > MAX_TILES)
        return gr_fail(err, GR_ERR_ARG, "a picture of %d tiles, expected 1 to %d", o->tiles, MAX_TILES);
    if (!(o->memory_gb >= 0 && o->memory_gb <= 1e9))
        return gr_fail(err, GR_ERR_ARG, "memory of %g GB, expected 0 to 1e9", o->memory_gb);
    return gr_timing_check(o->repeats, o->seconds, err);
}

/* --- telling ------------------------------------------------------------------------------------- */

static bool go_on(void *user)
{
    const train *b = user;
    const gr_bench_watch *w = &b->options->watch;
    return !w->progress || w->progress(w->user, b->done, N_ROWS);
}

static void tell(train *b, gr_bench_row *row, const char *kind)
{
    row->kind = kind;
    row->threads = gr_threads_count(b->rt->threads);
    b->done++;
    if (b->options->watch.row)
        b->options->watch.row(b->options->watch.user, row);
}

/* A number that was not timed. */
static void tell_number(train *b, const char *kind, const char *name, const char *unit, double x,
                        double fraction)
{
    gr_bench_row row = {
        .name = name, .unit = unit, .repeats = 1, .median = x, .min = x, .max = x, .fraction = fraction
    };
    tell(b, &row, kind);
}

/* --- the sample ---------------------------------------------------------------------------------- */

/* Numbers between -1 and 1 that differ from tile to tile; the left half is the region. */
static gr_status give_tile(void *user, int t, float *pixels, float *mask, gr_error *err)
{
    const train *b = user;
    const size_t side = (size_t)b->t->gar->config.vision.tile_px, n = side * side;
    uint32_t state = (uint32_t)t + 1;
    (void)err;
    for (size_t i = 0; i < 3 * n; i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (float)(int32_t)state * 0x1p-31f;
    }
    for (size_t i = 0; i < n; i++)
        mask[i] = i % side < side / 2;
    return GR_OK;
}

static int feature_rows(const gr_gar_config *c, int tiles)
{
    return (1 + tiles) * c->tokens_side * c->tokens_side + c->replay_grid * c->replay_grid;
}

/* A begin, picture and region, text; the last half of the text is learnt. */
static gr_status make_sample(train *b, gr_error *err)
{
    const gr_gar_config *c = &b->t->gar->config;
    const int n = b->t->o.limits.max_rows, features = feature_rows(c, b->options->tiles);
    const float side = (float)c->tokens_side;
    b->ids = gr_calloc(b->rt, 3 * (size_t)n, sizeof *b->ids);
    if (!b->ids)
        return gr_fail(err, GR_ERR_MEM, "no memory for a sample of %d rows", n);
    int32_t *source = b->ids + n, *labels = source + n;
    for (int i = 0; i < n; i++) {
        b->ids[i] = (int32_t)((unsigned)i * 2654435761u % (unsigned)c->text.vocab);
        source[i] = i >= 1 && i <= features ? i - 1 : -1;
        labels[i] = i > features + (n - features) / 2 ? b->ids[i] : -1;
    }
    b->picture =
        (gr_picture){ .across = b->options->tiles, .down = 1, .tile = give_tile, .user = b, .n_regions = 1 };
    memcpy(b->picture.boxes[0], (float[]){ 0.1f * side, 0.1f * side, 0.9f * side, 0.9f * side },
           4 * sizeof(float));
    b->sample = (gr_train_sample){
        .picture = &b->picture, .ids = b->ids, .source = source, .labels = labels, .n = n
    };
    return GR_OK;
}

static gr_status give(void *user, uint32_t epoch, uint64_t element, gr_train_item *out, gr_error *err)
{
    const train *b = user;
    (void)epoch, (void)element, (void)err;
    *out = (gr_train_item){ .sample = b->sample, .name = "made up" };
    return GR_OK;
}

/* --- the model ----------------------------------------------------------------------------------- */

static bool on_load(void *user, size_t done, size_t total)
{
    (void)done, (void)total;
    return go_on(user);
}

static gr_status read_limits(gr_passes_limits *limits, const train *b, const gr_gar_config *c, gr_error *err)
{
    const gr_bench_train_options *o = b->options;
    const int features = feature_rows(c, o->tiles);
    *limits = (gr_passes_limits){ .max_rows = o->rows ? o->rows : features + TEXT_ROWS,
                                  .max_tiles = 1 + o->tiles,
                                  .max_regions = 1 };
    if (limits->max_rows < features + 4)
        return gr_fail(err, GR_ERR_ARG,
                       "a sequence of %d rows, expected %d of picture and region and at least 4",
                       limits->max_rows, features);
    GR_TRY(gr_train_parts_parse(&limits->parts, o->parts, err));
    if (o->lora_rank <= 0)
        return GR_OK;
    limits->lora = (gr_lora){ .rank = o->lora_rank, .alpha = (float)(2 * o->lora_rank) };
    return gr_lora_targets_parse(&limits->lora.targets, o->lora_layers, err);
}

static gr_status open_trainer(train *b, const char *dir, gr_error *err)
{
    gr_gar *gar;
    gr_trainer_options o = { .adamw = GR_ADAMW_PUBLISHED,
                             .round = b->options->bf16_products ? GR_ROUND_PRODUCTS : GR_ROUND_NONE,
                             .memory_bytes = (size_t)(b->options->memory_gb * 1e9) };
    GR_TRY(gr_gar_open(&gar, b->rt, dir, GR_ROUND_NONE, err)); /* headers alone, for its sizes */
    const gr_status st = read_limits(&o.limits, b, &gar->config, err);
    gr_gar_close(gar);
    GR_TRY(st);
    GR_TRY(gr_trainer_open(&b->t, b->rt, dir, &o, err));
    GR_TRY(gr_trainer_load(b->t, on_load, b, err));
    return make_sample(b, err);
}

/* --- what is timed ------------------------------------------------------------------------------- */

static gr_status run_forward(void *user, gr_error *err)
{
    const train *b = user;
    double loss;
    return gr_passes_run(b->t->passes, &b->sample, 0, &loss, err);
}

static gr_status run_gradients(void *user, gr_error *err)
{
    const train *b = user;
    double loss;
    return gr_passes_run(b->t->passes, &b->sample, 1, &loss, err);
}

/* At no learning rate: what is timed next computes the same. */
static gr_status run_optimiser(void *user, gr_error *err)
{
    train *b = user;
    (void)err;
    gr_adamw_step(&b->t->o.adamw, &b->t->flat, ++b->t->steps, 0, gr_grad_norm(&b->t->flat));
    return GR_OK;
}

static gr_status run_step(void *user, gr_error *err)
{
    train *b = user;
    const gr_train_source source = { .give = give, .user = b, .count = 1, .order = "one" };
    gr_trainer_result result;
    return gr_trainer_step(b->t, &source, 0, 0, 1, 0, &result, err);
}

static gr_status measure(gr_timed *timed, train *b, gr_bench_row *row, gr_status (*run)(void *, gr_error *),
                         gr_limit limit, gr_error *err)
{
    const gr_timing timing = {
        .repeats = b->options->repeats, .seconds = b->options->seconds, .go_on = go_on, .user = b
    };
    const gr_work work = { run, b }, beside = gr_limits_work(&b->limits, limit);
    const bool reads = limit == GR_LIMIT_READ;
    GR_TRY(gr_timing_run(timed, &timing, &work, &beside, err));
    row->fraction =
        gr_timed_ratio(timed) * (reads ? row->bytes : row->flop) / gr_limits_amount(&b->limits, limit);
    gr_row_measured(row, reads ? GR_UNIT_READ : GR_UNIT_FLOP, timed->work, timed->n);
    tell(b, row, "step");
    return GR_OK;
}

/* The same times as samples a second. */
static void tell_rate(train *b, const gr_bench_row *step)
{
    gr_bench_row row = *step;
    row.name = "step/rate";
    row.unit = "samples/s";
    row.flop = row.bytes = 0;
    row.median = 1 / step->seconds_median;
    row.min = 1 / step->seconds_max;
    row.max = 1 / step->seconds_min;
    row.fraction = NAN;
    tell(b, &row, "step");
}

static gr_status measure_steps(train *b, gr_timed *timed, gr_error *err)
{
    const gr_gar_config *c = &b->t->gar->config;
    const gr_bench_row shape = { .rows = b->sample.n, .inputs = c->text.hidden, .outputs = c->text.vocab };
    gr_bench_row row;
    gr_passes_work w;
    gr_passes_count(&w, b->t->passes, &b->sample);
    row = shape, row.name = "sample/forward", row.flop = w.forward;
    GR_TRY(measure(timed, b, &row, run_forward, GR_LIMIT_FMA, err));
    row = shape, row.name = "sample/gradients", row.flop = w.forward + w.again + w.backward;
    GR_TRY(measure(timed, b, &row, run_gradients, GR_LIMIT_FMA, err));
    /* The norm reads gradients; a step reads four buffers and writes them. */
    row = (gr_bench_row){ .name = "step/optimiser", .bytes = 36.0 * (double)b->t->flat.n };
    GR_TRY(measure(timed, b, &row, run_optimiser, GR_LIMIT_READ, err));
    row = shape, row.name = "step/whole", row.flop = w.forward + w.again + w.backward;
    GR_TRY(measure(timed, b, &row, run_step, GR_LIMIT_FMA, err));
    tell_rate(b, &row);
    tell_number(b, "work", "work/forward", "GFLOP", w.forward * 1e-9, NAN);
    tell_number(b, "work", "work/again", "GFLOP", w.again * 1e-9, NAN);
    tell_number(b, "work", "work/backward", "GFLOP", w.backward * 1e-9, NAN);
    return GR_OK;
}

/* --- all of it ----------------------------------------------------------------------------------- */

static gr_status measure_limits(train *b, gr_error *err)
{
    const gr_timing timing = {
        .repeats = b->options->repeats, .seconds = fmin(b->options->seconds, 0.25), .go_on = go_on, .user = b
    };
    for (gr_limit limit = 0; limit < GR_N_LIMITS; limit++) {
        gr_bench_row row;
        GR_TRY(gr_limits_measure(&row, &b->limits, limit, &timing, err));
        tell(b, &row, "limit");
    }
    return GR_OK;
}

static gr_status measure_all(train *b, gr_error *err)
{
    gr_timed *timed = gr_calloc(b->rt, 1, sizeof *timed);
    gr_status st = timed ? measure_limits(b, err) : gr_fail(err, GR_ERR_MEM, "no memory for times");
    if (st == GR_OK)
        st = measure_steps(b, timed, err);
    gr_free(b->rt, timed);
    if (st != GR_OK)
        return st;
    const double announced = (double)b->t->memory.total,
                 peak = (double)gr_machine_peak_bytes() - gr_limits_amount(&b->limits, GR_LIMIT_READ);
    tell_number(b, "memory", "memory/announced", "MB", announced * 1e-6, NAN);
    tell_number(b, "memory", "memory/peak", "MB", peak * 1e-6, peak / announced);
    go_on(b); /* all is done, and said so */
    return GR_OK;
}

gr_status gr_bench_train(gr_runtime *rt, const char *dir, const gr_bench_train_options *options,
                         gr_error *err)
{
    train b = { .options = options, .rt = rt };
    GR_TRY(check_options(options, err));
    gr_status st = open_trainer(&b, dir, err);
    if (st == GR_OK && (st = gr_limits_init(&b.limits, rt, err)) == GR_OK) {
        st = measure_all(&b, err);
        gr_limits_fini(&b.limits);
    }
    gr_trainer_close(b.t);
    gr_free(rt, b.ids);
    return st;
}
