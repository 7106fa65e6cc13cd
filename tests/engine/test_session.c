/* Questions and answers through the public interface: what is said, by several sessions at once, and until
 * somebody cancels. */
#include "test.h"

#include <pthread.h>

#include "base/buf.h"
#include "support/session_fixture.h"
#include "text/tokenizer.h"

/* --- text ---------------------------------------------------------------------------------------------- */

/* RFC 3629, table 3-7 of Unicode. */
static bool is_utf8(const char *text, size_t n)
{
    const uint8_t *s = (const uint8_t *)text;
    for (size_t i = 0; i < n;) {
        const uint8_t b = s[i++];
        const int more = b < 0x80 ? 0 : b < 0xc2 ? -1 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : b < 0xf5 ? 3 : -1;
        if (more < 0 || (size_t)more > n - i)
            return false;
        for (int k = 0; k < more; k++, i++) {
            const uint8_t low = k == 0 && b == 0xe0 ? 0xa0 : k == 0 && b == 0xf0 ? 0x90 : 0x80;
            const uint8_t high = k == 0 && b == 0xed ? 0x9f : k == 0 && b == 0xf4 ? 0x8f : 0xbf;
            if (s[i] < low || s[i] > high)
                return false;
        }
    }
    return true;
}

typedef struct {
    char text[8192];
    size_t n, pieces, most; /* most: pieces after which it says stop; 0: never */
} stream;

static bool take_piece(void *user, const char *utf8, size_t n)
{
    stream *s = user;
    assert_true(n > 0);
    assert_true(is_utf8(utf8, n));
    assert_true(s->n + n < sizeof s->text);
    memcpy(s->text + s->n, utf8, n);
    s->text[s->n += n] = '\0';
    return ++s->pieces != s->most;
}

/* The tokens that are text: without special ones, but for those of regions. */
static size_t spoken(const gr_tokenizer *t, const answer *a, int32_t *ids)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_tokens; i++) {
        size_t bytes;
        const char *text = (const char *)gr_tokenizer_bytes(t, a->ids[i], &bytes);
        if (!gr_tokenizer_is_special(t, a->ids[i]) || (bytes == 9 && memcmp(text, "<Prompt", 7) == 0))
            ids[n++] = a->ids[i];
    }
    return n;
}

static void pieces_are_whole_characters_and_join_to_the_text(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    gr_tokenizer *t;
    const gr_request r = text_request(f, "Tell me a story of three wishes.");
    size_t broken = 0, regions = 0;
    MUST(gr_tokenizer_open(&t, f->rt, f->dir.path, &err));
    for (uint64_t seed = 0; seed < 6; seed++)
        for (int keep = 0; keep < 2; keep++) {
            gr_answer_options o = drawn_answer(100, seed);
            o.keep_special = keep;
            stream got = { .n = 0 };
            answer a;
            gr_buf whole;
            MUST(gr_session_ask(f->s, &r, &o, &err));
            MUST(gr_session_answer(f->s, take_piece, &got, &err));
            take_answer(f->s, &a);
            assert_int_equal(a.n_tokens, 100);
            assert_int_equal(a.finish, GR_FINISH_LENGTH);
            assert_int_equal(got.n, a.n_text);
            assert_memory_equal(got.text, a.text, a.n_text);
            assert_true(got.pieces > 20);
            gr_buf_init(&whole, f->rt, 1 << 16);
            int32_t ids[100];
            const size_t n = spoken(t, &a, ids);
            MUST(gr_tokenizer_decode(t, keep ? a.ids : ids, keep ? a.n_tokens : n, 0, &whole, &err));
            assert_int_equal(whole.len, a.n_text);
            assert_memory_equal(whole.data, a.text, a.n_text);
            gr_buf_fini(&whole);
            for (size_t i = 0; !keep && i + 7 <= a.n_text; i++)
                regions += memcmp(a.text + i, "<Prompt", 7) == 0;
            for (size_t i = 0; i + 3 <= a.n_text; i++)
                broken += memcmp(a.text + i, "\xef\xbf\xbd", 3) == 0;
        }
    assert_true(broken > 100 && regions > 3); /* or this test shows little */
    gr_tokenizer_free(t);
}

