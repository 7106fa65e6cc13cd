/* A session of a base model, which is GAR without what a mask adds. */
#include "test.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "io/checkpoint.h"
#include "io/safetensors.h"
#include "model/gar_new.h"
#include "support/session_fixture.h"

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
    session_fixture *f = *state;
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
    const gr_answer_options o = drawn_answer(12, 3);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_base_model_answers_as_gar_does_without_regions),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
