/* step.c - one step of the decoder over all sequences that are going: a row for each that generates, chunks
 * of prompts with the rows left. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/internal.h"

static bool going(const gr_sequence *s) { return s && s->generating && s->state == GR_GOING; }

bool gr_core_busy(const gr_core *e)
{
    for (int i = 0; i < e->limits.max_sequences; i++)
        if (going(e->sequences[i]))
            return true;
    return false;
}

static void finish(gr_sequence *s, gr_sequence_status why)
{
    s->generating = false;
    s->state = why;
    if (!s->see || why == GR_CANCELLED) /* who looks on goes on after this token, and has to learn of it */
        atomic_store(&s->cancelled, false);
}

static void finish_cancelled(gr_core *e)
{
    for (int i = 0; i < e->limits.max_sequences; i++)
        if (going(e->sequences[i]) && atomic_load(&e->sequences[i]->cancelled))
            finish(e->sequences[i], GR_CANCELLED);
}

/* How many rows each sequence takes: first one for each that only continues, then prompts in order, as far as
 * the step has rows. */
static int share_rows(gr_core *e)
{
    int left = e->limits.chunk_rows;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < e->limits.max_sequences; i++) {
            gr_sequence *s = e->sequences[i];
            if (!s)
                continue;
            const int waiting = s->n_rows - s->kv.n_tokens;
            if (pass == 0)
                s->take = 0;
            if (!going(s) || (waiting == 1) != (pass == 0))
                continue;
            s->take = waiting < left ? waiting : left;
            left -= s->take;
        }
    return e->limits.chunk_rows - left;
}

/* Flat rows of the step, spans and the rows whose logits are wanted. */
static gr_rows lay_out(gr_core *e, int *n_picks)
{
    gr_rows rows = { .spans = e->spans, .span_of = e->span_of, .position = e->position };
    *n_picks = 0;
    for (int i = 0; i < e->limits.max_sequences; i++) {
        const gr_sequence *s = e->sequences[i];
        if (!s || s->take == 0)
            continue;
        const int pos = s->kv.n_tokens;
        e->spans[rows.n_spans] =
            (gr_span){ .row = rows.n_rows, .n_rows = s->take, .pos = pos, .pages = s->kv.pages };
        for (int k = 0; k < s->take; k++) {
            const int32_t row = s->rows[pos + k];
            e->host_ids[rows.n_rows + k] = row >= 0 ? row : row - s->first_feature;
            e->position[rows.n_rows + k] = pos + k;
            e->span_of[rows.n_rows + k] = rows.n_spans;
        }
        rows.n_rows += s->take;
        rows.n_spans++;
        if (pos + s->take == s->n_rows)
            e->host_pick[(*n_picks)++] = rows.n_rows - 1;
    }
    return rows;
}

static bool all_cancelled(void *user)
{
    const gr_core *e = user;
    for (int i = 0; i < e->limits.max_sequences; i++)
        if (e->sequences[i] && e->sequences[i]->take > 0 && !atomic_load(&e->sequences[i]->cancelled))
            return false;
    return true;
}

/* Of a step that failed nothing counts, and whoever had rows in it would have them in the next one again. */
static void end_all_of_step(gr_core *e)
{
    for (int i = 0; i < e->limits.max_sequences; i++)
        if (e->sequences[i] && e->sequences[i]->take > 0)
            gr_sequence_end(e->sequences[i]);
}

/* Finite weights can still overflow, and what is no number orders no tokens: any would come out. */
static gr_status check_logits(const gr_core *e, int n_picks, gr_error *err)
{
    const size_t vocab = (size_t)e->model->config.text.vocab;
    for (int i = 0; i < n_picks; i++) {
        const float *logits = e->host_logits + (size_t)i * vocab;
        bool finite = true;
        for (size_t k = 0; k < vocab; k++)
            finite &= fabsf(logits[k]) <= FLT_MAX;
        if (!finite)
            return gr_fail(err, GR_ERR_FORMAT,
                           "the model's numbers overflow: the logits of position %d are not finite, so no "
                           "token is the likeliest",
                           e->position[e->host_pick[i]]);
    }
    return GR_OK;
}

