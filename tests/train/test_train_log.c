#include "test.h"

#include "train/train_log.h"

typedef struct {
    gr_runtime *rt;
    gr_train_log log;
} fixture;

static gr_status read_bytes(fixture *f, const char *text, size_t n, gr_error *err)
{
    const gr_source from = gr_source_of(text, n);
    return gr_train_log_read(&f->log, f->rt, &from, "log", err);
}

static gr_status read_text(fixture *f, const char *text, gr_error *err)
{
    gr_train_log_free(&f->log);
    return read_bytes(f, text, strlen(text), err);
}

static int setup(void **state)
{
    static fixture f;
    f = (fixture){ .rt = test_runtime() };
    f.log.rt = f.rt;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_train_log_free(&f->log);
    gr_runtime_free(f->rt);
    return 0;
}

/* "1 2 3" of the steps. */
static const char *steps_of(const gr_train_log *log)
{
    static char row[256];
    size_t at = 0;
    row[0] = '\0';
    for (size_t i = 0; i < log->records.n; i++)
        at += (size_t)snprintf(row + at, sizeof row - at, "%s%.0f", i ? " " : "", log->records.at[i].step);
    return row;
}

static void a_line_is_a_record_a_validation_or_an_event(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    MUST(read_text(f,
                   "{\"step\":0,\"event\":\"begun\"}\n"
                   "{\"step\":1,\"epoch\":0,\"loss\":2.5,\"lr\":1e-5,\"norm\":3,\"more\":[{\"step\":9}]}\n"
                   "\r\n"
                   "{\"step\":1,\"validation_loss\":2.25,\"validation_samples\":8}\n"
                   "{\"step\":2,\"loss\":null,\"lr\":2e-5}\n"
                   "{\"step\":3,\"later\":\"event\"}\n"
                   "{\"step\":2,\"event\":\"failed\",\"says\":\"no \\u00e4\"}\n",
                   &err));
    assert_string_equal(steps_of(&f->log), "1 2");
    const gr_log_record *r = f->log.records.at;
    assert_true(r[0].loss == 2.5 && r[0].lr == 1e-5 && r[0].norm == 3);
    assert_true(isnan(r[1].loss) && r[1].lr == 2e-5 && isnan(r[1].norm));
    assert_int_equal(f->log.validations.n, 1);
    assert_true(f->log.validations.at[0].step == 1 && f->log.validations.at[0].loss == 2.25);
    assert_int_equal(f->log.event, GR_LOG_FAILED);
    assert_string_equal(f->log.says, "no \xc3\xa4");
    assert_true(f->log.step == 2);
}

#define RECORD(step) "{\"step\":" #step ",\"loss\":1}\n"

static void steps_that_were_made_again_replace_the_earlier_ones(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    MUST(read_text(f,
                   "{\"step\":0,\"event\":\"begun\"}\n" RECORD(1)
                       RECORD(2) "{\"step\":2,\"validation_loss\":5}\n" RECORD(
                           3) "{\"step\":3,\"validation_loss\":6}\n"
                              "{\"step\":2,\"event\":\"resumed\"}\n" RECORD(3),
                   &err));
    assert_string_equal(steps_of(&f->log), "1 2 3");
    assert_int_equal(f->log.validations.n, 1);
    assert_int_equal(f->log.resumed.n, 1);
    assert_int_equal(f->log.event, GR_LOG_RESUMED);

    /* Killed before it made a step: what was there after the checkpoint is gone. */
    MUST(read_text(f, RECORD(1) RECORD(2) RECORD(3) "{\"step\":1,\"event\":\"resumed\"}\n", &err));
    assert_string_equal(steps_of(&f->log), "1");
    assert_true(f->log.step == 1);

    /* Without a checkpoint to go on from it begins again. */
    MUST(read_text(f,
                   RECORD(1) "{\"step\":1,\"event\":\"resumed\"}\n" RECORD(
                       2) "{\"step\":0,\"event\":\"begun\"}\n" RECORD(1),
                   &err));
    assert_string_equal(steps_of(&f->log), "1");
    assert_int_equal(f->log.resumed.n, 0);

    /* Even where no event says so, steps ascend. */
    MUST(read_text(f, RECORD(1) RECORD(2) RECORD(3) RECORD(2), &err));
    assert_string_equal(steps_of(&f->log), "1 2");
}

