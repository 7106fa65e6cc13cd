/* What a session computes on the way to an answer, seen in its dump: shapes, values, and what the profile and
 * the numerics change of them. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "io/safetensors.h"
#include "support/session_fixture.h"

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
    session_fixture *f = *state;
    const gr_region *regions[2];
    gr_request r = both_request(f, regions);
    const gr_answer_options o = drawn_answer(6, 2);
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
    session_fixture *f = *state;
    gr_error err = { 0 };
    gr_request r = text_request(f, "Look here.");
    const gr_answer_options o = drawn_answer(5, 2), bad = drawn_answer(0, 2);
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
    session_fixture *f = *state;
    gr_error err = { 0 };
    const gr_answer_options o = drawn_answer(1, 1);
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
    session_fixture *f = *state;
    gr_model *models[2] = { f->model, api_model(f->rt, f->dir.path, GR_NUMERICS_RELEASED) };
    const gr_region *regions[2];
    int rounded[2] = { 0, 0 };
    for (int m = 0; m < 2; m++) {
        gr_request r = both_request(f, regions);
        gr_answer_options o = drawn_answer(4, 2);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_holds_what_was_seen_on_the_way),
        cmocka_unit_test(a_dump_is_let_go_with_the_answer),
        cmocka_unit_test(profiles_steer_prompt_masks_and_boxes),
        cmocka_unit_test(released_numerics_round_to_bf16),
    };
    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
