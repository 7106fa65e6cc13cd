/* What painting promises: masks are those of geometry, what is counted is what is there, what is named is
 * seen, and the same scene gives the same bytes. */
#include "test.h"

#include <pthread.h>

#include "base/alloc.h"
#include "synth/compose.h"
#include "synth/outline.h"
#include "synth/paint.h"
#include "synth/vocabulary.h"

typedef struct {
    gr_runtime *rt;
    gr_painter *painter;
} easel;

static easel easel_open(void)
{
    easel e = { .rt = test_runtime_threads(1) };
    gr_error err = { 0 };
    const gr_status st = gr_painter_new(&e.painter, e.rt, NULL, &err);
    if (st == GR_ERR_IO) {
        printf("SKIP: %s\n", err.msg);
        gr_runtime_free(e.rt);
        skip();
    }
    MUST(st);
    return e;
}

static void easel_close(easel *e)
{
    gr_painter_free(e->painter);
    gr_runtime_free(e->rt);
}

typedef struct {
    gr_image *image;
    uint8_t *map;
} painted;

static painted paint(const easel *e, gr_scene *s)
{
    painted p;
    gr_error err = { 0 };
    MUST(gr_scene_paint(s, e->rt, e->painter, &p.image, &p.map, &err));
    return p;
}

static void wash(const easel *e, painted *p)
{
    gr_image_free(p->image);
    gr_free(e->rt, p->map);
}

/* One object on a white ground. */
static gr_scene alone(const gr_object *o)
{
    gr_scene s = { .width = 200, .height = 160, .n_objects = 1 };
    s.backdrop_colours[0] = s.backdrop_colours[1] = GR_COLOUR_WHITE;
    s.objects[0] = *o;
    s.objects[0].of = s.objects[0].frame = -1;
    return s;
}

/* --- masks -----------------------------------------------------------------------------------------------
 */

static void masks_of_shapes_have_the_area_and_bounds_of_geometry(void **state)
{
    (void)state;
    easel e = easel_open();
    for (int k = 0; k < GR_SHAPES; k++)
        for (int turn = 0; turn < 5; turn++) {
            const gr_object o = { .shape = (gr_shape_kind)k,
                                  .x = 100.3F,
                                  .y = 79.6F,
                                  .w = 110,
                                  .h = 90,
                                  .angle = 0.7F * (float)turn };
            gr_scene s = alone(&o);
            painted p = paint(&e, &s);
            gr_outline outline;
            gr_outline_make(&outline, o.shape);
            /* Of pixels along the outline half are in; the sum strays by less than a hundredth. */
            const float area = gr_outline_area(&outline) * o.w * o.h, got = (float)s.objects[0].visible;
            if (got < 0.985F * area || got > 1.015F * area)
                fail_msg("%s turned %d: %g pixels, expected %g", gr_shape_noun(o.shape)->word, turn,
                         (double)got, (double)area);
            assert_int_equal(s.objects[0].whole, s.objects[0].visible);
            float b[4];
            gr_object_bounds(&o, b);
            for (int side = 0; side < 4; side++) /* a sharp corner may cover too little of its last pixels */
                assert_true((float)s.objects[0].box[side] > b[side] - 5 &&
                            (float)s.objects[0].box[side] < b[side] + 5);
            for (int y = 0; y < s.height; y++)
                for (int x = 0; x < s.width; x++) {
                    /* A pixel whose middle and neighbours are inside is owned. */
                    bool in = true, out = true;
                    for (int d = 0; d < 5; d++) {
                        static const int way[5][2] = { { 0, 0 }, { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } };
                        const gr_point q = gr_object_inward(&o, (float)x + 0.5F + (float)way[d][0],
                                                            (float)y + 0.5F + (float)way[d][1]);
                        const bool has = gr_outline_has(&outline, q.x, q.y);
                        in = in && has;
                        out = out && !has;
                    }
                    const bool owned = p.map[y * s.width + x] == 1;
                    if ((in && !owned) || (out && owned))
                        fail_msg("%s turned %d: pixel %d, %d", gr_shape_noun(o.shape)->word, turn, x, y);
                }
            wash(&e, &p);
        }
    easel_close(&e);
}

