/* Questions about a picture and its regions: what they come to, what changes the answer, and which tiles are
 * computed again. */
#include "test.h"

#include "support/session_fixture.h"

static void a_question_about_regions_is_measured_and_answered(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[2];
    gr_request r = both_request(f, regions);
    const gr_answer_options o = drawn_answer(10, 1);
    gr_request_size size;
    gr_session_stats stats = { .size = sizeof stats };
    answer a, b;
    MUST(gr_request_measure(f->model, &r, &size, &err));
    ask_and_answer(f->s, &r, &o, &a);
    assert_int_equal(a.n_tokens, 10);
    MUST(gr_session_statistics(f->s, &stats, &err));
    assert_int_equal(stats.across, 2);
    assert_int_equal(stats.down, 1);
    assert_int_equal(stats.tiles, 3);
    assert_int_equal(stats.image_rows, 3 * 16);
    assert_int_equal(stats.region_rows, 2 * 16);
    assert_true(stats.prompt_rows > 48 + 32 + 50);
    assert_true(stats.prompt_rows == size.prompt_rows && stats.image_rows == size.image_rows &&
                stats.region_rows == size.region_rows && stats.across == size.across &&
                stats.down == size.down);
    assert_true(stats.encode_ms > 0 && stats.prefill_ms > 0 && stats.decode_ms > 0 && stats.picture_ms >= 0);

    /* Everything that is asked changes the answer: the system message, which region is which, the picture. */
    r.system = "Be brief.";
    ask_and_answer(f->s, &r, &o, &b);
    assert_true(a.logprobs[0] != b.logprobs[0]);
    r.system = NULL;
    for (int paper = 0; paper < 2; paper++) { /* as released, replay sees the corner of the picture alone */
        answer swapped;
        MUST(gr_profile_init(&r.profile, paper ? "paper" : "released", &err));
        ask_and_answer(f->s, &r, &o, &b);
        regions[0] = f->right;
        regions[1] = f->left;
        ask_and_answer(f->s, &r, &o, &swapped);
        regions[0] = f->left;
        regions[1] = f->right;
        assert_true((b.logprobs[0] != swapped.logprobs[0]) == paper);
    }
    MUST(gr_profile_init(&r.profile, "released", &err));
    f->image->pixels[30000] ^= 0xff;
    ask_and_answer(f->s, &r, &o, &b);
    f->image->pixels[30000] ^= 0xff;
    assert_true(a.logprobs[0] != b.logprobs[0]);
    ask_and_answer(f->s, &r, &o, &b);
    same_answer(&a, &b);
}

static void one_region_is_described_without_a_question(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    gr_request r = text_request(f, NULL);
    const gr_region *regions[] = { f->left };
    gr_request_size size, asked;
    answer a, b;
    const gr_answer_options o = drawn_answer(8, 2);
    r.image = f->image;
    r.regions = regions;
    r.n_regions = 1;
    ask_and_answer(f->s, &r, &o, &a);
    MUST(gr_request_measure(f->model, &r, &size, &err));
    r.question = "Describe this masked region in detail."; /* the same words, asked: the same prompt */
    MUST(gr_request_measure(f->model, &r, &asked, &err));
    assert_int_equal(asked.prompt_rows, size.prompt_rows);
    ask_and_answer(f->s, &r, &o, &b);
    same_answer(&a, &b);
    r.question = NULL;
    MUST(gr_profile_set(&r.profile, "single_prompt=0", &err));
    ask_and_answer(f->s, &r, &o, &b);
    assert_true(a.logprobs[0] != b.logprobs[0]);
}

static int tiles_kept(const gr_session *s, int *tiles)
{
    gr_error err = { 0 };
    gr_session_stats stats = { .size = sizeof stats };
    MUST(gr_session_statistics(s, &stats, &err));
    *tiles = stats.tiles;
    return stats.tiles_kept;
}

static bool give_up(void *user, int done, int total)
{
    (void)user, (void)total;
    return done < 2;
}

/* A tile with the same pixels and mask in its place is not computed again, and nobody can tell from the
 * answer. */
static void another_region_of_a_picture_costs_its_own_tiles(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    /* Of two tiles beside each other both lie in the first; the thumbnail shows them, too. */
    gr_region *region[2] = { api_region(f->rt, f->image, "box:5,5,30,30"),
                             api_region(f->rt, f->image, "box:40,40,80,90") };
    gr_image *other_image = api_image(f->rt, 200, 100, 8);
    const gr_answer_options o = drawn_answer(6, 5);
    answer fresh[2], kept;
    int tiles;
    gr_request r = text_request(f, NULL);
    r.image = f->image;
    r.n_regions = 1;
    for (int i = 0; i < 2; i++) { /* each in a session that saw nothing before */
        gr_engine *engine = api_engine(f->model, 1, 1500, 0);
        gr_session *s = api_session(engine);
        r.regions = (const gr_region *const *)&region[i];
        ask_and_answer(s, &r, &o, &fresh[i]);
        assert_int_equal(tiles_kept(s, &tiles), 0);
        assert_int_equal(tiles, 3);
        gr_session_close(s);
        gr_engine_close(engine);
    }
    static const struct {
        int region, kept; /* region -1: the picture is given up after two tiles; -2: another picture */
    } steps[] = {
        { 0, 0 }, { 0, 3 }, { 1, 1 }, { 0, 1 }, { -1, 0 }, { 0, 0 }, { 1, 1 }, { -2, 0 }, { 1, 0 }
    };
    gr_engine *engine = api_engine(f->model, 1, 1500, 0);
    gr_session *s = api_session(engine);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const int which = steps[i].region;
        gr_request step = r;
        step.regions = (const gr_region *const *)&region[which > 0];
        step.image = which == -2 ? other_image : f->image;
        step.progress = which == -1 ? give_up : NULL;
        if (which == -1) {
            MUST_FAIL(gr_session_ask(s, &step, &o, &err), GR_ERR_CANCELLED, "cancelled");
            continue;
        }
        ask_and_answer(s, &step, &o, &kept);
        assert_int_equal(tiles_kept(s, &tiles), steps[i].kept);
        if (which >= 0)
            same_answer(&kept, &fresh[which]);
    }
    gr_session_close(s);
    gr_engine_close(engine);
    gr_image_free(other_image);
    gr_region_free(region[0]);
    gr_region_free(region[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_about_regions_is_measured_and_answered),
        cmocka_unit_test(one_region_is_described_without_a_question),
        cmocka_unit_test(another_region_of_a_picture_costs_its_own_tiles),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
