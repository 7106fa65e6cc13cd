/* png.c - PNG through libspng, which checks and inflates; what samples mean is decided here, as Pillow does.
 * Source: PNG specification (third edition), sections 11.2.2, 11.3.1 and 13.12. */
#include "media/codec.h"

#include <string.h>

#include <spng.h>

#include "base/alloc.h"

/* Texts and colour profiles beside the picture: they are not used, but libspng keeps them. */
#define MAX_CHUNK_BYTES ((size_t)64 << 20)
/* Deflate cannot say more than 258 bytes in 2 bits. */
#define MAX_INFLATION 1032

typedef struct {
    struct spng_ihdr header;
    struct spng_plte palette;
    struct spng_trns trns;
    bool has_trns;
    int samples;  /* stored samples a pixel */
    int channels; /* of the picture that is made */
} png_layout;

static gr_status fail(gr_error *err, const char *doing, int code)
{
    const bool early = code == SPNG_IO_EOF || code == SPNG_EIDAT_TOO_SHORT;
    return gr_fail(err, code == SPNG_EMEM ? GR_ERR_MEM : GR_ERR_FORMAT, "PNG %s: %s",
                   early ? "data end early" : doing, spng_strerror(code));
}

static gr_status read_layout(png_layout *l, spng_ctx *ctx, size_t file_bytes, const gr_image_options *options,
                             gr_error *err)
{
    int code = spng_get_ihdr(ctx, &l->header);
    if (code)
        return fail(err, "header", code);
    const struct spng_ihdr *h = &l->header;
    GR_TRY(gr_image_check_size(options, "PNG", h->width, h->height, err));
    static const int samples[7] = { 1, 0, 3, 1, 2, 0, 4 };
    l->samples = samples[h->color_type];
    const uint64_t row = ((uint64_t)h->width * (uint64_t)l->samples * h->bit_depth + 7) / 8 + 1;
    if (!options->lenient && row * h->height > (uint64_t)file_bytes * MAX_INFLATION)
        return gr_fail(err, GR_ERR_FORMAT,
                       "PNG data end early: %u x %u pixels cannot be in a file of %zu bytes",
                       (unsigned)h->width, (unsigned)h->height, file_bytes);
    code = spng_get_trns(ctx, &l->trns); /* reads all that stands before the picture */
    l->has_trns = code == 0;
    if (code == SPNG_ECHUNK_LIMITS)
        return gr_fail(err, GR_ERR_LIMIT, "PNG texts or profiles of more than %zu bytes", MAX_CHUNK_BYTES);
    if (code && code != SPNG_ECHUNKAVAIL)
        return fail(err, "before the picture", code);
    if (h->color_type == SPNG_COLOR_TYPE_INDEXED && (code = spng_get_plte(ctx, &l->palette)) != 0)
        return fail(err, "palette", code);
    const bool grey = h->color_type == SPNG_COLOR_TYPE_GRAYSCALE, alpha = (h->color_type & 4) || l->has_trns;
    l->channels = alpha ? 4 : grey ? 1 : 3;
    return GR_OK;
}

/* Sample i of a row of stored samples: packed below 8 bits, two bytes in big-endian order at 16. */
static unsigned sample_at(const uint8_t *row, size_t i, int depth)
{
    if (depth == 16)
        return (unsigned)row[2 * i] << 8 | row[2 * i + 1];
    const size_t bit = i * (size_t)depth;
    return row[bit / 8] >> (8 - depth - (int)(bit % 8)) & ((1u << depth) - 1);
}

static uint8_t grey_at_8_bits(unsigned v, int depth)
{
    static const uint8_t scale[9] = { [1] = 255, [2] = 85, [4] = 17, [8] = 1 };
    return (uint8_t)(depth == 16 ? (v > 255 ? 255 : v) : v * scale[depth]);
}

