/* Conversations that share an engine: the same bits whoever else is there, however the rows come, and after
 * whatever ended others. */
#include "test.h"

#include <pthread.h>

#include "support/talk.h"

static const talk talks[] = {
    { .seed = 1, .before = 5, .tokens = 9 },
    { .seed = 2, .before = 70, .tokens = 12, .temperature = 0.8 },
    { .seed = 3, .before = 11, .across = 1, .down = 1, .after = 7, .tokens = 6 },
    { .seed = 4, .before = 30, .across = 2, .down = 1, .n_regions = 1, .after = 40, .tokens = 8 },
    { .seed = 5,
      .before = 3,
      .across = 2,
      .down = 2,
      .n_regions = 2,
      .after = 20,
      .tokens = 5,
      .temperature = 1.5 },
    { .seed = 6, .before = 190, .tokens = 10 },
};
#define N_TALKS ((int)(sizeof talks / sizeof *talks))

typedef struct {
    test_dir dir;
    said alone[N_TALKS];
} fixture;

static int group_setup(void **state)
{
    static fixture f;
    gr_runtime *rt = test_runtime();
    test_drawn_checkpoint(rt, &f.dir, "l-tied", 101, GR_DTYPE_F32);
    gr_runtime_free(rt);
    for (int i = 0; i < N_TALKS; i++)
        talk_alone(f.dir.path, 2, 256, &talks[i], &f.alone[i]);
    *state = &f;
    return 0;
}

static int group_teardown(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < N_TALKS; i++)
        said_fini(&f->alone[i]);
    test_dir_remove(&f->dir);
    return 0;
}

/* --- the same bits ------------------------------------------------------------------------------------- */

static void talks_differ(void **state)
{
    fixture *f = *state;
    for (int i = 1; i < N_TALKS; i++)
        assert_memory_not_equal(f->alone[0].logits, f->alone[i].logits, 296 * sizeof(float));
}

static void bits_do_not_depend_on_chunks_or_threads(void **state)
{
    fixture *f = *state;
    static const int ways[][2] = { { 1, 1 },  { 2, 1 },   { 1, 7 },  { 2, 7 },   { 3, 7 },
                                   { 3, 64 }, { 8, 64 },  { 2, 64 }, { 1, 256 }, { 3, 256 },
                                   { 8, 7 },  { 8, 256 }, { 1, 400 } };
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
        for (int i = 0; i < N_TALKS; i++) {
            char what[96];
            said a;
            snprintf(what, sizeof what, "talk %d with %d threads in chunks of %d", i, ways[way][0],
                     ways[way][1]);
            talk_alone(f->dir.path, ways[way][0], ways[way][1], &talks[i], &a);
            said_same(&a, &f->alone[i], what);
            said_fini(&a);
        }
}

/* Within each set of kernels, down to plain C: they sum in other orders than each other, but each in one. */
static void bits_do_not_depend_on_chunks_or_threads_with_any_kernels(void **state)
{
    fixture *f = *state;
    static const unsigned masks[] = { 0, GR_CPU_AVX2, ~0u };
    static const int ways[][2] = { { 2, 256 }, { 1, 1 }, { 2, 7 }, { 3, 64 }, { 8, 33 } };
    for (size_t m = 0; m < sizeof masks / sizeof *masks; m++)
        for (int i = 2; i < N_TALKS - 1; i++) {
            said first, a;
            for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
                char what[96];
                snprintf(what, sizeof what, "talk %d, kernels %#x, %d threads, chunks of %d", i, masks[m],
                         ways[way][0], ways[way][1]);
                talk_alone_on(f->dir.path, ways[way][0], ways[way][1], masks[m], &talks[i],
                              way ? &a : &first);
                if (way) {
                    said_same(&a, &first, what);
                    said_fini(&a);
                }
            }
            said_fini(&first);
        }
}

/* Talk i begins at step 2 i, whatever the others do by then; those that are over go, and the first begins
 * once more in a slot that is free. */
