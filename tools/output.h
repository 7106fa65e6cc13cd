/* output.h - results on stdout, everything else on stderr. */
#ifndef GRASP_CLI_OUTPUT_H
#define GRASP_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include <grasp/error.h>
#include <grasp/runtime.h>

#include "exit.h"
#include "progress.h"

typedef enum { CLI_COLOR_AUTO, CLI_COLOR_ALWAYS, CLI_COLOR_NEVER } cli_color;

typedef struct {
    FILE *results, *log;    /* stdout, stderr */
    const char *name;       /* stands before every message: "grasp describe" */
    bool quiet;             /* errors only */
    int verbose;            /* 0: warnings; 1: information; 2: debugging */
    bool color;             /* of messages */
    cli_progress *progress; /* its bar is taken away before a line is written; may be NULL */
} cli_output;

/* Whether a stream is written in colour: CLICOLOR_FORCE, else a terminal that is not dumb and no NO_COLOR. */
bool cli_color_wanted(cli_color color, FILE *stream);

/* Where the caller closed stdin, stdout or stderr, the next file that is opened would take its number, and
 * get what is printed: the number is taken first, by something that fails as a closed stream does. */
void cli_streams_reserve(void);

/* A piece of the results. Shown at the latest when cli_flush is called: after each item, after each streamed
 * token. */
void cli_print(cli_output *o, const char *fmt, ...) GR_PRINTF(2, 3);
/* The same of bytes, which may hold zeros: what a model says. */
void cli_print_bytes(cli_output *o, const char *bytes, size_t n);
/* False: the results cannot be written any more, and the work is asked to stop: quietly when a reader has
 * gone away, else with one error. */
bool cli_flush(cli_output *o);

/* A sentence that says what went wrong; always shown. */
void cli_error(cli_output *o, const char *fmt, ...) GR_PRINTF(2, 3);
/* As cli_error, with the library's sentence. Returns the exit code for it. */
cli_exit cli_fail(cli_output *o, const gr_error *err, cli_place place);
void cli_warn(cli_output *o, const char *fmt, ...) GR_PRINTF(2, 3);
void cli_inform(cli_output *o, const char *fmt, ...) GR_PRINTF(2, 3); /* with -v */

/* gr_runtime_options.log; `output` is the cli_output. */
void cli_log(void *output, gr_log_level level, const char *line);

#endif
