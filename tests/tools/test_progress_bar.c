#include "test.h"

#include "progress.h"

static cli_progress at(cli_progress_mode mode, uint64_t done, uint64_t total, int width)
{
    return (cli_progress){ .stream = NULL,
                           .mode = mode,
                           .task = "describe",
                           .unit = "img",
                           .done = done,
                           .total = total,
                           .width = width };
}

static void shows(cli_progress p, double elapsed_s, const char *want)
{
    char text[400];
    cli_progress_text(text, sizeof text, &p, elapsed_s);
    assert_string_equal(text, want);
}

static void a_bar_fills_the_width_and_counts_in_tenths_of_a_cell(void **state)
{
    (void)state;
    shows(at(CLI_PROGRESS_BAR, 45, 100, 59), 12.5,
          "describe:  45%|####5     | 45/100 [00:12<00:15, 3.60img/s]");
    shows(at(CLI_PROGRESS_BAR, 100, 100, 60), 20,
          "describe: 100%|##########| 100/100 [00:20<00:00, 5.00img/s]");
    shows(at(CLI_PROGRESS_BAR, 0, 100, 48), 0, "describe:   0%|    | 0/100 [00:00<?, 0.00img/s]");
    shows(at(CLI_PROGRESS_BAR, 2, 8, 63), 7400,
          "describe:  25%|##5       | 2/8 [2:03:20<6:10:00, 3700.00s/img]");
}

static void a_narrow_terminal_gets_less_and_never_a_longer_line(void **state)
{
    (void)state;
    for (int width = 20; width < 200; width++) {
        cli_progress p = at(CLI_PROGRESS_BAR, 123456, 1000000, width);
        char text[400];
        cli_progress_text(text, sizeof text, &p, 60);
        assert_true(strlen(text) < (size_t)width);
        assert_non_null(strstr(text, "12%"));
    }
}

static void lines_give_counts_times_and_speed(void **state)
{
    (void)state;
    shows(at(CLI_PROGRESS_PLAIN, 45, 100, 80), 12.5, "describe: 45/100 [00:12<00:15, 3.60img/s]");
    shows(at(CLI_PROGRESS_PLAIN, 45, 0, 80), 12.5, "describe: 45img [00:12, 3.60img/s]");
    shows(at(CLI_PROGRESS_BAR, 45, 0, 80), 12.5, "describe: 45img [00:12, 3.60img/s]");
    shows(at(CLI_PROGRESS_JSON, 45, 100, 80), 12.5,
          "{\"progress\":{\"task\":\"describe\",\"done\":45,\"total\":100,\"unit\":\"img\",\"rate\":3.6}}");
    shows(at(CLI_PROGRESS_JSON, 0, 0, 80), 0,
          "{\"progress\":{\"task\":\"describe\",\"done\":0,\"total\":null,\"unit\":\"img\",\"rate\":0}}");
}

static cli_progress bytes_at(cli_progress_mode mode, uint64_t done, uint64_t total)
{
    cli_progress p = at(mode, done, total, 80);
    p.unit = "B";
    return p;
}

static void bytes_are_scaled_where_people_read_them(void **state)
{
    (void)state;
    shows(bytes_at(CLI_PROGRESS_PLAIN, 1230000000, 3070000000), 3,
          "describe: 1.23 GB/3.07 GB [00:03<00:04, 410 MB/s]");
    shows(bytes_at(CLI_PROGRESS_PLAIN, 999499, 0), 1, "describe: 999 kB [00:01, 999 kB/s]");
    shows(bytes_at(CLI_PROGRESS_PLAIN, 999500, 0), 2000, "describe: 1 MB [33:20, 500 B/s]");
    shows(bytes_at(CLI_PROGRESS_JSON, 1230000000, 3070000000), 3,
          "{\"progress\":{\"task\":\"describe\",\"done\":1230000000,\"total\":3070000000,\"unit\":\"B\","
          "\"rate\":410000000}}");
}

/* What a run of 3 items leaves on a stream that is no terminal. */
static void leaves(cli_progress_mode mode, const char *want)
{
    char text[400] = "";
    FILE *f = tmpfile();
    assert_non_null(f);
    cli_progress p;
    cli_progress_init(&p, f, mode);
    cli_progress_begin(&p, "task", "it", 3);
    for (uint64_t i = 1; i <= 3; i++)
        cli_progress_set(&p, i);
    cli_progress_end(&p);
    cli_progress_end(&p);
    rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    if (want[0] == '*')
        assert_non_null(strstr(text, want + 1));
    else
        assert_string_equal(text, want);
}

static void short_work_leaves_no_lines_but_json_ends_with_the_last_state(void **state)
{
    (void)state;
    leaves(CLI_PROGRESS_AUTO, "");
    leaves(CLI_PROGRESS_PLAIN, "");
    leaves(CLI_PROGRESS_NONE, "");
    leaves(CLI_PROGRESS_JSON, "*{\"progress\":{\"task\":\"task\",\"done\":3,\"total\":3,");
    leaves(CLI_PROGRESS_BAR, "*\rtask: 100%|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_fills_the_width_and_counts_in_tenths_of_a_cell),
        cmocka_unit_test(a_narrow_terminal_gets_less_and_never_a_longer_line),
        cmocka_unit_test(lines_give_counts_times_and_speed),
        cmocka_unit_test(bytes_are_scaled_where_people_read_them),
        cmocka_unit_test(short_work_leaves_no_lines_but_json_ends_with_the_last_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
