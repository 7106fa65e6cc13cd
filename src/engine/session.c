#include "engine/session.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "engine/internal.h"
#include "model/gar_profile.h"

#define MAX_ANSWER_BYTES ((size_t)16 << 20)

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

void gr_answer_options_init(gr_answer_options *options)
{
    *options = (gr_answer_options){ .size = sizeof *options, .max_tokens = 1024, .top_p = 1 };
}

gr_status gr_session_open(gr_session **out, gr_engine *engine, gr_error *err)
{
    *out = NULL;
    gr_session *s = gr_calloc(engine->model->rt, 1, sizeof *s);
    if (!s)
        return gr_fail(err, GR_ERR_MEM, "no memory for a session");
    s->engine = engine;
    gr_buf_init(&s->text, engine->model->rt, MAX_ANSWER_BYTES);
    int slot = 0;
    while (slot < engine->n_sessions && engine->sessions[slot])
        slot++;
    const gr_status st = slot < engine->n_sessions
                             ? gr_sequence_new(&s->sequence, engine->core, err)
                             : gr_fail(err, GR_ERR_LIMIT,
                                       "the engine was made for %d conversations, and all are in use", slot);
    if (st != GR_OK) {
        gr_session_close(s);
        return st;
    }
    engine->sessions[slot] = s;
    *out = s;
    return GR_OK;
}

void gr_session_close(gr_session *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->engine->n_sessions; i++)
        if (s->engine->sessions[i] == s)
            s->engine->sessions[i] = NULL;
    gr_sequence_free(s->sequence);
    gr_buf_fini(&s->text);
    gr_free(s->engine->model->rt, s);
}

/* --- asking
 * -----------------------------------------------------------------------------------------------------------
 */

typedef struct {
    const gr_prepared *p;
    gr_dump *dump;
} tile_source;

static gr_status give_tile(void *user, int t, float *pixels, float *mask, gr_error *err)
{
    (void)err;
    const tile_source *s = user;
    const gr_gar_config *c = &s->p->model->gar->config;
    const int64_t side = c->vision.tile_px, planes[3] = { 3, side, side };
    gr_tiles_floats(s->p->pixels, t, c->image_mean, c->image_std, pixels);
    memset(mask, 0, (size_t)(side * side) * sizeof *mask);
    if (s->p->mask) {
        uint8_t *bytes = (uint8_t *)(void *)
            mask; /* the plane as bytes first, at the front of its own memory; widened from the back */
        gr_tiles_bytes(s->p->mask, t, bytes);
        for (size_t i = (size_t)(side * side); i-- > 0;)
            mask[i] = bytes[i];
    }
    gr_dump_add(s->dump, "pixel_values", GR_DTYPE_F32, 1, 3, planes, pixels);
    gr_dump_add(s->dump, "mask_values", GR_DTYPE_F32, 1, 2, planes + 1, mask);
    return GR_OK;
}

static gr_status encode(gr_session *s, gr_prepared *p, const gr_request *r, gr_error *err)
{
    tile_source source = { p, r->dump };
    gr_picture picture = { .across = p->canvas.cols,
                           .down = p->canvas.rows,
                           .tile = give_tile,
                           .user = &source,
                           .n_regions = p->n_boxes,
                           .progress = r->progress,
                           .progress_user = r->progress_user,
                           .cancelled = r->cancelled,
                           .cancel_user = r->cancel_user };
    memcpy(picture.boxes, p->boxes, sizeof picture.boxes);
    const gr_core_watch watch = gr_dump_watch(r->dump);
    return gr_sequence_encode(s->sequence, &picture, &watch, err);
}

static gr_status start(gr_session *s, const gr_request *r, const gr_answer_options *o, gr_error *err)
{
    const gr_model *m = s->engine->model;
    gr_generation g = {
        .sampling = { .temperature = o->temperature, .top_p = o->top_p, .top_k = o->top_k, .seed = o->seed },
        .max_tokens = o->max_tokens,
        .ignore_eos = o->ignore_end
    };
    if (r->profile.value[GR_SWITCH_STOP] ==
        0) { /* as published: the scripts pass the tokenizer's end of turn alone */
        g.n_eos = 1;
        g.eos[0] = m->markers.eot;
    } else {
        g.n_eos = m->gar->config.text.n_eos;
        memcpy(g.eos, m->gar->config.text.eos, sizeof g.eos);
    }
    GR_TRY(gr_stream_init(&s->stream, m->tokenizer, o->keep_special ? 0 : GR_DECODE_SKIP_SPECIAL, o->stops,
                          o->n_stops, err));
    /* "<Prompt0> holds <Prompt1>": without them the answer says nothing. */
    s->stream.shown = m->markers.prompt;
    s->stream.n_shown = m->markers.n_prompts;
    return gr_sequence_generate(s->sequence, &g, err);
}

