#include "test.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/rng.h"
#include "io/checkpoint.h"
#include "io/convert.h"
#include "io/json.h"
#include "model/draw.h"
#include "model/gar_new.h"
#include "model/gar_tensors.h"
#include "support/tempdir.h"
#include "text/tokenizer.h"

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    gr_gar_config config;
} fixture;

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    f = (fixture){ .rt = test_runtime() };
    test_dir_make(&f.dir);
    MUST(gr_gar_config_preset(&f.config, "gar-test", &err));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    test_dir_remove(&f->dir);
    gr_runtime_free(f->rt);
    return 0;
}

static void a_written_configuration_reads_back_the_same(void **state)
{
    static const char *const names[] = { "gar-1b", "gar-8b", "gar-test", "odd", "base" };
    fixture *f = *state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        gr_gar_config c, back;
        MUST(gr_gar_config_preset(&c, i < 3 ? names[i] : "gar-test", &err));
        if (i >= 3) { /* what no architecture's name implies */
            memset(c.vision.architecture, 0, sizeof c.vision.architecture);
            strcpy(c.vision.architecture, "vit_of_my_own");
            strcpy(c.license, "Apache-2.0");
            c.vision.mlp = 101;
            c.vision.heads = 2;
            c.vision.rope_offset = 3;
            c.vision.norm_eps = 1e-6f;
            c.image_mean[1] = 0.4578275f;
            c.text.rms_eps = 1.5e-6f;
            c.text.rope_theta = 10000.5;
            c.stored = GR_DTYPE_F16;
            c.base_only = i == 4;
            c.n_prompts = i == 4 ? 0 : 2;
            c.n_crop = i == 4 ? 0 : 3;
            for (int k = c.n_crop; k < 5; k++)
                c.crop_ids[k] = 0;
        }
        gr_buf text[3];
        for (int k = 0; k < 3; k++)
            gr_buf_init(&text[k], f->rt, 65536);
        MUST(gr_gar_config_write(&text[0], &c, &err));
        MUST(gr_gar_preprocessor_write(&text[1], &c, &err));
        MUST(gr_gar_processor_write(&text[2], &c, &err));
        const gr_gar_config_text files[] = { { text[0].data, text[0].len, "config.json" },
                                             { text[1].data, text[1].len, "preprocessor_config.json" },
                                             { text[2].data, text[2].len, "processor_config.json" } };
        MUST(gr_gar_config_parse_files(&back, f->rt, &files[0], &files[1], &files[2], &err));
        assert_memory_equal(&back, &c, sizeof c);
        for (int k = 0; k < 3; k++)
            gr_buf_fini(&text[k]);
    }
}

/* draw.h once more, by hand, for one element. */
static float element(const char *name, uint64_t seed, uint64_t i, double mean, double std)
{
    const uint32_t counter[4] = { (uint32_t)(i / 2), (uint32_t)(i / 2 >> 32), (uint32_t)(seed >> 32), 0 };
    const uint32_t key[2] = { (uint32_t)seed, gr_fnv1a32(name) };
    const gr_philox_block r = gr_philox(counter, key);
    const uint32_t a = r.v[i % 2 * 2], b = r.v[i % 2 * 2 + 1];
    const int n = (int)((a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16)) - 131070;
    return (float)(mean + std * (n / 37837.0));
}

static void check_element(const gr_checkpoint *c, const char *name, uint64_t seed, uint64_t i, double mean,
                          double std)
{
    const gr_stored *t = gr_checkpoint_find(c, name);
    assert_non_null(t);
    float got, rounded = 0, want = element(name, seed, i, mean, std);
    uint8_t stored[8];
    const size_t bytes = gr_dtype_bytes(t->dtype);
    assert_true(gr_from_f32(stored, &want, t->dtype, 1) && gr_to_f32(&rounded, stored, t->dtype, 1));
    gr_error err = { 0 };
    MUST(gr_stored_read(t, i * bytes, stored, bytes, &err));
    assert_true(gr_to_f32(&got, stored, t->dtype, 1));
    assert_true(got == rounded);
}

