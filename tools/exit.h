/* exit.h - exit codes, the same for every subcommand. */
#ifndef GRASP_CLI_EXIT_H
#define GRASP_CLI_EXIT_H

#include <grasp/error.h>

#define CLI_EXIT_TABLE(X)                                                     \
    X(OK, 0, "success")                                                       \
    X(PARTIAL, 1, "some items failed; the results of the others are written") \
    X(USAGE, 2, "the command line is wrong")                                  \
    X(INPUT, 3, "an input is missing or cannot be decoded")                   \
    X(MODEL, 4, "the model is missing, corrupt or not supported")             \
    X(LIMIT, 5, "out of memory, or over a limit")                             \
    X(NETWORK, 6, "the network or the hub failed")                            \
    X(BELOW, 7, "a verification or an evaluation is below its threshold")     \
    X(INTERRUPTED, 130, "interrupted (SIGINT)")                               \
    X(TERMINATED, 143, "terminated (SIGTERM)")

typedef enum {
#define X(name, code, text) CLI_EXIT_##name = (code),
    CLI_EXIT_TABLE(X)
#undef X
} cli_exit;

/* What was at work when the library failed. */
typedef enum { CLI_AT_INPUT, CLI_AT_MODEL } cli_place;

/* GR_ERR_CANCELLED gives the code of the signal that came. */
cli_exit cli_exit_of(gr_status status, cli_place place);

#endif
