#include "region/paint.h"

#include <string.h>

#include "base/alloc.h"
#include "region/mask.h"

static size_t n_pixels(const gr_prompt_plane *p) { return (size_t)p->width * (size_t)p->height; }

gr_status gr_plane_new(gr_prompt_plane **out, gr_runtime *rt, int width, int height, int n_prompts,
                       gr_error *err)
{
    *out = NULL;
    if (n_prompts < 1 || n_prompts > GR_UNPAINTED - 1)
        return gr_fail(err, GR_ERR_ARG, "a prompt plane for %d prompts, expected 1 to %d", n_prompts,
                       GR_UNPAINTED - 1);
    GR_TRY(gr_mask_check_size("a prompt plane", width, height, err));
    gr_prompt_plane *p = gr_calloc(rt, 1, sizeof *p);
    if (p) {
        *p = (gr_prompt_plane){ .rt = rt, .width = width, .height = height, .n_prompts = n_prompts };
        p->ids = gr_malloc(rt, n_pixels(p), 1);
    }
    if (!p || !p->ids) {
        gr_free(rt, p);
        return gr_fail(err, GR_ERR_MEM, "no memory for a prompt plane of %d x %d pixels", width, height);
    }
    memset(p->ids, GR_UNPAINTED, n_pixels(p));
    *out = p;
    return GR_OK;
}

void gr_plane_free(gr_prompt_plane *plane)
{
    if (!plane)
        return;
    gr_free(plane->rt, plane->ids);
    gr_free(plane->rt, plane);
}

gr_status gr_plane_paint(gr_prompt_plane *plane, const gr_mask *mask, int prompt, gr_extra_prompts extra,
                         gr_error *err)
{
    if (mask->width != plane->width || mask->height != plane->height)
        return gr_fail(err, GR_ERR_SHAPE,
                       "mask_size_mismatch: the mask of prompt %d is %d x %d pixels, the picture %d x %d",
                       prompt, mask->width, mask->height, plane->width, plane->height);
    if (prompt < 0 || (prompt >= plane->n_prompts && extra == GR_EXTRA_REFUSE))
        return gr_fail(err, GR_ERR_LIMIT, "too_many_regions: prompt %d, the model has prompts 0 to %d",
                       prompt, plane->n_prompts - 1);
    int id = prompt;
    if (prompt >= plane->n_prompts)
        id = extra == GR_EXTRA_REUSE ? prompt % plane->n_prompts : plane->n_prompts;
    bool any = false;
    for (size_t i = 0; i < n_pixels(plane); i++)
        if (mask->data[i]) {
            any = true;
            if (plane->ids[i] == GR_UNPAINTED)
                plane->ids[i] = (uint8_t)id;
        }
    return any ? GR_OK
               : gr_fail(err, GR_ERR_ARG, "empty_region: no pixel of the %d x %d mask of prompt %d is set",
                         mask->width, mask->height, prompt);
}

void gr_plane_fill(gr_prompt_plane *plane, int prompt) { memset(plane->ids, prompt, n_pixels(plane)); }

void gr_plane_finish(gr_prompt_plane *plane)
{
    for (size_t i = 0; i < n_pixels(plane); i++)
        if (plane->ids[i] == GR_UNPAINTED)
            plane->ids[i] = (uint8_t)plane->n_prompts;
}
