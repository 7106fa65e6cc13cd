/* row_picture.h - the pixels of a record: its picture, and the masks of the regions that a conversation
 * shows.
 *
 * Every mask of a row has to be good, shown or not: not empty, and of the picture's shape within 1 %. */
#ifndef GR_TRAIN_ROW_PICTURE_H
#define GR_TRAIN_ROW_PICTURE_H

#include "dataset/record.h"
#include "grasp/image.h"
#include "model/gar_config.h"
#include "region/mask.h"
#include "train/skip.h"

typedef struct {
    const char *root; /* relative paths are below it, and others refused; NULL: paths are as they are */
    gr_image_options images; /* limits; what becomes of the EXIF orientation, the form of the picture says */
} gr_row_picture_rules;

void gr_row_picture_rules_init(gr_row_picture_rules *rules);

typedef struct {
    gr_runtime *rt;
    gr_image *image;
    int n;                          /* masks */
    gr_mask *masks[GR_MAX_PROMPTS]; /* of the picture's size */
    int n_resized;                  /* of them made to fit */
} gr_row_picture;

/* The picture alone. gr_row_picture_fini in every case. A failure that is the row's own is noted with its
 * reason: GR_SKIP_NO_IMAGE, _BAD_IMAGE, _SMALL_IMAGE; another is GR_ERR_MEM. */
gr_status gr_row_picture_open(gr_row_picture *s, gr_runtime *rt, const gr_record *r,
                              const gr_row_picture_rules *rules, const gr_skip_note *note);
/* After it, the masks of regions shown[0..n) of the record, n at most GR_MAX_PROMPTS; a region without run
 * lengths has its box. GR_SKIP_BAD_MASK, _EMPTY_MASK, _MASK_SIZE; GR_ERR_MEM. */
gr_status gr_row_picture_masks(gr_row_picture *s, const gr_record *r, const int *shown, int n,
                               const gr_skip_note *note);
void gr_row_picture_fini(gr_row_picture *s); /* all zero is fine */

#endif
