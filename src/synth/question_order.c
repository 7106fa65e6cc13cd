/* question_order.c - the place of a region in rows that are counted from a side. */
#include <stdio.h>
#include "synth/question.h"
#include "synth/seen.h"

/* A cell, and from which sides it is counted. */
typedef struct {
    int row, col;
    bool from_right, from_bottom;
} place;

static const char *ordinal(int k) /* from 0 */
{
    static const char *const words[] = { "first",      "second",     "third",     "fourth",
                                         "fifth",      "sixth",      "seventh",   "eighth",
                                         "ninth",      "tenth",      "eleventh",  "twelfth",
                                         "thirteenth", "fourteenth", "fifteenth", "sixteenth" };
    return words[k];
}

enum { LONGEST = 16 };

static bool in_grid(const gr_scene *s, int i)
{
    const gr_object *o = &s->objects[i];
    return gr_seen(s, i) && o->row >= 0 && o->col >= 0 && o->row < s->rows && s->rows <= LONGEST &&
           s->cell_count[o->row] <= LONGEST;
}

/* Counting takes every object of the grid, so all must be there to see. */
static bool grid_is_whole(const gr_scene *s)
{
    int n = 0;
    for (int i = 0; i < s->n_objects; i++) {
        if (s->objects[i].row >= 0 && !gr_seen(s, i))
            return false;
        n += s->objects[i].row >= 0;
    }
    return s->rows > 0 && n >= 3;
}

/* Of a grid with several rows: two rows by two columns, so that no part of the right option is more frequent
 * than that of the wrong ones. Of a single row: other places of it. The right cell comes first. */
static bool draw_places(const gr_asking *a, const gr_object *o, place *to)
{
    const gr_scene *s = a->s;
    int order[LONGEST], n = 1;
    to[0] = (place){ o->row, o->col, false, false };
    if (s->rows == 1) {
        gr_draw_order(a->d, order, s->cell_count[0]);
        for (int k = 0; k < s->cell_count[0] && n < GR_OPTIONS_MAX; k++)
            if (order[k] != o->col)
                to[n++] = (place){ 0, order[k], false, false };
        return n == GR_OPTIONS_MAX;
    }
    gr_draw_order(a->d, order, s->rows);
    for (int k = 0; k < s->rows; k++) {
        const int row = order[k];
        const int shorter =
            s->cell_count[row] < s->cell_count[o->row] ? s->cell_count[row] : s->cell_count[o->row];
        if (row == o->row || o->col >= shorter || shorter < 2)
            continue;
        int col = (int)gr_draw_below(a->d, (uint32_t)shorter - 1);
        col += col >= o->col;
        to[1] = (place){ o->row, col, false, false };
        to[2] = (place){ row, o->col, false, false };
        to[3] = (place){ row, col, false, false };
        return true;
    }
    return false;
}

static void put_place(gr_phrase *p, const gr_scene *s, place at, const char *form)
{
    const int col = at.from_right ? s->cell_count[at.row] - 1 - at.col : at.col;
    const int row = at.from_bottom ? s->rows - 1 - at.row : at.row;
    const gr_slot slots[] = { { "n", ordinal(col) },
                              { "side", at.from_right ? "right" : "left" },
                              { "row", ordinal(row) },
                              { "end", at.from_bottom ? "bottom" : "top" } };
    gr_phrase_sentence(p, form, slots, 4);
}

bool gr_ask_order(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = {
        "where in the rows does {p} stand?",
        "counting objects, which place does {p} have?",
        "what is the position of {p} among the objects in the rows?",
        "at which place is {p}?",
        "say where {p} is when you count along the rows.",
        "which place of the arrangement belongs to {p}?",
        "count along: as which object does {p} come?",
        "find {p} by counting: where is it?",
        "give the place of {p} in the arrangement.",
        "count the objects: which one is {p}?",
    };
    static const char *const cells[] = {
        "the {n} from the {side} in the {row} row from the {end}.",
        "row {row} from the {end}, place {n} from the {side}.",
        "in the {row} row from the {end}, the {n} from the {side}.",
        "it is the {n} from the {side} in the {row} row from the {end}.",
        "{row} row from the {end}: {n} from the {side}.",
        "counted from the {end} it is in the {row} row, counted from the {side} it is the {n}.",
    };
    static const char *const from_top[] = {
        "the {n} from the {side} in the {row} row.",
        "in the {row} row, the {n} from the {side}.",
        "the {n} counting from the {side} in the {row} row.",
    };
    static const char *const in_row[] = {
        "the {n} from the {side}.",
        "the {n} counting from the {side}.",
        "it is the {n} from the {side}.",
        "number {n} when one counts from the {side}.",
    };
    static const char *const in_col[] = { "the {row} from the {end}.", "the {row} counting from the {end}." };
    place places[GR_OPTIONS_MAX];
    gr_phrase options[GR_OPTIONS_MAX] = { { .n = 0 } };
    char name[24];
    const gr_scene *s = a->s;
    const int k = grid_is_whole(s) ? gr_asking_pick(a, in_grid) : -1;
    if (k < 0)
        return false;
    q->about = k;
    snprintf(name, sizeof name, "<Prompt%d>", k);
    const gr_object *o = &s->objects[a->shown[k]];
    bool column = s->rows >= GR_OPTIONS_MAX; /* a grid of one column */
    for (int r = 0; r < s->rows; r++)
        column = column && s->cell_count[r] == 1;
    const bool bottom = (column || gr_draw_below(a->d, 2)) && gr_draw_below(a->d, 2);
    const bool mixed = gr_draw_below(a->d, 2) != 0, right = gr_draw_below(a->d, 2) != 0;
    const gr_wordings forms = column                             ? GR_WORDINGS(in_col)
                              : s->rows == 1                     ? GR_WORDINGS(in_row)
                              : bottom || gr_draw_below(a->d, 2) ? GR_WORDINGS(cells)
                                                                 : GR_WORDINGS(from_top);
    if (column) {
        int order[LONGEST], n = 1;
        places[0] = (place){ o->row, 0, false, false };
        gr_draw_order(a->d, order, s->rows);
        for (int r = 0; r < s->rows && n < GR_OPTIONS_MAX; r++)
            if (order[r] != o->row)
                places[n++] = (place){ order[r], 0, false, false };
    } else if (!draw_places(a, o, places)) {
        return false;
    }
    const char *form = gr_wording_draw(forms, a->d);
    for (int i = 0; i < GR_OPTIONS_MAX; i++) {
        places[i].from_right = mixed ? gr_draw_below(a->d, 2) != 0 : right;
        places[i].from_bottom = bottom;
        put_place(&options[i], s, places[i], form);
    }
    const gr_slot slot = { "p", name };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), &slot, 1);
    gr_phrase_add(&q->answer, options[0].text);
    gr_question_options(q, a, options, GR_OPTIONS_MAX);
    return true;
}
