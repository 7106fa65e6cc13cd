/* progress.h - how far the work is, on stderr.
 *
 *   bar    describe:  45%|####5     | 45/100 [00:12<00:15, 3.60img/s]     rewritten in place
 *   plain  describe: 45/100 [00:12<00:15, 3.60img/s]                      a line every 10 s
 *   json   {"progress":{"task":"describe","done":45,"total":100,"unit":"img","rate":3.60}}   a line every
 * second, and the last
 *
 * Used from one thread. */
#ifndef GRASP_CLI_PROGRESS_H
#define GRASP_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum {
    CLI_PROGRESS_AUTO, /* bar on a terminal, else plain */
    CLI_PROGRESS_BAR,
    CLI_PROGRESS_PLAIN,
    CLI_PROGRESS_JSON,
    CLI_PROGRESS_NONE
} cli_progress_mode;

#define CLI_PROGRESS_WORDS "auto|bar|plain|json|none"

typedef struct {
    FILE *stream;
    cli_progress_mode mode;  /* never AUTO after init */
    const char *task, *unit; /* borrowed; task NULL: nothing runs */
    uint64_t done, total;    /* total 0: not known */
    double began, shown;     /* seconds of the monotonic clock; shown: of the last output */
    int width;               /* columns of the terminal */
    bool visible;            /* a bar stands in the last line */
} cli_progress;

void cli_progress_init(cli_progress *p, FILE *stream, cli_progress_mode mode);

/* Begins a task; `task` and `unit` ("img"; "B" for bytes, which are shown as MB and GB) are borrowed until it
 * ends. */
void cli_progress_begin(cli_progress *p, const char *task, const char *unit, uint64_t total);
void cli_progress_set(cli_progress *p, uint64_t done);
void cli_progress_end(cli_progress *p); /* shows the last state; fine when nothing runs */
/* Clears the line of a bar, so that something else can be written; the next set shows it again. */
void cli_progress_hide(cli_progress *p);

/* One state as text, without line end, never longer than `width` for a bar. For the above and for tests. */
void cli_progress_text(char *out, size_t n, const cli_progress *p, double elapsed_s);

#endif
