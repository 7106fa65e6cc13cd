#include "train/adamw.h"

#include <math.h>

#include "base/alloc.h"
#include "base/mathx.h"
#include "base/runtime.h"

#define PIECE ((size_t)1 << 16) /* elements of a unit of work */

static size_t n_pieces(const gr_flat *f) { return (f->n + PIECE - 1) / PIECE; }

static size_t end_of(const gr_flat *f, size_t piece)
{
    return (piece + 1) * PIECE < f->n ? (piece + 1) * PIECE : f->n;
}

enum { ROUND = 256 }; /* pieces whose sums are kept at a time */

typedef struct {
    const gr_flat *f;
    size_t first;
    double sums[ROUND];
} norm_job;

static void square_piece(void *user, size_t unit, int worker)
{
    (void)worker;
    norm_job *job = user;
    const size_t piece = job->first + unit;
    double lanes[4] = { 0 };
    for (size_t i = piece * PIECE; i < end_of(job->f, piece); i += 4) /* pieces are whole multiples of 4 */
        for (size_t l = 0; l < 4; l++)
            lanes[l] += (double)job->f->grads[i + l] * job->f->grads[i + l];
    job->sums[unit] = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

double gr_grad_norm(const gr_flat *f)
{
    double sum = 0;
    for (size_t first = 0; first < n_pieces(f); first += ROUND) {
        norm_job job = { .f = f, .first = first };
        const size_t n = n_pieces(f) - first < ROUND ? n_pieces(f) - first : ROUND;
        gr_threads_run(f->rt->threads, n, square_piece, &job);
        for (size_t i = 0; i < n; i++)
            sum += job.sums[i];
    }
    return sqrt(sum);
}

typedef struct {
    gr_flat *f;
    float scale, add1, keep2, add2, eps, shrink, rate, root;
} step_job;

static void step_piece(void *user, size_t piece, int worker)
{
    (void)worker;
    const step_job *j = user;
    float *w = j->f->weights, *g = j->f->grads, *m = j->f->m, *v = j->f->v;
    for (size_t i = piece * PIECE; i < end_of(j->f, piece); i++) {
        const float grad = g[i] * j->scale;
        m[i] += j->add1 * (grad - m[i]);
        v[i] = v[i] * j->keep2 + j->add2 * grad * grad;
        w[i] = w[i] * j->shrink - j->rate * (m[i] / (sqrtf(v[i]) / j->root + j->eps));
        g[i] = 0;
    }
}

static double power(double base, int64_t n)
{
    double result = 1;
    for (; n > 0; n /= 2, base *= base)
        if (n & 1)
            result *= base;
    return result;
}

void gr_adamw_step(const gr_adamw *o, gr_flat *f, int64_t step, double lr, double norm)
{
    const double over = o->clip > 0 ? (norm + 1e-6) / o->clip : 0;
    step_job job = { .f = f,
                     .scale = (float)(over > 1 ? 1 / over : 1),
                     .add1 = (float)(1 - o->beta1),
                     .keep2 = (float)o->beta2,
                     .add2 = (float)(1 - o->beta2),
                     .eps = (float)o->eps,
                     .shrink = (float)(1 - lr * o->weight_decay),
                     .rate = (float)(lr / (1 - power(o->beta1, step))),
                     .root = (float)sqrt(1 - power(o->beta2, step)) };
    gr_threads_run(f->rt->threads, n_pieces(f), step_piece, &job);
}

static void clear_piece(void *user, size_t piece, int worker)
{
    (void)worker;
    gr_flat *f = user;
    for (size_t i = piece * PIECE; i < end_of(f, piece); i++)
        f->grads[i] = 0;
}

void gr_grads_clear(gr_flat *f) { gr_threads_run(f->rt->threads, n_pieces(f), clear_piece, f); }

double gr_schedule_lr(const gr_schedule *s, int64_t t)
{
    if (t < s->warmup)
        return s->lr * (s->warmup > 1 ? s->start + (1 - s->start) * (double)t / (double)(s->warmup - 1) : 1);
    return s->lr * 0.5 *
           (1 + gr_cos(3.14159265358979323846 * (double)(t - s->warmup) / (double)(s->n - s->warmup)));
}
