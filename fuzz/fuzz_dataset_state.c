/* Any text as state.json and as dataset_dict.json: refused with a sentence, or names that stay in the folder.
 */
#include <string.h>

#include "dataset/dataset_state.h"
#include "fuzz.h"

static void check(gr_status st, gr_dataset_state *s, const gr_error *err)
{
    FUZZ_CHECK(st == GR_OK || (err->msg[0] != '\0' && s->n_names == 0 && !s->names));
    for (size_t i = 0; i < s->n_names; i++) {
        const char *name = s->names[i];
        FUZZ_CHECK(name[0] != '\0' && name[0] != '/' && strcmp(name, "..") != 0);
        FUZZ_CHECK(strncmp(name, "../", 3) != 0 && !strstr(name, "/../"));
    }
    FUZZ_CHECK(strlen(s->fingerprint) <= GR_DATASET_FINGERPRINT_MAX);
    gr_dataset_state_fini(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 }, other = { 0 };
    gr_dataset_state s;
    check(gr_dataset_state_parse(&s, fuzz_runtime(), (const char *)data, size, "fuzz", &err), &s, &err);
    check(gr_dataset_splits_parse(&s, fuzz_runtime(), (const char *)data, size, "fuzz", &other), &s, &other);
    return 0;
}
