#include "test.h"

#include "media/overlay.h"

enum { SIDE = 60 };

static gr_image *grey_picture(gr_runtime *rt)
{
    gr_error err = { 0 };
    gr_image *p;
    MUST(gr_image_new(&p, rt, SIDE, SIDE, 3, &err));
    memset(p->pixels, 100, SIDE * SIDE * 3);
    return p;
}

static const uint8_t *at(const gr_image *p, int x, int y) { return p->pixels + 3 * (y * SIDE + x); }

static void inside_is_tinted_the_rim_is_solid_outside_is_untouched(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_image *p = grey_picture(rt);
    static uint8_t mask[SIDE * SIDE];
    for (int y = 5; y < 55; y++)
        for (int x = 5; x < 55; x++)
            mask[y * SIDE + x] = 1;
    MUST(gr_overlay_mask(p, mask, 0, &err));
    const uint8_t solid[3] = { 230, 25, 75 },
                  tinted[3] = { (100 * 5 + 230 * 3 + 4) / 8, (500 + 75 + 4) / 8, (500 + 225 + 4) / 8 };
    const uint8_t before[3] = { 100, 100, 100 };
    assert_memory_equal(at(p, 4, 30), before, 3);
    assert_memory_equal(at(p, 5, 30), solid, 3);
    assert_memory_equal(at(p, 30, 54), solid, 3);
    assert_memory_equal(at(p, 10, 10), tinted, 3);
    assert_memory_equal(at(p, 55, 55), before, 3);
    gr_image_free(p);
    gr_runtime_free(rt);
}

/* The label's digit shows the index: the pictures of two indices with the same colour differ, and only there.
 */
static void the_label_tells_indices_apart(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_image *a = grey_picture(rt), *b = grey_picture(rt);
    static uint8_t mask[SIDE * SIDE];
    memset(mask, 1, sizeof mask);
    MUST(gr_overlay_mask(a, mask, 1, &err));
    MUST(gr_overlay_mask(b, mask, 9, &err));
    int differ = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (memcmp(at(a, x, y), at(b, x, y), 3)) {
                assert_in_range(x, 20, 40);
                assert_in_range(y, 20, 40);
                differ++;
            }
    assert_in_range(differ, 5, 35);
    gr_image_free(a);
    gr_image_free(b);
    gr_runtime_free(rt);
}

static void tiny_pictures_and_empty_masks_are_fine(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_image *p;
    const uint8_t none[9] = { 0 }, one[9] = { [8] = 255 };
    MUST(gr_image_new(&p, rt, 3, 3, 3, &err));
    MUST(gr_overlay_mask(p, none, 4, &err));
    for (int i = 0; i < 27; i++)
        assert_int_equal(p->pixels[i], 0);
    MUST(gr_overlay_mask(p, one, 9999, &err));
    gr_image_free(p);
    MUST(gr_image_new(&p, rt, 3, 3, 4, &err));
    MUST_FAIL(gr_overlay_mask(p, one, 0, &err), GR_ERR_ARG, "4 channels");
    gr_image_free(p);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inside_is_tinted_the_rim_is_solid_outside_is_untouched),
        cmocka_unit_test(the_label_tells_indices_apart),
        cmocka_unit_test(tiny_pictures_and_empty_masks_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
