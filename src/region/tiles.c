#include "region/tiles.h"

#include "base/alloc.h"
#include "media/resize.h"

#define MAX_TILE_PX 4096

static gr_status tiles_new(gr_tiles **out, gr_runtime *rt, gr_canvas canvas, int tile_px, int channels,
                           gr_error *err)
{
    *out = NULL;
    if (canvas.cols < 1 || canvas.rows < 1 || canvas.cols > GR_CANVAS_MAX_TILES / canvas.rows ||
        tile_px < 1 || tile_px > MAX_TILE_PX)
        return gr_fail(err, GR_ERR_ARG,
                       "%d x %d tiles of %d pixels; expected 1 to %d tiles of 1 to %d pixels", canvas.cols,
                       canvas.rows, tile_px, GR_CANVAS_MAX_TILES, MAX_TILE_PX);
    gr_tiles *t = gr_calloc(rt, 1, sizeof *t);
    if (t) {
        const size_t bytes = (size_t)tile_px * (size_t)tile_px * (size_t)channels;
        *t = (gr_tiles){ .rt = rt,
                         .canvas = canvas,
                         .tile_px = tile_px,
                         .channels = channels,
                         .n = 1 + canvas.cols * canvas.rows };
        t->thumb = gr_malloc(rt, bytes, 1);
        t->whole = gr_malloc(rt, bytes, (size_t)(t->n - 1));
    }
    if (!t || !t->thumb || !t->whole) {
        gr_tiles_free(t);
        return gr_fail(err, GR_ERR_MEM, "no memory for %d x %d tiles of %d pixels", canvas.cols, canvas.rows,
                       tile_px);
    }
    *out = t;
    return GR_OK;
}

void gr_tiles_free(gr_tiles *tiles)
{
    if (!tiles)
        return;
    gr_free(tiles->rt, tiles->thumb);
    gr_free(tiles->rt, tiles->whole);
    gr_free(tiles->rt, tiles);
}

static gr_status stretch(gr_tiles *t, const uint8_t *in, int width, int height, gr_error *err)
{
    const int s = t->tile_px;
    GR_TRY(gr_resize_bicubic(t->rt, t->thumb, s, s, in, width, height, t->channels, err));
    return gr_resize_bicubic(t->rt, t->whole, s * t->canvas.cols, s * t->canvas.rows, in, width, height,
                             t->channels, err);
}

gr_status gr_tiles_of_image(gr_tiles **out, const gr_image *rgb, gr_canvas canvas, int tile_px, gr_error *err)
{
    *out = NULL;
    if (rgb->channels != 3)
        return gr_fail(err, GR_ERR_ARG, "tiles of a picture with %d channels, expected 3 (gr_image_to_rgb)",
                       rgb->channels);
    GR_TRY(tiles_new(out, rgb->rt, canvas, tile_px, 3, err));
    const gr_status st = stretch(*out, rgb->pixels, rgb->width, rgb->height, err);
    if (st != GR_OK) {
        gr_tiles_free(*out);
        *out = NULL;
    }
    return st;
}

/* Ids, blended or not, to 0 and 1: whatever is not below "no prompt" is not prompted. */
static void to_binary(uint8_t *ids, size_t n, int n_prompts)
{
    for (size_t i = 0; i < n; i++)
        ids[i] = ids[i] < n_prompts;
}

gr_status gr_tiles_of_plane(gr_tiles **out, const gr_prompt_plane *plane, gr_canvas canvas, int tile_px,
                            gr_mask_resample resample, gr_error *err)
{
    GR_TRY(tiles_new(out, plane->rt, canvas, tile_px, 1, err));
    gr_tiles *t = *out;
    if (resample == GR_MASK_NEAREST) {
        gr_resize_nearest(t->thumb, tile_px, tile_px, plane->ids, plane->width, plane->height, 1);
        gr_resize_nearest(t->whole, tile_px * canvas.cols, tile_px * canvas.rows, plane->ids, plane->width,
                          plane->height, 1);
    } else {
        const gr_status st = stretch(t, plane->ids, plane->width, plane->height, err);
        if (st != GR_OK) {
            gr_tiles_free(t);
            *out = NULL;
            return st;
        }
    }
    const size_t s = (size_t)tile_px;
    to_binary(t->thumb, s * s, plane->n_prompts);
    to_binary(t->whole, s * s * (size_t)(t->n - 1), plane->n_prompts);
    return GR_OK;
}

/* Row y of tile i: [S][channels]. */
static const uint8_t *tile_row(const gr_tiles *t, int i, int y)
{
    const size_t s = (size_t)t->tile_px, c = (size_t)t->channels;
    if (i == 0)
        return t->thumb + (size_t)y * s * c;
    const size_t cols = (size_t)t->canvas.cols, row = (size_t)(i - 1) / cols, col = (size_t)(i - 1) % cols;
    return t->whole + ((row * s + (size_t)y) * cols * s + col * s) * c;
}

void gr_tiles_bytes(const gr_tiles *tiles, int i, uint8_t *out)
{
    const int s = tiles->tile_px, channels = tiles->channels;
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < s; y++) {
            const uint8_t *row = tile_row(tiles, i, y);
            for (int x = 0; x < s; x++)
                *out++ = row[x * channels + c];
        }
}

void gr_tiles_floats(const gr_tiles *tiles, int i, const float mean[3], const float std[3], float *out)
{
    const int s = tiles->tile_px, channels = tiles->channels;
    for (int c = 0; c < channels; c++) {
        float value[256];
        const float shift = channels == 1 ? 0.0f : mean[c] * 255.0f,
                    scale = channels == 1 ? 1.0f : std[c] * 255.0f;
        for (int v = 0; v < 256; v++)
            value[v] = ((float)v - shift) / scale;
        for (int y = 0; y < s; y++) {
            const uint8_t *row = tile_row(tiles, i, y);
            for (int x = 0; x < s; x++)
                *out++ = value[row[x * channels + c]];
        }
    }
}

bool gr_tiles_empty(const gr_tiles *tiles, int i)
{
    const int s = tiles->tile_px;
    for (int y = 0; y < s; y++) {
        const uint8_t *row = tile_row(tiles, i, y);
        for (int x = 0; x < s * tiles->channels; x++)
            if (row[x])
                return false;
    }
    return true;
}
