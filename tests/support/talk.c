#include "test.h"

#include "support/talk.h"

#include "base/rng.h"

void world_open(world *w, const char *dir, int n_threads, gr_core_limits limits)
{
    world_open_with(w, dir, test_runtime_threads(n_threads), limits);
}

void world_open_with(world *w, const char *dir, gr_runtime *rt, gr_core_limits limits)
{
    gr_error err = { 0 };
    gr_core_limits l = limits;
    l.max_sequences = l.max_sequences ? l.max_sequences : 1;
    l.max_context = l.max_context ? l.max_context : TALK_MAX_ROWS;
    l.chunk_rows = l.chunk_rows ? l.chunk_rows : 256;
    l.max_features = l.max_features ? l.max_features : 400;
    l.max_regions = l.max_regions ? l.max_regions : 5;
    *w = (world){ .rt = rt };
    MUST(gr_backend_cpu_new(&w->backend, w->rt, &err));
    MUST(gr_gar_open(&w->gar, w->rt, dir, GR_ROUND_NONE, &err));
    MUST(gr_core_new(&w->core, w->gar, w->backend, &l, NULL, NULL, &err));
}

void world_close(world *w)
{
    gr_core_free(w->core);
    gr_gar_close(w->gar);
    gr_backend_free(w->backend);
    gr_runtime_free(w->rt);
}

/* --- what is asked ------------------------------------------------------------------------------------- */

int talk_rows(const world *w, const talk *t, int32_t *ids, int32_t *source)
{
    const gr_gar_config *c = &w->gar->config;
    const int tiles = t->across ? 1 + t->across * t->down : 0;
    const int features = tiles * gr_tile_tokens(c) + t->n_regions * gr_region_rows(c);
    const int n = t->before + features + t->after;
    assert_true(n <= TALK_MAX_ROWS);
    for (int i = 0; i < n; i++) {
        ids[i] = (int32_t)(gr_uniform(t->seed, 1, (uint64_t)i) * 256);
        source[i] = i >= t->before && i < t->before + features ? i - t->before : -1;
    }
    return n;
}

static gr_status give_tile(void *user, int tile, float *pixels, float *mask, gr_error *err)
{
    enum { SIDE = 112, AREA = SIDE * SIDE };
    const talk *t = user;
    (void)err;
    for (size_t i = 0; i < 3 * AREA; i++)
        pixels[i] = (float)(2 * gr_uniform(t->seed, 100 + (uint64_t)tile, i / 5) - 1);
    for (size_t i = 0; i < AREA; i++)
        mask[i] = t->n_regions > 0 && i % SIDE > 20 + 7 * t->seed % 40 && i / SIDE > 10 * (size_t)tile % 70;
    return GR_OK;
}

void talk_picture(gr_picture *p, const talk *t)
{
    *p = (gr_picture){ .across = t->across,
                       .down = t->down,
                       .tile = give_tile,
                       .user = (void *)(uintptr_t)t,
                       .n_regions = t->n_regions };
    for (int i = 0; i < t->n_regions; i++) {
        const float x = 0.7f * (float)i, y = 0.3f * (float)i;
        memcpy(p->boxes[i], (float[]){ x, y, x + 2.6f, y + 1.9f }, sizeof p->boxes[i]);
    }
}

void talk_encode(gr_sequence *s, const talk *t)
{
    gr_error err = { 0 };
    gr_picture p;
    talk_picture(&p, t);
    MUST(gr_sequence_encode(s, &p, NULL, &err));
}

gr_generation talk_generation(const talk *t)
{
    return (gr_generation){ .sampling = { .temperature = t->temperature, .top_p = 0.95, .seed = t->seed },
                            .max_tokens = t->tokens,
                            .ignore_eos = true };
}

