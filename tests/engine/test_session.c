/* Questions and answers through the public interface. The golden model's weights are random numbers and its
 * vocabulary is bytes, so that answers are full of broken characters. */
#include "test.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "io/checkpoint.h"
#include "io/safetensors.h"
#include "model/gar_new.h"
#include "support/api.h"
#include "support/drawn.h"
#include "text/tokenizer.h"

typedef struct {
    gr_runtime *rt;
    test_dir dir, other_dir;
    gr_model *model, *other; /* the same sizes, other weights */
    gr_engine *engine;
    gr_session *s;
    gr_image *image;
    gr_region *left, *right;
} fixture;

static int group_setup(void **state)
{
    static fixture f;
    f.rt = test_runtime();
    test_drawn_checkpoint(f.rt, &f.dir, "l-tied", 101, GR_DTYPE_F32);
    test_drawn_checkpoint(f.rt, &f.other_dir, "l-tied", 202, GR_DTYPE_BF16);
    f.model = api_model(f.rt, f.dir.path, GR_NUMERICS_EXACT);
    f.other = api_model(f.rt, f.other_dir.path, GR_NUMERICS_EXACT);
    f.engine = api_engine(f.model, 1, 1500, 0);
    f.s = api_session(f.engine);
    f.image = api_image(f.rt, 200, 100, 7);
    f.left = api_region(f.rt, f.image, "box:5,5,80,90");
    f.right = api_region(f.rt, f.image, "box:120,20,190,70");
    *state = &f;
    return 0;
}

static int group_teardown(void **state)
{
    fixture *f = *state;
    gr_region_free(f->left);
    gr_region_free(f->right);
    gr_image_free(f->image);
    gr_session_close(f->s);
    gr_engine_close(f->engine);
    gr_model_close(f->model);
    gr_model_close(f->other);
    test_dir_remove(&f->dir);
    test_dir_remove(&f->other_dir);
    gr_runtime_free(f->rt);
    return 0;
}

/* --- what an answer was -------------------------------------------------------------------------------- */

#define MAX_TOKENS 256

typedef struct {
    char text[8192];
    size_t n_text, n_tokens;
    int32_t ids[MAX_TOKENS];
    double logprobs[MAX_TOKENS];
    gr_finish_reason finish;
} answer;

static void take_answer(const gr_session *s, answer *a)
{
    const char *text = gr_session_text(s, &a->n_text);
    assert_true(a->n_text < sizeof a->text);
    assert_true(text[a->n_text] == '\0');
    memcpy(a->text, text, a->n_text + 1);
    a->n_tokens = gr_session_n_tokens(s);
    assert_true(a->n_tokens <= MAX_TOKENS);
    for (size_t i = 0; i < a->n_tokens; i++) {
        const gr_token t = gr_session_token(s, i);
        a->ids[i] = t.id;
        a->logprobs[i] = t.logprob;
    }
    a->finish = gr_session_finish(s);
}

static void same_answer(const answer *a, const answer *b)
{
    assert_int_equal(a->n_tokens, b->n_tokens);
    assert_memory_equal(a->ids, b->ids, a->n_tokens * sizeof *a->ids);
    assert_memory_equal(a->logprobs, b->logprobs, a->n_tokens * sizeof *a->logprobs);
    assert_int_equal(a->n_text, b->n_text);
    assert_memory_equal(a->text, b->text, a->n_text); /* zeros are characters */
    assert_int_equal(a->finish, b->finish);
}

static gr_answer_options drawn(int max_tokens, uint64_t seed)
{
    gr_answer_options o;
    gr_answer_options_init(&o);
    o.max_tokens = max_tokens;
    o.temperature = 1.2;
    o.seed = seed;
    o.ignore_end = true;
    return o;
}

static void ask_and_answer(gr_session *s, const gr_request *r, const gr_answer_options *o, answer *a)
{
    gr_error err = { 0 };
    MUST(gr_session_ask(s, r, o, &err));
    MUST(gr_session_answer(s, NULL, NULL, &err));
    take_answer(s, a);
}

static gr_request text_request(const fixture *f, const char *question)
{
    gr_request r;
    gr_request_init(&r, f->model);
    r.question = question;
    return r;
}

