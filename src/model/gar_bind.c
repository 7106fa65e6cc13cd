/* gar_bind.c - stored names of every origin to the inventory of gar_tensors.c. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "io/convert.h"
#include "model/gar_tensors_table.h"

/* --- names --------------------------------------------------------------------------------------------- */

typedef enum { SAME, DROPS_ONES, PAIRED_ROWS } transform;

/* A rule: `from` and `to` may hold one '#', a number, and one '*' at the end, whatever is left. Prefixes
 * "mllm." and "model." are gone already. */
typedef struct {
    const char *from, *to;
    transform how;
} rename_rule;

#define TOWER "vision_tower.timm_model."
#define META  "vision_model.transformer.resblocks.#."

static const rename_rule renames[] = {
    /* development uploads of the wrapper */
    { "language_model.lm_head.weight", "lm_head.weight", SAME },
    { "language_model.model.*", "language_model.*", SAME },
    /* facebookresearch/perception_models, consolidated.pth: core/transformer.py, core/vision_encoder/pe.py */
    { "tok_embeddings.weight", "language_model.embed_tokens.weight", SAME },
    { "layers.#.attention.wq.weight", "language_model.layers.#.self_attn.q_proj.weight", PAIRED_ROWS },
    { "layers.#.attention.wk.weight", "language_model.layers.#.self_attn.k_proj.weight", PAIRED_ROWS },
    { "layers.#.attention.wv.weight", "language_model.layers.#.self_attn.v_proj.weight", SAME },
    { "layers.#.attention.wo.weight", "language_model.layers.#.self_attn.o_proj.weight", SAME },
    { "layers.#.feed_forward.w1.weight", "language_model.layers.#.mlp.gate_proj.weight", SAME },
    { "layers.#.feed_forward.w2.weight", "language_model.layers.#.mlp.down_proj.weight", SAME },
    { "layers.#.feed_forward.w3.weight", "language_model.layers.#.mlp.up_proj.weight", SAME },
    { "layers.#.attention_norm.weight", "language_model.layers.#.input_layernorm.weight", SAME },
    { "layers.#.ffn_norm.weight", "language_model.layers.#.post_attention_layernorm.weight", SAME },
    { "norm.weight", "language_model.norm.weight", SAME },
    { "output.weight", "lm_head.weight", SAME },
    { "vision_projector.projector.0.*", "multi_modal_projector.linear_1.*", SAME },
    { "vision_projector.projector.2.*", "multi_modal_projector.linear_2.*", SAME },
    { "vision_model.conv1.weight", TOWER "patch_embed.proj.weight", SAME },
    { "vision_model.class_embedding", TOWER "cls_token", DROPS_ONES },
    { "vision_model.positional_embedding", TOWER "pos_embed", DROPS_ONES },
    { "vision_model.ln_pre.*", TOWER "norm_pre.*", SAME },
    { META "ln_1.*", TOWER "blocks.#.norm1.*", SAME },
    { META "ln_2.*", TOWER "blocks.#.norm2.*", SAME },
    { META "attn.in_proj_weight", TOWER "blocks.#.attn.qkv.weight", SAME },
    { META "attn.in_proj_bias", TOWER "blocks.#.attn.qkv.bias", SAME },
    { META "attn.out_proj.*", TOWER "blocks.#.attn.proj.*", SAME },
    { META "ls_1.gamma", TOWER "blocks.#.gamma_1", SAME },
    { META "ls_2.gamma", TOWER "blocks.#.gamma_2", SAME },
    { META "mlp.c_fc.*", TOWER "blocks.#.mlp.fc1.*", SAME },
    { META "mlp.c_proj.*", TOWER "blocks.#.mlp.fc2.*", SAME },
};

/* Writes the new name of a key that the rule matches into out. */
static bool apply(const rename_rule *rule, const char *key, char *out, size_t n)
{
    const char *number = "", *rest = "";
    int digits = 0;
    const char *f = rule->from;
    for (; *f && *f != '*'; f++) {
        if (*f != '#') {
            if (*f != *key++)
                return false;
            continue;
        }
        for (number = key; *key >= '0' && *key <= '9'; key++)
            digits++;
        if (digits == 0)
            return false;
    }
    if (*f == '*')
        rest = key;
    else if (*key)
        return false;
    size_t at = 0;
    for (const char *t = rule->to; *t; t++) {
        const int len = *t == '#'   ? snprintf(out + at, n - at, "%.*s", digits, number)
                        : *t == '*' ? snprintf(out + at, n - at, "%s", rest)
                                    : snprintf(out + at, n - at, "%c", *t);
        if (len < 0 || (size_t)len >= n - at)
            return false;
        at += (size_t)len;
    }
    return true;
}