static void tokens_have_bytes_and_probabilities(void **state)
{
    session_fixture *f = *state;
    const gr_request r = text_request(f, "Name a colour.");
    const gr_answer_options o = drawn_answer(60, 3);
    answer a;
    ask_and_answer(f->s, &r, &o, &a);
    for (size_t i = 0; i < a.n_tokens; i++) {
        const gr_token t = gr_session_token(f->s, i);
        assert_in_range(t.id, 0, 295);
        assert_true(t.logprob < 0 && t.logprob > -40);
        assert_true(t.id >= 256 || (t.n_bytes == 1 && (uint8_t)t.bytes[0] == t.id));
    }
    assert_int_equal(gr_session_token(f->s, a.n_tokens).id, -1);
    answer again;
    ask_and_answer(f->s, &r, &o, &again);
    same_answer(&a, &again);
    const gr_answer_options other = drawn_answer(60, 4);
    ask_and_answer(f->s, &r, &other, &again);
    assert_memory_not_equal(a.ids, again.ids, sizeof(int32_t) * 60);
}

static void a_stop_string_ends_the_answer_and_is_not_part_of_it(void **state)
{
    session_fixture *f = *state;
    const gr_request r = text_request(f, "Count.");
    gr_answer_options o = drawn_answer(120, 11);
    answer whole, cut, last;
    ask_and_answer(f->s, &r, &o, &whole);
    size_t at = whole.n_text / 2;
    while (((uint8_t)whole.text[at] & 0xc0) == 0x80)
        at++;
    size_t end = at + 1;
    while (((uint8_t)whole.text[end] & 0xc0) == 0x80 || end < at + 4)
        end++;
    while (((uint8_t)whole.text[end] & 0xc0) == 0x80)
        end++;
    char stop[32] = "";
    memcpy(stop, whole.text + at, end - at);
    const char *const stops[] = { "never in the text", stop };
    o.stops = stops;
    o.n_stops = 2;
    ask_and_answer(f->s, &r, &o, &cut);
    assert_int_equal(cut.finish, GR_FINISH_STOP);
    assert_int_equal(cut.n_text, (size_t)(strstr(whole.text, stop) - whole.text));
    assert_memory_equal(cut.text, whole.text, cut.n_text);
    assert_true(cut.n_tokens < whole.n_tokens);

    o.max_tokens = (int)cut.n_tokens; /* the stop string is complete with the last token allowed */
    ask_and_answer(f->s, &r, &o, &last);
    same_answer(&last, &cut);
    o.max_tokens--;
    ask_and_answer(f->s, &r, &o, &last);
    assert_int_equal(last.finish, GR_FINISH_LENGTH);
}

/* The end token ends the answer and is no text; which tokens are such is a switch. */
static void end_tokens_follow_the_profile(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    int stopped[2] = { 0, 0 };
    for (int config = 0; config < 2; config++)
        for (uint64_t seed = 0; seed < 12; seed++) {
            gr_request r = text_request(f, "Say little.");
            gr_answer_options o = drawn_answer(90, seed);
            answer a;
            o.ignore_end = false;
            MUST(gr_profile_set(&r.profile, config ? "stop=config" : "stop=eot", &err));
            ask_and_answer(f->s, &r, &o, &a);
            for (size_t i = 0; i + 1 < a.n_tokens; i++) /* <|eot_id|> 265, <|end_of_text|> 257 */
                assert_true(a.ids[i] != 265 && (!config || a.ids[i] != 257));
            const int32_t id = a.ids[a.n_tokens - 1];
            if (a.finish == GR_FINISH_STOP) {
                assert_true(id == 265 || (config && id == 257));
                stopped[config]++;
            }
        }
    assert_true(stopped[0] > 0 && stopped[1] > stopped[0]);
}

/* --- several at once ----------------------------------------------------------------------------------- */

