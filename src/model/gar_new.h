/* gar_new.h - makes the folder of a new GAR model: configuration, tokenizer, drawn weights.
 *
 * The files are those of a published checkpoint: config.json, preprocessor_config.json,
 * processor_config.json, video_preprocessor_config.json, generation_config.json, chat_template.jinja,
 * tokenizer.json, tokenizer_config.json, special_tokens_map.json, and model.safetensors or shards with an
 * index. The folder appears when it is complete: it is made as DIR.tmp-PID beside its place and renamed. */
#ifndef GR_MODEL_GAR_NEW_H
#define GR_MODEL_GAR_NEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "io/shard_writer.h"
#include "model/draw.h"
#include "model/gar_config.h"

typedef struct {
    uint64_t seed;
    gr_dtype dtype;        /* of the stored weights: F32, BF16 or F16; 0 or GR_DTYPE_COUNT: as configured */
    gr_draw_scales scales; /* of the weights */
    const char *tokenizer; /* tokenizer.json, or its folder, to copy; NULL: 256 bytes and the specials */
    const char
        *profile; /* that gr_gar_from_base states; NULL: none. gr_gar_new has it from its configuration */
    uint64_t shard_bytes; /* most bytes of data in one file; 0: GR_SHARD_BYTES */
    /* Told bytes of weights done and in all, a few times a second at least; returns false to cancel. May be
     * NULL. */
    bool (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
} gr_gar_new_options;

/* The weights that gr_gar_new would write. */
typedef struct {
    int tensors, files;
    int64_t parameters;
    uint64_t bytes;
    gr_dtype dtype;
} gr_gar_new_size;

/* Errors as gr_gar_new has before it writes anything. */
gr_status gr_gar_new_measure(gr_gar_new_size *size, gr_runtime *rt, const gr_gar_config *config,
                             const gr_gar_new_options *options, gr_error *err);

/* Makes `dir`, which must not exist or be empty; its parent must exist. `options` may be NULL or zero.
 * GR_ERR_ARG   something is in the way; a tokenizer whose ids are not those of the configuration; a base
 *              configuration. GR_ERR_IO  the disk has no room, ...  GR_ERR_CANCELLED. Nothing is left behind.
 */
gr_status gr_gar_new(gr_runtime *rt, const gr_gar_config *config, const char *dir,
                     const gr_gar_new_options *options, gr_error *err);

/* Size of the vocabulary and special ids become those of a tokenizer (tokenizer.json, or its folder).
 * GR_ERR_ARG: none is given, or it lacks a token that GAR needs. */
gr_status gr_gar_new_fit_tokenizer(gr_gar_config *config, gr_runtime *rt, const char *tokenizer,
                                   gr_error *err);

/* The text of config.json, appended to `out`: what gr_gar_config_parse reads back as the same configuration.
 * GR_ERR_MEM. */
gr_status gr_gar_config_write(gr_buf *out, const gr_gar_config *config, gr_error *err);
/* preprocessor_config.json, processor_config.json, video_preprocessor_config.json, generation_config.json. */
gr_status gr_gar_preprocessor_write(gr_buf *out, const gr_gar_config *config, gr_error *err);
gr_status gr_gar_processor_write(gr_buf *out, const gr_gar_config *config, gr_error *err);
gr_status gr_gar_video_write(gr_buf *out, const gr_gar_config *config, gr_error *err);
gr_status gr_gar_generation_write(gr_buf *out, const gr_gar_config *config, gr_error *err);

#endif
