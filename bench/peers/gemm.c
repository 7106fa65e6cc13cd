/* gemm.c - times linear layers in a library: `gemm about LIBRARY [PATH]` says what it is, `gemm run LIBRARY
 * [PATH]` reads cases and prints results. README.md beside this file has both formats. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "gemm.h"

static const gemm_library *const libraries[] = { &gemm_openblas, &gemm_onednn };

static const struct {
    const char *name;
    size_t bytes;
} types[GEMM_TYPES] = { [GEMM_F32] = { "f32", 4 }, [GEMM_BF16] = { "bf16", 2 } };

size_t gemm_type_bytes(gemm_type type) { return types[type].bytes; }

void *gemm_memory(size_t bytes)
{
    const size_t huge = (size_t)2 << 20, unit = bytes < huge ? 64 : huge;
    if (bytes > SIZE_MAX - unit)
        return NULL;
    const size_t size = (bytes + unit - 1) / unit * unit;
    void *p = aligned_alloc(unit, size);
    if (!p)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (unit == huge)
        madvise(p, size, MADV_HUGEPAGE); /* refused: ordinary pages */
#endif
    memset(p, GEMM_FILL, size);
    return p;
}

/* --- timing
 * ------------------------------------------------------------------------------------------------------- */

/* One token reads weights from memory: rotating over this much of them keeps caches out of it. */
#define COLD_BYTES ((size_t)512 << 20)

enum { MAX_COPIES = 64, MAX_SAMPLES = 4096 };

typedef struct {
    int n;
    double seconds[MAX_SAMPLES];
} samples;

typedef struct {
    double seconds; /* at least this long, */
    int repeats;    /* and at least so often */
} effort;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(samples *s, const gemm_library *library, void *const *layers, int copies, effort e)
{
    for (int i = 0; i < copies; i++)
        library->layer_run(layers[i]); /* warms up, and touches every copy */
    const double start = now();
    for (s->n = 0; s->n < MAX_SAMPLES && (s->n < e.repeats || now() - start < e.seconds); s->n++) {
        const double begin = now();
        library->layer_run(layers[s->n % copies]);
        s->seconds[s->n] = now() - begin;
    }
    qsort(s->seconds, (size_t)s->n, sizeof *s->seconds, ascending);
}

/* --- one case
 * ----------------------------------------------------------------------------------------------------- */

typedef struct {
    char name[128];
    gemm_shape shape;
} gemm_case;

static int copies_of(gemm_shape shape, gemm_type type)
{
    const size_t bytes = (size_t)shape.inputs * (size_t)shape.outputs * types[type].bytes;
    if (shape.rows > 1 || bytes >= COLD_BYTES)
        return 1;
    const size_t copies = (COLD_BYTES + bytes - 1) / bytes;
    return copies > MAX_COPIES ? MAX_COPIES : (int)copies;
}

/* Every element is the same number, so each sum is known; a library that did something else is not worth
 * timing. */
static bool did_the_work(gemm_shape shape, const float *y)
{
    float fill;
    memset(&fill, GEMM_FILL, sizeof fill);
    const float want = (float)shape.inputs * fill * fill, last = y[shape.rows * shape.outputs - 1];
    return y[0] > 0.97f * want && y[0] < 1.03f * want && last > 0.97f * want && last < 1.03f * want;
}

static void print_result(const gemm_case *c, gemm_type type, const samples *s)
{
    const double macs = (double)c->shape.inputs * (double)c->shape.outputs * (double)c->shape.rows;
    const bool one = c->shape.rows == 1;
    const double work = 1e-9 * macs * (one ? (double)types[type].bytes : 2.0), median = s->seconds[s->n / 2];
    printf("{\"name\":\"%s\",\"weights\":\"%s\",\"unit\":\"%s\",\"median\":%.4g,\"min\":%.4g,\"max\":%.4g,"
           "\"seconds_median\":%.6g,\"seconds_min\":%.6g,\"repeats\":%d}\n",
           c->name, types[type].name, one ? "GB/s" : "GFLOP/s", work / median, work / s->seconds[s->n - 1],
           work / s->seconds[0], median, s->seconds[0], s->n);
    fflush(stdout);
}

