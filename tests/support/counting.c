#include "test.h"

#include "support/counting.h"

/* Before every block, in its last 2 words of room: what was got, and how many bytes were asked for. */
typedef struct {
    void *got;
    size_t bytes;
} head;

static void *counted_alloc(void *user, size_t bytes, size_t align)
{
    counting *c = user;
    void *got;
    const size_t call = atomic_fetch_add(&c->calls, 1) + 1, fail_at = atomic_load(&c->fail_at);
    if (fail_at > 0 && (c->for_good ? call >= fail_at : call == fail_at))
        return NULL;
    const size_t room = align > sizeof(head) ? align : sizeof(head);
    if (posix_memalign(&got, room, room + bytes) != 0)
        return NULL;
    head *h = (head *)(void *)((char *)got + room - sizeof(head));
    *h = (head){ got, bytes };
    const size_t now = atomic_fetch_add(&c->now, bytes) + bytes;
    for (size_t peak = atomic_load(&c->peak); now > peak;)
        if (atomic_compare_exchange_weak(&c->peak, &peak, now))
            break;
    return (char *)got + room;
}

static void counted_free(void *user, void *memory)
{
    counting *c = user;
    const head *h = (const head *)memory - 1;
    atomic_fetch_sub(&c->now, h->bytes);
    free(h->got);
}

gr_allocator counting_allocator(counting *c) { return (gr_allocator){ counted_alloc, counted_free, c }; }

gr_runtime *counting_runtime(counting *c, int n_threads) { return counting_runtime_cpu(c, n_threads, ~0u); }

gr_runtime *counting_runtime_cpu(counting *c, int n_threads, unsigned cpu_mask)
{
    gr_runtime *rt;
    gr_runtime_options o;
    gr_error err = { 0 };
    gr_runtime_options_init(&o);
    o.n_threads = n_threads;
    o.cpu_mask = cpu_mask;
    o.allocator = counting_allocator(c);
    MUST(gr_runtime_new(&rt, &o, &err));
    return rt;
}
