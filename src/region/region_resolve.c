/* region_resolve.c - from what was written to the mask of one picture. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "region/box.h"
#include "region/mask.h"
#include "region/polygon.h"
#include "region/region_spec.h"
#include "region/scribble.h"

void gr_region_frame_init(gr_region_frame *frame, const gr_image *image)
{
    *frame = (gr_region_frame){ .size = sizeof *frame,
                                .width = image->width,
                                .height = image->height,
                                .orientation = image->upright ? image->orientation : 1,
                                .image = image };
}

void gr_region_free(gr_region *region)
{
    if (!region)
        return;
    gr_runtime *rt = region->mask->rt;
    gr_mask_free(region->mask);
    gr_free(rt, region);
}

/* What is being made. */
typedef struct {
    gr_runtime *rt;
    const gr_region_spec *spec;
    const gr_region_frame *frame;
    gr_region *region; /* name, source and warnings go here */
    gr_mask *mask;     /* NULL until there is one */
    gr_error *err;
} maker;

static void GR_PRINTF(2, 3) warn(maker *m, const char *fmt, ...)
{
    if (m->region->n_warnings == GR_REGION_MAX_WARNINGS)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(m->region->warnings[m->region->n_warnings++], sizeof m->region->warnings[0], fmt, ap);
    va_end(ap);
}

/* --- coordinates --------------------------------------------------------------------------------- */

/* What coordinates are multiplied with, x and y. */
static void scale_of(const maker *m, double scale[2])
{
    static const double parts[] = {
        [GR_COORDS_NORMALIZED] = 1, [GR_COORDS_PERCENT] = 100, [GR_COORDS_MILLI] = 1000
    };
    const bool pixels = m->spec->coords == GR_COORDS_PIXEL;
    scale[0] = pixels ? 1 : m->frame->width / parts[m->spec->coords];
    scale[1] = pixels ? 1 : m->frame->height / parts[m->spec->coords];
}

/* The points in pixels; the caller's (gr_free). Refuses what is absurd or wholly outside. */
static gr_status points_in_pixels(const maker *m, double **out, double margin, const char *what)
{
    const gr_region_spec *s = m->spec;
    double scale[2], lo[2] = { INFINITY, INFINITY }, hi[2] = { -INFINITY, -INFINITY };
    scale_of(m, scale);
    double *xy = *out = gr_malloc(m->rt, s->n_points, 2 * sizeof *xy);
    if (!xy)
        return gr_fail(m->err, GR_ERR_MEM, "no memory for %zu points", s->n_points);
    for (size_t i = 0; i < 2 * s->n_points; i++) {
        xy[i] = s->xy[i] * scale[i % 2];
        if (!(fabs(xy[i]) <= 1e6))
            return gr_fail(m->err, GR_ERR_ARG,
                           "invalid_region: a %s point at %g, expected -1e6 to 1e6 pixels", what, xy[i]);
        lo[i % 2] = fmin(lo[i % 2], xy[i]);
        hi[i % 2] = fmax(hi[i % 2], xy[i]);
    }
    if (hi[0] + margin <= 0 || hi[1] + margin <= 0 || lo[0] - margin >= m->frame->width ||
        lo[1] - margin >= m->frame->height)
        return gr_fail(
            m->err, GR_ERR_ARG,
            "region_out_of_image: the %s from (%g, %g) to (%g, %g) lies outside the picture of %d x %d "
            "pixels",
            what, lo[0], lo[1], hi[0], hi[1], m->frame->width, m->frame->height);
    return GR_OK;
}

/* --- masks that come with a size of their own ---------------------------------------------------- */

