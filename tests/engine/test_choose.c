/* Answers of a closed set: their probabilities are those of forced decoding, to the bit, whatever else is in
 * the set. */
#include "test.h"

#include <math.h>

#include "engine/internal.h"
#include "engine/session.h"
#include "support/api.h"
#include "support/drawn.h"

enum { MOST = 16 };

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    gr_model *model;
    gr_engine *engine;
    gr_session *s;
    gr_image *image;
    gr_region *region;
    gr_request request;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f.rt = test_runtime_threads(2);
    test_drawn_checkpoint(f.rt, &f.dir, "l-tied", 101, GR_DTYPE_F32);
    f.model = api_model(f.rt, f.dir.path, GR_NUMERICS_EXACT);
    f.engine = api_engine(f.model, 2, 900, 0);
    f.s = api_session(f.engine);
    f.image = api_image(f.rt, 100, 100, 7);
    f.region = api_region(f.rt, f.image, "box:5,5,80,90");
    gr_request_init(&f.request, f.model);
    f.request.image = f.image;
    f.request.regions = (const gr_region *const *)&f.region;
    f.request.n_regions = 1;
    f.request.question = "What is <Prompt0>?";
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_region_free(f->region);
    gr_image_free(f->image);
    gr_session_close(f->s);
    gr_engine_close(f->engine);
    gr_model_close(f->model);
    test_dir_remove(&f->dir);
    gr_runtime_free(f->rt);
    return 0;
}

static gr_choice_options options_of(const char *const *texts, size_t n)
{
    gr_choice_options o;
    gr_choice_options_init(&o);
    o.texts = texts;
    o.n = n;
    return o;
}

static size_t choose(fixture *f, const char *const *texts, size_t n, gr_choice *out)
{
    gr_error err = { 0 };
    size_t chosen = MOST;
    const gr_choice_options o = options_of(texts, n);
    MUST(gr_session_choose(f->s, &f->request, &o, out, &chosen, &err));
    assert_true(chosen < n);
    assert_string_equal(gr_session_text(f->s, NULL), texts[chosen]);
    assert_int_equal(gr_session_finish(f->s), GR_FINISH_STOP);
    return chosen;
}

/* The log-probability of a text, by teacher forcing; the vocabulary is bytes. With its end, or without. */
static double forced(fixture *f, const char *text, bool end)
{
    gr_error err = { 0 };
    int32_t ids[64];
    int n = 0;
    gr_answer_options o;
    gr_answer_options_init(&o);
    gr_ids list;
    gr_ids_init(&list, f->rt, 60);
    MUST(gr_tokenizer_encode(f->model->tokenizer, text, strlen(text), 0, &list, &err));
    for (; (size_t)n < list.n; n++)
        ids[n] = list.v[n];
    gr_ids_fini(&list);
    if (end)
        ids[n++] = f->model->markers.eot;
    o.max_tokens = n;
    MUST(gr_session_ask(f->s, &f->request, &o, &err));
    f->s->sequence->generation.forced = ids;
    f->s->sequence->generation.n_forced = n;
    while (gr_session_busy(f->s))
        MUST(gr_engine_step(f->engine, &err));
    double sum = 0;
    assert_int_equal(gr_session_n_tokens(f->s), n);
    for (int i = 0; i < n; i++)
        sum += gr_session_token(f->s, (size_t)i).logprob;
    return sum;
}

static const char *const letters[] = { "A", "B", "C", "D" };
static const char *const colours[] = {
    "red", "reddish brown", "green", "grey", "green and white", "blue", "g"
};
static const char *const names[] = { "dog", "cat", "horse", "house", "mouse" };

static void probabilities_are_those_of_forced_decoding(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *const *texts;
        size_t n;
        bool ends; /* some text begins another */
    } sets[] = { { letters, 4, false }, { colours, 7, true }, { names, 5, false } };
    for (size_t k = 0; k < 3; k++) {
        gr_choice out[MOST];
        double sum = 0, total = 0;
        const size_t chosen = choose(f, sets[k].texts, sets[k].n, out);
        for (size_t i = 0; i < sets[k].n; i++) {
            assert_true(out[i].logprob <= out[chosen].logprob);
            total += exp(out[i].logprob);
        }
        for (size_t i = 0; i < sets[k].n; i++) {
            const double want = forced(f, sets[k].texts[i], sets[k].ends);
            if (out[i].logprob != want)
                fail_msg("'%s': log-probability %.17g, forced decoding gives %.17g", sets[k].texts[i],
                         out[i].logprob, want);
            assert_true(fabs(out[i].probability - exp(want) / total) < 1e-12);
            sum += out[i].probability;
        }
        assert_true(fabs(sum - 1) < 1e-12);
    }
}

