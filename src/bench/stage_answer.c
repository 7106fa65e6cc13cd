/* stage_answer.c - whole answers, and their stages as a session counts them. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "bench/row.h"
#include "bench/stages.h"

/* Stages of an answer as a session counts them, in its order. */
enum { TOWER, PREFILL, DECODE, WHOLE, N_ANSWER };
_Static_assert(N_ANSWER == GR_ANSWER_ROWS, "stages.h says how many");

typedef struct {
    gr_stages *s;
    gr_request request;
    gr_answer_options options;
    gr_session_stats stats;
    int n; /* repeats so far */
    double seconds[N_ANSWER][GR_TIMING_MAX];
    double limit[GR_N_LIMITS][GR_TIMING_MAX];
} answering;

static bool stop(void *user) { return !gr_stages_go_on(user); }

static gr_status answer(answering *a, gr_session *session, gr_error *err)
{
    GR_TRY(gr_session_ask(session, &a->request, &a->options, err));
    while (gr_session_busy(session)) {
        if (!gr_stages_go_on(a->s))
            gr_session_cancel(session);
        GR_TRY(gr_engine_step(a->s->engine, err));
    }
    return gr_session_finish(session) == GR_FINISH_CANCELLED ? gr_fail(err, GR_ERR_CANCELLED, "cancelled")
                                                             : GR_OK;
}

static gr_status time_answer(answering *a, gr_session *session, gr_error *err)
{
    const double began = gr_timing_now();
    GR_TRY(answer(a, session, err));
    a->seconds[WHOLE][a->n] = gr_timing_now() - began;
    a->stats.size = sizeof a->stats;
    GR_TRY(gr_session_statistics(session, &a->stats, err));
    a->seconds[TOWER][a->n] = a->stats.encode_ms * 1e-3;
    a->seconds[PREFILL][a->n] = a->stats.prefill_ms * 1e-3;
    a->seconds[DECODE][a->n] = a->stats.decode_ms * 1e-3 / (a->options.max_tokens - 1);
    a->n++;
    return GR_OK;
}

/* Every answer has a session of its own: nothing that an earlier one knows of the picture may help. */
static gr_status run_answer(void *user, gr_error *err)
{
    answering *a = user;
    gr_session *session;
    GR_TRY(gr_session_open(&session, a->s->engine, err));
    const gr_status st = time_answer(a, session, err);
    gr_session_close(session);
    return st;
}

/* Both limits: decoding reads, the rest computes. Answers take seconds, so one call would not do. */
static gr_status run_limits(void *user, gr_error *err)
{
    answering *a = user;
    for (gr_limit limit = 0; limit < GR_N_LIMITS; limit++) {
        const gr_work work = gr_limits_work(&a->s->limits, limit);
        const double began = gr_timing_now();
        double spent;
        int calls = 0;
        do {
            GR_TRY(work.run(work.user, err));
            calls++;
            spent = gr_timing_now() - began;
        } while (spent < a->s->options->seconds && calls < GR_TIMING_CALLS);
        a->limit[limit][a->n] = spent / calls;
    }
    return GR_OK;
}

static void tell_answer(answering *a, int stage, const char *name, gr_bench_row row)
{
    char whole[64];
    gr_stages *s = a->s;
    gr_timed timed = { .n = a->n };
    const bool reads = stage == DECODE;
    const gr_limit limit = reads ? GR_LIMIT_READ : GR_LIMIT_FMA;
    snprintf(whole, sizeof whole, "answer-1+%d/%s", a->stats.across * a->stats.down, name);
    row.name = whole;
    memcpy(timed.work, a->seconds[stage], sizeof timed.work);
    memcpy(timed.beside, a->limit[limit], sizeof timed.beside);
    row.fraction =
        gr_timed_ratio(&timed) * (reads ? row.bytes : row.flop) / gr_limits_amount(&s->limits, limit);
    gr_row_measured(&row, reads ? GR_UNIT_READ : GR_UNIT_FLOP, timed.work, timed.n);
    gr_stages_tell(s, &row, "stage");
}

static void tell_answers(answering *a)
{
    const gr_gar_config *c = &a->s->model->gar->config;
    const gr_tile_bench *t = &a->s->tile;
    const int prompt = a->stats.prompt_rows, tokens = a->options.max_tokens - 1, h = c->text.hidden;
    double part[GR_N_PARTS], token_flop, token_bytes, bytes;
    for (gr_part p = 0; p < GR_N_PARTS; p++)
        gr_tile_bench_cost(t, p, &part[p], &bytes);
    gr_token_cost(t, prompt + (tokens + 1) / 2.0, &token_flop, &token_bytes);
    const double tower =
                     a->stats.tiles * (part[GR_PART_EMBED] + part[GR_PART_TOWER] + part[GR_PART_PROJECTOR]),
                 prefill = gr_prompt_flop(t, prompt);
    tell_answer(a, TOWER, "tower",
                (gr_bench_row){ .rows = a->stats.tiles * gr_pe_rows(&c->vision),
                                .inputs = c->vision.dim,
                                .outputs = h,
                                .flop = tower });
    tell_answer(a, PREFILL, "prefill",
                (gr_bench_row){ .rows = prompt, .inputs = h, .outputs = h, .flop = prefill });
    tell_answer(
        a, DECODE, "decode",
        (gr_bench_row){
            .rows = 1, .inputs = h, .outputs = c->text.vocab, .flop = token_flop, .bytes = token_bytes });
    tell_answer(a, WHOLE, "whole",
                (gr_bench_row){ .rows = prompt + tokens,
                                .inputs = h,
                                .outputs = h,
                                .flop = tower + prefill + tokens * token_flop });
}

gr_status gr_stages_answer(gr_stages *s, int tiles, gr_error *err)
{
    answering *a = gr_calloc(s->rt, 1, sizeof *a);
    if (!a)
        return gr_fail(err, GR_ERR_MEM, "no memory for the times of answers");
    a->s = s;
    a->request = gr_stages_request(s, tiles);
    a->request.cancelled = stop;
    a->request.cancel_user = s;
    gr_answer_options_init(&a->options);
    a->options.max_tokens = s->options->max_tokens;
    a->options.ignore_end = true;
    const gr_timing timing = {
        .repeats = s->options->repeats, .cold = true, .go_on = gr_stages_go_on, .user = s
    };
    const gr_work work = { run_answer, a }, beside = { run_limits, a };
    gr_timed *timed = gr_calloc(s->rt, 1, sizeof *timed);
    const gr_status st = timed ? gr_timing_run(timed, &timing, &work, &beside, err)
                               : gr_fail(err, GR_ERR_MEM, "no memory for the times of answers");
    if (st == GR_OK)
        tell_answers(a);
    gr_free(s->rt, timed);
    gr_free(s->rt, a);
    return st;
}