void talk_start(world *w, const talk *t, said *a)
{
    gr_error err = { 0 };
    int32_t ids[TALK_MAX_ROWS], source[TALK_MAX_ROWS];
    const gr_generation g = talk_generation(t);
    if (!a->s)
        MUST(gr_sequence_new(&a->s, w->core, &err));
    if (t->across)
        talk_encode(a->s, t);
    MUST(gr_sequence_rows(a->s, ids, source, (size_t)talk_rows(w, t, ids, source), &err));
    MUST(gr_sequence_generate(a->s, &g, &err));
    a->n = 0;
}

/* --- what is said -------------------------------------------------------------------------------------- */

void said_init(said *a, const world *w)
{
    *a = (said){ 0 };
    a->logits = malloc((size_t)TALK_MAX_TOKENS * (size_t)w->gar->config.text.vocab * sizeof(float));
    assert_non_null(a->logits);
}

void said_fini(said *a) { free(a->logits); }

typedef struct {
    float *logits;
    size_t rows, cols;
} shown;

static void keep_logits(void *user, const char *name, const float *data, size_t rows, size_t cols)
{
    shown *s = user;
    if (strcmp(name, "logits") != 0)
        return;
    assert_null(s->logits);
    s->logits = malloc(rows * cols * sizeof(float));
    assert_non_null(s->logits);
    memcpy(s->logits, data, rows * cols * sizeof(float));
    s->rows = rows;
    s->cols = cols;
}

void world_step(world *w, said *const *all, int n)
{
    gr_error err = { 0 };
    shown step = { 0 };
    const gr_core_watch watch = { keep_logits, &step, false };
    int before[64];
    const int slots = w->core->limits.max_sequences;
    assert_true(slots <= 64);
    for (int i = 0; i < slots; i++)
        before[i] = w->core->sequences[i] ? w->core->sequences[i]->n_answer : 0;
    MUST(gr_core_step(w->core, &watch, &err));
    size_t row = 0;
    for (int i = 0; i < slots; i++) {
        const gr_sequence *s = w->core->sequences[i];
        if (!s || s->n_answer == before[i])
            continue;
        assert_true(row < step.rows);
        for (int k = 0; k < n; k++) {
            if (all[k]->s != s)
                continue;
            const gr_sampled token = gr_sequence_token(s, s->n_answer - 1);
            assert_true(all[k]->n < TALK_MAX_TOKENS);
            memcpy(all[k]->logits + (size_t)all[k]->n * step.cols, step.logits + row * step.cols,
                   step.cols * sizeof(float));
            all[k]->tokens[all[k]->n] = token.token;
            all[k]->logprobs[all[k]->n++] = token.logprob;
        }
        row++;
    }
    assert_int_equal(row, step.rows);
    free(step.logits);
}

void world_finish(world *w, said *const *all, int n)
{
    while (gr_core_busy(w->core))
        world_step(w, all, n);
}

void talk_alone(const char *dir, int n_threads, int chunk_rows, const talk *t, said *a)
{
    talk_alone_on(dir, n_threads, chunk_rows, ~0u, t, a);
}

void talk_alone_on(const char *dir, int n_threads, int chunk_rows, unsigned cpu, const talk *t, said *a)
{
    world w;
    world_open_with(&w, dir, test_runtime_cpu(n_threads, cpu), (gr_core_limits){ .chunk_rows = chunk_rows });
    said_init(a, &w);
    talk_start(&w, t, a);
    world_finish(&w, &a, 1);
    gr_sequence_free(a->s);
    a->s = NULL;
    world_close(&w);
}

void said_same(const said *a, const said *b, const char *what)
{
    const size_t vocab = 296;
    if (a->n != b->n)
        fail_msg("%s: %d tokens and %d", what, a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        if (memcmp(a->logits + (size_t)i * vocab, b->logits + (size_t)i * vocab, vocab * sizeof(float)) != 0)
            fail_msg("%s: logits of token %d differ", what, i);
        assert_int_equal(a->tokens[i], b->tokens[i]);
        assert_memory_equal(&a->logprobs[i], &b->logprobs[i], sizeof a->logprobs[i]);
    }
}
