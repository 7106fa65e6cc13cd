/* log.h - lines for the caller's log callback; silent when there is none. */
#ifndef GR_BASE_LOG_H
#define GR_BASE_LOG_H

#include "grasp/runtime.h"

void gr_log(gr_runtime *rt, gr_log_level level, const char *fmt, ...) GR_PRINTF(3, 4);

#endif
