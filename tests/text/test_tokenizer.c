#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "text/tokenizer.h"

#define LLAMA3 "tokenizers/llama3-gar/tokenizer.json"

static gr_tokenizer *open_llama3(gr_runtime *rt)
{
    gr_tokenizer *t = NULL;
    gr_error err = { 0 };
    MUST(gr_tokenizer_open(&t, rt, SHARED_FILE(LLAMA3), &err));
    return t;
}

/* The 47 public vectors of the Llama-3 vocabulary and 858 made by an independent implementation. */
static void published_vectors_of_llama3_hold(void **state)
{
    (void)state;
    NEED_SHARED("tokenizers/llama3-gar/vectors.json");
    gr_runtime *rt = test_runtime();
    gr_tokenizer *t = open_llama3(rt);
    gr_error err = { 0 };
    char *file;
    size_t size;
    MUST(gr_file_read(rt, SHARED_FILE("tokenizers/llama3-gar/vectors.json"), 1 << 24, &file, &size, &err));
    gr_json j;
    gr_json_init(&j, rt, file, size, "vectors.json", 1 << 20);
    gr_ids ids;
    gr_ids_init(&ids, rt, 100000);
    gr_buf text, back;
    gr_buf_init(&text, rt, 1 << 20);
    gr_buf_init(&back, rt, 1 << 20);
    int n_vectors = 0;
    const char *key;
    for (gr_json_array(&j); gr_json_item(&j); n_vectors++)
        for (gr_json_object(&j); gr_json_key(&j, &key);) {
            if (strcmp(key, "text") == 0) {
                size_t n;
                const char *value = gr_json_string(&j, &n);
                gr_buf_clear(&text);
                gr_buf_add(&text, value, n);
                gr_ids_clear(&ids);
                MUST(gr_tokenizer_encode(t, text.data, n, false, &ids, &err));
                gr_buf_clear(&back);
                MUST(gr_tokenizer_decode(t, ids.v, ids.n, 0, &back, &err));
                assert_string_equal(gr_buf_str(&back), text.data);
            } else {
                size_t i = 0;
                for (gr_json_array(&j); gr_json_item(&j); i++) {
                    const int64_t want = gr_json_int(&j, 0, 1 << 20);
                    if (i >= ids.n || ids.v[i] != want)
                        fail_msg("vector %d '%s': token %zu is %d, expected %d", n_vectors, text.data, i,
                                 i < ids.n ? ids.v[i] : -1, (int)want);
                }
                assert_int_equal(i, ids.n);
            }
        }
    MUST(gr_json_status(&j, true, &err));
    assert_int_equal(n_vectors, 905);
    gr_buf_fini(&text);
    gr_buf_fini(&back);
    gr_ids_fini(&ids);
    gr_json_fini(&j);
    gr_free(rt, file);
    gr_tokenizer_free(t);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_of_llama3_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
