/* arrow_compress.h - unpacking of compressed buffers. What a build can unpack depends on the libraries it
 * has: one method a file, arrow_lz4.c and arrow_zstd.c. */
#ifndef GR_DATASET_ARROW_COMPRESS_H
#define GR_DATASET_ARROW_COMPRESS_H

#include "dataset/arrow_message.h"

/* Unpacks the n bytes at `from` into exactly `size` bytes at `to`, whatever they announce. GR_ERR_FORMAT:
 * they are not such a frame, or one of another length. GR_ERR_UNSUPPORTED: this build has not got the
 * library. GR_ERR_MEM. */
gr_status gr_arrow_unpack(gr_arrow_codec codec, const void *from, size_t n, void *to, size_t size,
                          gr_error *err);

/* Whether this build unpacks it. */
bool gr_arrow_can_unpack(gr_arrow_codec codec);

/* One frame each; sentences without the method's name. */
gr_status gr_arrow_unpack_lz4(const void *from, size_t n, void *to, size_t size, gr_error *err);
gr_status gr_arrow_unpack_zstd(const void *from, size_t n, void *to, size_t size, gr_error *err);

#endif
