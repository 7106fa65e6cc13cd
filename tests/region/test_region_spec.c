#include "test.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "grasp/region.h"
#include "region/mask.h"
#include "region/region_spec.h"
#include "region/scribble.h"
#include "region/tiles.h"

static int start(void **state) { return (*state = test_runtime()) == NULL; }

static int stop(void **state)
{
    gr_runtime_free(*state);
    return 0;
}

static gr_region_spec *parse(gr_runtime *rt, const char *text)
{
    gr_error err = { 0 };
    gr_region_spec *s;
    if (gr_region_spec_parse(&s, rt, text, strlen(text), &err) != GR_OK)
        fail_msg("%s: %s", text, err.msg);
    return s;
}

static gr_region_frame frame_of(int w, int h)
{
    return (gr_region_frame){ .size = sizeof(gr_region_frame), .width = w, .height = h, .orientation = 1 };
}

static gr_region *resolve(gr_runtime *rt, const char *text, const gr_region_frame *frame)
{
    gr_error err = { 0 };
    gr_region_spec *s = parse(rt, text);
    gr_region *r;
    if (gr_region_resolve(&r, rt, s, frame, &err) != GR_OK)
        fail_msg("%s: %s", text, err.msg);
    gr_region_spec_free(s);
    return r;
}

/* --- what is accepted, and what it stands for */

