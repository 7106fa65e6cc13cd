/* rig.h - a bench for graphs: a runtime, a backend, memory and weights placed on it, released together.
 * Everything goes through the backend's own functions, so that the same test runs on any. Failures fail the
 * test. */
#ifndef GR_TEST_RIG_H
#define GR_TEST_RIG_H

#include "backend/backend.h"
#include "graph/graph.h"
#include "test.h"

typedef enum { RIG_CPU, RIG_CHECK } rig_kind;

typedef struct rig_item rig_item;

typedef struct {
    gr_runtime *rt;
    gr_backend *be;
    rig_item *items; /* what rig_clear releases */
} rig;

void rig_open(rig *r, rig_kind kind, int n_threads);
void rig_clear(rig *r); /* releases memory and weights, keeps the backend */
void rig_close(rig *r);

void *rig_space(rig *r, size_t bytes);
void *rig_put(rig *r, const void *host, size_t bytes);
void rig_get(rig *r, void *host, const void *device, size_t bytes);
/* A weight on borrowed f32 data; the form that parameter `slot` of a graph wants is made by rig_prepare. */
gr_weight *rig_weight(rig *r, const char *name, const float *data, size_t rows, size_t cols);
void rig_prepare(rig *r, const gr_graph *g, int slot, gr_weight *w);

/* Row table of spans, which must cover rows 0 .. their end without gaps. */
#define RIG_MAX_ROWS 1024
typedef struct {
    gr_rows table;
    int32_t span_of[RIG_MAX_ROWS], position[RIG_MAX_ROWS];
} rig_rows;
void rig_make_rows(rig_rows *r, const gr_span *spans, int n_spans);

/* Host data of one call. Outputs are allocated by rig_call and released by rig_release_outputs. */
typedef struct {
    int extents[GR_MAX_EXTENTS];
    const void *inputs[GR_MAX_SLOTS]; /* float, or int32_t for an index */
    const float *params[GR_MAX_SLOTS];
    const gr_rows *rows;
    unsigned round_params;             /* bit i: parameter i is rounded to bf16 when it is prepared */
    const float *before[GR_MAX_SLOTS]; /* what outputs hold before the run; NULL: anything */
    float *outputs[GR_MAX_SLOTS];
} rig_data;

/* Plans when that was not done, places everything, runs, reads the outputs, and clears the rig. */
void rig_call(rig *r, gr_graph *g, rig_data *d);
/* The same, giving what the run gives. */
gr_status rig_try(rig *r, gr_graph *g, rig_data *d, gr_error *err);
void rig_release_outputs(rig_data *d);

/* Elements of a value at these extents. */
size_t rig_size(const gr_value *v, const int *extents);
/* n numbers in [-scale, scale), always the same for a seed. */
void rig_draw(float *to, size_t n, uint64_t seed, float scale);
/* Fails with the first place where bits differ. */
void rig_same_bits(const float *a, const float *b, size_t n, const char *what);

#endif
