/* Descriptions: which items are accepted, and how what they state is counted. */
#include "test.h"

#include <math.h>

#include "base/alloc.h"
#include "base/file.h"
#include "eval/caption.h"
#include "eval/wilson.h"
#include "support/tempdir.h"

#define MASK        "{\"size\": [2, 2], \"counts\": [0, 4]}"
#define ITEM(truth) "{\"image\": \"a.png\", \"truth\": " truth ", \"mask_rles\": [" MASK "]}"
/* Seven things to state. */
#define STAR                                                                                          \
    "{\"shape\": \"star\", \"colour\": \"red\", \"second\": \"white\", \"pattern\": \"striped\", "    \
    "\"material\": \"metal\", \"entity\": \"reflection\", \"relations\": [{\"view\": \"next to\", "   \
    "\"noun\": \"ring\", \"colour\": \"blue\", \"weight\": \"main\"}, {\"view\": \"behind\", "        \
    "\"noun\": \"dog\", \"weight\": \"also\"}, {\"view\": \"under\", \"noun\": \"dog\", \"weight\": " \
    "\"open\"}]}"
/* One. */
#define DOG "{\"thing\": \"dog\", \"entity\": \"entity\", \"relations\": []}"

enum { NOUN, COLOUR, SECOND, PATTERN, MATERIAL, ENTITY, RELATION, OVERALL };

static gr_status parse(gr_evaluation **e, gr_runtime *rt, const char *json, gr_error *err)
{
    return gr_vqa_parse(e, rt, "synth-bench-cap", json, strlen(json), "items", err);
}

static void answer(gr_evaluation *e, size_t i, const char *text)
{
    e->answers[i].output = gr_strdup(e->rt, text);
}

static void expect(const gr_evaluation *e, size_t kind, const char *name, size_t stated_true, size_t stated,
                   size_t known_stated, size_t known)
{
    gr_eval_statements r = { .size = sizeof r };
    assert_true(gr_evaluation_statements(e, kind, &r));
    assert_string_equal(r.name, name);
    if (r.stated_true != stated_true || r.stated != stated || r.known_stated != known_stated ||
        r.known != known)
        fail_msg("%s: %zu of %zu true, %zu of %zu stated; expected %zu of %zu, %zu of %zu", name,
                 r.stated_true, r.stated, r.known_stated, r.known, stated_true, stated, known_stated, known);
}

/* A description that is true and whole, one with a wrong colour, an empty one, and an item without. */
static void statements_are_added_up_by_kind(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_evaluation *e;
    gr_eval_statements r = { .size = sizeof r };
    gr_eval_row row;
    double low, high;
    gr_runtime *rt = test_runtime_threads(1);
    MUST(parse(&e, rt, "[" ITEM(STAR) ", " ITEM(STAR) ", " ITEM(STAR) ", " ITEM(DOG) "]", &err));
    answer(e, 0,
           "The reflection of a red and white striped metal star, next to a blue ring. It is behind a dog, "
           "under "
           "a dog.");
    answer(e, 1, "A green star.");
    answer(e, 2, "");
    expect(e, NOUN, "noun", 2, 2, 2, 4);
    expect(e, COLOUR, "colour", 2, 3, 1, 3);
    expect(e, SECOND, "second colour", 0, 0, 1, 3);
    expect(e, PATTERN, "pattern", 1, 1, 1, 3);
    expect(e, MATERIAL, "material", 1, 1, 1, 3);
    expect(e, ENTITY, "entity", 1, 1, 1, 3);
    expect(e, RELATION, "relation", 2, 2, 1, 3);
    expect(e, OVERALL, "overall", 9, 10, 8, 22);
    assert_false(gr_evaluation_statements(e, OVERALL + 1, &r));
    assert_true(gr_evaluation_statements(e, OVERALL, &r));
    assert_true(r.items == 4 && r.answered == 3 && r.precision == 0.9 && r.recall == 8.0 / 22);
    gr_wilson(9, 10, &low, &high);
    assert_true(r.precision_low == low && r.precision_high == high);
    gr_wilson(8, 22, &low, &high);
    assert_true(r.recall_low == low && r.recall_high == high);
    assert_true(gr_evaluation_statements(e, SECOND, &r));
    assert_true(isnan(r.precision) && r.precision_low == 0 && r.precision_high == 1);
    e->answers[1].chosen = false; /* not of this run */
    expect(e, OVERALL, "overall", 8, 8, 7, 15);
    r.size--;
    assert_false(gr_evaluation_statements(e, 0, &r));
    assert_false(gr_evaluation_row(e, 0, &row));
    gr_evaluation_free(e);
    gr_runtime_free(rt);
}

