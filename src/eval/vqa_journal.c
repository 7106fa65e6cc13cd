/* vqa_journal.c - every answer as it is given, so that a run that was stopped can go on. */
#include <string.h>

#include "base/alloc.h"
#include "eval/vqa.h"

gr_status gr_vqa_journal_begin(const gr_evaluation *e, gr_buf *out, gr_error *err)
{
    gr_json_writer w;
    gr_json_writer_init(&w, out, false);
    gr_json_put_object(&w);
    gr_json_put_key(&w, "run");
    gr_json_put_text(&w, e->run ? e->run : "");
    gr_json_put_end(&w, '}');
    gr_buf_text(out, "\n");
    return out->failed ? gr_fail(err, GR_ERR_MEM, "no memory for a line of the journal") : GR_OK;
}

gr_status gr_vqa_journal_line(const gr_evaluation *e, size_t i, gr_buf *out, gr_error *err)
{
    gr_json_writer w;
    gr_json_writer_init(&w, out, false);
    gr_json_put_object(&w);
    gr_json_put_key(&w, "item");
    gr_json_put_int(&w, (int64_t)i);
    gr_json_put_key(&w, "image");
    gr_json_put_text(&w, e->items.items[i].image);
    gr_vqa_put_answer(&w, e, i);
    gr_json_put_end(&w, '}');
    gr_buf_text(out, "\n");
    return out->failed ? gr_fail(err, GR_ERR_MEM, "no memory for a line of the journal") : GR_OK;
}

static void read_probabilities(gr_json *j, double *to)
{
    size_t n = 0;
    for (gr_json_array(j); gr_json_item(j); n++) {
        const double p = gr_json_number(j);
        if (n >= GR_VQA_LETTERS || !(p >= 0 && p <= 1))
            gr_json_fail(j, GR_ERR_FORMAT, "probabilities: expected up to %d numbers of 0 to 1",
                         GR_VQA_LETTERS);
        else
            to[n] = p;
    }
}

static gr_status read_line(gr_evaluation *e, const char *text, size_t n, const char *name, size_t line,
                           gr_error *err)
{
    gr_json j;
    const char *key;
    int64_t item = -1;
    gr_vqa_answer a = { 0 };
    bool same = true, letters = false;
    gr_json_init(&j, e->rt, text, n, name, (size_t)16 << 20);
    j.lines_before = line;
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        if (strcmp(key, "item") == 0)
            item = gr_json_int(&j, 0, (int64_t)e->items.n - 1);
        else if (strcmp(key, "image") == 0)
            same = item >= 0 && strcmp(gr_json_string(&j, NULL), e->items.items[item].image) == 0;
        else if (strcmp(key, "model_output") == 0 && !a.output)
            a.output = gr_strdup(e->rt, gr_json_string(&j, NULL));
        else if (strcmp(key, "probabilities") == 0)
            letters = true, read_probabilities(&j, a.probability);
        else
            gr_json_skip(&j);
    }
    gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    if (st == GR_OK && letters != e->has_probabilities)
        st = gr_fail(err, GR_ERR_FORMAT, "%s: line %zu: an answer %s, and this run's are not", name, line + 1,
                     letters ? "that is one of the letters" : "in free text");
    if (st == GR_OK && (item < 0 || !a.output || !same))
        st =
            gr_fail(err, GR_ERR_FORMAT,
                    "%s: line %zu: an answer to another item; the journal is of another run", name, line + 1);
    if (st != GR_OK) {
        gr_free(e->rt, a.output);
        return st;
    }
    gr_free(e->rt, e->answers[item].output);
    a.chosen = e->answers[item].chosen;
    e->answers[item] = a;
    return GR_OK;
}

static gr_status read_first_line(const gr_evaluation *e, const char *text, size_t n, const char *name,
                                 gr_error *err)
{
    gr_json j;
    const char *key;
    bool same = false;
    gr_json_init(&j, e->rt, text, n, name, (size_t)1 << 20);
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        if (strcmp(key, "run") == 0) {
            const char *run = gr_json_string(&j, NULL);
            same = strcmp(run, e->run ? e->run : "") == 0;
            if (!same)
                gr_json_fail(&j, GR_ERR_FORMAT, "answers of another run, '%.200s'; this one is '%.200s'", run,
                             e->run ? e->run : "");
        } else
            gr_json_skip(&j);
    }
    gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    if (st == GR_OK && !same)
        st = gr_fail(err, GR_ERR_FORMAT, "%s: line 1 does not say of what run the answers are", name);
    return st;
}

gr_status gr_vqa_journal_parse(gr_evaluation *e, const char *text, size_t n, const char *name, gr_error *err)
{
    size_t line = 0;
    for (size_t at = 0; at < n; line++) {
        const char *end = memchr(text + at, '\n', n - at);
        if (!end) /* cut while it was written */
            return GR_OK;
        const size_t length = (size_t)(end - text) - at;
        GR_TRY(line == 0 ? read_first_line(e, text, length, name, err)
                         : read_line(e, text + at, length, name, line, err));
        at = (size_t)(end - text) + 1;
    }
    return GR_OK;
}
