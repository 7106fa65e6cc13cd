#include "test.h"

#include "support/golden_case.h"

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "region/box.h"
#include "region/rle.h"

/* --- files
 * ----------------------------------------------------------------------------------------------------------
 */

static void read_region(golden_case *c, gr_json *j)
{
    gr_error err = { 0 };
    const char *key;
    int size[2] = { 0, 0 }, n = 0;
    static uint32_t runs[65536];
    size_t n_runs = 0;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "prompt") == 0)
            c->regions[c->n_regions].prompt = (int)gr_json_int(j, 0, 31);
        else if (strcmp(key, "size") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                size[n++ % 2] = (int)gr_json_int(j, 1, 4096);
        else if (strcmp(key, "counts") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                runs[n_runs++ % 65536] = (uint32_t)gr_json_int(j, 0, 1 << 24);
        else
            gr_json_skip(j);
    }
    gr_rle rle;
    MUST(gr_rle_from_runs(&rle, c->rt, size[0], size[1], runs, n_runs, &err));
    MUST(gr_rle_to_mask(&c->regions[c->n_regions++].mask, &rle, &err));
    gr_rle_fini(&rle);
}

static void read_text(gr_json *j, char *out, size_t n) { snprintf(out, n, "%s", gr_json_string(j, NULL)); }

static void read_case_key(golden_case *c, gr_json *j, const char *key)
{
    char text[64];
    int n = 0;
    if (strcmp(key, "model") == 0)
        read_text(j, c->model, sizeof c->model);
    else if (strcmp(key, "file") == 0)
        read_text(j, c->file, sizeof c->file);
    else if (strcmp(key, "inputs") == 0)
        read_text(j, c->inputs, sizeof c->inputs);
    else if (strcmp(key, "seed") == 0)
        c->seed = (uint64_t)gr_json_int(j, 0, INT64_MAX);
    else if (strcmp(key, "steps") == 0)
        c->steps = (int)gr_json_int(j, 1, 256);
    else if (strcmp(key, "numerics") == 0)
        read_text(j, text, sizeof text), c->bf16 = strcmp(text, "bf16") == 0;
    else if (strcmp(key, "roi_mode") == 0)
        read_text(j, text, sizeof text), c->roi_twice = strcmp(text, "released") == 0;
    else if (strcmp(key, "multi_bbox") == 0)
        read_text(j, text, sizeof text), c->last_box = strcmp(text, "last") == 0;
    else if (strcmp(key, "bbox") == 0)
        read_text(j, text, sizeof text), c->inclusive = strcmp(text, "inclusive") == 0;
    else if (strcmp(key, "mask_resample") == 0)
        read_text(j, text, sizeof text), c->mask_bicubic = strcmp(text, "bicubic") == 0;
    else if (strcmp(key, "canvas") == 0 && !gr_json_null(j))
        for (gr_json_array(j); gr_json_item(j);)
            c->canvas[n++ % 2] = (int)gr_json_int(j, 1, 64);
    else if (strcmp(key, "regions") == 0)
        for (gr_json_array(j); gr_json_item(j);)
            read_region(c, j);
    else if (strcmp(key, "crc32") == 0) {
        const char *inner;
        for (gr_json_object(j); gr_json_key(j, &inner);)
            if (strcmp(inner, "mask_values") == 0) {
                c->mask_crc = (uint32_t)gr_json_int(j, 0, UINT32_MAX);
                c->has_mask_crc = true;
            } else
                gr_json_skip(j);
    } else if (strcmp(key, "canvas") != 0)
        gr_json_skip(j);
}

static gr_safetensors *open_tensors(golden_case *c, const char *file, char **bytes)
{
    gr_error err = { 0 };
    char path[1024];
    size_t size;
    gr_safetensors *f;
    snprintf(path, sizeof path, TEST_FILE("golden/gar/%s"), file);
    MUST(gr_file_read(c->rt, path, (size_t)1 << 26, bytes, &size, &err));
    const gr_source memory = gr_source_of(*bytes, size);
    MUST(gr_safetensors_parse(&f, c->rt, &memory, path, &err));
    return f;
}

