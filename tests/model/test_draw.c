#include "test.h"

#include "base/half.h"
#include "base/rng.h"
#include "model/draw.h"

/* CRC-32 (ISO 3309) of bytes, as in Python's zlib. */
static uint32_t crc32_of(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint32_t c = ~0u;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}

static size_t count_of(const int64_t *shape, int rank)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)shape[i];
    return n;
}

static float values[65536];
static uint16_t halves[65536];

/* Names, first three elements and checksums of all, float32 and bf16: from tests/golden/make/draw.py (numpy).
 */
static void drawn_weights_equal_those_of_the_other_implementation(void **state)
{
    static const struct {
        const char *name;
        int rank;
        int64_t shape[4];
        uint64_t seed;
        float first[3];
        size_t n;
        uint32_t crc_f32, crc_bf16;
    } cases[] = {
        { "mllm.model.vision_tower.timm_model.cls_token",
          3,
          { 1, 1, 64 },
          0x65u,
          { -0x1.0a7092p-2f, 0x1.a8e8e8p-2f, 0x1.9063ecp-1f },
          64,
          0xcf211799,
          0x7f655d25 },
        { "mllm.model.vision_tower.timm_model.patch_embed.proj.weight",
          4,
          { 64, 3, 14, 14 },
          0x65u,
          { 0x1.db6e72p-9f, 0x1.f100c4p-6f, -0x1.0f606ap-4f },
          37632,
          0x1c1caa32,
          0x27a143e7 },
        { "mllm.model.vision_tower.timm_model.blocks.0.gamma_1",
          1,
          { 64 },
          0x65u,
          { 0x1.0d199ep-1f, 0x1.0aef30p-1f, 0x1.76c046p-1f },
          64,
          0x97dffa24,
          0x9fb8b4ee },
        { "mllm.model.vision_tower.timm_model.blocks.0.norm1.weight",
          1,
          { 64 },
          0x65u,
          { 0x1.18e3e8p+0f, 0x1.177618p+0f, 0x1.0a2a40p+0f },
          64,
          0x4f996bb0,
          0x20146725 },
        { "mllm.model.vision_tower.timm_model.blocks.0.attn.qkv.weight",
          2,
          { 192, 64 },
          0x65u,
          { 0x1.07c9fep-1f, -0x1.12ce18p-4f, -0x1.7301ecp-4f },
          12288,
          0x0f51825b,
          0x261b0a24 },
        { "mllm.model.vision_tower.timm_model.norm_pre.bias",
          1,
          { 64 },
          0x65u,
          { -0x1.a7af10p-2f, -0x1.d7a3e8p-6f, 0x1.7f16b0p-4f },
          64,
          0xdb780e81,
          0x92880ce4 },
        { "mllm.model.language_model.embed_tokens.weight",
          2,
          { 296, 96 },
          0x65u,
          { 0x1.7ebc22p-4f, 0x1.1a122ep-4f, -0x1.bbce5cp-3f },
          28416,
          0xe1f68a2e,
          0xeb2eedb7 },
        { "mllm.model.language_model.layers.2.mlp.down_proj.weight",
          2,
          { 96, 160 },
          0x900000002u,
          { -0x1.7a3698p-4f, -0x1.50ff34p-4f, -0x1.1c40aap-4f },
          15360,
          0xaf19c012,
          0x8db79413 },
        { "mask_patch_embedding.weight",
          4,
          { 64, 3, 14, 14 },
          0x900000002u,
          { 0x1.ead9e6p-4f, 0x1.d1754ap-4f, -0x1.1542b6p-4f },
          37632,
          0xcd61030b,
          0x6947d543 },
        { "mllm.model.language_model.norm.weight",
          1,
          { 96 },
          0xffffffffffffffffu,
          { 0x1.036dd0p+0f, 0x1.c0340cp-1f, 0x1.075f9ap+0f },
          96,
          0x488ec5f4,
          0x9178af9a },
    };
    (void)state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t n = count_of(cases[i].shape, cases[i].rank);
        assert_int_equal(n, cases[i].n);
        MUST(gr_draw_tensor(values, GR_DTYPE_F32, cases[i].name, cases[i].seed, cases[i].shape, cases[i].rank,
                            0, n, &err));
        assert_memory_equal(values, cases[i].first, sizeof cases[i].first);
        assert_int_equal(crc32_of(values, n * 4), cases[i].crc_f32);
        MUST(gr_draw_tensor(halves, GR_DTYPE_BF16, cases[i].name, cases[i].seed, cases[i].shape,
                            cases[i].rank, 0, n, &err));
        assert_int_equal(crc32_of(halves, n * 2), cases[i].crc_bf16);
    }
}

