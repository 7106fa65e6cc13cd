#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signals.h"

static bool env_set(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0';
}

bool cli_color_wanted(cli_color color, FILE *stream)
{
    if (color != CLI_COLOR_AUTO)
        return color == CLI_COLOR_ALWAYS;
    if (env_set("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0") != 0)
        return true;
    const char *term = getenv("TERM");
    return !env_set("NO_COLOR") && term && strcmp(term, "dumb") != 0 && isatty(fileno(stream));
}

void cli_streams_reserve(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY); /* takes the lowest: this one */
}

void cli_print(cli_output *o, const char *fmt, ...)
{
    if (o->progress)
        cli_progress_hide(o->progress);
    va_list ap;
    va_start(ap, fmt);
    vfprintf(o->results, fmt, ap);
    va_end(ap);
}

void cli_print_bytes(cli_output *o, const char *bytes, size_t n)
{
    if (o->progress)
        cli_progress_hide(o->progress);
    fwrite(bytes, 1, n, o->results);
}

bool cli_flush(cli_output *o)
{
    if (fflush(o->results) == 0 && !ferror(o->results))
        return true;
    const int cause = errno;
    if (cause != EPIPE && !cli_cancelled(NULL))
        cli_error(o, "cannot write the results: %s", strerror(cause));
    cli_signals_raise(cause == EPIPE ? SIGPIPE : SIGXFSZ);
    return false;
}

static void message(cli_output *o, const char *kind, const char *sgr, const char *fmt, va_list ap)
{
    if (o->progress)
        cli_progress_hide(o->progress);
    fprintf(o->log, "%s: ", o->name);
    if (kind[0])
        fprintf(o->log, o->color ? "\033[%sm%s:\033[0m " : "%.0s%s: ", sgr, kind);
    vfprintf(o->log, fmt, ap);
    fputc('\n', o->log);
    fflush(o->log);
}

#define MESSAGE(kind, sgr)              \
    do {                                \
        va_list ap;                     \
        va_start(ap, fmt);              \
        message(o, kind, sgr, fmt, ap); \
        va_end(ap);                     \
    } while (0)

void cli_error(cli_output *o, const char *fmt, ...) { MESSAGE("error", "1;31"); }

void cli_warn(cli_output *o, const char *fmt, ...)
{
    if (!o->quiet)
        MESSAGE("warning", "1;33");
}

void cli_inform(cli_output *o, const char *fmt, ...)
{
    if (!o->quiet && o->verbose >= 1)
        MESSAGE("", "");
}

cli_exit cli_fail(cli_output *o, const gr_error *err, cli_place place)
{
    if (err->status != GR_ERR_CANCELLED)
        cli_error(o, "%s", err->msg);
    return cli_exit_of(err->status, place);
}

void cli_log(void *output, gr_log_level level, const char *line)
{
    cli_output *o = output;
    if (level == GR_LOG_WARNING)
        cli_warn(o, "%s", line);
    else if (level == GR_LOG_INFO || o->verbose >= 2)
        cli_inform(o, "%s", line);
}
