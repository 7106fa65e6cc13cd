/* Memory is announced before it is taken, and a step takes none. */
#include "test.h"

#include "support/api.h"
#include "support/counting.h"
#include "support/talk.h"

typedef struct {
    test_dir dir;
} fixture;

static int group_setup(void **state)
{
    static fixture f;
    gr_runtime *rt = test_runtime();
    test_drawn_checkpoint(rt, &f.dir, "l-tied", 101, GR_DTYPE_F32);
    gr_runtime_free(rt);
    *state = &f;
    return 0;
}

static int group_teardown(void **state)
{
    test_dir_remove(&((fixture *)*state)->dir);
    return 0;
}

/* Chunks of prompts, answers greedy and drawn, copies of shared pages: no allocation. */
static void a_step_allocates_nothing(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    counting c = { 0 };
    world w;
    said a, b, forked;
    const talk text = { .seed = 1, .before = 130, .tokens = 30, .temperature = 0.9 }, picture = {
        .seed = 2, .before = 9, .across = 2, .down = 1, .n_regions = 2, .after = 5, .tokens = 20
    };
    world_open_with(&w, f->dir.path, counting_runtime(&c, 2),
                    (gr_core_limits){ .max_sequences = 3, .chunk_rows = 50 });
    a.s = b.s = NULL;
    talk_start(&w, &text, &a);
    talk_start(&w, &picture, &b);
    size_t before = atomic_load(&c.calls);
    for (int i = 0; i < 8; i++)
        MUST(gr_core_step(w.core, NULL, &err));
    assert_int_equal(atomic_load(&c.calls), before);
    MUST(gr_sequence_fork(&forked.s, a.s, &err));
    const gr_generation g = talk_generation(&text);
    MUST(gr_sequence_generate(forked.s, &g, &err));
    before = atomic_load(&c.calls);
    while (gr_core_busy(w.core))
        MUST(gr_core_step(w.core, NULL, &err));
    assert_int_equal(atomic_load(&c.calls), before);
    assert_int_equal(gr_sequence_n_tokens(forked.s), 30);
    gr_sequence_free(a.s);
    gr_sequence_free(b.s);
    gr_sequence_free(forked.s);
    world_close(&w);
    assert_int_equal(atomic_load(&c.now), 0);
}

/* --- answers through the public interface -------------------------------------------------------------- */

typedef struct {
    counting *c;
    size_t calls, pieces; /* allocations when the first piece of text came; pieces so far */
} listener;

static bool listen(void *user, const char *utf8, size_t n)
{
    listener *l = user;
    (void)utf8, (void)n;
    if (l->pieces++ == 0)
        l->calls = atomic_load(&l->c->calls);
    return true;
}

/* Greedy, drawn, with stop strings, with special tokens shown; step by step and streamed. */
static void check_tokens(counting *c, gr_engine *engine, const gr_request *r, const gr_answer_options *o)
{
    gr_error err = { 0 };
    gr_session *s = api_session(engine);
    MUST(gr_session_ask(s, r, o, &err));
    size_t before = atomic_load(&c->calls);
    double sum = 0;
    while (gr_session_busy(s)) {
        MUST(gr_engine_step(engine, &err));
        if (gr_session_n_tokens(s) > 0)
            sum += gr_session_token(s, gr_session_n_tokens(s) - 1).logprob;
    }
    assert_int_equal(atomic_load(&c->calls), before); /* nor does the prompt */
    assert_true(sum < 0 && gr_session_n_tokens(s) >= 40);

    listener l = { .c = c };
    MUST(gr_session_ask(s, r, o, &err));
    MUST(gr_session_answer(s, listen, &l, &err));
    assert_int_equal(atomic_load(&c->calls), l.calls);
    assert_true(l.pieces > 5);
    gr_session_close(s);
}

