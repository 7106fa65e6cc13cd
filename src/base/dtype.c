#include "grasp/dtype.h"

#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} types[GR_DTYPE_COUNT] = {
#define X(name, bytes) { #name, bytes },
    GR_DTYPE_TABLE(X)
#undef X
};

size_t gr_dtype_bytes(gr_dtype dtype) { return (unsigned)dtype < GR_DTYPE_COUNT ? types[dtype].bytes : 0; }

const char *gr_dtype_name(gr_dtype dtype)
{
    return (unsigned)dtype < GR_DTYPE_COUNT ? types[dtype].name : "unknown";
}

gr_dtype gr_dtype_from_name(const char *name)
{
    for (int i = 0; i < GR_DTYPE_COUNT; i++)
        if (strcmp(types[i].name, name) == 0)
            return (gr_dtype)i;
    return GR_DTYPE_COUNT;
}
