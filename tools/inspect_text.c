#include <string.h>

#include "inspect.h"
#include "units.h"

static const char *or_unstated(const char *text) { return text ? text : "not stated in the files"; }

static void print_model(FILE *f, const gr_model_info *m)
{
    char bytes[32], count[32];
    const bool base = m->n_prompts == 0;
    cli_bytes_text(bytes, (double)m->stored_bytes);
    cli_count_text(count, (double)m->parameters);
    fprintf(f, "%s\n", m->dir);
    fprintf(f, "  family           %s%s\n", m->family, base ? ", a base model: it knows no regions" : "");
    fprintf(f, "  licence          %s\n", or_unstated(m->license));
    fprintf(f, "  of the base      %s\n", or_unstated(m->base_license));
    fprintf(f, "  weights          %s, %s in %d tensors\n", m->dtypes, bytes, m->tensors);
    fprintf(f, "  parameters       %lld (%s)\n", (long long)m->parameters, count);
    fprintf(f, "  vision tower     %s: %d blocks of width %d, %d heads%s\n", m->tower, m->tower_depth,
            m->tower_dim, m->tower_heads, m->class_token ? ", class token" : "");
    fprintf(f, "  picture          a thumbnail and at most %d tiles (%s), %d px each, patches of %d px\n",
            m->max_tiles, m->max_tiles_stated ? "stated" : "not stated: our table's value", m->tile_px,
            m->patch_px);
    fprintf(f, "  tokens           %d a tile", m->tokens_per_tile);
    if (!base)
        fprintf(f, ", %d a region, %d region prompts", m->rows_per_region, m->n_prompts);
    fprintf(f,
            "\n  text decoder     %d layers of width %d, %d heads of %d (%d for keys and values), MLP %d\n",
            m->layers, m->hidden, m->heads, m->head_dim, m->kv_heads, m->ffn);
    fprintf(f, "  context          %d tokens, rotary base %g", m->context, m->rope_theta);
    if (m->rope_factor > 0)
        fprintf(f, ", scaled by %g", m->rope_factor);
    fprintf(f, "\n  vocabulary       %d, %s\n", m->vocab,
            m->tied ? "the head is the embedding" : "the head has weights of its own");
    if (m->tokens)
        fprintf(f, "  tokenizer        %d tokens\n", m->tokens);
    else
        fprintf(f, "  tokenizer        none in the folder: it cannot be asked\n");
}

static void print_parts(FILE *f, const gr_model_info *m)
{
    fprintf(f, "\n  %-12s %8s %14s %10s\n", "part", "tensors", "parameters", "stored");
    for (int i = 0; i < GR_MODEL_PARTS; i++) {
        const gr_model_part *p = &m->parts[i];
        char bytes[32];
        cli_bytes_text(bytes, (double)p->stored_bytes);
        fprintf(f, "  %-12s %8d %14lld %10s\n", p->name, p->tensors, (long long)p->parameters, bytes);
    }
}

static void print_profile(FILE *f, const gr_profile *p)
{
    fprintf(f, "\nprofile: where the released code and the paper differ\n");
    for (size_t i = 0; gr_profile_switch_at(i); i++) {
        const gr_profile_switch *s = gr_profile_switch_at(i);
        fprintf(f, "  %-14s %-10s %s\n", s->name, gr_profile_value(p, i), s->about);
    }
}

static void print_unverified(FILE *f, const gr_model *model)
{
    for (size_t i = 0; gr_model_unverified(model, i); i++)
        fprintf(f, "%s  %s\n", i ? "" : "\nunverified: no published file has confirmed these yet\n",
                gr_model_unverified(model, i));
}

static void print_run(FILE *f, const inspect_run *r, const gr_model_info *m)
{
    if (r->width)
        fprintf(f, "\nmemory of a run: a picture of %d x %d px (%d x %d tiles)", r->width, r->height,
                r->across, r->down);
    else
        fprintf(f, "\nmemory of a run: a picture of %d tiles, the most there may be", r->tiles);
    fprintf(f, ", %d %s, an answer of at most %d tokens\n", r->regions,
            r->regions == 1 ? "region" : "regions", r->max_tokens);
    fprintf(f, "  prompt of %d tokens (picture %d, regions %d, text %d); context %d of %d\n",
            r->image_tokens + r->region_tokens + r->text_tokens, r->image_tokens, r->region_tokens,
            r->text_tokens, r->context, m->context);
    size_t bytes;
    const char *name;
    for (size_t i = 0; r->problem.status == GR_OK && (name = inspect_memory_item(&r->memory, i, &bytes)); i++)
        fprintf(f, "  %-9s %10.1f MB\n", name, (double)bytes * 1e-6);
}

void inspect_print_text(FILE *f, const inspect_result *r)
{
    print_model(f, &r->info);
    print_parts(f, &r->info);
    if (r->info.n_prompts > 0)
        print_profile(f, &r->profile);
    print_unverified(f, r->model);
    print_run(f, &r->run, &r->info);
}
