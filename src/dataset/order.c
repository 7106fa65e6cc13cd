#include "dataset/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define MOST_RANKS 1000000

/* Streams of permutations: of all rows, of those with a picture and those without, of the groups. */
enum { ALL, PICTURES, TEXTS, GROUPS };

static size_t batch_rows(const gr_order_options *o) { return (size_t)o->world * (size_t)o->accumulation; }

/* Rows that are sorted together: 50 batches, less where that would leave fewer than four groups. */
static size_t group_rows(const gr_order_options *o)
{
    const size_t batch = batch_rows(o);
    size_t batches = o->n_rows / (batch * 4);
    batches = batches > 50 ? 50 : batches;
    return batches ? batches * batch : batch;
}

static gr_status check(const gr_order_options *o, gr_error *err)
{
    if (o->n_rows < 1)
        return gr_fail(err, GR_ERR_ARG, "an order of no rows");
    if (o->n_rows > GR_ROWS_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "an order of %zu rows, at most %zu", o->n_rows, GR_ROWS_MAX);
    if (o->world < 1 || o->world > MOST_RANKS || o->accumulation < 1 || o->accumulation > MOST_RANKS)
        return gr_fail(err, GR_ERR_ARG, "%d ranks and %d micro-steps a batch, expected 1 to %d of each",
                       o->world, o->accumulation, MOST_RANKS);
    for (size_t i = 0; o->lengths && i < o->n_rows; i++)
        if (o->lengths[i] == 0 || o->lengths[i] == INT32_MIN)
            return gr_fail(err, GR_ERR_ARG, "row %zu has a length of %d tokens", i, o->lengths[i]);
    return GR_OK;
}

gr_status gr_order_init(gr_order *order, gr_runtime *rt, const gr_order_options *o, gr_error *err)
{
    *order = (gr_order){ .rt = rt, .o = *o };
    GR_TRY(check(o, err));
    const gr_status st = gr_order_choose(order, 0, err);
    if (st != GR_OK)
        gr_order_fini(order);
    return st;
}

void gr_order_fini(gr_order *order)
{
    if (order->rt)
        gr_free(order->rt, order->list);
    *order = (gr_order){ 0 };
}

/* --- grouping ------------------------------------------------------------------------------------------ */

/* What is being made, and memory for it. */
typedef struct {
    const gr_order_options *o;
    uint32_t epoch;
    uint32_t *list; /* what will be the order, one group after the other */
    uint32_t *rows; /* of one kind, in order of the file; later a copy of the list */
    uint64_t *keys; /* of one group */
} grouping;

static uint32_t length_of(const grouping *g, uint32_t row) { return (uint32_t)abs(g->o->lengths[row]); }

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Longest first; rows of one length keep their order. */
static void sort_group(grouping *g, uint32_t *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        g->keys[i] = (uint64_t)(UINT32_MAX - length_of(g, rows[i])) << 32 | i;
    qsort(g->keys, n, sizeof *g->keys, compare);
    for (size_t i = 0; i < n; i++)
        g->keys[i] = rows[(uint32_t)g->keys[i]];
    for (size_t i = 0; i < n; i++)
        rows[i] = (uint32_t)g->keys[i];
}

/* Rows of one kind, shuffled, into `to`. */
static size_t shuffle_kind(grouping *g, uint32_t stream, bool pictures, uint32_t *to)
{
    size_t n = 0;
    for (size_t i = 0; i < g->o->n_rows; i++)
        if ((g->o->lengths[i] > 0) == pictures)
            g->rows[n++] = (uint32_t)i;
    const gr_permutation p = gr_permutation_of(n ? n : 1, g->o->seed, g->epoch, stream);
    for (size_t i = 0; i < n; i++)
        to[i] = g->rows[gr_permutation_at(&p, i)];
    return n;
}

static void sort_groups(grouping *g, uint32_t *rows, size_t n)
{
    const size_t step = group_rows(g->o);
    for (size_t at = 0; at < n; at += step)
        sort_group(g, rows + at, n - at < step ? n - at : step);
}

