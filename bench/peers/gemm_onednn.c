/* gemm_onednn.c - oneDNN's inner product, the operator of a linear layer, with weights packed once in the
 * form it asks for. The C interface of version 2; without its header the file says so and measures nothing.
 */
#include <stdio.h>

#include "gemm.h"

#if defined __has_include
#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#endif
#endif

#if defined DNNL_VERSION_MAJOR && DNNL_VERSION_MAJOR == 2

#include <dlfcn.h>
#include <stdlib.h>

/* The functions used, loaded by name so that the program runs without the library. */
#define DNNL_FUNCTIONS(X)                   \
    X(dnnl_version)                         \
    X(dnnl_get_effective_cpu_isa)           \
    X(dnnl_engine_create)                   \
    X(dnnl_stream_create)                   \
    X(dnnl_stream_wait)                     \
    X(dnnl_memory_create)                   \
    X(dnnl_memory_destroy)                  \
    X(dnnl_memory_desc_init_by_tag)         \
    X(dnnl_memory_desc_get_size)            \
    X(dnnl_inner_product_forward_desc_init) \
    X(dnnl_primitive_desc_create)           \
    X(dnnl_primitive_desc_destroy)          \
    X(dnnl_primitive_desc_query_md)         \
    X(dnnl_primitive_create)                \
    X(dnnl_primitive_destroy)               \
    X(dnnl_primitive_execute)

static struct {
#define X(name) __typeof__(name) *name;
    DNNL_FUNCTIONS(X)
#undef X
    dnnl_engine_t engine;
    dnnl_stream_t stream;
} dnnl; /* the program is one measurement of one library */

enum { SRC, WEIGHTS, DST, MEMORIES };

typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[MEMORIES];
    void *w;
} layer;

static const struct {
    dnnl_cpu_isa_t isa;
    const char *name;
} isas[] = {
    { dnnl_cpu_isa_sse41, "SSE4.1" },
    { dnnl_cpu_isa_avx, "AVX" },
    { dnnl_cpu_isa_avx2, "AVX2" },
    { dnnl_cpu_isa_avx2_vnni, "AVX2 with VNNI" },
    { dnnl_cpu_isa_avx512_core, "AVX-512" },
    { dnnl_cpu_isa_avx512_core_vnni, "AVX-512 with VNNI" },
    { dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with VNNI and bf16" },
    { dnnl_cpu_isa_avx512_core_amx, "AVX-512 with AMX" },
};

static const char *isa_name(void)
{
    const dnnl_cpu_isa_t isa = dnnl.dnnl_get_effective_cpu_isa();
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++)
        if (isas[i].isa == isa)
            return isas[i].name;
    return "of a kind unknown here";
}

static bool onednn_open(const char *path, char *about, size_t size)
{
    const char *file = path && *path ? path : "libdnnl.so.2";
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(about, size, "oneDNN cannot be loaded: %s", dlerror());
        return false;
    }
