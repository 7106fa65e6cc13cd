#include "region/rle.h"

#include <string.h>

#include "base/alloc.h"
#include "region/mask.h"

void gr_rle_fini(gr_rle *r)
{
    if (r->rt)
        gr_free(r->rt, r->runs);
    *r = (gr_rle){ 0 };
}

static gr_status begin(gr_rle *out, gr_runtime *rt, int height, int width, gr_error *err)
{
    *out = (gr_rle){ .rt = rt, .height = height, .width = width };
    return gr_mask_check_size("a run-length mask", width, height, err);
}

static gr_status add_run(gr_rle *r, uint32_t run, gr_error *err)
{
    if (!gr_grow(r->rt, &r->runs, &r->capacity, r->n, r->n + 1, sizeof *r->runs))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu runs", r->n + 1);
    r->runs[r->n++] = run;
    return GR_OK;
}

static gr_status end(gr_rle *r, gr_status st, gr_error *err)
{
    const uint64_t want = (uint64_t)r->height * (uint64_t)r->width;
    uint64_t sum = 0;
    for (size_t i = 0; i < r->n; i++)
        sum += r->runs[i];
    if (st == GR_OK && sum != want)
        st = gr_fail(err, GR_ERR_FORMAT, "run lengths sum to %llu, expected %d x %d = %llu (size is [h,w])",
                     (unsigned long long)sum, r->height, r->width, (unsigned long long)want);
    if (st != GR_OK)
        gr_rle_fini(r);
    return st;
}

static gr_status too_many(size_t n, gr_error *err)
{
    return gr_fail(err, GR_ERR_LIMIT, "%zu runs are over the limit of %zu", n, GR_RLE_MAX_RUNS);
}

gr_status gr_rle_from_runs(gr_rle *out, gr_runtime *rt, int height, int width, const uint32_t *runs, size_t n,
                           gr_error *err)
{
    gr_status st = begin(out, rt, height, width, err);
    if (st == GR_OK && n > GR_RLE_MAX_RUNS)
        st = too_many(n, err);
    for (size_t i = 0; i < n && st == GR_OK; i++)
        st = add_run(out, runs[i], err);
    return end(out, st, err);
}

/* One number of the text: groups of 5 bits, low first, bit 5 says that more follow, bit 4 of the last is the
 * sign. */
static gr_status read_number(int64_t *out, const char *text, size_t n, size_t *at, gr_error *err)
{
    int64_t value = 0;
    int shift = 0;
    for (;;) {
        if (*at >= n)
            return gr_fail(err, GR_ERR_FORMAT, "run lengths end inside a number, after %zu characters", n);
        const int c = (unsigned char)text[*at] - 48;
        if (c < 0 || c > 63)
            return gr_fail(err, GR_ERR_FORMAT,
                           "character %zu of the run lengths is 0x%02x, expected '0' to 'o'", *at + 1,
                           (unsigned char)text[*at]);
        if (shift > 30) /* a seventh group ends at bit 34; counts have 28 */
            return gr_fail(err, GR_ERR_FORMAT, "the run that ends at character %zu is over 32 bits", *at + 1);
        value |= (int64_t)(c & 31) << shift;
        shift += 5;
        (*at)++;
        if (!(c & 32)) {
            if (c & 16)
                value -= (int64_t)1 << shift;
            *out = value;
            return GR_OK;
        }
    }
}

gr_status gr_rle_from_text(gr_rle *out, gr_runtime *rt, int height, int width, const char *text, size_t n,
                           gr_error *err)
{
    gr_status st = begin(out, rt, height, width, err);
    const int64_t total = (int64_t)height * width;
    for (size_t at = 0; at < n && st == GR_OK;) {
        int64_t run = 0;
        st = read_number(&run, text, n, &at, err);
        if (st != GR_OK)
            break;
        if (out->n > 2)
            run += out->runs[out->n - 2];
        if (out->n >= GR_RLE_MAX_RUNS)
            st = too_many(out->n + 1, err);
        else if (run < 0 || run > total)
            st = gr_fail(err, GR_ERR_FORMAT, "run %zu is %lld, expected 0 to %lld", out->n, (long long)run,
                         (long long)total);
        else
            st = add_run(out, (uint32_t)run, err);
    }
    return end(out, st, err);
}

gr_status gr_rle_from_mask(gr_rle *out, const gr_mask *mask, gr_error *err)
{
    gr_status st = begin(out, mask->rt, mask->height, mask->width, err);
    bool inside = false;
    uint32_t run = 0;
    for (int x = 0; x < mask->width && st == GR_OK; x++)
        for (int y = 0; y < mask->height && st == GR_OK; y++) {
            const bool v = mask->data[(size_t)y * (size_t)mask->width + (size_t)x] != 0;
            if (v != inside) {
                st = add_run(out, run, err);
                run = 0;
                inside = v;
            }
            run++;
        }
    if (st == GR_OK)
        st = add_run(out, run, err);
    return end(out, st, err);
}

