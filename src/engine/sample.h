/* sample.h - from logits to a token: greedy or drawn, with the probability it had. Allocates nothing. */
#ifndef GR_ENGINE_SAMPLE_H
#define GR_ENGINE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double temperature;    /* 0: greedy, ties to the lowest id */
    double top_p;          /* (0, 1]; 1: all */
    int top_k;             /* 0: all */
    uint64_t seed, stream; /* a draw depends on (seed, stream, position) alone */
} gr_sampling;

typedef struct {
    int32_t token;
    double logprob; /* natural, of the distribution at temperature 1 over the whole vocabulary */
} gr_sampled;

/* logits [n], finite; order: scratch [n]. `position` numbers the draw. top_k is applied first, then top_p on
 * what is left, both after temperature. */
gr_sampled gr_sample(const float *logits, int n, const gr_sampling *s, uint64_t position, int32_t *order);

/* log(sum(exp(logits))), in ascending order, in double. */
double gr_log_sum_exp(const float *logits, int n);

#endif