/* Measures one case in one type; false when the library gives a wrong result. What it cannot do is left out.
 */
static bool run_type(const gemm_library *library, const gemm_case *c, gemm_type type, effort e, const void *x,
                     float *y)
{
    static samples s;
    void *layers[MAX_COPIES] = { NULL };
    const int want = copies_of(c->shape, type);
    int copies = 0;
    while (copies < want && (layers[copies] = library->layer_new(c->shape, type, x, y)) != NULL)
        copies++;
    bool right = true;
    if (copies == want) {
        measure(&s, library, layers, copies, e);
        right = did_the_work(c->shape, y);
        if (right)
            print_result(c, type, &s);
        else
            fprintf(stderr, "%s gives a wrong product for %s in %s\n", library->name, c->name,
                    types[type].name);
    }
    for (int i = 0; i < copies; i++)
        library->layer_free(layers[i]);
    return right;
}

static bool run_case(const gemm_library *library, const gemm_case *c, effort e)
{
    const size_t n_in = (size_t)c->shape.rows * (size_t)c->shape.inputs,
                 n_out = (size_t)c->shape.rows * (size_t)c->shape.outputs;
    void *x = gemm_memory(n_in * sizeof(float));
    float *y = gemm_memory(n_out * sizeof(float));
    bool right = x && y;
    if (!right)
        fprintf(stderr, "no memory for %s\n", c->name);
    for (int type = 0; right && type < GEMM_TYPES; type++)
        if (library->types[type])
            right = run_type(library, c, (gemm_type)type, e, x, y);
    free(x);
    free(y);
    return right;
}

/* --- the command
 * -------------------------------------------------------------------------------------------------- */

/* A case is kind, name, rows, inputs, outputs with tabs between; what follows does not matter here. False:
 * not a linear layer. */
static bool read_case(char *line, gemm_case *c)
{
    char kind[32];
    return sscanf(line, "%31[^\t]\t%127[^\t]\t%ld\t%ld\t%ld", kind, c->name, &c->shape.rows, &c->shape.inputs,
                  &c->shape.outputs) == 5 &&
           (strcmp(kind, "product") == 0 || strcmp(kind, "row") == 0) && c->shape.rows > 0 &&
           c->shape.inputs > 0 && c->shape.outputs > 0 && c->shape.rows < 1 << 20 &&
           c->shape.inputs < 1 << 20 && c->shape.outputs < 1 << 20;
}

static double setting(const char *name, double otherwise)
{
    const char *text = getenv(name);
    char *end;
    const double value = text ? strtod(text, &end) : 0;
    return text && *text && *end == '\0' && value >= 0 && value < 1e6 ? value : otherwise;
}

static int run_cases(const gemm_library *library)
{
    const effort e = { setting("PEER_SECONDS", 0.3), (int)setting("PEER_REPEATS", 3) };
    char line[512];
    gemm_case c;
    while (fgets(line, sizeof line, stdin)) {
        if (read_case(line, &c) && !run_case(library, &c, e))
            return 1;
        printf("\n"); /* the answers to this case end here */
        fflush(stdout);
    }
    return 0;
}

/* The first line: what the library is, or why it is missing. */
static void say_about(const char *member, char *text)
{
    for (char *c = text; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
            *c = '\'';
    printf("{\"%s\":\"%s\"}\n", member, text);
    fflush(stdout);
}

static const gemm_library *library_named(const char *name)
{
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (strcmp(libraries[i]->name, name) == 0)
            return libraries[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const gemm_library *library = argc == 2 || argc == 3 ? library_named(argv[1]) : NULL;
    if (!library) {
        fprintf(stderr, "usage: gemm openblas|onednn [PATH]\n");
        return 2;
    }
    char text[512];
    const bool there = library->open(argc == 3 ? argv[2] : NULL, text, sizeof text);
    say_about(there ? "about" : "missing", text);
    return there ? run_cases(library) : 1;
}
