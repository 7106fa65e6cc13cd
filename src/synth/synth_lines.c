/* synth_lines.c - rows as JSON Lines with a folder of pictures, and what is said in them as text alone. */
#include <inttypes.h>
#include <stdio.h>

#include "base/file.h"
#include "dataset/gar_row.h"
#include "synth/synth_files.h"

typedef struct {
    gr_synth_writing *w;
    gr_file_writer file;
} lines_sink;

static gr_status write_lines(lines_sink *s, const gr_synth_items_job *job, const char *name, gr_error *err)
{
    char path[4096];
    if (!gr_path_join(path, sizeof path, s->w->folder->work, name))
        return gr_fail(err, GR_ERR_ARG, "%s: the path of %s is too long", s->w->folder->work, name);
    GR_TRY(gr_file_writer_open(&s->file, path, err));
    const gr_status st = gr_synth_items_run(s->w->rt, job, s->w->total, err);
    if (st == GR_OK)
        return gr_file_writer_commit(&s->file, err);
    gr_file_writer_abort(&s->file);
    return st;
}

static gr_status take_text(void *user, uint64_t i, gr_synth_item *item, bool *enough, gr_error *err)
{
    lines_sink *s = user;
    (void)i;
    (void)enough;
    gr_synth_count(s->w, &item->record);
    gr_file_writer_add(&s->file, item->text.data, item->text.len);
    GR_TRY(gr_file_writer_status(&s->file, err));
    return gr_synth_done(s->w, err);
}

/* --- JSON Lines ---------------------------------------------------------------------------------------- */

static gr_status make_line(void *user, gr_synth *y, uint64_t i, gr_synth_item *item, gr_error *err)
{
    char path[64];
    (void)user;
    GR_TRY(gr_synth_record(y, i, &item->record, err));
    const int n = snprintf(path, sizeof path, "images/%08" PRIu64 ".png", i);
    item->record.form = GR_PICTURE_PATH;
    GR_TRY(gr_record_text(&item->record, &item->record.path, path, (size_t)n, err));
    GR_TRY(gr_synth_encode(y, GR_SYNTH_PNG, &item->picture, err));
    GR_TRY(gr_gar_row_write(&item->text, &item->record, err));
    return gr_buf_text(&item->text, "\n") ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for a row");
}

static gr_status take_line(void *user, uint64_t i, gr_synth_item *item, bool *enough, gr_error *err)
{
    const lines_sink *s = user;
    GR_TRY(gr_folder_add(s->w->folder, item->record.path.at, item->picture.data, item->picture.len, err));
    return take_text(user, i, item, enough, err);
}

gr_status gr_synth_write_jsonl(gr_synth_writing *w, gr_error *err)
{
    lines_sink s = { .w = w };
    const gr_synth_items_job job = { w->rules, make_line, take_line, &s };
    GR_TRY(gr_synth_images(w, err));
    return write_lines(&s, &job, "rows.jsonl", err);
}

/* --- texts --------------------------------------------------------------------------------------------- */

static gr_status make_text(void *user, gr_synth *y, uint64_t i, gr_synth_item *item, gr_error *err)
{
    (void)user;
    GR_TRY(gr_synth_record(y, i, &item->record, err));
    for (size_t t = 0; t < item->record.n_turns; t++) {
        const gr_chars text = item->record.turns[t].value;
        gr_buf_add(&item->text, text.at, text.n);
        gr_buf_text(&item->text, "\n");
    }
    return item->text.failed ? gr_fail(err, GR_ERR_MEM, "no memory for a row") : GR_OK;
}

gr_status gr_synth_write_texts(gr_synth_writing *w, gr_error *err)
{
    lines_sink s = { .w = w };
    const gr_synth_items_job job = { w->rules, make_text, take_text, &s };
    return write_lines(&s, &job, "texts.txt", err);
}
