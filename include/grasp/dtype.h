/* dtype.h - element types of stored tensors; names as in safetensors. */
#ifndef GRASP_DTYPE_H
#define GRASP_DTYPE_H

#include <stddef.h>
#include "grasp/api.h"

#define GR_DTYPE_TABLE(X) \
    X(BOOL, 1)            \
    X(U8, 1)              \
    X(I8, 1)              \
    X(F8_E4M3, 1)         \
    X(F8_E5M2, 1)         \
    X(I16, 2)             \
    X(U16, 2)             \
    X(F16, 2)             \
    X(BF16, 2)            \
    X(I32, 4)             \
    X(U32, 4)             \
    X(F32, 4)             \
    X(F64, 8)             \
    X(I64, 8)             \
    X(U64, 8)

typedef enum {
#define X(name, bytes) GR_DTYPE_##name,
    GR_DTYPE_TABLE(X)
#undef X
        GR_DTYPE_COUNT
} gr_dtype;

/* Bytes of one element. */
GR_API size_t gr_dtype_bytes(gr_dtype dtype);
/* "BF16"; never NULL. */
GR_API const char *gr_dtype_name(gr_dtype dtype);
/* The type of that exact name, or GR_DTYPE_COUNT. */
GR_API gr_dtype gr_dtype_from_name(const char *name);

#endif
