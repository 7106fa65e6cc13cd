/* wilson.h - how sure a part is that was counted. */
#ifndef GR_EVAL_WILSON_H
#define GR_EVAL_WILSON_H

#include <stddef.h>

/* The score interval of Wilson (1927) at 95 %; of nothing it is 0 to 1. */
void gr_wilson(size_t correct, size_t n, double *low, double *high);

#endif
