/* cpu.h - running a task on host memory; shared by the cpu and the check backend. */
#ifndef GR_BACKEND_CPU_CPU_H
#define GR_BACKEND_CPU_CPU_H

#include <stdbool.h>
#include "backend/backend.h"
#include "backend/cpu/kernels.h"
#include "base/threads.h"

/* Phase by phase, units in ascending or descending order. */
void gr_cpu_run_task(gr_threads *threads, const gr_task *t, bool descending);

#endif
