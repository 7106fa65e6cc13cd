#include "test.h"

#include <dirent.h>

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "region/box.h"
#include "region/rle.h"
#include "region/tiles.h"

static int start(void **state) { return (*state = test_runtime()) == NULL; }

static int stop(void **state)
{
    gr_runtime_free(*state);
    return 0;
}

static void tiles_are_the_thumbnail_and_then_rows_of_the_canvas(void **state)
{
    enum { W = 6, H = 4, S = 2 }; /* the canvas is exactly the picture: nothing is resized there */
    gr_error err = { 0 };
    gr_image *image;
    MUST(gr_image_new(&image, *state, W, H, 3, &err));
    for (int i = 0; i < W * H * 3; i++)
        image->pixels[i] = (uint8_t)(i * 3);
    gr_tiles *t;
    MUST(gr_tiles_of_image(&t, image, (gr_canvas){ 3, 2 }, S, &err));
    assert_int_equal(t->n, 7);
    uint8_t bytes[3 * S * S];
    float floats[3 * S * S];
    const float half[3] = { 0.5f, 0.5f, 0.5f };
    for (int i = 1; i < 7; i++) {
        const int row = (i - 1) / 3, col = (i - 1) % 3;
        gr_tiles_bytes(t, i, bytes);
        gr_tiles_floats(t, i, half, half, floats);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < S; y++)
                for (int x = 0; x < S; x++) {
                    const int at = (c * S + y) * S + x;
                    const uint8_t want = image->pixels[((row * S + y) * W + col * S + x) * 3 + c];
                    assert_int_equal(bytes[at], want);
                    assert_true(floats[at] == (want - 127.5f) / 127.5f);
                }
    }
    gr_tiles_free(t);
    MUST_FAIL(gr_tiles_of_image(&t, image, (gr_canvas){ 9, 8 }, S, &err), GR_ERR_ARG, "9 x 8 tiles");
    image->channels = 4;
    MUST_FAIL(gr_tiles_of_image(&t, image, (gr_canvas){ 1, 1 }, S, &err), GR_ERR_ARG, "4 channels");
    gr_image_free(image);
}

/* An ellipse in 640 x 480 on the canvas (4, 3), counted without the thumbnail, run through the published
 * code: the bicubic switch grows regions of low ids. */
static void bicubic_planes_grow_low_ids(void **state)
{
    static const struct {
        int prompt;
        gr_mask_resample resample;
        int want;
    } cases[] = { { 0, GR_MASK_BICUBIC, 237981 },
                  { 1, GR_MASK_BICUBIC, 237884 },
                  { 4, GR_MASK_BICUBIC, 236118 },
                  { 0, GR_MASK_NEAREST, 236167 },
                  { 4, GR_MASK_NEAREST, 236167 } };
    gr_error err = { 0 };
    gr_mask *mask;
    MUST(gr_mask_new(&mask, *state, 640, 480, &err));
    for (int y = 0; y < 480; y++)
        for (int x = 0; x < 640; x++) {
            const double dx = (x - 300) / 120.0, dy = (y - 220) / 80.0;
            mask->data[y * 640 + x] = dx * dx + dy * dy < 1;
        }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_prompt_plane *plane;
        gr_tiles *t;
        MUST(gr_plane_new(&plane, *state, 640, 480, 5, &err));
        MUST(gr_plane_paint(plane, mask, cases[i].prompt, GR_EXTRA_REFUSE, &err));
        gr_plane_finish(plane);
        MUST(gr_tiles_of_plane(&t, plane, (gr_canvas){ 4, 3 }, 448, cases[i].resample, &err));
        int got = 0;
        for (size_t k = 0; k < 448 * 448 * 12; k++)
            got += t->whole[k];
        assert_int_equal(got, cases[i].want);
        assert_false(gr_tiles_empty(t, 0));
        assert_true(gr_tiles_empty(t, 12)); /* bottom right: the ellipse ends at x 420, y 300 */
        assert_false(gr_tiles_empty(t, 2));
        gr_tiles_free(t);
        gr_plane_free(plane);
    }
    gr_mask_free(mask);
}

/* --- golden cases: the published preprocessing from picture and run lengths to tiles ------------- */

typedef struct {
    char file[128], resample[16], bbox[16];
    int size[2], canvas[2], max_tiles, n_regions;
    uint32_t crc_plane, crc_mask;
    int prompt[8];
    gr_rle rle[8];
    double box[8][4];
} golden_case;

