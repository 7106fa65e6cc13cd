#include "train/ranks.h"

gr_status gr_ranks_check(const gr_ranks *r, int64_t samples, gr_error *err)
{
    const int world = gr_ranks_world(r);
    if (r->rank < 0 || r->rank >= world)
        return gr_fail(err, GR_ERR_ARG, "rank %d of a world of %d", r->rank, world);
    if (world > 1 && !r->sum)
        return gr_fail(err, GR_ERR_ARG, "a world of %d ranks, and no function that adds up", world);
    if (samples % world != 0)
        return gr_fail(err, GR_ERR_ARG,
                       "accumulation is %lld samples a step, which %d ranks cannot share evenly",
                       (long long)samples, world);
    return GR_OK;
}

gr_status gr_ranks_agree(const gr_ranks *r, gr_status st, gr_error *err)
{
    double failed = st != GR_OK;
    gr_error lost = { 0 };
    const gr_status met = gr_ranks_sum(r, GR_DTYPE_F64, &failed, 1, &lost);
    if (st != GR_OK) /* this rank's own reason comes first */
        return st;
    if (met != GR_OK)
        return gr_fail(err, met, "%s", lost.msg);
    return failed == 0 ? GR_OK : gr_fail(err, GR_ERR_CANCELLED, "%g of %d ranks failed", failed, r->world);
}
