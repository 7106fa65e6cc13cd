/* train_config.h - the options of a training run: one table of names, defaults and where those come from; a
 * JSON object of them in a file; NAME=VALUE on top. */
#ifndef GR_TRAIN_TRAIN_CONFIG_H
#define GR_TRAIN_TRAIN_CONFIG_H

#include <stdint.h>
#include "base/buf.h"
#include "model/lora.h"

#define GR_TRAIN_TEXT 1024

typedef enum { GR_OPTION_TEXT, GR_OPTION_WHOLE, GR_OPTION_REAL, GR_OPTION_WORD } gr_option_kind;

/* X(name, kind, default as written, least, most, whether a run that goes on may not change it, where the
 * default comes from, what it is). Of a WORD the words stand in front of what it is, as "a|b: ...". */
#define GR_TRAIN_OPTION_TABLE(X)                                                                             \
    X(model, TEXT, "", 0, 0, true, "", "the model folder that training begins with")                         \
    X(output, TEXT, "", 0, 0, false, "", "the folder of the run: checkpoints and log.jsonl")                 \
    X(data, TEXT, "", 0, 0, false, "",                                                                       \
      "training rows: files of JSON or JSON lines, folders of Arrow files, synth:SPLIT:SEED:COUNT for "      \
      "drawn "                                                                                               \
      "ones (with :closeups, :looking, :captions or :choices behind it of that kind alone), joined by "      \
      "commas")                                                                                              \
    X(validation, TEXT, "", 0, 0, false, "", "rows for validation, as data; empty: none")                    \
    X(image_root, TEXT, "", 0, 0, false, "", "the folder of the pictures that rows name by relative paths")  \
    X(export_to, TEXT, "", 0, 0, false, "", "a model folder to write at the end; empty: none")               \
    X(parts, TEXT, "all", 0, 0, true, "gar_1b.py: nothing is frozen",                                        \
      "what is trained as a whole: all, none, or some of tower, mask, projector, embed, decoder and head, "  \
      "joined by commas")                                                                                    \
    X(lora_rank, WHOLE, "0", 0, GR_LORA_MAX_RANK, true, "",                                                  \
      "rank of the adapters that are trained beside frozen layers; 0: there are none")                       \
    X(lora_alpha, REAL, "8", 1e-6, 1e6, true, "peft: LoraConfig", "an adapter counts alpha / rank times")    \
    X(lora_layers, TEXT, "q_proj,v_proj", 0, 0, true, "peft: Llama; Hu et al. 2021, 4.2",                    \
      "which linear layers have one, joined by commas: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, " \
      "down_proj of the decoder, qkv, proj, fc1, fc2 of the tower, linear_1, linear_2 of the projector")     \
    X(epochs, WHOLE, "1", 1, 1e6, true, "gar_1b.py", "times that the data are gone through")                 \
    X(steps, WHOLE, "0", 0, 1e12, true, "", "steps of the optimiser; 0: as the epochs have it")              \
    X(accumulation, WHOLE, "64", 1, 1e6, true, "gar_1b.py: batch 1, accumulation 2, 32 devices",             \
      "samples of a step")                                                                                   \
    X(learning_rate, REAL, "1e-5", 0, 1e3, true, "gar_1b.py", "after the warm-up")                           \
    X(warmup, REAL, "0.03", 0, 1, true, "gar_1b.py", "share of the run in which the learning rate grows")    \
    X(warmup_start, REAL, "1e-5", 0, 1, true, "gar_1b.py", "share of the learning rate that it begins with") \
    X(beta1, REAL, "0.9", 0, 0.999999, true, "gar_1b.py", "of AdamW")                                        \
    X(beta2, REAL, "0.999", 0, 0.999999, true, "gar_1b.py", "of AdamW")                                      \
    X(eps, REAL, "1e-8", 1e-30, 1, true, "PyTorch", "of AdamW")                                              \
    X(weight_decay, REAL, "0", 0, 1e3, true, "gar_1b.py", "of AdamW")                                        \
    X(clip, REAL, "1", 0, 1e30, true, "gar_1b.py", "largest norm of all gradients together; 0: any")         \
    X(seed, WHOLE, "42", 0, 9007199254740992, true, "gar_1b.py",                                             \
      "of the order of the data and of what is drawn about them")                                            \
    X(group_by_length, WORD, "off", 0, 0, true, "gar_1b.py: asked for, but every row is said to be as long", \
      "off|on: samples of a step are about as long as each other; every row is read once before the run")    \
    X(max_rows, WHOLE, "8192", 2, 1e6, true, "17 tiles and 5 regions of 256 rows, 2560 of text",             \
      "rows of the longest sample; memory grows with it")                                                    \
    X(max_tiles, WHOLE, "17", 1, 1e3, true, "gar_1b.py: 16 and the thumbnail",                               \
      "tiles of the largest sample: the thumbnail, with region_rows=crop one of each of max_regions, and "   \
      "what is left, at least 1, for the picture cut")                                                       \
    X(max_regions, WHOLE, "5", 1, 1e3, true, "<Prompt0> to <Prompt4>", "regions of a sample")                \
    X(region_rows, WORD, "replay", 0, 0, true, "GAR paper, Table 9",                                         \
      "replay|crop|none: what stands for a region: its features replayed, a crop of it as one tile more, "   \
      "nothing but the mask; a model of the last two is for comparison and cannot be asked")                 \
    X(picture_rows, WORD, "yes", 0, 0, true, "GAR paper, Table 9",                                           \
      "yes|no: whether the picture as a whole is shown; no: with region_rows=crop, the crops alone")         \
    X(memory_gb, REAL, "0", 0, 1e9, false, "", "most memory that training may take; 0: any")                 \
    X(keep_values, WORD, "auto", 0, 0, false, "",                                                            \
      "auto|yes|no: what blocks compute is kept for the backward pass instead of made again; auto: where "   \
      "memory_gb has room, or where it is 0 half of the machine's memory")                                   \
    X(log_every, WHOLE, "1", 1, 1e9, false, "", "steps between two lines of the log")                        \
    X(validate_every, WHOLE, "0", 0, 1e9, false, "", "steps between two validations; 0: none")               \
    X(validation_samples, WHOLE, "0", 0, 1e12, false, "", "of a validation; 0: all there are")               \
    X(save_every, WHOLE, "5000", 1, 1e12, false, "gar_1b.py",                                                \
      "steps between two checkpoints; the end of the run has one too")                                       \
    X(keep, WHOLE, "2", 1, 1e3, false, "gar_1b.py", "checkpoints that are kept")                             \
    X(products, WORD, "f32", 0, 0, true, "",                                                                 \
      "f32|bf16: what matrix products multiply; with bf16, as in the published runs, steps are faster "      \
      "where "                                                                                               \
      "the processor has it (AVX-512 BF16); elsewhere it is f32")                                            \
    X(dtype, WORD, "bf16", 0, 0, false, "gar_1b.py",                                                         \
      "bf16|f32: type of the weights of checkpoints and export")

