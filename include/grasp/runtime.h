/* runtime.h - what a process shares, passed explicitly: memory, log, threads, kernels.
 *
 * Two runtimes in one process do not see each other. A runtime outlives everything made with it. */
#ifndef GRASP_RUNTIME_H
#define GRASP_RUNTIME_H

#include <stddef.h>
#include "grasp/error.h"

typedef struct gr_runtime gr_runtime;

typedef enum { GR_LOG_DEBUG, GR_LOG_INFO, GR_LOG_WARNING } gr_log_level;

/* Memory comes from here. `alloc` returns `bytes` bytes aligned to `align` (a power of two, at least 16) or
 * NULL; the memory need not be zeroed. `free` takes what `alloc` returned. Both may be called from any
 * thread. */
typedef struct {
    void *(*alloc)(void *user, size_t bytes, size_t align);
    void (*free)(void *user, void *memory);
    void *user;
} gr_allocator;

/* What a processor can do, as far as a set of kernels asks for it. */
enum {
    GR_CPU_AVX2 = 1,        /* with FMA and F16C */
    GR_CPU_AVX512 = 2,      /* F, BW, DQ, VL */
    GR_CPU_NEON = 4,        /* AArch64, which always has it */
    GR_CPU_AVX512_BF16 = 8, /* besides AVX512: products of bf16, used for numerics released alone */
};

/* Begin with gr_runtime_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size;            /* sizeof(gr_runtime_options), set by init */
    int n_threads;          /* >= 1; 0 = as many as the process may use */
    unsigned cpu_mask;      /* GR_CPU_* bits that may be used; default all; 0 = plain C */
    gr_allocator allocator; /* alloc == NULL: the C library's */
    /* Called with one line, without newline, possibly from any thread. NULL: silent. */
    void (*log)(void *user, gr_log_level level, const char *line);
    void *log_user;
} gr_runtime_options;

GR_API void gr_runtime_options_init(gr_runtime_options *options);

/* `options` may be NULL. GR_ERR_ARG: n_threads outside 0..1024 or a size this library does not know.
 * GR_ERR_MEM. */
GR_API gr_status gr_runtime_new(gr_runtime **out, const gr_runtime_options *options, gr_error *err);
GR_API void gr_runtime_free(gr_runtime *rt); /* NULL is fine */
GR_API int gr_runtime_n_threads(const gr_runtime *rt);

#endif
