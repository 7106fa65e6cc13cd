/* A closed set of answers: its tree against brute force over made-up logits, and how one of it is decided. */
#include "test.h"

#include <math.h>

#include "base/rng.h"
#include "engine/constraint.h"
#include "support/toy_tokenizer.h"

enum { VOCAB = 304, END = 300, OTHER_END = 301 };

typedef struct {
    gr_runtime *rt;
    gr_tokenizer *t;
} fixture;

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    f.rt = test_runtime_threads(1);
    MUST(toy_parse(&f.t, f.rt, &toy_merging, &err));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_tokenizer_free(f->t);
    gr_runtime_free(f->rt);
    return 0;
}

/* A model: what comes after some tokens depends on all of them. */
static void logits_after(const int32_t *ids, size_t n, float *out)
{
    uint64_t key = 7;
    for (size_t i = 0; i < n; i++)
        key = key * 1000003u + (uint64_t)ids[i] + 1;
    for (int i = 0; i < VOCAB; i++)
        out[i] = (float)(8 * gr_uniform(key, 1, (uint64_t)i) - 4);
}

/* Sees every node once, in the order of a walk. */
static size_t see_all(gr_constraint *c, const int32_t *eos, int n_eos)
{
    float logits[VOCAB];
    size_t rows = 0;
    for (size_t i = 0; i < c->n; i++)
        for (; c->list[i].known < gr_constraint_terms(c, i); rows++) {
            const size_t depth = c->list[i].known;
            logits_after(c->list[i].ids.v, depth, logits);
            gr_constraint_see(c, i, depth, logits, VOCAB, eos, n_eos);
            assert_int_equal(c->list[i].known, depth + 1);
        }
    return rows;
}

/* The definition: token after token, then the end where it counts. */
static double slowly(const gr_allowed *x, bool ends, const int32_t *eos, int n_eos)
{
    float logits[VOCAB];
    double sum = 0;
    for (size_t d = 0; d < x->ids.n + ends; d++) {
        double all = 0, mine = 0;
        logits_after(x->ids.v, d, logits);
        for (int k = 0; k < VOCAB; k++)
            all += exp((double)logits[k]);
        if (d < x->ids.n)
            mine = exp((double)logits[x->ids.v[d]]);
        for (int k = 0; d == x->ids.n && k < n_eos; k++)
            mine += exp((double)logits[eos[k]]);
        sum += log(mine / all);
    }
    return sum;
}

static void every_answer_has_the_probability_of_its_tokens(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    static const int32_t eos[] = { END, OTHER_END };
    static const char *const sets[][8] = { { "A", "B", "C", "D" },
                                           { "abc", "ab", "abd", " the", " the cat", "x" },
                                           { "dog", "cat", "car", "carp", "cart", "caress", "d" },
                                           { "do", "d", "x" },
                                           { "one" } };
    static const bool ends[] = { false, true, true, true, false };
    static const size_t rows[] = { 1, 10, 13, 4, 3 }; /* nodes of the tree, counted by hand */
    for (size_t k = 0; k < 5; k++)
        for (int n_eos = 1; n_eos <= 2; n_eos++) {
            gr_constraint c;
            gr_choice out[8];
            double total = 0, sum = 0;
            size_t n = 0;
            while (n < 8 && sets[k][n])
                n++;
            MUST(gr_constraint_init(&c, f->rt, f->t, sets[k], n, &err));
            assert_int_equal(c.ends, ends[k]);
            assert_int_equal(see_all(&c, eos, n_eos), rows[k]);
            const size_t best = gr_constraint_decide(&c, 0, 0, out);
            for (size_t i = 0; i < n; i++)
                total += exp(slowly(&c.list[i], ends[k], eos, n_eos));
            for (size_t i = 0; i < n; i++) {
                const gr_choice *x = &out[c.list[i].place];
                const double want = slowly(&c.list[i], ends[k], eos, n_eos);
                assert_string_equal(c.list[i].text, sets[k][c.list[i].place]);
                assert_true(fabs(x->logprob - want) < 1e-12 * fabs(want) + 1e-12);
                assert_true(fabs(x->probability - exp(want) / total) < 1e-12);
                assert_true(x->logprob <= out[c.list[best].place].logprob);
                sum += x->probability;
            }
            assert_true(fabs(sum - 1) < 1e-12);
            gr_constraint_fini(&c);
        }
}

