/* paint.h - the prompt plane: which visual prompt, if any, a pixel belongs to.
 * Source: GAR, projects/grasp_any_region; the first region painted keeps a pixel. */
#ifndef GR_REGION_PAINT_H
#define GR_REGION_PAINT_H

#include "grasp/region.h"

/* A region whose prompt the model has no id for (five or more in GAR). */
typedef enum {
    GR_EXTRA_REFUSE,   /* too_many_regions */
    GR_EXTRA_RELEASED, /* painted as background, and in the way of later regions, as the published code does
                        */
    GR_EXTRA_REUSE     /* ids begin again: marked, though not told apart */
} gr_extra_prompts;

typedef struct {
    gr_runtime *rt;
    int width, height;
    int n_prompts; /* ids 0..n_prompts-1; n_prompts itself is "no prompt"; at most 254 */
    uint8_t *ids;  /* [height][width]; GR_UNPAINTED until gr_plane_finish */
} gr_prompt_plane;

#define GR_UNPAINTED 255

/* A plane on which nothing is painted. GR_ERR_ARG: n_prompts outside 1..254, a side below 1. GR_ERR_MEM. */
gr_status gr_plane_new(gr_prompt_plane **out, gr_runtime *rt, int width, int height, int n_prompts,
                       gr_error *err);
void gr_plane_free(gr_prompt_plane *plane); /* NULL is fine */

/* Gives the still unpainted pixels of the mask to `prompt` (0..). GR_ERR_SHAPE: mask_size_mismatch.
 * GR_ERR_ARG: empty_region. GR_ERR_LIMIT: too_many_regions. */
gr_status gr_plane_paint(gr_prompt_plane *plane, const gr_mask *mask, int prompt, gr_extra_prompts extra,
                         gr_error *err);
/* Gives every pixel to one prompt: whole-picture training rows. */
void gr_plane_fill(gr_prompt_plane *plane, int prompt);
/* What is still unpainted becomes "no prompt". */
void gr_plane_finish(gr_prompt_plane *plane);

#endif
