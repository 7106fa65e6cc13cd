#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "test.h"

#include "support/kernel_sets.h"

#include <sys/mman.h>

#include "base/half.h"
#include "base/rng.h"

const kernel_set kernel_sets[] = { { "plain C", 0, false },
                                   { "AVX2", GR_CPU_AVX2, true },
                                   { "AVX-512", GR_CPU_AVX2 | GR_CPU_AVX512, true },
                                   { "AVX-512 BF16", GR_CPU_AVX2 | GR_CPU_AVX512 | GR_CPU_AVX512_BF16, true },
                                   { "NEON", GR_CPU_NEON, true } };
const size_t n_kernel_sets = sizeof kernel_sets / sizeof *kernel_sets;

bool kernel_set_open(const kernel_set *set, gr_kernels *k)
{
    gr_kernels_init(k, set->cpu);
    if ((gr_cpu_features() & set->cpu) == set->cpu)
        return true;
    printf("SKIP %s: this processor has not its instructions\n", set->name);
    return false;
}

/* --- numbers ------------------------------------------------------------------------------------------- */

static double uniform(uint64_t stream, size_t i) { return gr_uniform(KERNEL_SEED, stream, i); }

static float ordinary(uint64_t stream, size_t i) { return (float)(2 * uniform(stream, i) - 1); }

/* Products of two overflow, and so do sums of many. */
static float huge(uint64_t stream, size_t i) { return 1e30f * ordinary(stream, i); }

/* Normal and subnormal, down to the smallest; products of two vanish, with ordinary numbers they are
 * subnormal. */
static float tiny(uint64_t stream, size_t i) { return ldexpf(ordinary(stream, i), -(int)(120 + i % 30)); }

static float zeros(uint64_t stream, size_t i)
{
    static const float some[] = { 0.0f, -0.0f, 1.0f, -1.0f };
    return some[(int)(4 * uniform(stream, i))];
}

/* About one in forty is no number. */
static float no_numbers(uint64_t stream, size_t i)
{
    static const float some[] = { INFINITY, -INFINITY, NAN };
    const double u = 120 * uniform(stream, i);
    return u < 3 ? some[(int)u] : ordinary(stream + 100, i);
}

/* Of all sizes: the order of sums shows in the last bits of nearly every result. */
static float mixed(uint64_t stream, size_t i)
{
    return ldexpf(ordinary(stream, i), (int)(40 * uniform(stream + 100, i)) - 20);
}

const number_kind number_kinds[] = { { "ordinary", ordinary }, { "mixed", mixed },
                                     { "huge", huge },         { "tiny", tiny },
                                     { "zeros", zeros },       { "infinite and NaN", no_numbers } };
const size_t n_number_kinds = sizeof number_kinds / sizeof *number_kinds;

/* --- memory -------------------------------------------------------------------------------------------- */

#define BEFORE  64
#define PATTERN 0xA5

void fence_open(fence *f, size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    *f = (fence){ .room = (BEFORE + bytes + 2 * page - 1) / page * page };
    void *map = mmap(NULL, f->room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    f->map = map;
    assert_int_equal(mprotect(f->map + f->room, page, PROT_NONE), 0);
}

void *fence_place(fence *f, size_t bytes, size_t gap)
{
    assert_true(BEFORE + bytes + gap <= f->room);
    f->bytes = bytes, f->gap = gap;
    f->at = f->map + f->room - gap - bytes;
    memset(f->at - BEFORE, PATTERN, BEFORE);
    memset(f->at + bytes, PATTERN, gap);
    return f->at;
}

bool fence_whole(const fence *f)
{
    bool whole = true;
    for (size_t i = 0; i < BEFORE; i++)
        whole &= f->at[-1 - (ptrdiff_t)i] == PATTERN;
    for (size_t i = 0; i < f->gap; i++)
        whole &= f->at[f->bytes + i] == PATTERN;
    return whole;
}

void fence_close(fence *f)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(f->map, f->room + page);
}

/* --- failing ------------------------------------------------------------------------------------------- */

void kernel_differs(const kernel_set *set, float got, float want, const char *where, ...)
{
    char text[256];
    va_list args;
    va_start(args, where);
    vsnprintf(text, sizeof text, where, args);
    va_end(args);
    fail_msg("%s, seed %d, %s: %.9g (%08x), expected %.9g (%08x)", set->name, KERNEL_SEED, text, (double)got,
             gr_f32_bits(got), (double)want, gr_f32_bits(want));
}
