#include "eval/answer_text.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "text/strip.h"

#define MAX_TEXT        ((size_t)16 << 20)
#define MAX_CONFIG      ((size_t)64 << 20) /* it lists every added token */
#define MAX_CONFIG_TEXT ((size_t)1 << 20)

static const char end_of_turn[] = "<|eot_id|>";
#define END_BYTES (sizeof end_of_turn - 1)

/* Appends text[0..n); with its end marks left out where the text ends with one. */
static bool add_bench(gr_buf *out, const char *text, size_t n)
{
    if (n < END_BYTES || memcmp(text + n - END_BYTES, end_of_turn, END_BYTES) != 0)
        return gr_buf_add(out, text, n);
    for (size_t at = 0; at < n;) {
        if (n - at >= END_BYTES && memcmp(text + at, end_of_turn, END_BYTES) == 0)
            at += END_BYTES;
        else if (!gr_buf_add(out, text + at++, 1))
            return false;
    }
    return true;
}

gr_status gr_answer_text(gr_buf *out, const gr_tokenizer *t, const int32_t *ids, size_t n,
                         gr_answer_kind kind, bool clean_up, gr_error *err)
{
    gr_buf whole;
    gr_buf_init(&whole, gr_tokenizer_runtime(t), MAX_TEXT);
    const unsigned flags =
        (kind == GR_ANSWER_CAPTION ? GR_DECODE_SKIP_SPECIAL : 0) | (clean_up ? GR_DECODE_CLEAN_UP : 0);
    gr_status st = gr_tokenizer_decode(t, ids, n, flags, &whole, err);
    if (st == GR_OK) {
        const char *text = gr_buf_str(&whole);
        size_t len = whole.len;
        gr_strip(&text, &len, GR_STRIP_BOTH);
        const bool added = kind == GR_ANSWER_BENCH ? add_bench(out, text, len) : gr_buf_add(out, text, len);
        if (!added)
            st = gr_fail(err, out->len + len > out->max ? GR_ERR_LIMIT : GR_ERR_MEM,
                         "no room for an answer of %zu bytes", len);
    }
    gr_buf_fini(&whole);
    return st;
}

gr_status gr_answer_clean_up_parse(bool *clean_up, gr_runtime *rt, const char *json, size_t n,
                                   const char *name, gr_error *err)
{
    gr_json j;
    const char *key;
    bool seen = false;
    *clean_up = false;
    gr_json_init(&j, rt, json, n, name, MAX_CONFIG_TEXT);
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        if (strcmp(key, "clean_up_tokenization_spaces") != 0) {
            gr_json_skip(&j);
            continue;
        }
        if (seen)
            gr_json_fail(&j, GR_ERR_FORMAT, "'%s' is there twice", key);
        seen = true;
        if (!gr_json_null(&j))
            *clean_up = gr_json_bool(&j);
    }
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    if (st != GR_OK)
        *clean_up = false;
    return st;
}

gr_status gr_answer_clean_up(bool *clean_up, gr_runtime *rt, const char *dir, gr_error *err)
{
    char path[4096], *text;
    size_t n;
    *clean_up = false;
    if (!gr_path_join(path, sizeof path, dir, "tokenizer_config.json") || !gr_path_exists(path))
        return GR_OK;
    GR_TRY(gr_file_read(rt, path, MAX_CONFIG, &text, &n, err));
    const gr_status st = gr_answer_clean_up_parse(clean_up, rt, text, n, path, err);
    gr_free(rt, text);
    return st;
}
