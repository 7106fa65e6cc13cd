#include "dataset/rows.h"

#include <stdio.h>

static gr_status name_row(const gr_row_source *s, size_t i, gr_record *r, gr_error *err)
{
    char key[GR_ROWS_NAME_BYTES + 24];
    const int n = snprintf(key, sizeof key, "%s/%zu", s->name, i);
    return gr_record_text(r, &r->key, key, (size_t)n, err);
}

gr_status gr_rows_read(const gr_row_source *s, size_t i, gr_record *r, gr_error *err)
{
    gr_error why = { 0 };
    gr_record_clear(r);
    if (i >= s->count)
        return gr_fail(err, GR_ERR_ARG, "%s: row %zu of %zu", s->name, i, s->count);
    GR_TRY(s->format->read(s, i, r, err));
    if (gr_record_check(r, &why) != GR_OK)
        return gr_fail(err, why.status, "%s: row %zu: %s", s->name, i, why.msg);
    return r->key.n ? GR_OK : name_row(s, i, r, err);
}

void gr_rows_close(gr_row_source *s)
{
    if (s)
        s->format->close(s);
}

gr_status gr_row_sources_init(gr_row_sources *s, gr_row_source *const *list, size_t n, gr_error *err)
{
    *s = (gr_row_sources){ .list = list, .n = n };
    for (size_t i = 0; i < n; i++) {
        if (list[i]->count > GR_ROWS_MAX - s->count)
            return gr_fail(err, GR_ERR_LIMIT, "%s: over %zu rows in all", list[i]->name, GR_ROWS_MAX);
        s->count += list[i]->count;
    }
    if (s->count == 0)
        return gr_fail(err, GR_ERR_ARG, "%zu data sets without a row", n);
    return GR_OK;
}

gr_row_place gr_row_sources_find(const gr_row_sources *s, size_t i)
{
    size_t k = 0;
    for (; i >= s->list[k]->count; k++)
        i -= s->list[k]->count;
    return (gr_row_place){ k, i };
}

gr_hash gr_row_sources_fingerprint(const gr_row_sources *s)
{
    gr_hash h = { 0 };
    for (size_t i = 0; i < s->n; i++)
        h = gr_hash_bytes(h, &s->list[i]->fingerprint, sizeof h);
    return h;
}
