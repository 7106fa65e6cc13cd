#include "io/gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/reader.h"
#include "io/gguf_internal.h"
#include "io/shape.h"

#define FIRST_READ ((size_t)1 << 20) /* bytes of a file; a vocabulary of 32,000 pieces takes 700,000 */

typedef gr_gguf_entry entry;

/* A head half way. */
typedef struct {
    gr_gguf *f;
    gr_reader r;
    const uint8_t *head; /* the bytes of the file that are here */
    size_t size;         /* of the file */
    bool ended;          /* they were too few */
    gr_error *err;
} reading;

static gr_status cut_off(reading *p, const char *where)
{
    p->ended = true;
    return gr_fail(p->err, GR_ERR_FORMAT, "%s: the file of %zu bytes is cut off in %s", p->f->file, p->size,
                   where);
}

/* A key or a tensor's name: not empty, at most `max` bytes, printable ASCII. */
static gr_status read_name(reading *p, const char *what, size_t i, size_t max, gr_gguf_text *out)
{
    const uint64_t n = gr_reader_u64(&p->r);
    if (p->r.bad)
        return cut_off(p, what);
    if (n == 0 || n > max)
        return gr_fail(p->err, n ? GR_ERR_LIMIT : GR_ERR_FORMAT,
                       "%s: %s %zu has %llu bytes, expected 1 to %zu", p->f->file, what, i,
                       (unsigned long long)n, max);
    const uint8_t *text = gr_reader_bytes(&p->r, (size_t)n);
    if (!text)
        return cut_off(p, what);
    for (size_t k = 0; k < n; k++)
        if (text[k] < 0x20 || text[k] > 0x7e)
            return gr_fail(p->err, GR_ERR_FORMAT, "%s: %s %zu has the byte 0x%02x, expected printable ASCII",
                           p->f->file, what, i, text[k]);
    *out = (gr_gguf_text){ (const char *)text, (size_t)n };
    return GR_OK;
}

/* --- keys ---------------------------------------------------------------------------------------------- */

#define SHOWN(text) (int)((text).n < 100 ? (text).n : 100), (text).at

static gr_status skip_string(reading *p, const gr_gguf_value *v)
{
    const uint64_t n = gr_reader_u64(&p->r);
    if (!p->r.bad && n > GR_GGUF_ITEMS_MAX)
        return gr_fail(p->err, GR_ERR_LIMIT, "%s: key '%.*s': a string of %llu bytes, the limit is %llu",
                       p->f->file, SHOWN(v->key), (unsigned long long)n,
                       (unsigned long long)GR_GGUF_ITEMS_MAX);
    return gr_reader_bytes(&p->r, (size_t)n) ? GR_OK : cut_off(p, "a string");
}

static gr_status read_items(reading *p, gr_gguf_value *v)
{
    v->data = p->r.at;
    if (v->type == GR_GGUF_STRING) {
        for (size_t i = 0; i < v->count; i++)
            GR_TRY(skip_string(p, v));
    } else {
        const size_t item = gr_gguf_item_bytes(v->type), left = (size_t)(p->r.end - p->r.at);
        if (v->count > left / item || !gr_reader_bytes(&p->r, v->count * item))
            return cut_off(p, "a value");
    }
    v->bytes = (size_t)(p->r.at - v->data);
    for (size_t i = 0; v->type == GR_GGUF_BOOL && i < v->count; i++)
        if (v->data[i] > 1)
            return gr_fail(p->err, GR_ERR_FORMAT, "%s: key '%.*s': a bool is %d, expected 0 or 1", p->f->file,
                           SHOWN(v->key), v->data[i]);
    return GR_OK;
}

