/* A file of rows. Accepted means that every row is there and is read or refused with a sentence. */
#include "dataset/gar_row.h"
#include "dataset/json_rows.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_row_source *s;
    gr_record r;
    if (gr_json_rows_wrap(&s, fuzz_runtime(), data, size, "fuzz", NULL, gr_gar_row_parse, &err) != GR_OK) {
        FUZZ_CHECK(!s && err.msg[0] != '\0');
        return 0;
    }
    gr_record_init(&r, fuzz_runtime());
    for (size_t i = 0; i < s->count && i < 100; i++) {
        err = (gr_error){ 0 };
        FUZZ_CHECK(gr_rows_read(s, i, &r, &err) == GR_OK ? r.key.n > 0 : err.msg[0] != '\0');
    }
    gr_record_fini(&r);
    gr_rows_close(s);
    return 0;
}
