/* features.c - which kernel sets this processor can run, and the choice among them. */
#include "backend/cpu/kernels.h"

#include "grasp/runtime.h"

unsigned gr_cpu_features(void)
{
    unsigned found = 0;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        found |= GR_CPU_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        found |= GR_CPU_AVX512;
    if ((found & GR_CPU_AVX512) && __builtin_cpu_supports("avx512bf16"))
        found |= GR_CPU_AVX512_BF16;
#elif defined(__aarch64__)
    found |= GR_CPU_NEON;
#endif
    return found;
}

void gr_kernels_init(gr_kernels *k, unsigned cpu)
{
    static const struct {
        unsigned need;
        void (*add)(gr_kernels *);
    } layers[] = {
#if defined(__x86_64__)
        { GR_CPU_AVX2, gr_kernels_add_avx2 },
        { GR_CPU_AVX512, gr_kernels_add_avx512 }, /* later rows win */
        { GR_CPU_AVX512 | GR_CPU_AVX512_BF16, gr_kernels_add_avx512bf16 },
#elif defined(__aarch64__)
        { GR_CPU_NEON, gr_kernels_add_neon },
#else
        { 0, 0 },
#endif
    };
    cpu &= gr_cpu_features();
    *k = gr_kernels_ref;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (layers[i].add && (cpu & layers[i].need) == layers[i].need)
            layers[i].add(k);
}
