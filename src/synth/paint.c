#include "synth/paint.h"

#include "base/alloc.h"
#include "synth/vocabulary.h"

#if defined(GR_HAVE_SYNTH) && defined(GR_HAVE_JPEG)

#include "synth/paint_internal.h"

#define DEBIAN_FONT "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"

gr_status gr_painter_new(gr_painter **out, gr_runtime *rt, const char *font, gr_error *err)
{
    *out = NULL;
    gr_painter *p = gr_calloc(rt, 1, sizeof *p);
    if (!p)
        return gr_fail(err, GR_ERR_MEM, "no memory for a painter");
    p->rt = rt;
    const gr_status st = gr_paint_glyphs_new(&p->glyphs, rt, font ? font : DEBIAN_FONT, err);
    if (st != GR_OK)
        gr_painter_free(p);
    else
        *out = p;
    return st;
}

void gr_painter_free(gr_painter *p)
{
    if (!p)
        return;
    gr_paint_glyphs_free(p->glyphs);
    gr_free(p->rt, p->sprite.coverage);
    gr_free(p->rt, p->sprite.edge);
    gr_free(p->rt, p->sprite.colour);
    gr_free(p->rt, p->canvas);
    gr_free(p->rt, p->backdrop);
    gr_free(p->rt, p);
}

static gr_status check(const gr_scene *s, gr_error *err)
{
    if (s->width < 1 || s->height < 1 || s->width > 4096 || s->height > 4096)
        return gr_fail(err, GR_ERR_ARG, "a scene of %d x %d pixels, expected 1 to 4096", s->width, s->height);
    if (s->n_objects < 0 || s->n_objects > GR_SCENE_OBJECTS_MAX)
        return gr_fail(err, GR_ERR_ARG, "a scene of %d objects, expected 0 to %d", s->n_objects,
                       GR_SCENE_OBJECTS_MAX);
    for (int i = 0; i < s->n_objects; i++) {
        const gr_object *o = &s->objects[i];
        if (!(o->w > 0 && o->h > 0 && o->w < 8192 && o->h < 8192) || o->frame >= i || o->of >= s->n_objects ||
            (o->kind == GR_OBJECT_THING && (o->thing < 0 || o->thing >= GR_THINGS)))
            return gr_fail(err, GR_ERR_ARG, "object %d of a scene has a size or a number out of range", i);
    }
    return GR_OK;
}

gr_status gr_scene_paint(gr_scene *s, gr_runtime *rt, gr_painter *painter, gr_image **picture,
                         uint8_t **index_map, gr_error *err)
{
    *picture = NULL;
    *index_map = NULL;
    GR_TRY(check(s, err));
    return gr_paint_scene(painter, rt, s, picture, index_map, err);
}

#else

gr_status gr_painter_new(gr_painter **out, gr_runtime *rt, const char *font, gr_error *err)
{
    (void)rt;
    (void)font;
    *out = NULL;
    return gr_fail(
        err, GR_ERR_UNSUPPORTED,
        "this build cannot paint synthetic pictures: it was made without cairo, freetype or libjpeg");
}

void gr_painter_free(gr_painter *p) { (void)p; }

gr_status gr_scene_paint(gr_scene *s, gr_runtime *rt, gr_painter *painter, gr_image **picture,
                         uint8_t **index_map, gr_error *err)
{
    (void)s;
    (void)rt;
    (void)painter;
    *picture = NULL;
    *index_map = NULL;
    return gr_fail(err, GR_ERR_UNSUPPORTED, "this build cannot paint synthetic pictures");
}

#endif
