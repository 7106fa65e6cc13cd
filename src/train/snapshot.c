#include "train/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/log.h"
#include "base/source.h"
#include "base/xxh64.h"
#include "io/json.h"
#include "train/lora_state.h"
#include "train/moments_file.h"
#include "train/trained_weights.h"

#define PREFIX   "ckpt-"
#define MOMENTS  "optim/rank-00000-of-00001.bin"
#define LIST_MAX ((size_t)1 << 20) /* bytes of DONE */

void gr_snapshot_state_init(gr_snapshot_state *s, gr_runtime *rt)
{
    *s = (gr_snapshot_state){ .world = 1 };
    gr_buf_init(&s->config, rt, GR_SNAPSHOT_CONFIG_MAX);
}

void gr_snapshot_state_fini(gr_snapshot_state *s) { gr_buf_fini(&s->config); }

static gr_status join(char out[4096], const char *dir, const char *name, gr_error *err)
{
    return gr_path_join(out, 4096, dir, name)
               ? GR_OK
               : gr_fail(err, GR_ERR_LIMIT, "%s: the path of %s is too long", dir, name);
}

/* --- state.json ---------------------------------------------------------------------------------------- */

typedef enum { WHOLE, REAL, HEX, TEXT } field_kind; /* int64_t, double, uint64_t, char[32] */

/* Everything but the configuration; small whole numbers go through an int64_t. */
typedef struct {
    int64_t step, iteration, epoch, cursor, world, accumulation, warmup, iterations;
    double lr, start, wall_s;
    uint64_t seed, fingerprint;
    char order[32];
} flat_state;

static const struct {
    const char *name;
    field_kind kind;
    size_t at;
} fields[] = {
#define FIELD(name, kind)                       \
    {                                           \
#name, kind, offsetof(flat_state, name) \
    }
    FIELD(step, WHOLE),      FIELD(iteration, WHOLE),    FIELD(epoch, WHOLE),  FIELD(cursor, WHOLE),
    FIELD(world, WHOLE),     FIELD(accumulation, WHOLE), FIELD(warmup, WHOLE), FIELD(iterations, WHOLE),
    FIELD(lr, REAL),         FIELD(start, REAL),         FIELD(wall_s, REAL),  FIELD(seed, HEX),
    FIELD(fingerprint, HEX), FIELD(order, TEXT),
#undef FIELD
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static void hex_text(char out[17], uint64_t x) { snprintf(out, 17, "%016llx", (unsigned long long)x); }

static bool parse_hex(uint64_t *out, const char *text)
{
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    *out = strtoull(text, NULL, 16);
    return true;
}

static void put_field(gr_json_writer *j, const flat_state *s, int i)
{
    const char *at = (const char *)s + fields[i].at;
    char hex[17];
    gr_json_put_key(j, fields[i].name);
    switch (fields[i].kind) {
    case WHOLE:
        gr_json_put_int(j, *(const int64_t *)(const void *)at);
        break;
    case REAL:
        gr_json_put_number(j, *(const double *)(const void *)at);
        break;
    case HEX:
        hex_text(hex, *(const uint64_t *)(const void *)at);
        gr_json_put_text(j, hex);
        break;
    case TEXT:
        gr_json_put_text(j, at);
        break;
    }
}

static void read_field(gr_json *j, flat_state *s, int i)
{
    char *at = (char *)s + fields[i].at;
    switch (fields[i].kind) {
    case WHOLE:
        *(int64_t *)(void *)at = gr_json_int(j, 0, INT64_MAX);
        break;
    case REAL:
        *(double *)(void *)at = gr_json_number(j);
        break;
    case HEX:
        if (!parse_hex((uint64_t *)(void *)at, gr_json_string(j, NULL)))
            gr_json_fail(j, GR_ERR_FORMAT, "%s is not 16 hex digits", fields[i].name);
        break;
    case TEXT:
        snprintf(at, 32, "%s", gr_json_string(j, NULL));
        break;
    }
}

static gr_status write_state(const gr_snapshot_state *s, const gr_lora *lora, const char *dir, gr_error *err)
{
    flat_state f = { .step = s->step,
                     .iteration = s->iteration,
                     .epoch = s->epoch,
                     .cursor = (int64_t)s->cursor,
                     .world = s->world,
                     .accumulation = s->accumulation,
                     .warmup = s->schedule.warmup,
                     .iterations = s->schedule.n,
                     .lr = s->schedule.lr,
                     .start = s->schedule.start,
                     .wall_s = s->wall_s,
                     .seed = s->seed,
                     .fingerprint = s->fingerprint };
    char path[4096];
    gr_buf text;
    gr_json_writer j;
    snprintf(f.order, sizeof f.order, "%s", s->order);
    GR_TRY(join(path, dir, "state.json", err));
    gr_buf_init(&text, s->config.rt, 2 * GR_SNAPSHOT_CONFIG_MAX);
    gr_json_writer_init(&j, &text, true);
    gr_json_put_object(&j);
    for (int i = 0; i < N_FIELDS; i++)
        put_field(&j, &f, i);
    gr_json_put_key(&j, "lora");
    gr_lora_state_put(&j, lora);
    gr_json_put_key(&j, "loss_scale"); /* nothing is scaled: no f16 */
    gr_json_put_null(&j);
    gr_json_put_key(&j, "config");
    gr_json_put_raw(&j, s->config.len ? s->config.data : "{}", s->config.len ? s->config.len : 2);
    gr_json_put_end(&j, '}');
    gr_buf_text(&text, "\n");
    const gr_status st = text.failed ? gr_fail(err, GR_ERR_MEM, "%s: no memory for it", path)
                                     : gr_file_write(path, text.data, text.len, err);
    gr_buf_fini(&text);
    return st;
}

/* A state without "lora" is one without adapters. */
static gr_status parse_state(gr_snapshot_state *s, gr_lora *lora, const char *text, size_t n,
                             const char *path, gr_error *err)
{
    flat_state f = { 0 };
    gr_json j;
    const char *key;
    unsigned seen = 0;
    *lora = (gr_lora){ 0 };
    gr_json_init(&j, s->config.rt, text, n, path, 4096);
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        int i = 0;
        while (i < N_FIELDS && strcmp(fields[i].name, key) != 0)
            i++;
        if (i < N_FIELDS) {
            seen |= 1u << i;
            read_field(&j, &f, i);
        } else if (strcmp(key, "lora") == 0) {
            gr_lora_state_read(&j, lora);
        } else if (strcmp(key, "config") == 0) {
            size_t bytes;
            const char *raw = gr_json_raw(&j, &bytes);
            gr_buf_clear(&s->config);
            if (raw)
                gr_buf_add(&s->config, raw, bytes);
        } else {
            gr_json_skip(&j);
        }
    }
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    GR_TRY(st);
    for (int i = 0; i < N_FIELDS; i++)
        if (!(seen >> i & 1))
            return gr_fail(err, GR_ERR_FORMAT, "%s: it has no \"%s\"", path, fields[i].name);
    if (s->config.failed)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for it", path);
    s->step = f.step;
    s->iteration = f.iteration;
    s->epoch = (uint32_t)f.epoch;
    s->cursor = (uint64_t)f.cursor;
    s->world = (int)f.world;
    s->accumulation = (int)f.accumulation;
    s->schedule = (gr_schedule){ f.lr, f.start, f.warmup, f.iterations };
    s->wall_s = f.wall_s;
    s->seed = f.seed;
    s->fingerprint = f.fingerprint;
    memcpy(s->order, f.order, sizeof s->order);
    return GR_OK;
}

