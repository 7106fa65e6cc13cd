#include "backend/cpu/prepare.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/half.h"
#include "base/runtime.h"

gr_dtype gr_panel_dtype(const gr_weight *w) { return w->round_bf16 ? GR_DTYPE_BF16 : w->dtype; }

/* Element i of the stored bytes, which may be misaligned. */
static float stored_at(const gr_weight *w, size_t i)
{
    float x;
    uint16_t h;
    if (w->dtype == GR_DTYPE_F32) {
        memcpy(&x, (const char *)w->stored + 4 * i, 4);
        return x;
    }
    memcpy(&h, (const char *)w->stored + 2 * i, 2);
    return w->dtype == GR_DTYPE_BF16 ? gr_f32_from_bf16(h) : gr_f32_from_f16(h);
}

/* Where logical row `row` is stored. */
static size_t stored_row(const gr_weight *w, size_t row)
{
    if (w->paired_rows == 0)
        return row;
    const size_t group = (size_t)w->paired_rows, j = row % group, half = group / 2;
    return row - j + (j < half ? 2 * j : 2 * (j - half) + 1);
}

static gr_status not_finite(const gr_weight *w, size_t at, gr_error *err)
{
    return gr_fail(err, GR_ERR_FORMAT,
                   "%s: tensor '%s': the value at row %zu, column %zu is %g, expected finite numbers only",
                   w->file ? w->file : "(memory)", w->name, at / w->cols, at % w->cols,
                   (double)stored_at(w, at));
}

gr_status gr_prepare_check(const gr_weight *w, gr_error *err)
{
    if (w->dtype == GR_DTYPE_F32 || w->dtype == GR_DTYPE_BF16 || w->dtype == GR_DTYPE_F16)
        return GR_OK;
    return gr_fail(err, GR_ERR_UNSUPPORTED, "%s: tensor '%s' is %s, expected F32, BF16 or F16",
                   w->file ? w->file : "(memory)", w->name, gr_dtype_name(w->dtype));
}

gr_status gr_prepare_vector(gr_runtime *rt, float *to, const gr_weight *w, gr_error *err)
{
    (void)rt;
    GR_TRY(gr_prepare_check(w, err));
    for (size_t i = 0; i < w->rows * w->cols; i++) {
        const float x = stored_at(w, i);
        if (!isfinite(x))
            return not_finite(w, i, err);
        to[i] = w->round_bf16 ? gr_round_bf16(x) : x;
    }
    return GR_OK;
}

typedef struct {
    const gr_weight *w;
    void *to;
    gr_dtype dtype;
    atomic_size_t bad; /* 1 + the smallest index of a value that is not finite; 0: none */
} pack_job;

static void note_bad(pack_job *job, size_t at)
{
    size_t known = atomic_load(&job->bad);
    while ((known == 0 || at + 1 < known) && !atomic_compare_exchange_weak(&job->bad, &known, at + 1)) {
    }
}

static void pack_panel(void *user, size_t p, int worker)
{
    (void)worker;
    pack_job *job = user;
    const gr_weight *w = job->w;
    const size_t first = p * GR_PANEL, outputs = w->rows - first < GR_PANEL ? w->rows - first : GR_PANEL;
    const size_t at = p * w->cols * GR_PANEL;
    for (size_t o = 0; o < GR_PANEL; o++)
        for (size_t k = 0; k < w->cols; k++) {
            const size_t from = (o < outputs ? stored_row(w, first + o) : 0) * w->cols + k,
                         to = at + k * GR_PANEL + gr_panel_slot(job->dtype, o);
            const float x = o < outputs ? stored_at(w, from) : 0.0f;
            if (!isfinite(x))
                note_bad(job, from);
            if (job->dtype == GR_DTYPE_F32)
                ((float *)job->to)[to] = x;
            else
                ((uint16_t *)job->to)[to] =
                    job->dtype == GR_DTYPE_BF16 ? gr_bf16_from_f32(x) : gr_f16_from_f32(x);
        }
}

gr_status gr_prepare_panels(gr_runtime *rt, void *to, const gr_weight *w, gr_error *err)
{
    GR_TRY(gr_prepare_check(w, err));
    pack_job job = { .w = w, .to = to, .dtype = gr_panel_dtype(w) };
    gr_threads_run(rt->threads, gr_n_panels(w->rows), pack_panel, &job);
    const size_t bad = atomic_load(&job.bad);
    return bad ? not_finite(w, bad - 1, err) : GR_OK;
}
