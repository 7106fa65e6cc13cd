#include "text/merge_heap.h"

#include "base/alloc.h"

static bool before(gr_merge_candidate a, gr_merge_candidate b)
{
    return a.rank != b.rank ? a.rank < b.rank : a.at < b.at;
}

bool gr_merge_heap_push(gr_merge_heap *h, gr_runtime *rt, gr_merge_candidate c)
{
    if (!gr_grow(rt, &h->v, &h->cap, h->n, h->n + 1, sizeof *h->v))
        return false;
    size_t i = h->n++;
    for (; i > 0 && before(c, h->v[(i - 1) / 2]); i = (i - 1) / 2, h->steps++)
        h->v[i] = h->v[(i - 1) / 2];
    h->v[i] = c;
    return true;
}

gr_merge_candidate gr_merge_heap_pop(gr_merge_heap *h)
{
    const gr_merge_candidate top = h->v[0], last = h->v[--h->n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < h->n; i = child, h->steps++) {
        if (child + 1 < h->n && before(h->v[child + 1], h->v[child]))
            child++;
        if (!before(h->v[child], last))
            break;
        h->v[i] = h->v[child];
    }
    h->v[i] = last;
    return top;
}

void gr_merge_heap_fini(gr_merge_heap *h, gr_runtime *rt)
{
    gr_free(rt, h->v);
    *h = (gr_merge_heap){ 0 };
}
