#include "inspect.h"
#include "json_out.h"

static void put_model(cli_json *j, const gr_model_info *m)
{
    cli_json_text(j, "dir", m->dir);
    cli_json_text(j, "family", m->family);
    cli_json_text(j, "license", m->license);
    cli_json_text(j, "base_license", m->base_license);
    cli_json_text(j, "dtypes", m->dtypes);
    cli_json_number(j, "tensors", m->tensors);
    cli_json_number(j, "parameters", (double)m->parameters);
    cli_json_number(j, "stored_bytes", (double)m->stored_bytes);
    cli_json_number(j, "max_tiles", m->max_tiles);
    cli_json_bool(j, "max_tiles_stated", m->max_tiles_stated);
    cli_json_number(j, "prompts", m->n_prompts);
    cli_json_number(j, "tokens_per_tile", m->tokens_per_tile);
    cli_json_number(j, "tokens_per_region", m->rows_per_region);
    cli_json_number(j, "tokenizer_tokens", m->tokens);
}

static void put_networks(cli_json *j, const gr_model_info *m)
{
    cli_json_open(j, "vision", '{');
    cli_json_text(j, "architecture", m->tower);
    cli_json_number(j, "tile_px", m->tile_px);
    cli_json_number(j, "patch_px", m->patch_px);
    cli_json_number(j, "width", m->tower_dim);
    cli_json_number(j, "blocks", m->tower_depth);
    cli_json_number(j, "heads", m->tower_heads);
    cli_json_bool(j, "class_token", m->class_token);
    cli_json_close(j, '}');
    cli_json_open(j, "text", '{');
    cli_json_number(j, "width", m->hidden);
    cli_json_number(j, "layers", m->layers);
    cli_json_number(j, "heads", m->heads);
    cli_json_number(j, "kv_heads", m->kv_heads);
    cli_json_number(j, "head_dim", m->head_dim);
    cli_json_number(j, "mlp", m->ffn);
    cli_json_number(j, "vocabulary", m->vocab);
    cli_json_number(j, "context", m->context);
    cli_json_number(j, "rope_theta", m->rope_theta);
    cli_json_number(j, "rope_factor", m->rope_factor > 0 ? m->rope_factor : 1);
    cli_json_bool(j, "tied", m->tied);
    cli_json_close(j, '}');
    cli_json_open(j, "parts", '[');
    for (int i = 0; i < GR_MODEL_PARTS; i++) {
        cli_json_open(j, NULL, '{');
        cli_json_text(j, "name", m->parts[i].name);
        cli_json_number(j, "tensors", m->parts[i].tensors);
        cli_json_number(j, "parameters", (double)m->parts[i].parameters);
        cli_json_number(j, "stored_bytes", (double)m->parts[i].stored_bytes);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void put_truth(cli_json *j, const inspect_result *r)
{
    cli_json_open(j, "profile", '{');
    for (size_t i = 0; gr_profile_switch_at(i); i++)
        cli_json_text(j, gr_profile_switch_at(i)->name, gr_profile_value(&r->profile, i));
    cli_json_close(j, '}');
    cli_json_open(j, "unverified", '[');
    for (size_t i = 0; gr_model_unverified(r->model, i); i++)
        cli_json_text(j, NULL, gr_model_unverified(r->model, i));
    cli_json_close(j, ']');
}

static void put_pair(cli_json *j, const char *key, int a, int b)
{
    if (a == 0) {
        cli_json_null(j, key);
        return;
    }
    cli_json_open(j, key, '[');
    cli_json_number(j, NULL, a);
    cli_json_number(j, NULL, b);
    cli_json_close(j, ']');
}

static void put_run(cli_json *j, const inspect_run *r)
{
    cli_json_open(j, "run", '{');
    put_pair(j, "size", r->width, r->height);
    put_pair(j, "canvas", r->across, r->down);
    cli_json_number(j, "tiles", r->tiles);
    cli_json_number(j, "regions", r->regions);
    cli_json_number(j, "image_tokens", r->image_tokens);
    cli_json_number(j, "region_tokens", r->region_tokens);
    cli_json_number(j, "text_tokens", r->text_tokens);
    cli_json_number(j, "max_tokens", r->max_tokens);
    cli_json_number(j, "context", r->context);
    if (r->problem.status != GR_OK) {
        cli_json_text(j, "error", r->problem.msg);
    } else {
        size_t bytes;
        const char *name;
        cli_json_open(j, "memory_bytes", '{');
        for (size_t i = 0; (name = inspect_memory_item(&r->memory, i, &bytes)); i++)
            cli_json_number(j, name, (double)bytes);
        cli_json_close(j, '}');
    }
    cli_json_close(j, '}');
}

void inspect_print_json(FILE *f, const inspect_result *r)
{
    cli_json j;
    cli_json_init(&j, f);
    cli_json_open(&j, NULL, '{');
    put_model(&j, &r->info);
    put_networks(&j, &r->info);
    put_truth(&j, r);
    put_run(&j, &r->run);
    cli_json_close(&j, '}');
    fputc('\n', f);
}
