#include "backend/cpu/cpu.h"

#include <string.h>

#include "backend/cpu/prepare.h"
#include "base/alloc.h"
#include "base/failure.h"
#include "base/runtime.h"

typedef struct {
    gr_backend base;
    gr_kernels kernels;
} cpu_backend;

typedef struct {
    const gr_task *task;
    int phase;
    size_t n_units;
    bool descending;
} phase_job;

static void run_unit(void *user, size_t unit, int worker)
{
    const phase_job *job = user;
    const gr_task *t = job->task;
    t->forward(t, job->phase, job->descending ? job->n_units - 1 - unit : unit,
               t->scratch + (size_t)worker * t->scratch_bytes);
}

void gr_cpu_run_task(gr_threads *threads, const gr_task *t, bool descending)
{
    for (int phase = 0; phase < t->n_phases; phase++) {
        phase_job job = { t, phase, t->units(t, phase), descending };
        gr_threads_run(threads, job.n_units, run_unit, &job);
    }
}

static void cpu_free(gr_backend *b) { gr_free(b->rt, b); }

static void *cpu_place(gr_backend *b, size_t bytes, gr_error *err)
{
    void *memory = gr_malloc(b->rt, bytes, 1);
    if (!memory)
        gr_fail(err, GR_ERR_MEM, "no memory for %zu bytes (%.2f GB)", bytes, (double)bytes * 1e-9);
    return memory;
}

static void cpu_release(gr_backend *b, void *memory) { gr_free(b->rt, memory); }

static void cpu_write(gr_backend *b, void *to, const void *from_host, size_t bytes)
{
    (void)b;
    if (bytes)
        memcpy(to, from_host, bytes);
}

static void cpu_read(gr_backend *b, void *to_host, const void *from, size_t bytes)
{
    (void)b;
    if (bytes)
        memcpy(to_host, from, bytes);
}

static void cpu_copy(gr_backend *b, void *to, const void *from, size_t bytes)
{
    (void)b;
    if (bytes)
        memcpy(to, from, bytes);
}

/* A form that cannot be made whole is not there at all, so that nobody computes with half of it. */
static gr_status cpu_prepare(gr_backend *b, gr_weight *w, gr_form form, gr_error *err)
{
    void *made = NULL;
    gr_status status = gr_prepare_check(w, err);
    if (status != GR_OK || form == GR_FORM_NONE || (form == GR_FORM_VECTOR && w->vector) ||
        (form == GR_FORM_PANELS && w->panels))
        return status;
    if (form == GR_FORM_ROWS) { /* read when they are wanted, or in the panels */
        w->rows_ready = true;
        return GR_OK;
    }
    if (!(made = cpu_place(b, gr_weight_form_bytes(w, form), err)))
        return GR_ERR_MEM;
    status =
        form == GR_FORM_VECTOR ? gr_prepare_vector(made, w, err) : gr_prepare_panels(b->rt, made, w, err);
    if (status != GR_OK) {
        cpu_release(b, made);
        return status;
    }
    if (form == GR_FORM_VECTOR) {
        w->vector = made;
    } else {
        w->panels = made;
        w->panel_dtype = gr_panel_dtype(w);
    }
    return GR_OK;
}

static void cpu_unprepare(gr_backend *b, gr_weight *w)
{
    gr_free(b->rt, w->vector);
    gr_free(b->rt, w->panels);
    w->vector = NULL;
    w->panels = NULL;
    w->rows_ready = false;
}

static bool cpu_supports(const gr_backend *b, const char *op)
{
    (void)b;
    (void)op; /* every operator has a forward function for host memory */
    return true;
}

static gr_status cpu_run(gr_backend *b, gr_task *task, gr_error *err)
{
    gr_failure failure;
    gr_failure_init(&failure);
    task->failure = &failure;
    task->k = &((cpu_backend *)b)->kernels;
    gr_cpu_run_task(b->rt->threads, task, false);
    return gr_failure_status(&failure, err);
}

static gr_status cpu_sync(gr_backend *b, gr_error *err)
{
    (void)b;
    (void)err;
    return GR_OK;
}

static const gr_backend_ops cpu_ops = { .name = "cpu",
                                        .free = cpu_free,
                                        .place = cpu_place,
                                        .release = cpu_release,
                                        .write = cpu_write,
                                        .read = cpu_read,
                                        .copy = cpu_copy,
                                        .prepare = cpu_prepare,
                                        .unprepare = cpu_unprepare,
                                        .supports = cpu_supports,
                                        .run = cpu_run,
                                        .sync = cpu_sync };

gr_status gr_backend_cpu_new(gr_backend **out, gr_runtime *rt, gr_error *err)
{
    cpu_backend *b = gr_calloc(rt, 1, sizeof *b);
    *out = NULL;
    if (!b)
        return gr_fail(err, GR_ERR_MEM, "no memory for the CPU backend");
    b->base = (gr_backend){ .ops = &cpu_ops, .rt = rt, .n_workers = gr_threads_count(rt->threads) };
    gr_kernels_init(&b->kernels, rt->cpu_mask);
    b->base.rounds_products = b->kernels.strip_paired;
    *out = &b->base;
    return GR_OK;
}

void gr_backend_free(gr_backend *b)
{
    if (b)
        b->ops->free(b);
}
