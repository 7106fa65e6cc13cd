/* codec.h - what every picture decoder is: bytes in, gr_image out. One file per format; image.c sniffs and
 * picks.
 *
 * A decoder sets width, height, channels and pixels, nothing else. Where its library is missing the file is
 * left out of the build and GR_HAVE_<name> is not defined. */
#ifndef GR_MEDIA_CODEC_H
#define GR_MEDIA_CODEC_H

#include "base/buf.h"
#include "base/file.h"
#include "grasp/image.h"

gr_status gr_jpeg_decode(gr_image **out, gr_runtime *rt, const uint8_t *bytes, size_t n,
                         const gr_image_options *options, gr_error *err);
gr_status gr_png_decode(gr_image **out, gr_runtime *rt, const uint8_t *bytes, size_t n,
                        const gr_image_options *options, gr_error *err);
gr_status gr_webp_decode(gr_image **out, gr_runtime *rt, const uint8_t *bytes, size_t n,
                         const gr_image_options *options, gr_error *err);
gr_status gr_pnm_decode(gr_image **out, gr_runtime *rt, const uint8_t *bytes, size_t n,
                        const gr_image_options *options, gr_error *err);

/* Writes the picture as it is encoded, so that it is nowhere a second time. GR_ERR_IO as the writer's cause.
 */
gr_status gr_png_encode(gr_file_writer *out, const gr_image *image, gr_error *err);
gr_status gr_pnm_encode(gr_file_writer *out, const gr_image *image, gr_error *err);

/* Appends a JPEG file. GR_ERR_ARG: four channels, or a quality outside 1..100. GR_ERR_MEM. */
gr_status gr_jpeg_encode(gr_buf *out, const gr_image *image, int quality, gr_error *err);

/* Refuses sizes beyond the limits, naming the limit; every decoder calls it before it allocates. */
gr_status gr_image_check_size(const gr_image_options *options, const char *format, uint64_t width,
                              uint64_t height, gr_error *err);

#endif
