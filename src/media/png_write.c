/* png_write.c - PNG out, through libspng: 8 bits, grey, RGB or RGBA. */
#include "media/codec.h"

#include <spng.h>

static int write_bytes(spng_ctx *ctx, void *user, void *bytes, size_t n)
{
    (void)ctx;
    gr_file_writer *out = user;
    gr_file_writer_add(out, bytes, n);
    return out->cause ? SPNG_IO_ERROR : 0;
}

gr_status gr_png_encode(gr_file_writer *out, const gr_image *image, gr_error *err)
{
    struct spng_ihdr header = {
        .width = (uint32_t)image->width,
        .height = (uint32_t)image->height,
        .bit_depth = 8,
        .color_type = image->channels == 1   ? SPNG_COLOR_TYPE_GRAYSCALE
                      : image->channels == 3 ? SPNG_COLOR_TYPE_TRUECOLOR
                                             : SPNG_COLOR_TYPE_TRUECOLOR_ALPHA,
    };
    const size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
    int code = ctx ? 0 : SPNG_EMEM;
    if (!code)
        code = spng_set_png_stream(ctx, write_bytes, out);
    if (!code)
        code = spng_set_ihdr(ctx, &header);
    if (!code)
        code = spng_encode_image(ctx, image->pixels, bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    spng_ctx_free(ctx);
    GR_TRY(gr_file_writer_status(out, err));
    if (code)
        return gr_fail(err, code == SPNG_EMEM ? GR_ERR_MEM : GR_ERR_FORMAT,
                       "cannot make a PNG of %d x %d pixels: %s", image->width, image->height,
                       spng_strerror(code));
    return GR_OK;
}
