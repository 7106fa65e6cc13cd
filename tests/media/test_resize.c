#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "media/resize.h"

/* Weights that torch computes (spec 3.3), to the digits given there. */
static void weights_are_those_of_torch(void **state)
{
    static const struct {
        int n_in, n_out, i, start, count;
        float weight[5];
    } cases[] = {
        { 640, 448, 0, 0, 4, { 0.692248f, 0.359918f, -0.0512996f, -0.0008664f } },
        { 640, 448, 1, 0, 5, { -0.0378025f, 0.4398082f, 0.6049705f, 0.0207979f, -0.0277741f } },
        { 640, 448, 447, 636, 4, { -0.0008666f, -0.051299f, 0.3599229f, 0.6922427f } },
        { 480, 1344, 0, 0, 2, { 1.1031363f, -0.1031363f } },
        { 480, 1344, 700, 248, 4, { -0.0350534f, 0.3175309f, 0.7915249f, -0.0740023f } },
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        gr_error err = { 0 };
        gr_resize_axis axis;
        MUST(gr_resize_axis_init(&axis, *state, cases[c].n_in, cases[c].n_out, &err));
        const float *w = axis.weight + cases[c].i * axis.max_taps;
        assert_int_equal(axis.start[cases[c].i], cases[c].start);
        int n = axis.count[cases[c].i];
        while (n > cases[c].count && w[n - 1] == 0.0f)
            n--; /* a tap on the very end of the kernel weighs nothing and is not listed */
        assert_int_equal(n, cases[c].count);
        for (int k = 0; k < n; k++)
            if (fabsf(w[k] - cases[c].weight[k]) >
                1e-6f) /* seven digits are given; the last may be rounded */
                fail_msg("%d -> %d, output %d, tap %d: %.7f, expected %.7f", cases[c].n_in, cases[c].n_out,
                         cases[c].i, k, (double)w[k], (double)cases[c].weight[k]);
        gr_resize_axis_fini(&axis, *state);
    }
}

static void every_weight_stays_inside_and_sums_to_one(void **state)
{
    static const int sizes[][2] = {
        { 1, 448 },   { 2, 448 },    { 9, 448 },   { 447, 448 },   { 448, 448 },
        { 449, 448 }, { 5000, 448 }, { 65535, 1 }, { 100, 16128 }, { 65535, 448 }
    };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        gr_error err = { 0 };
        gr_resize_axis axis;
        MUST(gr_resize_axis_init(&axis, *state, sizes[s][0], sizes[s][1], &err));
        for (int i = 0; i < axis.n_out; i++) {
            double sum = 0;
            for (int k = 0; k < axis.count[i]; k++)
                sum += (double)axis.weight[(size_t)i * (size_t)axis.max_taps + (size_t)k];
            if (axis.count[i] < 1 || axis.start[i] < 0 || axis.start[i] + axis.count[i] > axis.n_in ||
                fabs(sum - 1) > 1e-4)
                fail_msg("%d -> %d, output %d: %d taps from %d, sum %g", axis.n_in, axis.n_out, i,
                         axis.count[i], axis.start[i], sum);
        }
        gr_resize_axis_fini(&axis, *state);
    }
}

static void fill(uint8_t *p, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(gr_uniform(3, stream, i / 5) * 256); /* runs of five: edges and flats */
}

/* A plain reference: both passes over the whole picture, as section 3.3 reads. */
static void reference(gr_runtime *rt, uint8_t *out, int ow, int oh, const uint8_t *in, int iw, int ih, int c)
{
    gr_error err = { 0 };
    gr_resize_axis x, y;
    MUST(gr_resize_axis_init(&x, rt, iw, ow, &err));
    MUST(gr_resize_axis_init(&y, rt, ih, oh, &err));
    float *mid = malloc(sizeof *mid * (size_t)(ih * ow * c));
    for (int r = 0; r < ih; r++)
        for (int i = 0; i < ow * c; i++) {
            const float *w = x.weight + (i / c) * x.max_taps;
            float sum = 0;
            for (int k = 0; k < x.count[i / c]; k++) {
                const float product = w[k] * in[(r * iw + x.start[i / c] + k) * c + i % c];
                sum = k ? sum + product : product;
            }
            mid[r * ow * c + i] = sum;
        }
    for (int r = 0; r < oh; r++)
        for (int i = 0; i < ow * c; i++) {
            float sum = 0;
            for (int k = 0; k < y.count[r]; k++) {
                const float product = y.weight[r * y.max_taps + k] * mid[(y.start[r] + k) * ow * c + i];
                sum = k ? sum + product : product;
            }
            out[r * ow * c + i] = (uint8_t)rintf(fminf(fmaxf(sum, 0), 255));
        }
    free(mid);
    gr_resize_axis_fini(&x, rt);
    gr_resize_axis_fini(&y, rt);
}