static void two_sessions_answer_as_each_alone(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[2];
    const gr_request r[2] = { both_request(f, regions), text_request(f, "What is a region?") };
    const gr_answer_options o[2] = { drawn_answer(12, 5), drawn_answer(40, 6) };
    answer alone[2], together[2];
    for (int i = 0; i < 2; i++)
        ask_and_answer(f->s, &r[i], &o[i], &alone[i]);
    gr_engine *engine = api_engine(f->model, 2, 1500, 20);
    gr_session *s[2] = { api_session(engine), api_session(engine) };
    stream got = { .n = 0 };
    MUST(gr_session_ask(s[1], &r[1], &o[1], &err));
    for (int i = 0; i < 15; i++)
        MUST(gr_engine_step(engine, &err));
    assert_int_equal(gr_session_finish(s[0]), GR_FINISH_NONE); /* nobody asked it anything */
    MUST(gr_session_ask(s[0], &r[0], &o[0], &err));
    MUST(gr_session_answer(s[1], NULL, NULL, &err));
    while (gr_session_busy(s[0]))
        MUST(gr_engine_step(engine, &err));
    MUST(gr_session_answer(s[0], take_piece, &got, &err)); /* over already: what was said is handed out */
    for (int i = 0; i < 2; i++) {
        take_answer(s[i], &together[i]);
        same_answer(&alone[i], &together[i]);
    }
    assert_int_equal(got.n, alone[0].n_text);
    assert_memory_equal(got.text, alone[0].text, got.n);
    gr_session *third;
    MUST_FAIL(gr_session_open(&third, engine, &err), GR_ERR_LIMIT, "all are in use");
    gr_session_close(s[0]);
    third = api_session(engine);
    gr_session_close(third);
    gr_session_close(s[1]);
    gr_engine_close(engine);
}

static void two_models_do_not_see_each_other(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[2];
    const gr_request r = both_request(f, regions);
    const gr_answer_options o = drawn_answer(30, 9);
    answer first, other, mixed[2];
    gr_engine *engine = api_engine(f->other, 1, 1500, 64);
    gr_session *s = api_session(engine);
    ask_and_answer(f->s, &r, &o, &first);
    ask_and_answer(s, &r, &o, &other);
    assert_memory_not_equal(first.ids, other.ids, 30 * sizeof(int32_t));
    MUST(gr_session_ask(f->s, &r, &o, &err));
    MUST(gr_session_ask(s, &r, &o, &err));
    while (gr_session_busy(f->s) || gr_session_busy(s)) {
        MUST(gr_engine_step(f->engine, &err));
        MUST(gr_engine_step(engine, &err));
    }
    take_answer(f->s, &mixed[0]);
    take_answer(s, &mixed[1]);
    same_answer(&first, &mixed[0]);
    same_answer(&other, &mixed[1]);
    gr_session_close(s);
    gr_engine_close(engine);
}

/* --- cancelling ---------------------------------------------------------------------------------------- */

static void the_receiver_can_stop_the_answer(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    const gr_request r = text_request(f, "Go on and on.");
    const gr_answer_options o = drawn_answer(200, 1);
    answer a, whole;
    size_t more = 0;
    ask_and_answer(f->s, &r, &o, &whole);
    assert_int_equal(whole.n_tokens, 200);
    for (size_t most = 1; most <= 20; most++) {
        stream got = { .most = most };
        MUST(gr_session_ask(f->s, &r, &o, &err));
        MUST(gr_session_answer(f->s, take_piece, &got, &err));
        take_answer(f->s, &a);
        assert_int_equal(got.pieces, most); /* never called again */
        assert_int_equal(a.finish, GR_FINISH_CANCELLED);
        assert_true(a.n_tokens < 100);
        assert_memory_equal(a.ids, whole.ids, a.n_tokens * sizeof *a.ids);
        more += a.n_text - got.n; /* what half a character, held back by then, became */
    }
    assert_true(more > 0);
}

typedef struct {
    gr_session *s;
    int calls, at;
    bool by_thread;
} stopper;

static void *cancel_session(void *session)
{
    gr_session_cancel(session);
    return NULL;
}

static bool stop_picture(void *user, int done, int total)
{
    stopper *c = user;
    assert_int_equal(total, 3);
    assert_int_equal(done, c->calls);
    if (c->calls++ != c->at)
        return true;
    pthread_t thread;
    if (c->by_thread && pthread_create(&thread, NULL, cancel_session, c->s) == 0)
        pthread_join(thread, NULL);
    return c->by_thread;
}

