/* EXIF blocks, bare and inside files: always an orientation that can be applied. */
#include "fuzz.h"
#include "media/exif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int block = gr_exif_orientation_of_block(data, size), file = gr_exif_orientation(data, size);
    FUZZ_CHECK(block >= 0 && block <= 8);
    FUZZ_CHECK(file >= 1 && file <= 8);
    const uint8_t six[6] = { 1, 2, 3, 4, 5, 6 };
    uint8_t turned[6] = { 0 };
    gr_exif_turn(turned, six, 3, 2, 1, file);
    int sum = 0;
    for (int i = 0; i < 6; i++)
        sum += turned[i];
    FUZZ_CHECK(sum == 21); /* every pixel once */
    return 0;
}
