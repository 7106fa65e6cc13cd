/* Samples in the order of a run: the same whatever makes them, with bad rows replaced and counted, and an end
 * to it when there are too many. */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/base64.h"
#include "base/rng.h"
#include "dataset/gar_row.h"
#include "dataset/json_rows.h"
#include "engine/model.h"
#include "model/gar_new.h"
#include "support/counting.h"
#include "support/tempdir.h"
#include "train/loader.h"

enum { SETS = 2, MAX_SAMPLES = 64 };

typedef struct {
    counting memory;
    gr_runtime *rt;
    test_dir dir;
    gr_model *model;
    gr_gar_sample_rules rules;
    gr_buf text[SETS];
    gr_row_source *list[SETS];
    gr_row_sources sets;
    gr_order order;
} bench;

/* A row of set 0 or 1: a picture of 12 x 10 pixels that tells it from others, two masks, two captions. */
static void good_row(gr_buf *out, int set, int i)
{
    gr_buf file, text;
    gr_buf_init(&file, out->rt, 4096);
    gr_buf_init(&text, out->rt, 4096);
    gr_buf_printf(&file, "P5 12 10 255\n");
    for (int k = 0; k < 120; k++)
        gr_buf_add(&file, &(char){ (char)(i * 17 + k * (set + 1)) }, 1);
    gr_base64_encode(&text, file.data, file.len);
    gr_buf_printf(out,
                  "{\"id\":\"%d/%d\",\"image\":\"data:base64,%s\",\"conversations\":["
                  "{\"from\":\"human\",\"value\":\"<image>\\nx\"},{\"from\":\"gpt\",\"value\":\"Row %d.\"},"
                  "{\"from\":\"human\",\"value\":\"x\"},{\"from\":\"gpt\",\"value\":\"Of set %d.\"}],"
                  "\"mask_rle\":[{\"size\":[10,12],\"counts\":[3,40,77]},"
                  "{\"size\":[10,12],\"counts\":[50,30,40]}]}\n",
                  set, i, text.data, i, set);
    gr_buf_fini(&file);
    gr_buf_fini(&text);
}

/* Every fourth row of `bad` kinds is one of these. */
static const char *const bad_rows[] = {
    "nonsense",
    "{\"conversations\":[{\"from\":\"human\",\"value\":\"x\"},{\"from\":\"gpt\",\"value\":\"y\"}]}",
    "{\"image\":\"/nowhere/a.png\",\"conversations\":[{\"from\":\"human\",\"value\":\"x\"},{\"from\":\"gpt\","
    "\"value\":\"y\"}]}",
    "{\"image\":\"x\",\"conversations\":[{\"from\":\"human\",\"value\":\"<Prompt9>?\"},{\"from\":\"gpt\","
    "\"value\":\"y\"}],"
    "\"mask_rle\":{\"size\":[1,1],\"counts\":\"01\"}}",
};
static const gr_skip bad_reasons[] = { GR_SKIP_UNREADABLE, GR_SKIP_NO_IMAGE, GR_SKIP_NO_IMAGE,
                                       GR_SKIP_TOO_MANY_REGIONS };

/* Sets of 13 and 9 rows; with `every` > 0, each every-th row is bad. */
static void bench_init(bench *b, int every)
{
    static const int counts[SETS] = { 13, 9 };
    gr_error err = { 0 };
    gr_gar_config c;
    gr_profile profile;
    *b = (bench){ 0 };
    b->rt = counting_runtime(&b->memory, 2);
    MUST(gr_gar_config_preset(&c, "gar-test", &err));
    test_dir_make(&b->dir);
    MUST(gr_gar_new(b->rt, &c, test_dir_file(&b->dir, "model"), NULL, &err));
    MUST(gr_model_open(&b->model, b->rt, test_dir_file(&b->dir, "model"), NULL, &err));
    MUST(gr_profile_init(&profile, "released", &err));
    gr_gar_sample_rules_init(&b->rules, &b->model->gar->config, &b->model->markers, b->model->tokenizer,
                             &profile);
    b->rules.max_tiles = 2;
    for (int s = 0; s < SETS; s++) {
        char name[8];
        gr_buf_init(&b->text[s], b->rt, 1 << 20);
        for (int i = 0; i < counts[s]; i++)
            if (every && i % every == every - 1)
                gr_buf_printf(&b->text[s], "%s\n", bad_rows[i / every % 4]);
            else
                good_row(&b->text[s], s, i);
        snprintf(name, sizeof name, "set%d", s);
        MUST(gr_json_rows_wrap(&b->list[s], b->rt, b->text[s].data, b->text[s].len, "toy.jsonl", name,
                               gr_gar_row_parse, &err));
    }
    MUST(gr_row_sources_init(&b->sets, b->list, SETS, &err));
    MUST(gr_order_init(
        &b->order, b->rt,
        &(gr_order_options){ .n_rows = b->sets.count, .world = 2, .accumulation = 2, .seed = 42 }, &err));
}