/* Room for the whole text, so that no token allocates. A byte that is no character becomes three. */
static gr_status make_room(gr_session *s, int max_tokens, size_t n_prompt, gr_error *err)
{
    const size_t left = (size_t)s->engine->max_context - n_prompt + 1,
                 tokens = max_tokens < 0              ? 0
                          : (size_t)max_tokens < left ? (size_t)max_tokens
                                                      : left,
                 bytes = tokens * 3 * s->engine->token_bytes;
    return gr_buf_reserve(&s->text, bytes < MAX_ANSWER_BYTES ? bytes : MAX_ANSWER_BYTES)
               ? GR_OK
               : gr_fail(err, GR_ERR_MEM, "no memory for the text of %zu tokens", tokens);
}

/* What can be known before the picture is worked on. */
static gr_status check_fits(const gr_engine *e, const gr_prepared *p, gr_error *err)
{
    if (p->canvas.cols * p->canvas.rows > e->max_tiles)
        return gr_fail(err, GR_ERR_LIMIT,
                       "the picture needs %d tiles, the engine was made for %d (max_tiles)",
                       p->canvas.cols * p->canvas.rows, e->max_tiles);
    if (p->ids.n > (size_t)e->max_context)
        return gr_fail(
            err, GR_ERR_LIMIT,
            "the question comes to %zu tokens (picture %d, regions %d), the engine was made for %d "
            "(max_context)",
            p->ids.n, gr_prepared_image_rows(p), gr_prepared_region_rows(p), e->max_context);
    return GR_OK;
}

static gr_status ask(gr_session *s, gr_prepared *p, const gr_request *r, const gr_answer_options *o,
                     gr_error *err)
{
    const double began = now_ms();
    GR_TRY(check_fits(s->engine, p, err));
    GR_TRY(gr_request_cut(p, r, err));
    GR_TRY(make_room(s, o->max_tokens, p->ids.n, err));
    const double cut = now_ms();
    gr_dump_clear(r->dump);
    const int64_t n_ids[1] = { (int64_t)p->ids.n };
    gr_dump_add(r->dump, "input_ids", GR_DTYPE_I32, 0, 1, n_ids, p->ids.v);
    if (p->canvas.cols > 0)
        GR_TRY(encode(s, p, r, err));
    GR_TRY(gr_sequence_rows(s->sequence, p->ids.v, p->source.v, p->ids.n, err));
    s->stats = (gr_session_stats){ .size = sizeof s->stats,
                                   .prompt_rows = (int)p->ids.n,
                                   .image_rows = gr_prepared_image_rows(p),
                                   .region_rows = gr_prepared_region_rows(p),
                                   .tiles = p->pixels ? p->pixels->n : 0,
                                   .tiles_kept = p->pixels ? gr_sequence_n_kept(s->sequence) : 0,
                                   .across = p->canvas.cols,
                                   .down = p->canvas.rows,
                                   .picture_ms = cut - began,
                                   .encode_ms = now_ms() - cut };
    s->started_ms = now_ms();
    GR_TRY(start(s, r, o, err));
    s->dump = r->dump;
    s->answering = true;
    return GR_OK;
}

static gr_status ask_anew(gr_session *s, const gr_request *request, const gr_answer_options *options,
                          gr_error *err)
{
    gr_answer_options o;
    gr_answer_options_init(&o);
    if (options && options->size != sizeof o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_answer_options.size is %zu, this library expects %zu: call gr_answer_options_init",
                       options->size, sizeof o);
    if (options)
        o = *options;
    if (request->dump && s->engine->n_sessions != 1)
        return gr_fail(err, GR_ERR_ARG, "a dump needs an engine of one session, this one is for %d",
                       s->engine->n_sessions);
    gr_prepared p;
    GR_TRY(gr_request_plan(&p, s->engine->model, request, err));
    GR_TRY(gr_sequence_truncate(s->sequence, 0, err));
    gr_buf_clear(&s->text);
    s->n_collected = 0;
    s->answering = false;
    s->finish = GR_FINISH_NONE;
    s->dump = NULL;
    const gr_status st = gr_sequence_forget_cancel(s->sequence)
                             ? gr_fail(err, GR_ERR_CANCELLED, "cancelled before it began")
                             : ask(s, &p, request, &o, err);
    gr_prepared_fini(&p);
    return st;
}

gr_status gr_session_ask(gr_session *s, const gr_request *request, const gr_answer_options *options,
                         gr_error *err)
{
    const gr_status st = ask_anew(s, request, options, err);
    if (st != GR_OK)
        gr_sequence_forget_cancel(s->sequence); /* there is nothing left to stop */
    return st;
}

