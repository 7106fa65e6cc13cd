/* synth_sheet.c - the first scenes side by side, to look at. */
#include <string.h>

#include "media/resize.h"
#include "synth/synth_files.h"

enum { CELL = 224, GAP = 4, COLS = 6, CELLS_MAX = 48 };

/* Fits the picture into the cell; larger ones are made smaller. */
static gr_status put_cell(gr_runtime *rt, gr_image *sheet, int cell, const gr_image *p, gr_error *err)
{
    const int longer = p->width > p->height ? p->width : p->height;
    const int w = longer > CELL ? p->width * CELL / longer : p->width;
    const int h = longer > CELL ? p->height * CELL / longer : p->height;
    const int x = GAP + cell % COLS * (CELL + GAP) + (CELL - w) / 2;
    const int y = GAP + cell / COLS * (CELL + GAP) + (CELL - h) / 2;
    gr_image *small;
    GR_TRY(gr_image_new(&small, rt, w > 0 ? w : 1, h > 0 ? h : 1, 3, err));
    const gr_status st = gr_resize_bicubic(rt, small->pixels, small->width, small->height, p->pixels,
                                           p->width, p->height, 3, err);
    for (int row = 0; st == GR_OK && row < small->height; row++)
        memcpy(sheet->pixels + ((size_t)(y + row) * (size_t)sheet->width + (size_t)x) * 3,
               small->pixels + (size_t)row * (size_t)small->width * 3, (size_t)small->width * 3);
    gr_image_free(small);
    return st;
}

static gr_status put_cells(gr_runtime *rt, gr_synth *y, gr_image *sheet, int n, gr_error *err)
{
    for (int i = 0; i < n; i++) {
        GR_TRY(gr_synth_paint(y, (uint64_t)i, NULL, err));
        GR_TRY(put_cell(rt, sheet, i, gr_synth_picture(y), err));
    }
    return GR_OK;
}

gr_status gr_synth_write_sheet(gr_runtime *rt, const gr_synth_rules *rules, uint64_t count, const char *path,
                               gr_error *err)
{
    const int n = count < CELLS_MAX ? (int)count : CELLS_MAX, cols = n < COLS ? n : COLS;
    const int rows = (n + COLS - 1) / COLS;
    gr_synth *y = NULL;
    gr_image *sheet = NULL;
    gr_status st = gr_synth_new(&y, rt, rules, err);
    if (st == GR_OK)
        st = gr_image_new(&sheet, rt, GAP + cols * (CELL + GAP), GAP + rows * (CELL + GAP), 3, err);
    if (st == GR_OK)
        st = put_cells(rt, y, sheet, n, err);
    if (st == GR_OK)
        st = gr_image_write(sheet, path, err);
    gr_image_free(sheet);
    gr_synth_free(y);
    return st;
}
