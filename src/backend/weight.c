#include "backend/weight.h"

#include <string.h>

#include "base/half.h"

/* F32, BF16, F16 as gr_widen counts them. */
static int type_of(gr_dtype dtype) { return dtype == GR_DTYPE_F32 ? 0 : dtype == GR_DTYPE_BF16 ? 1 : 2; }

static const char *file_of(const gr_weight *w) { return w->file ? w->file : "(memory)"; }

size_t gr_weight_form_bytes(const gr_weight *w, gr_form form)
{
    switch (form) {
    case GR_FORM_VECTOR:
        return w->rows * w->cols * sizeof(float);
    case GR_FORM_PANELS:
        return gr_n_panels(w->rows) * GR_PANEL * w->cols *
               (w->dtype == GR_DTYPE_F32 && !w->round_bf16 ? 4 : 2);
    default:
        return 0; /* looked up where they lie */
    }
}

void gr_panel_widen(float *to, const void *from, gr_dtype dtype, size_t n)
{
    const uint16_t *h = from;
    if (dtype != GR_DTYPE_BF16) {
        gr_widen(to, from, dtype == GR_DTYPE_F32 ? 0 : 2, n * GR_PANEL);
        return;
    }
    for (size_t k = 0; k < n; k++, to += GR_PANEL, h += GR_PANEL)
        for (size_t j = 0; j < GR_PANEL / 2; j++) {
            to[j] = gr_f32_from_bf16(h[2 * j]);
            to[j + GR_PANEL / 2] = gr_f32_from_bf16(h[2 * j + 1]);
        }
}

#define BLOCK_BYTES ((size_t)256 << 10)

size_t gr_weight_block_cols(const gr_weight *w)
{
    const size_t most = BLOCK_BYTES / GR_PANEL / gr_dtype_bytes(w->dtype);
    return w->cols < most ? w->cols : most;
}

size_t gr_weight_buffer_bytes(const gr_weight *w)
{
    return (gr_weight_block_cols(w) * GR_PANEL * gr_dtype_bytes(w->dtype) + 63) / 64 * 64;
}

size_t gr_weight_stored_row(const gr_weight *w, size_t row)
{
    if (w->paired_rows == 0)
        return row;
    const size_t group = (size_t)w->paired_rows, j = row % group, half = group / 2;
    return row - j + (j < half ? 2 * j : 2 * (j - half) + 1);
}

gr_status gr_weight_read(const gr_weight *w, size_t row, size_t col, size_t n, void *to, gr_error *err)
{
    const size_t element = gr_dtype_bytes(w->dtype), at = (row * w->cols + col) * element;
    gr_error why = { 0 };
    if (w->stored)
        memcpy(to, (const uint8_t *)w->stored + at, n * element);
    else if (gr_source_read(w->source, w->offset + at, to, n * element, &why) != GR_OK)
        return gr_fail(err, why.status, "%s: tensor '%s': %s", file_of(w), w->name, why.msg);
    return GR_OK;
}

gr_status gr_weight_check(const gr_weight *w, size_t row, size_t col, size_t n, const void *read,
                          gr_error *err)
{
    const int type = type_of(w->dtype);
    const size_t bad = gr_first_not_finite(read, type, n), at = row * w->cols + col + bad;
    float value;
    if (bad == n)
        return GR_OK;
    gr_widen(&value, (const uint8_t *)read + bad * gr_dtype_bytes(w->dtype), type, 1);
    return gr_fail(err, GR_ERR_FORMAT,
                   "%s: tensor '%s': the value at row %zu, column %zu is %g, expected finite numbers only",
                   file_of(w), w->name, at / w->cols, at % w->cols, (double)value);
}

static void from_panels(const gr_weight *w, size_t row, float *y)
{
    const size_t slot = gr_panel_slot(w->panel_dtype, row % GR_PANEL),
                 first = row / GR_PANEL * GR_PANEL * w->cols + slot;
    const float *f = w->panels;
    const uint16_t *h = w->panels;
    for (size_t k = 0; k < w->cols; k++) {
        const size_t at = first + k * GR_PANEL;
        y[k] = w->panel_dtype == GR_DTYPE_F32    ? f[at]
               : w->panel_dtype == GR_DTYPE_BF16 ? gr_f32_from_bf16(h[at])
                                                 : gr_f32_from_f16(h[at]);
    }
}

gr_status gr_weight_look_up(const gr_weight *w, size_t row, float *y, gr_error *err)
{
    const int type = type_of(w->dtype);
    const size_t row_bytes = w->cols * gr_dtype_bytes(w->dtype);
    if (w->panels) {
        from_panels(w, row, y);
        return GR_OK;
    }
    if (w->looked_up) {
        gr_widen(y, (const uint8_t *)w->looked_up + row * row_bytes, type, w->cols);
        return GR_OK;
    }
    /* To the end of the row's own memory, and widened from there. */
    uint8_t *read = (uint8_t *)(y + w->cols) - row_bytes;
    row = gr_weight_stored_row(w, row);
    GR_TRY(gr_weight_read(w, row, 0, w->cols, read, err));
    GR_TRY(gr_weight_check(w, row, 0, w->cols, read, err));
    if (type != 0)
        gr_widen_in_place(y, type, w->cols);
    return GR_OK;
}
