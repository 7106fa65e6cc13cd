#include "dataset/arrow_features.h"

#include <stdio.h>

static void put_dtype(gr_json_writer *w, const char *dtype)
{
    gr_json_put_object(w);
    gr_json_put_key(w, "dtype");
    gr_json_put_text(w, dtype);
    gr_json_put_key(w, "_type");
    gr_json_put_text(w, "Value");
    gr_json_put_end(w, '}');
}

static void put_number(gr_json_writer *w, const gr_arrow_field *f)
{
    char dtype[32];
    snprintf(dtype, sizeof dtype, "%s%d",
             f->type == GR_ARROW_FLOAT ? "float"
             : f->is_signed            ? "int"
                                       : "uint",
             8 * f->width);
    put_dtype(w, dtype);
}

static const char *plain_dtype(gr_arrow_type type)
{
    static const char *const names[GR_ARROW_TYPE_COUNT] = {
        [GR_ARROW_NULL] = "null",     [GR_ARROW_BOOL] = "bool",
        [GR_ARROW_UTF8] = "string",   [GR_ARROW_LARGE_UTF8] = "large_string",
        [GR_ARROW_BINARY] = "binary", [GR_ARROW_LARGE_BINARY] = "large_binary",
    };
    return names[type];
}

static gr_status put_feature(const gr_arrow_schema *s, int f, gr_json_writer *w, gr_error *err);

/* {"feature": ..., "length": n, "_type": type}; n < 0: any length. */
static gr_status put_list(const gr_arrow_schema *s, int f, int length, const char *type, gr_json_writer *w,
                          gr_error *err)
{
    gr_json_put_object(w);
    gr_json_put_key(w, "feature");
    GR_TRY(put_feature(s, f + 1, w, err));
    if (length >= 0) {
        gr_json_put_key(w, "length");
        gr_json_put_int(w, length);
    }
    gr_json_put_key(w, "_type");
    gr_json_put_text(w, type);
    gr_json_put_end(w, '}');
    return GR_OK;
}

static gr_status put_struct(const gr_arrow_schema *s, int f, gr_json_writer *w, gr_error *err)
{
    const int end = f < 0 ? s->n_fields : s->fields[f].next;
    gr_json_put_object(w);
    if (f >= 0 && s->fields[f].is_image) {
        gr_json_put_key(w, "_type");
        gr_json_put_text(w, "Image");
    } else {
        for (int child = f + 1; child < end; child = s->fields[child].next) {
            gr_json_put_key(w, s->fields[child].name);
            GR_TRY(put_feature(s, child, w, err));
        }
    }
    gr_json_put_end(w, '}');
    return GR_OK;
}

static gr_status put_feature(const gr_arrow_schema *s, int f, gr_json_writer *w, gr_error *err)
{
    const gr_arrow_field *field = &s->fields[f];
    char path[200];
    switch (field->type) {
    case GR_ARROW_INT:
    case GR_ARROW_FLOAT:
        put_number(w, field);
        return GR_OK;
    case GR_ARROW_LIST:
        gr_json_put_array(w);
        GR_TRY(put_feature(s, f + 1, w, err));
        gr_json_put_end(w, ']');
        return GR_OK;
    case GR_ARROW_LARGE_LIST:
        return put_list(s, f, -1, "LargeList", w, err);
    case GR_ARROW_FIXED_LIST:
        if (s->fields[f + 1].type == GR_ARROW_STRUCT) /* its Sequence would be stored transposed */
            break;
        return put_list(s, f, field->width, "Sequence", w, err);
    case GR_ARROW_STRUCT:
        return put_struct(s, f, w, err);
    default:
        if (!plain_dtype(field->type))
            break;
        put_dtype(w, plain_dtype(field->type));
        return GR_OK;
    }
    return gr_fail(err, GR_ERR_ARG, "column '%s': a data set has no word for %s%s",
                   gr_arrow_path(s, f, path, sizeof path), gr_arrow_type_name(field->type),
                   field->type == GR_ARROW_FIXED_LIST ? " of structs" : "");
}

gr_status gr_arrow_features_put(const gr_arrow_schema *s, gr_json_writer *w, gr_error *err)
{
    return put_struct(s, -1, w, err);
}