static void counts_and_boxes_are_those_of_the_index_map(void **state)
{
    (void)state;
    easel e = easel_open();
    static gr_scene s;
    for (uint64_t i = 0; i < 400; i++) {
        gr_scene_compose(&s, 21, GR_SPLIT_TEST, i);
        painted p = paint(&e, &s);
        assert_int_equal(p.image->width, s.width);
        assert_int_equal(p.image->height, s.height);
        assert_int_equal(p.image->channels, 3);
        for (int k = 0; k < s.n_objects; k++) {
            const gr_object *o = &s.objects[k];
            int64_t n = 0;
            int box[4] = { 0 };
            for (int y = 0; y < s.height; y++)
                for (int x = 0; x < s.width; x++)
                    if (p.map[y * s.width + x] == k + 1) {
                        box[0] = n == 0 || x < box[0] ? x : box[0];
                        box[1] = n == 0 ? y : box[1];
                        box[2] = x + 1 > box[2] ? x + 1 : box[2];
                        box[3] = y + 1;
                        n++;
                    }
            assert_int_equal(n, o->visible);
            assert_memory_equal(box, o->box, sizeof box);
            assert_true(o->visible <= o->whole && o->whole > 0);
            float b[4];
            gr_object_bounds(o, b);
            assert_true(n == 0 || ((float)box[0] >= b[0] - 1 && (float)box[3] <= b[3] + 1));
        }
        wash(&e, &p);
    }
    easel_close(&e);
}

/* Composing counts on a grid of 24 x 24, and things as 8 x 8 cells, so a wider band for these. */
static void what_is_behind_is_partly_hidden_and_what_is_related_is_seen(void **state)
{
    (void)state;
    easel e = easel_open();
    static gr_scene s;
    int behind = 0, strict = 0, seen = 0, all = 0;
    for (uint64_t i = 0; i < 500; i++) {
        gr_compose_options options;
        gr_compose_options_init(&options);
        options.kind = GR_SCENE_RELATED;
        gr_scene_compose_as(&s, 31, GR_SPLIT_TRAIN, i, &options);
        painted p = paint(&e, &s);
        for (int r = 0; r < s.n_relations; r++) {
            const gr_scene_relation *q = &s.relations[r];
            const gr_object *a = &s.objects[q->subject], *b = &s.objects[q->object];
            const double part = (double)a->visible / (double)a->whole;
            all++;
            seen += part > 0.3 && (double)b->visible / (double)b->whole > 0.3;
            if (q->kind != GR_RELATION_BEHIND)
                continue;
            behind++;
            strict += part > 0.37 && part < 0.83;
            assert_true(part > 0.3 && part < 0.9);
            if (a->kind == GR_OBJECT_SHAPE && (part < 0.36 || part > 0.84))
                fail_msg("scene %llu: %g of the shape behind is seen", (unsigned long long)i, part);
        }
        wash(&e, &p);
    }
    assert_true(behind > 60 && strict * 10 > behind * 9);
    assert_int_equal(seen, all);
    easel_close(&e);
}

