/* What compose.h guarantees of every scene, over two thousand scenes. */
#include "test.h"

#include "synth/compose.h"
#include "synth/outline.h"
#include "synth/paint.h"
#include "synth/relation.h"
#include "synth/vocabulary.h"

enum { SCENES = 700 }; /* of each split */

static float larger(float a, float b) { return a > b ? a : b; }
static float smaller(float a, float b) { return a < b ? a : b; }

typedef void (*checker)(const gr_scene *s, uint64_t index, gr_split split);

static void for_all(checker check)
{
    static gr_scene s;
    for (int split = 0; split < 3; split++)
        for (uint64_t i = 0; i < SCENES; i++) {
            gr_scene_compose(&s, 11, (gr_split)split, i);
            check(&s, i, (gr_split)split);
        }
}

#define SAY(what) \
    fail_msg("split %d, scene %llu of kind %d: " what, (int)split, (unsigned long long)index, (int)s->kind)
#define HOLDS(condition)     \
    do {                     \
        if (!(condition))    \
            SAY(#condition); \
    } while (0)

/* --- everything is in range ------------------------------------------------------------------------------
 */

static void check_ranges(const gr_scene *s, uint64_t index, gr_split split)
{
    const int longer = s->width > s->height ? s->width : s->height;
    HOLDS(longer >= 111 && longer <= 448 && s->width >= 60 && s->height >= 60);
    HOLDS(s->n_objects >= 1 && s->n_objects <= GR_SCENE_OBJECTS_MAX);
    HOLDS(s->blur >= 0 && s->blur < 3 && (s->quality == 0 || (s->quality >= 40 && s->quality <= 95)));
    for (int i = 0; i < s->n_objects; i++) {
        const gr_object *o = &s->objects[i];
        float b[4];
        gr_object_bounds(o, b);
        HOLDS(o->w >= 2 && o->h >= 2);
        HOLDS(o->x > 0 || o->entity == GR_SHADOW);
        HOLDS(b[2] > 2 && b[3] > 2 && b[0] < (float)s->width - 2 && b[1] < (float)s->height - 2);
        HOLDS((o->kind == GR_OBJECT_THING) == (o->thing >= 0));
        HOLDS(o->of < s->n_objects && o->of != i);
        HOLDS((o->entity == GR_ENTITY) <= (o->of == -1 && o->frame == -1));
        HOLDS((o->entity == GR_REFLECTION || o->entity == GR_ON_SCREEN) == (o->frame >= 0));
    }
    for (int r = 0; r < s->n_relations; r++) {
        const gr_scene_relation *q = &s->relations[r];
        HOLDS(q->subject >= 0 && q->object >= 0 && q->subject < s->n_objects && q->object < s->n_objects);
        HOLDS(q->subject != q->object);
    }
}

static void objects_and_numbers_are_in_range(void **state)
{
    (void)state;
    for_all(check_ranges);
}

/* --- looks -----------------------------------------------------------------------------------------------
 */

static float apart(gr_rgb a, const float b[3])
{
    const float r = a.r - b[0], g = a.g - b[1], l = a.b - b[2];
    return r * r + g * g + l * l;
}

static int seen_held_out[3], seen_shapes[3];

static void check_looks(const gr_scene *s, uint64_t index, gr_split split)
{
    for (int i = 0; i < s->n_objects; i++) {
        const gr_object *o = &s->objects[i];
        if (o->kind != GR_OBJECT_SHAPE)
            continue;
        seen_shapes[split]++;
        seen_held_out[split] += gr_combination_is_held_out(o->shape, o->colour, o->material, o->pattern);
        const bool pale =
            o->colour == GR_COLOUR_WHITE || o->colour == GR_COLOUR_GREY || o->colour == GR_COLOUR_BLACK;
        HOLDS(o->material != GR_MATERIAL_GLASS || !pale);
        const gr_rgb second = gr_colour_rgb(o->second), first = gr_colour_rgb(o->colour);
        const float rgb[3] = { first.r, first.g, first.b };
        HOLDS(o->pattern == GR_PATTERN_PLAIN || apart(second, rgb) >= 120 * 120);
        for (int k = 0; k < 2; k++) {
            float back[3];
            gr_backdrop_rgb(s, k, back);
            HOLDS(apart(first, back) >= 60 * 60);
        }
    }
}

static void shapes_stand_out_and_held_out_looks_are_in_tests_alone(void **state)
{
    (void)state;
    memset(seen_held_out, 0, sizeof seen_held_out);
    memset(seen_shapes, 0, sizeof seen_shapes);
    for_all(check_looks);
    assert_int_equal(seen_held_out[GR_SPLIT_TRAIN], 0);
    assert_int_equal(seen_held_out[GR_SPLIT_VALIDATION], 0);
    assert_true(seen_held_out[GR_SPLIT_TEST] * 10 > seen_shapes[GR_SPLIT_TEST]);
    int held_out = 0, all = 0;
    for (int s = 0; s < GR_SHAPES; s++)
        for (int c = 0; c < GR_COLOURS; c++)
            for (int m = 0; m < GR_MATERIALS; m++)
                for (int p = 0; p < GR_PATTERNS; p++, all++)
                    held_out += gr_combination_is_held_out((gr_shape_kind)s, (gr_colour)c, (gr_material)m,
                                                           (gr_pattern)p);
    assert_in_range(held_out, all / 25, all / 16); /* 1/20; 4752 draws stray by 0.3 % */
}

/* --- what overlaps ---------------------------------------------------------------------------------------
 */

static bool tied(const gr_scene *s, int a, int b)
{
    for (int r = 0; r < s->n_relations; r++) {
        const gr_scene_relation *q = &s->relations[r];
        if (q->kind != GR_RELATION_LEFT_OF && q->kind != GR_RELATION_NEXT_TO &&
            ((q->subject == a && q->object == b) || (q->subject == b && q->object == a)))
            return true;
    }
    return false;
}

static bool is_panel(const gr_object *o)
{
    return o->kind == GR_OBJECT_MIRROR || o->kind == GR_OBJECT_SCREEN;
}

static void check_overlap(const gr_scene *s, uint64_t index, gr_split split)
{
    for (int i = 0; i < s->n_objects; i++)
        for (int k = 0; k < i; k++) {
            const gr_object *a = &s->objects[i], *b = &s->objects[k];
            if (is_panel(a) || is_panel(b) || tied(s, i, k) || a->of == k || b->of == i)
                continue;
            float p[4], q[4];
            gr_object_bounds(a, p);
            gr_object_bounds(b, q);
            HOLDS(p[0] >= q[2] - 1 || q[0] >= p[2] - 1 || p[1] >= q[3] - 1 || q[1] >= p[3] - 1);
        }
}

static void only_what_is_related_overlaps(void **state)
{
    (void)state;
    for_all(check_overlap);
}

/* --- relations -------------------------------------------------------------------------------------------
 */

static int stated[GR_RELATIONS];

static void check_relation(const gr_scene *s, const gr_scene_relation *q, uint64_t index, gr_split split)
{
    const gr_object *a = &s->objects[q->subject], *b = &s->objects[q->object];
    float p[4], r[4];
    gr_object_bounds(a, p);
    gr_object_bounds(b, r);
    stated[q->kind]++;
    HOLDS(a->entity == GR_ENTITY && b->entity == GR_ENTITY);
    HOLDS(gr_relation_truth(s, q->kind, q->subject, q->object) == GR_TRUE);
    switch (q->kind) {
    case GR_RELATION_LEFT_OF:
        HOLDS(p[2] + 2 < r[0]);
        HOLDS(gr_relation_truth(s, q->kind, q->object, q->subject) == GR_FALSE);
        break;
    case GR_RELATION_NEXT_TO:
        HOLDS(larger(r[0] - p[2], p[0] - r[2]) >= 0);
        HOLDS(larger(r[0] - p[2], p[0] - r[2]) <=
              0.61F * smaller(larger(p[2] - p[0], p[3] - p[1]), larger(r[2] - r[0], r[3] - r[1])));
        break;
    case GR_RELATION_BEHIND: {
        const float hidden = gr_object_hidden(a, b, 1);
        HOLDS(q->subject < q->object); /* painted first */
        HOLDS(hidden >= 0.2F && hidden <= 0.6F);
        HOLDS(r[0] < p[0] - 2 || r[1] < p[1] - 2 || r[2] > p[2] + 2 || r[3] > p[3] + 2); /* not within it */
        HOLDS(b->kind == GR_OBJECT_SHAPE && b->material != GR_MATERIAL_GLASS);
        break;
    }
    case GR_RELATION_ON_TOP_OF:
        HOLDS(p[3] > r[1] - 1 && p[3] < r[1] + 1.5F);
        HOLDS(a->x > r[0] && a->x < r[2] && a->w < b->w);
        break;
    case GR_RELATION_INSIDE:
        if (b->kind == GR_OBJECT_THING)
            HOLDS(gr_thing_at(b->thing)->can & GR_THING_CONTAINS && p[0] > r[0] && p[2] < r[2] &&
                  p[3] < r[3] && p[3] > r[1]);
        else {
            HOLDS(p[0] > r[0] && p[1] > r[1] && p[2] < r[2] && p[3] < r[3]);
            if (b->shape == GR_SHAPE_RING) { /* nothing of it is on the ring */
                const float reach = larger(p[2] - p[0], p[3] - p[1]) / 2;
                HOLDS(reach <= GR_RING_HOLE * b->w / 2);
                HOLDS(gr_object_hidden(b, a, 1) < 0.02F);
            } else
                HOLDS(gr_object_hidden(b, a, 1) > 0.015F && gr_object_hidden(b, a, 1) < 0.8F);
        }
        HOLDS(q->subject > q->object);
        break;
    case GR_RELATION_HOLDING: {
        HOLDS(a->kind == GR_OBJECT_FIGURE && q->object > q->subject);
        const float dx = (b->x - a->x) / a->h, dy = (b->y - a->y) / a->h;
        HOLDS(dx * dx > 0.3F * 0.3F && dx * dx < 0.6F * 0.6F && dy > -0.4F && dy < 0.1F);
        break;
    }
    case GR_RELATION_WEARING:
        HOLDS(a->kind == GR_OBJECT_FIGURE && gr_thing_at(b->thing)->can & GR_THING_WORN);
        HOLDS(r[1] < p[1] && r[3] > p[1] &&
              r[3] < p[1] + 0.25F * a->h); /* over the head's top, not over the face */
        break;
    case GR_RELATION_POINTING_AT: { /* on the arm's side, out of reach */
        HOLDS(a->kind == GR_OBJECT_FIGURE);
        const float gap = b->x > a->x ? r[0] - a->x : a->x - r[2];
        HOLDS(gap > 0.5F * a->h && gap < 1.1F * a->h);
        break;
    }
    default:
        break;
    }
}

static void check_relations(const gr_scene *s, uint64_t index, gr_split split)
{
    for (int i = 0; i < s->n_relations; i++)
        check_relation(s, &s->relations[i], index, split);
}

static void stated_relations_hold_by_geometry_and_all_kinds_appear(void **state)
{
    (void)state;
    memset(stated, 0, sizeof stated);
    for_all(check_relations);
    for (int k = 0; k < GR_RELATIONS; k++)
        if (stated[k] < SCENES / 10)
            fail_msg("relation %d is stated %d times in %d scenes", k, stated[k], 3 * SCENES);
}

/* --- kinds -----------------------------------------------------------------------------------------------
 */

static int kinds[GR_SCENE_KINDS], reflections, strays, shadows, on_screen, ragged;

static void check_grid(const gr_scene *s, uint64_t index, gr_split split)
{
    float row_end = -1e9F;
    int at = 0;
    for (int r = 0; r < s->rows; r++) {
        float end = -1e9F, lowest = -1e9F;
        HOLDS(s->cell_count[r] >= 1 && s->cell_count[r] <= s->cols);
        ragged += s->cell_count[r] < s->cols;
        for (int k = 0; k < s->cell_count[r]; k++, at++) {
            float b[4];
            gr_object_bounds(&s->objects[at], b);
            HOLDS(s->objects[at].row == r && s->objects[at].col == k);
            HOLDS(b[0] > end && b[1] > row_end);
            end = b[2];
            lowest = larger(lowest, b[3]);
        }
        row_end = lowest;
    }
    HOLDS(at == s->n_objects);
}

static void check_kind(const gr_scene *s, uint64_t index, gr_split split)
{
    kinds[s->kind]++;
    if (s->kind == GR_SCENE_GRID)
        check_grid(s, index, split);
    else
        HOLDS(s->rows == 0 && s->cols == 0);
    for (int i = 0; i < s->n_objects; i++) {
        const gr_object *o = &s->objects[i];
        if (o->frame >= 0) {
            HOLDS(o->frame < i && is_panel(&s->objects[o->frame]));
            float glass[4], b[4];
            gr_panel_glass(&s->objects[o->frame], glass);
            gr_object_bounds(o, b);
            HOLDS(b[0] >= glass[0] - 1 && b[1] >= glass[1] - 1 && b[2] <= glass[2] + 1 &&
                  b[3] <= glass[3] + 1);
        }
        const gr_object *original = o->of >= 0 ? &s->objects[o->of] : NULL;
        reflections += o->entity == GR_REFLECTION;
        on_screen += o->entity == GR_ON_SCREEN;
        shadows += o->entity == GR_SHADOW;
        strays += o->entity != GR_ENTITY && !original;
        if (original)
            HOLDS(original->entity == GR_ENTITY && original->kind == o->kind && original->shape == o->shape &&
                  original->colour == o->colour && original->pattern == o->pattern &&
                  original->thing == o->thing);
        if (original && o->entity == GR_REFLECTION)
            HOLDS(o->mirrored != original->mirrored && o->angle == -original->angle && o->h < original->h);
        if (original && o->entity == GR_SHADOW) {
            HOLDS(i < o->of);
            HOLDS(gr_object_hidden(o, original, 1) < 0.75F);
        }
    }
}

static void scenes_of_every_kind_are_as_they_should(void **state)
{
    (void)state;
    memset(kinds, 0, sizeof kinds);
    reflections = strays = shadows = on_screen = ragged = 0;
    for_all(check_kind);
    for (int k = 0; k < GR_SCENE_KINDS; k++)
        assert_true(kinds[k] > 3 * SCENES / 25);
    assert_true(reflections > kinds[GR_SCENE_MIRROR] && shadows > 2 * kinds[GR_SCENE_SHADOWS]);
    assert_true(on_screen > kinds[GR_SCENE_SCREEN] && ragged > kinds[GR_SCENE_GRID] / 4);
    assert_true(strays > SCENES / 20);
}

/* --- where a scene comes from ----------------------------------------------------------------------------
 */

/* Field by field: what lies between fields means nothing. */
static bool same_object(const gr_object *a, const gr_object *b)
{
    return a->kind == b->kind && a->entity == b->entity && a->of == b->of && a->frame == b->frame &&
           a->shape == b->shape && a->colour == b->colour && a->second == b->second &&
           a->material == b->material && a->pattern == b->pattern && a->thing == b->thing && a->x == b->x &&
           a->y == b->y && a->w == b->w && a->h == b->h && a->angle == b->angle &&
           a->mirrored == b->mirrored && a->seed == b->seed && a->row == b->row && a->col == b->col;
}

static bool same_scene(const gr_scene *a, const gr_scene *b)
{
    bool same = a->kind == b->kind && a->width == b->width && a->height == b->height &&
                a->backdrop == b->backdrop && a->backdrop_seed == b->backdrop_seed && a->rows == b->rows &&
                a->n_objects == b->n_objects && a->n_relations == b->n_relations && a->blur == b->blur &&
                a->quality == b->quality;
    for (int i = 0; same && i < a->n_objects; i++)
        same = same_object(&a->objects[i], &b->objects[i]);
    for (int i = 0; same && i < a->n_relations; i++)
        same = a->relations[i].kind == b->relations[i].kind &&
               a->relations[i].subject == b->relations[i].subject &&
               a->relations[i].object == b->relations[i].object;
    return same;
}

static void the_same_numbers_give_the_same_scene_and_others_another(void **state)
{
    (void)state;
    static gr_scene a, b, others[4];
    for (uint64_t i = 0; i < 200; i++) {
        memset(&b, 0x55, sizeof b);
        gr_scene_compose(&a, 3, GR_SPLIT_TRAIN, i);
        gr_scene_compose(&b, 3, GR_SPLIT_TRAIN, i);
        assert_true(same_scene(&a, &b));
        gr_scene_compose(&others[0], 4, GR_SPLIT_TRAIN, i);
        gr_scene_compose(&others[1], 3, GR_SPLIT_TEST, i);
        gr_scene_compose(&others[2], 3, GR_SPLIT_TRAIN, i + 1);
        gr_scene_compose(&others[3], 3, GR_SPLIT_TRAIN, i + ((uint64_t)1 << 32));
        for (int k = 0; k < 4; k++)
            assert_false(same_scene(&a, &others[k]));
    }
}

static void options_force_kind_and_size(void **state)
{
    (void)state;
    static gr_scene s;
    gr_compose_options o;
    gr_compose_options_init(&o);
    o.least_px = 96;
    o.most_px = 130;
    o.clean = true;
    for (int k = 0; k < GR_SCENE_KINDS; k++)
        for (uint64_t i = 0; i < 300; i++) {
            o.kind = (gr_scene_kind)k;
            gr_scene_compose_as(&s, 5, GR_SPLIT_TRAIN, i, &o);
            assert_int_equal(s.kind, k);
            assert_in_range(s.width > s.height ? s.width : s.height, 95, 130);
            assert_true(s.n_objects > 0 && s.blur == 0 && s.quality == 0);
        }
}

/* --- truth -----------------------------------------------------------------------------------------------
 */

static void left_and_next_follow_from_bounds(void **state)
{
    (void)state;
    static gr_scene s = { .width = 300, .height = 100, .n_objects = 3 };
    for (int i = 0; i < 3; i++)
        s.objects[i] =
            (gr_object){ .shape = GR_SHAPE_SQUARE, .x = (float)(30 + 50 * i), .y = 50, .w = 40, .h = 40 };
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_LEFT_OF, 0, 1), GR_TRUE);
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_LEFT_OF, 1, 0), GR_FALSE);
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_NEXT_TO, 0, 1), GR_TRUE);
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_NEXT_TO, 1, 0), GR_TRUE);
    s.objects[1].x = 55; /* overlaps the first */
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_LEFT_OF, 0, 1), GR_UNCLEAR);
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_INSIDE, 0, 1), GR_UNCLEAR);
    s.objects[1].x = 270;
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_NEXT_TO, 0, 1), GR_FALSE);
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_INSIDE, 0, 1), GR_FALSE);
    s.objects[1].y = 400; /* far below rather than beside */
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_LEFT_OF, 0, 1), GR_UNCLEAR);
    s.objects[1].entity = GR_SHADOW;
    assert_int_equal(gr_relation_truth(&s, GR_RELATION_NEXT_TO, 0, 1), GR_UNCLEAR);
}

