/* The first program of docs/graph.md: ragged continuous decoding with fork and truncate, on both backends. */
#include "graph/internal.h"
#include "op/ops.h"
#include "support/toy.h"

enum { VOCAB = 50, LAYERS = 2, N_PAGES = 12, MAX_PAGES = 4, MAX_TOKENS = 160 };

typedef struct {
    int32_t tokens[MAX_TOKENS], pages[MAX_PAGES];
    int n_tokens, n_pages;           /* tokens that are in the pages */
    float logits[MAX_TOKENS][VOCAB]; /* of every position, as they came out */
} sequence;

typedef struct {
    rig r;
    gr_graph *embed, *layer, *head;
    gr_weight *block[LAYERS][BLOCK_PARAMS], *table, *norm, *out;
    float *host[LAYERS * BLOCK_PARAMS + 3];
    gr_kv_pages kv;
    int shared[N_PAGES]; /* how many sequences hold a page */
    uint8_t *arena;
    void *ids, *x[2], *picked, *logits;
} decoder;

static void build_segments(decoder *d)
{
    gr_error err = { 0 };
    gr_value *p[BLOCK_PARAMS];
    gr_graph *g = d->embed = toy_graph(&d->r, "embed");
    gr_value *ids = gr_graph_input_index(g, "ids", gr_graph_extent(g, "rows", ROWS), 1, 1);
    gr_graph_output(g, gr_embed(ids, gr_graph_param(g, "table", VOCAB, DIM), NULL));
    MUST(gr_graph_plan(g, d->r.be, &err));

    g = d->layer = toy_graph(&d->r, "block");
    toy_declare(g, p);
    gr_graph_output(g, toy_block(gr_graph_input(g, "x", gr_graph_extent(g, "rows", ROWS), 1, DIM), p, true));
    assert_int_equal(gr_graph_rewrite(g), 3); /* two norms and the gate */
    MUST(gr_graph_plan(g, d->r.be, &err));

    g = d->head = toy_graph(&d->r, "head");
    gr_value *x = gr_graph_input(g, "x", gr_graph_extent(g, "rows", ROWS), 1, DIM);
    gr_value *index = gr_graph_input_index(g, "picked", gr_graph_extent(g, "picked", ROWS), 1, 1);
    gr_value *norm = gr_graph_param(g, "norm", 1, DIM), *out = gr_graph_param(g, "out", VOCAB, DIM);
    gr_graph_output(
        g, gr_linear(gr_scale_columns(gr_rms_norm(gr_gather_rows(x, index), 1e-5f), norm), out, NULL));
    gr_graph_rewrite(g);
    MUST(gr_graph_plan(g, d->r.be, &err));
}

static gr_weight *make_weight(decoder *d, const gr_graph *g, int slot, float *host)
{
    const gr_value *p = g->params[slot];
    gr_weight *w = rig_weight(&d->r, p->name, host, (size_t)p->factor, (size_t)p->cols);
    rig_prepare(&d->r, g, slot, w);
    return w;
}

static void decoder_open(decoder *d, rig_kind kind, int threads)
{
    *d = (decoder){ 0 };
    rig_open(&d->r, kind, threads);
    build_segments(d);
    float **h = d->host;
    for (int l = 0; l < LAYERS; l++)
        for (int i = 0; i < BLOCK_PARAMS; i++, h++) {
            *h = toy_draw_param(i, 10 + (uint64_t)(l * BLOCK_PARAMS + i));
            d->block[l][i] = make_weight(d, d->layer, i, *h);
        }
    d->table = make_weight(d, d->embed, 0, *h++ = toy_draw(VOCAB * DIM, 1, 1));
    d->norm = make_weight(d, d->head, 0, *h++ = toy_draw(DIM, 2, 1));
    d->out = make_weight(d, d->head, 1, *h++ = toy_draw(VOCAB * DIM, 3, 0.5f));
    d->kv = (gr_kv_pages){ .n_layers = LAYERS, .kv_heads = KV_HEADS, .head_dim = HEAD, .n_pages = N_PAGES };
    d->kv.memory = rig_space(&d->r, (size_t)N_PAGES * LAYERS * 2 * gr_kv_half_page(&d->kv) * sizeof(float));
    size_t arena = gr_graph_arena_bytes(d->layer); /* one arena, as large as the largest plan */
    arena = arena > gr_graph_arena_bytes(d->head) ? arena : gr_graph_arena_bytes(d->head);
    d->arena = rig_space(&d->r, arena + gr_graph_arena_bytes(d->embed));
    d->ids = rig_space(&d->r, ROWS * 4);
    d->picked = rig_space(&d->r, ROWS * 4);
    d->logits = rig_space(&d->r, ROWS * VOCAB * 4);
    for (int i = 0; i < 2; i++)
        d->x[i] = rig_space(&d->r, ROWS * DIM * 4);
}