/* The picture's size as it is, or before its EXIF rotation, or of the same shape within 1 %. */
static gr_status fit_size(maker *m)
{
    const int w = m->frame->width, h = m->frame->height, o = m->frame->orientation;
    const int mw = m->mask->width, mh = m->mask->height;
    if (mw == w && mh == h)
        return GR_OK;
    if (o >= 5 && mw == h && mh == w) {
        warn(m, "the mask has the size of the picture before its EXIF rotation and was rotated with it");
        return gr_mask_turn(m->mask, o, m->err);
    }
    const double shape = ((double)mw / mh) / ((double)w / h);
    if (!(fabs(shape - 1) <= 0.01))
        return gr_fail(
            m->err, GR_ERR_SHAPE,
            "mask_size_mismatch: the mask is %d x %d pixels, the picture %d x %d: expected the same size, "
            "or the same shape within 1 %%",
            mw, mh, w, h);
    warn(m, "the mask of %d x %d pixels was resized to the picture's %d x %d", mw, mh, w, h);
    gr_mask *fitted;
    GR_TRY(gr_mask_resize(&fitted, m->mask, w, h, m->err));
    gr_mask_free(m->mask);
    m->mask = fitted;
    return GR_OK;
}

static gr_status open_file(void *user, gr_runtime *rt, const char *path, gr_image **out, gr_error *err)
{
    (void)user;
    gr_image_options o;
    gr_image_options_init(&o);
    o.exif = GR_EXIF_IGNORE;
    return gr_image_open(out, rt, path, &o, err);
}

static gr_status make_from_picture(maker *m)
{
    const gr_region_spec *s = m->spec;
    gr_image *image = NULL;
    gr_status st;
    if (s->kind == GR_REGION_FILE)
        st = (m->frame->load ? m->frame->load : open_file)(m->frame->load_user, m->rt, s->text, &image,
                                                           m->err);
    else {
        gr_image_options o;
        gr_image_options_init(&o);
        o.exif = GR_EXIF_IGNORE;
        st = gr_image_decode(&image, m->rt, s->text, s->n_text, &o, m->err);
        if (st != GR_OK)
            gr_error_prefix(m->err, "the mask's data");
    }
    if (st == GR_OK)
        st = gr_mask_from_image(&m->mask, image, m->err);
    gr_image_free(image);
    return st == GR_OK ? fit_size(m) : st;
}

static gr_status make_from_rle(maker *m)
{
    GR_TRY(gr_rle_to_mask(&m->mask, &m->spec->rle, m->err));
    if (m->spec->row_major)
        GR_TRY(gr_mask_turn(m->mask, 5, m->err)); /* transpose */
    return fit_size(m);
}

static gr_status make_from_alpha(maker *m)
{
    const gr_image *image = m->frame->image;
    if (!image || image->channels != 4)
        return gr_fail(m->err, GR_ERR_ARG,
                       "invalid_region: an alpha region, and the picture has no alpha channel");
    GR_TRY(gr_mask_new(&m->mask, m->rt, image->width, image->height, m->err));
    for (size_t i = 0; i < (size_t)image->width * (size_t)image->height; i++)
        m->mask->data[i] = image->pixels[4 * i + 3] > 0;
    return fit_size(m);
}

/* --- drawn masks --------------------------------------------------------------------------------- */

static gr_status blank(maker *m)
{
    return gr_mask_new(&m->mask, m->rt, m->frame->width, m->frame->height, m->err);
}

static gr_status make_from_box(maker *m)
{
    double scale[2], box[4];
    gr_bounds bounds;
    scale_of(m, scale);
    for (int i = 0; i < 4; i++)
        box[i] = m->spec->box[i] * scale[i % 2];
    GR_TRY(gr_box_to_bounds(&bounds, box, m->frame->width, m->frame->height, m->err));
    GR_TRY(blank(m));
    gr_mask_fill(m->mask, bounds);
    return GR_OK;
}

static gr_status draw_rings(maker *m, const double *xy)
{
    const gr_region_spec *s = m->spec;
    if (s->even_odd)
        return gr_polygon_even_odd(m->mask, xy, s->first, s->n_parts, m->err);
    for (size_t i = 0; i < s->n_parts; i++) {
        gr_rle rle;
        gr_mask *ring;
        GR_TRY(gr_polygon_to_rle(&rle, m->rt, m->mask->height, m->mask->width, xy + 2 * s->first[i],
                                 s->first[i + 1] - s->first[i], m->err));
        gr_status st = gr_rle_to_mask(&ring, &rle, m->err);
        gr_rle_fini(&rle);
        if (st == GR_OK) {
            st = gr_mask_unite(m->mask, ring, m->err);
            gr_mask_free(ring);
        }
        GR_TRY(st);
    }
    return GR_OK;
}