#define X(name)                                                                \
    *(void **)&dnnl.name = dlsym(library, #name);                              \
    if (!dnnl.name) {                                                          \
        snprintf(about, size, "%s is not oneDNN 2: it lacks %s", file, #name); \
        return false;                                                          \
    }
    DNNL_FUNCTIONS(X)
#undef X
    const dnnl_version_t *v = dnnl.dnnl_version();
    if (dnnl.dnnl_engine_create(&dnnl.engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl.dnnl_stream_create(&dnnl.stream, dnnl.engine, dnnl_stream_default_flags) != dnnl_success) {
        snprintf(about, size, "%s gives no engine for the processor", file);
        return false;
    }
    snprintf(about, size, "oneDNN %d.%d.%d; instructions %s", v->major, v->minor, v->patch, isa_name());
    return true;
}

static void layer_free(void *p)
{
    layer *l = p;
    if (!l)
        return;
    if (l->primitive)
        dnnl.dnnl_primitive_destroy(l->primitive);
    for (int i = 0; i < MEMORIES; i++)
        if (l->memory[i])
            dnnl.dnnl_memory_destroy(l->memory[i]);
    free(l->w);
    free(l);
}

/* The primitive and its three memories, as the description `pd` wants them. */
static bool layer_fill(layer *l, const_dnnl_primitive_desc_t pd, const void *x, float *y)
{
    const dnnl_memory_desc_t *src = dnnl.dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
    const dnnl_memory_desc_t *weights = dnnl.dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    const dnnl_memory_desc_t *dst = dnnl.dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    l->w = gemm_memory(dnnl.dnnl_memory_desc_get_size(weights));
    return l->w && dnnl.dnnl_memory_create(&l->memory[SRC], src, dnnl.engine, (void *)x) == dnnl_success &&
           dnnl.dnnl_memory_create(&l->memory[WEIGHTS], weights, dnnl.engine, l->w) == dnnl_success &&
           dnnl.dnnl_memory_create(&l->memory[DST], dst, dnnl.engine, y) == dnnl_success &&
           dnnl.dnnl_primitive_create(&l->primitive, pd) == dnnl_success;
}

static void *layer_new(gemm_shape shape, gemm_type type, const void *x, float *y)
{
    const dnnl_data_type_t element = type == GEMM_BF16 ? dnnl_bf16 : dnnl_f32;
    const dnnl_dims_t rows_in = { shape.rows, shape.inputs }, out_in = { shape.outputs, shape.inputs },
                      rows_out = { shape.rows, shape.outputs };
    dnnl_memory_desc_t src, weights, dst;
    dnnl_inner_product_desc_t description;
    dnnl_primitive_desc_t pd;
    if (dnnl.dnnl_memory_desc_init_by_tag(&src, 2, rows_in, element, dnnl_ab) != dnnl_success ||
        dnnl.dnnl_memory_desc_init_by_tag(&weights, 2, out_in, element, dnnl_format_tag_any) !=
            dnnl_success ||
        dnnl.dnnl_memory_desc_init_by_tag(&dst, 2, rows_out, dnnl_f32, dnnl_ab) != dnnl_success ||
        dnnl.dnnl_inner_product_forward_desc_init(&description, dnnl_forward_inference, &src, &weights, NULL,
                                                  &dst) != dnnl_success ||
        dnnl.dnnl_primitive_desc_create(&pd, &description, NULL, dnnl.engine, NULL) != dnnl_success)
        return NULL;
    layer *l = calloc(1, sizeof *l);
    const bool whole = l && layer_fill(l, pd, x, y);
    dnnl.dnnl_primitive_desc_destroy(pd);
    if (whole)
        return l;
    layer_free(l);
    return NULL;
}

static void layer_run(void *p)
{
    const layer *l = p;
    const dnnl_exec_arg_t arguments[] = { { DNNL_ARG_SRC, l->memory[SRC] },
                                          { DNNL_ARG_WEIGHTS, l->memory[WEIGHTS] },
                                          { DNNL_ARG_DST, l->memory[DST] } };
    dnnl.dnnl_primitive_execute(l->primitive, dnnl.stream, MEMORIES, arguments);
    dnnl.dnnl_stream_wait(dnnl.stream);
}

#else

static bool onednn_open(const char *path, char *about, size_t size)
{
    (void)path;
    snprintf(about, size,
             "oneDNN is left out: its header dnnl.h of version 2 was not there to compile against");
    return false;
}

static void *layer_new(gemm_shape shape, gemm_type type, const void *x, float *y)
{
    (void)shape, (void)type, (void)x, (void)y;
    return NULL;
}

static void layer_run(void *p) { (void)p; }
static void layer_free(void *p) { (void)p; }

#endif

const gemm_library gemm_onednn = { "onednn",    { [GEMM_F32] = true, [GEMM_BF16] = true },
                                   onednn_open, layer_new,
                                   layer_run,   layer_free };