static void read_region(gr_json *j, gr_runtime *rt, golden_case *g)
{
    const int r = g->n_regions++;
    assert_in_range(r, 0, 7);
    const char *key;
    int size[2] = { 0 }, k = 0;
    uint32_t runs[4096];
    size_t n = 0;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "prompt") == 0)
            g->prompt[r] = (int)gr_json_int(j, 0, 100);
        else if (strcmp(key, "size") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                size[k++ & 1] = (int)gr_json_int(j, 1, 10000);
        else if (strcmp(key, "counts") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                runs[n++ & 4095] = (uint32_t)gr_json_int(j, 0, UINT32_MAX);
        else if (strcmp(key, "box") == 0) {
            int at = 0;
            for (gr_json_array(j); gr_json_item(j);)
                g->box[r][at++ & 3] = gr_json_number(j);
        } else
            gr_json_skip(j);
    }
    gr_error err = { 0 };
    MUST(gr_rle_from_runs(&g->rle[r], rt, size[0], size[1], runs, n, &err));
}

static void read_pair(gr_json *j, int pair[2])
{
    int k = 0;
    if (!gr_json_null(j))
        for (gr_json_array(j); gr_json_item(j);)
            pair[k++ & 1] = (int)gr_json_int(j, 0, 10000);
}

static void read_text(gr_json *j, char *out, size_t n) { snprintf(out, n, "%s", gr_json_string(j, NULL)); }

static void read_case(gr_runtime *rt, const char *path, golden_case *g)
{
    gr_error err = { 0 };
    char *text;
    size_t n;
    *g = (golden_case){ 0 };
    MUST(gr_file_read(rt, path, 1 << 24, &text, &n, &err));
    gr_json j;
    gr_json_init(&j, rt, text, n, path, 1 << 20);
    const char *key;
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        if (strcmp(key, "inputs") == 0)
            read_text(&j, g->file, sizeof g->file);
        else if (strcmp(key, "mask_resample") == 0)
            read_text(&j, g->resample, sizeof g->resample);
        else if (strcmp(key, "bbox") == 0)
            read_text(&j, g->bbox, sizeof g->bbox);
        else if (strcmp(key, "max_num_tiles") == 0)
            g->max_tiles = (int)gr_json_int(&j, 1, 64);
        else if (strcmp(key, "image_size") == 0)
            read_pair(&j, g->size);
        else if (strcmp(key, "canvas") == 0)
            read_pair(&j, g->canvas);
        else if (strcmp(key, "regions") == 0)
            for (gr_json_array(&j); gr_json_item(&j);)
                read_region(&j, rt, g);
        else if (strcmp(key, "crc32") == 0)
            for (gr_json_object(&j); gr_json_key(&j, &key);) {
                const uint32_t crc = strcmp(key, "plane") && strcmp(key, "mask_values") ? 0 : 1;
                if (!crc)
                    gr_json_skip(&j);
                else if (key[0] == 'p')
                    g->crc_plane = (uint32_t)gr_json_int(&j, 0, UINT32_MAX);
                else
                    g->crc_mask = (uint32_t)gr_json_int(&j, 0, UINT32_MAX);
            }
        else
            gr_json_skip(&j);
    }
    MUST(gr_json_status(&j, true, &err));
    gr_json_fini(&j);
    gr_free(rt, text);
}

static void check_picture(gr_runtime *rt, const golden_case *g, const char *path, int *differ, int *bytes,
                          int *tile_px)
{
    char file[512];
    snprintf(file, sizeof file, "%.*s/%s", (int)(strrchr(path, '/') - path), path, g->file);
    gr_error err = { 0 };
    char *all;
    size_t size;
    gr_safetensors *st;
    MUST(gr_file_read(rt, file, 1 << 28, &all, &size, &err));
    const gr_source memory = gr_source_of(all, size);
    MUST(gr_safetensors_parse(&st, rt, &memory, file, &err));
    const gr_safetensor *in = gr_safetensors_find(st, "image"),
                        *want = gr_safetensors_find(st, "tile_pixels");
    assert_non_null(in);
    assert_non_null(want);
    assert_true(in->shape[0] == g->size[1] && in->shape[1] == g->size[0]);
    const int s = *tile_px = (int)want->shape[3];
    gr_image *image;
    gr_canvas canvas;
    gr_tiles *t;
    MUST(gr_image_new(&image, rt, g->size[0], g->size[1], 3, &err));
    memcpy(image->pixels, all + in->offset, in->bytes);
    MUST(gr_canvas_choose(&canvas, g->size[0], g->size[1], g->max_tiles, s, &err));
    if (canvas.cols != g->canvas[0] || canvas.rows != g->canvas[1])
        fail_msg("%s: canvas (%d, %d), expected (%d, %d)", path, canvas.cols, canvas.rows, g->canvas[0],
                 g->canvas[1]);
    MUST(gr_tiles_of_image(&t, image, canvas, s, &err));
    assert_int_equal(want->shape[0], t->n);
    const uint8_t *tiles = (const uint8_t *)all + want->offset;
    uint8_t *tile = malloc((size_t)(3 * s * s));
    for (int i = 0; i < t->n; i++) {
        gr_tiles_bytes(t, i, tile);
        for (int k = 0; k < 3 * s * s; k++) {
            const int d = abs(tile[k] - tiles[(size_t)i * (size_t)(3 * s * s) + (size_t)k]);
            *differ += d != 0;
            if (d > 1)
                fail_msg("%s: tile %d, byte %d differs by %d", path, i, k, d);
        }
        *bytes += 3 * s * s;
    }
    free(tile);
    gr_tiles_free(t);
    gr_image_free(image);
    gr_safetensors_free(st);
    gr_free(rt, all);
}

