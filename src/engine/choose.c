/* choose.c - gr_session_choose: which of a closed set of answers, with the exact probability of each.
 *
 * Answers are a tree of tokens. Where tokens are shared the decoder runs once: depth first, one row for each
 * inner node, cutting the sequence back to where a branch begins. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/mathx.h"
#include "base/rng.h"
#include "engine/internal.h"
#include "engine/session.h"

typedef struct {
    const char *text;
    size_t place; /* among the caller's */
    gr_ids ids;
    gr_sampled *tokens; /* [ids.n + 1]: with the end */
    double logprob;
} candidate;

typedef struct {
    gr_session *s;
    const gr_choice_options *o;
    candidate *list; /* [o->n], in the order of their tokens */
    bool ends;       /* some answer begins another one: the end of each counts */
    int n_base;      /* rows of the prompt */
    /* Of the node whose row is under way. */
    size_t first, end, depth;
    bool seen;
} choosing;

/* --- the answers --------------------------------------------------------------------------------------- */

static int by_tokens(const void *a, const void *b)
{
    const gr_ids *x = &((const candidate *)a)->ids, *y = &((const candidate *)b)->ids;
    for (size_t i = 0; i < x->n && i < y->n; i++)
        if (x->v[i] != y->v[i])
            return x->v[i] < y->v[i] ? -1 : 1;
    return (x->n > y->n) - (x->n < y->n);
}

static bool begins(const gr_ids *a, const gr_ids *b)
{
    return a->n <= b->n && memcmp(a->v, b->v, a->n * sizeof *a->v) == 0;
}

static gr_status read_answer(choosing *c, size_t i, gr_error *err)
{
    gr_runtime *rt = c->s->engine->model->rt;
    candidate *x = &c->list[i];
    *x = (candidate){ .text = c->o->texts[i], .place = i };
    gr_ids_init(&x->ids, rt, GR_CHOICE_TOKENS_MAX);
    const gr_status st =
        gr_tokenizer_encode(c->s->engine->model->tokenizer, x->text, strlen(x->text), 0, &x->ids, err);
    if (st == GR_ERR_LIMIT)
        return gr_error_prefix(err, "answer %zu of the set, '%.40s'", i, x->text);
    GR_TRY(st);
    if (x->ids.n == 0)
        return gr_fail(err, GR_ERR_ARG, "answer %zu of the set is empty", i);
    x->tokens = gr_calloc(rt, x->ids.n + 1, sizeof *x->tokens);
    return x->tokens ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for an answer of the set");
}

static gr_status read_answers(choosing *c, gr_error *err)
{
    for (size_t i = 0; i < c->o->n; i++)
        GR_TRY(read_answer(c, i, err));
    qsort(c->list, c->o->n, sizeof *c->list, by_tokens);
    for (size_t i = 1; i < c->o->n; i++) {
        if (by_tokens(&c->list[i - 1], &c->list[i]) == 0)
            return gr_fail(err, GR_ERR_ARG, "answers %zu and %zu of the set are the same, '%.40s'",
                           c->list[i - 1].place, c->list[i].place, c->list[i].text);
        c->ends = c->ends || begins(&c->list[i - 1].ids, &c->list[i].ids);
    }
    return GR_OK;
}

static void forget_answers(choosing *c)
{
    gr_runtime *rt = c->s->engine->model->rt;
    for (size_t i = 0; c->list && i < c->o->n; i++) {
        gr_ids_fini(&c->list[i].ids);
        gr_free(rt, c->list[i].tokens);
    }
    gr_free(rt, c->list);
}

/* --- their probabilities ------------------------------------------------------------------------------- */

/* The likeliest of the tokens that end an answer stands for all of them. */
static gr_sampled end_token(const gr_session *s, const float *logits, double all)
{
    const gr_generation *g = &s->sequence->generation;
    gr_sampled out = { g->eos[0], -INFINITY };
    double sum = 0;
    for (int i = 0; i < g->n_eos; i++) {
        const double lp = (double)logits[g->eos[i]] - all;
        sum += gr_exp(lp);
        if (lp > out.logprob)
            out = (gr_sampled){ g->eos[i], lp };
    }
    out.logprob = g->n_eos == 1 ? out.logprob : gr_ln(sum);
    return out;
}

/* The logits after `depth` tokens: what comes next in each answer of the node. */
static void see(void *user, const float *logits, int n)
{
    choosing *c = user;
    const double all = gr_log_sum_exp(logits, n);
    const gr_sampled end = end_token(c->s, logits, all);
    for (size_t i = c->first; i < c->end; i++) {
        candidate *x = &c->list[i];
        gr_sampled *next = &x->tokens[c->depth];
        if (c->depth < x->ids.n)
            *next = (gr_sampled){ x->ids.v[c->depth], (double)logits[x->ids.v[c->depth]] - all };
        else
            *next = end;
        if (c->depth < x->ids.n || c->ends)
            x->logprob += next->logprob;
    }
    c->seen = true;
}

/* Runs the rows that wait, of which the last is that of a node. */
static gr_status run_node(choosing *c, size_t first, size_t end, size_t depth, gr_error *err)
{
    gr_session *s = c->s;
    c->first = first;
    c->end = end;
    c->depth = depth;
    c->seen = false;
    gr_sequence_see(s->sequence, see, c);
    while (gr_session_busy(s)) {
        if (c->o->cancelled && c->o->cancelled(c->o->cancel_user))
            gr_session_cancel(s);
        GR_TRY(gr_engine_step(s->engine, err));
    }
    return c->seen ? GR_OK : gr_fail(err, GR_ERR_CANCELLED, "cancelled");
}