/* Another order, a second session that answers meanwhile: the same numbers. */
static void the_rest_of_the_set_and_other_sessions_change_nothing(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    static const char *const turned[] = { "g",  "blue", "green and white", "grey", "green", "reddish brown",
                                          "red" };
    gr_choice a[MOST], b[MOST];
    gr_answer_options o;
    gr_answer_options_init(&o);
    o.max_tokens = 40;
    o.ignore_end = true;
    const size_t first = choose(f, colours, 7, a);
    gr_session *other = api_session(f->engine);
    MUST(gr_session_ask(other, &f->request, &o, &err));
    const size_t second = choose(f, turned, 7, b);
    assert_string_equal(colours[first], turned[second]);
    for (size_t i = 0; i < 7; i++)
        assert_true(a[i].logprob == b[6 - i].logprob);
    assert_true(gr_session_n_tokens(other) > 5);
    gr_session_close(other);
}

static void with_a_temperature_answers_are_drawn_by_their_probability(void **state)
{
    if (TEST_EMULATED) {
        printf("SKIP: minutes where the processor is emulated\n");
        return;
    }
    fixture *f = *state;
    gr_error err = { 0 };
    gr_choice out[MOST];
    int count[4] = { 0 };
    gr_choice_options o = options_of(letters, 4);
    o.temperature = 1;
    enum { DRAWS = 150 };
    for (o.seed = 0; o.seed < DRAWS; o.seed++) {
        size_t chosen;
        MUST(gr_session_choose(f->s, &f->request, &o, out, &chosen, &err));
        count[chosen]++;
    }
    for (int i = 0; i < 4; i++) { /* five standard deviations */
        const double p = out[i].probability;
        assert_true(fabs(count[i] - DRAWS * p) <= 5 * sqrt(DRAWS * p * (1 - p)) + 1);
    }
}

static void an_answer_of_a_set_leaves_the_session_as_it_was(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_choice out[MOST];
    char text[2][512];
    gr_answer_options o;
    gr_answer_options_init(&o);
    o.max_tokens = 12;
    for (int k = 0; k < 2; k++) {
        MUST(gr_session_ask(f->s, &f->request, &o, &err));
        MUST(gr_session_answer(f->s, NULL, NULL, &err));
        snprintf(text[k], sizeof text[k], "%s", gr_session_text(f->s, NULL));
        choose(f, names, 5, out);
    }
    assert_string_equal(text[0], text[1]);
}

typedef struct {
    gr_session *s;
    int steps, stop_at;
    bool by_session; /* the cancel comes from elsewhere */
} looker;

static bool look(void *user)
{
    looker *l = user;
    if (l->steps++ != l->stop_at)
        return false;
    if (l->by_session)
        gr_session_cancel(l->s);
    return !l->by_session;
}

static gr_status choose_with(fixture *f, gr_session *s, looker *l, const char *const *texts, size_t n,
                             gr_choice *out, size_t *chosen, gr_error *err)
{
    gr_choice_options o = options_of(texts, n);
    o.cancelled = look;
    o.cancel_user = l;
    l->s = s;
    return gr_session_choose(s, &f->request, &o, out, chosen, err);
}

/* Forks side by side: the same bits in fewer steps. */
static void branches_change_the_time_and_not_the_numbers(void **state)
{
    if (TEST_EMULATED) {
        printf("SKIP: minutes where the processor is emulated\n");
        return;
    }
    fixture *f = *state;
    gr_error err = { 0 };
    gr_choice want[MOST], got[MOST];
    int steps[3] = { 0 };
    gr_session_stats stats = { .size = sizeof stats };
    const size_t chosen = choose(f, colours, 7, want);
    MUST(gr_session_statistics(f->s, &stats, &err));
    for (int k = 0; k < 3; k++) {
        gr_engine_options o;
        gr_engine *e;
        size_t now;
        looker l = { .stop_at = -1 };
        gr_engine_options_init(&o);
        o.max_context = stats.prompt_rows + (int)strlen("green and white"); /* no page to spare */
        o.max_branches = k == 0 ? 0 : k == 1 ? 1 : 40;
        MUST(gr_engine_open(&e, f->model, &o, &err));
        gr_session *s = api_session(e), *more;
        MUST_FAIL(gr_session_open(&more, e, &err), GR_ERR_LIMIT,
                  "made for 1 conversations, and all are in use");
        for (int again = 0; again < 2; again++) {
            memset(got, 0, sizeof got);
            l.steps = 0;
            MUST(choose_with(f, s, &l, colours, 7, got, &now, &err));
            assert_int_equal(now, chosen);
            assert_memory_equal(got, want, 7 * sizeof *got);
        }
        steps[k] = l.steps;
        /* Whenever it is stopped, and however: it says so, and the next one is answered. */
        for (int i = 0; i < 2 * steps[k]; i++) {
            l.by_session = i & 1;
            l.stop_at = i / 2;
            l.steps = 0;
            MUST_FAIL(choose_with(f, s, &l, colours, 7, got, &now, &err), GR_ERR_CANCELLED, "");
        }
        l.stop_at = -1;
        MUST(choose_with(f, s, &l, colours, 7, got, &now, &err));
        assert_memory_equal(got, want, 7 * sizeof *got);
        gr_session_close(s);
        gr_engine_close(e);
    }
    /* The longest answer sets the end: 15 tokens, a row each. */
    print_message("steps: %d, with 1 branch %d, with 40 %d\n", steps[0], steps[1], steps[2]);
    assert_true(steps[2] < steps[1] && steps[1] < steps[0]);
    assert_int_equal(steps[0] - steps[2], 18);
}

