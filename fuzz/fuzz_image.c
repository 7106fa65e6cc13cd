/* Any bytes as a picture. Accepted means that the sizes agree and every pixel is there; refused means
 * explained. */
#include <string.h>

#include "fuzz.h"
#include "grasp/image.h"

static void decode(const uint8_t *data, size_t size, bool lenient)
{
    gr_error err = { 0 };
    gr_image_options o;
    gr_image_options_init(&o);
    o.max_pixels = 1 << 18; /* so that a run stays quick and small */
    o.lenient = lenient;
    gr_image *image = NULL, *rgb = NULL, *grey = NULL;
    if (gr_image_decode(&image, fuzz_runtime(), data, size, &o, &err) != GR_OK) {
        FUZZ_CHECK(image == NULL && err.msg[0] != '\0' && err.status != GR_OK);
        return;
    }
    FUZZ_CHECK(image->width >= 1 && image->height >= 1 &&
               (int64_t)image->width * image->height <= o.max_pixels);
    FUZZ_CHECK(image->orientation >= 1 && image->orientation <= 8);
    FUZZ_CHECK(gr_image_to_rgb(&rgb, image, &err) == GR_OK && gr_image_to_luma(&grey, image, &err) == GR_OK);
    unsigned sum = 0;
    for (int i = 0; i < grey->width * grey->height; i++)
        sum += grey->pixels[i] + rgb->pixels[3 * i + 2];
    FUZZ_CHECK(sum <= 510u << 18);
    gr_image_free(image);
    gr_image_free(rgb);
    gr_image_free(grey);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(data, size, false);
    decode(data, size, true);
    return 0;
}
