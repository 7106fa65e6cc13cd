/* A row of training data. Accepted means parts that agree and a row that is written and read back as the
 * same; refused means a sentence and an empty record. */
#include <string.h>

#include "dataset/gar_row.h"
#include "fuzz.h"

static void round_trip(const gr_record *r)
{
    gr_error err = { 0 };
    gr_buf text;
    gr_record again;
    gr_buf_init(&text, fuzz_runtime(), (size_t)64 << 20);
    gr_record_init(&again, fuzz_runtime());
    FUZZ_CHECK(gr_gar_row_write(&text, r, &err) == GR_OK);
    FUZZ_CHECK(!memchr(text.data, '\n', text.len));
    FUZZ_CHECK(gr_gar_row_parse(&again, text.data, text.len, "again", &err) == GR_OK);
    FUZZ_CHECK(gr_record_same(r, &again));
    gr_record_fini(&again);
    gr_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_record r;
    gr_record_init(&r, fuzz_runtime());
    if (gr_gar_row_parse(&r, (const char *)data, size, "fuzz", &err) == GR_OK) {
        FUZZ_CHECK(gr_record_check(&r, &err) == GR_OK);
        round_trip(&r);
    } else
        FUZZ_CHECK(err.msg[0] != '\0' && r.n_turns == 0 && r.n_regions == 0 && r.form == GR_PICTURE_NONE);
    gr_record_fini(&r);
    return 0;
}
