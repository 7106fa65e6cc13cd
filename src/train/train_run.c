#include "train/train_run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "io/json.h"
#include "train/export.h"
#include "train/snapshot.h"

/* Sums since the last line of the log. */
typedef struct {
    int64_t steps;
    double loss, norm, wait_s, began;
    uint64_t rows;
} tally;

typedef struct {
    gr_runtime *rt;
    const gr_train_config *c;
    const gr_train_job *job;
    gr_trainer *t;
    gr_snapshot_state state;
    FILE *log;
    char log_path[4096];
    uint64_t batches; /* of an epoch */
    int64_t steps;    /* in all */
    int64_t saved;    /* step of the last checkpoint; -1: none */
    double began, wall_before;
    double last_loss;
    bool stop; /* somebody wants it to end: seen once, and kept in mind */
    tally tally;
} run;

static bool writes(const run *r) { return r->job->ranks.rank == 0; }

/* The caller, or a file STOP, which is obeyed once. */
static bool is_to_stop(void *user)
{
    run *r = user;
    char path[4096];
    const bool file = writes(r) && gr_path_join(path, sizeof path, r->c->output, "STOP") && unlink(path) == 0;
    r->stop = r->stop || file || (r->job->stop && r->job->stop(r->job->user));
    return r->stop;
}

static bool goes_on(void *user) { return !is_to_stop(user); }

static gr_dtype dtype_of(const gr_train_config *c)
{
    static const gr_dtype types[] = { GR_DTYPE_BF16, GR_DTYPE_F32 }; /* the words of the option */
    return types[c->dtype];
}

/* --- beginning ----------------------------------------------------------------------------------------- */

/* Iterations are samples, and the schedule counts those, as the published recipe does. */
static void plan_steps(run *r)
{
    const uint64_t group = (uint64_t)r->c->accumulation, count = r->job->data->count;
    r->batches = count / group + (count % group > 0);
    r->steps = r->c->steps > 0 ? r->c->steps : r->c->epochs * (int64_t)r->batches;
    const int64_t n = r->steps * r->c->accumulation;
    r->state.schedule =
        (gr_schedule){ r->c->learning_rate, r->c->warmup_start, (int64_t)(r->c->warmup * (double)n), n };
    r->state.accumulation = (int)r->c->accumulation;
    r->state.world = gr_ranks_world(&r->job->ranks);
    r->state.seed = (uint64_t)r->c->seed;
    r->state.fingerprint = r->job->data->fingerprint;
    snprintf(r->state.order, sizeof r->state.order, "%s", r->job->data->order);
    gr_train_config_write(r->c, &r->state.config, false);
}

static gr_status make_folder(const run *r, gr_error *err)
{
    const char *dir = r->c->output;
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return gr_fail(err, GR_ERR_IO, "%s: cannot make this folder: %s", dir, strerror(errno));
    if (!r->job->resume && gr_snapshot_newest(dir) >= 0)
        return gr_fail(err, GR_ERR_ARG,
                       "%s: a run is there already, at step %lld; go on with it, or choose another output",
                       dir, (long long)gr_snapshot_newest(dir));
    return GR_OK;
}

static gr_status open_trainer(run *r, gr_error *err)
{
    const gr_train_config *c = r->c;
    gr_trainer_options o = { .limits = { .max_rows = (int)c->max_rows,
                                         .max_tiles = (int)c->max_tiles,
                                         .max_regions = (int)c->max_regions },
                             .adamw = { c->beta1, c->beta2, c->eps, c->weight_decay, c->clip },
                             .round = c->products == 1 ? GR_ROUND_PRODUCTS : GR_ROUND_NONE,
                             .keep = (gr_keep)c->keep_values, /* the words are in its order */
                             .memory_bytes = (size_t)(c->memory_gb * 1e9),
                             .stop = is_to_stop,
                             .stop_user = r,
                             .ranks = r->job->ranks };
    GR_TRY(gr_train_parts_parse(&o.limits.parts, c->parts, err));
    GR_TRY(gr_train_config_lora(c, &o.limits.lora, err));
    GR_TRY(gr_trainer_open(&r->t, r->rt, c->model, &o, err));
    if (c->products == 1 && !r->t->backend->rounds_products)
        gr_log(r->rt, GR_LOG_WARNING,
               "products=bf16: this processor has no products of bf16 (AVX-512 BF16), so they are f32");
    if (r->job->announce && !r->job->announce(r->job->user, &r->t->memory))
        return gr_fail(err, GR_ERR_CANCELLED, "cancelled before memory was taken");
    return gr_trainer_load(r->t, r->job->loading, r->job->user, err);
}

