#include "test.h"

#include "region/box.h"
#include "region/mask.h"
#include "region/paint.h"

static int start(void **state) { return (*state = test_runtime()) == NULL; }

static int stop(void **state)
{
    gr_runtime_free(*state);
    return 0;
}

static gr_mask *mask_of(gr_runtime *rt, int w, int h, const char *cells)
{
    gr_error err = { 0 };
    gr_mask *m;
    MUST(gr_mask_new(&m, rt, w, h, &err));
    for (int i = 0; i < w * h; i++)
        m->data[i] = cells[i] == '#';
    return m;
}

static void the_first_painted_keeps_the_pixel(void **state)
{
    gr_error err = { 0 };
    gr_prompt_plane *p;
    gr_mask *a = mask_of(*state, 4, 1, "##.."), *b = mask_of(*state, 4, 1, ".##.");
    MUST(gr_plane_new(&p, *state, 4, 1, 5, &err));
    MUST(gr_plane_paint(p, a, 3, GR_EXTRA_REFUSE, &err));
    MUST(gr_plane_paint(p, b, 0, GR_EXTRA_REFUSE, &err));
    gr_plane_finish(p);
    const uint8_t want[4] = { 3, 3, 0, 5 };
    assert_memory_equal(p->ids, want, 4);
    gr_plane_free(p);
    gr_mask_free(a);
    gr_mask_free(b);
}

/* Released: prompt 5 and above paint the background, and keep later prompts off these pixels. */
static void prompts_beyond_the_models_follow_the_switch(void **state)
{
    gr_error err = { 0 };
    gr_mask *a = mask_of(*state, 3, 1, "##."), *b = mask_of(*state, 3, 1, ".##");
    static const uint8_t want[3][3] = { { 0 }, { 5, 5, 2 }, { 1, 1, 2 } };
    for (int extra = GR_EXTRA_RELEASED; extra <= GR_EXTRA_REUSE; extra++) {
        gr_prompt_plane *p;
        MUST(gr_plane_new(&p, *state, 3, 1, 5, &err));
        MUST_FAIL(gr_plane_paint(p, a, 6, GR_EXTRA_REFUSE, &err), GR_ERR_LIMIT,
                  "too_many_regions: prompt 6, the model has prompts 0 to 4");
        MUST_FAIL(gr_plane_paint(p, a, -1, extra, &err), GR_ERR_LIMIT, "too_many_regions");
        MUST(gr_plane_paint(p, a, 6, (gr_extra_prompts)extra, &err));
        MUST(gr_plane_paint(p, b, 2, (gr_extra_prompts)extra, &err));
        gr_plane_finish(p);
        assert_memory_equal(p->ids, want[extra], 3);
        gr_plane_free(p);
    }
    gr_mask_free(a);
    gr_mask_free(b);
}

static void empty_and_wrong_masks_are_refused(void **state)
{
    gr_error err = { 0 };
    gr_prompt_plane *p;
    gr_mask *none = mask_of(*state, 3, 1, "..."), *other = mask_of(*state, 1, 3, "###");
    double box[4];
    MUST(gr_plane_new(&p, *state, 3, 1, 5, &err));
    MUST_FAIL(gr_plane_paint(p, none, 0, GR_EXTRA_REFUSE, &err), GR_ERR_ARG, "empty_region");
    MUST_FAIL(gr_plane_paint(p, other, 0, GR_EXTRA_REFUSE, &err), GR_ERR_SHAPE,
              "mask_size_mismatch: the mask of prompt 0 is 1 x 3 pixels, the picture 3 x 1");
    MUST_FAIL(gr_mask_unit_box(box, none, GR_BOX_INCLUSIVE, &err), GR_ERR_ARG, "empty_region");
    gr_plane_free(p);
    MUST_FAIL(gr_plane_new(&p, *state, 3, 1, 255, &err), GR_ERR_ARG, "255 prompts");
    MUST_FAIL(gr_plane_new(&p, *state, 0, 1, 5, &err), GR_ERR_ARG, "0 x 1");
    MUST(gr_plane_new(&p, *state, 3, 1, 5, &err));
    gr_plane_fill(p, 2);
    gr_plane_finish(p);
    assert_int_equal(p->ids[1], 2);
    gr_plane_free(p);
    gr_mask_free(none);
    gr_mask_free(other);
}

/* A mask over columns 160..479 and rows 120..359 of 640 x 480 (spec 5.5, Q-a and Q-c). */
static void boxes_are_inclusive_as_released_or_exclusive(void **state)
{
    gr_error err = { 0 };
    gr_mask *m;
    double box[4];
    MUST(gr_mask_new(&m, *state, 640, 480, &err));
    gr_mask_fill(m, (gr_bounds){ 160, 120, 480, 360 });
    MUST(gr_mask_unit_box(box, m, GR_BOX_INCLUSIVE, &err));
    const double inclusive[4] = { 0.25, 0.25, 479.0 / 640, 359.0 / 480 },
                 exclusive[4] = { 0.25, 0.25, 0.75, 0.75 };
    assert_memory_equal(box, inclusive, sizeof box);
    assert_true(box[2] == 0.7484375);
    MUST(gr_mask_unit_box(box, m, GR_BOX_EXCLUSIVE, &err));
    assert_memory_equal(box, exclusive, sizeof box);
    memset(m->data, 0, 640 * 480);
    gr_mask_fill(m, (gr_bounds){ 7, 9, 8, 10 }); /* one pixel: a box without extent, and valid */
    MUST(gr_mask_unit_box(box, m, GR_BOX_INCLUSIVE, &err));
    assert_true(box[0] == box[2] && box[1] == box[3]);
    gr_mask_free(m);
}

