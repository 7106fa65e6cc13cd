/* Multiple choice: which items are accepted, what counts as right, what a stopped run leaves. */
#include "test.h"

#include <math.h>

#include "base/alloc.h"
#include "base/file.h"
#include "eval/vqa.h"
#include "eval/wilson.h"
#include "support/tempdir.h"

#define MASK "\"mask_rles\": [{\"size\": [2, 2], \"counts\": [0, 4]}]"
#define ITEM(image, question, answer, type)                          \
    "{\"image\": \"" image "\", " MASK ", \"question\": \"" question \
    "\", \"choices\": [\"A. red\", \"B. blue\"], "                   \
    "\"answer\": \"" answer "\", \"type\": \"" type "\"}"

static gr_status parse(gr_evaluation **e, gr_runtime *rt, const char *json, gr_error *err)
{
    return gr_vqa_parse(e, rt, "gar-bench-vqa", json, strlen(json), "items", err);
}

static void only_the_letter_is_right_in_either_case(void **state)
{
    (void)state;
    assert_true(gr_vqa_right("B", "B") && gr_vqa_right("b", "B"));
    assert_false(gr_vqa_right("B.", "B") || gr_vqa_right(" B", "B") || gr_vqa_right("", "B") ||
                 gr_vqa_right(NULL, "B") || gr_vqa_right("B. blue", "B"));
}

/* Numbers of Newcombe 1998, table I, method 3 (81 of 263, 15 of 148, 0 of 20, 1 of 29). */
static void intervals_are_wilsons(void **state)
{
    (void)state;
    static const struct {
        size_t correct, n;
        double low, high;
    } known[] = { { 81, 263, 0.2553, 0.3662 },
                  { 15, 148, 0.0624, 0.1605 },
                  { 0, 20, 0, 0.1611 },
                  { 1, 29, 0.0061, 0.1718 } };
    for (size_t i = 0; i < 4; i++) {
        double low, high;
        gr_wilson(known[i].correct, known[i].n, &low, &high);
        assert_true(fabs(low - known[i].low) < 5e-5 && fabs(high - known[i].high) < 5e-5);
    }
}

/* The released answers give the published numbers. */
static void released_answers_score_as_published(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t correct, items;
    } want[] = { { "color", 34, 69 },     { "shape", 32, 64 },    { "texture/pattern", 17, 29 },
                 { "material", 14, 36 },  { "ordering", 13, 64 }, { "mirror", 36, 61 },
                 { "relation", 57, 101 }, { "overall", 203, 424 } };
    gr_error err = { 0 };
    gr_evaluation *e;
    gr_eval_row row;
    gr_runtime *rt = test_runtime_threads(1);
    const char *path = GR_SHARED_DATA "/GAR-Bench/model_outputs/gar_1b_vqa.json";
    if (!gr_path_exists(path)) {
        printf("SKIP: %s is not there\n", path);
    } else {
        MUST(gr_eval_vqa_score(&e, rt, "gar-bench-vqa", path, &err));
        for (size_t i = 0; i < 8; i++) {
            assert_true(gr_evaluation_row(e, i, &row));
            assert_string_equal(row.name, want[i].name);
            assert_true(row.correct == want[i].correct && row.items == want[i].items &&
                        row.answered == row.items);
            assert_true(isnan(row.probability));
        }
        assert_true(fabs(row.chance - (412 * 0.25 + 12 * 0.5) / 424) < 1e-12);
        assert_false(gr_evaluation_row(e, 8, &row));
        gr_evaluation_free(e);
    }
    gr_runtime_free(rt);
}

static void categories_keep_their_order_and_others_follow(void **state)
{
    (void)state;
    static const char *const want[] = { "color", "relation", "smell", "overall" };
    gr_error err = { 0 };
    gr_evaluation *e;
    gr_eval_row row;
    gr_runtime *rt = test_runtime_threads(1);
    MUST(parse(&e, rt,
               "[" ITEM("a", "q", "A", "smell") "," ITEM("b", "q", "B", "relation") "," ITEM("c", "q", "B",
                                                                                             "color") "]",
               &err));
    for (size_t i = 0; i < 4; i++) {
        assert_true(gr_evaluation_row(e, i, &row));
        assert_string_equal(row.name, want[i]);
        assert_true(row.answered == 0 && row.correct == 0 && row.items == (i == 3 ? 3 : 1) &&
                    row.chance == 0.5);
    }
    gr_evaluation_free(e);
    gr_runtime_free(rt);
}

static void what_is_no_multiple_choice_is_refused(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_evaluation *e;
    gr_runtime *rt = test_runtime_threads(1);
    MUST_FAIL(parse(&e, rt, "[" ITEM("a", "q", "C", "color") "]", &err), GR_ERR_FORMAT,
              "item 0 has the answer 'C', expected a letter of 2");
    MUST_FAIL(parse(&e, rt, "[" ITEM("a", "q", "A.", "color") "]", &err), GR_ERR_FORMAT, "'A.'");
    MUST_FAIL(parse(&e, rt, "[{\"image\": \"a\", " MASK ", \"question\": \"q\"}]", &err), GR_ERR_FORMAT,
              "item 0 has no \"choices\"");
    MUST_FAIL(parse(&e, rt,
                    "[{\"image\": \"a\", " MASK
                    ", \"question\": \"q\", \"choices\": [\"A. a\"], \"type\": \"x\"}]",
                    &err),
              GR_ERR_FORMAT, "item 0 has no \"answer\"");
    MUST_FAIL(parse(&e, rt, "[]", &err), GR_ERR_FORMAT, "an empty list");
    MUST_FAIL(gr_vqa_parse(&e, rt, "other", "[]", 2, "items", &err), GR_ERR_ARG,
              "there is no benchmark 'other'");
    assert_null(e);
    gr_runtime_free(rt);
}

