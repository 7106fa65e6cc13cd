/* From a request to rows, masks and boxes: every switch of the profile steers, and more regions than prompts.
 */
#include "test.h"

#include "base/rng.h"
#include "engine/internal.h"
#include "engine/session.h"
#include "model/gar_new.h"
#include "model/gar_profile.h"
#include "support/tempdir.h"

enum { WIDTH = 90, HEIGHT = 70, MAX_REGIONS = 9 };

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    gr_model *model;
    gr_image *image;
    gr_region regions[MAX_REGIONS];
    const gr_region *list[MAX_REGIONS];
} bench;

/* Region i is an ellipse; they overlap, and are small enough for their edges to matter. */
static void make_region(bench *b, int i)
{
    gr_error err = { 0 };
    gr_mask *m;
    MUST(gr_mask_new(&m, b->rt, WIDTH, HEIGHT, &err));
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const double dx = (x - 12.0 - 8 * i) / (7 + i), dy = (y - 15.0 - 4 * i) / (6 + i);
            m->data[y * WIDTH + x] = dx * dx + dy * dy < 1;
        }
    b->regions[i] = (gr_region){ .mask = m };
    b->list[i] = &b->regions[i];
}

static void bench_init(bench *b)
{
    gr_error err = { 0 };
    gr_gar_config c;
    *b = (bench){ .rt = test_runtime() };
    MUST(gr_gar_config_preset(&c, "gar-test", &err));
    test_dir_make(&b->dir);
    MUST(gr_gar_new(b->rt, &c, b->dir.path, NULL, &err));
    MUST(gr_model_open(&b->model, b->rt, b->dir.path, NULL, &err));
    MUST(gr_image_new(&b->image, b->rt, WIDTH, HEIGHT, 3, &err));
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
        b->image->pixels[i] = (uint8_t)(i * 7 + i / 90);
    for (int i = 0; i < MAX_REGIONS; i++)
        make_region(b, i);
}

static void bench_fini(bench *b)
{
    for (int i = 0; i < MAX_REGIONS; i++)
        gr_mask_free(b->regions[i].mask);
    gr_image_free(b->image);
    gr_model_close(b->model);
    test_dir_remove(&b->dir);
    gr_runtime_free(b->rt);
}

static void request(bench *b, gr_request *r, int n_regions, const char *question)
{
    gr_request_init(r, b->model);
    r->image = b->image;
    r->regions = b->list;
    r->n_regions = (size_t)n_regions;
    r->question = question;
}

static gr_status prepare(bench *b, gr_prepared *p, const gr_request *r, gr_error *err)
{
    GR_TRY(gr_request_plan(p, b->model, r, err));
    const gr_status st = gr_request_cut(p, r, err);
    if (st != GR_OK)
        gr_prepared_fini(p);
    return st;
}

/* --- switches ------------------------------------------------------------------------------------------- */

/* All that a request comes to, as a number. */
static uint64_t print_of(bench *b, const gr_request *r)
{
    gr_prepared p;
    gr_error err = { 0 };
    const gr_status st = prepare(b, &p, r, &err);
    if (st != GR_OK)
        return (uint64_t)st;
    uint64_t h = gr_fnv1a64(p.ids.v, p.ids.n * sizeof *p.ids.v, 1);
    h = gr_fnv1a64(p.source.v, p.source.n * sizeof *p.source.v, h);
    h = gr_fnv1a64(p.boxes, (size_t)p.n_boxes * sizeof p.boxes[0], h);
    const gr_tiles *t = p.mask;
    const size_t side = (size_t)t->tile_px, tiles = (size_t)(t->canvas.cols * t->canvas.rows);
    h = gr_fnv1a64(t->thumb, side * side, h);
    h = gr_fnv1a64(t->whole, side * side * tiles, h);
    gr_prepared_fini(&p);

    gr_engine *engine;
    gr_session *session;
    gr_engine_options o;
    gr_engine_options_init(&o);
    o.max_regions = MAX_REGIONS;
    MUST(gr_engine_open(&engine, b->model, &o, &err));
    MUST(gr_session_open(&session, engine, &err));
    MUST(gr_session_ask(session, r, NULL, &err));
    const gr_generation *g = &session->sequence->generation;
    h = gr_fnv1a64(g->eos, (size_t)g->n_eos * sizeof g->eos[0], h);
    gr_session_close(session);
    gr_engine_close(engine);
    return h;
}

