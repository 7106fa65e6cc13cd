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
_Static_assert(sizeof region_rows / sizeof *region_rows == N_REGION_ROWS, "regions.h says how many");

enum { N_KINDS = 7 };

static cli_exit add(region_set *set, cli *app, gr_runtime *rt, gr_region_frame *frame, const char *prefix,
                    const char *text)
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
        return CLI_EXIT_INPUT;
    }
    frame->earlier = (const gr_region *const *)set->at; /* what "ref" may repeat */
    frame->n_earlier = set->count;
    gr_status st = gr_region_spec_parse(&spec, rt, whole, (size_t)n, &err);
    if (st == GR_OK)
        st = gr_region_resolve(&set->at[set->count], rt, spec, frame, &err);
    gr_region_spec_free(spec);
    if (st != GR_OK) {
        gr_error_prefix(&err, "region %zu", set->count);
        const cli_exit code = cli_fail(&app->out, &err, CLI_AT_INPUT);
        return code == CLI_EXIT_USAGE ? CLI_EXIT_INPUT : code; /* an input, whatever it came as */
    }
    const gr_region *r = set->at[set->count++];
    for (int i = 0; i < r->n_warnings; i++)
        cli_warn(&app->out, "region %zu: %s", set->count - 1, r->warnings[i]);
    return CLI_EXIT_OK;
}

/* The kind whose next region, lists[k]->items[next[k]], comes first on the command line; -1: none is left. */
static int first_of(const cli_list *const lists[N_KINDS], const size_t next[N_KINDS])
{
    int first = -1;
    size_t place = SIZE_MAX;
    for (int k = 0; k < N_KINDS; k++)
        if (next[k] < lists[k]->count && lists[k]->places[next[k]] < place) {
            place = lists[k]->places[next[k]];
            first = k;
        }
    return first;
}

cli_exit regions_open(region_set *set, cli *app, gr_runtime *rt, const char *path, const region_values *v)
{
    static const char *const prefixes[N_KINDS] = { "",         "mask:",     "box:", "point:",
                                                   "polygon:", "scribble:", "rle:" };
    const cli_list *const lists[N_KINDS] = { &v->region,  &v->mask,     &v->box, &v->point,
                                             &v->polygon, &v->scribble, &v->rle };
    *set = (region_set){ 0 };
    gr_error err = { 0 };
    gr_image_options o;
    gr_image_options_init(&o);
    o.exif = (gr_exif)v->exif;
    if (gr_image_open(&set->image, rt, path, &o, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    gr_region_frame frame;
    gr_region_frame_init(&frame, set->image);
    size_t next[N_KINDS] = { 0 };
    for (int k; (k = first_of(lists, next)) >= 0; next[k]++) {
        const cli_exit code = add(set, app, rt, &frame, prefixes[k], lists[k]->items[next[k]]);
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
