#include "backend/cpu/prepare.h"

#include <string.h>

#include "base/alloc.h"
#include "base/failure.h"
#include "base/half.h"
#include "base/runtime.h"

gr_dtype gr_panel_dtype(const gr_weight *w) { return w->round_bf16 ? GR_DTYPE_BF16 : w->dtype; }

gr_status gr_prepare_check(const gr_weight *w, gr_error *err)
{
    if (w->dtype == GR_DTYPE_F32 || w->dtype == GR_DTYPE_BF16 || w->dtype == GR_DTYPE_F16)
        return GR_OK;
    return gr_fail(err, GR_ERR_UNSUPPORTED, "%s: tensor '%s' is %s, expected F32, BF16 or F16",
                   w->file ? w->file : "(memory)", w->name, gr_dtype_name(w->dtype));
}

/* 0 f32, 1 bf16, 2 f16. */
static int type_of(gr_dtype dtype) { return dtype == GR_DTYPE_F32 ? 0 : dtype == GR_DTYPE_BF16 ? 1 : 2; }

gr_status gr_prepare_vector(float *to, const gr_weight *w, gr_error *err)
{
    GR_TRY(gr_prepare_check(w, err));
    const size_t n = w->rows * w->cols;
    uint8_t *read =
        (uint8_t *)(to + n) - n * gr_dtype_bytes(w->dtype); /* its own memory, widened from there */
    GR_TRY(gr_weight_read(w, 0, 0, n, read, err));
    GR_TRY(gr_weight_check(w, 0, 0, n, read, err));
    if (w->dtype != GR_DTYPE_F32)
        gr_widen_in_place(to, type_of(w->dtype), n);
    for (size_t i = 0; w->round_bf16 && i < n; i++)
        to[i] = gr_round_bf16(to[i]);
    return GR_OK;
}

/* --- panels -------------------------------------------------------------------------------------------- */

typedef struct {
    const gr_weight *w;
    uint8_t *to, *buffers;
    size_t buffer_bytes; /* of one worker */
    gr_dtype dtype;      /* of the panels */
    gr_failure failure;
} pack_job;

/* Reads columns [k0, k0 + n) of `rows` logical rows into buffer[rows][n] and checks them: a panel that is
 * stored in one piece at once, others row by row. */
static gr_status read_block(const gr_weight *w, size_t first, size_t rows, size_t k0, size_t n,
                            uint8_t *buffer, gr_error *err)
{
    const bool whole = n == w->cols && w->paired_rows == 0;
    const size_t row_bytes = n * gr_dtype_bytes(w->dtype);
    for (size_t r = 0; r < rows; r += whole ? rows : 1) {
        const size_t row = gr_weight_stored_row(w, first + r), count = whole ? rows * n : n;
        GR_TRY(gr_weight_read(w, row, k0, count, buffer + r * row_bytes, err));
        GR_TRY(gr_weight_check(w, row, k0, count, buffer + r * row_bytes, err));
    }
    return GR_OK;
}

/* 32 outputs by so many k at a time: what is turned lies in the first-level cache, however far apart the rows
 * are, and the panel is written in order. */
#define TILE 32

static void turn_32(uint32_t *to, uint32_t from[GR_PANEL][TILE], size_t n)
{
    for (size_t k = 0; k < n; k++)
        for (size_t o = 0; o < GR_PANEL; o++)
            to[k * GR_PANEL + o] = from[o][k];
}

static void turn_16(uint16_t *to, uint16_t from[GR_PANEL][TILE], size_t n)
{
    for (size_t k = 0; k < n; k++)
        for (size_t o = 0; o < GR_PANEL; o++)
            to[k * GR_PANEL + o] = from[o][k];
}

/* In pairs of outputs o and o + 16, as bf16 panels lie (gr_panel_slot). */
static void turn_pairs(uint16_t *to, uint16_t from[GR_PANEL][TILE], size_t n)
{
    for (size_t k = 0; k < n; k++)
        for (size_t o = 0; o < GR_PANEL / 2; o++) {
            to[k * GR_PANEL + 2 * o] = from[o][k];
            to[k * GR_PANEL + 2 * o + 1] = from[o + GR_PANEL / 2][k];
        }
}

/* n values of a row as the panel has them: the same bits, or rounded to bf16. */
static void convert(uint16_t *to, const void *from, gr_dtype stored, size_t n)
{
    float wide[TILE];
    gr_widen(wide, from, type_of(stored), n);
    for (size_t i = 0; i < n; i++)
        to[i] = gr_bf16_from_f32(wide[i]);
}

static void turn_block(const pack_job *job, uint8_t *to, const uint8_t *buffer, size_t rows, size_t n)
{
    const gr_dtype stored = job->w->dtype;
    const size_t element = gr_dtype_bytes(stored), made = gr_dtype_bytes(job->dtype);
    union {
        uint32_t u[GR_PANEL][TILE];
        uint16_t h[GR_PANEL][TILE];
    } tile;
    memset(&tile, 0, sizeof tile); /* outputs past the last are zero */
    for (size_t k = 0, take; k < n; k += take) {
        take = n - k < TILE ? n - k : TILE;
        for (size_t r = 0; r < rows; r++) {
            const uint8_t *from = buffer + (r * n + k) * element;
            void *row = made == 4 ? (void *)tile.u[r] : tile.h[r];
            if (stored == job->dtype)
                memcpy(row, from, take * element);
            else
                convert(row, from, stored, take);
        }
        void *out = to + k * GR_PANEL * made;
        if (job->dtype == GR_DTYPE_F32)
            turn_32(out, tile.u, take);
        else if (job->dtype == GR_DTYPE_BF16)
            turn_pairs(out, tile.h, take);
        else
            turn_16(out, tile.h, take);
    }
}

static void pack_panel(void *user, size_t p, int worker)
{
    pack_job *job = user;
    const gr_weight *w = job->w;
    const size_t first = p * GR_PANEL, rows = w->rows - first < GR_PANEL ? w->rows - first : GR_PANEL;
    const size_t made = gr_dtype_bytes(job->dtype), step = gr_weight_block_cols(w);
    uint8_t *buffer = job->buffers + (size_t)worker * job->buffer_bytes;
    for (size_t k = 0, n; k < w->cols; k += n) {
        gr_error why = { 0 };
        n = w->cols - k < step ? w->cols - k : step;
        if (read_block(w, first, rows, k, n, buffer, &why) != GR_OK) {
            gr_failure_note(&job->failure, first * w->cols + k, why.status, "%s", why.msg);
            return;
        }
        turn_block(job, job->to + (p * w->cols + k) * GR_PANEL * made, buffer, rows, n);
    }
}

gr_status gr_prepare_panels(gr_runtime *rt, void *to, const gr_weight *w, gr_error *err)
{
    GR_TRY(gr_prepare_check(w, err));
    pack_job job = {
        .w = w, .to = to, .buffer_bytes = gr_weight_buffer_bytes(w), .dtype = gr_panel_dtype(w)
    };
    const size_t all = job.buffer_bytes * (size_t)gr_threads_count(rt->threads);
    job.buffers = gr_malloc(rt, all, 1);
    if (!job.buffers)
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu bytes to read '%s'", all, w->name);
    gr_failure_init(&job.failure);
    gr_threads_run(rt->threads, gr_n_panels(w->rows), pack_panel, &job);
    gr_free(rt, job.buffers);
    return gr_failure_status(&job.failure, err);
}
