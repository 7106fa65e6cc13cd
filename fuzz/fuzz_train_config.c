/* Options of a run: what is accepted is written so that it is accepted again and means the same, and a run
 * with the same options may go on. */
#include <string.h>

#include "fuzz.h"
#include "train/train_config.h"

static void check_accepted(const gr_train_config *c)
{
    static gr_train_config again;
    gr_error err = { 0 };
    gr_buf text, twice;
    gr_buf_init(&text, c->rt, 1 << 20);
    gr_buf_init(&twice, c->rt, 1 << 20);
    gr_train_config_write(c, &text, false);
    FUZZ_CHECK(!text.failed);
    gr_train_config_init(&again, c->rt);
    FUZZ_CHECK(gr_train_config_parse(&again, text.data, text.len, "again", &err) == GR_OK);
    gr_train_config_write(&again, &twice, false);
    FUZZ_CHECK(strcmp(text.data, twice.data) == 0);
    FUZZ_CHECK(gr_train_config_compare(c, text.data, text.len, &err) == GR_OK);
    gr_buf_fini(&text);
    gr_buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gr_train_config c;
    gr_error err = { 0 };
    gr_train_config_init(&c, fuzz_runtime());
    if (gr_train_config_parse(&c, (const char *)data, size, "fuzz", &err) == GR_OK)
        check_accepted(&c);
    else
        FUZZ_CHECK(err.msg[0]);
    return 0;
}
