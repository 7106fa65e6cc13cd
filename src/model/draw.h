/* draw.h - weights of a new model from the counter-based generator, the same bits wherever they are drawn.
 *
 * Philox4x32-10 under key (low 32 bits of the seed, FNV-1a of the tensor's full name) and counter (block low,
 * block high, high 32 bits of the seed, 0). A block r gives elements 2b (r0, r1) and 2b + 1 (r2, r3), in C
 * order over the published shape:
 *   n     = (r0 & 0xffff) + (r0 >> 16) + (r1 & 0xffff) + (r1 >> 16) - 131070
 *   value = mean + std * (n / 37837)    in double, product and sum rounded separately; then to float32, then
 *                                       to the stored type, to nearest even
 * which is a sum of four uniforms of variance 1. Mean and std follow from the name. GR_DRAW_PEAKED keeps
 * attention peaked and layer scales at 0.3 to 1, so that mistakes in an implementation show in its outputs.
 * GR_DRAW_TRAINING is what learning begins with: no biases, norms and layer scales of 1, a head that prefers
 * no token, small steps in the residual stream (as Radford et al. 2019 and Touvron et al. 2023 do, by fan-in
 * here). */
#ifndef GR_MODEL_DRAW_H
#define GR_MODEL_DRAW_H

#include <stddef.h>
#include <stdint.h>
#include "grasp/dtype.h"
#include "grasp/error.h"

typedef enum { GR_DRAW_PEAKED, GR_DRAW_TRAINING } gr_draw_scales;

/* Elements [first, first + count) of the tensor of that name and shape into dst, count elements of `dtype`
 * (F32, F64, F16 or BF16; F64 holds the float32 value). GR_ERR_ARG: another type, or a name that no rule
 * fits. Any split of a tensor into ranges gives the same elements. */
gr_status gr_draw_tensor(void *dst, gr_dtype dtype, const char *name, uint64_t seed, const int64_t *shape,
                         int rank, size_t first, size_t count, gr_error *err); /* GR_DRAW_PEAKED */
gr_status gr_draw_tensor_as(void *dst, gr_dtype dtype, gr_draw_scales scales, const char *name, uint64_t seed,
                            const int64_t *shape, int rank, size_t first, size_t count, gr_error *err);

#endif
