#include "backend/weight.h"

#include "base/half.h"

size_t gr_weight_form_bytes(const gr_weight *w, gr_form form)
{
    switch (form) {
    case GR_FORM_VECTOR:
        return w->rows * w->cols * sizeof(float);
    case GR_FORM_PANELS:
        return gr_n_panels(w->rows) * GR_PANEL * w->cols *
               (w->dtype == GR_DTYPE_F32 && !w->round_bf16 ? 4 : 2);
    default:
        return 0; /* look-ups read the file's own bytes */
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
