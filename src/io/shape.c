#include "io/shape.h"

#include <stdio.h>

void gr_shape_text(char *out, size_t n, int rank, const int64_t *shape)
{
    size_t at = 0;
    int len = snprintf(out, n, "[");
    for (int i = 0; i < rank && len >= 0; i++) {
        at += (size_t)len;
        if (at >= n)
            return;
        len = snprintf(out + at, n - at, i ? ", %lld" : "%lld", (long long)shape[i]);
    }
    at += (size_t)(len < 0 ? 0 : len);
    if (at < n)
        snprintf(out + at, n - at, "]");
}

bool gr_shape_count(size_t *count, int rank, const int64_t *shape)
{
    size_t product = 1;
    bool zero = false;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0 || (uint64_t)shape[i] > SIZE_MAX)
            return false;
        zero = zero || shape[i] == 0;
        if (shape[i] && product > SIZE_MAX / (size_t)shape[i])
            return false;
        product *= shape[i] ? (size_t)shape[i] : 1;
    }
    *count = zero ? 0 : product;
    return true;
}

bool gr_shape_equal(int rank_a, const int64_t *a, int rank_b, const int64_t *b)
{
    bool same = rank_a == rank_b;
    for (int i = 0; same && i < rank_a; i++)
        same = a[i] == b[i];
    return same;
}