static void check_together(fixture *f, int n_threads, int chunk_rows, unsigned cpu, const said *alone)
{
    world w;
    said all[N_TALKS + 1], *list[N_TALKS + 1];
    char what[96];
    world_open_with(&w, f->dir.path, test_runtime_cpu(n_threads, cpu),
                    (gr_core_limits){ .max_sequences = N_TALKS, .chunk_rows = chunk_rows });
    for (int i = 0; i <= N_TALKS; i++) {
        said_init(&all[i], &w);
        list[i] = &all[i];
    }
    bool again = false;
    for (int step = 0; step < 2 * N_TALKS || gr_core_busy(w.core); step++) {
        if (step % 2 == 0 && step / 2 < N_TALKS)
            talk_start(&w, &talks[step / 2], &all[step / 2]);
        for (int i = 0; i < N_TALKS; i++)
            if (all[i].s && gr_sequence_state(all[i].s) == GR_LENGTH) {
                gr_sequence_free(all[i].s);
                all[i].s = NULL;
                if (!again)
                    talk_start(&w, &talks[0], &all[N_TALKS]);
                again = true;
            }
        world_step(&w, list, N_TALKS + 1);
    }
    for (int i = 0; i <= N_TALKS; i++) {
        snprintf(what, sizeof what, "talk %d beside others, %d threads, chunks of %d", i, n_threads,
                 chunk_rows);
        said_same(&all[i], &alone[i % N_TALKS], what);
        gr_sequence_free(all[i].s);
        said_fini(&all[i]);
    }
    assert_int_equal(w.core->kv.n_free, w.core->kv.pages.n_pages);
    world_close(&w);
}

static void bits_do_not_depend_on_the_others_in_a_step(void **state)
{
    fixture *f = *state;
    static const unsigned smaller[] = { 0, GR_CPU_AVX2 };
    check_together(f, 1, 256, ~0u, f->alone);
    check_together(f, 2, 64, ~0u, f->alone);
    check_together(f, 3, 7, ~0u, f->alone);
    check_together(f, 8, 50, ~0u, f->alone);
    for (size_t m = 0; m < sizeof smaller / sizeof *smaller; m++) {
        said alone[N_TALKS];
        for (int i = 0; i < N_TALKS; i++)
            talk_alone_on(f->dir.path, 2, 256, smaller[m], &talks[i], &alone[i]);
        check_together(f, 3, 50, smaller[m], alone);
        for (int i = 0; i < N_TALKS; i++)
            said_fini(&alone[i]);
    }
}

/* --- fork and truncate --------------------------------------------------------------------------------- */

static void add_rows(world *w, gr_sequence *s, uint64_t seed, int n)
{
    gr_error err = { 0 };
    int32_t ids[TALK_MAX_ROWS], source[TALK_MAX_ROWS];
    const talk more = { .seed = seed, .before = n };
    MUST(gr_sequence_rows(s, ids, source, (size_t)talk_rows(w, &more, ids, source), &err));
}

static void generate(gr_sequence *s, const talk *t)
{
    gr_error err = { 0 };
    const gr_generation g = talk_generation(t);
    MUST(gr_sequence_generate(s, &g, &err));
}

/* A talk, and from there two that go on differently, against the same rows run from the start. */
static void forks_go_on_as_if_they_had_run_from_the_start(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    said first, more[2], fresh[2], *list[] = { &first, &more[0], &more[1], &fresh[0], &fresh[1] };
    const talk *t = &talks[3];
    world_open(&w, f->dir.path, 2, (gr_core_limits){ .max_sequences = 5, .chunk_rows = 64 });
    for (int i = 0; i < 5; i++)
        said_init(list[i], &w);
    talk_start(&w, t, &first);
    world_finish(&w, list, 5);
    assert_true(gr_sequence_n_rows(first.s) % GR_PAGE_TOKENS != 0); /* the fork is in the middle of a page */
    for (int i = 0; i < 2; i++)
        MUST(gr_sequence_fork(&more[i].s, first.s, &err));
    assert_int_equal(more[0].s->kv.pages[0], first.s->kv.pages[0]);
    for (int i = 0; i < 2; i++) {
        add_rows(&w, more[i].s, 50 + (uint64_t)i, 20 + 50 * i);
        generate(more[i].s, t);
    }
    world_step(&w, list, 5);
    gr_sequence_free(first.s); /* its pages are theirs now */
    first.s = NULL;
    world_finish(&w, list, 5);
    for (int i = 0; i < 2; i++) { /* prompt, all tokens but the last, which no step had read, and the rest */
        int32_t ids[TALK_MAX_ROWS], source[TALK_MAX_ROWS];
        MUST(gr_sequence_new(&fresh[i].s, w.core, &err));
        talk_encode(fresh[i].s, t);
        MUST(gr_sequence_rows(fresh[i].s, ids, source, (size_t)talk_rows(&w, t, ids, source), &err));
        MUST(gr_sequence_rows(fresh[i].s, first.tokens, NULL, (size_t)first.n - 1, &err));
        add_rows(&w, fresh[i].s, 50 + (uint64_t)i, 20 + 50 * i);
        generate(fresh[i].s, t);
        world_finish(&w, list, 5);
        said_same(&more[i], &fresh[i], i ? "the second fork" : "the first fork");
    }
    assert_memory_not_equal(more[0].logits, more[1].logits, 296 * sizeof(float));
    for (int i = 0; i < 5; i++) {
        gr_sequence_free(list[i]->s);
        said_fini(list[i]);
    }
    assert_int_equal(w.core->kv.n_free, w.core->kv.pages.n_pages);
    world_close(&w);
}