static gr_status make_from_polygon(maker *m)
{
    double *xy = NULL;
    gr_status st = points_in_pixels(m, &xy, 0, "polygon");
    if (st == GR_OK)
        st = blank(m);
    if (st == GR_OK)
        st = draw_rings(m, xy);
    gr_free(m->rt, xy);
    return st;
}

static gr_status make_from_scribble(maker *m)
{
    const gr_region_spec *s = m->spec;
    double *xy = NULL;
    gr_status st = points_in_pixels(m, &xy, s->width_px / 2, "scribble");
    if (st == GR_OK)
        st = blank(m);
    for (size_t i = 0; i < s->n_parts && st == GR_OK; i++)
        st = gr_scribble_draw(m->mask, xy + 2 * s->first[i], s->first[i + 1] - s->first[i], s->width_px,
                              m->err);
    gr_free(m->rt, xy);
    return st;
}

/* The smallest box of whole pixels that all points lie in. */
static gr_status make_box_of_points(maker *m)
{
    double *xy = NULL;
    gr_status st = points_in_pixels(m, &xy, 0, "region's");
    if (st == GR_OK)
        st = blank(m);
    if (st == GR_OK) {
        double lo[2] = { INFINITY, INFINITY }, hi[2] = { -INFINITY, -INFINITY };
        for (size_t i = 0; i < 2 * m->spec->n_points; i++)
            if (m->spec->labels[i / 2]) {
                lo[i % 2] = fmin(lo[i % 2], floor(xy[i]));
                hi[i % 2] = fmax(hi[i % 2], floor(xy[i]) + 1);
            }
        if (lo[0] < hi[0])
            gr_mask_fill(m->mask, (gr_bounds){ (int)lo[0], (int)lo[1], (int)hi[0], (int)hi[1] });
    }
    gr_free(m->rt, xy);
    return st;
}

/* --- earlier regions ----------------------------------------------------------------------------- */

/* The earlier region of that name, NULL: there is none. Where none was given, its place is its name: r0. */
static const gr_region *find_earlier(const gr_region_frame *f, const char *name)
{
    for (size_t i = 0; i < f->n_earlier; i++) {
        char place[32];
        snprintf(place, sizeof place, "r%zu", i);
        if (strcmp(f->earlier[i]->name[0] ? f->earlier[i]->name : place, name) == 0)
            return f->earlier[i];
    }
    return NULL;
}

static gr_status make_from_earlier(maker *m)
{
    const gr_region_frame *f = m->frame;
    const gr_region *from = find_earlier(f, m->spec->text);
    if (!from)
        return gr_fail(
            m->err, GR_ERR_ARG,
            "unknown_region: none of the %zu regions before it has the name \"%.64s\"; a region is "
            "named by {\"name\":\"%.64s\",...}",
            f->n_earlier, m->spec->text, m->spec->text);
    if (from->mask->width != f->width || from->mask->height != f->height)
        return gr_fail(m->err, GR_ERR_SHAPE,
                       "mask_size_mismatch: the region \"%.64s\" is of a picture of %d x %d pixels, this one "
                       "has %d x %d",
                       m->spec->text, from->mask->width, from->mask->height, f->width, f->height);
    m->region->source = from->source;
    GR_TRY(gr_mask_new(&m->mask, m->rt, f->width, f->height, m->err));
    memcpy(m->mask->data, from->mask->data, (size_t)f->width * (size_t)f->height);
    return GR_OK;
}

static gr_status check_name(const maker *m)
{
    const char *name = m->spec->name;
    if (name[0] && find_earlier(m->frame, name))
        return gr_fail(m->err, GR_ERR_ARG,
                       "invalid_region: an earlier region has the name \"%.64s\"; {\"ref\":\"%.64s\"} "
                       "repeats it",
                       name, name);
    return GR_OK;
}

/* --- which way it goes --------------------------------------------------------------------------- */

