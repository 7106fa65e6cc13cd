#include "test.h"

#include "model/gar_config.h"
#include "support/tempdir.h"

static gr_runtime *rt;

static int setup(void **state)
{
    (void)state;
    rt = test_runtime();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gr_runtime_free(rt);
    return 0;
}

/* The keys and values of the published files (gar.md 2.2), 1B. */
static const char published_1b[] =
    "{\"architectures\":[\"GARModel\"],\"auto_map\":{\"AutoConfig\":\"configuration_gar.GARConfig\"},"
    "\"model_type\":\"GAR\",\"prompt_numbers\":5,\"crop_tokens_ids\":[128004,128005,128008,128010,128011],"
    "\"patch_size_h\":14,\"patch_size_w\":14,\"kernel_size\":[14,14],\"mask_path_embedding_out_channels\":"
    "1024,"
    "\"tie_word_embeddings\":false,\"mllm_config\":{\"model_type\":\"perception_lm\",\"image_token_id\":"
    "128002,"
    "\"video_token_id\":128003,\"projector_pooling_ratio\":2,\"vision_use_cls_token\":true,\"use_flash_"
    "attn\":true,"
    "\"text_config\":{\"model_type\":\"llama\",\"hidden_size\":2048,\"intermediate_size\":8192,"
    "\"num_hidden_layers\":16,\"num_attention_heads\":32,\"num_key_value_heads\":8,\"head_dim\":64,"
    "\"rms_norm_eps\":1e-05,\"rope_theta\":500000.0,\"rope_scaling\":{\"factor\":32.0,\"low_freq_factor\":1."
    "0,"
    "\"high_freq_factor\":4.0,\"original_max_position_embeddings\":8192,\"rope_type\":\"llama3\"},"
    "\"max_position_embeddings\":11520,\"vocab_size\":128262,\"bos_token_id\":128000,"
    "\"eos_token_id\":[128001,128009],\"hidden_act\":\"silu\",\"attention_bias\":false,\"mlp_bias\":false,"
    "\"pretraining_tp\":1},\"vision_config\":{\"model_type\":\"timm_wrapper\","
    "\"architecture\":\"vit_pe_core_large_patch14_336\",\"model_args\":{\"embed_dim\":1024,\"depth\":23,"
    "\"img_size\":[448,448],\"global_pool\":\"\",\"use_post_transformer_norm\":false,\"init_values\":0.1,"
    "\"ref_feat_shape\":[32,32]},\"global_pool\":\"map\",\"num_features\":1024,\"do_pooling\":true,"
    "\"initializer_range\":0.02,\"label_names\":[\"LABEL_0\"],\"pretrained_cfg\":{},\"num_classes\":2}},"
    "\"torch_dtype\":\"bfloat16\",\"transformers_version\":\"4.56.2\"}";

