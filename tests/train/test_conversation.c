/* Rows of training data as turns: which class a row is of, which regions it shows, and what is asked. */
#include "test.h"

#include "dataset/gar_row.h"
#include "train/conversation.h"

#define MASK "{\"size\":[3,4],\"counts\":\"42102\"}"

typedef struct {
    gr_runtime *rt;
    gr_record record;
    gr_arena arena;
    gr_conversation_rules rules;
    gr_conversation c;
    gr_skip skip;
} bench;

static void bench_init(bench *b)
{
    *b = (bench){ .rt = test_runtime() };
    gr_record_init(&b->record, b->rt);
    gr_arena_init(&b->arena, b->rt, 1 << 24);
    gr_conversation_rules_init(&b->rules, 5);
}

static void bench_fini(bench *b)
{
    gr_record_fini(&b->record);
    gr_arena_fini(&b->arena);
    gr_runtime_free(b->rt);
}

static gr_status make(bench *b, const char *row, uint32_t position, gr_error *err)
{
    GR_TRY(gr_gar_row_parse(&b->record, row, strlen(row), "row", err));
    gr_arena_clear(&b->arena);
    gr_draws d = gr_draws_for(42, 0, 0, position, 0);
    return gr_conversation_make(&b->c, &b->arena, &b->record, &b->rules, &d, &b->skip, err);
}

static void must_make(bench *b, const char *row, uint32_t position)
{
    gr_error err = { 0 };
    MUST(make(b, row, position, &err));
    assert_int_equal(b->skip, GR_SKIP_NONE);
}

static void expect_skip(bench *b, const char *row, gr_skip want, const char *part)
{
    gr_error err = { 0 };
    const gr_status st = make(b, row, 0, &err);
    if (st == GR_OK || b->skip != want || !strstr(err.msg, part))
        fail_msg("%s: status %d, skipped as %s, '%s'; expected %s, '%s'", row, st, gr_skip_word(b->skip),
                 err.msg, gr_skip_word(want), part);
}

static void expect_turn(const bench *b, int i, gr_gar_role role, int n_regions, const char *text)
{
    const gr_gar_turn *t = &b->c.turns[i];
    assert_true(i < b->c.n_turns);
    assert_int_equal(t->role, role);
    assert_int_equal(t->n_regions, n_regions);
    if (t->bytes != strlen(text) || memcmp(t->text, text, t->bytes) != 0)
        fail_msg("turn %d is '%.*s', expected '%s'", i, (int)t->bytes, t->text, text);
}

/* A caption row with so many masks and answers "c0.", "c1.", ... */
static const char *caption_row(char *out, size_t size, int masks, int answers)
{
    size_t at = (size_t)snprintf(out, size, "{\"image\":\"a\",\"mask_rle\":[");
    for (int i = 0; i < masks; i++)
        at += (size_t)snprintf(out + at, size - at, "%s" MASK, i ? "," : "");
    at += (size_t)snprintf(out + at, size - at, "],\"conversations\":[");
    for (int i = 0; i < answers; i++)
        at +=
            (size_t)snprintf(out + at, size - at,
                             "%s{\"from\":\"human\",\"value\":\"%s\"},{\"from\":\"gpt\",\"value\":\"c%d.\"}",
                             i ? "," : "", i ? "And this?" : "<image>\\nWhat?", i);
    snprintf(out + at, size - at, "]}");
    return out;
}

static void a_row_is_plain_caption_or_relation(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    static const struct {
        const char *row;
        gr_row_class want;
    } cases[] = {
        { "{\"conversations\":[{\"from\":\"human\",\"value\":\"<Prompt0>?\"}]}", GR_ROW_PLAIN },
        { "{\"mask_rle\":" MASK "}", GR_ROW_CAPTION },
        { "{\"mask_rle\":" MASK
          ",\"conversations\":[{\"from\":\"gpt\",\"value\":\"<region:0> <Prompt> Prompt0\"}]}",
          GR_ROW_CAPTION },
        { "{\"mask_rle\":" MASK ",\"conversations\":[{\"from\":\"human\",\"value\":\"x\"},{\"from\":\"gpt\","
          "\"value\":\"It is <Prompt12>.\"}]}",
          GR_ROW_RELATION },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        MUST(gr_gar_row_parse(&b.record, cases[i].row, strlen(cases[i].row), "row", &err));
        assert_int_equal(gr_row_class_of(&b.record), cases[i].want);
    }
    bench_fini(&b);
}

/* --- captions ------------------------------------------------------------------------------------------ */

