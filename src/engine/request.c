#include "engine/request.h"

#include <string.h>

#include "model/gar_cut.h"
#include "model/gar_profile.h"
#include "model/gar_prompt.h"

#define MAX_PROMPT_ROWS ((size_t)1 << 20)

void gr_request_init(gr_request *request, const gr_model *model)
{
    *request = (gr_request){ .size = sizeof *request };
    if (model)
        gr_model_profile(model, &request->profile);
    else
        gr_profile_init(&request->profile, "released", NULL);
}

static int switch_of(const gr_request *r, int which) { return r->profile.value[which]; }

static gr_status check_request(const gr_model *m, const gr_request *r, gr_error *err)
{
    if (r->size != sizeof *r)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_request.size is %zu, this library expects %zu: call gr_request_init", r->size,
                       sizeof *r);
    if (r->n_regions > GR_MAX_PROMPTS)
        return gr_fail(err, GR_ERR_LIMIT, "too_many_regions: %zu regions, at most %d in one question",
                       r->n_regions, GR_MAX_PROMPTS);
    if (r->n_regions > 0 && !r->image)
        return gr_fail(err, GR_ERR_ARG, "invalid_region: regions without a picture");
    if (!r->question && r->n_regions != 1)
        return gr_fail(err, GR_ERR_ARG, "without a question exactly one region is described; there are %zu",
                       r->n_regions);
    for (size_t i = 0; i < r->n_regions; i++)
        if (r->regions[i]->mask->width != r->image->width || r->regions[i]->mask->height != r->image->height)
            return gr_fail(err, GR_ERR_SHAPE,
                           "mask_size_mismatch: region %zu has a mask of %d x %d, the picture is %d x %d", i,
                           r->regions[i]->mask->width, r->regions[i]->mask->height, r->image->width,
                           r->image->height);
    if (r->max_tiles < 0 || r->max_tiles > GR_CANVAS_MAX_TILES)
        return gr_fail(err, GR_ERR_ARG, "max_tiles is %d, expected 1 to %d, or 0 for the model's own",
                       r->max_tiles, GR_CANVAS_MAX_TILES);
    return gr_model_need_text(m, err);
}

static gr_status plan_prompt(gr_prepared *p, const gr_request *r, gr_error *err)
{
    const gr_gar_config *c = &p->model->gar->config;
    gr_gar_region regions[GR_MAX_PROMPTS];
    const char *text = r->question ? r->question : ""; /* none: the published instruction */
    const gr_gar_turn turn = {
        .role = GR_GAR_USER, .text = text, .bytes = strlen(text), .n_regions = (int)r->n_regions
    };
    gr_gar_dialog d = { .system = r->system,
                        .turns = &turn,
                        .n_turns = 1,
                        .regions = regions,
                        .n_regions = (int)r->n_regions,
                        .image_rows = (size_t)gr_prepared_image_rows(p),
                        .region_rows = (size_t)(c->replay_grid * c->replay_grid),
                        .double_bos = switch_of(r, GR_SWITCH_DOUBLE_BOS),
                        .paper_wording = switch_of(r, GR_SWITCH_WORDING),
                        .single_is_0 = switch_of(r, GR_SWITCH_SINGLE_PROMPT) == 0,
                        .extra = gr_gar_extra_prompts(&r->profile),
                        .open_answer = true };
    for (size_t i = 0; i < r->n_regions; i++)
        regions[i] = (gr_gar_region){ r->regions[i]->name[0] ? r->regions[i]->name : NULL, -1 };
    gr_gar_assign_prompts(&d, c->n_prompts);
    for (size_t i = 0; i < r->n_regions; i++)
        p->prompts[i] = regions[i].prompt;

    gr_prompt prompt;
    gr_prompt_init(&prompt, p->rt);
    gr_status st = gr_gar_prompt_build(&prompt, &p->model->markers, &d, err);
    if (st == GR_OK)
        st = gr_prompt_rows(&prompt, p->model->tokenizer, &p->ids, &p->source, err);
    gr_prompt_fini(&prompt);
    return st;
}

