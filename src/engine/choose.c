/* choose.c - gr_session_choose: which of a closed set of answers, with the exact probability of each.
 *
 * The prompt's own row of logits serves every answer's first token. After that one row is run for each inner
 * node of the tree of answers (constraint.h), in the order of their tokens: a walker cuts its sequence back
 * to what the next answer begins with alike. Where the engine has branches, forks of the sequence walk side
 * by side, a row each in one step; no two run the same node. Rows do not see each other, so the numbers are
 * the same. */
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "engine/constraint.h"
#include "engine/internal.h"
#include "engine/session.h"

_Static_assert(GR_CHOICE_TOKENS_MAX <= GR_BRANCH_ROWS, "an answer fits in a branch");

typedef struct choosing choosing;

typedef struct {
    choosing *c;
    gr_sequence *q; /* the session's own, or a fork */
    size_t path;    /* its rows beyond the prompt are the first `stored` tokens of this answer */
    size_t stored;
    bool busy; /* the row of that node is under way */
    bool seen;
} walker;

struct choosing {
    gr_session *s;
    const gr_choice_options *o;
    gr_constraint set;
    size_t next; /* all answers before it are known */
    int n_base;  /* rows of the prompt */
    walker walkers[1 + GR_MAX_BRANCHES];
    int n_walkers;
};

static void see(void *user, const float *logits, int n)
{
    walker *w = user;
    const gr_generation *g = &w->q->generation;
    gr_constraint_see(&w->c->set, w->path, w->stored, logits, n, g->eos, g->n_eos);
    w->seen = true;
}

/* --- the next node of a walker ------------------------------------------------------------------------- */

static bool is_known(const gr_constraint *set, size_t i)
{
    return set->list[i].known == gr_constraint_terms(set, i);
}

static bool is_under_way(const choosing *c, size_t i)
{
    const size_t depth = c->set.list[i].known;
    for (int k = 0; k < c->n_walkers; k++) {
        const walker *w = &c->walkers[k];
        if (w->busy && w->stored == depth && gr_constraint_shared(&c->set, w->path, i) >= depth)
            return true;
    }
    return false;
}

/* Its own answer, if that goes on; else, if it may take another, the first that waits. c->set.n: none. */
static size_t next_answer(choosing *c, const walker *w, bool any)
{
    if (!is_known(&c->set, w->path) && !is_under_way(c, w->path))
        return w->path;
    if (!any)
        return c->set.n;
    while (c->next < c->set.n && is_known(&c->set, c->next))
        c->next++;
    for (size_t i = c->next; i < c->set.n; i++)
        if (!is_known(&c->set, i) && !is_under_way(c, i))
            return i;
    return c->set.n;
}

static gr_status send(choosing *c, walker *w, bool any, gr_error *err)
{
    const size_t i = next_answer(c, w, any);
    if (i == c->set.n)
        return GR_OK;
    const gr_allowed *x = &c->set.list[i];
    const gr_generation g = c->walkers[0].q->generation;
    size_t keep = gr_constraint_shared(&c->set, w->path, i);
    keep = keep < w->stored ? keep : w->stored;
    GR_TRY(gr_sequence_truncate(w->q, c->n_base + (int)keep, err));
    GR_TRY(gr_sequence_rows(w->q, x->ids.v + keep, NULL, x->known - keep, err));
    GR_TRY(gr_sequence_generate(w->q, &g, err));
    w->path = i;
    w->stored = x->known;
    w->busy = true;
    w->seen = false;
    return GR_OK;
}

/* --- walking ------------------------------------------------------------------------------------------- */

static bool is_cancelled(const choosing *c)
{
    return (c->o->cancelled && c->o->cancelled(c->o->cancel_user)) || atomic_load(&c->s->sequence->cancelled);
}

/* Who can go on with its answer does; what is left is for the others, which have to run its first tokens
 * again. */
static gr_status send_all(choosing *c, bool *busy, gr_error *err)
{
    *busy = false;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < c->n_walkers; k++) {
            if (!c->walkers[k].busy)
                GR_TRY(send(c, &c->walkers[k], pass == 1, err));
            *busy |= c->walkers[k].busy;
        }
    return GR_OK;
}

/* Until no walker is busy: steps, and new nodes for those whose node was seen. */
static gr_status walk(choosing *c, gr_error *err)
{
    for (;;) {
        bool busy;
        GR_TRY(send_all(c, &busy, err));
        if (!busy)
            return GR_OK;
        if (is_cancelled(c))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
        GR_TRY(gr_engine_step(c->s->engine, err));
        for (int k = 0; k < c->n_walkers; k++) {
            walker *w = &c->walkers[k];
            w->busy = w->busy && gr_sequence_state(w->q) == GR_GOING;
            if (!w->busy && !w->seen)
                return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
        }
    }
}

