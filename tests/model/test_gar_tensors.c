#include "test.h"

#include "backend/weight.h"
#include "io/convert.h"
#include "io/safetensors.h"
#include "model/gar_tensors.h"
#include "support/tempdir.h"

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    gr_gar_config config;
    gr_gar_tensors list;
    int n_warnings;
} fixture;

static void note(void *user, gr_log_level level, const char *line)
{
    (void)line;
    ((fixture *)user)->n_warnings += level == GR_LOG_WARNING;
}

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    gr_runtime_options o;
    f = (fixture){ 0 };
    gr_runtime_options_init(&o);
    o.n_threads = 1;
    o.log = note;
    o.log_user = &f;
    MUST(gr_runtime_new(&f.rt, &o, &err));
    test_dir_make(&f.dir);
    MUST(gr_gar_config_preset(&f.config, "gar-test", &err));
    MUST(gr_gar_tensors_build(&f.list, f.rt, &f.config, &err));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_gar_tensors_fini(&f->list);
    test_dir_remove(&f->dir);
    gr_runtime_free(f->rt);
    return 0;
}

/* gar.md 2.3 and 9.1. */
static void published_models_have_the_published_counts(void **state)
{
    static const struct {
        const char *preset;
        size_t n;
        int64_t total, vision, mask, projector, text, head;
    } cases[] = {
        { "gar-1b", 478, 1534139392, 291415040, 602112, 6295552, 973144064 + 2048 + 262680576, 0 },
        { "gar-8b", 958, 9795213056, 1740922624, 903168, 23076864, 6979584000 + 4096 + 525361152, 525361152 },
    };
    fixture *f = *state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_gar_config c;
        gr_gar_tensors list;
        MUST(gr_gar_config_preset(&c, cases[i].preset, &err));
        MUST(gr_gar_tensors_build(&list, f->rt, &c, &err));
        assert_int_equal(list.n_required, cases[i].n);
        assert_int_equal(list.n, cases[i].n + (c.text.tied ? 1 : 0));
        assert_true(list.n_parameters == cases[i].total);
        assert_true(list.part_parameters[GR_GAR_VISION] == cases[i].vision);
        assert_true(list.part_parameters[GR_GAR_MASK] == cases[i].mask);
        assert_true(list.part_parameters[GR_GAR_PROJECTOR] == cases[i].projector);
        assert_true(list.part_parameters[GR_GAR_TEXT] == cases[i].text);
        assert_true(list.part_parameters[GR_GAR_HEAD] == cases[i].head);
        gr_gar_tensors_fini(&list);
    }
}

static void names_and_shapes_are_the_published_ones(void **state)
{
    static const struct {
        gr_gar_tensor_id id;
        int layer;
        const char *name, *shape;
    } cases[] = {
        { GR_GAR_T_CLASS_TOKEN, -1, "mllm.model.vision_tower.timm_model.cls_token", "[1, 1, 1024]" },
        { GR_GAR_T_POSITION, -1, "mllm.model.vision_tower.timm_model.pos_embed", "[1, 1025, 1024]" },
        { GR_GAR_T_PATCH_W, -1, "mllm.model.vision_tower.timm_model.patch_embed.proj.weight",
          "[1024, 3, 14, 14]" },
        { GR_GAR_T_QKV_B, 22, "mllm.model.vision_tower.timm_model.blocks.22.attn.qkv.bias", "[3072]" },
        { GR_GAR_T_FC2_W, 0, "mllm.model.vision_tower.timm_model.blocks.0.mlp.fc2.weight", "[1024, 4096]" },
        { GR_GAR_T_LINEAR_1_W, -1, "mllm.model.multi_modal_projector.linear_1.weight", "[2048, 1024]" },
        { GR_GAR_T_EMBED, -1, "mllm.model.language_model.embed_tokens.weight", "[128262, 2048]" },
        { GR_GAR_T_K, 15, "mllm.model.language_model.layers.15.self_attn.k_proj.weight", "[512, 2048]" },
        { GR_GAR_T_DOWN, 7, "mllm.model.language_model.layers.7.mlp.down_proj.weight", "[2048, 8192]" },
        { GR_GAR_T_LM_HEAD, -1, "mllm.lm_head.weight", "[128262, 2048]" },
        { GR_GAR_T_MASK_W, -1, "mask_patch_embedding.weight", "[1024, 3, 14, 14]" },
    };
    fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_config c;
    gr_gar_tensors list;
    char shape[64];
    MUST(gr_gar_config_preset(&c, "gar-1b", &err));
    MUST(gr_gar_tensors_build(&list, f->rt, &c, &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int at = gr_gar_tensors_find(&list, cases[i].id, cases[i].layer);
        assert_true(at >= 0);
        gr_shape_text(shape, sizeof shape, list.at[at].rank, list.at[at].shape);
        assert_string_equal(list.at[at].name, cases[i].name);
        assert_string_equal(shape, cases[i].shape);
    }
    assert_int_equal(gr_gar_tensors_find(&list, GR_GAR_T_QKV_W, 23), -1);
    assert_int_equal(gr_gar_tensors_find(&list, GR_GAR_T_Q, -1), -1);
    gr_gar_tensors_fini(&list);
}

static void every_tensor_is_found_by_its_id(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < f->list.n; i++)
        assert_int_equal(gr_gar_tensors_find(&f->list, f->list.at[i].id, f->list.at[i].layer), i);
}