static void bench_fini(bench *b)
{
    gr_order_fini(&b->order);
    for (int s = 0; s < SETS; s++) {
        gr_rows_close(b->list[s]);
        gr_buf_fini(&b->text[s]);
    }
    gr_model_close(b->model);
    test_dir_remove(&b->dir);
    gr_runtime_free(b->rt);
    assert_int_equal(atomic_load(&b->memory.now), 0);
}

/* --- a run --------------------------------------------------------------------------------------------- */

typedef struct {
    int n;
    uint64_t hash[MAX_SAMPLES];
    gr_loaded item[MAX_SAMPLES]; /* samples freed */
    uint64_t counts[SETS][GR_SKIP_COUNT];
} result;

static uint64_t hash_of(const gr_gar_sample *s)
{
    const size_t side = (size_t)s->pixels->tile_px, whole = side * side * (size_t)(s->pixels->n - 1);
    uint64_t h = gr_fnv1a64(s->ids.v, s->ids.n * sizeof *s->ids.v, 1);
    h = gr_fnv1a64(s->labels, s->ids.n * sizeof *s->labels, h);
    h = gr_fnv1a64(s->boxes, (size_t)s->n_boxes * sizeof s->boxes[0], h);
    h = gr_fnv1a64(s->pixels->whole, 3 * whole, h);
    return gr_fnv1a64(s->mask->whole, whole, h);
}

static gr_status run(bench *b, const gr_loader_options *o, result *r, gr_error *err)
{
    gr_loader *l;
    *r = (result){ 0 };
    GR_TRY(gr_loader_open(&l, b->rt, o, err));
    gr_status st;
    for (;;) {
        gr_loaded item;
        st = gr_loader_next(l, &item, err);
        if (st != GR_OK || !item.sample)
            break;
        r->hash[r->n % MAX_SAMPLES] = hash_of(item.sample);
        gr_gar_sample_free(item.sample);
        item.sample = NULL;
        r->item[r->n++ % MAX_SAMPLES] = item;
    }
    for (size_t s = 0; s < SETS; s++)
        memcpy(r->counts[s], gr_loader_counts(l, s), sizeof r->counts[s]);
    gr_loader_close(l);
    return st;
}

static gr_loader_options options(bench *b, int n_threads, int ahead)
{
    gr_loader_options o;
    gr_loader_options_init(&o, &b->sets, &b->order, &b->rules);
    o.n_threads = n_threads;
    o.ahead = ahead;
    return o;
}

static void must_run(bench *b, const gr_loader_options *o, result *r)
{
    gr_error err = { 0 };
    MUST(run(b, o, r, &err));
}

static void expect_same(const result *a, const result *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->hash, b->hash, sizeof a->hash);
    assert_memory_equal(a->counts, b->counts, sizeof a->counts);
    for (int i = 0; i < a->n; i++) {
        assert_int_equal(a->item[i].set, b->item[i].set);
        assert_int_equal(a->item[i].row, b->item[i].row);
        assert_int_equal(a->item[i].attempts, b->item[i].attempts);
    }
}

/* --- what comes ---------------------------------------------------------------------------------------- */

static void samples_do_not_depend_on_threads_or_on_how_far_they_are_ahead(void **state)
{
    (void)state;
    static const struct {
        int threads, ahead;
    } ways[] = { { 0, 1 }, { 1, 1 }, { 1, 5 }, { 3, 3 }, { 3, 8 }, { 7, 64 } };
    bench b;
    bench_init(&b, 4);
    for (int rank = 0; rank < 2; rank++) {
        result first, again;
        gr_loader_options o = options(&b, 0, 1);
        o.rank = rank;
        must_run(&b, &o, &first);
        assert_int_equal(first.n, 12); /* 22 rows in batches of 4 */
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            o.n_threads = ways[i].threads, o.ahead = ways[i].ahead;
            must_run(&b, &o, &again);
            expect_same(&first, &again);
        }
    }
    bench_fini(&b);
}