static void add_walker(choosing *c, gr_sequence *q)
{
    walker *w = &c->walkers[c->n_walkers++];
    *w = (walker){ .c = c, .q = q, .seen = true };
    gr_sequence_see(q, see, w);
}

/* The prompt, whose logits every answer's first token needs. */
static gr_status walk_root(choosing *c, gr_error *err)
{
    gr_session *s = c->s;
    add_walker(c, s->sequence);
    c->walkers[0].busy = true;
    c->walkers[0].seen = false;
    while (gr_session_busy(s)) {
        if (is_cancelled(c))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
        GR_TRY(gr_engine_step(s->engine, err));
    }
    c->walkers[0].busy = false;
    return c->walkers[0].seen ? GR_OK : gr_fail(err, GR_ERR_CANCELLED, "cancelled");
}

/* As many as there are answers left for. */
static gr_status fork_walkers(choosing *c, int most, gr_error *err)
{
    size_t left = 0;
    for (size_t i = 0; i < c->set.n; i++)
        left += !is_known(&c->set, i);
    for (int k = 0; k < most && (size_t)k + 1 < left; k++) {
        gr_sequence *q;
        GR_TRY(gr_sequence_fork(&q, c->s->sequence, err));
        add_walker(c, q);
    }
    return GR_OK;
}

/* --- choosing ------------------------------------------------------------------------------------------ */

static gr_status check(const gr_choice_options *o, gr_error *err)
{
    if (o->size != sizeof *o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_choice_options.size is %zu, this library expects %zu: call gr_choice_options_init",
                       o->size, sizeof *o);
    if (!(o->temperature >= 0 && o->temperature <= 1e6))
        return gr_fail(err, GR_ERR_ARG, "temperature %g, expected 0 or more", o->temperature);
    return GR_OK;
}

static gr_status check_fits(const choosing *c, gr_error *err)
{
    size_t longest = 0;
    for (size_t i = 0; i < c->set.n; i++)
        longest = c->set.list[i].ids.n > longest ? c->set.list[i].ids.n : longest;
    if ((size_t)c->n_base + longest > (size_t)c->s->engine->max_context)
        return gr_fail(err, GR_ERR_LIMIT,
                       "the question comes to %d tokens and an answer of the set to %zu, the engine was made "
                       "for %d (max_context)",
                       c->n_base, longest, c->s->engine->max_context);
    return GR_OK;
}

static gr_status choose(choosing *c, const gr_request *request, gr_choice *choices, size_t *chosen,
                        gr_error *err)
{
    gr_session *s = c->s;
    s->answering = false; /* what its one token says is no text */
    c->n_base = s->sequence->n_rows;
    GR_TRY(check_fits(c, err));
    const double began = s->started_ms;
    GR_TRY(walk_root(c, err));
    /* A dump shows one sequence. */
    GR_TRY(fork_walkers(c, request->dump ? 0 : s->engine->core->limits.max_branches, err));
    GR_TRY(walk(c, err));
    const double u = gr_uniform(c->o->seed, 0, 0);
    const size_t at = gr_constraint_decide(&c->set, c->o->temperature, u, choices);
    const gr_allowed *x = &c->set.list[at];
    *chosen = x->place;
    gr_session_set_answer(s, x->text, x->tokens, (int)gr_constraint_terms(&c->set, at), began);
    return s->text.failed ? gr_fail(err, GR_ERR_MEM, "no memory for an answer") : GR_OK;
}

/* Forks go; a cancel that came after the last look is spent with this answer. */
static void part(choosing *c)
{
    gr_sequence *own = c->s->sequence;
    for (int k = 1; k < c->n_walkers; k++)
        gr_sequence_free(c->walkers[k].q);
    gr_sequence_end(own);
    gr_sequence_see(own, NULL, NULL);
    gr_sequence_forget_cancel(own);
    c->s->dump = NULL;
}

void gr_choice_options_init(gr_choice_options *options)
{
    *options = (gr_choice_options){ .size = sizeof *options };
}

gr_status gr_session_choose(gr_session *s, const gr_request *request, const gr_choice_options *options,
                            gr_choice *choices, size_t *chosen, gr_error *err)
{
    const gr_model *m = s->engine->model;
    choosing c = { .s = s, .o = options };
    gr_answer_options o;
    gr_answer_options_init(&o);
    o.max_tokens = 1;
    gr_status st = check(options, err);
    if (st == GR_OK)
        st = gr_constraint_init(&c.set, m->rt, m->tokenizer, options->texts, options->n, err);
    if (st == GR_OK)
        st = gr_session_ask(s, request, &o, err);
    if (st != GR_OK)
        gr_sequence_forget_cancel(s->sequence); /* there is nothing left to stop */
    else {
        st = choose(&c, request, choices, chosen, err);
        part(&c);
    }
    gr_constraint_fini(&c.set);
    return st;
}
