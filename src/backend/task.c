#include "backend/task.h"

#include "base/half.h"

size_t gr_units_rows(const gr_task *t, int phase)
{
    (void)phase;
    return (t->out[0].rows + GR_ROW_BLOCK - 1) / GR_ROW_BLOCK;
}

void gr_unit_rows(const gr_task *t, size_t unit, size_t *r0, size_t *r1)
{
    *r0 = unit * GR_ROW_BLOCK;
    *r1 = *r0 + GR_ROW_BLOCK < t->out[0].rows ? *r0 + GR_ROW_BLOCK : t->out[0].rows;
}

void gr_finish(const gr_task *t, float *row, size_t n)
{
    if (t->round == GR_ROUND_BF16)
        for (size_t i = 0; i < n; i++)
            row[i] = gr_round_bf16(row[i]);
}
