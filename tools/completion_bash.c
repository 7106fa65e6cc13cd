/* completion_bash.c - for bash 3.2 and later, without the bash-completion package. The script is a frame that
 * knows how readline cuts words, and three functions that are tables. */
#include <string.h>

#include "completion.h"
#include "rows.h"

/* What the function of that name prints for a value. */
static void put_value(FILE *f, const cli *app, cli_value value, const char *words, size_t n)
{
    static const char *const names[] = {
        [CLI_VALUE_ANY] = "any",
        [CLI_VALUE_FILE] = "file",
        [CLI_VALUE_FOLDER] = "folder",
    };
    if (value == CLI_VALUE_WORDS || value == CLI_VALUE_COMMAND) {
        fputs("echo 'words ", f);
        if (value == CLI_VALUE_WORDS)
            cli_put_words(f, words, n);
        else
            cli_put_names(f, app);
        fputs("' ;;\n", f);
    } else
        fprintf(f, "echo %s ;;\n", names[value]);
}

static void put_options(FILE *f, const cli_command *c)
{
    const cli_table *t;
    fprintf(f, "    %s) echo '", c->name);
    for (size_t i = 0; (t = cli_table_at(c, i)); i++)
        for (size_t k = 0; k < t->count; k++)
            fprintf(f, "%s--%s", i + k ? " " : "", t->rows[k].name);
    fputs("' ;;\n", f);
}

static void put_option_values(FILE *f, const cli *app, const cli_command *c)
{
    const cli_table *t;
    for (size_t i = 0; (t = cli_table_at(c, i)); i++)
        for (size_t k = 0; k < t->count; k++) {
            const cli_option *o = &t->rows[k];
            const cli_value value = cli_value_of_option(o);
            if (value == CLI_VALUE_NONE)
                continue;
            fprintf(f, "    %s:--%s", c->name, o->name);
            if (o->letter)
                fprintf(f, " | %s:-%c", c->name, o->letter);
            fputs(") ", f);
            put_value(f, app, value, o->value, strlen(o->value));
        }
}

static void put_arguments(FILE *f, const cli *app, const cli_command *c)
{
    cli_word word;
    for (size_t i = 0; cli_argument_at(c, i, &word); i++) {
        fprintf(f, "    %s:%zu) ", c->name, i);
        put_value(f, app, cli_value_of_argument(word), word.at, word.n);
    }
}

static const char frame[] =
    "# _grasp_offer WORD KIND [WORDS]: what may stand for the beginning of a word\n"
    "_grasp_offer()\n"
    "{\n"
    "    local word=$1 kind=$2 line found=\n"
    "    shift 2\n"
    "    case $kind in\n"
    "    words) found=$(compgen -W \"$*\" -- \"$word\") ;;\n"
    "    file) found=$(compgen -f -- \"$word\") ;;\n"
    "    folder) found=$(compgen -d -- \"$word\") ;;\n"
    "    esac\n"
    "    case $kind in\n"
    "    file | folder) compopt -o filenames 2>/dev/null ;;\n"
    "    esac\n"
    "    while IFS= read -r line; do\n"
    "        [ -z \"$line\" ] || COMPREPLY+=(\"$line\")\n"
    "    done <<<\"$found\"\n"
    "}\n"
    "\n"
    "# _grasp_place: how many arguments stand before the cursor; readline gives '=' and ':' as words\n"
    "_grasp_place()\n"
    "{\n"
    "    local i n=0 only=\n"
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        case $only${COMP_WORDS[i]} in\n"
    "        --) only=yes ;;\n"
    "        = | :) ((i++)) ;;\n"
    "        -?*)\n"
    "            [ -z \"$(_grasp_value \"$1:${COMP_WORDS[i]}\")\" ] || [ \"${COMP_WORDS[i + 1]}\" = = ] || "
    "((i++)) ;;\n"
    "        *) ((n++)) ;;\n"
    "        esac\n"
    "    done\n"
    "    echo \"$n\"\n"
    "}\n"
    "\n"
    "_grasp()\n"
    "{\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}\n"
    "    local joined= i\n"
    "    COMPREPLY=()\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        _grasp_offer \"$word\" words \"$(_grasp_commands) --help --version\"\n"
    "        return\n"
    "    fi\n"
    "    if [ \"$word\" = = ]; then\n"
    "        word= joined=yes\n"
    "    elif [ \"$option\" = = ]; then\n"
    "        option=${COMP_WORDS[COMP_CWORD - 2]} joined=yes\n"
    "    elif [[ $word == --*=* ]]; then # where '=' does not part words\n"
    "        option=${word%%=*} word=${word#*=} joined=$option=\n"
    "    fi\n"
    "    local value\n"
    "    value=$(_grasp_value \"$command:$option\")\n"
    "    if [ -n \"$value$joined\" ]; then\n"
    "        _grasp_offer \"$word\" ${value:-any}\n"
    "        if [ \"${joined%=}\" != \"$joined\" ]; then\n"
    "            for i in \"${!COMPREPLY[@]}\"; do\n"
    "                COMPREPLY[i]=$joined${COMPREPLY[i]}\n"
    "            done\n"
    "        fi\n"
    "    elif [[ $word == -* ]]; then\n"
    "        _grasp_offer \"$word\" words \"$(_grasp_options \"$command\")\"\n"
    "    else\n"
    "        value=$(_grasp_argument \"$command:$(_grasp_place \"$command\")\")\n"
    "        _grasp_offer \"$word\" ${value:-any}\n"
    "    fi\n"
    "}\n"
    "complete -F _grasp grasp\n";

void cli_completion_bash(FILE *f, const cli *app)
{
    const cli_command *const *c;
    fputs("# bash completion of grasp, made by 'grasp completion bash'\n\n_grasp_commands() { echo '", f);
    cli_put_names(f, app);
    fputs("'; }\n\n# The options of a command\n_grasp_options()\n{\n    case $1 in\n", f);
    for (c = app->commands; *c; c++)
        put_options(f, *c);
    fputs(
        "    esac\n}\n\n# What follows an option, COMMAND:OPTION; nothing follows a flag\n_grasp_value()\n{\n"
        "    case $1 in\n",
        f);
    for (c = app->commands; *c; c++)
        put_option_values(f, app, *c);
    fputs(
        "    esac\n}\n\n# What an argument is, COMMAND:PLACE from 0\n_grasp_argument()\n{\n    case $1 in\n",
        f);
    for (c = app->commands; *c; c++)
        put_arguments(f, app, *c);
    fputs("    esac\n}\n\n", f);
    fputs(frame, f);
}
