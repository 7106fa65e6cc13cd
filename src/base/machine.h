/* machine.h - what the machine has. */
#ifndef GR_BASE_MACHINE_H
#define GR_BASE_MACHINE_H

#include <stddef.h>

/* Bytes of main memory, whoever uses it now; 0: the system does not say. */
size_t gr_machine_memory(void);

#endif