/* What was saved has to be of this run. */
static gr_status compare(const run *r, const gr_snapshot_state *saved, gr_error *err)
{
    if (gr_train_config_compare(r->c, saved->config.data, saved->config.len, err) != GR_OK)
        return gr_error_prefix(err, "%s", r->c->output);
    if (saved->fingerprint != r->state.fingerprint || strcmp(saved->order, r->state.order) != 0)
        return gr_fail(
            err, GR_ERR_ARG,
            "%s: the run was begun with other data (fingerprint %016llx in order '%s', found %016llx "
            "in order '%s')",
            r->c->output, (unsigned long long)saved->fingerprint, saved->order,
            (unsigned long long)r->state.fingerprint, r->state.order);
    return GR_OK;
}

static gr_status go_on(run *r, gr_error *err)
{
    gr_snapshot_state saved;
    if (!r->job->resume)
        return GR_OK;
    if (gr_snapshot_newest(r->c->output) < 0) {
        gr_log(r->rt, GR_LOG_WARNING, "%s: there is no checkpoint to go on from; the run begins",
               r->c->output);
        return GR_OK;
    }
    gr_snapshot_state_init(&saved, r->rt);
    gr_status st = gr_snapshot_load(r->t, &saved, r->c->output, err);
    if (st == GR_OK)
        st = compare(r, &saved, err);
    r->saved = saved.step;
    r->wall_before = saved.wall_s;
    gr_snapshot_state_fini(&saved);
    return st;
}

/* --- the log ------------------------------------------------------------------------------------------- */

static gr_status open_log(run *r, gr_error *err)
{
    if (!gr_path_join(r->log_path, sizeof r->log_path, r->c->output, "log.jsonl"))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", r->c->output);
    if (!writes(r))
        return GR_OK;
    r->log = fopen(r->log_path, "ae");
    return r->log ? GR_OK : gr_fail(err, GR_ERR_IO, "%s: cannot open: %s", r->log_path, strerror(errno));
}

static void put_number(gr_json_writer *j, const char *key, double x)
{
    gr_json_put_key(j, key);
    gr_json_put_number(j, x);
}

static void put_whole(gr_json_writer *j, const char *key, int64_t x)
{
    gr_json_put_key(j, key);
    gr_json_put_int(j, x);
}

static void put_text(gr_json_writer *j, const char *key, const char *text)
{
    gr_json_put_key(j, key);
    gr_json_put_text(j, text);
}

/* Begins a line; the caller adds members and ends it. */
static void begin_line(const run *r, gr_buf *line, gr_json_writer *j)
{
    gr_buf_init(line, r->rt, 1 << 16);
    gr_json_writer_init(j, line, false);
    gr_json_put_object(j);
    put_whole(j, "step", r->t->steps);
}

static gr_status end_line(const run *r, gr_buf *line, gr_json_writer *j, gr_error *err)
{
    gr_json_put_end(j, '}');
    gr_buf_text(line, "\n");
    const bool good = !r->log || (!line->failed && fwrite(line->data, 1, line->len, r->log) == line->len &&
                                  fflush(r->log) == 0);
    const int cause = errno;
    gr_buf_fini(line);
    return gr_ranks_agree(
        &r->job->ranks,
        good ? GR_OK : gr_fail(err, GR_ERR_IO, "%s: cannot write it: %s", r->log_path, strerror(cause)), err);
}

static gr_status log_event(const run *r, const char *event, const char *says, gr_error *err)
{
    gr_buf line;
    gr_json_writer j;
    begin_line(r, &line, &j);
    put_text(&j, "event", event);
    if (says)
        put_text(&j, "says", says);
    return end_line(r, &line, &j, err);
}

static size_t peak_bytes(void)
{
    struct rusage use;
    return getrusage(RUSAGE_SELF, &use) == 0 ? (size_t)use.ru_maxrss * 1024 : 0;
}

