/* features.c - where the feature rows of pictures lie: every picture in one piece, shared by forks. */
#include "engine/internal.h"

static int end_of(const gr_sequence *s) { return s->first_feature + s->n_features; }

static bool is_free(const gr_core *e, int first, int n)
{
    for (int i = 0; i < e->limits.max_sequences; i++) {
        const gr_sequence *s = e->sequences[i];
        if (s && s->n_features > 0 && first < end_of(s) && s->first_feature < first + n)
            return false;
    }
    return first + n <= e->limits.max_features;
}

/* The lowest piece of n free rows, or -1. It begins at 0 or where a picture ends. */
static int find_gap(const gr_core *e, int n)
{
    int lowest = is_free(e, 0, n) ? 0 : -1;
    for (int i = 0; i < e->limits.max_sequences && lowest != 0; i++) {
        const gr_sequence *s = e->sequences[i];
        if (s && s->n_features > 0 && (lowest < 0 || end_of(s) < lowest) && is_free(e, end_of(s), n))
            lowest = end_of(s);
    }
    return lowest;
}

/* The lowest picture at or above a row, or NULL. */
static const gr_sequence *lowest_from(const gr_core *e, int row)
{
    const gr_sequence *found = NULL;
    for (int i = 0; i < e->limits.max_sequences; i++) {
        const gr_sequence *s = e->sequences[i];
        if (s && s->n_features > 0 && s->first_feature >= row &&
            (!found || s->first_feature < found->first_feature))
            found = s;
    }
    return found;
}

/* Copies rows down, in pieces that do not overlap. */
static void move_rows(gr_core *e, int to, int from, int n)
{
    const size_t cols = (size_t)e->model->config.text.hidden;
    for (int done = 0, piece; done < n; done += piece) {
        piece = n - done < from - to ? n - done : from - to;
        e->backend->ops->copy(e->backend, e->features + (size_t)(to + done) * cols,
                              e->features + (size_t)(from + done) * cols,
                              (size_t)piece * cols * sizeof(float));
    }
}

static void close_gaps(gr_core *e)
{
    const gr_sequence *s;
    for (int to = 0; (s = lowest_from(e, to)) != NULL;) {
        const int from = s->first_feature, n = s->n_features;
        if (from > to)
            move_rows(e, to, from, n);
        for (int i = 0; i < e->limits.max_sequences; i++)
            if (e->sequences[i] && e->sequences[i]->n_features > 0 && e->sequences[i]->first_feature == from)
                e->sequences[i]->first_feature = to;
        to += n;
    }
}

void gr_features_release(gr_sequence *s) { s->first_feature = s->n_features = s->n_tiles = 0; }

static bool is_shared(const gr_sequence *s)
{
    int users = 0;
    for (int i = 0; i < s->engine->limits.max_sequences; i++) {
        const gr_sequence *o = s->engine->sequences[i];
        users += o && o->n_features > 0 && o->first_feature == s->first_feature;
    }
    return users > 1;
}

gr_status gr_features_take(gr_sequence *s, int n, gr_error *err)
{
    gr_core *e = s->engine;
    if (s->n_features == n && !is_shared(s))
        return GR_OK;
    gr_features_release(s);
    int first = find_gap(e, n);
    if (first < 0) {
        close_gaps(e);
        first = find_gap(e, n);
    }
    if (first < 0)
        return gr_fail(err, GR_ERR_LIMIT,
                       "the picture and its regions need %d feature rows, the engine was made for %d in all "
                       "conversations",
                       n, e->limits.max_features);
    s->first_feature = first;
    s->n_features = n;
    return GR_OK;
}
