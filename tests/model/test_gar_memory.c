#include "test.h"

#include "io/checkpoint.h"
#include "model/gar_new.h"
#include "model/gar_tensors.h"
#include "support/counting.h"
#include "support/tempdir.h"

static gr_status make(gr_runtime *rt, const char *dir, gr_error *err)
{
    gr_gar_config c;
    const gr_gar_new_options o = { .shard_bytes = 1000000 };
    GR_TRY(gr_gar_config_preset(&c, "gar-test", err));
    return gr_gar_new(rt, &c, dir, &o, err);
}

static gr_status load(gr_runtime *rt, const char *dir, gr_error *err)
{
    gr_gar_config c;
    gr_checkpoint *files = NULL;
    gr_gar_tensors list = { 0 };
    gr_gar_bound bound[128];
    gr_status st = gr_gar_config_load(&c, rt, dir, err);
    if (st == GR_OK)
        st = gr_checkpoint_open(&files, rt, dir, err);
    if (st == GR_OK)
        st = gr_gar_tensors_build(&list, rt, &c, err);
    if (st == GR_OK)
        st = gr_gar_tensors_bind(&list, files, bound, NULL, err);
    gr_gar_tensors_fini(&list);
    gr_checkpoint_close(files);
    return st;
}

/* Whichever allocation fails, the call says so, holds nothing afterwards and leaves nothing on the disk. */
static void torment(gr_status (*call)(gr_runtime *rt, const char *dir, gr_error *err), const char *dir,
                    const test_dir *root, int left_when_failed)
{
    counting c = { 0 };
    gr_error err = { 0 };
    gr_runtime *rt = counting_runtime(&c, 1);
    const size_t held = atomic_load(&c.now);
    for (size_t k = 1;; k++) {
        atomic_store(&c.calls, 0);
        atomic_store(&c.fail_at, k);
        err = (gr_error){ 0 };
        const gr_status st = call(rt, dir, &err);
        assert_int_equal(atomic_load(&c.now), held);
        if (atomic_load(&c.calls) < k) { /* it was never reached */
            MUST(st);
            assert_true(k > 10);
            break;
        }
        if (st != GR_ERR_MEM || !err.msg[0])
            fail_msg("allocation %zu: status %d, '%s'", k, st, err.msg);
        assert_int_equal(test_dir_count(root), left_when_failed);
    }
    gr_runtime_free(rt);
    assert_int_equal(atomic_load(&c.now), 0);
}

static void a_failed_allocation_is_a_failed_call_and_no_leak(void **state)
{
    (void)state;
    test_dir root;
    char dir[512];
    test_dir_make(&root);
    snprintf(dir, sizeof dir, "%s/m", root.path);
    torment(make, dir, &root, 0);
    torment(load, dir, &root, 1);
    test_dir_remove(&root);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_failed_allocation_is_a_failed_call_and_no_leak) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
