#include "text/stream.h"

#include <string.h>

#include "text/unicode.h"

static void put_stop(void *user, uint8_t byte);

static gr_status add_stop(gr_stream *s, const char *text, gr_error *err)
{
    gr_stop *stop = &s->stops[s->n_stops++];
    stop->n = strlen(text);
    stop->matched = 0;
    if (stop->n == 0 || !gr_utf8_valid(text, stop->n))
        return gr_fail(err, GR_ERR_ARG, "stop string %zu is %s", s->n_stops - 1,
                       stop->n ? "not UTF-8" : "empty");
    if (stop->n > GR_STOP_BYTES_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "stop string %zu has %zu bytes, the limit is %d", s->n_stops - 1,
                       stop->n, GR_STOP_BYTES_MAX);
    memcpy(stop->text, text, stop->n);
    stop->border[0] = 0;
    for (size_t i = 1, k = 0; i < stop->n; i++) {
        while (k > 0 && stop->text[i] != stop->text[k])
            k = stop->border[k - 1];
        k += stop->text[i] == stop->text[k];
        stop->border[i] = (uint16_t)k;
    }
    return GR_OK;
}

gr_status gr_stream_init(gr_stream *s, const gr_tokenizer *t, unsigned flags, const char *const *stops,
                         size_t n_stops, gr_error *err)
{
    s->t = t;
    s->flags = flags;
    s->shown = NULL;
    s->n_shown = 0;
    s->n_partial = s->n_held = s->n_stops = 0;
    s->stopped = -1;
    s->begun = false;
    s->out = NULL;
    gr_cleanup_init(&s->cleanup, put_stop, s);
    if (n_stops > GR_STOPS_MAX)
        return gr_fail(err, GR_ERR_ARG, "%zu stop strings, at most %d are possible", n_stops, GR_STOPS_MAX);
    for (size_t i = 0; i < n_stops; i++)
        GR_TRY(add_stop(s, stops[i], err));
    return GR_OK;
}

/* Last stage: bytes of the final text. Gives out what no stop string can begin with any more. */
static void put_stop(void *user, uint8_t byte)
{
    gr_stream *s = user;
    if (s->stopped >= 0)
        return;
    size_t keep = 0, found = 0; /* the longest begun and the longest complete match */
    for (size_t i = 0; i < s->n_stops; i++) {
        gr_stop *stop = &s->stops[i];
        while (stop->matched > 0 && stop->text[stop->matched] != byte)
            stop->matched = stop->border[stop->matched - 1];
        stop->matched += stop->text[stop->matched] == byte;
        if (stop->matched > keep)
            keep = stop->matched;
        if (stop->matched == stop->n && stop->n > found) {
            found = stop->n;
            s->stopped = (int)i;
        }
    }
    if (found > 0)
        keep = found;
    const size_t all = s->n_held + 1, sure = all - keep; /* keep <= all: a match is of held bytes and this */
    gr_buf_add(s->out, s->held, sure < s->n_held ? sure : s->n_held);
    if (sure == all)
        gr_buf_add(s->out, &byte, 1);
    if (found > 0 || sure == all) {
        s->n_held = 0;
        return;
    }
    memmove(s->held, s->held + sure, s->n_held - sure);
    s->held[s->n_held - sure] = byte;
    s->n_held = keep;
}

/* Middle stage: bytes of well-formed text. */
static void put_text(gr_stream *s, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->flags & GR_DECODE_CLEAN_UP)
            gr_cleanup_push(&s->cleanup, bytes[i]);
        else
            put_stop(s, bytes[i]);
    }
}

static void put_replacement(gr_stream *s)
{
    uint8_t bytes[4];
    put_text(s, bytes, (size_t)gr_utf8_encode(GR_REPLACEMENT, bytes));
}

/* First stage: bytes of tokens. */
static void put_raw(gr_stream *s, uint8_t byte)
{
    s->partial[s->n_partial++] = byte;
    while (s->n_partial > 0) {
        const gr_utf8 c = gr_utf8_decode(s->partial, s->n_partial);
        if (c.state == GR_UTF8_INCOMPLETE)
            return;
        if (c.state == GR_UTF8_OK)
            put_text(s, s->partial, (size_t)c.bytes);
        else
            put_replacement(s);
        s->n_partial -= (size_t)c.bytes;
        memmove(s->partial, s->partial + c.bytes, s->n_partial);
    }
}

static gr_status result(gr_stream *s, gr_error *err)
{
    const gr_buf *out = s->out;
    s->out = NULL;
    if (!out->failed)
        return GR_OK;
    if (out->max - out->len < GR_STOP_BYTES_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "decoded text of more than %zu bytes", out->max);
    return gr_fail(err, GR_ERR_MEM, "no memory for decoded text of %zu bytes", out->len);
}

static bool is_skipped(const gr_stream *s, int32_t id)
{
    if (!(s->flags & GR_DECODE_SKIP_SPECIAL) || !gr_tokenizer_is_special(s->t, id))
        return false;
    for (int i = 0; i < s->n_shown; i++)
        if (s->shown[i] == id)
            return false;
    return true;
}

gr_status gr_stream_push(gr_stream *s, int32_t id, gr_buf *out, gr_error *err)
{
    size_t n;
    const uint8_t *bytes = gr_tokenizer_bytes(s->t, id, &n);
    if (is_skipped(s, id))
        n = 0;
    const size_t lead = s->begun || n == 0 ? 0 : gr_tokenizer_lead(s->t, id);
    s->begun = s->begun || n > 0;
    s->out = out;
    for (size_t i = lead; i < n && s->stopped < 0; i++)
        put_raw(s, bytes[i]);
    return result(s, err);
}

gr_status gr_stream_flush(gr_stream *s, gr_buf *out, gr_error *err)
{
    s->out = out;
    if (s->n_partial > 0 && s->stopped < 0)
        put_replacement(s);
    s->n_partial = 0;
    gr_cleanup_flush(&s->cleanup);
    if (s->stopped < 0)
        gr_buf_add(out, s->held, s->n_held);
    s->n_held = 0;
    for (size_t i = 0; i < s->n_stops; i++)
        s->stops[i].matched = 0;
    return result(s, err);
}
