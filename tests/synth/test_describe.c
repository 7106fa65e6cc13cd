/* All that descriptions say of scenes is true of them, and full ones say all. */
#include "test.h"

#include "support/said.h"
#include "synth/compose.h"
#include "synth/describe.h"
#include "synth/name.h"
#include "synth/question.h"
#include "synth/score.h"
#include "synth/seen.h"
#include "synth/vocabulary.h"

static void check_description(const gr_scene *s, int i, const char *text)
{
    char sentence[GR_PHRASE_BYTES], all[GR_PHRASE_BYTES];
    said_lower(all, sizeof all, text);
    for (char *at = all, *end; *at; at = end + (*end == '.'), at += *at == ' ') {
        end = at + strcspn(at, ".");
        snprintf(sentence, sizeof sentence, "%.*s", (int)(end - at), at);
        if (strstr(sentence, "background") || strstr(sentence, "backdrop")) {
            for (int c = 0; c < GR_COLOURS; c++)
                if (said_words(sentence, gr_colour_word((gr_colour)c)) && (int)s->backdrop_colours[0] != c &&
                    (int)s->backdrop_colours[1] != c)
                    fail_msg("the background has no such colour: %s", text);
            continue;
        }
        if (strstr(sentence, "elsewhere")) {
            bool there = false;
            for (int k = 0; k < s->n_objects; k++)
                there = there || (k != i && said_fits(sentence, &s->objects[k]));
            if (!there)
                fail_msg("nothing elsewhere is like that: %s", text);
            continue;
        }
        said_view v, next;
        char *from = sentence;
        const char *found = said_next_view(from, &v);
        char head[GR_PHRASE_BYTES];
        snprintf(head, sizeof head, "%.*s", found ? (int)(found - from) : (int)strlen(from), from);
        if (!said_fits(head, &s->objects[i]) || !said_place_is_true(s, i, head))
            fail_msg("not true of %s: %s", gr_object_noun(&s->objects[i])->word, text);
        while (found) {
            char tail[GR_PHRASE_BYTES];
            const char *rest = found + strlen(v.words), *more = said_next_view(rest, &next);
            snprintf(tail, sizeof tail, "%.*s", more ? (int)(more - rest) : (int)strlen(rest), rest);
            if (!said_relation_is_true(s, i, &v, tail))
                fail_msg("'%s%s' does not hold: %s", v.words, tail, text);
            found = more;
            v = next;
        }
    }
    if (s->objects[i].entity != GR_ENTITY && !said_entity(all, s->objects[i].entity))
        fail_msg("it is not said that it is not the thing itself: %s", text);
}

static void descriptions_are_true_and_full_ones_say_all(void **state)
{
    (void)state;
    static gr_scene s;
    int n = 0;
    for (uint64_t index = 0; index < SAID_SCENES; index++) {
        said_scene(&s, index);
        for (int i = 0; i < s.n_objects; i++) {
            gr_draws d = gr_draws_for(5, 1, 0, (uint32_t)index, (uint32_t)i);
            if (!gr_seen(&s, i))
                continue;
            for (int level = 0; level < GR_DESCRIBE_LEVELS; level++) {
                gr_phrase text = { 0 };
                gr_truths truth;
                gr_describe(&text, &s, i, (gr_describe_level)level, &d);
                assert_false(text.full);
                check_description(&s, i, text.text);
                gr_truth_of(&truth, &s, i);
                const gr_score score = gr_score_description(text.text, text.n, &truth);
                if (score.n_false > 0 || score.n_true == 0 ||
                    (level == GR_DESCRIBE_FULL && score.n_missing > 0))
                    fail_msg("%d true, %d false, %d missing: %s (%s, %s %s, %s, %s, %s, %d relations)",
                             score.n_true, score.n_false, score.n_missing, text.text, truth.noun,
                             truth.colour, truth.second, truth.pattern, truth.material, truth.entity,
                             truth.n_main);
                n++;
            }
        }
    }
    assert_true(n > SAID_SCENES * 6);
}

static void the_same_draws_give_the_same_words(void **state)
{
    (void)state;
    static gr_scene s;
    said_scene(&s, 3);
    for (int i = 0; i < s.n_objects; i++) {
        gr_phrase one = { 0 }, two = { 0 };
        gr_draws d = gr_draws_for(1, 2, 3, 4, (uint32_t)i), e = d;
        if (!gr_seen(&s, i))
            continue;
        gr_describe(&one, &s, i, GR_DESCRIBE_FULL, &d);
        gr_describe(&two, &s, i, GR_DESCRIBE_FULL, &e);
        assert_string_equal(one.text, two.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptions_are_true_and_full_ones_say_all),
        cmocka_unit_test(the_same_draws_give_the_same_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
