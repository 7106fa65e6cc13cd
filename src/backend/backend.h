/* backend.h - what a device must do. The graph and the engine know no more of a device than this.
 *
 * Pointers that come from `place` and `prepare` are in the device's space: only the backend may follow them.
 */
#ifndef GR_BACKEND_BACKEND_H
#define GR_BACKEND_BACKEND_H

#include "backend/task.h"
#include "backend/weight.h"
#include "grasp/error.h"
#include "grasp/runtime.h"

typedef struct gr_backend gr_backend;

typedef struct {
    const char *name;
    void (*free)(gr_backend *b);
    /* `bytes` of memory in the device's space, aligned to 64, content undefined; NULL after an error. */
    void *(*place)(gr_backend *b, size_t bytes, gr_error *err);
    void (*release)(gr_backend *b, void *memory); /* NULL is fine */
    void (*write)(gr_backend *b, void *to, const void *from_host, size_t bytes);
    void (*read)(gr_backend *b, void *to_host, const void *from, size_t bytes);
    void (*copy)(gr_backend *b, void *to, const void *from, size_t bytes); /* within the device; no overlap */
    /* Makes a form of a weight (nothing when it is there, nor after an error). GR_ERR_FORMAT: a value is not
     * finite; the message names the weight and the place. GR_ERR_IO: the weight's file cannot be read. Rows
     * to be looked up are in the panels when those were made before; otherwise a device with the host's
     * memory may leave them in the file, to be read and checked one by one. */
    gr_status (*prepare)(gr_backend *b, gr_weight *w, gr_form form, gr_error *err);
    void (*unprepare)(gr_backend *b, gr_weight *w); /* releases all made forms */
    bool (*supports)(const gr_backend *b, const char *op);
    /* Runs a node; may return before it is done. GR_ERR_IO, GR_ERR_FORMAT: a row that had to be looked up in
     * the file could not be read, or is not finite. */
    gr_status (*run)(gr_backend *b, gr_task *task, gr_error *err);
    gr_status (*sync)(gr_backend *b, gr_error *err);
} gr_backend_ops;

struct gr_backend {
    const gr_backend_ops *ops;
    gr_runtime *rt;
    int n_workers;        /* how many shares of scratch a task needs */
    bool rounds_products; /* whether GR_ROUND_PRODUCTS makes a difference here */
};

/* The processor: host memory, the runtime's threads, kernels chosen once from the runtime's cpu_mask. */
gr_status gr_backend_cpu_new(gr_backend **out, gr_runtime *rt, gr_error *err);

/* The checking backend (docs/graph.md, "The seam"). A broken promise is reported through the runtime's log as
 * a warning and by GR_ERR_ARG from `run`. */
gr_status gr_backend_check_new(gr_backend **out, gr_runtime *rt, gr_error *err);

void gr_backend_free(gr_backend *b); /* NULL is fine */

#endif
