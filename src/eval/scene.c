#include "eval/scene.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

void gr_item_images(char *out, size_t size, const char *given, const char *path)
{
    const char *slash = strrchr(path, '/');
    const int n = slash ? (int)(slash - path) : 1;
    if (given) {
        snprintf(out, size, "%s", given);
        return;
    }
    snprintf(out, size, "%.*s/../annotations", n, slash ? path : ".");
    if (!gr_path_is_dir(out))
        snprintf(out, size, "%.*s", n, slash ? path : ".");
}

void gr_item_scene_fini(gr_item_scene *s)
{
    for (int i = 0; i < s->n_regions; i++)
        gr_region_free(s->regions[i]);
    gr_image_free(s->image);
    *s = (gr_item_scene){ 0 };
}

gr_status gr_item_scene_open(gr_item_scene *s, gr_runtime *rt, const char *images,
                             const gr_reference_item *item, gr_error *err)
{
    char path[4096];
    gr_image_options o;
    gr_region_frame frame;
    *s = (gr_item_scene){ 0 };
    gr_image_options_init(&o);
    o.exif = GR_EXIF_IGNORE;
    if (item->image[0] == '/' || !gr_path_join(path, sizeof path, images, item->image))
        snprintf(path, sizeof path, "%s", item->image);
    GR_TRY(gr_image_open(&s->image, rt, path, &o, err));
    gr_region_frame_init(&frame, s->image);
    for (; s->n_regions < item->n_regions; s->n_regions++) {
        const gr_status st =
            gr_region_resolve(&s->regions[s->n_regions], rt, item->regions[s->n_regions], &frame, err);
        if (st != GR_OK) {
            gr_item_scene_fini(s);
            return st;
        }
    }
    return GR_OK;
}
