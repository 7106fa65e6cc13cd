#include "media/exif.h"

#include <stdbool.h>
#include <string.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT      3

/* Bytes of a block in either byte order; past the end everything reads as zero. */
typedef struct {
    const uint8_t *data;
    size_t n;
    bool big;
} block;

static uint32_t read_uint(const block *b, size_t at, size_t bytes)
{
    uint32_t v = 0;
    if (at > b->n || b->n - at < bytes)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | b->data[at + (b->big ? i : bytes - 1 - i)];
    return v;
}

int gr_exif_orientation_of_block(const uint8_t *tiff, size_t n)
{
    if (n < 14 || (memcmp(tiff, "II*\0", 4) != 0 && memcmp(tiff, "MM\0*", 4) != 0))
        return 0;
    const block b = { tiff, n, tiff[0] == 'M' };
    const size_t directory = read_uint(&b, 4, 4);
    const uint32_t n_entries = read_uint(&b, directory, 2);
    for (uint32_t i = 0; i < n_entries; i++) {
        const size_t entry = directory + 2 + (size_t)i * 12;
        if (entry > n || n - entry < 12)
            return 0;
        if (read_uint(&b, entry, 2) != TAG_ORIENTATION)
            continue;
        const uint32_t value = read_uint(&b, entry + 8, 2);
        const bool right_type = read_uint(&b, entry + 2, 2) == TYPE_SHORT && read_uint(&b, entry + 4, 4) == 1;
        return right_type && value >= 1 && value <= 8 ? (int)value : 0;
    }
    return 0;
}

/* EXIF blocks of WebP, and of some PNG writers, repeat the "Exif\0\0" that only JPEG needs. */
static int orientation_after_prefix(const uint8_t *data, size_t n)
{
    if (n >= 6 && memcmp(data, "Exif\0\0", 6) == 0)
        return gr_exif_orientation_of_block(data + 6, n - 6);
    return gr_exif_orientation_of_block(data, n);
}

static int of_jpeg(const uint8_t *file, size_t n)
{
    const block b = { file, n, true };
    size_t at = 2;
    while (at < n && n - at >= 4 && file[at] == 0xff) {
        const uint8_t marker = file[at + 1];
        if (marker == 0xff) { /* fill byte */
            at++;
            continue;
        }
        if (marker == 0xda || marker == 0xd9) /* start of scan, end of image */
            return 0;
        const size_t length = read_uint(&b, at + 2, 2); /* with its own two bytes */
        if (length < 2 || length > n - at - 2)
            return 0;
        if (marker == 0xe1 && length >= 8 && memcmp(file + at + 4, "Exif\0\0", 6) == 0)
            return gr_exif_orientation_of_block(file + at + 10, length - 8);
        at += 2 + length;
    }
    return 0;
}

/* Chunks of PNG (length, name, data, check) and of WebP (name, length, data, padding to even). */
static int of_chunks(const uint8_t *file, size_t n, bool png)
{
    const block b = { file, n, png };
    size_t at = png ? 8 : 12;
    while (at < n && n - at >= 8) {
        const size_t length = read_uint(&b, png ? at : at + 4, 4);
        const uint8_t *name = file + at + (png ? 4 : 0);
        at += 8;
        if (length > n - at)
            return 0;
        if (memcmp(name, png ? "eXIf" : "EXIF", 4) == 0)
            return orientation_after_prefix(file + at, length);
        const size_t after = png ? 4 : length & 1;
        if (after > n - at - length)
            return 0;
        at += length + after;
    }
    return 0;
}

int gr_exif_orientation(const uint8_t *file, size_t n)
{
    int found = 0;
    if (n >= 3 && memcmp(file, "\xff\xd8\xff", 3) == 0)
        found = of_jpeg(file, n);
    else if (n >= 8 && memcmp(file, "\x89PNG\r\n\x1a\n", 8) == 0)
        found = of_chunks(file, n, true);
    else if (n >= 12 && memcmp(file, "RIFF", 4) == 0 && memcmp(file + 8, "WEBP", 4) == 0)
        found = of_chunks(file, n, false);
    return found ? found : 1;
}

void gr_exif_turn(uint8_t *out, const uint8_t *pixels, int width, int height, int channels, int orientation)
{
    /* Source pixel of output (x, y): sx = x or y, counted from the left or from the right; sy likewise. */
    static const struct {
        bool swap, from_right, from_bottom;
    } turns[9] = {
        [1] = { false, false, false }, [2] = { false, true, false }, [3] = { false, true, true },
        [4] = { false, false, true },  [5] = { true, false, false }, [6] = { true, false, true },
        [7] = { true, true, true },    [8] = { true, true, false },
    };
    const bool swap = turns[orientation].swap;
    const size_t w = (size_t)width, h = (size_t)height, c = (size_t)channels;
    const size_t out_w = swap ? h : w, out_h = swap ? w : h;
    for (size_t y = 0; y < out_h; y++)
        for (size_t x = 0; x < out_w; x++) {
            size_t sx = swap ? y : x, sy = swap ? x : y;
            sx = turns[orientation].from_right ? w - 1 - sx : sx;
            sy = turns[orientation].from_bottom ? h - 1 - sy : sy;
            memcpy(out + (y * out_w + x) * c, pixels + (sy * w + sx) * c, c);
        }
}