/* `from` (which must be there) replaced by `to`; pairs until NULL. */
static const char *edit(const char *text, ...)
{
    static char out[32][8192]; /* older results stay good for a while */
    static int turn;
    va_list ap;
    va_start(ap, text);
    for (const char *from; (from = va_arg(ap, const char *));) {
        const char *to = va_arg(ap, const char *), *at = strstr(text, from);
        if (!at)
            fail_msg("'%s' is not in the text", from);
        char *o = out[turn++ % 32];
        snprintf(o, sizeof out[0], "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
        text = o;
    }
    va_end(ap);
    return text;
}

static gr_status parse(gr_gar_config *c, const char *text, gr_error *err)
{
    return gr_gar_config_parse(c, rt, text, strlen(text), "config.json", err);
}

static void the_published_1b_equals_the_preset(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_gar_config c, preset;
    MUST(parse(&c, published_1b, &err));
    MUST(gr_gar_config_preset(&preset, "gar-1b", &err));
    assert_false(c.tile_limit_known); /* config.json alone does not say */
    assert_int_equal(c.max_num_tiles, 16);
    c.tile_limit_known = true;
    assert_memory_equal(&c, &preset, sizeof c);
}

static void the_published_8b_equals_the_preset(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_gar_config c, preset;
    const char *text =
        edit(published_1b, "\"mask_path_embedding_out_channels\":1024",
             "\"mask_path_embedding_out_channels\":1536", "\"vision_use_cls_token\":true",
             "\"vision_use_cls_token\":false", "\"hidden_size\":2048",
             "\"hidden_size\":4096,\"tie_word_embeddings\":false", "8192", "14336",
             "\"num_hidden_layers\":16", "\"num_hidden_layers\":32", "\"head_dim\":64", "\"head_dim\":128",
             "{\"factor\":32.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"
             "\"original_max_position_embeddings\":8192,\"rope_type\":\"llama3\"}",
             "null", "large_patch14_336", "gigantic_patch14_448", "\"embed_dim\":1024,\"depth\":23",
             "\"embed_dim\":1536,\"depth\":47", "\"num_features\":1024", "\"num_features\":1536", NULL);
    MUST(parse(&c, text, &err));
    MUST(gr_gar_config_preset(&preset, "gar-8b", &err));
    c.tile_limit_known = true;
    assert_memory_equal(&c, &preset, sizeof c);
}

static void newer_key_styles_mean_the_same(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_gar_config c, old;
    MUST(parse(&old, published_1b, &err));
    const char *parameters =
        edit(published_1b, "\"rope_theta\":500000.0,\"rope_scaling\":{",
             "\"rope_parameters\":{\"rope_theta\":500000.0,", "torch_dtype", "dtype", NULL);
    MUST(parse(&c, parameters, &err));
    assert_memory_equal(&c, &old, sizeof c);
    MUST(parse(&c,
               edit(parameters, "{\"rope_theta\":500000.0,", "{", "\"rms_norm_eps\"",
                    "\"rope_theta\":500000,\"rms_norm_eps\"", NULL),
               &err));
    assert_memory_equal(&c, &old, sizeof c);
    MUST(parse(&c,
               edit(published_1b, "\"rope_type\"", "\"type\"", "\"bfloat16\"", "\"torch.bfloat16\"", NULL),
               &err));
    assert_memory_equal(&c, &old, sizeof c);
    MUST(parse(&c, edit(parameters, "\"rope_type\":\"llama3\"", "\"rope_type\":\"default\"", NULL), &err));
    assert_false(c.text.rope_llama3);
    assert_true(c.text.rope_theta == 500000);
}

/* gar.md 2.3: the top-level key is a trap, an absent one in text_config counts as true. */
static void tied_is_read_from_the_text_part_alone(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_gar_config c;
    MUST(parse(&c, published_1b, &err)); /* it says false at the top and nothing below */
    assert_true(c.text.tied);
    MUST(parse(&c,
               edit(published_1b, "\"hidden_size\"", "\"tie_word_embeddings\":false,\"hidden_size\"",
                    "\"tie_word_embeddings\":false", "\"tie_word_embeddings\":true", NULL),
               &err));
    assert_false(c.text.tied);
}

static void a_file_beats_the_table_and_numbers_follow_it(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_gar_config c;
    const char *text =
        edit(published_1b, "\"embed_dim\":1024,", "\"embed_dim\":64,\"num_heads\":4,\"mlp_ratio\":2.5,",
             "\"num_features\":1024", "\"num_features\":64", "out_channels\":1024", "out_channels\":64",
             "[448,448]", "112", "[32,32]", "8", "\"model_type\":\"GAR\"",
             "\"model_type\":\"GAR\",\"grasp\":{\"replay_grid\":4,\"max_num_tiles\":4,\"tile_size\":112,"
             "\"license\":\"Apache-2.0\"}",
             NULL);
    MUST(parse(&c, text, &err));
    assert_int_equal(c.vision.dim, 64);
    assert_int_equal(c.vision.heads, 4);
    assert_int_equal(c.vision.mlp, 160);
    assert_int_equal(c.vision.grid, 8);
    assert_int_equal(c.tokens_side, 4);
    assert_int_equal(c.replay_grid, 4);
    assert_int_equal(c.max_num_tiles, 4);
    assert_true(c.tile_limit_known);
    assert_string_equal(c.license, "Apache-2.0");
}

/* An unknown architecture is fine when everything is stated; each missing number is asked for by name. */
static void an_unknown_architecture_wants_every_number(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_gar_config c;
    static const char *const all[] = { "\"num_heads\":8", "\"mlp_width\":100", "\"class_token\":true" };
    static const char *const missing[] = { "model_args.num_heads is missing",
                                           "model_args.mlp_ratio * embed_dim is missing" };
    const char *text = edit(published_1b, "vit_pe_core_large_patch14_336", "vit_of_my_own", NULL);
    char block[200];
    for (int skip = 0; skip < 3; skip++) {
        snprintf(block, sizeof block, "\"grasp\":{\"max_num_tiles\":9%s%s%s%s},\"model_type\":\"GAR\"",
                 skip == 0 ? "" : ",", skip == 0 ? "" : all[0], skip == 1 ? "" : ",",
                 skip == 1 ? "" : all[1]);
        const char *t = edit(text, "\"model_type\":\"GAR\"", block, NULL);
        if (skip < 2) {
            MUST_FAIL(parse(&c, t, &err), GR_ERR_FORMAT, missing[skip]);
            MUST_FAIL(parse(&c, t, &err), GR_ERR_FORMAT, "'vit_of_my_own' is not one that implies it");
        } else {
            MUST(parse(&c, t, &err)); /* the class token is in vision_use_cls_token, the offset follows it */
            assert_true(c.vision.class_token && c.vision.rope_offset == 1 && c.vision.heads == 8 &&
                        c.vision.mlp == 100);
        }
    }
}

static void contradictions_are_named(void **state)
{
    static const struct {
        const char *from, *to;
        gr_status want;
        const char *part;
    } cases[] = {
        { "out_channels\":1024", "out_channels\":1280", GR_ERR_FORMAT,
          "config.json: mask_path_embedding_out_channels = 1280 contradicts model_args.embed_dim = 1024" },
        { "\"num_features\":1024", "\"num_features\":512", GR_ERR_FORMAT,
          "vision_config.num_features = 512 contradicts" },
        { "\"kernel_size\":[14,14]", "\"kernel_size\":[16,16]", GR_ERR_FORMAT,
          "patch_size_h = 14 contradicts kernel_size = 16" },
        { "\"kernel_size\":[14,14]", "\"kernel_size\":[14,16]", GR_ERR_UNSUPPORTED, "only square patches" },
        { "[448,448]", "[448,224]", GR_ERR_UNSUPPORTED, "only square tiles" },
        { "[448,448]", "[450,450]", GR_ERR_FORMAT, "a tile of 450 pixels does not hold" },
        { "[32,32]", "[24,24]", GR_ERR_UNSUPPORTED, "ref_feat_shape is 24, expected 32 = 448 / 14" },
        { "\"vision_use_cls_token\":true", "\"vision_use_cls_token\":false", GR_ERR_FORMAT,
          "but the tower has a class token" },
        { "\"projector_pooling_ratio\":2", "\"projector_pooling_ratio\":3", GR_ERR_FORMAT,
          "does not divide the grid of 32" },
        { "\"num_key_value_heads\":8", "\"num_key_value_heads\":5", GR_ERR_FORMAT,
          "is not a multiple of num_key_value_heads = 5" },
        { "\"head_dim\":64", "\"head_dim\":63", GR_ERR_FORMAT, "head_dim = 63 is odd" },
        { "\"hidden_size\":2048", "\"hidden_size\":0", GR_ERR_FORMAT,
          "mllm_config.text_config.hidden_size: 0, expected a whole number in 1..65536" },
        { "\"hidden_size\":2048", "\"hidden_size\":2048,\"hidden_size\":2048", GR_ERR_FORMAT,
          "hidden_size: stated twice" },
        { "\"hidden_size\":2048,", "", GR_ERR_FORMAT, "text_config.hidden_size is missing" },
        { "\"num_hidden_layers\":16", "\"num_hidden_layers\":null", GR_ERR_FORMAT,
          "num_hidden_layers is missing" },
        { "\"rope_type\":\"llama3\"", "\"rope_type\":\"yarn\"", GR_ERR_UNSUPPORTED, "rope_type is 'yarn'" },
        { "\"factor\":32.0,", "", GR_ERR_FORMAT, "of type llama3 wants factor" },
        { "\"high_freq_factor\":4.0", "\"high_freq_factor\":1.0", GR_ERR_FORMAT,
          "expected more than low_freq_factor" },
        { "\"silu\"", "\"gelu\"", GR_ERR_UNSUPPORTED, "hidden_act is 'gelu'" },
        { "\"attention_bias\":false", "\"attention_bias\":true", GR_ERR_UNSUPPORTED, "asks for biases" },
        { "\"vocab_size\":128262", "\"vocab_size\":128005", GR_ERR_FORMAT,
          "eos_token_id 128009 is not below vocab_size" },
        { "\"image_token_id\":128002", "\"image_token_id\":200000", GR_ERR_FORMAT,
          "image_token_id = 200000" },
        { "128004,128005", "128004,128004", GR_ERR_FORMAT,
          "crop_tokens_ids[1] = 128004 has a meaning already" },
        { "128004,128005,", "", GR_ERR_FORMAT, "has 3 ids for prompt_numbers = 5" },
        { "\"use_post_transformer_norm\":false,", "", GR_ERR_UNSUPPORTED, "then ends in a norm" },
        { "\"init_values\":0.1,", "", GR_ERR_UNSUPPORTED, "then has no layer scale" },
        { "\"init_values\":0.1", "\"qk_norm\":true,\"init_values\":0.1", GR_ERR_UNSUPPORTED,
          "model_args.qk_norm = 1" },
        { "\"model_type\":\"GAR\"", "\"model_type\":\"glamm\"", GR_ERR_UNSUPPORTED, "model_type is 'glamm'" },
        { "\"bfloat16\"", "\"int8\"", GR_ERR_UNSUPPORTED, "torch_dtype is 'int8'" },
        { "\"mllm_config\"", "\"mllm_confg\"", GR_ERR_UNSUPPORTED,
          "model_type is 'GAR', expected 'perception_lm'" },
        { "{\"architectures\"", "[\"architectures\"", GR_ERR_FORMAT, "expected an object, found an array" },
        { "\"model_type\":\"GAR\"",
          "\"grasp\":{\"num_heads\":8},\"model_args.num_heads\":3,\"model_type\":\"GAR\"", GR_OK, "" },
        { "\"depth\":23", "\"depth\":23,\"num_heads\":7", GR_ERR_FORMAT, "7 heads of a tower 1024 wide" },
    };
    (void)state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_gar_config c;
        const char *text = edit(published_1b, cases[i].from, cases[i].to, NULL);
        MUST_FAIL(parse(&c, text, &err), cases[i].want, cases[i].part);
        if (cases[i].want != GR_OK)
            assert_int_equal(c.vision.dim, 0); /* nothing half-filled is left */
    }
}

