#include "progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "json_out.h"
#include "units.h"

#define BAR_EVERY_S   0.1
#define PLAIN_EVERY_S 10.0
#define JSON_EVERY_S  1.0

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int terminal_width(FILE *stream)
{
    struct winsize size = { 0 };
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    const int n = columns ? atoi(columns) : 0;
    return n >= 20 && n <= 1000 ? n : 80;
}

void cli_progress_init(cli_progress *p, FILE *stream, cli_progress_mode mode)
{
    *p = (cli_progress){ .stream = stream, .mode = mode, .width = terminal_width(stream) };
    if (mode == CLI_PROGRESS_AUTO)
        p->mode = isatty(fileno(stream)) ? CLI_PROGRESS_BAR : CLI_PROGRESS_PLAIN;
}

/* 75 -> "01:15", 3661 -> "1:01:01"; "?" for what is not known. */
static void clock_text(char out[32], double seconds)
{
    if (!(seconds >= 0 && seconds < 3.6e7)) {
        strcpy(out, "?");
        return;
    }
    const long s = (long)seconds;
    if (s < 3600)
        snprintf(out, 32, "%02ld:%02ld", s / 60, s % 60);
    else
        snprintf(out, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

/* "1.23 GB/3.07 GB [00:03<00:04, 412 MB/s]" */
static void bytes_counts_text(char *out, size_t n, const cli_progress *p, const char *spent, const char *left,
                              double rate)
{
    char done[32], total[32], speed[32];
    cli_bytes_text(done, (double)p->done);
    cli_bytes_text(total, (double)p->total);
    cli_bytes_text(speed, rate);
    if (p->total)
        snprintf(out, n, "%s/%s [%s<%s, %s/s]", done, total, spent, left, speed);
    else
        snprintf(out, n, "%s [%s, %s/s]", done, spent, speed);
}

/* "45/100 [00:12<00:15, 3.60img/s]"; slow work is given in seconds an item, as one would say it. */
static void counts_text(char *out, size_t n, const cli_progress *p, double elapsed_s)
{
    const double rate = elapsed_s > 0 ? (double)p->done / elapsed_s : 0;
    char spent[32], left[32], speed[64];
    clock_text(spent, elapsed_s);
    clock_text(left, rate > 0 && p->total >= p->done ? (double)(p->total - p->done) / rate : -1);
    if (strcmp(p->unit, "B") == 0) {
        bytes_counts_text(out, n, p, spent, left, rate);
        return;
    }
    if (rate > 0 && rate < 1)
        snprintf(speed, sizeof speed, "%.2fs/%s", 1 / rate, p->unit);
    else
        snprintf(speed, sizeof speed, "%.2f%s/s", rate, p->unit);
    if (p->total)
        snprintf(out, n, "%llu/%llu [%s<%s, %s]", (unsigned long long)p->done, (unsigned long long)p->total,
                 spent, left, speed);
    else
        snprintf(out, n, "%llu%s [%s, %s]", (unsigned long long)p->done, p->unit, spent, speed);
}

/* "####5     ": whole cells, then the tenths of the next one. */
static void cells_text(char *out, size_t cells, double fraction)
{
    const size_t tenths = (size_t)(fraction * (double)cells * 10);
    for (size_t i = 0; i < cells; i++)
        out[i] = i < tenths / 10 ? '#' : i == tenths / 10 && tenths % 10 ? (char)('0' + tenths % 10) : ' ';
    out[cells] = '\0';
}

static void bar_text(char *out, size_t n, const cli_progress *p, const char *counts)
{
    const double fraction = p->done < p->total ? (double)p->done / (double)p->total : 1;
    const int fixed = (int)(strlen(p->task) + strlen(": 100%|| ") + strlen(counts));
    char cells[256];
    const int room = p->width - 1 - fixed; /* the last column stays free: some terminals wrap there */
    if (room > 0)
        cells_text(cells, room < (int)sizeof cells ? (size_t)room : sizeof cells - 1, fraction);
    if (room > 0)
        snprintf(out, n, "%s: %3d%%|%s| %s", p->task, (int)(fraction * 100), cells, counts);
    else
        snprintf(out, n, "%3d%% %s", (int)(fraction * 100), counts);
    if (strlen(out) >= (size_t)p->width)
        out[p->width - 1] = '\0';
}

static void json_text(char *out, size_t n, const cli_progress *p, double elapsed_s)
{
    FILE *f = fmemopen(out, n, "w");
    if (!f)
        return;
    cli_json j;
    cli_json_init(&j, f);
    cli_json_open(&j, NULL, '{');
    cli_json_open(&j, "progress", '{');
    cli_json_text(&j, "task", p->task);
    cli_json_number(&j, "done", (double)p->done);
    if (p->total)
        cli_json_number(&j, "total", (double)p->total);
    else
        cli_json_null(&j, "total");
    cli_json_text(&j, "unit", p->unit);
    cli_json_number(&j, "rate", elapsed_s > 0 ? floor((double)p->done / elapsed_s * 1e3) / 1e3 : 0);
    cli_json_close(&j, '}');
    cli_json_close(&j, '}');
    fclose(f);
}

void cli_progress_text(char *out, size_t n, const cli_progress *p, double elapsed_s)
{
    out[0] = '\0';
    char counts[200];
    counts_text(counts, sizeof counts, p, elapsed_s);
    if (p->mode == CLI_PROGRESS_JSON)
        json_text(out, n, p, elapsed_s);
    else if (p->mode == CLI_PROGRESS_BAR && p->total)
        bar_text(out, n, p, counts);
    else
        snprintf(out, n, "%s: %s", p->task, counts);
}

static void show(cli_progress *p, double now)
{
    char line[1200];
    cli_progress_text(line, sizeof line, p, now - p->began);
    if (p->mode == CLI_PROGRESS_BAR)
        fprintf(p->stream, "\r%-*s", p->width - 1, line);
    else
        fprintf(p->stream, "%s\n", line);
    fflush(p->stream);
    p->visible = p->mode == CLI_PROGRESS_BAR;
    p->shown = now;
}

void cli_progress_begin(cli_progress *p, const char *task, const char *unit, uint64_t total)
{
    cli_progress_end(p);
    p->task = task;
    p->unit = unit;
    p->done = 0;
    p->total = total;
    p->began = p->shown = now_s();
    if (p->mode == CLI_PROGRESS_BAR)
        show(p, p->began);
}

void cli_progress_set(cli_progress *p, uint64_t done)
{
    p->done = done;
    if (!p->task || p->mode == CLI_PROGRESS_NONE)
        return;
    const double every = p->mode == CLI_PROGRESS_BAR    ? BAR_EVERY_S
                         : p->mode == CLI_PROGRESS_JSON ? JSON_EVERY_S
                                                        : PLAIN_EVERY_S;
    const double now = now_s();
    if (now - p->shown >= every)
        show(p, now);
}

void cli_progress_end(cli_progress *p)
{
    if (!p->task)
        return;
    const double now = now_s();
    if (p->mode == CLI_PROGRESS_BAR) {
        show(p, now);
        fputc('\n', p->stream);
        p->visible = false;
    } else if (p->mode == CLI_PROGRESS_JSON ||
               (p->mode == CLI_PROGRESS_PLAIN && now - p->began >= PLAIN_EVERY_S)) {
        show(p, now);
    }
    p->task = NULL;
}

void cli_progress_hide(cli_progress *p)
{
    if (!p->visible)
        return;
    fprintf(p->stream, "\r%*s\r", p->width - 1, "");
    fflush(p->stream);
    p->visible = false;
}