static gr_status read_state(gr_snapshot_state *s, gr_lora *lora, const char *dir, gr_error *err)
{
    char path[4096], *text;
    size_t n;
    GR_TRY(join(path, dir, "state.json", err));
    GR_TRY(gr_file_read(s->config.rt, path, 2 * GR_SNAPSHOT_CONFIG_MAX, &text, &n, err));
    const gr_status st = parse_state(s, lora, text, n, path, err);
    gr_free(s->config.rt, text);
    return st;
}

/* --- DONE ---------------------------------------------------------------------------------------------- */

static gr_status sum_file(gr_runtime *rt, const char *path, uint64_t *sum, gr_error *err)
{
    const size_t portion = (size_t)1 << 22;
    gr_source file;
    gr_xxh64 x;
    gr_status st = GR_OK;
    gr_xxh64_init(&x, 0);
    uint8_t *bytes = gr_malloc(rt, portion, 1);
    if (!bytes)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory to read it", path);
    if ((st = gr_source_open(&file, path, err)) == GR_OK) {
        for (size_t at = 0; st == GR_OK && at < file.size; at += portion) {
            const size_t n = file.size - at < portion ? file.size - at : portion;
            if ((st = gr_source_read(&file, at, bytes, n, err)) != GR_OK)
                gr_error_prefix(err, "%s", path);
            else
                gr_xxh64_add(&x, bytes, n);
        }
        gr_source_close(&file);
    }
    gr_free(rt, bytes);
    *sum = gr_xxh64_value(&x);
    return st;
}

typedef struct {
    gr_runtime *rt;
    const char *dir;
    gr_json_writer json;
} listing;

static gr_status list_file(void *user, const char *name, bool is_dir, gr_error *err)
{
    listing *l = user;
    char path[4096], hex[17];
    uint64_t sum;
    if (is_dir)
        return GR_OK;
    GR_TRY(join(path, l->dir, name, err));
    GR_TRY(sum_file(l->rt, path, &sum, err));
    hex_text(hex, sum);
    gr_json_put_key(&l->json, name);
    gr_json_put_text(&l->json, hex);
    return GR_OK;
}