/* Without bad rows every position has its own row, and both ranks together have all of them. */
static void every_row_comes_in_its_order(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 0);
    int seen[SETS][16] = { { 0 } };
    for (int rank = 0; rank < 2; rank++) {
        result r;
        gr_loader_options o = options(&b, 2, 4);
        o.rank = rank;
        must_run(&b, &o, &r);
        for (int i = 0; i < r.n; i++) {
            const size_t row = gr_order_row(&b.order, gr_order_element(&b.order, (uint64_t)i, rank));
            const gr_row_place place = gr_row_sources_find(&b.sets, row);
            assert_int_equal(r.item[i].micro_step, i);
            assert_int_equal(r.item[i].set, place.source);
            assert_int_equal(r.item[i].row, place.row);
            assert_int_equal(r.item[i].attempts, 1);
            seen[place.source][place.row]++;
        }
    }
    for (int i = 0; i < 13; i++)
        assert_true(seen[0][i] >= 1);
    for (int i = 0; i < 9; i++)
        assert_true(seen[1][i] >= 1);
    bench_fini(&b);
}

/* Two ranks of two micro-steps and one of four: the same samples in the same batches, replacements and draws
 * included. */
static void samples_do_not_depend_on_how_batches_are_shared(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 4);
    gr_error err = { 0 };
    result two[2], one;
    for (int rank = 0; rank < 2; rank++) {
        gr_loader_options o = options(&b, 2, 4);
        o.rank = rank;
        must_run(&b, &o, &two[rank]);
    }
    gr_order_fini(&b.order);
    MUST(gr_order_init(
        &b.order, b.rt,
        &(gr_order_options){ .n_rows = b.sets.count, .world = 1, .accumulation = 4, .seed = 42 }, &err));
    gr_loader_options o = options(&b, 2, 4);
    must_run(&b, &o, &one);
    assert_int_equal(one.n, 24);
    for (int i = 0; i < one.n; i++)
        assert_true(one.hash[i] == two[i % 2].hash[i / 2]);
    bench_fini(&b);
}

static void a_run_goes_on_where_it_stopped(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 4);
    result whole, rest;
    gr_loader_options o = options(&b, 2, 4);
    must_run(&b, &o, &whole);
    for (uint64_t begin = 1; begin <= 12; begin += 5) {
        o.begin = begin;
        must_run(&b, &o, &rest);
        assert_int_equal(rest.n, 12 - (int)begin);
        assert_memory_equal(rest.hash, whole.hash + begin, (size_t)rest.n * sizeof *rest.hash);
    }
    gr_error err = { 0 };
    MUST(gr_order_choose(&b.order, 1, &err));
    o.begin = 0;
    must_run(&b, &o, &rest);
    assert_memory_not_equal(rest.hash, whole.hash, sizeof rest.hash);
    bench_fini(&b);
}

static void a_bad_row_gives_way_to_another_of_its_set_and_is_counted(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 4);
    result r[2];
    uint64_t counts[GR_SKIP_COUNT] = { 0 };
    int extra = 0, bad = 0;
    unsigned others = 0; /* rows of set 0 that took the place of bad ones */
    for (int rank = 0; rank < 2; rank++) {
        gr_loader_options o = options(&b, 2, 4);
        o.rank = rank;
        must_run(&b, &o, &r[rank]);
        for (int i = 0; i < r[rank].n; i++) {
            const size_t row = gr_order_row(&b.order, gr_order_element(&b.order, (uint64_t)i, rank));
            const gr_row_place place = gr_row_sources_find(&b.sets, row);
            const gr_loaded *item = &r[rank].item[i];
            assert_int_equal(item->set, place.source);
            assert_int_not_equal(item->row % 4, 3);
            assert_true((place.row % 4 == 3) == (item->attempts > 1));
            bad += place.row % 4 == 3;
            extra += item->attempts - 1;
            others |= item->set == 0 && item->attempts > 1 ? 1u << item->row : 0;
        }
        for (int s = 0; s < SETS; s++)
            for (int k = 0; k < GR_SKIP_COUNT; k++)
                counts[k] += r[rank].counts[s][k];
    }
    assert_true(bad >= 5 && extra >= bad);
    assert_true((others & (others - 1)) != 0); /* not always the same one */
    assert_int_equal(counts[GR_SKIP_NONE], 24);
    assert_int_equal(counts[GR_SKIP_UNREADABLE] + counts[GR_SKIP_NO_IMAGE] + counts[GR_SKIP_TOO_MANY_REGIONS],
                     extra);
    for (size_t i = 0; i < 3; i++) /* every kind of bad row of set 0 was met and has its reason */
        assert_true(r[0].counts[0][bad_reasons[i]] + r[1].counts[0][bad_reasons[i]] > 0);
    bench_fini(&b);
}