static void check_all_elements(const gr_checkpoint *c, uint64_t seed)
{
    for (size_t i = 0; i < gr_checkpoint_count(c); i++) {
        const gr_stored *t = gr_checkpoint_at(c, i);
        gr_error err = { 0 };
        uint8_t *want = malloc(t->bytes), *got = malloc(t->bytes);
        MUST(gr_stored_read(t, 0, got, t->bytes, &err));
        MUST(gr_draw_tensor(want, t->dtype, t->name, seed, t->shape, t->rank, 0,
                            t->bytes / gr_dtype_bytes(t->dtype), &err));
        assert_memory_equal(got, want, t->bytes);
        free(want);
        free(got);
    }
}

static void a_new_model_is_a_checkpoint_with_drawn_weights(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const char *dir = test_dir_file(&f->dir, "m");
    const uint64_t seed = 0x900000002u;
    const gr_gar_new_options o = { .seed = seed, .dtype = GR_DTYPE_BF16 };
    MUST(gr_gar_new(f->rt, &f->config, dir, &o, &err));
    assert_int_equal(test_dir_count(&f->dir), 1); /* nothing else is left */

    gr_gar_config c, want = f->config;
    want.stored = GR_DTYPE_BF16;
    MUST(gr_gar_config_load(&c, f->rt, dir, &err));
    assert_memory_equal(&c, &want, sizeof c);

    gr_checkpoint *files;
    gr_gar_tensors list;
    gr_gar_bound bound[128];
    MUST(gr_checkpoint_open(&files, f->rt, dir, &err));
    MUST(gr_gar_tensors_build(&list, f->rt, &c, &err));
    MUST(gr_gar_tensors_bind(&list, files, bound, NULL, &err));
    assert_int_equal(gr_checkpoint_count(files), list.n_required);
    check_all_elements(files, seed);
    const double width = sqrt(96.0);
    check_element(files, "mllm.model.language_model.layers.2.self_attn.k_proj.weight", seed, 777, 0,
                  1.7 / width);
    check_element(files, "mllm.model.language_model.layers.0.self_attn.v_proj.weight", seed, 3071, 0,
                  1 / width);
    check_element(files, "mllm.model.language_model.embed_tokens.weight", seed, 28415, 0, 3 / width);
    check_element(files, "mllm.model.language_model.norm.weight", seed, 5, 1, 0.2);
    check_element(files, "mllm.model.vision_tower.timm_model.blocks.1.gamma_2", seed, 63, 0.65, 0.15);
    check_element(files, "mask_patch_embedding.weight", seed, 1234, 0, 2 / sqrt(3.0 * 14 * 14));
    gr_gar_tensors_fini(&list);
    gr_checkpoint_close(files);
}

static void the_vocabulary_of_a_new_model_is_bytes_and_specials(void **state)
{
    static const struct {
        const char *text;
        int32_t id;
    } cases[] = { { "<|begin_of_text|>", 256 },
                  { "<|end_of_text|>", 257 },
                  { "<|image|>", 258 },
                  { "<|video|>", 259 },
                  { "<|eot_id|>", 265 },
                  { "<|reserved_special_token_2|>", 260 },
                  { "<|reserved_special_token_5|>", 266 },
                  { "<|reserved_special_token_28|>", 289 },
                  { "<Prompt0>", 290 },
                  { "<Prompt4>", 294 },
                  { "<NO_Prompt>", 295 } };
    fixture *f = *state;
    gr_error err = { 0 };
    gr_tokenizer *t;
    const char *dir = test_dir_file(&f->dir, "m");
    MUST(gr_gar_new(f->rt, &f->config, dir, NULL, &err));
    MUST(gr_tokenizer_open(&t, f->rt, dir, &err));
    assert_int_equal(gr_tokenizer_n_vocab(t), 296);
    assert_int_equal(gr_tokenizer_bos(t), 256);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(gr_tokenizer_id(t, cases[i].text), cases[i].id);
    for (int b = 0; b < 256; b++) {
        size_t n;
        const uint8_t *bytes = gr_tokenizer_bytes(t, b, &n);
        assert_true(n == 1 && bytes[0] == b);
    }
    gr_tokenizer_free(t);
}