static void a_picture_can_be_given_up(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[2];
    gr_request r = both_request(f, regions);
    const gr_answer_options o = drawn_answer(10, 1);
    answer before, after;
    ask_and_answer(f->s, &r, &o, &before);
    for (int by_thread = 0; by_thread < 2; by_thread++)
        for (int at = 0; at < 3; at++) {
            stopper c = { f->s, 0, at, by_thread };
            r.progress = stop_picture;
            r.progress_user = &c;
            MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_CANCELLED, "cancelled");
            assert_int_equal(c.calls, at + 1);
            assert_false(gr_session_busy(f->s));
            assert_int_equal(gr_session_n_tokens(f->s), 0);
            assert_int_equal(gr_session_finish(f->s), GR_FINISH_NONE);
            assert_string_equal(gr_session_text(f->s, NULL), "");
            MUST(gr_session_answer(f->s, NULL, NULL, &err)); /* nothing to do */
        }
    stopper last = { f->s, 0, 3, true }; /* after the last tile: the answer is cancelled before it begins */
    r.progress_user = &last;
    MUST(gr_session_ask(f->s, &r, &o, &err));
    MUST(gr_session_answer(f->s, NULL, NULL, &err));
    assert_int_equal(gr_session_finish(f->s), GR_FINISH_CANCELLED);
    assert_int_equal(gr_session_n_tokens(f->s), 0);
    r.progress = NULL;
    ask_and_answer(f->s, &r, &o, &after);
    same_answer(&before, &after);
}

static bool cancel_at_once(void *user, const char *utf8, size_t n)
{
    (void)utf8, (void)n;
    gr_session_cancel(user);
    return true;
}

/* A cancel before a question stops that question, and one that came with an answer is spent with it. */
static void a_cancel_stops_one_thing_and_is_not_lost(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    const gr_request r = text_request(f, "Who?");
    gr_request bad = r;
    gr_answer_options o = drawn_answer(6, 1);
    answer first, again;
    ask_and_answer(f->s, &r, &o, &first);

    gr_session_cancel(f->s);
    gr_session_cancel(f->s);
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_CANCELLED, "cancelled before it began");
    assert_false(gr_session_busy(f->s));
    assert_int_equal(gr_session_finish(f->s), GR_FINISH_NONE);
    assert_string_equal(gr_session_text(f->s, NULL), ""); /* of no earlier answer either */
    ask_and_answer(f->s, &r, &o, &again);                 /* once */
    same_answer(&first, &again);

    gr_session_cancel(f->s); /* a question that cannot be asked takes it along */
    bad.question = "And <region:cat>?";
    MUST_FAIL(gr_session_ask(f->s, &bad, &o, &err), GR_ERR_ARG, "<region:cat>");
    ask_and_answer(f->s, &r, &o, &again);
    same_answer(&first, &again);

    o.max_tokens = 1; /* the cancel comes when the answer has just ended by itself: it is for the next one */
    MUST(gr_session_ask(f->s, &r, &o, &err));
    MUST(gr_session_answer(f->s, cancel_at_once, f->s, &err));
    assert_int_equal(gr_session_finish(f->s), GR_FINISH_LENGTH);
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_CANCELLED, "cancelled");

    MUST(gr_session_ask(f->s, &r, &o, &err)); /* while it is going: of this answer */
    gr_session_cancel(f->s);
    MUST(gr_session_answer(f->s, NULL, NULL, &err));
    assert_int_equal(gr_session_finish(f->s), GR_FINISH_CANCELLED);
    o = drawn_answer(6, 1);
    MUST(gr_session_ask(f->s, &r, &o, &err)); /* this answer, too, though a question takes its place */
    gr_session_cancel(f->s);
    ask_and_answer(f->s, &r, &o, &again);
    same_answer(&first, &again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_whole_characters_and_join_to_the_text),
        cmocka_unit_test(tokens_have_bytes_and_probabilities),
        cmocka_unit_test(a_stop_string_ends_the_answer_and_is_not_part_of_it),
        cmocka_unit_test(end_tokens_follow_the_profile),
        cmocka_unit_test(two_sessions_answer_as_each_alone),
        cmocka_unit_test(two_models_do_not_see_each_other),
        cmocka_unit_test(the_receiver_can_stop_the_answer),
        cmocka_unit_test(a_picture_can_be_given_up),
        cmocka_unit_test(a_cancel_stops_one_thing_and_is_not_lost),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
