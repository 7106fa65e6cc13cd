#include "test.h"

#include "support/arrow_stream.h"

/* Room for the marker and the size; then the message, whose header is at *header. */
static gr_fb_writer begin(gr_buf *out, const arrow_message_head *head, size_t *at, size_t *header)
{
    gr_fb_field t[] = { { .slot = 3, .bytes = 8, .value = head->body_bytes },
                        { .slot = 2, .bytes = 4 },
                        { .slot = 0, .bytes = 2, .value = head->version },
                        { .slot = 1, .bytes = 1, .value = head->kind } };
    *at = out->len;
    assert_int_equal(out->len % 8, 0);
    gr_buf_add(out, "\xff\xff\xff\xff\0\0\0\0", 8);
    gr_fb_writer w = gr_fb_writer_begin(out);
    gr_fb_point(&w, 0, gr_fb_put_table(&w, t, 4));
    *header = t[1].at;
    return w;
}

static void end(gr_fb_writer *w, size_t at)
{
    gr_fb_writer_end(w);
    const size_t n = w->out->len - at - 8;
    for (int i = 0; i < 4; i++)
        w->out->data[at + 4 + (size_t)i] = (char)(n >> (8 * i));
    assert_false(w->out->failed);
}

void arrow_stream_schema(gr_buf *out, const gr_arrow_field *fields, int n)
{
    gr_error err = { 0 };
    gr_arrow_schema schema;
    size_t at, header;
    MUST(gr_arrow_schema_of(&schema, out->rt, fields, n, &err));
    gr_fb_writer w = begin(out, &(arrow_message_head){ 4, GR_ARROW_SCHEMA, 0 }, &at, &header);
    gr_fb_point(&w, header, gr_arrow_schema_put(&schema, &w));
    end(&w, at);
    gr_arrow_schema_fini(&schema);
}

static size_t put_dictionary_field(gr_fb_writer *w, const char *name, int64_t id)
{
    gr_fb_field field[] = { { .slot = 0, .bytes = 4 },
                            { .slot = 3, .bytes = 4 },
                            { .slot = 4, .bytes = 4 },
                            { .slot = 1, .bytes = 1, .value = 1 },
                            { .slot = 2, .bytes = 1, .value = GR_ARROW_UTF8 } };
    gr_fb_field encoding[] = { { .slot = 0, .bytes = 8, .value = id } };
    const size_t at = gr_fb_put_table(w, field, 5);
    gr_fb_point(w, field[0].at, gr_fb_put_string(w, name, strlen(name)));
    gr_fb_point(w, field[1].at, gr_fb_put_table(w, NULL, 0));
    gr_fb_point(w, field[2].at, gr_fb_put_table(w, encoding, 1));
    return at;
}

void arrow_stream_dictionary_schema(gr_buf *out, const char *name, int64_t id, size_t n)
{
    size_t at, header;
    gr_fb_field schema[] = { { .slot = 1, .bytes = 4 } };
    gr_fb_writer w = begin(out, &(arrow_message_head){ 4, GR_ARROW_SCHEMA, 0 }, &at, &header);
    gr_fb_point(&w, header, gr_fb_put_table(&w, schema, 1));
    const size_t fields = gr_fb_put_tables(&w, n);
    gr_fb_point(&w, schema[0].at, fields);
    for (size_t i = 0; i < n; i++)
        gr_fb_point(&w, fields + 4 + 4 * i, put_dictionary_field(&w, name, id));
    end(&w, at);
}

static size_t put_pairs(gr_fb_writer *w, const int64_t (*pairs)[2], size_t n)
{
    const size_t at = gr_fb_put_vector(w, n, 8);
    for (size_t i = 0; i < n; i++) {
        gr_fb_put_number(w, (uint64_t)pairs[i][0], 8);
        gr_fb_put_number(w, (uint64_t)pairs[i][1], 8);
    }
    return at;
}

void arrow_stream_batch(gr_buf *out, const arrow_batch_spec *b)
{
    size_t at, header;
    gr_fb_field dictionary[] = { { .slot = 0, .bytes = 8, .value = b->id },
                                 { .slot = 1, .bytes = 4 },
                                 { .slot = 2, .bytes = 1, .value = b->is_delta } };
    gr_fb_field record[] = { { .slot = 0, .bytes = 8, .value = b->length },
                             { .slot = 1, .bytes = 4 },
                             { .slot = 2, .bytes = 4 },
                             { .slot = 3, .bytes = 4 } };
    gr_fb_field codec[] = { { .slot = 0, .bytes = 1, .value = b->codec } };
    const arrow_message_head head = { 4, b->is_dictionary ? GR_ARROW_DICTIONARY_BATCH : GR_ARROW_RECORD_BATCH,
                                      (int64_t)b->body_bytes };
    gr_fb_writer w = begin(out, &head, &at, &header);
    if (b->is_dictionary) {
        gr_fb_point(&w, header, gr_fb_put_table(&w, dictionary, 3));
        header = dictionary[1].at;
    }
    gr_fb_point(&w, header, gr_fb_put_table(&w, record, b->codec == GR_ARROW_RAW ? 3 : 4));
    gr_fb_point(&w, record[1].at, put_pairs(&w, b->nodes, b->n_nodes));
    gr_fb_point(&w, record[2].at, put_pairs(&w, b->buffers, b->n_buffers));
    if (b->codec != GR_ARROW_RAW)
        gr_fb_point(&w, record[3].at, gr_fb_put_table(&w, codec, b->codec == GR_ARROW_LZ4 ? 0 : 1));
    end(&w, at);
    gr_buf_add(out, b->body, b->body_bytes);
}

void arrow_stream_odd(gr_buf *out, const arrow_message_head *head)
{
    size_t at, header;
    gr_fb_writer w = begin(out, head, &at, &header);
    gr_fb_point(&w, header, gr_fb_put_table(&w, NULL, 0));
    end(&w, at);
    for (int64_t i = 0; i < head->body_bytes && i < 4096; i++)
        gr_buf_add(out, "", 1);
}

void arrow_stream_end(gr_buf *out) { gr_buf_add(out, "\xff\xff\xff\xff\0\0\0\0", 8); }
