/* Any text as the adapters of a checkpoint: refused with a sentence, or what is written and read back the
 * same. */
#include <string.h>

#include "fuzz.h"
#include "train/lora_state.h"

static gr_status read_text(gr_lora *l, const char *text, size_t n, gr_error *err)
{
    gr_json j;
    gr_json_init(&j, fuzz_runtime(), text, n, "fuzz", 4096);
    gr_lora_state_read(&j, l);
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_lora l, again;
    gr_buf text;
    gr_json_writer j;
    if (read_text(&l, (const char *)data, size, &err) != GR_OK) {
        FUZZ_CHECK(err.msg[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(l.targets >> GR_LORA_TARGET_COUNT == 0 && gr_lora_check(&l, &err) == GR_OK);
    gr_buf_init(&text, fuzz_runtime(), 1 << 16);
    gr_json_writer_init(&j, &text, false);
    gr_lora_state_put(&j, &l);
    FUZZ_CHECK(read_text(&again, gr_buf_str(&text), text.len, &err) == GR_OK);
    FUZZ_CHECK(gr_lora_state_compare(&l, &again, &err) == GR_OK && l.seed == again.seed);
    gr_buf_fini(&text);
    return 0;
}
