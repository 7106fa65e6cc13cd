#include "text/corpus.h"

#include <string.h>

#include "base/alloc.h"
#include "grasp/tokenizer.h"

gr_status gr_corpus_open(gr_corpus *c, gr_runtime *rt, const gr_corpus_format *format, gr_error *err)
{
    *c = (gr_corpus){ .rt = rt, .format = *format };
    if (format->n_paths == 0)
        return gr_fail(err, GR_ERR_ARG, "no file of text was given");
    if (format->whole_files && format->field)
        return gr_fail(err, GR_ERR_ARG,
                       "a document is either a whole file or the member '%s' of a line, not both",
                       format->field);
    for (size_t i = 0; i < format->n_paths; i++) {
        gr_source file;
        GR_TRY(gr_source_open(&file, format->paths[i], err));
        c->total += file.size;
        gr_source_close(&file);
    }
    return GR_OK;
}

void gr_corpus_close(gr_corpus *c)
{
    if (!c->rt)
        return;
    gr_source_close(&c->source);
    gr_free(c->rt, c->text);
    gr_free(c->rt, c->parts);
    *c = (gr_corpus){ 0 };
}

static const char *path_of(const gr_corpus *c) { return c->format.paths[c->file]; }

static size_t lines_in(const char *text, size_t n)
{
    size_t lines = 0;
    for (const char *end = text + n; (text = memchr(text, '\n', (size_t)(end - text))); text++)
        lines++;
    return lines;
}

/* Bytes of text[0..n) up to the end of its last line; 0: there is no line end. */
static size_t whole_lines(const char *text, size_t n)
{
    while (n > 0 && text[n - 1] != '\n')
        n--;
    return n;
}

/* Bytes of the part that begins at text, of the n that are there: lines up to about GR_CORPUS_PART. */
static size_t part_bytes(const gr_corpus *c, const char *text, size_t n)
{
    if (c->format.whole_files || n <= GR_CORPUS_PART)
        return n;
    const char *end = memchr(text + GR_CORPUS_PART, '\n', n - GR_CORPUS_PART);
    return end ? (size_t)(end - text) + 1 : n;
}

/* Cuts the next n bytes of the file, which lie at the end of the block, into parts. */
static gr_status take(gr_corpus *c, size_t n, gr_error *err)
{
    for (size_t done = 0, bytes; done < n; done += bytes) {
        const char *text = c->text + c->used;
        bytes = part_bytes(c, text, n - done);
        if (!gr_grow(c->rt, &c->parts, &c->parts_cap, c->n_parts, c->n_parts + 1, sizeof *c->parts))
            return gr_fail(err, GR_ERR_MEM, "no memory for the parts of a text");
        c->parts[c->n_parts++] = (gr_corpus_part){ path_of(c), c->used, bytes, c->line };
        if (!c->format.whole_files)
            c->line += lines_in(text, bytes);
        c->used += bytes;
    }
    c->offset += n;
    return GR_OK;
}

static gr_status make_room(gr_corpus *c, size_t bytes, gr_error *err)
{
    if (!gr_grow(c->rt, &c->text, &c->cap, c->used, bytes, 1))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu bytes of text", bytes);
    return GR_OK;
}

static gr_status too_long(const gr_corpus *c, gr_error *err)
{
    if (c->format.whole_files)
        return gr_fail(err, GR_ERR_LIMIT,
                       "%s: %zu bytes, a document has at most %zu; let the lines of a file be its documents",
                       path_of(c), c->source.size, GR_TEXT_MAX);
    return gr_fail(err, GR_ERR_LIMIT, "%s: line %zu has more than %zu bytes, the limit of a document",
                   path_of(c), c->line + 1, GR_TEXT_MAX);
}

/* Reads what comes next of the open file into the block, as whole documents. `*full`: it did not fit. */
static gr_status read_some(gr_corpus *c, bool *full, gr_error *err)
{
    const size_t left = c->source.size - c->offset;
    size_t want = GR_CORPUS_BLOCK - c->used;
    while (left > 0) {
        gr_error why = { 0 };
        const size_t n = left < want ? left : want;
        GR_TRY(make_room(c, c->used + n, err));
        if (gr_source_read(&c->source, c->offset, c->text + c->used, n, &why) != GR_OK)
            return gr_fail(err, why.status, "%s: %s", path_of(c), why.msg);
        const size_t whole = n == left ? n : c->format.whole_files ? 0 : whole_lines(c->text + c->used, n);
        if (whole > 0)
            return take(c, whole, err);
        *full = c->used > 0;
        if (*full)
            return GR_OK;
        if (want >= GR_TEXT_MAX)
            return too_long(c, err);
        want = 2 * want < GR_TEXT_MAX ? 2 * want : GR_TEXT_MAX;
    }
    return GR_OK; /* an empty file */
}

static gr_status next_file(gr_corpus *c, gr_error *err)
{
    GR_TRY(gr_source_open(&c->source, path_of(c), err));
    c->open = true;
    c->offset = c->line = 0;
    return GR_OK;
}

gr_status gr_corpus_next(gr_corpus *c, gr_error *err)
{
    bool full = false;
    c->done += c->used;
    c->used = c->n_parts = 0;
    while (!full && c->used < GR_CORPUS_BLOCK && c->file < c->format.n_paths) {
        if (!c->open)
            GR_TRY(next_file(c, err));
        GR_TRY(read_some(c, &full, err));
        if (c->offset == c->source.size) {
            gr_source_close(&c->source);
            c->open = false;
            c->file++;
        }
    }
    return GR_OK;
}