static bool ends_with(const char *s, const char *suffix)
{
    const size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* What only the framework that wrote the file needs: tables that follow from the configuration. */
static bool is_buffer(const char *key)
{
    return ends_with(key, "rotary_emb.inv_freq") || ends_with(key, "attn.k_bias") ||
           strncmp(key, "rope.", 5) == 0 || strstr(key, ".rope.") != NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The tensor that a stored name means, or -1. */
static int resolve(const gr_gar_tensors *list, const char *stored, char renamed[512], transform *how)
{
    const char *key = gr_gar_key(stored);
    *how = SAME;
    for (size_t i = 0; i < sizeof renames / sizeof *renames; i++)
        if (apply(&renames[i], key, renamed, 512)) {
            key = renamed;
            *how = renames[i].how;
            break;
        }
    const char **found = bsearch(&key, list->keys, list->n, sizeof *list->keys, by_text);
    return found ? list->key_index[found - list->keys] : -1;
}

/* Whether a name belongs to a block or layer that the configuration does not have; its number and limit. */
static bool beyond_depth(const gr_gar_tensors *list, const char *stored, int *number, int *limit,
                         const char **what)
{
    char renamed[512];
    const char *key = gr_gar_key(stored);
    for (size_t i = 0; i < sizeof renames / sizeof *renames; i++)
        if (apply(&renames[i], key, renamed, sizeof renamed)) {
            key = renamed;
            break;
        }
    int end = 0;
    if (sscanf(key, TOWER "blocks.%9d.%n", number, &end) == 1 && end > 0) {
        *limit = list->config.vision.depth;
        *what = "model_args.depth";
    } else if (sscanf(key, "language_model.layers.%9d.%n", number, &end) == 1 && end > 0) {
        *limit = list->config.text.layers;
        *what = "text_config.num_hidden_layers";
    } else {
        return false;
    }
    return *number >= *limit;
}

/* --- problems ------------------------------------------------------------------------------------------ */

typedef struct {
    gr_buf *report;   /* may be NULL */
    char text[440];   /* the first few, as much as fits */
    size_t n, n_told; /* all, and those in `text` */
    gr_status status; /* of the first */
} problems;

static void GR_PRINTF(3, 4) add_problem(problems *p, gr_status status, const char *fmt, ...)
{
    char line[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (p->report) {
        gr_buf_text(p->report, line);
        gr_buf_text(p->report, "\n");
    }
    const size_t used = strlen(p->text);
    if (p->n == 0)
        p->status = status;
    if (p->n_told == p->n && used + strlen(line) + 3 < sizeof p->text) {
        snprintf(p->text + used, sizeof p->text - used, "%s%s", p->n ? "; " : "", line);
        p->n_told++;
    }
    p->n++;
}

/* The configuration's word for a dimension, for messages. */
static void dim_text(char *out, size_t n, const gr_gar_config *c, gr_gar_dim dim)
{
    static const char *const keys[] = {
        [GR_GAR_DIM_NONE] = NULL,
        [GR_GAR_DIM_1] = NULL,
        [GR_GAR_DIM_3] = NULL,
        [GR_GAR_DIM_D] = "model_args.embed_dim",
        [GR_GAR_DIM_3D] = "model_args.embed_dim",
        [GR_GAR_DIM_ROWS] = "patches and class token",
        [GR_GAR_DIM_PATCH] = "patch size",
        [GR_GAR_DIM_MLP] = "width of the tower's MLP",
        [GR_GAR_DIM_HIDDEN] = "text_config.hidden_size",
        [GR_GAR_DIM_QUERY] = "num_attention_heads * head_dim",
        [GR_GAR_DIM_KEY] = "num_key_value_heads * head_dim",
        [GR_GAR_DIM_FFN] = "text_config.intermediate_size",
        [GR_GAR_DIM_VOCAB] = "text_config.vocab_size",
    };
    const gr_gar_dim told = dim == GR_GAR_DIM_3D ? GR_GAR_DIM_D : dim;
    out[0] = '\0';
    if (keys[dim])
        snprintf(out, n, " (config.json: %s = %" PRId64 ")", keys[dim], gr_gar_dim_value(c, told));
}

/* Whether the stored shape is the logical one; `drops_ones`: leading ones may be missing. */
static bool shape_fits(const gr_gar_tensor *t, const gr_stored *s, bool drops_ones)
{
    if (gr_shape_equal(t->rank, t->shape, s->rank, s->shape))
        return true;
    const int skip = t->rank - s->rank;
    bool ones = drops_ones && skip > 0;
    for (int i = 0; ones && i < skip; i++)
        ones = t->shape[i] == 1;
    return ones && gr_shape_equal(s->rank, t->shape + skip, s->rank, s->shape);
}

static void check_stored(const gr_gar_tensors *list, const gr_gar_tensor *t, const gr_stored *s,
                         bool drops_ones, problems *p)
{
    char got[120], want[120], why[120] = "";
    if (!shape_fits(t, s, drops_ones)) {
        gr_shape_text(got, sizeof got, s->rank, s->shape);
        gr_shape_text(want, sizeof want, t->rank, t->shape);
        for (int i = 0; i < t->rank && i < s->rank && !why[0]; i++)
            if (t->shape[i] != s->shape[i])
                dim_text(why, sizeof why, &list->config, gr_gar_rows[t->id].dims[i]);
        add_problem(p, GR_ERR_SHAPE, "%s: tensor '%s': shape %s, expected %s%s", s->file, s->name, got, want,
                    why);
    } else if (!gr_dtype_is_float(s->dtype)) {
        add_problem(p, GR_ERR_FORMAT, "%s: tensor '%s': type %s, expected BF16, F16, F32 or F64", s->file,
                    s->name, gr_dtype_name(s->dtype));
    }
}

/* --- binding ------------------------------------------------------------------------------------------- */

static void bind_one(const gr_gar_tensors *list, const gr_stored *s, gr_gar_bound *bound, problems *p)
{
    char renamed[512];
    transform how;
    const int i = resolve(list, s->name, renamed, &how);
    if (i < 0) {
        int number, limit;
        const char *what;
        if (is_buffer(gr_gar_key(s->name)))
            return;
        if (beyond_depth(list, s->name, &number, &limit, &what)) {
            add_problem(p, GR_ERR_FORMAT,
                        "%s: tensor '%s': there should be no number %d (config.json: %s = %d)", s->file,
                        s->name, number, what, limit);
            return;
        }
        gr_log(list->rt, GR_LOG_WARNING, "%s: tensor '%s' is unknown and not used", s->file, s->name);
        if (p->report)
            gr_buf_printf(p->report, "%s: tensor '%s' is unknown and not used\n", s->file, s->name);
        return;
    }
    const gr_gar_tensor *t = &list->at[i];
    if (bound[i].stored) {
        add_problem(p, GR_ERR_FORMAT, "%s: tensor '%s' and '%s' are both '%s'", s->file,
                    bound[i].stored->name, s->name, t->name);
        return;
    }
    bound[i].stored = s;
    bound[i].paired_rows = how == PAIRED_ROWS ? list->config.text.head_dim : 0;
    check_stored(list, t, s, how == DROPS_ONES, p);
}

gr_status gr_gar_tensors_bind(const gr_gar_tensors *list, const gr_checkpoint *checkpoint,
                              gr_gar_bound *bound, gr_buf *report, gr_error *err)
{
    problems p = { .report = report };
    const char *file = gr_checkpoint_file(checkpoint, 0);
    const char *others = gr_checkpoint_n_files(checkpoint) > 1 ? " and the other shards" : "";
    for (size_t i = 0; i < list->n; i++)
        bound[i] = (gr_gar_bound){ 0 };
    for (size_t i = 0; i < gr_checkpoint_count(checkpoint); i++)
        bind_one(list, gr_checkpoint_at(checkpoint, i), bound, &p);
    for (size_t i = 0; i < list->n; i++)
        if (!bound[i].stored && !list->at[i].optional)
            add_problem(&p, GR_ERR_FORMAT, "%s%s: tensor '%s' is missing%s", file, others, list->at[i].name,
                        list->at[i].id == GR_GAR_T_LM_HEAD
                            ? " (config.json: text_config.tie_word_embeddings = false)"
                            : "");
    if (p.n == 0)
        return GR_OK;
    if (p.n > p.n_told)
        return gr_fail(err, p.status, "%s; and %zu more of the kind", p.text, p.n - p.n_told);
    return gr_fail(err, p.status, "%s", p.text);
}
