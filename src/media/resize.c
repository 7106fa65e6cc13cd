#include "media/resize.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/runtime.h"

/* --- weights ------------------------------------------------------------------------------------- */

/* Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -0.5. */
static float cubic(float t)
{
    const float a = -0.5f;
    t = fabsf(t);
    if (t < 1.0f)
        return ((a + 2.0f) * t - (a + 3.0f)) * t * t + 1.0f;
    if (t < 2.0f)
        return ((a * t - 5.0f * a) * t + 8.0f * a) * t - 4.0f * a;
    return 0.0f;
}

/* The taps of output i. Where the original adds 0.5 it does so in double and rounds to float32 afterwards. */
static void set_taps(gr_resize_axis *axis, int i, float scale, float support, float inverse)
{
    const float centre = (float)((double)scale * ((double)i + 0.5));
    int lo = (int)((double)(centre - support) + 0.5), hi = (int)((double)(centre + support) + 0.5);
    lo = lo < 0 ? 0 : lo;
    hi = hi > axis->n_in ? axis->n_in : hi;
    int n = hi - lo;
    n = n < 0 ? 0 : n > axis->max_taps ? axis->max_taps : n;
    float *w = axis->weight + (size_t)i * (size_t)axis->max_taps;
    float sum = 0.0f;
    for (int k = 0; k < n; k++) {
        w[k] = cubic((float)(((double)((float)(k + lo) - centre) + 0.5) * (double)inverse));
        sum += w[k];
    }
    for (int k = 0; k < n && sum != 0.0f; k++)
        w[k] /= sum;
    axis->start[i] = lo;
    axis->count[i] = n;
}

gr_status gr_resize_axis_init(gr_resize_axis *axis, gr_runtime *rt, int n_in, int n_out, gr_error *err)
{
    *axis = (gr_resize_axis){ .n_in = n_in, .n_out = n_out };
    if (n_in < 1 || n_out < 1)
        return gr_fail(err, GR_ERR_ARG, "resizing %d to %d pixels; both are at least 1", n_in, n_out);
    const float scale = (float)n_in / (float)n_out;
    const float support = scale >= 1.0f ? 2.0f * scale : 2.0f;
    const float inverse = scale >= 1.0f ? (float)(1.0 / (double)scale) : 1.0f;
    axis->max_taps = (int)ceilf(support) * 2 + 1;
    axis->start = gr_malloc(rt, (size_t)n_out, sizeof *axis->start);
    axis->count = gr_malloc(rt, (size_t)n_out, sizeof *axis->count);
    axis->weight = gr_calloc(rt, (size_t)n_out, (size_t)axis->max_taps * sizeof *axis->weight);
    if (!axis->start || !axis->count || !axis->weight) {
        gr_resize_axis_fini(axis, rt);
        return gr_fail(err, GR_ERR_MEM, "no memory for the weights of resizing %d to %d pixels", n_in, n_out);
    }
    for (int i = 0; i < n_out; i++)
        set_taps(axis, i, scale, support, inverse);
    return GR_OK;
}

void gr_resize_axis_fini(gr_resize_axis *axis, gr_runtime *rt)
{
    gr_free(rt, axis->start);
    gr_free(rt, axis->count);
    gr_free(rt, axis->weight);
    *axis = (gr_resize_axis){ 0 };
}

/* --- the two passes ------------------------------------------------------------------------------ */

/* A unit of work is a band of output rows: its source rows are resized across into a worker's scratch, then
 * down. */
typedef struct {
    const uint8_t *in;
    uint8_t *out;
    gr_resize_axis x, y;
    int channels;
    int band_rows, max_source_rows;
    float *scratch;        /* [workers][max_source_rows + 1][x.n_out * channels]; the last row sums */
    size_t scratch_floats; /* of one worker */
} resize_job;

static void across_3(float *out, const uint8_t *in, const gr_resize_axis *axis)
{
    for (int i = 0; i < axis->n_out; i++) {
        const float *w = axis->weight + (size_t)i * (size_t)axis->max_taps;
        const uint8_t *p = in + 3 * (size_t)axis->start[i];
        float r = p[0] * w[0], g = p[1] * w[0], b = p[2] * w[0];
        for (int k = 1; k < axis->count[i]; k++) {
            r += p[3 * k] * w[k];
            g += p[3 * k + 1] * w[k];
            b += p[3 * k + 2] * w[k];
        }
        out[3 * i] = r, out[3 * i + 1] = g, out[3 * i + 2] = b;
    }
}

static void across_any(float *out, const uint8_t *in, const gr_resize_axis *axis, int channels)
{
    for (int i = 0; i < axis->n_out; i++) {
        const float *w = axis->weight + (size_t)i * (size_t)axis->max_taps;
        for (int c = 0; c < channels; c++) {
            const uint8_t *p = in + (size_t)axis->start[i] * (size_t)channels + c;
            float sum = p[0] * w[0];
            for (int k = 1; k < axis->count[i]; k++)
                sum += p[k * channels] * w[k];
            out[i * channels + c] = sum;
        }
    }
}

static void down(uint8_t *out, float *sum, const float *rows, size_t n, const float *w, int count)
{
    for (size_t j = 0; j < n; j++)
        sum[j] = rows[j] * w[0];
    for (int k = 1; k < count; k++) {
        const float *row = rows + (size_t)k * n, wk = w[k];
        for (size_t j = 0; j < n; j++)
            sum[j] += row[j] * wk;
    }
    for (size_t j = 0; j < n; j++) {
        const float v = sum[j] < 0.0f ? 0.0f : sum[j] > 255.0f ? 255.0f : sum[j];
        out[j] = (uint8_t)((v + 0x1.8p23f) - 0x1.8p23f); /* to nearest, ties to even */
    }
}

