#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/runtime.h"

void gr_log(gr_runtime *rt, gr_log_level level, const char *fmt, ...)
{
    if (!rt->log)
        return;
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    rt->log(rt->log_user, level, line);
}
