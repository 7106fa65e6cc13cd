/* gemm.h - one linear layer, y = x W^T, as a library computes it: the seam between gemm.c, which reads cases
 * and times them, and one file a library, which calls it. Matrices are row-major: x [rows, inputs], W
 * [outputs, inputs], y [rows, outputs]. */
#ifndef GEMM_H
#define GEMM_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    long rows, inputs, outputs; /* all >= 1 */
} gemm_shape;

/* Element types of x and W; y is f32 always. */
typedef enum { GEMM_F32, GEMM_BF16, GEMM_TYPES } gemm_type;

typedef struct {
    const char *name;       /* what the command line calls it */
    bool types[GEMM_TYPES]; /* those it computes */

    /* Loads the library at `path`, or under its usual name when path is NULL or empty. Writes one sentence to
     * `about`: what was found, or (false) why there is nothing to measure. Called once, before everything
     * else. */
    bool (*open)(const char *path, char *about, size_t size);

    /* A layer with weights in the form the library likes best; `x` and `y` are shared by layers and outlive
     * them. NULL: it cannot be made. */
    void *(*layer_new)(gemm_shape shape, gemm_type type, const void *x, float *y);
    void (*layer_run)(void *layer);
    void (*layer_free)(void *layer); /* NULL is fine */
} gemm_library;

extern const gemm_library gemm_openblas, gemm_onednn;

/* Memory on huge pages where the system gives them, every byte GEMM_FILL, 64-byte aligned; NULL when there is
 * none. free() frees it. */
void *gemm_memory(size_t bytes);

/* As f32 and as bf16 this byte repeated is a number near 0.0115, so sums neither vanish nor overflow. */
#define GEMM_FILL 0x3c

size_t gemm_type_bytes(gemm_type type);

#endif
