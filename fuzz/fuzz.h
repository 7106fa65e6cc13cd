/* fuzz.h - a property of a fuzz target. A broken one ends the process, so that the fuzzer keeps the input. */
#ifndef GR_FUZZ_H
#define GR_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "grasp/error.h"
#include "grasp/runtime.h"

#define FUZZ_CHECK(cond)                                                                \
    do {                                                                                \
        if (!(cond)) {                                                                  \
            fprintf(stderr, "%s:%d: property broken: %s\n", __FILE__, __LINE__, #cond); \
            abort();                                                                    \
        }                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One single-threaded runtime for the whole run. */
static inline gr_runtime *fuzz_runtime(void)
{
    static gr_runtime *rt;
    if (!rt) {
        gr_runtime_options o;
        gr_runtime_options_init(&o);
        o.n_threads = 1;
        FUZZ_CHECK(gr_runtime_new(&rt, &o, NULL) == GR_OK);
    }
    return rt;
}

#endif