static void a_base_model_lacks_wrapper_and_mask(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_tensors list;
    gr_gar_config c = f->config;
    c.base_only = true;
    c.vision.class_token = false;
    MUST(gr_gar_tensors_build(&list, f->rt, &c, &err));
    assert_int_equal(gr_gar_tensors_find(&list, GR_GAR_T_MASK_W, -1), -1);
    assert_int_equal(gr_gar_tensors_find(&list, GR_GAR_T_CLASS_TOKEN, -1), -1);
    assert_string_equal(list.at[gr_gar_tensors_find(&list, GR_GAR_T_NORM, -1)].name,
                        "model.language_model.norm.weight");
    assert_int_equal(list.n_required, f->list.n_required - 2);
    gr_gar_tensors_fini(&list);
}

/* --- checkpoints --------------------------------------------------------------------------------------- */

/* One tensor to change; the name is the stored one. */
typedef struct {
    const char *name;     /* NULL ends a list */
    const char *new_name; /* NULL: left out */
    int64_t first_dim;    /* 0: as it is */
    gr_dtype dtype;       /* 0 (BOOL): BF16 */
} change;

typedef void (*name_style)(char *out, size_t n, const char *published);

/* Writes the list's required tensors, bf16, every row holding its own number, in that style of names. */
static void store(fixture *f, name_style style, const change *changes, const char *const *more)
{
    static gr_tensor_spec specs[128];
    static char names[128][160];
    gr_error err = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < f->list.n; i++) {
        const gr_gar_tensor *t = &f->list.at[i];
        if (t->optional)
            continue;
        gr_tensor_spec *s = &specs[n];
        *s = (gr_tensor_spec){ names[n], GR_DTYPE_BF16, t->rank, { 0 } };
        memcpy(s->shape, t->shape, sizeof t->shape);
        style(names[n], sizeof names[n], t->name);
        bool keep = true;
        for (const change *c = changes; c && c->name; c++)
            if (strcmp(c->name, names[n]) == 0) {
                keep = c->new_name != NULL;
                snprintf(names[n], sizeof names[n], "%s", keep ? c->new_name : "");
                s->shape[0] = c->first_dim ? c->first_dim : s->shape[0];
                s->dtype = c->dtype ? c->dtype : s->dtype;
            }
        n += keep;
    }
    for (; more && *more; more++) {
        snprintf(names[n], sizeof names[n], "%s", *more);
        specs[n] =
            (gr_tensor_spec){ names[n], GR_DTYPE_BF16, 2, { f->config.text.vocab, f->config.text.hidden } };
        n++;
    }
    gr_safetensors_writer *w;
    MUST(gr_safetensors_writer_open(&w, f->rt, test_dir_file(&f->dir, "model.safetensors"), specs, n, NULL,
                                    &err));
    for (size_t i; (i = gr_safetensors_writer_next(w)) < n;) {
        static uint8_t row[1 << 16];
        static float values[1 << 14];
        const size_t bytes = gr_safetensors_writer_left(w), rows = (size_t)specs[i].shape[0];
        for (size_t r = 0; r < rows; r++) {
            const size_t count = bytes / rows / 2;
            for (size_t k = 0; k < count; k++)
                values[k] = (float)r;
            gr_from_f32(row, values, GR_DTYPE_BF16, count);
            MUST(gr_safetensors_writer_add(w, row, bytes / rows, &err));
        }
    }
    MUST(gr_safetensors_writer_commit(w, &err));
}

