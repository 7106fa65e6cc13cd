/* paint_finish.c - what a camera and a file do to a picture: blur, and JPEG's noise. */
#include "synth/paint_internal.h"

#include "base/mathx.h"
#ifdef GR_HAVE_JPEG
#include "base/buf.h"
#include "media/codec.h"
#endif

enum { RADIUS_MAX = 12 };

/* Along rows: in and out are [n][stride] with steps of `step` between neighbours. */
static void blur_line(float *line, const uint8_t *in, uint8_t *out, int n, size_t step, const float *weights,
                      int radius)
{
    for (int i = 0; i < n; i++)
        line[i] = (float)in[(size_t)i * step];
    for (int i = 0; i < n; i++) {
        float sum = weights[0] * line[i];
        for (int k = 1; k <= radius; k++) {
            const int a = i - k < 0 ? 0 : i - k, b = i + k >= n ? n - 1 : i + k;
            sum += weights[k] * (line[a] + line[b]);
        }
        out[(size_t)i * step] = (uint8_t)(sum + 0.5F);
    }
}

static gr_status blur(gr_painter *p, gr_image *image, float sigma, gr_error *err)
{
    const int w = image->width, h = image->height;
    float *line = gr_paint_floats(p, (size_t)(w > h ? w : h));
    if (!line)
        return gr_fail(err, GR_ERR_MEM, "no memory to blur a picture");
    float weights[RADIUS_MAX + 1], sum = 0;
    int radius = (int)(3 * sigma) + 1;
    radius = radius > RADIUS_MAX ? RADIUS_MAX : radius;
    for (int k = 0; k <= radius; k++) {
        weights[k] = gr_expf(-(float)(k * k) / (2 * sigma * sigma));
        sum += k ? 2 * weights[k] : weights[k];
    }
    for (int k = 0; k <= radius; k++)
        weights[k] /= sum;
    for (int c = 0; c < 3; c++) {
        for (int y = 0; y < h; y++) {
            uint8_t *row = image->pixels + 3 * (size_t)y * (size_t)w + c;
            blur_line(line, row, row, w, 3, weights, radius);
        }
        for (int x = 0; x < w; x++) {
            uint8_t *column = image->pixels + 3 * (size_t)x + c;
            blur_line(line, column, column, h, 3 * (size_t)w, weights, radius);
        }
    }
    return GR_OK;
}

static gr_status through_jpeg(gr_image **image, int quality, gr_error *err)
{
#ifdef GR_HAVE_JPEG
    gr_buf bytes;
    gr_buf_init(&bytes, (*image)->rt, (size_t)1 << 28);
    gr_image *noisy = NULL;
    gr_image_options options;
    gr_image_options_init(&options);
    gr_status st = gr_jpeg_encode(&bytes, *image, quality, err);
    if (st == GR_OK)
        st = gr_jpeg_decode(&noisy, (*image)->rt, (const uint8_t *)bytes.data, bytes.len, &options, err);
    gr_buf_fini(&bytes);
    if (st == GR_OK) {
        gr_image_free(*image);
        *image = noisy;
    }
    return st;
#else
    (void)image;
    (void)quality;
    return gr_fail(err, GR_ERR_UNSUPPORTED, "this build has no JPEG");
#endif
}

gr_status gr_paint_finish(gr_painter *p, const gr_scene *s, gr_image **image, gr_error *err)
{
    if (s->blur > 0)
        GR_TRY(blur(p, *image, s->blur, err));
    return s->quality > 0 ? through_jpeg(image, s->quality, err) : GR_OK;
}
