/* moments_file.h - what an optimiser holds, in a file: weights as f32, both moments
 * (training-and-data.md 2.5).
 *
 *   1. u64, little-endian: length N of the header, such that data begin at a multiple of 64
 *   2. N bytes of JSON, ending in spaces: {"format": "grasp-moments-1", "elements": E, "ranges":
 *      [{"tensor": NAME, "offset": O, "count": C, "crc32c": [weights, m, v]}, ...]}
 *   3. three times E f32, little-endian: weights, m, v; a tensor's elements are O..O+C-1 of each
 *
 * Tensors are found by name, so that a file may hold more or other ranges than who reads it. */
#ifndef GR_TRAIN_MOMENTS_FILE_H
#define GR_TRAIN_MOMENTS_FILE_H

#include "base/source.h"
#include "train/flat.h"

/* Writes all of `f`, whose buffers lie in host memory; the file appears when it is complete. GR_ERR_IO: also
 * when the disk has no room, which is asked first. */
gr_status gr_moments_write(const gr_flat *f, const char *path, gr_error *err);

/* Reads every range of `f`. GR_ERR_FORMAT: malformed, a tensor is missing or of another size, a checksum is
 * wrong; buffers then hold part of it. GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_moments_read(gr_flat *f, const char *path, gr_error *err);
/* The same of an open file; `name` is for messages. */
gr_status gr_moments_parse(gr_flat *f, const gr_source *file, const char *name, gr_error *err);

#endif