static void band_rows_of(const resize_job *job, size_t unit, int *first, int *end, int *source,
                         int *source_end)
{
    *first = (int)unit * job->band_rows;
    *end = *first + job->band_rows < job->y.n_out ? *first + job->band_rows : job->y.n_out;
    *source = job->y.start[*first];
    *source_end = job->y.start[*end - 1] + job->y.count[*end - 1];
}

static void resize_band(void *user, size_t unit, int worker)
{
    const resize_job *job = user;
    int first, end, source, source_end;
    band_rows_of(job, unit, &first, &end, &source, &source_end);
    const size_t n = (size_t)job->x.n_out * (size_t)job->channels;
    const size_t in_row = (size_t)job->x.n_in * (size_t)job->channels;
    float *rows = job->scratch + (size_t)worker * job->scratch_floats;
    float *sum = rows + (size_t)job->max_source_rows * n;
    for (int y = source; y < source_end; y++) {
        float *row = rows + (size_t)(y - source) * n;
        const uint8_t *in = job->in + (size_t)y * in_row;
        if (job->channels == 3)
            across_3(row, in, &job->x);
        else
            across_any(row, in, &job->x, job->channels);
    }
    for (int y = first; y < end; y++)
        down(job->out + (size_t)y * n, sum, rows + (size_t)(job->y.start[y] - source) * n, n,
             job->y.weight + (size_t)y * (size_t)job->y.max_taps, job->y.count[y]);
}

#define MAX_BAND_ROWS 64

/* Bands of about 256 source rows, so that the rows two neighbours both need are few. */
static size_t plan_bands(resize_job *job)
{
    const int rows = (int)(256.0 * job->y.n_out / job->y.n_in);
    job->band_rows = rows < 8 ? 8 : rows > MAX_BAND_ROWS ? MAX_BAND_ROWS : rows;
    const size_t n_units = ((size_t)job->y.n_out + (size_t)job->band_rows - 1) / (size_t)job->band_rows;
    for (size_t unit = 0; unit < n_units; unit++) {
        int first, end, source, source_end;
        band_rows_of(job, unit, &first, &end, &source, &source_end);
        if (source_end - source > job->max_source_rows)
            job->max_source_rows = source_end - source;
    }
    return n_units;
}

size_t gr_resize_bytes(int workers, int out_w, int channels)
{
    const size_t rows =
        4 * MAX_BAND_ROWS + 32; /* of the highest band at a scale of 7: 256 + 4 * 7 + 1, a sum */
    return (size_t)workers * rows * (size_t)out_w * (size_t)channels * sizeof(float);
}

gr_status gr_resize_bicubic(gr_runtime *rt, uint8_t *out, int out_w, int out_h, const uint8_t *in, int in_w,
                            int in_h, int channels, gr_error *err)
{
    if (channels < 1 || channels > 4)
        return gr_fail(err, GR_ERR_ARG, "resizing a picture of %d channels, expected 1 to 4", channels);
    resize_job job = { .in = in, .out = out, .channels = channels };
    gr_status st = gr_resize_axis_init(&job.x, rt, in_w, out_w, err);
    if (st == GR_OK)
        st = gr_resize_axis_init(&job.y, rt, in_h, out_h, err);
    if (st == GR_OK && in_w == out_w && in_h == out_h)
        memcpy(out, in, (size_t)in_w * (size_t)in_h * (size_t)channels);
    else if (st == GR_OK) {
        const size_t n_units = plan_bands(&job), workers = (size_t)gr_threads_count(rt->threads);
        job.scratch_floats = ((size_t)job.max_source_rows + 1) * (size_t)out_w * (size_t)channels;
        job.scratch = gr_malloc(rt, workers, job.scratch_floats * sizeof *job.scratch);
        if (!job.scratch)
            st = gr_fail(err, GR_ERR_MEM, "no memory to resize %d x %d to %d x %d pixels", in_w, in_h, out_w,
                         out_h);
        else
            gr_threads_run(rt->threads, n_units, resize_band, &job);
    }
    gr_free(rt, job.scratch);
    gr_resize_axis_fini(&job.x, rt);
    gr_resize_axis_fini(&job.y, rt);
    return st;
}

/* --- nearest ------------------------------------------------------------------------------------- */

int gr_nearest_index(int i, int n_in, int n_out)
{
    const float scale = (float)n_in / (float)n_out;
    const int j = (int)floorf((float)i * scale);
    return j < n_in - 1 ? j : n_in - 1;
}

void gr_resize_nearest(uint8_t *out, int out_w, int out_h, const uint8_t *in, int in_w, int in_h,
                       int channels)
{
    const size_t c = (size_t)channels, row = (size_t)out_w * c;
    int last = -1; /* source row of the output row above */
    for (int y = 0; y < out_h; y++) {
        const int sy = gr_nearest_index(y, in_h, out_h);
        uint8_t *to = out + (size_t)y * row;
        if (sy == last) {
            memcpy(to, to - row, row);
            continue;
        }
        const uint8_t *from = in + (size_t)sy * (size_t)in_w * c;
        for (int x = 0; x < out_w; x++)
            memcpy(to + (size_t)x * c, from + (size_t)gr_nearest_index(x, in_w, out_w) * c, c);
        last = sy;
    }
}
