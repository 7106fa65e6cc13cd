/* What is inside a shape, and where an object is. */
#include "test.h"

#include "synth/outline.h"
#include "synth/vocabulary.h"

static void outlines_touch_all_four_sides_and_have_the_area_that_sampling_finds(void **state)
{
    (void)state;
    for (int k = 0; k < GR_SHAPES; k++) {
        gr_outline o;
        gr_outline_make(&o, (gr_shape_kind)k);
        float least[2] = { 9, 9 }, most[2] = { -9, -9 };
        for (int i = 0; i < o.n; i++) {
            const float at[2] = { o.at[i].x, o.at[i].y };
            for (int c = 0; c < 2; c++) {
                least[c] = at[c] < least[c] ? at[c] : least[c];
                most[c] = at[c] > most[c] ? at[c] : most[c];
            }
        }
        for (int c = 0; c < 2; c++)
            assert_true(least[c] > -1.0001F && least[c] < -0.9999F && most[c] > 0.9999F && most[c] < 1.0001F);
        int in = 0;
        for (int y = 0; y < 400; y++)
            for (int x = 0; x < 400; x++)
                in += gr_outline_has(&o, ((float)x + 0.5F) / 200 - 1, ((float)y + 0.5F) / 200 - 1);
        /* Sampling errs by at most the cells along the outline, about 4 * 400 of 160000, most of which
         * cancel. */
        const float sampled = (float)in / 160000, area = gr_outline_area(&o);
        if (area < sampled - 0.004F || area > sampled + 0.004F)
            fail_msg("%s: area %g, sampled %g", gr_shape_noun((gr_shape_kind)k)->word, (double)area,
                     (double)sampled);
    }
}

static void areas_of_plain_shapes_are_those_of_geometry(void **state)
{
    (void)state;
    static const struct {
        gr_shape_kind shape;
        float area;
    } known[] = { { GR_SHAPE_SQUARE, 1 },
                  { GR_SHAPE_TRIANGLE, 0.5F },
                  { GR_SHAPE_DIAMOND, 0.5F },
                  { GR_SHAPE_CROSS, 5.0F / 9 },
                  { GR_SHAPE_HEXAGON, 0.75F },
                  { GR_SHAPE_CIRCLE, 0.7854F },
                  { GR_SHAPE_RING, 0.7854F * (1 - GR_RING_HOLE * GR_RING_HOLE) } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        gr_outline o;
        gr_outline_make(&o, known[i].shape);
        assert_float_equal(gr_outline_area(&o), known[i].area, 0.001F); /* curves lose up to 0.0006 */
    }
}

static void inward_undoes_outward_and_bounds_hold_all_of_it(void **state)
{
    (void)state;
    for (int k = 0; k < GR_SHAPES; k++) {
        const gr_object o = { .shape = (gr_shape_kind)k,
                              .x = 31,
                              .y = 17,
                              .w = 20,
                              .h = 12,
                              .angle = 0.3F * (float)k,
                              .mirrored = k & 1 };
        gr_outline outline;
        gr_outline_make(&outline, o.shape);
        float b[4];
        gr_object_bounds(&o, b);
        for (int i = 0; i < outline.n; i++) {
            const gr_point p = gr_object_outward(&o, outline.at[i].x, outline.at[i].y);
            const gr_point q = gr_object_inward(&o, p.x, p.y);
            assert_float_equal(q.x, outline.at[i].x, 1e-4F);
            assert_float_equal(q.y, outline.at[i].y, 1e-4F);
            assert_true(p.x >= b[0] - 1e-3F && p.x <= b[2] + 1e-3F && p.y >= b[1] - 1e-3F &&
                        p.y <= b[3] + 1e-3F);
        }
    }
}

static void half_covered_is_half_hidden(void **state)
{
    (void)state;
    const gr_object a = { .shape = GR_SHAPE_SQUARE, .w = 48, .h = 48 };
    gr_object b = a;
    b.x = 24;
    assert_float_equal(gr_object_hidden(&a, &b, 1), 0.5F, 0.03F);
    b.x = 49;
    assert_float_equal(gr_object_hidden(&a, &b, 1), 0, 0);
    b = a;
    b.shape = GR_SHAPE_RING; /* what lies in the hole is not hidden */
    const gr_object inner = { .shape = GR_SHAPE_CIRCLE, .w = 24, .h = 24 };
    assert_float_equal(gr_object_hidden(&inner, &b, 1), 0, 0);
}

static void words_are_distinct_and_colours_nearest_to_themselves(void **state)
{
    (void)state;
    for (int i = 0; i < GR_THINGS; i++) {
        const gr_thing *t = gr_thing_at(i);
        assert_string_equal(t->noun.article, gr_article_of(t->noun.word));
        assert_true(t->aspect > 0.4F && t->aspect < 2);
        assert_int_equal(t->rim_w > 0, (t->can & GR_THING_CONTAINS) != 0);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(t->noun.word, gr_thing_at(k)->noun.word);
            assert_true(t->code != gr_thing_at(k)->code);
        }
    }
    for (int i = 0; i < GR_SHAPES; i++)
        assert_string_equal(gr_shape_noun((gr_shape_kind)i)->article,
                            gr_article_of(gr_shape_noun((gr_shape_kind)i)->word));
    for (int i = 0; i < GR_COLOURS; i++)
        assert_int_equal(gr_colour_nearest(gr_colour_rgb((gr_colour)i)), i);
    for (int i = 0; i < GR_RELATIONS; i++)
        assert_non_null(gr_relation_word((gr_relation)i)->inverse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outlines_touch_all_four_sides_and_have_the_area_that_sampling_finds),
        cmocka_unit_test(areas_of_plain_shapes_are_those_of_geometry),
        cmocka_unit_test(inward_undoes_outward_and_bounds_hold_all_of_it),
        cmocka_unit_test(half_covered_is_half_hidden),
        cmocka_unit_test(words_are_distinct_and_colours_nearest_to_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
