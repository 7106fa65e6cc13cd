#include "text/pairs.h"

#include "base/alloc.h"

void gr_pairs_fini(gr_pairs *p, gr_runtime *rt)
{
    gr_free(rt, p->v);
    gr_free(rt, p->slots);
    gr_free(rt, p->places);
    gr_free(rt, p->gained);
    gr_free(rt, p->heap);
    *p = (gr_pairs){ 0 };
}

/* --- by ids -------------------------------------------------------------------------------------------- */

static uint64_t hash_of(int32_t left, int32_t right)
{
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static size_t slot_of(const gr_pairs *p, int32_t left, int32_t right)
{
    size_t slot = hash_of(left, right) & (p->n_slots - 1);
    for (; p->slots[slot]; slot = (slot + 1) & (p->n_slots - 1)) {
        const gr_pair *pair = &p->v[p->slots[slot] - 1];
        if (pair->left == left && pair->right == right)
            break;
    }
    return slot;
}

static bool make_slots(gr_pairs *p, gr_runtime *rt)
{
    const size_t n_slots = p->n_slots ? 2 * p->n_slots : 4096;
    uint32_t *slots = gr_calloc(rt, n_slots, sizeof *slots);
    if (!slots)
        return false;
    gr_free(rt, p->slots);
    p->slots = slots;
    p->n_slots = n_slots;
    for (size_t i = 0; i < p->n; i++)
        slots[slot_of(p, p->v[i].left, p->v[i].right)] = (uint32_t)i + 1;
    return true;
}

/* The pair, which is new if need be; NULL: no memory. */
static gr_pair *find_or_add(gr_pairs *p, gr_runtime *rt, int32_t left, int32_t right)
{
    if (3 * (p->n + 1) > 2 * p->n_slots && !make_slots(p, rt))
        return NULL;
    const size_t slot = slot_of(p, left, right);
    if (p->slots[slot])
        return &p->v[p->slots[slot] - 1];
    if (p->n >= UINT32_MAX - 1 || !gr_grow(rt, &p->v, &p->cap, p->n, p->n + 1, sizeof *p->v))
        return NULL;
    p->v[p->n++] = (gr_pair){
        .left = left, .right = right, .first = GR_PLACE_NONE, .last = GR_PLACE_NONE, .round = GR_PLACE_NONE
    };
    p->slots[slot] = (uint32_t)p->n;
    return &p->v[p->n - 1];
}

void gr_pairs_lose(gr_pairs *p, int32_t left, int32_t right, int64_t count)
{
    p->v[p->slots[slot_of(p, left, right)] - 1].count -= count;
}

/* --- places -------------------------------------------------------------------------------------------- */

/* The number of an unused place; GR_PLACE_NONE: no memory. */
static uint32_t new_place(gr_pairs *p, gr_runtime *rt)
{
    if (p->free) {
        const uint32_t place = p->free - 1;
        p->free = p->places[place].next + 1; /* GR_PLACE_NONE + 1 is 0 */
        return place;
    }
    if (p->n_places >= GR_PLACE_NONE - 1 ||
        !gr_grow(rt, &p->places, &p->places_cap, p->n_places, p->n_places + 1, sizeof *p->places))
        return GR_PLACE_NONE;
    return (uint32_t)p->n_places++;
}

bool gr_pairs_gain(gr_pairs *p, gr_runtime *rt, int32_t left, int32_t right, int64_t count, uint32_t at)
{
    gr_pair *pair = find_or_add(p, rt, left, right);
    const uint32_t place = pair ? new_place(p, rt) : GR_PLACE_NONE;
    if (place == GR_PLACE_NONE)
        return false;
    p->places[place] = (gr_pair_place){ at, GR_PLACE_NONE };
    if (pair->first == GR_PLACE_NONE)
        pair->first = place;
    else
        p->places[pair->last].next = place;
    pair->last = place;
    pair->count += count;
    if (pair->round == p->round)
        return true;
    pair->round = p->round;
    if (!gr_grow(rt, &p->gained, &p->gained_cap, p->n_gained, p->n_gained + 1, sizeof *p->gained))
        return false;
    p->gained[p->n_gained++] = (uint32_t)(pair - p->v);
    return true;
}

gr_pair_list gr_pairs_take_places(gr_pairs *p, uint32_t pair)
{
    const gr_pair_list list = { p->v[pair].first, p->v[pair].last };
    p->v[pair].first = p->v[pair].last = GR_PLACE_NONE;
    return list;
}

void gr_pairs_free_places(gr_pairs *p, gr_pair_list list)
{
    if (list.first == GR_PLACE_NONE)
        return;
    p->places[list.last].next = p->free - 1; /* 0 - 1 is GR_PLACE_NONE */
    p->free = list.first + 1;
}

/* --- the order ----------------------------------------------------------------------------------------- */

static bool before(const gr_pair_candidate *a, const gr_pair_candidate *b)
{
    if (a->count != b->count)
        return a->count > b->count;
    return a->left != b->left ? a->left < b->left : a->right < b->right;
}

static bool push(gr_pairs *p, gr_runtime *rt, uint32_t pair)
{
    if (!gr_grow(rt, &p->heap, &p->heap_cap, p->n_heap, p->n_heap + 1, sizeof *p->heap))
        return false;
    const gr_pair_candidate c = { p->v[pair].count, p->v[pair].left, p->v[pair].right, pair };
    size_t i = p->n_heap++;
    for (; i > 0 && before(&c, &p->heap[(i - 1) / 2]); i = (i - 1) / 2)
        p->heap[i] = p->heap[(i - 1) / 2];
    p->heap[i] = c;
    return true;
}

static gr_pair_candidate pop(gr_pairs *p)
{
    const gr_pair_candidate top = p->heap[0], last = p->heap[--p->n_heap];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < p->n_heap; i = child) {
        if (child + 1 < p->n_heap && before(&p->heap[child + 1], &p->heap[child]))
            child++;
        if (!before(&p->heap[child], &last))
            break;
        p->heap[i] = p->heap[child];
    }
    p->heap[i] = last;
    return top;
}

bool gr_pairs_settle(gr_pairs *p, gr_runtime *rt, int64_t least)
{
    for (size_t i = 0; i < p->n_gained; i++)
        if (p->v[p->gained[i]].count >= least && !push(p, rt, p->gained[i]))
            return false;
    p->n_gained = 0;
    p->round++;
    return true;
}

/* Counts fall after a pair was pushed, never unnoticed rise: a candidate that is out of date is pushed again.
 */
bool gr_pairs_pop(gr_pairs *p, gr_runtime *rt, int64_t least, uint32_t *pair)
{
    while (p->n_heap > 0) {
        const gr_pair_candidate top = pop(p);
        const int64_t now = p->v[top.pair].count;
        if (now == top.count) {
            *pair = top.pair;
            return true;
        }
        if (now >= least)
            push(p, rt, top.pair); /* the room is there: one was popped */
        else if (now == 0)
            gr_pairs_free_places(p, gr_pairs_take_places(p, top.pair));
    }
    return false;
}
