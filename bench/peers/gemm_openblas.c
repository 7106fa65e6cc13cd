/* gemm_openblas.c - OpenBLAS: sgemm, and sgemv for one row. It packs weights in every call; it has no other
 * form. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "gemm.h"

/* cblas.h, by its numbers: the header may be missing where the library is not. */
enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 };

typedef void sgemm_fn(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a,
                      int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void sgemv_fn(int order, int trans, int m, int n, float alpha, const float *a, int lda,
                      const float *x, int incx, float beta, float *y, int incy);
typedef char *text_fn(void);

static struct {
    sgemm_fn *sgemm;
    sgemv_fn *sgemv;
} blas; /* the program is one measurement of one library */

typedef struct {
    gemm_shape shape;
    const float *x;
    float *w, *y;
} layer;

static bool openblas_open(const char *path, char *about, size_t size)
{
    const char *file = path && *path ? path : "libopenblas.so.0";
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(about, size, "OpenBLAS cannot be loaded: %s", dlerror());
        return false;
    }
    *(void **)&blas.sgemm = dlsym(library, "cblas_sgemm");
    *(void **)&blas.sgemv = dlsym(library, "cblas_sgemv");
    text_fn *config, *core;
    *(void **)&config = dlsym(library, "openblas_get_config");
    *(void **)&core = dlsym(library, "openblas_get_corename");
    if (!blas.sgemm || !blas.sgemv || !config || !core) {
        snprintf(about, size, "%s is not OpenBLAS: it lacks cblas_sgemm, cblas_sgemv or openblas_get_config",
                 file);
        return false;
    }
    snprintf(about, size, "%s; core type %s", config(), core());
    return true;
}

static void layer_free(void *p)
{
    layer *l = p;
    if (l)
        free(l->w);
    free(l);
}

static void *layer_new(gemm_shape shape, gemm_type type, const void *x, float *y)
{
    layer *l = malloc(sizeof *l);
    if (!l)
        return NULL;
    *l = (layer){ shape, x, gemm_memory((size_t)shape.inputs * (size_t)shape.outputs * gemm_type_bytes(type)),
                  y };
    if (l->w)
        return l;
    layer_free(l);
    return NULL;
}

static void layer_run(void *p)
{
    const layer *l = p;
    const int m = (int)l->shape.rows, k = (int)l->shape.inputs, n = (int)l->shape.outputs;
    if (m == 1)
        blas.sgemv(ROW_MAJOR, NO_TRANS, n, k, 1, l->w, k, l->x, 1, 0, l->y, 1);
    else
        blas.sgemm(ROW_MAJOR, NO_TRANS, TRANS, m, n, k, 1, l->x, k, l->w, k, 0, l->y, n);
}

const gemm_library gemm_openblas = { "openblas", { [GEMM_F32] = true }, openblas_open, layer_new, layer_run,
                                     layer_free };
