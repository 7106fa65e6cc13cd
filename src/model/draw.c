#include "model/draw.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/rng.h"
#include "io/convert.h"

/* First suffix that fits decides. `by_fan`: std is divided by sqrt(product of the dimensions after the
 * first). */
typedef struct {
    const char *suffix;
    double mean, std;
    bool by_fan;
} draw_rule;

static const draw_rule peaked[] = {
    { "cls_token", 0, 0.5, false },
    { "pos_embed", 0, 0.5, false },
    { "patch_embed.proj.weight", 0, 2, true },
    { "mask_patch_embedding.weight", 0, 2, true },
    { "gamma_1", 0.65, 0.15, false },
    { "gamma_2", 0.65, 0.15, false },
    { "norm_pre.weight", 1, 0.2, false },
    { "norm1.weight", 1, 0.2, false },
    { "norm2.weight", 1, 0.2, false },
    { "input_layernorm.weight", 1, 0.2, false },
    { "post_attention_layernorm.weight", 1, 0.2, false },
    { "language_model.norm.weight", 1, 0.2, false },
    { ".bias", 0, 0.2, false },
    { "attn.qkv.weight", 0, 1.7, true },
    { "q_proj.weight", 0, 1.7, true },
    { "k_proj.weight", 0, 1.7, true },
    { "embed_tokens.weight", 0, 3, true },
    { "lm_head.weight", 0, 3, true },
    { ".weight", 0, 1, true },
};

static const draw_rule training[] = {
    { "cls_token", 0, 0.02, false },
    { "pos_embed", 0, 0.02, false },
    { "patch_embed.proj.weight", 0, 1, true },
    { "mask_patch_embedding.weight", 0, 1, true },
    { "gamma_1", 1, 0, false },
    { "gamma_2", 1, 0, false },
    { "norm_pre.weight", 1, 0, false },
    { "norm1.weight", 1, 0, false },
    { "norm2.weight", 1, 0, false },
    { "input_layernorm.weight", 1, 0, false },
    { "post_attention_layernorm.weight", 1, 0, false },
    { "language_model.norm.weight", 1, 0, false },
    { ".bias", 0, 0, false },
    { "embed_tokens.weight", 0, 0.02, false },
    { "lm_head.weight", 0, 0.02, false },
    { "attn.proj.weight", 0, 0.25, true }, /* what is added to the residual stream */
    { "fc2.weight", 0, 0.25, true },
    { "o_proj.weight", 0, 0.25, true },
    { "down_proj.weight", 0, 0.25, true },
    { ".weight", 0, 0.5, true },
};

static const struct {
    const draw_rule *rules;
    size_t n;
} tables[] = { [GR_DRAW_PEAKED] = { peaked, sizeof peaked / sizeof *peaked },
               [GR_DRAW_TRAINING] = { training, sizeof training / sizeof *training } };

static const draw_rule *rule_of(gr_draw_scales scales, const char *name)
{
    const draw_rule *rules = tables[scales].rules;
    const size_t n = strlen(name);
    for (size_t i = 0; i < tables[scales].n; i++) {
        const size_t m = strlen(rules[i].suffix);
        if (n >= m && strcmp(name + n - m, rules[i].suffix) == 0)
            return &rules[i];
    }
    return NULL;
}

#define BLOCKS 64 /* drawn together: one chunk of two elements each */

/* gr_philox for consecutive blocks, in lanes that the compiler makes vectors of; tests compare the two. */
static void draw_blocks(uint32_t r[4][BLOCKS], uint64_t block, uint32_t seed_high, uint32_t key0,
                        uint32_t key1)
{
    for (int i = 0; i < BLOCKS; i++) {
        r[0][i] = (uint32_t)(block + (unsigned)i);
        r[1][i] = (uint32_t)((block + (unsigned)i) >> 32);
        r[2][i] = seed_high;
        r[3][i] = 0;
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            const uint64_t p0 = (uint64_t)0xD2511F53u * r[0][i], p1 = (uint64_t)0xCD9E8D57u * r[2][i];
            const uint32_t n0 = (uint32_t)(p1 >> 32) ^ r[1][i] ^ key0;
            const uint32_t n2 = (uint32_t)(p0 >> 32) ^ r[3][i] ^ key1;
            r[0][i] = n0;
            r[1][i] = (uint32_t)p1;
            r[2][i] = n2;
            r[3][i] = (uint32_t)p0;
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

static int32_t four_uniforms(uint32_t a, uint32_t b)
{
    return (int32_t)((a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16)) - 131070;
}

gr_status gr_draw_tensor(void *dst, gr_dtype dtype, const char *name, uint64_t seed, const int64_t *shape,
                         int rank, size_t first, size_t count, gr_error *err)
{
    return gr_draw_tensor_as(dst, dtype, GR_DRAW_PEAKED, name, seed, shape, rank, first, count, err);
}

gr_status gr_draw_tensor_as(void *dst, gr_dtype dtype, gr_draw_scales scales, const char *name, uint64_t seed,
                            const int64_t *shape, int rank, size_t first, size_t count, gr_error *err)
{
    const draw_rule *rule = rule_of(scales, name);
    if (!rule)
        return gr_fail(err, GR_ERR_ARG, "tensor '%s': no rule says how to draw it", name);
    if (!gr_dtype_is_float(dtype))
        return gr_fail(err, GR_ERR_ARG, "tensor '%s': weights cannot be drawn as %s", name,
                       gr_dtype_name(dtype));
    double fan_in = 1;
    for (int i = 1; i < rank; i++)
        fan_in *= (double)shape[i];
    const double std = rule->by_fan ? rule->std / sqrt(fan_in) : rule->std;
    const uint32_t key0 = (uint32_t)seed, key1 = gr_fnv1a32(name), high = (uint32_t)(seed >> 32);
    uint8_t *out = dst;
    for (size_t at = first & ~(size_t)1; at < first + count; at += 2 * BLOCKS) {
        uint32_t r[4][BLOCKS];
        float values[2 * BLOCKS];
        draw_blocks(r, at / 2, high, key0, key1);
        for (int i = 0; i < BLOCKS; i++) {
            values[2 * i] = (float)(rule->mean + std * (four_uniforms(r[0][i], r[1][i]) / 37837.0));
            values[2 * i + 1] = (float)(rule->mean + std * (four_uniforms(r[2][i], r[3][i]) / 37837.0));
        }
        const size_t skip = first > at ? first - at : 0; /* 1 at most, and in the first chunk only */
        const size_t left = first + count - at - skip;
        const size_t n = left < 2 * BLOCKS - skip ? left : 2 * BLOCKS - skip;
        gr_from_f32(out, values + skip, dtype, n);
        out += n * gr_dtype_bytes(dtype);
    }
    return GR_OK;
}
