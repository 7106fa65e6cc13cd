/* scene.h - the picture of a benchmark's item, and its regions. */
#ifndef GR_EVAL_SCENE_H
#define GR_EVAL_SCENE_H

#include "eval/reference.h"
#include "grasp/image.h"
#include "model/gar_config.h"

typedef struct {
    gr_image *image;
    gr_region *regions[GR_MAX_PROMPTS];
    int n_regions;
} gr_item_scene;

/* The folder that image paths of a file of items begin in: `given`, or, where that is NULL, "../annotations"
 * beside the file when it is there, else the file's own. */
void gr_item_images(char *out, size_t size, const char *given, const char *path);

/* EXIF is ignored, as by the published scripts. Fails as gr_image_open and gr_region_resolve; then there is
 * nothing to release. */
gr_status gr_item_scene_open(gr_item_scene *s, gr_runtime *rt, const char *images,
                             const gr_reference_item *item, gr_error *err);
void gr_item_scene_fini(gr_item_scene *s);

#endif
