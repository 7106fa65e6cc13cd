#include "eval/verify_grid.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "region/canvas.h"

#define MAX_VALUES   8
#define PUBLISHED_16 16 /* tiles: what the training configuration of the 1B model has */

/* The values that a switch, or last the tile limit, takes. */
typedef struct {
    int values[MAX_VALUES];
    int n;
    bool listed; /* by the text: it replaces the default */
} axis;

enum { TILES = GR_SWITCH_COUNT, N_AXES };

static gr_status add_value(axis *a, int value, const char *part, gr_error *err)
{
    if (!a->listed)
        a->n = 0;
    a->listed = true;
    for (int i = 0; i < a->n; i++)
        if (a->values[i] == value)
            return GR_OK;
    if (a->n == MAX_VALUES)
        return gr_fail(err, GR_ERR_LIMIT, "grid: '%s' is one value too many, at most %d each", part,
                       MAX_VALUES);
    a->values[a->n++] = value;
    return GR_OK;
}

static gr_status read_tiles(axis *axes, const char *part, int model_tiles, gr_error *err)
{
    const char *value = part + strlen("max_tiles=");
    char *end;
    const long n = strtol(value, &end, 10);
    if (strcmp(value, "config") == 0)
        return add_value(&axes[TILES], model_tiles, part, err);
    if (end == value || *end || n < 1 || n > GR_CANVAS_MAX_TILES)
        return gr_fail(err, GR_ERR_ARG, "grid: '%s', expected max_tiles=config or a number from 1 to %d",
                       part, GR_CANVAS_MAX_TILES);
    return add_value(&axes[TILES], (int)n, part, err);
}

static gr_status read_part(axis *axes, const char *part, int model_tiles, gr_error *err)
{
    gr_profile p = { { 0 } };
    if (strncmp(part, "max_tiles=", 10) == 0)
        return read_tiles(axes, part, model_tiles, err);
    if (gr_profile_set(&p, part, err) != GR_OK) {
        gr_error_prefix(err, "grid (or max_tiles=N)");
        return GR_ERR_ARG;
    }
    for (int i = 0; i < GR_SWITCH_COUNT; i++) {
        const size_t n = strlen(gr_profile_switch_at((size_t)i)->name);
        if (strncmp(part, gr_profile_switch_at((size_t)i)->name, n) == 0 && part[n] == '=')
            return add_value(&axes[i], p.value[i], part, err);
    }
    return GR_OK;
}

static void default_axes(axis *axes, int model_tiles)
{
    static const int both[] = { GR_SWITCH_ROI_MODE, GR_SWITCH_DOUBLE_BOS, GR_SWITCH_MASK_RESAMPLE };
    for (int i = 0; i < GR_SWITCH_COUNT; i++)
        axes[i] = (axis){ { gr_profile_switch_at((size_t)i)->released }, 1, false };
    for (size_t k = 0; k < sizeof both / sizeof *both; k++) {
        axis *a = &axes[both[k]];
        a->values[a->n++] = 1 - a->values[0];
    }
    axes[GR_SWITCH_EXTRA_PROMPTS].values[0] = 1; /* the published outputs have such items */
    axes[TILES] = (axis){ { model_tiles, PUBLISHED_16 }, model_tiles == PUBLISHED_16 ? 1 : 2, false };
}

static void name_row(gr_grid_row *row, const axis *axes)
{
    for (int i = 0; i < N_AXES; i++) {
        if (axes[i].n == 1 && !axes[i].listed)
            continue;
        const size_t at = strlen(row->name);
        const char *space = at ? " " : "";
        if (i == TILES)
            snprintf(row->name + at, sizeof row->name - at, "%smax_tiles=%d", space, row->max_tiles);
        else
            snprintf(row->name + at, sizeof row->name - at, "%s%s=%s", space,
                     gr_profile_switch_at((size_t)i)->name, gr_profile_value(&row->profile, (size_t)i));
    }
}

/* Row number k: the last axis turns fastest. */
static void make_row(gr_grid_row *row, const axis *axes, size_t k)
{
    *row = (gr_grid_row){ .max_tiles = 0 };
    for (int i = N_AXES - 1; i >= 0; i--) {
        const int value = axes[i].values[k % (size_t)axes[i].n];
        k /= (size_t)axes[i].n;
        if (i == TILES)
            row->max_tiles = value;
        else
            row->profile.value[i] = (unsigned char)value;
    }
    name_row(row, axes);
}

gr_status gr_grid_parse(gr_grid *grid, const char *text, int model_tiles, gr_error *err)
{
    axis axes[N_AXES];
    char part[64];
    default_axes(axes, model_tiles);
    grid->n = 0;
    if (text && strcmp(text, "all") != 0)
        for (bool more = true; more;) {
            const size_t n = strcspn(text, ",");
            if (n == 0 || n >= sizeof part)
                return gr_fail(err, GR_ERR_ARG, "grid: '%.60s', expected \"all\" or NAME=VALUE,...", text);
            memcpy(part, text, n);
            part[n] = '\0';
            GR_TRY(read_part(axes, part, model_tiles, err));
            more = text[n] == ',';
            text += n + more;
        }
    size_t rows = 1;
    for (int i = 0; i < N_AXES; i++)
        rows *= (size_t)axes[i].n;
    if (rows > GR_GRID_MAX_ROWS)
        return gr_fail(err, GR_ERR_LIMIT, "grid: %zu combinations, at most %d", rows, GR_GRID_MAX_ROWS);
    for (size_t k = 0; k < rows; k++)
        make_row(&grid->rows[grid->n++], axes, k);
    return GR_OK;
}