gr_status gr_rle_to_mask(gr_mask **out, const gr_rle *r, gr_error *err)
{
    GR_TRY(gr_mask_new(out, r->rt, r->width, r->height, err));
    uint8_t *data = (*out)->data;
    const size_t w = (size_t)r->width;
    size_t x = 0, y = 0;
    for (size_t i = 0; i < r->n; i++) {
        for (uint32_t left = r->runs[i]; left > 0;) {
            const size_t here = (size_t)r->height - y < left ? (size_t)r->height - y : left;
            for (size_t k = 0; k < here && i % 2; k++)
                data[(y + k) * w + x] = 1;
            left -= (uint32_t)here;
            y += here;
            if (y == (size_t)r->height)
                y = 0, x++;
        }
    }
    return GR_OK;
}

gr_status gr_rle_to_text(gr_buf *out, const gr_rle *r, gr_error *err)
{
    for (size_t i = 0; i < r->n; i++) {
        int64_t v = (int64_t)r->runs[i] - (i > 2 ? (int64_t)r->runs[i - 2] : 0);
        bool more = true;
        while (more) {
            const int low = (int)(v & 31);
            v = (v - low) / 32; /* arithmetic shift, spelled out */
            more = low & 16 ? v != -1 : v != 0;
            const char c = (char)(48 + (low | (more ? 32 : 0)));
            gr_buf_add(out, &c, 1);
        }
    }
    return out->failed ? gr_fail(err, GR_ERR_MEM, "no memory for the text of %zu runs", r->n) : GR_OK;
}

uint64_t gr_rle_area(const gr_rle *r)
{
    uint64_t area = 0;
    for (size_t i = 1; i < r->n; i += 2)
        area += r->runs[i];
    return area;
}

void gr_rle_box(const gr_rle *r, double xywh[4])
{
    const uint64_t h = (uint64_t)r->height;
    uint64_t at = 0, x0 = UINT64_MAX, y0 = UINT64_MAX, x1 = 0, y1 = 0;
    for (size_t i = 0; i < r->n; at += r->runs[i++]) {
        if (i % 2 == 0 || r->runs[i] == 0)
            continue;
        const uint64_t last = at + r->runs[i] - 1;
        const bool one_column = at / h == last / h;
        const uint64_t top = one_column ? at % h : 0, bottom = one_column ? last % h : h - 1;
        x0 = at / h < x0 ? at / h : x0;
        x1 = last / h > x1 ? last / h : x1;
        y0 = top < y0 ? top : y0;
        y1 = bottom > y1 ? bottom : y1;
    }
    const bool any = x0 != UINT64_MAX;
    xywh[0] = any ? (double)x0 : 0;
    xywh[1] = any ? (double)y0 : 0;
    xywh[2] = any ? (double)(x1 - x0 + 1) : 0;
    xywh[3] = any ? (double)(y1 - y0 + 1) : 0;
}

/* --- two masks at once --------------------------------------------------------------------------- */

/* Walks two masks together: each step is the longest stretch on which neither changes. */
typedef struct {
    const gr_rle *rle[2];
    size_t next[2];   /* run after the present one */
    uint32_t left[2]; /* of the present run */
    bool value[2];
} pair_walk;

static void refill(pair_walk *w, int which)
{
    const gr_rle *r = w->rle[which];
    while (w->left[which] == 0 && w->next[which] < r->n) {
        w->value[which] = w->next[which] % 2 == 1;
        w->left[which] = r->runs[w->next[which]++];
    }
}

/* The length of the next stretch, 0 at the end. */
static uint32_t step(pair_walk *w)
{
    refill(w, 0);
    refill(w, 1);
    const uint32_t n = w->left[0] < w->left[1] ? w->left[0] : w->left[1];
    w->left[0] -= n;
    w->left[1] -= n;
    return n;
}

static bool same_size(const gr_rle *a, const gr_rle *b)
{
    return a->width == b->width && a->height == b->height;
}

gr_status gr_rle_merge(gr_rle *out, const gr_rle *a, const gr_rle *b, bool intersect, gr_error *err)
{
    *out = (gr_rle){ 0 };
    if (!same_size(a, b))
        return gr_fail(err, GR_ERR_SHAPE, "run-length masks of [%d, %d] and [%d, %d] cannot be merged",
                       a->height, a->width, b->height, b->width);
    gr_status st = begin(out, a->rt, a->height, a->width, err);
    pair_walk w = { .rle = { a, b } };
    bool inside = false;
    uint32_t run = 0, n;
    while (st == GR_OK && (n = step(&w)) > 0) {
        const bool v = intersect ? w.value[0] && w.value[1] : w.value[0] || w.value[1];
        if (v != inside) {
            st = add_run(out, run, err);
            run = 0;
            inside = v;
        }
        run += n;
    }
    if (st == GR_OK)
        st = add_run(out, run, err);
    return end(out, st, err);
}

double gr_rle_iou(const gr_rle *detection, const gr_rle *truth, bool crowd)
{
    if (!same_size(detection, truth))
        return -1;
    pair_walk w = { .rle = { detection, truth } };
    uint64_t both = 0, either = 0;
    for (uint32_t n; (n = step(&w)) > 0;) {
        both += w.value[0] && w.value[1] ? n : 0;
        either += w.value[0] || w.value[1] ? n : 0;
    }
    const uint64_t under = crowd ? gr_rle_area(detection) : either;
    return both == 0 ? 0 : (double)both / (double)under;
}
