#include "dataset/dataset_writer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/arrow_cursor.h"
#include "dataset/arrow_features.h"
#include "dataset/dataset_folder.h"
#include "dataset/dataset_state.h"

#define SHARD_BYTES UINT64_C(500000000) /* huggingface/datasets, config.MAX_SHARD_SIZE: "500MB" */

struct gr_dataset_writer {
    gr_runtime *rt;
    char dir[GR_DATASET_PATH_MAX];
    char collected[GR_DATASET_PATH_MAX]; /* the file of all rows */
    gr_dataset_writer_options options;
    gr_arrow_schema schema;
    gr_arrow_writer *rows;
    bool made_dir;
    size_t n_shards, n_written; /* of the folder; of them, under their names */
    gr_hash hash;
};

/* The path of a file of the folder; such a path fits, since that of the longest name did. */
static const char *file_of(const gr_dataset_writer *w, const char *name, char path[GR_DATASET_PATH_MAX])
{
    gr_path_join(path, GR_DATASET_PATH_MAX, w->dir, name);
    return path;
}

static const char *shard_name(const gr_dataset_writer *w, size_t i, char name[64])
{
    snprintf(name, 64, "data-%05zu-of-%05zu.arrow", i, w->n_shards);
    return name;
}

/* --- opening ------------------------------------------------------------------------------------------- */

static void free_writer(gr_dataset_writer *w)
{
    gr_arrow_schema_fini(&w->schema);
    gr_free(w->rt, w);
}

/* {"info": {"features": {"column": feature, ...}}}, for the schema's metadata. */
static gr_status make_features(gr_dataset_writer *w, gr_error *err)
{
    gr_json_writer j;
    gr_buf info;
    gr_buf_init(&info, w->rt, GR_DATASET_JSON_MAX);
    gr_json_writer_init(&j, &info, false);
    gr_json_put_object(&j);
    gr_json_put_key(&j, "info");
    gr_json_put_object(&j);
    gr_json_put_key(&j, "features");
    gr_status st = gr_arrow_features_put(&w->schema, &j, err);
    gr_json_put_end(&j, '}');
    gr_json_put_end(&j, '}');
    w->schema.huggingface = info.failed ? NULL : gr_strdup(w->rt, gr_buf_str(&info));
    if (st == GR_OK && !w->schema.huggingface)
        st = gr_fail(err, GR_ERR_MEM, "no memory for the features");
    gr_buf_fini(&info);
    return st;
}

static gr_status make_dir(gr_dataset_writer *w, gr_error *err)
{
    char path[GR_DATASET_PATH_MAX];
    w->made_dir = mkdir(w->dir, 0777) == 0;
    if (!w->made_dir && errno != EEXIST)
        return gr_fail(err, GR_ERR_IO, "%s: cannot make the folder: %s", w->dir, strerror(errno));
    if (!gr_path_is_dir(w->dir))
        return gr_fail(err, GR_ERR_IO, "%s: not a folder", w->dir);
    if (gr_path_exists(file_of(w, "state.json", path)) ||
        gr_path_exists(file_of(w, "dataset_dict.json", path)))
        return gr_fail(err, GR_ERR_ARG, "%s: there is a data set in this folder already", w->dir);
    return GR_OK;
}

static gr_status open_rows(gr_dataset_writer *w, gr_error *err)
{
    GR_TRY(make_dir(w, err));
    file_of(w, "rows.arrow.part", w->collected);
    return gr_arrow_writer_open(&w->rows, w->rt, w->collected, &w->schema, &w->options.batch, err);
}

gr_status gr_dataset_writer_open(gr_dataset_writer **out, gr_runtime *rt, const char *dir,
                                 const gr_arrow_field *fields, int n,
                                 const gr_dataset_writer_options *options, gr_error *err)
{
    gr_error why = { 0 };
    *out = NULL;
    if (strlen(dir) + 64 > GR_DATASET_PATH_MAX)
        return gr_fail(err, GR_ERR_ARG, "a path of %zu bytes is too long for a data set", strlen(dir));
    gr_dataset_writer *w = gr_calloc(rt, 1, sizeof *w);
    if (!w)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory to write a data set", dir);
    w->rt = rt;
    w->options = options ? *options : (gr_dataset_writer_options){ 0 };
    w->options.shard_bytes = w->options.shard_bytes ? w->options.shard_bytes : SHARD_BYTES;
    memcpy(w->dir, dir, strlen(dir) + 1);
    gr_status st = gr_arrow_schema_of(&w->schema, rt, fields, n, &why);
    if (st == GR_OK)
        st = make_features(w, &why);
    if (st != GR_OK)
        gr_fail(err, st, "%s: %s", dir, why.msg);
    else
        st = open_rows(w, err);
    if (st != GR_OK)
        gr_dataset_writer_abort(w);
    else
        *out = w;
    return st;
}