static void answer(gr_evaluation *e, size_t i, const char *letter, double p)
{
    e->answers[i].output = gr_strdup(e->rt, letter);
    e->answers[i].probability[0] = p;
    e->answers[i].probability[1] = 1 - p;
}

static const char two[] =
    "[" ITEM("a", "q", "A", "color") ",\n  " ITEM("b \\\"x\\\"", "q", "B", "relation") " ]";

/* What was answered, comes back; a line that was cut does not. */
static void a_journal_gives_its_answers_back(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_evaluation *e, *again;
    gr_eval_row row;
    gr_buf lines;
    gr_runtime *rt = test_runtime_threads(1);
    MUST(parse(&e, rt, two, &err));
    e->has_probabilities = true;
    answer(e, 0, "A", 0.75);
    answer(e, 1, "A", 0.625);
    gr_buf_init(&lines, rt, 1 << 20);
    MUST(gr_vqa_journal_begin(e, &lines, &err));
    MUST(gr_vqa_journal_line(e, 0, &lines, &err));
    const size_t first = lines.len;
    MUST(gr_vqa_journal_line(e, 1, &lines, &err));
    for (size_t n = 0; n <= lines.len; n++) {
        MUST(parse(&again, rt, two, &err));
        again->has_probabilities = true;
        MUST(gr_vqa_journal_parse(again, lines.data, n, "journal", &err));
        assert_true(gr_evaluation_row(again, 2, &row));
        assert_int_equal(row.answered, n == lines.len ? 2 : n >= first ? 1 : 0);
        if (n == lines.len)
            assert_true(row.correct == 1 && row.probability == (0.75 + 0.375) / 2);
        gr_evaluation_free(again);
    }
    MUST(parse(&again, rt, "[" ITEM("other", "q", "A", "color") "]", &err));
    again->has_probabilities = true;
    MUST_FAIL(gr_vqa_journal_parse(again, lines.data, first, "journal", &err), GR_ERR_FORMAT,
              "journal: line 2: an answer to another item");
    again->has_probabilities = false;
    gr_evaluation_free(again);
    MUST(parse(&again, rt, two, &err));
    MUST_FAIL(gr_vqa_journal_parse(again, lines.data, first, "journal", &err), GR_ERR_FORMAT,
              "one of the letters");
    MUST_FAIL(gr_vqa_journal_parse(again, "{]\n", 3, "journal", &err), GR_ERR_FORMAT, "journal: line 1");
    again->run = gr_strdup(rt, "of another model");
    MUST_FAIL(gr_vqa_journal_parse(again, lines.data, first, "journal", &err), GR_ERR_FORMAT,
              "answers of another run, ''; this one is 'of another model'");
    MUST_FAIL(gr_vqa_journal_parse(again, "{}\n", 3, "journal", &err), GR_ERR_FORMAT,
              "line 1 does not say of what run");
    gr_evaluation_free(again);
    gr_evaluation_free(e);
    gr_buf_fini(&lines);
    gr_runtime_free(rt);
}

/* Items are written as they were, and score the same. */
static void what_is_written_can_be_scored(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_evaluation *e, *again;
    gr_eval_row row;
    test_dir dir;
    char *text;
    size_t n;
    gr_runtime *rt = test_runtime_threads(1);
    test_dir_make(&dir);
    MUST(parse(&e, rt, two, &err));
    e->has_probabilities = true;
    answer(e, 0, "A", 0.75);
    answer(e, 1, "A", 0.625);
    MUST(gr_evaluation_write(e, test_dir_file(&dir, "out.json"), &err));
    MUST(gr_file_read(rt, test_dir_file(&dir, "out.json"), 1 << 20, &text, &n, &err));
    assert_non_null(strstr(text, "\"type\":\"color\",\"model_output\":\"A\",\"probabilities\":[0.75,0.25]}"));
    gr_free(rt, text);
    MUST(gr_eval_vqa_score(&again, rt, "synth-bench", test_dir_file(&dir, "out.json"), &err));
    assert_true(gr_evaluation_row(again, 2, &row) && row.correct == 1 && row.answered == 2);
    gr_evaluation_free(again);
    gr_evaluation_free(e);
    test_dir_write(&dir, "none.json", two, sizeof two - 1);
    MUST_FAIL(gr_eval_vqa_score(&again, rt, "synth-bench", test_dir_file(&dir, "none.json"), &err),
              GR_ERR_FORMAT, "no item has a \"model_output\"");
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_letter_is_right_in_either_case),
        cmocka_unit_test(intervals_are_wilsons),
        cmocka_unit_test(released_answers_score_as_published),
        cmocka_unit_test(categories_keep_their_order_and_others_follow),
        cmocka_unit_test(what_is_no_multiple_choice_is_refused),
        cmocka_unit_test(a_journal_gives_its_answers_back),
        cmocka_unit_test(what_is_written_can_be_scored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
