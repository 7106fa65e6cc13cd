/* check.c - the backend that distrusts everybody (docs/graph.md, "The seam"). As the CPU, but:
 * - outside of run, read, write and prepare no memory can be read, and no access leaves its block unnoticed
 *   (memory.h): following a device pointer crashes;
 * - while a node runs, only blocks that hold its results can be written;
 * - outputs (but the one in place), scratch and new memory are filled with a marked NaN first: what was not
 *   written, or was computed from what was not, shows in the outputs;
 * - every node runs twice, units ascending and descending: bits must agree, and nothing but outputs, scratch
 *   and KV pages may change.
 * Slow on purpose: for tests. */
#include <string.h>

#include "backend/check/memory.h"
#include "backend/cpu/cpu.h"
#include "backend/cpu/prepare.h"
#include "base/alloc.h"
#include "base/failure.h"
#include "base/half.h"
#include "base/log.h"
#include "base/runtime.h"

typedef struct {
    gr_backend base;
    gr_kernels kernels;
    gr_guard guard;
} checker;

static void *check_place(gr_backend *backend, size_t bytes, gr_error *err)
{
    return gr_guard_place(&((checker *)backend)->guard, bytes, err);
}

static void check_release(gr_backend *backend, void *memory)
{
    gr_guard_release(&((checker *)backend)->guard, memory);
}

static void check_free(gr_backend *backend)
{
    gr_guard_fini(&((checker *)backend)->guard);
    gr_free(backend->rt, backend);
}

/* A copy that would leave the block of `device` is not made. */
static void copy(gr_backend *backend, const void *device, gr_guard_mode mode, void *to, const void *from,
                 size_t bytes)
{
    gr_guarded *b = gr_guard_find(&((checker *)backend)->guard, device, bytes);
    if (b && bytes) {
        gr_guard_open(b, mode);
        memcpy(to, from, bytes);
        gr_guard_open(b, GR_GUARD_CLOSED);
    } else if (bytes) {
        gr_log(backend->rt, GR_LOG_WARNING, "check: a copy of %zu bytes leaves the placed memory", bytes);
    }
}

static void check_write(gr_backend *backend, void *to, const void *from_host, size_t bytes)
{
    copy(backend, to, GR_GUARD_WRITE, to, from_host, bytes);
}

static void check_read(gr_backend *backend, void *to_host, const void *from, size_t bytes)
{
    copy(backend, from, GR_GUARD_READ, to_host, from, bytes);
}

/* Within the device: both ends must lie in placed memory, perhaps in one block. */
static void check_copy(gr_backend *backend, void *to, const void *from, size_t bytes)
{
    gr_guarded *source = gr_guard_find(&((checker *)backend)->guard, from, bytes);
    if (!source && bytes) {
        gr_log(backend->rt, GR_LOG_WARNING, "check: a copy of %zu bytes leaves the placed memory", bytes);
        return;
    }
    if (source && source != gr_guard_find(&((checker *)backend)->guard, to, bytes))
        gr_guard_open(source, GR_GUARD_READ);
    copy(backend, to, GR_GUARD_WRITE, to, from, bytes);
    if (source)
        gr_guard_open(source, GR_GUARD_CLOSED);
}

/* Looked-up rows are copied too: a device cannot read files. */
static gr_status make_form(gr_backend *backend, uint8_t *to, const gr_weight *w, gr_form form, gr_error *err)
{
    const size_t row_bytes = w->cols * gr_dtype_bytes(w->dtype);
    if (form == GR_FORM_VECTOR)
        return gr_prepare_vector((float *)(void *)to, w, err);
    if (form == GR_FORM_PANELS)
        return gr_prepare_panels(backend->rt, to, w, err);
    for (size_t r = 0; r < w->rows; r++) {
        const size_t stored = gr_weight_stored_row(w, r);
        GR_TRY(gr_weight_read(w, stored, 0, w->cols, to + r * row_bytes, err));
        GR_TRY(gr_weight_check(w, stored, 0, w->cols, to + r * row_bytes, err));
    }
    return GR_OK;
}

static gr_status check_prepare(gr_backend *backend, gr_weight *w, gr_form form, gr_error *err)
{
    checker *c = (checker *)backend;
    GR_TRY(gr_prepare_check(w, err));
    if (form == GR_FORM_NONE || (form == GR_FORM_VECTOR && w->vector) ||
        (form == GR_FORM_PANELS && w->panels) || (form == GR_FORM_ROWS && w->rows_ready))
        return GR_OK;
    if (form == GR_FORM_ROWS && w->panels) {
        w->rows_ready = true;
        return GR_OK;
    }
    void *to = check_place(backend,
                           form == GR_FORM_ROWS ? w->rows * w->cols * gr_dtype_bytes(w->dtype)
                                                : gr_weight_form_bytes(w, form),
                           err);
    if (!to)
        return GR_ERR_MEM;
    gr_guard_open(c->guard.blocks, GR_GUARD_WRITE); /* the newest */
    const gr_status status = make_form(backend, to, w, form, err);
    gr_guard_open(c->guard.blocks, GR_GUARD_CLOSED);
    if (status != GR_OK) {
        check_release(backend, to);
        return status;
    }
    if (form == GR_FORM_VECTOR)
        w->vector = to;
    else if (form == GR_FORM_ROWS)
        w->looked_up = to, w->rows_ready = true;
    else
        w->panels = to, w->panel_dtype = gr_panel_dtype(w);
    return GR_OK;
}

