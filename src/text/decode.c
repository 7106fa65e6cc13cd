/* decode.c - all the text of some tokens: a stream that is pushed to its end. */
#include "text/stream.h"
#include "text/tokenizer_data.h"

#include <string.h>

gr_status gr_tokenizer_decode(const gr_tokenizer *t, const int32_t *ids, size_t n, unsigned flags,
                              gr_buf *out, gr_error *err)
{
    gr_stream s;
    GR_TRY(gr_stream_init(&s, t, flags, NULL, 0, err));
    for (size_t i = 0; i < n; i++)
        GR_TRY(gr_stream_push(&s, ids[i], out, err));
    return gr_stream_flush(&s, out, err);
}

gr_status gr_tokenizer_to_text(const gr_tokenizer *t, const int32_t *ids, size_t n, unsigned flags,
                               char *text, size_t max, size_t *bytes, gr_error *err)
{
    gr_buf b;
    gr_buf_init(&b, t->rt, GR_TEXT_MAX);
    gr_status st = gr_tokenizer_decode(t, ids, n, flags, &b, err);
    *bytes = b.len;
    if (st == GR_OK && text && b.len >= max)
        st = gr_fail(err, GR_ERR_LIMIT, "the text has %zu bytes, there is room for %zu with the zero", b.len,
                     max);
    if (st == GR_OK && text)
        memcpy(text, gr_buf_str(&b), b.len + 1);
    gr_buf_fini(&b);
    return st;
}