static void a_token_allocates_nothing_with_any_kernels(void **state)
{
    fixture *f = *state;
    static const unsigned masks[] = { 0, GR_CPU_AVX2, ~0u };
    static const char *const stops[] = { "never said", "nor this" };
    for (int m = 0; m < 3; m++) {
        counting c = { 0 };
        gr_runtime *rt = counting_runtime_cpu(&c, 2, masks[m]);
        gr_model *model = api_model(rt, f->dir.path, GR_NUMERICS_EXACT);
        gr_engine *engine = api_engine(model, 2, 400, 50);
        gr_request r;
        gr_request_init(&r, model);
        r.question = "What is it like to be asked?";
        for (int how = 0; how < 4; how++) {
            gr_answer_options o;
            gr_answer_options_init(&o);
            o.max_tokens = 60;
            o.ignore_end = true;
            o.keep_special = how == 3;
            o.temperature = how == 0 ? 0 : 0.9;
            o.top_k = how == 1 ? 20 : 0;
            o.top_p = how == 2 ? 0.8 : 1;
            o.seed = (uint64_t)how;
            o.stops = stops;
            o.n_stops = how == 2 ? 2 : 0;
            check_tokens(&c, engine, &r, &o);
        }
        gr_engine_close(engine);
        gr_model_close(model);
        gr_runtime_free(rt);
        assert_int_equal(atomic_load(&c.now), 0);
    }
}

/* Small things that are not announced: nodes of the plans, lists of pages, session, prompt and text. Real
 * models have the same, so that 64 MB is ample. */
#define UNANNOUNCED ((size_t)192 << 10)

static void check_announced(fixture *f, int sessions, int max_context, int chunk_rows, gr_numerics numerics)
{
    gr_error err = { 0 };
    counting c = { 0 };
    gr_runtime *rt = counting_runtime(&c, 2);
    gr_model *model = api_model(rt, f->dir.path, numerics);
    gr_image *image =
        api_image(rt, 1792, 448, 3); /* 4 x 1 tiles: resizing needs most for the widest canvas */
    gr_region *regions[] = { api_region(rt, image, "box:10,10,900,120"),
                             api_region(rt, image, "box:80,40,1220,400") };
    gr_engine_options o;
    gr_memory announced;
    gr_engine_options_init(&o);
    o.max_sessions = sessions;
    o.max_context = max_context;
    o.chunk_rows = chunk_rows;
    const size_t before = atomic_load(&c.now);
    MUST(gr_engine_measure(model, &o, &announced, &err));
    assert_int_equal(atomic_load(&c.now), before); /* measuring leaves nothing */
    assert_true(atomic_load(&c.peak) < before + UNANNOUNCED + announced.total / 10);
    assert_int_equal(announced.total, announced.weights + announced.kv + announced.arena +
                                          announced.features + announced.buffers + announced.picture);

    gr_engine *engine = api_engine(model, sessions, max_context, chunk_rows);
    gr_session *all[8];
    gr_request r;
    gr_answer_options how;
    gr_request_init(&r, model);
    r.image = image;
    r.regions = (const gr_region *const *)regions;
    r.n_regions = 2;
    r.question = "What is between <Prompt0> and <Prompt1>?";
    gr_answer_options_init(&how);
    how.max_tokens = 20;
    for (int i = 0; i < sessions; i++) {
        all[i] = api_session(engine);
        MUST(gr_session_ask(all[i], &r, &how, &err));
    }
    for (int i = 0; i < sessions; i++)
        MUST(gr_session_answer(all[i], NULL, NULL, &err));
    const size_t peak = atomic_load(&c.peak) - before;
    print_message("%d sessions, context %d: %zu bytes announced, %zu at most (%.1f %%)\n", sessions,
                  max_context, announced.total, peak, 100.0 * (double)peak / (double)announced.total);
    if (peak > announced.total + UNANNOUNCED || peak < announced.total / 10 * 9)
        fail_msg("%zu bytes were announced, %zu taken", announced.total, peak);
    for (int i = 0; i < sessions; i++)
        gr_session_close(all[i]);
    gr_engine_close(engine);
    for (int i = 0; i < 2; i++)
        gr_region_free(regions[i]);
    gr_image_free(image);
    gr_model_close(model);
    gr_runtime_free(rt);
    assert_int_equal(atomic_load(&c.now), 0);
}

static void what_is_taken_was_announced(void **state)
{
    check_announced(*state, 1, 0, 256, GR_NUMERICS_EXACT);
    check_announced(*state, 4, 1000, 64, GR_NUMERICS_EXACT);
    check_announced(*state, 8, 600, 32, GR_NUMERICS_RELEASED);
    check_announced(*state, 1, 450, 8, GR_NUMERICS_EXACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(a_token_allocates_nothing_with_any_kernels),
        cmocka_unit_test(what_is_taken_was_announced),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
