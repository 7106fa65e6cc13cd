#include "synth/question.h"

#include <stdio.h>
#include <string.h>

#include "synth/seen.h"

static const struct {
    const char *name;
    bool (*make)(gr_question *q, gr_asking *a);
} families[GR_ASK_FAMILIES] = {
    [GR_ASK_COLOUR] = { "color", gr_ask_colour },
    [GR_ASK_SHAPE] = { "shape", gr_ask_shape },
    [GR_ASK_MATERIAL] = { "material", gr_ask_material },
    [GR_ASK_PATTERN] = { "texture/pattern", gr_ask_pattern },
    [GR_ASK_ORDER] = { "ordering", gr_ask_order },
    [GR_ASK_MIRROR] = { "mirror", gr_ask_mirror },
    [GR_ASK_RELATION] = { "relation", gr_ask_relation },
    [GR_ASK_CLASS] = { "class", gr_ask_class },
    [GR_ASK_EACH] = { "each", gr_ask_each },
    [GR_ASK_YES_NO] = { "yes/no", gr_ask_yes_no },
    [GR_ASK_REFER] = { "refer", gr_ask_refer },
    [GR_ASK_COMPARE] = { "compare", gr_ask_compare },
    [GR_ASK_COUNT] = { "count", gr_ask_count },
};

const char *gr_ask_name(gr_ask family) { return families[family].name; }

bool gr_question_make(gr_question *q, gr_asking *a, gr_ask family)
{
    *q = (gr_question){ .family = family, .about = -1 };
    const int n_shown = a->n_shown;
    if (families[family].make(q, a))
        return true;
    a->n_shown = n_shown;
    return false;
}

bool gr_question_put(gr_buf *out, const gr_question *q, bool options)
{
    if (!options || q->n_options == 0)
        return gr_buf_text(out, q->text.text);
    gr_buf_printf(out, "Question: %s\nOptions:\n", q->text.text);
    for (int i = 0; i < q->n_options; i++)
        gr_buf_printf(out, "%c. %s\n", 'A' + i, q->options[i]);
    return gr_buf_text(out, "Answer with the correct option's letter directly.");
}

/* --- what families share ------------------------------------------------------------------------------- */

int gr_asking_pick(gr_asking *a, bool (*fits)(const gr_scene *s, int i))
{
    int list[GR_SCENE_OBJECTS_MAX], n = 0;
    const int n_all = a->n_shown > 0 ? a->n_shown : a->s->n_objects;
    for (int k = 0; k < n_all; k++)
        if (fits(a->s, a->n_shown > 0 ? a->shown[k] : k))
            list[n++] = k;
    if (n == 0)
        return -1;
    const int picked = list[gr_draw_below(a->d, (uint32_t)n)];
    if (a->n_shown > 0)
        return picked;
    gr_asking_show(a, &picked, 1);
    return 0;
}

void gr_asking_show(gr_asking *a, const int *objects, int n)
{
    int order[GR_SHOWN_MAX];
    gr_draw_order(a->d, order, n);
    for (int k = 0; k < n; k++)
        a->shown[k] = objects[order[k]];
    a->n_shown = n;
}

int gr_asking_fill(const gr_asking *a, int *objects, int n, int wanted)
{
    int list[GR_SCENE_OBJECTS_MAX], order[GR_SCENE_OBJECTS_MAX];
    const int n_seen = gr_seen_list(a->s, list);
    gr_draw_order(a->d, order, n_seen);
    for (int k = 0; k < n_seen && n < wanted; k++) {
        bool used = false;
        for (int j = 0; j < n; j++)
            used = used || objects[j] == list[order[k]];
        if (!used)
            objects[n++] = list[order[k]];
    }
    return n;
}

void gr_weighted_order(gr_draws *d, const unsigned char *weights, int n, int *order)
{
    int total = 0;
    for (int k = 0; k < n; k++) {
        order[k] = k;
        total += weights[k];
    }
    for (int k = 0; k < n; k++) {
        int at = total > 0 ? (int)gr_draw_below(d, (uint32_t)total) : 0, j = k;
        while (j < n - 1 && (at -= weights[order[j]]) >= 0)
            j++;
        const int v = order[j];
        order[j] = order[k];
        order[k] = v;
        total -= weights[v];
    }
}

void gr_prompts_add(gr_phrase *p, unsigned which, int n, const char *last)
{
    bool first = true;
    for (int k = 0; k < n; k++) {
        if (!(which >> k & 1U))
            continue;
        const bool is_last = k + 1 >= n || (which >> (k + 1) & ((1U << (n - k - 1)) - 1)) == 0;
        gr_phrase_printf(p, "%s<Prompt%d>", first ? "" : is_last ? last : ", ", k);
        first = false;
    }
}

void gr_question_options(gr_question *q, gr_asking *a, const gr_phrase *options, int n)
{
    int order[GR_OPTIONS_MAX];
    gr_draw_order(a->d, order, n);
    q->n_options = n;
    for (int k = 0; k < n; k++) {
        const gr_phrase *p = &options[order[k]];
        if (p->n >= GR_OPTION_BYTES)
            q->text.full = true;
        snprintf(q->options[k], GR_OPTION_BYTES, "%.*s", GR_OPTION_BYTES - 1, p->text);
        if (order[k] == 0)
            q->right = k;
    }
}
