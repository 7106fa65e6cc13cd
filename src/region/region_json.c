/* region_json.c - the region object. Source: interfaces of the HTTP API, which the command line shares. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/log.h"
#include "io/json.h"
#include "region/region_spec.h"

#define MAX_STRING ((size_t)64 << 20)

typedef struct {
    gr_json j;
    gr_region_spec *spec;
    uint32_t seen;     /* keys, by their row in the table below */
    unsigned geometry; /* how many keys that give a geometry */
    double box[4];     /* as written */
    gr_box_format format;
    double *labels; /* [n_labels] */
    size_t n_labels, labels_capacity;
} reader;

static void out_of_memory(reader *r) { gr_json_fail(&r->j, GR_ERR_MEM, "no memory for a region"); }

/* Hands a failure of another part over to the reader, so that it is told with its place. */
static void fail_as(reader *r, const gr_error *why) { gr_json_fail(&r->j, why->status, "%s", why->msg); }

/* Index of the string that is read in the list, which ends with NULL. */
static int read_choice(reader *r, const char *what, const char *const *names)
{
    const char *text = gr_json_string(&r->j, NULL);
    for (int i = 0; names[i]; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    char list[128] = "";
    for (int i = 0; names[i]; i++)
        strncat(strncat(list, i ? ", " : "", 3), names[i], 20);
    gr_json_fail(&r->j, GR_ERR_FORMAT, "%s is '%.40s', expected one of %s", what, text, list);
    return 0;
}

static char *read_text(reader *r, size_t *n)
{
    size_t length = 0;
    const char *text = gr_json_string(&r->j, &length);
    char *copy = gr_strndup(r->spec->rt, text, length);
    if (!copy)
        out_of_memory(r);
    else if (memchr(copy, '\0', length))
        gr_json_fail(&r->j, GR_ERR_FORMAT, "a zero byte in a text");
    if (n)
        *n = copy ? length : 0;
    return copy;
}

static void set_text(reader *r, gr_region_kind kind)
{
    gr_free(r->spec->rt, r->spec->text);
    r->spec->kind = kind;
    r->spec->text = read_text(r, &r->spec->n_text);
    if (r->spec->n_text == 0)
        gr_json_fail(&r->j, GR_ERR_FORMAT, "an empty text");
}

/* --- geometry ------------------------------------------------------------------------------------ */

/* Numbers of an array; the count is what the text had, even beyond `max`. */
static size_t read_numbers(reader *r, double *out, size_t max)
{
    size_t n = 0;
    for (gr_json_array(&r->j); gr_json_item(&r->j); n++) {
        const double v = gr_json_number(&r->j);
        if (n < max)
            out[n] = v;
    }
    return n;
}

static void read_box(reader *r)
{
    if (read_numbers(r, r->box, 4) != 4)
        gr_json_fail(&r->j, GR_ERR_FORMAT, "a box has four numbers");
    r->spec->has_box = true;
    if (r->spec->kind == GR_REGION_NONE || r->spec->kind == GR_REGION_POINTS)
        r->spec->kind = GR_REGION_BOX;
}

static void add_point(reader *r, const double xy[2])
{
    gr_error why = { 0 };
    if (gr_region_spec_add_point(r->spec, xy[0], xy[1], 1, &why) != GR_OK)
        fail_as(r, &why);
}

static void end_part(reader *r)
{
    gr_error why = { 0 };
    if (gr_region_spec_end_part(r->spec, &why) != GR_OK)
        fail_as(r, &why);
}

/* [[x, y], ...] */
static void read_pairs(reader *r)
{
    size_t n = 0;
    for (gr_json_array(&r->j); gr_json_item(&r->j); n++) {
        double xy[2] = { 0 };
        if (read_numbers(r, xy, 2) != 2)
            gr_json_fail(&r->j, GR_ERR_FORMAT, "a point is [x, y]");
        add_point(r, xy);
    }
    if (n == 0)
        gr_json_fail(&r->j, GR_ERR_FORMAT, "a list of points without any");
}

static void read_points(reader *r)
{
    read_pairs(r);
    if (r->spec->kind == GR_REGION_NONE)
        r->spec->kind = GR_REGION_POINTS;
}

static void read_labels(reader *r)
{
    for (gr_json_array(&r->j); gr_json_item(&r->j);) {
        const double v = (double)gr_json_int(&r->j, 0, 1);
        if (!gr_grow(r->spec->rt, &r->labels, &r->labels_capacity, r->n_labels, r->n_labels + 1, sizeof v)) {
            out_of_memory(r);
            return;
        }
        r->labels[r->n_labels++] = v;
        if (r->n_labels > GR_REGION_MAX_VERTICES)
            gr_json_fail(&r->j, GR_ERR_LIMIT, "over the limit of %d labels", GR_REGION_MAX_VERTICES);
    }
}

/* [[x, y, x, y, ...], ...]: one flat list a ring. */
static void read_polygon(reader *r)
{
    r->spec->kind = GR_REGION_POLYGON;
    for (gr_json_array(&r->j); gr_json_item(&r->j);) {
        double xy[2];
        size_t n = 0;
        for (gr_json_array(&r->j); gr_json_item(&r->j); n++) {
            xy[n % 2] = gr_json_number(&r->j);
            if (n % 2)
                add_point(r, xy);
        }
        if (n % 2)
            gr_json_fail(&r->j, GR_ERR_FORMAT, "a ring of %zu numbers, expected x, y, x, y, ...", n);
        end_part(r);
    }
    if (r->spec->n_parts == 0)
        gr_json_fail(&r->j, GR_ERR_FORMAT, "a polygon without rings");
}

static void read_scribble(reader *r)
{
    const char *key;
    r->spec->kind = GR_REGION_SCRIBBLE;
    for (gr_json_object(&r->j); gr_json_key(&r->j, &key);) {
        if (strcmp(key, "strokes") == 0)
            for (gr_json_array(&r->j); gr_json_item(&r->j);) {
                read_pairs(r);
                end_part(r);
            }
        else if (strcmp(key, "width") == 0) {
            r->spec->width_px = gr_json_number(&r->j);
            if (!(r->spec->width_px > 0 && r->spec->width_px <= 100000))
                gr_json_fail(&r->j, GR_ERR_FORMAT, "a scribble is %g pixels wide, expected over 0 to 100000",
                             r->spec->width_px);
        } else
            gr_json_skip(&r->j);
    }
    if (r->spec->n_parts == 0)
        gr_json_fail(&r->j, GR_ERR_FORMAT, "a scribble without strokes");
}

/* --- masks --------------------------------------------------------------------------------------- */

/* Members of a mask object in whatever order they come. */
typedef struct {
    int format; /* index into mask_formats */
    double size[2];
    size_t n_size;
    char *text; /* compressed counts, or the encoded picture */
    size_t n_text;
    bool is_data; /* text came under "data" */
    uint32_t *runs;
    size_t n_runs, runs_capacity;
} mask_parts;

static const char *const mask_formats[] = { "rle", "rowrle", "png", "bitmap", "alpha", NULL };
enum { FORMAT_RLE, FORMAT_ROWRLE, FORMAT_PNG, FORMAT_BITMAP, FORMAT_ALPHA };

static void read_runs(reader *r, mask_parts *m)
{
    for (gr_json_array(&r->j); gr_json_item(&r->j);) {
        const uint32_t run = (uint32_t)gr_json_int(&r->j, 0, UINT32_MAX);
        if (m->n_runs >= GR_RLE_MAX_RUNS) {
            gr_json_fail(&r->j, GR_ERR_LIMIT, "over the limit of %zu runs", GR_RLE_MAX_RUNS);
            return;
        }
        if (!gr_grow(r->spec->rt, &m->runs, &m->runs_capacity, m->n_runs, m->n_runs + 1, sizeof run)) {
            out_of_memory(r);
            return;
        }
        m->runs[m->n_runs++] = run;
    }
}

static void read_mask_parts(reader *r, mask_parts *m)
{
    const char *key;
    for (gr_json_object(&r->j); gr_json_key(&r->j, &key);) {
        const bool data = strcmp(key, "data") == 0;
        if (strcmp(key, "format") == 0)
            m->format = read_choice(r, "mask format", mask_formats);
        else if (strcmp(key, "size") == 0)
            m->n_size = read_numbers(r, m->size, 2);
        else if ((data || strcmp(key, "counts") == 0) && (m->text || m->runs)) {
            gr_json_fail(&r->j, GR_ERR_FORMAT, "a mask with its data twice");
        } else if (data || gr_json_peek(&r->j) == GR_JSON_STRING) {
            if (!data && strcmp(key, "counts") != 0) {
                gr_json_skip(&r->j);
                continue;
            }
            m->text = read_text(r, &m->n_text);
            m->is_data = data;
        } else if (strcmp(key, "counts") == 0)
            read_runs(r, m);
        else
            gr_json_skip(&r->j);
    }
}

static void finish_rle(reader *r, const mask_parts *m)
{
    const double limit = GR_MASK_MAX_PIXELS;
    if (m->n_size != 2 ||
        !(m->size[0] >= 1 && m->size[1] >= 1 && m->size[0] <= limit && m->size[1] <= limit) ||
        m->size[0] != floor(m->size[0]) || m->size[1] != floor(m->size[1])) {
        gr_json_fail(&r->j, GR_ERR_FORMAT,
                     "run lengths need \"size\": [height, width], whole numbers of 1 and more");
        return;
    }
    if ((!m->text && !m->runs) || m->is_data) {
        gr_json_fail(&r->j, GR_ERR_FORMAT, "run lengths need \"counts\": a text or a list");
        return;
    }
    gr_error why = { 0 };
    gr_region_spec *s = r->spec;
    const bool rows = m->format == FORMAT_ROWRLE;
    const int h = (int)m->size[rows ? 1 : 0], w = (int)m->size[rows ? 0 : 1];
    const gr_status st = m->text ? gr_rle_from_text(&s->rle, s->rt, h, w, m->text, m->n_text, &why)
                                 : gr_rle_from_runs(&s->rle, s->rt, h, w, m->runs, m->n_runs, &why);
    if (st != GR_OK)
        fail_as(r, &why);
    s->kind = GR_REGION_RLE;
    s->row_major = rows;
}

/* "data:image/png;base64,...", or bare base64. What the picture is, its bytes say. */
static void finish_picture(reader *r, const mask_parts *m)
{
    if (!m->text || !m->is_data) {
        gr_json_fail(&r->j, GR_ERR_FORMAT, "a mask picture needs \"data\": a data URL or base64");
        return;
    }
    const char *at = m->text, *end = m->text + m->n_text;
    if (strncmp(at, "data:", 5) == 0) {
        const char *comma = memchr(at, ',', m->n_text);
        if (!comma || comma - at < 12 || memcmp(comma - 7, ";base64", 7) != 0) {
            gr_json_fail(&r->j, GR_ERR_FORMAT, "a data URL of a mask is data:image/png;base64,...");
            return;
        }
        at = comma + 1;
    }
    gr_error why = { 0 };
    uint8_t *bytes;
    if (gr_base64_decode(&bytes, &r->spec->n_text, r->spec->rt, at, (size_t)(end - at), &why) != GR_OK)
        fail_as(r, &why);
    r->spec->text = (char *)bytes;
    r->spec->kind = GR_REGION_PICTURE;
}

static void finish_mask(reader *r, mask_parts *m)
{
    if (r->j.err.status != GR_OK || r->spec->text || r->spec->rle.runs)
        ; /* said already, or a second geometry, which is refused below */
    else if (m->format == FORMAT_ALPHA)
        r->spec->kind = GR_REGION_ALPHA;
    else if (m->format == FORMAT_RLE || m->format == FORMAT_ROWRLE)
        finish_rle(r, m);
    else
        finish_picture(r, m);
    gr_free(r->spec->rt, m->text);
    gr_free(r->spec->rt, m->runs);
}

static void read_mask(reader *r)
{
    mask_parts m = { .format = FORMAT_RLE };
    read_mask_parts(r, &m);
    finish_mask(r, &m);
}

/* --- everything else ----------------------------------------------------------------------------- */

static void read_name(reader *r)
{
    const char *text = gr_json_string(&r->j, NULL);
    const size_t n = strlen(text);
    bool good = n > 0 && n < GR_REGION_NAME_BYTES;
    for (size_t i = 0; i < n && good; i++) {
        const char c = text[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        good = letter || (i > 0 && ((c >= '0' && c <= '9') || c == '.' || c == '-'));
    }
    if (!good)
        gr_json_fail(&r->j, GR_ERR_FORMAT,
                     "the name '%.70s': expected a letter or _ and then up to 62 letters, digits, _ . -",
                     text);
    else
        memcpy(r->spec->name, text, n + 1);
}

static void read_text_kind(reader *r) { set_text(r, GR_REGION_TEXT); }
static void read_ref(reader *r) { set_text(r, GR_REGION_REF); }

static void read_coords(reader *r)
{
    static const char *const names[] = { "pixel", "normalized", "percent", "milli", NULL };
    r->spec->coords = (gr_region_coords)read_choice(r, "coords", names);
}

static void read_box_format(reader *r)
{
    static const char *const names[] = { "xyxy", "xywh", "cxcywh", NULL };
    r->format = (gr_box_format)read_choice(r, "box_format", names);
}

static void read_convert(reader *r)
{
    static const char *const names[] = { "auto", "none", "sam", "rect", NULL };
    r->spec->convert = (gr_region_convert)read_choice(r, "convert", names);
}

static void read_fill(reader *r)
{
    static const char *const names[] = { "coco", "evenodd", NULL };
    r->spec->even_odd = read_choice(r, "fill", names) == 1;
}

static void read_label(reader *r) { r->spec->label = read_text(r, NULL); }
static void read_track(reader *r) { r->spec->track = read_text(r, NULL); }
static void read_frame(reader *r) { r->spec->frame = (int)gr_json_int(&r->j, 0, INT32_MAX); }
static void read_score(reader *r) { r->spec->score = gr_json_number(&r->j); }

static void read_sam(reader *r)
{
    static const char *const names[] = { "best", "largest", "smallest", NULL };
    const char *key;
    for (gr_json_object(&r->j); gr_json_key(&r->j, &key);) {
        if (strcmp(key, "multimask") == 0)
            r->spec->sam_multimask = gr_json_bool(&r->j);
        else if (strcmp(key, "threshold") == 0)
            r->spec->sam_threshold = gr_json_number(&r->j);
        else if (strcmp(key, "select") != 0)
            gr_json_skip(&r->j);
        else if (gr_json_peek(&r->j) == GR_JSON_STRING)
            r->spec->sam_select = -1 - read_choice(r, "select", names);
        else
            r->spec->sam_select = (int)gr_json_int(&r->j, 0, 2);
    }
}

static const struct {
    const char *key;
    void (*read)(reader *r);
    bool geometry;
} members[] = {
    { "box", read_box, true },
    { "points", read_points, true },
    { "mask", read_mask, true },
    { "polygon", read_polygon, true },
    { "scribble", read_scribble, true },
    { "text", read_text_kind, true },
    { "ref", read_ref, true },
    { "name", read_name, false },
    { "labels", read_labels, false },
    { "coords", read_coords, false },
    { "box_format", read_box_format, false },
    { "fill", read_fill, false },
    { "convert", read_convert, false },
    { "sam", read_sam, false },
    { "label", read_label, false },
    { "frame", read_frame, false },
    { "track", read_track, false },
    { "score", read_score, false },
};

static void read_member(reader *r, const char *key)
{
    for (uint32_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (strcmp(key, members[i].key) != 0)
            continue;
        if (r->seen & 1u << i) {
            gr_json_fail(&r->j, GR_ERR_FORMAT, "the key \"%s\" twice", members[i].key);
            return;
        }
        r->seen |= 1u << i;
        r->geometry += members[i].geometry;
        members[i].read(r);
        return;
    }
    gr_log(r->spec->rt, GR_LOG_WARNING, "region object: the key \"%.60s\" is not known and ignored", key);
    gr_json_skip(&r->j);
}

static void finish_box(reader *r)
{
    const double *b = r->box;
    const double x0 = r->format == GR_BOX_CXCYWH ? b[0] - b[2] / 2 : b[0];
    const double y0 = r->format == GR_BOX_CXCYWH ? b[1] - b[3] / 2 : b[1];
    const bool corners = r->format == GR_BOX_XYXY;
    const double box[4] = { x0, y0, corners ? b[2] : x0 + b[2], corners ? b[3] : y0 + b[3] };
    memcpy(r->spec->box, box, sizeof box);
}

static void finish(reader *r)
{
    gr_region_spec *s = r->spec;
    const bool box_and_points = s->kind == GR_REGION_BOX && s->n_points > 0;
    if (r->geometry != (box_and_points ? 2u : 1u))
        gr_json_fail(
            &r->j, GR_ERR_FORMAT,
            "a region has exactly one of box, points, mask, polygon, scribble, text, ref (box and points may "
            "go together), found %u",
            r->geometry);
    if (r->n_labels > 0 && (r->n_labels != s->n_points || s->kind > GR_REGION_POINTS))
        gr_json_fail(&r->j, GR_ERR_FORMAT, "%zu labels for %zu points", r->n_labels, s->n_points);
    else
        for (size_t i = 0; i < r->n_labels; i++)
            s->labels[i] = r->labels[i] != 0;
    if (s->has_box)
        finish_box(r);
}

static gr_status end(reader *r, gr_error *err)
{
    const gr_status st = gr_json_status(&r->j, true, err);
    gr_free(r->spec->rt, r->labels);
    gr_json_fini(&r->j);
    return st;
}

gr_status gr_region_spec_from_json(gr_region_spec *s, const char *text, size_t n, gr_error *err)
{
    reader r = { .spec = s };
    const char *key;
    gr_json_init(&r.j, s->rt, text, n, "region object", MAX_STRING);
    for (gr_json_object(&r.j); gr_json_key(&r.j, &key);)
        read_member(&r, key);
    finish(&r);
    return end(&r, err);
}

gr_status gr_region_spec_rle_from_json(gr_region_spec *s, const char *text, size_t n, gr_error *err)
{
    reader r = { .spec = s };
    gr_json_init(&r.j, s->rt, text, n, "rle", MAX_STRING);
    mask_parts m = { .format = FORMAT_RLE };
    read_mask_parts(&r, &m);
    if (m.format != FORMAT_RLE && m.format != FORMAT_ROWRLE)
        gr_json_fail(&r.j, GR_ERR_FORMAT, "run lengths of the format %s", mask_formats[m.format]);
    finish_mask(&r, &m);
    return end(&r, err);
}