/* Whichever of them is asked about. */
static void a_row_is_for_all_that_begin_alike(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_constraint c;
    float logits[VOCAB] = { 0 };
    static const int32_t eos[] = { END };
    static const char *const set[] = { "px", "py", "pz", "a", "q" };
    for (size_t i = 1; i < 4; i++) { /* of a, px, py, pz, q */
        MUST(gr_constraint_init(&c, f->rt, f->t, set, 5, &err));
        gr_constraint_see(&c, i, 0, logits, VOCAB, eos, 1);
        gr_constraint_see(&c, i, 1, logits, VOCAB, eos, 1);
        for (size_t k = 0; k < 5; k++)
            assert_int_equal(c.list[k].known, k >= 1 && k <= 3 ? 2 : 1);
        gr_constraint_fini(&c);
    }
}

/* "abc" is one token, though "ab" and "c" are tokens too. */
static void an_answer_has_the_tokens_of_the_tokenizer(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_constraint c;
    static const char *const set[] = { "abc", "ab", "c" };
    MUST(gr_constraint_init(&c, f->rt, f->t, set, 3, &err));
    assert_false(c.ends); /* texts begin alike, tokens do not */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(c.list[i].ids.n, 1);
    gr_constraint_fini(&c);
}

/* The best whole answer, though its first token is less likely than that of another. */
static void the_whole_answer_decides_and_not_its_first_token(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_constraint c;
    gr_choice out[3];
    float root[VOCAB] = { 0 }, after_p[VOCAB] = { 0 };
    static const int32_t eos[] = { END };
    static const char *const set[] = { "px", "q", "py" };
    root['p'] = 10, root['q'] = 9.8f; /* p is likelier, but shared by two that are equally likely */
    after_p['x'] = after_p['y'] = 10;
    MUST(gr_constraint_init(&c, f->rt, f->t, set, 3, &err));
    gr_constraint_see(&c, 0, 0, root, VOCAB, eos, 1);
    gr_constraint_see(&c, 0, 1, after_p, VOCAB, eos, 1);
    assert_string_equal(c.list[gr_constraint_decide(&c, 0, 0, out)].text, "q");
    assert_true(out[0].logprob == out[2].logprob);
    gr_constraint_fini(&c);
    static const char *const tied[] = { "py", "px" }; /* a tie goes to the caller's first */
    MUST(gr_constraint_init(&c, f->rt, f->t, tied, 2, &err));
    gr_constraint_see(&c, 0, 0, root, VOCAB, eos, 1);
    gr_constraint_see(&c, 0, 1, after_p, VOCAB, eos, 1);
    assert_string_equal(c.list[gr_constraint_decide(&c, 0, 0, out)].text, "py");
    gr_constraint_fini(&c);
}

static void a_draw_follows_the_probabilities(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_constraint c;
    gr_choice out[4];
    float logits[VOCAB] = { 0 };
    static const int32_t eos[] = { END };
    static const char *const set[] = { "A", "B", "C", "D" };
    logits['B'] = 1, logits['C'] = 2, logits['D'] = -3;
    MUST(gr_constraint_init(&c, f->rt, f->t, set, 4, &err));
    gr_constraint_see(&c, 0, 0, logits, VOCAB, eos, 1);
    for (int k = 0; k < 2; k++) {
        const double t = k ? 0.5 : 1;
        double weight[4], all = 0;
        size_t count[4] = { 0 };
        enum { STEPS = 10000 };
        for (int i = 0; i < STEPS; i++)
            count[c.list[gr_constraint_decide(&c, t, (i + 0.5) / STEPS, out)].place]++;
        for (int i = 0; i < 4; i++)
            all += weight[i] = exp((double)logits['A' + i] / t);
        for (int i = 0; i < 4; i++) /* the borders of pieces of [0, 1) */
            assert_true(fabs((double)count[i] / STEPS - weight[i] / all) <= 2.0 / STEPS);
    }
    gr_constraint_fini(&c);
}