static gr_status read_type(reading *p, const gr_gguf_value *v, gr_gguf_type *type)
{
    const uint32_t number = gr_reader_u32(&p->r);
    if (p->r.bad)
        return cut_off(p, "a type");
    if (number >= GR_GGUF_TYPE_COUNT)
        return gr_fail(p->err, GR_ERR_UNSUPPORTED, "%s: key '%.*s' has the type %u, known are 0 to %d",
                       p->f->file, SHOWN(v->key), number, GR_GGUF_TYPE_COUNT - 1);
    *type = (gr_gguf_type)number;
    return GR_OK;
}

static gr_status read_key(reading *p, size_t i, gr_gguf_value *v)
{
    *v = (gr_gguf_value){ .count = 1 };
    GR_TRY(read_name(p, "key", i, GR_GGUF_KEY_MAX, &v->key));
    GR_TRY(read_type(p, v, &v->type));
    if (v->type == GR_GGUF_ARRAY) {
        GR_TRY(read_type(p, v, &v->type));
        const uint64_t count = gr_reader_u64(&p->r);
        if (p->r.bad)
            return cut_off(p, "an array");
        if (v->type == GR_GGUF_ARRAY)
            return gr_fail(p->err, GR_ERR_UNSUPPORTED, "%s: key '%.*s' is an array of arrays", p->f->file,
                           SHOWN(v->key));
        if (count > GR_GGUF_ITEMS_MAX)
            return gr_fail(p->err, GR_ERR_LIMIT, "%s: key '%.*s': an array of %llu items, the limit is %llu",
                           p->f->file, SHOWN(v->key), (unsigned long long)count,
                           (unsigned long long)GR_GGUF_ITEMS_MAX);
        v->is_array = true;
        v->count = (size_t)count;
    }
    return read_items(p, v);
}

static gr_status read_keys(reading *p, uint64_t n)
{
    gr_gguf *f = p->f;
    for (uint64_t i = 0; i < n; i++) { /* a count that lies ends at the end of the file */
        gr_gguf_value v;
        GR_TRY(read_key(p, (size_t)i, &v));
        if (!gr_grow(f->rt, &f->keys, &f->keys_cap, f->n_keys, f->n_keys + 1, sizeof *f->keys))
            return gr_fail(p->err, GR_ERR_MEM, "%s: no memory for %zu keys", f->file, f->n_keys + 1);
        f->keys[f->n_keys++] = v;
    }
    if (f->n_keys)
        qsort(f->keys, f->n_keys, sizeof *f->keys, gr_gguf_by_key);
    for (size_t i = 1; i < f->n_keys; i++)
        if (gr_gguf_by_key(&f->keys[i - 1], &f->keys[i]) == 0)
            return gr_fail(p->err, GR_ERR_FORMAT, "%s: key '%.*s' twice", f->file, SHOWN(f->keys[i].key));
    return GR_OK;
}

/* --- tensors ------------------------------------------------------------------------------------------- */

/* Numbers that are no longer, or nowhere else, in use; so that a message can name them. */
static const char *foreign_type(uint32_t type)
{
    static const struct {
        uint32_t type;
        const char *name;
    } known[] = {
        { 4, "Q4_2, removed from the format" },
        { 5, "Q4_3, removed from the format" },
        { 31, "Q4_0_4_4, removed from the format" },
        { 32, "Q4_0_4_8, removed from the format" },
        { 33, "Q4_0_8_8, removed from the format" },
        { 36, "IQ4_NL_4_4, removed from the format, or I2_S of ik_llama.cpp" },
        { 37, "IQ4_NL_4_8, removed from the format" },
        { 38, "IQ4_NL_8_8, removed from the format" },
        { 133, "Q6_0 of ik_llama.cpp" },
        { 134, "IQ1_BN of ik_llama.cpp" },
        { 135, "IQ2_BN of ik_llama.cpp" },
        { 137, "IQ2_K of ik_llama.cpp" },
        { 138, "IQ3_K of ik_llama.cpp" },
        { 139, "IQ4_K of ik_llama.cpp" },
        { 140, "IQ5_K of ik_llama.cpp" },
        { 141, "IQ6_K of ik_llama.cpp" },
        { 144, "IQ4_KS of ik_llama.cpp" },
        { 145, "IQ2_KS of ik_llama.cpp" },
        { 146, "IQ4_KSS of ik_llama.cpp" },
        { 152, "IQ5_KS of ik_llama.cpp" },
        { 153, "IQ2_KT of ik_llama.cpp" },
        { 154, "IQ3_KT of ik_llama.cpp" },
        { 155, "IQ4_KT of ik_llama.cpp" },
        { 156, "IQ3_KS of ik_llama.cpp" },
        { 157, "IQ2_KL of ik_llama.cpp" },
        { 158, "IQ1_KT of ik_llama.cpp" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].type == type)
            return known[i].name;
    return type >= 97 ? "not of the format; ik_llama.cpp has types of its own from 97 up" : "unknown";
}

