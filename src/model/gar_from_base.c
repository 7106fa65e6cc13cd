#include "model/gar_from_base.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "io/checkpoint.h"
#include "io/convert.h"
#include "io/json.h"
#include "model/gar_folder.h"
#include "model/gar_new_internal.h"
#include "model/gar_tensors.h"
#include "text/tokenizer.h"

#define FILE_MAX ((size_t)64 << 20)
#define PORTION  ((size_t)4 << 20) /* bytes that are copied between two looks at `progress` */

static const char *const added[] = { "<Prompt0>", "<Prompt1>", "<Prompt2>",
                                     "<Prompt3>", "<Prompt4>", "<NO_Prompt>" };
enum { N_ADDED = sizeof added / sizeof *added, N_PROMPTS = N_ADDED - 1, MAX_TILES = 16 };

typedef struct {
    gr_runtime *rt;
    const gr_gar_new_options *o;
    const char *base, *work;
    gr_gar_config from, to;
    gr_gar_tensors base_list, list;
    gr_checkpoint *checkpoint;
    gr_gar_bound *bound;      /* [base_list.n] */
    gr_tensor_spec *specs;    /* [n] */
    const gr_stored **stored; /* [n]; NULL: zeros */
    size_t n;
    uint64_t done, total;
    uint8_t *buffer; /* PORTION */
} growing;

/* --- configuration ------------------------------------------------------------------------------------- */

static gr_status take_ids(growing *g, const gr_tokenizer *t, gr_error *err)
{
    char name[GR_SPECIAL_NAME];
    for (int i = 0; i < N_ADDED; i++)
        if (gr_tokenizer_id(t, added[i]) >= 0)
            return gr_fail(err, GR_ERR_ARG, "%s: the vocabulary has '%s' already", g->base, added[i]);
    for (int i = 0; i < N_PROMPTS; i++) {
        snprintf(name, sizeof name, "<|reserved_special_token_%d|>", i + 2);
        if ((g->to.crop_ids[i] = gr_tokenizer_id(t, name)) < 0)
            return gr_fail(err, GR_ERR_ARG, "%s: the vocabulary lacks '%s', whose rows a region's are",
                           g->base, name);
    }
    const int32_t n = gr_tokenizer_n_vocab(t);
    if (n > g->from.text.vocab)
        return gr_fail(err, GR_ERR_ARG, "%s: %d tokens, and the embedding has %d rows", g->base, n,
                       g->from.text.vocab);
    g->to.text.vocab = n + N_ADDED;
    return GR_OK;
}

static gr_status configure(growing *g, gr_error *err)
{
    gr_tokenizer *t;
    GR_TRY(gr_gar_config_load(&g->from, g->rt, g->base, err));
    if (!g->from.base_only)
        return gr_fail(err, GR_ERR_ARG, "%s: is a GAR already, expected a Perception-LM", g->base);
    g->to = g->from;
    g->to.base_only = false;
    g->to.n_prompts = g->to.n_crop = N_PROMPTS;
    g->to.replay_grid = g->to.tokens_side;
    /* A base may cut pictures into more tiles than GAR was trained with. */
    g->to.max_num_tiles = g->from.max_num_tiles < MAX_TILES ? g->from.max_num_tiles : MAX_TILES;
    g->to.tile_limit_known = true;
    if (g->o->profile)
        GR_TRY(gr_gar_config_set_profile(&g->to, g->o->profile, err));
    GR_TRY(gr_tokenizer_open(&t, g->rt, g->base, err));
    const gr_status st = take_ids(g, t, err);
    gr_tokenizer_free(t);
    return st;
}

/* --- vocabulary ---------------------------------------------------------------------------------------- */

/* The bytes of the list behind its bracket, where the added ones go; 0: there is none. */
static size_t find_end(gr_json *j, bool *empty)
{
    const char *key;
    size_t end = 0;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "added_tokens") != 0 || gr_json_peek(j) != GR_JSON_ARRAY) {
            gr_json_skip(j);
            continue;
        }
        size_t n;
        const char *raw = gr_json_raw(j, &n);
        if (!raw)
            break;
        end = (size_t)(raw - j->text) + n - 1;
        *empty = strcspn(raw + 1, "{]") == n - 2;
    }
    return end;
}

