#include "region/canvas.h"

#include <math.h>
#include <stdbool.h>

/* Pairs cols, rows with cols * rows <= 64: the divisors of 1..64 are 280. */
#define MAX_ARRANGEMENTS 280

typedef struct {
    gr_canvas at[MAX_ARRANGEMENTS];
    double ratio[MAX_ARRANGEMENTS]; /* cols / rows; equal ratios lie side by side */
    int n;
} arrangements;

/* Areas descending, columns ascending, then grouped by ratio in order of first appearance. */
static void list_arrangements(arrangements *out, int max_tiles)
{
    arrangements plain = { .n = 0 };
    for (int area = max_tiles; area >= 1; area--)
        for (int cols = 1; cols <= area; cols++)
            if (area % cols == 0) {
                plain.at[plain.n] = (gr_canvas){ cols, area / cols };
                plain.ratio[plain.n++] = (double)cols / (area / cols);
            }
    bool taken[MAX_ARRANGEMENTS] = { false };
    out->n = 0;
    for (int i = 0; i < plain.n; i++)
        for (int j = i; j < plain.n && !taken[i]; j++)
            if (!taken[j] && plain.ratio[j] == plain.ratio[i]) {
                out->at[out->n] = plain.at[j];
                out->ratio[out->n++] = plain.ratio[j];
                taken[j] = j > i;
            }
}

/* Step A of the spec. False when no arrangement holds the picture without shrinking. Doubles, in this order:
 * the floors often sit on integers. */
static bool fit(gr_canvas *out, const arrangements *list, int width, int height, int tile)
{
    const double w = width, h = height, r = w / h;
    bool found = false;
    double best_w = 0, best_h = 0;
    for (int i = 0; i < list->n; i++) {
        const double full_w = (double)tile * list->at[i].cols, full_h = (double)tile * list->at[i].rows;
        if (full_w < w || full_h < h)
            continue;
        const double q = fmin(full_w / w, full_h / h);
        double new_w, new_h;
        if (r > 1) {
            new_w = q * w;
            new_h = floor(new_w / r);
        } else {
            new_h = q * h;
            new_w = floor(new_h * r);
        }
        if (!found || (r < 1 ? new_w >= best_w : new_h >= best_h)) {
            found = true;
            best_w = new_w;
            best_h = new_h;
            *out = list->at[i];
        }
    }
    return found;
}

/* Step B: the nearest shape. Wide pictures look at ratios up to their own, tall ones at ratios strictly
 * above. */
static gr_canvas nearest(const arrangements *list, int width, int height)
{
    const double r = (double)width / (double)height;
    const bool wide = r >= 1;
    double best = 0, least = INFINITY;
    for (int i = 0; i < list->n; i++) {
        const double k = list->ratio[i];
        if (wide ? k > r : k <= r)
            continue;
        const double distance = wide ? fabs(r - k) : fabs(1 / k - 1 / r);
        if (distance < least) {
            least = distance;
            best = k;
        }
    }
    gr_canvas out = { 0, 0 };
    for (int i = 0; i < list->n; i++)
        if (list->ratio[i] == best && (wide ? list->at[i].cols > out.cols : list->at[i].rows > out.rows))
            out = list->at[i];
    return out;
}

gr_status gr_canvas_choose(gr_canvas *out, int width, int height, int max_tiles, int tile_px, gr_error *err)
{
    *out = (gr_canvas){ 0, 0 };
    if (width < 1 || height < 1 || tile_px < 1 || max_tiles < 1 || max_tiles > GR_CANVAS_MAX_TILES)
        return gr_fail(
            err, GR_ERR_ARG,
            "a canvas for %d x %d pixels in at most %d tiles of %d pixels; expected sides of 1 and more "
            "and 1 to %d tiles",
            width, height, max_tiles, tile_px, GR_CANVAS_MAX_TILES);
    arrangements list;
    list_arrangements(&list, max_tiles);
    if (!fit(out, &list, width, height, tile_px))
        *out = nearest(&list, width, height);
    return GR_OK;
}
