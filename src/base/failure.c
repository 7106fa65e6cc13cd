#include "base/failure.h"

#include <stdarg.h>
#include <stdio.h>

void gr_failure_init(gr_failure *f)
{
    atomic_flag_clear(&f->lock);
    f->order = 0;
    f->err.status = GR_OK;
    f->err.msg[0] = '\0';
}

void gr_failure_note(gr_failure *f, size_t order, gr_status status, const char *fmt, ...)
{
    while (atomic_flag_test_and_set(&f->lock)) { /* held for one sentence, and failures are rare */
    }
    if (f->err.status == GR_OK || order < f->order) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(f->err.msg, sizeof f->err.msg, fmt, ap);
        va_end(ap);
        f->err.status = status;
        f->order = order;
    }
    atomic_flag_clear(&f->lock);
}

gr_status gr_failure_status(const gr_failure *f, gr_error *err)
{
    return f->err.status == GR_OK ? GR_OK : gr_fail(err, f->err.status, "%s", f->err.msg);
}