static uint32_t crc_add(uint32_t crc, const uint8_t *p, size_t n)
{
    for (crc = ~crc; n--;) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void check_regions(gr_runtime *rt, golden_case *g, const char *path, int tile_px)
{
    gr_error err = { 0 };
    gr_prompt_plane *plane;
    MUST(gr_plane_new(&plane, rt, g->size[0], g->size[1], 5, &err));
    for (int r = 0; r < g->n_regions; r++) {
        gr_mask *mask;
        double box[4];
        MUST(gr_rle_to_mask(&mask, &g->rle[r], &err));
        MUST(gr_mask_unit_box(box, mask, strcmp(g->bbox, "inclusive") ? GR_BOX_EXCLUSIVE : GR_BOX_INCLUSIVE,
                              &err));
        for (int k = 0; k < 4; k++)
            if (box[k] != g->box[r][k])
                fail_msg("%s: region %d, edge %d is %.17g, expected %.17g", path, r, k, box[k], g->box[r][k]);
        MUST(gr_plane_paint(plane, mask, g->prompt[r], GR_EXTRA_REFUSE, &err));
        gr_mask_free(mask);
        gr_rle_fini(&g->rle[r]);
    }
    gr_plane_finish(plane);
    assert_int_equal(crc_add(0, plane->ids, (size_t)(g->size[0] * g->size[1])), g->crc_plane);
    gr_tiles *t;
    MUST(gr_tiles_of_plane(&t, plane, (gr_canvas){ g->canvas[0], g->canvas[1] }, tile_px,
                           strcmp(g->resample, "nearest") ? GR_MASK_BICUBIC : GR_MASK_NEAREST, &err));
    uint8_t *tile = malloc((size_t)(tile_px * tile_px));
    uint32_t crc = 0;
    for (int i = 0; i < t->n; i++) {
        gr_tiles_bytes(t, i, tile);
        crc = crc_add(crc, tile, (size_t)(tile_px * tile_px));
    }
    if (crc != g->crc_mask)
        fail_msg("%s: the mask tiles differ", path);
    free(tile);
    gr_tiles_free(t);
    gr_plane_free(plane);
}

static void golden_pictures_and_regions_become_the_same_tiles(void **state)
{
    const char *folder = TEST_FILE("golden/gar");
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int n_cases = 0, n_masked = 0, differ = 0, bytes = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char path[512];
        const char *dot = strchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".json") || e->d_name[1] != '-')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        golden_case g;
        read_case(*state, path, &g);
        if (g.size[0] == 0)
            continue;
        int tile_px = 0;
        check_picture(*state, &g, path, &differ, &bytes, &tile_px);
        if (g.n_regions > 0) {
            check_regions(*state, &g, path, tile_px);
            n_masked++;
        }
        n_cases++;
    }
    closedir(dir);
    printf("%d cases, %d with regions, %d of %d bytes differ by 1\n", n_cases, n_masked, differ, bytes);
    assert_true(n_cases >= 10 && n_masked >= 10);
    assert_true(differ <= 1e-4 * bytes); /* torch's build fuses products and sums, ours may not */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_are_the_thumbnail_and_then_rows_of_the_canvas),
        cmocka_unit_test(bicubic_planes_grow_low_ids),
        cmocka_unit_test(golden_pictures_and_regions_become_the_same_tiles),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
