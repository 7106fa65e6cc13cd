/* vocab.h - the tokens of a vocabulary: bytes by id, and id by bytes. */
#ifndef GR_TEXT_VOCAB_H
#define GR_TEXT_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "grasp/error.h"

#define GR_VOCAB_MAX       (1 << 20) /* ids are below this */
#define GR_TOKEN_BYTES_MAX 4096

enum {
    GR_TOKEN_USED = 1,    /* the id has a token */
    GR_TOKEN_MODEL = 2,   /* text may become it by byte-pair encoding; the others are only decoded */
    GR_TOKEN_ADDED = 4,   /* listed under added_tokens */
    GR_TOKEN_SPECIAL = 8, /* added, and left out of decoded text on request */
    GR_TOKEN_ATOM = 16,   /* SentencePiece, user-defined: found in a text before anything is merged */
    GR_TOKEN_UNUSED = 32, /* SentencePiece: merges may pass through it, but it is taken apart again */
    GR_TOKEN_BYTE = 64,   /* SentencePiece: one byte of a character that has no piece */
};

typedef struct {
    uint32_t at, len; /* in gr_vocab.bytes */
    unsigned flags;   /* GR_TOKEN_*; 0: no token has this id */
} gr_token;

typedef struct {
    gr_runtime *rt;
    gr_buf bytes; /* of all tokens, one after the other */
    gr_token *tokens;
    size_t n, cap;   /* n: the largest id + 1 */
    uint32_t *slots; /* id + 1 by hash of the bytes, 0 empty; of GR_TOKEN_MODEL tokens */
    size_t n_slots;  /* a power of two */
    size_t longest;  /* bytes of the longest GR_TOKEN_MODEL token */
} gr_vocab;

void gr_vocab_init(gr_vocab *v, gr_runtime *rt);
void gr_vocab_fini(gr_vocab *v);

/* `id` is in 0..GR_VOCAB_MAX-1, n at most GR_TOKEN_BYTES_MAX. GR_ERR_FORMAT: the id has a token already. */
gr_status gr_vocab_add(gr_vocab *v, int32_t id, const void *bytes, size_t n, unsigned flags, gr_error *err);

/* Makes gr_vocab_find work for what was added so far. GR_ERR_FORMAT: two GR_TOKEN_MODEL tokens with the same
 * bytes. */
gr_status gr_vocab_index(gr_vocab *v, gr_error *err);

/* The GR_TOKEN_MODEL token with these bytes, or -1. */
int32_t gr_vocab_find(const gr_vocab *v, const void *bytes, size_t n);

/* NULL when no token has this id. */
const gr_token *gr_vocab_at(const gr_vocab *v, int32_t id);
const uint8_t *gr_vocab_bytes(const gr_vocab *v, const gr_token *token);

/* Bytes as printable ASCII for messages, shortened to fit; always terminated. */
const char *gr_bytes_show(char out[64], const void *bytes, size_t n);

/* A well-mixed hash of bytes, shared by the tables of this folder. */
uint64_t gr_vocab_hash(const void *bytes, size_t n);

/* Steps past the first slot that filling a table with n entries may take: about half a step each when the
 * table is half full; a file made to collide is refused instead of taking minutes. */
#define GR_PROBES_MAX(n) (64 * (uint64_t)(n) + 4096)

#endif
