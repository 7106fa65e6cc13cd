#include "train/train_log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/json.h"

#define PIECE_BYTES ((size_t)1 << 20)
#define STEP_MAX    ((int64_t)1 << 53) /* whole in double */

enum {
    HAS_STEP = 1,
    HAS_LOSS = 2,
    HAS_LR = 4,
    HAS_NORM = 8,
    HAS_VALIDATION = 16,
    HAS_EVENT = 32,
    HAS_SAYS = 64
};

static const struct {
    const char *key;
    unsigned has;
} members[] = { { "step", HAS_STEP },
                { "loss", HAS_LOSS },
                { "lr", HAS_LR },
                { "norm", HAS_NORM },
                { "validation_loss", HAS_VALIDATION },
                { "event", HAS_EVENT },
                { "says", HAS_SAYS } };

static const char *const events[] = { "", "begun", "resumed", "stopped", "finished", "failed" };

/* What a line says. */
typedef struct {
    unsigned has;
    double step, loss, lr, norm, validation;
    gr_log_event event;
    char says[256];
} line;

typedef struct {
    gr_train_log *log;
    const char *name;
    size_t lines; /* that were read */
    gr_error *err;
} reading;

/* --- a line -------------------------------------------------------------------------------------------- */

static double number_or_nan(gr_json *j) { return gr_json_null(j) ? NAN : gr_json_number(j); }

static gr_log_event event_of(const char *word)
{
    for (size_t i = 1; i < sizeof events / sizeof *events; i++)
        if (strcmp(word, events[i]) == 0)
            return (gr_log_event)i;
    return GR_LOG_NO_EVENT; /* of a later version */
}

static void read_member(gr_json *j, line *l, unsigned which)
{
    switch (which) {
    case HAS_STEP:
        l->step = (double)gr_json_int(j, 0, STEP_MAX);
        break;
    case HAS_LOSS:
        l->loss = number_or_nan(j);
        break;
    case HAS_LR:
        l->lr = number_or_nan(j);
        break;
    case HAS_NORM:
        l->norm = number_or_nan(j);
        break;
    case HAS_VALIDATION:
        l->validation = number_or_nan(j);
        break;
    case HAS_EVENT:
        l->event = event_of(gr_json_string(j, NULL));
        break;
    case HAS_SAYS:
        snprintf(l->says, sizeof l->says, "%s", gr_json_string(j, NULL));
        break;
    default:
        gr_json_skip(j);
    }
}

static void read_members(gr_json *j, line *l)
{
    const char *key;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        unsigned which = 0;
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            if (strcmp(key, members[i].key) == 0)
                which = members[i].has;
        if (l->has & which)
            gr_json_fail(j, GR_ERR_FORMAT, "'%s' is there twice", key);
        l->has |= which;
        read_member(j, l, which);
    }
    if (l->has & ~(unsigned)HAS_STEP && !(l->has & HAS_STEP))
        gr_json_fail(j, GR_ERR_FORMAT, "there is no 'step'");
}

static gr_status parse_line(const reading *r, line *l, const char *text, size_t n, gr_error *err)
{
    gr_json j;
    gr_json_init(&j, r->log->rt, text, n, r->name, GR_TRAIN_LOG_LINE_MAX);
    j.lines_before = r->lines;
    *l = (line){ .loss = NAN, .lr = NAN, .norm = NAN, .validation = NAN };
    read_members(&j, l);
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    return st;
}

/* An event that begins or goes on, behind half a line. */
static bool parse_behind(const reading *r, line *l, const char *text, size_t n)
{
    for (size_t i = n; i-- > 1;)
        if (text[i] == '{')
            return parse_line(r, l, text + i, n - i, NULL) == GR_OK &&
                   (l->event == GR_LOG_BEGUN || l->event == GR_LOG_RESUMED);
    return false;
}

/* --- what it means ------------------------------------------------------------------------------------- */

/* Of a list that ascends by its first member, how many are left without those after `step`; and without that
 * of `step` itself, where it is `made_again`. */
static size_t left(const void *at, size_t n, size_t size, double step, bool made_again)
{
    for (const char *bytes = at; n > 0; n--) {
        double last;
        memcpy(&last, bytes + (n - 1) * size, sizeof last);
        if (last < step || (last == step && !made_again))
            break;
    }
    return n;
}

#define FORGET(list, step, made_again) \
    (list)->n = left((list)->at, (list)->n, sizeof *(list)->at, step, made_again)

static void go_back(gr_train_log *log, double step)
{
    FORGET(&log->records, step, false);
    FORGET(&log->validations, step, false);
    FORGET(&log->resumed, step, false);
}

static gr_status too_much(const reading *r, bool full, const char *what)
{
    return full ? gr_fail(r->err, GR_ERR_LIMIT, "%s: line %zu: over %zu %s", r->name, r->lines + 1,
                          GR_TRAIN_LOG_POINTS_MAX, what)
                : gr_fail(r->err, GR_ERR_MEM, "%s: no memory for its %s", r->name, what);
}

