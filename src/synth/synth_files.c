#include "synth/synth_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/dataset_writer.h"

void gr_synth_options_init(gr_synth_options *options)
{
    *options = (gr_synth_options){ .size = sizeof *options, .count = 1000, .captions = 0.4, .looking = 0.15 };
}

gr_status gr_synth_done(gr_synth_writing *w, gr_error *err)
{
    w->done++;
    if (w->o->progress && !w->o->progress(w->o->progress_user, w->done, w->total))
        return gr_fail(err, GR_ERR_CANCELLED, "cancelled after %" PRIu64 " of %" PRIu64, w->done, w->total);
    return GR_OK;
}

gr_status gr_synth_images(const gr_synth_writing *w, gr_error *err)
{
    char path[4096];
    if (!gr_path_join(path, sizeof path, w->folder->work, "images"))
        return gr_fail(err, GR_ERR_ARG, "%s: the path of images is too long", w->folder->work);
    if (mkdir(path, 0777) != 0)
        return gr_fail(err, GR_ERR_IO, "%s: cannot make this folder: %s", path, strerror(errno));
    return GR_OK;
}

/* --- rows ---------------------------------------------------------------------------------------------- */

void gr_synth_count(gr_synth_writing *w, const gr_record *r)
{
    bool captions = true;
    for (size_t i = 0; i < r->n_turns; i++)
        captions = captions && !strstr(r->turns[i].value.at, "<Prompt");
    w->written.rows++;
    w->written.captions += captions;
    w->written.turns += r->n_turns / 2;
    w->written.regions += r->n_regions;
}

/* --- Arrow --------------------------------------------------------------------------------------------- */

static const gr_arrow_field columns[] = {
    { .name = "id", .type = GR_ARROW_UTF8, .nullable = true },
    { .name = "image", .type = GR_ARROW_STRUCT, .nullable = true, .is_image = true, .n_children = 2 },
    { .name = "bytes", .type = GR_ARROW_BINARY, .nullable = true },
    { .name = "path", .type = GR_ARROW_UTF8, .nullable = true },
    { .name = "conversations", .type = GR_ARROW_LIST, .nullable = true, .n_children = 1 },
    { .name = "item", .type = GR_ARROW_STRUCT, .nullable = true, .n_children = 2 },
    { .name = "from", .type = GR_ARROW_UTF8, .nullable = true },
    { .name = "value", .type = GR_ARROW_UTF8, .nullable = true },
    { .name = "mask_rle", .type = GR_ARROW_LIST, .nullable = true, .n_children = 1 },
    { .name = "item", .type = GR_ARROW_STRUCT, .nullable = true, .n_children = 2 },
    { .name = "size", .type = GR_ARROW_LIST, .nullable = true, .n_children = 1 },
    { .name = "item", .type = GR_ARROW_INT, .width = 8, .is_signed = true, .nullable = true },
    { .name = "counts", .type = GR_ARROW_UTF8, .nullable = true },
};
enum { FIELDS = sizeof columns / sizeof *columns, COLUMNS = 4, REGIONS_MAX = GR_SHOWN_MAX, TURNS_MAX = 16 };

static gr_arrow_value text_value(gr_chars c)
{
    return (gr_arrow_value){ .kind = GR_VALUE_BYTES, .as.bytes = { (const uint8_t *)c.at, c.n } };
}

static gr_arrow_value list_value(const gr_arrow_value *items, size_t n)
{
    return (gr_arrow_value){ .kind = GR_VALUE_LIST, .as.list = { items, n } };
}

static gr_arrow_value struct_value(const gr_arrow_value *const *members, size_t row)
{
    return (gr_arrow_value){ .kind = GR_VALUE_STRUCT, .as.fields = { members, row, NULL, 0 } };
}

static gr_status add_arrow(gr_dataset_writer *to, const gr_record *r, gr_error *err)
{
    gr_arrow_value bytes = text_value(r->bytes), path = { .kind = GR_VALUE_NULL };
    gr_arrow_value from[TURNS_MAX], value[TURNS_MAX], turns[TURNS_MAX];
    gr_arrow_value numbers[REGIONS_MAX][2], size[REGIONS_MAX], counts[REGIONS_MAX], masks[REGIONS_MAX];
    const gr_arrow_value *image_members[] = { &bytes, &path }, *turn_members[] = { from, value },
                         *mask_members[] = { size, counts };
    if (r->n_turns > TURNS_MAX || r->n_regions > REGIONS_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%s: %zu turns and %zu regions", r->key.at, r->n_turns,
                       r->n_regions);
    for (size_t i = 0; i < r->n_turns; i++) {
        const char *name = gr_from_name(r->turns[i].from);
        from[i] = text_value((gr_chars){ name, strlen(name) });
        value[i] = text_value(r->turns[i].value);
        turns[i] = struct_value(turn_members, i);
    }
    for (size_t i = 0; i < r->n_regions; i++) {
        const gr_record_region *g = &r->regions[i];
        numbers[i][0] = (gr_arrow_value){ .kind = GR_VALUE_INT, .as.integer = g->rle_height };
        numbers[i][1] = (gr_arrow_value){ .kind = GR_VALUE_INT, .as.integer = g->rle_width };
        size[i] = list_value(numbers[i], 2);
        counts[i] = text_value(g->rle);
        masks[i] = struct_value(mask_members, i);
    }
    const gr_arrow_value row[COLUMNS] = { text_value(r->key), struct_value(image_members, 0),
                                          list_value(turns, r->n_turns), list_value(masks, r->n_regions) };
    return gr_dataset_writer_add(to, row, err);
}

