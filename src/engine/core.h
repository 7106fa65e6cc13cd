/* core.h - what computes: plans, arena, KV pages, feature rows, and the step loop over N conversations. One
 * per model and driver thread.
 *
 * A sequence is the state of one conversation as rows: token ids and feature rows that wait, positions
 * stored, tokens generated. Text, pictures and regions are above (request.h, answer.h). All memory is taken
 * in gr_core_new and gr_sequence_new; a step allocates nothing. */
#ifndef GR_ENGINE_CORE_H
#define GR_ENGINE_CORE_H

#include <stdatomic.h>
#include "engine/kv.h"
#include "engine/sample.h"
#include "engine/segments.h"

#define GR_MAX_SEQUENCES 4096
#define GR_BRANCH_ROWS   64

typedef struct gr_core gr_core;
typedef struct gr_sequence gr_sequence;

typedef struct {
    int max_sequences; /* sequences that may exist at once; 1 to GR_MAX_SEQUENCES */
    int max_branches;  /* of them, forks that go on for at most GR_BRANCH_ROWS rows; < max_sequences */
    int max_context;   /* rows of a sequence, prompt and answer; <= the model's context */
    int chunk_rows;    /* decoder rows of one step; >= max_sequences */
    int max_features;  /* feature rows of all sequences: tiles and replayed regions */
    int max_regions;   /* of one sequence */
    bool plain;        /* no rewrites; for tests */
} gr_core_limits;

/* Announced before it is taken (design decision 13), in bytes. */
typedef struct {
    size_t weights;  /* packed, and rotary tables */
    size_t kv;       /* pages */
    size_t arena;    /* temporaries of the largest segment, scratch of all threads */
    size_t features; /* tiles and regions as rows */
    size_t buffers;  /* what enters and leaves segments; logits; tables of rows */
    size_t total;
} gr_core_memory;

/* Builds the plans and adds up; takes no memory of that order. */
gr_status gr_core_measure(gr_core_memory *memory, const gr_gar *m, gr_backend *b,
                          const gr_core_limits *limits, gr_error *err);

/* Prepares the model's weights if that was not done, and takes the memory. `m` and `b` are borrowed.
 * `progress` as in gr_gar_prepare. */
gr_status gr_core_new(gr_core **out, gr_gar *m, gr_backend *b, const gr_core_limits *limits,
                      bool (*progress)(void *user, size_t done, size_t total), void *user, gr_error *err);
void gr_core_free(gr_core *e); /* NULL is fine; its sequences must be gone */

/* Sees intermediate values; all NULL: nobody looks. Data are host memory, valid during the call. */
typedef struct {
    void (*put)(void *user, const char *name, const float *data, size_t rows, size_t cols);
    void *user;
    bool taps; /* also every named value inside segments, by its name, once a call: "tower.block" comes once a
                  layer and tile, "decoder.block" once a layer and step */
} gr_core_watch;

/* --- a picture as feature rows
 * ------------------------------------------------------------------------------------------ */

typedef struct {
    int across, down; /* tiles of the canvas; the thumbnail comes before them */
    /* Fills tile t (0: thumbnail) as planar pixels [3][side][side], normalised, and its mask [side][side], 0
     * or 1. */
    gr_status (*tile)(void *user, int t, float *pixels, float *mask, gr_error *err);
    void *user;
    int n_regions;
    float boxes[GR_MAX_PROMPTS][4];                    /* as gr_roi_align takes them */
    bool (*progress)(void *user, int done, int total); /* after each tile; false cancels; may be NULL */
    void *progress_user;
    bool (*cancelled)(void *user); /* polled between nodes; may be NULL */
    void *cancel_user;
} gr_picture;

/* --- sequences
 * -----------------------------------------------------------------------------------------------------------
 */

