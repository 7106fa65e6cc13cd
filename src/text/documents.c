/* documents.c - the documents of a part of a corpus: corpus.h. */
#include <string.h>

#include "grasp/tokenizer.h"
#include "io/json.h"
#include "text/corpus.h"

void gr_documents_init(gr_documents *d, const gr_corpus *corpus, const gr_corpus_part *part)
{
    *d = (gr_documents){ .corpus = corpus, .part = part, .line = part->line };
    gr_buf_init(&d->string, corpus->rt, GR_TEXT_MAX);
}

void gr_documents_fini(gr_documents *d) { gr_buf_fini(&d->string); }

static void read_member(gr_json *j, gr_buf *out, bool *seen, const char *key)
{
    if (*seen)
        gr_json_fail(j, GR_ERR_FORMAT, "'%s' is there twice", key);
    *seen = true;
    size_t n;
    const char *text = gr_json_string(j, &n);
    if (!gr_buf_add(out, text, n))
        gr_json_fail(j, GR_ERR_MEM, "no memory for a text of %zu bytes", n);
}

/* The member of one line's object, into d->string. */
static gr_status read_line(gr_documents *d, const char *line, size_t n, gr_error *err)
{
    const char *field = d->corpus->format.field, *key;
    gr_json j;
    bool seen = false;
    gr_buf_clear(&d->string);
    gr_json_init(&j, d->corpus->rt, line, n, d->part->path, GR_TEXT_MAX);
    j.lines_before = d->line;
    for (gr_json_object(&j); gr_json_key(&j, &key);)
        if (strcmp(key, field) == 0)
            read_member(&j, &d->string, &seen, field);
        else
            gr_json_skip(&j);
    if (!seen)
        gr_json_fail(&j, GR_ERR_FORMAT, "the object has no member '%s'", field);
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    return st;
}

static bool is_blank(const char *line, size_t n)
{
    while (n > 0 && strchr(" \t\r\n", line[n - 1]) && line[n - 1])
        n--;
    return n == 0;
}

/* The next line, its end included; n 0 behind the last. */
static const char *next_line(gr_documents *d, size_t *n)
{
    const char *line = d->corpus->text + d->part->at + d->at;
    const size_t left = d->part->n - d->at;
    const char *end = memchr(line, '\n', left);
    *n = end ? (size_t)(end - line) + 1 : left;
    d->at += *n;
    return line;
}

gr_status gr_documents_next(gr_documents *d, const char **text, size_t *n, gr_error *err)
{
    const gr_corpus_format *format = &d->corpus->format;
    *text = NULL;
    *n = 0;
    while (d->at < d->part->n) {
        if (format->whole_files) {
            *text = d->corpus->text + d->part->at;
            *n = d->at = d->part->n;
            return GR_OK;
        }
        const char *line = next_line(d, n);
        if (!format->field) {
            *text = line;
            return GR_OK;
        }
        if (!is_blank(line, *n)) {
            GR_TRY(read_line(d, line, *n, err));
            *text = gr_buf_str(&d->string);
            *n = d->string.len;
            d->line++;
            return GR_OK;
        }
        d->line++;
    }
    return GR_OK;
}
