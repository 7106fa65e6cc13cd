#include "backend/weight.h"

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
