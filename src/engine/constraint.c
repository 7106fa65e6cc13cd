#include "engine/constraint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/mathx.h"

static int by_tokens(const void *a, const void *b)
{
    const gr_ids *x = &((const gr_allowed *)a)->ids, *y = &((const gr_allowed *)b)->ids;
    for (size_t i = 0; i < x->n && i < y->n; i++)
        if (x->v[i] != y->v[i])
            return x->v[i] < y->v[i] ? -1 : 1;
    return (x->n > y->n) - (x->n < y->n);
}

/* --- the answers --------------------------------------------------------------------------------------- */

static gr_status read_answer(gr_constraint *c, const gr_tokenizer *t, const char *text, size_t i,
                             gr_error *err)
{
    gr_allowed *x = &c->list[i];
    *x = (gr_allowed){ .text = text, .place = i };
    gr_ids_init(&x->ids, c->rt, GR_CHOICE_TOKENS_MAX);
    const gr_status st = gr_tokenizer_encode(t, text, strlen(text), 0, &x->ids, err);
    if (st == GR_ERR_LIMIT)
        return gr_error_prefix(err, "answer %zu of the set, '%.40s'", i, text);
    GR_TRY(st);
    if (x->ids.n == 0)
        return gr_fail(err, GR_ERR_ARG, "answer %zu of the set is empty", i);
    x->tokens = gr_calloc(c->rt, x->ids.n + 1, sizeof *x->tokens);
    return x->tokens ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for an answer of the set");
}

static gr_status read_answers(gr_constraint *c, const gr_tokenizer *t, const char *const *texts,
                              gr_error *err)
{
    for (size_t i = 0; i < c->n; i++)
        GR_TRY(read_answer(c, t, texts[i], i, err));
    qsort(c->list, c->n, sizeof *c->list, by_tokens);
    for (size_t i = 1; i < c->n; i++) {
        const gr_allowed *x = &c->list[i - 1], *y = &c->list[i];
        if (by_tokens(x, y) == 0)
            return gr_fail(err, GR_ERR_ARG, "answers %zu and %zu of the set are the same, '%.40s'",
                           x->place < y->place ? x->place : y->place,
                           x->place < y->place ? y->place : x->place, y->text);
        c->ends |= gr_constraint_shared(c, i - 1, i) == x->ids.n;
    }
    return GR_OK;
}

gr_status gr_constraint_init(gr_constraint *c, gr_runtime *rt, const gr_tokenizer *t,
                             const char *const *texts, size_t n, gr_error *err)
{
    *c = (gr_constraint){ 0 };
    if (n < 1 || n > GR_CHOICES_MAX)
        return gr_fail(err, GR_ERR_ARG, "a set of %zu answers, expected 1 to %d", n, GR_CHOICES_MAX);
    *c = (gr_constraint){ .rt = rt, .list = gr_calloc(rt, n, sizeof *c->list), .n = n };
    const gr_status st =
        c->list ? read_answers(c, t, texts, err) : gr_fail(err, GR_ERR_MEM, "no memory for %zu answers", n);
    if (st != GR_OK)
        gr_constraint_fini(c);
    return st;
}

void gr_constraint_fini(gr_constraint *c)
{
    for (size_t i = 0; c->list && i < c->n; i++) {
        gr_ids_fini(&c->list[i].ids);
        gr_free(c->rt, c->list[i].tokens);
    }
    gr_free(c->rt, c->list);
    *c = (gr_constraint){ 0 };
}

size_t gr_constraint_terms(const gr_constraint *c, size_t i) { return c->list[i].ids.n + c->ends; }

size_t gr_constraint_shared(const gr_constraint *c, size_t i, size_t j)
{
    const gr_ids *x = &c->list[i].ids, *y = &c->list[j].ids;
    size_t n = 0;
    while (n < x->n && n < y->n && x->v[n] == y->v[n])
        n++;
    return n;
}

/* --- their probabilities ------------------------------------------------------------------------------- */

/* The likeliest of the tokens that end an answer stands for all of them. */
static gr_sampled end_token(const float *logits, double all, const int32_t *eos, int n_eos)
{
    gr_sampled out = { eos[0], (double)logits[eos[0]] - all };
    double sum = gr_exp(out.logprob);
    for (int i = 1; i < n_eos; i++) {
        const double lp = (double)logits[eos[i]] - all;
        sum += gr_exp(lp);
        if (lp > out.logprob)
            out = (gr_sampled){ eos[i], lp };
    }
    out.logprob = n_eos == 1 ? out.logprob : gr_ln(sum);
    return out;
}

void gr_constraint_see(gr_constraint *c, size_t i, size_t depth, const float *logits, int n,
                       const int32_t *eos, int n_eos)
{
    const double all = gr_log_sum_exp(logits, n);
    const gr_sampled end = end_token(logits, all, eos, n_eos);
    size_t first = i, last = i;
    while (first > 0 && gr_constraint_shared(c, first - 1, i) >= depth)
        first--;
    while (last + 1 < c->n && gr_constraint_shared(c, last + 1, i) >= depth)
        last++;
    for (i = first; i <= last; i++) {
        gr_allowed *x = &c->list[i];
        const int32_t id = depth < x->ids.n ? x->ids.v[depth] : -1;
        x->tokens[depth] = id < 0 ? end : (gr_sampled){ id, (double)logits[id] - all };
        x->known = depth + 1;
    }
}

static double logprob(const gr_constraint *c, size_t i)
{
    double sum = 0;
    for (size_t k = 0; k < gr_constraint_terms(c, i); k++)
        sum += c->list[i].tokens[k].logprob;
    return sum;
}

size_t gr_constraint_decide(const gr_constraint *c, double temperature, double u, gr_choice *out)
{
    size_t best = 0;
    double sum = 0, drawn = 0, so_far = 0;
    for (size_t i = 0; i < c->n; i++)
        out[c->list[i].place].logprob = logprob(c, i);
    for (size_t i = 1; i < c->n; i++) {
        const size_t x = c->list[i].place, y = c->list[best].place;
        if (out[x].logprob > out[y].logprob || (out[x].logprob == out[y].logprob && x < y))
            best = i;
    }
    const double top = out[c->list[best].place].logprob;
    for (size_t i = 0; i < c->n; i++) {
        gr_choice *x = &out[c->list[i].place];
        x->probability = gr_exp(x->logprob - top);
        sum += x->probability;
        drawn += temperature > 0 ? gr_exp((x->logprob - top) / temperature) : 0;
    }
    for (size_t i = 0; i < c->n; i++)
        out[i].probability /= sum;
    for (size_t i = 0; temperature > 0 && i < c->n; i++) {
        so_far += gr_exp((out[c->list[i].place].logprob - top) / temperature);
        if (u * drawn < so_far)
            return i;
    }
    return best;
}