void golden_case_open(golden_case *c, const char *name, int n_threads)
{
    golden_case_open_on(c, name, n_threads, ~0u, gr_backend_cpu_new);
}

void golden_case_open_on(golden_case *c, const char *name, int n_threads, unsigned cpu_mask,
                         golden_backend backend)
{
    gr_error err = { 0 };
    char path[1024], *text;
    const char *key;
    size_t size;
    gr_json j;
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s", name);
    c->rt = test_runtime_cpu(n_threads, cpu_mask);
    snprintf(path, sizeof path, TEST_FILE("golden/gar/%s.json"), name);
    MUST(gr_file_read(c->rt, path, 1 << 22, &text, &size, &err));
    gr_json_init(&j, c->rt, text, size, path, 1 << 20);
    for (gr_json_object(&j); gr_json_key(&j, &key);)
        read_case_key(c, &j, key);
    MUST(gr_json_status(&j, true, &err));
    gr_json_fini(&j);
    gr_free(c->rt, text);
    c->want = open_tensors(c, c->file, &c->bytes);
    c->want_inputs = open_tensors(c, c->inputs, &c->input_bytes);
    test_drawn_checkpoint(c->rt, &c->dir, c->model, c->seed, GR_DTYPE_F32);
    MUST(backend(&c->backend, c->rt, &err));
    MUST(gr_gar_open(&c->gar, c->rt, c->dir.path, c->bf16 ? GR_ROUND_BF16 : GR_ROUND_NONE, &err));
}

void golden_case_close(golden_case *c)
{
    for (int i = 0; i < c->n_got; i++)
        free(c->got[i].data);
    for (int i = 0; i < c->n_regions; i++)
        gr_mask_free(c->regions[i].mask);
    gr_tiles_free(c->mask_tiles);
    gr_gar_close(c->gar);
    gr_backend_free(c->backend);
    gr_safetensors_free(c->want);
    gr_safetensors_free(c->want_inputs);
    gr_free(c->rt, c->bytes);
    gr_free(c->rt, c->input_bytes);
    test_dir_remove(&c->dir);
    gr_runtime_free(c->rt);
}

/* --- the run
 * ----------------------------------------------------------------------------------------------------------
 */

static void collect(void *user, const char *name, const float *data, size_t rows, size_t cols)
{
    golden_case *c = user;
    int i = 0;
    while (i < c->n_got && strcmp(c->got[i].name, name) != 0)
        i++;
    if (i == c->n_got) {
        assert_true(c->n_got < GOLDEN_MAX_VALUES);
        snprintf(c->got[c->n_got++].name, sizeof c->got[0].name, "%s", name);
    }
    golden_value *v = &c->got[i];
    v->data = realloc(v->data, (v->n + rows * cols) * sizeof *v->data);
    assert_non_null(v->data);
    memcpy(v->data + v->n, data, rows * cols * sizeof *data);
    v->n += rows * cols;
}

#define TAP_ROWS 16 /* last rows of the prompt; tests/golden/make/README.md */

/* The first tile is the thumbnail; the first step holds the whole prompt. */
static void collect_tap(void *user, const char *name, const float *data, size_t rows, size_t cols)
{
    golden_case *c = user;
    char as[64];
    if (strcmp(name, "tower.embedded") == 0 && c->n_blocks == 0)
        collect(c, "tap.vision.norm_pre", data, rows, cols);
    if (strcmp(name, "tower.block") == 0 && c->n_blocks++ < c->gar->config.vision.depth) {
        snprintf(as, sizeof as, "tap.vision.block.%d", c->n_blocks - 1);
        collect(c, as, data, rows, cols);
    }
    if (strcmp(name, "decoder.block") == 0 && c->n_layers++ < c->gar->config.text.layers) {
        snprintf(as, sizeof as, "tap.text.layer.%d", c->n_layers - 1);
        assert_true(rows >= TAP_ROWS);
        collect(c, as, data + (rows - TAP_ROWS) * cols, TAP_ROWS, cols);
    }
    if (strcmp(name, "decoder.norm") == 0 && !golden_case_value(c, "tap.text.norm"))
        collect(c, "tap.text.norm", data, rows, cols);
}