/* --- an end to it -------------------------------------------------------------------------------------- */

static void too_many_damaged_rows_end_the_run(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 2);
    gr_error err = { 0 };
    result few, r;
    gr_loader_options o = options(&b, 3, 8);
    must_run(&b, &o, &few); /* 100 of 10,000 are allowed */
    o.most_damaged = 3;
    MUST_FAIL(run(&b, &o, &r, &err), GR_ERR_FORMAT,
              "more than 3 of the last 10000 rows are damaged; the last: ");
    assert_true(r.n > 0 && r.n < few.n);
    assert_memory_equal(r.hash, few.hash, (size_t)r.n * sizeof *r.hash);
    const int n = r.n;
    o.n_threads = 0;
    MUST_FAIL(run(&b, &o, &r, &err), GR_ERR_FORMAT, "more than 3");
    assert_int_equal(r.n, n);
    bench_fini(&b);
}

static void rows_that_are_merely_not_used_do_not_end_it(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 0);
    gr_error err = { 0 };
    result r;
    gr_loader_options o = options(&b, 2, 4);
    o.most_damaged = 0;
    b.rules.max_rows = 10; /* no sample is as short */
    MUST_FAIL(run(&b, &o, &r, &err), GR_ERR_FORMAT, "none of 1001 rows makes a sample; the last: ");
    assert_int_equal(r.n, 0);
    assert_int_equal(r.counts[0][GR_SKIP_TOO_LONG] + r.counts[1][GR_SKIP_TOO_LONG], 1001);
    bench_fini(&b);
}

static void a_failure_stays(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 2);
    gr_error err = { 0 };
    gr_loader *l;
    gr_loaded item;
    gr_loader_options o = options(&b, 2, 4);
    o.most_damaged = 0;
    MUST(gr_loader_open(&l, b.rt, &o, &err));
    gr_status st = GR_OK;
    while (st == GR_OK) {
        st = gr_loader_next(l, &item, &err);
        gr_gar_sample_free(item.sample);
    }
    MUST_FAIL(gr_loader_next(l, &item, &err), st, "more than 0");
    assert_null(item.sample);
    gr_loader_close(l);
    bench_fini(&b);
}

/* A data set whose rows take until the loader was cancelled. */
typedef struct {
    gr_row_source head;
    gr_loader *loader;
    atomic_bool reading, cancelled;
} slow_rows;

static gr_status read_slowly(const gr_row_source *s, size_t i, gr_record *r, gr_error *err)
{
    slow_rows *rows = (slow_rows *)s;
    (void)r;
    atomic_store(&rows->reading, true);
    while (!atomic_load(&rows->cancelled))
        sched_yield();
    return gr_fail(err, GR_ERR_FORMAT, "row %zu came too late", i);
}

static void *cancel_when_it_reads(void *user)
{
    slow_rows *rows = user;
    while (!atomic_load(&rows->reading))
        sched_yield();
    gr_loader_cancel(rows->loader);
    atomic_store(&rows->cancelled, true);
    return NULL;
}

