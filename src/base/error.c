#include "grasp/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

gr_status gr_fail(gr_error *err, gr_status status, const char *fmt, ...)
{
    if (err && err->status == GR_OK) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->msg, sizeof err->msg, fmt, ap);
        va_end(ap);
        err->status = status;
    }
    return status;
}

gr_status gr_error_prefix(gr_error *err, const char *fmt, ...)
{
    if (!err || err->status == GR_OK)
        return err ? err->status : GR_OK;
    char text[sizeof err->msg];
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n + 2 < sizeof text) {
        snprintf(text + n, sizeof text - (size_t)n, ": %.*s", (int)(sizeof text - (size_t)n - 3), err->msg);
        memcpy(err->msg, text, sizeof text);
    }
    return err->status;
}

const char *gr_status_text(gr_status status)
{
    static const char *const texts[] = {
#define X(name, text) text,
        GR_STATUS_TABLE(X)
#undef X
    };
    return (unsigned)status < GR_STATUS_COUNT ? texts[status] : "unknown status";
}
