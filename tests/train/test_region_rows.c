/* What stands for a region and whether the picture is shown: the four kinds of samples that the GAR paper
 * compares (Table 9), from rows of a file to a run. */
#include "test.h"

#include "base/file.h"
#include "dataset/gar_row.h"
#include "dataset/json_rows.h"
#include "grasp/new.h"
#include "grasp/train.h"
#include "media/resize.h"
#include "region/rle.h"
#include "support/tempdir.h"
#include "synth/synth_rows.h"
#include "train/loader_source.h"
#include "train/trainer.h"

enum { WIDTH = 90, HEIGHT = 70, REGIONS = 3, ROWS = 3, SEED = 3, CANVAS = 4, MAX_ROWS = 2000 };

static const gr_bounds boxes[REGIONS] = { { 0, 0, 20, 12 }, { 40, 30, 47, 60 }, { 70, 50, 90, 70 } };

enum { REPLAY, CROP, CROP_ALONE, NOTHING, KINDS };
static const struct {
    const char *options[2];
    gr_region_source regions;
    bool no_picture;
} kinds[KINDS] = {
    [REPLAY] = { { "region_rows=replay", "picture_rows=yes" }, GR_REGION_REPLAY, false },
    [CROP] = { { "region_rows=crop", "picture_rows=yes" }, GR_REGION_CROP, false },
    [CROP_ALONE] = { { "region_rows=crop", "picture_rows=no" }, GR_REGION_CROP, true },
    [NOTHING] = { { "region_rows=none", "picture_rows=yes" }, GR_REGION_NOTHING, false },
};

#define TURNS(question, answer)                        \
    "{\"from\":\"human\",\"value\":\"" question "\"}," \
    "{\"from\":\"gpt\",\"value\":\"" answer "\"}"
#define CAPTION(text) TURNS("x", text)

/* A caption row of three regions, a question about two of them, and one about the picture. */
static const char *const talks[ROWS] = {
    CAPTION("The first.") "," CAPTION("2.") "," CAPTION("The last one."),
    TURNS("<image>\\nHow far is <Prompt2> from <Prompt0>?", "Far from <Prompt0>."),
    TURNS("<image>\\nWhat is it?", "A pattern."),
};
static const int n_shown[ROWS] = { 3, 2, 0 };

typedef struct {
    test_dir dir;
    gr_runtime *rt;
    gr_model *m;
    gr_row_source *rows;
    char paths[600];
    uint8_t pixels[WIDTH * HEIGHT * 3];
} fixture;

static void write_masks(gr_runtime *rt, gr_buf *out)
{
    gr_error err = { 0 };
    for (int i = 0; i < REGIONS; i++) {
        gr_mask *mask;
        gr_rle rle;
        gr_buf text;
        gr_buf_init(&text, rt, 1 << 16);
        MUST(gr_mask_new(&mask, rt, WIDTH, HEIGHT, &err));
        gr_mask_fill(mask, boxes[i]);
        MUST(gr_rle_from_mask(&rle, mask, &err));
        MUST(gr_rle_to_text(&text, &rle, &err));
        gr_buf_printf(out, "%s{\"size\":[%d,%d],\"counts\":\"%s\"}", i ? "," : "", HEIGHT, WIDTH,
                      gr_buf_str(&text));
        gr_buf_fini(&text);
        gr_rle_fini(&rle);
        gr_mask_free(mask);
    }
}

static void write_rows(fixture *f)
{
    gr_buf picture, rows;
    gr_buf_init(&picture, f->rt, 1 << 20);
    gr_buf_init(&rows, f->rt, 1 << 20);
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
        f->pixels[i] = (uint8_t)(i * 7 + i / 90);
    gr_buf_printf(&picture, "P6 %d %d 255\n", WIDTH, HEIGHT);
    gr_buf_add(&picture, f->pixels, sizeof f->pixels);
    test_dir_write(&f->dir, "p.ppm", picture.data, picture.len);
    for (int i = 0; i < ROWS; i++) {
        gr_buf_text(&rows, "{\"image\":\"p.ppm\",\"mask_rle\":");
        gr_buf_text(&rows, n_shown[i] ? "[" : "null");
        if (n_shown[i])
            write_masks(f->rt, &rows);
        gr_buf_printf(&rows, "%s,\"conversations\":[%s]}\n", n_shown[i] ? "]" : "", talks[i]);
    }
    test_dir_write(&f->dir, "rows.jsonl", rows.data, rows.len);
    snprintf(f->paths, sizeof f->paths, "%s", test_dir_file(&f->dir, "rows.jsonl"));
    gr_buf_fini(&picture);
    gr_buf_fini(&rows);
}

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    test_dir_make(&f.dir);
    f.rt = test_runtime_threads(2);
    MUST(gr_checkpoint_new(f.rt, "gar-test", test_dir_file(&f.dir, "m"), NULL, &err));
    MUST(gr_model_open(&f.m, f.rt, test_dir_file(&f.dir, "m"), NULL, &err));
    write_rows(&f);
    MUST(gr_json_rows_open(&f.rows, f.rt, f.paths, NULL, gr_gar_row_parse, &err));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_rows_close(f->rows);
    gr_model_close(f->m);
    gr_runtime_free(f->rt);
    test_dir_remove(&f->dir);
    return 0;
}