static void later_objects_own_what_they_cover_and_windows_cut(void **state)
{
    (void)state;
    easel e = easel_open();
    gr_scene s = alone(&(gr_object){
        .kind = GR_OBJECT_SCREEN, .colour = GR_COLOUR_BLACK, .x = 100, .y = 80, .w = 120, .h = 100 });
    s.n_objects = 3;
    s.objects[1] = (gr_object){ .entity = GR_ON_SCREEN,
                                .of = -1,
                                .frame = 0,
                                .x = 40,
                                .y = 60,
                                .w = 60,
                                .h = 40,
                                .shape = GR_SHAPE_SQUARE };
    s.objects[2] = (gr_object){ .of = -1,
                                .frame = -1,
                                .x = 160,
                                .y = 60,
                                .w = 40,
                                .h = 40,
                                .shape = GR_SHAPE_SQUARE,
                                .colour = GR_COLOUR_RED };
    painted p = paint(&e, &s);
    float glass[4];
    gr_panel_glass(&s.objects[0], glass);
    assert_int_equal(p.map[60 * 200 + 30], 0);  /* beyond the screen nothing is seen of it */
    assert_int_equal(p.map[60 * 200 + 60], 2);  /* it owns its part of the screen */
    assert_int_equal(p.map[60 * 200 + 42], 1);  /* the border stays the screen's */
    assert_int_equal(p.map[60 * 200 + 150], 3); /* before the screen */
    assert_int_equal(s.objects[1].whole, 2400);
    assert_true(s.objects[1].box[0] >= (int)glass[0] && s.objects[1].visible < 1400);
    wash(&e, &p);
    s.objects[2].x = 195; /* over the picture's edge */
    p = paint(&e, &s);
    assert_int_equal(s.objects[2].whole, 1600);
    assert_int_equal(s.objects[2].visible, 1000);
    wash(&e, &p);
    easel_close(&e);
}

/* --- looks -----------------------------------------------------------------------------------------------
 */

static gr_rgb mean_of(const gr_scene *s, const painted *p, int object)
{
    double sum[3] = { 0 }, n = 0;
    for (int i = 0; i < s->width * s->height; i++)
        if (p->map[i] == object + 1) {
            for (int k = 0; k < 3; k++)
                sum[k] += p->image->pixels[3 * i + k];
            n++;
        }
    return (gr_rgb){ (uint8_t)(sum[0] / n), (uint8_t)(sum[1] / n), (uint8_t)(sum[2] / n) };
}

static void the_mean_of_a_plain_shape_is_nearest_to_its_colours_name(void **state)
{
    (void)state;
    easel e = easel_open();
    int right[GR_MATERIALS] = { 0 };
    enum { SEEDS = 500 };
    for (int m = 0; m < GR_MATERIALS; m++)
        for (uint32_t seed = 0; seed < SEEDS; seed++) {
            if (m == GR_MATERIAL_GLASS)
                continue; /* shows what is behind */
            const gr_object o = { .shape = (gr_shape_kind)(seed % GR_SHAPES),
                                  .colour = (gr_colour)(seed % GR_COLOURS),
                                  .material = (gr_material)m,
                                  .x = 100,
                                  .y = 80,
                                  .w = 30 + (float)(seed % 60),
                                  .h = 30 + (float)(seed % 50),
                                  .seed = seed * 2654435761U,
                                  .angle = (float)(seed % 7) };
            gr_scene s = alone(&o);
            painted p = paint(&e, &s);
            const gr_colour nearest = gr_colour_nearest(mean_of(&s, &p, 0));
            right[m] += nearest == o.colour;
            if (m == GR_MATERIAL_PLASTIC && nearest != o.colour)
                fail_msg("seed %u: %s looks %s", (unsigned)seed, gr_colour_word(o.colour),
                         gr_colour_word(nearest));
            wash(&e, &p);
        }
    for (int m = 0; m < GR_MATERIALS; m++)
        if (m != GR_MATERIAL_GLASS && right[m] < SEEDS * 95 / 100)
            fail_msg("%s: %d of %d", gr_material_word((gr_material)m)->noun, right[m], SEEDS);
    easel_close(&e);
}

