/* arrow_zstd.c - one ZSTD frame, through libzstd. */
#include "dataset/arrow_compress.h"

#include <zstd.h>

gr_status gr_arrow_unpack_zstd(const void *from, size_t n, void *to, size_t size, gr_error *err)
{
    const size_t made = ZSTD_decompress(to, size, from, n);
    if (ZSTD_isError(made))
        return gr_fail(err, GR_ERR_FORMAT, "not a frame of %zu bytes, or a damaged one (%s)", size,
                       ZSTD_getErrorName(made));
    return made == size ? GR_OK
                        : gr_fail(err, GR_ERR_FORMAT, "%zu bytes unpacked, %zu are announced", made, size);
}
