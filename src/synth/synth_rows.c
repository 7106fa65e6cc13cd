#include "synth/synth_rows.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "synth/synth.h"

#define PREFIX  "synth:"
#define VERSION "synth-3" /* part of the fingerprint: another one where the same number makes another row */

enum { PAINTERS_MAX = 64 }; /* that wait for the next reader */

typedef struct {
    gr_row_source base;
    gr_runtime *rt;
    gr_synth_rules rules;
    pthread_mutex_t lock; /* of the rest */
    gr_synth *idle[PAINTERS_MAX];
    int n_idle;
} synth_rows;

bool gr_synth_rows_named(const char *name) { return strncmp(name, PREFIX, sizeof PREFIX - 1) == 0; }

/* --- the name ------------------------------------------------------------------------------------------ */

/* A whole number up to `most`; moves *at behind it. */
static bool read_number(const char **at, uint64_t most, uint64_t *out)
{
    char *stop;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *out = strtoull(*at, &stop, 10);
    *at = stop;
    return errno == 0 && *out <= most;
}

/* What may stand behind the number. */
static bool read_kind(gr_synth_rules *rules, const char *word)
{
    static const struct {
        const char *word;
        double captions, closeups, looking;
        bool choices;
    } kinds[] = {
        { ":closeups", 0, 1, 1, false },
        { ":looking", 0, 0, 1, false },
        { ":captions", 1, 0, 0, false },
        { ":choices", 0, 0, 0, true },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(word, kinds[i].word) == 0) {
            rules->captions = kinds[i].captions;
            rules->closeups = kinds[i].closeups;
            rules->looking = kinds[i].looking;
            rules->choices = kinds[i].choices;
            return true;
        }
    return *word == '\0';
}

static bool read_name(synth_rows *s, const char *name)
{
    static const char *const splits[] = { "train:", "validation:", "test:" };
    const char *at = name + sizeof PREFIX - 1;
    uint64_t count;
    int split = 0;
    while (split < 3 && strncmp(at, splits[split], strlen(splits[split])) != 0)
        split++;
    if (split == 3)
        return false;
    at += strlen(splits[split]);
    s->rules.split = split;
    if (!read_number(&at, (uint64_t)1 << 53, &s->rules.seed) || *at++ != ':' ||
        !read_number(&at, GR_ROWS_MAX, &count) || count == 0)
        return false;
    s->base.count = (size_t)count;
    return read_kind(&s->rules, at);
}

/* --- rows ---------------------------------------------------------------------------------------------- */

static gr_status take(synth_rows *s, gr_synth **out, gr_error *err)
{
    *out = NULL;
    pthread_mutex_lock(&s->lock);
    if (s->n_idle > 0)
        *out = s->idle[--s->n_idle];
    pthread_mutex_unlock(&s->lock);
    return *out ? GR_OK : gr_synth_new(out, s->rt, &s->rules, err);
}

static void give_back(synth_rows *s, gr_synth *y)
{
    pthread_mutex_lock(&s->lock);
    const bool room = s->n_idle < PAINTERS_MAX;
    if (room)
        s->idle[s->n_idle++] = y;
    pthread_mutex_unlock(&s->lock);
    if (!room)
        gr_synth_free(y);
}

static gr_status read_row(const gr_row_source *base, size_t i, gr_record *r, gr_error *err)
{
    synth_rows *s = (synth_rows *)(uintptr_t)base; /* only what the lock guards is changed */
    gr_synth *y;
    GR_TRY(take(s, &y, err));
    const gr_status st = gr_synth_record(y, i, r, err);
    give_back(s, y);
    return st;
}

static void close_rows(gr_row_source *base)
{
    synth_rows *s = (synth_rows *)base;
    for (int i = 0; i < s->n_idle; i++)
        gr_synth_free(s->idle[i]);
    pthread_mutex_destroy(&s->lock);
    gr_free(s->rt, s);
}

static const gr_row_format format = { read_row, close_rows };

gr_status gr_synth_rows_open(gr_row_source **out, gr_runtime *rt, const char *name, gr_error *err)
{
    gr_synth *first;
    *out = NULL;
    synth_rows *s = gr_calloc(rt, 1, sizeof *s);
    if (!s)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for rows", name);
    s->rt = rt;
    gr_synth_rules_init(&s->rules);
    s->rules.picture = GR_SYNTH_PPM;
    s->base.format = &format;
    snprintf(s->base.name, sizeof s->base.name, "%s", name);
    if (!gr_synth_rows_named(name) || !read_name(s, name)) {
        gr_free(rt, s);
        return gr_fail(
            err, GR_ERR_ARG,
            "'%s': expected synth:SPLIT:SEED:COUNT, SPLIT being train, validation or test, COUNT 1 to "
            "%zu, and behind it nothing, :closeups, :looking, :captions or :choices",
            name, GR_ROWS_MAX);
    }
    s->base.fingerprint =
        gr_hash_bytes(gr_hash_bytes((gr_hash){ 0 }, VERSION, sizeof VERSION), name, strlen(name));
    const gr_status st = gr_synth_new(&first, rt, &s->rules, err); /* what cannot be painted is known now */
    if (st != GR_OK) {
        gr_free(rt, s);
        return st;
    }
    pthread_mutex_init(&s->lock, NULL);
    give_back(s, first);
    *out = &s->base;
    return GR_OK;
}
