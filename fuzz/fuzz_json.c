/* fuzz_json.c - an accepted text, written out and read again, is the same document. */
#include <string.h>

#include "fuzz.h"
#include "io/json.h"

/* Copies one value from the reader to the writer. */
static void copy(gr_json *j, gr_json_writer *w)
{
    const char *key;
    size_t n;
    switch (gr_json_peek(j)) {
    case GR_JSON_NULL:
        FUZZ_CHECK(gr_json_null(j) || gr_json_status(j, false, NULL) != GR_OK);
        gr_json_put_null(w);
        break;
    case GR_JSON_BOOL:
        gr_json_put_bool(w, gr_json_bool(j));
        break;
    case GR_JSON_NUMBER:
        gr_json_put_number(w, gr_json_number(j));
        break;
    case GR_JSON_STRING:
        key = gr_json_string(j, &n);
        gr_json_put_string(w, key, n);
        break;
    case GR_JSON_ARRAY:
        gr_json_put_array(w);
        for (gr_json_array(j); gr_json_item(j);)
            copy(j, w);
        gr_json_put_end(w, ']');
        break;
    case GR_JSON_OBJECT:
        gr_json_put_object(w);
        for (gr_json_object(j); gr_json_key(j, &key);) {
            gr_json_put_key(w, key);
            copy(j, w);
        }
        gr_json_put_end(w, '}');
        break;
    case GR_JSON_END:
        break;
    }
}

static gr_status rewrite(gr_buf *out, const char *text, size_t n, gr_error *err)
{
    gr_json j;
    gr_json_writer w;
    gr_json_init(&j, fuzz_runtime(), text, n, "fuzz", 1000);
    gr_json_writer_init(&w, out, false);
    copy(&j, &w);
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_buf once, twice;
    gr_buf_init(&once, fuzz_runtime(), (size_t)1 << 24);
    gr_buf_init(&twice, fuzz_runtime(), (size_t)1 << 24);
    if (rewrite(&once, (const char *)data, size, &err) == GR_OK && !once.failed && once.len) {
        FUZZ_CHECK(rewrite(&twice, once.data, once.len, &err) == GR_OK);
        FUZZ_CHECK(!twice.failed && once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
        gr_json j; /* what is read in parts can be passed over, and the other way round */
        gr_json_init(&j, fuzz_runtime(), (const char *)data, size, "fuzz", 1000);
        gr_json_skip(&j);
        FUZZ_CHECK(gr_json_status(&j, true, NULL) == GR_OK);
        gr_json_fini(&j);
    } else if (err.status != GR_OK) {
        FUZZ_CHECK(err.msg[0] != '\0');
    }
    gr_buf_fini(&once);
    gr_buf_fini(&twice);
    return 0;
}
