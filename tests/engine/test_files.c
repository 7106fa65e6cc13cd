/* Files that change while they are in use: a sentence and a status, and an engine that goes on. Never a
 * signal. */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "grasp/verify.h"
#include "support/api.h"
#include "support/counting.h"
#include "support/drawn.h"

#define WEIGHTS "model.safetensors"
#define CUT     "when it was opened and has 100000 now"

static gr_runtime *rt;

static int group_setup(void **state)
{
    (void)state;
    rt = test_runtime();
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    gr_runtime_free(rt);
    return 0;
}

static void cut(const test_dir *d, const char *name, off_t size)
{
    assert_int_equal(truncate(test_dir_file(d, name), size), 0);
}

static gr_status ask(gr_session *s, gr_model *model, const gr_image *image, api_answer *a, gr_error *err)
{
    gr_request r;
    gr_answer_options how;
    gr_region *region = api_region(rt, image, "box:5,5,60,40");
    gr_request_init(&r, model);
    r.image = image;
    r.regions = (const gr_region *const *)&region;
    r.n_regions = 1;
    gr_answer_options_init(&how);
    how.max_tokens = 12;
    how.ignore_end = true;
    gr_status st = gr_session_ask(s, &r, &how, err);
    if (st == GR_OK)
        st = gr_session_answer(s, NULL, NULL, err);
    api_take(s, a);
    gr_region_free(region);
    return st;
}

/* Between opening the model and loading it: no engine, the model is as it was, and when the file is whole
 * again it loads. */
static void weights_cut_before_they_are_loaded_are_a_sentence(void **state)
{
    (void)state;
    gr_error err = { 0 };
    test_dir d;
    gr_engine *engine;
    gr_engine_options o;
    struct stat whole;
    test_drawn_checkpoint(rt, &d, "l-tied", 101, GR_DTYPE_BF16);
    assert_int_equal(stat(test_dir_file(&d, WEIGHTS), &whole), 0);
    gr_model *model = api_model(rt, d.path, GR_NUMERICS_EXACT);
    gr_engine_options_init(&o);
    o.max_context = 300;
    cut(&d, WEIGHTS, 100000);
    MUST_FAIL(gr_engine_open(&engine, model, &o, &err), GR_ERR_IO, CUT);
    assert_null(engine);
    MUST_FAIL(gr_engine_open(&engine, model, &o, &err), GR_ERR_IO, WEIGHTS ": tensor 'mllm.");
    MUST_FAIL(gr_verify_model(model, NULL, &err), GR_ERR_IO, CUT);
    cut(&d, WEIGHTS, whole.st_size); /* the hole reads as zeros, which are numbers */
    MUST(gr_engine_open(&engine, model, &o, &err));
    gr_engine_close(engine);
    gr_model_close(model);
    test_dir_remove(&d);
}

/* With a tied head nothing is read from the file once it is loaded. */
static void a_loaded_model_with_a_tied_head_needs_no_file(void **state)
{
    static const gr_dtype dtypes[] = { GR_DTYPE_F32, GR_DTYPE_BF16, GR_DTYPE_F16 };
    (void)state;
    gr_error err = { 0 };
    gr_image *image = api_image(rt, 120, 90, 5);
    for (int t = 0; t < 3; t++)
        for (int n = 0; n < 2; n++) {
            test_dir d;
            api_answer a[2];
            test_drawn_checkpoint(rt, &d, "l-tied", 101, dtypes[t]);
            gr_model *model = api_model(rt, d.path, n ? GR_NUMERICS_RELEASED : GR_NUMERICS_EXACT);
            gr_engine *engine = api_engine(model, 1, 600, 0);
            gr_session *s = api_session(engine);
            MUST(ask(s, model, image, &a[0], &err));
            cut(&d, WEIGHTS, 0);
            MUST(ask(s, model, image, &a[1], &err));
            assert_memory_equal(&a[0], &a[1], sizeof a[0]);
            gr_session_close(s);
            gr_engine_close(engine);
            gr_model_close(model);
            test_dir_remove(&d);
        }
    gr_image_free(image);
}

/* Without one, rows of tokens are read when they are needed. */
static void a_lost_embedding_ends_the_answer_and_not_the_engine(void **state)
{
    (void)state;
    gr_error err = { 0 };
    test_dir d;
    api_answer a[3];
    test_drawn_checkpoint(rt, &d, "g-untied", 101, GR_DTYPE_F32);
    char *bytes = test_malloc(1 << 24);
    FILE *f = fopen(test_dir_file(&d, WEIGHTS), "rb");
    assert_non_null(f);
    const size_t n = fread(bytes, 1, 1 << 24, f);
    fclose(f);
    gr_image *image = api_image(rt, 120, 90, 5);
    gr_model *model = api_model(rt, d.path, GR_NUMERICS_EXACT);
    gr_engine *engine = api_engine(model, 2, 600, 0);
    gr_session *s = api_session(engine), *other = api_session(engine);
    MUST(ask(s, model, image, &a[0], &err));
    cut(&d, WEIGHTS, 100);
    for (int again = 0; again < 2; again++) {
        MUST_FAIL(ask(s, model, image, &a[1], &err), GR_ERR_IO,
                  WEIGHTS ": tensor 'mllm.model.language_model.embed_tokens.weight': expected 256 bytes at");
        assert_false(gr_session_busy(s));
        assert_int_equal(gr_session_finish(s), GR_FINISH_NONE);
        assert_int_equal(a[1].n, 0);
        MUST(gr_engine_step(engine, &err)); /* nobody is left to fail */
    }
    gr_session_close(s);
    f = fopen(test_dir_file(&d, WEIGHTS), "r+b"); /* the same file, whole again */
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    MUST(ask(other, model, image, &a[2], &err));
    assert_memory_equal(&a[0], &a[2], sizeof a[0]);
    gr_session_close(other);
    gr_engine_close(engine);
    gr_model_close(model);
    gr_image_free(image);
    test_free(bytes);
    test_dir_remove(&d);
}

