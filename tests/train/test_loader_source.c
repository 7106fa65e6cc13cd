/* Rows of files are samples of a run: by position, in the order of the epoch, from wherever a run goes on. */
#include "test.h"

#include "grasp/new.h"
#include "support/tempdir.h"
#include "train/loader_source.h"

enum { ROWS = 5, ACCUMULATION = 4 }; /* 8 elements an epoch, the last 3 rows again */

typedef struct {
    test_dir dir;
    gr_runtime *rt;
    gr_model *m;
    gr_loader_source_options o;
    char paths[600];
} fixture;

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    char picture[32 + 12 * 10 * 3], rows[4096];
    size_t at = 0;
    test_dir_make(&f.dir);
    f.rt = test_runtime_threads(2);
    MUST(gr_checkpoint_new(f.rt, "gar-test", test_dir_file(&f.dir, "m"), NULL, &err));
    MUST(gr_model_open(&f.m, f.rt, test_dir_file(&f.dir, "m"), NULL, &err));
    const int n = sprintf(picture, "P6 12 10 255\n");
    memset(picture + n, 100, 12 * 10 * 3);
    test_dir_write(&f.dir, "p.ppm", picture, (size_t)n + 12 * 10 * 3);
    for (int i = 0; i < ROWS; i++)
        at += (size_t)sprintf(
            rows + at,
            "{\"image\":\"p.ppm\",\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\nq\"},"
            "{\"from\":\"gpt\",\"value\":\"answer %c\"}]}\n",
            'a' + i);
    test_dir_write(&f.dir, "rows.jsonl", rows, at);
    snprintf(f.paths, sizeof f.paths, "%s", test_dir_file(&f.dir, "rows.jsonl"));
    f.o = (gr_loader_source_options){ .paths = f.paths,
                                      .image_root = f.dir.path,
                                      .seed = 3,
                                      .accumulation = ACCUMULATION,
                                      .max_tiles = 1,
                                      .max_rows = 500 };
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_model_close(f->m);
    gr_runtime_free(f->rt);
    test_dir_remove(&f->dir);
    return 0;
}

/* A sample as a number: what it is made of, its ids and labels. */
static uint64_t ask(const gr_train_source *s, uint32_t epoch, uint64_t element, char name[64])
{
    gr_error err = { 0 };
    gr_train_item item;
    uint64_t sum = 7;
    int scored = 0;
    MUST(s->give(s->user, epoch, element, &item, &err));
    snprintf(name, 64, "%s", item.name);
    for (int i = 0; i < item.sample.n; i++) {
        sum = sum * 31 + (uint64_t)(uint32_t)item.sample.ids[i] + 7 * (uint64_t)(item.sample.labels[i] >= 0);
        scored += item.sample.labels[i] >= 0;
    }
    assert_true(scored > 8 && item.sample.picture); /* "answer a" and its end */
    return sum;
}

static gr_status no_sum(void *user, gr_dtype type, void *x, size_t n, gr_error *err)
{
    (void)user, (void)type, (void)x, (void)n;
    return gr_fail(err, GR_ERR_ARG, "reading needs no sums");
}

static void a_position_gives_the_same_sample_from_anywhere(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_loader_source *a, *b;
    char names[8][64], name[64];
    uint64_t sums[8];
    MUST(gr_loader_source_open(&a, f->m, &f->o, &err));
    MUST(gr_loader_source_open(&b, f->m, &f->o, &err));
    const gr_train_source all = gr_loader_source_of(a), other = gr_loader_source_of(b);
    assert_true(all.count == ROWS && all.fingerprint == other.fingerprint);
    for (uint64_t i = 0; i < 8; i++)
        sums[i] = ask(&all, 1, i, names[i]);
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]); /* every row once */
    for (int i = ROWS; i < 8; i++)
        assert_string_equal(names[i], names[i - ROWS]); /* then again from the first */
    static const uint64_t asked[] = { 6, 7, 2, 3, 3, 0 };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        assert_true(ask(&other, 1, asked[i], name) == sums[asked[i]]);
        assert_string_equal(name, names[asked[i]]);
    }
    gr_loader_source_close(a);
    gr_loader_source_close(b);
}

static void tiles_are_those_of_the_picture(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_loader_source *s;
    gr_train_item item;
    static float pixels[3 * 112 * 112], mask[112 * 112];
    MUST(gr_loader_source_open(&s, f->m, &f->o, &err));
    const gr_train_source source = gr_loader_source_of(s);
    MUST(source.give(source.user, 0, 0, &item, &err));
    const gr_picture *p = item.sample.picture;
    MUST(p->tile(p->user, 0, pixels, mask, &err));
    for (size_t i = 0; i < 3 * 112 * 112; i++)
        assert_true(fabsf(pixels[i] - (100.0f / 127.5f - 1)) < 1e-5f);
    for (size_t i = 0; i < 112 * 112; i++)
        assert_true(mask[i] == 1); /* a row without masks: the whole picture */
    gr_loader_source_close(s);
}