static gr_status build_done(gr_buf *text, gr_runtime *rt, const char *dir, gr_error *err)
{
    listing l = { .rt = rt, .dir = dir };
    gr_json_writer_init(&l.json, text, true);
    gr_json_put_object(&l.json);
    gr_json_put_key(&l.json, "files");
    gr_json_put_object(&l.json);
    GR_TRY(gr_folder_walk(dir, list_file, &l, err));
    gr_json_put_end(&l.json, '}');
    gr_json_put_end(&l.json, '}');
    gr_buf_text(text, "\n");
    return text->failed ? gr_fail(err, GR_ERR_MEM, "%s: no memory for the list of files", dir) : GR_OK;
}

/* One entry of DONE. Names stay inside the folder. */
static gr_status check_file(gr_runtime *rt, const char *dir, const char *name, const char *hex, gr_error *err)
{
    char path[4096];
    uint64_t want, sum;
    if (name[0] == '/' || strstr(name, "..") || !parse_hex(&want, hex))
        return gr_fail(err, GR_ERR_FORMAT, "%s/DONE: '%s' with checksum '%s' is no entry", dir, name, hex);
    GR_TRY(join(path, dir, name, err));
    GR_TRY(sum_file(rt, path, &sum, err));
    return sum == want ? GR_OK
                       : gr_fail(err, GR_ERR_FORMAT, "%s: checksum %016llx, DONE has %s", path,
                                 (unsigned long long)sum, hex);
}

static gr_status check_list(gr_runtime *rt, const char *dir, gr_json *j, gr_error *err)
{
    const char *key;
    bool state = false, moments = false;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "files") != 0) {
            gr_json_skip(j);
            continue;
        }
        for (gr_json_object(j); gr_json_key(j, &key);) {
            char name[4096];
            snprintf(name, sizeof name, "%s", key);
            state |= strcmp(name, "state.json") == 0;
            moments |= strcmp(name, MOMENTS) == 0;
            const char *hex = gr_json_string(j, NULL);
            GR_TRY(gr_json_status(j, false, err));
            GR_TRY(check_file(rt, dir, name, hex, err));
        }
    }
    GR_TRY(gr_json_status(j, true, err));
    return state && moments
               ? GR_OK
               : gr_fail(err, GR_ERR_FORMAT, "%s/DONE: it does not list state.json and " MOMENTS, dir);
}

static gr_status check_done(gr_runtime *rt, const char *dir, gr_error *err)
{
    char path[4096], *text;
    size_t n;
    gr_json j;
    GR_TRY(join(path, dir, "DONE", err));
    GR_TRY(gr_file_read(rt, path, LIST_MAX, &text, &n, err));
    gr_json_init(&j, rt, text, n, path, 4000);
    const gr_status st = check_list(rt, dir, &j, err);
    gr_json_fini(&j);
    gr_free(rt, text);
    return st;
}

/* --- the folders of a run ------------------------------------------------------------------------------ */

static void name_of(char out[32], int64_t step) { snprintf(out, 32, PREFIX "%09lld", (long long)step); }

/* The step of a folder's name; -1: another name. */
static int64_t step_of(const char *name)
{
    const char *digits = name + strlen(PREFIX);
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strlen(digits) < 9 || strlen(digits) > 18 ||
        strspn(digits, "0123456789") != strlen(digits))
        return -1;
    return (int64_t)strtoll(digits, NULL, 10);
}

static bool is_complete(const char *run, int64_t step)
{
    char name[32], file[64], path[4096];
    name_of(name, step);
    snprintf(file, sizeof file, "%s/DONE", name);
    return gr_path_join(path, sizeof path, run, file) && gr_path_exists(path);
}

/* The largest step below `below` of a complete folder; -1: none. */
static int64_t newest_below(const char *run, int64_t below)
{
    DIR *d = opendir(run);
    int64_t best = -1;
    for (struct dirent *e; d && (e = readdir(d));) {
        const int64_t step = step_of(e->d_name);
        if (step > best && step < below && is_complete(run, step))
            best = step;
    }
    if (d)
        closedir(d);
    return best;
}

int64_t gr_snapshot_newest(const char *run) { return newest_below(run, INT64_MAX); }

/* What a killed save left: of any step, and of any process. */
static bool is_leftover(const char *name)
{
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0 && strstr(name, ".tmp") != NULL;
}

