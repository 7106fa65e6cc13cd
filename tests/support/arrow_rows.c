#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "support/arrow_rows.h"

static void put_bytes(gr_json_writer *w, const uint8_t *at, size_t n)
{
    gr_buf hex;
    bool printable = true;
    for (size_t i = 0; i < n; i++)
        printable = printable && at[i] >= 0x20 && at[i] < 0x7f;
    if (printable) {
        gr_json_put_string(w, (const char *)at, n);
        return;
    }
    gr_buf_init(&hex, w->out->rt, SIZE_MAX / 2);
    gr_buf_text(&hex, "hex:");
    for (size_t i = 0; i < n; i++)
        gr_buf_printf(&hex, "%02x", at[i]);
    gr_json_put_text(w, gr_buf_str(&hex));
    gr_buf_fini(&hex);
}

/* 0.0 and 3.0 as Python shows them. */
static void put_number(gr_json_writer *w, double x)
{
    char text[64];
    const int n = snprintf(text, sizeof text, x == floor(x) && fabs(x) < 1e15 ? "%.1f" : "%.17g", x);
    gr_json_put_raw(w, text, (size_t)n);
}

static void put_struct(gr_json_writer *w, const gr_arrow_value *v)
{
    const gr_arrow_field *fields = v->as.fields.schema->fields;
    const int parent = v->as.fields.field;
    gr_json_put_object(w);
    for (int f = parent + 1; f < fields[parent].next; f = fields[f].next) {
        gr_json_put_key(w, fields[f].name);
        arrow_put_value(w, gr_arrow_member(v, fields[f].name));
    }
    gr_json_put_end(w, '}');
}

static void put_list(gr_json_writer *w, const gr_arrow_value *v)
{
    gr_json_put_array(w);
    for (size_t i = 0; i < v->as.list.n; i++)
        arrow_put_value(w, &v->as.list.items[i]);
    gr_json_put_end(w, ']');
}

void arrow_put_value(gr_json_writer *w, const gr_arrow_value *v)
{
    switch (v->kind) {
    case GR_VALUE_BOOL:
        gr_json_put_bool(w, v->as.flag);
        break;
    case GR_VALUE_INT:
        gr_json_put_int(w, v->as.integer);
        break;
    case GR_VALUE_DOUBLE:
        put_number(w, v->as.number);
        break;
    case GR_VALUE_BYTES:
        put_bytes(w, v->as.bytes.at, v->as.bytes.n);
        break;
    case GR_VALUE_LIST:
        put_list(w, v);
        break;
    case GR_VALUE_STRUCT:
        put_struct(w, v);
        break;
    default:
        gr_json_put_null(w);
    }
}

void arrow_put_row(gr_buf *out, gr_arrow_cursor *c, const gr_arrow_file *f, uint64_t row, const char *like,
                   bool lists)
{
    gr_error err = { 0 };
    gr_json j;
    gr_json_writer w;
    const char *name;
    gr_json_init(&j, out->rt, like, strlen(like), "rows", 4096);
    gr_json_writer_init(&w, out, false);
    gr_json_put_object(&w);
    for (gr_json_object(&j); gr_json_key(&j, &name); gr_json_skip(&j)) {
        const gr_arrow_value *v;
        MUST(gr_arrow_cursor_read(c, f, row, gr_arrow_find(&f->schema, name), &v, &err));
        if (lists && v->kind == GR_VALUE_STRUCT)
            MUST(gr_arrow_cursor_list(c, v, &v, &err));
        gr_json_put_key(&w, name);
        arrow_put_value(&w, v);
    }
    gr_json_put_end(&w, '}');
    MUST(gr_json_status(&j, true, &err));
    gr_json_fini(&j);
}

void arrow_expect_rows(gr_runtime *rt, gr_arrow_cursor *c, const gr_arrow_file *const *files, size_t n,
                       const char *name, bool lists)
{
    char path[512], *text;
    size_t size, i = 0;
    uint64_t row = 0;
    gr_error err = { 0 };
    gr_buf got;
    gr_buf_init(&got, rt, SIZE_MAX / 2);
    snprintf(path, sizeof path, "%s/%s.rows", TEST_FILE("golden/arrow"), name);
    MUST(gr_file_read(rt, path, SIZE_MAX / 2, &text, &size, &err));
    for (char *line = text, *next; *line; line = next, row++) {
        next = strchr(line, '\n');
        assert_non_null(next);
        *next++ = '\0';
        while (i < n && row == files[i]->n_rows) {
            row = 0;
            i++;
        }
        assert_true(i < n);
        gr_buf_clear(&got);
        arrow_put_row(&got, c, files[i], row, line, lists);
        assert_string_equal(gr_buf_str(&got), line);
    }
    assert_int_equal(row, files[i]->n_rows);
    assert_int_equal(i, n - 1);
    gr_free(rt, text);
    gr_buf_fini(&got);
}
