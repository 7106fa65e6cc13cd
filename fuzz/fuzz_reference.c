/* Published outputs: accepted means that every item can be asked, and that its masks are masks of some size.
 */
#include "eval/reference.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_reference r;
    gr_error err = { 0 };
    if (gr_reference_parse(&r, fuzz_runtime(), (const char *)data, size, "fuzz", &err) != GR_OK) {
        FUZZ_CHECK(err.msg[0] && !r.items && r.n == 0);
        return 0;
    }
    FUZZ_CHECK(r.n > 0);
    for (size_t i = 0; i < r.n; i++) {
        const gr_reference_item *item = &r.items[i];
        FUZZ_CHECK(item->number == i && item->image && item->text && item->output && item->n_regions > 0);
        for (int k = 0; k < item->n_regions; k++)
            FUZZ_CHECK(item->regions[k] && !gr_region_spec_ref(item->regions[k]));
    }
    gr_reference_fini(&r);
    return 0;
}
