#include "regions.h"

#include <stdio.h>
#include <string.h>

const cli_option region_rows[] = {
    { "region", 'r', CLI_LIST, offsetof(region_values, region), "SPEC", NULL, 0, 0,
      "a region: mask:FILE, box:x1,y1,x2,y2, polygon:x,y,x,y,..., rle:JSON, scribble:x,y;..., point:x,y, "
      "each with @norm for 0..1, or "
      "a JSON region object" },
    { "mask", 0, CLI_LIST, offsetof(region_values, mask), "FILE", NULL, 0, 0,
      "short for --region mask:FILE" },
    { "box", 0, CLI_LIST, offsetof(region_values, box), "X1,Y1,X2,Y2", NULL, 0, 0,
      "short for --region box:..." },
    { "point", 0, CLI_LIST, offsetof(region_values, point), "X,Y", NULL, 0, 0,
      "short for --region point:..." },
    { "polygon", 0, CLI_LIST, offsetof(region_values, polygon), "X,Y,...", NULL, 0, 0,
      "short for --region polygon:..." },
    { "scribble", 0, CLI_LIST, offsetof(region_values, scribble), "X,Y;...", NULL, 0, 0,
      "short for --region scribble:..." },
    { "rle", 0, CLI_LIST, offsetof(region_values, rle), "JSON", NULL, 0, 0,
      "short for --region rle:JSON (COCO run lengths)" },
    { "exif", 0, CLI_CHOICE, offsetof(region_values, exif), "apply|ignore", "apply", 0, 0,
      "whether the picture's EXIF orientation is applied; the published GAR scripts ignore it" },
};
const size_t n_region_rows = sizeof region_rows / sizeof *region_rows;

static cli_exit add(region_set *set, cli *app, gr_runtime *rt, const gr_region_frame *frame,
                    const char *prefix, const char *text)
{
    char whole[65536];
    gr_error err = { 0 };
    gr_region_spec *spec = NULL;
    if (set->count == REGIONS_MAX) {
        cli_error(&app->out, "too_many_regions: more than %d regions on one command line", REGIONS_MAX);
        return CLI_EXIT_LIMIT;
    }
    const int n = snprintf(whole, sizeof whole, "%s%s", prefix, text);
    if (n < 0 || (size_t)n >= sizeof whole) {
        cli_error(&app->out, "invalid_region: region %zu is longer than %zu characters", set->count,
                  sizeof whole - 1);
        return CLI_EXIT_USAGE;
    }
    gr_status st = gr_region_spec_parse(&spec, rt, whole, (size_t)n, &err);
    if (st == GR_OK)
        st = gr_region_resolve(&set->at[set->count], rt, spec, frame, &err);
    gr_region_spec_free(spec);
    if (st != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    const gr_region *r = set->at[set->count++];
    for (int i = 0; i < r->n_warnings; i++)
        cli_warn(&app->out, "region %zu: %s", set->count - 1, r->warnings[i]);
    return CLI_EXIT_OK;
}

cli_exit regions_open(region_set *set, cli *app, gr_runtime *rt, const char *path, const region_values *v)
{
    const struct {
        const char *prefix;
        const cli_list *list;
    } kinds[] = { { "", &v->region },      { "mask:", &v->mask },       { "box:", &v->box },
                  { "point:", &v->point }, { "polygon:", &v->polygon }, { "scribble:", &v->scribble },
                  { "rle:", &v->rle } };
    *set = (region_set){ 0 };
    gr_error err = { 0 };
    gr_image_options o;
    gr_image_options_init(&o);
    o.exif = (gr_exif)v->exif;
    if (gr_image_open(&set->image, rt, path, &o, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    gr_region_frame frame;
    gr_region_frame_init(&frame, set->image);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0; i < kinds[k].list->count; i++) {
            const cli_exit code = add(set, app, rt, &frame, kinds[k].prefix, kinds[k].list->items[i]);
            if (code != CLI_EXIT_OK) {
                regions_close(set);
                return code;
            }
        }
    return CLI_EXIT_OK;
}

void regions_close(region_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        gr_region_free(set->at[i]);
    gr_image_free(set->image);
    *set = (region_set){ 0 };
}

cli_exit regions_overlay(const region_set *set, cli *app, const char *path)
{
    gr_error err = { 0 };
    gr_image *picture = NULL;
    gr_status st = gr_image_to_rgb(&picture, set->image, &err);
    for (size_t i = 0; i < set->count && st == GR_OK; i++)
        st = gr_mask_overlay(set->at[i]->mask, picture, (int)i, &err);
    if (st == GR_OK)
        st = gr_image_write(picture, path, &err);
    gr_image_free(picture);
    return st == GR_OK ? CLI_EXIT_OK : cli_fail(&app->out, &err, CLI_AT_INPUT);
}
