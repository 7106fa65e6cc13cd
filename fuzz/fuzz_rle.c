/* Run lengths: two bytes of size, then the compressed text. Accepted means that everything computed from the
 * runs agrees with the mask they stand for. */
#include <string.h>

#include "fuzz.h"
#include "region/mask.h"
#include "region/rle.h"

static void check(const gr_rle *r)
{
    gr_error err = { 0 };
    gr_mask *mask;
    gr_rle tidy, again, merged;
    gr_buf text;
    double box[4];
    gr_bounds bounds;
    gr_buf_init(&text, fuzz_runtime(), 1 << 24);
    FUZZ_CHECK(gr_rle_to_mask(&mask, r, &err) == GR_OK);
    FUZZ_CHECK((uint64_t)gr_mask_area(mask) == gr_rle_area(r));
    gr_rle_box(r, box);
    FUZZ_CHECK(gr_mask_bounds(mask, &bounds) == (box[2] > 0));
    FUZZ_CHECK(box[0] == bounds.x0 && box[0] + box[2] == bounds.x1);
    FUZZ_CHECK(gr_rle_from_mask(&tidy, mask, &err) == GR_OK && tidy.n <= r->n + 1);
    FUZZ_CHECK(gr_rle_to_text(&text, &tidy, &err) == GR_OK);
    FUZZ_CHECK(gr_rle_from_text(&again, fuzz_runtime(), r->height, r->width, gr_buf_str(&text), text.len,
                                &err) == GR_OK);
    FUZZ_CHECK(again.n == tidy.n && memcmp(again.runs, tidy.runs, tidy.n * sizeof *tidy.runs) == 0);
    FUZZ_CHECK(gr_rle_merge(&merged, r, &tidy, true, &err) == GR_OK);
    FUZZ_CHECK(merged.n == tidy.n && memcmp(merged.runs, tidy.runs, tidy.n * sizeof *tidy.runs) == 0);
    FUZZ_CHECK(gr_rle_iou(r, &tidy, false) == (box[2] > 0));
    gr_mask_free(mask);
    gr_rle_fini(&tidy);
    gr_rle_fini(&again);
    gr_rle_fini(&merged);
    gr_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    gr_error err = { 0 };
    gr_rle r;
    if (gr_rle_from_text(&r, fuzz_runtime(), data[0], data[1], (const char *)data + 2, size - 2, &err) ==
        GR_OK) {
        check(&r);
        gr_rle_fini(&r);
    } else
        FUZZ_CHECK(r.runs == NULL && err.msg[0] != '\0');
    return 0;
}
