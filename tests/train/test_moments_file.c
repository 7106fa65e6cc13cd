/* Weights and moments come back from their file, or the sentence says what is wrong with it. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "support/trained.h"
#include "train/moments_file.h"

typedef struct {
    test_dir dir;
    gr_runtime *rt;
    gr_trainer *t;
    char *bytes; /* of the file of `t` */
    size_t n;
} fixture;

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    test_dir_make(&f.dir);
    f.rt = test_runtime();
    trained_make(f.rt, &f.dir);
    f.t = trained_open(f.rt, &f.dir, GR_TRAIN_ALL);
    trained_steps(f.t, 0, 1);
    MUST(gr_moments_write(&f.t->flat, test_dir_file(&f.dir, "moments"), &err));
    MUST(gr_file_read(f.rt, test_dir_file(&f.dir, "moments"), (size_t)1 << 28, &f.bytes, &f.n, &err));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_free(f->rt, f->bytes);
    gr_trainer_close(f->t);
    gr_runtime_free(f->rt);
    test_dir_remove(&f->dir);
    return 0;
}

static void what_was_written_is_read(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = trained_open(f->rt, &f->dir, GR_TRAIN_ALL);
    MUST(gr_moments_read(&t->flat, test_dir_file(&f->dir, "moments"), &err));
    t->steps = 1;
    trained_same(t, f->t);
    gr_trainer_close(t);
}

/* Ranges are found by name: a file of all parts serves a run of some. */
static void a_file_may_hold_more_than_is_wanted(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = trained_open(f->rt, &f->dir, 1u << GR_TRAIN_DECODER);
    MUST(gr_moments_read(&t->flat, test_dir_file(&f->dir, "moments"), &err));
    for (size_t i = 0; i < t->flat.n_ranges; i++) {
        const gr_range *r = &t->flat.ranges[i], *all = gr_flat_find(&f->t->flat, r->tensor);
        assert_memory_equal(t->flat.v + r->offset, f->t->flat.v + all->offset, r->count * sizeof(float));
    }
    MUST(gr_moments_write(&t->flat, test_dir_file(&f->dir, "part"), &err));
    MUST_FAIL(gr_moments_read(&f->t->flat, test_dir_file(&f->dir, "part"), &err), GR_ERR_FORMAT,
              "it lacks tensor 'mllm.model.vision_tower");
    gr_trainer_close(t);
}

/* The file with one place of its text replaced by another of the same length. */
static void refuse_with(const fixture *f, const char *from, const char *to, const char *part)
{
    gr_error err = { 0 };
    char *copy = malloc(f->n);
    assert_non_null(copy);
    memcpy(copy, f->bytes, f->n);
    char *at = NULL;
    for (size_t i = 8; !at && i < f->n; i++)
        if (memcmp(copy + i, from, strlen(from)) == 0)
            at = copy + i;
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    test_dir_write(&f->dir, "bad", copy, f->n);
    MUST_FAIL(gr_moments_read(&f->t->flat, test_dir_file(&f->dir, "bad"), &err), GR_ERR_FORMAT, part);
    free(copy);
}

static void what_is_wrong_is_said(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    refuse_with(f, "grasp-moments-1", "grasp-moments-2", "does not say \"format\": \"grasp-moments-1\"");
    refuse_with(f, "\"crc32c\":[", "\"crc32d\":[", "three checksums");
    refuse_with(f, "\"offset\":0", "\"offset\":x", "expected");
    refuse_with(f, "\"offset\":0", "\"onset\":10", "a range without offset or count");
    refuse_with(f, "\"tensor\":\"mllm", "\"tensor\":\"mll_", "it lacks tensor 'mllm");

    char *copy = malloc(f->n);
    assert_non_null(copy);
    memcpy(copy, f->bytes, f->n);
    copy[f->n - 4 * f->t->flat.n + 2] ^= 1; /* second moments come last */
    test_dir_write(&f->dir, "bad", copy, f->n);
    MUST_FAIL(gr_moments_read(&f->t->flat, test_dir_file(&f->dir, "bad"), &err), GR_ERR_FORMAT,
              "its second moments do not have the checksum of the header");
    memset(copy, 0xff, 8);
    test_dir_write(&f->dir, "bad", copy, f->n);
    MUST_FAIL(gr_moments_read(&f->t->flat, test_dir_file(&f->dir, "bad"), &err), GR_ERR_FORMAT,
              "a header of 18446744073709551615 bytes");
    free(copy);
    for (size_t n = 0; n < f->n; n += f->n / 50 + 1) { /* cut short anywhere */
        test_dir_write(&f->dir, "bad", f->bytes, n);
        err = (gr_error){ 0 };
        assert_true(gr_moments_read(&f->t->flat, test_dir_file(&f->dir, "bad"), &err) != GR_OK);
        assert_non_null(strstr(err.msg, "bad"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_file_may_hold_more_than_is_wanted),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
