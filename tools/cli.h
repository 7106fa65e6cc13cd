/* cli.h - what a subcommand is: rows of data. Parsing, help, its JSON, the man page and shell completion are
 * all made from them, so an option is described once.
 *
 * A new subcommand is one file cmd_NAME.c that defines `const cli_command cmd_NAME`, and its row in
 * commands.c.
 */
#ifndef GRASP_CLI_H
#define GRASP_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exit.h"
#include "output.h"
#include "progress.h"

typedef enum {
    CLI_FLAG,   /* bool; --name, or --name=no to overrule the environment */
    CLI_COUNT,  /* int64_t; how often it was given: -vv */
    CLI_INT,    /* int64_t in min..max */
    CLI_NUMBER, /* double in min..max, finite */
    CLI_CHOICE, /* int64_t; the place of the word in `value` */
    CLI_TEXT,   /* const char *; NULL when not given and without preset */
    CLI_LIST    /* cli_list; may be repeated */
} cli_kind;

/* The texts are borrowed from the command line or the environment. */
typedef struct {
    const char **items;
    size_t
        *places; /* [count], ascending: how many values of lists, of any option, were read before this one */
    size_t count;
} cli_list;

typedef struct {
    const char *name;   /* "max-tokens"; its environment variable is GRASP_MAX_TOKENS */
    char letter;        /* 'm' for -m; 0: none */
    cli_kind kind;      /* also the type of the field, see above */
    size_t field;       /* offset in the struct of values */
    const char *value;  /* what help calls the value, "N"; of a CLI_CHOICE the words: "auto|bar|none" */
    const char *preset; /* the default as one would write it; NULL: zero, or help says it */
    double min, max;    /* of numbers; both 0: any */
    const char *help;   /* a sentence without full stop; wrapped by the help */
} cli_option;

/* Options under one heading of the help, e.g. the ones that several subcommands share. */
typedef struct {
    const char *title;
    const cli_option *rows;
    size_t count;
    size_t base; /* where their struct of values lies in the subcommand's own */
} cli_table;

#define CLI_TABLE(title, rows, base)                     \
    {                                                    \
        title, rows, sizeof(rows) / sizeof *(rows), base \
    }

/* What every subcommand understands; `model`, `threads` and `seed` where cli_command.runs_model is set. */
typedef struct {
    const char *model; /* NULL: that in the box (cli_model) */
    int64_t threads;   /* 0: as many as the process may use */
    int64_t seed;
    bool json, quiet, help;
    int64_t verbose;  /* 0, 1 (information), 2 (debugging) */
    int64_t progress; /* cli_progress_mode */
    int64_t color;    /* cli_color */
} cli_common;

extern const cli_table cli_model_table, cli_output_table;

typedef struct cli cli;
enum { CLI_BOX_PATH = 4096 };

typedef struct {
    const char *name;       /* "describe" */
    const char *arguments;  /* "IMAGE --region SPEC [...]" */
    const char *summary;    /* one line, no full stop */
    const char *about;      /* paragraphs for its help */
    const char *examples;   /* lines for its help, at least one, two spaces before each */
    int min_args, max_args; /* of arguments that are no options; max -1: any number */
    bool runs_model;
    const cli_table *tables; /* options of its own; NULL: none */
    size_t n_tables;
    size_t values_bytes;                      /* of the struct their fields lie in */
    int (*run)(cli *app, const void *values); /* returns the exit code */
} cli_command;

/* One call of the program: what a subcommand's `run` receives. */
struct cli {
    const cli_command *command;
    const cli_command *const *commands; /* all, NULL-terminated */
    cli_common common;
    const char **args; /* arguments that are no options */
    size_t n_args;
    char title[64]; /* "grasp describe" */
    char box[CLI_BOX_PATH];
    cli_output out;
    cli_progress progress;
};

/* The row of that name, or NULL. */
const cli_command *cli_find(const cli *app, const char *name);
/* Says that there is no such subcommand, and which one may be meant. Returns CLI_EXIT_USAGE. */
int cli_unknown(cli *app, const char *name);

/* The model's folder: --model, or the one in the box, which is said then. NULL: there is none, and it was
 * said; the exit code is CLI_EXIT_MODEL. */
const char *cli_model(cli *app);

/* A runtime with the common options applied; its log goes to stderr. */
gr_status cli_runtime_new(gr_runtime **out, cli *app, gr_error *err);

#endif