static void decoder_close(decoder *d)
{
    for (int i = 0; i < N_PAGES; i++)
        assert_int_equal(d->shared[i], 0); /* every page came back */
    gr_graph_free(d->embed);
    gr_graph_free(d->layer);
    gr_graph_free(d->head);
    rig_close(&d->r);
    for (size_t i = 0; i < sizeof d->host / sizeof *d->host; i++)
        free(d->host[i]);
}

/* Pages: a new one, a copy of one that is shared and about to be written, and letting go. */
static int32_t take_page(decoder *d)
{
    int32_t page = 0;
    while (page < N_PAGES && d->shared[page])
        page++;
    assert_true(page < N_PAGES);
    d->shared[page] = 1;
    return page;
}

static void copy_page(decoder *d, int32_t from, int32_t to)
{
    const size_t bytes = (size_t)LAYERS * 2 * gr_kv_half_page(&d->kv) * sizeof(float);
    float *host = malloc(bytes);
    assert_non_null(host);
    rig_get(&d->r, host, gr_kv_page(&d->kv, from, 0), bytes);
    d->r.be->ops->write(d->r.be, gr_kv_page(&d->kv, to, 0), host, bytes);
    free(host);
}

static void make_room(decoder *d, sequence *s, int n_new)
{
    for (int i = s->n_tokens / GR_PAGE_TOKENS; i * GR_PAGE_TOKENS < s->n_tokens + n_new; i++)
        if (i == s->n_pages) {
            s->pages[s->n_pages++] = take_page(d);
        } else if (d->shared[s->pages[i]] > 1) {
            const int32_t own = take_page(d);
            copy_page(d, s->pages[i], own);
            d->shared[s->pages[i]]--;
            s->pages[i] = own;
        }
}

static void truncate_to(decoder *d, sequence *s, int n)
{
    s->n_tokens = n;
    while (s->n_pages > (n + GR_PAGE_TOKENS - 1) / GR_PAGE_TOKENS)
        d->shared[s->pages[--s->n_pages]]--;
}

static void fork_to(decoder *d, const sequence *from, sequence *to)
{
    *to = *from;
    for (int i = 0; i < to->n_pages; i++)
        d->shared[to->pages[i]]++;
}

/* One step: the next `take[i]` tokens of each sequence, all in one call of every segment. */
static void step(decoder *d, sequence *const *seqs, const int *take, int n_seqs)
{
    gr_error err = { 0 };
    gr_span spans[8];
    static rig_rows rows;
    static float logits[ROWS][VOCAB];
    int32_t ids[ROWS], picked[ROWS], n = 0;
    int n_spans = 0;
    for (int i = 0; i < n_seqs; i++) {
        sequence *s = seqs[i];
        if (take[i] == 0)
            continue;
        make_room(d, s, take[i]);
        spans[n_spans++] = (gr_span){ .row = n, .n_rows = take[i], .pos = s->n_tokens, .pages = s->pages };
        for (int k = 0; k < take[i]; k++)
            ids[n++] = s->tokens[s->n_tokens + k];
    }
    for (int i = 0; i < n; i++)
        picked[i] = n - 1 - i; /* backwards, so that gathering is no copy */
    rig_make_rows(&rows, spans, n_spans);
    const gr_backend_ops *be = d->r.be->ops;
    be->write(d->r.be, d->ids, ids, (size_t)n * 4);
    be->write(d->r.be, d->picked, picked, (size_t)n * 4);
    gr_run run = { .extents = { n },
                   .inputs = { d->ids },
                   .outputs = { d->x[0] },
                   .params = { d->table },
                   .arena = d->arena };
    MUST(gr_graph_run(d->embed, d->r.be, &run, &err));
    for (int l = 0; l < LAYERS; l++) {
        run = (gr_run){ .extents = { n },
                        .inputs = { d->x[l % 2] },
                        .outputs = { d->x[1 - l % 2] },
                        .rows = &rows.table,
                        .kv = &d->kv,
                        .kv_layer = l,
                        .arena = d->arena };
        for (int i = 0; i < BLOCK_PARAMS; i++)
            run.params[i] = d->block[l][i];
        MUST(gr_graph_run(d->layer, d->r.be, &run, &err));
    }
    run = (gr_run){ .extents = { n, n },
                    .inputs = { d->x[LAYERS % 2], d->picked },
                    .outputs = { d->logits },
                    .params = { d->norm, d->out },
                    .arena = d->arena };
    MUST(gr_graph_run(d->head, d->r.be, &run, &err));
    rig_get(&d->r, logits, d->logits, (size_t)n * VOCAB * 4);
    for (int i = 0, row = 0; i < n_seqs; i++)
        for (int k = 0; k < take[i]; k++, row++)
            memcpy(seqs[i]->logits[seqs[i]->n_tokens++], logits[n - 1 - row], sizeof logits[0]);
}

