/* synth_items.h - rows and items made by several threads, and given in order. */
#ifndef GR_SYNTH_SYNTH_ITEMS_H
#define GR_SYNTH_SYNTH_ITEMS_H

#include "base/buf.h"
#include "synth/synth_scene.h"

/* What one number gives. */
typedef struct {
    gr_record record; /* a worker's alone, of its own runtime */
    gr_buf picture;   /* PNG */
    gr_buf text;
    bool good; /* benchmark: the scene has such an item */
} gr_synth_item;

/* `make` fills an item from number i with the worker's world; `take` is called in the order of numbers from
 * the caller's thread until it says that it has enough, or numbers 0..n-1 are used up. */
typedef struct {
    gr_synth_rules rules;
    gr_status (*make)(void *user, gr_synth *y, uint64_t i, gr_synth_item *item, gr_error *err);
    gr_status (*take)(void *user, uint64_t i, gr_synth_item *item, bool *enough, gr_error *err);
    void *user;
} gr_synth_items_job;

gr_status gr_synth_items_run(gr_runtime *rt, const gr_synth_items_job *job, uint64_t n, gr_error *err);

#endif
