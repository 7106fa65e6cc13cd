#include "model/lora.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "op/ops.h"

static const struct {
    const char *name;
    gr_gar_tensor_id tensor;
} targets[GR_LORA_TARGET_COUNT] = {
#define X(id, word, tensor) [GR_LORA_##id] = { word, GR_GAR_T_##tensor },
    GR_LORA_TARGET_TABLE(X)
#undef X
};

const char *gr_lora_target_name(gr_lora_target target) { return targets[target].name; }
gr_gar_tensor_id gr_lora_target_tensor(gr_lora_target target) { return targets[target].tensor; }

/* --- what is asked for --------------------------------------------------------------------------------- */

static int find(const char *word, size_t n)
{
    for (int i = 0; i < GR_LORA_TARGET_COUNT; i++)
        if (strlen(targets[i].name) == n && memcmp(targets[i].name, word, n) == 0)
            return i;
    return -1;
}

static gr_status unknown(const char *word, size_t n, gr_error *err)
{
    char names[160] = "";
    for (int i = 0; i < GR_LORA_TARGET_COUNT; i++) {
        strcat(names, i == 0 ? "" : i + 1 < GR_LORA_TARGET_COUNT ? ", " : " and ");
        strcat(names, targets[i].name);
    }
    return gr_fail(err, GR_ERR_ARG, "'%.*s' is no linear layer that can have an adapter; expected some of %s",
                   n < 64 ? (int)n : 64, word, names);
}

gr_status gr_lora_targets_parse(unsigned *bits, const char *text, gr_error *err)
{
    *bits = 0;
    for (const char *at = text;; at++) {
        const size_t n = strcspn(at, ",");
        const int target = find(at, n);
        if (target < 0)
            return unknown(at, n, err);
        *bits |= 1u << target;
        at += n;
        if (!*at)
            return GR_OK;
    }
}

gr_status gr_lora_check(const gr_lora *l, gr_error *err)
{
    if (!l->targets)
        return GR_OK;
    if (l->rank < 1 || l->rank > GR_LORA_MAX_RANK)
        return gr_fail(err, GR_ERR_ARG, "adapters of rank %d, expected 1 to %d", l->rank, GR_LORA_MAX_RANK);
    if (!(l->alpha > 0 && isfinite(l->alpha)))
        return gr_fail(err, GR_ERR_ARG, "adapters with alpha %g, expected a number above 0",
                       (double)l->alpha);
    return GR_OK;
}

bool gr_lora_adapts(const gr_lora *l, gr_gar_tensor_id id)
{
    for (int i = 0; l && i < GR_LORA_TARGET_COUNT; i++)
        if (targets[i].tensor == id)
            return l->targets >> i & 1;
    return false;
}

void gr_lora_draw(float *to, const gr_lora *l, const char *name, size_t in, size_t first, size_t n)
{
    const uint64_t stream = gr_fnv1a64(name, strlen(name), 0);
    const double bound = 1 / sqrt((double)in);
    for (size_t i = 0; i < n; i++)
        to[i] = (float)(bound * (2 * gr_uniform(l->seed, stream, first + i) - 1));
}

/* --- in a segment -------------------------------------------------------------------------------------- */

gr_lora_slots gr_lora_declare(gr_graph *g, const gr_lora *l, gr_value *const *w)
{
    gr_lora_slots s = { .factor = l && l->targets ? gr_lora_factor(l) : 0 };
    for (int i = 0; i < GR_LORA_TARGET_COUNT; i++)
        if (w[i] && gr_lora_adapts(l, targets[i].tensor)) {
            s.w[i] = w[i];
            s.a[i] = gr_graph_param(g, "lora_A", l->rank, w[i]->cols);
            s.b[i] = gr_graph_param(g, "lora_B", w[i]->factor, l->rank);
        }
    return s;
}

/* The factor is applied to the r columns between A and B: the out columns after B would be more to read and
 * write, and the sum is the same. */
gr_value *gr_lora_linear(const gr_lora_slots *slots, gr_value *x, gr_value *w, gr_value *b)
{
    gr_value *y = gr_linear(x, w, b);
    for (int i = 0; w && i < GR_LORA_TARGET_COUNT; i++)
        if (slots->w[i] == w) {
            gr_value *down = gr_times(gr_linear(x, slots->a[i], NULL), slots->factor);
            return gr_add(y, gr_linear(down, slots->b[i], NULL));
        }
    return y;
}
