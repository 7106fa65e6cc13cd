#include "train/train_config.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "train/gar_sample.h"

#define FILE_MAX ((size_t)1 << 20)
#define WORD_MAX 40

typedef struct {
    const char *name;
    gr_option_kind kind;
    size_t at;
    const char *preset;
    double least, most;
    bool fixed;
    const char *source, *help;
} option;

static const option options[] = {
#define X(name, kind, preset, least, most, fixed, source, help) \
    { #name, GR_OPTION_##kind, offsetof(gr_train_config, name), preset, least, most, fixed, source, help },
    GR_TRAIN_OPTION_TABLE(X)
#undef X
};
enum { N_OPTIONS = sizeof options / sizeof *options };
_Static_assert(N_OPTIONS <= sizeof((gr_train_config *)0)->origin / sizeof(char *), "an origin for each");

static void *field(gr_train_config *c, const option *o) { return (char *)c + o->at; }
static const void *value(const gr_train_config *c, const option *o) { return (const char *)c + o->at; }

/* --- words --------------------------------------------------------------------------------------------- */

/* Word i of "a|b|c: ..." into out; false: there are fewer. */
static bool word_at(const char *help, int i, char out[WORD_MAX])
{
    for (; i > 0; i--) {
        help += strcspn(help, "|:");
        if (*help++ != '|')
            return false;
    }
    snprintf(out, WORD_MAX, "%.*s", (int)strcspn(help, "|:"), help);
    return true;
}

static int64_t word_index(const option *o, const char *word)
{
    char known[WORD_MAX];
    for (int i = 0; word_at(o->help, i, known); i++)
        if (strcmp(known, word) == 0)
            return i;
    return -1;
}

/* Edits that turn a into b. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], n = strlen(b);
    for (size_t i = 0; i <= n; i++)
        row[i] = i;
    for (size_t k = 1; *a; a++, k++) {
        size_t corner = row[0];
        row[0] = k;
        for (size_t i = 1; i <= n; i++) {
            const size_t swap = corner + (*a != b[i - 1]), add = row[i - 1] + 1, drop = row[i] + 1;
            corner = row[i];
            row[i] = swap < add ? swap : add;
            row[i] = row[i] < drop ? row[i] : drop;
        }
    }
    return row[n];
}

/* The option of that name, or NULL; then *near is the one that may be meant, or NULL. */
static const option *find(const char *name, const char **near)
{
    size_t best = 4; /* more edits make another word */
    *near = NULL;
    for (int i = 0; i < N_OPTIONS; i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
        const size_t d = strlen(name) < WORD_MAX ? distance(name, options[i].name) : best;
        if (d < best) {
            best = d;
            *near = options[i].name;
        }
    }
    return NULL;
}

/* --- values -------------------------------------------------------------------------------------------- */

static void read_word(gr_json *j, const option *o, int64_t *to)
{
    *to = word_index(o, gr_json_string(j, NULL));
    if (*to < 0) {
        *to = 0;
        gr_json_fail(j, GR_ERR_FORMAT, "%s: expected one of %.*s", o->name, (int)strcspn(o->help, ":"),
                     o->help);
    }
}

static void read_text(gr_json *j, const option *o, char *to)
{
    const char *text = gr_json_string(j, NULL);
    if (strlen(text) >= GR_TRAIN_TEXT)
        gr_json_fail(j, GR_ERR_LIMIT, "%s: a text of %zu bytes, at most %d", o->name, strlen(text),
                     GR_TRAIN_TEXT - 1);
    else
        memcpy(to, text, strlen(text) + 1);
}

static void read_real(gr_json *j, const option *o, double *to)
{
    const double x = gr_json_number(j);
    if (!(x >= o->least && x <= o->most))
        gr_json_fail(j, GR_ERR_FORMAT, "%s is %g, expected %g to %g", o->name, x, o->least, o->most);
    else
        *to = x;
}

/* The next value of a text into a field. */
static void read_value(gr_train_config *c, gr_json *j, const option *o)
{
    j->about = o->name;
    switch (o->kind) {
    case GR_OPTION_TEXT:
        read_text(j, o, field(c, o));
        break;
    case GR_OPTION_WHOLE:
        *(int64_t *)field(c, o) = gr_json_int(j, (int64_t)o->least, (int64_t)o->most);
        break;
    case GR_OPTION_REAL:
        read_real(j, o, field(c, o));
        break;
    case GR_OPTION_WORD:
        read_word(j, o, field(c, o));
        break;
    }
    j->about = NULL;
}

static bool is_quoted(const option *o) { return o->kind == GR_OPTION_TEXT || o->kind == GR_OPTION_WORD; }

static gr_status set_text(gr_train_config *c, const option *o, const char *text, const char *origin,
                          gr_error *err)
{
    gr_buf json;
    gr_json_writer w;
    gr_json j;
    gr_error why = { 0 };
    gr_buf_init(&json, c->rt, 4 * FILE_MAX);
    gr_json_writer_init(&w, &json, false);
    if (is_quoted(o))
        gr_json_put_text(&w, text);
    else
        gr_buf_text(&json, text);
    gr_json_init(&j, c->rt, gr_buf_str(&json), json.len, o->name, GR_TRAIN_TEXT);
    read_value(c, &j, o);
    gr_json_status(&j, true, &why);
    gr_json_fini(&j);
    gr_buf_fini(&json);
    if (why.status != GR_OK)
        return gr_fail(err, GR_ERR_ARG, "'%.200s' is no value of %s: %.200s", text, o->name, why.msg);
    c->origin[o - options] = origin;
    return GR_OK;
}

void gr_train_config_init(gr_train_config *c, gr_runtime *rt)
{
    *c = (gr_train_config){ .rt = rt };
    for (int i = 0; i < N_OPTIONS; i++)
        set_text(c, &options[i], options[i].preset, "default", NULL);
}

/* --- from outside -------------------------------------------------------------------------------------- */

static void read_object(gr_train_config *c, gr_json *j, const char *origin)
{
    uint64_t seen = 0;
    const char *key, *near;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        const option *o = find(key, &near);
        if (!o) {
            if (near)
                gr_json_fail(j, GR_ERR_FORMAT, "there is no option '%.100s'; '%s' may be meant", key, near);
            else
                gr_json_fail(j, GR_ERR_FORMAT, "there is no option '%.100s'", key);
            return;
        }
        if (seen >> (o - options) & 1)
            gr_json_fail(j, GR_ERR_FORMAT, "%s is there twice", o->name);
        seen |= (uint64_t)1 << (o - options);
        read_value(c, j, o);
        c->origin[o - options] = origin;
    }
}

