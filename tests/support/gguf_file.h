/* gguf_file.h - GGUF files made part by part, right or wrong as a test asks. */
#ifndef TEST_GGUF_FILE_H
#define TEST_GGUF_FILE_H

#include "base/buf.h"
#include "io/gguf.h"

/* All append to `out`. */
void gguf_head(gr_buf *out, uint32_t version, uint64_t n_tensors, uint64_t n_keys);
void gguf_number(gr_buf *out, uint64_t value, int n_bytes); /* little-endian */
void gguf_string(gr_buf *out, const char *text);
void gguf_key(gr_buf *out, const char *key, uint32_t type); /* the value is to follow */
void gguf_key_uint(gr_buf *out, const char *key, uint32_t value);
void gguf_key_bool(gr_buf *out, const char *key, bool value);
void gguf_key_string(gr_buf *out, const char *key, const char *value);
void gguf_key_array(gr_buf *out, const char *key, uint32_t type,
                    uint64_t count); /* the items are to follow */
/* `dims` as in the file: the fastest first. */
void gguf_tensor(gr_buf *out, const char *name, uint32_t rank, const uint64_t *dims, uint32_t type,
                 uint64_t offset);
void gguf_pad(gr_buf *out, size_t alignment);

#endif
