/* Adapters as JSON in a checkpoint: written and read back, and refused where they could not be. */
#include "test.h"

#include "train/lora_state.h"

static gr_status read_text(gr_runtime *rt, const char *text, gr_lora *l, gr_error *err)
{
    gr_json j;
    gr_json_init(&j, rt, text, strlen(text), "state.json", 4096);
    gr_lora_state_read(&j, l);
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    return st;
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static const gr_lora rows[] = {
        { .targets = 0 },
        { .targets = 1u << GR_LORA_Q, .rank = 1, .alpha = 0.1f, .seed = 0 },
        { (1u << GR_LORA_TARGET_COUNT) - 1, GR_LORA_MAX_RANK, 1e30f, UINT64_MAX },
    };
    gr_runtime *rt = test_runtime();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gr_error err = { 0 };
        gr_lora got = { .targets = 7, .rank = 9 };
        gr_buf text;
        gr_json_writer j;
        gr_buf_init(&text, rt, 1 << 16);
        gr_json_writer_init(&j, &text, i == 1);
        gr_lora_state_put(&j, &rows[i]);
        MUST(read_text(rt, gr_buf_str(&text), &got, &err));
        assert_true(got.targets == rows[i].targets && got.rank == rows[i].rank &&
                    got.alpha == rows[i].alpha && got.seed == rows[i].seed);
        MUST(gr_lora_state_compare(&got, &rows[i], &err));
        gr_buf_fini(&text);
    }
    gr_runtime_free(rt);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "3", "state.json: line 1" },
        { "{\"layers\": [\"norm1\"], \"rank\": 1, \"alpha\": 1}", "'norm1' is no linear layer" },
        { "{\"layers\": [4], \"rank\": 1, \"alpha\": 1}", "state.json: line 1" },
        { "{\"layers\": [\"q_proj\"], \"rank\": 1025, \"alpha\": 1}", "1025" },
        { "{\"layers\": [\"q_proj\"], \"alpha\": 1}", "adapters of rank 0" },
        { "{\"layers\": [\"q_proj\"], \"rank\": 1, \"alpha\": 1e99}", "adapters with alpha inf" },
        { "{\"layers\": [\"q_proj\"], \"rank\": 1, \"alpha\": -1}", "adapters with alpha -1" },
        { "{\"layers\": [\"q_proj\"], \"rank\": 1, \"alpha\": 1, \"seed\": \"x\"}", "not 16 hex digits" },
        { "{\"layers\": [], \"rank\": 1, \"alpha\": 1}", "adapters of no layer" },
        { "{}", "adapters of no layer" },
    };
    gr_runtime *rt = test_runtime();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gr_error err = { 0 };
        gr_lora l;
        MUST_FAIL(read_text(rt, rows[i].text, &l, &err), GR_ERR_FORMAT, rows[i].says);
    }
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
