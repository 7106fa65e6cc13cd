/* The square around a region: where it lies, and that its tile is those pixels resized and nothing else. */
#include "test.h"

#include "media/resize.h"
#include "train/region_crop.h"

enum { WIDTH = 90, HEIGHT = 70, SIDE = 24 };

static int start(void **state) { return (*state = test_runtime()) == NULL; }

static int stop(void **state)
{
    gr_runtime_free(*state);
    return 0;
}

static const struct {
    const char *name;
    gr_bounds box, want;
} places[] = {
    { "in the middle", { 40, 30, 50, 36 }, { 38, 26, 53, 41 } },
    { "higher than wide", { 40, 20, 44, 32 }, { 33, 17, 51, 35 } },
    { "in the first corner: moved right and down", { 0, 0, 20, 12 }, { 0, 0, 30, 30 } },
    { "in the last corner: moved left and up", { 80, 50, 90, 70 }, { 60, 40, 90, 70 } },
    { "one pixel", { 7, 9, 8, 10 }, { 7, 9, 9, 11 } },
    { "the last pixel", { 89, 69, 90, 70 }, { 88, 68, 90, 70 } },
    { "too large along one axis", { 20, 5, 70, 15 }, { 8, 0, 83, 70 } },
    { "larger than the picture", { 10, 10, 80, 30 }, { 0, 0, 90, 70 } },
};

static void the_square_has_the_box_in_its_middle_and_stays_in_the_picture(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const gr_bounds got = gr_region_crop_place(places[i].box, WIDTH, HEIGHT), want = places[i].want;
        if (memcmp(&got, &want, sizeof got) != 0)
            fail_msg("%s: %d,%d,%d,%d, expected %d,%d,%d,%d", places[i].name, got.x0, got.y0, got.x1, got.y1,
                     want.x0, want.y0, want.x1, want.y1);
    }
}

/* Channel c of pixel (x, y): no two neighbours are alike. */
static uint8_t value(int x, int y, int c) { return (uint8_t)(x * 5 + y * 11 + c * 40); }

static gr_image *picture(gr_runtime *rt, int channels)
{
    gr_error err = { 0 };
    gr_image *image;
    MUST(gr_image_new(&image, rt, WIDTH, HEIGHT, channels, &err));
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        for (int c = 0; c < channels; c++)
            image->pixels[i * channels + c] = value(i % WIDTH, i / WIDTH, c);
    return image;
}

static void pixels_are_those_of_the_place_resized(void **state)
{
    static uint8_t cut[WIDTH * HEIGHT * 3], want[SIDE * SIDE * 3];
    static const int channels[] = { 1, 3, 4 };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (size_t k = 0; k < 3; k++) {
            gr_error err = { 0 };
            const gr_bounds at = places[i].want;
            const int w = at.x1 - at.x0, h = at.y1 - at.y0;
            gr_image *image = picture(*state, channels[k]);
            gr_tiles *got;
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++)
                    for (int c = 0; c < 3; c++) /* grey is replicated, alpha dropped */
                        cut[(y * w + x) * 3 + c] = value(at.x0 + x, at.y0 + y, channels[k] == 1 ? 0 : c);
            MUST(gr_resize_bicubic(*state, want, SIDE, SIDE, cut, w, h, 3, &err));
            MUST(gr_region_crop_pixels(&got, image, at, SIDE, &err));
            assert_memory_equal(got->thumb, want, sizeof want);
            gr_tiles_free(got);
            gr_image_free(image);
        }
}

static void the_mask_is_cut_at_the_same_place_and_stays_sharp(void **state)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        gr_error err = { 0 };
        const gr_bounds at = places[i].want;
        gr_mask *mask;
        gr_tiles *got;
        MUST(gr_mask_new(&mask, *state, WIDTH, HEIGHT, &err));
        for (int y = places[i].box.y0; y < places[i].box.y1; y++)
            for (int x = places[i].box.x0; x < places[i].box.x1; x++)
                mask->data[y * WIDTH + x] = (x + y) % 3 != 1; /* the box's own, with holes */
        mask->data[places[i].box.y0 * WIDTH + places[i].box.x0] = 1;
        MUST(gr_region_crop_mask(&got, mask, at, SIDE, &err));
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const int from_x = at.x0 + gr_nearest_index(x, at.x1 - at.x0, SIDE),
                          from_y = at.y0 + gr_nearest_index(y, at.y1 - at.y0, SIDE);
                assert_int_equal(got->thumb[y * SIDE + x], mask->data[from_y * WIDTH + from_x]);
            }
        gr_tiles_free(got);
        gr_mask_free(mask);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_square_has_the_box_in_its_middle_and_stays_in_the_picture),
        cmocka_unit_test(pixels_are_those_of_the_place_resized),
        cmocka_unit_test(the_mask_is_cut_at_the_same_place_and_stays_sharp),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
