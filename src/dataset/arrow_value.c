#include "dataset/arrow_value.h"

#include <string.h>

#include "dataset/arrow_schema.h"

const char *gr_value_kind_name(gr_value_kind kind)
{
    static const char *const names[GR_VALUE_KIND_COUNT] = {
        [GR_VALUE_NULL] = "null",     [GR_VALUE_BOOL] = "bool",   [GR_VALUE_INT] = "whole number",
        [GR_VALUE_DOUBLE] = "number", [GR_VALUE_BYTES] = "bytes", [GR_VALUE_LIST] = "list",
        [GR_VALUE_STRUCT] = "struct",
    };
    return (unsigned)kind < GR_VALUE_KIND_COUNT ? names[kind] : "unknown";
}

const gr_arrow_value *gr_arrow_member_at(const gr_arrow_value *v, size_t k)
{
    return &v->as.fields.members[k][v->as.fields.row];
}

const gr_arrow_value *gr_arrow_member(const gr_arrow_value *v, const char *name)
{
    if (v->kind != GR_VALUE_STRUCT || !v->as.fields.schema)
        return NULL;
    const gr_arrow_field *fields = v->as.fields.schema->fields;
    const int parent = v->as.fields.field;
    size_t k = 0;
    for (int f = parent + 1; f < fields[parent].next; f = fields[f].next, k++)
        if (strcmp(fields[f].name, name) == 0)
            return gr_arrow_member_at(v, k);
    return NULL;
}

size_t gr_arrow_n_members(const gr_arrow_value *v)
{
    if (v->kind != GR_VALUE_STRUCT || !v->as.fields.schema)
        return 0;
    return (size_t)v->as.fields.schema->fields[v->as.fields.field].n_children;
}

bool gr_arrow_value_is(const gr_arrow_value *v, const char *text)
{
    const size_t n = strlen(text);
    return v->kind == GR_VALUE_BYTES && v->as.bytes.n == n &&
           (n == 0 || memcmp(v->as.bytes.at, text, n) == 0);
}
