/* corpus.h - the text of many files, read block by block in the order they were given.
 *
 * A block is made of parts, a part of whole documents of one file; both are cut by the files alone, so that
 * what is computed of them does not depend on the number of threads. */
#ifndef GR_TEXT_CORPUS_H
#define GR_TEXT_CORPUS_H

#include "base/buf.h"
#include "base/source.h"

/* Bytes of a block that is full, and of a part; a block with a longer document is longer. */
#define GR_CORPUS_BLOCK ((size_t)8 << 20)
#define GR_CORPUS_PART  ((size_t)256 << 10)

typedef struct {
    const char *const *paths;
    size_t n_paths;
    bool whole_files;  /* a document is a file; otherwise a line, with its end */
    const char *field; /* a document is this member of a line, which is a JSON object; NULL: plain text */
} gr_corpus_format;

typedef struct {
    const char *path;
    size_t at, n; /* in the block */
    size_t line;  /* lines of the file before it */
} gr_corpus_part;

typedef struct {
    gr_runtime *rt;
    gr_corpus_format format; /* borrowed */
    uint64_t total, done;    /* bytes of all files, and of the blocks so far */
    char *text;              /* [used] the block */
    size_t used, cap;
    gr_corpus_part *parts; /* [n_parts] */
    size_t n_parts, parts_cap;
    size_t file, offset, line; /* what comes next */
    gr_source source;          /* of `file`, when it is open */
    bool open;
} gr_corpus;

/* Looks at every file. GR_ERR_ARG: no file, or lines asked of whole files. GR_ERR_IO: one cannot be opened.
 */
gr_status gr_corpus_open(gr_corpus *c, gr_runtime *rt, const gr_corpus_format *format, gr_error *err);
void gr_corpus_close(gr_corpus *c); /* fine after a failed open */

/* Reads the next block; c->used is 0 when there is none. GR_ERR_LIMIT: a document of more than GR_TEXT_MAX
 * bytes. GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_corpus_next(gr_corpus *c, gr_error *err);

/* The documents of a part, one after the other. */
typedef struct {
    const gr_corpus *corpus;
    const gr_corpus_part *part;
    size_t at;     /* bytes of the part that were read */
    size_t line;   /* of the file, before `at` */
    gr_buf string; /* the last JSON text */
} gr_documents;

void gr_documents_init(gr_documents *d, const gr_corpus *corpus, const gr_corpus_part *part);
void gr_documents_fini(gr_documents *d);
/* The next document, valid until the next call; *text is NULL behind the last. Lines of white space are no
 * objects of a JSON Lines file and are passed over. GR_ERR_FORMAT: a line that is not an object with one
 * member of that name, a text. GR_ERR_MEM. */
gr_status gr_documents_next(gr_documents *d, const char **text, size_t *n, gr_error *err);

#endif
