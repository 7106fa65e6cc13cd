/* plot.h - curves over a common axis: panels one below the other, each with its own range.
 *
 * What a plot is made of is borrowed. It knows nothing of what the numbers mean; ranges, ticks and places
 * follow from them. */
#ifndef GR_MEDIA_PLOT_H
#define GR_MEDIA_PLOT_H

#include "media/pen.h"

typedef enum { GR_PLOT_LINE, GR_PLOT_DOTS, GR_PLOT_DOTTED_LINE } gr_plot_mark; /* the last: both */

/* A curve. All numbers are finite and within GR_AXIS_LARGEST (ticks.h); x ascends. */
typedef struct {
    const double *x, *y;
    size_t n;
    gr_plot_mark mark;
    gr_ink ink;
    double width; /* of its line */
} gr_plot_series;

typedef struct {
    const char *heading; /* what is shown, with its unit */
    double height;       /* share of the height: beside the other panels' */
    double log_from;     /* logarithmic where all is above 0 and the largest is this many times the smallest;
                            0: never */
    const gr_plot_series *series; /* the first is drawn first; without a point: the panel says so */
    size_t n_series;
} gr_plot_panel;

/* A line of the legend. */
typedef struct {
    const char *name;
    gr_plot_series like; /* its mark, ink and width */
    double dash;         /* of its line */
} gr_plot_key;

typedef struct {
    const char *title, *subtitle; /* of bytes as they come: gr_pen_clean is applied to all texts */
    const char *x_label;
    bool x_whole; /* ticks of x are whole numbers */
    const gr_plot_panel *panels;
    size_t n_panels;
    const gr_plot_key *keys;
    size_t n_keys;
    const double *marks; /* places on x that get a dashed line */
    size_t n_marks;
} gr_plot;

/* A .png, .svg or .pdf by its name, otherwise GR_ERR_ARG; GR_ERR_UNSUPPORTED where this build has no such
 * pen; GR_ERR_IO: something in the way that no file may replace (target.h). */
gr_status gr_plot_check(const char *path, gr_error *err);
/* Draws it; the file appears when it is whole. Errors as above, GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_plot_write(gr_runtime *rt, const gr_plot *plot, const char *path, gr_error *err);

/* Of points with ascending x, drawn as one line, keeps those that are seen: of each column of this width the
 * first, the lowest, the highest and the last. In place; returns how many are left. */
size_t gr_plot_thin(gr_pen_point *at, size_t n, double column);

#endif
