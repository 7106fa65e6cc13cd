/* golden_case.h - one golden model case: its files, a run of the engine on its inputs, what came out and what
 * PyTorch gave. */
#ifndef TEST_GOLDEN_CASE_H
#define TEST_GOLDEN_CASE_H

#include "engine/core.h"
#include "io/safetensors.h"
#include "region/tiles.h"
#include "support/drawn.h"

#define GOLDEN_MAX_VALUES 64

/* Relative RMS. f32: rounding noise of these models is about 1e-6 (rounding_noise in the case files). */
#define FEATURES_F32 1e-5
#define LOGITS_F32   1e-4
/* bf16 noise grows through the layers to 1e-3 .. 4e-3 and 1.4e-2; the exact rounding rules are tested
 * operator by operator. */
#define FEATURES_BF16 1e-2
#define LOGITS_BF16   5e-2

/* A value that the engine showed under a name, all showings one after the other. */
typedef struct {
    char name[64];
    float *data;
    size_t n;
} golden_value;

typedef struct {
    char name[64];
    gr_runtime *rt;
    bool bf16;
    /* From CASE.json. */
    char model[32], inputs[64], file[64];
    uint64_t seed;
    bool roi_twice, last_box, inclusive, mask_bicubic;
    int canvas[2], steps, n_regions;
    struct {
        int prompt;
        gr_mask *mask;
    } regions[GR_MAX_PROMPTS];
    uint32_t mask_crc;
    bool has_mask_crc;
    /* Files. */
    char *bytes, *input_bytes;
    gr_safetensors *want, *want_inputs; /* the same file twice, unless the inputs are another case's */
    /* The run: without rewrites, or collecting what the golden file has as tap.* instead of what the engine
     * shows; set before golden_case_run. */
    bool plain, taps;
    int n_blocks, n_layers; /* calls seen by the taps */
    test_dir dir;
    gr_gar *gar;
    gr_backend *backend;
    gr_tiles *mask_tiles;
    golden_value got[GOLDEN_MAX_VALUES];
    int n_got, n_compared;
    int32_t answer[256];
    int n_answer;
} golden_case;

void golden_case_open(golden_case *c, const char *name, int n_threads);
/* The same with only some of the processor's instructions (GR_CPU_* bits), on another backend. */
typedef gr_status (*golden_backend)(gr_backend **out, gr_runtime *rt, gr_error *err);
void golden_case_open_on(golden_case *c, const char *name, int n_threads, unsigned cpu_mask,
                         golden_backend backend);
void golden_case_close(golden_case *c);

/* The golden tiles under masks painted and resampled by the library, with the case's boxes; false: a case
 * without picture. Once a case. */
bool golden_case_picture(golden_case *c, gr_picture *p);
/* Feature row of each id of a prompt, or -1. */
void golden_case_sources(const golden_case *c, const int32_t *ids, int32_t *source, size_t n);

/* Encodes the golden tiles under masks painted and resampled by the library, runs the golden ids with teacher
 * forcing of the golden tokens, in chunks of `chunk_rows`. Fails the test when the resampled masks are not
 * the golden ones. */
void golden_case_run(golden_case *c, int chunk_rows);

/* Fails unless the relative RMS distance of a value from the golden tensor of that name is below `tolerance`;
 * a value that the golden file does not hold is passed over. */
void golden_case_compare(golden_case *c, const char *name, double tolerance);
void golden_case_compare_replays(golden_case *c, double tolerance);
/* The tower's embedding and blocks of the thumbnail, and the last rows of the prompt after every decoder
 * layer and, of the last one, after the norm. */
void golden_case_compare_taps(golden_case *c, double tolerance);
/* How many results, or taps, the golden file holds: what n_compared has to be when nothing was passed over.
 */
int golden_case_n_results(const golden_case *c, bool taps);

/* Fails unless both runs gave the same bits. */
void golden_case_same_bits(const golden_case *a, const golden_case *b, const char *name);
void golden_case_all_same_bits(const golden_case *a, const golden_case *b); /* of every value, and tokens */

const golden_value *golden_case_value(const golden_case *c, const char *name); /* NULL: never shown */

#endif