/* --- samples ------------------------------------------------------------------------------------------- */

static gr_gar_sample_rules rules_of(const fixture *f, int kind)
{
    gr_gar_sample_rules rules;
    gr_gar_sample_rules_init(&rules, &f->m->gar->config, &f->m->markers, f->m->tokenizer, &f->m->profile);
    rules.picture.root = f->dir.path;
    rules.max_tiles = CANVAS;
    rules.max_rows = MAX_ROWS;
    rules.regions = kinds[kind].regions;
    rules.no_picture = kinds[kind].no_picture;
    return rules;
}

/* Draws are those of a loader's element `position`. */
static gr_status make(const fixture *f, size_t row, uint32_t position, const gr_gar_sample_rules *rules,
                      gr_gar_sample **s, size_t *measured, gr_error *err)
{
    gr_record r;
    gr_skip skip;
    gr_draws one = gr_draws_for(SEED, 0, 0, position, 0), two = one;
    gr_record_init(&r, f->rt);
    assert_int_equal(gr_rows_read(f->rows, row, &r, err), GR_OK);
    gr_status st = gr_gar_sample_make(s, f->rt, &r, rules, &one, &skip, err);
    assert_int_equal(skip, GR_SKIP_NONE);
    if (st == GR_OK)
        st = gr_gar_sample_measure(measured, f->rt, &r, rules, &two, &skip, err);
    gr_record_fini(&r);
    return st;
}

static gr_gar_sample *must_make(const fixture *f, size_t row, uint32_t position, int kind)
{
    const gr_gar_sample_rules rules = rules_of(f, kind);
    gr_error err = { 0 };
    gr_gar_sample *s;
    size_t measured;
    MUST(make(f, row, position, &rules, &s, &measured, &err));
    assert_int_equal(measured, s->ids.n);
    return s;
}

/* Row by row what GAR's sample has, less the feature rows that the kind leaves out. */
static void compare_rows(const gr_gar_sample *s, const gr_gar_sample *gar, int kind, int32_t picture)
{
    size_t k = 0;
    for (size_t i = 0; i < gar->ids.n; i++) {
        const int32_t from = gar->source.v[i];
        const bool of_picture = from >= 0 && from < picture, of_region = from >= picture;
        if ((of_picture && kind == CROP_ALONE) || (of_region && kind == NOTHING))
            continue;
        assert_true(k < s->ids.n);
        assert_int_equal(s->ids.v[k], gar->ids.v[i]);
        assert_int_equal(s->labels[k], gar->labels[i]);
        assert_int_equal(s->source.v[k], of_region && kind == CROP_ALONE ? from - picture : from);
        k++;
    }
    assert_int_equal(k, s->ids.n);
}

