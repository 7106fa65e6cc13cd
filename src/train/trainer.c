#include "train/trainer.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/machine.h"
#include "base/clock.h"
#include "base/runtime.h"

enum { GR_TRAIN_NAME = 128 }; /* bytes of a sample's name in a message */

/* --- life ---------------------------------------------------------------------------------------------- */

static void add_up(gr_trainer *t, const gr_passes_memory *passes)
{
    gr_trainer_memory *m = &t->memory;
    m->passes = passes->total;
    m->total = m->frozen + m->flat + (m->passes > m->reading ? m->passes : m->reading);
}

/* Chooses whether to keep, and adds up. */
static gr_status measure_passes(gr_trainer *t, gr_error *err)
{
    gr_passes_memory passes;
    t->o.limits.keeps = t->o.keep != GR_KEEP_NO;
    GR_TRY(gr_passes_measure(&passes, t->gar, t->backend, &t->o.limits, err));
    add_up(t, &passes);
    const size_t room = t->o.memory_bytes > 0 ? t->o.memory_bytes : gr_machine_memory() / 2;
    if (t->o.keep != GR_KEEP_AUTO || t->memory.total <= room)
        return GR_OK;
    t->o.limits.keeps = false;
    GR_TRY(gr_passes_measure(&passes, t->gar, t->backend, &t->o.limits, err));
    add_up(t, &passes);
    return GR_OK;
}

/* The sums of engine and passes are over what will not be held, so the holder is there while they are made.
 */
static gr_status measure(gr_trainer *t, gr_error *err)
{
    gr_trainer_memory *m = &t->memory;
    for (size_t i = 0; i < t->flat.n_tensors; i++) /* what has an adapter stays packed */
        t->held[t->flat.ranges[i].tensor] = true;
    t->gar->held = t->held;
    m->frozen = gr_gar_prepared_bytes(t->gar, t->o.limits.max_rows);
    t->gar->held = NULL;
    m->flat = gr_flat_bytes(&t->flat);
    m->reading = gr_gar_reading_bytes(t->gar, t->backend->n_workers);
    GR_TRY(measure_passes(t, err));
    if (t->o.memory_bytes > 0 && m->total > t->o.memory_bytes)
        return gr_fail(
            err, GR_ERR_LIMIT,
            "%s: training takes %zu bytes, %zu are allowed: %zu for trained weights, their "
            "gradients and moments, %zu for frozen weights, %zu for samples of %d rows and %d tiles",
            t->gar->dir, m->total, t->o.memory_bytes, m->flat, m->frozen, m->passes, t->o.limits.max_rows,
            t->o.limits.max_tiles);
    return GR_OK;
}

static gr_status plan(gr_trainer *t, const char *dir, gr_error *err)
{
    GR_TRY(gr_gar_open(&t->gar, t->rt, dir, t->o.round, err));
    GR_TRY(gr_backend_cpu_new(&t->backend, t->rt, err));
    GR_TRY(gr_flat_plan_lora(&t->flat, t->gar, t->o.limits.parts, &t->o.limits.lora, err));
    t->held = gr_calloc(t->rt, t->gar->tensors.n, sizeof *t->held);
    return t->held ? measure(t, err) : gr_fail(err, GR_ERR_MEM, "%s: no memory for a list of tensors", dir);
}

gr_status gr_trainer_open(gr_trainer **out, gr_runtime *rt, const char *dir,
                          const gr_trainer_options *options, gr_error *err)
{
    *out = NULL;
    gr_trainer *t = gr_calloc(rt, 1, sizeof *t);
    if (!t)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for training", dir);
    t->rt = rt;
    t->o = *options;
    const gr_status st = plan(t, dir, err);
    if (st != GR_OK)
        gr_trainer_close(t);
    else
        *out = t;
    return st;
}

gr_status gr_trainer_load(gr_trainer *t, bool (*progress)(void *user, size_t done, size_t total), void *user,
                          gr_error *err)
{
    GR_TRY(gr_flat_take(&t->flat, t->backend, t->gar, progress, user, err));
    gr_flat_attach(&t->flat, t->gar, t->held);
    GR_TRY(gr_gar_prepare(t->gar, t->backend, t->o.limits.max_rows, progress, user, err));
    return gr_passes_new(&t->passes, t->gar, t->backend, &t->flat, &t->o.limits, err);
}

void gr_trainer_close(gr_trainer *t)
{
    if (!t)
        return;
    gr_passes_free(t->passes);
    if (t->gar)
        gr_flat_detach(t->gar);
    gr_flat_fini(&t->flat);
    gr_gar_close(t->gar);
    gr_backend_free(t->backend);
    gr_free(t->rt, t->held);
    gr_free(t->rt, t);
}

/* --- steps --------------------------------------------------------------------------------------------- */

static gr_status give(const gr_train_source *source, uint32_t epoch, uint64_t element, gr_train_item *item,
                      gr_trainer_result *result, gr_error *err)
{
    const double began = gr_now_s();
    GR_TRY(source->give(source->user, epoch, element, item, err));
    result->wait_s += gr_now_s() - began;
    result->rows += (uint64_t)item->sample.n;
    return GR_OK;
}

/* Adds the gradients of one sample. */
static gr_status add_sample(gr_trainer *t, const gr_train_item *item, int n, gr_trainer_result *result,
                            gr_error *err)
{
    double loss;
    if (gr_passes_run(t->passes, &item->sample, 1 / (float)n, &loss, err) != GR_OK)
        return gr_error_prefix(err, "step %lld, sample %s", (long long)t->steps + 1, item->name);
    if (!isfinite(loss))
        return gr_fail(err, GR_ERR_LIMIT, "step %lld: the loss of sample %s is %g", (long long)t->steps + 1,
                       item->name, loss);
    result->loss += loss / n;
    return GR_OK;
}

