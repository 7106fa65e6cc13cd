#include "region/region_spec.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/json.h"

/* --- the struct ---------------------------------------------------------------------------------- */

void gr_region_spec_free(gr_region_spec *spec)
{
    if (!spec)
        return;
    gr_runtime *rt = spec->rt;
    gr_rle_fini(&spec->rle);
    gr_free(rt, spec->text);
    gr_free(rt, spec->xy);
    gr_free(rt, spec->labels);
    gr_free(rt, spec->first);
    gr_free(rt, spec->label);
    gr_free(rt, spec->track);
    gr_free(rt, spec);
}

const char *gr_region_spec_name(const gr_region_spec *spec) { return spec->name[0] ? spec->name : NULL; }

const char *gr_region_spec_ref(const gr_region_spec *spec)
{
    return spec->kind == GR_REGION_REF ? spec->text : NULL;
}

gr_status gr_region_spec_add_point(gr_region_spec *s, double x, double y, int label, gr_error *err)
{
    if (s->n_points >= GR_REGION_MAX_VERTICES)
        return gr_fail(err, GR_ERR_LIMIT, "over the limit of %d points", GR_REGION_MAX_VERTICES);
    const size_t want = s->n_points + 1;
    if (!gr_grow(s->rt, &s->xy, &s->points_capacity, s->n_points, want, 2 * sizeof *s->xy) ||
        !gr_grow(s->rt, &s->labels, &s->labels_capacity, s->n_points, want, sizeof *s->labels))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu points", want);
    s->xy[2 * s->n_points] = x;
    s->xy[2 * s->n_points + 1] = y;
    s->labels[s->n_points++] = (uint8_t)label;
    return GR_OK;
}

gr_status gr_region_spec_end_part(gr_region_spec *s, gr_error *err)
{
    if (!gr_grow(s->rt, &s->first, &s->parts_capacity, s->n_parts + 1, s->n_parts + 2, sizeof *s->first))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu rings or strokes", s->n_parts + 1);
    s->first[++s->n_parts] = s->n_points;
    return GR_OK;
}

/* --- the short forms ----------------------------------------------------------------------------- */

typedef struct {
    const char *at, *end;
    gr_region_spec *spec;
    gr_error *err;
} scanner;

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

/* One number, as people type it (".5" and "+1" too); the reader of JSON does the conversion, whatever the
 * locale. */
static gr_status read_number(scanner *s, double *out)
{
    char text[64];
    size_t n = 0;
    while (s->at < s->end && *s->at == ' ')
        s->at++;
    const char *begin = s->at;
    if (s->at < s->end && *s->at == '+')
        s->at++;
    if (s->at < s->end && *s->at == '-')
        text[n++] = *s->at++;
    if (s->at < s->end && *s->at == '.')
        text[n++] = '0';
    while (s->at < s->end && is_number_char(*s->at) && n < sizeof text - 1)
        text[n++] = *s->at++;
    text[n] = '\0';
    gr_json j;
    gr_json_init(&j, s->spec->rt, text, n, "number", 0);
    *out = gr_json_number(&j);
    const gr_status st = gr_json_status(&j, true, NULL);
    gr_json_fini(&j);
    while (s->at < s->end && *s->at == ' ')
        s->at++;
    if (st != GR_OK)
        return gr_fail(s->err, GR_ERR_FORMAT, "expected a number, found '%.*s'",
                       (int)(s->end - begin < 20 ? s->end - begin : 20), begin);
    return GR_OK;
}

