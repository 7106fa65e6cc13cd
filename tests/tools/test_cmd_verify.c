/* What the command says and how it ends. */
#include "test.h"

#include "cmd.h"
#include "options.h"
#include "support/outputs.h"

typedef struct {
    char out[20000], err[20000];
} said;

static void read_back(FILE *f, char *to, size_t n)
{
    rewind(f);
    to[fread(to, 1, n - 1, f)] = '\0';
    fclose(f);
}

/* Runs `grasp verify` with these arguments, NULL at the end. Returns its exit code. */
static int verify(said *s, const char *const *argv)
{
    static char values[1024];
    const char *args[16];
    gr_error err = { 0 };
    int argc = 0;
    cli app = { .command = &cmd_verify, .args = args };
    cli_binding bindings[CLI_MAX_BINDINGS];
    size_t n = 0;
    while (argv[argc])
        argc++;
    memset(values, 0, sizeof values);
    assert_true(cmd_verify.values_bytes <= sizeof values);
    app.out = (cli_output){ .results = tmpfile(), .log = tmpfile(), .name = "grasp verify" };
    for (; n < cmd_verify.n_tables; n++)
        bindings[n] = (cli_binding){ &cmd_verify.tables[n], values + cmd_verify.tables[n].base };
    bindings[n++] = (cli_binding){ &cli_model_table, &app.common };
    bindings[n++] = (cli_binding){ &cli_output_table, &app.common };
    MUST(cli_options_read(bindings, n, argc, argv, args, &app.n_args, &err));
    cli_progress_init(&app.progress, app.out.log, CLI_PROGRESS_NONE);
    app.out.progress = &app.progress;
    const int code = cmd_verify.run(&app, values);
    cli_options_free(bindings, n);
    read_back(app.out.results, s->out, sizeof s->out);
    read_back(app.out.log, s->err, sizeof s->err);
    return code;
}

#define VERIFY(s, ...) verify(s, (const char *const[]){ __VA_ARGS__, NULL })
#define HAS(text, part)                                                \
    do {                                                               \
        if (!strstr(text, part))                                       \
            fail_msg("'%s' is not in what was said:\n%s", part, text); \
    } while (0)

static void a_folder_is_checked_and_open_questions_are_listed(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    test_outputs o;
    said s;
    test_outputs_make(rt, &o);
    assert_int_equal(VERIFY(&s, o.model.path), CLI_EXIT_OK);
    HAS(s.out, "values    good  all ");
    HAS(s.out, "prompt    good  ");
    HAS(s.out, "Unverified, as no file states it:\n  roi_mode (Q2)");
    assert_string_equal(s.err, "");
    assert_int_equal(VERIFY(&s, "--model", o.model.path, "--json"), CLI_EXIT_OK);
    HAS(s.out, "\"checks\":[{\"name\":\"tensors\",\"good\":true,\"says\":\"");
    HAS(s.out, "\"unverified\":[\"roi_mode (Q2)");
    assert_int_equal(VERIFY(&s, "/no/such/model"), CLI_EXIT_MODEL);
    HAS(s.err, "/no/such/model");
    assert_string_equal(s.out, "");
    assert_int_equal(VERIFY(&s, "--json"), CLI_EXIT_USAGE);
    test_dir_write(&o.model, "tokenizer_config.json", "[]", 2);
    assert_int_equal(VERIFY(&s, o.model.path), CLI_EXIT_BELOW);
    HAS(s.out, "clean-up  BAD   ");
    HAS(s.err, "clean-up: ");
    test_outputs_remove(&o);
    gr_runtime_free(rt);
}

static void the_winner_is_named_and_the_exit_code_tells(void **state)
{
    (void)state;
    static const char grid[] = "max_tiles=4,mask_resample=nearest";
    gr_runtime *rt = test_runtime();
    test_outputs o;
    said s;
    test_outputs_make(rt, &o);
    test_outputs_write(rt, &o, "released,roi_mode=paper", 4);
    assert_int_equal(VERIFY(&s, o.model.path, "--reference", o.reference, "--grid", grid, "--numerics=exact",
                            "--max-tokens=24"),
                     CLI_EXIT_OK);
    HAS(s.out, "   4 100%  100.0%  roi_mode=paper double_bos=on mask_resample=nearest max_tiles=4  *\n");
    HAS(s.out, "4 of 4 items compared, 0 left out, 16 answers generated\n");
    HAS(s.out, "the published texts were made with: roi_mode=paper double_bos=on");
    assert_int_equal(remove(test_dir_file(&o.dir, "images/1.ppm")), 0);
    assert_int_equal(VERIFY(&s, o.model.path, "--reference", o.reference, "--grid", grid, "--numerics=exact",
                            "--max-tokens=24", "--json"),
                     CLI_EXIT_OK);
    HAS(s.out, "\"items\":4,\"compared\":3,\"skipped\":1,");
    HAS(s.out, "\"reproduced\":true,\"winner\":\"roi_mode=paper double_bos=on ");
    HAS(s.err, "warning: images/1.ppm is left out: ");
    /* without the combination that made them */
    assert_int_equal(VERIFY(&s, o.model.path, "--reference", o.reference, "--grid",
                            "max_tiles=4,mask_resample=nearest,roi_mode=released", "--numerics=exact",
                            "--max-tokens=24"),
                     CLI_EXIT_BELOW);
    HAS(s.out, "no combination reproduces 0.9 of the texts\n");
    test_outputs_remove(&o);
    gr_runtime_free(rt);
}

static void what_cannot_be_compared_is_an_error_without_results(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    test_outputs o;
    said s;
    test_outputs_make(rt, &o);
    test_dir_write(&o.dir, "outputs.json", "[{\"image\": 7}]", 14);
    assert_int_equal(VERIFY(&s, o.model.path, "--reference", o.reference, "--json"), CLI_EXIT_INPUT);
    HAS(s.err, "outputs.json: line 1, column 12");
    assert_string_equal(s.out, "");
    assert_int_equal(VERIFY(&s, o.model.path, "--reference", "/no/such/file"), CLI_EXIT_INPUT);
    HAS(s.err, "/no/such/file");
    assert_int_equal(VERIFY(&s, o.model.path, "--reference", o.reference, "--grid", "roi=1"), CLI_EXIT_USAGE);
    HAS(s.err, "there is no switch 'roi'");
    test_outputs_remove(&o);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_checked_and_open_questions_are_listed),
        cmocka_unit_test(the_winner_is_named_and_the_exit_code_tells),
        cmocka_unit_test(what_cannot_be_compared_is_an_error_without_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