/* Sets the size of the data. dims[0] of the file, the last of `shape`, is a whole number of blocks. */
static gr_status measure(reading *p, entry *e)
{
    gr_gguf_tensor *t = &e->t;
    char shape[120];
    size_t count;
    t->storage = gr_gguf_storage_of(t->type);
    if (!t->storage)
        return gr_fail(p->err, GR_ERR_UNSUPPORTED, "%s: tensor '%s' has the element type %u (%s)", p->f->file,
                       e->name, t->type, foreign_type(t->type));
    gr_shape_text(shape, sizeof shape, t->rank, t->shape);
    const int64_t row = t->rank ? t->shape[t->rank - 1] : 1;
    if (row % t->storage->elements)
        return gr_fail(p->err, GR_ERR_FORMAT,
                       "%s: tensor '%s' of shape %s: %s takes rows of a multiple of %u", p->f->file, e->name,
                       shape, t->storage->name, t->storage->elements);
    if (!gr_shape_count(&count, t->rank, t->shape) ||
        count / t->storage->elements > SIZE_MAX / t->storage->bytes)
        return gr_fail(p->err, GR_ERR_FORMAT, "%s: tensor '%s': shape %s overflows", p->f->file, e->name,
                       shape);
    t->bytes = count / t->storage->elements * t->storage->bytes;
    return GR_OK;
}

static gr_status read_tensor(reading *p, size_t i, entry *e)
{
    *e = (entry){ .offset = 0 };
    gr_gguf_text name;
    GR_TRY(read_name(p, "tensor name", i, GR_GGUF_NAME_MAX, &name));
    memcpy(e->name, name.at, name.n);
    const uint32_t rank = gr_reader_u32(&p->r);
    if (p->r.bad)
        return cut_off(p, "a tensor's rank");
    if (rank > GR_GGUF_RANK_MAX)
        return gr_fail(p->err, GR_ERR_LIMIT, "%s: tensor '%s' has %u dimensions, at most %d are possible",
                       p->f->file, e->name, rank, GR_GGUF_RANK_MAX);
    e->t.rank = (int)rank;
    for (int k = e->t.rank - 1; k >= 0; k--) {
        const uint64_t dim = gr_reader_u64(&p->r);
        if (dim > INT64_MAX)
            return gr_fail(p->err, GR_ERR_FORMAT, "%s: tensor '%s' has a dimension of %llu", p->f->file,
                           e->name, (unsigned long long)dim);
        e->t.shape[k] = (int64_t)dim;
    }
    e->t.type = gr_reader_u32(&p->r);
    e->offset = gr_reader_u64(&p->r);
    return p->r.bad ? cut_off(p, "a tensor's shape, type and offset") : measure(p, e);
}

static int by_offset(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->t.bytes > y->t.bytes) - (x->t.bytes < y->t.bytes);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

