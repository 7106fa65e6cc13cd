#include "dataset/flatbuffer.h"

#include <string.h>

/* --- reading ------------------------------------------------------------------------------------------- */

uint64_t gr_fb_number(const uint8_t *at, int bytes)
{
    uint64_t v = 0;
    for (int i = bytes - 1; i >= 0; i--)
        v = (v << 8) | at[i];
    return v;
}

gr_fb gr_fb_of(const void *data, size_t size) { return (gr_fb){ .data = data, .size = size }; }

static bool fault(gr_fb *fb, size_t at, const char *what)
{
    if (!fb->fault) {
        fb->fault = what;
        fb->fault_at = at;
    }
    return false;
}

/* Whether n bytes lie at `at`. */
static bool inside(gr_fb *fb, size_t at, size_t n, const char *what)
{
    return !fb->fault && at <= fb->size && n <= fb->size - at ? true : fault(fb, at, what);
}

static gr_fb_table table_at(gr_fb *fb, size_t at)
{
    const gr_fb_table none = { .fb = fb };
    if (!inside(fb, at, 4, "a table outside of the metadata"))
        return none;
    const int64_t vtable = (int64_t)at - (int32_t)gr_fb_number(fb->data + at, 4);
    if (vtable < 4 || !inside(fb, (size_t)vtable, 4, "a vtable outside of the metadata")) {
        fault(fb, at, "a vtable outside of the metadata");
        return none;
    }
    const uint8_t *v = fb->data + vtable;
    const gr_fb_table t = { .fb = fb,
                            .at = at,
                            .vtable = (size_t)vtable,
                            .vtable_bytes = (uint16_t)gr_fb_number(v, 2),
                            .table_bytes = (uint16_t)gr_fb_number(v + 2, 2) };
    if (t.vtable_bytes < 4 || t.table_bytes < 4) {
        fault(fb, t.vtable, "a vtable of fewer than 4 bytes");
        return none;
    }
    return inside(fb, t.vtable, t.vtable_bytes, "a vtable that is cut off") &&
                   inside(fb, at, t.table_bytes, "a table that is cut off")
               ? t
               : none;
}

/* Where the field is, or 0: absent. */
static size_t field_at(gr_fb_table t, int slot, size_t bytes)
{
    const size_t entry = 4 + 2 * (size_t)slot;
    if (t.at == 0 || t.fb->fault || entry + 2 > t.vtable_bytes)
        return 0;
    const size_t offset = (size_t)gr_fb_number(t.fb->data + t.vtable + entry, 2);
    if (offset == 0)
        return 0;
    if (offset < 4 || bytes > t.table_bytes || offset > t.table_bytes - bytes) {
        fault(t.fb, t.vtable + entry, "a field outside of its table");
        return 0;
    }
    return t.at + offset;
}

/* Where the reference leads, or 0: absent. */
static size_t target_of(gr_fb *fb, size_t at)
{
    if (!at)
        return 0;
    const size_t target = at + (size_t)gr_fb_number(fb->data + at, 4);
    if (target == at || target >= fb->size) {
        fault(fb, at, "a reference out of the metadata");
        return 0;
    }
    return target;
}

gr_fb_table gr_fb_root(gr_fb *fb)
{
    if (!inside(fb, 0, 4, "fewer than 4 bytes"))
        return (gr_fb_table){ .fb = fb };
    const size_t at = (size_t)gr_fb_number(fb->data, 4);
    if (at < 4) {
        fault(fb, 0, "a root within its own position");
        return (gr_fb_table){ .fb = fb };
    }
    return table_at(fb, at);
}

int64_t gr_fb_int(gr_fb_table t, int slot, int bytes, int64_t absent)
{
    const size_t at = field_at(t, slot, (size_t)bytes);
    if (!at)
        return absent;
    const int unused = 64 - 8 * bytes;
    const uint64_t bits = gr_fb_number(t.fb->data + at, bytes) << unused;
    return (int64_t)bits >> unused; /* the sign comes along */
}

gr_fb_table gr_fb_child(gr_fb_table t, int slot)
{
    const size_t at = target_of(t.fb, field_at(t, slot, 4));
    return at ? table_at(t.fb, at) : (gr_fb_table){ .fb = t.fb };
}

gr_fb_vector gr_fb_elements(gr_fb_table t, int slot, size_t bytes)
{
    const gr_fb_vector none = { .fb = t.fb };
    const size_t at = target_of(t.fb, field_at(t, slot, 4));
    if (!at || !inside(t.fb, at, 4, "a vector that is cut off"))
        return none;
    const size_t n = (size_t)gr_fb_number(t.fb->data + at, 4);
    if (n > (t.fb->size - at - 4) / bytes) {
        fault(t.fb, at, "a vector or text that is cut off");
        return none;
    }
    return (gr_fb_vector){ .fb = t.fb, .data = t.fb->data + at + 4, .at = at + 4, .n = n };
}