/* The share of this rank; names of its first and last sample. */
static gr_status accumulate(gr_trainer *t, const gr_train_source *source, uint32_t epoch, uint64_t first,
                            int n, gr_trainer_result *result, char *begin, char *end, gr_error *err)
{
    const gr_ranks *ranks = &t->o.ranks;
    gr_train_item item = { 0 };
    for (int i = ranks->rank; i < n; i += gr_ranks_world(ranks)) {
        if (t->o.stop && gr_ranks_world(ranks) == 1 && t->o.stop(t->o.stop_user))
            return gr_fail(err, GR_ERR_CANCELLED, "step %lld: stopped after %d of %d samples",
                           (long long)t->steps + 1, i, n);
        GR_TRY(give(source, epoch, first + (uint64_t)i, &item, result, err));
        if (i == ranks->rank)
            snprintf(begin, GR_TRAIN_NAME, "%s", item.name);
        GR_TRY(add_sample(t, &item, n, result, err));
    }
    snprintf(end, GR_TRAIN_NAME, "%s", item.name);
    return GR_OK;
}

/* Gradients, loss and rows become those of all ranks. */
static gr_status add_ranks(gr_trainer *t, gr_trainer_result *result, gr_error *err)
{
    double totals[] = { result->loss, (double)result->rows };
    GR_TRY(gr_ranks_sum(&t->o.ranks, GR_DTYPE_F64, totals, 2, err));
    result->loss = totals[0];
    result->rows = (uint64_t)totals[1];
    return gr_ranks_sum(&t->o.ranks, GR_DTYPE_F32, t->flat.grads, t->flat.n, err);
}

static gr_status all_gradients(gr_trainer *t, const gr_train_source *source, uint32_t epoch, uint64_t first,
                               int n, gr_trainer_result *result, gr_error *err)
{
    char begin[GR_TRAIN_NAME] = "", end[GR_TRAIN_NAME] = "";
    const gr_status st = accumulate(t, source, epoch, first, n, result, begin, end, err);
    GR_TRY(gr_ranks_agree(&t->o.ranks, st, err));
    GR_TRY(add_ranks(t, result, err));
    result->norm = gr_grad_norm(&t->flat);
    if (!isfinite(result->norm))
        return gr_fail(err, GR_ERR_LIMIT,
                       "step %lld: the norm of the gradients is %g, over samples from %s to %s",
                       (long long)t->steps + 1, result->norm, begin, end);
    return GR_OK;
}

gr_status gr_trainer_step(gr_trainer *t, const gr_train_source *source, uint32_t epoch, uint64_t first, int n,
                          double lr, gr_trainer_result *result, gr_error *err)
{
    *result = (gr_trainer_result){ 0 };
    const gr_status st = all_gradients(t, source, epoch, first, n, result, err);
    if (st != GR_OK) {
        gr_grads_clear(&t->flat);
        return st;
    }
    gr_adamw_step(&t->o.adamw, &t->flat, ++t->steps, lr, result->norm);
    return GR_OK;
}

static void add_score(gr_validation_mean *sum, const gr_passes_score *score)
{
    sum->loss += score->loss;
    sum->accuracy += (double)score->hits / score->scored;
    sum->n++;
}

/* Sums over the samples of this rank. */
static gr_status validate_share(gr_trainer *t, const gr_train_source *source, uint64_t n,
                                bool (*go_on)(void *user), void *user, gr_validation *v, gr_error *err)
{
    const gr_ranks *ranks = &t->o.ranks;
    for (uint64_t i = (uint64_t)ranks->rank; i < n; i += (uint64_t)gr_ranks_world(ranks)) {
        gr_train_item item = { 0 };
        gr_passes_score score;
        if (go_on && !go_on(user))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled after %llu of %llu validation samples",
                           (unsigned long long)i, (unsigned long long)n);
        GR_TRY(source->give(source->user, 0, i, &item, err));
        if (gr_passes_look(t->passes, &item.sample, &score, err) != GR_OK)
            return gr_error_prefix(err, "validation sample %s", item.name);
        add_score(&v->all, &score);
        if (item.set < source->n_sets)
            add_score(&v->sets[item.set], &score);
    }
    return GR_OK;
}

/* The sums of all ranks become means. */
static gr_status average(gr_trainer *t, gr_validation *v, gr_error *err)
{
    gr_validation_mean *means[1 + GR_TRAIN_SETS] = { &v->all };
    double totals[3 * (1 + GR_TRAIN_SETS)];
    for (int i = 0; i < GR_TRAIN_SETS; i++)
        means[1 + i] = &v->sets[i];
    for (int i = 0; i < 1 + GR_TRAIN_SETS; i++) {
        totals[3 * i] = means[i]->loss;
        totals[3 * i + 1] = means[i]->accuracy;
        totals[3 * i + 2] = means[i]->n;
    }
    GR_TRY(gr_ranks_sum(&t->o.ranks, GR_DTYPE_F64, totals, sizeof totals / sizeof *totals, err));
    for (int i = 0; i < 1 + GR_TRAIN_SETS; i++) {
        const double n = totals[3 * i + 2];
        *means[i] =
            (gr_validation_mean){ n > 0 ? totals[3 * i] / n : NAN, n > 0 ? totals[3 * i + 1] / n : NAN, n };
    }
    return GR_OK;
}

gr_status gr_trainer_validate(gr_trainer *t, const gr_train_source *source, uint64_t n,
                              bool (*go_on)(void *user), void *user, gr_validation *v, gr_error *err)
{
    *v = (gr_validation){ 0 };
    GR_TRY(gr_ranks_agree(&t->o.ranks, validate_share(t, source, n, go_on, user, v, err), err));
    return average(t, v, err);
}