static void boxes_take_pixels_by_their_centres(void **state)
{
    (void)state;
    static const struct {
        double box[4];
        gr_bounds want;
    } cases[] = {
        { { 1, 1, 3, 2 }, { 1, 1, 3, 2 } },          { { 0.5, 0.5, 1.5, 1.5 }, { 0, 0, 1, 1 } },
        { { 0.51, 0, 1.51, 1 }, { 1, 0, 2, 1 } },    { { -50, -50, 50, 50 }, { 0, 0, 10, 8 } },
        { { 9.4, 7.4, 1e300, 8 }, { 9, 7, 10, 8 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        gr_bounds b;
        MUST(gr_box_to_bounds(&b, cases[i].box, 10, 8, &err));
        if (memcmp(&b, &cases[i].want, sizeof b))
            fail_msg("box %zu: [%d, %d, %d, %d]", i, b.x0, b.y0, b.x1, b.y1);
    }
    gr_error err = { 0 };
    gr_bounds b;
    const double nan[4] = { 0, 0, NAN, 4 }, back[4] = { 3, 0, 1, 4 }, out[4] = { 10, 0, 12, 4 };
    const double left[4] = { -5, 0, 0, 4 }, thin[4] = { 2.6, 0, 3.4, 4 }, inf[4] = { 0, 0, INFINITY, 4 };
    MUST_FAIL(gr_box_to_bounds(&b, nan, 10, 8, &err), GR_ERR_ARG, "invalid_region: box [0, 0, nan, 4]");
    MUST_FAIL(gr_box_to_bounds(&b, inf, 10, 8, &err), GR_ERR_ARG, "invalid_region");
    MUST_FAIL(gr_box_to_bounds(&b, back, 10, 8, &err), GR_ERR_ARG, "x0 < x1");
    MUST_FAIL(gr_box_to_bounds(&b, out, 10, 8, &err), GR_ERR_ARG, "region_out_of_image");
    MUST_FAIL(gr_box_to_bounds(&b, left, 10, 8, &err), GR_ERR_ARG, "region_out_of_image");
    MUST_FAIL(gr_box_to_bounds(&b, thin, 10, 8, &err), GR_ERR_ARG, "empty_region");
}

static void masks_know_their_area_bounds_and_turns(void **state)
{
    gr_error err = { 0 };
    gr_mask *m = mask_of(*state, 5, 4,
                         "....."
                         "..#.."
                         ".#..."
                         ".....");
    gr_bounds b;
    assert_int_equal(gr_mask_area(m), 2);
    assert_true(gr_mask_bounds(m, &b));
    assert_true(b.x0 == 1 && b.y0 == 1 && b.x1 == 3 && b.y1 == 3);
    gr_mask *big;
    MUST(gr_mask_resize(&big, m, 10, 8, &err));
    assert_int_equal(gr_mask_area(big), 8);
    assert_int_equal(big->data[2 * 10 + 4], 1);
    assert_int_equal(big->data[3 * 10 + 5], 1);
    gr_mask_free(big);
    MUST(gr_mask_turn(m, 6, &err)); /* 90 degrees clockwise: (2, 1) goes to (4 - 1 - 1, 2) */
    assert_true(m->width == 4 && m->height == 5);
    assert_int_equal(m->data[2 * 4 + 2], 1);
    assert_int_equal(m->data[1 * 4 + 1], 1);
    gr_mask *none = mask_of(*state, 2, 2, "....");
    assert_false(gr_mask_bounds(none, &b));
    MUST_FAIL(gr_mask_unite(none, m, &err), GR_ERR_SHAPE, "2 x 2 and 4 x 5");
    gr_mask_free(none);
    gr_mask_free(m);
    MUST_FAIL(gr_mask_new(&m, *state, 0, 3, &err), GR_ERR_ARG, "0 x 3");
    MUST_FAIL(gr_mask_new(&m, *state, 1 << 30, 1 << 30, &err), GR_ERR_LIMIT, "178956970");
}

static void pictures_become_masks_where_they_are_not_black(void **state)
{
    gr_error err = { 0 };
    gr_image *image, *back;
    gr_mask *m;
    MUST(gr_image_new(&image, *state, 3, 1, 4, &err));
    const uint8_t pixels[12] = { 0, 0, 0, 255, 0, 1, 0, 0, 0, 0, 3, 255 }; /* alpha is ignored, luma rounds */
    memcpy(image->pixels, pixels, 12);
    MUST(gr_mask_from_image(&m, image, &err));
    const uint8_t want[3] = { 0, 1, 0 }, shown[3] = { 0, 255, 0 };
    assert_memory_equal(m->data, want, 3);
    MUST(gr_mask_to_image(&back, m, &err));
    assert_memory_equal(back->pixels, shown, 3);
    gr_image_free(back);
    gr_image_free(image);
    gr_mask_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_painted_keeps_the_pixel),
        cmocka_unit_test(prompts_beyond_the_models_follow_the_switch),
        cmocka_unit_test(empty_and_wrong_masks_are_refused),
        cmocka_unit_test(boxes_are_inclusive_as_released_or_exclusive),
        cmocka_unit_test(boxes_take_pixels_by_their_centres),
        cmocka_unit_test(masks_know_their_area_bounds_and_turns),
        cmocka_unit_test(pictures_become_masks_where_they_are_not_black),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