/* The text of draw.h, element by element. */
static void an_element_is_what_the_header_says(void **state)
{
    (void)state;
    gr_error err = { 0 };
    const char *name = "mllm.model.language_model.layers.0.self_attn.q_proj.weight";
    const uint64_t seed = 0x123456789abcdefu;
    static const int64_t shape[] = { 96, 96 };
    MUST(gr_draw_tensor(values, GR_DTYPE_F32, name, seed, shape, 2, 0, 96 * 96, &err));
    for (uint32_t i = 0; i < 96 * 96; i++) {
        const uint32_t counter[4] = { i / 2, 0, (uint32_t)(seed >> 32), 0 },
                       key[2] = { (uint32_t)seed, gr_fnv1a32(name) };
        const gr_philox_block r = gr_philox(counter, key);
        const uint32_t a = r.v[i % 2 * 2], b = r.v[i % 2 * 2 + 1];
        const int n = (int)((a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16)) - 131070;
        const double std = 1.7 / sqrt(96.0);
        assert_true(values[i] == (float)(0.0 + std * (n / 37837.0)));
    }
}

static void a_range_is_a_part_of_the_whole(void **state)
{
    (void)state;
    gr_error err = { 0 };
    const char *name = "a.weight";
    static const int64_t shape[] = { 1000, 3 };
    static float part[3000];
    MUST(gr_draw_tensor(values, GR_DTYPE_F32, name, 5, shape, 2, 0, 3000, &err));
    for (size_t first = 0; first < 300; first += 7)
        for (size_t count = 0; count < 300; count += 23) {
            part[count] = 77;
            MUST(gr_draw_tensor(part, GR_DTYPE_F32, name, 5, shape, 2, first, count, &err));
            assert_memory_equal(part, values + first, count * sizeof *part);
            assert_true(part[count] == 77);
        }
    /* Beyond 2^33 elements the block number needs its high word. */
    MUST(gr_draw_tensor(part, GR_DTYPE_F32, name, 5, shape, 2, ((size_t)1 << 33) + 10, 4, &err));
    assert_memory_not_equal(part, values + 10, 4 * sizeof *part);
}

/* Scales of training: norms are 1, biases 0 to the bit, and matrices have the deviation of their rule. */
static void training_begins_with_small_steps(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double mean, std; /* at 256 inputs */
    } want[] = { { "a.norm1.weight", 1, 0 },
                 { "a.bias", 0, 0 },
                 { "a.gamma_2", 1, 0 },
                 { "a.embed_tokens.weight", 0, 0.02 },
                 { "a.q_proj.weight", 0, 0.5 / 16 },
                 { "a.o_proj.weight", 0, 0.25 / 16 },
                 { "mask_patch_embedding.weight", 0, 1.0 / 16 } };
    const int64_t shape[2] = { 256, 256 };
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        gr_error err = { 0 };
        double sum = 0, squares = 0;
        MUST(gr_draw_tensor_as(values, GR_DTYPE_F32, GR_DRAW_TRAINING, want[k].name, 5, shape, 2, 0, 65536,
                               &err));
        for (size_t i = 0; i < 65536; i++)
            sum += (double)values[i];
        for (size_t i = 0; i < 65536; i++)
            squares += ((double)values[i] - want[k].mean) * ((double)values[i] - want[k].mean);
        assert_true(fabs(sum / 65536 - want[k].mean) <= 0.02 * want[k].std);
        assert_true(fabs(sqrt(squares / 65536) - want[k].std) <= 0.02 * want[k].std);
    }
}

static void what_has_no_rule_is_refused(void **state)
{
    (void)state;
    gr_error err = { 0 };
    static const int64_t shape[] = { 4 };
    MUST_FAIL(gr_draw_tensor(values, GR_DTYPE_F32, "a.scale", 0, shape, 1, 0, 4, &err), GR_ERR_ARG,
              "'a.scale': no rule");
    MUST_FAIL(gr_draw_tensor(values, GR_DTYPE_I32, "a.weight", 0, shape, 1, 0, 4, &err), GR_ERR_ARG,
              "drawn as I32");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_weights_equal_those_of_the_other_implementation),
        cmocka_unit_test(an_element_is_what_the_header_says),
        cmocka_unit_test(a_range_is_a_part_of_the_whole),
        cmocka_unit_test(training_begins_with_small_steps),
        cmocka_unit_test(what_has_no_rule_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
