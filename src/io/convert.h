/* convert.h - stored elements to float32 and back. Stored data may be misaligned for its type. */
#ifndef GR_IO_CONVERT_H
#define GR_IO_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include "grasp/dtype.h"

/* F32, F64, F16 and BF16 convert; other types do not. */
bool gr_dtype_is_float(gr_dtype dtype);

/* n elements of `dtype` at src to floats; F64 is rounded to nearest even. False, and nothing written, for a
 * type that does not convert. */
bool gr_to_f32(float *out, const void *src, gr_dtype dtype, size_t n);

/* n floats to elements of `dtype`, rounded to nearest even. False as above. */
bool gr_from_f32(void *out, const float *src, gr_dtype dtype, size_t n);

#endif