gr_status gr_dataset_writer_add(gr_dataset_writer *w, const gr_arrow_value *row, gr_error *err)
{
    return gr_arrow_writer_add(w->rows, row, err);
}

/* --- shards -------------------------------------------------------------------------------------------- */

static gr_status rename_rows(gr_dataset_writer *w, gr_error *err)
{
    char name[64], path[GR_DATASET_PATH_MAX];
    file_of(w, shard_name(w, 0, name), path);
    if (rename(w->collected, path) != 0)
        return gr_fail(err, GR_ERR_IO, "%s: cannot rename it to %s: %s", w->collected, path, strerror(errno));
    w->n_written = 1;
    return GR_OK;
}

/* What copying rows needs. */
typedef struct {
    const gr_arrow_file *from;
    gr_arrow_cursor *cursor;
    gr_arrow_value *row;
} copying;

static gr_status copy_row(const copying *c, uint64_t row, gr_arrow_writer *to, gr_error *err)
{
    size_t k = 0;
    for (int f = 0; f < c->from->schema.n_fields; f = c->from->schema.fields[f].next) {
        const gr_arrow_value *v;
        GR_TRY(gr_arrow_cursor_read(c->cursor, c->from, row, f, &v, err));
        c->row[k++] = *v;
    }
    return gr_arrow_writer_add(to, c->row, err);
}

static gr_status write_shard(gr_dataset_writer *w, const copying *c, uint64_t begin, uint64_t end,
                             gr_error *err)
{
    char name[64], path[GR_DATASET_PATH_MAX];
    gr_arrow_writer *to;
    gr_status st;
    GR_TRY(gr_arrow_writer_open(&to, w->rt, file_of(w, shard_name(w, w->n_written, name), path), &w->schema,
                                &w->options.batch, err));
    st = GR_OK;
    for (uint64_t row = begin; row < end && st == GR_OK; row++)
        st = copy_row(c, row, to, err);
    if (st == GR_OK)
        st = gr_arrow_writer_finish(to, err);
    if (st != GR_OK) {
        gr_arrow_writer_abort(to);
        return st;
    }
    const gr_hash hash = gr_arrow_writer_hash(to);
    w->hash = gr_hash_bytes(w->hash, &hash.low, sizeof hash.low);
    GR_TRY(gr_arrow_writer_commit(to, err));
    w->n_written++;
    return GR_OK;
}

/* Shard i of n has N / n rows, the first N % n of them one more. */
static gr_status copy_rows(gr_dataset_writer *w, const copying *c, gr_error *err)
{
    const uint64_t q = c->from->n_rows / w->n_shards, r = c->from->n_rows % w->n_shards;
    for (uint64_t i = 0; i < w->n_shards; i++) {
        const uint64_t begin = i * q + (i < r ? i : r);
        GR_TRY(write_shard(w, c, begin, begin + q + (i < r), err));
    }
    return GR_OK;
}

static gr_status split_rows(gr_dataset_writer *w, gr_error *err)
{
    gr_arrow_file *from;
    copying c = { 0 };
    /* what could be written can be read, however large a row is as values */
    const gr_arrow_cursor_options limits = { .row_bytes = SIZE_MAX / 2 };
    GR_TRY(gr_arrow_file_open(&from, w->rt, w->collected, err));
    c.from = from;
    c.row = gr_calloc(w->rt, (size_t)from->schema.n_fields, sizeof *c.row);
    gr_status st = c.row ? gr_arrow_cursor_new(&c.cursor, w->rt, &limits, err)
                         : gr_fail(err, GR_ERR_MEM, "%s: no memory for a row", w->collected);
    if (st == GR_OK)
        st = copy_rows(w, &c, err);
    gr_arrow_cursor_free(c.cursor);
    gr_free(w->rt, c.row);
    gr_arrow_file_close(from);
    unlink(w->collected);
    return st;
}

/* --- the JSON files ------------------------------------------------------------------------------------ */

static void put_text_key(gr_json_writer *j, const char *key, const char *text)
{
    gr_json_put_key(j, key);
    gr_json_put_text(j, text);
}

