/* What is learned, compared with what the tokenizers library learned from the same texts: tests/golden/make/
 * make_bpe.py. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "support/tempdir.h"
#include "text/bpe_train.h"
#include "text/tokenizer.h"
#include "text/tokenizer_write.h"

enum { MERGES_MAX = 1024, IDS_MAX = 512 };

typedef struct {
    char name[64];
    char *text, *sample;
    size_t text_bytes, sample_bytes;
    bool whole;
    int32_t tokens, min_frequency;
    int32_t merges[MERGES_MAX][2], ids[IDS_MAX];
    size_t n_merges, n_ids;
} row;

static void read_text(gr_json *j, gr_runtime *rt, char **text, size_t *n)
{
    const char *s = gr_json_string(j, n);
    *text = gr_strndup(rt, s, *n);
    assert_non_null(*text);
}

static void read_merges(gr_json *j, row *r)
{
    for (gr_json_array(j); gr_json_item(j);) {
        int side = 0;
        assert_true(r->n_merges < MERGES_MAX);
        for (gr_json_array(j); gr_json_item(j); side++)
            r->merges[r->n_merges][side] = (int32_t)gr_json_int(j, 0, 1 << 20);
        r->n_merges++;
    }
}

static void read_row(gr_json *j, gr_runtime *rt, row *r)
{
    const char *key;
    for (gr_json_object(j); gr_json_key(j, &key);)
        if (strcmp(key, "name") == 0)
            snprintf(r->name, sizeof r->name, "%s", gr_json_string(j, NULL));
        else if (strcmp(key, "text") == 0)
            read_text(j, rt, &r->text, &r->text_bytes);
        else if (strcmp(key, "sample") == 0)
            read_text(j, rt, &r->sample, &r->sample_bytes);
        else if (strcmp(key, "whole") == 0)
            r->whole = gr_json_bool(j);
        else if (strcmp(key, "tokens") == 0)
            r->tokens = (int32_t)gr_json_int(j, 256, 1 << 20);
        else if (strcmp(key, "min_frequency") == 0)
            r->min_frequency = (int32_t)gr_json_int(j, 1, 1000);
        else if (strcmp(key, "merges") == 0)
            read_merges(j, r);
        else
            for (gr_json_array(j); gr_json_item(j); r->n_ids++)
                r->ids[r->n_ids % IDS_MAX] = (int32_t)gr_json_int(j, 0, 1 << 20);
}

static void learn(gr_runtime *rt, const row *r, gr_bpe_learned *l)
{
    gr_error err = { 0 };
    test_dir dir;
    gr_corpus c;
    gr_word_counter words;
    test_dir_make(&dir);
    test_dir_write(&dir, "text", r->text, r->text_bytes);
    const char *paths[] = { test_dir_file(&dir, "text") };
    const gr_corpus_format format = { .paths = paths, .n_paths = 1, .whole_files = r->whole };
    const gr_bpe_train_options o = { .max_tokens = r->tokens, .min_frequency = r->min_frequency };
    gr_word_counter_init(&words, rt, 100000);
    MUST(gr_corpus_open(&c, rt, &format, &err));
    MUST(gr_corpus_next(&c, &err));
    MUST(gr_word_counter_add(&words, &c, &err));
    MUST(gr_bpe_train(l, rt, &words, &o, &err));
    gr_corpus_close(&c);
    gr_word_counter_fini(&words);
    test_dir_remove(&dir);
}

static void check_merges(const row *r, const gr_bpe_learned *l)
{
    for (size_t i = 0; i < l->n_merges && i < r->n_merges; i++)
        if (l->merges[i].left != r->merges[i][0] || l->merges[i].right != r->merges[i][1])
            fail_msg("%s: merge %zu joins %d and %d, expected %d and %d", r->name, i, l->merges[i].left,
                     l->merges[i].right, r->merges[i][0], r->merges[i][1]);
    if (l->n_merges != r->n_merges)
        fail_msg("%s: %zu merges, expected %zu", r->name, l->n_merges, r->n_merges);
}

/* The file that is written of it gives the ids that the library gives. */
static void check_sample(gr_runtime *rt, const row *r, const gr_bpe_learned *l)
{
    gr_error err = { 0 };
    gr_buf text;
    gr_tokenizer *t = NULL;
    int32_t ids[IDS_MAX];
    size_t n;
    const gr_special_token bos = { (int32_t)l->tokens.n, "<|begin_of_text|>" };
    const gr_tokenizer_text file = { l, &bos, 1, bos.id, bos.id, 0 };
    gr_buf_init(&text, rt, 1 << 20);
    MUST(gr_tokenizer_write(&text, &file, &err));
    MUST(gr_tokenizer_parse(&t, rt, text.data, text.len, r->name, &err));
    MUST(gr_tokenizer_to_ids(t, r->sample, r->sample_bytes, true, ids, IDS_MAX, &n, &err));
    assert_int_equal(n, r->n_ids);
    assert_memory_equal(ids, r->ids, n * sizeof *ids);
    gr_tokenizer_free(t);
    gr_buf_fini(&text);
}

static void merges_and_ids_are_those_of_the_tokenizers_library(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_json j;
    char *json;
    size_t n, rows = 0;
    MUST(gr_file_read(rt, TEST_FILE("golden/text/bpe_train.json"), 1 << 20, &json, &n, &err));
    gr_json_init(&j, rt, json, n, "bpe_train.json", 1 << 20);
    for (gr_json_array(&j); gr_json_item(&j); rows++) {
        row *r = calloc(1, sizeof *r);
        gr_bpe_learned l;
        read_row(&j, rt, r);
        learn(rt, r, &l);
        check_merges(r, &l);
        check_sample(rt, r, &l);
        gr_bpe_learned_fini(&l);
        gr_free(rt, r->text);
        gr_free(rt, r->sample);
        free(r);
    }
    MUST(gr_json_status(&j, true, &err));
    assert_true(rows >= 8);
    gr_json_fini(&j);
    gr_free(rt, json);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        merges_and_ids_are_those_of_the_tokenizers_library) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
