/* The stages of a small model: which rows come, what they count, what ends them. */
#include "test.h"

#include "grasp/model.h"
#include "grasp/bench.h"
#include "grasp/new.h"
#include "support/tempdir.h"

#define MAX_ROWS 64

typedef struct {
    int n;
    gr_bench_row row[MAX_ROWS];
    char name[MAX_ROWS][64], kind[MAX_ROWS][16];
    uint64_t done, total;
    int64_t polls_allowed; /* then it is cancelled; -1: never */
} seen;

static void on_row(void *user, const gr_bench_row *row)
{
    seen *s = user;
    assert_true(s->n < MAX_ROWS && strlen(row->name) < 64 && strlen(row->kind) < 16);
    s->row[s->n] = *row;
    strcpy(s->name[s->n], row->name);
    strcpy(s->kind[s->n], row->kind);
    s->n++;
}

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    seen *s = user;
    assert_true(done <= total);
    s->done = done;
    s->total = total;
    return s->polls_allowed < 0 || s->polls_allowed-- > 0;
}

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    gr_model *model;
} world;

static int start(void **state)
{
    world *w = calloc(1, sizeof *w);
    gr_error err = { 0 };
    w->rt = test_runtime();
    test_dir_make(&w->dir);
    const char *path = test_dir_file(&w->dir, "model");
    MUST(gr_checkpoint_new(w->rt, "gar-test", path, NULL, &err));
    MUST(gr_model_open(&w->model, w->rt, path, NULL, &err));
    *state = w;
    return 0;
}

static int stop(void **state)
{
    world *w = *state;
    gr_model_close(w->model);
    test_dir_remove(&w->dir);
    gr_runtime_free(w->rt);
    free(w);
    return 0;
}

static gr_bench_stage_options options(seen *s)
{
    gr_bench_stage_options o;
    gr_bench_stage_options_init(&o);
    *s = (seen){ .polls_allowed = -1 };
    o.repeats = 1;
    o.seconds = 0;
    o.max_tokens = 4;
    o.tiles[0] = 1, o.tiles[1] = 2, o.tiles[2] = 4; /* with 2 this picture is cut as with 1 */
    o.tiles[3] = 0;
    o.watch = (gr_bench_watch){ on_row, on_progress, s };
    return o;
}

/* A grey picture of 200 x 100 pixels, which one or two tiles show. */
static void give_file(gr_bench_stage_options *o)
{
    static char file[32 + 200 * 100 * 3];
    const int head = sprintf(file, "P6\n200 100\n255\n");
    memset(file + head, 77, 200 * 100 * 3);
    o->file = file;
    o->file_bytes = (size_t)head + 200 * 100 * 3;
}

static const gr_bench_row *row_of(const seen *s, const char *name)
{
    for (int i = 0; i < s->n; i++)
        if (strcmp(s->name[i], name) == 0)
            return &s->row[i];
    fail_msg("there is no row %s", name);
    return NULL;
}

static void check_names(const seen *s, const char *const *want)
{
    int n = 0;
    for (; want[n]; n++)
        assert_string_equal(s->name[n], want[n]);
    assert_int_equal(s->n, n);
}

static void check_measured(const seen *s)
{
    for (int i = 0; i < s->n; i++) {
        const gr_bench_row *r = &s->row[i];
        const bool limited = strncmp(s->name[i], "tile/", 5) == 0 || strncmp(s->name[i], "answer", 6) == 0 ||
                             strcmp(s->name[i], "memory/peak") == 0;
        if (!(r->repeats >= 1 && r->min > 0 && r->min <= r->median && r->median <= r->max &&
              isfinite(r->max)))
            fail_msg("%s: %g [%g..%g] %s", s->name[i], r->median, r->min, r->max, r->unit);
        if (limited ? !(isfinite(r->fraction) && r->fraction > 0) : !isnan(r->fraction))
            fail_msg("%s: a fraction of %g", s->name[i], r->fraction);
        if (strcmp(s->kind[i], "memory") != 0 && !(r->seconds_median > 0))
            fail_msg("%s: %g seconds", s->name[i], r->seconds_median);
    }
}