static void expand_pixel(uint8_t *out, const png_layout *l, const unsigned v[4])
{
    const int depth = l->header.bit_depth, shift = depth == 16 ? 8 : 0;
    uint8_t rgba[4] = { 0, 0, 0, 255 };
    switch (l->header.color_type) {
    case SPNG_COLOR_TYPE_GRAYSCALE:
        rgba[0] = rgba[1] = rgba[2] = grey_at_8_bits(v[0], depth);
        rgba[3] = l->has_trns && v[0] == l->trns.gray ? 0 : 255;
        break;
    case SPNG_COLOR_TYPE_INDEXED:
        if (v[0] < l->palette.n_entries) {
            const struct spng_plte_entry e = l->palette.entries[v[0]];
            rgba[0] = e.red, rgba[1] = e.green, rgba[2] = e.blue;
        }
        if (l->has_trns && v[0] < l->trns.n_type3_entries)
            rgba[3] = l->trns.type3_alpha[v[0]];
        break;
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA:
        rgba[0] = rgba[1] = rgba[2] = (uint8_t)(v[0] >> shift);
        rgba[3] = (uint8_t)(v[1] >> shift);
        break;
    default:
        for (int c = 0; c < l->samples; c++)
            rgba[c] = (uint8_t)(v[c] >> shift);
        if (l->has_trns && v[0] == l->trns.red && v[1] == l->trns.green && v[2] == l->trns.blue)
            rgba[3] = 0;
    }
    memcpy(out, rgba, (size_t)l->channels);
}

static void expand(gr_image *image, const png_layout *l, const uint8_t *raw)
{
    const size_t samples = (size_t)l->samples, width = (size_t)image->width;
    const size_t row_bytes = (width * samples * l->header.bit_depth + 7) / 8;
    uint8_t *out = image->pixels;
    for (int y = 0; y < image->height; y++) {
        const uint8_t *row = raw + (size_t)y * row_bytes;
        for (size_t x = 0; x < width; x++, out += l->channels) {
            unsigned v[4] = { 0 };
            for (size_t s = 0; s < samples; s++)
                v[s] = sample_at(row, x * samples + s, l->header.bit_depth);
            expand_pixel(out, l, v);
        }
    }
}

static gr_status inflate_rows(spng_ctx *ctx, uint8_t *raw, size_t bytes, bool lenient, gr_error *err)
{
    const int code = spng_decode_image(ctx, raw, bytes, SPNG_FMT_RAW, 0);
    const bool early = code == SPNG_IO_EOF || code == SPNG_EIDAT_TOO_SHORT || code == SPNG_EIDAT_STREAM;
    return code == 0 || (lenient && early) ? GR_OK : fail(err, "picture", code);
}

static gr_status decode(gr_image **out, gr_runtime *rt, spng_ctx *ctx, size_t file_bytes,
                        const gr_image_options *options, gr_error *err)
{
    png_layout l = { 0 };
    GR_TRY(read_layout(&l, ctx, file_bytes, options, err));
    GR_TRY(gr_image_new(out, rt, (int)l.header.width, (int)l.header.height, l.channels, err));
    size_t raw_bytes;
    const int code = spng_decoded_image_size(ctx, SPNG_FMT_RAW, &raw_bytes);
    if (code)
        return fail(err, "size", code);
    if (l.header.bit_depth == 8 && l.samples == l.channels && l.header.color_type != SPNG_COLOR_TYPE_INDEXED)
        return inflate_rows(ctx, (*out)->pixels, raw_bytes, options->lenient, err);
    uint8_t *raw = gr_calloc(rt, raw_bytes, 1);
    if (!raw)
        return gr_fail(err, GR_ERR_MEM, "no memory for the %zu bytes of a PNG", raw_bytes);
    const gr_status st = inflate_rows(ctx, raw, raw_bytes, options->lenient, err);
    if (st == GR_OK)
        expand(*out, &l, raw);
    gr_free(rt, raw);
    return st;
}

gr_status gr_png_decode(gr_image **out, gr_runtime *rt, const uint8_t *bytes, size_t n,
                        const gr_image_options *options, gr_error *err)
{
    spng_ctx *ctx = spng_ctx_new(0);
    if (!ctx)
        return gr_fail(err, GR_ERR_MEM, "no memory for a PNG reader");
    gr_image *image = NULL;
    spng_set_image_limits(ctx, INT32_MAX, INT32_MAX); /* ours are checked, and worded, in read_layout */
    spng_set_chunk_limits(ctx, MAX_CHUNK_BYTES, MAX_CHUNK_BYTES);
    const int code = spng_set_png_buffer(ctx, bytes, n);
    const gr_status st = code ? fail(err, "buffer", code) : decode(&image, rt, ctx, n, options, err);
    spng_ctx_free(ctx);
    if (st != GR_OK)
        gr_image_free(image);
    else
        *out = image;
    return st;
}
