/* toy.h - the decoder block of the toy programs: one description for inference and training. */
#ifndef GR_TEST_TOY_H
#define GR_TEST_TOY_H

#include "support/rig.h"

enum { DIM = 32, HEADS = 4, KV_HEADS = 2, HEAD = 8, MLP = 48, POSITIONS = 160, ROWS = 96 };

/* Slots of a block's parameters; TURN is the rotary table, all before it are learned. */
enum { NORM1, Q, K, V, O, NORM2, GATE, UP, DOWN, TURN, BLOCK_PARAMS };

typedef struct {
    const char *name;
    int rows, cols;
} toy_param;
extern const toy_param toy_params[BLOCK_PARAMS];

/* x [R, DIM] -> [R, DIM]; capacity of rows is ROWS. */
gr_value *toy_block(gr_value *x, gr_value *const *params, bool paged);
void toy_declare(gr_graph *g, gr_value **params);

gr_graph *toy_graph(rig *r, const char *name); /* without rounding */
float *toy_draw(size_t n, uint64_t seed, float scale);
/* Weights large enough that errors show: attention is peaked, norms are not one. To be freed. */
float *toy_draw_param(int slot, uint64_t seed);
size_t toy_param_size(int slot);

#endif
