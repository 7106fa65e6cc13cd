/* The synthetic world as rows: by number, from any thread, the same every time; and as training samples. */
#include "test.h"

#include <pthread.h>

#include "base/alloc.h"
#include "grasp/new.h"
#include "support/tempdir.h"
#include "synth/paint.h"
#include "synth/synth_rows.h"
#include "train/loader_source.h"

enum { ROWS = 24 };

static bool can_paint(gr_runtime *rt)
{
    gr_painter *p;
    gr_error err = { 0 };
    if (gr_painter_new(&p, rt, NULL, &err) != GR_OK) {
        printf("SKIP: %s\n", err.msg);
        return false;
    }
    gr_painter_free(p);
    return true;
}

typedef struct {
    gr_row_source *s;
    gr_record *rows; /* [ROWS] */
    int first;
} reader;

static void *read_some(void *user)
{
    reader *r = user;
    for (int i = r->first; i < ROWS; i += 2) {
        gr_error err = { 0 };
        if (gr_rows_read(r->s, (size_t)i, &r->rows[i], &err) != GR_OK)
            fprintf(stderr, "row %d: %s\n", i, err.msg);
    }
    return NULL;
}

static void rows_do_not_depend_on_who_reads_them(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_row_source *s, *other;
    gr_runtime *rt = test_runtime_threads(1);
    if (!can_paint(rt)) {
        gr_runtime_free(rt);
        return;
    }
    MUST(gr_synth_rows_open(&s, rt, "synth:train:7:24", &err));
    MUST(gr_synth_rows_open(&other, rt, "synth:validation:7:24", &err));
    assert_int_equal(s->count, ROWS);
    assert_false(gr_hash_same(s->fingerprint, other->fingerprint));
    gr_record rows[ROWS], one;
    int differ = 0;
    for (int i = 0; i < ROWS; i++)
        gr_record_init(&rows[i], rt);
    gr_record_init(&one, rt);
    reader readers[2] = { { s, rows, 0 }, { s, rows, 1 } };
    pthread_t threads[2];
    for (int t = 0; t < 2; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, read_some, &readers[t]), 0);
    for (int t = 0; t < 2; t++)
        pthread_join(threads[t], NULL);
    for (int i = ROWS; i-- > 0;) {
        MUST(gr_rows_read(s, (size_t)i, &one, &err));
        assert_true(one.n_turns >= 2 && one.n_regions >= 1 && gr_record_same(&one, &rows[i]));
        MUST(gr_rows_read(other, (size_t)i, &one, &err));
        differ += !gr_record_same(&one, &rows[i]);
    }
    assert_int_equal(differ, ROWS);
    for (int i = 0; i < ROWS; i++)
        gr_record_fini(&rows[i]);
    gr_record_fini(&one);
    gr_rows_close(s);
    gr_rows_close(other);
    gr_runtime_free(rt);
}