static void check_unprepare(gr_backend *backend, gr_weight *w)
{
    check_release(backend, w->vector);
    check_release(backend, w->panels);
    check_release(backend, (void *)(uintptr_t)w->looked_up);
    w->vector = NULL;
    w->panels = NULL;
    w->looked_up = NULL;
    w->rows_ready = false;
}

static gr_status broken(checker *c, gr_error *err, const gr_task *t, const char *what, const char *which,
                        int i, size_t row, size_t col)
{
    gr_log(c->base.rt, GR_LOG_WARNING, "check: %s: %s %d, row %zu, column %zu: %s", t->op, which, i, row, col,
           what);
    return gr_fail(err, GR_ERR_ARG, "%s: %s %d, row %zu, column %zu: %s", t->op, which, i, row, col, what);
}

static size_t mat_bytes(const gr_mat *m)
{
    return m->rows ? ((m->rows - 1) * m->stride + m->cols) * sizeof(float) : 0;
}

static size_t kv_bytes(const gr_kv_pages *kv)
{
    return (size_t)kv->n_pages * (size_t)kv->n_layers * 2 * gr_kv_half_page(kv) * sizeof(float);
}

/* Everything the node will touch must have been placed here; blocks it may write are marked. */
static gr_status check_memory(checker *c, const gr_task *t, gr_error *err)
{
    for (gr_guarded *b = c->guard.blocks; b; b = b->next)
        b->writable = false;
    for (int i = 0; i < t->n_in; i++) {
        const gr_weight *w = t->in[i].weight;
        if ((t->in[i].f && !gr_guard_find(&c->guard, t->in[i].f, mat_bytes(&t->in[i]))) ||
            (w && w->panels && !gr_guard_find(&c->guard, w->panels, gr_weight_form_bytes(w, GR_FORM_PANELS))))
            return broken(c, err, t, "not in the device's memory", "input", i, 0, 0);
    }
    for (int o = 0; o < t->n_out; o++) {
        gr_guarded *b = gr_guard_find(&c->guard, t->out[o].f, mat_bytes(&t->out[o]));
        if (t->out[o].rows && (!b || t->out[o].stride != t->out[o].cols))
            return broken(c, err, t, "not in the device's memory, or not whole", "output", o, 0, 0);
        if (b)
            b->writable = true;
    }
    gr_guarded *scratch = gr_guard_find(&c->guard, t->scratch, t->scratch_bytes * (size_t)c->base.n_workers);
    gr_guarded *pages =
        t->attr.paged && t->kv ? gr_guard_find(&c->guard, t->kv->memory, kv_bytes(t->kv)) : NULL;
    if ((t->scratch_bytes && !scratch) || (t->attr.paged && !pages))
        return broken(c, err, t, "scratch or KV pages are not in the device's memory", "output", 0, 0, 0);
    if (t->scratch_bytes)
        scratch->writable = true;
    if (pages)
        pages->writable = true;
    return GR_OK;
}

static void fill_results(const checker *c, const gr_task *t)
{
    for (int o = 0; o < t->n_out; o++)
        if (o > 0 || (t->inplace < 0 && !t->adds))
            gr_guard_fill(t->out[o].f, t->out[o].rows * t->out[o].cols);
    gr_guard_fill((float *)(void *)t->scratch, t->scratch_bytes * (size_t)c->base.n_workers / sizeof(float));
}

static bool inside(const void *p, const void *from, size_t bytes)
{
    return (uintptr_t)p >= (uintptr_t)from && (uintptr_t)p - (uintptr_t)from < bytes;
}

static int output_at(const gr_task *t, const void *p)
{
    for (int o = 0; o < t->n_out; o++)
        if (inside(p, t->out[o].f, mat_bytes(&t->out[o])))
            return o;
    return -1;
}

