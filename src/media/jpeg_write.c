/* jpeg_write.c - JPEG into memory, as libjpeg's defaults have it: 4:2:0, baseline. */
#include "media/codec.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

typedef struct {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr target;
    jmp_buf failed;
    gr_buf *out;
    gr_error *err;
    gr_status st;
    JOCTET block[4096];
} writer;

static void on_error(j_common_ptr c)
{
    writer *w = c->client_data;
    char text[JMSG_LENGTH_MAX];
    c->err->format_message(c, text);
    w->st = gr_fail(w->err, GR_ERR_ARG, "JPEG: %s", text);
    longjmp(w->failed, 1);
}

static void on_message(j_common_ptr c, int level)
{
    (void)c;
    (void)level;
}

static void begin_block(j_compress_ptr c)
{
    writer *w = c->client_data;
    c->dest->next_output_byte = w->block;
    c->dest->free_in_buffer = sizeof w->block;
}

static void put_block(writer *w, size_t n)
{
    if (gr_buf_add(w->out, w->block, n))
        return;
    w->st = gr_fail(w->err, GR_ERR_MEM, "JPEG: no memory for the file");
    longjmp(w->failed, 1);
}

static boolean full_block(j_compress_ptr c)
{
    writer *w = c->client_data;
    put_block(w, sizeof w->block);
    begin_block(c);
    return TRUE;
}

static void last_block(j_compress_ptr c)
{
    writer *w = c->client_data;
    put_block(w, sizeof w->block - c->dest->free_in_buffer);
}

/* Everything that may jump. */
static void encode(writer *w, const gr_image *image, int quality)
{
    if (setjmp(w->failed))
        return;
    struct jpeg_compress_struct *c = &w->cinfo;
    jpeg_create_compress(c);
    c->dest = &w->target;
    c->image_width = (JDIMENSION)image->width;
    c->image_height = (JDIMENSION)image->height;
    c->input_components = image->channels;
    c->in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, quality, TRUE);
    jpeg_start_compress(c, TRUE);
    while (c->next_scanline < c->image_height) {
        JSAMPROW row =
            image->pixels + (size_t)c->next_scanline * (size_t)image->width * (size_t)image->channels;
        jpeg_write_scanlines(c, &row, 1);
    }
    jpeg_finish_compress(c);
}

gr_status gr_jpeg_encode(gr_buf *out, const gr_image *image, int quality, gr_error *err)
{
    if (image->channels == 4 || quality < 1 || quality > 100)
        return gr_fail(err, GR_ERR_ARG, "JPEG of %d channels at quality %d, expected 1 or 3, and 1 to 100",
                       image->channels, quality);
    writer w = { .out = out, .err = err };
    w.cinfo.err = jpeg_std_error(&w.errors);
    w.errors.error_exit = on_error;
    w.errors.emit_message = on_message;
    w.cinfo.client_data = &w;
    w.target = (struct jpeg_destination_mgr){ .init_destination = begin_block,
                                              .empty_output_buffer = full_block,
                                              .term_destination = last_block };
    encode(&w, image, quality);
    jpeg_destroy_compress(&w.cinfo);
    return w.st;
}
