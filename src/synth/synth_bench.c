/* synth_bench.c - benchmark items in the shape of GAR-Bench: questions with options by category, and
 * descriptions with what they have to state. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/json.h"
#include "synth/describe.h"
#include "synth/seen.h"
#include "synth/synth_files.h"
#include "synth/truth.h"

enum { CAPTIONS = GR_ASK_CATEGORIES }; /* the part after the categories */

typedef struct {
    gr_synth_writing *w;
    int part;        /* a category, or CAPTIONS */
    uint64_t found;  /* of this part */
    uint64_t number; /* of the next item of its file */
    gr_buf items;    /* of the file, as JSON */
} bench;

/* Where a category finds its scenes. */
static const gr_compose_options *options_of(int part, uint64_t i, gr_compose_options *o)
{
    static const gr_scene_kind pictures[] = { GR_SCENE_MIRROR, GR_SCENE_SHADOWS, GR_SCENE_SCREEN };
    gr_compose_options_init(o);
    o->kind = part == GR_ASK_ORDER      ? GR_SCENE_GRID
              : part == GR_ASK_RELATION ? GR_SCENE_RELATED
              : part == GR_ASK_MIRROR   ? pictures[i % 3]
                                        : GR_SCENE_KINDS;
    return o;
}

static gr_status put_masks(gr_json_writer *j, gr_synth *y, const int *shown, int n, gr_runtime *rt,
                           gr_error *err)
{
    gr_buf counts;
    gr_status st = GR_OK;
    const gr_scene *s = gr_synth_scene(y);
    gr_buf_init(&counts, rt, GR_RECORD_BYTES_MAX);
    gr_json_put_key(j, "mask_rles");
    gr_json_put_array(j);
    for (int k = 0; k < n && st == GR_OK; k++) {
        gr_buf_clear(&counts);
        st = gr_synth_mask(y, shown[k], &counts, err);
        gr_json_put_object(j);
        gr_json_put_key(j, "size");
        gr_json_put_array(j);
        gr_json_put_int(j, s->height);
        gr_json_put_int(j, s->width);
        gr_json_put_end(j, ']');
        gr_json_put_key(j, "counts");
        gr_json_put_text(j, gr_buf_str(&counts));
        gr_json_put_end(j, '}');
    }
    gr_json_put_end(j, ']');
    gr_buf_fini(&counts);
    return st;
}

static void put_question(gr_json_writer *j, const gr_question *q)
{
    char text[GR_OPTION_BYTES + 4];
    gr_json_put_key(j, "question");
    gr_json_put_text(j, q->text.text);
    gr_json_put_key(j, "choices");
    gr_json_put_array(j);
    for (int k = 0; k < q->n_options; k++) {
        snprintf(text, sizeof text, "%c. %s", 'A' + k, q->options[k]);
        gr_json_put_text(j, text);
    }
    gr_json_put_end(j, ']');
    snprintf(text, sizeof text, "%c", 'A' + q->right);
    gr_json_put_key(j, "answer");
    gr_json_put_text(j, text);
    gr_json_put_key(j, "type");
    gr_json_put_text(j, gr_ask_name(q->family));
}

static void put_caption(gr_json_writer *j, const gr_scene *s, int i, gr_draws *d)
{
    gr_truths truth;
    gr_phrase text = { 0 };
    gr_truth_of(&truth, s, i);
    gr_describe(&text, s, i, GR_DESCRIBE_FULL, d);
    gr_json_put_key(j, "truth");
    gr_truth_put(j, &truth);
    gr_json_put_key(j, "description"); /* one that states all of it */
    gr_json_put_text(j, text.text);
}