gr_status gr_gar_grow_tokenizer(gr_buf *out, gr_runtime *rt, const char *json, size_t n, const char *name,
                                const char *const *tokens, size_t n_tokens, int32_t first, gr_error *err)
{
    gr_json j;
    bool empty = false;
    gr_json_init(&j, rt, json, n, name, FILE_MAX);
    const size_t end = find_end(&j, &empty);
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    GR_TRY(st);
    if (end == 0)
        return gr_fail(err, GR_ERR_FORMAT, "%s: there is no list \"added_tokens\"", name);
    gr_buf_add(out, json, end);
    for (size_t i = 0; i < n_tokens; i++)
        gr_buf_printf(
            out,
            "%s{\"id\":%d,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
            "\"normalized\":false,\"special\":true}",
            i == 0 && empty ? "" : ",", (int)(first + (int32_t)i), tokens[i]);
    gr_buf_add(out, json + end, n - end);
    return out->failed ? gr_fail(err, GR_ERR_MEM, "%s: no memory for more tokens", name) : GR_OK;
}

static gr_status write_tokenizer(const growing *g, const gr_folder *folder, gr_error *err)
{
    char path[4096], *json;
    size_t n;
    gr_buf text;
    GR_TRY(gr_gar_folder_chat_template(g->rt, folder, err)); /* the base's own replaces it */
    GR_TRY(gr_gar_folder_tokenizer(g->rt, folder, g->base, err));
    if (!gr_path_join(path, sizeof path, g->base, "tokenizer.json"))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", g->base);
    GR_TRY(gr_file_read(g->rt, path, FILE_MAX, &json, &n, err));
    gr_buf_init(&text, g->rt, 2 * FILE_MAX);
    gr_status st =
        gr_gar_grow_tokenizer(&text, g->rt, json, n, path, added, N_ADDED, g->to.text.vocab - N_ADDED, err);
    if (st == GR_OK)
        st = gr_folder_add(folder, "tokenizer.json", text.data, text.len, err);
    gr_buf_fini(&text);
    gr_free(g->rt, json);
    return st;
}

/* --- weights ------------------------------------------------------------------------------------------- */

static gr_status go_on(growing *g, size_t bytes, gr_error *err)
{
    g->done += bytes;
    return !g->o->progress || g->o->progress(g->o->user, g->done, g->total)
               ? GR_OK
               : gr_fail(err, GR_ERR_CANCELLED, "%s: cancelled after %llu of %llu bytes", g->work,
                         (unsigned long long)g->done, (unsigned long long)g->total);
}

static gr_status zeros(growing *g, size_t bytes, gr_safetensors_writer *to, gr_error *err)
{
    memset(g->buffer, 0, PORTION);
    for (size_t at = 0; at < bytes; at += PORTION) {
        const size_t n = bytes - at < PORTION ? bytes - at : PORTION;
        GR_TRY(gr_safetensors_writer_add(to, g->buffer, n, err));
        GR_TRY(go_on(g, n, err));
    }
    return GR_OK;
}

static gr_status copy(growing *g, const gr_stored *from, size_t bytes, gr_safetensors_writer *to,
                      gr_error *err)
{
    for (size_t at = 0; at < bytes; at += PORTION) {
        const size_t n = bytes - at < PORTION ? bytes - at : PORTION;
        GR_TRY(gr_stored_read(from, at, g->buffer, n, err));
        GR_TRY(gr_safetensors_writer_add(to, g->buffer, n, err));
        GR_TRY(go_on(g, n, err));
    }
    return GR_OK;
}

/* The mean of all rows of a table, in double. */
static gr_status mean_row(growing *g, const gr_stored *t, double *sum, float *row, gr_error *err)
{
    const size_t cols = (size_t)t->shape[1], rows = (size_t)t->shape[0],
                 width = cols * gr_dtype_bytes(t->dtype);
    memset(sum, 0, cols * sizeof *sum);
    for (size_t r = 0; r < rows; r++) {
        GR_TRY(gr_stored_read(t, r * width, g->buffer, width, err));
        gr_to_f32(row, g->buffer, t->dtype, cols);
        for (size_t c = 0; c < cols; c++)
            sum[c] += (double)row[c];
    }
    for (size_t c = 0; c < cols; c++)
        row[c] = (float)(sum[c] / (double)rows);
    return GR_OK;
}

/* A table that has a row for each token: those of the old ones, then the mean for each new one. */
static gr_status grow_table(growing *g, const gr_stored *t, gr_safetensors_writer *to, gr_error *err)
{
    const size_t cols = (size_t)t->shape[1], width = cols * gr_dtype_bytes(t->dtype),
                 kept = (size_t)(g->to.text.vocab - N_ADDED);
    if (width > PORTION)
        return gr_fail(err, GR_ERR_LIMIT, "%s: rows of %zu bytes", t->name, width);
    double *sum = gr_malloc(g->rt, cols, sizeof *sum + sizeof(float));
    if (!sum)
        return gr_fail(err, GR_ERR_MEM, "no memory for a row of '%s'", t->name);
    float *row = (float *)(void *)(sum + cols);
    gr_status st = mean_row(g, t, sum, row, err);
    if (st == GR_OK)
        st = copy(g, t, kept * width, to, err);
    gr_from_f32(g->buffer, row, t->dtype, cols);
    for (int i = 0; i < N_ADDED && st == GR_OK; i++)
        st = gr_safetensors_writer_add(to, g->buffer, width, err);
    gr_free(g->rt, sum);
    return st == GR_OK ? go_on(g, N_ADDED * width, err) : st;
}

