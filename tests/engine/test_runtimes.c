/* Two runtimes in one process, with other threads, kernels and memory, and a model each: neither sees the
 * other, whether their steps take turns or run at the same time. */
#include "test.h"

#include <pthread.h>

#include "support/api.h"
#include "support/counting.h"
#include "support/drawn.h"

typedef struct {
    counting c;
    gr_runtime *rt;
    test_dir dir;
    gr_model *model;
    gr_engine *engine;
    gr_session *s;
    gr_image *image;
    gr_region *region;
    api_answer alone, together;
} speaker;

static void open_speaker(speaker *p, const char *model, uint64_t seed, gr_dtype dtype, int threads,
                         unsigned mask)
{
    memset(p, 0, sizeof *p);
    p->rt = counting_runtime_cpu(&p->c, threads, mask);
    test_drawn_checkpoint(p->rt, &p->dir, model, seed, dtype);
    p->model = api_model(p->rt, p->dir.path, GR_NUMERICS_EXACT);
    p->engine = api_engine(p->model, 1, 700, 40);
    p->s = api_session(p->engine);
    p->image = api_image(p->rt, 130, 70, seed);
    p->region = api_region(p->rt, p->image, "box:10,5,90,60");
}

static void close_speaker(speaker *p)
{
    gr_region_free(p->region);
    gr_image_free(p->image);
    gr_session_close(p->s);
    gr_engine_close(p->engine);
    gr_model_close(p->model);
    gr_runtime_free(p->rt);
    assert_int_equal(atomic_load(&p->c.now), 0);
    test_dir_remove(&p->dir);
}

static gr_status ask(speaker *p, gr_error *err)
{
    gr_request r;
    gr_answer_options o;
    const gr_region *regions[] = { p->region };
    gr_request_init(&r, p->model);
    r.image = p->image;
    r.regions = regions;
    r.n_regions = 1;
    r.question = "What is <Prompt0>?";
    gr_answer_options_init(&o);
    o.max_tokens = 40;
    o.temperature = 0.8;
    o.ignore_end = true;
    return gr_session_ask(p->s, &r, &o, err);
}

/* Its status, as threads may not end a test. */
static void *speak(void *user)
{
    speaker *p = user;
    gr_error err = { 0 };
    gr_status st = ask(p, &err);
    if (st == GR_OK)
        st = gr_session_answer(p->s, NULL, NULL, &err);
    return (void *)(uintptr_t)st;
}

static void two_runtimes_do_not_see_each_other(void **state)
{
    (void)state;
    gr_error err = { 0 };
    speaker *p = test_calloc(2, sizeof *p);
    open_speaker(&p[0], "l-tied", 101, GR_DTYPE_F32, 2, ~0u);
    open_speaker(&p[1], "g-untied", 7, GR_DTYPE_BF16, 1, GR_CPU_AVX2);
    for (int i = 0; i < 2; i++) {
        MUST(ask(&p[i], &err));
        MUST(gr_session_answer(p[i].s, NULL, NULL, &err));
        api_take(p[i].s, &p[i].alone);
        assert_int_equal(p[i].alone.n, 40);
    }
    for (int i = 0; i < 2; i++)
        MUST(ask(&p[i], &err));
    while (gr_session_busy(p[0].s) || gr_session_busy(p[1].s))
        for (int i = 0; i < 2; i++)
            MUST(gr_engine_step(p[i].engine, &err));
    for (int i = 0; i < 2; i++) {
        api_take(p[i].s, &p[i].together);
        assert_memory_equal(&p[i].together, &p[i].alone, sizeof p[i].alone);
    }
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, speak, &p[i]), 0);
    for (int i = 0; i < 2; i++) {
        void *status;
        assert_int_equal(pthread_join(threads[i], &status), 0);
        assert_int_equal((uintptr_t)status, GR_OK);
        api_take(p[i].s, &p[i].together);
        assert_memory_equal(&p[i].together, &p[i].alone, sizeof p[i].alone);
    }
    close_speaker(&p[0]);
    close_speaker(&p[1]);
    test_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(two_runtimes_do_not_see_each_other) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