/* Weights in three files, drawn by another number of threads, are the weights in one. */
static void shards_and_threads_do_not_change_a_bit(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_checkpoint *one, *many;
    char dirs[2][512];
    snprintf(dirs[0], sizeof dirs[0], "%s/one", f->dir.path);
    snprintf(dirs[1], sizeof dirs[1], "%s/many/", f->dir.path);
    gr_runtime *other = test_runtime_threads(5);
    const gr_gar_new_options o = { .seed = 7 }, split = { .seed = 7, .shard_bytes = 500000 };
    MUST(gr_gar_new(f->rt, &f->config, dirs[0], &o, &err));
    MUST(gr_gar_new(other, &f->config, dirs[1], &split, &err));
    MUST(gr_checkpoint_open(&one, f->rt, dirs[0], &err));
    MUST(gr_checkpoint_open(&many, f->rt, dirs[1], &err));
    assert_int_equal(gr_checkpoint_n_files(one), 1);
    assert_true(gr_checkpoint_n_files(many) > 2);
    for (size_t i = 0; i < gr_checkpoint_n_files(many); i++) {
        struct stat s;
        assert_int_equal(stat(gr_checkpoint_file(many, i), &s), 0);
        assert_true(s.st_size < 500000 + 20000);
    }
    assert_int_equal(gr_checkpoint_count(one), gr_checkpoint_count(many));
    for (size_t i = 0; i < gr_checkpoint_count(one); i++) {
        const gr_stored *a = gr_checkpoint_at(one, i), *b = gr_checkpoint_at(many, i);
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->bytes, b->bytes);
        uint8_t *bytes[2] = { malloc(a->bytes), malloc(a->bytes) };
        MUST(gr_stored_read(a, 0, bytes[0], a->bytes, &err));
        MUST(gr_stored_read(b, 0, bytes[1], a->bytes, &err));
        assert_memory_equal(bytes[0], bytes[1], a->bytes);
        free(bytes[0]);
        free(bytes[1]);
    }
    gr_checkpoint_close(one);
    gr_checkpoint_close(many);
    gr_runtime_free(other);
}

static bool stop_half_way(void *user, uint64_t done, uint64_t total)
{
    ++*(int *)user;
    assert_true(done <= total);
    return done < total / 2;
}

static void a_cancelled_or_refused_folder_leaves_nothing(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    int calls = 0;
    const gr_gar_new_options stop = { .progress = stop_half_way, .user = &calls };
    MUST_FAIL(gr_gar_new(f->rt, &f->config, test_dir_file(&f->dir, "m"), &stop, &err), GR_ERR_CANCELLED,
              "cancelled after");
    assert_true(calls > 1);
    assert_int_equal(test_dir_count(&f->dir), 0);

    gr_gar_config c = f->config;
    c.image_id = 261;
    MUST_FAIL(gr_gar_new(f->rt, &c, test_dir_file(&f->dir, "m"), NULL, &err), GR_ERR_ARG,
              "'<|image|>' at id 261");
    c = f->config;
    c.text.vocab = 270;
    MUST_FAIL(gr_gar_new(f->rt, &c, test_dir_file(&f->dir, "m"), NULL, &err), GR_ERR_ARG, "found 256 of 270");
    c = f->config;
    c.base_only = true;
    MUST_FAIL(gr_gar_new(f->rt, &c, test_dir_file(&f->dir, "m"), NULL, &err), GR_ERR_ARG, "not a base");
    const gr_gar_new_options ints = { .dtype = GR_DTYPE_I8 };
    MUST_FAIL(gr_gar_new(f->rt, &f->config, test_dir_file(&f->dir, "m"), &ints, &err), GR_ERR_ARG,
              "type I8, expected F32");
    MUST_FAIL(gr_gar_new(f->rt, &f->config, test_dir_file(&f->dir, "no/m"), NULL, &err), GR_ERR_IO,
              "cannot make this folder");
    MUST_FAIL(gr_gar_new(f->rt, &f->config, "", NULL, &err), GR_ERR_ARG, "0 bytes");
    assert_int_equal(test_dir_count(&f->dir), 0);
}

static void an_empty_folder_is_filled_and_a_full_one_is_not(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const char *dir = test_dir_file(&f->dir, "m");
    assert_int_equal(mkdir(dir, 0777), 0);
    MUST(gr_gar_new(f->rt, &f->config, dir, NULL, &err));
    MUST_FAIL(gr_gar_new(f->rt, &f->config, dir, NULL, &err), GR_ERR_ARG,
              "is there already and not an empty folder");
    MUST_FAIL(gr_gar_new(f->rt, &f->config, test_dir_file(&f->dir, "m/config.json"), NULL, &err), GR_ERR_ARG,
              "is there already");
    assert_int_equal(test_dir_count(&f->dir), 1);
}

