/* session.h - one conversation about regions of a picture: asked, answered token by token, streamed as text.
 *
 *     gr_session_ask(s, &request, &options, &err);            picture and prompt
 *     gr_session_answer(s, on_text, user, &err);              until the answer is over
 * or, with several sessions of one engine, gr_engine_step until none is busy. Answers do not depend on
 * threads, chunks or other sessions. */
#ifndef GRASP_SESSION_H
#define GRASP_SESSION_H

#include "grasp/engine.h"
#include "grasp/image.h"
#include "grasp/region.h"

typedef struct gr_session gr_session;
typedef struct gr_dump gr_dump;

/* What is asked. Everything but the dump is borrowed until gr_session_ask returns. Begin with
 * gr_request_init. */
typedef struct {
    size_t size;           /* sizeof(gr_request), set by init */
    const gr_image *image; /* RGB or anything that converts; NULL: text alone */
    const gr_region *const
        *regions; /* of the picture's size; region i is <Prompti>, or the one its name or the question says */
    size_t n_regions;
    const char *question; /* NULL: the published instruction that describes one region. <PromptK> and
                             <region:NAME> mean regions. */
    const char *system;   /* NULL: the published sentence */
    gr_profile profile;
    int max_tiles; /* 0: the model's */
    /* While the picture is encoded, with tiles done and in all; false cancels. May be NULL. */
    bool (*progress)(void *user, int done, int total);
    void *progress_user;
    bool (*cancelled)(void *user); /* polled while the picture is encoded, many times a tile; may be NULL */
    void *cancel_user;
    gr_dump *dump; /* intermediate values go there until the answer is over; NULL: nowhere. Needs an engine of
                      one session. */
} gr_request;

/* The profile is the model's; `model` NULL: the released one. */
GR_API void gr_request_init(gr_request *request, const gr_model *model);

/* What a request comes to, before an engine exists: what max_context and max_tiles must allow. */
typedef struct {
    int prompt_rows, image_rows,
        region_rows;  /* of the prompt in all; of them from the picture; from regions */
    int across, down; /* tiles of the canvas */
} gr_request_size;

/* Fails as gr_session_ask would for the same request; touches no pixels. */
GR_API gr_status gr_request_measure(const gr_model *model, const gr_request *request, gr_request_size *size,
                                    gr_error *err);

/* Bytes that asking about a picture takes besides gr_memory, which knows tiles alone: the decoded picture,
 * `masks` masks of its size, and what reading these and cutting it into tiles takes. To be added to
 * gr_memory.total where peak memory is announced; a file that is being decoded is mapped and not counted.
 * Sides and channels as in gr_image; masks >= 0. */
GR_API size_t gr_request_picture_bytes(int width, int height, int channels, int masks);

/* How the answer is made. Begin with gr_answer_options_init. */
typedef struct {
    size_t size;              /* sizeof(gr_answer_options), set by init */
    int max_tokens;           /* default 1024 */
    double temperature;       /* default 0: greedy */
    double top_p;             /* (0, 1], default 1 */
    int top_k;                /* 0: all */
    uint64_t seed;            /* draws depend on seed and position alone */
    const char *const *stops; /* up to 4 texts that end the answer; not part of it */
    size_t n_stops;
    bool ignore_end;   /* do not stop at end tokens */
    bool keep_special; /* special tokens appear in the text; those of regions, <PromptK>, always do */
} gr_answer_options;

GR_API void gr_answer_options_init(gr_answer_options *options);

/* GR_ERR_LIMIT: the engine has as many sessions as it was made for. GR_ERR_MEM. On failure *out is NULL. */
GR_API gr_status gr_session_open(gr_session **out, gr_engine *engine, gr_error *err);
GR_API void gr_session_close(gr_session *s); /* NULL is fine */

/* Encodes the picture and starts an answer; an earlier conversation of the session is forgotten, but for the
 * tiles of its picture that are the same in this one: another region of a picture costs its own tiles only.
 * What the answer needs is taken here: its tokens allocate nothing. `options` may be NULL. GR_ERR_ARG,
 * GR_ERR_LIMIT (context, regions, tiles), GR_ERR_CANCELLED (see gr_session_cancel). */
GR_API gr_status gr_session_ask(gr_session *s, const gr_request *request, const gr_answer_options *options,
                                gr_error *err);

/* Runs the engine until this answer is over. `text` gets whole characters as soon as they are certain and
 * returns false to stop, after which it is not called again; may be NULL. Other busy sessions move too. An
 * answer that was cancelled is no error: gr_session_finish tells. */
GR_API gr_status gr_session_answer(gr_session *s, bool (*text)(void *user, const char *utf8, size_t n),
                                   void *user, gr_error *err);

/* --- one of a closed set -----------------------------------------------------------------------------------
 */

#define GR_CHOICES_MAX       1000
#define GR_CHOICE_TOKENS_MAX 64