/* A question about both regions. `regions` is borrowed by the request. */
static gr_request both_request(const fixture *f, const gr_region *regions[2])
{
    gr_request r = text_request(f, "Is <Prompt0> left of <Prompt1>?");
    regions[0] = f->left;
    regions[1] = f->right;
    r.image = f->image;
    r.regions = regions;
    r.n_regions = 2;
    return r;
}

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
    fixture *f = *state;
    gr_error err = { 0 };
    gr_tokenizer *t;
    const gr_request r = text_request(f, "Tell me a story of three wishes.");
    size_t broken = 0, regions = 0;
    MUST(gr_tokenizer_open(&t, f->rt, f->dir.path, &err));
    for (uint64_t seed = 0; seed < 6; seed++)
        for (int keep = 0; keep < 2; keep++) {
            gr_answer_options o = drawn(100, seed);
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
    fixture *f = *state;
    const gr_request r = text_request(f, "Name a colour.");
    const gr_answer_options o = drawn(60, 3);
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
    const gr_answer_options other = drawn(60, 4);
    ask_and_answer(f->s, &r, &other, &again);
    assert_memory_not_equal(a.ids, again.ids, sizeof(int32_t) * 60);
}

static void a_stop_string_ends_the_answer_and_is_not_part_of_it(void **state)
{
    fixture *f = *state;
    const gr_request r = text_request(f, "Count.");
    gr_answer_options o = drawn(120, 11);
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
    fixture *f = *state;
    gr_error err = { 0 };
    int stopped[2] = { 0, 0 };
    for (int config = 0; config < 2; config++)
        for (uint64_t seed = 0; seed < 12; seed++) {
            gr_request r = text_request(f, "Say little.");
            gr_answer_options o = drawn(90, seed);
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

/* --- pictures ------------------------------------------------------------------------------------------ */

static void a_question_about_regions_is_measured_and_answered(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[2];
    gr_request r = both_request(f, regions);
    const gr_answer_options o = drawn(10, 1);
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
    fixture *f = *state;
    gr_error err = { 0 };
    gr_request r = text_request(f, NULL);
    const gr_region *regions[] = { f->left };
    gr_request_size size, asked;
    answer a, b;
    const gr_answer_options o = drawn(8, 2);
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
    fixture *f = *state;
    gr_error err = { 0 };
    /* Of two tiles beside each other both lie in the first; the thumbnail shows them, too. */
    gr_region *region[2] = { api_region(f->rt, f->image, "box:5,5,30,30"),
                             api_region(f->rt, f->image, "box:40,40,80,90") };
    gr_image *other_image = api_image(f->rt, 200, 100, 8);
    const gr_answer_options o = drawn(6, 5);
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

/* --- several at once ----------------------------------------------------------------------------------- */

static void two_sessions_answer_as_each_alone(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[2];
    const gr_request r[2] = { both_request(f, regions), text_request(f, "What is a region?") };
    const gr_answer_options o[2] = { drawn(12, 5), drawn(40, 6) };
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
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[2];
    const gr_request r = both_request(f, regions);
    const gr_answer_options o = drawn(30, 9);
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
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_request r = text_request(f, "Go on and on.");
    const gr_answer_options o = drawn(200, 1);
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
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[2];
    gr_request r = both_request(f, regions);
    const gr_answer_options o = drawn(10, 1);
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
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_request r = text_request(f, "Who?");
    gr_request bad = r;
    gr_answer_options o = drawn(6, 1);
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
    o = drawn(6, 1);
    MUST(gr_session_ask(f->s, &r, &o, &err)); /* this answer, too, though a question takes its place */
    gr_session_cancel(f->s);
    ask_and_answer(f->s, &r, &o, &again);
    same_answer(&first, &again);
}

/* --- intermediate values ------------------------------------------------------------------------------- */

typedef struct {
    char *bytes;
    gr_safetensors *file;
} dumped;

static const gr_safetensor *find_shape(const dumped *d, const char *name, gr_dtype dtype, int rank,
                                       const int64_t *shape)
{
    const gr_safetensor *t = gr_safetensors_find(d->file, name);
    if (!t)
        fail_msg("the dump has no '%s'", name);
    assert_int_equal(t->dtype, dtype);
    if (t->rank != rank || memcmp(t->shape, shape, (size_t)rank * sizeof *shape) != 0)
        fail_msg("%s: rank %d, first dimensions %d, %d", name, t->rank, (int)t->shape[0], (int)t->shape[1]);
    return t;
}

static const char *data_of(const dumped *d, const gr_safetensor *t) { return d->bytes + t->offset; }

static float float_at(const dumped *d, const gr_safetensor *t, size_t i)
{
    float v;
    memcpy(&v, data_of(d, t) + 4 * i, 4);
    return v;
}

static void dump_answer(gr_runtime *rt, gr_session *s, const test_dir *dir, gr_request *r,
                        const gr_answer_options *o, answer *a, dumped *d)
{
    gr_error err = { 0 };
    size_t size;
    const char *path = test_dir_file(dir, "dump.safetensors");
    MUST(gr_dump_open(&r->dump, rt, path, &err));
    MUST(gr_session_ask(s, r, o, &err));
    MUST(gr_session_answer(s, NULL, NULL, &err));
    take_answer(s, a);
    MUST(gr_dump_close(r->dump, &err));
    r->dump = NULL;
    MUST(gr_file_read(rt, path, 1 << 26, &d->bytes, &size, &err));
    const gr_source memory = gr_source_of(d->bytes, size);
    MUST(gr_safetensors_parse(&d->file, rt, &memory, path, &err));
    unlink(path);
}

static void free_dump(gr_runtime *rt, dumped *d)
{
    gr_safetensors_free(d->file);
    gr_free(rt, d->bytes);
}

static void a_dump_holds_what_was_seen_on_the_way(void **state)
{
    fixture *f = *state;
    const gr_region *regions[2];
    gr_request r = both_request(f, regions);
    const gr_answer_options o = drawn(6, 2);
    gr_session_stats stats = { .size = sizeof stats };
    gr_error err = { 0 };
    answer a, plain;
    dumped d;
    ask_and_answer(f->s, &r, &o, &plain);
    for (int round = 0; round < 2; round++) { /* an engine's second dump holds the second question alone */
        dump_answer(f->rt, f->s, &f->dir, &r, &o, &a, &d);
        same_answer(&plain, &a); /* looking changes nothing */
        MUST(gr_session_statistics(f->s, &stats, &err));
        const int64_t n = stats.prompt_rows;
        const gr_safetensor *pixels =
            find_shape(&d, "pixel_values", GR_DTYPE_F32, 4, (int64_t[]){ 3, 3, 112, 112 });
        const gr_safetensor *mask =
            find_shape(&d, "mask_values", GR_DTYPE_F32, 3, (int64_t[]){ 3, 112, 112 });
        find_shape(&d, "vision_features", GR_DTYPE_F32, 3, (int64_t[]){ 3, 64, 64 });
        const gr_safetensor *features =
            find_shape(&d, "image_features", GR_DTYPE_F32, 3, (int64_t[]){ 3, 16, 96 });
        find_shape(&d, "replay_0", GR_DTYPE_F32, 2, (int64_t[]){ 16, 96 });
        find_shape(&d, "replay_1", GR_DTYPE_F32, 2, (int64_t[]){ 16, 96 });
        const gr_safetensor *ids = find_shape(&d, "input_ids", GR_DTYPE_I32, 1, (int64_t[]){ n });
        const gr_safetensor *rows = find_shape(&d, "inputs_embeds", GR_DTYPE_F32, 2,
                                               (int64_t[]){ n + 5, 96 }); /* the last token is not read */
        const gr_safetensor *logits = find_shape(&d, "logits", GR_DTYPE_F32, 2, (int64_t[]){ 6, 296 });
        assert_int_equal(gr_safetensors_count(d.file), 9);
        size_t inside = 0;
        for (size_t i = 0; i < 3 * 112 * 112; i++) {
            assert_true(float_at(&d, mask, i) == 0 || float_at(&d, mask, i) == 1);
            inside += float_at(&d, mask, i) == 1;
            assert_true(fabsf(float_at(&d, pixels, i)) <= 1);
        }
        assert_true(inside > 3 * 112 * 112 / 4 && inside < 3 * 112 * 112 / 2);
        size_t image_rows = 0; /* rows of image tokens (258) are the features in order */
        for (int64_t i = 0; i < n; i++) {
            int32_t id;
            memcpy(&id, data_of(&d, ids) + 4 * i, 4);
            if (id == 258) {
                assert_memory_equal(data_of(&d, rows) + (size_t)i * 384,
                                    data_of(&d, features) + image_rows * 384, 384);
                image_rows++;
            }
        }
        assert_int_equal(image_rows, 48);
        for (size_t i = 0; i < 6; i++) { /* log-probabilities are those of the logits */
            double sum = 0;
            for (size_t k = 0; k < 296; k++)
                sum += exp((double)float_at(&d, logits, 296 * i + k));
            assert_true(fabs(a.logprobs[i] -
                             ((double)float_at(&d, logits, 296 * i + (size_t)a.ids[i]) - log(sum))) < 1e-9);
        }
        free_dump(f->rt, &d);
    }
    gr_request text = text_request(f, "And without a picture?");
    dump_answer(f->rt, f->s, &f->dir, &text, &o, &a, &d);
    assert_int_equal(gr_safetensors_count(d.file), 3);
    free_dump(f->rt, &d);
}

/* A dump may go while the session lives: nobody writes to it after the answer, or after a question that
 * failed. */
static void a_dump_is_let_go_with_the_answer(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_request r = text_request(f, "Look here.");
    const gr_answer_options o = drawn(5, 2), bad = drawn(0, 2);
    answer a;
    MUST(gr_dump_open(&r.dump, f->rt, test_dir_file(&f->dir, "gone.safetensors"), &err));
    ask_and_answer(f->s, &r, &o, &a);
    MUST_FAIL(gr_session_ask(f->s, &r, &bad, &err), GR_ERR_ARG, "max_tokens 0");
    gr_dump_abort(r.dump);
    MUST(gr_engine_step(f->engine, &err));
    assert_int_not_equal(access(test_dir_file(&f->dir, "gone.safetensors"), F_OK), 0);
    gr_dump *nowhere; /* known before anything is computed */
    MUST_FAIL(gr_dump_open(&nowhere, f->rt, "/nonexistent/folder/dump.safetensors", &err), GR_ERR_IO,
              "/nonexistent/folder/dump.safetensors");
    assert_null(nowhere);
    MUST(gr_dump_close(NULL, &err));
}

/* The switches reach what they name. */
static void profiles_steer_prompt_masks_and_boxes(void **state)
{
    enum { REPLAY = 16 * 96 * 4, MASKS = 3 * 112 * 112 * 4 };
    static const char *const ways[][2] = { { "multi_bbox=own", "bbox=inclusive" },
                                           { "multi_bbox=last", "bbox=inclusive" },
                                           { "multi_bbox=own", "bbox=exclusive" },
                                           { "mask_resample=bicubic", "double_bos=on" },
                                           { "mask_resample=bicubic", "double_bos=off" } };
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_answer_options o = drawn(1, 1);
    const gr_region *regions[2];
    dumped d[5];
    const char *replay[5][2], *masks[5];
    int64_t rows[5];
    for (int i = 0; i < 5; i++) {
        gr_request r = both_request(f, regions);
        answer a;
        MUST(gr_profile_set(&r.profile, "roi_mode=paper", &err));
        MUST(gr_profile_set(&r.profile, ways[i][0], &err));
        MUST(gr_profile_set(&r.profile, ways[i][1], &err));
        dump_answer(f->rt, f->s, &f->dir, &r, &o, &a, &d[i]);
        replay[i][0] = data_of(&d[i], gr_safetensors_find(d[i].file, "replay_0"));
        replay[i][1] = data_of(&d[i], gr_safetensors_find(d[i].file, "replay_1"));
        masks[i] = data_of(&d[i], gr_safetensors_find(d[i].file, "mask_values"));
        rows[i] = gr_safetensors_find(d[i].file, "input_ids")->shape[0];
    }
    assert_memory_not_equal(replay[0][0], replay[0][1], REPLAY);
    assert_memory_equal(replay[1][0], replay[1][1], REPLAY); /* both have the last one's box */
    assert_memory_equal(replay[1][1], replay[0][1], REPLAY);
    assert_memory_not_equal(replay[2][0], replay[0][0], REPLAY);
    assert_memory_equal(masks[0], masks[2], MASKS);
    assert_memory_not_equal(masks[0], masks[3], MASKS);
    assert_int_equal(rows[3], rows[4] + 1);
    for (int i = 0; i < 5; i++)
        free_dump(f->rt, &d[i]);
}

/* Where the published code computes in bf16, every value is one: so are the logits. */
static void released_numerics_round_to_bf16(void **state)
{
    fixture *f = *state;
    gr_model *models[2] = { f->model, api_model(f->rt, f->dir.path, GR_NUMERICS_RELEASED) };
    const gr_region *regions[2];
    int rounded[2] = { 0, 0 };
    for (int m = 0; m < 2; m++) {
        gr_request r = both_request(f, regions);
        gr_answer_options o = drawn(4, 2);
        answer a;
        dumped d;
        gr_engine *engine = api_engine(models[m], 1, 1500, 0);
        gr_session *s = api_session(engine);
        o.temperature = 0;
        dump_answer(f->rt, s, &f->dir, &r, &o, &a, &d);
        const gr_safetensor *logits = gr_safetensors_find(d.file, "logits");
        for (size_t i = 0; i < 4 * 296; i++) {
            uint16_t low;
            memcpy(&low, data_of(&d, logits) + 4 * i, 2);
            rounded[m] += low == 0;
            if (i < 296)
                assert_true(float_at(&d, logits, i) <= float_at(&d, logits, (size_t)a.ids[0])); /* greedy */
        }
        free_dump(f->rt, &d);
        gr_session_close(s);
        gr_engine_close(engine);
    }
    assert_int_equal(rounded[1], 4 * 296);
    assert_true(rounded[0] < 20);
    gr_model_close(models[1]);
}

/* --- a base model -------------------------------------------------------------------------------------- */

static void write_base_weights(gr_runtime *rt, const test_dir *from, const test_dir *to)
{
    gr_error err = { 0 };
    gr_checkpoint *c;
    gr_safetensors_writer *w;
    gr_tensor_spec specs[256];
    const gr_stored *stored[256];
    size_t n = 0;
    MUST(gr_checkpoint_open(&c, rt, from->path, &err));
    for (size_t i = 0; i < gr_checkpoint_count(c); i++) {
        const gr_stored *t = gr_checkpoint_at(c, i);
        if (strncmp(t->name, "mllm.", 5) != 0)
            continue; /* the mask embedding */
        stored[n] = t;
        specs[n] = (gr_tensor_spec){ .name = t->name + 5, .dtype = t->dtype, .rank = t->rank };
        memcpy(specs[n++].shape, t->shape, sizeof t->shape);
    }
    assert_int_equal(n, gr_checkpoint_count(c) - 1);
    MUST(gr_safetensors_writer_open(&w, rt, test_dir_file(to, "model.safetensors"), specs, n, NULL, &err));
    for (size_t i; (i = gr_safetensors_writer_next(w)) < n;) {
        uint8_t *bytes = test_malloc(stored[i]->bytes);
        MUST(gr_stored_read(stored[i], 0, bytes, stored[i]->bytes, &err));
        MUST(gr_safetensors_writer_add(w, bytes, stored[i]->bytes, &err));
        test_free(bytes);
    }
    MUST(gr_safetensors_writer_commit(w, &err));
    gr_checkpoint_close(c);
}

/* The folder of a PerceptionLM with the tower, projector and language model of a GAR folder. */
static void make_base(gr_runtime *rt, const test_dir *from, test_dir *to)
{
    gr_error err = { 0 };
    gr_gar_config config;
    gr_buf text;
    char *tokenizer;
    size_t size;
    test_dir_make(to);
    MUST(gr_gar_config_load(&config, rt, from->path, &err));
    config.base_only = true;
    config.n_prompts = config.n_crop = 0;
    memset(config.crop_ids, 0, sizeof config.crop_ids);
    gr_buf_init(&text, rt, 1 << 16);
    MUST(gr_gar_config_write(&text, &config, &err));
    assert_null(strstr(gr_buf_str(&text), "mllm"));
    test_dir_write(to, "config.json", text.data, text.len);
    gr_buf_fini(&text);
    MUST(gr_file_read(rt, test_dir_file(from, "tokenizer.json"), 1 << 22, &tokenizer, &size, &err));
    test_dir_write(to, "tokenizer.json", tokenizer, size);
    gr_free(rt, tokenizer);
    write_base_weights(rt, from, to);
}

/* GAR adds to its base model what a mask gives; without one, both say the same. */
static void a_base_model_answers_as_gar_does_without_regions(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    test_dir dir;
    make_base(f->rt, &f->dir, &dir);
    gr_model *base = api_model(f->rt, dir.path, GR_NUMERICS_EXACT);
    gr_model_info info = { .size = sizeof info };
    MUST(gr_model_describe(base, &info, &err));
    assert_string_equal(info.family, "perception_lm");
    assert_int_equal(info.n_prompts, 0);
    gr_engine *engine = api_engine(base, 1, 1500, 0);
    gr_session *s = api_session(engine);
    const gr_answer_options o = drawn(12, 3);
    for (int with_picture = 0; with_picture < 2; with_picture++) {
        gr_request r = text_request(f, "What is in the picture?");
        answer gar, its;
        r.image = with_picture ? f->image : NULL;
        r.max_tiles = 2;
        ask_and_answer(f->s, &r, &o, &gar);
        ask_and_answer(s, &r, &o, &its);
        same_answer(&gar, &its);
    }
    const gr_region *regions[2];
    gr_request r = both_request(f, regions);
    MUST_FAIL(gr_session_ask(s, &r, &o, &err), GR_ERR_UNSUPPORTED, "regions need a GAR model");
    r.n_regions = 1;
    r.question = NULL;
    MUST_FAIL(gr_session_ask(s, &r, &o, &err), GR_ERR_UNSUPPORTED, "regions need a GAR model");
    gr_session_close(s);
    gr_engine_close(engine);
    gr_model_close(base);
    test_dir_remove(&dir);
}

/* --- refusals ------------------------------------------------------------------------------------------ */

static void structs_of_another_size_are_refused(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_model_options mo;
    gr_engine_options eo;
    gr_answer_options ao = drawn(5, 1);
    gr_request r = text_request(f, "Hello?");
    gr_model_info info = { .size = 8 };
    gr_session_stats stats = { .size = 0 };
    gr_memory memory;
    gr_request_size size;
    gr_model *model;
    gr_engine *engine;
    gr_model_options_init(&mo);
    gr_engine_options_init(&eo);
    assert_true(mo.size == sizeof mo && eo.size == sizeof eo && ao.size == sizeof ao && r.size == sizeof r);
    mo.size--;
    eo.size++;
    ao.size = 0;
    MUST_FAIL(gr_model_open(&model, f->rt, f->dir.path, &mo, &err), GR_ERR_ARG, "gr_model_options_init");
    assert_null(model);
    MUST_FAIL(gr_engine_open(&engine, f->model, &eo, &err), GR_ERR_ARG, "gr_engine_options_init");
    assert_null(engine);
    MUST_FAIL(gr_engine_measure(f->model, &eo, &memory, &err), GR_ERR_ARG, "gr_engine_options_init");
    MUST_FAIL(gr_session_ask(f->s, &r, &ao, &err), GR_ERR_ARG, "gr_answer_options_init");
    r.size += 8;
    MUST_FAIL(gr_session_ask(f->s, &r, NULL, &err), GR_ERR_ARG, "gr_request_init");
    MUST_FAIL(gr_request_measure(f->model, &r, &size, &err), GR_ERR_ARG, "gr_request_init");
    MUST_FAIL(gr_model_describe(f->model, &info, &err), GR_ERR_ARG, "gr_model_info.size is 8");
    MUST_FAIL(gr_session_statistics(f->s, &stats, &err), GR_ERR_ARG, "gr_session_stats.size is 0");
}

static void questions_that_cannot_be_asked_are_sentences(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[100];
    const gr_request good = both_request(f, regions);
    gr_answer_options o = drawn(5, 1);
    gr_request r = good;
    r.question = NULL;
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_ARG,
              "without a question exactly one region is described; there are 2");
    r.n_regions = 0;
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_ARG, "there are 0");
    r = good;
    r.image = NULL;
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_ARG, "invalid_region: regions without a picture");
    r = good;
    gr_image *small = api_image(f->rt, 60, 50, 1);
    r.image = small;
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_SHAPE,
              "mask_size_mismatch: region 0 has a mask of 200 x 100, the picture is 60 x 50");
    gr_image_free(small);
    r = good;
    for (int i = 0; i < 100; i++)
        regions[i] = f->left;
    r.n_regions = 100;
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_LIMIT, "too_many_regions: 100 regions");
    r.n_regions = 6;
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_LIMIT,
              "6 regions in one dialog, the model takes at most 5");
    r = good;
    r.max_tiles = 65;
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_ARG, "max_tiles is 65");
    r.max_tiles = 0;
    r.question = "And <region:cat>?";
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_ARG, "<region:cat>");
    gr_mask *mask; /* a region that was emptied after it was resolved */
    MUST(gr_mask_new(&mask, f->rt, 200, 100, &err));
    gr_region emptied = *f->left;
    emptied.mask = mask;
    r = good;
    regions[0] = &emptied;
    MUST_FAIL(gr_session_ask(f->s, &r, &o, &err), GR_ERR_ARG, "empty_region");
    gr_mask_free(mask);
    regions[0] = f->left;
    regions[1] = f->right;
    o.stops = (const char *const[]){ "" };
    o.n_stops = 1;
    MUST_FAIL(gr_session_ask(f->s, &good, &o, &err), GR_ERR_ARG, "stop string 0 is empty");
    o = drawn(5, 1);
    o.top_p = 1.5;
    MUST_FAIL(gr_session_ask(f->s, &good, &o, &err), GR_ERR_ARG, "top_p 1.5");
    o = drawn(5, 1);
    answer a; /* and the session still answers */
    ask_and_answer(f->s, &good, &o, &a);
    assert_int_equal(a.n_tokens, 5);
}

