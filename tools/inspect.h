/* inspect.h - what `grasp inspect` found, and the two ways it is shown. */
#ifndef GRASP_CLI_INSPECT_H
#define GRASP_CLI_INSPECT_H

#include <stdio.h>

#include <grasp/session.h>

/* One run, as it would be. */
typedef struct {
    int width, height; /* of the picture; 0 x 0: the largest that the tiles allow */
    int across, down;  /* tiles of a picture with a size */
    int tiles;         /* besides the thumbnail */
    int regions, image_tokens, region_tokens, text_tokens, max_tokens;
    int context;      /* of prompt and answer, within the model's */
    gr_memory memory; /* all 0 where `problem` is set */
    gr_error problem; /* why such a run is impossible */
} inspect_run;

typedef struct {
    gr_model *model;
    gr_model_info info;
    gr_profile profile;
    inspect_run run;
} inspect_result;

/* The items of gr_memory in the order in which they are shown; NULL ends them. */
const char *inspect_memory_item(const gr_memory *m, size_t i, size_t *bytes);

void inspect_print_text(FILE *f, const inspect_result *r);
void inspect_print_json(FILE *f, const inspect_result *r);

#endif
