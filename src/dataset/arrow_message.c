#include "dataset/arrow_message.h"

#define CONTINUATION 0xffffffffu

gr_status gr_arrow_frame_find(gr_arrow_frame *frame, bool *ended, const gr_source *source, size_t at,
                              gr_error *err)
{
    uint8_t head[8];
    const size_t left = at < source->size ? source->size - at : 0;
    *ended = left == 0;
    if (*ended)
        return GR_OK;
    if (left < 4)
        return gr_fail(err, GR_ERR_FORMAT, "%zu bytes left, expected at least 4: the file is cut off", left);
    GR_TRY(gr_source_read(source, at, head, left < 8 ? left : 8, err));
    uint32_t size = (uint32_t)gr_fb_number(head, 4);
    size_t head_bytes = 4; /* before Arrow 0.15 the size alone */
    if (size == CONTINUATION) {
        if (left < 8)
            return gr_fail(err, GR_ERR_FORMAT, "%zu bytes left, expected at least 8: the file is cut off",
                           left);
        size = (uint32_t)gr_fb_number(head + 4, 4);
        head_bytes = 8;
    }
    *ended = size == 0;
    if (*ended)
        return GR_OK;
    if (size > left - head_bytes)
        return gr_fail(
            err, GR_ERR_FORMAT,
            "%u bytes of metadata announced and %zu left: this is no Arrow stream, or it is cut off", size,
            left - head_bytes);
    if (size > GR_ARROW_META_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%u bytes of metadata, the limit is %zu", size, GR_ARROW_META_MAX);
    *frame = (gr_arrow_frame){ at + head_bytes, size, at + head_bytes + size };
    return GR_OK;
}

static gr_status broken(const gr_fb *fb, gr_error *err)
{
    return gr_fail(err, GR_ERR_FORMAT, "the metadata have %s, at byte %zu", fb->fault, fb->fault_at);
}

gr_status gr_arrow_message_parse(gr_arrow_message *m, gr_fb *fb, gr_error *err)
{
    const gr_fb_table root = gr_fb_root(fb);
    const int64_t version = gr_fb_int(root, 0, 2, 0), kind = gr_fb_int(root, 1, 1, 0);
    *m = (gr_arrow_message){ .kind = (gr_arrow_message_kind)kind,
                             .header = gr_fb_child(root, 2),
                             .body_bytes = gr_fb_int(root, 3, 8, 0) };
    if (fb->fault)
        return broken(fb, err);
    if (version != 3 && version != 4)
        return gr_fail(err, GR_ERR_UNSUPPORTED,
                       "metadata version %d, versions 3 and 4 (Arrow 0.8 and later) are read", (int)version);
    if (kind < GR_ARROW_SCHEMA || kind > GR_ARROW_RECORD_BATCH)
        return gr_fail(err, GR_ERR_UNSUPPORTED,
                       "a message of kind %d; schemas (1), dictionaries (2) and record batches (3) are read",
                       (int)kind);
    if (!m->header.at)
        return gr_fail(err, GR_ERR_FORMAT, "a message without its header");
    if (m->body_bytes < 0)
        return gr_fail(err, GR_ERR_FORMAT, "a body of %lld bytes", (long long)m->body_bytes);
    return GR_OK;
}

gr_status gr_arrow_record_parse(gr_arrow_record *r, const gr_arrow_message *m, gr_error *err)
{
    *r = (gr_arrow_record){ .codec = GR_ARROW_RAW };
    gr_fb_table t = m->header;
    if (m->kind == GR_ARROW_DICTIONARY_BATCH) {
        r->id = gr_fb_int(t, 0, 8, 0);
        r->is_delta = gr_fb_int(t, 2, 1, 0) != 0;
        t = gr_fb_child(t, 1);
        if (!t.fb->fault && !t.at)
            return gr_fail(err, GR_ERR_FORMAT, "a dictionary without values");
    }
    r->length = gr_fb_int(t, 0, 8, 0);
    r->nodes = gr_fb_elements(t, 1, 16);
    r->buffers = gr_fb_elements(t, 2, 16);
    r->variadic = gr_fb_elements(t, 4, 8);
    const gr_fb_table compression = gr_fb_child(t, 3);
    const int64_t codec = gr_fb_int(compression, 0, 1, 0), method = gr_fb_int(compression, 1, 1, 0);
    if (t.fb->fault)
        return broken(t.fb, err);
    if (r->length < 0 || r->length > GR_ARROW_LENGTH_MAX)
        return gr_fail(err, r->length < 0 ? GR_ERR_FORMAT : GR_ERR_LIMIT, "%lld rows, expected 0 to %lld",
                       (long long)r->length, (long long)GR_ARROW_LENGTH_MAX);
    if (!compression.at)
        return GR_OK;
    if (codec < GR_ARROW_LZ4 || codec > GR_ARROW_ZSTD || method != 0)
        return gr_fail(err, GR_ERR_UNSUPPORTED,
                       "compression %d of method %d; 0 (LZ4) and 1 (ZSTD) of method 0 (by buffer) are known",
                       (int)codec, (int)method);
    r->codec = (gr_arrow_codec)codec;
    return GR_OK;
}