static void published(char *out, size_t n, const char *name) { snprintf(out, n, "%s", name); }

static const char *plain(const char *name) { return strncmp(name, "mllm.", 5) == 0 ? name + 5 : name; }

static void base(char *out, size_t n, const char *name) { snprintf(out, n, "%s", plain(name)); }

static void trainer(char *out, size_t n, const char *name)
{
    snprintf(out, n, "%s%s", strcmp(plain(name), name) ? "model." : "", plain(name));
}

/* vision_tower..., multi_modal_projector..., language_model.model..., language_model.lm_head */
static void development(char *out, size_t n, const char *name)
{
    const char *p = plain(name);
    p = strncmp(p, "model.", 6) == 0 ? p + 6 : p;
    if (strncmp(p, "language_model.", 15) == 0)
        snprintf(out, n, "language_model.model.%s", p + 15);
    else
        snprintf(out, n, "%s", p);
}

/* The table of gar.md 2.4, the other way round. */
static void meta(char *out, size_t n, const char *name)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        { "embed_tokens", "tok_embeddings" },
        { "self_attn.q_proj", "attention.wq" },
        { "self_attn.k_proj", "attention.wk" },
        { "self_attn.v_proj", "attention.wv" },
        { "self_attn.o_proj", "attention.wo" },
        { "mlp.gate_proj", "feed_forward.w1" },
        { "mlp.down_proj", "feed_forward.w2" },
        { "mlp.up_proj", "feed_forward.w3" },
        { "input_layernorm", "attention_norm" },
        { "post_attention_layernorm", "ffn_norm" },
        { "language_model.", "" },
        { "multi_modal_projector.linear_1", "vision_projector.projector.0" },
        { "multi_modal_projector.linear_2", "vision_projector.projector.2" },
        { "patch_embed.proj", "conv1" },
        { "cls_token", "class_embedding" },
        { "pos_embed", "positional_embedding" },
        { "norm_pre", "ln_pre" },
        { "norm1", "ln_1" },
        { "norm2", "ln_2" },
        { "attn.qkv.", "attn.in_proj_" },
        { "attn.proj", "attn.out_proj" },
        { "gamma_1", "ls_1.gamma" },
        { "gamma_2", "ls_2.gamma" },
        { "mlp.fc1", "mlp.c_fc" },
        { "mlp.fc2", "mlp.c_proj" },
        { "timm_model.blocks", "timm_model.transformer.resblocks" },
        { "vision_tower.timm_model", "vision_model" },
    };
    char text[2][160];
    const char *p = plain(name);
    snprintf(text[0], sizeof text[0], "%s", strncmp(p, "model.", 6) == 0 ? p + 6 : p);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *at = strstr(text[0], rows[i].from);
        if (!at || strstr(name, "mask_patch"))
            continue;
        snprintf(text[1], sizeof text[1], "%.*s%s%s", (int)(at - text[0]), text[0], rows[i].to,
                 at + strlen(rows[i].from));
        memcpy(text[0], text[1], sizeof text[0]);
    }
    snprintf(out, n, "%s", text[0]);
}

static gr_status bind(fixture *f, gr_gar_bound *bound, gr_checkpoint **c, gr_buf *report, gr_error *err)
{
    GR_TRY(gr_checkpoint_open(c, f->rt, f->dir.path, err));
    return gr_gar_tensors_bind(&f->list, *c, bound, report, err);
}

static void names_of_every_origin_are_understood(void **state)
{
    static const name_style styles[] = { published, base, trainer, development, meta };
    fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_bound bound[128];
    gr_checkpoint *c;
    for (size_t s = 0; s < sizeof styles / sizeof *styles; s++) {
        store(f, styles[s], NULL, NULL);
        MUST(bind(f, bound, &c, NULL, &err));
        for (size_t i = 0; i < f->list.n; i++) {
            char want[160];
            styles[s](want, sizeof want, f->list.at[i].name);
            if (f->list.at[i].optional)
                assert_null(bound[i].stored);
            else
                assert_string_equal(bound[i].stored->name, want);
        }
        gr_checkpoint_close(c);
    }
    assert_int_equal(f->n_warnings, 0);
}