static void kinds_differ_in_the_rows_of_features_alone(void **state)
{
    const fixture *f = *state;
    const int tokens = f->m->gar->config.tokens_side * f->m->gar->config.tokens_side;
    for (size_t row = 0; row < ROWS; row++) {
        gr_gar_sample *gar = must_make(f, row, 7, REPLAY);
        const int tiles = gar->pixels->n;
        size_t text = 0;
        for (size_t i = 0; i < gar->ids.n; i++)
            text += gar->source.v[i] < 0;
        assert_int_equal(tiles, 1 + gar->canvas.cols * gar->canvas.rows);
        assert_int_equal(gar->n_boxes, n_shown[row]);
        for (int kind = 0; kind < KINDS; kind++) {
            gr_gar_sample *s = must_make(f, row, 7, kind);
            const int of_picture = kind == CROP_ALONE ? 0 : tiles,
                      of_regions = kind == NOTHING ? 0 : n_shown[row],
                      crops = kinds[kind].regions == GR_REGION_CROP ? n_shown[row] : 0;
            assert_int_equal(s->ids.n, text + (size_t)((of_picture + of_regions) * tokens));
            assert_int_equal(s->n_labels, gar->n_labels);
            assert_int_equal(s->n_regions, n_shown[row]);
            assert_int_equal(s->n_boxes, kind == REPLAY ? n_shown[row] : 0);
            assert_int_equal(s->n_crops, crops);
            assert_int_equal(gr_gar_sample_tiles(s), of_picture + crops);
            assert_int_equal(s->pixels != NULL, kind != CROP_ALONE);
            compare_rows(s, gar, kind, tiles * tokens);
            gr_gar_sample_free(s);
        }
        gr_gar_sample_free(gar);
    }
}

static void same_tiles(const gr_tiles *a, const gr_tiles *b)
{
    const size_t side = (size_t)a->tile_px, tile = side * side * (size_t)a->channels;
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->thumb, b->thumb, tile);
    assert_memory_equal(a->whole, b->whole, tile * (size_t)(a->n - 1));
}

static void the_picture_and_its_marks_are_the_same_in_all_that_show_it(void **state)
{
    const fixture *f = *state;
    static const int others[] = { CROP, NOTHING };
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < 2; i++) {
            gr_gar_sample *gar = must_make(f, row, 7, REPLAY), *s = must_make(f, row, 7, others[i]);
            same_tiles(s->pixels, gar->pixels);
            same_tiles(s->mask, gar->mask);
            gr_gar_sample_free(gar);
            gr_gar_sample_free(s);
        }
}

/* The caption row shows all three, in their order; the first and the last lie in corners. */
static void a_crop_is_the_square_around_its_region(void **state)
{
    static const gr_bounds squares[REGIONS] = { { 0, 0, 30, 30 }, { 21, 23, 66, 68 }, { 60, 40, 90, 70 } };
    const fixture *f = *state;
    const int side = f->m->gar->config.vision.tile_px;
    static uint8_t cut[45 * 45 * 3], want[448 * 448 * 3];
    for (int kind = CROP; kind <= CROP_ALONE; kind++) {
        gr_gar_sample *s = must_make(f, 0, 7, kind);
        const int before = gr_gar_sample_tiles(s) - REGIONS;
        for (int i = 0; i < REGIONS; i++) {
            gr_error err = { 0 };
            const gr_tiles *pixels, *mask;
            const gr_bounds at = squares[i], box = boxes[i];
            int tile;
            gr_gar_sample_tile(s, before + i, &pixels, &mask, &tile);
            assert_int_equal(tile, 0);
            const int w = at.x1 - at.x0;
            for (int y = 0; y < w; y++)
                memcpy(cut + y * w * 3, f->pixels + ((at.y0 + y) * WIDTH + at.x0) * 3, (size_t)w * 3);
            MUST(gr_resize_bicubic(f->rt, want, side, side, cut, w, w, 3, &err));
            assert_memory_equal(pixels->thumb, want, (size_t)(side * side) * 3);
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++) {
                    const int px = at.x0 + gr_nearest_index(x, w, side),
                              py = at.y0 + gr_nearest_index(y, w, side);
                    assert_int_equal(mask->thumb[y * side + x],
                                     px >= box.x0 && px < box.x1 && py >= box.y0 && py < box.y1);
                }
        }
        gr_gar_sample_free(s);
    }
}

/* As replay has it: a region that the model has no prompt for is shown as its crop token, so no crop is its.
 */
static void regions_beyond_the_prompts_have_no_crop(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_sample_rules rules = rules_of(f, CROP_ALONE);
    gr_gar_config config = f->m->gar->config;
    gr_gar_markers markers = f->m->markers;
    gr_gar_sample *s;
    size_t measured;
    config.n_prompts = markers.n_prompts = 2; /* <Prompt2> of the second row is beyond */
    rules.config = &config;
    rules.markers = &markers;
    rules.conversation.n_prompts = 2;
    rules.conversation.extra = GR_EXTRA_RELEASED;
    MUST(make(f, 1, 7, &rules, &s, &measured, &err));
    const int tokens = config.tokens_side * config.tokens_side;
    int sources = 0;
    for (size_t i = 0; i < s->ids.n; i++)
        if (s->source.v[i] >= 0)
            assert_int_equal(s->source.v[i], sources++);
    assert_int_equal(s->n_regions, 2);
    assert_int_equal(s->n_crops, 1);
    assert_int_equal(sources, tokens);
    gr_gar_sample_free(s);
}