gr_status gr_train_config_parse(gr_train_config *c, const char *text, size_t n, const char *name,
                                gr_error *err)
{
    gr_json j;
    gr_json_init(&j, c->rt, text, n, name, GR_TRAIN_TEXT);
    read_object(c, &j, "file");
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    return st;
}

gr_status gr_train_config_read(gr_train_config *c, const char *path, gr_error *err)
{
    char *text;
    size_t n;
    GR_TRY(gr_file_read(c->rt, path, FILE_MAX, &text, &n, err));
    const gr_status st = gr_train_config_parse(c, text, n, path, err);
    gr_free(c->rt, text);
    return st;
}

gr_status gr_train_config_set(gr_train_config *c, const char *assignment, gr_error *err)
{
    const char *equals = strchr(assignment, '='), *near;
    char name[WORD_MAX];
    if (!equals)
        return gr_fail(err, GR_ERR_ARG, "'%.100s' is no assignment, expected NAME=VALUE", assignment);
    snprintf(name, sizeof name, "%.*s", (int)(equals - assignment), assignment);
    const option *o = find(name, &near);
    if (o)
        return set_text(c, o, equals + 1, "command line", err);
    return near ? gr_fail(err, GR_ERR_ARG, "there is no option '%s'; '%s' may be meant", name, near)
                : gr_fail(err, GR_ERR_ARG, "there is no option '%s'", name);
}

/* What the ablations of regions need; the words are in the order of gr_region_source. */
static gr_status check_region_rows(const gr_train_config *c, gr_error *err)
{
    const bool crops = c->region_rows == GR_REGION_CROP, alone = c->picture_rows == 1;
    const int64_t tiles = c->max_regions + (alone ? 0 : 2);
    if (alone && !crops)
        return gr_fail(err, GR_ERR_ARG,
                       "picture_rows is no, and region_rows is not crop: without the picture only crops are "
                       "there to be seen");
    if (crops && c->max_tiles < tiles)
        return gr_fail(
            err, GR_ERR_ARG,
            "max_tiles is %lld, and with region_rows=crop a sample of %lld regions has at least %lld "
            "tiles: raise it, or lower max_regions",
            (long long)c->max_tiles, (long long)c->max_regions, (long long)tiles);
    if (c->export_to[0] && c->region_rows != GR_REGION_REPLAY)
        return gr_fail(err, GR_ERR_ARG,
                       "export_to is given, and region_rows is not replay: such a model cannot be asked, as "
                       "asking replays features of the picture");
    return GR_OK;
}

