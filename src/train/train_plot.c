/* train_plot.c - gr_training_plot: the curves of runs, made of their logs. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "grasp/train.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "media/plot.h"
#include "media/ticks.h"
#include "train/train_log.h"

enum { NAME = 256, FEWEST_TO_SMOOTH = 20 };

/* Colours that stay apart for most kinds of colour blindness, after Okabe and Ito, the pale ones darkened. */
static const uint32_t colours[] = { 0x0a6cb0, 0xd55e00, 0x009e73, 0xb8488d,
                                    0xc99700, 0x3fa9dc, 0x6b4fa0, 0x4a4a4a };
_Static_assert(sizeof colours / sizeof *colours == GR_TRAINING_PLOT_RUNS, "a colour for each run");
static const uint32_t one_run = 0x0a6cb0, one_validation = 0xd55e00, grey = 0x77777f;

typedef struct {
    double *x, *y; /* x owns both */
    size_t n;
} curve;

typedef struct {
    char name[NAME], state[2 * NAME], key[3 * NAME];
    gr_train_log log;
    curve loss, smooth_loss, validation, rate, norm, smooth_norm;
} run;

typedef struct {
    gr_runtime *rt;
    run *runs;
    size_t n_runs;
    gr_error *err;
} runs;

/* --- reading ------------------------------------------------------------------------------------------- */

/* The last part of a path, so that `runs/a/`, `.` and `runs/a/log.jsonl` all have the name of their folder.
 */
static void name_of(char name[NAME], const char *path, bool is_dir)
{
    char whole[PATH_MAX];
    if (!realpath(path, whole))
        snprintf(whole, sizeof whole, "%s", path);
    char *slash = strrchr(whole, '/');
    if (!is_dir && slash && slash != whole) {
        *slash = '\0';
        slash = strrchr(whole, '/');
    }
    snprintf(name, NAME, "%.*s", NAME - 1, slash && slash[1] ? slash + 1 : whole);
}

static gr_status read_run(run *r, gr_runtime *rt, const char *path, gr_error *err)
{
    char log[4096];
    gr_source file;
    const bool is_dir = gr_path_is_dir(path);
    const bool fits = is_dir ? gr_path_join(log, sizeof log, path, GR_TRAIN_LOG_NAME)
                             : strlen(path) < sizeof log && strcpy(log, path);
    if (!fits)
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", path);
    name_of(r->name, path, is_dir);
    GR_TRY(gr_source_open(&file, log, err));
    gr_status st = gr_train_log_read(&r->log, rt, &file, log, err);
    gr_source_close(&file);
    if (st == GR_OK && r->log.records.n == 0 && r->log.validations.n == 0)
        st = gr_fail(err, GR_ERR_FORMAT, "%s: there is nothing to draw: no line has a loss", log);
    return st;
}

/* --- curves -------------------------------------------------------------------------------------------- */

static gr_status take_curve(const runs *all, curve *c, size_t n)
{
    c->x = gr_malloc(all->rt, n, 2 * sizeof *c->x);
    c->y = c->x ? c->x + n : NULL;
    c->n = 0;
    return c->x ? GR_OK : gr_fail(all->err, GR_ERR_MEM, "no memory for a curve of %zu points", n);
}

static void add_point(curve *c, double x, double y)
{
    if (!(fabs(y) <= GR_AXIS_LARGEST)) /* also a NaN */
        return;
    c->x[c->n] = x;
    c->y[c->n++] = y;
}

/* How far apart two neighbours are, as smoothing counts it: its reach is a hundredth of the run, and less
 * where the run begins, so that the steep part of a curve stays steep. */
static double gap(const curve *c, size_t i)
{
    const double span = c->x[c->n - 1] - c->x[0], since = c->x[i] - c->x[0];
    return (c->x[i] - c->x[i - 1]) / fmin(span / 100, span / 1000 + since / 4);
}

