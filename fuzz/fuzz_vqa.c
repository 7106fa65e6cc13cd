/* Items of multiple choice, and behind a zero byte a journal of their answers: what is accepted can be
 * scored. */
#include <string.h>

#include "eval/vqa.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_evaluation *e;
    gr_error err = { 0 };
    gr_eval_row row;
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    const size_t n = zero ? (size_t)(zero - data) : size;
    if (gr_vqa_parse(&e, fuzz_runtime(), "synth-bench", (const char *)data, n, "fuzz", &err) != GR_OK) {
        FUZZ_CHECK(err.msg[0] && !e);
        return 0;
    }
    e->has_probabilities = size > n + 1 && (data[n + 1] & 1);
    if (size > n)
        (void)gr_vqa_journal_parse(e, (const char *)data + n + 1, size - n - 1, "journal", &err);
    size_t rows = 0;
    for (; gr_evaluation_row(e, rows, &row); rows++)
        FUZZ_CHECK(row.correct <= row.answered && row.answered <= row.items && row.low <= row.high &&
                   row.chance > 0);
    FUZZ_CHECK(rows >= 2 && row.items == e->items.n);
    gr_evaluation_free(e);
    return 0;
}