gr_status gr_request_plan(gr_prepared *p, const gr_model *m, const gr_request *r, gr_error *err)
{
    *p = (gr_prepared){ .rt = m->rt, .model = m, .n_regions = (int)r->n_regions };
    GR_TRY(check_request(m, r, err));
    const gr_gar_config *c = &m->gar->config;
    if (r->image)
        GR_TRY(gr_canvas_choose(&p->canvas, r->image->width, r->image->height,
                                r->max_tiles ? r->max_tiles : c->max_num_tiles, c->vision.tile_px, err));
    gr_ids_init(&p->ids, m->rt, MAX_PROMPT_ROWS);
    gr_ids_init(&p->source, m->rt, MAX_PROMPT_ROWS);
    const gr_status st = plan_prompt(p, r, err);
    if (st != GR_OK)
        gr_prepared_fini(p);
    return st;
}

/* Regions in the order of their prompts: the order in which they are painted, so that an earlier one keeps a
 * pixel, and whose last is "the last". */
static void order_by_prompt(const gr_prepared *p, int order[GR_MAX_PROMPTS])
{
    for (int i = 0; i < p->n_regions; i++) {
        int k = i;
        for (; k > 0 && p->prompts[order[k - 1]] > p->prompts[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

static gr_status cut_regions(gr_prepared *p, const gr_gar_cut *cut, const gr_request *r, gr_error *err)
{
    gr_gar_marked regions[GR_MAX_PROMPTS];
    int order[GR_MAX_PROMPTS];
    order_by_prompt(p, order);
    for (int i = 0; i < p->n_regions; i++)
        regions[i] = (gr_gar_marked){ r->regions[i]->mask, p->prompts[i] };
    GR_TRY(gr_gar_cut_masks(&p->mask, cut, regions, order, p->n_regions, err));
    return gr_gar_cut_boxes(p->boxes, &p->n_boxes, cut, regions, order, p->n_regions, err);
}

gr_status gr_request_cut(gr_prepared *p, const gr_request *r, gr_error *err)
{
    if (!r->image)
        return GR_OK;
    const gr_gar_cut cut = { p->rt, &p->model->gar->config, &r->profile, p->canvas };
    GR_TRY(gr_gar_cut_pixels(&p->pixels, &cut, r->image, err));
    return p->n_regions > 0 ? cut_regions(p, &cut, r, err) : GR_OK;
}

void gr_prepared_fini(gr_prepared *p)
{
    gr_tiles_free(p->pixels);
    gr_tiles_free(p->mask);
    gr_ids_fini(&p->ids);
    gr_ids_fini(&p->source);
    *p = (gr_prepared){ 0 };
}

size_t gr_request_picture_bytes(int width, int height, int channels, int masks)
{
    /* Beside them there is at most the file of a mask, decoded, or a copy of the picture in RGB, or the plane
     * of prompts. */
    return (size_t)width * (size_t)height * (size_t)(channels + masks + 3);
}

int gr_prepared_image_rows(const gr_prepared *p)
{
    const int side = p->model->gar->config.tokens_side;
    return p->canvas.cols == 0 ? 0 : (1 + p->canvas.cols * p->canvas.rows) * side * side;
}

int gr_prepared_region_rows(const gr_prepared *p)
{
    const int side = p->model->gar->config.replay_grid;
    return p->n_regions * side * side;
}

gr_status gr_request_measure(const gr_model *model, const gr_request *request, gr_request_size *size,
                             gr_error *err)
{
    gr_prepared p;
    GR_TRY(gr_request_plan(&p, model, request, err));
    *size = (gr_request_size){ (int)p.ids.n, gr_prepared_image_rows(&p), gr_prepared_region_rows(&p),
                               p.canvas.cols, p.canvas.rows };
    gr_prepared_fini(&p);
    return GR_OK;
}
