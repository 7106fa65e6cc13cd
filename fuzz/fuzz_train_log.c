/* The log of a run. Accepted means that steps ascend, and every number is one or a NaN; what is refused is
 * explained. */
#include <math.h>

#include "fuzz.h"
#include "train/train_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_train_log log;
    const gr_source from = gr_source_of(data, size);
    if (gr_train_log_read(&log, fuzz_runtime(), &from, "fuzz", &err) != GR_OK) {
        FUZZ_CHECK(err.msg[0] && !log.records.at && !log.validations.at);
        return 0;
    }
    for (size_t i = 0; i < log.records.n; i++) {
        const gr_log_record *r = &log.records.at[i];
        FUZZ_CHECK(r->step >= 0 && (i == 0 || r->step > r[-1].step));
        FUZZ_CHECK(!isinf(r->loss) && !isinf(r->lr) && !isinf(r->norm));
    }
    for (size_t i = 0; i < log.validations.n; i++) {
        const gr_log_validation *v = &log.validations.at[i];
        FUZZ_CHECK((i == 0 || v->step > v[-1].step) && !isinf(v->loss));
    }
    for (size_t i = 1; i < log.resumed.n; i++)
        FUZZ_CHECK(log.resumed.at[i] > log.resumed.at[i - 1]);
    gr_train_log_free(&log);
    return 0;
}