/* wq and wk of Meta's files: rows (a0, b0, a1, b1, ...) of a head are read as (a0, a1, ..., b0, b1, ...). */
static void paired_rows_are_read_as_halves(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_bound bound[128];
    gr_checkpoint *c;
    store(f, meta, NULL, NULL);
    MUST(bind(f, bound, &c, NULL, &err));
    const int d = f->config.text.head_dim;
    for (int id = GR_GAR_T_Q; id <= GR_GAR_T_V; id++) {
        const int at = gr_gar_tensors_find(&f->list, (gr_gar_tensor_id)id, 1);
        for (int row = 0; row < f->list.at[at].shape[0]; row++) {
            const int i = row % d, pair = i < d / 2 ? 2 * i : 2 * (i - d / 2) + 1;
            const gr_stored *s = bound[at].stored;
            const gr_weight w = { .name = s->name,
                                  .file = s->file,
                                  .dtype = s->dtype,
                                  .rows = (size_t)s->shape[0],
                                  .cols = (size_t)s->shape[1],
                                  .source = s->source,
                                  .offset = s->offset,
                                  .paired_rows = bound[at].paired_rows };
            uint16_t first;
            float got;
            MUST(gr_weight_read(&w, gr_weight_stored_row(&w, (size_t)row), 0, 1, &first, &err));
            gr_to_f32(&got, &first, GR_DTYPE_BF16, 1);
            assert_true(got == (float)(id == GR_GAR_T_V ? row : row - i + pair));
        }
    }
    gr_checkpoint_close(c);
}

/* Meta's class token and position table lack the leading ones. */
static void leading_ones_may_be_missing_in_meta_files_only(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_bound bound[128];
    gr_checkpoint *c;
    gr_tensor_spec spec = { "vision_model.positional_embedding", GR_DTYPE_F32, 2, { 65, 64 } };
    for (int meta_name = 1; meta_name >= 0; meta_name--) {
        if (!meta_name)
            spec.name = "mllm.model.vision_tower.timm_model.pos_embed";
        gr_safetensors_writer *w;
        MUST(gr_safetensors_writer_open(&w, f->rt, test_dir_file(&f->dir, "model.safetensors"), &spec, 1,
                                        NULL, &err));
        static const uint8_t zeros[65 * 64 * 4];
        MUST(gr_safetensors_writer_add(w, zeros, sizeof zeros, &err));
        MUST(gr_safetensors_writer_commit(w, &err));
        gr_buf report;
        gr_buf_init(&report, f->rt, 1 << 20);
        MUST_FAIL(bind(f, bound, &c, &report, &err), meta_name ? GR_ERR_FORMAT : GR_ERR_SHAPE, "of the kind");
        const char *complaint = strstr(gr_buf_str(&report), "shape [65, 64], expected [1, 65, 64]");
        assert_true(meta_name ? !complaint : complaint != NULL);
        gr_buf_fini(&report);
        gr_checkpoint_close(c);
    }
}

static void the_head_may_be_stored_or_tied(void **state)
{
    static const char *const head[] = { "mllm.lm_head.weight", NULL };
    fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_bound bound[128];
    gr_checkpoint *c;
    const int at = gr_gar_tensors_find(&f->list, GR_GAR_T_LM_HEAD, -1);
    store(f, published, NULL, head);
    MUST(bind(f, bound, &c, NULL, &err));
    assert_non_null(bound[at].stored); /* tied, but stored: the stored one counts */
    gr_checkpoint_close(c);

    gr_gar_tensors_fini(&f->list);
    f->config.text.tied = false;
    MUST(gr_gar_tensors_build(&f->list, f->rt, &f->config, &err));
    static const change without[] = { { "mllm.lm_head.weight", NULL, 0, 0 }, { NULL, NULL, 0, 0 } };
    store(f, published, without, NULL);
    MUST_FAIL(bind(f, bound, &c, NULL, &err), GR_ERR_FORMAT,
              "'mllm.lm_head.weight' is missing (config.json: text_config.tie_word_embeddings = false)");
    gr_checkpoint_close(c);
}

