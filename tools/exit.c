#include "exit.h"

#include "signals.h"

cli_exit cli_exit_of(gr_status status, cli_place place)
{
    switch (status) {
    case GR_OK:
        return CLI_EXIT_OK;
    case GR_ERR_ARG:
        return CLI_EXIT_USAGE;
    case GR_ERR_MEM:
    case GR_ERR_LIMIT:
        return CLI_EXIT_LIMIT;
    case GR_ERR_CANCELLED:
        return cli_signals_exit();
    default:
        return place == CLI_AT_MODEL ? CLI_EXIT_MODEL : CLI_EXIT_INPUT;
    }
}