static void what_is_no_region_with_a_truth_is_refused(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_evaluation *e;
    gr_eval_statements r = { .size = sizeof r };
    gr_runtime *rt = test_runtime_threads(1);
    static const char choice[] =
        "[{\"image\": \"a\", \"mask_rles\": [" MASK "], \"question\": \"q\", \"choices\": "
        "[\"A. a\"], \"answer\": \"A\", \"type\": \"color\"}]";
    MUST_FAIL(parse(&e, rt, choice, &err), GR_ERR_FORMAT,
              "item 0 has no \"truth\"; expected a list of regions");
    MUST_FAIL(
        parse(&e, rt, "[" ITEM(STAR) ",\n" ITEM("{\"colour\": \"red\", \"entity\": \"entity\"}") "]", &err),
        GR_ERR_FORMAT, "items: line 2, column 29: item 1, \"truth\": it has no noun");
    MUST_FAIL(parse(&e, rt, "[" ITEM("{\"shape\": \"star\"}") "]", &err), GR_ERR_FORMAT,
              "item 0, \"truth\": it has no \"entity\"");
    MUST_FAIL(parse(&e, rt, "[" ITEM("{\"shape\": \"star\", \"entity\": \"picture\"}") "]", &err),
              GR_ERR_FORMAT, "none of entity, reflection, shadow and screen");
    MUST_FAIL(
        parse(&e, rt,
              "[" ITEM("{\"shape\": \"star\", \"entity\": \"entity\", \"relations\": [{\"view\": \"under\", "
                       "\"weight\": \"main\"}]}") "]",
              &err),
        GR_ERR_FORMAT, "a relation without \"view\" or \"noun\"");
    MUST_FAIL(parse(&e, rt, "[" ITEM("[1]") "]", &err), GR_ERR_FORMAT, "item 0, \"truth\": ");
    MUST_FAIL(parse(&e, rt, "[{\"image\": \"a\", \"truth\": " DOG ", \"truth\": " DOG "}]", &err),
              GR_ERR_FORMAT, "'truth' is there twice");
    MUST_FAIL(
        parse(&e, rt, "[{\"image\": \"a\", \"truth\": " DOG ", \"mask_rles\": [" MASK ", " MASK "]}]", &err),
        GR_ERR_FORMAT, "item 0 has 2 masks in \"mask_rles\"");
    assert_null(e);
    /* ... and the other way round. */
    MUST_FAIL(
        gr_vqa_parse(&e, rt, "synth-bench", "[" ITEM(DOG) "]", strlen("[" ITEM(DOG) "]"), "items", &err),
        GR_ERR_FORMAT, "It has a \"truth\", as those of synth-bench-cap");
    MUST(gr_vqa_parse(&e, rt, "synth-bench", choice, strlen(choice), "items", &err));
    assert_false(gr_evaluation_statements(e, 0, &r));
    gr_evaluation_free(e);
    gr_runtime_free(rt);
}

/* Journal and file give the same numbers again; what an earlier run wrote is replaced. */
static void answers_survive_journal_and_file(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_evaluation *e, *again;
    test_dir dir;
    gr_buf lines;
    char *text;
    size_t n;
    static const char items[] = "[" ITEM(STAR) ", " ITEM(DOG) "]";
    gr_runtime *rt = test_runtime_threads(1);
    test_dir_make(&dir);
    MUST(parse(&e, rt, items, &err));
    answer(e, 0, "A \"red\" ring.");
    answer(e, 1, "A dog.");
    gr_buf_init(&lines, rt, 1 << 20);
    MUST(gr_vqa_journal_begin(e, &lines, &err));
    MUST(gr_vqa_journal_line(e, 0, &lines, &err));
    MUST(gr_vqa_journal_line(e, 1, &lines, &err));
    MUST(parse(&again, rt, items, &err));
    MUST(gr_vqa_journal_parse(again, lines.data, lines.len, "journal", &err));
    expect(again, OVERALL, "overall", 2, 3, 2, 8);
    gr_buf_fini(&lines);
    MUST(gr_evaluation_write(again, test_dir_file(&dir, "one.json"), &err));
    gr_evaluation_free(again);
    gr_evaluation_free(e);
    MUST(gr_eval_vqa_score(&again, rt, "synth-bench-cap", test_dir_file(&dir, "one.json"), &err));
    expect(again, OVERALL, "overall", 2, 3, 2, 8);
    gr_free(rt, again->answers[0].output);
    answer(again, 0, "A star.");
    MUST(gr_evaluation_write(again, test_dir_file(&dir, "two.json"), &err));
    gr_evaluation_free(again);
    MUST(gr_file_read(rt, test_dir_file(&dir, "two.json"), 1 << 20, &text, &n, &err));
    assert_non_null(strstr(text,
                           "\"model_output\":\"A star.\",\"statements\":{\"true\":1,\"false\":0,\"known\":7,"
                           "\"missing\":6}}"));
    assert_null(strstr(text, "ring.\""));
    gr_free(rt, text);
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_added_up_by_kind),
        cmocka_unit_test(what_is_no_region_with_a_truth_is_refused),
        cmocka_unit_test(answers_survive_journal_and_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