static void a_thousand_answers_are_one_set_and_more_are_none(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_constraint c;
    static char texts[GR_CHOICES_MAX + 1][32];
    static const char *set[GR_CHOICES_MAX + 1];
    static gr_choice out[GR_CHOICES_MAX];
    static const int32_t eos[] = { END };
    for (size_t i = 0; i <= GR_CHOICES_MAX; i++) {
        snprintf(texts[i], sizeof texts[i], "n%zu", i * 7919 % 1000003);
        set[i] = texts[i];
    }
    MUST(gr_constraint_init(&c, f->rt, f->t, set, GR_CHOICES_MAX, &err));
    const size_t rows = see_all(&c, eos, 1);
    gr_constraint_decide(&c, 0, 0, out);
    for (size_t i = 0; i < c.n; i++) {
        assert_true(i == 0 || gr_constraint_shared(&c, i - 1, i) < c.list[i].ids.n);
        assert_true(fabs(out[c.list[i].place].logprob - slowly(&c.list[i], c.ends, eos, 1)) < 1e-10);
    }
    assert_true(rows > GR_CHOICES_MAX / 10 && rows < 4 * GR_CHOICES_MAX); /* what is shared is seen once */
    gr_constraint_fini(&c);
    MUST_FAIL(gr_constraint_init(&c, f->rt, f->t, set, GR_CHOICES_MAX + 1, &err), GR_ERR_ARG,
              "a set of 1001 answers, expected 1 to 1000");
}

static void sets_that_are_none_are_refused(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_constraint c;
    char just[GR_CHOICE_TOKENS_MAX + 2];
    memset(just, 'x', sizeof just);
    just[GR_CHOICE_TOKENS_MAX] = '\0';
    static const char *const same[] = { "b", "a", "b" }, *const empty[] = { "a", "" };
    const char *const longs[] = { "a", just };
    MUST_FAIL(gr_constraint_init(&c, f->rt, f->t, same, 0, &err), GR_ERR_ARG, "a set of 0 answers");
    MUST_FAIL(gr_constraint_init(&c, f->rt, f->t, same, 3, &err), GR_ERR_ARG,
              "answers 0 and 2 of the set are");
    MUST_FAIL(gr_constraint_init(&c, f->rt, f->t, empty, 2, &err), GR_ERR_ARG,
              "answer 1 of the set is empty");
    MUST(gr_constraint_init(&c, f->rt, f->t, longs, 2, &err));
    gr_constraint_fini(&c);
    just[GR_CHOICE_TOKENS_MAX] = 'x';
    just[GR_CHOICE_TOKENS_MAX + 1] = '\0';
    MUST_FAIL(gr_constraint_init(&c, f->rt, f->t, longs, 2, &err), GR_ERR_LIMIT, "answer 1 of the set, 'xxx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_the_probability_of_its_tokens),
        cmocka_unit_test(a_row_is_for_all_that_begin_alike),
        cmocka_unit_test(an_answer_has_the_tokens_of_the_tokenizer),
        cmocka_unit_test(the_whole_answer_decides_and_not_its_first_token),
        cmocka_unit_test(a_draw_follows_the_probabilities),
        cmocka_unit_test(a_thousand_answers_are_one_set_and_more_are_none),
        cmocka_unit_test(sets_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