/* The longest row of all to the very front, where it shows at once whether memory suffices. It is the first
 * of its group, so that two rows change places. */
static void longest_first(grouping *g)
{
    size_t longest = 0;
    for (size_t i = 0; i < g->o->n_rows; i++)
        if (length_of(g, g->list[i]) > length_of(g, g->list[longest]))
            longest = i;
    const uint32_t kept = g->list[0];
    g->list[0] = g->list[longest];
    g->list[longest] = kept;
}

/* One kind alone: groups in the order of the shuffle. Two kinds: their whole groups shuffled, then what is
 * left of both as one group. */
static void make_groups(grouping *g)
{
    const size_t n = g->o->n_rows, step = group_rows(g->o);
    const size_t pictures = shuffle_kind(g, PICTURES, true, g->list);
    const size_t texts = shuffle_kind(g, TEXTS, false, g->list + pictures);
    if (pictures == 0 || texts == 0) {
        sort_groups(g, g->list, n);
        longest_first(g);
        return;
    }
    /* The last group of either kind, whole or not, goes into the one at the end. */
    const size_t whole_pictures = (pictures - 1) / step, whole_texts = (texts - 1) / step,
                 whole = whole_pictures + whole_texts;
    const gr_permutation p = gr_permutation_of(whole ? whole : 1, g->o->seed, g->epoch, GROUPS);
    memcpy(g->rows, g->list, n * sizeof *g->rows);
    for (size_t i = 0; i < whole; i++) {
        const size_t k = (size_t)gr_permutation_at(&p, i);
        const size_t from = k < whole_pictures ? k * step : pictures + (k - whole_pictures) * step;
        memcpy(g->list + i * step, g->rows + from, step * sizeof *g->list);
    }
    uint32_t *last = g->list + whole * step;
    const size_t left = pictures - whole_pictures * step;
    memcpy(last, g->rows + whole_pictures * step, left * sizeof *last);
    memcpy(last + left, g->rows + pictures + whole_texts * step, (texts - whole_texts * step) * sizeof *last);
    sort_groups(g, g->list, whole * step);
    sort_group(g, last, n - whole * step);
    longest_first(g);
}

static gr_status group(gr_order *order, uint32_t epoch, gr_error *err)
{
    const size_t n = order->o.n_rows, step = group_rows(&order->o);
    grouping g = { .o = &order->o, .epoch = epoch };
    g.list = gr_malloc(order->rt, n, sizeof *g.list);
    g.rows = gr_malloc(order->rt, n, sizeof *g.rows);
    g.keys = gr_malloc(order->rt, 2 * step < n ? 2 * step : n, sizeof *g.keys);
    const bool ready = g.list && g.rows && g.keys;
    if (ready) {
        make_groups(&g);
        gr_free(order->rt, order->list);
        order->list = g.list;
    } else
        gr_free(order->rt, g.list);
    gr_free(order->rt, g.rows);
    gr_free(order->rt, g.keys);
    return ready ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory to order %zu rows", n);
}

gr_status gr_order_choose(gr_order *order, uint32_t epoch, gr_error *err)
{
    if (order->o.lengths && (!order->list || order->epoch != epoch))
        GR_TRY(group(order, epoch, err));
    order->epoch = epoch;
    order->permutation = gr_permutation_of(order->o.n_rows, order->o.seed, epoch, ALL);
    return GR_OK;
}

/* --- reading ------------------------------------------------------------------------------------------- */

uint64_t gr_order_batches(const gr_order *order)
{
    const size_t batch = batch_rows(&order->o);
    return order->o.n_rows / batch + (order->o.n_rows % batch != 0);
}

uint64_t gr_order_element(const gr_order *order, uint64_t micro_step, int rank)
{
    return micro_step * (uint64_t)order->o.world + (uint64_t)rank;
}

size_t gr_order_row(const gr_order *order, uint64_t element)
{
    const uint64_t i = element % order->o.n_rows;
    return order->list ? order->list[i] : (size_t)gr_permutation_at(&order->permutation, i);
}
