/* request.h - a question about regions of a picture becomes tiles, masks, boxes and prompt rows. Spec: gar.md
 * sections 3 to 5. */
#ifndef GR_ENGINE_REQUEST_H
#define GR_ENGINE_REQUEST_H

#include "engine/model.h"
#include "grasp/session.h"
#include "region/tiles.h"
#include "text/ids.h"

typedef struct {
    gr_runtime *rt;
    const gr_model *model;
    gr_canvas canvas;        /* 0 x 0: no picture */
    gr_tiles *pixels, *mask; /* NULL: no picture, no region */
    int n_regions;
    int prompts[GR_MAX_PROMPTS]; /* of region i */
    /* What is replayed: every region in its order, but not extra ones as the released code treats them. */
    int n_boxes;
    float boxes[GR_MAX_PROMPTS][4];
    gr_ids ids, source; /* the prompt's rows */
} gr_prepared;

/* Prompt and canvas: what can be known without touching pixels. gr_prepared_fini after success. */
gr_status gr_request_plan(gr_prepared *p, const gr_model *m, const gr_request *r, gr_error *err);
/* Tiles, masks and boxes, after gr_request_plan. */
gr_status gr_request_cut(gr_prepared *p, const gr_request *r, gr_error *err);
void gr_prepared_fini(gr_prepared *p);

int gr_prepared_image_rows(const gr_prepared *p);
int gr_prepared_region_rows(const gr_prepared *p);

#endif
