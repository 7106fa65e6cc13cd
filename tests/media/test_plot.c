#include "test.h"

#include <sys/stat.h>

#include "grasp/image.h"
#include "media/plot.h"
#include "support/tempdir.h"

static double xs[] = { 1, 2, 3, 4 }, ys[] = { 4, 3, 2.5, 1 };

static const gr_plot_series line = { xs, ys, 4, GR_PLOT_LINE, { 0xff0000, 1 }, 2 };
static const gr_plot_panel panel = { "height <m>", 1, 0, &line, 1 };
static const gr_plot simple = {
    .title = "a & b", .x_label = "step", .x_whole = true, .panels = &panel, .n_panels = 1
};

static char *read_text(const char *path)
{
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void an_svg_holds_its_texts_and_points(void **state)
{
    (void)state;
    test_dir dir;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    test_dir_make(&dir);
    MUST(gr_plot_write(rt, &simple, test_dir_file(&dir, "p.svg"), &err));
    const char *svg = read_text(test_dir_file(&dir, "p.svg"));
    static const char *const parts[] = { "<title>a &amp; b</title>",
                                         ">a &amp; b</text>",
                                         ">height &lt;m&gt;</text>",
                                         ">step</text>",
                                         ">1</text>",
                                         ">4</text>",
                                         "stroke=\"#ff0000\"",
                                         "</svg>\n" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(svg, parts[i]))
            fail_msg("it lacks %s", parts[i]);
    assert_int_equal(test_dir_count(&dir), 1); /* and nothing beside it */
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

static void a_png_shows_the_line_where_this_build_draws_one(void **state)
{
    (void)state;
    test_dir dir;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    test_dir_make(&dir);
    const char *path = test_dir_file(&dir, "p.png");
#ifdef GR_HAVE_CAIRO
    MUST(gr_plot_write(rt, &simple, path, &err));
    MUST(gr_plot_write(rt, &simple, test_dir_file(&dir, "p.pdf"), &err));
    assert_memory_equal(read_text(test_dir_file(&dir, "p.pdf")), "%PDF-", 5);
    assert_memory_equal(read_text(path), "\x89PNG", 4);
#ifdef GR_HAVE_SPNG
    gr_image *image;
    int red = 0;
    MUST(gr_image_open(&image, rt, path, NULL, &err));
    assert_int_equal(image->width, 1600);
    assert_int_equal(image->height, 1280);
    for (int i = 0; i < image->width * image->height; i++) {
        const uint8_t *p = image->pixels + i * image->channels;
        red += p[0] == 255 && p[1] == 0 && p[2] == 0;
    }
    assert_in_range(red, 3000, 20000); /* some 2000 pixels long, 4 wide */
    gr_image_free(image);
#endif
#else
    MUST_FAIL(gr_plot_write(rt, &simple, path, &err), GR_ERR_UNSUPPORTED,
              "p.png: this build was made without cairo and draws no .png; choose a name that ends in .svg");
    MUST_FAIL(gr_plot_check(test_dir_file(&dir, "p.pdf"), &err), GR_ERR_UNSUPPORTED, "draws no .pdf");
    assert_int_equal(test_dir_count(&dir), 0);
#endif
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

static void what_cannot_be_drawn_or_written_is_refused(void **state)
{
    (void)state;
    test_dir dir;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    test_dir_make(&dir);
    MUST_FAIL(gr_plot_write(rt, &simple, test_dir_file(&dir, "p.gif"), &err), GR_ERR_ARG,
              "ends in .png, .svg or .pdf");
    MUST_FAIL(gr_plot_write(rt, &simple, test_dir_file(&dir, "no/p.svg"), &err), GR_ERR_IO, "cannot create");
    assert_int_equal(mkdir(test_dir_file(&dir, "d.svg"), 0777), 0);
    MUST_FAIL(gr_plot_write(rt, &simple, test_dir_file(&dir, "d.svg"), &err), GR_ERR_IO, "a directory");
    assert_int_equal(test_dir_count(&dir), 1);
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

/* No curve, one point, the same value everywhere, the largest numbers: a picture all the same. */
static void any_curves_make_a_picture(void **state)
{
    (void)state;
    test_dir dir;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    static double same[] = { 5, 5, 5, 5 }, far[] = { -1e300, 1e300, 1e-300, 0 },
                  tiny[] = { 1e-300, 1, 1e300, 1 };
    const gr_plot_series all[] = { { xs, ys, 1, GR_PLOT_DOTTED_LINE, { 1, 1 }, 1 },
                                   { xs, same, 4, GR_PLOT_DOTS, { 2, 0.5 }, 1 },
                                   { xs, far, 4, GR_PLOT_LINE, { 3, 1 }, 1 },
                                   { xs, tiny, 4, GR_PLOT_LINE, { 3, 1 }, 1 },
                                   { same, same, 1, GR_PLOT_LINE, { 3, 1 }, 1 } };
    const gr_plot_panel panels[] = { { "none", 1, 10, NULL, 0 },       { "one", 1, 10, &all[0], 1 },
                                     { "same", 1, 10, &all[1], 1 },    { "far", 1, 10, &all[2], 1 },
                                     { "decades", 1, 10, &all[3], 1 }, { "all", 1, 10, all, 5 } };
    const gr_plot p = { .title = "",
                        .subtitle = "s\xff\n\xe2\x82\xac\xed\xa0\x80",
                        .x_label = "x",
                        .panels = panels,
                        .n_panels = 6 };
    const gr_plot none = { .title = "", .x_label = "x", .panels = panels, .n_panels = 1 };
    test_dir_make(&dir);
    const char *path = test_dir_file(&dir, "p.svg");
    MUST(gr_plot_write(rt, &none, path, &err));
    assert_non_null(strstr(read_text(path), ">no values</text>"));
    MUST(gr_plot_write(rt, &p, path, &err));
    const char *svg = read_text(path);
    assert_null(strstr(svg, "nan"));
    assert_null(strstr(svg, "inf"));
    assert_non_null(strstr(svg, ">s?"
                                "?\xe2\x82\xac?"
                                "?"
                                "?</text>"));
    assert_non_null(strstr(svg, ">decades, log scale</text>"));
#ifdef GR_HAVE_CAIRO
    MUST(gr_plot_write(rt, &p, test_dir_file(&dir, "p.png"), &err));
#endif
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

static void a_long_text_is_cut_at_a_character(void **state)
{
    (void)state;
    char out[8];
    gr_pen_clean(out, sizeof out, "abcd\xc3\xa4\xc3\xa4");
    assert_string_equal(out, "abcd\xc3\xa4");
    gr_pen_clean(out, sizeof out, "\xc0\x80\x1f\xf4\x90\x80\x80");
    assert_string_equal(out, "???????");
}

/* A line through a hundred thousand points and through those that are kept paints the same pixels. */
static void thinning_keeps_what_is_seen(void **state)
{
    (void)state;
    enum { N = 100000, COLUMNS = 50 };
    static gr_pen_point at[N], all[N];
    uint32_t noise = 1;
    for (int i = 0; i < N; i++) {
        noise = noise * 1664525u + 1013904223u;
        at[i] = all[i] = (gr_pen_point){ (double)i * COLUMNS / N, (double)(noise >> 8) };
    }
    const size_t n = gr_plot_thin(at, N, 1);
    assert_in_range(n, 2 * COLUMNS, 4 * COLUMNS);
    double lowest[COLUMNS], highest[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        lowest[c] = INFINITY, highest[c] = -INFINITY;
    for (int i = 0; i < N; i++) {
        const int c = (int)all[i].x;
        lowest[c] = fmin(lowest[c], all[i].y);
        highest[c] = fmax(highest[c], all[i].y);
    }
    for (size_t i = 0; i < n; i++) {
        const int c = (int)at[i].x;
        assert_true(i == 0 || at[i].x >= at[i - 1].x);
        lowest[c] = at[i].y == lowest[c] ? INFINITY : lowest[c]; /* found */
        highest[c] = at[i].y == highest[c] ? INFINITY : highest[c];
    }
    for (int c = 0; c < COLUMNS; c++)
        assert_true(isinf(lowest[c]) && isinf(highest[c]));
    assert_true(at[0].y == all[0].y && at[n - 1].y == all[N - 1].y);
    assert_int_equal(gr_plot_thin(at, 0, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_svg_holds_its_texts_and_points),
        cmocka_unit_test(a_png_shows_the_line_where_this_build_draws_one),
        cmocka_unit_test(what_cannot_be_drawn_or_written_is_refused),
        cmocka_unit_test(any_curves_make_a_picture),
        cmocka_unit_test(a_long_text_is_cut_at_a_character),
        cmocka_unit_test(thinning_keeps_what_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
