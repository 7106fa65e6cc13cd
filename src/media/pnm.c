/* pnm.c - Netpbm grey and colour maps: P2, P3 (digits), P5, P6 (bytes). The one format of the core.
 * Source: the ppm(5) and pgm(5) pages of Netpbm; scaling of other maxima as Pillow's PpmImagePlugin. */
#include "media/codec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
} pnm_reader;

static bool is_space(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The next decimal number, after white space and comments; -1 when there is none or it is over 2^31 - 1. */
static int64_t read_number(pnm_reader *r)
{
    for (bool comment = false; r->at < r->end; r->at++) {
        if (*r->at == '#')
            comment = true;
        else if (*r->at == '\n')
            comment = false;
        else if (!comment && !is_space(*r->at))
            break;
    }
    int64_t value = -1;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        value = (value < 0 ? 0 : value * 10) + (*r->at - '0');
        if (value > INT32_MAX)
            return -1;
    }
    return value;
}

/* A sample of 0..max on 0..255. 16-bit grey is first spread over 65535 and then clamped, as Pillow's mode I
 * is. */
static uint8_t scale_sample(int64_t value, int64_t max, bool grey)
{
    if (max == 255)
        return (uint8_t)value;
    const double full = grey && max > 255 ? 65535.0 : 255.0;
    const double scaled = rint((double)value / (double)max * full);
    return (uint8_t)(scaled > 255 ? 255 : scaled);
}

static gr_status read_samples(gr_image *image, pnm_reader *r, int64_t max, bool digits, bool lenient,
                              gr_error *err)
{
    const size_t n = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    const size_t bytes = max > 255 ? 2 : 1;
    for (size_t i = 0; i < n; i++) {
        int64_t value;
        if (digits)
            value = read_number(r);
        else if ((size_t)(r->end - r->at) < bytes)
            value = -1;
        else {
            value = bytes == 2 ? r->at[0] << 8 | r->at[1] : r->at[0];
            r->at += bytes;
        }
        if (value < 0 && r->at >= r->end && lenient)
            return GR_OK;
        if (value < 0 || value > max)
            return gr_fail(err, GR_ERR_FORMAT,
                           value < 0 ? "PNM data end after %zu of %zu samples"
                                     : "PNM sample %zu of %zu is over the stated maximum",
                           i, n);
        image->pixels[i] = scale_sample(value, max, image->channels == 1);
    }
    return GR_OK;
}

gr_status gr_pnm_decode(gr_image **out, gr_runtime *rt, const uint8_t *bytes, size_t n,
                        const gr_image_options *options, gr_error *err)
{
    pnm_reader r = { bytes + 2, bytes + n };
    const bool digits = bytes[1] == '2' || bytes[1] == '3';
    const int channels = bytes[1] == '3' || bytes[1] == '6' ? 3 : 1;
    const int64_t width = read_number(&r), height = read_number(&r), max = read_number(&r);
    if (width < 0 || height < 0 || max < 1 || max > 65535)
        return gr_fail(
            err, GR_ERR_FORMAT,
            "a PNM header without width, height and a maximum of 1 to 65535 (found %lld, %lld, %lld)",
            (long long)width, (long long)height, (long long)max);
    GR_TRY(gr_image_check_size(options, "PNM", (uint64_t)width, (uint64_t)height, err));
    if (r.at < r.end && is_space(*r.at))
        r.at++;
    /* A sample takes a byte at least: a header that promises more than the file holds allocates nothing. */
    const uint64_t samples = (uint64_t)width * (uint64_t)height * (uint64_t)channels;
    if (!options->lenient && samples > (uint64_t)(r.end - r.at))
        return gr_fail(
            err, GR_ERR_FORMAT, "PNM data end early: %lld x %lld pixels need %llu samples, %zu bytes follow",
            (long long)width, (long long)height, (unsigned long long)samples, (size_t)(r.end - r.at));
    gr_image *image;
    GR_TRY(gr_image_new(&image, rt, (int)width, (int)height, channels, err));
    const gr_status st = read_samples(image, &r, max, digits, options->lenient, err);
    if (st != GR_OK)
        gr_image_free(image);
    else
        *out = image;
    return st;
}

gr_status gr_pnm_encode(gr_file_writer *out, const gr_image *image, gr_error *err)
{
    const size_t n = (size_t)image->width * (size_t)image->height;
    char head[64];
    const int head_bytes = snprintf(head, sizeof head, "P%c\n%d %d\n255\n", image->channels == 1 ? '5' : '6',
                                    image->width, image->height);
    gr_file_writer_add(out, head, (size_t)head_bytes);
    if (image->channels != 4)
        gr_file_writer_add(out, image->pixels, n * (size_t)image->channels);
    else
        for (size_t i = 0; i < n; i++)
            gr_file_writer_add(out, image->pixels + 4 * i, 3);
    return gr_file_writer_status(out, err);
}
