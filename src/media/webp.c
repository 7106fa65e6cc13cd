/* webp.c - WebP, lossy and lossless, through libwebp. Its working memory is its own: a few rows (lossy) or
 * one copy of the picture at 4 bytes a pixel (lossless). */
#include "media/codec.h"

#include <webp/decode.h>

static const char *status_text(VP8StatusCode code)
{
    static const char *const texts[] = {
        [VP8_STATUS_OUT_OF_MEMORY] = "out of memory",
        [VP8_STATUS_INVALID_PARAM] = "invalid parameter",
        [VP8_STATUS_BITSTREAM_ERROR] = "damaged data",
        [VP8_STATUS_UNSUPPORTED_FEATURE] = "a feature libwebp does not read",
        [VP8_STATUS_SUSPENDED] = "data end early",
        [VP8_STATUS_NOT_ENOUGH_DATA] = "data end early",
    };
    const char *text = (size_t)code < sizeof texts / sizeof *texts ? texts[code] : NULL;
    return text ? text : "unknown error";
}

static bool ends_early(VP8StatusCode code)
{
    return code == VP8_STATUS_SUSPENDED || code == VP8_STATUS_NOT_ENOUGH_DATA;
}

gr_status gr_webp_decode(gr_image **out, gr_runtime *rt, const uint8_t *bytes, size_t n,
                         const gr_image_options *options, gr_error *err)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return gr_fail(err, GR_ERR_UNSUPPORTED, "libwebp is older than this build expects");
    VP8StatusCode code = WebPGetFeatures(bytes, n, &config.input);
    if (code != VP8_STATUS_OK)
        return gr_fail(err, GR_ERR_FORMAT, "WebP header: %s", status_text(code));
    const int width = config.input.width, height = config.input.height;
    GR_TRY(gr_image_check_size(options, "WebP", width > 0 ? (uint64_t)width : 0,
                               height > 0 ? (uint64_t)height : 0, err));
    if (config.input.has_animation)
        return gr_fail(err, GR_ERR_UNSUPPORTED, "an animated WebP: give one frame, as a file of its own");
    gr_image *image;
    GR_TRY(gr_image_new(&image, rt, width, height, config.input.has_alpha ? 4 : 3, err));
    config.output.colorspace = config.input.has_alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = image->pixels;
    config.output.u.RGBA.stride = width * image->channels;
    config.output.u.RGBA.size = (size_t)width * (size_t)height * (size_t)image->channels;
    code = WebPDecode(bytes, n, &config);
    WebPFreeDecBuffer(&config.output);
    if (code == VP8_STATUS_OK || (options->lenient && ends_early(code))) {
        *out = image;
        return GR_OK;
    }
    gr_image_free(image);
    return gr_fail(err, code == VP8_STATUS_OUT_OF_MEMORY ? GR_ERR_MEM : GR_ERR_FORMAT, "WebP: %s",
                   status_text(code));
}