/* Rows that wait may read a picture: a fork keeps it while its origin takes another, and goes. */
static void a_fork_keeps_the_picture_its_rows_read(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    said origin, fork, *list[] = { &origin, &fork };
    int32_t ids[TALK_MAX_ROWS], source[TALK_MAX_ROWS];
    world_open(&w, f->dir.path, 2, (gr_core_limits){ .max_sequences = 2, .max_features = 220 });
    said_init(&origin, &w);
    said_init(&fork, &w);
    MUST(gr_sequence_new(&origin.s, w.core, &err));
    talk_encode(origin.s, &talks[4]);
    MUST(gr_sequence_rows(origin.s, ids, source, (size_t)talk_rows(&w, &talks[4], ids, source), &err));
    MUST(gr_sequence_fork(&fork.s, origin.s, &err));
    MUST(gr_sequence_truncate(origin.s, 0, &err));
    talk_start(&w, &talks[3], &origin);
    generate(fork.s, &talks[4]);
    world_step(&w, list, 2);
    gr_sequence_free(origin.s);
    origin.s = NULL;
    world_finish(&w, list, 2);
    said_same(&fork, &f->alone[4], "a fork whose origin has another picture");
    gr_sequence_free(fork.s);
    said_fini(&origin);
    said_fini(&fork);
    world_close(&w);
}

static void truncated_and_run_again_gives_the_same(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    said a, *list[] = { &a };
    int32_t ids[TALK_MAX_ROWS], source[TALK_MAX_ROWS];
    world_open(&w, f->dir.path, 3, (gr_core_limits){ .chunk_rows = 50 });
    said_init(&a, &w);
    static const int cuts[] = { 189, 128, 127, 64, 3, 0 };
    talk_start(&w, &talks[5], &a);
    world_finish(&w, list, 1);
    said_same(&a, &f->alone[5], "the first run");
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        char what[64];
        const int n = talk_rows(&w, &talks[5], ids, source);
        MUST(gr_sequence_truncate(a.s, cuts[i], &err));
        assert_int_equal(gr_sequence_n_rows(a.s), cuts[i]);
        assert_int_equal(gr_sequence_n_tokens(a.s), 0);
        assert_false(gr_core_busy(w.core));
        MUST(gr_sequence_rows(a.s, ids + cuts[i], source + cuts[i], (size_t)(n - cuts[i]), &err));
        generate(a.s, &talks[5]);
        a.n = 0;
        world_finish(&w, list, 1);
        snprintf(what, sizeof what, "again from row %d", cuts[i]);
        said_same(&a, &f->alone[5], what);
    }
    gr_sequence_free(a.s);
    said_fini(&a);
    world_close(&w);
}

/* --- how answers end ----------------------------------------------------------------------------------- */

