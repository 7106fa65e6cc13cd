#include "text/prompt.h"

#include <string.h>

#include "base/alloc.h"

void gr_prompt_init(gr_prompt *p, gr_runtime *rt)
{
    *p = (gr_prompt){ .rt = rt };
    gr_buf_init(&p->text, rt, GR_TEXT_MAX);
}

void gr_prompt_fini(gr_prompt *p)
{
    gr_free(p->rt, p->pieces);
    gr_buf_fini(&p->text);
    gr_prompt_init(p, p->rt);
}

void gr_prompt_clear(gr_prompt *p)
{
    p->n = 0;
    gr_buf_clear(&p->text);
}

static gr_status append(gr_prompt *p, gr_piece piece, gr_error *err)
{
    if (!gr_grow(p->rt, &p->pieces, &p->cap, p->n, p->n + 1, sizeof *p->pieces))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu pieces of a prompt", p->n + 1);
    p->pieces[p->n++] = piece;
    return GR_OK;
}

gr_status gr_prompt_text(gr_prompt *p, const char *text, size_t n, gr_error *err)
{
    if (n == 0)
        return GR_OK;
    if (n > p->text.max - p->text.len)
        return gr_fail(err, GR_ERR_LIMIT, "a prompt with more than %zu bytes of text", p->text.max);
    if (p->n == 0 || p->pieces[p->n - 1].kind != GR_PIECE_TEXT)
        GR_TRY(append(p, (gr_piece){ .kind = GR_PIECE_TEXT, .at = p->text.len }, err));
    if (!gr_buf_add(&p->text, text, n))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu bytes of prompt", p->text.len + n);
    p->pieces[p->n - 1].bytes += n;
    return GR_OK;
}

gr_status gr_prompt_words(gr_prompt *p, const char *text, gr_error *err)
{
    return gr_prompt_text(p, text, strlen(text), err);
}

gr_status gr_prompt_special(gr_prompt *p, int32_t id, gr_error *err)
{
    return append(p, (gr_piece){ .kind = GR_PIECE_SPECIAL, .id = id, .rows = 1 }, err);
}

gr_status gr_prompt_image(gr_prompt *p, int32_t id, size_t rows, gr_error *err)
{
    return rows ? append(p, (gr_piece){ .kind = GR_PIECE_IMAGE, .id = id, .rows = rows }, err) : GR_OK;
}

gr_status gr_prompt_region(gr_prompt *p, int region, int32_t id, size_t rows, gr_error *err)
{
    if (region < 0 || region >= GR_PROMPT_REGIONS_MAX)
        return gr_fail(err, GR_ERR_ARG, "region %d in a prompt, expected 0 to %d", region,
                       GR_PROMPT_REGIONS_MAX - 1);
    for (size_t i = 0; i < p->n; i++)
        if (p->pieces[i].kind == GR_PIECE_REGION && p->pieces[i].region == region)
            return gr_fail(err, GR_ERR_ARG, "the rows of region %d are in the prompt already", region);
    return rows ? append(p, (gr_piece){ .kind = GR_PIECE_REGION, .id = id, .rows = rows, .region = region },
                         err)
                : GR_OK;
}

/* The first feature row of every region. */
static void place_regions(const gr_prompt *p, size_t first[GR_PROMPT_REGIONS_MAX])
{
    size_t rows[GR_PROMPT_REGIONS_MAX] = { 0 }, next = 0;
    for (size_t i = 0; i < p->n; i++) {
        const gr_piece *piece = &p->pieces[i];
        if (piece->kind == GR_PIECE_IMAGE)
            next += piece->rows;
        else if (piece->kind == GR_PIECE_REGION)
            rows[piece->region] = piece->rows;
    }
    for (int r = 0; r < GR_PROMPT_REGIONS_MAX; r++) {
        first[r] = next;
        next += rows[r];
    }
}

static gr_status add_features(gr_ids *ids, gr_ids *source, const gr_piece *piece, size_t first, gr_error *err)
{
    GR_TRY(gr_ids_fill(ids, piece->id, piece->rows, err));
    if (first + piece->rows > INT32_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "a prompt with more than %d feature rows", INT32_MAX);
    for (size_t k = 0; k < piece->rows; k++)
        GR_TRY(gr_ids_add(source, (int32_t)(first + k), err));
    return GR_OK;
}

gr_status gr_prompt_rows(const gr_prompt *p, const gr_tokenizer *t, gr_ids *ids, gr_ids *source,
                         gr_error *err)
{
    size_t first[GR_PROMPT_REGIONS_MAX], image = 0;
    place_regions(p, first);
    for (size_t i = 0; i < p->n; i++) {
        const gr_piece *piece = &p->pieces[i];
        const size_t before = ids->n;
        switch (piece->kind) {
        case GR_PIECE_TEXT:
            GR_TRY(gr_tokenizer_encode(t, gr_buf_str(&p->text) + piece->at, piece->bytes, false, ids, err));
            GR_TRY(gr_ids_fill(source, -1, ids->n - before, err));
            break;
        case GR_PIECE_SPECIAL:
            GR_TRY(gr_ids_add(ids, piece->id, err));
            GR_TRY(gr_ids_add(source, -1, err));
            break;
        case GR_PIECE_IMAGE:
            GR_TRY(add_features(ids, source, piece, image, err));
            image += piece->rows;
            break;
        case GR_PIECE_REGION:
            GR_TRY(add_features(ids, source, piece, first[piece->region], err));
            break;
        }
    }
    return GR_OK;
}