/* Compares a block with a copy of it; outputs and KV pages may differ unless `results`, scratch always. */
static gr_status compare(checker *c, const gr_task *t, const gr_guarded *b, const uint8_t *copy, bool results,
                         const char *what, gr_error *err)
{
    const uint8_t *now = b->pages;
    for (size_t i = 0; i < b->size; i += 4) {
        if (memcmp(now + i, copy + i, 4) == 0 ||
            inside(now + i, t->scratch, t->scratch_bytes * (size_t)c->base.n_workers))
            continue;
        const int o = output_at(t, now + i);
        const bool kv = t->attr.paged && inside(now + i, t->kv->memory, kv_bytes(t->kv));
        if ((o >= 0 || kv) && !results)
            continue;
        const uint8_t *base = o >= 0 ? (const uint8_t *)t->out[o].f : kv ? (uint8_t *)t->kv->memory : b->data;
        const size_t at = (uintptr_t)(now + i) < (uintptr_t)base ? 0 : (size_t)(now + i - base) / 4,
                     cols = o >= 0 ? t->out[o].cols : SIZE_MAX;
        return broken(c, err, t, what,
                      o >= 0 ? "output"
                      : kv   ? "KV pages"
                             : "memory beside output",
                      o < 0 ? 0 : o, at / cols, at % cols);
    }
    return GR_OK;
}

static gr_status check_written(checker *c, const gr_task *t, gr_error *err)
{
    for (int o = 0; o < t->n_out; o++)
        for (size_t r = 0; r < t->out[o].rows; r++)
            for (size_t k = 0; k < t->out[o].cols; k++)
                if ((gr_f32_bits(gr_row(&t->out[o], r)[k]) & 0x7fffffffu) == GR_UNWRITTEN)
                    return broken(c, err, t, "not written, or computed from what was not", "output", o, r, k);
    return GR_OK;
}

static gr_status run_twice(checker *c, gr_task *t, gr_error *err)
{
    for (gr_guarded *b = c->guard.blocks; b; b = b->next)
        if (b->writable)
            memcpy(b->before, b->pages, b->size);
    gr_failure failure;
    gr_failure_init(&failure);
    t->failure = &failure;
    fill_results(c, t);
    gr_cpu_run_task(c->base.rt->threads, t, false);
    GR_TRY(gr_failure_status(&failure, err));
    GR_TRY(check_written(c, t, err));
    for (gr_guarded *b = c->guard.blocks; b; b = b->next)
        if (b->writable) {
            GR_TRY(compare(c, t, b, b->before, false, "changed, and is nobody's result", err));
            memcpy(b->after, b->pages, b->size);
            memcpy(b->pages, b->before, b->size);
        }
    fill_results(c, t);
    gr_cpu_run_task(c->base.rt->threads, t, true);
    for (gr_guarded *b = c->guard.blocks; b; b = b->next)
        if (b->writable)
            GR_TRY(
                compare(c, t, b, b->after, true, "other bits when the units run in descending order", err));
    return GR_OK;
}

static gr_status check_run(gr_backend *backend, gr_task *task, gr_error *err)
{
    checker *c = (checker *)backend;
    gr_status status = check_memory(c, task, err);
    task->k = &c->kernels;
    for (gr_guarded *b = c->guard.blocks; b; b = b->next) {
        if (b->writable && (!(b->before = gr_malloc(backend->rt, b->size, 1)) ||
                            !(b->after = gr_malloc(backend->rt, b->size, 1))))
            status = gr_fail(err, GR_ERR_MEM, "no memory to check %s", task->op);
        gr_guard_open(b, b->writable ? GR_GUARD_WRITE : GR_GUARD_READ);
    }
    if (status == GR_OK)
        status = run_twice(c, task, err);
    for (gr_guarded *b = c->guard.blocks; b; b = b->next) {
        gr_guard_open(b, GR_GUARD_CLOSED);
        gr_free(backend->rt, b->before);
        gr_free(backend->rt, b->after);
        b->before = b->after = NULL;
    }
    return status;
}

static bool check_supports(const gr_backend *backend, const char *op)
{
    (void)backend, (void)op;
    return true;
}

static gr_status check_sync(gr_backend *backend, gr_error *err)
{
    (void)backend, (void)err;
    return GR_OK;
}

static const gr_backend_ops check_ops = { .name = "check",
                                          .free = check_free,
                                          .place = check_place,
                                          .release = check_release,
                                          .write = check_write,
                                          .read = check_read,
                                          .copy = check_copy,
                                          .prepare = check_prepare,
                                          .unprepare = check_unprepare,
                                          .supports = check_supports,
                                          .run = check_run,
                                          .sync = check_sync };

gr_status gr_backend_check_new(gr_backend **out, gr_runtime *rt, gr_error *err)
{
    checker *c = gr_calloc(rt, 1, sizeof *c);
    *out = NULL;
    if (!c)
        return gr_fail(err, GR_ERR_MEM, "no memory for the checking backend");
    c->base = (gr_backend){ .ops = &check_ops, .rt = rt, .n_workers = gr_threads_count(rt->threads) };
    gr_guard_init(&c->guard, rt);
    gr_kernels_init(&c->kernels, rt->cpu_mask);
    c->base.rounds_products = c->kernels.strip_paired;
    *out = &c->base;
    return GR_OK;
}