/* The small model with the vocabulary of the published ones. */
static gr_gar_config with_published_ids(const gr_gar_config *small)
{
    gr_error err = { 0 };
    gr_gar_config c = *small, published;
    MUST(gr_gar_config_preset(&published, "gar-1b", &err));
    c.text.vocab = published.text.vocab;
    c.text.bos = published.text.bos;
    memcpy(c.text.eos, published.text.eos, sizeof c.text.eos);
    memcpy(c.crop_ids, published.crop_ids, sizeof c.crop_ids);
    c.image_id = published.image_id;
    c.video_id = published.video_id;
    return c;
}

/* gar-1b and gar-8b without a tokenizer: bytes at 0..255, specials where they are published, nothing between.
 */
static void published_ids_stay_in_place_without_a_tokenizer(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_gar_config c = with_published_ids(&f->config);
    const gr_gar_new_options o = { .dtype = GR_DTYPE_BF16 };
    MUST(gr_gar_new(f->rt, &c, test_dir_file(&f->dir, "m"), &o, &err));
    gr_tokenizer *t;
    size_t n;
    MUST(gr_tokenizer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &err));
    assert_int_equal(gr_tokenizer_n_vocab(t), 128262);
    assert_int_equal(gr_tokenizer_bos(t), 128000);
    assert_int_equal(gr_tokenizer_id(t, "<|image|>"), 128002);
    assert_int_equal(gr_tokenizer_id(t, "<|reserved_special_token_250|>"), 128255);
    assert_int_equal(gr_tokenizer_id(t, "<Prompt0>"), 128256);
    assert_int_equal(gr_tokenizer_id(t, "<NO_Prompt>"), 128261);
    assert_null(gr_tokenizer_bytes(t, 256, &n));
    assert_null(gr_tokenizer_bytes(t, 127999, &n));
    gr_tokenizer_free(t);
}

static void a_given_tokenizer_must_suit_the_ids(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    NEED_SHARED("tokenizers/llama3-gar/tokenizer.json");
    const char *path = SHARED_FILE("tokenizers/llama3-gar/tokenizer.json");
    const gr_gar_new_options o = { .tokenizer = path, .dtype = GR_DTYPE_BF16 };
    MUST_FAIL(gr_gar_new(f->rt, &f->config, test_dir_file(&f->dir, "m"), &o, &err), GR_ERR_ARG,
              "128262 tokens, the configuration has vocab_size = 296");
    gr_gar_config c = with_published_ids(&f->config);
    MUST(gr_gar_new(f->rt, &c, test_dir_file(&f->dir, "m"), &o, &err));
    gr_tokenizer *t;
    MUST(gr_tokenizer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &err));
    assert_int_equal(gr_tokenizer_n_vocab(t), 128262);
    gr_tokenizer_free(t);
    c.crop_ids[4] = 128012;
    MUST_FAIL(gr_gar_new(f->rt, &c, test_dir_file(&f->dir, "n"), &o, &err), GR_ERR_ARG,
              "'<|reserved_special_token_6|>' has id 128011, the configuration expects 128012");
}

/* Weights are not made here: 3 GB. */
static bool stop_at_once(void *user, uint64_t done, uint64_t total)
{
    (void)user;
    (void)done;
    assert_int_equal(total, 2 * 1534139392u);
    return false;
}

static void the_1b_preset_begins_to_be_made(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_config c;
    const gr_gar_new_options o = { .progress = stop_at_once };
    MUST(gr_gar_config_preset(&c, "gar-1b", &err));
    MUST_FAIL(gr_gar_new(f->rt, &c, test_dir_file(&f->dir, "m"), &o, &err), GR_ERR_CANCELLED, "cancelled");
    assert_int_equal(test_dir_count(&f->dir), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_written_configuration_reads_back_the_same),
        TEST(a_new_model_is_a_checkpoint_with_drawn_weights),
        TEST(the_vocabulary_of_a_new_model_is_bytes_and_specials),
        TEST(shards_and_threads_do_not_change_a_bit),
        TEST(a_cancelled_or_refused_folder_leaves_nothing),
        TEST(an_empty_folder_is_filled_and_a_full_one_is_not),
        TEST(published_ids_stay_in_place_without_a_tokenizer),
        TEST(a_given_tokenizer_must_suit_the_ids),
        TEST(the_1b_preset_begins_to_be_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
