/* Regions with what is true of them, and perhaps with a description: what is accepted can be scored, and
 * counts no more than there is. */
#include "eval/caption.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_evaluation *e;
    gr_error err = { 0 };
    gr_eval_statements row = { .size = sizeof row };
    if (gr_vqa_parse(&e, fuzz_runtime(), "synth-bench-cap", (const char *)data, size, "fuzz", &err) !=
        GR_OK) {
        FUZZ_CHECK(err.msg[0] && !e);
        return 0;
    }
    size_t rows = 0, stated = 0, known = 0;
    for (; gr_evaluation_statements(e, rows, &row); rows++) {
        FUZZ_CHECK(row.stated_true <= row.stated && row.known_stated <= row.known &&
                   row.items == e->items.n && row.precision_low <= row.precision_high &&
                   row.recall_low <= row.recall_high);
        FUZZ_CHECK(row.answered > 0 || (row.stated == 0 && row.known_stated == 0));
        if (rows == GR_SCORE_KINDS)
            FUZZ_CHECK(row.stated == stated && row.known == known);
        stated += row.stated;
        known += row.known;
    }
    FUZZ_CHECK(rows == GR_SCORE_KINDS + 1);
    gr_evaluation_free(e);
    return 0;
}
