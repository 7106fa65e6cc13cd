/* bench.h - how fast it is: kernels at the shapes of the models beside what the machine can do, the stages of
 * a whole answer, and steps of training.
 *
 * What is timed is what inference runs: an operator is a graph of its own on the processor's backend, with
 * weights packed as a model's are. Every repeat of a case stands beside repeats of the limit it is held
 * against, so that what other programs take of the machine is taken from both: docs/bench.md. */
#ifndef GRASP_BENCH_H
#define GRASP_BENCH_H

#include <stdbool.h>
#include "grasp/dtype.h"
#include "grasp/model.h"

/* --- results ------------------------------------------------------------------------------------- */

/* One thing that was measured. Texts are valid during the call. Rates are in `unit`; min is the slowest.
 * Fields are only ever added at the end. */
typedef struct {
    const char *kind;    /* "limit", "product", "gradient", "row", "attention", "pass", "stage", "memory";
                            of training "step", "work" */
    const char *name;    /* "gar-1b/tower/qkv": no other row has it */
    int rows;            /* of what comes in; of a picture its height */
    int inputs;          /* columns of what comes in; of attention the keys that the last row sees; of a
                            picture its width */
    int outputs;         /* columns of what goes out; of a picture its channels */
    int heads, kv_heads; /* of attention, else 0 */
    const char *weights; /* stored type of the weight, "BF16"; NULL: there is none */
    int threads;
    const char *unit;   /* "GFLOP/s", "GB/s"; of memory "MB"; of training also "samples/s", "GFLOP" */
    double flop, bytes; /* of one call: arithmetic, and memory that has to be read or written; 0: not counted
                         */
    int repeats;        /* that were timed; 0: none, and all that follows is 0 */
    double median, min, max;
    double seconds_median, seconds_min, seconds_max; /* of one call */
    double fraction; /* of the limit, median over repeats; NaN: there is none */
} gr_bench_row;

/* What follows the work; every member may be NULL. */
typedef struct {
    /* As soon as a row is there; it is complete. */
    void (*row)(void *user, const gr_bench_row *row);
    /* Rows done and in all, often; false cancels. */
    bool (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
} gr_bench_watch;

/* What computes. */
typedef struct {
    size_t size;         /* sizeof(gr_bench_machine), set by the caller */
    char processor[128]; /* as the system calls it; "" where it does not say */
    const char *isa;     /* the set of kernels: "AVX-512", "AVX2", "NEON", "plain C" */
    int threads;         /* of the runtime */
    int processors;      /* that the process may use */
    size_t l3_bytes;     /* of the last cache; 0: not known */
} gr_bench_machine;

/* GR_ERR_ARG: machine->size is not sizeof(gr_bench_machine). Allocates nothing. */
GR_API gr_status gr_bench_describe(const gr_runtime *rt, gr_bench_machine *machine, gr_error *err);

/* --- kernels ------------------------------------------------------------------------------------- */

/* Begin with gr_bench_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size;        /* sizeof(gr_bench_options), set by init */
    const char *preset; /* whose shapes: a name of gr_new_preset; default "gar-1b" */
    const char *filter; /* the row of exactly this name, else the rows whose name contains it; NULL: all */
    gr_dtype weights;   /* F32, BF16 or F16; default BF16 */
    int repeats;        /* of a case, at least; 1..512, default 5 */
    double seconds;     /* of a case, at least, unless it was repeated 512 times; 0..3600, default 0.25 */
    gr_bench_watch watch;
    gr_numerics numerics; /* default exact; of stages it is the model's */
} gr_bench_options;

GR_API void gr_bench_options_init(gr_bench_options *options);

/* The cases as rows that are not measured, in order. `options` may be NULL in neither function.
 * GR_ERR_ARG: an option, or no case has the name. GR_ERR_MEM. */
GR_API gr_status gr_bench_list(gr_runtime *rt, const gr_bench_options *options, gr_error *err);

