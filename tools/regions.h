/* regions.h - the regions of a command line: options in their short and long forms, resolved against the
 * picture. */
#ifndef GRASP_CLI_REGIONS_H
#define GRASP_CLI_REGIONS_H

#include <grasp/region.h>

#include "cli.h"

/* Values of region_rows. Regions are numbered in the order of the command line, whatever their kinds. */
typedef struct {
    cli_list region, mask, box, point, polygon, scribble, rle;
    int64_t exif; /* gr_exif */
} region_values;

#define N_REGION_ROWS 8
extern const cli_option region_rows[];

#define REGIONS_MAX 64

typedef struct {
    gr_image *image;
    gr_region *at[REGIONS_MAX];
    size_t count;
} region_set;

/* Opens the picture and resolves all regions; warnings of masks are said. On failure nothing is left and the
 * exit code is returned. */
cli_exit regions_open(region_set *set, cli *app, gr_runtime *rt, const char *path, const region_values *v);
void regions_close(region_set *set);

/* Writes the picture with all regions tinted, outlined and numbered. */
cli_exit regions_overlay(const region_set *set, cli *app, const char *path);

#endif
