#include "io/convert.h"

#include <stdint.h>
#include <string.h>

#include "base/half.h"

bool gr_dtype_is_float(gr_dtype dtype)
{
    return dtype == GR_DTYPE_F32 || dtype == GR_DTYPE_F64 || dtype == GR_DTYPE_F16 || dtype == GR_DTYPE_BF16;
}

bool gr_to_f32(float *out, const void *src, gr_dtype dtype, size_t n)
{
    const uint8_t *p = src;
    uint16_t h;
    double d;
    switch (dtype) {
    case GR_DTYPE_F32:
        if (n)
            memcpy(out, src, n * sizeof *out);
        return true;
    case GR_DTYPE_BF16:
        for (size_t i = 0; i < n; i++) {
            memcpy(&h, p + 2 * i, sizeof h);
            out[i] = gr_f32_from_bf16(h);
        }
        return true;
    case GR_DTYPE_F16:
        for (size_t i = 0; i < n; i++) {
            memcpy(&h, p + 2 * i, sizeof h);
            out[i] = gr_f32_from_f16(h);
        }
        return true;
    case GR_DTYPE_F64:
        for (size_t i = 0; i < n; i++) {
            memcpy(&d, p + 8 * i, sizeof d);
            out[i] = (float)d;
        }
        return true;
    default:
        return false;
    }
}

bool gr_from_f32(void *out, const float *src, gr_dtype dtype, size_t n)
{
    uint8_t *p = out;
    uint16_t h;
    double d;
    switch (dtype) {
    case GR_DTYPE_F32:
        if (n)
            memcpy(out, src, n * sizeof *src);
        return true;
    case GR_DTYPE_BF16:
        for (size_t i = 0; i < n; i++) {
            h = gr_bf16_from_f32(src[i]);
            memcpy(p + 2 * i, &h, sizeof h);
        }
        return true;
    case GR_DTYPE_F16:
        for (size_t i = 0; i < n; i++) {
            h = gr_f16_from_f32(src[i]);
            memcpy(p + 2 * i, &h, sizeof h);
        }
        return true;
    case GR_DTYPE_F64:
        for (size_t i = 0; i < n; i++) {
            d = (double)src[i];
            memcpy(p + 8 * i, &d, sizeof d);
        }
        return true;
    default:
        return false;
    }
}