/* Feeds all sequences up to their `want` tokens, `chunk` at a time, as many as the row capacity holds. */
static void feed(decoder *d, sequence *const *seqs, const int *want, int n_seqs, int chunk)
{
    for (;;) {
        int take[8], room = ROWS, total = 0;
        for (int i = 0; i < n_seqs; i++) {
            take[i] = want[i] - seqs[i]->n_tokens;
            take[i] = take[i] < chunk ? take[i] : chunk;
            take[i] = take[i] < room ? take[i] : room;
            room -= take[i];
            total += take[i];
        }
        if (total == 0)
            return;
        step(d, seqs, take, n_seqs);
    }
}

static void draw_tokens(int32_t *to, int n, uint64_t seed)
{
    float x[MAX_TOKENS];
    rig_draw(x, (size_t)n, seed, 1);
    for (int i = 0; i < n; i++)
        to[i] = (int32_t)((x[i] + 1) * VOCAB / 2) % VOCAB;
}

/* A list of tokens by itself, whole, one thread: what everything else must equal. */
static void alone(sequence *s, const int32_t *tokens, int n)
{
    decoder d;
    decoder_open(&d, RIG_CPU, 1);
    *s = (sequence){ 0 };
    memcpy(s->tokens, tokens, (size_t)n * sizeof *tokens);
    feed(&d, &s, &n, 1, 64);
    truncate_to(&d, s, 0);
    decoder_close(&d);
}

static void same_logits(const sequence *got, const sequence *want, int from, int to, const char *what)
{
    for (int i = from; i < to; i++) {
        char text[96];
        snprintf(text, sizeof text, "%s, logits of position %d", what, i);
        rig_same_bits(got->logits[i], want->logits[i], VOCAB, text);
    }
}

enum { N_SEQS = 3 };
static const int lengths[N_SEQS] = { 70, 3, 130 };

static void decode_ragged(rig_kind kind, int threads, int chunk, const sequence *want)
{
    static sequence seqs[N_SEQS];
    sequence *list[N_SEQS];
    decoder d;
    char text[64];
    decoder_open(&d, kind, threads);
    for (int i = 0; i < N_SEQS; i++) {
        seqs[i] = (sequence){ 0 };
        memcpy(seqs[i].tokens, want[i].tokens, sizeof seqs[i].tokens);
        list[i] = &seqs[i];
    }
    feed(&d, list, lengths, N_SEQS, chunk);
    snprintf(text, sizeof text, "%d threads, chunks of %d", threads, chunk);
    for (int i = 0; i < N_SEQS; i++) {
        same_logits(&seqs[i], &want[i], 0, lengths[i], text);
        truncate_to(&d, &seqs[i], 0);
    }
    decoder_close(&d);
}

static void chunks_neighbours_and_threads_do_not_change_logits(void **state)
{
    (void)state;
    static sequence want[N_SEQS];
    static const int chunks[] = { 1, 3, 64 }, threads[] = { 1, 2, 3, 8 };
    for (int i = 0; i < N_SEQS; i++) {
        int32_t tokens[MAX_TOKENS];
        draw_tokens(tokens, MAX_TOKENS, 40 + (uint64_t)i);
        alone(&want[i], tokens, lengths[i]);
        memcpy(want[i].tokens, tokens, sizeof tokens);
    }
    for (int c = 0; c < 3; c++)
        for (int t = 0; t < 4; t++)
            decode_ragged(RIG_CPU, threads[t], chunks[c], want);
    decode_ragged(RIG_CHECK, 2, 64, want);
    decode_ragged(RIG_CHECK, 3, 3, want);
}

static int pages_in_use(const decoder *d)
{
    int n = 0;
    for (int i = 0; i < N_PAGES; i++)
        n += d->shared[i] > 0;
    return n;
}

