#include "bench/limits.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "bench/machine.h"
#include "bench/row.h"

#define STEPS          ((size_t)1 << 16) /* of one unit of multiply-adds: some tenths of a millisecond */
#define UNITS_A_THREAD 16                /* whoever is held up leaves units to the others, as in inference */
#define BLOCK          ((size_t)4 << 20) /* bytes of one unit of reading */
#define STREAMS        4 /* that a thread reads at once: one does not fill what may be under way */

/* Four times the cache would do for a cache that forgets the oldest; not all do. */
static size_t memory_bytes(void)
{
    const size_t wanted = 8 * gr_machine_l3_bytes(), least = (size_t)64 << 20, most = (size_t)512 << 20;
    return wanted < least ? least : wanted > most ? most : wanted / BLOCK * BLOCK;
}

gr_status gr_limits_init(gr_limits *l, gr_runtime *rt, gr_error *err)
{
    *l = (gr_limits){ .rt = rt,
                      .n_units = UNITS_A_THREAD * (size_t)gr_threads_count(rt->threads),
                      .n_blocks = memory_bytes() / BLOCK };
    gr_kernels_init(&l->kernels, rt->cpu_mask);
    l->memory = gr_malloc(rt, l->n_blocks, BLOCK);
    l->sums = gr_calloc(rt, l->n_blocks, sizeof *l->sums);
    l->unit_flop = gr_calloc(rt, l->n_units, sizeof *l->unit_flop);
    if (!l->memory || !l->sums || !l->unit_flop) {
        gr_limits_fini(l);
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu MB whose reading is timed",
                       l->n_blocks * (BLOCK >> 20));
    }
    memset(l->memory, 1, l->n_blocks * BLOCK); /* pages that were never written are all the same one */
    return GR_OK;
}

void gr_limits_fini(gr_limits *l)
{
    gr_free(l->rt, l->memory);
    gr_free(l->rt, l->sums);
    gr_free(l->rt, l->unit_flop);
    l->memory = l->sums = NULL;
    l->unit_flop = NULL;
}

/* --- multiply-adds ------------------------------------------------------------------------------- */

static void multiply_add(void *user, size_t unit, int worker)
{
    (void)worker;
    gr_limits *l = user;
    float sum;
    l->unit_flop[unit] = l->kernels.peak(&sum, STEPS);
}

static gr_status run_fma(void *user, gr_error *err)
{
    (void)err;
    gr_limits *l = user;
    gr_threads_run(l->rt->threads, l->n_units, multiply_add, l);
    l->flop = l->unit_flop[0] * (double)l->n_units;
    return GR_OK;
}

/* --- reading ------------------------------------------------------------------------------------- */

typedef uint64_t pair __attribute__((vector_size(16))); /* any machine adds two at once */

static inline pair load(const uint64_t *p)
{
    pair v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void read_block(void *user, size_t unit, int worker)
{
    (void)worker;
    gr_limits *l = user;
    const size_t words = BLOCK / sizeof(uint64_t), part = words / STREAMS;
    const uint64_t *from = l->memory + unit * words;
    pair sum[STREAMS] = { { 0 } };
    for (size_t i = 0; i < part; i += 8) /* a cache line of every stream */
        for (size_t s = 0; s < STREAMS; s++) {
            const uint64_t *p = from + s * part + i;
            sum[s] += (load(p) + load(p + 2)) + (load(p + 4) + load(p + 6));
        }
    const pair all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    l->sums[unit] = all[0] + all[1];
}

static gr_status run_read(void *user, gr_error *err)
{
    (void)err;
    gr_limits *l = user;
    gr_threads_run(l->rt->threads, l->n_blocks, read_block, l);
    return GR_OK;
}

/* --- both ---------------------------------------------------------------------------------------- */

gr_work gr_limits_work(gr_limits *l, gr_limit limit)
{
    return (gr_work){ limit == GR_LIMIT_FMA ? run_fma : run_read, l };
}

double gr_limits_amount(const gr_limits *l, gr_limit limit)
{
    return limit == GR_LIMIT_FMA ? l->flop : (double)(l->n_blocks * BLOCK);
}

gr_status gr_limits_measure(gr_bench_row *row, gr_limits *l, gr_limit limit, const gr_timing *t,
                            gr_error *err)
{
    static const char *const names[] = { "limit/fma", "limit/read" };
    gr_timed timed;
    const gr_work work = gr_limits_work(l, limit);
    GR_TRY(gr_timing_run(&timed, t, &work, NULL, err));
    const bool reads = limit == GR_LIMIT_READ;
    *row = (gr_bench_row){ .kind = "limit",
                           .name = names[limit],
                           .threads = gr_threads_count(l->rt->threads),
                           .flop = reads ? 0 : gr_limits_amount(l, limit),
                           .bytes = reads ? gr_limits_amount(l, limit) : 0,
                           .fraction = NAN };
    gr_row_measured(row, reads ? GR_UNIT_READ : GR_UNIT_FLOP, timed.work, timed.n);
    return GR_OK;
}