#define APPEND(r, list, what, ...)                                                                   \
    do {                                                                                             \
        const bool full = (list)->n == GR_TRAIN_LOG_POINTS_MAX;                                      \
        if (full || !gr_grow((r)->log->rt, &(list)->at, &(list)->capacity, (list)->n, (list)->n + 1, \
                             sizeof *(list)->at))                                                    \
            return too_much(r, full, what);                                                          \
        (list)->at[(list)->n++] = __VA_ARGS__;                                                       \
    } while (0)

static gr_status take_event(const reading *r, const line *l)
{
    gr_train_log *log = r->log;
    log->event = l->event;
    snprintf(log->says, sizeof log->says, "%s", l->event == GR_LOG_FAILED ? l->says : "");
    if (l->event == GR_LOG_BEGUN || l->event == GR_LOG_RESUMED)
        go_back(log, l->step);
    if (l->event == GR_LOG_BEGUN)
        log->resumed.n = 0;
    const gr_log_steps *s = &log->resumed;
    if (l->event == GR_LOG_RESUMED && (s->n == 0 || s->at[s->n - 1] < l->step))
        APPEND(r, &log->resumed, "times that it went on", l->step);
    return GR_OK;
}

static gr_status take(const reading *r, const line *l)
{
    gr_train_log *log = r->log;
    if (!(l->has & (HAS_EVENT | HAS_LOSS | HAS_VALIDATION)))
        return GR_OK;
    log->step = l->step;
    if (l->has & HAS_EVENT && l->event != GR_LOG_NO_EVENT)
        GR_TRY(take_event(r, l));
    if (l->has & HAS_LOSS) {
        FORGET(&log->records, l->step, true);
        APPEND(r, &log->records, "records", (gr_log_record){ l->step, l->loss, l->lr, l->norm });
    }
    if (l->has & HAS_VALIDATION) {
        FORGET(&log->validations, l->step, true);
        APPEND(r, &log->validations, "validations", (gr_log_validation){ l->step, l->validation });
    }
    return GR_OK;
}

/* `whole`: it has its end. */
static gr_status read_line(reading *r, const char *text, size_t n, bool whole)
{
    line l;
    gr_error why = { 0 };
    size_t blank = 0;
    while (blank < n && (text[blank] == ' ' || text[blank] == '\t' || text[blank] == '\r'))
        blank++;
    gr_status st = blank == n ? GR_OK : parse_line(r, &l, text, n, &why);
    if (blank < n && (st == GR_OK || (st == GR_ERR_FORMAT && parse_behind(r, &l, text, n))))
        st = take(r, &l);
    else if (st == GR_ERR_FORMAT && !whole)
        st = GR_OK; /* it is being written, or was when the run was killed */
    else if (st != GR_OK)
        gr_fail(r->err, st, "%s", why.msg);
    r->lines++;
    return st;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

/* The lines of text[0..n) that have their end; *used: their bytes. */
static gr_status read_lines(reading *r, const char *text, size_t n, size_t *used)
{
    for (const char *end; (end = memchr(text + *used, '\n', n - *used)) != NULL;) {
        GR_TRY(read_line(r, text + *used, (size_t)(end - text) - *used, true));
        *used = (size_t)(end - text) + 1;
    }
    if (n - *used > GR_TRAIN_LOG_LINE_MAX)
        return gr_fail(r->err, GR_ERR_LIMIT, "%s: line %zu is longer than %zu bytes", r->name, r->lines + 1,
                       GR_TRAIN_LOG_LINE_MAX);
    return GR_OK;
}

static gr_status read_pieces(reading *r, const gr_source *from, char *text)
{
    size_t kept = 0; /* of a line that goes on in the next piece */
    gr_error why = { 0 };
    for (size_t at = 0; at < from->size;) {
        const size_t n = from->size - at < PIECE_BYTES ? from->size - at : PIECE_BYTES;
        size_t used = 0;
        if (gr_source_read(from, at, text + kept, n, &why) != GR_OK)
            return gr_fail(r->err, why.status, "%s: %s", r->name, why.msg);
        GR_TRY(read_lines(r, text, kept + n, &used));
        kept += n - used;
        memmove(text, text + used, kept);
        at += n;
    }
    return kept ? read_line(r, text, kept, false) : GR_OK;
}

gr_status gr_train_log_read(gr_train_log *log, gr_runtime *rt, const gr_source *from, const char *name,
                            gr_error *err)
{
    *log = (gr_train_log){ .rt = rt };
    reading r = { .log = log, .name = name, .err = err };
    char *text = gr_malloc(rt, PIECE_BYTES + GR_TRAIN_LOG_LINE_MAX, 1);
    const gr_status st =
        text ? read_pieces(&r, from, text) : gr_fail(err, GR_ERR_MEM, "%s: no memory to read it", name);
    gr_free(rt, text);
    if (st != GR_OK)
        gr_train_log_free(log);
    return st;
}

void gr_train_log_free(gr_train_log *log)
{
    gr_free(log->rt, log->records.at);
    gr_free(log->rt, log->validations.at);
    gr_free(log->rt, log->resumed.at);
    *log = (gr_train_log){ .rt = log->rt };
}