/* The members of an item but for the name of its picture, which is known when its number is. */
static gr_status make(void *user, gr_synth *y, uint64_t i, gr_synth_item *item, gr_error *err)
{
    const bench *b = user;
    gr_compose_options o;
    gr_json_writer j;
    gr_question q;
    const uint64_t index = (uint64_t)(b->part + 1) << 40 | i;
    gr_draws d = gr_synth_draws(y, index, 1);
    gr_asking a = { .s = gr_synth_scene(y), .d = &d };
    GR_TRY(gr_synth_paint(y, index, options_of(b->part, i, &o), err));
    if (b->part == CAPTIONS)
        a.n_shown = gr_asking_fill(&a, a.shown, 0, 1);
    item->good =
        b->part == CAPTIONS ? a.n_shown == 1 : gr_question_make(&q, &a, (gr_ask)b->part) && q.n_options > 0;
    if (!item->good)
        return GR_OK;
    gr_json_writer_init(&j, &item->text, false);
    gr_json_put_object(&j);
    if (b->part == CAPTIONS)
        put_caption(&j, a.s, a.shown[0], &d);
    else
        put_question(&j, &q);
    GR_TRY(put_masks(&j, y, a.shown, a.n_shown, b->w->rt, err));
    gr_json_put_end(&j, '}');
    return gr_synth_encode(y, GR_SYNTH_PNG, &item->picture, err);
}

static gr_status take(void *user, uint64_t i, gr_synth_item *item, bool *enough, gr_error *err)
{
    bench *b = user;
    char path[64];
    (void)i;
    if (!item->good)
        return GR_OK;
    snprintf(path, sizeof path, "images/%s_%05" PRIu64 ".png", b->part == CAPTIONS ? "caption" : "vqa",
             b->number);
    GR_TRY(gr_folder_add(b->w->folder, path, item->picture.data, item->picture.len, err));
    gr_buf_printf(&b->items, "%s{\"image\":\"%s\",", b->number > 0 ? ",\n" : "[\n", path);
    gr_buf_text(&b->items, gr_buf_str(&item->text) + 1); /* without its brace */
    if (item->text.failed || b->items.failed)
        return gr_fail(err, GR_ERR_MEM, "no memory for the benchmark's items");
    b->number++;
    *enough = ++b->found == b->w->o->count;
    return gr_synth_done(b->w, err);
}

static gr_status run_part(bench *b, int part, gr_error *err)
{
    const uint64_t tries = 100 * b->w->o->count + 1000;
    const gr_synth_items_job job = { b->w->rules, make, take, b };
    b->part = part;
    b->found = 0;
    GR_TRY(gr_synth_items_run(b->w->rt, &job, tries, err));
    if (b->found < b->w->o->count)
        return gr_fail(err, GR_ERR_LIMIT,
                       "%" PRIu64 " scenes gave %" PRIu64 " items of %s, expected %" PRIu64, tries, b->found,
                       part == CAPTIONS ? "descriptions" : gr_ask_name((gr_ask)part), b->w->o->count);
    return GR_OK;
}

static gr_status finish_file(bench *b, const char *name, gr_error *err)
{
    gr_buf_text(&b->items, "\n]\n");
    if (b->items.failed)
        return gr_fail(err, GR_ERR_MEM, "no memory for the benchmark's items");
    const gr_status st = gr_folder_add(b->w->folder, name, b->items.data, b->items.len, err);
    gr_buf_clear(&b->items);
    b->number = 0;
    return st;
}

static gr_status write_parts(bench *b, gr_error *err)
{
    for (int part = 0; part < CAPTIONS; part++)
        GR_TRY(run_part(b, part, err));
    b->w->written.rows = b->number;
    GR_TRY(finish_file(b, "synth-bench.json", err));
    GR_TRY(run_part(b, CAPTIONS, err));
    b->w->written.captions = b->number;
    return finish_file(b, "synth-bench-cap.json", err);
}

gr_status gr_synth_write_bench(gr_synth_writing *w, gr_error *err)
{
    bench b = { .w = w };
    w->total = (CAPTIONS + 1) * w->o->count;
    GR_TRY(gr_synth_images(w, err));
    gr_buf_init(&b.items, w->rt, SIZE_MAX / 2);
    const gr_status st = write_parts(&b, err);
    gr_buf_fini(&b.items);
    return st;
}
