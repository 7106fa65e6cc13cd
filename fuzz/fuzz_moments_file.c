/* A file of weights and moments for a model of two tensors: whatever it holds, nothing is written outside
 * their ranges, and what is refused is explained. */
#include <string.h>

#include "fuzz.h"
#include "train/moments_file.h"

enum { N = 32, GUARD = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static float memory[3][N + 2 * GUARD];
    gr_range ranges[] = { { .tensor = 0, .name = "a", .offset = 0, .count = 3 },
                          { .tensor = 1, .name = "b", .offset = 16, .count = 5 } };
    gr_error err = { 0 };
    memset(memory, 0x55, sizeof memory);
    gr_flat f = { .rt = fuzz_runtime(),
                  .ranges = ranges,
                  .n_ranges = 2,
                  .n = N,
                  .weights = memory[0] + GUARD,
                  .m = memory[1] + GUARD,
                  .v = memory[2] + GUARD };
    const gr_source file = gr_source_of(data, size);
    if (gr_moments_parse(&f, &file, "fuzz", &err) != GR_OK)
        FUZZ_CHECK(err.msg[0]);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < N + 2 * GUARD; i++) {
            const int at = i - GUARD;
            uint32_t bits;
            memcpy(&bits, &memory[k][i], sizeof bits);
            FUZZ_CHECK((at >= 0 && at < 3) || (at >= 16 && at < 21) || bits == 0x55555555);
        }
    return 0;
}
