/* gguf_internal.h - the inside of a gr_gguf, shared by gguf.c (reading) and gguf_value.c (typed values). */
#ifndef GR_IO_GGUF_INTERNAL_H
#define GR_IO_GGUF_INTERNAL_H

#include "io/gguf.h"

typedef struct {
    gr_gguf_tensor t;
    uint64_t offset; /* from the beginning of the data */
    char name[GR_GGUF_NAME_MAX + 1];
} gr_gguf_entry;

struct gr_gguf {
    gr_runtime *rt;
    char *file;    /* for messages */
    uint8_t *head; /* of a file; NULL for one in memory */
    gr_gguf_value *keys;
    size_t n_keys, keys_cap;
    gr_gguf_entry *tensors;
    size_t n_tensors, tensors_cap;
};

/* Bytes of an item; 0 for strings and arrays, which have no fixed size. */
size_t gr_gguf_item_bytes(gr_gguf_type type);

/* The order of keys and tensors, by bytes; gr_gguf_by_key is that of gr_gguf_value, for qsort and bsearch. */
int gr_gguf_compare(gr_gguf_text a, gr_gguf_text b);
int gr_gguf_by_key(const void *a, const void *b);

#endif
