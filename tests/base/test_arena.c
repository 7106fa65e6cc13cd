/* Memory in pieces: aligned, zeroed, bounded, and given back as one. */
#include "test.h"

#include "base/arena.h"
#include "support/counting.h"

static void pieces_are_aligned_zeroed_and_do_not_overlap(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_arena a;
    gr_arena_init(&a, rt, 1 << 24);
    for (int turn = 0; turn < 2; turn++) { /* the second in memory that was used */
        unsigned char *last = NULL;
        size_t last_n = 0;
        for (size_t n = 0; n < 3000; n += 7) {
            unsigned char *p = gr_arena_take(&a, n, 1);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xee, n);
            assert_true(!last || p >= last + last_n || p + n <= last);
            last = p, last_n = n;
        }
        gr_arena_clear(&a);
        assert_int_equal(a.taken, 0);
    }
    gr_arena_fini(&a);
    gr_runtime_free(rt);
}

static void an_arena_has_a_limit(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_arena a;
    gr_arena_init(&a, rt, 1000);
    assert_non_null(gr_arena_take(&a, 10, 90));
    assert_false(a.over);
    assert_null(gr_arena_take(&a, 10, 11));
    assert_true(a.over);
    assert_null(gr_arena_take(&a, SIZE_MAX / 2, 4));
    assert_null(gr_arena_take(&a, SIZE_MAX, 1));
    assert_string_equal(gr_arena_text(&a, "still room", 10), "still room");
    gr_arena_clear(&a);
    assert_false(a.over);
    assert_non_null(gr_arena_take(&a, 10, 90));
    gr_arena_fini(&a);
    gr_runtime_free(rt);
}

static void a_list_keeps_its_elements_while_it_grows(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_arena a;
    gr_arena_init(&a, rt, 1 << 20);
    int *list = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        int *place = gr_arena_append(&a, &list, &capacity, (size_t)i, sizeof *list);
        assert_ptr_equal(place, list + i);
        assert_int_equal(*place, 0);
        *place = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list[i], i);
    gr_arena_fini(&a);
    gr_runtime_free(rt);
}

static void everything_is_given_back(void **state)
{
    (void)state;
    counting c = { 0 };
    gr_runtime *rt = counting_runtime(&c, 1);
    const size_t before = atomic_load(&c.now);
    gr_arena a;
    gr_arena_init(&a, rt, 1 << 24);
    for (int i = 0; i < 100; i++)
        assert_non_null(gr_arena_take(&a, 1000, 50));
    assert_true(atomic_load(&c.now) > before + 100 * 50000);
    gr_arena_clear(&a);
    assert_true(atomic_load(&c.now) < before + (2 << 20));
    gr_arena_fini(&a);
    assert_int_equal(atomic_load(&c.now), before);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_zeroed_and_do_not_overlap),
        cmocka_unit_test(an_arena_has_a_limit),
        cmocka_unit_test(a_list_keeps_its_elements_while_it_grows),
        cmocka_unit_test(everything_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
