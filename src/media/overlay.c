#include "media/overlay.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define DIGIT_W 5
#define DIGIT_H 7

/* Rows from the top; bit 4 is the left column. */
static const uint8_t digits[10][DIGIT_H] = {
    { 0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e }, { 0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e },
    { 0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f }, { 0x0e, 0x11, 0x01, 0x06, 0x01, 0x11, 0x0e },
    { 0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02 }, { 0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e },
    { 0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e }, { 0x1f, 0x01, 0x02, 0x04, 0x04, 0x08, 0x08 },
    { 0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e }, { 0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c },
};

/* Far apart in hue, and each dark or light enough for white or black digits. */
static const uint8_t colours[8][3] = {
    { 230, 25, 75 },  { 0, 130, 200 },  { 60, 180, 75 },  { 255, 200, 0 },
    { 145, 30, 180 }, { 70, 240, 240 }, { 245, 130, 48 }, { 240, 50, 230 }
};

static int shorter_side(const gr_image *p) { return p->width < p->height ? p->width : p->height; }

static void set_pixel(gr_image *p, int x, int y, const uint8_t rgb[3])
{
    if (x >= 0 && y >= 0 && x < p->width && y < p->height)
        memcpy(p->pixels + 3 * ((size_t)y * (size_t)p->width + (size_t)x), rgb, 3);
}

/* Clears every pixel of a line of n pixels, `step` apart, that has an unset one, or the end, within t of it.
 */
static void erode_line(uint8_t *line, size_t n, size_t step, size_t t)
{
    size_t run = 0; /* set pixels up to here */
    for (size_t i = 0; i <= n; i++) {
        if (i < n && line[i * step]) {
            run++;
            continue;
        }
        for (size_t k = 1; k <= run; k++) /* k-th of the run, from its end */
            if (k <= t || run - k < t)
                line[(i - k) * step] = 0;
        run = 0;
    }
}

static void tint(gr_image *p, const uint8_t *mask, const uint8_t *inner, const uint8_t rgb[3])
{
    const size_t n = (size_t)p->width * (size_t)p->height;
    for (size_t i = 0; i < n; i++) {
        uint8_t *px = p->pixels + 3 * i;
        for (int c = 0; mask[i] && c < 3; c++)
            px[c] = inner[i] ? (uint8_t)((px[c] * 5 + rgb[c] * 3 + 4) / 8) : rgb[c];
    }
}

/* The pixel of the mask nearest to its centre of gravity; false when the mask is empty. */
static bool label_place(const gr_image *p, const uint8_t *mask, int *out_x, int *out_y)
{
    double sx = 0, sy = 0, n = 0, best = -1;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            if (mask[(size_t)y * (size_t)p->width + (size_t)x])
                sx += x, sy += y, n += 1;
    for (int y = 0; y < p->height && n > 0; y++)
        for (int x = 0; x < p->width; x++) {
            const double dx = x - sx / n, dy = y - sy / n, d = dx * dx + dy * dy;
            if (mask[(size_t)y * (size_t)p->width + (size_t)x] && (best < 0 || d < best))
                best = d, *out_x = x, *out_y = y;
        }
    return n > 0;
}

static int clamp(int v, int lo, int hi) { return v > hi ? (hi < lo ? lo : hi) : v < lo ? lo : v; }

static void draw_label(gr_image *p, int cx, int cy, const char *text, const uint8_t back[3])
{
    static const uint8_t black[3] = { 0, 0, 0 }, white[3] = { 255, 255, 255 };
    const uint8_t *ink = back[0] * 2 + back[1] * 5 + back[2] > 8 * 128 ? black : white;
    const int scale = 1 + shorter_side(p) / 300, n = (int)strlen(text);
    const int w = (n * (DIGIT_W + 1) + 1) * scale, h = (DIGIT_H + 2) * scale;
    const int left = clamp(cx - w / 2, 0, p->width - w), top = clamp(cy - h / 2, 0, p->height - h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const int gx = x / scale - 1, gy = y / scale - 1; /* in font pixels, inside a border of one */
            const int digit = gx < 0 ? n : gx / (DIGIT_W + 1), column = gx % (DIGIT_W + 1);
            const bool set = gx >= 0 && gy >= 0 && gy < DIGIT_H && digit < n && column < DIGIT_W &&
                             (digits[text[digit] - '0'][gy] >> (DIGIT_W - 1 - column) & 1);
            set_pixel(p, left + x, top + y, set ? ink : back);
        }
}

gr_status gr_overlay_mask(gr_image *picture, const uint8_t *mask, int index, gr_error *err)
{
    if (picture->channels != 3 || index < 0 || index > 9999)
        return gr_fail(err, GR_ERR_ARG,
                       "an overlay with index %d on a picture of %d channels; expected 0 to 9999 on 3", index,
                       picture->channels);
    const size_t w = (size_t)picture->width, h = (size_t)picture->height;
    const size_t t = 1 + (size_t)shorter_side(picture) / 400;
    uint8_t *inner = gr_malloc(picture->rt, w * h, 2);
    if (!inner)
        return gr_fail(err, GR_ERR_MEM, "no memory for an overlay of %zu x %zu pixels", w, h);
    uint8_t *across = inner + w * h; /* eroded along rows, while inner is along columns */
    memcpy(inner, mask, w * h);
    memcpy(across, mask, w * h);
    for (size_t y = 0; y < h; y++)
        erode_line(across + y * w, w, 1, t);
    for (size_t x = 0; x < w; x++)
        erode_line(inner + x, h, w, t);
    for (size_t i = 0; i < w * h; i++)
        inner[i] = inner[i] && across[i];
    const uint8_t *colour = colours[index % 8];
    tint(picture, mask, inner, colour);
    gr_free(picture->rt, inner);

    char text[8];
    int x = 0, y = 0;
    snprintf(text, sizeof text, "%d", index);
    if (label_place(picture, mask, &x, &y))
        draw_label(picture, x, y, text, colour);
    return GR_OK;
}