/* A prompt of 70; B forks and goes its own way in the same step as A; A goes back to 66 and takes another
 * turn. */
static void fork_and_truncate_on(rig_kind kind, int threads, int chunk)
{
    enum { PROMPT = 70, MORE = 9, BACK = 66, END = 90 };
    static sequence a, b, want;
    decoder d;
    int32_t first[MAX_TOKENS], second[MAX_TOKENS], third[MAX_TOKENS];
    draw_tokens(first, MAX_TOKENS, 50), draw_tokens(second, MAX_TOKENS, 51),
        draw_tokens(third, MAX_TOKENS, 52);
    memcpy(second, first, PROMPT * sizeof *first);
    memcpy(third, first, BACK * sizeof *first);
    decoder_open(&d, kind, threads);
    a = (sequence){ 0 };
    memcpy(a.tokens, first, sizeof first);
    sequence *both[] = { &a, &b };
    feed(&d, both, (int[]){ PROMPT }, 1, chunk);
    fork_to(&d, &a, &b);
    assert_int_equal(pages_in_use(&d), 2); /* nothing was copied */
    memcpy(b.tokens, second, sizeof second);
    feed(&d, both, (int[]){ PROMPT + MORE, PROMPT + MORE }, 2, chunk);
    assert_int_equal(pages_in_use(&d), 3); /* the full page is still shared, the begun one is not */
    truncate_to(&d, &a, BACK);
    memcpy(a.tokens, third, sizeof third);
    feed(&d, both, (int[]){ END, END }, 2, chunk);

    alone(&want, second, END);
    same_logits(&b, &want, PROMPT, END, "the fork");
    alone(&want, third, END);
    same_logits(&a, &want, 0, END, "after going back");
    alone(&want, first, PROMPT);
    same_logits(&b, &want, 0, PROMPT, "the common prompt");
    truncate_to(&d, &a, 0), truncate_to(&d, &b, 0);
    decoder_close(&d);
}

static void fork_and_truncate_equal_the_sequences_alone(void **state)
{
    (void)state;
    fork_and_truncate_on(RIG_CPU, 2, 64);
    fork_and_truncate_on(RIG_CPU, 3, 1);
    fork_and_truncate_on(RIG_CHECK, 2, 3);
}

/* The decoder of inference (pages, chunks, rewrites) and that of training (rows, one graph) are one model. */
static void training_graph_gives_the_logits_of_decoding(void **state)
{
    (void)state;
    static sequence want;
    static rig_rows rows;
    enum { N = 90 };
    decoder d;
    int32_t tokens[MAX_TOKENS];
    draw_tokens(tokens, MAX_TOKENS, 60);
    alone(&want, tokens, N);
    decoder_open(&d, RIG_CPU, 2); /* for its weights */
    gr_graph *g = toy_graph(&d.r, "all of it");
    gr_value *p[LAYERS][BLOCK_PARAMS];
    rig_data data = { .extents = { N }, .inputs = { tokens }, .rows = &rows.table };
    gr_value *x = gr_embed(gr_graph_input_index(g, "ids", gr_graph_extent(g, "rows", ROWS), 1, 1),
                           gr_graph_param(g, "table", VOCAB, DIM), NULL);
    int slot = 0;
    data.params[slot++] = d.table->stored;
    for (int l = 0; l < LAYERS; l++) {
        toy_declare(g, p[l]);
        for (int i = 0; i < BLOCK_PARAMS; i++)
            data.params[slot++] = d.block[l][i]->stored;
        x = toy_block(x, p[l], false);
    }
    data.params[slot++] = d.norm->stored, data.params[slot++] = d.out->stored;
    x = gr_scale_columns(gr_rms_norm(x, 1e-5f), gr_graph_param(g, "norm", 1, DIM));
    gr_graph_output(g, gr_linear(x, gr_graph_param(g, "out", VOCAB, DIM), NULL));
    const gr_span span = { .row = 0, .n_rows = N };
    rig_make_rows(&rows, &span, 1);
    rig r;
    rig_open(&r, RIG_CPU, 2);
    rig_call(&r, g, &data);
    rig_same_bits(data.outputs[0], want.logits[0], N * VOCAB, "training and decoding");
    rig_release_outputs(&data);
    gr_graph_free(g);
    rig_close(&r);
    decoder_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(chunks_neighbours_and_threads_do_not_change_logits),
                                        cmocka_unit_test(fork_and_truncate_equal_the_sequences_alone),
                                        cmocka_unit_test(training_graph_gives_the_logits_of_decoding) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