static void bands_and_threads_do_not_change_the_bits(void **state)
{
    static const int cases[][5] = { { 640, 480, 448, 448, 3 }, { 37, 1000, 90, 300, 3 },
                                    { 9, 9, 448, 448, 3 },     { 1, 1, 20, 20, 3 },
                                    { 700, 5, 48, 200, 1 },    { 50, 2000, 50, 20, 4 },
                                    { 300, 200, 300, 200, 3 }, { 64, 64, 65, 64, 2 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int iw = cases[i][0], ih = cases[i][1], ow = cases[i][2], oh = cases[i][3], c = cases[i][4];
        const size_t n_in = (size_t)(iw * ih * c), n_out = (size_t)(ow * oh * c);
        uint8_t *in = malloc(n_in), *want = malloc(n_out), *got = malloc(n_out);
        fill(in, n_in, i);
        reference(*state, want, ow, oh, in, iw, ih, c);
        for (int threads = 1; threads <= 3; threads += 2) {
            gr_runtime *rt = test_runtime_threads(threads);
            gr_error err = { 0 };
            memset(got, 7, n_out);
            MUST(gr_resize_bicubic(rt, got, ow, oh, in, iw, ih, c, &err));
            if (memcmp(got, want, n_out))
                fail_msg("case %zu with %d threads differs from the plain reference", i, threads);
            gr_runtime_free(rt);
        }
        free(in), free(want), free(got);
    }
}

/* What torchvision 0.20 gives for v(x, y) = (37 x + 91 y + x y) mod 256. */
static void small_pictures_come_out_as_from_torchvision(void **state)
{
#include "resize_cases.inc"
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t in[64 * 64], got[64 * 64];
        for (int y = 0; y < cases[i].ih; y++)
            for (int x = 0; x < cases[i].iw; x++)
                in[y * cases[i].iw + x] = (uint8_t)(37 * x + 91 * y + x * y);
        gr_error err = { 0 };
        MUST(gr_resize_bicubic(*state, got, cases[i].ow, cases[i].oh, in, cases[i].iw, cases[i].ih, 1, &err));
        for (int k = 0; k < cases[i].ow * cases[i].oh; k++)
            if (got[k] != cases[i].want[k])
                fail_msg("case %zu, pixel %d: %d, expected %d", i, k, got[k], cases[i].want[k]);
    }
}

static void nearest_has_no_half_pixel_centre(void **state)
{
    (void)state;
    static const int i[] = { 0, 1, 2, 3, 10, 446, 447 }, want[] = { 0, 1, 2, 4, 14, 637, 638 };
    for (int k = 0; k < 7; k++)
        assert_int_equal(gr_nearest_index(i[k], 640, 448), want[k]);
    const uint8_t in[6] = { 1, 2, 3, 4, 5, 6 }; /* 3 x 2 */
    uint8_t out[4 * 3];
    gr_resize_nearest(out, 4, 3, in, 3, 2, 1);
    const uint8_t expected[12] = { 1, 1, 2, 3, 1, 1, 2, 3, 4, 4, 5, 6 };
    assert_memory_equal(out, expected, 12);
}

static void absurd_sizes_are_refused(void **state)
{
    gr_error err = { 0 };
    uint8_t p[4] = { 0 };
    MUST_FAIL(gr_resize_bicubic(*state, p, 0, 1, p, 1, 1, 3, &err), GR_ERR_ARG, "1 to 0");
    MUST_FAIL(gr_resize_bicubic(*state, p, 1, 1, p, 1, -1, 3, &err), GR_ERR_ARG, "-1 to 1");
    MUST_FAIL(gr_resize_bicubic(*state, p, 1, 1, p, 1, 1, 5, &err), GR_ERR_ARG, "5 channels");
}

/* --- golden files: torchvision on pictures of many sizes ----------------------------------------- */

