/* kernel_sets.h - the kernel sets that a test walks, numbers to feed them, memory that ends at an unreadable
 * page, and a comparison of bits that says where it failed. */
#ifndef TEST_KERNEL_SETS_H
#define TEST_KERNEL_SETS_H

#include "backend/cpu/kernels.h"

typedef struct {
    const char *name;
    unsigned cpu; /* GR_CPU_* bits */
    bool fused;   /* products are rounded together with the sum */
} kernel_set;

extern const kernel_set kernel_sets[];
extern const size_t n_kernel_sets;

/* Fills the table when this processor runs the set; else says SKIP and gives false. */
bool kernel_set_open(const kernel_set *set, gr_kernels *k);

/* a * b + c as the set rounds it. */
static inline float kernel_step(const kernel_set *set, float a, float b, float c)
{
    return set->fused ? fmaf(a, b, c) : a * b + c;
}

/* Kinds of numbers; each holds draws of one seed, the same on every run. */
#define KERNEL_SEED 1

typedef struct {
    const char *name;
    float (*draw)(uint64_t stream, size_t i);
} number_kind;

extern const number_kind number_kinds[]; /* the first is numbers in -1..1 */
extern const size_t n_number_kinds;

/* Memory for at most `bytes` bytes. Each `place` gives `bytes` of it that end `gap` bytes before an
 * unreadable page: with gap 0 a read or write beyond the end is a crash. `whole`: nobody wrote the 64 bytes
 * before or the gap after. Contents of an earlier place are lost. */
typedef struct {
    uint8_t *map, *at;
    size_t room, bytes, gap;
} fence;

void fence_open(fence *f, size_t bytes);
void *fence_place(fence *f, size_t bytes, size_t gap);
bool fence_whole(const fence *f);
void fence_close(fence *f);

/* The same bits, or NaN both. */
static inline bool same_float(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* Fails the test with the set, the seed, where (a format) and both values. */
void kernel_differs(const kernel_set *set, float got, float want, const char *where, ...)
    __attribute__((format(printf, 4, 5)));

#define SAME(set, got, want, ...)                          \
    do {                                                   \
        const float got_ = (got), want_ = (want);          \
        if (!same_float(got_, want_))                      \
            kernel_differs(set, got_, want_, __VA_ARGS__); \
    } while (0)

/* The same for a value within `most` of what a double says. */
#define NEAR(set, got, want, most, ...)                           \
    do {                                                          \
        const float got_ = (got);                                 \
        const double want_ = (want);                              \
        if (!(fabs((double)got_ - want_) <= (most)))              \
            kernel_differs(set, got_, (float)want_, __VA_ARGS__); \
    } while (0)

#endif
