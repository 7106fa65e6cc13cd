/* machine.h - what the system says of the processor. */
#ifndef GR_BENCH_MACHINE_H
#define GR_BENCH_MACHINE_H

#include <stddef.h>

/* Bytes of the last cache that one processor sees; 0: not known. */
size_t gr_machine_l3_bytes(void);

/* The most memory this process has held, in bytes; 0: not known. */
size_t gr_machine_peak_bytes(void);

#endif