static void a_caption_row_uses_at_most_four_masks_in_their_order(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    char row[4000];
    b.rules.augment = false;
    b.rules.negative_rate = 0;
    for (int masks = 1; masks <= 7; masks++) {
        const int used = masks < 4 ? masks : 4;
        must_make(&b, caption_row(row, sizeof row, masks, masks), 3);
        assert_int_equal(b.c.kind, GR_ROW_CAPTION);
        assert_int_equal(b.c.n_regions, used);
        assert_int_equal(b.c.n_turns, 2 * used);
        int prompts = 0;
        for (int i = 0; i < used; i++) {
            char caption[8];
            snprintf(caption, sizeof caption, "c%d.", i);
            assert_int_equal(b.c.of[i], i);
            expect_turn(&b, 2 * i, GR_GAR_USER, 1, "Describe this masked region in detail.");
            assert_int_equal(b.c.turns[2 * i].style, GR_GAR_LIST);
            expect_turn(&b, 2 * i + 1, GR_GAR_ASSISTANT, 0, caption);
            prompts |= 1 << b.c.regions[i].prompt;
        }
        assert_int_equal(__builtin_popcount((unsigned)prompts), used);
    }
    bench_fini(&b);
}

static void prompts_of_captions_are_drawn(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    char row[2000];
    int count[5] = { 0 };
    caption_row(row, sizeof row, 1, 1);
    for (uint32_t i = 0; i < 1000; i++) {
        must_make(&b, row, i);
        count[b.c.regions[0].prompt]++;
    }
    for (int k = 0; k < 5; k++)
        assert_in_range(count[k], 130, 270); /* 200 expected, deviation 13 */
    bench_fini(&b);
}

/* At most once a row, before a caption but the first, about a prompt that no region has. With rate 1 it comes
 * at once; with 0.05 in 1 - 0.95^3 = 14.3 % of rows with four captions. */
static void now_and_then_nothing_is_asked_about(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    char row[4000], want[64];
    caption_row(row, sizeof row, 4, 4);
    b.rules.augment = false;
    b.rules.negative_rate = 1;
    must_make(&b, row, 9);
    assert_int_equal(b.c.n_turns, 10);
    int left = 0;
    for (int k = 0; k < 5; k++)
        left += k;
    for (int i = 0; i < 4; i++)
        left -= b.c.regions[i].prompt;
    snprintf(want, sizeof want, "<Prompt%d>: Describe this masked region in detail.", left);
    expect_turn(&b, 2, GR_GAR_USER, 0, want);
    snprintf(want, sizeof want, "<Prompt%d> is not in the image.", left);
    expect_turn(&b, 3, GR_GAR_ASSISTANT, 0, want);
    expect_turn(&b, 5, GR_GAR_ASSISTANT, 0, "c1.");

    must_make(&b, caption_row(row, sizeof row, 1, 1), 9); /* nothing before the first */
    assert_int_equal(b.c.n_turns, 2);

    gr_conversation_rules_init(&b.rules, 5);
    int rows = 0;
    caption_row(row, sizeof row, 4, 4);
    for (uint32_t i = 0; i < 10000; i++) {
        must_make(&b, row, i);
        rows += b.c.n_turns == 10;
    }
    assert_in_range(rows, 1426 - 175, 1426 + 175); /* five deviations */
    bench_fini(&b);
}

static void a_caption_for_every_region_that_is_used(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    char row[4000];
    expect_skip(&b, caption_row(row, sizeof row, 3, 2), GR_SKIP_FEW_CAPTIONS, "fewer answers than the 3");
    must_make(&b, caption_row(row, sizeof row, 7, 4), 0);
    bench_fini(&b);
}

/* K comes from the configuration: nine prompts use eight masks; one prompt, one mask and no negative. */
static void the_number_of_prompts_is_a_configuration(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    char row[4000];
    b.rules.negative_rate = 1;
    b.rules.n_prompts = 9;
    must_make(&b, caption_row(row, sizeof row, 12, 12), 0);
    assert_int_equal(b.c.n_regions, 8);
    assert_int_equal(b.c.n_turns, 18);
    b.rules.n_prompts = 1;
    must_make(&b, row, 0);
    assert_int_equal(b.c.n_regions, 1);
    assert_int_equal(b.c.n_turns, 2);
    b.rules.n_prompts = 0;
    expect_skip(&b, row, GR_SKIP_TOO_MANY_REGIONS, "a base model");
    bench_fini(&b);
}

/* --- relations ----------------------------------------------------------------------------------------- */

#define RELATION(human, gpt, masks)                                                          \
    "{\"id\":\"r/1\",\"conversations\":[{\"from\":\"human\",\"value\":\"" human              \
    "\"},{\"from\":\"gpt\",\"value\":\"" gpt "\"},{\"from\":\"human\",\"value\":\"And?\"}]," \
    "\"mask_rle\":[" masks "]}"

static void a_relation_row_shows_what_it_names_by_ascending_number(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    must_make(&b,
              RELATION("<image>\\nIs <Prompt3> on <Prompt1>?", "No, on <Prompt0>, not <Prompt1>.",
                       MASK "," MASK "," MASK "," MASK),
              0);
    assert_int_equal(b.c.kind, GR_ROW_RELATION);
    assert_int_equal(b.c.n_regions, 3);
    static const int want[] = { 0, 1, 3 };
    for (int i = 0; i < 3; i++) {
        assert_int_equal(b.c.regions[i].prompt, want[i]);
        assert_int_equal(b.c.of[i], want[i]);
    }
    assert_int_equal(b.c.n_turns, 3);
    assert_int_equal(b.c.turns[0].style, GR_GAR_ASK);
    expect_turn(&b, 0, GR_GAR_USER, 3, "Is <Prompt3> on <Prompt1>?");
    expect_turn(&b, 1, GR_GAR_ASSISTANT, 0, "No, on <Prompt0>, not <Prompt1>.");
    expect_turn(&b, 2, GR_GAR_USER, 0, "And?");
    bench_fini(&b);
}