static void put_info(const gr_dataset_writer *w, gr_json_writer *j)
{
    gr_json_put_object(j);
    put_text_key(j, "citation", "");
    put_text_key(j, "description", "");
    gr_json_put_key(j, "features");
    (void)gr_arrow_features_put(&w->schema, j, NULL); /* it could be put before */
    put_text_key(j, "homepage", "");
    put_text_key(j, "license", "");
    gr_json_put_end(j, '}');
}

static void put_state(const gr_dataset_writer *w, gr_json_writer *j)
{
    char name[64], fingerprint[32];
    gr_json_put_object(j);
    gr_json_put_key(j, "_data_files");
    gr_json_put_array(j);
    for (size_t i = 0; i < w->n_shards; i++) {
        gr_json_put_object(j);
        put_text_key(j, "filename", shard_name(w, i, name));
        gr_json_put_end(j, '}');
    }
    gr_json_put_end(j, ']');
    snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)w->hash.low);
    put_text_key(j, "_fingerprint", fingerprint);
    gr_json_put_key(j, "_format_columns");
    gr_json_put_null(j);
    gr_json_put_key(j, "_format_kwargs");
    gr_json_put_object(j);
    gr_json_put_end(j, '}');
    gr_json_put_key(j, "_format_type");
    gr_json_put_null(j);
    gr_json_put_key(j, "_output_all_columns");
    gr_json_put_bool(j, false);
    gr_json_put_key(j, "_split");
    gr_json_put_null(j);
    gr_json_put_end(j, '}');
}

static gr_status write_json(gr_dataset_writer *w, const char *name,
                            void (*put)(const gr_dataset_writer *w, gr_json_writer *j), gr_error *err)
{
    char path[GR_DATASET_PATH_MAX];
    gr_file_writer file;
    gr_json_writer j;
    gr_buf text;
    gr_buf_init(&text, w->rt, GR_DATASET_JSON_MAX);
    gr_json_writer_init(&j, &text, true);
    put(w, &j);
    gr_status st = text.failed ? gr_fail(err, GR_ERR_MEM, "%s: no memory to write it", file_of(w, name, path))
                               : gr_file_writer_open(&file, file_of(w, name, path), err);
    if (st == GR_OK) {
        gr_file_writer_add(&file, text.data, text.len);
        st = gr_file_writer_commit(&file, err);
    }
    gr_buf_fini(&text);
    return st;
}

/* --- the end ------------------------------------------------------------------------------------------- */

static gr_status write_shards(gr_dataset_writer *w, gr_error *err)
{
    GR_TRY(gr_arrow_writer_finish(w->rows, err));
    const uint64_t n_shards = gr_arrow_writer_bytes(w->rows) / w->options.shard_bytes + 1;
    if (n_shards > GR_DATASET_NAMES_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%s: %llu shards, the limit is %d", w->dir,
                       (unsigned long long)n_shards, GR_DATASET_NAMES_MAX);
    const gr_hash hash = gr_arrow_writer_hash(w->rows);
    w->n_shards = (size_t)n_shards;
    const gr_status st = gr_arrow_writer_commit(w->rows, err);
    w->rows = NULL;
    if (st != GR_OK)
        return st;
    if (w->n_shards > 1)
        return split_rows(w, err);
    w->hash = gr_hash_bytes(w->hash, &hash.low, sizeof hash.low);
    return rename_rows(w, err);
}

gr_status gr_dataset_writer_commit(gr_dataset_writer *w, gr_error *err)
{
    gr_status st = write_shards(w, err);
    if (st == GR_OK)
        st = write_json(w, "dataset_info.json", put_info, err);
    if (st == GR_OK)
        st = write_json(w, "state.json", put_state, err);
    if (st != GR_OK)
        gr_dataset_writer_abort(w);
    else
        free_writer(w);
    return st;
}

void gr_dataset_writer_abort(gr_dataset_writer *w)
{
    char name[64], path[GR_DATASET_PATH_MAX];
    if (!w)
        return;
    gr_arrow_writer_abort(w->rows);
    for (size_t i = 0; i < w->n_written; i++)
        unlink(file_of(w, shard_name(w, i, name), path));
    if (w->n_written)
        unlink(file_of(w, "dataset_info.json", path));
    if (w->collected[0])
        unlink(w->collected);
    if (w->made_dir)
        rmdir(w->dir);
    free_writer(w);
}
