#include "test.h"

#include "support/drawn.h"
#include "support/session_fixture.h"

int session_setup(void **state)
{
    static session_fixture f;
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

int session_teardown(void **state)
{
    session_fixture *f = *state;
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

void take_answer(const gr_session *s, answer *a)
{
    const char *text = gr_session_text(s, &a->n_text);
    assert_true(a->n_text < sizeof a->text);
    assert_true(text[a->n_text] == '\0');
    memcpy(a->text, text, a->n_text + 1);
    a->n_tokens = gr_session_n_tokens(s);
    assert_true(a->n_tokens <= ANSWER_MAX_TOKENS);
    for (size_t i = 0; i < a->n_tokens; i++) {
        const gr_token t = gr_session_token(s, i);
        a->ids[i] = t.id;
        a->logprobs[i] = t.logprob;
    }
    a->finish = gr_session_finish(s);
}

void same_answer(const answer *a, const answer *b)
{
    assert_int_equal(a->n_tokens, b->n_tokens);
    assert_memory_equal(a->ids, b->ids, a->n_tokens * sizeof *a->ids);
    assert_memory_equal(a->logprobs, b->logprobs, a->n_tokens * sizeof *a->logprobs);
    assert_int_equal(a->n_text, b->n_text);
    assert_memory_equal(a->text, b->text, a->n_text); /* zeros are characters */
    assert_int_equal(a->finish, b->finish);
}

gr_answer_options drawn_answer(int max_tokens, uint64_t seed)
{
    gr_answer_options o;
    gr_answer_options_init(&o);
    o.max_tokens = max_tokens;
    o.temperature = 1.2;
    o.seed = seed;
    o.ignore_end = true;
    return o;
}

void ask_and_answer(gr_session *s, const gr_request *r, const gr_answer_options *o, answer *a)
{
    gr_error err = { 0 };
    MUST(gr_session_ask(s, r, o, &err));
    MUST(gr_session_answer(s, NULL, NULL, &err));
    take_answer(s, a);
}

gr_request text_request(const session_fixture *f, const char *question)
{
    gr_request r;
    gr_request_init(&r, f->model);
    r.question = question;
    return r;
}

gr_request both_request(const session_fixture *f, const gr_region *regions[2])
{
    gr_request r = text_request(f, "Is <Prompt0> left of <Prompt1>?");
    regions[0] = f->left;
    regions[1] = f->right;
    r.image = f->image;
    r.regions = regions;
    r.n_regions = 2;
    return r;
}
