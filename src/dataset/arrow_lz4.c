/* arrow_lz4.c - one LZ4 frame, through liblz4. */
#include "dataset/arrow_compress.h"

#include <lz4frame.h>

static gr_status unpack_frame(LZ4F_dctx *context, const uint8_t *from, size_t n, uint8_t *to, size_t size,
                              gr_error *err)
{
    size_t used = 0, made = 0, hint = 1; /* hint: bytes the frame still wants; 0 at its end */
    while (hint != 0) {
        size_t in = n - used, out = size - made;
        hint = LZ4F_decompress(context, to + made, &out, from + used, &in, NULL);
        if (LZ4F_isError(hint))
            return gr_fail(err, GR_ERR_FORMAT, "not a frame, or a damaged one (%s)", LZ4F_getErrorName(hint));
        used += in;
        made += out;
        if (hint != 0 && in == 0 && out == 0)
            return gr_fail(err, GR_ERR_FORMAT,
                           used == n ? "the frame is cut off after %zu of %zu bytes"
                                     : "the frame holds more than the announced bytes: %zu of %zu so far",
                           made, size);
    }
    return made == size ? GR_OK
                        : gr_fail(err, GR_ERR_FORMAT, "%zu bytes unpacked, %zu are announced", made, size);
}

gr_status gr_arrow_unpack_lz4(const void *from, size_t n, void *to, size_t size, gr_error *err)
{
    LZ4F_dctx *context;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return gr_fail(err, GR_ERR_MEM, "no memory to unpack");
    const gr_status st = unpack_frame(context, from, n, to, size, err);
    LZ4F_freeDecompressionContext(context);
    return st;
}
