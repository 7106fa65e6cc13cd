#include "model/gar_cut.h"

#include "model/gar_profile.h"
#include "model/gar_segments.h"
#include "region/box.h"

static int value(const gr_gar_cut *cut, int which) { return cut->profile->value[which]; }

gr_extra_prompts gr_gar_extra_prompts(const gr_profile *profile)
{
    static const gr_extra_prompts extra[] = { GR_EXTRA_REFUSE, GR_EXTRA_RELEASED, GR_EXTRA_REUSE };
    return extra[profile->value[GR_SWITCH_EXTRA_PROMPTS]];
}

gr_status gr_gar_cut_pixels(gr_tiles **out, const gr_gar_cut *cut, const gr_image *image, gr_error *err)
{
    gr_image *rgb = NULL;
    const gr_image *picture = image;
    if (picture->channels != 3) {
        GR_TRY(gr_image_to_rgb(&rgb, picture, err));
        picture = rgb;
    }
    const gr_status st = gr_tiles_of_image(out, picture, cut->canvas, cut->config->vision.tile_px, err);
    gr_image_free(rgb);
    return st;
}

static gr_status cut_plane(gr_tiles **out, const gr_gar_cut *cut, gr_prompt_plane *plane, gr_error *err)
{
    gr_plane_finish(plane);
    return gr_tiles_of_plane(out, plane, cut->canvas, cut->config->vision.tile_px,
                             value(cut, GR_SWITCH_MASK_RESAMPLE) ? GR_MASK_BICUBIC : GR_MASK_NEAREST, err);
}

gr_status gr_gar_cut_masks(gr_tiles **out, const gr_gar_cut *cut, const gr_gar_marked *regions,
                           const int *order, int n, gr_error *err)
{
    const gr_extra_prompts extra = gr_gar_extra_prompts(cut->profile);
    gr_prompt_plane *plane;
    GR_TRY(gr_plane_new(&plane, cut->rt, regions[0].mask->width, regions[0].mask->height,
                        cut->config->n_prompts, err));
    gr_status st = GR_OK;
    for (int i = 0; i < n && st == GR_OK; i++)
        st = gr_plane_paint(plane, regions[order[i]].mask, regions[order[i]].prompt, extra, err);
    if (st == GR_OK)
        st = cut_plane(out, cut, plane, err);
    gr_plane_free(plane);
    return st;
}

gr_status gr_gar_cut_whole(gr_tiles **out, const gr_gar_cut *cut, int width, int height, int prompt,
                           gr_error *err)
{
    gr_prompt_plane *plane;
    GR_TRY(gr_plane_new(&plane, cut->rt, width, height, cut->config->n_prompts, err));
    gr_plane_fill(plane, prompt);
    const gr_status st = cut_plane(out, cut, plane, err);
    gr_plane_free(plane);
    return st;
}

gr_status gr_gar_cut_boxes(float boxes[GR_MAX_PROMPTS][4], int *n_boxes, const gr_gar_cut *cut,
                           const gr_gar_marked *regions, const int *order, int n, gr_error *err)
{
    const gr_gar_config *c = cut->config;
    const bool skip_extra = gr_gar_extra_prompts(cut->profile) == GR_EXTRA_RELEASED;
    *n_boxes = 0;
    for (int i = 0; i < n; i++) {
        double box[4];
        if (regions[i].prompt >= c->n_prompts && skip_extra)
            continue;
        const int of = value(cut, GR_SWITCH_MULTI_BBOX) == 0 ? order[n - 1] : i;
        GR_TRY(gr_mask_unit_box(box, regions[of].mask,
                                value(cut, GR_SWITCH_BBOX) ? GR_BOX_EXCLUSIVE : GR_BOX_INCLUSIVE, err));
        gr_gar_replay_box(boxes[(*n_boxes)++], box, cut->canvas.cols, cut->canvas.rows, c,
                          value(cut, GR_SWITCH_ROI_MODE) == 0);
    }
    return GR_OK;
}