static void a_loader_is_cancelled_from_another_thread(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 0);
    static const gr_row_format slow = { .read = read_slowly };
    for (int threads = 0; threads <= 2; threads++) {
        gr_error err = { 0 };
        gr_loaded item;
        pthread_t other;
        slow_rows rows = { .head = { .format = &slow, .count = b.sets.count } };
        gr_row_source *list[] = { &rows.head };
        gr_row_sources sets;
        MUST(gr_row_sources_init(&sets, list, 1, &err));
        gr_loader_options o = options(&b, threads, 4);
        o.sets = &sets;
        MUST(gr_loader_open(&rows.loader, b.rt, &o, &err));
        assert_int_equal(pthread_create(&other, NULL, cancel_when_it_reads, &rows), 0);
        MUST_FAIL(gr_loader_next(rows.loader, &item, &err), GR_ERR_CANCELLED, "cancelled");
        pthread_join(other, NULL);
        MUST_FAIL(gr_loader_next(rows.loader, &item, &err), GR_ERR_CANCELLED, "cancelled");
        gr_loader_close(rows.loader);
    }
    bench_fini(&b);
}

/* What was made ahead and never taken is given back too: bench_fini finds no byte out. */
static void a_loader_may_be_closed_at_any_time(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 4);
    for (int taken = 0; taken < 3; taken++) {
        gr_error err = { 0 };
        gr_loader *l;
        gr_loader_options o = options(&b, 3, 6);
        MUST(gr_loader_open(&l, b.rt, &o, &err));
        for (int i = 0; i < taken; i++) {
            gr_loaded item;
            MUST(gr_loader_next(l, &item, &err));
            gr_gar_sample_free(item.sample);
        }
        gr_loader_close(l);
    }
    bench_fini(&b);
}

/* Each allocation of making samples fails once: no memory is not a bad row. */
static void no_memory_is_an_error_and_loses_nothing(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 4);
    result r;
    gr_loader_options o = options(&b, 0, 1);
    o.end = 1;
    const size_t before = atomic_load(&b.memory.calls);
    must_run(&b, &o, &r);
    const size_t calls = atomic_load(&b.memory.calls) - before;
    assert_true(calls > 20);
    for (size_t i = 1; i <= calls; i++) {
        gr_error err = { 0 };
        atomic_store(&b.memory.fail_at, atomic_load(&b.memory.calls) + i);
        const gr_status st = run(&b, &o, &r, &err);
        atomic_store(&b.memory.fail_at, 0);
        if (st != GR_ERR_MEM)
            fail_msg("allocation %zu of %zu fails: status %d, '%s'", i, calls, st, err.msg);
    }
    bench_fini(&b);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, 0);
    gr_error err = { 0 };
    gr_loader *l;
    gr_loader_options o = options(&b, 2, 4);
    o.rank = 2;
    MUST_FAIL(gr_loader_open(&l, b.rt, &o, &err), GR_ERR_ARG, "rank 2 of 2");
    o = options(&b, 4, 3);
    MUST_FAIL(gr_loader_open(&l, b.rt, &o, &err), GR_ERR_ARG, "3 samples ahead with 4 threads");
    o = options(&b, 65, 100);
    MUST_FAIL(gr_loader_open(&l, b.rt, &o, &err), GR_ERR_ARG, "65 threads");
    o = options(&b, 1, 1);
    o.end = 13;
    MUST_FAIL(gr_loader_open(&l, b.rt, &o, &err), GR_ERR_ARG, "the epoch has 12");
    b.sets.count--;
    o.end = 12;
    MUST_FAIL(gr_loader_open(&l, b.rt, &o, &err), GR_ERR_ARG, "22 rows, the data sets have 21");
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_do_not_depend_on_threads_or_on_how_far_they_are_ahead),
        cmocka_unit_test(every_row_comes_in_its_order),
        cmocka_unit_test(samples_do_not_depend_on_how_batches_are_shared),
        cmocka_unit_test(a_run_goes_on_where_it_stopped),
        cmocka_unit_test(a_bad_row_gives_way_to_another_of_its_set_and_is_counted),
        cmocka_unit_test(too_many_damaged_rows_end_the_run),
        cmocka_unit_test(rows_that_are_merely_not_used_do_not_end_it),
        cmocka_unit_test(a_failure_stays),
        cmocka_unit_test(a_loader_is_cancelled_from_another_thread),
        cmocka_unit_test(a_loader_may_be_closed_at_any_time),
        cmocka_unit_test(no_memory_is_an_error_and_loses_nothing),
        cmocka_unit_test(numbers_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