static void relations_beyond_masks_or_prompts_are_dropped_unless_configured(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    expect_skip(&b, RELATION("<Prompt1>?", "", MASK), GR_SKIP_NO_MASK,
                "r/1: turn 0 names <Prompt1>, the row has 1 masks");
    static const char six[] = RELATION("<Prompt5>?", "", MASK "," MASK "," MASK "," MASK "," MASK "," MASK);
    expect_skip(&b, six, GR_SKIP_TOO_MANY_REGIONS, "turn 0 names <Prompt5>, there are 5 prompts");
    b.rules.extra = GR_EXTRA_RELEASED; /* unmarked and not replayed, as published */
    must_make(&b, six, 0);
    assert_int_equal(b.c.regions[0].prompt, 5);
    expect_skip(&b, RELATION("<Prompt40>?", "", MASK), GR_SKIP_TOO_MANY_REGIONS, "<Prompt40>");
    b.rules.extra = GR_EXTRA_REFUSE;
    b.rules.n_prompts = 6;
    must_make(&b, six, 0);
    expect_skip(&b, RELATION(" <image>\\n", "<Prompt0>", MASK), GR_SKIP_BAD_TURNS, "asks nothing");
    bench_fini(&b);
}

/* --- plain rows, and what every row has to be ---------------------------------------------------------- */

static void a_plain_row_is_kept_and_belongs_to_one_prompt_as_a_whole(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    int count[5] = { 0 };
    for (uint32_t i = 0; i < 1000; i++) {
        must_make(
            &b,
            "{\"image\":\"a\",\"conversations\":[{\"from\":\"human\",\"value\":\"What? <image>\\nNow.\"},"
            "{\"from\":\"gpt\",\"value\":\"This.\"}]}",
            i);
        assert_int_equal(b.c.n_regions, 0);
        count[b.c.whole]++;
    }
    expect_turn(&b, 0, GR_GAR_USER, 0, "What? Now.");
    expect_turn(&b, 1, GR_GAR_ASSISTANT, 0, "This.");
    for (int k = 0; k < 5; k++)
        assert_in_range(count[k], 130, 270);
    bench_fini(&b);
}

static void a_conversation_begins_with_a_human_and_has_one_picture(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    expect_skip(&b, "{}", GR_SKIP_BAD_TURNS, "is empty");
    expect_skip(&b, "{\"conversations\":[{\"from\":\"gpt\",\"value\":\"x\"}]}", GR_SKIP_BAD_TURNS,
                "does not begin with a turn from human");
    expect_skip(
        &b,
        "{\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\"},{\"from\":\"gpt\",\"value\":\"an "
        "<image>\"}]}",
        GR_SKIP_BAD_TURNS, "turn 1 has <image>");
    bench_fini(&b);
}

static void the_same_draws_give_the_same_conversation(void **state)
{
    (void)state;
    bench a, b;
    bench_init(&a);
    bench_init(&b);
    char row[4000];
    caption_row(row, sizeof row, 4, 4);
    int differ = 0;
    for (uint32_t i = 0; i < 20; i++) {
        must_make(&a, row, i);
        must_make(&b, row, i);
        assert_int_equal(a.c.n_turns, b.c.n_turns);
        for (int t = 0; t < a.c.n_turns; t++) {
            assert_int_equal(a.c.turns[t].bytes, b.c.turns[t].bytes);
            assert_memory_equal(a.c.turns[t].text, b.c.turns[t].text, a.c.turns[t].bytes);
        }
        must_make(&b, row, i + 100);
        differ += a.c.turns[0].bytes != b.c.turns[0].bytes;
    }
    assert_true(differ > 5);
    bench_fini(&a);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_plain_caption_or_relation),
        cmocka_unit_test(a_caption_row_uses_at_most_four_masks_in_their_order),
        cmocka_unit_test(prompts_of_captions_are_drawn),
        cmocka_unit_test(now_and_then_nothing_is_asked_about),
        cmocka_unit_test(a_caption_for_every_region_that_is_used),
        cmocka_unit_test(the_number_of_prompts_is_a_configuration),
        cmocka_unit_test(a_relation_row_shows_what_it_names_by_ascending_number),
        cmocka_unit_test(relations_beyond_masks_or_prompts_are_dropped_unless_configured),
        cmocka_unit_test(a_plain_row_is_kept_and_belongs_to_one_prompt_as_a_whole),
        cmocka_unit_test(a_conversation_begins_with_a_human_and_has_one_picture),
        cmocka_unit_test(the_same_draws_give_the_same_conversation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
