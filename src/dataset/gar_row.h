/* gar_row.h - a row of GAR's training data as JSON, and back.
 * Source: Grasp-Any-Region, projects/grasp_any_region/datasets/GraspAnyRegion_Dataset.py.
 *
 *   image          a path; or "data:base64," and an encoded file; or {"bytes": base64 or null, "path": text
 * or null}; or null conversations  [{"from": "human" or "gpt", "value": text}, ...], or {"from": [...],
 * "value": [...]} mask_rle       null or absent; or [{"size": [h, w], "counts": text or list}, ...]; or one
 * of them, which counts as a list of one id             may be there: the row's key, a text or a whole number
 * Other members are passed over; a member twice is refused. Rows of LLaVA-style files are such rows. */
#ifndef GR_DATASET_GAR_ROW_H
#define GR_DATASET_GAR_ROW_H

#include "dataset/record.h"
#include "io/json.h"

/* One row's text into a record, which is cleared first. `name` is for messages: file and row.
 * GR_ERR_FORMAT, GR_ERR_LIMIT, GR_ERR_MEM. Compressed run lengths are taken as they are; lists of them are
 * compressed, and must sum to the size. */
gr_status gr_gar_row_parse(gr_record *r, const char *text, size_t n, const char *name, gr_error *err);

/* Appends the row as one JSON object without new lines: what gr_gar_row_parse reads back as the same record,
 * where it holds no more than a GAR row can. Boxes, labels, scores, spans, lists of regions, task and meta
 * are left out. GR_ERR_ARG: a region without run lengths. GR_ERR_MEM: no memory, or over the buffer's limit.
 */
gr_status gr_gar_row_write(gr_buf *out, const gr_record *r, gr_error *err);

/* --- pieces, for readers of the same columns in other files -------------------------------------------- */

/* The text form of the image column. GR_ERR_FORMAT: not base64. */
gr_status gr_gar_row_image_text(gr_record *r, const char *text, size_t n, gr_error *err);
/* The bytes of the picture, as base64 with or without the prefix "data:base64,"; its form stays.
 * GR_ERR_FORMAT.
 */
gr_status gr_gar_row_image_base64(gr_record *r, const char *text, size_t n, gr_error *err);
/* A mask by its list of counts. GR_ERR_FORMAT: a size below 1, or counts that do not sum to it. */
gr_status gr_gar_row_add_runs(gr_record *r, int32_t height, int32_t width, const uint32_t *runs, size_t n,
                              gr_error *err);
/* A mask by its compressed counts. */
gr_status gr_gar_row_add_counts(gr_record *r, int32_t height, int32_t width, const char *text, size_t n,
                                gr_error *err);

#endif
