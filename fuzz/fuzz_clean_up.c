/* tokenizer_config.json, of which one flag is read: refused means explained, and off. */
#include "eval/answer_text.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool flag = true;
    gr_error err = { 0 };
    if (gr_answer_clean_up_parse(&flag, fuzz_runtime(), (const char *)data, size, "fuzz", &err) != GR_OK)
        FUZZ_CHECK(err.msg[0] && !flag);
    return 0;
}
