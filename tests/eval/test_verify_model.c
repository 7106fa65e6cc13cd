/* A folder by itself: what is good is said to be good, and each kind of damage is found and named. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "grasp/verify.h"
#include "model/gar_new.h"
#include "support/tempdir.h"

typedef struct {
    int n, bad;
    char names[128], wrong[600];
    uint64_t last, total;
    bool stop;
} seen;

static void on_check(void *user, const gr_check *c)
{
    seen *s = user;
    s->n++;
    strcat(strcat(s->names, c->name), " ");
    assert_true(strlen(c->says) > 10);
    if (!c->good && s->bad++ == 0)
        snprintf(s->wrong, sizeof s->wrong, "%s: %s", c->name, c->says);
}

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    seen *s = user;
    assert_true(done >= s->last && done <= total);
    s->last = done;
    s->total = total;
    return !s->stop;
}

static void make(gr_runtime *rt, test_dir *dir)
{
    gr_error err = { 0 };
    gr_gar_config c;
    MUST(gr_gar_config_preset(&c, "gar-test", &err));
    test_dir_make(dir);
    MUST(gr_gar_new(rt, &c, dir->path, NULL, &err));
}

static gr_status check(gr_runtime *rt, const test_dir *dir, seen *s, gr_error *err)
{
    gr_model *m;
    const gr_verify_watch watch = { on_check, on_progress, NULL, s };
    GR_TRY(gr_model_open(&m, rt, dir->path, NULL, err));
    const gr_status st = gr_verify_model(m, &watch, err);
    gr_model_close(m);
    return st;
}

static void a_whole_folder_is_good(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    test_dir dir;
    seen s = { 0 };
    make(rt, &dir);
    MUST(check(rt, &dir, &s, &err));
    assert_string_equal(s.names, "tensors values tokens clean-up canvas prompt ");
    assert_int_equal(s.bad, 0);
    assert_true(s.total > 100000 && s.last == s.total);
    s = (seen){ .stop = true };
    MUST_FAIL(check(rt, &dir, &s, &err), GR_ERR_CANCELLED, "cancelled");
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

/* Overwrites `n` bytes at `at` (from the end when negative) of a file. */
static void overwrite(const test_dir *dir, const char *name, long at, const void *bytes, size_t n)
{
    FILE *f = fopen(test_dir_file(dir, name), "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void a_number_that_is_not_finite_is_found(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    test_dir dir;
    seen s = { 0 };
    const float nan = NAN;
    make(rt, &dir);
    overwrite(&dir, "model.safetensors", -4, &nan, sizeof nan);
    MUST_FAIL(check(rt, &dir, &s, &err), GR_ERR_FORMAT, "is not a finite number");
    assert_non_null(strstr(s.wrong, "values: "));
    assert_non_null(strstr(s.wrong, "model.safetensors: tensor '"));
    assert_int_equal(s.bad, 1);
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

/* Replaces the first `from` in a file by `to` of the same length. */
static void replace(gr_runtime *rt, const test_dir *dir, const char *name, const char *from, const char *to)
{
    gr_error err = { 0 };
    char *text;
    size_t n;
    MUST(gr_file_read(rt, test_dir_file(dir, name), 1 << 24, &text, &n, &err));
    const char *at = strstr(text, from);
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    overwrite(dir, name, (long)(at - text), to, strlen(to));
    gr_free(rt, text);
}

static void tokens_and_settings_are_looked_at(void **state)
{
    (void)state;
    static const struct {
        const char *file, *from, *to, *wrong;
    } cases[] = {
        { "tokenizer.json", "<|reserved_special_token_5|>", "<|reserved_special_tokem_5|>",
          "tokens: '<|reserved_special_token_5|>' has id -1, expected 266 and special" },
        { "tokenizer_config.json", "\"clean_up_tokenization_spaces\": true",
          "\"clean_up_tokenization_spaces\": 1234", "clean-up: " },
    };
    gr_runtime *rt = test_runtime();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        test_dir dir;
        seen s = { 0 };
        make(rt, &dir);
        replace(rt, &dir, cases[i].file, cases[i].from, cases[i].to);
        MUST_FAIL(check(rt, &dir, &s, &err), GR_ERR_FORMAT, cases[i].wrong);
        assert_int_equal(s.bad, 1);
        test_dir_remove(&dir);
    }
    gr_error err = { 0 };
    test_dir dir;
    seen s = { 0 };
    make(rt, &dir);
    assert_int_equal(remove(test_dir_file(&dir, "tokenizer.json")), 0);
    MUST_FAIL(check(rt, &dir, &s, &err), GR_ERR_FORMAT, "tokenizer.json is not there");
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

/* With the published vocabulary the prompt is compared id by id. */
static void the_published_vocabulary_is_compared_by_ids(void **state)
{
    (void)state;
    NEED_SHARED("tokenizers/llama3-gar/tokenizer.json");
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_gar_config c, ids;
    gr_model *m;
    test_dir dir;
    seen s = { 0 };
    const gr_gar_new_options o = { .tokenizer = SHARED_FILE("tokenizers/llama3-gar/tokenizer.json") };
    const gr_verify_watch watch = { on_check, on_progress, NULL, &s };
    MUST(gr_gar_config_preset(&c, "gar-test", &err));
    MUST(gr_gar_config_preset(&ids, "gar-1b", &err));
    c.text.vocab = ids.text.vocab;
    c.text.bos = ids.text.bos;
    c.text.n_eos = 2;
    memcpy(c.text.eos, ids.text.eos, sizeof c.text.eos);
    memcpy(c.crop_ids, ids.crop_ids, sizeof c.crop_ids);
    c.image_id = ids.image_id;
    c.video_id = ids.video_id;
    test_dir_make(&dir);
    MUST(gr_gar_new(rt, &c, dir.path, &o, &err));
    MUST(gr_model_open(&m, rt, dir.path, NULL, &err));
    MUST(gr_verify_model(m, &watch, &err));
    assert_int_equal(s.bad, 0);
    gr_model_close(m);
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_folder_is_good),
        cmocka_unit_test(a_number_that_is_not_finite_is_found),
        cmocka_unit_test(tokens_and_settings_are_looked_at),
        cmocka_unit_test(the_published_vocabulary_is_compared_by_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