gr_status gr_train_config_check(const gr_train_config *c, gr_error *err)
{
    if (!c->model[0] || !c->output[0])
        return gr_fail(err, GR_ERR_ARG, "the run has no %s", c->model[0] ? "output" : "model");
    if (strcmp(c->parts, "none") == 0 && c->lora_rank == 0)
        return gr_fail(err, GR_ERR_ARG, "parts is none and lora_rank is 0: nothing would be trained");
    return check_region_rows(c, err);
}

gr_status gr_train_config_lora(const gr_train_config *c, gr_lora *lora, gr_error *err)
{
    *lora = (gr_lora){ 0 };
    if (c->lora_rank == 0)
        return GR_OK;
    *lora = (gr_lora){ .rank = (int)c->lora_rank, .alpha = (float)c->lora_alpha, .seed = (uint64_t)c->seed };
    return gr_lora_targets_parse(&lora->targets, c->lora_layers, err) == GR_OK
               ? GR_OK
               : gr_error_prefix(err, "lora_layers");
}

/* --- showing ------------------------------------------------------------------------------------------- */

static void put_value(gr_json_writer *j, const gr_train_config *c, const option *o)
{
    char word[WORD_MAX];
    switch (o->kind) {
    case GR_OPTION_TEXT:
        gr_json_put_text(j, value(c, o));
        break;
    case GR_OPTION_WHOLE:
        gr_json_put_int(j, *(const int64_t *)value(c, o));
        break;
    case GR_OPTION_REAL:
        gr_json_put_number(j, *(const double *)value(c, o));
        break;
    case GR_OPTION_WORD:
        word_at(o->help, (int)*(const int64_t *)value(c, o), word);
        gr_json_put_text(j, word);
        break;
    }
}

static void put_line(gr_buf *out, const gr_train_config *c, const option *o)
{
    gr_json_writer j;
    gr_buf_printf(out, "%-18s = ", o->name);
    gr_json_writer_init(&j, out, false);
    put_value(&j, c, o);
    gr_buf_printf(out, "   [%s", c->origin[o - options]);
    if (o->source[0])
        gr_buf_printf(out, "; default %s, %s", o->preset, o->source);
    gr_buf_printf(out, "]  %s\n", o->help);
}

void gr_train_config_write(const gr_train_config *c, gr_buf *out, bool table)
{
    gr_json_writer j;
    gr_json_writer_init(&j, out, true);
    if (!table)
        gr_json_put_object(&j);
    for (int i = 0; i < N_OPTIONS; i++)
        if (table) {
            put_line(out, c, &options[i]);
        } else {
            gr_json_put_key(&j, options[i].name);
            put_value(&j, c, &options[i]);
        }
    if (!table)
        gr_json_put_end(&j, '}');
}

/* --- going on ------------------------------------------------------------------------------------------ */

static bool same(const gr_train_config *a, const gr_train_config *b, const option *o)
{
    if (o->kind == GR_OPTION_TEXT)
        return strcmp(value(a, o), value(b, o)) == 0;
    return memcmp(value(a, o), value(b, o), 8) == 0; /* int64_t or double */
}

static gr_status compare_one(const gr_train_config *c, const gr_train_config *old, const option *o,
                             gr_buf *text, gr_error *err)
{
    gr_json_writer j;
    if (!o->fixed || same(c, old, o))
        return GR_OK;
    gr_buf_printf(text, "%s is ", o->name);
    gr_json_writer_init(&j, text, false);
    put_value(&j, c, o);
    gr_buf_text(text, ", and the run was begun with ");
    gr_json_writer_init(&j, text, false);
    put_value(&j, old, o);
    return gr_fail(err, GR_ERR_ARG, "%.400s: it cannot go on", gr_buf_str(text));
}

gr_status gr_train_config_compare(const gr_train_config *c, const char *saved, size_t n, gr_error *err)
{
    gr_json j;
    gr_buf text;
    gr_train_config *old = gr_malloc(c->rt, 1, sizeof *old);
    if (!old)
        return gr_fail(err, GR_ERR_MEM, "no memory for a configuration");
    gr_train_config_init(old, c->rt);
    gr_json_init(&j, c->rt, saved, n, "the checkpoint's configuration", GR_TRAIN_TEXT);
    read_object(old, &j, "checkpoint");
    gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    gr_buf_init(&text, c->rt, FILE_MAX);
    for (int i = 0; st == GR_OK && i < N_OPTIONS; i++)
        st = compare_one(c, old, &options[i], &text, err);
    gr_buf_fini(&text);
    gr_free(c->rt, old);
    return st;
}