static gr_status give_tile(void *user, int t, float *pixels, float *mask, gr_error *err)
{
    (void)err;
    const golden_case *c = user;
    const gr_safetensor *tiles = gr_safetensors_find(c->want_inputs, "tile_pixels");
    const size_t side = (size_t)c->gar->config.vision.tile_px, n = side * side;
    for (size_t i = 0; i < 3 * n; i++)
        pixels[i] = ((float)(uint8_t)c->input_bytes[tiles->offset + (size_t)t * 3 * n + i] - 127.5f) / 127.5f;
    uint8_t *bytes = malloc(n);
    assert_non_null(bytes);
    memset(bytes, 0, n);
    if (c->mask_tiles)
        gr_tiles_bytes(c->mask_tiles, t, bytes);
    for (size_t i = 0; i < n; i++)
        mask[i] = bytes[i];
    free(bytes);
    return GR_OK;
}

static uint32_t crc32_add(uint32_t crc, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
    }
    return crc;
}

static void paint_masks(golden_case *c)
{
    gr_error err = { 0 };
    if (c->n_regions == 0)
        return;
    const gr_gar_config *config = &c->gar->config;
    gr_prompt_plane *plane;
    MUST(gr_plane_new(&plane, c->rt, c->regions[0].mask->width, c->regions[0].mask->height, config->n_prompts,
                      &err));
    for (int i = 0; i < c->n_regions; i++)
        MUST(gr_plane_paint(plane, c->regions[i].mask, c->regions[i].prompt, GR_EXTRA_REFUSE, &err));
    gr_plane_finish(plane);
    const gr_canvas canvas = { c->canvas[0], c->canvas[1] };
    MUST(gr_tiles_of_plane(&c->mask_tiles, plane, canvas, config->vision.tile_px,
                           c->mask_bicubic ? GR_MASK_BICUBIC : GR_MASK_NEAREST, &err));
    gr_plane_free(plane);
    const size_t n = (size_t)config->vision.tile_px * (size_t)config->vision.tile_px;
    uint8_t *bytes = malloc(n);
    uint32_t crc = ~0u;
    for (int t = 0; t < c->mask_tiles->n; t++) {
        gr_tiles_bytes(c->mask_tiles, t, bytes);
        crc = crc32_add(crc, bytes, n);
    }
    free(bytes);
    if (c->has_mask_crc && ~crc != c->mask_crc)
        fail_msg("%s: the resampled masks have CRC-32 %u, the golden ones %u", c->name, ~crc, c->mask_crc);
}

static void fill_boxes(const golden_case *c, gr_picture *p)
{
    gr_error err = { 0 };
    for (int i = 0; i < c->n_regions; i++) {
        double box[4];
        const gr_mask *mask = c->regions[c->last_box ? c->n_regions - 1 : i].mask;
        MUST(gr_mask_unit_box(box, mask, c->inclusive ? GR_BOX_INCLUSIVE : GR_BOX_EXCLUSIVE, &err));
        gr_gar_replay_box(p->boxes[i], box, p->across, p->down, &c->gar->config, c->roi_twice);
    }
}

/* Which feature row a prompt row reads: image tokens in order, crop tokens of region i in order. */
static int32_t source_of(const golden_case *c, int32_t id, int *image_seen, int *crop_seen)
{
    const gr_gar_config *config = &c->gar->config;
    const int image_rows = (1 + c->canvas[0] * c->canvas[1]) * config->tokens_side * config->tokens_side;
    const int region_rows = config->replay_grid * config->replay_grid;
    if (id == config->image_id)
        return (*image_seen)++;
    for (int i = 0; i < c->n_regions; i++)
        if (id == config->crop_ids[c->regions[i].prompt])
            return image_rows + i * region_rows + crop_seen[i]++;
    return -1;
}

