#include "bench/picture.h"

#define WIDTH  1024
#define HEIGHT 770

/* Discs of one colour on a slope of grey, all with some noise. */
static const struct {
    int x, y, radius;
    uint8_t colour[3];
} discs[] = {
    { 512, 385, 210, { 200, 60, 40 } },  { 180, 160, 120, { 40, 120, 200 } },
    { 860, 600, 140, { 60, 170, 80 } },  { 820, 170, 90, { 230, 200, 60 } },
    { 200, 620, 100, { 150, 80, 190 } },
};

static void paint(uint8_t pixel[3], int x, int y)
{
    for (int c = 0; c < 3; c++)
        pixel[c] = (uint8_t)(40 + x * 100 / WIDTH + y * 80 / HEIGHT);
    for (size_t i = 0; i < sizeof discs / sizeof *discs; i++) {
        const int dx = x - discs[i].x, dy = y - discs[i].y;
        for (int c = 0; c < 3 && dx * dx + dy * dy < discs[i].radius * discs[i].radius; c++)
            pixel[c] = discs[i].colour[c];
    }
}

gr_status gr_bench_picture(gr_image **out, gr_runtime *rt, gr_error *err)
{
    uint32_t state = 1;
    GR_TRY(gr_image_new(out, rt, WIDTH, HEIGHT, 3, err));
    uint8_t *p = (*out)->pixels;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++, p += 3) {
            paint(p, x, y);
            for (int c = 0; c < 3; c++) {
                state = state * 1664525u + 1013904223u;
                p[c] = (uint8_t)(p[c] + (state >> 29)); /* 0..7; the brightest colour is 230 */
            }
        }
    return GR_OK;
}
