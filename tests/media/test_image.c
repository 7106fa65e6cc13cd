#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "grasp/image.h"
#include "media/codec.h"

/* The pictures of tests/media/data, made by make.py beside what Pillow makes of them. `channels` as decoded.
 */
static const struct {
    const char *name;
    int channels, orientation;
    int tolerance; /* lossy formats: rounding of the decoder's version */
    int needs;     /* 'J', 'P', 'W' */
} pictures[] = {
    { "grey1.png", 1, 1, 0, 'P' },          { "grey2.png", 1, 1, 0, 'P' },
    { "grey4.png", 1, 1, 0, 'P' },          { "grey8.png", 1, 1, 0, 'P' },
    { "grey16.png", 1, 1, 0, 'P' },         { "palette1.png", 3, 1, 0, 'P' },
    { "palette2.png", 3, 1, 0, 'P' },       { "palette4.png", 3, 1, 0, 'P' },
    { "palette8.png", 3, 1, 0, 'P' },       { "palette4_adam7.png", 3, 1, 0, 'P' },
    { "palette8_alpha.png", 4, 1, 0, 'P' }, { "grey1_adam7.png", 1, 1, 0, 'P' },
    { "grey8_key.png", 4, 1, 0, 'P' },      { "rgb8.png", 3, 1, 0, 'P' },
    { "rgb16.png", 3, 1, 0, 'P' },          { "rgba8.png", 4, 1, 0, 'P' },
    { "rgba16.png", 4, 1, 0, 'P' },         { "greyalpha8.png", 4, 1, 0, 'P' },
    { "greyalpha16.png", 4, 1, 0, 'P' },    { "rgba16_adam7.png", 4, 1, 0, 'P' },
    { "rgb420.jpg", 3, 1, 2, 'J' },         { "rgb444.jpg", 3, 1, 2, 'J' },
    { "progressive.jpg", 3, 1, 2, 'J' },    { "grey.jpg", 1, 1, 2, 'J' },
    { "cmyk.jpg", 3, 1, 2, 'J' },           { "lossless.webp", 3, 1, 0, 'W' },
    { "lossy.webp", 3, 1, 2, 'W' },         { "lossless_alpha.webp", 4, 1, 0, 'W' },
    { "turn6.jpg", 3, 6, 2, 'J' },          { "turn3.png", 3, 3, 0, 'P' },
    { "turn8.webp", 3, 8, 0, 'W' },
};

static bool built(int needs)
{
    return strstr(gr_image_formats(), needs == 'J' ? "JPEG" : needs == 'P' ? "PNG" : "WebP") != NULL;
}

static gr_image *open_data(gr_runtime *rt, const char *name, const char *ending, gr_exif exif)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", TEST_FILE("media/data"), name, ending);
    gr_error err = { 0 };
    gr_image *image = NULL;
    gr_image_options o;
    gr_image_options_init(&o);
    o.exif = exif;
    MUST(gr_image_open(&image, rt, path, &o, &err));
    return image;
}

static void check_same(const gr_image *got, const gr_image *want, int tolerance, const char *name)
{
    if (got->width != want->width || got->height != want->height || got->channels != want->channels)
        fail_msg("%s: %d x %d x %d, expected %d x %d x %d", name, got->width, got->height, got->channels,
                 want->width, want->height, want->channels);
    for (int i = 0; i < want->width * want->height * want->channels; i++)
        if (abs(got->pixels[i] - want->pixels[i]) > tolerance)
            fail_msg("%s: sample %d is %d, expected %d", name, i, got->pixels[i], want->pixels[i]);
}

static void pictures_mean_what_pillow_reads(void **state)
{
    gr_runtime *rt = *state;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        const char *name = pictures[i].name;
        if (!built(pictures[i].needs)) {
            printf("SKIP %s: this build does not read it\n", name);
            continue;
        }
        gr_error err = { 0 };
        gr_image *image = open_data(rt, name, "", GR_EXIF_IGNORE), *rgb, *grey;
        gr_image *want_rgb = open_data(rt, name, ".ppm", GR_EXIF_IGNORE);
        gr_image *want_grey = open_data(rt, name, ".pgm", GR_EXIF_IGNORE);
        if (image->channels != pictures[i].channels || image->orientation != pictures[i].orientation)
            fail_msg("%s: %d channels, orientation %d", name, image->channels, image->orientation);
        assert_false(image->upright);
        MUST(gr_image_to_rgb(&rgb, image, &err));
        MUST(gr_image_to_luma(&grey, image, &err));
        check_same(rgb, want_rgb, pictures[i].tolerance, name);
        check_same(grey, want_grey, pictures[i].tolerance, name);
        gr_image *all[] = { image, rgb, grey, want_rgb, want_grey };
        for (size_t k = 0; k < 5; k++)
            gr_image_free(all[k]);
    }
}

