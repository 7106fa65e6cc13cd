/* signals.h - how the program stops.
 *
 * The first SIGINT or SIGTERM asks the work to stop, the second of either ends the process at once. SIGPIPE
 * and SIGXFSZ are ignored: a closed or full stdout is found by the write that fails (output.c), which asks in
 * the same way, as SIGPIPE or SIGXFSZ would. */
#ifndef GRASP_CLI_SIGNALS_H
#define GRASP_CLI_SIGNALS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "exit.h"

void cli_signals_install(void);

/* 0 until the work should stop, then the signal's number. For library calls that poll a flag. */
atomic_int *cli_signals_flag(void);
/* For library calls that poll a function; `user` is not used. */
bool cli_cancelled(void *user);

/* Asks the work to stop as signal `number` would; the first one counts. */
void cli_signals_raise(int number);

/* 130 after SIGINT, 143 after SIGTERM, 1 after a full stdout, 0 after a closed pipe or none of these. */
cli_exit cli_signals_exit(void);

#endif
