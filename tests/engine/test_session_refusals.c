/* Models, engines and questions that are refused, and the sentences that say why. */
#include "test.h"

#include "support/drawn.h"
#include "support/session_fixture.h"

static void structs_of_another_size_are_refused(void **state)
{
    session_fixture *f = *state;
    gr_error err = { 0 };
    gr_model_options mo;
    gr_engine_options eo;
    gr_answer_options ao = drawn_answer(5, 1);
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
    session_fixture *f = *state;
    gr_error err = { 0 };
    const gr_region *regions[100];
    const gr_request good = both_request(f, regions);
    gr_answer_options o = drawn_answer(5, 1);
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
    o = drawn_answer(5, 1);
    o.top_p = 1.5;
    MUST_FAIL(gr_session_ask(f->s, &good, &o, &err), GR_ERR_ARG, "top_p 1.5");
    o = drawn_answer(5, 1);
    answer a; /* and the session still answers */
    ask_and_answer(f->s, &good, &o, &a);
    assert_int_equal(a.n_tokens, 5);
}

static void engines_too_small_for_a_question_say_so(void **state)
{
    session_fixture *f = *state;
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
        const gr_answer_options how = drawn_answer(5, 1);
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
    session_fixture *f = *state;
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
        cmocka_unit_test(structs_of_another_size_are_refused),
        cmocka_unit_test(questions_that_cannot_be_asked_are_sentences),
        cmocka_unit_test(engines_too_small_for_a_question_say_so),
        cmocka_unit_test(a_folder_without_tokenizer_is_described_and_no_more),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
