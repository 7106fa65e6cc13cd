#include "options.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "suggest.h"

/* One option of one binding. */
typedef struct {
    const cli_option *row;
    void *field;
    bool given; /* on the command line */
} slot;

typedef struct {
    slot slots[CLI_MAX_OPTIONS];
    size_t n;
    const char *const *argv; /* the next argument */
    int left;
    size_t n_listed; /* values of lists so far */
    gr_error *err;
} reader;

void cli_option_env(char out[64], const char *name)
{
    size_t n = (size_t)snprintf(out, 64, "GRASP_%s", name);
    assert(n < 64);
    for (; n > 0; n--)
        out[n - 1] = out[n - 1] == '-' ? '_' : (char)toupper((unsigned char)out[n - 1]);
}

/* --- values: text into a field; `origin` is what the user wrote, "--threads" or "GRASP_THREADS"
 * -------------------- */

static gr_status put_bool(bool *field, const char *origin, const char *text, gr_error *err)
{
    static const char *const yes[] = { "1", "yes", "true", "on" }, *const no[] = { "0", "no", "false",
                                                                                   "off" };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *field = strcasecmp(text, yes[i]) == 0;
            return GR_OK;
        }
    }
    return gr_fail(err, GR_ERR_ARG, "%s: '%s' is neither yes nor no", origin, text);
}

static bool in_range(const cli_option *o, double x)
{
    return (o->min == 0 && o->max == 0) || (x >= o->min && x <= o->max);
}

static gr_status put_int(int64_t *field, const cli_option *o, const char *origin, const char *text,
                         gr_error *err)
{
    char *end;
    errno = 0;
    const long long x = strtoll(text, &end, 10);
    if (end == text || *end || errno || isspace((unsigned char)*text))
        return gr_fail(err, GR_ERR_ARG, "%s: '%s' is not a whole number", origin, text);
    if (!in_range(o, (double)x))
        return gr_fail(err, GR_ERR_ARG, "%s: %lld is outside %.17g..%.17g", origin, x, o->min, o->max);
    *field = x;
    return GR_OK;
}

static gr_status put_number(double *field, const cli_option *o, const char *origin, const char *text,
                            gr_error *err)
{
    char *end;
    const double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x) || isspace((unsigned char)*text))
        return gr_fail(err, GR_ERR_ARG, "%s: '%s' is not a number", origin, text);
    if (!in_range(o, x))
        return gr_fail(err, GR_ERR_ARG, "%s: %s is outside %g..%g", origin, text, o->min, o->max);
    *field = x;
    return GR_OK;
}

static gr_status put_choice(int64_t *field, const cli_option *o, const char *origin, const char *text,
                            gr_error *err)
{
    const size_t n = strlen(text);
    int64_t place = 0;
    for (const char *word = o->value; word; place++) {
        const size_t length = strcspn(word, "|");
        if (length == n && memcmp(word, text, n) == 0) {
            *field = place;
            return GR_OK;
        }
        word = word[length] ? word + length + 1 : NULL;
    }
    return gr_fail(err, GR_ERR_ARG, "%s: '%s' is none of %s", origin, text, o->value);
}

static gr_status put_item(cli_list *list, size_t place, const char *text, gr_error *err)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    list->items = items ? items : list->items;
    size_t *places = realloc(list->places, (list->count + 1) * sizeof *places);
    list->places = places ? places : list->places;
    if (!items || !places)
        return gr_fail(err, GR_ERR_MEM, "no memory for the command line");
    list->places[list->count] = place;
    list->items[list->count++] = text;
    return GR_OK;
}

static gr_status put(reader *r, const slot *s, const char *origin, const char *text)
{
    switch (s->row->kind) {
    case CLI_FLAG:
        return put_bool(s->field, origin, text, r->err);
    case CLI_COUNT:
    case CLI_INT:
        return put_int(s->field, s->row, origin, text, r->err);
    case CLI_NUMBER:
        return put_number(s->field, s->row, origin, text, r->err);
    case CLI_CHOICE:
        return put_choice(s->field, s->row, origin, text, r->err);
    case CLI_LIST:
        return put_item(s->field, r->n_listed++, text, r->err);
    case CLI_TEXT:
        break;
    }
    *(const char **)s->field = text;
    return GR_OK;
}

/* --- the command line
 * ---------------------------------------------------------------------------------------------- */

/* Whether the first n characters of `text` spell the name, underscores standing for dashes. */
static bool spells(const char *text, size_t n, const char *name)
{
    if (strlen(name) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (name[i] != (text[i] == '_' ? '-' : text[i]))
            return false;
    return true;
}

static slot *find_long(reader *r, const char *text, size_t n)
{
    for (size_t i = 0; i < r->n; i++)
        if (spells(text, n, r->slots[i].row->name))
            return &r->slots[i];
    return NULL;
}

static slot *find_letter(reader *r, char letter)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].row->letter && r->slots[i].row->letter == letter)
            return &r->slots[i];
    return NULL;
}

