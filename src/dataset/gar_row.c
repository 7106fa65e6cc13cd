#include "dataset/gar_row.h"

#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "region/mask.h"
#include "region/rle.h"

static const char data_prefix[] = "data:base64,";

/* --- pieces -------------------------------------------------------------------------------------------- */

static bool has_prefix(const char *text, size_t n)
{
    return n >= sizeof data_prefix - 1 && memcmp(text, data_prefix, sizeof data_prefix - 1) == 0;
}

gr_status gr_gar_row_image_base64(gr_record *r, const char *text, size_t n, gr_error *err)
{
    uint8_t *bytes;
    size_t n_bytes;
    gr_runtime *rt = r->arena.rt;
    const size_t skip = has_prefix(text, n) ? sizeof data_prefix - 1 : 0;
    GR_TRY(gr_base64_decode(&bytes, &n_bytes, rt, text + skip, n - skip, err));
    const gr_status st = gr_record_text(r, &r->bytes, (const char *)bytes, n_bytes, err);
    gr_free(rt, bytes);
    return st;
}

gr_status gr_gar_row_image_text(gr_record *r, const char *text, size_t n, gr_error *err)
{
    r->form = has_prefix(text, n) ? GR_PICTURE_DATA : GR_PICTURE_PATH;
    return r->form == GR_PICTURE_DATA ? gr_gar_row_image_base64(r, text, n, err)
                                      : gr_record_text(r, &r->path, text, n, err);
}

gr_status gr_gar_row_add_counts(gr_record *r, int32_t height, int32_t width, const char *text, size_t n,
                                gr_error *err)
{
    gr_record_region *g;
    GR_TRY(gr_mask_check_size("a mask", width, height, err));
    GR_TRY(gr_record_add_region(r, &g, err));
    g->has_rle = true;
    g->rle_height = height;
    g->rle_width = width;
    if (r->n_regions == 1) { /* rows state no size of the picture but this one */
        r->height = height;
        r->width = width;
    }
    return gr_record_text(r, &g->rle, text, n, err);
}

gr_status gr_gar_row_add_runs(gr_record *r, int32_t height, int32_t width, const uint32_t *runs, size_t n,
                              gr_error *err)
{
    gr_rle rle;
    gr_buf text;
    GR_TRY(gr_rle_from_runs(&rle, r->arena.rt, height, width, runs, n, err));
    gr_buf_init(&text, r->arena.rt, GR_RECORD_BYTES_MAX);
    gr_status st = gr_rle_to_text(&text, &rle, err);
    if (st == GR_OK)
        st = gr_gar_row_add_counts(r, height, width, gr_buf_str(&text), text.len, err);
    gr_buf_fini(&text);
    gr_rle_fini(&rle);
    return st;
}

/* --- writing ------------------------------------------------------------------------------------------- */

/* Base64 needs no escapes, so it is put between quotes as it is. */
static void put_base64(gr_json_writer *w, const char *prefix, gr_chars bytes, gr_runtime *rt, size_t max)
{
    gr_buf text;
    gr_buf_init(&text, rt, max);
    gr_buf_text(&text, "\"");
    gr_buf_text(&text, prefix);
    gr_base64_encode(&text, bytes.at, bytes.n);
    gr_buf_text(&text, "\"");
    if (text.failed)
        w->out->failed = true;
    else
        gr_json_put_raw(w, text.data, text.len);
    gr_buf_fini(&text);
}

static void put_image(gr_json_writer *w, const gr_record *r)
{
    gr_runtime *rt = r->arena.rt;
    const size_t max = w->out->max;
    switch (r->form) {
    case GR_PICTURE_NONE:
        gr_json_put_null(w);
        break;
    case GR_PICTURE_PATH:
        gr_json_put_string(w, r->path.at, r->path.n);
        break;
    case GR_PICTURE_DATA:
        put_base64(w, data_prefix, r->bytes, rt, max);
        break;
    case GR_PICTURE_STORED:
        gr_json_put_object(w);
        gr_json_put_key(w, "bytes");
        if (r->bytes.n)
            put_base64(w, "", r->bytes, rt, max);
        else
            gr_json_put_null(w);
        gr_json_put_key(w, "path");
        if (r->path.n)
            gr_json_put_string(w, r->path.at, r->path.n);
        else
            gr_json_put_null(w);
        gr_json_put_end(w, '}');
        break;
    }
}

static void put_turns(gr_json_writer *w, const gr_record *r)
{
    gr_json_put_array(w);
    for (size_t i = 0; i < r->n_turns; i++) {
        gr_json_put_object(w);
        gr_json_put_key(w, "from");
        gr_json_put_text(w, gr_from_name(r->turns[i].from));
        gr_json_put_key(w, "value");
        gr_json_put_string(w, r->turns[i].value.at, r->turns[i].value.n);
        gr_json_put_end(w, '}');
    }
    gr_json_put_end(w, ']');
}

static void put_masks(gr_json_writer *w, const gr_record *r)
{
    if (r->n_regions == 0) {
        gr_json_put_null(w);
        return;
    }
    gr_json_put_array(w);
    for (size_t i = 0; i < r->n_regions; i++) {
        const gr_record_region *g = &r->regions[i];
        gr_json_put_object(w);
        gr_json_put_key(w, "size");
        gr_json_put_array(w);
        gr_json_put_int(w, g->rle_height);
        gr_json_put_int(w, g->rle_width);
        gr_json_put_end(w, ']');
        gr_json_put_key(w, "counts");
        gr_json_put_string(w, g->rle.at, g->rle.n);
        gr_json_put_end(w, '}');
    }
    gr_json_put_end(w, ']');
}

gr_status gr_gar_row_write(gr_buf *out, const gr_record *r, gr_error *err)
{
    gr_json_writer w;
    for (size_t i = 0; i < r->n_regions; i++)
        if (!r->regions[i].has_rle)
            return gr_fail(err, GR_ERR_ARG, "%.200s: region %zu has no run lengths, which a GAR row needs",
                           r->key.at, i);
    gr_json_writer_init(&w, out, false);
    gr_json_put_object(&w);
    if (r->key.n) {
        gr_json_put_key(&w, "id");
        gr_json_put_string(&w, r->key.at, r->key.n);
    }
    gr_json_put_key(&w, "image");
    put_image(&w, r);
    gr_json_put_key(&w, "conversations");
    put_turns(&w, r);
    gr_json_put_key(&w, "mask_rle");
    put_masks(&w, r);
    gr_json_put_end(&w, '}');
    return out->failed ? gr_fail(err, GR_ERR_MEM, "%.200s: a row of more than %zu bytes, or no memory for it",
                                 r->key.at, out->max)
                       : GR_OK;
}
