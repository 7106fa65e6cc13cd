/* pen.h - what a drawing is made with: lines, areas, dots and text on one page.
 *
 * Lengths are points, from the top left corner, y downwards. A drawing is written while it is made; whether
 * that went well, closing tells. One file a kind of page: pen_svg.c is always there, pen_cairo.c where its
 * library is. */
#ifndef GR_MEDIA_PEN_H
#define GR_MEDIA_PEN_H

#include "base/file.h"

typedef struct {
    double x, y;
} gr_pen_point;

typedef struct {
    double x, y, width, height;
} gr_pen_box;

typedef struct {
    uint32_t rgb; /* 0xrrggbb */
    double alpha; /* 0: nothing is seen; 1: opaque */
} gr_ink;

typedef struct {
    gr_ink ink;
    double width, dash; /* dash: length of dashes and of the gaps between them; 0: none */
} gr_pen_stroke;

typedef enum { GR_PEN_LEFT, GR_PEN_MIDDLE, GR_PEN_RIGHT } gr_pen_align; /* which part of a text is placed */

typedef struct {
    double size;
    bool bold;
    gr_pen_align align;
    gr_ink ink;
} gr_pen_type;

typedef struct gr_pen gr_pen;

/* Texts are UTF-8 without control characters (gr_pen_clean); `at` of a text is on its base line. */
typedef struct {
    void (*line)(gr_pen *p, const gr_pen_point *at, size_t n, const gr_pen_stroke *stroke);
    void (*area)(gr_pen *p, const gr_pen_box *box, gr_ink ink);
    void (*dot)(gr_pen *p, gr_pen_point at, double radius, gr_ink ink);
    void (*text)(gr_pen *p, gr_pen_point at, const gr_pen_type *type, const char *text);
    double (*text_width)(gr_pen *p, const gr_pen_type *type, const char *text);
    void (*clip)(gr_pen *p, const gr_pen_box *box); /* nothing outside is drawn, until unclip */
    void (*unclip)(gr_pen *p);
    gr_status (*close)(gr_pen *p, gr_error *err); /* writes the end, and gives the pen back in every case */
} gr_pen_kind;

struct gr_pen {
    const gr_pen_kind *kind;
    gr_runtime *rt;
    gr_file_writer *out; /* borrowed */
};

typedef struct {
    double width, height;
    const char *title; /* what a program calls the drawing */
} gr_pen_page;

/* A white page. On failure *out is NULL. GR_ERR_MEM. */
gr_status gr_pen_open_svg(gr_pen **out, gr_runtime *rt, gr_file_writer *to, const gr_pen_page *page,
                          gr_error *err);
/* Two pixels a point. */
gr_status gr_pen_open_png(gr_pen **out, gr_runtime *rt, gr_file_writer *to, const gr_pen_page *page,
                          gr_error *err);
gr_status gr_pen_open_pdf(gr_pen **out, gr_runtime *rt, gr_file_writer *to, const gr_pen_page *page,
                          gr_error *err);

/* Copies a text so that every pen takes it: what is no UTF-8, and what is no character, becomes '?'; cut at a
 * character to n bytes with the closing zero. */
void gr_pen_clean(char *out, size_t n, const char *text);

#endif