typedef struct {
    looker *l;
    int at_step, came; /* the step in which the cancel comes; whether it did */
} meddler;

/* In the middle of a step: the other session is before this one. */
static void meddle(void *user, const float *logits, int n)
{
    meddler *m = user;
    (void)logits, (void)n;
    if (m->l->steps != m->at_step)
        return;
    gr_session_cancel(m->l->s);
    m->came++;
}

/* It stops the walk, or came with its last row: then it is spent. */
static void a_cancel_in_the_middle_of_a_step_is_not_lost(void **state)
{
    if (TEST_EMULATED) {
        printf("SKIP: minutes where the processor is emulated\n");
        return;
    }
    fixture *f = *state;
    gr_error err = { 0 };
    gr_choice out[MOST];
    size_t chosen;
    gr_answer_options endless;
    gr_answer_options_init(&endless);
    endless.ignore_end = true;
    static const char *const uneven[] = { "ab",
                                          "bcdefghij" }; /* with branches, the session has done long before */
    for (int branches = 0; branches <= 40; branches += 20) {
        gr_engine_options o;
        gr_engine *e;
        gr_engine_options_init(&o);
        o.max_context = 900;
        o.max_sessions = 2;
        o.max_branches = branches;
        MUST(gr_engine_open(&e, f->model, &o, &err));
        gr_session *other = api_session(e), *s = api_session(e);
        looker l = { .stop_at = -1 };
        int total = 0;
        for (int at = -1; total == 0 || at <= total + 1; at++) {
            meddler m = { &l, at, 0 };
            MUST(gr_session_ask(other, &f->request, &endless, &err));
            while (gr_session_n_tokens(other) == 0)
                MUST(gr_engine_step(e, &err));
            gr_sequence_see(other->sequence, meddle, &m);
            l.steps = 0;
            const gr_status st = choose_with(f, s, &l, uneven, 2, out, &chosen, &err);
            gr_sequence_see(other->sequence, NULL, NULL);
            if (at < 0)
                total = l.steps;
            assert_int_equal(m.came, at > 0 && at <= total);
            if (st != (at > 0 && at < total ? GR_ERR_CANCELLED : GR_OK))
                fail_msg("%d branches, cancelled in step %d of %d: status %d", branches, at, total, (int)st);
            err = (gr_error){ 0 };
        }
        gr_session_close(s);
        gr_session_close(other);
        gr_engine_close(e);
    }
}

static bool now(void *user)
{
    (void)user;
    return true;
}

static void sets_that_cannot_be_chosen_from_are_refused(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_choice out[MOST];
    size_t chosen;
    static char long_text[80];
    memset(long_text, 'x', 79);
    const char *const same[] = { "cat", "dog", "cat" }, *const empty[] = { "cat", "" },
                      *const longs[] = { "a", long_text };
    gr_choice_options o = options_of(same, 3);
    MUST_FAIL(gr_session_choose(f->s, &f->request, &o, out, &chosen, &err), GR_ERR_ARG,
              "are the same, 'cat'");
    o = options_of(empty, 2);
    MUST_FAIL(gr_session_choose(f->s, &f->request, &o, out, &chosen, &err), GR_ERR_ARG,
              "answer 1 of the set is empty");
    o = options_of(longs, 2);
    MUST_FAIL(gr_session_choose(f->s, &f->request, &o, out, &chosen, &err), GR_ERR_LIMIT,
              "answer 1 of the set, 'xxx");
    o = options_of(same, 0);
    MUST_FAIL(gr_session_choose(f->s, &f->request, &o, out, &chosen, &err), GR_ERR_ARG, "a set of 0 answers");
    o = options_of(names, 5);
    o.temperature = -1;
    MUST_FAIL(gr_session_choose(f->s, &f->request, &o, out, &chosen, &err), GR_ERR_ARG, "temperature");
    o.size = 3;
    MUST_FAIL(gr_session_choose(f->s, &f->request, &o, out, &chosen, &err), GR_ERR_ARG,
              "gr_choice_options_init");
    o = options_of(names, 5);
    o.cancelled = now;
    MUST_FAIL(gr_session_choose(f->s, &f->request, &o, out, &chosen, &err), GR_ERR_CANCELLED, "");
    choose(f, names, 5, out); /* and the next one is answered */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_are_those_of_forced_decoding),
        cmocka_unit_test(the_rest_of_the_set_and_other_sessions_change_nothing),
        cmocka_unit_test(branches_change_the_time_and_not_the_numbers),
        cmocka_unit_test(a_cancel_in_the_middle_of_a_step_is_not_lost),
        cmocka_unit_test(with_a_temperature_answers_are_drawn_by_their_probability),
        cmocka_unit_test(an_answer_of_a_set_leaves_the_session_as_it_was),
        cmocka_unit_test(sets_that_cannot_be_chosen_from_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