/* Of both colours there is enough, and a plain one has none of the second. */
static void patterns_show_both_colours(void **state)
{
    (void)state;
    easel e = easel_open();
    for (int pattern = 0; pattern < GR_PATTERNS; pattern++)
        for (uint32_t seed = 0; seed < 60; seed++) {
            const gr_object o = { .shape = GR_SHAPE_SQUARE,
                                  .colour = GR_COLOUR_BLUE,
                                  .second = GR_COLOUR_YELLOW,
                                  .pattern = (gr_pattern)pattern,
                                  .x = 100,
                                  .y = 80,
                                  .w = 26 + (float)seed,
                                  .h = 26 + (float)seed,
                                  .seed = seed * 40503U };
            gr_scene s = alone(&o);
            painted p = paint(&e, &s);
            int second = 0;
            for (int i = 0; i < s.width * s.height; i++)
                second += p.map[i] == 1 && p.image->pixels[3 * i + 2] < 110;
            const double part = (double)second / (double)s.objects[0].visible;
            if (pattern == GR_PATTERN_PLAIN ? part > 0.09 : part < 0.12 || part > 0.75) /* the rim is dark */
                fail_msg("%s at %g pixels: %g is of the second colour", gr_pattern_word(o.pattern),
                         (double)o.w, part);
            wash(&e, &p);
        }
    easel_close(&e);
}

static void shadows_darken_and_glass_shows_what_is_behind(void **state)
{
    (void)state;
    easel e = easel_open();
    gr_scene s = alone(&(gr_object){ .entity = GR_SHADOW, .x = 100, .y = 80, .w = 60, .h = 60 });
    painted p = paint(&e, &s);
    const gr_rgb shadow = mean_of(&s, &p, 0);
    assert_true(shadow.r < 140 && shadow.r > 80);
    wash(&e, &p);
    s = alone(&(gr_object){
        .material = GR_MATERIAL_GLASS, .colour = GR_COLOUR_BLUE, .x = 100, .y = 80, .w = 60, .h = 60 });
    p = paint(&e, &s);
    const gr_rgb on_white = mean_of(&s, &p, 0);
    wash(&e, &p);
    s.backdrop_colours[0] = GR_COLOUR_BLACK;
    s.backdrop_seed = 1;
    p = paint(&e, &s);
    assert_true(mean_of(&s, &p, 0).r + 30 < on_white.r);
    wash(&e, &p);
    easel_close(&e);
}

static void every_thing_fills_its_box(void **state)
{
    (void)state;
    easel e = easel_open();
    int agree = 0;
    for (int i = 0; i < GR_THINGS; i++)
        for (int k = 0; k < 3; k++) {
            const float h = 20 + 45 * (float)k, w = h * gr_thing_at(i)->aspect;
            gr_scene s = alone(&(gr_object){
                .kind = GR_OBJECT_THING, .thing = i, .x = 100, .y = 80, .w = w, .h = h, .mirrored = k == 1 });
            painted p = paint(&e, &s);
            const int *b = s.objects[0].box;
            if ((float)(b[2] - b[0]) < 0.8F * w || (float)(b[3] - b[1]) < 0.8F * h ||
                (float)(b[2] - b[0]) > w + 2 || (float)(b[3] - b[1]) > h + 2)
                fail_msg("%s of %g x %g is seen as %d x %d", gr_thing_at(i)->noun.word, (double)w, (double)h,
                         b[2] - b[0], b[3] - b[1]);
            assert_true((float)s.objects[0].visible > 0.2F * w * h);
            if (k == 2) /* the cells that composing counts on are those of the font */
                for (int y = 0; y < 8; y++)
                    for (int x = 0; x < 8; x++) {
                        const int px = (int)(100 + w * ((float)x - 3.5F) / 8),
                                  py = (int)(80 + h * ((float)y - 3.5F) / 8);
                        agree +=
                            (p.map[py * s.width + px] != 0) == (gr_thing_at(i)->cells >> (8 * y + x) & 1);
                    }
            wash(&e, &p);
        }
    assert_true(agree > GR_THINGS * 64 * 93 / 100); /* middles of cells, where the drawing has holes */
    easel_close(&e);
}