static void every_stage_is_measured_in_the_order_of_the_work(void **state)
{
    world *w = *state;
    static const char *const want[] = { "limit/fma",
                                        "limit/read",
                                        "picture/decode-pnm",
#ifdef GR_HAVE_SPNG
                                        "picture/decode-png",
#endif
                                        "picture/cut-1+1",
                                        "picture/cut-1+4",
                                        "tile/embed",
                                        "tile/tower",
                                        "tile/projector",
                                        "tile/replay",
                                        "answer-1+1/tower",
                                        "answer-1+1/prefill",
                                        "answer-1+1/decode",
                                        "answer-1+1/whole",
                                        "answer-1+4/tower",
                                        "answer-1+4/prefill",
                                        "answer-1+4/decode",
                                        "answer-1+4/whole",
                                        "memory/announced",
                                        "memory/peak",
                                        NULL };
    static seen s;
    gr_error err = { 0 };
    const gr_bench_stage_options o = options(&s);
    MUST(gr_bench_stages(w->model, &o, &err));
    check_names(&s, want);
    check_measured(&s);
    assert_true(s.done == (uint64_t)s.n && s.total == (uint64_t)s.n);

    /* 2 and 5 tiles of 16 rows, 16 of the region, 308 of text; the parts of a tile are the parts of the
     * tower. */
    assert_int_equal(row_of(&s, "answer-1+1/prefill")->rows, 2 * 16 + 16 + 308);
    assert_int_equal(row_of(&s, "answer-1+4/prefill")->rows, 5 * 16 + 16 + 308);
    const double tile =
        row_of(&s, "tile/embed")->flop + row_of(&s, "tile/tower")->flop + row_of(&s, "tile/projector")->flop;
    assert_true(row_of(&s, "answer-1+4/tower")->flop == 5 * tile);
    const gr_bench_row *decode = row_of(&s, "answer-1+1/decode");
    assert_true(fabs(row_of(&s, "answer-1+1/whole")->flop -
                     (2 * tile + row_of(&s, "answer-1+1/prefill")->flop + 3 * decode->flop)) < 1);

    /* Three layers of q and o 96 x 96, k and v 32 x 96, gate, up and down 160 x 96, two norms; a head of 296
     * in panels of 32; keys and values of 2 heads of 16 for three positions after 356, two of them on
     * average. */
    const double layer = 2 * 96 * 96 + 2 * 32 * 96 + 3 * 160 * 96 + 2 * 96, head = 320 * 96,
                 pages = 3 * 2 * (356 + 2) * 32;
    assert_true(decode->bytes == 4 * (3 * layer + head + pages));
}

static void a_picture_that_is_given_is_the_one_described(void **state)
{
    world *w = *state;
    static seen s;
    gr_error err = { 0 };
    gr_bench_stage_options o = options(&s);
    give_file(&o);
    o.tiles[0] = 2, o.tiles[1] = 0;
    MUST(gr_bench_stages(w->model, &o, &err));
    const gr_bench_row *decode = row_of(&s, "picture/decode");
    assert_true(decode->rows == 100 && decode->inputs == 200 && decode->bytes == 60000);
    row_of(&s, "answer-1+2/whole"); /* two tiles beside each other */
    o.file_bytes = 40;
    MUST_FAIL(gr_bench_stages(w->model, &o, &err), GR_ERR_FORMAT, "PNM");
}

/* Wherever it is stopped, what was told is whole. */
static void stages_that_are_cancelled_keep_their_rows(void **state)
{
    world *w = *state;
    static seen s;
    for (int polls = 0; polls < 40; polls += 13) {
        gr_error err = { 0 };
        gr_bench_stage_options o = options(&s);
        give_file(&o);
        s.polls_allowed = polls;
        MUST_FAIL(gr_bench_stages(w->model, &o, &err), GR_ERR_CANCELLED, "cancelled");
        assert_true((uint64_t)s.n == s.done && s.done < 20);
        check_measured(&s);
    }
}

static void wrong_options_are_refused_with_a_sentence(void **state)
{
    world *w = *state;
    static seen s;
    gr_error err = { 0 };
    gr_bench_stage_options o = options(&s);
    o.tiles[1] = 65;
    MUST_FAIL(gr_bench_stages(w->model, &o, &err), GR_ERR_ARG, "a picture of 65 tiles, expected 1 to 64");
    o.tiles[0] = 0;
    MUST_FAIL(gr_bench_stages(w->model, &o, &err), GR_ERR_ARG, "no number of tiles");
    o = options(&s);
    o.max_tokens = 1;
    MUST_FAIL(gr_bench_stages(w->model, &o, &err), GR_ERR_ARG, "answers of 1 tokens");
    o.max_tokens = INT32_MAX;
    MUST_FAIL(gr_bench_stages(w->model, &o, &err), GR_ERR_ARG, "expected 2 to 1000000");
    o.max_tokens = 4000;
    give_file(&o);
    MUST_FAIL(gr_bench_stages(w->model, &o, &err), GR_ERR_LIMIT, "a context of 4372 tokens");
    o = options(&s);
    o.repeats = 1000;
    MUST_FAIL(gr_bench_stages(w->model, &o, &err), GR_ERR_ARG, "repeats are 1000");
    o.size = 8;
    MUST_FAIL(gr_bench_stages(w->model, &o, &err), GR_ERR_ARG, "gr_bench_stage_options.size is 8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage_is_measured_in_the_order_of_the_work),
        cmocka_unit_test(a_picture_that_is_given_is_the_one_described),
        cmocka_unit_test(stages_that_are_cancelled_keep_their_rows),
        cmocka_unit_test(wrong_options_are_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