static void an_answer_ends_at_its_length_its_end_token_or_the_context(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    said a, *list[] = { &a };
    const said *whole = &f->alone[1];
    gr_generation g = talk_generation(&talks[1]);
    world_open(&w, f->dir.path, 2, (gr_core_limits){ .max_context = 75 });
    said_init(&a, &w);
    MUST(gr_sequence_new(&a.s, w.core, &err));
    assert_int_equal(gr_sequence_state(a.s), GR_ENDED);

    for (int max = 1; max <= 3; max++) { /* max_tokens */
        MUST(gr_sequence_truncate(a.s, 0, &err));
        add_rows(&w, a.s, talks[1].seed, 70);
        g.max_tokens = max;
        MUST(gr_sequence_generate(a.s, &g, &err));
        assert_int_equal(gr_sequence_state(a.s), GR_GOING);
        a.n = 0;
        world_finish(&w, list, 1);
        assert_int_equal(gr_sequence_state(a.s), GR_LENGTH);
        assert_int_equal(a.n, max);
        assert_memory_equal(a.tokens, whole->tokens, (size_t)max * sizeof *a.tokens);
    }
    MUST(gr_sequence_truncate(a.s, 0, &err)); /* 75 rows hold the prompt and 5 tokens; a sixth needs no row */
    add_rows(&w, a.s, talks[1].seed, 70);
    g.max_tokens = 100;
    MUST(gr_sequence_generate(a.s, &g, &err));
    a.n = 0;
    world_finish(&w, list, 1);
    assert_int_equal(gr_sequence_state(a.s), GR_LENGTH);
    assert_int_equal(a.n, 6);
    assert_int_equal(gr_sequence_n_rows(a.s), 75);
    assert_memory_equal(a.tokens, whole->tokens, 6 * sizeof *a.tokens);

    int at = 2; /* an end token, at its first occurrence */
    for (int i = 0; i < at; i++)
        assert_int_not_equal(whole->tokens[i], whole->tokens[at]);
    for (int ignore = 0; ignore < 2; ignore++) {
        g.ignore_eos = ignore;
        g.n_eos = 2;
        g.eos[0] = 295;
        g.eos[1] = whole->tokens[at];
        MUST(gr_sequence_truncate(a.s, 0, &err));
        add_rows(&w, a.s, talks[1].seed, 70);
        MUST(gr_sequence_generate(a.s, &g, &err));
        a.n = 0;
        world_finish(&w, list, 1);
        assert_int_equal(gr_sequence_state(a.s), ignore ? GR_LENGTH : GR_STOPPED);
        assert_int_equal(gr_sequence_n_tokens(a.s), ignore ? 6 : at + 1);
    }
    gr_sequence_free(a.s);
    said_fini(&a);
    world_close(&w);
}

static void the_configuration_names_the_end_tokens_when_nobody_else_does(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    gr_sequence *s;
    world_open(&w, f->dir.path, 2, (gr_core_limits){ 0 });
    const int32_t forced[] = { 7, 265, 9 }; /* config.json: eos_token_id [257, 265] */
    const gr_generation g = { .sampling = { .top_p = 1 }, .max_tokens = 3, .forced = forced, .n_forced = 3 };
    MUST(gr_sequence_new(&s, w.core, &err));
    add_rows(&w, s, 1, 5);
    MUST(gr_sequence_generate(s, &g, &err));
    while (gr_core_busy(w.core))
        MUST(gr_core_step(w.core, NULL, &err));
    assert_int_equal(gr_sequence_state(s), GR_STOPPED);
    assert_int_equal(gr_sequence_n_tokens(s), 2);
    assert_int_equal(gr_sequence_token(s, 1).token, 265);
    gr_sequence_free(s);
    world_close(&w);
}

/* Each token's log-probability is that of its logits, forced tokens included. */
static void forced_tokens_carry_their_own_probability(void **state)
{
    fixture *f = *state;
    world w;
    gr_error err = { 0 };
    said a, *list[] = { &a };
    int32_t forced[6];
    world_open(&w, f->dir.path, 2, (gr_core_limits){ 0 });
    said_init(&a, &w);
    talk_start(&w, &talks[0], &a);
    for (int i = 0; i < 6; i++)
        forced[i] = (f->alone[0].tokens[i] + 1) % 296;
    gr_generation g = talk_generation(&talks[0]);
    g.forced = forced;
    g.n_forced = 6;
    MUST(gr_sequence_generate(a.s, &g, &err));
    world_finish(&w, list, 1);
    assert_int_equal(a.n, talks[0].tokens);
    for (int i = 0; i < a.n; i++) {
        const float *row = a.logits + 296 * i;
        double sum = 0;
        for (int k = 0; k < 296; k++)
            sum += exp((double)row[k]);
        if (i < 6)
            assert_int_equal(a.tokens[i], forced[i]);
        assert_true(fabs(a.logprobs[i] - ((double)row[a.tokens[i]] - log(sum))) < 1e-9);
    }
    gr_sequence_free(a.s);
    said_fini(&a);
    world_close(&w);
}

/* --- cancelling ---------------------------------------------------------------------------------------- */

static void *cancel_it(void *sequence)
{
    gr_sequence_cancel(sequence);
    return NULL;
}

/* At the `at`-th value named `name` that a step or a picture shows, another thread cancels `who`. */
typedef struct {
    const char *name;
    int at, seen;
    gr_sequence *who, *too;
} canceller;