bool golden_case_picture(golden_case *c, gr_picture *p)
{
    if (c->canvas[0] == 0)
        return false;
    *p = (gr_picture){
        .across = c->canvas[0], .down = c->canvas[1], .tile = give_tile, .user = c, .n_regions = c->n_regions
    };
    paint_masks(c);
    fill_boxes(c, p);
    return true;
}

void golden_case_sources(const golden_case *c, const int32_t *ids, int32_t *source, size_t n)
{
    int image_seen = 0, crop_seen[GR_MAX_PROMPTS] = { 0 };
    for (size_t i = 0; i < n; i++)
        source[i] = source_of(c, ids[i], &image_seen, crop_seen);
}

void golden_case_run(golden_case *c, int chunk_rows)
{
    gr_error err = { 0 };
    gr_core *engine;
    gr_sequence *s;
    const gr_core_limits limits = { .max_sequences = 1,
                                    .max_context = 1000,
                                    .chunk_rows = chunk_rows,
                                    .max_features = 600,
                                    .max_regions = 5,
                                    .plain = c->plain };
    const gr_core_watch watch = { c->taps ? collect_tap : collect, c, c->taps };
    MUST(gr_core_new(&engine, c->gar, c->backend, &limits, NULL, NULL, &err));
    MUST(gr_sequence_new(&s, engine, &err));
    gr_picture p;
    if (golden_case_picture(c, &p))
        MUST(gr_sequence_encode(s, &p, &watch, &err));
    const gr_safetensor *input = gr_safetensors_find(c->want_inputs, "input_ids"),
                        *greedy = gr_safetensors_find(c->want, "greedy");
    const size_t n = (size_t)input->shape[0];
    int32_t ids[2048], source[2048], forced[256];
    assert_true(n <= 2048 && c->steps <= 256);
    for (size_t i = 0; i < n; i++) {
        int64_t id;
        memcpy(&id, c->input_bytes + input->offset + 8 * i, 8);
        ids[i] = (int32_t)id;
    }
    golden_case_sources(c, ids, source, n);
    for (int i = 0; i < c->steps; i++) {
        int64_t id;
        memcpy(&id, c->bytes + greedy->offset + 8 * i, 8);
        forced[i] = (int32_t)id;
    }
    MUST(gr_sequence_rows(s, ids, source, n, &err));
    const gr_generation g = { .sampling = { .top_p = 1 },
                              .max_tokens = c->steps + 1,
                              .ignore_eos = true,
                              .forced = c->bf16 ? forced : NULL,
                              .n_forced = c->bf16 ? c->steps : 0 };
    MUST(gr_sequence_generate(s, &g, &err));
    while (gr_core_busy(engine))
        MUST(gr_core_step(engine, &watch, &err));
    for (c->n_answer = 0; c->n_answer < gr_sequence_n_tokens(s); c->n_answer++)
        c->answer[c->n_answer] = gr_sequence_token(s, c->n_answer).token;
    /* f32 is not forced: its own greedy tokens must be the golden ones, or the rows of logits would not
     * belong together. */
    for (int i = 0; i < c->steps; i++)
        if (c->answer[i] != forced[i])
            fail_msg("%s: greedy token %d is %d, the golden one %d", c->name, i, c->answer[i], forced[i]);
    gr_sequence_free(s);
    gr_core_free(engine);
}

/* --- comparing
 * ----------------------------------------------------------------------------------------------------------
 */

const golden_value *golden_case_value(const golden_case *c, const char *name)
{
    for (int i = 0; i < c->n_got; i++)
        if (strcmp(c->got[i].name, name) == 0)
            return &c->got[i];
    return NULL;
}