static void a_base_model_is_read_without_the_wrapper(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_gar_config c;
    const char *begin = strstr(published_1b, "{\"model_type\":\"perception_lm\"");
    const char *end = strstr(published_1b, ",\"torch_dtype\"");
    char text[8192];
    snprintf(text, sizeof text, "%.*s", (int)(end - begin), begin);
    const char *base = edit(text, "128262", "128256", NULL);
    MUST(parse(&c, base, &err));
    assert_true(c.base_only);
    assert_int_equal(c.n_prompts, 0);
    assert_int_equal(c.max_num_tiles, 36);
    assert_int_equal(c.text.vocab, 128256);
    assert_int_equal(c.vision.depth, 23);
    assert_int_equal(c.stored, GR_DTYPE_F32);
    MUST_FAIL(parse(&c, "{}", &err), GR_ERR_UNSUPPORTED, "expected 'perception_lm'");
}

static void the_tile_limit_comes_from_the_processor_files(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_gar_config c;
    test_dir d;
    test_dir_make(&d);
    MUST_FAIL(gr_gar_config_load(&c, rt, d.path, &err), GR_ERR_IO, "config.json: cannot open");
    test_dir_write(&d, "config.json", published_1b, strlen(published_1b));
#define PUT(name, text) test_dir_write(&d, name, text, strlen(text))
    PUT("preprocessor_config.json",
        "{\"tile_size\":448,\"max_num_tiles\":12,\"image_mean\":[0.4,0.5,0.6],"
        "\"image_std\":[0.5,0.5,0.25],\"resample\":3,\"rescale_factor\":0.00392156862745098,"
        "\"vision_input_type\":\"thumb+tile\",\"size\":{\"height\":448}}");
    PUT("processor_config.json", "{\"patch_size\":14,\"pooling_ratio\":2,\"processor_class\":\"x\"}");
    MUST(gr_gar_config_load(&c, rt, d.path, &err));
    assert_true(c.max_num_tiles == 12 && c.tile_limit_known);
    assert_true(c.image_mean[0] == 0.4f && c.image_std[2] == 0.25f);
    PUT("processor_config.json", "{\"patch_size\":14,\"pooling_ratio\":4}");
    MUST_FAIL(gr_gar_config_load(&c, rt, d.path, &err), GR_ERR_FORMAT,
              "processor_config.json: pooling_ratio = 4 contradicts projector_pooling_ratio = 2");
    PUT("processor_config.json", "{\"image_processor\":{\"max_num_tiles\":13}}");
    MUST_FAIL(gr_gar_config_load(&c, rt, d.path, &err), GR_ERR_FORMAT,
              "image_processor.max_num_tiles = 13 contradicts");
    PUT("processor_config.json", "{}");
    PUT("preprocessor_config.json", "{\"tile_size\":336}");
    MUST_FAIL(gr_gar_config_load(&c, rt, d.path, &err), GR_ERR_FORMAT,
              "tile_size = 336 contradicts model_args.img_size");
    PUT("preprocessor_config.json", "{\"max_num_tiles\":65}");
    MUST_FAIL(gr_gar_config_load(&c, rt, d.path, &err), GR_ERR_FORMAT,
              "max_num_tiles: 65, expected a whole number in 1..64");
    PUT("preprocessor_config.json", "{\"resample\":2}");
    MUST_FAIL(gr_gar_config_load(&c, rt, d.path, &err), GR_ERR_UNSUPPORTED, "resample = 2, expected 3");
    PUT("preprocessor_config.json", "{\"vision_input_type\":\"vanilla\"}");
    MUST_FAIL(gr_gar_config_load(&c, rt, d.path, &err), GR_ERR_UNSUPPORTED,
              "'vanilla', expected 'thumb+tile'");
    PUT("preprocessor_config.json", "{\"image_std\":[0.5,0.5]}");
    MUST_FAIL(gr_gar_config_load(&c, rt, d.path, &err), GR_ERR_FORMAT, "image_std: 2 numbers, expected 3");
    PUT("preprocessor_config.json", "{\"image_std\":[0.5,0.5,0]}");
    MUST_FAIL(gr_gar_config_load(&c, rt, d.path, &err), GR_ERR_FORMAT, "image_std: 0, expected a number");
    test_dir_remove(&d);
}

static void an_unknown_preset_is_answered_with_the_known_ones(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_gar_config c;
    MUST_FAIL(gr_gar_config_preset(&c, "gar-2b", &err), GR_ERR_ARG, "gar-1b, gar-8b, gar-test, gar-small");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_1b_equals_the_preset),
        cmocka_unit_test(the_published_8b_equals_the_preset),
        cmocka_unit_test(newer_key_styles_mean_the_same),
        cmocka_unit_test(tied_is_read_from_the_text_part_alone),
        cmocka_unit_test(a_file_beats_the_table_and_numbers_follow_it),
        cmocka_unit_test(an_unknown_architecture_wants_every_number),
        cmocka_unit_test(contradictions_are_named),
        cmocka_unit_test(a_base_model_is_read_without_the_wrapper),
        cmocka_unit_test(the_tile_limit_comes_from_the_processor_files),
        cmocka_unit_test(an_unknown_preset_is_answered_with_the_known_ones),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
