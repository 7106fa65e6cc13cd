#include "region/box.h"

#include <math.h>

/* The first pixel whose centre is not left of v, within 0..n. */
static int first_centre(double v, int n)
{
    const double i = ceil(v - 0.5);
    return i <= 0 ? 0 : i >= n ? n : (int)i;
}

gr_status gr_box_to_bounds(gr_bounds *out, const double xyxy[4], int width, int height, gr_error *err)
{
    *out = (gr_bounds){ 0 };
    const double x0 = xyxy[0], y0 = xyxy[1], x1 = xyxy[2], y1 = xyxy[3];
    if (!isfinite(x0) || !isfinite(y0) || !isfinite(x1) || !isfinite(y1))
        return gr_fail(err, GR_ERR_ARG,
                       "invalid_region: box [%g, %g, %g, %g] has a number that is not finite", x0, y0, x1,
                       y1);
    if (!(x0 < x1) || !(y0 < y1))
        return gr_fail(
            err, GR_ERR_ARG,
            "invalid_region: box [%g, %g, %g, %g], expected [x0, y0, x1, y1] with x0 < x1 and y0 < y1", x0,
            y0, x1, y1);
    if (x1 <= 0 || y1 <= 0 || x0 >= width || y0 >= height)
        return gr_fail(err, GR_ERR_ARG,
                       "region_out_of_image: box [%g, %g, %g, %g] lies outside the picture of %d x %d pixels",
                       x0, y0, x1, y1, width, height);
    const gr_bounds b = { first_centre(x0, width), first_centre(y0, height), first_centre(x1, width),
                          first_centre(y1, height) };
    if (b.x0 >= b.x1 || b.y0 >= b.y1)
        return gr_fail(err, GR_ERR_ARG,
                       "empty_region: box [%g, %g, %g, %g] contains the centre of no pixel of %d x %d", x0,
                       y0, x1, y1, width, height);
    *out = b;
    return GR_OK;
}

gr_status gr_mask_unit_box(double xyxy[4], const gr_mask *mask, gr_box_edge edge, gr_error *err)
{
    gr_bounds b;
    if (!gr_mask_bounds(mask, &b))
        return gr_fail(err, GR_ERR_ARG, "empty_region: no pixel of the %d x %d mask is set", mask->width,
                       mask->height);
    const int back = edge == GR_BOX_INCLUSIVE ? 1 : 0;
    xyxy[0] = (double)b.x0 / mask->width;
    xyxy[1] = (double)b.y0 / mask->height;
    xyxy[2] = (double)(b.x1 - back) / mask->width;
    xyxy[3] = (double)(b.y1 - back) / mask->height;
    return GR_OK;
}

double gr_coco_box_iou(const double detection[4], const double truth[4], bool crowd)
{
    const double *d = detection, *g = truth;
    const double w = fmin(d[0] + d[2], g[0] + g[2]) - fmax(d[0], g[0]);
    const double h = fmin(d[1] + d[3], g[1] + g[3]) - fmax(d[1], g[1]);
    if (w <= 0 || h <= 0)
        return 0;
    const double both = w * h, area = d[2] * d[3];
    return both / (crowd ? area : area + g[2] * g[3] - both);
}
