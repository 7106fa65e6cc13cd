/* constraint.h - a closed set of answers as a tree of tokens, and what the model gives each.
 *
 * An answer is the tokens that the tokenizer makes of its text, the canonical ones: those that training saw
 * and that a published tokenizer gives. Other tokens that spell the same text are not added up.
 *
 * Answers lie in the order of their tokens, so those that begin alike are neighbours: a node of the tree is a
 * run of the list and a depth, and its row of logits says something about every answer of the run. Nothing
 * allocates after gr_constraint_init. */
#ifndef GR_ENGINE_CONSTRAINT_H
#define GR_ENGINE_CONSTRAINT_H

#include "engine/sample.h"
#include "grasp/session.h"
#include "text/ids.h"
#include "text/tokenizer.h"

typedef struct {
    const char *text; /* borrowed */
    size_t place;     /* among the caller's */
    gr_ids ids;
    gr_sampled *tokens; /* [ids.n + 1]: with the end */
    size_t known;       /* of them have a probability; the node at this depth is the next to be seen */
} gr_allowed;

typedef struct {
    gr_runtime *rt;
    gr_allowed *list; /* [n], in the order of their tokens */
    size_t n;
    bool ends; /* some answer begins another one: then the end of each counts, in all of the set */
} gr_constraint;

/* GR_ERR_ARG: none or too many, an empty text, two of the same tokens. GR_ERR_LIMIT: one of more than
 * GR_CHOICE_TOKENS_MAX tokens. On failure there is nothing to release. */
gr_status gr_constraint_init(gr_constraint *c, gr_runtime *rt, const gr_tokenizer *t,
                             const char *const *texts, size_t n, gr_error *err);
void gr_constraint_fini(gr_constraint *c); /* all-zero is fine */

/* How many tokens of answer i count: all, and the end where ends count. */
size_t gr_constraint_terms(const gr_constraint *c, size_t i);
/* How many tokens i and j begin with alike. */
size_t gr_constraint_shared(const gr_constraint *c, size_t i, size_t j);

/* The logits [n] that follow the first `depth` tokens of answer i: noted for every answer that begins so. Any
 * of eos[n_eos] ends an answer, n_eos >= 1. */
void gr_constraint_see(gr_constraint *c, size_t i, size_t depth, const float *logits, int n,
                       const int32_t *eos, int n_eos);

/* When all is known: probabilities within the set, in the caller's order. Returns the place in the list of
 * the most probable answer (ties: the caller's first), or with a temperature above 0 of the one that u, of
 * [0, 1), draws by probability^(1/temperature). */
size_t gr_constraint_decide(const gr_constraint *c, double temperature, double u, gr_choice *out);

#endif