static void a_log_may_be_read_while_it_is_written(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const char whole[] = RECORD(1) RECORD(2) "{\"step\":3,\"loss\":1}";
    const size_t first = strlen(RECORD(1)), second = 2 * first;
    for (size_t n = 0; n < sizeof whole; n++) {
        gr_train_log_free(&f->log);
        MUST(read_bytes(f, whole, n, &err));
        const bool last = n == sizeof whole - 1;
        /* A record counts from its bracket on, before its line has an end. */
        assert_int_equal(f->log.records.n, last ? 3 : n + 1 >= second ? 2 : n + 1 >= first ? 1 : 0);
    }
}

static void half_a_line_before_going_on_is_passed_over(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    MUST(read_text(f, RECORD(1) RECORD(2) "{\"step\":3,\"lo{\"step\":1,\"event\":\"resumed\"}\n" RECORD(2),
                   &err));
    assert_string_equal(steps_of(&f->log), "1 2");
    assert_int_equal(f->log.resumed.n, 1);
    MUST_FAIL(read_text(f, RECORD(1) "{\"step\":3,\"lo{\"step\":2,\"loss\":1}\n", &err), GR_ERR_FORMAT,
              "log: line 2");
}

static void what_is_no_log_is_refused_with_its_line(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "hello\n", "log: line 1, column 1: " },
        { RECORD(1) "[1]\n", "log: line 2, column 1: " },
        { RECORD(1) "\n{\"loss\":1}\n", "log: line 3, column 9: there is no 'step'" },
        { "{\"step\":1,\"loss\":1,\"loss\":2}\n", "line 1, column 20: 'loss' is there twice" },
        { "{\"step\":-1,\"loss\":1}\n", "line 1, column 9: " },
        { "{\"step\":1.5,\"loss\":1}\n", "line 1, column 9: " },
        { "{\"step\":1,\"loss\":\"1\"}\n", "line 1, column 18: " },
        { "{\"step\":1,\"loss\":1e999}\n", "beyond the range" },
        { "{\"step\":1,\"loss\":1} {}\n", "line 1, column 21: " },
        { "{\"step\":1,\"lo\n" RECORD(1), "log: line 1" }, /* not the last: nobody is writing it */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        MUST_FAIL(read_text(f, cases[i].text, &err), GR_ERR_FORMAT, cases[i].says);
        assert_null(f->log.records.at);
    }
}

static void a_line_has_a_longest_length(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const size_t n = 3 * GR_TRAIN_LOG_LINE_MAX;
    char *text = malloc(n);
    assert_non_null(text);
    memset(text, ' ', n);
    MUST_FAIL(read_bytes(f, text, n, &err), GR_ERR_LIMIT, "log: line 1 is longer than 131072 bytes");
    free(text);
}

/* Longer than a piece that is read at a time. */
static void a_long_log_is_read_in_pieces(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    enum { N = 60000 };
    char *text = malloc(N * 48);
    size_t n = 0;
    assert_non_null(text);
    for (int i = 1; i <= N; i++)
        n += (size_t)sprintf(text + n, "{\"step\":%d,\"loss\":%d.5,\"x\":0}\n", i, i);
    assert_true(n > (1 << 20));
    MUST(read_bytes(f, text, n, &err));
    assert_int_equal(f->log.records.n, N);
    for (int i = 0; i < N; i++)
        assert_true(f->log.records.at[i].step == i + 1 && f->log.records.at[i].loss == i + 1.5);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_record_a_validation_or_an_event),
        cmocka_unit_test(steps_that_were_made_again_replace_the_earlier_ones),
        cmocka_unit_test(a_log_may_be_read_while_it_is_written),
        cmocka_unit_test(half_a_line_before_going_on_is_passed_over),
        cmocka_unit_test(what_is_no_log_is_refused_with_its_line),
        cmocka_unit_test(a_line_has_a_longest_length),
        cmocka_unit_test(a_long_log_is_read_in_pieces),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