/* Every tensor lies in the data, aligned, and none on another. */
static gr_status place_tensors(reading *p, uint64_t alignment)
{
    gr_gguf *f = p->f;
    const size_t end_of_head = (size_t)(p->r.at - p->head);
    const size_t pad = (size_t)(alignment - end_of_head % alignment) % alignment;
    if (f->n_tensors == 0)
        return GR_OK; /* a vocabulary alone may end without padding */
    if (pad > p->size - end_of_head)
        return cut_off(p, "the space before the data");
    const size_t data_at = end_of_head + pad, data_bytes = p->size - data_at;
    qsort(f->tensors, f->n_tensors, sizeof *f->tensors, by_offset);
    uint64_t end = 0;
    for (size_t i = 0; i < f->n_tensors; i++) {
        entry *e = &f->tensors[i];
        if (e->offset % alignment)
            return gr_fail(p->err, GR_ERR_FORMAT,
                           "%s: tensor '%s' begins at %llu, expected a multiple of %llu", f->file, e->name,
                           (unsigned long long)e->offset, (unsigned long long)alignment);
        if (e->offset > data_bytes || e->t.bytes > data_bytes - e->offset)
            return gr_fail(p->err, GR_ERR_FORMAT,
                           "%s: tensor '%s' has %zu bytes at %llu of %zu data bytes: the file is cut off",
                           f->file, e->name, e->t.bytes, (unsigned long long)e->offset, data_bytes);
        if (e->offset < end)
            return gr_fail(p->err, GR_ERR_FORMAT, "%s: tensor '%s' begins at %llu, inside of '%s'", f->file,
                           e->name, (unsigned long long)e->offset, f->tensors[i - 1].name);
        e->t.offset = data_at + (size_t)e->offset;
        end = e->offset + e->t.bytes;
    }
    return GR_OK;
}

static gr_status read_tensors(reading *p, uint64_t n)
{
    gr_gguf *f = p->f;
    uint64_t alignment = 32;
    GR_TRY(gr_gguf_uint(f, "general.alignment", GR_GGUF_OPTIONAL, UINT32_MAX, &alignment, p->err));
    if (alignment == 0 || (alignment & (alignment - 1)))
        return gr_fail(p->err, GR_ERR_FORMAT, "%s: general.alignment is %llu, expected a power of two",
                       f->file, (unsigned long long)alignment);
    for (uint64_t i = 0; i < n; i++) {
        entry e;
        GR_TRY(read_tensor(p, (size_t)i, &e));
        if (!gr_grow(f->rt, &f->tensors, &f->tensors_cap, f->n_tensors, f->n_tensors + 1, sizeof *f->tensors))
            return gr_fail(p->err, GR_ERR_MEM, "%s: no memory for %zu tensors", f->file, f->n_tensors + 1);
        f->tensors[f->n_tensors++] = e;
    }
    GR_TRY(place_tensors(p, alignment));
    if (f->n_tensors)
        qsort(f->tensors, f->n_tensors, sizeof *f->tensors, by_name);
    for (size_t i = 0; i < f->n_tensors; i++) {
        f->tensors[i].t.name = f->tensors[i].name; /* they move no more */
        if (i > 0 && by_name(&f->tensors[i - 1], &f->tensors[i]) == 0)
            return gr_fail(p->err, GR_ERR_FORMAT, "%s: tensor '%s' twice", f->file, f->tensors[i].name);
    }
    return GR_OK;
}

/* --- the whole head ------------------------------------------------------------------------------------ */

static gr_status read_head(reading *p)
{
    const uint8_t *magic = gr_reader_bytes(&p->r, 4);
    if (!magic || memcmp(magic, "GGUF", 4) != 0)
        return gr_fail(p->err, GR_ERR_FORMAT, "%s: not a GGUF file, which begins with 'GGUF'", p->f->file);
    const uint32_t version = gr_reader_u32(&p->r);
    const uint64_t n_tensors = gr_reader_u64(&p->r), n_keys = gr_reader_u64(&p->r);
    if (p->r.bad)
        return cut_off(p, "the header");
    if ((version & 0xffff) == 0)
        return gr_fail(p->err, GR_ERR_UNSUPPORTED,
                       "%s: a GGUF file of big-endian numbers; only little-endian ones are read", p->f->file);
    if (version != 2 && version != 3)
        return gr_fail(p->err, GR_ERR_UNSUPPORTED, "%s: GGUF version %u, versions 2 and 3 are read",
                       p->f->file, version);
    GR_TRY(read_keys(p, n_keys));
    return read_tensors(p, n_tensors);
}