static void alpha_is_kept_for_those_who_ask(void **state)
{
    gr_runtime *rt = *state;
    if (!built('P')) {
        printf("SKIP alpha: this build reads no PNG\n");
        skip();
    }
    gr_image *image = open_data(rt, "palette8_alpha.png", "", GR_EXIF_APPLY);
    int below = 0;
    for (int i = 0; i < image->width * image->height; i++)
        below += image->pixels[4 * i + 3] < 255; /* ten of twenty palette entries */
    assert_in_range(below, 20, 60);
    gr_image_free(image);
    image = open_data(rt, "grey8_key.png", "", GR_EXIF_APPLY);
    for (int i = 0; i < image->width * image->height; i++)
        assert_int_equal(image->pixels[4 * i + 3], image->pixels[4 * i] == 3 ? 0 : 255);
    gr_image_free(image);
}

/* Six pixels, numbered; each EXIF orientation shows them as a camera would. */
static void orientations_turn_as_exif_says(void **state)
{
    static const struct {
        int w, h;
        uint8_t pixels[6];
    } want[9] = {
        [1] = { 3, 2, { 1, 2, 3, 4, 5, 6 } }, [2] = { 3, 2, { 3, 2, 1, 6, 5, 4 } },
        [3] = { 3, 2, { 6, 5, 4, 3, 2, 1 } }, [4] = { 3, 2, { 4, 5, 6, 1, 2, 3 } },
        [5] = { 2, 3, { 1, 4, 2, 5, 3, 6 } }, [6] = { 2, 3, { 4, 1, 5, 2, 6, 3 } },
        [7] = { 2, 3, { 6, 3, 5, 2, 4, 1 } }, [8] = { 2, 3, { 3, 6, 2, 5, 1, 4 } },
    };
    gr_error err = { 0 };
    for (int o = 1; o <= 8; o++) {
        gr_image *image;
        MUST(gr_image_new(&image, *state, 3, 2, 1, &err));
        memcpy(image->pixels, want[1].pixels, 6);
        MUST(gr_image_turn(image, o, &err));
        assert_int_equal(image->width, want[o].w);
        assert_int_equal(image->height, want[o].h);
        assert_memory_equal(image->pixels, want[o].pixels, 6);
        gr_image_free(image);
    }
    gr_image *image;
    MUST(gr_image_new(&image, *state, 3, 2, 3, &err));
    MUST_FAIL(gr_image_turn(image, 9, &err), GR_ERR_ARG, "orientation 9");
    gr_image_free(image);
}

static void decoding_turns_upright_unless_told_not_to(void **state)
{
    static const char *const names[] = { "turn6.jpg", "turn8.webp", "turn3.png" };
    for (int i = 0; i < 3; i++) {
        if (!built("JWP"[i]))
            continue;
        gr_error err = { 0 };
        gr_image *turned = open_data(*state, names[i], "", GR_EXIF_APPLY);
        gr_image *raw = open_data(*state, names[i], "", GR_EXIF_IGNORE);
        assert_true(turned->upright);
        MUST(gr_image_turn(raw, raw->orientation, &err));
        check_same(turned, raw, 0, names[i]);
        gr_image_free(turned);
        gr_image_free(raw);
    }
}