/* A new file under the old name: a model that is open is the old one. */
static void weights_that_are_replaced_stay_what_they_were(void **state)
{
    (void)state;
    gr_error err = { 0 };
    test_dir d, e;
    api_answer a[3];
    test_drawn_checkpoint(rt, &d, "g-untied", 101, GR_DTYPE_F32);
    test_drawn_checkpoint(rt, &e, "g-untied", 102, GR_DTYPE_F32);
    gr_image *image = api_image(rt, 120, 90, 5);
    for (int i = 0; i < 3; i++) {
        gr_model *model = api_model(rt, d.path, GR_NUMERICS_EXACT);
        if (i == 1) /* between opening and loading */
            assert_int_equal(rename(test_dir_file(&e, WEIGHTS), test_dir_file(&d, WEIGHTS)), 0);
        gr_engine *engine = api_engine(model, 1, 600, 0);
        gr_session *s = api_session(engine);
        MUST(ask(s, model, image, &a[i], &err));
        gr_session_close(s);
        gr_engine_close(engine);
        gr_model_close(model);
    }
    assert_memory_equal(&a[0], &a[1], sizeof a[0]);
    assert_memory_not_equal(&a[1], &a[2], sizeof a[0]);
    gr_image_free(image);
    test_dir_remove(&d);
    test_dir_remove(&e);
}

/* --- pictures and small files -------------------------------------------------------------------------- */

typedef struct {
    const char *path;
    atomic_bool stop;
} changing;

/* Cuts the file and makes it whole again, over and over. */
static void *change(void *user)
{
    changing *c = user;
    char bytes[20000];
    memset(bytes, 77, sizeof bytes);
    memcpy(bytes, "P6 80 80 255\n", 13);
    while (!atomic_load(&c->stop)) {
        const int fd = open(c->path, O_WRONLY | O_TRUNC);
        for (size_t n, at = 0; at < sizeof bytes; at += n) {
            n = sizeof bytes - at < 5000 ? sizeof bytes - at : 5000;
            if (write(fd, bytes + at, n) != (ssize_t)n)
                break;
        }
        close(fd);
    }
    return NULL;
}

/* Whatever of it is there at the moment: a picture, or a sentence. */
static void a_picture_that_changes_while_it_is_read_is_a_picture_or_a_sentence(void **state)
{
    (void)state;
    test_dir d;
    pthread_t writer;
    int seen[GR_STATUS_COUNT] = { 0 };
    test_dir_make(&d);
    test_dir_write(&d, "x.ppm", "", 0);
    char path[512];
    snprintf(path, sizeof path, "%s", test_dir_file(&d, "x.ppm"));
    changing c = { .path = path };
    atomic_init(&c.stop, false);
    assert_int_equal(pthread_create(&writer, NULL, change, &c), 0);
    for (int i = 0; i < 3000; i++) {
        gr_error err = { 0 };
        gr_image *image;
        const gr_status st = gr_image_open(&image, rt, path, NULL, &err);
        seen[st]++;
        if (st != GR_OK && (st != GR_ERR_IO || !strstr(err.msg, "x.ppm: ")) && st != GR_ERR_FORMAT)
            fail_msg("status %d: %s", st, err.msg);
        gr_image_free(image);
    }
    atomic_store(&c.stop, true);
    pthread_join(writer, NULL);
    assert_true(seen[GR_OK] < 3000); /* it did change */
    test_dir_remove(&d);
}

/* Not a gigabyte of weights for a mistaken argument. */
static void what_is_no_picture_is_not_read(void **state)
{
    (void)state;
    gr_error err = { 0 };
    test_dir d;
    gr_image *image;
    gr_image_options o;
    counting counted = { 0 };
    gr_runtime *own = counting_runtime(&counted, 1);
    test_dir_make(&d);
    test_dir_write(&d, "x", "\0\0\0\0\0\0\0\0{", 9);
    cut(&d, "x", (off_t)1 << 33); /* a hole */
    const size_t before = atomic_load(&counted.calls);
    MUST_FAIL(gr_image_open(&image, own, test_dir_file(&d, "x"), NULL, &err), GR_ERR_FORMAT,
              "x: not a picture: 8589934592 bytes beginning with 00 00");
    assert_int_equal(atomic_load(&counted.calls), before);
    test_dir_write(&d, "x", "P6 8 8 255\n", 11);
    cut(&d, "x", (off_t)1 << 33);
    gr_image_options_init(&o);
    o.max_pixels = 1000;
    MUST_FAIL(gr_image_open(&image, own, test_dir_file(&d, "x"), &o, &err), GR_ERR_LIMIT,
              "x: 8589934592 bytes");
    assert_int_equal(atomic_load(&counted.calls), before);
    gr_runtime_free(own);
    test_dir_remove(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_cut_before_they_are_loaded_are_a_sentence),
        cmocka_unit_test(a_loaded_model_with_a_tied_head_needs_no_file),
        cmocka_unit_test(a_lost_embedding_ends_the_answer_and_not_the_engine),
        cmocka_unit_test(weights_that_are_replaced_stay_what_they_were),
        cmocka_unit_test(a_picture_that_changes_while_it_is_read_is_a_picture_or_a_sentence),
        cmocka_unit_test(what_is_no_picture_is_not_read),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
