#include <float.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/internal.h"

gr_status gr_sequence_new(gr_sequence **out, gr_core *e, gr_error *err)
{
    *out = NULL;
    int slot = 0;
    while (slot < e->limits.max_sequences && e->sequences[slot])
        slot++;
    if (slot == e->limits.max_sequences)
        return gr_fail(err, GR_ERR_LIMIT, "the engine was made for %d conversations, and all are in use",
                       e->limits.max_sequences);
    gr_sequence *s = gr_calloc(e->rt, 1, sizeof *s);
    if (!s)
        return gr_fail(err, GR_ERR_MEM, "no memory for a conversation");
    s->engine = e;
    s->rows = gr_calloc(e->rt, (size_t)e->limits.max_context, sizeof *s->rows);
    s->answer = gr_calloc(e->rt, (size_t)e->limits.max_context, sizeof *s->answer);
    s->tiles =
        gr_calloc(e->rt, (size_t)gr_most_tiles(&e->model->config, e->limits.max_features), sizeof *s->tiles);
    gr_status st =
        s->rows && s->answer && s->tiles ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for a conversation");
    if (st == GR_OK)
        st = gr_kv_sequence_init(&s->kv, &e->kv, e->limits.max_context, err);
    s->state = GR_ENDED;
    atomic_init(&s->cancelled, false);
    if (st != GR_OK) {
        gr_sequence_free(s);
        return st;
    }
    e->sequences[slot] = s;
    *out = s;
    return GR_OK;
}

void gr_sequence_free(gr_sequence *s)
{
    if (!s)
        return;
    gr_core *e = s->engine;
    for (int i = 0; i < e->limits.max_sequences; i++)
        if (e->sequences[i] == s)
            e->sequences[i] = NULL;
    gr_kv_sequence_fini(&e->kv, &s->kv);
    gr_free(e->rt, s->rows);
    gr_free(e->rt, s->answer);
    gr_free(e->rt, s->tiles);
    gr_free(e->rt, s);
}

gr_status gr_sequence_rows(gr_sequence *s, const int32_t *ids, const int32_t *source, size_t n, gr_error *err)
{
    const gr_gar_config *c = &s->engine->model->config;
    if (n > (size_t)(s->engine->limits.max_context - s->n_rows))
        return gr_fail(err, GR_ERR_LIMIT, "the conversation would have %zu tokens, the limit is %d",
                       n + (size_t)s->n_rows, s->engine->limits.max_context);
    for (size_t i = 0; i < n; i++) {
        if (source && source[i] >= 0) {
            if (source[i] >= s->n_features)
                return gr_fail(err, GR_ERR_ARG, "prompt row %zu is feature row %d, the picture gave %d", i,
                               source[i], s->n_features);
            s->rows[s->n_rows + (int)i] = -1 - source[i];
        } else if (ids[i] < 0 || ids[i] >= c->text.vocab)
            return gr_fail(err, GR_ERR_ARG, "prompt row %zu has token id %d, the vocabulary has %d", i,
                           ids[i], c->text.vocab);
        else
            s->rows[s->n_rows + (int)i] = ids[i];
    }
    s->n_rows += (int)n;
    return GR_OK;
}

gr_status gr_sequence_generate(gr_sequence *s, const gr_generation *g, gr_error *err)
{
    if (s->n_rows == s->kv.n_tokens)
        return gr_fail(err, GR_ERR_ARG, "nothing to continue: the prompt is empty");
    if (g->max_tokens < 1 || !(g->sampling.temperature >= 0 && g->sampling.temperature <= DBL_MAX) ||
        !(g->sampling.top_p > 0 && g->sampling.top_p <= 1) || g->sampling.top_k < 0)
        return gr_fail(
            err, GR_ERR_ARG,
            "max_tokens %d, temperature %g, top_p %g, top_k %d: expected >= 1, >= 0, 0 < top_p <= 1, >= 0",
            g->max_tokens, g->sampling.temperature, g->sampling.top_p, g->sampling.top_k);
    s->generation = *g;
    s->generating = true;
    s->n_answer = 0;
    s->state = GR_GOING;
    return GR_OK;
}

gr_status gr_sequence_fork(gr_sequence **out, const gr_sequence *from, gr_error *err)
{
    GR_TRY(gr_sequence_new(out, from->engine, err));
    gr_sequence *s = *out;
    const gr_status st = gr_kv_fork(&from->engine->kv, &from->kv, &s->kv, err);
    if (st != GR_OK) {
        gr_sequence_free(s);
        *out = NULL;
        return st;
    }
    memcpy(s->rows, from->rows, (size_t)from->n_rows * sizeof *s->rows);
    s->n_rows = from->n_rows;
    s->first_feature = from->first_feature;
    s->n_features = from->n_features;
    return GR_OK;
}

gr_status gr_sequence_truncate(gr_sequence *s, int n_rows, gr_error *err)
{
    if (n_rows < 0 || n_rows > s->kv.n_tokens)
        return gr_fail(err, GR_ERR_ARG, "cannot cut a conversation of %d stored tokens to %d", s->kv.n_tokens,
                       n_rows);
    gr_kv_truncate(&s->engine->kv, &s->kv, n_rows);
    s->n_rows = n_rows;
    s->n_answer = 0;
    gr_sequence_end(s);
    s->state = GR_ENDED;
    return GR_OK;
}

int gr_sequence_n_rows(const gr_sequence *s) { return s->kv.n_tokens; }
int gr_sequence_n_tokens(const gr_sequence *s) { return s->n_answer; }
int gr_sequence_n_kept(const gr_sequence *s) { return s->n_kept; }
gr_sampled gr_sequence_token(const gr_sequence *s, int i) { return s->answer[i]; }
gr_sequence_status gr_sequence_state(const gr_sequence *s) { return s->state; }

void gr_sequence_end(gr_sequence *s)
{
    s->generating = false;
    if (s->state != GR_GOING)
        return;
    s->state = GR_ENDED;
    atomic_store(&s->cancelled, false); /* as with every other end of an answer */
}

void gr_sequence_see(gr_sequence *s, void (*see)(void *user, const float *logits, int n), void *user)
{
    s->see = see;
    s->see_user = user;
}

void gr_sequence_cancel(gr_sequence *s) { atomic_store(&s->cancelled, true); }
bool gr_sequence_forget_cancel(gr_sequence *s) { return atomic_exchange(&s->cancelled, false); }
