#define _DEFAULT_SOURCE /* _SC_LEVEL3_CACHE_SIZE */
#include "bench/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "backend/cpu/kernels.h"
#include "base/runtime.h"
#include "grasp/bench.h"

/* First the kernel's own list: in a virtual machine the C library multiplies by processors that are not
 * there. */
size_t gr_machine_l3_bytes(void)
{
    char text[32] = "";
    FILE *f = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r");
    const bool read = f && fgets(text, sizeof text, f);
    if (f)
        fclose(f);
    if (read) {
        char *end;
        const unsigned long n = strtoul(text, &end, 10);
        return (size_t)n << (*end == 'K' ? 10 : *end == 'M' ? 20 : 0);
    }
#ifdef _SC_LEVEL3_CACHE_SIZE
    const long n = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return n > 0 ? (size_t)n : 0;
#else
    return 0;
#endif
}

/* Linux counts in KiB. */
size_t gr_machine_peak_bytes(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? (size_t)u.ru_maxrss * 1024 : 0;
}

static void read_processor(char *to, size_t n)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    to[0] = '\0';
    while (f && !to[0] && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon)
            snprintf(to, n, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    if (f)
        fclose(f);
}

gr_status gr_bench_describe(const gr_runtime *rt, gr_bench_machine *machine, gr_error *err)
{
    if (machine->size != sizeof *machine)
        return gr_fail(err, GR_ERR_ARG, "gr_bench_machine.size is %zu, this library expects %zu",
                       machine->size, sizeof *machine);
    gr_kernels kernels;
    gr_kernels_init(&kernels, rt->cpu_mask);
    machine->isa = kernels.name;
    machine->threads = gr_threads_count(rt->threads);
    machine->processors = gr_threads_available();
    machine->l3_bytes = gr_machine_l3_bytes();
    read_processor(machine->processor, sizeof machine->processor);
    return GR_OK;
}
