#include "train/row_picture.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "region/box.h"
#include "region/rle.h"

#define LEAST_SIDE 10 /* pixels of a picture; the published data set class */

void gr_row_picture_rules_init(gr_row_picture_rules *rules)
{
    *rules = (gr_row_picture_rules){ .root = NULL };
    gr_image_options_init(&rules->images);
}

/* What is being made, and of what. */
typedef struct {
    gr_row_picture *s;
    const gr_record *record;
    const gr_skip_note *note;
    const int *shown;
} making;

/* --- the picture --------------------------------------------------------------------------------------- */

/* Whether a path leads out of the folder it is taken from. */
static bool leaves(const char *path)
{
    if (path[0] == '/')
        return true;
    for (const char *at = path; at; at = strchr(at, '/'), at = at ? at + 1 : NULL)
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return true;
    return false;
}

static gr_status open_file(making *m, const char *root, const gr_image_options *o)
{
    char path[4096];
    gr_error cause = { 0 };
    const gr_chars *name = &m->record->path;
    if (name->n == 0)
        return gr_skip_row(m->note, GR_SKIP_NO_IMAGE, "the row has neither bytes nor a path of a picture");
    if (strlen(name->at) != name->n || name->n >= sizeof path)
        return gr_skip_row(m->note, GR_SKIP_NO_IMAGE, "the picture's path is not one: %zu bytes", name->n);
    if (root && leaves(name->at))
        return gr_skip_row(m->note, GR_SKIP_NO_IMAGE,
                           "the picture '%.200s' is not below the folder of pictures", name->at);
    if (!root)
        memcpy(path, name->at, name->n + 1);
    else if (!gr_path_join(path, sizeof path, root, name->at))
        return gr_skip_row(m->note, GR_SKIP_NO_IMAGE, "the path of the picture '%.200s' is too long",
                           name->at);
    const gr_status st = gr_image_open(&m->s->image, m->s->rt, path, o, &cause);
    return st == GR_OK
               ? st
               : gr_skip_because(m->note, st == GR_ERR_IO ? GR_SKIP_NO_IMAGE : GR_SKIP_BAD_IMAGE, &cause);
}

static gr_status decode_bytes(making *m, const gr_image_options *o)
{
    gr_error cause = { 0 };
    const gr_chars *bytes = &m->record->bytes;
    const gr_status st = gr_image_decode(&m->s->image, m->s->rt, bytes->at, bytes->n, o, &cause);
    return st == GR_OK ? st : gr_skip_because(m->note, GR_SKIP_BAD_IMAGE, &cause);
}

gr_status gr_row_picture_open(gr_row_picture *s, gr_runtime *rt, const gr_record *r,
                              const gr_row_picture_rules *rules, const gr_skip_note *note)
{
    gr_image_options o = rules->images;
    making m = { .s = s, .record = r, .note = note };
    *s = (gr_row_picture){ .rt = rt };
    o.exif = r->form == GR_PICTURE_STORED ? GR_EXIF_APPLY : GR_EXIF_IGNORE;
    if (r->form == GR_PICTURE_NONE)
        return gr_skip_row(note, GR_SKIP_NO_IMAGE, "the row has no picture");
    const bool bytes = r->form == GR_PICTURE_DATA || (r->form == GR_PICTURE_STORED && r->bytes.n > 0);
    GR_TRY(bytes ? decode_bytes(&m, &o) : open_file(&m, rules->root, &o));
    if (s->image->width < LEAST_SIDE || s->image->height < LEAST_SIDE)
        return gr_skip_row(note, GR_SKIP_SMALL_IMAGE,
                           "a picture of %d x %d pixels, at least %d x %d are expected", s->image->width,
                           s->image->height, LEAST_SIDE, LEAST_SIDE);
    return GR_OK;
}

/* --- masks --------------------------------------------------------------------------------------------- */

/* Makes a mask of the picture's shape as large as the picture. */
static gr_status fit(making *m, gr_mask **mask)
{
    gr_mask *fitted;
    if ((*mask)->width == m->s->image->width && (*mask)->height == m->s->image->height)
        return GR_OK;
    GR_TRY(gr_mask_resize(&fitted, *mask, m->s->image->width, m->s->image->height, m->note->err));
    gr_mask_free(*mask);
    *mask = fitted;
    m->s->n_resized++;
    return GR_OK;
}