/* --- the same bytes --------------------------------------------------------------------------------------
 */

enum { TRIES = 24 };

typedef struct {
    uint64_t sums[TRIES];
    int order; /* 1: forwards, -1: backwards */
} worker;

static uint64_t sum_of(const uint8_t *bytes, size_t n, uint64_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ bytes[i]) * 1099511628211U;
    return sum;
}

static void *work(void *user)
{
    worker *w = user;
    gr_error err = { 0 };
    gr_runtime *rt = NULL;
    gr_painter *painter = NULL;
    gr_runtime_new(&rt, NULL, &err);
    gr_painter_new(&painter, rt, NULL, &err);
    for (int k = 0; k < TRIES; k++) {
        const int i = w->order > 0 ? k : TRIES - 1 - k;
        gr_scene s;
        gr_image *image;
        uint8_t *map;
        gr_scene_compose(&s, 5, GR_SPLIT_TRAIN, (uint64_t)i);
        if (gr_scene_paint(&s, rt, painter, &image, &map, &err) != GR_OK)
            break;
        const size_t n = (size_t)s.width * (size_t)s.height;
        w->sums[i] = sum_of(map, n, sum_of(image->pixels, 3 * n, 14695981039346656037U));
        gr_image_free(image);
        gr_free(rt, map);
    }
    gr_painter_free(painter);
    gr_runtime_free(rt);
    return NULL;
}

static void bytes_do_not_depend_on_thread_order_or_painter(void **state)
{
    (void)state;
    easel e = easel_open(); /* skips where there is no font */
    easel_close(&e);
    static worker workers[3] = { { .order = 1 }, { .order = -1 }, { .order = 1 } };
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < TRIES; i++) {
        assert_true(workers[0].sums[i] != 0);
        assert_true(workers[0].sums[i] == workers[1].sums[i] && workers[0].sums[i] == workers[2].sums[i]);
        assert_true(i == 0 || workers[0].sums[i] != workers[0].sums[i - 1]);
    }
}

/* --- refusals --------------------------------------------------------------------------------------------
 */

static void refusals_say_what_is_wrong(void **state)
{
    (void)state;
    easel e = easel_open();
    gr_error err = { 0 };
    gr_painter *none = NULL;
    MUST_FAIL(gr_painter_new(&none, e.rt, "/nowhere/font.ttf", &err), GR_ERR_IO, "/nowhere/font.ttf");
    assert_null(none);
    gr_scene s =
        alone(&(gr_object){ .kind = GR_OBJECT_THING, .thing = GR_THINGS, .x = 9, .y = 9, .w = 9, .h = 9 });
    gr_image *image;
    uint8_t *map;
    MUST_FAIL(gr_scene_paint(&s, e.rt, e.painter, &image, &map, &err), GR_ERR_ARG, "object 0");
    s.objects[0].thing = 0;
    s.width = 0;
    MUST_FAIL(gr_scene_paint(&s, e.rt, e.painter, &image, &map, &err), GR_ERR_ARG, "0 x 160");
    assert_null(image);
    assert_null(map);
    easel_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_of_shapes_have_the_area_and_bounds_of_geometry),
        cmocka_unit_test(counts_and_boxes_are_those_of_the_index_map),
        cmocka_unit_test(what_is_behind_is_partly_hidden_and_what_is_related_is_seen),
        cmocka_unit_test(later_objects_own_what_they_cover_and_windows_cut),
        cmocka_unit_test(the_mean_of_a_plain_shape_is_nearest_to_its_colours_name),
        cmocka_unit_test(patterns_show_both_colours),
        cmocka_unit_test(shadows_darken_and_glass_shows_what_is_behind),
        cmocka_unit_test(every_thing_fills_its_box),
        cmocka_unit_test(bytes_do_not_depend_on_thread_order_or_painter),
        cmocka_unit_test(refusals_say_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