#define V "mllm.model.vision_tower.timm_model."
#define L "mllm.model.language_model."

static void what_does_not_fit_is_told_by_name(void **state)
{
    static const struct {
        change changes[3];
        gr_status want;
        const char *part;
    } cases[] = {
        { { { L "norm.weight", NULL, 0, 0 } }, GR_ERR_FORMAT, "tensor '" L "norm.weight' is missing" },
        { { { V "blocks.1.mlp.fc1.weight", V "blocks.1.mlp.fc1.weight", 255, 0 } },
          GR_ERR_SHAPE,
          "model.safetensors: tensor '" V
          "blocks.1.mlp.fc1.weight': shape [255, 64], expected [256, 64] (config.json: "
          "width of the tower's MLP = 256)" },
        { { { L "embed_tokens.weight", L "embed_tokens.weight", 300, 0 } },
          GR_ERR_SHAPE,
          "(config.json: text_config.vocab_size = 296)" },
        { { { L "layers.0.self_attn.k_proj.weight", L "layers.0.self_attn.k_proj.weight", 48, 0 } },
          GR_ERR_SHAPE,
          "(config.json: num_key_value_heads * head_dim = 32)" },
        { { { L "norm.weight", L "norm.weight", 0, GR_DTYPE_I16 } },
          GR_ERR_FORMAT,
          "type I16, expected BF16, F16" },
        { { { V "blocks.2.gamma_1", V "blocks.3.gamma_1", 0, 0 } },
          GR_ERR_FORMAT,
          "there should be no number 3 (config.json: model_args.depth = 3)" },
        { { { L "layers.2.mlp.up_proj.weight", "layers.11.feed_forward.w3.weight", 0, 0 } },
          GR_ERR_FORMAT,
          "there should be no number 11 (config.json: text_config.num_hidden_layers = 3)" },
        { { { L "norm.weight", "model.norm.weight", 0, 0 },
            { V "norm_pre.bias", "model.model.language_model.norm.weight", 96, 0 } },
          GR_ERR_FORMAT,
          "are both '" L "norm.weight'" },
        { { { L "norm.weight", NULL, 0, 0 }, { V "norm_pre.bias", NULL, 0, 0 } },
          GR_ERR_FORMAT,
          "norm_pre.bias' is missing; " },
    };
    fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_bound bound[128];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_checkpoint *c;
        change changes[4] = { 0 };
        memcpy(changes, cases[i].changes, sizeof cases[i].changes);
        store(f, published, changes, NULL);
        MUST_FAIL(bind(f, bound, &c, NULL, &err), cases[i].want, cases[i].part);
        gr_checkpoint_close(c);
    }
}

static void extra_entries_are_passed_over_or_reported(void **state)
{
    static const char *const more[] = { "mllm.model.language_model.rotary_emb.inv_freq",
                                        "rope.freqs",
                                        "mllm.model.vision_tower.timm_model.rope.bands",
                                        "mllm.model.vision_tower.timm_model.blocks.0.attn.k_bias",
                                        "score.weight",
                                        NULL };
    fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_bound bound[128];
    gr_checkpoint *c;
    gr_buf report;
    gr_buf_init(&report, f->rt, 1 << 20);
    store(f, published, NULL, more);
    MUST(bind(f, bound, &c, &report, &err));
    assert_int_equal(f->n_warnings, 1);
    assert_non_null(strstr(gr_buf_str(&report), "tensor 'score.weight' is unknown and not used"));
    assert_null(strstr(gr_buf_str(&report), "rope"));
    gr_buf_fini(&report);
    gr_checkpoint_close(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(published_models_have_the_published_counts),
        TEST(names_and_shapes_are_the_published_ones),
        TEST(every_tensor_is_found_by_its_id),
        TEST(a_base_model_lacks_wrapper_and_mask),
        TEST(names_of_every_origin_are_understood),
        TEST(paired_rows_are_read_as_halves),
        TEST(leading_ones_may_be_missing_in_meta_files_only),
        TEST(the_head_may_be_stored_or_tied),
        TEST(what_does_not_fit_is_told_by_name),
        TEST(extra_entries_are_passed_over_or_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