static bool accept(scanner *s, char c)
{
    if (s->at >= s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static gr_status expect_end(scanner *s)
{
    if (s->at == s->end)
        return GR_OK;
    return gr_fail(s->err, GR_ERR_FORMAT, "expected the end, found '%.*s'",
                   (int)(s->end - s->at < 20 ? s->end - s->at : 20), s->at);
}

/* "@norm" at the end, and nothing else after '@'. */
static gr_status take_suffix(scanner *s)
{
    const char *at = memchr(s->at, '@', (size_t)(s->end - s->at));
    if (!at)
        return GR_OK;
    if (s->end - at != 5 || memcmp(at, "@norm", 5) != 0)
        return gr_fail(s->err, GR_ERR_FORMAT, "expected @norm, found '%.*s'",
                       (int)(s->end - at < 20 ? s->end - at : 20), at);
    s->spec->coords = GR_COORDS_NORMALIZED;
    s->end = at;
    return GR_OK;
}

static gr_status scan_box(scanner *s)
{
    for (int i = 0; i < 4; i++) {
        GR_TRY(read_number(s, &s->spec->box[i]));
        if (i < 3 && !accept(s, ','))
            return gr_fail(s->err, GR_ERR_FORMAT, "a box is x1,y1,x2,y2: four numbers, found %d", i + 1);
    }
    s->spec->has_box = true;
    s->spec->kind = GR_REGION_BOX;
    return expect_end(s);
}

static gr_status scan_points(scanner *s)
{
    s->spec->kind = GR_REGION_POINTS;
    do {
        double x, y, label = 1;
        GR_TRY(read_number(s, &x));
        if (!accept(s, ','))
            return gr_fail(s->err, GR_ERR_FORMAT, "a point is x,y or x,y,label; points are separated by ';'");
        GR_TRY(read_number(s, &y));
        if (accept(s, ','))
            GR_TRY(read_number(s, &label));
        if (label != 0 && label != 1)
            return gr_fail(s->err, GR_ERR_FORMAT,
                           "the label of a point is %g, expected 1 (inside) or 0 (outside)", label);
        GR_TRY(gr_region_spec_add_point(s->spec, x, y, (int)label, s->err));
    } while (accept(s, ';'));
    return expect_end(s);
}

/* x,y;x,y;... is one part; a group of three points or more is a part of its own when `rings` is set. */
static gr_status scan_line(scanner *s, bool rings)
{
    bool open = false; /* single points wait for the end of their part */
    do {
        size_t n = 0;
        double x, y;
        if (rings && open) { /* does a whole ring follow? then the single points end here */
            const char *semicolon = memchr(s->at, ';', (size_t)(s->end - s->at));
            const char *end = semicolon ? semicolon : s->end;
            size_t commas = 0;
            for (const char *p = s->at; p < end; p++)
                commas += *p == ',';
            if (commas > 1) {
                GR_TRY(gr_region_spec_end_part(s->spec, s->err));
                open = false;
            }
        }
        do {
            GR_TRY(read_number(s, &x));
            if (!accept(s, ','))
                return gr_fail(s->err, GR_ERR_FORMAT, "coordinates come in pairs x,y; found a lone %g", x);
            GR_TRY(read_number(s, &y));
            GR_TRY(gr_region_spec_add_point(s->spec, x, y, 1, s->err));
            n++;
        } while (accept(s, ','));
        if (n > 1 && !rings)
            return gr_fail(s->err, GR_ERR_FORMAT, "the points of a scribble are separated by ';'");
        if (n > 1)
            GR_TRY(gr_region_spec_end_part(s->spec, s->err));
        open = n == 1;
    } while (accept(s, ';'));
    if (open)
        GR_TRY(gr_region_spec_end_part(s->spec, s->err));
    return expect_end(s);
}

static gr_status check_rings(const gr_region_spec *s, gr_error *err)
{
    for (size_t i = 0; i < s->n_parts; i++)
        if (s->first[i + 1] - s->first[i] < 3)
            return gr_fail(err, GR_ERR_FORMAT, "ring %zu of the polygon has %zu points, expected 3 or more",
                           i, s->first[i + 1] - s->first[i]);
    return GR_OK;
}

static gr_status scan_polygon(scanner *s)
{
    s->spec->kind = GR_REGION_POLYGON;
    GR_TRY(scan_line(s, true));
    return check_rings(s->spec, s->err);
}

static gr_status scan_scribble(scanner *s)
{
    s->spec->kind = GR_REGION_SCRIBBLE;
    return scan_line(s, false);
}

static gr_status scan_file(scanner *s)
{
    const size_t n = (size_t)(s->end - s->at);
    if (n == 0 || memchr(s->at, '\0', n))
        return gr_fail(s->err, GR_ERR_FORMAT, "mask: is followed by the name of a file");
    s->spec->kind = GR_REGION_FILE;
    s->spec->n_text = n;
    if (!(s->spec->text = gr_strndup(s->spec->rt, s->at, n)))
        return gr_fail(s->err, GR_ERR_MEM, "no memory for a name");
    return GR_OK;
}

static gr_status scan_rle(scanner *s)
{
    s->spec->kind = GR_REGION_RLE;
    return gr_region_spec_rle_from_json(s->spec, s->at, (size_t)(s->end - s->at), s->err);
}

static const struct {
    const char *word;
    gr_status (*scan)(scanner *);
    bool has_suffix;
} forms[] = {
    { "mask:", scan_file, false },        { "box:", scan_box, true },
    { "points:", scan_points, true },     { "point:", scan_points, true },
    { "polygon:", scan_polygon, true },   { "rle:", scan_rle, false },
    { "scribble:", scan_scribble, true },
};

static gr_status parse(gr_region_spec *spec, const char *text, size_t n, gr_error *err)
{
    while (n > 0 && *text == ' ')
        text++, n--;
    if (n > 0 && *text == '{') {
        GR_TRY(gr_region_spec_from_json(spec, text, n, err));
        return spec->kind == GR_REGION_POLYGON ? check_rings(spec, err) : GR_OK;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const size_t word = strlen(forms[i].word);
        if (n < word || memcmp(text, forms[i].word, word) != 0)
            continue;
        scanner s = { text + word, text + n, spec, err };
        if (forms[i].has_suffix)
            GR_TRY(take_suffix(&s));
        return forms[i].scan(&s);
    }
    return gr_fail(err, GR_ERR_FORMAT,
                   "'%.*s' is no region; expected mask:FILE, box:x1,y1,x2,y2, point:x,y, points:x,y;..., "
                   "scribble:x,y;..., polygon:x,y,x,y,..., rle:{...} or a region object {...}",
                   (int)(n < 40 ? n : 40), text);
}

gr_status gr_region_spec_parse(gr_region_spec **out, gr_runtime *rt, const char *text, size_t n,
                               gr_error *err)
{
    *out = NULL;
    gr_region_spec *s = gr_calloc(rt, 1, sizeof *s);
    if (!s)
        return gr_fail(err, GR_ERR_MEM, "no memory for a region");
    *s = (gr_region_spec){ .rt = rt, .width_px = 12, .sam_multimask = true, .sam_select = -1, .frame = -1 };
    s->score = NAN;
    gr_error why = { 0 };
    gr_status st = gr_grow(rt, &s->first, &s->parts_capacity, 0, 1, sizeof *s->first)
                       ? parse(s, text, n, &why)
                       : gr_fail(&why, GR_ERR_MEM, "no memory for a region");
    if (st != GR_OK) {
        gr_region_spec_free(s);
        return gr_fail(err, st, st == GR_ERR_MEM ? "%s" : "invalid_region: %s", why.msg);
    }
    *out = s;
    return GR_OK;
}
