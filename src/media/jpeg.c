/* jpeg.c - JPEG through the libjpeg interface (libjpeg-turbo). Its working memory is its own: a few rows, and
 * for progressive files 2 bytes a coefficient. */
#include "media/codec.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "base/alloc.h"

/* A progressive picture needs a dozen scans; thousands of empty ones are an attack on time. */
#define MAX_SCANS 500

typedef struct {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_source_mgr source;
    jmp_buf failed;
    gr_runtime *rt;
    const gr_image_options *options;
    gr_error *err;
    gr_status st;
    gr_image *image; /* ours until it is handed out */
    uint8_t *cmyk;   /* one row, or NULL */
} jpeg_state;

static void on_error(j_common_ptr c)
{
    jpeg_state *s = c->client_data;
    char text[JMSG_LENGTH_MAX];
    c->err->format_message(c, text);
    s->st = gr_fail(s->err, GR_ERR_FORMAT, "JPEG: %s", text);
    longjmp(s->failed, 1);
}

/* Warnings: libjpeg has repaired what it could; other readers show such pictures too. Data that end early
 * come to fill_buffer below instead. */
static void on_message(j_common_ptr c, int level)
{
    (void)c;
    (void)level;
}

static void on_progress(j_common_ptr c)
{
    jpeg_state *s = c->client_data;
    if (s->cinfo.input_scan_number <= MAX_SCANS)
        return;
    s->st = gr_fail(s->err, GR_ERR_LIMIT, "JPEG: more than %d scans", MAX_SCANS);
    longjmp(s->failed, 1);
}

static void source_nothing(j_decompress_ptr c) { (void)c; }

static boolean fill_buffer(j_decompress_ptr c)
{
    static const JOCTET end_of_image[2] = { 0xff, JPEG_EOI };
    jpeg_state *s = c->client_data;
    if (!s->options->lenient) {
        s->st = s->image ? gr_fail(s->err, GR_ERR_FORMAT, "JPEG data end early: %u of %u rows are there",
                                   (unsigned)c->output_scanline, (unsigned)c->output_height)
                         : gr_fail(s->err, GR_ERR_FORMAT, "JPEG data end early, before the picture begins");
        longjmp(s->failed, 1);
    }
    c->src->next_input_byte = end_of_image;
    c->src->bytes_in_buffer = sizeof end_of_image;
    return TRUE;
}

static void skip_bytes(j_decompress_ptr c, long n)
{
    struct jpeg_source_mgr *src = c->src;
    const size_t skip = n > 0 ? (size_t)n : 0;
    const size_t there = skip < src->bytes_in_buffer ? skip : src->bytes_in_buffer;
    src->next_input_byte += there;
    src->bytes_in_buffer -= there;
}

/* Pillow takes every four-channel JPEG as Adobe writes it, inverted, and multiplies the inks: (1 - c)(1 - k).
 */
static void rgb_from_cmyk(uint8_t *rgb, const uint8_t *cmyk, size_t n)
{
    for (size_t i = 0; i < n; i++, rgb += 3, cmyk += 4) {
        const int light = cmyk[3]; /* 255 - k */
        for (int c = 0; c < 3; c++) {
            const int t = (255 - cmyk[c]) * light + 128; /* ink times light over 255, rounded */
            const int v = light - (((t >> 8) + t) >> 8);
            rgb[c] = (uint8_t)(v < 0 ? 0 : v);
        }
    }
}

static void begin(jpeg_state *s, const uint8_t *bytes, size_t n)
{
    struct jpeg_decompress_struct *c = &s->cinfo;
    jpeg_create_decompress(c);
    s->source = (struct jpeg_source_mgr){ .next_input_byte = bytes,
                                          .bytes_in_buffer = n,
                                          .init_source = source_nothing,
                                          .fill_input_buffer = fill_buffer,
                                          .skip_input_data = skip_bytes,
                                          .resync_to_restart = jpeg_resync_to_restart,
                                          .term_source = source_nothing };
    c->src = &s->source;
    s->progress.progress_monitor = on_progress;
    c->progress = &s->progress;
    jpeg_read_header(c, TRUE);
}

static gr_status allocate(jpeg_state *s)
{
    struct jpeg_decompress_struct *c = &s->cinfo;
    GR_TRY(gr_image_check_size(s->options, "JPEG", c->image_width, c->image_height, s->err));
    const int n = c->num_components;
    if (n != 1 && n != 3 && n != 4)
        return gr_fail(s->err, GR_ERR_UNSUPPORTED, "a JPEG with %d components, expected 1, 3 or 4", n);
    c->out_color_space = n == 1 ? JCS_GRAYSCALE : n == 3 ? JCS_RGB : JCS_CMYK;
    gr_image *image;
    GR_TRY(gr_image_new(&image, s->rt, (int)c->image_width, (int)c->image_height, n == 1 ? 1 : 3, s->err));
    s->image = image;
    if (n == 4 && !(s->cmyk = gr_malloc(s->rt, c->image_width, 4)))
        return gr_fail(s->err, GR_ERR_MEM, "no memory for a row of %u pixels", (unsigned)c->image_width);
    return GR_OK;
}

/* Everything that may jump. */
static void decode(jpeg_state *s, const uint8_t *bytes, size_t n)
{
    if (setjmp(s->failed))
        return;
    begin(s, bytes, n);
    s->st = allocate(s);
    if (s->st != GR_OK)
        return;
    struct jpeg_decompress_struct *c = &s->cinfo;
    jpeg_start_decompress(c);
    const size_t row_bytes = (size_t)s->image->width * (size_t)s->image->channels;
    while (c->output_scanline < c->output_height) {
        uint8_t *row = s->image->pixels + c->output_scanline * row_bytes;
        JSAMPROW target = s->cmyk ? s->cmyk : row;
        jpeg_read_scanlines(c, &target, 1);
        if (s->cmyk)
            rgb_from_cmyk(row, s->cmyk, c->output_width);
    }
}

gr_status gr_jpeg_decode(gr_image **out, gr_runtime *rt, const uint8_t *bytes, size_t n,
                         const gr_image_options *options, gr_error *err)
{
    jpeg_state s = { .rt = rt, .options = options, .err = err };
    s.cinfo.err = jpeg_std_error(&s.errors);
    s.errors.error_exit = on_error;
    s.errors.emit_message = on_message;
    s.cinfo.client_data = &s;
    decode(&s, bytes, n);
    jpeg_destroy_decompress(&s.cinfo);
    gr_free(rt, s.cmyk);
    if (s.st != GR_OK)
        gr_image_free(s.image);
    else
        *out = s.image;
    return s.st;
}