static gr_status unknown(reader *r, const char *text, size_t n)
{
    cli_suggest s;
    cli_suggest_init(&s, text + 2, n - 2);
    for (size_t i = 0; i < r->n; i++)
        cli_suggest_offer(&s, r->slots[i].row->name);
    const char *best = cli_suggest_best(&s);
    if (best)
        return gr_fail(r->err, GR_ERR_ARG, "there is no option %.*s; did you mean --%s?", (int)n, text, best);
    return gr_fail(r->err, GR_ERR_ARG, "there is no option %.*s", (int)n, text);
}

/* The value that the next argument gives. One that is itself an option is a forgotten value: --model=--x
 * would be plain. */
static gr_status next_value(reader *r, const char *origin, const char **value)
{
    const char *next = r->left > 0 ? r->argv[0] : NULL;
    if (next && strncmp(next, "--", 2) == 0 && find_long(r, next + 2, strcspn(next + 2, "=")))
        return gr_fail(r->err, GR_ERR_ARG, "%s wants a value, but %s follows", origin, next);
    if (!next)
        return gr_fail(r->err, GR_ERR_ARG, "%s wants a value", origin);
    *value = next;
    r->argv++;
    r->left--;
    return GR_OK;
}

/* Puts an option that was met; value NULL: none is attached. */
static gr_status meet(reader *r, slot *s, const char *origin, const char *value)
{
    const cli_kind kind = s->row->kind;
    s->given = true;
    if (kind == CLI_COUNT && !value) {
        ++*(int64_t *)s->field;
        return GR_OK;
    }
    if (kind == CLI_FLAG && !value)
        value = "yes";
    if (!value)
        GR_TRY(next_value(r, origin, &value));
    return put(r, s, origin, value);
}

static gr_status read_long(reader *r, const char *text)
{
    const size_t n = strcspn(text, "=");
    slot *s = find_long(r, text + 2, n - 2);
    if (!s)
        return unknown(r, text, n);
    char origin[80];
    snprintf(origin, sizeof origin, "--%s", s->row->name);
    return meet(r, s, origin, text[n] ? text + n + 1 : NULL);
}

/* "-m", "-mVALUE", "-qv": letters until one takes the rest as its value. */
static gr_status read_letters(reader *r, const char *text)
{
    for (const char *c = text + 1; *c; c++) {
        slot *s = find_letter(r, *c);
        if (!s)
            return gr_fail(r->err, GR_ERR_ARG, "there is no option -%c (in '%s')", *c, text);
        const char origin[3] = { '-', *c, '\0' };
        const bool takes_value = s->row->kind != CLI_FLAG && s->row->kind != CLI_COUNT;
        GR_TRY(meet(r, s, origin, takes_value && c[1] ? c + 1 : NULL));
        if (takes_value)
            break;
    }
    return GR_OK;
}

static bool help_wanted(reader *r)
{
    const slot *s = find_long(r, "help", 4);
    return s && s->given && *(const bool *)s->field;
}

static gr_status read_argv(reader *r, const char **args, size_t *n_args)
{
    bool only_arguments = false;
    while (r->left > 0 && !help_wanted(r)) {
        const char *text = *r->argv++;
        r->left--;
        if (only_arguments || text[0] != '-' || text[1] == '\0')
            args[(*n_args)++] = text;
        else if (strcmp(text, "--") == 0)
            only_arguments = true;
        else
            GR_TRY(text[1] == '-' ? read_long(r, text) : read_letters(r, text));
    }
    return GR_OK;
}

static gr_status fill_the_rest(reader *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const slot *s = &r->slots[i];
        char name[64];
        cli_option_env(name, s->row->name);
        const char *env = getenv(name);
        if (s->given || strcmp(s->row->name, "help") == 0)
            continue;
        if (env && env[0])
            GR_TRY(put(r, s, name, env));
        else if (s->row->preset)
            GR_TRY(put(r, s, name, s->row->preset));
    }
    return GR_OK;
}

gr_status cli_options_read(const cli_binding *bindings, size_t n_bindings, int argc, const char *const *argv,
                           const char **args, size_t *n_args, gr_error *err)
{
    reader r = { .argv = argv, .left = argc, .err = err };
    *n_args = 0;
    for (size_t b = 0; b < n_bindings; b++)
        for (size_t i = 0; i < bindings[b].table->count; i++) {
            const cli_option *row = &bindings[b].table->rows[i];
            assert(r.n < CLI_MAX_OPTIONS);
            r.slots[r.n++] = (slot){ row, (char *)bindings[b].values + row->field, false };
        }
    GR_TRY(read_argv(&r, args, n_args));
    return help_wanted(&r) ? GR_OK : fill_the_rest(&r);
}

void cli_options_free(const cli_binding *bindings, size_t n_bindings)
{
    for (size_t b = 0; b < n_bindings; b++)
        for (size_t i = 0; i < bindings[b].table->count; i++) {
            const cli_option *row = &bindings[b].table->rows[i];
            if (row->kind != CLI_LIST)
                continue;
            cli_list *list = (cli_list *)(void *)((char *)bindings[b].values + row->field);
            free(list->items);
            free(list->places);
            *list = (cli_list){ 0 };
        }
}
