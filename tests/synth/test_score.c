/* What a description states is counted as true, false or missing by its words, and a truth survives JSON. */
#include "test.h"

#include "synth/score.h"

/* A red star with white stripes, of metal, next to a blue ring and to the left of a dog. */
static gr_truths star(void)
{
    gr_truths t = { .kind = "shape",
                    .noun = "star",
                    .colour = "red",
                    .second = "white",
                    .pattern = "striped",
                    .material = "metal",
                    .entity = "entity",
                    .n_relations = 3,
                    .n_main = 2 };
    t.relations[0] = (gr_truth_relation){ .view = "next to", .noun = "ring", .colour = "blue" };
    t.relations[1] = (gr_truth_relation){ .view = "to the left of", .noun = "dog" };
    t.relations[2] = (gr_truth_relation){ .weight = GR_RELATION_OPEN, .view = "behind", .noun = "dog" };
    return t;
}

static void expect(const gr_truths *t, const char *text, int n_true, int n_false, int n_missing)
{
    const gr_score s = gr_score_description(text, strlen(text), t);
    if (s.n_true != n_true || s.n_false != n_false || s.n_missing != n_missing)
        fail_msg("%s: %d true, %d false, %d missing; expected %d, %d, %d", text, s.n_true, s.n_false,
                 s.n_missing, n_true, n_false, n_missing);
}

static void statements_are_true_false_or_missing(void **state)
{
    (void)state;
    const gr_truths t = star();
    expect(&t, "", 0, 0, 7);
    expect(&t, "A star.", 1, 0, 6);
    expect(&t, "A green star.", 1, 1, 6);
    expect(&t, "A RED and white striped metal star, next to a blue ring and to the left of a dog.", 7, 0, 0);
    expect(&t, "It is a metallic star with white stripes. It is red, beside a ring, and left of a dog.", 7, 0,
           0);
    expect(&t, "A ring.", 0, 1, 7);
    expect(&t, "A red star made of wood.", 2, 1, 5);
    expect(&t, "A star next to a green ring.", 1, 1, 6); /* the ring is blue */
    expect(&t, "A star next to a cat.", 1, 1, 6);
    expect(&t, "A star behind a dog.", 1, 0, 6); /* neither true nor false */
    expect(&t, "The reflection of a star in a mirror.", 1, 1, 6);
}

static void expect_part(const gr_score *s, gr_score_kind kind, int n_true, int n_false, int n_known,
                        int n_missing)
{
    const gr_score_part *p = &s->part[kind];
    if (p->n_true != n_true || p->n_false != n_false || p->n_known != n_known || p->n_missing != n_missing)
        fail_msg("%s: %d true, %d false, %d known, %d missing; expected %d, %d, %d, %d", gr_score_word(kind),
                 p->n_true, p->n_false, p->n_known, p->n_missing, n_true, n_false, n_known, n_missing);
}

static void statements_are_told_apart_by_kind(void **state)
{
    (void)state;
    const gr_truths t = star();
    const char *text = "A green and white star of wood, next to a blue ring and behind a cat. Its shadow.";
    const gr_score s = gr_score_description(text, strlen(text), &t);
    expect_part(&s, GR_SCORE_NOUN, 1, 0, 1, 0);
    expect_part(&s, GR_SCORE_COLOUR, 1, 1, 1, 1); /* white is true, green is not, red is missing */
    expect_part(&s, GR_SCORE_SECOND, 0, 0, 1, 0);
    expect_part(&s, GR_SCORE_PATTERN, 0, 0, 1, 1);
    expect_part(&s, GR_SCORE_MATERIAL, 0, 1, 1, 1);
    expect_part(&s, GR_SCORE_ENTITY, 0, 1, 0, 0);
    expect_part(&s, GR_SCORE_RELATION, 1, 1, 2, 1);
    assert_true(s.n_true == 3 && s.n_false == 4 && s.n_known == 7 && s.n_missing == 4);
    assert_string_equal(gr_score_word(GR_SCORE_RELATION), "relation");
}

/* A model that repeats itself is not more right for it, nor more wrong. */
static void what_is_said_twice_counts_once(void **state)
{
    (void)state;
    const gr_truths t = star();
    expect(&t, "A red star, red, next to a blue ring. A star next to a blue ring, next to a blue ring.", 3, 0,
           4);
    expect(&t, "A star next to a cat, next to a cat. It is next to a cat.", 1, 1, 6);
    expect(&t, "A star next to a cat and next to a red cat.", 1, 2, 6); /* which is another cat */
}

static void what_is_about_something_else_does_not_count(void **state)
{
    (void)state;
    const gr_truths t = star();
    expect(&t, "A star. The background is green. Elsewhere there is a wooden cross.", 1, 0, 6);
    expect(&t, "A star on a green background.", 1, 0, 6);
    expect(&t, "A star in the lower left of the picture, red.", 2, 0, 5);
}

static void a_picture_of_something_has_to_be_called_so(void **state)
{
    (void)state;
    const gr_truths t = { .kind = "thing", .noun = "dog", .entity = "reflection" };
    expect(&t, "A dog.", 1, 0, 1);
    expect(&t, "A brown dog.", 1, 0, 1); /* its colours are its own */
    expect(&t, "The reflection of a dog in a mirror.", 2, 0, 0);
    expect(&t, "The shadow of a dog.", 1, 1, 1);
}

static void a_truth_survives_json(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_truths t = star(), back;
    gr_buf text;
    gr_json_writer w;
    gr_json j;
    gr_buf_init(&text, rt, 1 << 16);
    gr_json_writer_init(&w, &text, false);
    gr_truth_put(&w, &t);
    gr_json_init(&j, rt, text.data, text.len, "truth", 100);
    gr_truth_read(&j, &back);
    MUST(gr_json_status(&j, true, &err));
    gr_json_fini(&j);
    assert_int_equal(back.n_relations, 3);
    assert_int_equal(back.n_main, 2);
    assert_int_equal(back.relations[2].weight, GR_RELATION_OPEN);
    expect(&back, "A red and white striped metal star, next to a blue ring and to the left of a dog.", 7, 0,
           0);
    const char *wrong = "{\"relations\":[{\"view\":\"next to\",\"noun\":\"dog\",\"weight\":\"some\"}]}";
    gr_json_init(&j, rt, wrong, strlen(wrong), "truth", 100);
    gr_truth_read(&j, &back);
    MUST_FAIL(gr_json_status(&j, true, &err), GR_ERR_FORMAT, "expected main, also or open");
    gr_json_fini(&j);
    gr_buf_fini(&text);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_true_false_or_missing),
        cmocka_unit_test(statements_are_told_apart_by_kind),
        cmocka_unit_test(what_is_said_twice_counts_once),
        cmocka_unit_test(what_is_about_something_else_does_not_count),
        cmocka_unit_test(a_picture_of_something_has_to_be_called_so),
        cmocka_unit_test(a_truth_survives_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