static void regions_stand_for_these_pixels(void **state)
{
    static const struct {
        const char *text, *source;
        gr_bounds bounds;
        int64_t area;
    } cases[] = {
        { "box:1,2,4,6", "box", { 1, 2, 4, 6 }, 12 },
        { " box: 1 , 2 , 4 , 6 ", "box", { 1, 2, 4, 6 }, 12 },
        { "box:+1,.5,4.5,6e0", "box", { 1, 0, 4, 6 }, 18 },
        { "box:-5,-5,500,3", "box", { 0, 0, 20, 3 }, 60 },
        { "box:0.5,0,1,0.5@norm", "box", { 10, 0, 20, 5 }, 50 },
        { "polygon:1,1,4,1,4,3,1,3", "polygon", { 1, 1, 4, 3 }, 6 },
        { "polygon:1,1;4,1;4,3;1,3", "polygon", { 1, 1, 4, 3 }, 6 },
        { "polygon:1,1,4,1,4,3,1,3;6,6,8,6,8,8,6,8", "polygon", { 1, 1, 8, 8 }, 10 },
        { "polygon:0.05,0.1,0.2,0.1,0.2,0.3,0.05,0.3@norm", "polygon", { 1, 1, 4, 3 }, 6 },
        { "rle:{\"size\":[10,20],\"counts\":[21,2,177]}", "rle", { 2, 1, 3, 3 }, 2 },
        { "{\"box\":[1,2,4,6]}", "box", { 1, 2, 4, 6 }, 12 },
        { "{\"box\":[1,2,3,4],\"box_format\":\"xywh\"}", "box", { 1, 2, 4, 6 }, 12 },
        { "{\"box_format\":\"cxcywh\",\"box\":[2.5,4,3,4]}", "box", { 1, 2, 4, 6 }, 12 },
        { "{\"box\":[50,0,100,50],\"coords\":\"percent\"}", "box", { 10, 0, 20, 5 }, 50 },
        { "{\"coords\":\"milli\",\"box\":[500,0,1000,500]}", "box", { 10, 0, 20, 5 }, 50 },
        { "{\"mask\":{\"format\":\"rle\",\"counts\":\"32103\",\"size\":[3,4]},\"name\":\"x\"}",
          "rle",
          { 5, 0, 15, 7 },
          70 },
        { "{\"mask\":{\"format\":\"rowrle\",\"size\":[10,20],\"counts\":[21,2,177]}}",
          "rle",
          { 1, 1, 3, 2 },
          2 },
        { "{\"polygon\":[[2,2,18,2,18,8,2,8],[4,4,6,4,6,6,4,6]],\"fill\":\"evenodd\"}",
          "polygon",
          { 2, 2, 18, 8 },
          92 },
        { "{\"polygon\":[[2,2,18,2,18,8,2,8],[4,4,6,4,6,6,4,6]]}", "polygon", { 2, 2, 18, 8 }, 96 },
        { "{\"scribble\":{\"strokes\":[[[2,2],[10,2]]],\"width\":2},\"convert\":\"none\"}",
          "scribble",
          { 1, 1, 11, 3 },
          20 },
        { "{\"points\":[[3.2,4.9],[7,5]],\"convert\":\"rect\"}", "rect", { 3, 4, 8, 6 }, 10 },
        { "{\"polygon\":[[0,0,10,0,0,10]],\"convert\":\"rect\"}", "rect", { 0, 0, 9, 9 }, 81 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_region_frame frame = frame_of(20, 10);
        if (i == 15) /* 3 x 4 is resized to a picture of the same shape */
            frame = frame_of(20, 15);
        gr_region *r = resolve(*state, cases[i].text, &frame);
        const gr_bounds b = r->bounds, w = cases[i].bounds;
        if (i == 15) {
            assert_int_equal(r->n_warnings, 1);
            assert_non_null(strstr(r->warnings[0], "4 x 3 pixels was resized to the picture's 20 x 15"));
            assert_string_equal(r->name, "x");
            assert_true(b.x0 == 5 && b.x1 == 15 && b.y0 == 0 && b.y1 == 10 && r->area == 100);
        } else if (memcmp(&b, &w, sizeof b) || r->area != cases[i].area || strcmp(r->source, cases[i].source))
            fail_msg("%s: [%d, %d, %d, %d], area %lld, %s", cases[i].text, b.x0, b.y0, b.x1, b.y1,
                     (long long)r->area, r->source);
        assert_int_equal(gr_mask_area(r->mask), r->area);
        gr_region_free(r);
    }
}

static void names_references_and_points_are_kept(void **state)
{
    gr_region_spec *s =
        parse(*state, "{\"name\":\"a.b-1\",\"points\":[[1172,812],[1572,800],[20,30]],\"labels\":[1,1,0],"
                      "\"label\":\"cup\",\"frame\":3,\"track\":\"t\",\"score\":0.5,"
                      "\"sam\":{\"select\":\"largest\",\"multimask\":false,\"threshold\":0.25}}");
    assert_string_equal(gr_region_spec_name(s), "a.b-1");
    assert_null(gr_region_spec_ref(s));
    assert_int_equal(s->n_points, 3);
    assert_true(s->xy[4] == 20 && s->xy[5] == 30 && s->labels[1] == 1 && s->labels[2] == 0);
    assert_true(s->frame == 3 && s->score == 0.5 && s->sam_select == -2 && !s->sam_multimask &&
                s->sam_threshold == 0.25);
    assert_string_equal(s->label, "cup");
    assert_string_equal(s->track, "t");
    gr_region_spec_free(s);
    s = parse(*state, "points:1,2;3,4,0;5,6,1");
    assert_null(gr_region_spec_name(s));
    assert_true(s->n_points == 3 && s->labels[0] == 1 && s->labels[1] == 0 && s->labels[2] == 1);
    gr_region_spec_free(s);
    s = parse(*state, "point:0.5,0.25@norm");
    assert_true(s->n_points == 1 && s->coords == GR_COORDS_NORMALIZED);
    gr_region_spec_free(s);
    s = parse(*state, "{\"ref\":\"dog\"}");
    assert_string_equal(gr_region_spec_ref(s), "dog");
    gr_region_spec_free(s);
    s = parse(*state, "{\"box\":[1,2,3,4],\"points\":[[1,2]],\"unknown\":[{}]}");
    assert_true(s->kind == GR_REGION_BOX && s->n_points == 1);
    gr_region_spec_free(s);
    s = parse(*state, "mask:some file,@norm.png");
    assert_string_equal(s->text, "some file,@norm.png");
    gr_region_spec_free(s);
}

/* --- what is refused when it is read */

static void malformed_regions_are_explained(void **state)
{
    static const struct {
        const char *text, *part;
        gr_status status;
    } cases[] = {
        { "", "'' is no region; expected mask:FILE", GR_ERR_FORMAT },
        { "circle:1,2,3", "'circle:1,2,3' is no region", GR_ERR_FORMAT },
        { "box:1,2,3", "four numbers, found 3", GR_ERR_FORMAT },
        { "box:1,2,3,4,5", "expected the end, found ',5'", GR_ERR_FORMAT },
        { "box:1,2,nan,4", "expected a number, found 'nan,4'", GR_ERR_FORMAT },
        { "box:1,2,inf,4", "expected a number", GR_ERR_FORMAT },
        { "box:1,2,0x10,4", "a box is x1,y1,x2,y2", GR_ERR_FORMAT },
        { "box:1,2,1e999,4", "expected a number", GR_ERR_FORMAT },
        { "box:1,2,3,4@norms", "expected @norm, found '@norms'", GR_ERR_FORMAT },
        { "box:", "expected a number, found ''", GR_ERR_FORMAT },
        { "mask:", "name of a file", GR_ERR_FORMAT },
        { "points:1,2;3", "a point is x,y", GR_ERR_FORMAT },
        { "points:1,2,2", "label of a point is 2", GR_ERR_FORMAT },
        { "points:1,2;", "expected a number", GR_ERR_FORMAT },
        { "polygon:1,2,3,4", "ring 0 of the polygon has 2 points", GR_ERR_FORMAT },
        { "polygon:1,2,3", "a lone 3", GR_ERR_FORMAT },
        { "polygon:1,1;2,2;1,1,4,1,4,3", "ring 0 of the polygon has 2 points", GR_ERR_FORMAT },
        { "scribble:1,2,3,4", "separated by ';'", GR_ERR_FORMAT },
        { "rle:", "rle: line 1", GR_ERR_FORMAT },
        { "rle:{\"counts\":[1]}", "need \"size\"", GR_ERR_FORMAT },
        { "rle:{\"size\":[3,4]}", "need \"counts\"", GR_ERR_FORMAT },
        { "rle:{\"size\":[3,4],\"counts\":[3,2,1,2,5]}", "sum to 13", GR_ERR_FORMAT },
        { "rle:{\"size\":[3,4.5],\"counts\":[12]}", "whole numbers", GR_ERR_FORMAT },
        { "rle:{\"size\":[3,4],\"counts\":[-1]}", "invalid_region: rle: line 1", GR_ERR_FORMAT },
        { "rle:{\"size\":[3,4],\"counts\":[12],\"counts\":\"<\"}", "its data twice", GR_ERR_FORMAT },
        { "rle:{\"size\":[100000,100000],\"counts\":[1]}", "over the limit", GR_ERR_LIMIT },
        { "{\"box\":[1,2,3]}", "a box has four numbers", GR_ERR_FORMAT },
        { "{\"box\":[1,2,3,4],\"box\":[1,2,3,4]}", "the key \"box\" twice", GR_ERR_FORMAT },
        { "{\"box\":[1,2,3,4],\"ref\":\"x\"}", "exactly one of box, points", GR_ERR_FORMAT },
        { "{\"mask\":{\"format\":\"rle\",\"size\":[1,1],\"counts\":[1]},\"text\":\"x\"}", "found 2",
          GR_ERR_FORMAT },
        { "{\"name\":\"x\"}", "found 0", GR_ERR_FORMAT },
        { "{\"name\":\"9x\",\"box\":[1,2,3,4]}", "the name '9x'", GR_ERR_FORMAT },
        { "{\"points\":[[1,2]],\"labels\":[1,0]}", "2 labels for 1 points", GR_ERR_FORMAT },
        { "{\"points\":[[1,2,3]]}", "a point is [x, y]", GR_ERR_FORMAT },
        { "{\"points\":[]}", "without any", GR_ERR_FORMAT },
        { "{\"polygon\":[[1,2,3,4,5]]}", "a ring of 5 numbers", GR_ERR_FORMAT },
        { "{\"polygon\":[]}", "without rings", GR_ERR_FORMAT },
        { "{\"polygon\":[[]]}", "has 0 points", GR_ERR_FORMAT },
        { "{\"scribble\":{\"strokes\":[[[1,2]]],\"width\":0}}", "0 pixels wide", GR_ERR_FORMAT },
        { "{\"coords\":\"metres\",\"box\":[1,2,3,4]}", "'metres', expected one of pixel, normalized",
          GR_ERR_FORMAT },
        { "{\"mask\":{\"format\":\"png\",\"data\":\"data:image/png,xyz\"}}", "data:image/png;base64",
          GR_ERR_FORMAT },
        { "{\"mask\":{\"format\":\"png\",\"data\":\"A*==\"}}", "character 2 of the base64 text",
          GR_ERR_FORMAT },
        { "{\"mask\":{\"format\":\"png\"}}", "needs \"data\"", GR_ERR_FORMAT },
        { "{\"text\":\"\"}", "an empty text", GR_ERR_FORMAT },
        { "{\"box\":[1,2,3,4]} x", "region object: line 1", GR_ERR_FORMAT },
        { "{\"box\":[1,2,3,", "region object: line 1", GR_ERR_FORMAT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        gr_region_spec *s;
        const char *text = cases[i].text;
        if (gr_region_spec_parse(&s, *state, text, strlen(text), &err) != cases[i].status ||
            !strstr(err.msg, cases[i].part) || strncmp(err.msg, "invalid_region: ", 16) || s)
            fail_msg("%s: status %d, '%s'", text, err.status, err.msg);
    }
}

static void too_many_points_are_refused(void **state)
{
    const size_t n = 4 * 100001;
    char *text = malloc(n + 16);
    strcpy(text, "points:");
    for (size_t i = 0; i < 100001; i++)
        memcpy(text + 7 + 4 * i, "1,2;", 4);
    gr_error err = { 0 };
    gr_region_spec *s;
    MUST_FAIL(gr_region_spec_parse(&s, *state, text, 7 + n - 1, &err), GR_ERR_LIMIT,
              "limit of 100000 points");
    free(text);
}

/* --- what is refused when it meets a picture */

static void regions_that_miss_the_picture_are_explained(void **state)
{
    static const struct {
        const char *text, *part;
        gr_status status;
    } cases[] = {
        { "box:30,0,40,5", "region_out_of_image", GR_ERR_ARG },
        { "box:4,0,1,5", "invalid_region", GR_ERR_ARG },
        { "box:1.6,1.6,2.4,2.4", "empty_region", GR_ERR_ARG },
        { "polygon:30,0,40,0,40,5", "region_out_of_image", GR_ERR_ARG },
        { "polygon:1.1,1.1,1.2,1.1,1.2,1.2", "empty_region", GR_ERR_ARG },
        { "polygon:0,0,1e7,0,1,1", "invalid_region", GR_ERR_ARG },
        { "rle:{\"size\":[10,20],\"counts\":[200]}", "empty_region", GR_ERR_ARG },
        { "rle:{\"size\":[20,20],\"counts\":[0,400]}",
          "mask_size_mismatch: the mask is 20 x 20 pixels, the picture 20 x 10", GR_ERR_SHAPE },
        { "point:3,3", "not_built: points need a segmentation model", GR_ERR_UNSUPPORTED },
        { "scribble:3,3;5,5", "not_built: scribbles need", GR_ERR_UNSUPPORTED },
        { "{\"box\":[1,2,3,4],\"convert\":\"sam\"}", "not_built", GR_ERR_UNSUPPORTED },
        { "{\"box\":[1,2,3,4],\"points\":[[1,2]]}", "not_built", GR_ERR_UNSUPPORTED },
        { "{\"text\":\"the leftmost cup\"}", "not_built: the region \"the leftmost cup\" is a phrase",
          GR_ERR_UNSUPPORTED },
        { "{\"ref\":\"dog\"}", "unknown_region: none of the 0 regions before it", GR_ERR_ARG },
        { "{\"mask\":{\"format\":\"alpha\"}}", "invalid_region: an alpha region", GR_ERR_ARG },
        { "{\"scribble\":{\"strokes\":[[[-30,-30]]],\"width\":2},\"convert\":\"none\"}",
          "region_out_of_image", GR_ERR_ARG },
        { "mask:/nonexistent/mask.png", "/nonexistent/mask.png", GR_ERR_IO },
        { "{\"mask\":{\"format\":\"png\",\"data\":\"AAAA\"}}", "the mask's data: not a picture",
          GR_ERR_FORMAT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        gr_region_spec *s = parse(*state, cases[i].text);
        gr_region *r;
        const gr_region_frame frame = frame_of(20, 10);
        if (gr_region_resolve(&r, *state, s, &frame, &err) != cases[i].status ||
            !strstr(err.msg, cases[i].part) || r)
            fail_msg("%s: status %d, '%s'", cases[i].text, err.status, err.msg);
        gr_region_spec_free(s);
    }
    gr_error err = { 0 };
    gr_region_spec *s = parse(*state, "box:1,2,3,4");
    gr_region *r;
    gr_region_frame frame = frame_of(0, 10);
    MUST_FAIL(gr_region_resolve(&r, *state, s, &frame, &err), GR_ERR_ARG, "0 x 10");
    frame = frame_of(5, 10);
    frame.size = 3;
    MUST_FAIL(gr_region_resolve(&r, *state, s, &frame, &err), GR_ERR_ARG, "gr_region_frame_init");
    gr_region_spec_free(s);
}

/* --- mask files */

typedef struct {
    int w, h, set_x, set_y;
} fake_file;

static gr_status load_fake(void *user, gr_runtime *rt, const char *path, gr_image **out, gr_error *err)
{
    const fake_file *f = user;
    assert_string_equal(path, "m.png");
    GR_TRY(gr_image_new(out, rt, f->w, f->h, 1, err));
    (*out)->pixels[f->set_y * f->w + f->set_x] = 9;
    return GR_OK;
}

/* The four mask-size rules: equal, before the EXIF rotation, within 1 %, and anything else. */
static void mask_files_follow_the_size_rules(void **state)
{
    static const struct {
        fake_file file;
        int orientation, x0, y0, n_warnings;
        const char *part; /* of the warning or, when x0 is -1, of the error */
    } cases[] = {
        { { 300, 200, 7, 9 }, 1, 7, 9, 0, "" },
        { { 300, 200, 7, 9 }, 6, 7, 9, 0, "" },
        { { 200, 300, 7, 9 }, 6, 290, 7, 1, "EXIF rotation" }, /* clockwise: x = 299 - 9, y = 7 */
        { { 200, 300, 7, 9 }, 8, 9, 192, 1, "EXIF rotation" }, /* the other way: x = 9, y = 199 - 7 */
        { { 200, 300, 7, 9 }, 1, -1, 0, 0, "mask_size_mismatch" },
        { { 600, 402, 301, 202 }, 1, 150, 100, 1, "resized" }, /* 0.5 % off; every other column is sampled */
        { { 600, 405, 14, 18 }, 1, -1, 0, 0, "mask_size_mismatch" }, /* 1.2 % off */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        gr_region_frame frame = frame_of(300, 200);
        frame.orientation = cases[i].orientation;
        fake_file file = cases[i].file;
        frame.load = load_fake;
        frame.load_user = &file;
        gr_region_spec *s = parse(*state, "mask:m.png");
        gr_region *r = NULL;
        const gr_status st = gr_region_resolve(&r, *state, s, &frame, &err);
        if (cases[i].x0 == -1) {
            assert_int_equal(st, GR_ERR_SHAPE);
            assert_non_null(strstr(err.msg, cases[i].part));
        } else {
            if (st != GR_OK || r->bounds.x0 != cases[i].x0 || r->bounds.y0 != cases[i].y0 || r->area != 1 ||
                r->n_warnings != cases[i].n_warnings || !strstr(r->warnings[0], cases[i].part))
                fail_msg("case %zu: %s%s", i, err.msg, r ? r->warnings[0] : "");
            assert_true(r->mask->width == 300 && r->mask->height == 200);
        }
        gr_region_free(r);
        gr_region_spec_free(s);
    }
}

static void alpha_and_embedded_pictures_become_masks(void **state)
{
    gr_error err = { 0 };
    gr_image *image;
    MUST(gr_image_new(&image, *state, 4, 3, 4, &err));
    image->pixels[4 * 6 + 3] = 1; /* the least alpha there is, at (2, 1) */
    gr_region_frame frame;
    gr_region_frame_init(&frame, image);
    gr_region *r = resolve(*state, "{\"mask\":{\"format\":\"alpha\"}}", &frame);
    assert_true(r->bounds.x0 == 2 && r->bounds.y0 == 1 && r->area == 1);
    assert_string_equal(r->source, "alpha");
    gr_region_free(r);
    /* "P2 4 3 9 0 0 0 0 0 5 0 0 0 0 0 0": what the bytes are decides, not the declared type */
    r = resolve(*state,
                "{\"mask\":{\"format\":\"png\",\"data\":\"data:image/"
                "png;base64,UDIgNCAzIDkgMCAwIDAgMCAwIDUgMCAwIDAgMCAwIDA=\"}}",
                &frame);
    assert_true(r->bounds.x0 == 1 && r->bounds.y0 == 1 && r->area == 1);
    gr_region_free(r);
    gr_image_free(image);
}

/* A picture that was turned upright tells regions so; an ignored orientation does not. */
static void frames_know_whether_the_picture_was_turned(void **state)
{
    gr_error err = { 0 };
    gr_image *image;
    gr_region_frame frame;
    MUST(gr_image_new(&image, *state, 4, 3, 3, &err));
    image->orientation = 6;
    gr_region_frame_init(&frame, image);
    assert_int_equal(frame.orientation, 1);
    image->upright = true;
    gr_region_frame_init(&frame, image);
    assert_int_equal(frame.orientation, 6);
    gr_image_free(image);
}

/* "ref" is a copy of an earlier region, under the name of its own. */
static void earlier_regions_are_repeated(void **state)
{
    gr_error err = { 0 };
    gr_region *r;
    gr_region_frame frame = frame_of(20, 10);
    gr_region *dog = resolve(*state, "{\"name\":\"dog\",\"polygon\":[[1,1,9,1,1,9]]}", &frame);
    gr_region *box = resolve(*state, "box:2,2,4,4", &frame);
    frame.earlier = (const gr_region *const[]){ dog, box };
    frame.n_earlier = 2;
    r = resolve(*state, "{\"ref\":\"dog\"}", &frame);
    assert_memory_equal(r->mask->data, dog->mask->data, 20 * 10);
    assert_true(r->mask->data != dog->mask->data && r->area == dog->area);
    assert_string_equal(r->source, "polygon");
    assert_string_equal(r->name, "");
    gr_region_free(r);
    r = resolve(*state, "{\"name\":\"again\",\"ref\":\"r1\",\"convert\":\"rect\"}", &frame);
    assert_true(r->bounds.x0 == 2 && r->bounds.y1 == 4 && r->area == 4);
    assert_string_equal(r->name, "again");
    gr_region_free(r);

    static const struct {
        const char *text, *part;
        gr_status status;
        int width;
    } bad[] = {
        { "{\"ref\":\"cat\"}", "unknown_region: none of the 2 regions before it has the name \"cat\"",
          GR_ERR_ARG, 20 },
        { "{\"ref\":\"r0\"}", "unknown_region", GR_ERR_ARG, 20 }, /* that one has another name */
        { "{\"ref\":\"dog\"}", "mask_size_mismatch: the region \"dog\" is of a picture of 20 x 10",
          GR_ERR_SHAPE, 21 },
        { "{\"name\":\"dog\",\"box\":[1,1,2,2]}", "invalid_region: an earlier region has the name \"dog\"",
          GR_ERR_ARG, 20 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gr_region_spec *s = parse(*state, bad[i].text);
        frame.width = bad[i].width;
        MUST_FAIL(gr_region_resolve(&r, *state, s, &frame, &err), bad[i].status, bad[i].part);
        assert_null(r);
        gr_region_spec_free(s);
    }
    gr_region_free(dog);
    gr_region_free(box);
}

static void scribbles_are_discs_along_the_line(void **state)
{
    enum { W = 60, H = 50 };
    static const double xy[] = { 10.3, 8, 41, 22.7, 15, 44, -20, 30 };
    gr_error err = { 0 };
    gr_mask *m;
    MUST(gr_mask_new(&m, *state, W, H, &err));
    MUST(gr_scribble_draw(m, xy, 4, 7, &err));
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double least = INFINITY;
            for (int k = 0; k < 3; k++) {
                const double *a = xy + 2 * k, *b = a + 2, px = x + 0.5, py = y + 0.5;
                const double dx = b[0] - a[0], dy = b[1] - a[1];
                const double t =
                    fmin(1, fmax(0, ((px - a[0]) * dx + (py - a[1]) * dy) / (dx * dx + dy * dy)));
                least = fmin(least, hypot(px - a[0] - t * dx, py - a[1] - t * dy));
            }
            if (fabs(least - 3.5) > 1e-9 && m->data[y * W + x] != (least < 3.5))
                fail_msg("pixel %d, %d at distance %g is %d", x, y, least, m->data[y * W + x]);
        }
    memset(m->data, 0, W * H);
    const double dot[] = { 5.5, 5.5 };
    MUST(gr_scribble_draw(m, dot, 1, 1, &err));
    assert_int_equal(gr_mask_area(m), 1);
    gr_mask_free(m);
}

static void base64_is_read_in_both_alphabets(void **state)
{
    static const struct {
        const char *text, *bytes;
        size_t n;
    } cases[] = { { "", "", 0 },
                  { "Zg==", "f", 1 },
                  { "Zm8", "fo", 2 },
                  { "Zm9v", "foo", 3 },
                  { "Zm9v\nYmE=", "fooba", 5 },
                  { "-_+/", "\xfb\xff\xbf", 3 },
                  { " Z m 9 v ", "foo", 3 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        uint8_t *bytes;
        size_t n;
        MUST(gr_base64_decode(&bytes, &n, *state, cases[i].text, strlen(cases[i].text), &err));
        assert_int_equal(n, cases[i].n);
        assert_memory_equal(bytes, cases[i].bytes, n);
        gr_free(*state, bytes);
    }
    static const char *const bad[][2] = { { "Z", "ends inside a byte" },
                                          { "Zm9vY", "ends inside a byte" },
                                          { "Zm=v", "after the padding" },
                                          { "Zm\x80v", "character 3 of the base64 text is 0x80" } };
    for (size_t i = 0; i < 4; i++) {
        gr_error err = { 0 };
        uint8_t *bytes;
        size_t n;
        MUST_FAIL(gr_base64_decode(&bytes, &n, *state, bad[i][0], strlen(bad[i][0]), &err), GR_ERR_FORMAT,
                  bad[i][1]);
        assert_null(bytes);
    }
}

static void the_demo_masks_fit_their_pictures(void **state)
{
    static const struct {
        const char *picture, *mask;
        int64_t area;
    } cases[] = { { "demo/demo_image_1.png", "demo/demo_mask_1.png", 1892 },
                  { "demo/demo_image_3.png", "demo/demo_mask_3_0.png", 43626 },
                  { "demo/demo_image_3.png", "demo/demo_mask_3_1.png", 563 },
                  { "demo/demo_image_3.png", "demo/demo_mask_3_2.png", 9317 } };
    NEED_SHARED("demo/demo_mask_1.png");
    if (!strstr(gr_image_formats(), "PNG"))
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512], text[600];
        gr_error err = { 0 };
        gr_image *image;
        gr_region_frame frame;
        snprintf(path, sizeof path, "%s/%s", GR_SHARED_DATA, cases[i].picture);
        snprintf(text, sizeof text, "mask:%s/%s", GR_SHARED_DATA, cases[i].mask);
        MUST(gr_image_open(&image, *state, path, NULL, &err));
        gr_region_frame_init(&frame, image);
        gr_region *r = resolve(*state, text, &frame);
        assert_true(r->area == cases[i].area && r->n_warnings == 0);
        gr_region_free(r);
        gr_image_free(image);
    }
}

/* --- memory that runs out */

typedef struct {
    int left; /* allocations that still succeed */
    int live;
} meagre;

static void *meagre_alloc(void *user, size_t bytes, size_t align)
{
    meagre *m = user;
    void *memory = NULL;
    if (m->left-- <= 0 || posix_memalign(&memory, align, bytes) != 0)
        return NULL;
    m->live++;
    return memory;
}

static void meagre_free(void *user, void *memory)
{
    ((meagre *)user)->live--;
    free(memory);
}

/* Parses, resolves and cuts into tiles with the n-th allocation failing, for every n. */
static void every_failed_allocation_is_reported_and_nothing_is_kept(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "box:1,2,9,8", "polygon:1,1,9,1,9,8;2,2,5,2,5,5",
        "{\"name\":\"a\",\"label\":\"b\",\"mask\":{\"size\":[30,40],\"counts\":[7,3,1190]}}",
        "{\"scribble\":{\"strokes\":[[[2,2],[10,2]]]},\"convert\":\"none\"}",
        "{\"mask\":{\"format\":\"png\",\"data\":\"UDIgNCAzIDkgMCAwIDAgMCAwIDUgMCAwIDAgMCAwIDA=\"}}"
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        meagre memory = { .left = 1000 };
        gr_error err = { 0 };
        gr_runtime *rt;
        gr_runtime_options o;
        gr_runtime_options_init(&o);
        o.n_threads = 1;
        o.allocator = (gr_allocator){ meagre_alloc, meagre_free, &memory };
        MUST(gr_runtime_new(&rt, &o, &err));
        const int before = memory.live;
        bool done = false;
        for (int n = 0; !done; n++) {
            gr_region_spec *s = NULL;
            gr_region *r = NULL;
            gr_prompt_plane *plane = NULL;
            gr_tiles *tiles = NULL;
            const gr_region_frame frame = frame_of(40, 30);
            err = (gr_error){ 0 };
            memory.left = n;
            gr_status st = gr_region_spec_parse(&s, rt, texts[i], strlen(texts[i]), &err);
            if (st == GR_OK)
                st = gr_region_resolve(&r, rt, s, &frame, &err);
            if (st == GR_OK)
                st = gr_plane_new(&plane, rt, 40, 30, 5, &err);
            if (st == GR_OK)
                st = gr_plane_paint(plane, r->mask, 0, GR_EXTRA_REFUSE, &err);
            if (st == GR_OK)
                st = gr_tiles_of_plane(&tiles, plane, (gr_canvas){ 2, 1 }, 14, GR_MASK_BICUBIC, &err);
            done = st == GR_OK;
            if (!done && (st != GR_ERR_MEM || !strstr(err.msg, "no memory")))
                fail_msg("%s, allocation %d: status %d, '%s'", texts[i], n, st, err.msg);
            gr_tiles_free(tiles);
            gr_plane_free(plane);
            gr_region_free(r);
            gr_region_spec_free(s);
            assert_int_equal(memory.live, before);
            assert_true(n < 200);
        }
        gr_runtime_free(rt);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_stand_for_these_pixels),
        cmocka_unit_test(names_references_and_points_are_kept),
        cmocka_unit_test(malformed_regions_are_explained),
        cmocka_unit_test(too_many_points_are_refused),
        cmocka_unit_test(regions_that_miss_the_picture_are_explained),
        cmocka_unit_test(mask_files_follow_the_size_rules),
        cmocka_unit_test(alpha_and_embedded_pictures_become_masks),
        cmocka_unit_test(frames_know_whether_the_picture_was_turned),
        cmocka_unit_test(earlier_regions_are_repeated),
        cmocka_unit_test(scribbles_are_discs_along_the_line),
        cmocka_unit_test(base64_is_read_in_both_alphabets),
        cmocka_unit_test(the_demo_masks_fit_their_pictures),
        cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
