#include "support/gguf_file.h"

#include <string.h>

void gguf_number(gr_buf *out, uint64_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++, value >>= 8) {
        const uint8_t byte = (uint8_t)value;
        gr_buf_add(out, &byte, 1);
    }
}

void gguf_head(gr_buf *out, uint32_t version, uint64_t n_tensors, uint64_t n_keys)
{
    gr_buf_text(out, "GGUF");
    gguf_number(out, version, 4);
    gguf_number(out, n_tensors, 8);
    gguf_number(out, n_keys, 8);
}

void gguf_string(gr_buf *out, const char *text)
{
    gguf_number(out, strlen(text), 8);
    gr_buf_text(out, text);
}

void gguf_key(gr_buf *out, const char *key, uint32_t type)
{
    gguf_string(out, key);
    gguf_number(out, type, 4);
}

void gguf_key_uint(gr_buf *out, const char *key, uint32_t value)
{
    gguf_key(out, key, GR_GGUF_U32);
    gguf_number(out, value, 4);
}

void gguf_key_bool(gr_buf *out, const char *key, bool value)
{
    gguf_key(out, key, GR_GGUF_BOOL);
    gguf_number(out, value, 1);
}

void gguf_key_string(gr_buf *out, const char *key, const char *value)
{
    gguf_key(out, key, GR_GGUF_STRING);
    gguf_string(out, value);
}

void gguf_key_array(gr_buf *out, const char *key, uint32_t type, uint64_t count)
{
    gguf_key(out, key, GR_GGUF_ARRAY);
    gguf_number(out, type, 4);
    gguf_number(out, count, 8);
}

void gguf_tensor(gr_buf *out, const char *name, uint32_t rank, const uint64_t *dims, uint32_t type,
                 uint64_t offset)
{
    gguf_string(out, name);
    gguf_number(out, rank, 4);
    for (uint32_t i = 0; i < rank; i++)
        gguf_number(out, dims[i], 8);
    gguf_number(out, type, 4);
    gguf_number(out, offset, 8);
}

void gguf_pad(gr_buf *out, size_t alignment)
{
    while (out->len % alignment)
        gr_buf_add(out, "", 1);
}