static gr_train_record record_of(const run *r, double lr, uint32_t epoch)
{
    const tally *y = &r->tally;
    const double seconds = gr_now_s() - y->began, n = (double)y->steps, pace = seconds > 0 ? n / seconds : 0;
    return (gr_train_record){ .step = r->t->steps,
                              .steps = r->steps,
                              .epoch = epoch,
                              .loss = y->loss / n,
                              .lr = lr,
                              .norm = y->norm / n,
                              .samples_per_s = pace * (double)r->c->accumulation,
                              .tokens_per_s = seconds > 0 ? (double)y->rows / seconds : 0,
                              .wait_s = y->wait_s / n,
                              .eta_s = pace > 0 ? (double)(r->steps - r->t->steps) / pace : 0,
                              .peak_bytes = peak_bytes() };
}

static gr_status log_record(run *r, double lr, uint32_t epoch, gr_error *err)
{
    const gr_train_record x = record_of(r, lr, epoch);
    gr_buf line;
    gr_json_writer j;
    begin_line(r, &line, &j);
    put_whole(&j, "epoch", x.epoch);
    put_number(&j, "loss", x.loss);
    put_number(&j, "lr", x.lr);
    put_number(&j, "norm", x.norm);
    put_number(&j, "samples_per_s", x.samples_per_s);
    put_number(&j, "tokens_per_s", x.tokens_per_s);
    put_number(&j, "wait_s", x.wait_s);
    put_number(&j, "run_s", r->wall_before + gr_now_s() - r->began);
    put_whole(&j, "peak_bytes", (int64_t)x.peak_bytes);
    if (r->job->record)
        r->job->record(r->job->user, &x);
    r->tally = (tally){ .began = gr_now_s() };
    return end_line(r, &line, &j, err);
}

/* --- between steps ------------------------------------------------------------------------------------- */

static void put_sets(gr_json_writer *j, const gr_train_source *source, const gr_validation *v)
{
    gr_json_put_key(j, "validation_sets");
    gr_json_put_array(j);
    for (int i = 0; i < source->n_sets; i++) {
        gr_json_put_object(j);
        put_text(j, "data", source->sets[i]);
        put_number(j, "loss", v->sets[i].loss);
        put_number(j, "accuracy", v->sets[i].accuracy);
        put_whole(j, "samples", (int64_t)v->sets[i].n);
        gr_json_put_end(j, '}');
    }
    gr_json_put_end(j, ']');
}

static gr_status validate(run *r, gr_error *err)
{
    const gr_train_source *v = r->job->validation;
    const uint64_t most = (uint64_t)r->c->validation_samples, n = most && most < v->count ? most : v->count;
    const double began = gr_now_s();
    gr_buf line;
    gr_json_writer j;
    gr_validation result;
    GR_TRY(gr_trainer_validate(r->t, v, n, gr_ranks_world(&r->job->ranks) == 1 ? goes_on : NULL, r, &result,
                               err));
    r->tally.began += gr_now_s() - began; /* is no time of steps */
    begin_line(r, &line, &j);
    put_number(&j, "validation_loss", result.all.loss);
    put_number(&j, "validation_accuracy", result.all.accuracy);
    put_whole(&j, "validation_samples", (int64_t)n);
    if (v->n_sets > 1)
        put_sets(&j, v, &result);
    if (r->job->validated)
        r->job->validated(r->job->user, r->t->steps, result.all.loss);
    return end_line(r, &line, &j, err);
}

static gr_status save(run *r, gr_error *err)
{
    const int64_t step = r->t->steps;
    if (step == r->saved)
        return GR_OK;
    const double began = gr_now_s();
    r->state.step = step;
    r->state.iteration = step * r->c->accumulation;
    r->state.epoch = (uint32_t)((uint64_t)step / r->batches);
    r->state.cursor = (uint64_t)step % r->batches;
    r->state.wall_s = r->wall_before + began - r->began;
    const gr_status st =
        writes(r) ? gr_snapshot_save(r->c->output, r->t, &r->state, dtype_of(r->c), (int)r->c->keep, err)
                  : GR_OK;
    GR_TRY(gr_ranks_agree(&r->job->ranks, st, err));
    r->saved = step;
    r->tally.began += gr_now_s() - began;
    return GR_OK;
}

/* When one rank is to stop, all do. */
static gr_status wants_stop(run *r, bool *stop, gr_error *err)
{
    double votes = is_to_stop(r);
    GR_TRY(gr_ranks_sum(&r->job->ranks, GR_DTYPE_F64, &votes, 1, err));
    *stop = votes > 0;
    return GR_OK;
}