static void compare_named(golden_case *c, const char *ours, const char *theirs, double tolerance)
{
    const gr_safetensor *want = gr_safetensors_find(c->want, theirs);
    if (!want)
        return;
    const golden_value *got = golden_case_value(c, ours);
    /* Of the last norm, only the row that becomes logits is computed; PyTorch's last one. */
    const bool last_row = strcmp(ours, "tap.text.norm") == 0;
    const size_t n = last_row ? (size_t)want->shape[1] : want->bytes / sizeof(float);
    const char *data = c->bytes + want->offset + want->bytes - n * sizeof(float);
    c->n_compared++;
    /* Embeddings are shown for the answer's rows too; PyTorch's are the prompt's. */
    if (!got || (strcmp(ours, "inputs_embeds") == 0 ? got->n < n : got->n != n))
        fail_msg("%s: %s has %zu numbers, the golden file %zu", c->name, ours, got ? got->n : 0, n);
    double difference = 0, size = 0, worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        float w;
        memcpy(&w, data + 4 * i, 4);
        const double d = fabs((double)got->data[i] - (double)w);
        difference += d * d;
        size += (double)w * (double)w;
        if (!(d <= worst))
            worst = d, at = i;
    }
    const double distance = sqrt(difference / size);
    print_message("%-24s %-16s relative RMS %.2e\n", c->name, theirs, distance);
    if (!(distance < tolerance))
        fail_msg("%s: %s is %.3e (relative RMS) from the golden tensor, allowed %.1e; worst at %zu: %g off",
                 c->name, theirs, distance, tolerance, at, worst);
}

void golden_case_compare(golden_case *c, const char *name, double tolerance)
{
    compare_named(c, name, name, tolerance);
}

void golden_case_compare_replays(golden_case *c, double tolerance)
{
    for (int i = 0; i < c->n_regions; i++) {
        char ours[32], theirs[32];
        snprintf(ours, sizeof ours, "replay_%d", i);
        snprintf(theirs, sizeof theirs, "replay_%d", c->regions[i].prompt);
        compare_named(c, ours, theirs, tolerance);
    }
}

void golden_case_compare_taps(golden_case *c, double tolerance)
{
    compare_named(c, "tap.vision.norm_pre", "tap.vision.norm_pre", tolerance);
    for (int i = 0; i < c->gar->config.vision.depth + c->gar->config.text.layers; i++) {
        const int layer = i - c->gar->config.vision.depth;
        char name[64];
        if (layer < 0)
            snprintf(name, sizeof name, "tap.vision.block.%d", i);
        else
            snprintf(name, sizeof name, "tap.text.layer.%d", layer);
        compare_named(c, name, name, tolerance);
    }
    compare_named(c, "tap.text.norm", "tap.text.norm", tolerance);
}

int golden_case_n_results(const golden_case *c, bool taps)
{
    static const char *const results[] = { "vision_features", "image_features", "replay_", "inputs_embeds",
                                           "logits" };
    int n = 0;
    for (size_t i = 0; i < gr_safetensors_count(c->want); i++) {
        const char *name = gr_safetensors_at(c->want, i)->name;
        bool result = taps && strncmp(name, "tap.", 4) == 0;
        for (size_t k = 0; !taps && k < sizeof results / sizeof *results; k++)
            result |= strncmp(name, results[k], strlen(results[k])) == 0;
        n += result;
    }
    return n;
}

void golden_case_all_same_bits(const golden_case *a, const golden_case *b)
{
    assert_int_equal(a->n_got, b->n_got);
    for (int i = 0; i < a->n_got; i++)
        golden_case_same_bits(a, b, a->got[i].name);
    assert_int_equal(a->n_answer, b->n_answer);
    assert_memory_equal(a->answer, b->answer, (size_t)a->n_answer * sizeof *a->answer);
}

void golden_case_same_bits(const golden_case *a, const golden_case *b, const char *name)
{
    const golden_value *x = golden_case_value(a, name), *y = golden_case_value(b, name);
    assert_non_null(x);
    assert_non_null(y);
    assert_int_equal(x->n, y->n);
    assert_memory_equal(x->data, y->data, x->n * sizeof *x->data);
}