static void golden_pictures_differ_by_one_in_few_bytes(void **state)
{
    const char *path = TEST_FILE("golden/vision/resize.safetensors");
    gr_error err = { 0 };
    char *all;
    size_t size;
    gr_safetensors *file;
    MUST(gr_file_read(*state, path, 1 << 28, &all, &size, &err));
    const gr_source memory = gr_source_of(all, size);
    MUST(gr_safetensors_parse(&file, *state, &memory, path, &err));
    size_t differ = 0, total = 0, n_pictures = 0;
    for (size_t i = 0; i < gr_safetensors_count(file); i++) {
        const gr_safetensor *in = gr_safetensors_at(file, i);
        char name[256];
        const size_t base = strlen(in->name) - 3;
        if (strlen(in->name) < 4 || strcmp(in->name + base, ".in"))
            continue;
        snprintf(name, sizeof name, "%.*s.out", (int)base, in->name);
        const gr_safetensor *want = gr_safetensors_find(file, name); /* [3, H, W] */
        assert_non_null(want);
        const int h = (int)want->shape[1], w = (int)want->shape[2];
        const uint8_t *pixels = (const uint8_t *)all + in->offset,
                      *expected = (const uint8_t *)all + want->offset;
        uint8_t *got = malloc(want->bytes);
        MUST(gr_resize_bicubic(*state, got, w, h, pixels, (int)in->shape[1], (int)in->shape[0], 3, &err));
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < w * h; k++) {
                const int d = abs(got[3 * k + c] - expected[c * w * h + k]);
                if (d > 1)
                    fail_msg("%s: channel %d, pixel %d differs by %d", name, c, k, d);
                differ += d != 0;
            }
        total += want->bytes;
        n_pictures++;
        free(got);
    }
    printf("%zu pictures, %zu of %zu bytes differ by 1\n", n_pictures, differ, total);
    assert_true(n_pictures >= 10 && (double)differ <= 1e-4 * (double)total);
    gr_safetensors_free(file);
    gr_free(*state, all);
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0u;
    while (n--) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* Rows {"in", "out", "crc32" of the indices as little-endian int32, ...}. */
static void golden_nearest_indices_are_equal(void **state)
{
    const char *path = TEST_FILE("golden/vision/nearest.json"), *key;
    gr_error err = { 0 };
    char *text;
    size_t n;
    MUST(gr_file_read(*state, path, 1 << 24, &text, &n, &err));
    gr_json j;
    gr_json_init(&j, *state, text, n, path, 1024);
    int n_rows = 0;
    for (gr_json_array(&j); gr_json_item(&j); n_rows++) {
        int n_in = 1, n_out = 1;
        uint32_t crc = 0;
        for (gr_json_object(&j); gr_json_key(&j, &key);)
            if (strcmp(key, "in") == 0)
                n_in = (int)gr_json_int(&j, 1, 1 << 24);
            else if (strcmp(key, "out") == 0)
                n_out = (int)gr_json_int(&j, 1, 1 << 24);
            else if (strcmp(key, "crc32") == 0)
                crc = (uint32_t)gr_json_int(&j, 0, UINT32_MAX);
            else
                gr_json_skip(&j);
        uint8_t *bytes = malloc(4 * (size_t)n_out);
        for (int i = 0; i < n_out; i++) {
            const uint32_t index = (uint32_t)gr_nearest_index(i, n_in, n_out);
            for (int k = 0; k < 4; k++)
                bytes[4 * i + k] = (uint8_t)(index >> 8 * k);
        }
        if (crc32_of(bytes, 4 * (size_t)n_out) != crc)
            fail_msg("%d -> %d: the indices differ", n_in, n_out);
        free(bytes);
    }
    MUST(gr_json_status(&j, true, &err));
    assert_true(n_rows >= 20);
    gr_json_fini(&j);
    gr_free(*state, text);
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
        cmocka_unit_test(weights_are_those_of_torch),
        cmocka_unit_test(every_weight_stays_inside_and_sums_to_one),
        cmocka_unit_test(bands_and_threads_do_not_change_the_bits),
        cmocka_unit_test(small_pictures_come_out_as_from_torchvision),
        cmocka_unit_test(nearest_has_no_half_pixel_centre),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(golden_pictures_differ_by_one_in_few_bytes),
        cmocka_unit_test(golden_nearest_indices_are_equal),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