typedef enum {
    GR_GOING,   /* rows wait, or tokens may come */
    GR_STOPPED, /* an end-of-sequence token */
    GR_LENGTH,  /* max_tokens, or the context is full */
    GR_CANCELLED,
    GR_ENDED /* gr_sequence_end: a stop string, the caller's decision */
} gr_sequence_status;

typedef struct {
    gr_sampling sampling;
    int max_tokens;
    bool ignore_eos;
    int n_eos; /* tokens that end the answer; 0: the configuration's */
    int32_t eos[GR_MAX_EOS];
    const int32_t
        *forced; /* teacher forcing: these tokens are taken whatever the logits say; NULL: none. Borrowed. */
    int n_forced;
} gr_generation;

/* Shows the logits [n] of every next token before it is taken, until another function (or NULL) is set. */
void gr_sequence_see(gr_sequence *s, void (*see)(void *user, const float *logits, int n), void *user);

gr_status gr_sequence_new(gr_sequence **out, gr_core *e, gr_error *err);
void gr_sequence_free(gr_sequence *s); /* NULL is fine */

/* Encodes a picture into feature rows of the sequence: (1 + across * down) * tokens a tile, then the rows of
 * each region. Replaces an earlier one; after a failure there is none. A tile that has the pixels and the
 * mask that the tile in its place had is not computed again: tiles do not see each other, so its rows are the
 * same to the bit (design decision 9). A watcher sees all tiles, so with one nothing is kept. GR_ERR_ARG:
 * rows wait that read the earlier one. GR_ERR_CANCELLED: by p->progress or gr_sequence_cancel. */
gr_status gr_sequence_encode(gr_sequence *s, const gr_picture *p, const gr_core_watch *watch, gr_error *err);

/* Appends prompt rows: source[i] < 0: token ids[i]; otherwise feature row source[i] of the sequence's
 * picture. */
gr_status gr_sequence_rows(gr_sequence *s, const int32_t *ids, const int32_t *source, size_t n,
                           gr_error *err);

/* Starts generating after the rows so far. `g` is copied. */
gr_status gr_sequence_generate(gr_sequence *s, const gr_generation *g, gr_error *err);

/* A new sequence that continues where `from` stands, its KV pages and its picture shared; rows that wait are
 * copied. */
gr_status gr_sequence_fork(gr_sequence **out, const gr_sequence *from, gr_error *err);

/* Forgets positions >= n_rows, all rows that wait and the answer; generation ends. A cancellation that had no
 * effect yet goes with an answer that was going; else it stays, for what follows. */
gr_status gr_sequence_truncate(gr_sequence *s, int n_rows, gr_error *err);

int gr_sequence_n_rows(const gr_sequence *s);   /* positions stored */
int gr_sequence_n_tokens(const gr_sequence *s); /* generated so far */
int gr_sequence_n_kept(const gr_sequence *s);   /* tiles of the last picture that were not computed again */
/* Token i of the answer; i < gr_sequence_n_tokens. */
gr_sampled gr_sequence_token(const gr_sequence *s, int i);
gr_sequence_status gr_sequence_state(const gr_sequence *s);
void gr_sequence_end(gr_sequence *s); /* between steps */
/* Ends what the sequence is doing, a picture or an answer; when it is idle, what it does next. From any
 * thread, any time. */
void gr_sequence_cancel(gr_sequence *s);
/* Forgets a cancellation that had no effect yet; true: there was one. */
bool gr_sequence_forget_cancel(gr_sequence *s);

/* One step for every sequence that is going: a chunk of its prompt, or one token. After GR_OK some sequence
 * moved or was cancelled, or none is going. A step is given up in the middle when all its sequences are
 * cancelled. When one fails (a lost device; GR_ERR_IO, GR_ERR_FORMAT: the row of a token), the sequences that
 * had rows in it end. */
gr_status gr_core_step(gr_core *e, const gr_core_watch *watch, gr_error *err);
bool gr_core_busy(const gr_core *e); /* some sequence is going */

#endif
