/* verify_model.c - what can be known about a model folder without running it. */
#include "grasp/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/half.h"
#include "engine/request.h"
#include "eval/answer_text.h"
#include "io/convert.h"
#include "region/canvas.h"

typedef struct {
    const gr_model *m;
    const gr_verify_watch *watch;
    gr_error *err; /* the first thing that is wrong */
    bool bad;
} checking;

static void report(checking *c, const char *name, bool good, const char *fmt, ...) GR_PRINTF(4, 5);

static void report(checking *c, const char *name, bool good, const char *fmt, ...)
{
    char says[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(says, sizeof says, fmt, ap);
    va_end(ap);
    if (!good) {
        c->bad = true;
        gr_fail(c->err, GR_ERR_FORMAT, "%s: %s", name, says);
    }
    if (c->watch && c->watch->check)
        c->watch->check(c->watch->user, &(gr_check){ name, good, says });
}

/* --- values -------------------------------------------------------------------------------------- */

#define BLOCK ((size_t)1 << 16) /* elements read at a time */

/* *at: the first element that is not finite, or t's number of elements. `block` holds BLOCK elements as
 * stored, `wide` as f32. */
static gr_status first_not_finite(size_t *at, const gr_stored *t, uint8_t *block, float *wide, gr_error *err)
{
    const size_t bytes = gr_dtype_bytes(t->dtype), n = bytes ? t->bytes / bytes : 0;
    for (*at = 0; *at < n;) {
        const size_t take = n - *at < BLOCK ? n - *at : BLOCK;
        GR_TRY(gr_stored_read(t, *at * bytes, block, take * bytes, err));
        if (!gr_to_f32(wide, block, t->dtype, take)) /* no type of a weight; gr_model_open refuses those */
            break;
        const size_t good = gr_first_not_finite(wide, 0, take);
        *at += good;
        if (good < take)
            return GR_OK;
    }
    *at = n;
    return GR_OK;
}

static gr_status check_values(checking *c, uint8_t *block, float *wide)
{
    const gr_gar *g = c->m->gar;
    uint64_t done = 0, total = 0, numbers = 0;
    const gr_stored *wrong = NULL;
    size_t wrong_at = 0;
    for (size_t i = 0; i < g->tensors.n; i++)
        total += g->bound[i].stored ? g->bound[i].stored->bytes : 0;
    for (size_t i = 0; i < g->tensors.n && !wrong; i++) {
        const gr_stored *t = g->bound[i].stored;
        if (!t)
            continue;
        if (c->watch && c->watch->progress && !c->watch->progress(c->watch->user, done, total))
            return gr_fail(c->err, GR_ERR_CANCELLED, "cancelled");
        const size_t n = t->bytes / gr_dtype_bytes(t->dtype);
        GR_TRY(first_not_finite(&wrong_at, t, block, wide, c->err));
        wrong = wrong_at < n ? t : NULL;
        numbers += n;
        done += t->bytes;
    }
    if (wrong)
        report(c, "values", false, "%s: tensor '%s': element %zu is not a finite number", wrong->file,
               wrong->name, wrong_at);
    else
        report(c, "values", true, "all %" PRIu64 " stored numbers are finite", numbers);
    if (c->watch && c->watch->progress && !c->watch->progress(c->watch->user, total, total))
        return gr_fail(c->err, GR_ERR_CANCELLED, "cancelled");
    return GR_OK;
}

static gr_status read_values(checking *c)
{
    gr_runtime *rt = c->m->rt;
    uint8_t *block = gr_malloc(rt, BLOCK, sizeof(double));
    float *wide = gr_malloc(rt, BLOCK, sizeof *wide);
    const gr_status st = block && wide ? check_values(c, block, wide)
                                       : gr_fail(c->err, GR_ERR_MEM, "no memory to read the weights");
    gr_free(rt, block);
    gr_free(rt, wide);
    return st;
}

/* --- tokens -------------------------------------------------------------------------------------- */

/* Spec gar.md 4.2: ids of the published vocabulary. */
static const struct {
    const char *name;
    int32_t id;
} published[] = {
    { "<|begin_of_text|>", 128000 },
    { "<|end_of_text|>", 128001 },
    { "<|image|>", 128002 },
    { "<|video|>", 128003 },
    { "<|reserved_special_token_2|>", 128004 },
    { "<|reserved_special_token_3|>", 128005 },
    { "<|start_header_id|>", 128006 },
    { "<|end_header_id|>", 128007 },
    { "<|reserved_special_token_4|>", 128008 },
    { "<|eot_id|>", 128009 },
    { "<|reserved_special_token_5|>", 128010 },
    { "<|reserved_special_token_6|>", 128011 },
    { "<|reserved_special_token_250|>", 128255 },
    { "<Prompt0>", 128256 },
    { "<Prompt4>", 128260 },
    { "<NO_Prompt>", 128261 },
};
#define N_PUBLISHED (sizeof published / sizeof *published)

static bool has_published_vocabulary(const gr_model *m)
{
    return m->gar->config.text.bos == 128000 && m->gar->config.text.vocab == 128262;
}

/* A token that the templates need and that must be special; the sentence when it is not so. */
static bool token_is(checking *c, const char *name, int32_t want)
{
    const gr_tokenizer *t = c->m->tokenizer;
    const int32_t id = gr_tokenizer_id(t, name);
    const bool good = id == want && gr_tokenizer_is_special(t, id);
    if (!good)
        report(c, "tokens", false, "'%s' has id %d%s, expected %d and special", name, id,
               id >= 0 && !gr_tokenizer_is_special(t, id) ? " and is ordinary text" : "", want);
    return good;
}

static void check_tokens(checking *c)
{
    const gr_model *m = c->m;
    const bool full = has_published_vocabulary(m);
    if (!m->tokenizer) {
        report(c, "tokens", false, "%s/tokenizer.json is not there", m->gar->dir);
        return;
    }
    for (size_t i = 0; full && i < N_PUBLISHED; i++)
        if (!token_is(c, published[i].name, published[i].id))
            return;
    for (int k = 0; k < m->markers.n_prompts; k++) {
        char name[48];
        snprintf(name, sizeof name, "<|reserved_special_token_%d|>", k + 2);
        if (!token_is(c, name, m->markers.crop[k]))
            return;
        snprintf(name, sizeof name, "<Prompt%d>", k);
        if (!token_is(c, name, m->markers.prompt[k]))
            return;
    }
    report(c, "tokens", true, "%d prompts with their crop tokens%s; end of turn %d, image %d",
           m->markers.n_prompts, full ? ", all at the published ids" : "", m->markers.eot, m->markers.image);
}

static void check_clean_up(checking *c)
{
    gr_error why = { 0 };
    bool clean_up;
    if (gr_answer_clean_up(&clean_up, c->m->rt, c->m->gar->dir, &why) != GR_OK)
        report(c, "clean-up", false, "%s", why.msg);
    else
        report(c, "clean-up", true, "answers %s spaces before punctuation", clean_up ? "lose" : "keep");
}

/* --- worked examples ----------------------------------------------------------------------------- */

/* Spec gar.md 3.2, for limits of 8, 16 and 36 tiles of 448 pixels. */
static const struct {
    int width, height, canvas[3][2];
} canvases[] = {
    { 640, 480, { { 3, 2 }, { 4, 3 }, { 7, 5 } } },   { 1920, 1080, { { 3, 2 }, { 5, 3 }, { 8, 4 } } },
    { 300, 1200, { { 1, 4 }, { 2, 8 }, { 3, 12 } } }, { 5000, 100, { { 8, 1 }, { 16, 1 }, { 36, 1 } } },
    { 448, 448, { { 2, 2 }, { 4, 4 }, { 6, 6 } } },   { 224, 224, { { 2, 2 }, { 4, 4 }, { 6, 6 } } },
    { 449, 448, { { 3, 2 }, { 4, 4 }, { 6, 6 } } },   { 500, 333, { { 4, 2 }, { 5, 3 }, { 7, 5 } } },
    { 1280, 720, { { 4, 2 }, { 5, 3 }, { 8, 4 } } },  { 4000, 3000, { { 2, 2 }, { 4, 3 }, { 4, 3 } } },
    { 3000, 4000, { { 2, 2 }, { 4, 4 }, { 4, 5 } } }, { 100, 5000, { { 1, 8 }, { 1, 16 }, { 1, 36 } } },
};
#define N_CANVASES (sizeof canvases / sizeof *canvases)

static void check_canvas(checking *c)
{
    static const int limits[] = { 8, 16, 36 };
    for (size_t i = 0; i < N_CANVASES; i++)
        for (int k = 0; k < 3; k++) {
            gr_canvas found = { 0 };
            const int *want = canvases[i].canvas[k];
            gr_canvas_choose(&found, canvases[i].width, canvases[i].height, limits[k], 448, NULL);
            if (found.cols != want[0] || found.rows != want[1]) {
                report(c, "canvas", false, "%d x %d pixels in %d tiles give %d x %d, published is %d x %d",
                       canvases[i].width, canvases[i].height, limits[k], found.cols, found.rows, want[0],
                       want[1]);
                return;
            }
        }
    report(c, "canvas", true, "%zu worked examples; this model cuts a picture into at most %d tiles%s",
           N_CANVASES * 3, c->m->gar->config.max_num_tiles,
           c->m->gar->config.tile_limit_known ? "" : ", which no file of the folder states");
}

/* Rows of the published prompt that describes one region, apart from features (spec gar.md 4.5). */
static const int32_t prompt_ids[] = {
    128000, 128000, 128006, 9125,   128007, 271,    2675,   527,  264,  11190, 4221, 323,   11376,
    18328,  13,     1472,   527,    3025,   311,    3619,   279,  9302, 2262,  430,  279,   1217,
    5825,   11,     323,    7945,   279,    1217,   449,    264,  8205, 315,   9256, 1701,  5933,
    4221,   13,     128009, 128006, 882,    128007, 271,    3947, 527,  1063,  6302, 358,   1097,
    22999,  922,    25,     220,    128257, 280,    128257, 25,   220,  75885, 420,  43248, 5654,
    304,    7872,   13,     128009, 128006, 78191,  128007, 271,
};
#define N_PROMPT_IDS (sizeof prompt_ids / sizeof *prompt_ids)

static const char prompt_text[] =
    "<|begin_of_text|><|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nYou are a helpful "
    "language and "
    "vision assistant. You are able to understand the visual content that the user provides, and assist the "
    "user "
    "with a variety of tasks using natural "
    "language.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nThere are "
    "some objects I am curious about: <Prompt1>;\n<Prompt1>: Describe this masked region in detail.<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n";

/* Reports whether words and rows of features are as published. */
static gr_status compare_prompt(checking *c, const gr_prepared *p, gr_ids *words, gr_buf *text)
{
    size_t image = 0, region = 0;
    const size_t side = (size_t)c->m->gar->config.replay_grid;
    for (size_t i = 0; i < p->ids.n; i++) {
        if (p->source.v[i] < 0)
            GR_TRY(gr_ids_add(words, p->ids.v[i], c->err));
        image += p->source.v[i] >= 0 && p->ids.v[i] == c->m->markers.image;
        region += p->source.v[i] >= 0 && p->ids.v[i] == c->m->markers.crop[1];
    }
    GR_TRY(gr_tokenizer_decode(c->m->tokenizer, words->v, words->n, 0, text, c->err));
    const bool exact = !has_published_vocabulary(c->m) ||
                       (words->n == N_PROMPT_IDS && memcmp(words->v, prompt_ids, sizeof prompt_ids) == 0);
    if (image != (size_t)gr_prepared_image_rows(p) || region != side * side)
        report(c, "prompt", false, "one region has %zu rows and the picture %zu, expected %zu and %d", region,
               image, side * side, gr_prepared_image_rows(p));
    else if (!exact || strcmp(gr_buf_str(text), prompt_text) != 0)
        report(c, "prompt", false,
               "one region of a picture gives %zu rows of words that are not the published ones", words->n);
    else
        report(c, "prompt", true,
               "one region of a picture gives the published text%s: %zu rows, %zu of the region",
               has_published_vocabulary(c->m) ? " and ids" : "", p->ids.n, region);
    return GR_OK;
}

static gr_status check_prompt(checking *c)
{
    gr_image *image = NULL;
    gr_mask *mask = NULL;
    gr_prepared p;
    gr_ids words;
    gr_buf text;
    gr_request r;
    gr_ids_init(&words, c->m->rt, 10000);
    gr_buf_init(&text, c->m->rt, 100000);
    gr_request_init(&r, c->m);
    gr_profile_init(&r.profile, "released", NULL);
    gr_status st = gr_image_new(&image, c->m->rt, 640, 480, 3, c->err);
    if (st == GR_OK)
        st = gr_mask_new(&mask, c->m->rt, 640, 480, c->err);
    const gr_region region = { .mask = mask };
    const gr_region *const regions[] = { &region };
    r.image = image;
    r.regions = regions;
    r.n_regions = 1;
    if (st == GR_OK)
        st = gr_request_plan(&p, c->m, &r, c->err);
    if (st == GR_OK) {
        st = compare_prompt(c, &p, &words, &text);
        gr_prepared_fini(&p);
    }
    gr_mask_free(mask);
    gr_image_free(image);
    gr_buf_fini(&text);
    gr_ids_fini(&words);
    return st;
}

gr_status gr_verify_model(const gr_model *model, const gr_verify_watch *watch, gr_error *err)
{
    checking c = { .m = model, .watch = watch, .err = err };
    gr_model_info info = { .size = sizeof info };
    GR_TRY(gr_model_describe(model, &info, err));
    report(&c, "tensors", true,
           "%d tensors, %" PRId64 " parameters (%s), each of the shape that config.json implies",
           info.tensors, info.parameters, info.dtypes);
    GR_TRY(read_values(&c));
    check_tokens(&c);
    check_clean_up(&c);
    check_canvas(&c);
    if (model->tokenizer && model->markers.n_prompts > 1)
        GR_TRY(check_prompt(&c));
    return c.bad ? GR_ERR_FORMAT : GR_OK;
}