static gr_status walk(choosing *c, size_t first, size_t end, size_t depth, gr_error *err);

/* The answers first..end-1 have the same token at `depth`. */
static gr_status branch(choosing *c, size_t first, size_t end, size_t depth, gr_error *err)
{
    gr_sequence *q = c->s->sequence;
    gr_generation g = q->generation;
    if (!c->ends && end == first + 1 && c->list[first].ids.n == depth + 1)
        return GR_OK; /* nothing comes after it that would count */
    g.max_tokens = 1;
    GR_TRY(gr_sequence_rows(q, &c->list[first].ids.v[depth], NULL, 1, err));
    GR_TRY(gr_sequence_generate(q, &g, err));
    GR_TRY(walk(c, first, end, depth + 1, err));
    return gr_sequence_truncate(q, c->n_base + (int)depth, err);
}

static gr_status walk(choosing *c, size_t first, size_t end, size_t depth, gr_error *err)
{
    GR_TRY(run_node(c, first, end, depth, err));
    while (first < end && c->list[first].ids.n == depth) /* it ends here */
        first++;
    for (size_t at = first, next; at < end; at = next) {
        for (next = at + 1; next < end && c->list[next].ids.v[depth] == c->list[at].ids.v[depth];)
            next++;
        GR_TRY(branch(c, at, next, depth, err));
    }
    return GR_OK;
}

/* --- choosing ------------------------------------------------------------------------------------------ */

/* Probabilities within the set; returns the index in `list` of the one that is chosen. */
static size_t decide(const choosing *c, gr_choice *out)
{
    const size_t n = c->o->n;
    size_t best = 0;
    double sum = 0, drawn = 0, so_far = 0;
    for (size_t i = 1; i < n; i++) {
        const candidate *x = &c->list[i], *y = &c->list[best];
        if (x->logprob > y->logprob || (x->logprob == y->logprob && x->place < y->place))
            best = i;
    }
    const double top = c->list[best].logprob, t = c->o->temperature;
    for (size_t i = 0; i < n; i++) {
        sum += gr_exp(c->list[i].logprob - top);
        drawn += t > 0 ? gr_exp((c->list[i].logprob - top) / t) : 0;
    }
    for (size_t i = 0; i < n; i++)
        out[c->list[i].place] = (gr_choice){ c->list[i].logprob, gr_exp(c->list[i].logprob - top) / sum };
    if (t <= 0)
        return best;
    const double u = gr_uniform(c->o->seed, 0, 0) * drawn;
    for (size_t i = 0; i < n; i++) {
        so_far += gr_exp((c->list[i].logprob - top) / t);
        if (u < so_far)
            return i;
    }
    return best;
}

static gr_status check(const gr_session *s, const gr_choice_options *o, gr_error *err)
{
    (void)s;
    if (o->size != sizeof *o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_choice_options.size is %zu, this library expects %zu: call gr_choice_options_init",
                       o->size, sizeof *o);
    if (o->n < 1 || o->n > GR_CHOICES_MAX)
        return gr_fail(err, GR_ERR_ARG, "a set of %zu answers, expected 1 to %d", o->n, GR_CHOICES_MAX);
    if (!(o->temperature >= 0 && o->temperature <= 1e6))
        return gr_fail(err, GR_ERR_ARG, "temperature %g, expected 0 or more", o->temperature);
    return GR_OK;
}

static gr_status choose(choosing *c, const gr_request *request, gr_choice *choices, size_t *chosen,
                        gr_error *err)
{
    gr_session *s = c->s;
    gr_answer_options o;
    gr_answer_options_init(&o);
    o.max_tokens = 1;
    size_t longest = 0;
    for (size_t i = 0; i < c->o->n; i++)
        longest = c->list[i].ids.n > longest ? c->list[i].ids.n : longest;
    GR_TRY(gr_session_ask(s, request, &o, err));
    s->answering = false; /* what its one token says is no text */
    c->n_base = s->sequence->n_rows;
    if ((size_t)c->n_base + longest > (size_t)s->engine->max_context)
        return gr_fail(err, GR_ERR_LIMIT,
                       "the question comes to %d tokens and an answer of the set to %zu, the engine was made "
                       "for %d (max_context)",
                       c->n_base, longest, s->engine->max_context);
    const double began = s->started_ms;
    GR_TRY(walk(c, 0, c->o->n, 0, err));
    const candidate *x = &c->list[decide(c, choices)];
    *chosen = x->place;
    gr_session_set_answer(s, x->text, x->tokens, (int)(x->ids.n + c->ends), began);
    return s->text.failed ? gr_fail(err, GR_ERR_MEM, "no memory for an answer") : GR_OK;
}

void gr_choice_options_init(gr_choice_options *options)
{
    *options = (gr_choice_options){ .size = sizeof *options };
}

gr_status gr_session_choose(gr_session *s, const gr_request *request, const gr_choice_options *options,
                            gr_choice *choices, size_t *chosen, gr_error *err)
{
    gr_runtime *rt = s->engine->model->rt;
    GR_TRY(check(s, options, err));
    choosing c = { .s = s, .o = options, .list = gr_calloc(rt, options->n, sizeof *c.list) };
    if (!c.list)
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu answers", options->n);
    gr_status st = read_answers(&c, err);
    if (st == GR_OK)
        st = choose(&c, request, choices, chosen, err);
    if (st != GR_OK)
        gr_sequence_end(s->sequence);
    gr_sequence_see(s->sequence, NULL, NULL);
    s->dump = NULL;
    forget_answers(&c);
    return st;
}
