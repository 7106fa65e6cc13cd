#include "train/conversation.h"

#include <stdio.h>
#include <string.h>

#include "model/gar_reference.h"
#include "text/strip.h"
#include "train/question.h"

static const char image_word[] = "<image>";
static const char fixed_question[] = "Describe this masked region in detail.";

void gr_conversation_rules_init(gr_conversation_rules *rules, int n_prompts)
{
    *rules = (gr_conversation_rules){
        .n_prompts = n_prompts, .extra = GR_EXTRA_REFUSE, .augment = true, .negative_rate = 0.05
    };
}

/* What is being made, and of what. */
typedef struct {
    gr_conversation *c;
    gr_arena *arena;
    const gr_record *r;
    const gr_conversation_rules *rules;
    gr_draws *draws;
    gr_skip_note note;
    gr_error *err;
} making;

static gr_status no_memory(making *m) { return gr_fail(m->err, GR_ERR_MEM, "no memory for a conversation"); }

/* --- what a text says ---------------------------------------------------------------------------------- */

/* The next <PromptK> from byte `at` on. */
static bool find_prompt(gr_chars text, size_t at, gr_gar_reference *ref)
{
    while (gr_gar_find_reference(text.at, text.n, at, ref)) {
        if (ref->is_prompt)
            return true;
        at = ref->at + ref->len;
    }
    return false;
}

gr_row_class gr_row_class_of(const gr_record *r)
{
    gr_gar_reference ref;
    if (r->n_regions == 0)
        return GR_ROW_PLAIN;
    for (size_t i = 0; i < r->n_turns; i++)
        if (find_prompt(r->turns[i].value, 0, &ref))
            return GR_ROW_RELATION;
    return GR_ROW_CAPTION;
}

/* Where <image> stands in a text from byte `at` on; text.n: nowhere. */
static size_t find_image(gr_chars text, size_t at)
{
    const size_t n = sizeof image_word - 1;
    for (; at + n <= text.n; at++)
        if (memcmp(text.at + at, image_word, n) == 0)
            return at;
    return text.n;
}

/* The text without <image> and the new line after it: the picture comes first anyhow. */
static gr_status without_image(making *m, gr_chars text, gr_chars *out)
{
    size_t at = find_image(text, 0), from = 0, n = 0;
    *out = text;
    if (at == text.n)
        return GR_OK;
    char *to = gr_arena_take(m->arena, text.n + 1, 1);
    if (!to)
        return no_memory(m);
    for (;;) {
        memcpy(to + n, text.at + from, at - from);
        n += at - from;
        if (at == text.n)
            break;
        from = at + sizeof image_word - 1;
        from += from < text.n && text.at[from] == '\n';
        at = find_image(text, from);
    }
    *out = (gr_chars){ to, n };
    return GR_OK;
}

static gr_status check_turns(making *m)
{
    const gr_record *r = m->r;
    if (r->n_turns == 0 || r->turns[0].from != GR_FROM_HUMAN)
        return gr_skip_row(&m->note, GR_SKIP_BAD_TURNS, "the conversation %s",
                           r->n_turns ? "does not begin with a turn from human" : "is empty");
    for (size_t i = 1; i < r->n_turns; i++)
        if (find_image(r->turns[i].value, 0) < r->turns[i].value.n)
            return gr_skip_row(&m->note, GR_SKIP_BAD_TURNS,
                               "turn %zu has <image>, which only turn 0 may have", i);
    return GR_OK;
}

/* --- turns --------------------------------------------------------------------------------------------- */

static gr_status take_turns(making *m, size_t n)
{
    m->c->turns = gr_arena_take(m->arena, n, sizeof *m->c->turns);
    return m->c->turns ? GR_OK : no_memory(m);
}

static gr_gar_turn *add_turn(making *m, gr_gar_role role, const char *text, size_t n)
{
    gr_gar_turn *t = &m->c->turns[m->c->n_turns++];
    *t = (gr_gar_turn){ .role = role, .text = text, .bytes = n };
    return t;
}

/* The record's turns as they are, but for <image> in the first. */
static gr_status copy_turns(making *m)
{
    const gr_record *r = m->r;
    GR_TRY(take_turns(m, r->n_turns));
    for (size_t i = 0; i < r->n_turns; i++) {
        gr_chars text = r->turns[i].value;
        if (i == 0)
            GR_TRY(without_image(m, text, &text));
        add_turn(m, r->turns[i].from == GR_FROM_HUMAN ? GR_GAR_USER : GR_GAR_ASSISTANT, text.at, text.n);
    }
    return GR_OK;
}

static void add_region(making *m, int prompt, int of)
{
    gr_conversation *c = m->c;
    c->of[c->n_regions] = of;
    c->regions[c->n_regions++] = (gr_gar_region){ .prompt = prompt };
}

static gr_status make_plain(making *m)
{
    if (m->rules->n_prompts > 0)
        m->c->whole = (int)gr_draw_below(m->draws, (uint32_t)m->rules->n_prompts);
    return copy_turns(m);
}

/* --- captions ------------------------------------------------------------------------------------------ */

static const gr_chars *caption_of(const gr_record *r, int i)
{
    for (size_t k = 0; k < r->n_turns; k++)
        if (r->turns[k].from == GR_FROM_GPT && i-- == 0)
            return &r->turns[k].value;
    return NULL;
}

