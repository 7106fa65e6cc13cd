/* Profiles and grids as they are written: accepted profiles have values of the table, accepted grids have
 * combinations that all differ, and what a profile says can be said again switch by switch. */
#include <string.h>

#include "eval/verify_grid.h"
#include "fuzz.h"

static void check_profile(const gr_profile *p)
{
    gr_profile again;
    gr_error err = { 0 };
    FUZZ_CHECK(gr_profile_init(&again, "released", &err) == GR_OK);
    for (size_t i = 0; i < GR_SWITCH_COUNT; i++) {
        char text[64];
        FUZZ_CHECK(gr_profile_value(p, i));
        snprintf(text, sizeof text, "%s=%s", gr_profile_switch_at(i)->name, gr_profile_value(p, i));
        FUZZ_CHECK(gr_profile_set(&again, text, &err) == GR_OK);
    }
    FUZZ_CHECK(memcmp(&again, p, sizeof again) == 0);
}

static void check_grid(const gr_grid *g)
{
    FUZZ_CHECK(g->n >= 1 && g->n <= GR_GRID_MAX_ROWS);
    for (size_t i = 0; i < g->n; i++) {
        check_profile(&g->rows[i].profile);
        FUZZ_CHECK(g->rows[i].max_tiles >= 1 && g->rows[i].max_tiles <= 64);
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(strcmp(g->rows[i].name, g->rows[k].name) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gr_grid grid;
    gr_profile p;
    gr_error err = { 0 };
    char text[512];
    const size_t n = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    if (gr_profile_parse(&p, text, &err) == GR_OK)
        check_profile(&p);
    else
        FUZZ_CHECK(err.msg[0]);
    err = (gr_error){ 0 };
    if (gr_grid_parse(&grid, text, 8, &err) == GR_OK)
        check_grid(&grid);
    else
        FUZZ_CHECK(err.msg[0]);
    return 0;
}
