#include "io/shard_writer.h"

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "io/shard_index.h"

typedef struct {
    gr_runtime *rt;
    const char *dir;
    const gr_shard_job *job;
    gr_shard_size size;
    int *shard; /* [n] of each tensor; NULL while measuring */
} shards;

static gr_status assign(shards *s, gr_error *err)
{
    const uint64_t limit = s->job->shard_bytes ? s->job->shard_bytes : GR_SHARD_BYTES;
    uint64_t used = 0;
    for (size_t i = 0; i < s->job->n; i++) {
        const gr_tensor_spec *t = &s->job->specs[i];
        size_t count;
        if (!gr_shape_count(&count, t->rank, t->shape) || count > SIZE_MAX / 8)
            return gr_fail(err, GR_ERR_LIMIT, "%s: tensor '%s' is too large", s->dir, t->name);
        const uint64_t bytes = (uint64_t)count * gr_dtype_bytes(t->dtype);
        if (i > 0 && used + bytes > limit) {
            s->size.files++;
            used = 0;
        }
        if (s->shard)
            s->shard[i] = s->size.files;
        used += bytes;
        s->size.bytes += bytes;
    }
    s->size.files++;
    return GR_OK;
}

/* The file of the tensors first..end-1. */
static gr_status write_shard(const shards *s, const char *name, size_t first, size_t end, gr_error *err)
{
    static const char *const metadata[] = { "format", "pt", NULL };
    char path[4096];
    gr_safetensors_writer *file;
    if (!gr_path_join(path, sizeof path, s->dir, name))
        return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", s->dir);
    GR_TRY(gr_safetensors_writer_open(&file, s->rt, path, s->job->specs + first, end - first, metadata, err));
    for (size_t i; (i = gr_safetensors_writer_next(file)) < end - first;) {
        const gr_status st = s->job->fill(s->job->user, first + i, file, err);
        if (st != GR_OK) {
            gr_safetensors_writer_abort(file);
            return st;
        }
    }
    return gr_safetensors_writer_commit(file, err);
}

static gr_status write_index(const shards *s, gr_error *err)
{
    gr_buf text;
    gr_json_writer j;
    char path[4096];
    gr_buf_init(&text, s->rt, GR_SHARD_INDEX_MAX_SIZE);
    gr_json_writer_init(&j, &text, true);
    gr_json_put_object(&j);
    gr_json_put_key(&j, "metadata");
    gr_json_put_object(&j);
    gr_json_put_key(&j, "total_size");
    gr_json_put_int(&j, (int64_t)s->size.bytes);
    gr_json_put_end(&j, '}');
    gr_json_put_key(&j, "weight_map");
    gr_json_put_object(&j);
    for (size_t i = 0; i < s->job->n; i++) {
        char name[64];
        gr_shard_name(name, (size_t)s->shard[i], (size_t)s->size.files);
        gr_json_put_key(&j, s->job->specs[i].name);
        gr_json_put_text(&j, name);
    }
    gr_json_put_end(&j, '}');
    gr_json_put_end(&j, '}');
    gr_buf_text(&text, "\n");
    const gr_status st = text.failed ? gr_fail(err, GR_ERR_MEM, "%s: no memory for the index", s->dir)
                         : !gr_path_join(path, sizeof path, s->dir, "model.safetensors.index.json")
                             ? gr_fail(err, GR_ERR_ARG, "%s: the path is too long", s->dir)
                             : gr_file_write(path, text.data, text.len, err);
    gr_buf_fini(&text);
    return st;
}

static gr_status write_all(const shards *s, gr_error *err)
{
    const size_t n = s->job->n;
    if (s->size.files == 1)
        return write_shard(s, "model.safetensors", 0, n, err);
    if (s->size.files > GR_SHARDS_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%s: %d files of weights, the limit is %d", s->dir, s->size.files,
                       GR_SHARDS_MAX);
    for (size_t first = 0, end; first < n; first = end) {
        char name[64];
        for (end = first + 1; end < n && s->shard[end] == s->shard[first];)
            end++;
        gr_shard_name(name, (size_t)s->shard[first], (size_t)s->size.files);
        GR_TRY(write_shard(s, name, first, end, err));
    }
    return write_index(s, err);
}

gr_status gr_shards_measure(gr_shard_size *size, const gr_shard_job *job, const char *dir, gr_error *err)
{
    shards s = { .dir = dir, .job = job };
    GR_TRY(assign(&s, err));
    *size = s.size;
    return GR_OK;
}

gr_status gr_shards_write(gr_runtime *rt, const char *dir, const gr_shard_job *job, gr_error *err)
{
    shards s = { .rt = rt, .dir = dir, .job = job };
    s.shard = gr_calloc(rt, job->n, sizeof *s.shard);
    if (!s.shard)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the list of weights", dir);
    gr_status st = assign(&s, err);
    if (st == GR_OK)
        st = write_all(&s, err);
    gr_free(rt, s.shard);
    return st;
}