/* Answers that are allowed: option letters, names of a list. Begin with gr_choice_options_init; everything is
 * borrowed for the call. */
typedef struct {
    size_t size; /* sizeof(gr_choice_options), set by init */
    const char *const *texts;
    size_t n;           /* 1 to GR_CHOICES_MAX, all different, each of 1 to GR_CHOICE_TOKENS_MAX tokens */
    double temperature; /* default 0: the most probable; else one is drawn by probability^(1/temperature) */
    uint64_t seed;      /* of that draw */
    bool (*cancelled)(void *user); /* polled between steps; may be NULL */
    void *cancel_user;
} gr_choice_options;

GR_API void gr_choice_options_init(gr_choice_options *options);

typedef struct {
    double logprob; /* natural, of the whole text as an answer begins: the sum over its tokens, and over the
                       end of the answer where some text of the set begins another one */
    double probability; /* within the set; they add up to 1 */
} gr_choice;

/* Asks, and has the answer be one of a set: choices[n] gets the exact probability of each text, in the tokens
 * that the tokenizer makes of it, *chosen the index of the answer, which is then the session's text. Runs the
 * engine until it is over; other busy sessions move too. Costs one row for each place where the texts' tokens
 * branch or go on, so nothing beyond the question for letters; gr_engine_options.max_branches has such rows
 * run together. Ties go to the lower index. GR_ERR_ARG: an empty text, two of the same. GR_ERR_CANCELLED,
 * also by gr_session_cancel; others as gr_session_ask and gr_engine_step. */
GR_API gr_status gr_session_choose(gr_session *s, const gr_request *request, const gr_choice_options *options,
                                   gr_choice *choices, size_t *chosen, gr_error *err);

/* One step for all busy sessions of the engine: a chunk of a prompt, or a token each. A session that cannot
 * go on ends alone; an error is of the device, or GR_ERR_MEM for the text of an answer. GR_ERR_IO,
 * GR_ERR_FORMAT: the row of a token could not be read from the model's files, or is not finite
 * (docs/memory.md). Sessions that had rows in a failed step end, with GR_FINISH_NONE, and can be asked again.
 */
GR_API gr_status gr_engine_step(gr_engine *engine, gr_error *err);
GR_API bool gr_session_busy(const gr_session *s);
/* Stops one thing, from any thread and at any time: the answer that is going finishes as GR_FINISH_CANCELLED;
 * gr_session_ask, when it is at work or else the next time it is called, returns GR_ERR_CANCELLED, or, where
 * the cancel came after its last look, starts an answer that finishes as GR_FINISH_CANCELLED without a token.
 * So a cancel that races with gr_session_ask is never lost. It is spent with what it stopped, with a
 * gr_session_ask that fails for another reason, and with an answer that ends, by itself or for another
 * question, before it is seen; the question after that is answered. Several before one question are one. */
GR_API void gr_session_cancel(gr_session *s);

typedef enum { GR_FINISH_NONE, GR_FINISH_STOP, GR_FINISH_LENGTH, GR_FINISH_CANCELLED } gr_finish_reason;

typedef struct {
    int32_t id;
    double logprob;    /* natural, at temperature 1 over the whole vocabulary */
    const char *bytes; /* what it stands for; perhaps not whole characters; NULL for ids without a token */
    size_t n_bytes;
} gr_token;

typedef struct {
    size_t size; /* sizeof(gr_session_stats), set by the caller */
    int prompt_rows, image_rows, region_rows, tiles;
    int across, down;
    double picture_ms, encode_ms, prefill_ms,
        decode_ms;  /* decoding and resizing; tower; prompt to first token; the other tokens */
    int tiles_kept; /* of them not computed again: the last question of this session had the same pixels and
                       mask there. Answers do not depend on it. */
} gr_session_stats;

/* The text so far, zero-terminated; valid until the session moves. `n` may be NULL. */
GR_API const char *gr_session_text(const gr_session *s, size_t *n);
GR_API gr_finish_reason gr_session_finish(const gr_session *s);
GR_API size_t gr_session_n_tokens(const gr_session *s);
GR_API gr_token gr_session_token(const gr_session *s, size_t i); /* id -1: there is no token i */
GR_API gr_status gr_session_statistics(const gr_session *s, gr_session_stats *stats, gr_error *err);

/* Intermediate values as a safetensors file: pixel_values, mask_values, vision_features, image_features,
 * replay_<i>, input_ids, inputs_embeds, logits of every step. They are kept in memory until gr_dump_close
 * writes the file whole, at a name that is free or a regular file's. */
GR_API gr_status gr_dump_open(gr_dump **out, gr_runtime *rt, const char *path, gr_error *err);
GR_API gr_status gr_dump_close(gr_dump *dump, gr_error *err); /* writes; NULL is fine */
GR_API void gr_dump_abort(gr_dump *dump);                     /* writes nothing; NULL is fine */

#endif