/* --- without cairo ---------------------------------------------------------------------------------------
 */

static void a_build_without_libraries_refuses_to_paint(void **state)
{
    (void)state;
#if defined(GR_HAVE_SYNTH) && defined(GR_HAVE_JPEG)
    skip(); /* test_paint_scene is about this build */
#else
    gr_error err = { 0 };
    gr_painter *painter = NULL;
    gr_runtime *rt = test_runtime_threads(1);
    MUST_FAIL(gr_painter_new(&painter, rt, NULL, &err), GR_ERR_UNSUPPORTED,
              "without cairo, freetype or libjpeg");
    gr_runtime_free(rt);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_and_numbers_are_in_range),
        cmocka_unit_test(shapes_stand_out_and_held_out_looks_are_in_tests_alone),
        cmocka_unit_test(only_what_is_related_overlaps),
        cmocka_unit_test(stated_relations_hold_by_geometry_and_all_kinds_appear),
        cmocka_unit_test(scenes_of_every_kind_are_as_they_should),
        cmocka_unit_test(the_same_numbers_give_the_same_scene_and_others_another),
        cmocka_unit_test(options_force_kind_and_size),
        cmocka_unit_test(left_and_next_follow_from_bounds),
        cmocka_unit_test(a_build_without_libraries_refuses_to_paint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
