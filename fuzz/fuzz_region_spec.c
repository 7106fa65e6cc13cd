/* Regions as text, and what they stand for in three pictures. Accepted means a mask that is not empty and of
 * the picture's size, or a refusal that says why. No file is opened. */
#include <string.h>

#include "fuzz.h"
#include "grasp/region.h"

static gr_status no_files(void *user, gr_runtime *rt, const char *path, gr_image **out, gr_error *err)
{
    (void)user;
    if (strlen(path) % 2)
        return gr_fail(err, GR_ERR_IO, "%.100s: no such file", path);
    GR_TRY(gr_image_new(out, rt, 40, 30, 1, err));
    memset((*out)->pixels + 100, 1, 300);
    return GR_OK;
}

static void resolve(const gr_region_spec *spec, int width, int height, int orientation)
{
    gr_error err = { 0 };
    gr_region *r;
    const gr_region_frame frame = {
        .size = sizeof frame, .width = width, .height = height, .orientation = orientation, .load = no_files
    };
    if (gr_region_resolve(&r, fuzz_runtime(), spec, &frame, &err) != GR_OK) {
        FUZZ_CHECK(r == NULL && err.msg[0] != '\0' && err.status != GR_OK);
        return;
    }
    gr_bounds b;
    FUZZ_CHECK(r->mask->width == width && r->mask->height == height);
    FUZZ_CHECK(gr_mask_bounds(r->mask, &b) && memcmp(&b, &r->bounds, sizeof b) == 0);
    FUZZ_CHECK(r->area >= 1 && gr_mask_area(r->mask) == r->area);
    FUZZ_CHECK(r->source && r->n_warnings <= GR_REGION_MAX_WARNINGS);
    gr_region_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_region_spec *spec;
    if (gr_region_spec_parse(&spec, fuzz_runtime(), (const char *)data, size, &err) != GR_OK) {
        FUZZ_CHECK(spec == NULL && err.msg[0] != '\0');
        return 0;
    }
    resolve(spec, 20, 10, 1);
    resolve(spec, 30, 40, 6);
    resolve(spec, 1, 1, 8);
    gr_region_spec_free(spec);
    return 0;
}