/* --- answering
 * ----------------------------------------------------------------------------------------------------------
 */

static gr_finish_reason finish_of(const gr_session *s)
{
    if (s->stream.stopped >= 0)
        return GR_FINISH_STOP; /* whatever else ended with the same token */
    switch (gr_sequence_state(s->sequence)) {
    case GR_GOING:
        return GR_FINISH_NONE;
    case GR_LENGTH:
        return GR_FINISH_LENGTH;
    case GR_CANCELLED:
        return GR_FINISH_CANCELLED;
    default:
        return GR_FINISH_STOP;
    }
}

static gr_status take_text(gr_session *s, gr_error *err)
{
    const int n = gr_sequence_n_tokens(s->sequence);
    if (n > s->n_collected) {
        const double now = now_ms();
        *(s->n_collected == 0 ? &s->stats.prefill_ms : &s->stats.decode_ms) += now - s->started_ms;
        s->started_ms = now;
    }
    for (; s->n_collected < n; s->n_collected++) {
        const bool last = s->n_collected + 1 == n && gr_sequence_state(s->sequence) == GR_STOPPED;
        const int32_t id = gr_sequence_token(s->sequence, s->n_collected).token;
        if (!last || s->stream.flags == 0) /* the end token is no text, unless special tokens are kept */
            GR_TRY(gr_stream_push(&s->stream, id, &s->text, err));
    }
    if (s->stream.stopped >= 0)
        gr_sequence_end(s->sequence);
    s->finish = finish_of(s);
    return s->finish == GR_FINISH_NONE ? GR_OK : gr_stream_flush(&s->stream, &s->text, err);
}

gr_status gr_session_collect(gr_session *s, gr_error *err)
{
    if (!s->answering)
        return GR_OK;
    const gr_status st = take_text(s, err);
    if (st != GR_OK)
        gr_sequence_end(s->sequence); /* or every later step of the engine would fail too */
    if (st != GR_OK || s->finish != GR_FINISH_NONE) {
        s->answering = false;
        s->dump = NULL;
    }
    return st;
}

void gr_session_set_answer(gr_session *s, const char *text, const gr_sampled *tokens, int n, double began)
{
    memcpy(s->sequence->answer, tokens, (size_t)n * sizeof *tokens);
    s->sequence->n_answer = s->n_collected = n;
    gr_buf_clear(&s->text);
    gr_buf_text(&s->text, text);
    s->finish = GR_FINISH_STOP;
    s->stats.prefill_ms = now_ms() - began;
}

void gr_session_drop(gr_session *s)
{
    if (gr_session_busy(s))
        return;
    s->answering = false;
    s->dump = NULL;
}

gr_status gr_session_answer(gr_session *s, bool (*text)(void *user, const char *utf8, size_t n), void *user,
                            gr_error *err)
{
    for (size_t given = 0;;) {
        if (text && s->text.len > given && !text(user, s->text.data + given, s->text.len - given)) {
            text = NULL;
            if (gr_session_busy(s))
                gr_session_cancel(s);
        }
        given = s->text.len;
        if (!gr_session_busy(s))
            return GR_OK;
        GR_TRY(gr_engine_step(s->engine, err));
    }
}

bool gr_session_busy(const gr_session *s) { return gr_sequence_state(s->sequence) == GR_GOING; }
void gr_session_cancel(gr_session *s) { gr_sequence_cancel(s->sequence); }

const char *gr_session_text(const gr_session *s, size_t *n)
{
    if (n)
        *n = s->text.len;
    return gr_buf_str(&s->text);
}

gr_finish_reason gr_session_finish(const gr_session *s) { return s->finish; }
size_t gr_session_n_tokens(const gr_session *s) { return (size_t)gr_sequence_n_tokens(s->sequence); }

gr_token gr_session_token(const gr_session *s, size_t i)
{
    if (i >= gr_session_n_tokens(s))
        return (gr_token){ .id = -1 };
    const gr_sampled t = gr_sequence_token(s->sequence, (int)i);
    gr_token out = { .id = t.token, .logprob = t.logprob };
    out.bytes = (const char *)gr_tokenizer_bytes(s->engine->model->tokenizer, t.token, &out.n_bytes);
    return out;
}

gr_status gr_session_statistics(const gr_session *s, gr_session_stats *stats, gr_error *err)
{
    if (stats->size != sizeof *stats)
        return gr_fail(err, GR_ERR_ARG, "gr_session_stats.size is %zu, this library expects %zu", stats->size,
                       sizeof *stats);
    *stats = s->stats;
    stats->size = sizeof *stats;
    return GR_OK;
}
