/* adamw.h - the optimiser of the published recipe: AdamW on flat buffers, global norm clipping, linear
 * warm-up and cosine. Sources: Loshchilov & Hutter 2019; torch.optim.AdamW, torch.nn.utils.clip_grad_norm_;
 * the schedule of xtuner's configuration in closed form (training-and-data.md 2.1).
 *
 * The buffers of a gr_flat must lie in host memory. Results do not depend on threads: elements are
 * independent, and the norm is summed in double by pieces in order. */
#ifndef GR_TRAIN_ADAMW_H
#define GR_TRAIN_ADAMW_H

#include "train/flat.h"

typedef struct {
    double beta1, beta2, eps, weight_decay;
    double clip; /* largest norm of all gradients together; 0: not clipped */
} gr_adamw;

#define GR_ADAMW_PUBLISHED                                                        \
    {                                                                             \
        .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0, .clip = 1.0 \
    }

/* Norm of all gradients. Infinite or NaN where one is. */
double gr_grad_norm(const gr_flat *f);

/* Step number `step`, from 1: gradients are scaled to the clip, moments and weights move. `norm` is what
 * gr_grad_norm gave; it must be finite. The gradients are zero afterwards. */
void gr_adamw_step(const gr_adamw *o, gr_flat *f, int64_t step, double lr, double norm);

/* Zeroes the gradients without a step. */
void gr_grads_clear(gr_flat *f);

typedef struct {
    double lr;         /* at the end of the warm-up */
    double start;      /* its first share of lr; published: 1e-5 */
    int64_t warmup, n; /* iterations of the warm-up, and in all */
} gr_schedule;

/* Learning rate of iteration t, 0 <= t < n. */
double gr_schedule_lr(const gr_schedule *s, int64_t t);

#endif