static void rules_that_make_no_sample_are_refused(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_gar_config other = f->m->gar->config;
    gr_gar_sample *s;
    size_t measured;
    gr_loader_source *source;
    const gr_loader_source_options o = { .paths = f->paths,
                                         .image_root = f->dir.path,
                                         .accumulation = 1,
                                         .max_tiles = CANVAS,
                                         .max_rows = MAX_ROWS,
                                         .no_picture = true };
    static const int shown[] = { REPLAY, NOTHING };
    for (size_t i = 0; i < 2; i++) {
        gr_gar_sample_rules rules = rules_of(f, shown[i]);
        rules.no_picture = true;
        MUST_FAIL(make(f, 0, 7, &rules, &s, &measured, &err), GR_ERR_ARG,
                  "samples without picture need crops");
        assert_null(s);
    }
    MUST_FAIL(gr_loader_source_open(&source, f->m, &o, &err), GR_ERR_ARG,
              "samples without picture need crops");
    assert_null(source);
    other.replay_grid = 8;
    for (int kind = 0; kind < KINDS; kind++) {
        gr_gar_sample_rules rules = rules_of(f, kind);
        rules.config = &other;
        if (rules.regions == GR_REGION_CROP)
            MUST_FAIL(make(f, 0, 7, &rules, &s, &measured, &err), GR_ERR_UNSUPPORTED,
                      "a crop gives 4 x 4 rows and replay 8 x 8");
        else
            MUST(gr_gar_sample_rules_check(&rules, &err));
    }
}

/* --- as training takes them ---------------------------------------------------------------------------- */

static gr_loader_source *open_source(const fixture *f, int kind)
{
    gr_error err = { 0 };
    gr_loader_source *s;
    const gr_loader_source_options o = { .paths = f->paths,
                                         .image_root = f->dir.path,
                                         .seed = SEED,
                                         .accumulation = 1,
                                         .max_tiles = CANVAS,
                                         .max_rows = MAX_ROWS,
                                         .regions = kinds[kind].regions,
                                         .no_picture = kinds[kind].no_picture };
    MUST(gr_loader_source_open(&s, f->m, &o, &err));
    return s;
}

/* The row that an item was made of: "NAME/row". */
static size_t row_of(const gr_train_item *item) { return (size_t)(strrchr(item->name, '/')[1] - '0'); }

static void same_tile(const fixture *f, const gr_picture *p, const gr_gar_sample *s, int t)
{
    static float got[3 * 448 * 448], want[3 * 448 * 448], marks[448 * 448];
    static uint8_t bytes[448 * 448];
    const gr_gar_config *c = &f->m->gar->config;
    const size_t plane = (size_t)c->vision.tile_px * (size_t)c->vision.tile_px;
    const int before = s->pixels ? s->pixels->n : 0;
    gr_error err = { 0 };
    MUST(p->tile(p->user, t, got, marks, &err));
    gr_tiles_floats(t < before ? s->pixels : s->crops[t - before], t < before ? t : 0, c->image_mean,
                    c->image_std, want);
    gr_tiles_bytes(t < before ? s->mask : s->crop_masks[t - before], t < before ? t : 0, bytes);
    assert_memory_equal(got, want, 3 * plane * sizeof *want);
    for (size_t i = 0; i < plane; i++)
        assert_true(marks[i] == (float)bytes[i]);
}

static void training_takes_crops_as_tiles_behind_the_pictures(void **state)
{
    const fixture *f = *state;
    for (int kind = 0; kind < KINDS; kind++) {
        gr_loader_source *source = open_source(f, kind);
        const gr_train_source give = gr_loader_source_of(source);
        for (uint32_t element = 0; element < ROWS; element++) {
            gr_error err = { 0 };
            gr_train_item item;
            MUST(give.give(give.user, 0, element, &item, &err));
            gr_gar_sample *s = must_make(f, row_of(&item), element, kind);
            const gr_picture *p = item.sample.picture;
            assert_int_equal(item.sample.n, s->ids.n);
            assert_memory_equal(item.sample.source, s->source.v, s->ids.n * sizeof *s->source.v);
            assert_int_equal(p != NULL, kind != CROP_ALONE || s->n_regions > 0);
            if (p) {
                assert_int_equal(1 + p->across * p->down, gr_gar_sample_tiles(s));
                assert_int_equal(p->n_regions, s->n_boxes);
                for (int t = 0; t < gr_gar_sample_tiles(s); t++)
                    same_tile(f, p, s, t);
            }
            gr_gar_sample_free(s);
        }
        gr_loader_source_close(source);
    }
}