static gr_status fill(void *user, size_t i, gr_safetensors_writer *to, gr_error *err)
{
    growing *g = user;
    const gr_stored *t = g->stored[i];
    const size_t bytes = gr_safetensors_writer_left(to);
    if (!t)
        return zeros(g, bytes, to, err);
    return bytes == t->bytes ? copy(g, t, bytes, to, err) : grow_table(g, t, to, err);
}

/* What is written, and where each comes from. */
static gr_status plan(growing *g, gr_error *err)
{
    g->specs = gr_calloc(g->rt, g->list.n, sizeof *g->specs);
    g->stored = gr_calloc(g->rt, g->list.n, sizeof *g->stored);
    if (!g->specs || !g->stored)
        return gr_fail(err, GR_ERR_MEM, "no memory for the list of weights");
    for (size_t i = 0; i < g->list.n; i++) {
        const gr_gar_tensor *t = &g->list.at[i];
        const int from = gr_gar_tensors_find(&g->base_list, t->id, t->layer);
        const gr_gar_bound *bound = from < 0 ? NULL : &g->bound[from];
        if (t->optional && (!bound || !bound->stored))
            continue;
        if (bound && bound->paired_rows)
            return gr_fail(
                err, GR_ERR_UNSUPPORTED,
                "%s: weights as Meta stores them, with rows of q and k in pairs; expected those of the hub",
                g->base);
        const gr_dtype dtype = bound ? bound->stored->dtype : g->to.stored;
        g->stored[g->n] = bound ? bound->stored : NULL;
        g->specs[g->n] = (gr_tensor_spec){ .name = t->name, .dtype = dtype, .rank = t->rank };
        memcpy(g->specs[g->n++].shape, t->shape, sizeof t->shape);
    }
    return GR_OK;
}

static gr_status read_base(growing *g, gr_error *err)
{
    GR_TRY(configure(g, err));
    GR_TRY(gr_gar_tensors_build(&g->base_list, g->rt, &g->from, err));
    GR_TRY(gr_gar_tensors_build(&g->list, g->rt, &g->to, err));
    GR_TRY(gr_checkpoint_open(&g->checkpoint, g->rt, g->base, err));
    g->bound = gr_calloc(g->rt, g->base_list.n, sizeof *g->bound);
    g->buffer = gr_malloc(g->rt, PORTION, 1);
    if (!g->bound || !g->buffer)
        return gr_fail(err, GR_ERR_MEM, "no memory for the list of weights");
    GR_TRY(gr_gar_tensors_bind(&g->base_list, g->checkpoint, g->bound, NULL, err));
    return plan(g, err);
}

/* --- the folder ---------------------------------------------------------------------------------------- */

static gr_status fill_folder(growing *g, const gr_folder *folder, gr_error *err)
{
    const gr_shard_job job = { g->specs, g->n, g->o->shard_bytes, fill, g };
    gr_shard_size size;
    GR_TRY(gr_gar_folder_config(g->rt, &g->to, folder, NULL, err));
    GR_TRY(write_tokenizer(g, folder, err));
    GR_TRY(gr_shards_measure(&size, &job, folder->work, err));
    g->total = size.bytes;
    g->work = folder->work;
    return gr_shards_write(g->rt, folder->work, &job, err);
}

static gr_status make(growing *g, const char *dir, gr_error *err)
{
    gr_folder folder;
    GR_TRY(gr_folder_init(&folder, dir, err));
    GR_TRY(read_base(g, err));
    GR_TRY(gr_folder_make(&folder, err));
    return gr_folder_finish(&folder, fill_folder(g, &folder, err), err);
}

gr_status gr_gar_from_base(gr_runtime *rt, const char *base, const char *dir,
                           const gr_gar_new_options *options, gr_error *err)
{
    static const gr_gar_new_options defaults = { 0 };
    growing g = { .rt = rt, .o = options ? options : &defaults, .base = base };
    const gr_status st = make(&g, dir, err);
    gr_checkpoint_close(g.checkpoint);
    gr_gar_tensors_fini(&g.list);
    gr_gar_tensors_fini(&g.base_list);
    gr_free(rt, g.bound);
    gr_free(rt, g.specs);
    gr_free(rt, g.stored);
    gr_free(rt, g.buffer);
    return st;
}
