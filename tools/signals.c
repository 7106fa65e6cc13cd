#include "signals.h"

#include <signal.h>
#include <unistd.h>

/* The only state of the program outside `cli`: a handler has nothing else to reach. */
static atomic_int stop;

static cli_exit exit_of_signal(int number)
{
    static const struct {
        int number;
        cli_exit code;
    } codes[] = {
        { SIGINT, CLI_EXIT_INTERRUPTED },
        { SIGTERM, CLI_EXIT_TERMINATED },
        { SIGXFSZ, CLI_EXIT_PARTIAL },
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].number == number)
            return codes[i].code;
    return CLI_EXIT_OK;
}

static void on_signal(int number)
{
    int none = 0;
    if (!atomic_compare_exchange_strong(&stop, &none, number) && none != SIGPIPE)
        _exit(exit_of_signal(number));
}

void cli_signals_install(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

atomic_int *cli_signals_flag(void) { return &stop; }

bool cli_cancelled(void *user)
{
    (void)user;
    return atomic_load(&stop) != 0;
}

void cli_signals_raise(int number)
{
    int none = 0;
    atomic_compare_exchange_strong(&stop, &none, number);
}

cli_exit cli_signals_exit(void) { return exit_of_signal(atomic_load(&stop)); }
