/* The rows of all subcommands: what help, man page, JSON and completions are made from is there, and one name
 * means one thing. */
#include "test.h"

#include <ctype.h>

#include "cmd.h"
#include "options.h"
#include "rows.h"

#define EACH_COMMAND(c) for (const cli_command *const *c = cli_commands; *c; c++)

/* Calls `see` with every option of a subcommand. */
static void each_option(const cli_command *c, void (*see)(const cli_command *, const cli_option *))
{
    const cli_table *t;
    for (size_t i = 0; (t = cli_table_at(c, i)); i++) {
        assert_true(t->title && t->title[0] && t->count > 0);
        for (size_t k = 0; k < t->count; k++)
            see(c, &t->rows[k]);
    }
}

static void every_command_is_explained(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        const cli_command *row = *c;
        char call[64];
        assert_true(row->name && row->arguments && row->run);
        assert_true(row->summary && row->summary[0] && row->summary[strlen(row->summary) - 1] != '.');
        assert_true(row->about && row->about[strlen(row->about) - 1] == '.');
        assert_true(row->examples && row->examples[0]);
        snprintf(call, sizeof call, "grasp %s", row->name);
        cli_word line;
        for (const char *rest = row->examples; cli_next_word(&line, &rest, "\n");) {
            assert_memory_equal(line.at, "  ", 2);
            const char *found = strstr(line.at, call);
            assert_true(found && found < line.at + line.n); /* it shows this command and not another one */
        }
    }
}

static void usage_and_numbers_of_arguments_agree(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        int n = 0;
        cli_word word;
        while (cli_argument_at(*c, (size_t)n, &word)) {
            assert_true(word.n > 0 && word.at[0] != '[' && word.at[word.n - 1] != ']');
            n++;
        }
        if ((*c)->max_args >= 0)
            assert_int_equal(n, (*c)->max_args);
        assert_true((*c)->min_args <= n);
    }
}

static void see_help(const cli_command *c, const cli_option *o)
{
    (void)c;
    char says[CLI_SAYS_MAX], env[64];
    assert_true(o->name && o->name[0]);
    for (const char *p = o->name; *p; p++)
        assert_true(islower((unsigned char)*p) || *p == '-');
    assert_true(o->help && strlen(o->help) > 4);
    const char *end = o->help + strlen(o->help); /* no full stop, but perhaps dots */
    assert_true(end[-1] != '.' || strcmp(end - 3, "...") == 0);
    assert_true(cli_option_brief(o) > 0 && cli_option_brief(o) < 120);
    cli_option_says(says, o);
    assert_true(strlen(says) + 1 < sizeof says);
    cli_option_env(env, o->name);
    const bool takes = o->kind != CLI_FLAG && o->kind != CLI_COUNT;
    assert_true(takes == (o->value != NULL));
    assert_true(takes == (cli_value_of_option(o) != CLI_VALUE_NONE));
}

static void every_option_is_explained(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    each_option(*c, see_help);
}

/* Every pair of options, of one command or of two. */
static void see_pair(const cli_command *ca, const cli_option *a, const cli_command *cb, const cli_option *b)
{
    const bool same_name = strcmp(a->name, b->name) == 0;
    if (ca == cb && a != b)
        assert_false(same_name);
    if (a->letter && a->letter == b->letter)
        assert_true(same_name); /* -n is one option, wherever it is */
    if (same_name)
        assert_int_equal(a->kind, b->kind); /* they share an environment variable */
}

static const cli_command *outer_command;
static const cli_option *outer;

static void see_inner(const cli_command *c, const cli_option *o) { see_pair(outer_command, outer, c, o); }

static void see_outer(const cli_command *c, const cli_option *o)
{
    outer_command = c;
    outer = o;
    EACH_COMMAND(other)
    each_option(*other, see_inner);
}

static void names_and_letters_mean_one_thing(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    each_option(*c, see_outer);
}

static void the_name_of_a_value_says_what_completes_it(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cli_value value;
    } cases[] = {
        { "DIR", CLI_VALUE_FOLDER },
        { "FILE", CLI_VALUE_FILE },
        { "DIR|FILE", CLI_VALUE_FILE },
        { "FILE|DIR", CLI_VALUE_FILE },
        { "OUT.png", CLI_VALUE_FILE },
        { "FILE.safetensors", CLI_VALUE_FILE },
        { "IMAGE", CLI_VALUE_FILE },
        { "COMMAND", CLI_VALUE_COMMAND },
        { "bash|zsh|fish", CLI_VALUE_WORDS },
        { "N", CLI_VALUE_ANY },
        { "all|NAME=VALUE,...", CLI_VALUE_ANY },
        { "TEXT|-", CLI_VALUE_ANY },
        { "FILEX", CLI_VALUE_ANY },
        { "QUESTION", CLI_VALUE_ANY },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(cli_value_of_argument((cli_word){ cases[i].name, strlen(cases[i].name) }),
                         cases[i].value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_explained),
        cmocka_unit_test(usage_and_numbers_of_arguments_agree),
        cmocka_unit_test(every_option_is_explained),
        cmocka_unit_test(names_and_letters_mean_one_thing),
        cmocka_unit_test(the_name_of_a_value_says_what_completes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