static bool is_due(int64_t step, int64_t every) { return every > 0 && step % every == 0; }

static gr_status one_step(run *r, gr_error *err)
{
    const int64_t s = r->t->steps;
    const uint32_t epoch = (uint32_t)((uint64_t)s / r->batches);
    const uint64_t first = (uint64_t)s % r->batches * (uint64_t)r->c->accumulation;
    /* As published: a step has the rate of the last iteration of its group. */
    const double lr = gr_schedule_lr(&r->state.schedule, (s + 1) * r->c->accumulation - 1);
    gr_trainer_result result;
    GR_TRY(gr_trainer_step(r->t, r->job->data, epoch, first, (int)r->c->accumulation, lr, &result, err));
    r->last_loss = result.loss;
    r->tally.steps++;
    r->tally.loss += result.loss;
    r->tally.norm += result.norm;
    r->tally.rows += result.rows;
    r->tally.wait_s += result.wait_s;
    if (is_due(r->t->steps, r->c->log_every) || r->t->steps == r->steps)
        GR_TRY(log_record(r, lr, epoch, err));
    if (r->job->validation && is_due(r->t->steps, r->c->validate_every))
        GR_TRY(validate(r, err));
    return is_due(r->t->steps, r->c->save_every) ? save(r, err) : GR_OK;
}

static gr_status all_steps(run *r, bool *stopped, gr_error *err)
{
    r->tally = (tally){ .began = gr_now_s() };
    while (r->t->steps < r->steps && !*stopped) {
        GR_TRY(wants_stop(r, stopped, err));
        if (*stopped)
            break;
        const gr_status st = one_step(r, err);
        if (st == GR_ERR_CANCELLED && r->stop && gr_ranks_world(&r->job->ranks) == 1)
            *stopped = true; /* within a step or a validation: the steps before are whole */
        else
            GR_TRY(st);
    }
    GR_TRY(save(r, err));
    GR_TRY(log_event(r, *stopped ? "stopped" : "finished", NULL, err));
    if (*stopped || !r->c->export_to[0] || !writes(r))
        return GR_OK;
    const gr_export_options o = { .dtype = dtype_of(r->c) };
    return gr_export(r->t, r->c->export_to, &o, err);
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static gr_status prepare(run *r, gr_error *err)
{
    GR_TRY(gr_train_config_check(r->c, err));
    plan_steps(r);
    if (r->state.config.failed)
        return gr_fail(err, GR_ERR_MEM, "no memory for the configuration");
    GR_TRY(make_folder(r, err));
    GR_TRY(open_trainer(r, err));
    GR_TRY(go_on(r, err));
    return open_log(r, err);
}

static gr_status begin(run *r, gr_error *err)
{
    GR_TRY(gr_ranks_check(&r->job->ranks, r->c->accumulation, err));
    GR_TRY(gr_ranks_agree(&r->job->ranks, prepare(r, err), err));
    return log_event(r, r->saved >= 0 ? "resumed" : "begun", NULL, err);
}

gr_status gr_train_run(gr_runtime *rt, const gr_train_config *config, const gr_train_job *job,
                       gr_train_outcome *outcome, gr_error *err)
{
    run *r = gr_calloc(rt, 1, sizeof *r);
    if (!r)
        return gr_fail(err, GR_ERR_MEM, "no memory for a run");
    *r = (run){ .rt = rt, .c = config, .job = job, .saved = -1, .began = gr_now_s(), .last_loss = NAN };
    gr_snapshot_state_init(&r->state, rt);
    gr_error why = { 0 };
    bool stopped = false;
    gr_status st = begin(r, &why);
    if (st == GR_OK && (st = all_steps(r, &stopped, &why)) != GR_OK)
        log_event(r, "failed", why.msg, NULL);
    *outcome = (gr_train_outcome){ .size = sizeof *outcome,
                                   .step = r->t ? r->t->steps : 0,
                                   .steps = r->steps,
                                   .loss = r->last_loss,
                                   .stopped = stopped };
    if (r->log)
        fclose(r->log);
    gr_trainer_close(r->t);
    gr_snapshot_state_fini(&r->state);
    gr_free(rt, r);
    return st == GR_OK ? GR_OK : gr_fail(err, st, "%s", why.msg);
}