static void cancel_here(void *user, const char *name, const float *data, size_t rows, size_t cols)
{
    canceller *c = user;
    (void)data, (void)rows, (void)cols;
    if (strcmp(name, c->name) != 0 || c->seen++ != c->at)
        return;
    gr_sequence *const all[] = { c->who, c->too };
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        if (!all[i])
            continue;
        assert_int_equal(pthread_create(&thread, NULL, cancel_it, all[i]), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

static void a_cancelled_prompt_leaves_the_engine_usable(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    said a, *list[] = { &a };
    world_open(&w, f->dir.path, 2, (gr_core_limits){ .chunk_rows = 64 });
    said_init(&a, &w);
    talk_start(&w, &talks[5], &a);
    world_step(&w, list, 1);
    canceller c = { "decoder.block", 1, 0, a.s, NULL };
    MUST(gr_core_step(w.core, &(gr_core_watch){ cancel_here, &c, true }, &err));
    assert_int_equal(c.seen, 2); /* the third block was not run */
    assert_int_equal(gr_sequence_state(a.s), GR_CANCELLED);
    assert_int_equal(gr_sequence_n_rows(a.s), 64);
    assert_false(gr_core_busy(w.core));
    MUST(gr_core_step(w.core, NULL, &err));
    generate(a.s, &talks[5]); /* the rows still wait: it can go on where it was */
    world_finish(&w, list, 1);
    said_same(&a, &f->alone[5], "the prompt that was cancelled in the middle");
    gr_sequence_free(a.s);
    said_fini(&a);
    world_close(&w);
}

static void a_cancelled_answer_keeps_what_it_said(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    said a, *list[] = { &a };
    world_open(&w, f->dir.path, 2, (gr_core_limits){ 0 });
    said_init(&a, &w);
    talk_start(&w, &talks[1], &a);
    while (a.n < 4)
        world_step(&w, list, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_it, a.s), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    MUST(gr_core_step(w.core, NULL, &err));
    assert_int_equal(gr_sequence_state(a.s), GR_CANCELLED);
    assert_int_equal(gr_sequence_n_tokens(a.s), 4);
    assert_int_equal(gr_sequence_token(a.s, 3).token, f->alone[1].tokens[3]);
    MUST(gr_sequence_truncate(a.s, 0, &err));
    talk_start(&w, &talks[1], &a);
    world_finish(&w, list, 1);
    said_same(&a, &f->alone[1], "after a cancelled answer");
    gr_sequence_cancel(a.s); /* idle: it waits, until it is forgotten */
    MUST(gr_sequence_truncate(a.s, 0, &err));
    assert_true(gr_sequence_forget_cancel(a.s));
    assert_false(gr_sequence_forget_cancel(a.s));
    talk_start(&w, &talks[0], &a);
    world_finish(&w, list, 1);
    said_same(&a, &f->alone[0], "after a cancellation without effect");
    gr_sequence_free(a.s);
    said_fini(&a);
    world_close(&w);
}

/* One of two is cancelled in the middle of a step: the other's answer does not notice. Both: the step ends.
 */
static void cancelling_one_does_not_touch_the_other(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    for (int both = 0; both < 2; both++) {
        world w;
        said a, b, *list[] = { &a, &b };
        world_open(&w, f->dir.path, 2, (gr_core_limits){ .max_sequences = 2 });
        said_init(&a, &w);
        said_init(&b, &w);
        talk_start(&w, &talks[0], &a);
        talk_start(&w, &talks[3], &b);
        canceller c = { "decoder.block", 0, 0, a.s, both ? b.s : NULL };
        MUST(gr_core_step(w.core, &(gr_core_watch){ cancel_here, &c, true }, &err));
        assert_int_equal(c.seen, both ? 1 : 3);
        if (!both) { /* the step's own token of b: steps through world_step would have kept it */
            assert_int_equal(gr_sequence_n_tokens(b.s), 1);
            world_step(&w, list, 2);
            assert_int_equal(gr_sequence_state(a.s), GR_CANCELLED);
            world_finish(&w, list, 2);
            assert_int_equal(b.n, talks[3].tokens - 1);
            assert_memory_equal(b.tokens, f->alone[3].tokens + 1, (size_t)b.n * sizeof *b.tokens);
            assert_memory_equal(b.logits, f->alone[3].logits + 296, (size_t)b.n * 296 * sizeof(float));
        } else {
            assert_int_equal(gr_sequence_state(a.s), GR_CANCELLED);
            assert_int_equal(gr_sequence_state(b.s), GR_CANCELLED);
            assert_int_equal(gr_sequence_n_tokens(b.s), 0);
        }
        gr_sequence_free(a.s);
        gr_sequence_free(b.s);
        assert_int_equal(w.core->kv.n_free, w.core->kv.pages.n_pages);
        said_fini(&a);
        said_fini(&b);
        world_close(&w);
    }
}

static bool stop_at_two(void *user, int done, int total)
{
    *(int *)user = total;
    return done < 2;
}

static void a_picture_can_be_cancelled(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    said a, *list[] = { &a };
    gr_picture p;
    int total = 0;
    int32_t ids[TALK_MAX_ROWS], source[TALK_MAX_ROWS];
    world_open(&w, f->dir.path, 2, (gr_core_limits){ 0 });
    said_init(&a, &w);
    MUST(gr_sequence_new(&a.s, w.core, &err));
    talk_picture(&p, &talks[4]);
    p.progress = stop_at_two;
    p.progress_user = &total;
    MUST_FAIL(gr_sequence_encode(a.s, &p, NULL, &err), GR_ERR_CANCELLED, "cancelled");
    assert_int_equal(total, 5);
    /* Half a picture is none. */
    const size_t n = (size_t)talk_rows(&w, &talks[4], ids, source);
    MUST_FAIL(gr_sequence_rows(a.s, ids, source, n, &err), GR_ERR_ARG, "the picture gave 0");

    canceller c = { "tower.block", 4, 0, a.s, NULL }; /* by another thread, in the second tile */
    p.progress = NULL;
    MUST_FAIL(gr_sequence_encode(a.s, &p, &(gr_core_watch){ cancel_here, &c, true }, &err), GR_ERR_CANCELLED,
              "cancelled");
    assert_int_equal(c.seen, 5);
    talk_start(&w, &talks[4], &a);
    world_finish(&w, list, 1);
    said_same(&a, &f->alone[4], "after two cancelled pictures");
    gr_sequence_free(a.s);
    said_fini(&a);
    world_close(&w);
}

/* --- feature rows -------------------------------------------------------------------------------------- */

/* Room for three pictures of four tiles with two regions, in gaps that smaller pictures left between. */
static void feature_rows_are_used_again_and_gaps_are_closed(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    said a[4], *list[] = { &a[0], &a[1], &a[2], &a[3] };
    world_open(&w, f->dir.path, 2, (gr_core_limits){ .max_sequences = 4, .max_features = 3 * 112 });
    for (int i = 0; i < 4; i++) {
        said_init(&a[i], &w);
        MUST(gr_sequence_new(&a[i].s, w.core, &err));
    }
    const talk *small = &talks[2], *large = &talks[4]; /* 32 and 112 rows */
    for (int round = 0; round < 3; round++) {
        talk_start(&w, small, &a[0]);
        talk_start(&w, large, &a[1]);
        talk_start(&w, small, &a[2]);
        talk_start(&w, large, &a[3]);
        assert_int_equal(a[3].s->first_feature, 32 + 112 + 32);
        world_step(&w, list, 4); /* rows of pictures still wait where a chunk was too small for all */
        MUST(gr_sequence_truncate(a[0].s, 0, &err));
        gr_picture p;
        talk_picture(&p, large); /* 48 rows are free at the end, and 32 where a small one was */
        MUST_FAIL(gr_sequence_encode(a[0].s, &p, NULL, &err), GR_ERR_LIMIT,
                  "the picture and its regions need 112 feature rows, the engine was made for 336");
        MUST(gr_sequence_truncate(a[2].s, 0, &err));
        gr_sequence_free(a[2].s);
        a[2].s = NULL;
        talk_start(&w, large, &a[0]); /* fits once the others are moved */
        assert_int_equal(a[1].s->first_feature, 0);
        world_finish(&w, list, 4);
        said_same(&a[0], &f->alone[4], "the picture that fitted after moving");
        said_same(&a[1], &f->alone[4], "a picture that was moved");
        said_same(&a[3], &f->alone[4], "another picture that was moved");
        for (int i = 0; i < 4; i++)
            gr_sequence_free(a[i].s);
        for (int i = 0; i < 4; i++)
            MUST(gr_sequence_new(&a[i].s, w.core, &err));
    }
    for (int i = 0; i < 4; i++) {
        gr_sequence_free(a[i].s);
        said_fini(&a[i]);
    }
    world_close(&w);
}

static void a_picture_is_not_replaced_under_rows_that_wait(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    said a;
    gr_picture p;
    world_open(&w, f->dir.path, 2, (gr_core_limits){ 0 });
    said_init(&a, &w);
    talk_start(&w, &talks[2], &a);
    talk_picture(&p, &talks[2]);
    MUST_FAIL(gr_sequence_encode(a.s, &p, NULL, &err), GR_ERR_ARG,
              "row 11 of the prompt, of the earlier one, waits");
    gr_sequence_free(a.s);
    said_fini(&a);
    world_close(&w);
}

/* --- refusals ------------------------------------------------------------------------------------------ */

static void what_cannot_be_done_is_a_sentence(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    world w;
    gr_sequence *s, *other;
    int32_t ids[200] = { 0 }, source[200];
    world_open(&w, f->dir.path, 2, (gr_core_limits){ .max_context = 100, .max_regions = 1 });
    MUST(gr_sequence_new(&s, w.core, &err));
    MUST_FAIL(gr_sequence_new(&other, w.core, &err), GR_ERR_LIMIT,
              "the engine was made for 1 conversations, and all are in use");
    assert_null(other);
    MUST_FAIL(gr_sequence_fork(&other, s, &err), GR_ERR_LIMIT, "all are in use");
    MUST_FAIL(gr_sequence_rows(s, ids, NULL, 101, &err), GR_ERR_LIMIT,
              "would have 101 tokens, the limit is 100");
    ids[3] = 296;
    MUST_FAIL(gr_sequence_rows(s, ids, NULL, 5, &err), GR_ERR_ARG,
              "row 3 has token id 296, the vocabulary has 296");
    ids[3] = -1;
    MUST_FAIL(gr_sequence_rows(s, ids, NULL, 5, &err), GR_ERR_ARG, "token id -1");
    ids[3] = 0;
    for (int i = 0; i < 200; i++)
        source[i] = i == 2 ? 0 : -1;
    MUST_FAIL(gr_sequence_rows(s, ids, source, 5, &err), GR_ERR_ARG,
              "row 2 is feature row 0, the picture gave 0");

    gr_generation g = talk_generation(&talks[0]);
    MUST_FAIL(gr_sequence_generate(s, &g, &err), GR_ERR_ARG, "the prompt is empty");
    MUST(gr_sequence_rows(s, ids, NULL, 5, &err));
    const gr_generation good = g;
    g.max_tokens = 0;
    MUST_FAIL(gr_sequence_generate(s, &g, &err), GR_ERR_ARG, "max_tokens 0");
    static const double bad_temperatures[] = { -0.1, NAN, INFINITY }, bad_top_ps[] = { 0, -1, 1.001, NAN };
    for (size_t i = 0; i < 3; i++) {
        g = good;
        g.sampling.temperature = bad_temperatures[i];
        MUST_FAIL(gr_sequence_generate(s, &g, &err), GR_ERR_ARG, "temperature");
    }
    for (size_t i = 0; i < 4; i++) {
        g = good;
        g.sampling.top_p = bad_top_ps[i];
        MUST_FAIL(gr_sequence_generate(s, &g, &err), GR_ERR_ARG, "top_p");
    }
    g = good;
    g.sampling.top_k = -1;
    MUST_FAIL(gr_sequence_generate(s, &g, &err), GR_ERR_ARG, "top_k -1");
    MUST_FAIL(gr_sequence_truncate(s, 1, &err), GR_ERR_ARG,
              "cannot cut a conversation of 0 stored tokens to 1");
    MUST_FAIL(gr_sequence_truncate(s, -1, &err), GR_ERR_ARG, "to -1");
    gr_picture p;
    talk_picture(&p, &talks[4]);
    MUST_FAIL(gr_sequence_encode(s, &p, NULL, &err), GR_ERR_LIMIT, "2 regions, the engine was made for 1");
    gr_sequence_free(s);
    world_close(&w);
}

static void impossible_engines_are_refused(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    static const gr_core_limits good = {
        .max_sequences = 2, .max_context = 100, .chunk_rows = 8, .max_features = 50, .max_regions = 1
    };
    static const struct {
        gr_core_limits change; /* a field that is not 0 replaces the good one; -1 stands for 0 */
        gr_status status;
        const char *part;
    } bad[] = {
        { { .max_sequences = -1 }, GR_ERR_ARG, "0 conversations" },
        { { .max_sequences = 9 }, GR_ERR_ARG, "9 conversations in steps of 8 rows" },
        { { .max_sequences = 5000, .chunk_rows = 6000 }, GR_ERR_ARG, "5000 conversations" },
        { { .chunk_rows = 100000 }, GR_ERR_ARG, "steps of 100000 rows" },
        { { .max_context = -1 }, GR_ERR_LIMIT, "a context of 0 tokens" },
        { { .max_context = 5000 }, GR_ERR_LIMIT, "the model has room for 1 to 4096" },
        { { .max_features = -1 }, GR_ERR_ARG, "0 feature rows" },
        { { .max_regions = -1 }, GR_ERR_ARG, "0 regions" },
        { { .max_regions = 1000 }, GR_ERR_ARG, "1000 regions" },
    };
    gr_runtime *rt = test_runtime();
    gr_backend *b;
    gr_gar *gar;
    MUST(gr_backend_cpu_new(&b, rt, &err));
    MUST(gr_gar_open(&gar, rt, f->dir.path, GR_ROUND_NONE, &err));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gr_core_limits l = good;
        gr_core *core;
        gr_core_memory m;
        int *const fields[] = { &l.max_sequences, &l.max_context, &l.chunk_rows, &l.max_features,
                                &l.max_regions };
        const gr_core_limits *c = &bad[i].change;
        const int with[] = { c->max_sequences, c->max_context, c->chunk_rows, c->max_features,
                             c->max_regions };
        for (int k = 0; k < 5; k++)
            if (with[k] != 0)
                *fields[k] = with[k] < 0 ? 0 : with[k];
        MUST_FAIL(gr_core_new(&core, gar, b, &l, NULL, NULL, &err), bad[i].status, bad[i].part);
        assert_null(core);
        MUST_FAIL(gr_core_measure(&m, gar, b, &l, &err), bad[i].status, bad[i].part);
    }
    gr_gar_close(gar);
    gr_backend_free(b);
    gr_runtime_free(rt);
}

static bool stop_in_the_middle(void *user, size_t done, size_t total)
{
    *(int *)user += 1;
    return done < total / 2;
}

static bool go_on(void *user, size_t done, size_t total)
{
    assert_true(done <= total);
    *(bool *)user = done == total;
    return true;
}

/* Loading that was cancelled leaves nothing: the next engine loads again. */
static void cancelled_loading_can_be_tried_again(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_core_limits l = {
        .max_sequences = 1, .max_context = 100, .chunk_rows = 64, .max_features = 50, .max_regions = 1
    };
    world w = { .rt = test_runtime() };
    said a, *list[] = { &a };
    int calls = 0;
    bool complete = false;
    MUST(gr_backend_cpu_new(&w.backend, w.rt, &err));
    MUST(gr_gar_open(&w.gar, w.rt, f->dir.path, GR_ROUND_NONE, &err));
    MUST_FAIL(gr_core_new(&w.core, w.gar, w.backend, &l, stop_in_the_middle, &calls, &err), GR_ERR_CANCELLED,
              "cancelled while loading");
    assert_true(calls > 1);
    MUST(gr_core_new(&w.core, w.gar, w.backend, &l, go_on, &complete, &err));
    assert_true(complete);
    said_init(&a, &w);
    talk_start(&w, &talks[0], &a);
    world_finish(&w, list, 1);
    said_same(&a, &f->alone[0], "after cancelled loading");
    gr_sequence_free(a.s);
    said_fini(&a);
    gr_core *longer;
    gr_core_limits more = l;
    more.max_context = 200;
    MUST_FAIL(gr_core_new(&longer, w.gar, w.backend, &more, NULL, NULL, &err), GR_ERR_ARG,
              "for 100 positions where 200 are wanted");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(talks_differ),
        cmocka_unit_test(bits_do_not_depend_on_chunks_or_threads),
        cmocka_unit_test(bits_do_not_depend_on_chunks_or_threads_with_any_kernels),
        cmocka_unit_test(bits_do_not_depend_on_the_others_in_a_step),
        cmocka_unit_test(forks_go_on_as_if_they_had_run_from_the_start),
        cmocka_unit_test(a_fork_keeps_the_picture_its_rows_read),
        cmocka_unit_test(truncated_and_run_again_gives_the_same),
        cmocka_unit_test(an_answer_ends_at_its_length_its_end_token_or_the_context),
        cmocka_unit_test(the_configuration_names_the_end_tokens_when_nobody_else_does),
        cmocka_unit_test(forced_tokens_carry_their_own_probability),
        cmocka_unit_test(a_cancelled_prompt_leaves_the_engine_usable),
        cmocka_unit_test(a_cancelled_answer_keeps_what_it_said),
        cmocka_unit_test(cancelling_one_does_not_touch_the_other),
        cmocka_unit_test(a_picture_can_be_cancelled),
        cmocka_unit_test(feature_rows_are_used_again_and_gaps_are_closed),
        cmocka_unit_test(a_picture_is_not_replaced_under_rows_that_wait),
        cmocka_unit_test(what_cannot_be_done_is_a_sentence),
        cmocka_unit_test(impossible_engines_are_refused),
        cmocka_unit_test(cancelled_loading_can_be_tried_again),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
