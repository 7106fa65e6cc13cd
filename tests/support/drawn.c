#include "test.h"

#include "support/drawn.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "io/convert.h"
#include "io/json.h"
#include "io/safetensors.h"

#define MAX_TENSORS 256

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static void moments(const char *name, double fan_in, double *mean, double *std)
{
    static const char *const norms[] = { "norm_pre.weight",
                                         "norm1.weight",
                                         "norm2.weight",
                                         "input_layernorm.weight",
                                         "post_attention_layernorm.weight",
                                         "language_model.norm.weight" };
    *mean = 0;
    if (ends_with(name, "cls_token") || ends_with(name, "pos_embed"))
        *std = 0.5;
    else if (ends_with(name, "patch_embed.proj.weight") || ends_with(name, "mask_patch_embedding.weight"))
        *std = 2 / sqrt(fan_in);
    else if (ends_with(name, "gamma_1") || ends_with(name, "gamma_2"))
        *mean = 0.65, *std = 0.15;
    else if (ends_with(name, ".bias"))
        *std = 0.2;
    else if (ends_with(name, "attn.qkv.weight") || ends_with(name, "q_proj.weight") ||
             ends_with(name, "k_proj.weight"))
        *std = 1.7 / sqrt(fan_in);
    else if (ends_with(name, "embed_tokens.weight") || ends_with(name, "lm_head.weight"))
        *std = 3 / sqrt(fan_in);
    else
        *std = 1 / sqrt(fan_in);
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++)
        if (ends_with(name, norms[i]))
            *mean = 1, *std = 0.2;
}

float test_drawn_value(const char *name, uint64_t seed, size_t fan_in, uint64_t i)
{
    const uint64_t block = i / 2;
    const uint32_t key[2] = { (uint32_t)seed, gr_fnv1a32(name) };
    const uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), (uint32_t)(seed >> 32), 0 };
    const gr_philox_block r = gr_philox(counter, key);
    const uint32_t a = r.v[i % 2 * 2], b = r.v[i % 2 * 2 + 1];
    const int32_t n = (int32_t)((a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16)) - 131070;
    double mean, std;
    moments(name, (double)fan_in, &mean, &std);
    const double spread = std * ((double)n / 37837.0);
    return (float)(mean + spread);
}

typedef struct {
    gr_tensor_spec specs[MAX_TENSORS];
    char names[MAX_TENSORS][160];
    size_t n;
} tensor_list;

static void read_list(gr_runtime *rt, tensor_list *list, const char *model)
{
    gr_error err = { 0 };
    char path[1024], *text;
    const char *key;
    size_t size;
    gr_json j;
    snprintf(path, sizeof path, TEST_FILE("golden/gar/%s/tensors.json"), model);
    MUST(gr_file_read(rt, path, 1 << 20, &text, &size, &err));
    gr_json_init(&j, rt, text, size, path, 1000);
    for (gr_json_array(&j); gr_json_item(&j);) {
        assert_true(list->n < MAX_TENSORS);
        gr_tensor_spec *t = &list->specs[list->n];
        t->name = list->names[list->n];
        for (gr_json_object(&j); gr_json_key(&j, &key);) {
            if (strcmp(key, "name") == 0)
                snprintf(list->names[list->n], sizeof list->names[0], "%s", gr_json_string(&j, NULL));
            else if (strcmp(key, "shape") == 0)
                for (gr_json_array(&j); gr_json_item(&j);)
                    t->shape[t->rank++] = gr_json_int(&j, 1, 1 << 20);
            else
                gr_json_skip(&j);
        }
        list->n++;
    }
    MUST(gr_json_status(&j, true, &err));
    gr_json_fini(&j);
    gr_free(rt, text);
}

static void write_weights(gr_runtime *rt, tensor_list *list, const char *path, uint64_t seed, gr_dtype dtype)
{
    gr_error err = { 0 };
    gr_safetensors_writer *w;
    for (size_t i = 0; i < list->n; i++)
        list->specs[i].dtype = dtype;
    MUST(gr_safetensors_writer_open(&w, rt, path, list->specs, list->n, NULL, &err));
    for (size_t t; (t = gr_safetensors_writer_next(w)) < list->n;) {
        const gr_tensor_spec *s = &list->specs[t];
        size_t n = 1, fan_in = 1;
        for (int d = 0; d < s->rank; d++) {
            n *= (size_t)s->shape[d];
            fan_in *= d ? (size_t)s->shape[d] : 1;
        }
        float *values = test_malloc(n * sizeof *values);
        void *stored = test_malloc(n * 4);
        for (size_t i = 0; i < n; i++)
            values[i] = test_drawn_value(s->name, seed, fan_in, i);
        assert_true(gr_from_f32(stored, values, dtype, n));
        MUST(gr_safetensors_writer_add(w, stored, n * gr_dtype_bytes(dtype), &err));
        test_free(values);
        test_free(stored);
    }
    MUST(gr_safetensors_writer_commit(w, &err));
}

static void copy_file(gr_runtime *rt, const test_dir *dir, const char *name, const char *from)
{
    gr_error err = { 0 };
    char *text;
    size_t size;
    MUST(gr_file_read(rt, from, 1 << 22, &text, &size, &err));
    test_dir_write(dir, name, text, size);
    gr_free(rt, text);
}

void test_drawn_checkpoint(gr_runtime *rt, test_dir *dir, const char *model, uint64_t seed, gr_dtype dtype)
{
    char path[1024];
    tensor_list *list = test_calloc(1, sizeof *list);
    test_dir_make(dir);
    snprintf(path, sizeof path, TEST_FILE("golden/gar/%s/config.json"), model);
    copy_file(rt, dir, "config.json", path);
    copy_file(rt, dir, "tokenizer.json", TEST_FILE("golden/text/tokenizer.json"));
    read_list(rt, list, model);
    write_weights(rt, list, test_dir_file(dir, "model.safetensors"), seed, dtype);
    test_free(list);
}