static void engines_too_small_for_a_question_say_so(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[2];
    gr_request r = both_request(f, regions);
    gr_request_size size;
    gr_engine_options o;
    gr_engine *engine;
    char expected[64];
    MUST(gr_request_measure(f->model, &r, &size, &err));
    for (int way = 0; way < 4; way++) { /* too few tiles, regions, tokens; then just enough of each */
        gr_engine_options_init(&o);
        o.max_context = size.prompt_rows - (way == 2);
        o.max_tiles = way == 0 ? 1 : 2;
        o.max_regions = way == 1 ? 1 : 2;
        MUST(gr_engine_open(&engine, f->model, &o, &err));
        gr_session *s = api_session(engine);
        const gr_answer_options how = drawn(5, 1);
        snprintf(expected, sizeof expected, "the question comes to %d tokens (picture 48, regions 32)",
                 size.prompt_rows);
        if (way == 0)
            MUST_FAIL(gr_session_ask(s, &r, &how, &err), GR_ERR_LIMIT,
                      "the picture needs 2 tiles, the engine was made for 1");
        else if (way == 1)
            MUST_FAIL(gr_session_ask(s, &r, &how, &err), GR_ERR_LIMIT,
                      "2 regions, the engine was made for 1");
        else if (way == 2)
            MUST_FAIL(gr_session_ask(s, &r, &how, &err), GR_ERR_LIMIT, expected);
        else {
            answer a;
            ask_and_answer(s, &r, &how, &a);
            assert_int_equal(a.n_tokens, 1); /* the context ends with the prompt */
            assert_int_equal(a.finish, GR_FINISH_LENGTH);
        }
        gr_session_close(s);
        gr_engine_close(engine);
    }
    static const struct {
        int sessions, context, chunk, tiles, regions;
        gr_status status;
        const char *part;
    } bad[] = {
        { 0, 0, 256, 0, 0, GR_ERR_ARG, "max_sessions is 0" },
        { 2000000000, 0, 256, 0, 0, GR_ERR_ARG, "max_sessions is 2000000000" },
        { 1, 5000, 256, 0, 0, GR_ERR_LIMIT, "max_position_embeddings" },
        { 4, 0, 3, 0, 0, GR_ERR_ARG, "4 conversations in steps of 3 rows" },
        { 1, 0, 256, 65, 0, GR_ERR_ARG, "max_tiles is 65" },
        { 1, 0, 256, 0, -1, GR_ERR_ARG, "max_regions -1" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gr_engine_options_init(&o);
        o.max_sessions = bad[i].sessions;
        o.max_context = bad[i].context;
        o.chunk_rows = bad[i].chunk;
        o.max_tiles = bad[i].tiles;
        o.max_regions = bad[i].regions;
        MUST_FAIL(gr_engine_open(&engine, f->model, &o, &err), bad[i].status, bad[i].part);
        assert_null(engine);
    }
    gr_engine *several = api_engine(f->model, 2, 1000, 0);
    gr_session *s = api_session(several);
    MUST(gr_dump_open(&r.dump, f->rt, test_dir_file(&f->dir, "none.safetensors"), &err));
    MUST_FAIL(gr_session_ask(s, &r, NULL, &err), GR_ERR_ARG, "a dump needs an engine of one session");
    gr_dump_abort(r.dump);
    gr_session_close(s);
    gr_engine_close(several);
}

static void a_folder_without_tokenizer_is_described_and_no_more(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    test_dir dir;
    gr_engine *engine;
    gr_engine_options o;
    gr_request_size size;
    gr_model_info info = { .size = sizeof info };
    test_drawn_checkpoint(f->rt, &dir, "l-tied", 101, GR_DTYPE_F32);
    unlink(test_dir_file(&dir, "tokenizer.json"));
    gr_model *model = api_model(f->rt, dir.path, GR_NUMERICS_EXACT);
    gr_engine_options_init(&o);
    MUST(gr_model_describe(model, &info, &err));
    assert_int_equal(info.vocab, 296);
    MUST_FAIL(gr_engine_open(&engine, model, &o, &err), GR_ERR_IO, "tokenizer.json: not there");
    const gr_request r = text_request(f, "Who?");
    MUST_FAIL(gr_request_measure(model, &r, &size, &err), GR_ERR_IO, "tokenizer.json: not there");
    gr_model_close(model);
    test_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_whole_characters_and_join_to_the_text),
        cmocka_unit_test(tokens_have_bytes_and_probabilities),
        cmocka_unit_test(a_stop_string_ends_the_answer_and_is_not_part_of_it),
        cmocka_unit_test(end_tokens_follow_the_profile),
        cmocka_unit_test(a_question_about_regions_is_measured_and_answered),
        cmocka_unit_test(one_region_is_described_without_a_question),
        cmocka_unit_test(another_region_of_a_picture_costs_its_own_tiles),
        cmocka_unit_test(two_sessions_answer_as_each_alone),
        cmocka_unit_test(two_models_do_not_see_each_other),
        cmocka_unit_test(the_receiver_can_stop_the_answer),
        cmocka_unit_test(a_picture_can_be_given_up),
        cmocka_unit_test(a_cancel_stops_one_thing_and_is_not_lost),
        cmocka_unit_test(a_dump_holds_what_was_seen_on_the_way),
        cmocka_unit_test(a_dump_is_let_go_with_the_answer),
        cmocka_unit_test(profiles_steer_prompt_masks_and_boxes),
        cmocka_unit_test(released_numerics_round_to_bf16),
        cmocka_unit_test(a_base_model_answers_as_gar_does_without_regions),
        cmocka_unit_test(structs_of_another_size_are_refused),
        cmocka_unit_test(questions_that_cannot_be_asked_are_sentences),
        cmocka_unit_test(engines_too_small_for_a_question_say_so),
        cmocka_unit_test(a_folder_without_tokenizer_is_described_and_no_more),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
