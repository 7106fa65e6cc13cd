#include "test.h"

#include <signal.h>
#include <sys/wait.h>

#include "signals.h"

/* How a process ends that gets n signals of one kind and then returns what cli_signals_exit says. */
static int ends_with(int number, int n)
{
    const pid_t child = fork();
    if (child == 0) {
        cli_signals_install();
        for (int i = 0; i < n; i++)
            raise(number);
        if (number != SIGPIPE && number != SIGXFSZ && atomic_load(cli_signals_flag()) != (n ? number : 0))
            _exit(99);
        _exit(n > 1 ? 98 : (int)cli_signals_exit());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void the_first_signal_asks_and_gives_the_exit_code(void **state)
{
    (void)state;
    assert_int_equal(ends_with(SIGINT, 0), 0);
    assert_int_equal(ends_with(SIGINT, 1), 130);
    assert_int_equal(ends_with(SIGTERM, 1), 143);
    assert_int_equal(ends_with(SIGPIPE, 1), 0);
    assert_int_equal(ends_with(SIGXFSZ, 1), 0); /* ignored, as SIGPIPE is: the write that fails tells */
}

static void the_second_signal_ends_the_process_at_once(void **state)
{
    (void)state;
    assert_int_equal(ends_with(SIGINT, 2), 130);
    assert_int_equal(ends_with(SIGTERM, 2), 143);
}

static void statuses_of_the_library_become_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(cli_exit_of(GR_OK, CLI_AT_MODEL), 0);
    assert_int_equal(cli_exit_of(GR_ERR_ARG, CLI_AT_MODEL), 2);
    assert_int_equal(cli_exit_of(GR_ERR_IO, CLI_AT_INPUT), 3);
    assert_int_equal(cli_exit_of(GR_ERR_FORMAT, CLI_AT_INPUT), 3);
    assert_int_equal(cli_exit_of(GR_ERR_IO, CLI_AT_MODEL), 4);
    assert_int_equal(cli_exit_of(GR_ERR_SHAPE, CLI_AT_MODEL), 4);
    assert_int_equal(cli_exit_of(GR_ERR_UNSUPPORTED, CLI_AT_MODEL), 4);
    assert_int_equal(cli_exit_of(GR_ERR_MEM, CLI_AT_MODEL), 5);
    assert_int_equal(cli_exit_of(GR_ERR_LIMIT, CLI_AT_INPUT), 5);
    cli_signals_raise(SIGTERM);
    cli_signals_raise(SIGINT); /* the first one counts */
    assert_int_equal(cli_exit_of(GR_ERR_CANCELLED, CLI_AT_MODEL), 143);
    assert_true(cli_cancelled(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_signal_asks_and_gives_the_exit_code),
        cmocka_unit_test(the_second_signal_ends_the_process_at_once),
        cmocka_unit_test(statuses_of_the_library_become_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
