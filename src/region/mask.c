#include "region/mask.h"

#include <string.h>

#include "base/alloc.h"
#include "media/overlay.h"

static size_t n_pixels(const gr_mask *m) { return (size_t)m->width * (size_t)m->height; }

gr_status gr_mask_check_size(const char *what, int64_t width, int64_t height, gr_error *err)
{
    if (width < 1 || height < 1)
        return gr_fail(err, GR_ERR_ARG, "%s of %lld x %lld pixels has none", what, (long long)width,
                       (long long)height);
    if (width > INT32_MAX || height > INT32_MAX || width * height > GR_MASK_MAX_PIXELS)
        return gr_fail(err, GR_ERR_LIMIT, "%s of %lld x %lld pixels is over the limit of %d pixels", what,
                       (long long)width, (long long)height, GR_MASK_MAX_PIXELS);
    return GR_OK;
}

gr_status gr_mask_new(gr_mask **out, gr_runtime *rt, int width, int height, gr_error *err)
{
    *out = NULL;
    GR_TRY(gr_mask_check_size("a mask", width, height, err));
    gr_mask *m = gr_calloc(rt, 1, sizeof *m);
    if (m) {
        *m = (gr_mask){ .rt = rt, .width = width, .height = height };
        m->data = gr_calloc(rt, n_pixels(m), 1);
    }
    if (!m || !m->data) {
        gr_free(rt, m);
        return gr_fail(err, GR_ERR_MEM, "no memory for a mask of %d x %d pixels", width, height);
    }
    *out = m;
    return GR_OK;
}

void gr_mask_free(gr_mask *mask)
{
    if (!mask)
        return;
    gr_free(mask->rt, mask->data);
    gr_free(mask->rt, mask);
}

int64_t gr_mask_area(const gr_mask *mask)
{
    int64_t area = 0;
    for (size_t i = 0; i < n_pixels(mask); i++)
        area += mask->data[i] != 0;
    return area;
}

bool gr_mask_bounds(const gr_mask *mask, gr_bounds *out)
{
    gr_bounds b = { mask->width, mask->height, 0, 0 };
    for (int y = 0; y < mask->height; y++) {
        const uint8_t *row = mask->data + (size_t)y * (size_t)mask->width;
        int first = 0, last = mask->width - 1;
        while (first < mask->width && !row[first])
            first++;
        if (first == mask->width)
            continue;
        while (!row[last])
            last--;
        b.x0 = first < b.x0 ? first : b.x0;
        b.x1 = last + 1 > b.x1 ? last + 1 : b.x1;
        b.y0 = y < b.y0 ? y : b.y0;
        b.y1 = y + 1;
    }
    const bool any = b.y1 > 0;
    *out = any ? b : (gr_bounds){ 0 };
    return any;
}

gr_status gr_mask_from_image(gr_mask **out, const gr_image *image, gr_error *err)
{
    *out = NULL;
    gr_image *grey = NULL;
    gr_status st = gr_image_to_luma(&grey, image, err);
    if (st == GR_OK)
        st = gr_mask_new(out, image->rt, image->width, image->height, err);
    if (st == GR_OK)
        for (size_t i = 0; i < n_pixels(*out); i++)
            (*out)->data[i] = grey->pixels[i] != 0;
    gr_image_free(grey);
    return st;
}

gr_status gr_mask_to_image(gr_image **out, const gr_mask *mask, gr_error *err)
{
    GR_TRY(gr_image_new(out, mask->rt, mask->width, mask->height, 1, err));
    for (size_t i = 0; i < n_pixels(mask); i++)
        (*out)->pixels[i] = mask->data[i] ? 255 : 0;
    return GR_OK;
}

gr_status gr_mask_overlay(const gr_mask *mask, gr_image *picture, int index, gr_error *err)
{
    if (mask->width != picture->width || mask->height != picture->height)
        return gr_fail(err, GR_ERR_SHAPE, "a mask of %d x %d pixels on a picture of %d x %d", mask->width,
                       mask->height, picture->width, picture->height);
    return gr_overlay_mask(picture, mask->data, index, err);
}

gr_status gr_mask_unite(gr_mask *into, const gr_mask *from, gr_error *err)
{
    if (into->width != from->width || into->height != from->height)
        return gr_fail(err, GR_ERR_SHAPE, "masks of %d x %d and %d x %d pixels cannot be united", into->width,
                       into->height, from->width, from->height);
    for (size_t i = 0; i < n_pixels(into); i++)
        into->data[i] |= from->data[i];
    return GR_OK;
}

/* The source pixel under the centre of pixel i. */
static size_t centre(int i, int n_in, int n_out)
{
    return (size_t)((2 * (int64_t)i + 1) * n_in / (2 * (int64_t)n_out));
}

gr_status gr_mask_resize(gr_mask **out, const gr_mask *mask, int width, int height, gr_error *err)
{
    GR_TRY(gr_mask_new(out, mask->rt, width, height, err));
    for (int y = 0; y < height; y++) {
        const uint8_t *row = mask->data + centre(y, mask->height, height) * (size_t)mask->width;
        for (int x = 0; x < width; x++)
            (*out)->data[(size_t)y * (size_t)width + (size_t)x] = row[centre(x, mask->width, width)];
    }
    return GR_OK;
}

gr_status gr_mask_turn(gr_mask *mask, int orientation, gr_error *err)
{
    gr_image view = {
        .rt = mask->rt, .width = mask->width, .height = mask->height, .channels = 1, .pixels = mask->data
    };
    GR_TRY(gr_image_turn(&view, orientation, err));
    mask->width = view.width;
    mask->height = view.height;
    mask->data = view.pixels;
    return GR_OK;
}

void gr_mask_fill(gr_mask *mask, gr_bounds box)
{
    const int x0 = box.x0 > 0 ? box.x0 : 0, x1 = box.x1 < mask->width ? box.x1 : mask->width;
    const int y0 = box.y0 > 0 ? box.y0 : 0, y1 = box.y1 < mask->height ? box.y1 : mask->height;
    for (int y = y0; y < y1 && x0 < x1; y++)
        memset(mask->data + (size_t)y * (size_t)mask->width + x0, 1, (size_t)(x1 - x0));
}