/* The question to a caption behind `prefix`, in the arena. */
static gr_status question(making *m, const char *prefix, const gr_chars *caption, gr_chars *out)
{
    gr_buf text;
    gr_buf_init(&text, m->arena->rt, 4096);
    gr_buf_text(&text, prefix);
    if (m->rules->augment)
        gr_question_add(&text, caption->at, caption->n, m->draws);
    else
        gr_buf_text(&text, fixed_question);
    const char *copy = text.failed ? NULL : gr_arena_text(m->arena, text.data, text.len);
    *out = (gr_chars){ copy, text.len };
    gr_buf_fini(&text);
    return copy ? GR_OK : no_memory(m);
}

/* A question about a prompt that no region has. */
static gr_status add_negative(making *m, int prompt, const gr_chars *caption)
{
    char text[64];
    gr_chars asked;
    snprintf(text, sizeof text, "<Prompt%d>: ", prompt);
    GR_TRY(question(m, text, caption, &asked));
    snprintf(text, sizeof text, "<Prompt%d> is not in the image.", prompt);
    const char *answer = gr_arena_text(m->arena, text, strlen(text));
    if (!answer)
        return no_memory(m);
    add_turn(m, GR_GAR_USER, asked.at, asked.n);
    add_turn(m, GR_GAR_ASSISTANT, answer, strlen(answer));
    return GR_OK;
}

static gr_status add_caption(making *m, const gr_chars *caption)
{
    gr_chars asked;
    GR_TRY(question(m, "", caption, &asked));
    gr_gar_turn *t = add_turn(m, GR_GAR_USER, asked.at, asked.n);
    t->n_regions = 1;
    t->style = GR_GAR_LIST;
    add_turn(m, GR_GAR_ASSISTANT, caption->at, caption->n);
    return GR_OK;
}

static gr_status make_captions(making *m)
{
    const int prompts = m->rules->n_prompts, most = prompts > 1 ? prompts - 1 : 1;
    const int n = m->r->n_regions < (size_t)most ? (int)m->r->n_regions : most;
    int order[GR_MAX_PROMPTS];
    if (!caption_of(m->r, n - 1))
        return gr_skip_row(&m->note, GR_SKIP_FEW_CAPTIONS, "fewer answers than the %d regions that are used",
                           n);
    gr_draw_order(m->draws, order, prompts);
    for (int i = 0; i < n; i++)
        add_region(m, order[i], i);
    GR_TRY(take_turns(m, 2 * (size_t)n + 2));
    bool negative = n == prompts; /* then no prompt is left for one */
    for (int i = 0; i < n; i++) {
        const gr_chars *caption = caption_of(m->r, i);
        if (i > 0 && !negative && gr_draw_unit(m->draws) < m->rules->negative_rate) {
            negative = true;
            GR_TRY(add_negative(m, order[n], caption));
        }
        GR_TRY(add_caption(m, caption));
    }
    return GR_OK;
}

/* --- relations ----------------------------------------------------------------------------------------- */

static gr_status find_named(making *m, bool named[GR_MAX_PROMPTS])
{
    const int limit = m->rules->extra == GR_EXTRA_REFUSE ? m->rules->n_prompts : GR_MAX_PROMPTS;
    for (size_t i = 0; i < m->r->n_turns; i++) {
        gr_gar_reference ref;
        for (size_t at = 0; find_prompt(m->r->turns[i].value, at, &ref); at = ref.at + ref.len) {
            if (ref.number >= limit)
                return gr_skip_row(&m->note, GR_SKIP_TOO_MANY_REGIONS,
                                   "turn %zu names <Prompt%d>, there are %d prompts", i, ref.number, limit);
            if ((size_t)ref.number >= m->r->n_regions)
                return gr_skip_row(&m->note, GR_SKIP_NO_MASK,
                                   "turn %zu names <Prompt%d>, the row has %zu masks", i, ref.number,
                                   m->r->n_regions);
            named[ref.number] = true;
        }
    }
    return GR_OK;
}

static gr_status make_relation(making *m)
{
    bool named[GR_MAX_PROMPTS] = { false };
    GR_TRY(find_named(m, named));
    for (int i = 0; i < GR_MAX_PROMPTS; i++)
        if (named[i])
            add_region(m, i, i);
    GR_TRY(copy_turns(m));
    const char *text = m->c->turns[0].text;
    size_t n = m->c->turns[0].bytes;
    gr_strip(&text, &n, GR_STRIP_BOTH);
    if (n == 0)
        return gr_skip_row(&m->note, GR_SKIP_BAD_TURNS, "turn 0 asks nothing about its regions");
    m->c->turns[0].n_regions = m->c->n_regions;
    m->c->turns[0].style = GR_GAR_ASK;
    return GR_OK;
}

gr_status gr_conversation_make(gr_conversation *c, gr_arena *arena, const gr_record *r,
                               const gr_conversation_rules *rules, gr_draws *draws, gr_skip *skip,
                               gr_error *err)
{
    making m = { c, arena, r, rules, draws, { r->key.at, skip, err }, err };
    *skip = GR_SKIP_NONE;
    *c = (gr_conversation){ .kind = gr_row_class_of(r), .whole = -1 };
    GR_TRY(check_turns(&m));
    if (c->kind != GR_ROW_PLAIN && rules->n_prompts < 1)
        return gr_skip_row(&m.note, GR_SKIP_TOO_MANY_REGIONS,
                           "regions for a base model, which knows no prompts");
    switch (c->kind) {
    case GR_ROW_PLAIN:
        return make_plain(&m);
    case GR_ROW_CAPTION:
        return make_captions(&m);
    default:
        return make_relation(&m);
    }
}