gr_fb_vector gr_fb_string(gr_fb_table t, int slot) { return gr_fb_elements(t, slot, 1); }
gr_fb_vector gr_fb_tables(gr_fb_table t, int slot) { return gr_fb_elements(t, slot, 4); }

gr_fb_table gr_fb_table_at(gr_fb_vector tables, size_t i)
{
    const size_t at = tables.fb->fault ? 0 : target_of(tables.fb, tables.at + 4 * i);
    return at ? table_at(tables.fb, at) : (gr_fb_table){ .fb = tables.fb };
}

/* --- writing ------------------------------------------------------------------------------------------- */

static void pad(gr_fb_writer *w, size_t align, size_t remainder)
{
    static const uint8_t zeros[8];
    const size_t at = w->out->len - w->base;
    gr_buf_add(w->out, zeros, (align + remainder - at % align) % align);
}

gr_fb_writer gr_fb_writer_begin(gr_buf *out)
{
    gr_fb_writer w = { .out = out };
    pad(&w, 8, 0);
    w.base = out->len;
    gr_fb_put_number(&w, 0, 4); /* the root */
    return w;
}

void gr_fb_put_number(gr_fb_writer *w, uint64_t value, int bytes)
{
    uint8_t at[8];
    for (int i = 0; i < bytes; i++, value >>= 8)
        at[i] = (uint8_t)value;
    gr_buf_add(w->out, at, (size_t)bytes);
}

/* Lays the fields out, the widest first, so that each falls on a multiple of its size. Returns the bytes of
 * the table, whose own first 4 say where the vtable is. */
static size_t lay_out(const gr_fb_field *fields, int n, size_t offsets[GR_FB_SLOTS_MAX], bool *wide)
{
    size_t end = 4;
    *wide = false;
    for (int bytes = 8; bytes >= 1; bytes /= 2)
        for (int i = 0; i < n; i++) {
            if (fields[i].bytes != bytes)
                continue;
            if (bytes == 8 && !*wide) {
                *wide = true;
                end = 8;
            }
            offsets[i] = end;
            end += (size_t)bytes;
        }
    return end;
}

size_t gr_fb_put_table(gr_fb_writer *w, gr_fb_field *fields, int n)
{
    size_t offsets[GR_FB_SLOTS_MAX] = { 0 };
    bool wide;
    const size_t table_bytes = lay_out(fields, n, offsets, &wide);
    int n_slots = 0;
    for (int i = 0; i < n; i++)
        n_slots = fields[i].slot >= n_slots ? fields[i].slot + 1 : n_slots;
    const size_t vtable_bytes = 4 + 2 * (size_t)n_slots, align = wide ? 8 : 4;
    pad(w, align, (align - vtable_bytes % align) % align); /* the table follows at a multiple of align */

    gr_fb_put_number(w, vtable_bytes, 2);
    gr_fb_put_number(w, table_bytes, 2);
    for (int slot = 0; slot < n_slots; slot++) {
        size_t offset = 0;
        for (int i = 0; i < n; i++)
            offset = fields[i].slot == slot ? offsets[i] : offset;
        gr_fb_put_number(w, offset, 2);
    }
    const size_t at = w->out->len - w->base;
    gr_fb_put_number(w, vtable_bytes, 4);
    if (wide)
        gr_fb_put_number(w, 0, 4);
    for (int bytes = 8; bytes >= 1; bytes /= 2)
        for (int i = 0; i < n; i++)
            if (fields[i].bytes == bytes) {
                fields[i].at = at + offsets[i];
                gr_fb_put_number(w, (uint64_t)fields[i].value, bytes);
            }
    return at;
}

size_t gr_fb_put_vector(gr_fb_writer *w, size_t n, int align)
{
    pad(w, (size_t)align, (size_t)align - 4); /* the elements begin at a multiple of align */
    const size_t at = w->out->len - w->base;
    gr_fb_put_number(w, n, 4);
    return at;
}

size_t gr_fb_put_string(gr_fb_writer *w, const char *text, size_t n)
{
    const size_t at = gr_fb_put_vector(w, n, 4);
    gr_buf_add(w->out, text, n);
    gr_buf_add(w->out, "", 1);
    return at;
}

size_t gr_fb_put_tables(gr_fb_writer *w, size_t n)
{
    const size_t at = gr_fb_put_vector(w, n, 4);
    for (size_t i = 0; i < n; i++)
        gr_fb_put_number(w, 0, 4);
    return at;
}

void gr_fb_point(gr_fb_writer *w, size_t at, size_t place)
{
    if (w->out->failed) /* what `at` stands for may not have been written */
        return;
    for (int i = 0; i < 4; i++)
        w->out->data[w->base + at + (size_t)i] = (char)((place - at) >> (8 * i));
}

void gr_fb_writer_end(gr_fb_writer *w) { pad(w, 8, 0); }