/* Rank r of two is asked for every other element, and is given what one alone would be. */
static void ranks_share_the_elements_of_one(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_loader_source *one, *ranks[2];
    gr_train_item item;
    char name[64], other[64];
    MUST(gr_loader_source_open(&one, f->m, &f->o, &err));
    for (int r = 0; r < 2; r++) {
        gr_loader_source_options o = f->o;
        o.ranks = (gr_ranks){ .rank = r, .world = 2, .sum = no_sum };
        MUST(gr_loader_source_open(&ranks[r], f->m, &o, &err));
    }
    const gr_train_source all = gr_loader_source_of(one);
    for (uint64_t element = 0; element < 8; element++) {
        const gr_train_source share = gr_loader_source_of(ranks[element % 2]);
        assert_true(share.count == all.count && share.fingerprint == all.fingerprint);
        const uint64_t want = ask(&all, 1, element, name), got = ask(&share, 1, element, other);
        assert_true(want == got);
        assert_string_equal(name, other);
    }
    const gr_train_source second = gr_loader_source_of(ranks[1]);
    MUST_FAIL(second.give(second.user, 0, 2, &item, &err), GR_ERR_ARG, "element 2 is not one of rank 1 of 2");
    gr_loader_source_close(one);
    gr_loader_source_close(ranks[0]);
    gr_loader_source_close(ranks[1]);
}

/* 400 rows with answers of two lengths, four a step. Grouped, they are sorted in four groups of 100
 * (order.h), so that only where kinds meet a step has both, and in the first, where the longest row of all
 * is. */
static void by_length_a_step_has_rows_of_one_length(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    static char text[400 * 300];
    char paths[600];
    size_t at = 0;
    int mixed[2] = { 0 };
    for (int i = 0; i < 400; i++)
        at += (size_t)sprintf(
            text + at,
            "{\"image\":\"p.ppm\",\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\nq\"},"
            "{\"from\":\"gpt\",\"value\":\"%s\"}]}\n",
            i % 2 ? "short" : "a very long answer, so long that nobody would read it to its end");
    test_dir_write(&f->dir, "lengths.jsonl", text, at);
    snprintf(paths, sizeof paths, "%s", test_dir_file(&f->dir, "lengths.jsonl"));
    for (int grouped = 0; grouped < 2; grouped++) {
        gr_loader_source *s;
        gr_loader_source_options o = f->o;
        o.paths = paths;
        o.by_length = grouped;
        MUST(gr_loader_source_open(&s, f->m, &o, &err));
        const gr_train_source source = gr_loader_source_of(s);
        assert_true((strstr(source.order, "length") != NULL) == grouped);
        for (uint64_t step = 0; step < 100; step++) {
            int rows[ACCUMULATION];
            for (uint64_t i = 0; i < ACCUMULATION; i++) {
                gr_train_item item;
                MUST(source.give(source.user, 0, step * ACCUMULATION + i, &item, &err));
                rows[i] = item.sample.n;
            }
            mixed[grouped] += rows[0] != rows[1] || rows[1] != rows[2] || rows[2] != rows[3];
        }
        gr_loader_source_close(s);
    }
    assert_true(mixed[0] >= 70 && mixed[1] <= 5);
}

static void what_cannot_be_read_is_said(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_loader_source *s;
    gr_loader_source_options o = f->o;
    o.paths = "";
    MUST_FAIL(gr_loader_source_open(&s, f->m, &o, &err), GR_ERR_ARG, "");
    o.paths = "/nowhere/rows.jsonl";
    MUST_FAIL(gr_loader_source_open(&s, f->m, &o, &err), GR_ERR_IO, "/nowhere/rows.jsonl");
    o.paths = f->dir.path; /* a folder without Arrow files */
    err = (gr_error){ 0 };
    assert_true(gr_loader_source_open(&s, f->m, &o, &err) != GR_OK && err.msg[0]);
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_gives_the_same_sample_from_anywhere),
        cmocka_unit_test(ranks_share_the_elements_of_one),
        cmocka_unit_test(by_length_a_step_has_rows_of_one_length),
        cmocka_unit_test(tiles_are_those_of_the_picture),
        cmocka_unit_test(what_cannot_be_read_is_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
