/* toy_pieces.h - SentencePiece vocabularies of a few pieces. */
#ifndef TEST_TOY_PIECES_H
#define TEST_TOY_PIECES_H

#include "base/buf.h"
#include "text/spm_pieces.h"

#define U_SPACE "\xE2\x96\x81"

typedef struct {
    const char *text;
    float score;
    int type; /* gr_spm_type */
} toy_piece;

/* A tokenizer of <unk>, <s>, </s>, the 256 bytes (byte b has id 3 + b) and the pieces given. */
gr_status toy_pieces_make(gr_tokenizer **out, gr_runtime *rt, const toy_piece *more, size_t n, gr_error *err);

/* The same as a GGUF file: its keys, appended to `out`. `n_keys` further ones may follow. */
void toy_pieces_gguf(gr_buf *out, const toy_piece *more, size_t n, size_t n_keys);

/* The same as a tokenizer.model, appended to `out`. Messages may follow: protobuf merges them. */
void toy_pieces_model(gr_buf *out, const toy_piece *more, size_t n);
/* Parts of such a file: a number, and a text or message. */
void proto_number(gr_buf *out, uint32_t field, uint64_t value);
void proto_bytes(gr_buf *out, uint32_t field, const void *bytes, size_t n);

/* Index of the piece of that text, or -1. */
int toy_pieces_find(const toy_piece *pieces, size_t n, const char *text, size_t len);

#endif