static gr_status needs_sam(const maker *m, const char *what, const char *instead)
{
    return gr_fail(
        m->err, GR_ERR_UNSUPPORTED,
        "not_built: %s need a segmentation model (SAM) to become a mask, and this build has none%s", what,
        instead);
}

static gr_status make(maker *m)
{
    const gr_region_spec *s = m->spec;
    const bool rect = s->convert == GR_CONVERT_RECT;
    if (s->convert == GR_CONVERT_SAM)
        return needs_sam(m, "regions with \"convert\":\"sam\"", "");
    switch (s->kind) {
    case GR_REGION_FILE:
    case GR_REGION_PICTURE:
        m->region->source = "mask";
        return make_from_picture(m);
    case GR_REGION_ALPHA:
        m->region->source = "alpha";
        return make_from_alpha(m);
    case GR_REGION_RLE:
        m->region->source = "rle";
        return make_from_rle(m);
    case GR_REGION_BOX:
        if (s->n_points > 0 && !rect)
            return needs_sam(m, "a box and points together", "; give the box alone");
        m->region->source = "box";
        return make_from_box(m);
    case GR_REGION_POLYGON:
        m->region->source = "polygon";
        return make_from_polygon(m);
    case GR_REGION_SCRIBBLE:
        if (s->convert == GR_CONVERT_AUTO)
            return needs_sam(m, "scribbles",
                             "; {\"scribble\":...,\"convert\":\"none\"} takes the line itself");
        m->region->source = "scribble";
        return make_from_scribble(m);
    case GR_REGION_POINTS:
        if (!rect)
            return needs_sam(m, "points", "; give a box or a mask");
        m->region->source = "rect";
        return make_box_of_points(m);
    case GR_REGION_TEXT:
        return gr_fail(
            m->err, GR_ERR_UNSUPPORTED,
            "not_built: the region \"%.60s\" is a phrase; it needs a model that grounds phrases (GLaMM)",
            s->text);
    case GR_REGION_REF:
        return make_from_earlier(m);
    case GR_REGION_NONE:
        break;
    }
    return gr_fail(m->err, GR_ERR_ARG, "invalid_region: it has no geometry");
}

/* Bounds, area, and the filled rectangle where that was asked for. */
static gr_status finish(maker *m)
{
    gr_region *r = m->region;
    if (!gr_mask_bounds(m->mask, &r->bounds))
        return gr_fail(m->err, GR_ERR_ARG, "empty_region: no pixel of the picture of %d x %d is inside (%s)",
                       m->frame->width, m->frame->height, r->source);
    if (m->spec->convert == GR_CONVERT_RECT) {
        gr_mask_fill(m->mask, r->bounds);
        r->source = "rect";
    }
    r->area = gr_mask_area(m->mask);
    return GR_OK;
}

static gr_status check_frame(const gr_region_frame *f, gr_error *err)
{
    if (f->size != sizeof *f)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_region_frame.size is %zu, this library expects %zu: call gr_region_frame_init",
                       f->size, sizeof *f);
    if (f->orientation < 1 || f->orientation > 8)
        return gr_fail(err, GR_ERR_ARG, "gr_region_frame.orientation is %d, expected 1 to 8", f->orientation);
    return gr_mask_check_size("a picture", f->width, f->height, err);
}

gr_status gr_region_resolve(gr_region **out, gr_runtime *rt, const gr_region_spec *spec,
                            const gr_region_frame *frame, gr_error *err)
{
    *out = NULL;
    GR_TRY(check_frame(frame, err));
    gr_region *r = gr_calloc(rt, 1, sizeof *r);
    if (!r)
        return gr_fail(err, GR_ERR_MEM, "no memory for a region");
    memcpy(r->name, spec->name, sizeof r->name);
    maker m = { .rt = rt, .spec = spec, .frame = frame, .region = r, .err = err };
    gr_status st = check_name(&m);
    if (st == GR_OK)
        st = make(&m);
    if (st == GR_OK)
        st = finish(&m);
    if (st != GR_OK) {
        gr_mask_free(m.mask);
        gr_free(rt, r);
        return st;
    }
    r->mask = m.mask;
    *out = r;
    return GR_OK;
}
