/* outline.h - what is inside a shape, and how much room an object takes.
 *
 * Outlines are given in the object's own coordinates: its box is [-1, 1] x [-1, 1], y down, and every shape
 * touches all four sides of it. */
#ifndef GR_SYNTH_OUTLINE_H
#define GR_SYNTH_OUTLINE_H

#include "synth/scene.h"

enum { GR_OUTLINE_MAX = 200 };

typedef struct {
    float x, y;
} gr_point;

typedef struct {
    gr_point at[GR_OUTLINE_MAX];
    int n;      /* corners, of all rings */
    int second; /* where the second ring begins, the hole of GR_SHAPE_RING; n: there is none */
} gr_outline;

/* The hole of a ring, in parts of its width. */
#define GR_RING_HOLE 0.64F

/* Curves as so many corners that no more than 1/1500 of the size is lost. */
void gr_outline_make(gr_outline *out, gr_shape_kind shape);
/* Even-odd. */
bool gr_outline_has(const gr_outline *o, float x, float y);
/* Of the box [-1, 1]^2, in parts: 1 for a square. */
float gr_outline_area(const gr_outline *o);
/* Width over height of its natural form. */
float gr_outline_aspect(gr_shape_kind shape);

/* Radius of the head of a figure in parts of its height; the head is at the top. */
#define GR_FIGURE_HEAD 0.13F

/* x0, y0, x1, y1 of the part of a mirror or screen in which something is seen. */
void gr_panel_glass(const gr_object *o, float box[4]);

/* x0, y0, x1, y1 in pixels, of all that may be painted of the object: the outline of a shape as it is turned,
 * else the turned box. */
void gr_object_bounds(const gr_object *o, float box[4]);
/* From pixels to the object's own coordinates, and back. */
gr_point gr_object_inward(const gr_object *o, float x, float y);
gr_point gr_object_outward(const gr_object *o, float u, float v);
/* Part of the object's area that is under others[0..n), 0..1: sampled on 24 x 24 points. Things count as
 * the cells of their drawing (vocabulary.h), figures as the middle half of their box. */
float gr_object_hidden(const gr_object *o, const gr_object *others, int n);

#endif