typedef struct {
    gr_synth_writing *w;
    gr_dataset_writer *to;
} arrow_sink;

static gr_status make_arrow(void *user, gr_synth *y, uint64_t i, gr_synth_item *item, gr_error *err)
{
    (void)user;
    return gr_synth_record(y, i, &item->record, err);
}

static gr_status take_arrow(void *user, uint64_t i, gr_synth_item *item, bool *enough, gr_error *err)
{
    arrow_sink *s = user;
    (void)i;
    (void)enough;
    gr_synth_count(s->w, &item->record);
    GR_TRY(add_arrow(s->to, &item->record, err));
    return gr_synth_done(s->w, err);
}

gr_status gr_synth_write_arrow(gr_synth_writing *w, gr_error *err)
{
    arrow_sink s = { .w = w };
    const gr_synth_items_job job = { w->rules, make_arrow, take_arrow, &s };
    GR_TRY(gr_dataset_writer_open(&s.to, w->rt, w->folder->work, columns, FIELDS, NULL, err));
    const gr_status st = gr_synth_items_run(w->rt, &job, w->total, err);
    if (st == GR_OK)
        return gr_dataset_writer_commit(s.to, err);
    gr_dataset_writer_abort(s.to);
    return st;
}

/* --- all of it ----------------------------------------------------------------------------------------- */

static gr_status check_options(const gr_synth_options *o, gr_synth_rules *rules, gr_error *err)
{
    static const char *const splits[] = { "train", "validation", "test" };
    const char *split = o->split ? o->split : o->form == GR_SYNTH_BENCH ? "test" : "train";
    gr_synth_rules_init(rules);
    if (o->size != sizeof *o)
        return gr_fail(err, GR_ERR_ARG, "gr_synth_options of %zu bytes, this library has %zu", o->size,
                       sizeof *o);
    if (o->count < 1 || o->count > (uint64_t)1 << 32)
        return gr_fail(err, GR_ERR_ARG, "%" PRIu64 " rows, expected 1 to 2^32", o->count);
    if (!(o->captions >= 0 && o->captions <= 1))
        return gr_fail(err, GR_ERR_ARG, "captions: %g is no part of the rows, expected 0 to 1", o->captions);
    if (!(o->looking >= 0 && o->looking <= 1))
        return gr_fail(err, GR_ERR_ARG, "looking: %g is no part of the rows, expected 0 to 1", o->looking);
    if (!(o->closeups >= 0 && o->closeups <= 1))
        return gr_fail(err, GR_ERR_ARG, "closeups: %g is no part of the rows, expected 0 to 1", o->closeups);
    int k = 0;
    while (k < 3 && strcmp(splits[k], split) != 0)
        k++;
    if (k == 3)
        return gr_fail(err, GR_ERR_ARG, "there is no split '%s', expected train, validation or test", split);
    rules->seed = o->seed;
    rules->split = k;
    rules->font = o->font;
    rules->captions = o->captions;
    rules->looking = o->looking;
    rules->closeups = o->closeups;
    rules->picture = o->form == GR_SYNTH_ARROW ? GR_SYNTH_PNG : GR_SYNTH_NO_PICTURE;
    return GR_OK;
}

static gr_status write_folder(gr_synth_writing *w, const char *out, gr_error *err)
{
    static gr_status (*const forms[])(gr_synth_writing *, gr_error *) = {
        [GR_SYNTH_ARROW] = gr_synth_write_arrow,
        [GR_SYNTH_JSONL] = gr_synth_write_jsonl,
        [GR_SYNTH_BENCH] = gr_synth_write_bench,
        [GR_SYNTH_TEXTS] = gr_synth_write_texts,
    };
    gr_folder folder;
    GR_TRY(gr_folder_init(&folder, out, err));
    GR_TRY(gr_folder_make(&folder, err));
    w->folder = &folder;
    return gr_folder_finish(&folder, forms[w->o->form](w, err), err);
}

gr_status gr_synth_write(gr_runtime *rt, const char *out, const gr_synth_options *options,
                         gr_synth_written *written, gr_error *err)
{
    gr_synth_writing w = { .rt = rt, .o = options, .total = options->count };
    if (written && written->size != sizeof *written)
        return gr_fail(err, GR_ERR_ARG, "gr_synth_written of %zu bytes, this library has %zu", written->size,
                       sizeof *written);
    GR_TRY(check_options(options, &w.rules, err));
    if (options->form > GR_SYNTH_TEXTS)
        return gr_fail(err, GR_ERR_ARG, "there is no form %d", (int)options->form);
    if (!options->nothing_else)
        GR_TRY(write_folder(&w, out, err));
    if (options->sheet)
        GR_TRY(gr_synth_write_sheet(rt, &w.rules, options->count, options->sheet, err));
    if (written) {
        w.written.size = sizeof *written;
        *written = w.written;
    }
    return GR_OK;
}