/* Named as data of a run, every row makes a sample. */
static void every_row_is_a_sample(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime_threads(2);
    test_dir dir;
    gr_model *m;
    gr_loader_source *source;
    if (!can_paint(rt)) {
        gr_runtime_free(rt);
        return;
    }
    test_dir_make(&dir);
    MUST(gr_checkpoint_new(rt, "gar-test", test_dir_file(&dir, "m"), NULL, &err));
    MUST(gr_model_open(&m, rt, test_dir_file(&dir, "m"), NULL, &err));
    const gr_loader_source_options o = { .paths = "synth:train:3:200",
                                         .image_root = "",
                                         .seed = 1,
                                         .accumulation = 1,
                                         .max_tiles = 4,
                                         .max_rows = 4000 };
    MUST(gr_loader_source_open(&source, m, &o, &err));
    const gr_train_source s = gr_loader_source_of(source);
    assert_int_equal(s.count, 200);
    for (uint64_t i = 0; i < s.count; i++) {
        gr_train_item item;
        MUST(s.give(s.user, 0, i, &item, &err));
        assert_true(item.sample.n > 20 && item.sample.picture);
    }
    gr_loader_source_close(source);
    gr_model_close(m);
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

/* Every region of such a row is named, or asked after in a list of all; nothing is asked that has options. */
static void rows_of_looking_ask_about_all_they_show(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(1);
    gr_error err = { 0 };
    gr_row_source *s;
    gr_record r;
    int many = 0, lists = 0;
    if (!can_paint(rt)) {
        gr_runtime_free(rt);
        return;
    }
    MUST(gr_synth_rows_open(&s, rt, "synth:train:3:60:looking", &err));
    gr_record_init(&r, rt);
    for (size_t i = 0; i < s->count; i++) {
        MUST(gr_rows_read(s, i, &r, &err));
        size_t most = 0;
        const bool names = !strstr(r.turns[0].value.at, "<Prompt");
        for (size_t t = 0; t < r.n_turns; t += 2) {
            size_t named = 0;
            for (const char *at = r.turns[t].value.at; (at = strstr(at, "<Prompt")) != NULL; at++)
                named++;
            assert_null(strstr(r.turns[t].value.at, "Options:"));
            most = named > most ? named : most;
        }
        assert_int_equal(names ? r.n_turns / 2 : most, r.n_regions);
        many += names && r.n_regions >= 3;
        lists += !names;
    }
    assert_true(many > 20 && lists > 5);
    gr_record_fini(&r);
    gr_rows_close(s);
    gr_runtime_free(rt);
}

/* Each kind alone. */
static void rows_of_choices_and_of_captions_are_nothing_else(void **state)
{
    (void)state;
    static const char *const kinds[] = { "synth:train:3:80:choices", "synth:train:3:80:captions" };
    gr_runtime *rt = test_runtime_threads(1);
    gr_error err = { 0 };
    gr_record r;
    gr_record_init(&r, rt);
    for (int k = 0; k < 2 && can_paint(rt); k++) {
        gr_row_source *s;
        MUST(gr_synth_rows_open(&s, rt, kinds[k], &err));
        for (size_t i = 0; i < s->count; i++) {
            unsigned mentioned = 0;
            MUST(gr_rows_read(s, i, &r, &err));
            for (size_t t = 0; t < r.n_turns; t += 2) {
                const char *question = r.turns[t].value.at, *answer = r.turns[t + 1].value.at;
                assert_int_equal(strstr(question, "Options:") != NULL, k == 0);
                assert_true(k == 1 || (r.turns[t + 1].value.n == 1 && *answer >= 'A' && *answer <= 'F'));
                for (const char *at = question; (at = strstr(at, "<Prompt")) != NULL; at++)
                    mentioned |= 1u << (at[7] - '0');
            }
            assert_true(r.n_turns > 0 && r.n_regions > 0);
            if (k == 0) /* others may be there to be passed over */
                assert_true(mentioned && mentioned < 1u << r.n_regions);
        }
        gr_rows_close(s);
    }
    gr_record_fini(&r);
    gr_runtime_free(rt);
}

static void other_names_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = { "synth:",
                                         "synth:train",
                                         "synth:train:1",
                                         "synth:dev:1:2",
                                         "synth:train:1:0",
                                         "synth:train:x:10",
                                         "synth:train:1:10x",
                                         "synth:train:1:10:look",
                                         "synth:train:1:10:closeup",
                                         "synth:train:1:10:looking ",
                                         "synth:train:-1:10",
                                         "synth:train:1:99999999999" };
    gr_runtime *rt = test_runtime_threads(1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        gr_error err = { 0 };
        gr_row_source *s;
        assert_true(gr_synth_rows_named(names[i]));
        MUST_FAIL(gr_synth_rows_open(&s, rt, names[i], &err), GR_ERR_ARG, "expected synth:SPLIT:SEED:COUNT");
        assert_null(s);
    }
    assert_false(gr_synth_rows_named("rows.jsonl"));
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_do_not_depend_on_who_reads_them),
        cmocka_unit_test(every_row_is_a_sample),
        cmocka_unit_test(rows_of_looking_ask_about_all_they_show),
        cmocka_unit_test(rows_of_choices_and_of_captions_are_nothing_else),
        cmocka_unit_test(other_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
