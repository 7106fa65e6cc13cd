/* fuzz_gar_config.c - the input is config.json, and, after zero bytes, the two processor files. What is
 * accepted must be a model that can be built. */
#include <string.h>

#include "fuzz.h"
#include "model/gar_config.h"

static void check(const gr_gar_config *c)
{
    const gr_pe_config *v = &c->vision;
    const gr_llama_config *t = &c->text;
    FUZZ_CHECK(v->patch_px >= 1 && v->grid >= 1 && v->grid <= 128 && v->grid * v->patch_px == v->tile_px);
    FUZZ_CHECK(v->dim >= 1 && v->depth >= 1 && v->mlp >= 1 && v->heads >= 1 && v->dim % (4 * v->heads) == 0);
    FUZZ_CHECK(v->rope_offset >= 0 && v->norm_eps >= 0 && memchr(v->architecture, 0, sizeof v->architecture));
    FUZZ_CHECK(t->hidden >= 1 && t->layers >= 1 && t->ffn >= 1 && t->context >= 1 && t->vocab >= 1);
    FUZZ_CHECK(t->kv_heads >= 1 && t->heads % t->kv_heads == 0 && t->head_dim >= 2 && t->head_dim % 2 == 0);
    FUZZ_CHECK(t->bos >= 0 && t->bos < t->vocab && t->n_eos >= 1 && t->n_eos <= GR_MAX_EOS);
    FUZZ_CHECK(!t->rope_llama3 ||
               (t->rope_factor > 0 && t->rope_high > t->rope_low && t->rope_original >= 1));
    FUZZ_CHECK(c->tokens_side >= 1 && c->tokens_side * c->pool == v->grid && c->replay_grid >= 1);
    FUZZ_CHECK(c->max_num_tiles >= 1 && c->max_num_tiles <= 64);
    FUZZ_CHECK(c->n_prompts >= 0 && c->n_prompts <= c->n_crop && c->n_crop <= GR_MAX_PROMPTS);
    for (int i = 0; i < c->n_crop; i++)
        FUZZ_CHECK(c->crop_ids[i] >= 0 && c->crop_ids[i] < t->vocab);
    for (int i = 0; i < 3; i++)
        FUZZ_CHECK(c->image_std[i] > 0 && c->image_mean[i] == c->image_mean[i]);
    FUZZ_CHECK(c->image_id >= 0 && c->image_id < t->vocab && gr_dtype_bytes(c->stored) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_gar_config_text texts[3];
    size_t n = 0, at = 0;
    for (; n < 3 && at <= size; n++) {
        const uint8_t *zero = at < size ? memchr(data + at, 0, size - at) : NULL;
        const size_t length = zero && n < 2 ? (size_t)(zero - data) - at : size - at;
        texts[n] = (gr_gar_config_text){ (const char *)data + at, length, "fuzz" };
        at += length + 1;
    }
    gr_error err = { 0 };
    gr_gar_config c;
    if (gr_gar_config_parse_files(&c, fuzz_runtime(), &texts[0], n > 1 ? &texts[1] : NULL,
                                  n > 2 ? &texts[2] : NULL, &err) == GR_OK)
        check(&c);
    else
        FUZZ_CHECK(err.msg[0] != '\0' && c.vision.dim == 0);
    return 0;
}
