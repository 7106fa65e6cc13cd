/* test.h - what every test file includes: cmocka, a runtime, and where golden and shared data lie. */
#ifndef GR_TEST_H
#define GR_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "grasp/error.h"
#include "grasp/runtime.h"

/* A file of the repository's tests folder, and one of the published data beside the project. */
#define TEST_FILE(name)   GR_TEST_ROOT "/" name
#define SHARED_FILE(name) GR_SHARED_DATA "/" name

/* Skips the calling test, saying why, when a file of the published data is not there. */
#define NEED_SHARED(name)                                                       \
    do {                                                                        \
        if (access(SHARED_FILE(name), R_OK) != 0) {                             \
            printf("SKIP %s: ../shared/data/%s is not here\n", __func__, name); \
            skip();                                                             \
        }                                                                       \
    } while (0)

/* Fails with the library's sentence when a call does not succeed. `err` is a gr_error in scope. */
#define MUST(call)                              \
    do {                                        \
        if ((call) != GR_OK)                    \
            fail_msg("%s: %s", #call, err.msg); \
    } while (0)

/* Fails unless the call gives exactly this status and a sentence that contains `part`. */
#define MUST_FAIL(call, want, part)                                                                    \
    do {                                                                                               \
        err = (gr_error){ 0 };                                                                         \
        const gr_status got_ = (call);                                                                 \
        if (got_ != (want) || !strstr(err.msg, part))                                                  \
            fail_msg("%s: status %d, message '%s'; expected %d with '%s'", #call, got_, err.msg, want, \
                     part);                                                                            \
        err = (gr_error){ 0 };                                                                         \
    } while (0)

/* cpu_mask: GR_CPU_* bits that may be used; 0 is plain C. */
static inline gr_runtime *test_runtime_cpu(int n_threads, unsigned cpu_mask)
{
    gr_runtime *rt = NULL;
    gr_error err = { 0 };
    gr_runtime_options o;
    gr_runtime_options_init(&o);
    o.n_threads = n_threads;
    o.cpu_mask = cpu_mask;
    MUST(gr_runtime_new(&rt, &o, &err));
    return rt;
}

#if defined(__SANITIZE_THREAD__)
#define TEST_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_THREAD_SANITIZER 1
#endif
#endif
#ifndef TEST_THREAD_SANITIZER
#define TEST_THREAD_SANITIZER 0
#endif

static inline gr_runtime *test_runtime_threads(int n_threads) { return test_runtime_cpu(n_threads, ~0u); }

static inline gr_runtime *test_runtime(void) { return test_runtime_threads(2); }

#endif