/* Each value becomes a mean of all, which count exp(-distance): to both sides alike, so that a curve is not
 * moved to later steps as by a running mean. Two passes add up what lies before and behind. */
static void spread(curve *c, double *counts)
{
    double sum = 0, count = 0;
    for (size_t i = 0; i < c->n; i++) {
        const double fade = i ? exp(-gap(c, i)) : 0;
        sum = sum * fade + c->y[i];
        counts[i] = count = count * fade + 1;
        counts[c->n + i] = sum;
    }
    sum = count = 0;
    for (size_t i = c->n; i-- > 0;) {
        const double own = c->y[i], fade = i ? exp(-gap(c, i)) : 0;
        c->y[i] = (counts[c->n + i] + sum) / (counts[i] + count);
        sum = (sum + own) * fade;
        count = (count + 1) * fade;
    }
}

/* The mean; or `geometric`, which single outliers move less, where all values are above 0. */
static gr_status smooth(const runs *all, curve *out, const curve *in, bool geometric)
{
    if (in->n < FEWEST_TO_SMOOTH)
        return GR_OK;
    GR_TRY(take_curve(all, out, in->n));
    double *counts = gr_malloc(all->rt, in->n, 2 * sizeof *counts);
    if (!counts)
        return gr_fail(all->err, GR_ERR_MEM, "no memory to smooth %zu points", in->n);
    for (size_t i = 0; i < in->n; i++)
        geometric = geometric && in->y[i] > 0;
    for (size_t i = 0; i < in->n; i++)
        add_point(out, in->x[i], geometric ? log(in->y[i]) : in->y[i]);
    spread(out, counts);
    for (size_t i = 0; i < out->n && geometric; i++)
        out->y[i] = exp(out->y[i]);
    gr_free(all->rt, counts);
    return GR_OK;
}

static gr_status make_curves(const runs *all, run *r)
{
    const gr_log_records *records = &r->log.records;
    const gr_log_validations *validations = &r->log.validations;
    GR_TRY(take_curve(all, &r->loss, records->n));
    GR_TRY(take_curve(all, &r->rate, records->n));
    GR_TRY(take_curve(all, &r->norm, records->n));
    GR_TRY(take_curve(all, &r->validation, validations->n));
    for (size_t i = 0; i < records->n; i++) {
        const gr_log_record *at = &records->at[i];
        add_point(&r->loss, at->step, at->loss);
        add_point(&r->rate, at->step, at->lr);
        add_point(&r->norm, at->step, at->norm);
    }
    for (size_t i = 0; i < validations->n; i++)
        add_point(&r->validation, validations->at[i].step, validations->at[i].loss);
    GR_TRY(smooth(all, &r->smooth_loss, &r->loss, false));
    return smooth(all, &r->smooth_norm, &r->norm, true);
}

/* --- words --------------------------------------------------------------------------------------------- */

static void describe(run *r)
{
    static const char *const ends[] = {
        [GR_LOG_STOPPED] = "stopped", [GR_LOG_FINISHED] = "finished", [GR_LOG_FAILED] = "failed"
    };
    const gr_log_event event = r->log.event;
    if (event >= GR_LOG_STOPPED)
        snprintf(r->state, sizeof r->state, "%s at step %.0f%s%s", ends[event], r->log.step,
                 r->log.says[0] ? ": " : "", r->log.says);
    else /* it may be running, and it may have been killed */
        snprintf(r->state, sizeof r->state, "at step %.0f, not ended", r->log.step);
}

