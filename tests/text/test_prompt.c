#include "test.h"

#include "support/toy_tokenizer.h"
#include "text/prompt.h"

typedef struct {
    gr_runtime *rt;
    gr_tokenizer *t;
    gr_prompt p;
    gr_ids ids, source;
} bench;

static bench bench_new(void)
{
    bench b = { .rt = test_runtime() };
    gr_error err = { 0 };
    MUST(toy_parse(&b.t, b.rt, &toy_merging, &err));
    gr_prompt_init(&b.p, b.rt);
    gr_ids_init(&b.ids, b.rt, 50);
    gr_ids_init(&b.source, b.rt, 50);
    return b;
}

static void bench_free(bench *b)
{
    gr_prompt_fini(&b->p);
    gr_ids_fini(&b->ids);
    gr_ids_fini(&b->source);
    gr_tokenizer_free(b->t);
    gr_runtime_free(b->rt);
}

static void check_rows(bench *b, const int32_t *ids, const int32_t *source, size_t n)
{
    gr_error err = { 0 };
    gr_ids_clear(&b->ids);
    gr_ids_clear(&b->source);
    MUST(gr_prompt_rows(&b->p, b->t, &b->ids, &b->source, &err));
    assert_int_equal(b->ids.n, n);
    assert_int_equal(b->source.n, n);
    assert_memory_equal(b->ids.v, ids, n * sizeof *ids);
    assert_memory_equal(b->source.v, source, n * sizeof *source);
}

static void text_after_text_is_one_run(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    MUST(gr_prompt_words(&b.p, "a", &err));
    MUST(gr_prompt_words(&b.p, "", &err));
    MUST(gr_prompt_text(&b.p, "bcd", 2, &err));
    check_rows(&b, (int32_t[]){ 258 }, (int32_t[]){ -1 }, 1);
    MUST(gr_prompt_special(&b.p, 301, &err)); /* a special ends the run */
    MUST(gr_prompt_words(&b.p, "ab", &err));
    MUST(gr_prompt_words(&b.p, "<|x|", &err)); /* and a spelling made of two parts is none */
    MUST(gr_prompt_words(&b.p, ">", &err));
    check_rows(&b, (int32_t[]){ 258, 301, 256, '<', '|', 'x', '|', '>' },
               (int32_t[]){ -1, -1, -1, -1, -1, -1, -1, -1 }, 8);
    assert_int_equal(b.p.n, 3);
    bench_free(&b);
}

static void feature_rows_are_counted_over_images_then_regions(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    MUST(gr_prompt_region(&b.p, 2, 40, 2, &err));
    MUST(gr_prompt_image(&b.p, 50, 3, &err));
    MUST(gr_prompt_region(&b.p, 0, 41, 1, &err));
    MUST(gr_prompt_image(&b.p, 51, 1, &err));
    MUST(gr_prompt_image(&b.p, 52, 0, &err));
    check_rows(&b, (int32_t[]){ 40, 40, 50, 50, 50, 41, 51 }, (int32_t[]){ 5, 6, 0, 1, 2, 4, 3 }, 7);
    gr_prompt_clear(&b.p);
    check_rows(&b, (int32_t[]){ 0 }, (int32_t[]){ 0 }, 0);
    bench_free(&b);
}

static void wrong_pieces_and_too_many_rows_are_refused(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    MUST_FAIL(gr_prompt_region(&b.p, -1, 1, 1, &err), GR_ERR_ARG, "region -1");
    MUST_FAIL(gr_prompt_region(&b.p, GR_PROMPT_REGIONS_MAX, 1, 1, &err), GR_ERR_ARG, "region 256");
    MUST(gr_prompt_region(&b.p, 1, 1, 1, &err));
    MUST_FAIL(gr_prompt_region(&b.p, 1, 1, 1, &err), GR_ERR_ARG, "region 1 are in the prompt already");
    MUST(gr_prompt_image(&b.p, 1, 50, &err));
    MUST_FAIL(gr_prompt_rows(&b.p, b.t, &b.ids, &b.source, &err), GR_ERR_LIMIT, "more than 50 tokens");
    gr_ids_clear(&b.ids);
    gr_prompt_clear(&b.p);
    MUST(gr_prompt_image(&b.p, 1, SIZE_MAX, &err));
    MUST(gr_prompt_image(&b.p, 1, SIZE_MAX, &err));
    MUST_FAIL(gr_prompt_rows(&b.p, b.t, &b.ids, &b.source, &err), GR_ERR_LIMIT, "more than 50 tokens");
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(text_after_text_is_one_run),
                                        cmocka_unit_test(feature_rows_are_counted_over_images_then_regions),
                                        cmocka_unit_test(wrong_pieces_and_too_many_rows_are_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