/* Parses the first n bytes of a file of `size`. *ended: they are not the whole head. */
static gr_status parse(gr_gguf *f, const uint8_t *head, size_t n, size_t size, bool *ended, gr_error *err)
{
    static const uint8_t nothing[1];
    head = head ? head : nothing; /* a source of no bytes */
    f->n_keys = f->n_tensors = 0;
    reading p = { f, { head, head + n, false }, head, size, false, err };
    const gr_status st = read_head(&p);
    *ended = p.ended;
    return st;
}

/* Of a file more and more is read, until the head is whole: how long it is nothing tells before. */
static gr_status parse_file(gr_gguf *f, const gr_source *file, gr_error *err)
{
    size_t n = 0, want = FIRST_READ;
    for (bool ended = true;;) {
        want = want < file->size ? want : file->size;
        uint8_t *grown = gr_malloc(f->rt, want, 1);
        gr_error why = { 0 };
        if (!grown)
            return gr_fail(err, GR_ERR_MEM, "%s: no memory for %zu bytes of the head", f->file, want);
        if (n)
            memcpy(grown, f->head, n);
        gr_free(f->rt, f->head);
        f->head = grown;
        if (gr_source_read(file, n, grown + n, want - n, &why) != GR_OK)
            return gr_fail(err, why.status, "%s: the head: %s", f->file, why.msg);
        n = want;
        const gr_status st = parse(f, grown, n, file->size, &ended, &why);
        if (st == GR_OK || !ended || n == file->size)
            return st == GR_OK ? GR_OK : gr_fail(err, st, "%s", why.msg);
        if (n >= GR_GGUF_HEAD_MAX)
            return gr_fail(err, GR_ERR_LIMIT, "%s: the head has more than %zu bytes", f->file, n);
        want = 4 * n;
    }
}

gr_status gr_gguf_parse(gr_gguf **out, gr_runtime *rt, const gr_source *file, const char *name, gr_error *err)
{
    *out = NULL;
    bool ended;
    gr_gguf *f = gr_calloc(rt, 1, sizeof *f);
    if (!f)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the header", name);
    f->rt = rt;
    f->file = gr_strdup(rt, name);
    const gr_status st = !f->file        ? gr_fail(err, GR_ERR_MEM, "%s: no memory", name)
                         : file->is_file ? parse_file(f, file, err)
                                         : parse(f, file->memory, file->size, file->size, &ended, err);
    if (st != GR_OK)
        gr_gguf_free(f);
    else
        *out = f;
    return st;
}

void gr_gguf_free(gr_gguf *f)
{
    if (!f)
        return;
    gr_free(f->rt, f->file);
    gr_free(f->rt, f->head);
    gr_free(f->rt, f->keys);
    gr_free(f->rt, f->tensors);
    gr_free(f->rt, f);
}

const char *gr_gguf_file(const gr_gguf *f) { return f->file; }
size_t gr_gguf_n_tensors(const gr_gguf *f) { return f->n_tensors; }
const gr_gguf_tensor *gr_gguf_tensor_at(const gr_gguf *f, size_t i) { return &f->tensors[i].t; }
size_t gr_gguf_n_keys(const gr_gguf *f) { return f->n_keys; }
const gr_gguf_value *gr_gguf_key_at(const gr_gguf *f, size_t i) { return &f->keys[i]; }

const gr_gguf_tensor *gr_gguf_tensor_find(const gr_gguf *f, const char *name)
{
    size_t lo = 0, hi = f->n_tensors;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const int order = strcmp(f->tensors[mid].name, name);
        if (order == 0)
            return &f->tensors[mid].t;
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}