static void pnm_is_read_and_scaled(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        int channels;
        uint8_t want[6];
    } cases[] = {
        { "P2 # a comment\n2 1\n100\n50 15", 32, 1, { 128, 38 } },
        { "P3\n2 1 15 0 7 15 1 # x\n15 15", 30, 3, { 0, 119, 255, 17, 255, 255 } },
        { "P5 2 1 255\n\x07\xff", 13, 1, { 7, 255 } },
        { "P5 3 1 65535\n\x00\x05\x00\xff\x01\x00", 19, 1, { 5, 255, 255 } },
        { "P6 1 1 1000\n\x00\x07\x03\xe8\x00\x00", 18, 3, { 2, 255, 0 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        gr_image *image = NULL;
        MUST(gr_image_decode(&image, *state, cases[i].text, cases[i].n, NULL, &err));
        assert_int_equal(image->channels, cases[i].channels);
        assert_memory_equal(image->pixels, cases[i].want, (size_t)(image->width * image->channels));
        gr_image_free(image);
    }
}

/* --- hostile and broken input -------------------------------------------------------------------- */

static void what_is_no_picture_is_named(void **state)
{
    gr_error err = { 0 };
    gr_image *image;
#define REFUSED(bytes, status, part)                                                                    \
    do {                                                                                                \
        MUST_FAIL(gr_image_decode(&image, *state, bytes, sizeof(bytes) - 1, NULL, &err), status, part); \
        assert_null(image);                                                                             \
    } while (0)
    REFUSED("", GR_ERR_FORMAT, "0 bytes");
    REFUSED("h", GR_ERR_FORMAT, "not a picture: 1 bytes beginning with 68");
    REFUSED("GIF89a", GR_ERR_UNSUPPORTED, "a GIF file");
    REFUSED("P4 8 1\n\xa5", GR_ERR_UNSUPPORTED, "PBM");
    REFUSED("P5", GR_ERR_FORMAT, "PNM header");
    REFUSED("P5 2 2 70000\n....", GR_ERR_FORMAT, "70000");
    REFUSED("P5 0 2 255\n", GR_ERR_FORMAT, "0 x 2");
    REFUSED("P5 2 2 255\nabc", GR_ERR_FORMAT, "end early");
    REFUSED("P2 2 1 255\n1 x23", GR_ERR_FORMAT, "after 1 of 2");
    REFUSED("P2 2 1 100\n1 101", GR_ERR_FORMAT, "over the stated maximum");
    REFUSED("P6 60000 60000 255\n", GR_ERR_LIMIT, "178956970 pixels (max_pixels)");
    REFUSED("P6 100000 1 255\n", GR_ERR_LIMIT, "65535 pixels a side");
    REFUSED("P6 99999999999999999999 1 255\n", GR_ERR_FORMAT, "header");
    REFUSED("P5 10000 10000 255\nabc", GR_ERR_FORMAT, "need 100000000 samples"); /* nothing is allocated */
#undef REFUSED
}

static void limits_are_checked_before_anything_is_decoded(void **state)
{
    if (!built('P'))
        skip();
    char *bytes;
    size_t n;
    gr_error err = { 0 };
    gr_image *image;
    gr_image_options o;
    gr_image_options_init(&o);
    MUST(gr_file_read(*state, TEST_FILE("media/data/rgb8.png"), 1 << 20, &bytes, &n, &err));
    o.max_pixels = 11 * 7 - 1;
    MUST_FAIL(gr_image_decode(&image, *state, bytes, n, &o, &err), GR_ERR_LIMIT, "76 pixels (max_pixels)");
    o.max_pixels++;
    MUST(gr_image_decode(&image, *state, bytes, n, &o, &err));
    gr_image_free(image);
    o.max_side = 10;
    MUST_FAIL(gr_image_decode(&image, *state, bytes, n, &o, &err), GR_ERR_LIMIT, "10 pixels a side");
    o.size = 1;
    MUST_FAIL(gr_image_decode(&image, *state, bytes, n, &o, &err), GR_ERR_ARG, "gr_image_options_init");
    gr_free(*state, bytes);
}

/* The header of a PNG that promises 12,000 x 12,000 pixels, and nothing behind it. */
static void a_png_bomb_allocates_nothing(void **state)
{
    if (!built('P'))
        skip();
    static const char bomb[] =
        "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x2e\xe0\0\0\x2e\xe0\x08\x06\0\0\0\x51\x45\x8c\xf1";
    gr_error err = { 0 };
    gr_image *image;
    MUST_FAIL(gr_image_decode(&image, *state, bomb, sizeof bomb - 1, NULL, &err), GR_ERR_FORMAT,
              "12000 x 12000 pixels cannot be in a file of 33 bytes");
}

/* Every prefix of every picture is refused with a sentence, or, leniently, gives what is there. */
static void cut_files_are_refused_and_leniently_shown(void **state)
{
    gr_runtime *rt = *state;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        if (!built(pictures[i].needs))
            continue;
        char path[512], *bytes;
        size_t n;
        gr_error err = { 0 };
        snprintf(path, sizeof path, "%s/%s", TEST_FILE("media/data"), pictures[i].name);
        MUST(gr_file_read(rt, path, 1 << 20, &bytes, &n, &err));
        int shown = 0;
        for (size_t cut = 0; cut + 16 < n; cut += 1 + n / 97) {
            gr_image *image;
            gr_image_options o;
            gr_image_options_init(&o);
            err = (gr_error){ 0 };
            /* A copy of exactly that size: reads past it are seen by the sanitizer. */
            char *copy = gr_malloc(rt, cut, 1);
            memcpy(copy, bytes, cut);
            if (gr_image_decode(&image, rt, copy, cut, &o, &err) == GR_OK)
                fail_msg("%s: cut at %zu of %zu bytes and accepted", path, cut, n);
            assert_true(err.msg[0] != '\0');
            o.lenient = true;
            err = (gr_error){ 0 };
            if (gr_image_decode(&image, rt, copy, cut, &o, &err) == GR_OK)
                shown++;
            gr_image_free(image);
            gr_free(rt, copy);
        }
        if (pictures[i].needs == 'J')
            assert_true(shown > 0);
        gr_free(rt, bytes);
    }
}

