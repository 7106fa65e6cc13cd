#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

bool gr_added_add(gr_added_set *s, gr_added_token token)
{
    if (!gr_grow(s->rt, &s->v, &s->cap, s->n, s->n + 1, sizeof *s->v))
        return false;
    s->v[s->n++] = token;
    s->starts[token.bytes[0]] = true;
    return true;
}

/* A token comes before all longer ones that begin with it. */
static int by_bytes(const void *a, const void *b)
{
    const gr_added_token *x = a, *y = b;
    const int order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

const gr_added_token *gr_added_sort(gr_added_set *s)
{
    if (s->n > 0)
        qsort(s->v, s->n, sizeof *s->v, by_bytes);
    for (size_t i = 1; i < s->n; i++)
        if (by_bytes(&s->v[i - 1], &s->v[i]) == 0)
            return &s->v[i - 1];
    return NULL;
}

void gr_added_fini(gr_added_set *s)
{
    gr_free(s->rt, s->v);
    *s = (gr_added_set){ .rt = s->rt };
}

/* The first entry of lo..hi whose byte at `depth` is at least `byte`; entries that end there come first. */
static size_t lower_bound(const gr_added_set *s, size_t lo, size_t hi, size_t depth, int byte)
{
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (s->v[mid].len <= depth || s->v[mid].bytes[depth] < byte)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The longest token that text begins with: the entries that agree with the text so far are a range. */
static const gr_added_token *longest_at(const gr_added_set *s, const uint8_t *text, size_t n, bool specials)
{
    const gr_added_token *best = NULL;
    size_t lo = 0, hi = s->n;
    for (size_t depth = 0; depth < n && lo < hi; depth++) {
        lo = lower_bound(s, lo, hi, depth, text[depth]);
        hi = lower_bound(s, lo, hi, depth, text[depth] + 1);
        if (lo < hi && s->v[lo].len == depth + 1 && (specials || !s->v[lo].special))
            best = &s->v[lo];
    }
    return best;
}

const gr_added_token *gr_added_find(const gr_added_set *s, const uint8_t *text, size_t n, bool specials,
                                    size_t *at)
{
    for (size_t i = 0; s->n > 0 && i < n; i++) {
        const gr_added_token *found = s->starts[text[i]] ? longest_at(s, text + i, n - i, specials) : NULL;
        if (found) {
            *at = i;
            return found;
        }
    }
    return NULL;
}
