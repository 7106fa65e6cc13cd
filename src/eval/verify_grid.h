/* verify_grid.h - combinations of switches and tile limits: the rows that verify runs. */
#ifndef GR_EVAL_VERIFY_GRID_H
#define GR_EVAL_VERIFY_GRID_H

#include "model/gar_profile.h"

#define GR_GRID_MAX_ROWS 64
#define GR_GRID_NAME     256

typedef struct {
    gr_profile profile;
    int max_tiles;
    char name[GR_GRID_NAME]; /* what was varied or asked for, "roi_mode=paper max_tiles=16" */
} gr_grid_row;

typedef struct {
    gr_grid_row rows[GR_GRID_MAX_ROWS];
    size_t n;
} gr_grid;

/* The combinations that `text` means (see gr_verify_options.grid; NULL is "all") for a model whose own limit
 * is `model_tiles`. The first row is what the table of profiles calls released.
 * GR_ERR_ARG: a name or a value that is none. GR_ERR_LIMIT: more than GR_GRID_MAX_ROWS. */
gr_status gr_grid_parse(gr_grid *grid, const char *text, int model_tiles, gr_error *err);

#endif
