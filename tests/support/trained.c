#include "test.h"

#include "support/trained.h"

#include "grasp/new.h"

void trained_make(gr_runtime *rt, const test_dir *dir)
{
    gr_error err = { 0 };
    MUST(gr_checkpoint_new(rt, "gar-test", test_dir_file(dir, "m"), NULL, &err));
}

gr_trainer *trained_open(gr_runtime *rt, const test_dir *dir, unsigned parts)
{
    return trained_open_adapted(rt, dir, "m", parts, &(gr_lora){ 0 });
}

gr_trainer *trained_open_adapted(gr_runtime *rt, const test_dir *dir, const char *model, unsigned parts,
                                 const gr_lora *lora)
{
    gr_error err = { 0 };
    gr_trainer *t;
    const gr_trainer_options o = { .limits = { parts, .max_rows = LESSON_ROWS, .max_tiles = 1,
                                               .max_regions = 1, .lora = *lora },
                                   .adamw = GR_ADAMW_PUBLISHED };
    MUST(gr_trainer_open(&t, rt, test_dir_file(dir, model), &o, &err));
    MUST(gr_trainer_load(t, NULL, NULL, &err));
    return t;
}

void trained_steps(gr_trainer *t, int first, int end)
{
    gr_error err = { 0 };
    gr_trainer_result result;
    lesson l;
    lesson_init(&l, &t->gar->config, 7, true);
    const gr_train_source source = lesson_source(&l);
    for (int i = first; i < end; i++)
        MUST(gr_trainer_step(t, &source, 0, 2 * (uint64_t)i, 2, 1e-3, &result, &err));
}

void trained_same(const gr_trainer *a, const gr_trainer *b)
{
    assert_int_equal(a->steps, b->steps);
    assert_int_equal(a->flat.n, b->flat.n);
    assert_memory_equal(a->flat.weights, b->flat.weights, a->flat.n * sizeof(float));
    assert_memory_equal(a->flat.m, b->flat.m, a->flat.n * sizeof(float));
    assert_memory_equal(a->flat.v, b->flat.v, a->flat.n * sizeof(float));
}
