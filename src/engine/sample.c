#include "engine/sample.h"

#include <math.h>
#include <stdbool.h>

#include "base/mathx.h"
#include "base/rng.h"

static int32_t best(const float *logits, int n)
{
    int32_t at = 0;
    for (int32_t i = 1; i < n; i++)
        if (logits[i] > logits[at])
            at = i;
    return at;
}

double gr_log_sum_exp(const float *logits, int n)
{
    const double top = (double)logits[best(logits, n)];
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += gr_exp((double)logits[i] - top);
    return top + gr_ln(sum);
}

/* More likely, or as likely with a lower id. */
static bool before(const float *logits, int32_t a, int32_t b)
{
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

static void sift_down(const float *logits, int32_t *heap, int n, int at)
{
    for (int child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(logits, heap[child + 1], heap[child]))
            child++;
        if (!before(logits, heap[child], heap[at]))
            return;
        const int32_t t = heap[at];
        heap[at] = heap[child];
        heap[child] = t;
    }
}

static double weight(const float *logits, int32_t id, double top, const gr_sampling *s)
{
    return gr_exp(((double)logits[id] - top) / s->temperature);
}

/* Takes up to `most` tokens off a heap, from most to least likely, until their weights reach `enough`; they
 * end up at the back of `order`, the first taken last. Returns how many, and the sum of their weights. */
static int take_likely(const float *logits, int n, const gr_sampling *s, double top, int most, double enough,
                       int32_t *order, double *sum)
{
    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n / 2 - 1; i >= 0; i--)
        sift_down(logits, order, n, i);
    *sum = 0;
    int taken = 0;
    for (; taken < most && *sum < enough; taken++) {
        const int32_t id = order[0], left = n - 1 - taken;
        *sum += weight(logits, id, top, s);
        order[0] = order[left];
        order[left] = id;
        sift_down(logits, order, left, 0);
    }
    return taken;
}

/* top_k first; top_p counts within what is left. */
static int keep_likely(const float *logits, int n, const gr_sampling *s, double top, double all,
                       int32_t *order, double *sum)
{
    if (s->top_k <= 0 || s->top_k >= n)
        return take_likely(logits, n, s, top, n, s->top_p * all, order, sum);
    double k_sum, so_far = 0;
    const int most = take_likely(logits, n, s, top, s->top_k, INFINITY, order, &k_sum);
    int kept = 0;
    for (; kept < most && so_far < s->top_p * k_sum; kept++)
        so_far += weight(logits, order[n - 1 - kept], top, s);
    *sum = so_far;
    return kept;
}

static int32_t draw(const float *logits, int n, const gr_sampling *s, uint64_t position, int32_t *order)
{
    const double top = (double)logits[best(logits, n)], u = gr_uniform(s->seed, s->stream, position);
    double all = 0;
    for (int i = 0; i < n; i++)
        all += weight(logits, i, top, s);
    const bool whole = s->top_p >= 1.0 && (s->top_k <= 0 || s->top_k >= n);
    double sum = all;
    const int kept = whole ? n : keep_likely(logits, n, s, top, all, order, &sum);
    double so_far = 0;
    int32_t id = whole ? 0 : order[n - 1];
    for (int i = 0; i < kept; i++) {
        id = whole ? i : order[n - 1 - i];
        so_far += weight(logits, id, top, s);
        if (u * sum < so_far)
            break;
    }
    return id;
}

gr_sampled gr_sample(const float *logits, int n, const gr_sampling *s, uint64_t position, int32_t *order)
{
    const int32_t token = s->temperature > 0 ? draw(logits, n, s, position, order) : best(logits, n);
    return (gr_sampled){ token, (double)logits[token] - gr_log_sum_exp(logits, n) };
}