/* How the run went, in one line. */
static void put_subtitle(char *out, size_t n, const run *r)
{
    const curve *v = &r->validation, *loss = r->smooth_loss.n ? &r->smooth_loss : &r->loss;
    size_t lowest = 0;
    for (size_t i = 1; i < v->n; i++)
        lowest = v->y[i] < v->y[lowest] ? i : lowest;
    size_t at = (size_t)snprintf(out, n, "%s", r->state);
    if (r->log.event == GR_LOG_FAILED && r->log.says[0])
        return; /* the reason is what one looks for */
    if (loss->n)
        at += (size_t)snprintf(out + at, n - at, ", %sloss %.4g", r->smooth_loss.n ? "smoothed " : "",
                               loss->y[loss->n - 1]);
    if (v->n)
        snprintf(out + at, n - at, ", lowest validation loss %.4g at step %.0f", v->y[lowest], v->x[lowest]);
}

/* --- the picture --------------------------------------------------------------------------------------- */

enum { MAX_SERIES = 3 * GR_TRAINING_PLOT_RUNS, MAX_KEYS = GR_TRAINING_PLOT_RUNS + 4 };

typedef struct {
    gr_plot plot;
    gr_plot_panel panels[3];
    gr_plot_series loss[MAX_SERIES], rate[MAX_SERIES], norm[MAX_SERIES];
    gr_plot_key keys[MAX_KEYS];
    char subtitle[4 * NAME];
} picture;

static gr_plot_series series_of(const curve *c, gr_plot_mark mark, uint32_t rgb, double alpha, double width)
{
    return (gr_plot_series){ c->x, c->y, c->n, mark, { rgb, alpha }, width };
}

static void add(gr_plot_panel *p, gr_plot_series *room, gr_plot_series s)
{
    if (s.n == 0)
        return;
    room[p->n_series++] = s;
    p->series = room;
}

static void add_key(picture *p, const char *name, gr_plot_mark mark, gr_ink ink, double width, double dash)
{
    p->keys[p->plot.n_keys++] = (gr_plot_key){ name, { .mark = mark, .ink = ink, .width = width }, dash };
}

#define RAW_ALPHA   0.3
#define RAW_WIDTH   0.8
#define CURVE_WIDTH 1.8

/* A curve as it was logged, pale where a smoothed one goes over it. */
static gr_plot_series raw(const curve *c, const curve *smoothed, uint32_t rgb)
{
    return smoothed->n ? series_of(c, GR_PLOT_LINE, rgb, RAW_ALPHA, RAW_WIDTH)
                       : series_of(c, GR_PLOT_LINE, rgb, 1, CURVE_WIDTH);
}

static void add_series(picture *p, const runs *all)
{
    gr_plot_panel *loss = &p->panels[0], *rate = &p->panels[1], *norm = &p->panels[2];
    for (size_t i = 0; i < all->n_runs; i++) {
        const run *r = &all->runs[i];
        add(loss, p->loss, raw(&r->loss, &r->smooth_loss, colours[i]));
        add(norm, p->norm, raw(&r->norm, &r->smooth_norm, colours[i]));
    }
    for (size_t i = 0; i < all->n_runs; i++) {
        const run *r = &all->runs[i];
        add(loss, p->loss, series_of(&r->smooth_loss, GR_PLOT_LINE, colours[i], 1, CURVE_WIDTH));
        add(rate, p->rate, series_of(&r->rate, GR_PLOT_LINE, colours[i], 1, CURVE_WIDTH));
        add(norm, p->norm, series_of(&r->smooth_norm, GR_PLOT_LINE, colours[i], 1, CURVE_WIDTH));
    }
    for (size_t i = 0; i < all->n_runs; i++)
        add(loss, p->loss,
            series_of(&all->runs[i].validation, GR_PLOT_DOTTED_LINE,
                      all->n_runs == 1 ? one_validation : colours[i], 1, 1.1));
}

