#define _GNU_SOURCE /* MADV_HUGEPAGE */
#include "base/runtime.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "grasp/version.h"

#define STR_(x) #x
#define STR(x)  STR_(x)

const char *gr_version(void)
{
    return STR(GR_VERSION_MAJOR) "." STR(GR_VERSION_MINOR) "." STR(GR_VERSION_PATCH);
}

void gr_runtime_options_init(gr_runtime_options *options)
{
    *options = (gr_runtime_options){ .size = sizeof *options, .cpu_mask = ~0u };
}

/* Large blocks (packed weights, KV pages) ask for huge pages: a token streams all of them, and fewer
 * page-table walks are worth a tenth of its time. Where the system declines nothing is lost. */
#define HUGE_PAGE ((size_t)2 << 20)

static void *libc_alloc(void *user, size_t bytes, size_t align)
{
    (void)user;
    void *memory = NULL;
    const bool large = bytes >= 4 * HUGE_PAGE;
    if (posix_memalign(&memory, large ? HUGE_PAGE : align, bytes) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (large)
        madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

static void libc_free(void *user, void *memory)
{
    (void)user;
    free(memory);
}

gr_status gr_runtime_new(gr_runtime **out, const gr_runtime_options *options, gr_error *err)
{
    *out = NULL;
    gr_runtime_options o;
    gr_runtime_options_init(&o);
    if (options && options->size != sizeof o)
        return gr_fail(
            err, GR_ERR_ARG,
            "gr_runtime_options.size is %zu, this library expects %zu: call gr_runtime_options_init",
            options->size, sizeof o);
    if (options)
        o = *options;
    if (o.n_threads < 0 || o.n_threads > GR_THREADS_MAX)
        return gr_fail(err, GR_ERR_ARG, "n_threads is %d, expected 0 (all) to %d", o.n_threads,
                       GR_THREADS_MAX);
    if (!o.allocator.alloc)
        o.allocator = (gr_allocator){ libc_alloc, libc_free, NULL };
    if (o.n_threads == 0)
        o.n_threads = gr_threads_available();

    gr_runtime *rt = o.allocator.alloc(o.allocator.user, sizeof *rt, 64);
    if (!rt)
        return gr_fail(err, GR_ERR_MEM, "no memory for the runtime");
    *rt = (gr_runtime){ .alloc = o.allocator, .log = o.log, .log_user = o.log_user, .cpu_mask = o.cpu_mask };
    const gr_status st = gr_threads_new(&rt->threads, &rt->alloc, o.n_threads, err);
    if (st != GR_OK)
        gr_runtime_free(rt);
    else
        *out = rt;
    return st;
}

void gr_runtime_free(gr_runtime *rt)
{
    if (!rt)
        return;
    gr_threads_free(rt->threads);
    const gr_allocator a = rt->alloc;
    a.free(a.user, rt);
}

int gr_runtime_n_threads(const gr_runtime *rt) { return gr_threads_count(rt->threads); }

gr_status gr_runtime_single(gr_runtime **out, const gr_runtime *like, gr_error *err)
{
    gr_runtime_options o;
    gr_runtime_options_init(&o);
    o.n_threads = 1;
    o.cpu_mask = like->cpu_mask;
    o.allocator = like->alloc;
    o.log = like->log;
    o.log_user = like->log_user;
    return gr_runtime_new(out, &o, err);
}