/* Removes folders older than the newest `keep` complete ones, and leftovers. */
static void tidy(const char *run, int keep)
{
    int64_t oldest = INT64_MAX;
    char path[4096];
    for (int i = 0; i < keep; i++) {
        const int64_t step = newest_below(run, oldest);
        if (step < 0)
            break;
        oldest = step;
    }
    DIR *d = opendir(run);
    for (struct dirent *e; d && (e = readdir(d));) {
        const int64_t step = step_of(e->d_name);
        if (((step >= 0 && step < oldest) || is_leftover(e->d_name)) &&
            gr_path_join(path, sizeof path, run, e->d_name))
            gr_folder_remove(path);
    }
    if (d)
        closedir(d);
}

/* --- saving -------------------------------------------------------------------------------------------- */

static gr_status make_dir(char out[4096], const char *dir, const char *name, gr_error *err)
{
    GR_TRY(join(out, dir, name, err));
    return mkdir(out, 0777) == 0
               ? GR_OK
               : gr_fail(err, GR_ERR_IO, "%s: cannot make this folder: %s", out, strerror(errno));
}

static gr_status fill(const gr_trainer *t, const gr_snapshot_state *s, gr_dtype dtype, const char *dir,
                      gr_error *err)
{
    const gr_trained_weights_options weights = { .dtype = dtype };
    char path[4096];
    GR_TRY(make_dir(path, dir, "optim", err)); /* first, as it is the largest and may find the disk full */
    GR_TRY(join(path, dir, MOMENTS, err));
    GR_TRY(gr_moments_write(&t->flat, path, err));
    GR_TRY(join(path, dir, "optim", err));
    GR_TRY(gr_folder_sync(path, err));
    GR_TRY(make_dir(path, dir, "model", err));
    GR_TRY(gr_trained_weights_write(t, path, &weights, err));
    GR_TRY(gr_folder_sync(path, err));
    return write_state(s, &t->flat.lora, dir, err);
}

/* The folder without its DONE, whose text comes in `done`. */
static gr_status save_folder(gr_folder *f, const gr_trainer *t, const gr_snapshot_state *s, gr_dtype dtype,
                             gr_buf *done, gr_error *err)
{
    GR_TRY(gr_folder_make(f, err));
    gr_status st = fill(t, s, dtype, f->work, err);
    if (st == GR_OK)
        st = build_done(done, t->rt, f->work, err);
    return gr_folder_finish(f, st, err);
}

gr_status gr_snapshot_save(const char *run, const gr_trainer *t, const gr_snapshot_state *s, gr_dtype dtype,
                           int keep, gr_error *err)
{
    char name[32], path[4096];
    gr_folder folder;
    gr_buf done;
    name_of(name, s->step);
    GR_TRY(join(path, run, name, err));
    GR_TRY(gr_folder_init_over(&folder, path, err));
    gr_buf_init(&done, t->rt, LIST_MAX);
    gr_status st = save_folder(&folder, t, s, dtype, &done, err);
    if (st == GR_OK)
        st = join(path, folder.place, "DONE", err);
    if (st == GR_OK)
        st = gr_file_write(path, done.data, done.len, err);
    if (st == GR_OK)
        st = gr_folder_sync(folder.place, err);
    if (st == GR_OK)
        tidy(run, keep);
    gr_buf_fini(&done);
    return st;
}

/* --- loading ------------------------------------------------------------------------------------------- */

static gr_status load_one(gr_trainer *t, gr_snapshot_state *s, const char *dir, gr_error *err)
{
    char path[4096];
    gr_lora lora;
    GR_TRY(check_done(t->rt, dir, err));
    GR_TRY(read_state(s, &lora, dir, err));
    if (gr_lora_state_compare(&lora, &t->flat.lora, err) != GR_OK)
        return gr_error_prefix(err, "%s", dir);
    GR_TRY(join(path, dir, MOMENTS, err));
    GR_TRY(gr_moments_read(&t->flat, path, err));
    t->steps = s->step;
    return GR_OK;
}

gr_status gr_snapshot_load(gr_trainer *t, gr_snapshot_state *s, const char *run, gr_error *err)
{
    gr_error first = { 0 };
    int64_t step = gr_snapshot_newest(run);
    if (step < 0)
        return gr_fail(err, GR_ERR_IO, "%s: there is no complete checkpoint " PREFIX "*", run);
    for (; step >= 0; step = newest_below(run, step)) {
        char name[32], path[4096];
        gr_error why = { 0 };
        name_of(name, step);
        GR_TRY(join(path, run, name, err));
        if (load_one(t, s, path, &why) == GR_OK)
            return GR_OK;
        if (why.status == GR_ERR_MEM || why.status == GR_ERR_ARG) /* an older one would not do either */
            return gr_fail(err, why.status, "%s", why.msg);
        gr_log(t->rt, GR_LOG_WARNING, "checkpoint %s is passed over: %s", name, why.msg);
        if (first.status == GR_OK)
            first = why;
    }
    return gr_fail(err, first.status, "%s: no checkpoint can be used; the newest: %.400s", run, first.msg);
}