static gr_status run_decoder(gr_core *e, const gr_rows *rows, int n_picks, const gr_core_watch *w,
                             gr_error *err)
{
    const gr_gar *m = e->model;
    const gr_llama_config *c = &m->config.text;
    gr_run run = gr_core_run(e, w);
    run.cancelled = all_cancelled;
    run.cancel_user = e;
    run.rows = rows;
    run.kv = &e->kv.pages;
    run.extents[0] = rows->n_rows;
    run.extents[1] = e->limits.max_features;
    e->backend->ops->write(e->backend, e->ids, e->host_ids, (size_t)rows->n_rows * sizeof *e->ids);
    run.inputs[0] = e->ids;
    run.inputs[1] = e->features;
    run.outputs[0] = e->boundary[0];
    run.params[0] = m->embed[0];
    GR_TRY(gr_graph_run(e->segments.embed, e->backend, &run, err));
    GR_TRY(
        gr_watch_device(e, w, "inputs_embeds", e->boundary[0], (size_t)rows->n_rows, (size_t)c->hidden, err));
    for (int l = 0; l < c->layers; l++) {
        run.kv_layer = l;
        run.inputs[0] = e->boundary[l % 2];
        run.outputs[0] = e->boundary[(l + 1) % 2];
        memcpy(run.params, m->blocks[l], sizeof m->blocks[l]);
        GR_TRY(gr_graph_run(e->segments.block, e->backend, &run, err));
    }
    if (n_picks == 0)
        return GR_OK;
    e->backend->ops->write(e->backend, e->pick, e->host_pick, (size_t)n_picks * sizeof *e->pick);
    run.extents[1] = n_picks;
    run.inputs[0] = e->boundary[c->layers % 2];
    run.inputs[1] = e->pick;
    run.outputs[0] = e->logits;
    memcpy(run.params, m->head, sizeof m->head);
    GR_TRY(gr_graph_run(e->segments.head, e->backend, &run, err));
    e->backend->ops->read(e->backend, e->host_logits, e->logits,
                          (size_t)n_picks * (size_t)c->vocab * sizeof(float));
    if (w && w->put)
        w->put(w->user, "logits", e->host_logits, (size_t)n_picks, (size_t)c->vocab);
    return check_logits(e, n_picks, err);
}

static bool is_eos(const gr_generation *g, const gr_llama_config *c, int32_t token)
{
    const int n = g->n_eos > 0 ? g->n_eos : c->n_eos;
    const int32_t *eos = g->n_eos > 0 ? g->eos : c->eos;
    for (int i = 0; i < n; i++)
        if (eos[i] == token)
            return true;
    return false;
}

/* The next token of a sequence; its row waits for the next step unless the answer is over. */
static void take_token(gr_core *e, gr_sequence *s, const float *logits)
{
    const gr_llama_config *c = &e->model->config.text;
    const gr_generation *g = &s->generation;
    if (s->see)
        s->see(s->see_user, logits, c->vocab);
    gr_sampled next = gr_sample(logits, c->vocab, &g->sampling, (uint64_t)s->n_answer, e->order);
    if (s->n_answer < g->n_forced) {
        next.token = g->forced[s->n_answer];
        next.logprob = (double)logits[next.token] - gr_log_sum_exp(logits, c->vocab);
    }
    s->answer[s->n_answer++] = next;
    if (!g->ignore_eos && is_eos(g, c, next.token))
        finish(s, GR_STOPPED);
    else if (s->n_answer >= g->max_tokens || s->n_rows >= e->limits.max_context)
        finish(s, GR_LENGTH);
    else
        s->rows[s->n_rows++] = next.token;
}

gr_status gr_core_step(gr_core *e, const gr_core_watch *watch, gr_error *err)
{
    finish_cancelled(e);
    if (share_rows(e) == 0)
        return GR_OK;
    for (int i = 0; i < e->limits.max_sequences; i++)
        if (e->sequences[i] && e->sequences[i]->take > 0)
            GR_TRY(gr_kv_reserve(&e->kv, &e->sequences[i]->kv, e->sequences[i]->take, err));
    int n_picks;
    const gr_rows rows = lay_out(e, &n_picks);
    gr_error why = { 0 };
    const gr_status st = run_decoder(e, &rows, n_picks, watch, &why);
    if (st == GR_ERR_CANCELLED) { /* nothing of the step counts: what is stored is told by n_tokens */
        finish_cancelled(e);
        return GR_OK;
    }
    if (st != GR_OK) {
        end_all_of_step(e);
        return gr_fail(err, st, "%s", why.msg);
    }
    for (int i = 0, pick = 0; i < e->limits.max_sequences; i++) {
        gr_sequence *s = e->sequences[i];
        if (!s || s->take == 0)
            continue;
        s->kv.n_tokens += s->take;
        if (s->kv.n_tokens == s->n_rows)
            take_token(e, s, e->host_logits + (size_t)pick++ * (size_t)e->model->config.text.vocab);
    }
    return GR_OK;
}
