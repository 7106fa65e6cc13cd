/* The list of deliberate mistakes that the golden files catch (tests/golden/make/mistakes.py applies them one
 * by one in the published code): the tolerances of test_gar_golden.c stand or fall with it. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"

enum { LEAST_MISTAKES = 25, LEAST_MOVE = 100 };

static void every_mistake_moves_a_golden_tensor_by_a_hundred_tolerances(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    char *text, name[128] = "";
    const char *key;
    size_t size;
    gr_json j;
    int n = 0;
    MUST(gr_file_read(rt, TEST_FILE("golden/gar/mistakes.json"), 1 << 20, &text, &size, &err));
    gr_json_init(&j, rt, text, size, "mistakes.json", 4096);
    for (gr_json_array(&j); gr_json_item(&j); n++) {
        double moved = 0;
        bool placed = false;
        for (gr_json_object(&j); gr_json_key(&j, &key);) {
            if (strcmp(key, "name") == 0)
                snprintf(name, sizeof name, "%s", gr_json_string(&j, NULL));
            else if (strcmp(key, "moved_in_tolerances") == 0)
                moved = gr_json_number(&j);
            else {
                placed |= strcmp(key, "tensor") == 0;
                gr_json_skip(&j);
            }
        }
        if (!(moved > LEAST_MOVE) || !placed)
            fail_msg("mistake '%s' moves its tensor by %g tolerances, expected over %d", name, moved,
                     LEAST_MOVE);
    }
    MUST(gr_json_status(&j, true, &err));
    assert_true(n >= LEAST_MISTAKES);
    gr_json_fini(&j);
    gr_free(rt, text);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        every_mistake_moves_a_golden_tensor_by_a_hundred_tolerances) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
