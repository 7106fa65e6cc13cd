#include "test.h"

#include "support/counting.h"

#define HEAD 64 /* before every block: what was got, and how many bytes were asked for */

static void *counted_alloc(void *user, size_t bytes, size_t align)
{
    counting *c = user;
    void *got;
    assert_true(align <= HEAD);
    if (posix_memalign(&got, HEAD, HEAD + bytes) != 0)
        return NULL;
    memcpy(got, &bytes, sizeof bytes);
    const size_t now = atomic_fetch_add(&c->now, bytes) + bytes;
    atomic_fetch_add(&c->calls, 1);
    for (size_t peak = atomic_load(&c->peak); now > peak;)
        if (atomic_compare_exchange_weak(&c->peak, &peak, now))
            break;
    return (char *)got + HEAD;
}

static void counted_free(void *user, void *memory)
{
    counting *c = user;
    char *got = (char *)memory - HEAD;
    size_t bytes;
    memcpy(&bytes, got, sizeof bytes);
    atomic_fetch_sub(&c->now, bytes);
    free(got);
}

gr_runtime *counting_runtime(counting *c, int n_threads)
{
    gr_runtime *rt;
    gr_runtime_options o;
    gr_error err = { 0 };
    gr_runtime_options_init(&o);
    o.n_threads = n_threads;
    o.allocator = (gr_allocator){ counted_alloc, counted_free, c };
    MUST(gr_runtime_new(&rt, &o, &err));
    return rt;
}