static const struct {
    int n_regions;
    const char *question;
} questions[] = { { 1, NULL }, { 3, "How far is <Prompt0> from <Prompt2>?" }, { 6, "What is <Prompt5>?" } };
enum { QUESTIONS = sizeof questions / sizeof *questions };

static void every_value_of_every_switch_steers(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    for (size_t i = 0; gr_profile_switch_at(i); i++) {
        const gr_profile_switch *s = gr_profile_switch_at(i);
        uint64_t prints[5][QUESTIONS];
        for (int v = 0; s->values[v]; v++) {
            for (int q = 0; q < QUESTIONS; q++) {
                gr_request r;
                request(&b, &r, questions[q].n_regions, questions[q].question);
                r.profile.value[i] = (unsigned char)v;
                prints[v][q] = print_of(&b, &r);
            }
            for (int w = 0; w < v; w++)
                if (memcmp(prints[v], prints[w], sizeof prints[v]) == 0)
                    fail_msg("%s: '%s' does the same as '%s'", s->name, s->values[v], s->values[w]);
        }
    }
    bench_fini(&b);
}

static void a_single_region_has_the_prompt_of_the_switch(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    static const struct {
        const char *question, *value;
        int prompt;
    } cases[] = { { NULL, "single_prompt=1", 1 },          { NULL, "single_prompt=0", 0 },
                  { "What is it?", "single_prompt=1", 1 }, { "What is it?", "single_prompt=0", 0 },
                  { "<Prompt0>?", "single_prompt=1", 0 },  { "<Prompt3>?", "single_prompt=0", 3 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_request r;
        gr_prepared p;
        gr_error err = { 0 };
        request(&b, &r, 1, cases[i].question);
        MUST(gr_profile_set(&r.profile, cases[i].value, &err));
        MUST(gr_request_plan(&p, b.model, &r, &err));
        assert_int_equal(p.prompts[0], cases[i].prompt);
        gr_prepared_fini(&p);
    }
    bench_fini(&b);
}

/* --- more regions than prompts -------------------------------------------------------------------------- */

static int rows_with(const gr_prepared *p, int32_t id, bool features)
{
    int n = 0;
    for (size_t i = 0; i < p->ids.n; i++)
        n += p->ids.v[i] == id && (p->source.v[i] >= 0) == features;
    return n;
}

static void extra_regions_are_refused_shown_or_replayed(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    gr_error err = { 0 };
    gr_request r;
    gr_prepared p;
    const gr_gar_markers *m = &b.model->markers;
    const int rows = b.model->gar->config.replay_grid * b.model->gar->config.replay_grid;
    request(&b, &r, 7, "<Prompt6> or <Prompt0>?");
    MUST_FAIL(gr_request_plan(&p, b.model, &r, &err), GR_ERR_LIMIT, "too_many_regions: 7 regions");

    MUST(gr_profile_set(&r.profile, "extra_prompts=released", &err));
    MUST(prepare(&b, &p, &r, &err));
    assert_int_equal(p.n_boxes, 5);
    for (int k = 0; k < 7; k++) {
        assert_int_equal(p.prompts[k], k == 0 ? 0 : k == 1 ? 6 : k - 1);
        assert_int_equal(rows_with(&p, m->crop[k], k < 5), rows);
        assert_int_equal(rows_with(&p, m->crop[k], k >= 5), 0);
    }
    gr_prepared_fini(&p);

    MUST(gr_profile_set(&r.profile, "extra_prompts=replay", &err));
    MUST(prepare(&b, &p, &r, &err));
    assert_int_equal(p.n_boxes, 7);
    for (int k = 0; k < 7; k++)
        assert_int_equal(rows_with(&p, m->crop[k], true), rows);
    gr_prepared_fini(&p);
    bench_fini(&b);
}

/* Bytes of the thumbnail's mask that are marked when the first `n` regions are asked about. */
static int marked_bytes(bench *b, int n, const char *extra)
{
    gr_error err = { 0 };
    gr_request r;
    gr_prepared p;
    int marked = 0;
    request(b, &r, n, "What?");
    MUST(gr_profile_set(&r.profile, extra, &err));
    MUST(prepare(b, &p, &r, &err));
    for (int i = 0; i < p.mask->tile_px * p.mask->tile_px; i++)
        marked += p.mask->thumb[i] != 0;
    gr_prepared_fini(&p);
    return marked;
}

static void an_extra_region_is_marked_only_when_replayed(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    const int five = marked_bytes(&b, 5, "extra_prompts=refuse");
    assert_int_equal(marked_bytes(&b, 6, "extra_prompts=released"), five);
    assert_true(marked_bytes(&b, 6, "extra_prompts=replay") > five);
    bench_fini(&b);
}

/* The folder says what it was trained under, and a folder that cannot mean it is refused. */
static void a_checkpoint_states_its_profile(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    for (int good = 0; good < 2; good++) {
        gr_error err = { 0 };
        gr_gar_config c;
        gr_model *m;
        gr_request r;
        test_dir dir;
        MUST(gr_gar_config_preset(&c, "gar-test", &err));
        strcpy(c.profile, good ? "paper,double_bos=on" : "paper,double_bos=twice");
        test_dir_make(&dir);
        MUST(gr_gar_new(rt, &c, dir.path, NULL, &err));
        if (good) {
            MUST(gr_model_open(&m, rt, dir.path, NULL, &err));
            gr_request_init(&r, m);
            assert_string_equal(gr_profile_value(&r.profile, GR_SWITCH_ROI_MODE), "paper");
            assert_string_equal(gr_profile_value(&r.profile, GR_SWITCH_DOUBLE_BOS), "on");
            gr_model_close(m);
        } else {
            MUST_FAIL(gr_model_open(&m, rt, dir.path, NULL, &err), GR_ERR_FORMAT,
                      "config.json: grasp.profile: switch double_bos is 'twice'");
        }
        test_dir_remove(&dir);
    }
    gr_runtime_free(rt);
}

/* Nine regions run to an answer in both ways. */
static void extra_regions_reach_an_answer(void **state)
{
    (void)state;
    static const char *const ways[] = { "extra_prompts=released", "extra_prompts=replay" };
    bench b;
    bench_init(&b);
    for (int i = 0; i < 2; i++) {
        gr_error err = { 0 };
        gr_engine *engine;
        gr_session *session;
        gr_engine_options o;
        gr_answer_options a;
        gr_request r;
        gr_engine_options_init(&o);
        gr_answer_options_init(&a);
        o.max_regions = i == 0 ? 5 : 9;
        a.max_tokens = 4;
        request(&b, &r, 9, "What is <Prompt8>?");
        MUST(gr_profile_set(&r.profile, ways[i], &err));
        MUST(gr_engine_open(&engine, b.model, &o, &err));
        MUST(gr_session_open(&session, engine, &err));
        MUST(gr_session_ask(session, &r, &a, &err));
        MUST(gr_session_answer(session, NULL, NULL, &err));
        assert_true(gr_session_n_tokens(session) >= 1);
        gr_session_close(session);
        gr_engine_close(engine);
    }
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_of_every_switch_steers),
        cmocka_unit_test(a_single_region_has_the_prompt_of_the_switch),
        cmocka_unit_test(extra_regions_are_refused_shown_or_replayed),
        cmocka_unit_test(an_extra_region_is_marked_only_when_replayed),
        cmocka_unit_test(extra_regions_reach_an_answer),
        cmocka_unit_test(a_checkpoint_states_its_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