typedef char gr_option_TEXT[GR_TRAIN_TEXT];
typedef int64_t gr_option_WHOLE;
typedef double gr_option_REAL;
typedef int64_t gr_option_WORD;

typedef struct {
    gr_runtime *rt;
#define X(name, kind, ...) gr_option_##kind name;
    GR_TRAIN_OPTION_TABLE(X)
#undef X
    const char *origin[64]; /* of each option: "default", "file", "command line" */
} gr_train_config;

/* Every option has its default. */
void gr_train_config_init(gr_train_config *c, gr_runtime *rt);

/* Takes the options of a file over. GR_ERR_FORMAT: no JSON object; an option that there is not, with the one
 * that may be meant, is there twice, or has a value of another kind or range. GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_train_config_read(gr_train_config *c, const char *path, gr_error *err);
/* The same of a text; `name` is for messages. */
gr_status gr_train_config_parse(gr_train_config *c, const char *text, size_t n, const char *name,
                                gr_error *err);
/* NAME=VALUE. GR_ERR_ARG, as above. */
gr_status gr_train_config_set(gr_train_config *c, const char *assignment, gr_error *err);

/* GR_ERR_ARG: no model or output; nothing would be trained, or seen; an export that could not be asked. */
gr_status gr_train_config_check(const gr_train_config *c, gr_error *err);

/* The adapters that the options ask for; rank 0: none. A is drawn from the seed of the run. GR_ERR_ARG:
 * layers that there are not. */
gr_status gr_train_config_lora(const gr_train_config *c, gr_lora *lora, gr_error *err);

/* All options as JSON, which gr_train_config_read reads back the same; with `table`, one line each: NAME =
 * VALUE, where the value is from, what the option is, where its default comes from. Failure is the buffer's.
 */
void gr_train_config_write(const gr_train_config *c, gr_buf *out, bool table);

/* GR_ERR_ARG: a run that was begun with the options `saved` (JSON) cannot go on with these; names the first
 * that differs. */
gr_status gr_train_config_compare(const gr_train_config *c, const char *saved, size_t n, gr_error *err);

#endif
