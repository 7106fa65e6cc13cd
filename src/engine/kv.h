/* kv.h - keys and values of conversations in pages of 64 tokens, shared by count.
 *
 * A sequence is a list of pages; page i holds positions 64 i .. 64 i + 63. Whole pages may belong to several
 * sequences (after a fork); the page that is written next belongs to one, so gr_kv_reserve copies it first
 * where it is shared. */
#ifndef GR_ENGINE_KV_H
#define GR_ENGINE_KV_H

#include "backend/backend.h"

typedef struct {
    gr_kv_pages pages; /* what attention sees */
    gr_backend *backend;
    int32_t *users; /* [n_pages] how many sequences hold the page; 0: free */
    int32_t *free_list;
    int n_free;
} gr_kv;

typedef struct {
    int32_t *pages; /* [max_pages] */
    int n_pages, max_pages;
    int n_tokens; /* positions stored: the next token goes to this one */
} gr_kv_sequence;

size_t gr_kv_bytes(int n_layers, int kv_heads, int head_dim, int n_pages);
gr_status gr_kv_init(gr_kv *kv, gr_backend *b, int n_layers, int kv_heads, int head_dim, int n_pages,
                     gr_error *err);
void gr_kv_fini(gr_kv *kv);

gr_status gr_kv_sequence_init(gr_kv_sequence *s, const gr_kv *kv, int max_tokens, gr_error *err);
void gr_kv_sequence_fini(gr_kv *kv, gr_kv_sequence *s); /* gives its pages back */

/* Makes room for n more tokens: pages that are there, and the one to be written next held by nobody else.
 * GR_ERR_LIMIT: more than max_tokens of the sequence, or no free page; then nothing changed that matters. */
gr_status gr_kv_reserve(gr_kv *kv, gr_kv_sequence *s, int n, gr_error *err);
/* Forgets positions >= n_tokens. */
void gr_kv_truncate(gr_kv *kv, gr_kv_sequence *s, int n_tokens);
/* Makes the empty sequence `to` continue where `from` stands, sharing its pages. GR_ERR_LIMIT when `to` has
 * not room for them. */
gr_status gr_kv_fork(gr_kv *kv, const gr_kv_sequence *from, gr_kv_sequence *to, gr_error *err);

#endif