/* Loss with the weights of a range moved by `by` along its gradient, whose length is `size`. */
static double loss_at(gr_trainer *t, const gr_train_sample *s, const gr_range *r, const float *kept,
                      double size, double by)
{
    gr_error err = { 0 };
    double loss;
    for (size_t i = 0; i < r->count; i++)
        t->flat.weights[r->offset + i] =
            (float)((double)kept[i] + by * (double)t->flat.grads[r->offset + i] / size);
    MUST(gr_passes_run(t->passes, s, 0, &loss, &err));
    memcpy(t->flat.weights + r->offset, kept, r->count * sizeof *kept);
    return loss;
}

/* Along its own gradient the loss rises by the gradient's length. Alone, crops are all that reaches the
 * tower; beside a picture the two add up. f32 losses are good to about 1e-6, and the step moves them by 2e-2.
 */
static void compare_gradient(gr_trainer *t, const gr_train_sample *s, const char *of)
{
    gr_error err = { 0 };
    double loss, size = 0;
    const gr_range *r = NULL;
    for (size_t i = 0; i < t->flat.n_ranges && !r; i++)
        r = strstr(t->flat.ranges[i].name, of) ? &t->flat.ranges[i] : NULL;
    assert_non_null(r);
    float *kept = malloc(r->count * sizeof *kept);
    assert_non_null(kept);
    memcpy(kept, t->flat.weights + r->offset, r->count * sizeof *kept);
    memset(t->flat.grads, 0, t->flat.n * sizeof *t->flat.grads);
    MUST(gr_passes_run(t->passes, s, 1, &loss, &err));
    for (size_t i = 0; i < r->count; i++)
        size += (double)t->flat.grads[r->offset + i] * (double)t->flat.grads[r->offset + i];
    size = sqrt(size);
    assert_true(size > 1e-4);
    const double h = 1e-2 / size,
                 slope = (loss_at(t, s, r, kept, size, h) - loss_at(t, s, r, kept, size, -h)) / (2 * h);
    if (getenv("GR_SHOW"))
        printf("%s: length %g, slope %g\n", r->name, size, slope);
    if (!(fabs(slope - size) < 0.02 * size))
        fail_msg("%s: a gradient of length %g, and the loss rises by %g", r->name, size, slope);
    free(kept);
}

static void gradients_reach_the_tower_through_crops(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t;
    const gr_trainer_options o = { .limits = { .parts = 1u << GR_TRAIN_TOWER | 1u << GR_TRAIN_MASK,
                                               .max_rows = MAX_ROWS,
                                               .max_tiles = 1 + CANVAS + REGIONS,
                                               .max_regions = REGIONS },
                                   .adamw = GR_ADAMW_PUBLISHED };
    MUST(gr_trainer_open(&t, f->rt, test_dir_file(&f->dir, "m"), &o, &err));
    MUST(gr_trainer_load(t, NULL, NULL, &err));
    for (int kind = CROP; kind <= CROP_ALONE; kind++) {
        gr_loader_source *source = open_source(f, kind);
        const gr_train_source give = gr_loader_source_of(source);
        for (uint32_t element = 0; element < ROWS; element++) {
            gr_train_item item;
            MUST(give.give(give.user, 0, element, &item, &err));
            if (row_of(&item) != 0)
                continue;
            compare_gradient(t, &item.sample, "patch_embed");
            compare_gradient(t, &item.sample, "mask_patch_embed");
        }
        gr_loader_source_close(source);
    }
    gr_trainer_close(t);
}

/* --- runs ---------------------------------------------------------------------------------------------- */

typedef struct {
    int records;
    double first, last, validated;
} told;

static void on_record(void *user, const gr_train_record *r)
{
    told *t = user;
    if (t->records++ == 0)
        t->first = r->loss;
    t->last = r->loss;
}