static gr_status mask_of_box(making *m, const gr_record_region *g, size_t number, gr_mask **mask)
{
    gr_bounds bounds;
    gr_error cause = { 0 };
    const double box[4] = { (double)g->box[0], (double)g->box[1], (double)g->box[2], (double)g->box[3] };
    const gr_status st = gr_box_to_bounds(&bounds, box, m->s->image->width, m->s->image->height, &cause);
    if (st != GR_OK)
        return gr_skip_row(m->note, GR_SKIP_EMPTY_MASK, "region %zu: %s", number, cause.msg);
    GR_TRY(gr_mask_new(mask, m->s->rt, m->s->image->width, m->s->image->height, m->note->err));
    gr_mask_fill(*mask, bounds);
    return GR_OK;
}

/* The mask of a region, drawn when it is wanted; every mask of a row has to be good, used or not. */
static gr_status mask_of_rle(making *m, const gr_record_region *g, size_t number, bool wanted, gr_mask **mask)
{
    gr_rle rle;
    gr_error cause = { 0 };
    gr_status st = gr_rle_from_text(&rle, m->s->rt, g->rle_height, g->rle_width, g->rle.at, g->rle.n, &cause);
    if (st != GR_OK)
        return gr_skip_because(m->note, GR_SKIP_BAD_MASK, &cause);
    if (gr_rle_area(&rle) == 0)
        st = gr_skip_row(m->note, GR_SKIP_EMPTY_MASK, "mask %zu has no pixel", number);
    else if (wanted)
        st = gr_rle_to_mask(mask, &rle, m->note->err);
    gr_rle_fini(&rle);
    return st;
}

/* Where region `number` of the record is shown, or -1. */
static int shown_as(const making *m, size_t number)
{
    for (int i = 0; i < m->s->n; i++)
        if ((size_t)m->shown[i] == number)
            return i;
    return -1;
}

static gr_status make_mask(making *m, size_t number)
{
    const gr_record_region *g = &m->record->regions[number];
    const int i = shown_as(m, number);
    gr_mask *mask = NULL;
    if (!g->has_rle && !g->has_box)
        return gr_skip_row(m->note, GR_SKIP_BAD_MASK, "region %zu has neither a mask nor a box", number);
    gr_status st = GR_OK;
    if (g->has_rle)
        st = mask_of_rle(m, g, number, i >= 0, &mask);
    else if (i >= 0)
        st = mask_of_box(m, g, number, &mask);
    if (st == GR_OK && mask)
        st = fit(m, &mask);
    if (st == GR_OK && mask && !gr_mask_area(mask))
        st = gr_skip_row(m->note, GR_SKIP_EMPTY_MASK, "mask %zu has no pixel once it fits the picture",
                         number);
    if (i >= 0)
        m->s->masks[i] = mask;
    else
        gr_mask_free(mask);
    return st;
}

/* Of every mask, used or not: the picture's shape, within 1 %. */
static gr_status check_shape(making *m, size_t number)
{
    const gr_record_region *g = &m->record->regions[number];
    const gr_image *p = m->s->image;
    if (!g->has_rle || fabs((double)g->rle_width * p->height / ((double)g->rle_height * p->width) - 1) < 0.01)
        return GR_OK;
    return gr_skip_row(m->note, GR_SKIP_MASK_SIZE, "mask %zu is %d x %d pixels, the picture %d x %d", number,
                       g->rle_width, g->rle_height, p->width, p->height);
}

gr_status gr_row_picture_masks(gr_row_picture *s, const gr_record *r, const int *shown, int n,
                               const gr_skip_note *note)
{
    making m = { .s = s, .record = r, .note = note, .shown = shown };
    s->n = n;
    for (size_t i = 0; i < r->n_regions; i++) {
        GR_TRY(check_shape(&m, i));
        GR_TRY(make_mask(&m, i));
    }
    return GR_OK;
}

void gr_row_picture_fini(gr_row_picture *s)
{
    gr_image_free(s->image);
    for (int i = 0; i < s->n; i++)
        gr_mask_free(s->masks[i]);
    *s = (gr_row_picture){ .rt = s->rt };
}
