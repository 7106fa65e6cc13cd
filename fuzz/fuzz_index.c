#include <string.h>

#include "fuzz.h"
#include "io/shard_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_shard_index x;
    if (gr_shard_index_parse(&x, fuzz_runtime(), (const char *)data, size, "fuzz", &err) != GR_OK) {
        FUZZ_CHECK(err.msg[0] != '\0' && !x.rows && !x.files && !x.names.data);
        return 0;
    }
    FUZZ_CHECK(x.n_rows > 0 && x.n_files > 0);
    for (size_t i = 0; i < x.n_rows; i++) {
        FUZZ_CHECK(x.rows[i].file >= 0 && (size_t)x.rows[i].file < x.n_files);
        FUZZ_CHECK(i == 0 || strcmp(x.rows[i - 1].tensor, x.rows[i].tensor) < 0);
    }
    for (size_t i = 0; i < x.n_files; i++)
        FUZZ_CHECK(!strchr(x.files[i], '/') && x.files[i][0] != '.');
    gr_shard_index_fini(&x);
    return 0;
}