static void damaged_bytes_never_crash(void **state)
{
    gr_runtime *rt = *state;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        if (!built(pictures[i].needs))
            continue;
        char path[512], *bytes;
        size_t n;
        gr_error err = { 0 };
        snprintf(path, sizeof path, "%s/%s", TEST_FILE("media/data"), pictures[i].name);
        MUST(gr_file_read(rt, path, 1 << 20, &bytes, &n, &err));
        for (size_t at = 0; at < n; at += 1 + n / 60) {
            gr_image *image;
            gr_image_options o;
            gr_image_options_init(&o);
            o.max_pixels = 1 << 20;
            err = (gr_error){ 0 };
            bytes[at] = (char)(bytes[at] ^ 0x55);
            if (gr_image_decode(&image, rt, bytes, n, &o, &err) != GR_OK)
                assert_true(err.msg[0] != '\0' && !image);
            gr_image_free(image);
            bytes[at] = (char)(bytes[at] ^ 0x55);
        }
        gr_free(rt, bytes);
    }
}

static void what_is_written_reads_back(void **state)
{
    gr_runtime *rt = *state;
    const char *const names[] = { "/tmp/grasp-test-image.png", "/tmp/grasp-test-image.ppm" };
    for (int which = built('P') ? 0 : 1; which < 2; which++)
        for (int channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1) {
            if (which == 1 && channels == 4)
                continue; /* PNM drops alpha, as it says */
            gr_error err = { 0 };
            gr_image *image, *back;
            MUST(gr_image_new(&image, rt, 13, 5, channels, &err));
            for (int i = 0; i < 13 * 5 * channels; i++)
                image->pixels[i] = (uint8_t)(i * 37);
            MUST(gr_image_write(image, names[which], &err));
            MUST(gr_image_open(&back, rt, names[which], NULL, &err));
            check_same(back, image, 0, names[which]);
            gr_image_free(image);
            gr_image_free(back);
            unlink(names[which]);
        }
}

static void a_missing_file_is_named(void **state)
{
    gr_error err = { 0 };
    gr_image *image;
    MUST_FAIL(gr_image_open(&image, *state, "/nonexistent/cat.jpg", NULL, &err), GR_ERR_IO,
              "/nonexistent/cat.jpg");
    MUST_FAIL(gr_image_open(&image, *state, TEST_FILE("media/data/make.py"), NULL, &err), GR_ERR_FORMAT,
              "make.py: not a picture");
}

/* GAR-Bench calls its JPEG files .png, MDVP-Bench some PNG files .jpg. */
static void content_decides_not_the_name(void **state)
{
    NEED_SHARED("demo/demo_image_1.png");
    gr_error err = { 0 };
    gr_image *image;
    if (!built('P') || !built('J')) {
        printf("SKIP names: this build does not read PNG and JPEG\n");
        skip();
    }
    MUST(gr_image_open(&image, *state, SHARED_FILE("demo/demo_image_1.png"), NULL, &err));
    assert_int_equal(image->channels, 4);
    gr_image_free(image);
    MUST(gr_image_open(&image, *state, SHARED_FILE("demo/demo_image_2.jpg"), NULL, &err));
    assert_int_equal(image->channels, 3);
    gr_image_free(image);
}

static int start(void **state) { return (*state = test_runtime()) == NULL; }

static int stop(void **state)
{
    gr_runtime_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_mean_what_pillow_reads),
        cmocka_unit_test(alpha_is_kept_for_those_who_ask),
        cmocka_unit_test(orientations_turn_as_exif_says),
        cmocka_unit_test(decoding_turns_upright_unless_told_not_to),
        cmocka_unit_test(pnm_is_read_and_scaled),
        cmocka_unit_test(what_is_no_picture_is_named),
        cmocka_unit_test(limits_are_checked_before_anything_is_decoded),
        cmocka_unit_test(a_png_bomb_allocates_nothing),
        cmocka_unit_test(cut_files_are_refused_and_leniently_shown),
        cmocka_unit_test(damaged_bytes_never_crash),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(content_decides_not_the_name),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