/* First the limits, "limit/fma" and "limit/read", then every case: GFLOP/s are held against the first,
 * GB/s against the second. Takes memory of eight times the last cache,
 * 64 MB to 512 MB, and of the largest weight of the cases twice. Errors of gr_bench_list, and
 * GR_ERR_CANCELLED: the rows so far count. */
GR_API gr_status gr_bench_kernels(gr_runtime *rt, const gr_bench_options *options, gr_error *err);

/* --- stages -------------------------------------------------------------------------------------- */

#define GR_BENCH_MAX_TILES 8

/* Begin with gr_bench_stage_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size;      /* sizeof(gr_bench_stage_options), set by init */
    const void *file; /* the picture that is described, as a file's bytes; NULL: one of 1024 x 770 pixels is
                         drawn, as PNM and, where this build writes them, PNG */
    size_t file_bytes;
    int tiles[GR_BENCH_MAX_TILES]; /* most tiles of a whole answer, 1..64 besides the thumbnail, one after
                                      the other; 0 ends them; those that cut the picture alike count once;
                                      default 1, 4, 16 */
    int max_tokens;                /* of an answer; 2..1000000, default 16 */
    int repeats;                   /* of a stage, at least; 1..512, default 3 */
    double seconds;                /* of a stage, at least; 0..3600, default 0.25 */
    gr_bench_watch watch;
} gr_bench_stage_options;

GR_API void gr_bench_stage_options_init(gr_bench_stage_options *options);

/* Limits; decoding; cutting into tiles; tower, projector and replay; then, for every number of tiles, tower,
 * prefill, decode and the whole answer about a box in the middle, from a session's own statistics; last the
 * memory that the engine announced and the most that the process held, without what the limits need. Whole
 * answers are repeated `repeats` times, whatever `seconds` says, and nothing warms them up.
 * GR_ERR_ARG: an option. GR_ERR_LIMIT: an answer is longer than the model's context. Errors of
 * gr_image_decode and gr_engine_open; GR_ERR_CANCELLED: the rows so far count. */
GR_API gr_status gr_bench_stages(gr_model *model, const gr_bench_stage_options *options, gr_error *err);

/* --- training ------------------------------------------------------------------------------------ */

/* Begin with gr_bench_train_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size;             /* sizeof(gr_bench_train_options), set by init */
    const char *parts;       /* what is trained as a whole, as the option of a run; default "all" */
    int lora_rank;           /* of adapters beside it; 0, the default: none */
    const char *lora_layers; /* as the option of a run; default "q_proj,v_proj" */
    int tiles;               /* of the picture besides the thumbnail, 1..64; default 1 */
    int rows; /* of the sequence; 0, the default: those of picture and region, and 128 of text, of which the
                 last half is learnt */
    int repeats;      /* at least; 1..512, default 5 */
    double seconds;   /* of everything, at least; 0..3600, default 1 */
    double memory_gb; /* most memory that training may take, as the option of a run; default 0: any */
    gr_bench_watch watch;
    bool bf16_products; /* products=bf16 of a run; default false: f32 */
} gr_bench_train_options;

GR_API void gr_bench_train_options_init(gr_bench_train_options *options);

/* Limits; then one sample that is made up, in turn: "sample/forward" with its loss, "sample/gradients" (as a
 * step has them: forward, what is made again, backward), "step/optimiser" (norm, clipping, AdamW),
 * "step/whole" as GFLOP/s and "step/rate" as samples a second; GFLOP of the sample as "work/forward",
 * "work/again", "work/backward"; last the memory that the trainer announced and the most that the process
 * held, without what the limits need. The folder is only read. GR_ERR_ARG: an option. GR_ERR_LIMIT: memory_gb
 * is too little. Errors of the model folder; GR_ERR_CANCELLED: the rows so far count. */
GR_API gr_status gr_bench_train(gr_runtime *rt, const char *dir, const gr_bench_train_options *options,
                                gr_error *err);

#endif