static void on_validated(void *user, int64_t step, double loss)
{
    (void)step;
    ((told *)user)->validated = loss;
}

static void set(gr_training *t, const char *text)
{
    gr_error err = { 0 };
    MUST(gr_training_set(t, text, &err));
}

static void set_path(const fixture *f, gr_training *t, const char *name, const char *file)
{
    char text[700];
    snprintf(text, sizeof text, "%s=%s", name, test_dir_file(&f->dir, file));
    set(t, text);
}

static bool can_paint(gr_runtime *rt)
{
    gr_row_source *rows;
    gr_error err = { 0 };
    const gr_status st = gr_synth_rows_open(&rows, rt, "synth:train:1:1", &err);
    if (st == GR_OK)
        gr_rows_close(rows);
    else
        assert_int_equal(st, GR_ERR_UNSUPPORTED);
    return st == GR_OK;
}

static gr_status go(gr_training *t, bool resume, told *says, gr_train_outcome *outcome, gr_error *err)
{
    const gr_train_watch watch = {
        .size = sizeof watch, .record = on_record, .validated = on_validated, .user = says
    };
    *says = (told){ .records = 0 };
    *outcome = (gr_train_outcome){ .size = sizeof *outcome };
    return gr_training_run(t, resume, &watch, outcome, err);
}

static void a_run_of_each_kind_learns_and_does_not_go_on_as_another(void **state)
{
    const fixture *f = *state;
    static const char *const options[] = { "data=synth:train:1:200:looking",
                                           "validation=synth:validation:1:8:looking",
                                           "validate_every=8",
                                           "accumulation=4",
                                           "steps=8",
                                           "learning_rate=3e-3",
                                           "warmup=0",
                                           "max_rows=2000",
                                           "max_tiles=8",
                                           "dtype=f32" };
    if (!can_paint(f->rt))
        return;
    double first[KINDS];
    for (int kind = 0; kind < KINDS; kind++) {
        gr_error err = { 0 };
        gr_training *t;
        told says;
        gr_train_outcome outcome;
        char output[16];
        MUST(gr_training_new(&t, f->rt, &err));
        snprintf(output, sizeof output, "run%d", kind);
        set_path(f, t, "model", "m");
        set_path(f, t, "output", output);
        for (size_t i = 0; i < sizeof options / sizeof *options; i++)
            set(t, options[i]);
        for (int i = 0; i < 2; i++)
            set(t, kinds[kind].options[i]);
        MUST(go(t, false, &says, &outcome, &err));
        if (getenv("GR_SHOW"))
            printf("%s %s: loss %g to %g, validation %g\n", kinds[kind].options[0], kinds[kind].options[1],
                   says.first, says.last, says.validated);
        assert_true(outcome.step == 8 && says.records == 8);
        first[kind] = says.first;
        for (int i = 0; i < kind; i++)
            assert_true(first[kind] != first[i]); /* the same rows, shown in another way */
        assert_true(says.last < 0.9 * says.first && says.validated < 0.9 * says.first);
        set(t, kind == NOTHING ? "region_rows=replay" : "region_rows=none");
        set(t, "picture_rows=yes");
        MUST_FAIL(go(t, true, &says, &outcome, &err), GR_ERR_ARG,
                  kind == NOTHING ? "region_rows is \"replay\", and the run was begun with \"none\""
                                  : "region_rows is \"none\", and the run was begun with");
        if (kinds[kind].regions == GR_REGION_CROP) {
            set(t, "region_rows=crop");
            set(t, kinds[kind].no_picture ? "picture_rows=yes" : "picture_rows=no");
            MUST_FAIL(go(t, true, &says, &outcome, &err), GR_ERR_ARG, "picture_rows is \"");
        }
        gr_training_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_differ_in_the_rows_of_features_alone),
        cmocka_unit_test(the_picture_and_its_marks_are_the_same_in_all_that_show_it),
        cmocka_unit_test(a_crop_is_the_square_around_its_region),
        cmocka_unit_test(regions_beyond_the_prompts_have_no_crop),
        cmocka_unit_test(rules_that_make_no_sample_are_refused),
        cmocka_unit_test(training_takes_crops_as_tiles_behind_the_pictures),
        cmocka_unit_test(gradients_reach_the_tower_through_crops),
        cmocka_unit_test(a_run_of_each_kind_learns_and_does_not_go_on_as_another),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