static void add_keys(picture *p, const runs *all)
{
    bool smoothed = false, validated = false, resumed = false;
    for (size_t i = 0; i < all->n_runs; i++) {
        run *r = &all->runs[i];
        smoothed |= r->smooth_loss.n > 0;
        validated |= r->validation.n > 0;
        resumed |= r->log.resumed.n > 0;
        snprintf(r->key, sizeof r->key, "%s (%.*s)", r->name, NAME, r->state);
        if (all->n_runs > 1)
            add_key(p, r->key, GR_PLOT_LINE, (gr_ink){ colours[i], 1 }, CURVE_WIDTH, 0);
    }
    const bool one = all->n_runs == 1;
    const uint32_t rgb = one ? one_run : grey;
    if (smoothed)
        add_key(p, one ? "training, as logged" : "as logged", GR_PLOT_LINE, (gr_ink){ rgb, 0.45 }, RAW_WIDTH,
                0);
    if (one)
        add_key(p, smoothed ? "training, smoothed" : "training", GR_PLOT_LINE, (gr_ink){ rgb, 1 },
                CURVE_WIDTH, 0);
    if (validated)
        add_key(p, "validation", GR_PLOT_DOTTED_LINE, (gr_ink){ one ? one_validation : grey, 1 }, 1.1, 0);
    if (resumed && one)
        add_key(p, "went on from a checkpoint", GR_PLOT_LINE, (gr_ink){ grey, 1 }, 0.9, 3);
}

static void compose(picture *p, const runs *all)
{
    const run *first = &all->runs[0];
    const bool one = all->n_runs == 1;
    *p = (picture){
        .panels = { { .heading = "loss (nats a token)", .height = 3, .log_from = 6 },
                    { .heading = "learning rate", .height = 1 },
                    { .heading = "norm of the gradient, before clipping", .height = 1.2, .log_from = 30 } }
    };
    p->plot = (gr_plot){ .title = one ? first->name : "training runs",
                         .subtitle = one ? p->subtitle : NULL,
                         .x_label = "step",
                         .x_whole = true,
                         .panels = p->panels,
                         .n_panels = 3,
                         .keys = p->keys,
                         .marks = first->log.resumed.at,
                         .n_marks = one ? first->log.resumed.n : 0 };
    put_subtitle(p->subtitle, sizeof p->subtitle, first);
    add_series(p, all);
    add_keys(p, all);
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static gr_status draw(runs *all, const char *out)
{
    picture *p = gr_malloc(all->rt, 1, sizeof *p);
    if (!p)
        return gr_fail(all->err, GR_ERR_MEM, "no memory for a plot");
    compose(p, all);
    const gr_status st = gr_plot_write(all->rt, &p->plot, out, all->err);
    gr_free(all->rt, p);
    return st;
}

static void free_runs(runs *all)
{
    for (size_t i = 0; i < all->n_runs; i++) {
        run *r = &all->runs[i];
        const curve curves[] = { r->loss, r->smooth_loss, r->validation, r->rate, r->norm, r->smooth_norm };
        for (size_t k = 0; k < sizeof curves / sizeof *curves; k++)
            gr_free(all->rt, curves[k].x);
        if (r->log.rt)
            gr_train_log_free(&r->log);
    }
    gr_free(all->rt, all->runs);
}

gr_status gr_training_plot(gr_runtime *rt, const char *const *folders, size_t n, const char *out,
                           gr_error *err)
{
    if (n < 1 || n > GR_TRAINING_PLOT_RUNS)
        return gr_fail(err, GR_ERR_ARG, "a plot of %zu runs; one shows 1 to %d", n, GR_TRAINING_PLOT_RUNS);
    GR_TRY(gr_plot_check(out, err)); /* before a long log is read */
    runs all = { rt, gr_calloc(rt, n, sizeof *all.runs), n, err };
    if (!all.runs)
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu runs", n);
    gr_status st = GR_OK;
    for (size_t i = 0; i < n && st == GR_OK; i++) {
        st = read_run(&all.runs[i], rt, folders[i], err);
        if (st == GR_OK)
            st = make_curves(&all, &all.runs[i]);
        describe(&all.runs[i]);
    }
    if (st == GR_OK)
        st = draw(&all, out);
    free_runs(&all);
    return st;
}
