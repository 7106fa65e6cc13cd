/* gguf.h - GGUF, the file format of llama.cpp: reader of versions 2 and 3.
 *
 * Layout (ggml-org/ggml, docs/gguf.md); numbers are little-endian, a string is a u64 length and its bytes:
 *   1. "GGUF", u32 version, u64 number of tensors, u64 number of keys
 *   2. keys: string name, u32 type, value. An array is u32 type of its items, u64 count, items; not nested.
 *   3. tensors: string name, u32 rank, u64 dims[rank] with the fastest first, u32 type, u64 offset of the
 * data from the beginning of part 4, a multiple of the alignment (key general.alignment, 32 without it)
 *   4. zeros up to a multiple of the alignment, data
 *
 * Parts 1 to 3, the head, are read into memory, of a file no more than that; texts and arrays are views of
 * them and may be misaligned. Data are left where they are. */
#ifndef GR_IO_GGUF_H
#define GR_IO_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/source.h"
#include "grasp/error.h"
#include "grasp/runtime.h"

#define GR_GGUF_ITEMS_MAX ((uint64_t)1 << 30) /* of an array, and bytes of a string */
#define GR_GGUF_HEAD_MAX  ((size_t)256 << 20) /* of a file */
#define GR_GGUF_KEY_MAX   65535
#define GR_GGUF_NAME_MAX  63
#define GR_GGUF_RANK_MAX  4

typedef enum {
    GR_GGUF_U8,
    GR_GGUF_I8,
    GR_GGUF_U16,
    GR_GGUF_I16,
    GR_GGUF_U32,
    GR_GGUF_I32,
    GR_GGUF_F32,
    GR_GGUF_BOOL,
    GR_GGUF_STRING,
    GR_GGUF_ARRAY,
    GR_GGUF_U64,
    GR_GGUF_I64,
    GR_GGUF_F64,
    GR_GGUF_TYPE_COUNT
} gr_gguf_type;

/* Text in the head: not terminated, and of any bytes unless said otherwise. */
typedef struct {
    const char *at;
    size_t n;
} gr_gguf_text;

typedef struct {
    gr_gguf_text key;  /* printable ASCII, not empty */
    gr_gguf_type type; /* of the value; of an array's items. Never GR_GGUF_ARRAY */
    bool is_array;
    size_t count; /* items; 1 when it is no array */
    const uint8_t *data;
    size_t bytes; /* of all items, with the lengths of strings */
} gr_gguf_value;

/* How a tensor is stored: blocks of `elements` values of a row in `bytes` bytes. */
typedef struct {
    const char *name; /* "Q4_K"; NULL: no type has this number */
    uint32_t elements, bytes;
} gr_gguf_storage;

typedef struct {
    const char *name; /* printable ASCII, terminated; belongs to the gr_gguf */
    int rank;
    int64_t shape[GR_GGUF_RANK_MAX]; /* the fastest axis last, as everywhere here: the file's dims reversed */
    uint32_t type;                   /* as in the file */
    const gr_gguf_storage *storage;  /* never NULL */
    size_t offset, bytes;            /* of its data, from the beginning of the file */
} gr_gguf_tensor;

typedef struct gr_gguf gr_gguf;

/* Reads the head; `name` is for messages. The memory of a source in memory (borrowed) must outlive the
 * result, a file need not. On failure *out is NULL. GR_ERR_FORMAT: a rule of the format is broken, tensors
 * overlap or the file is cut off. GR_ERR_LIMIT: a size above. GR_ERR_UNSUPPORTED: version, byte order, nested
 * arrays, element type. GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_gguf_parse(gr_gguf **out, gr_runtime *rt, const gr_source *file, const char *name,
                        gr_error *err);
void gr_gguf_free(gr_gguf *f); /* NULL is fine */

const char *gr_gguf_file(const gr_gguf *f); /* `name` of gr_gguf_parse */
size_t gr_gguf_n_tensors(const gr_gguf *f);
const gr_gguf_tensor *gr_gguf_tensor_at(const gr_gguf *f, size_t i);           /* sorted by name */
const gr_gguf_tensor *gr_gguf_tensor_find(const gr_gguf *f, const char *name); /* NULL: not there */
/* The storage that has this number in the file, or NULL. */
const gr_gguf_storage *gr_gguf_storage_of(uint32_t type);

size_t gr_gguf_n_keys(const gr_gguf *f);
const gr_gguf_value *gr_gguf_key_at(const gr_gguf *f, size_t i);      /* sorted by key */
const gr_gguf_value *gr_gguf_find(const gr_gguf *f, const char *key); /* NULL: not there */
const char *gr_gguf_type_name(gr_gguf_type type);

/* Typed values. A key that is not there leaves *out as it is: GR_OK if it is optional, else GR_ERR_FORMAT. A
 * value of another kind, or above `max`: GR_ERR_FORMAT. Whole numbers may be of any integer type. */
typedef enum { GR_GGUF_REQUIRED, GR_GGUF_OPTIONAL } gr_gguf_need;
gr_status gr_gguf_uint(const gr_gguf *f, const char *key, gr_gguf_need need, uint64_t max, uint64_t *out,
                       gr_error *err);
gr_status gr_gguf_float(const gr_gguf *f, const char *key, gr_gguf_need need, double *out, gr_error *err);
gr_status gr_gguf_bool(const gr_gguf *f, const char *key, gr_gguf_need need, bool *out, gr_error *err);
gr_status gr_gguf_string(const gr_gguf *f, const char *key, gr_gguf_need need, gr_gguf_text *out,
                         gr_error *err);
/* *out: the array, whose items are of that type. */
gr_status gr_gguf_array(const gr_gguf *f, const char *key, gr_gguf_need need, gr_gguf_type type,
                        const gr_gguf_value **out, gr_error *err);

/* Items i < count of an array (or 0 of a single value) of that type. */
float gr_gguf_f32_at(const gr_gguf_value *v, size_t i);   /* GR_GGUF_F32 */
int32_t gr_gguf_i32_at(const gr_gguf_value *v, size_t i); /* GR_GGUF_I32 */

/* Strings of an array one after the other: begin with *at = 0, `count` calls give all. */
gr_gguf_text gr_gguf_next_string(const gr_gguf_value *v, size_t *at);

#endif
