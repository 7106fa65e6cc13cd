#include <string.h>

#include "fuzz.h"
#include "io/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_safetensors *f;
    const gr_source file = gr_source_of(data, size);
    if (gr_safetensors_parse(&f, fuzz_runtime(), &file, "fuzz", &err) != GR_OK) {
        FUZZ_CHECK(f == NULL && err.msg[0] != '\0');
        return 0;
    }
    size_t total = 0, n;
    for (size_t i = 0; i < gr_safetensors_count(f); i++) {
        const gr_safetensor *t = gr_safetensors_at(f, i);
        FUZZ_CHECK(t->offset <= size && t->bytes <= size - t->offset);
        FUZZ_CHECK(gr_safetensors_find(f, t->name) == t);
        FUZZ_CHECK(gr_shape_count(&n, t->rank, t->shape) && n * gr_dtype_bytes(t->dtype) == t->bytes);
        total += t->bytes;
    }
    uint64_t header = 0;
    for (int i = 7; i >= 0; i--)
        header = header << 8 | data[i];
    FUZZ_CHECK(total == size - 8 - header);
    gr_safetensors_free(f);
    return 0;
}
