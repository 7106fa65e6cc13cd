/* A number becomes a row: checked, written and read as GAR's rows are, the same from every thread, and a
 * training sample of a model. */
#include "test.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/arrow_records.h"
#include "dataset/gar_row.h"
#include "dataset/json_rows.h"
#include "engine/model.h"
#include "grasp/synth.h"
#include "model/gar_new.h"
#include "model/gar_profile.h"
#include "region/mask.h"
#include "region/rle.h"
#include "support/tempdir.h"
#include "synth/synth_scene.h"
#include "synth/vocabulary.h"
#include "train/gar_sample.h"

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    gr_synth *y;
    gr_record record;
} bench;

/* Skips where this build or system cannot paint. */
static void bench_init(bench *b, gr_synth_picture_form form)
{
    gr_error err = { 0 };
    gr_synth_rules rules;
    *b = (bench){ .rt = test_runtime() };
    test_dir_make(&b->dir);
    gr_synth_rules_init(&rules);
    rules.seed = 21;
    rules.picture = form;
    gr_record_init(&b->record, b->rt);
    const gr_status st = gr_synth_new(&b->y, b->rt, &rules, &err);
    if (st == GR_ERR_UNSUPPORTED || st == GR_ERR_IO) {
        printf("SKIP: %s\n", err.msg);
        test_dir_remove(&b->dir);
        gr_runtime_free(b->rt);
        skip();
    }
    MUST(st);
}

static void bench_fini(bench *b)
{
    gr_record_fini(&b->record);
    gr_synth_free(b->y);
    test_dir_remove(&b->dir);
    gr_runtime_free(b->rt);
}

static void rows_are_sound_and_every_mask_has_pixels(void **state)
{
    (void)state;
    bench b;
    int n_captions = 0, turns[5] = { 0 };
    gr_error err = { 0 };
    bench_init(&b, GR_SYNTH_NO_PICTURE);
    for (uint64_t i = 0; i < 200; i++) {
        MUST(gr_synth_record(b.y, i, &b.record, &err));
        const gr_record *r = &b.record;
        MUST(gr_record_check(r, &err));
        assert_true(r->n_regions >= 1 && r->n_regions <= 5);
        assert_true(r->n_turns % 2 == 0 && r->n_turns >= 2 && r->n_turns <= 8);
        assert_int_equal(strncmp(r->turns[0].value.at, "<image>\n", 8), 0);
        bool captions = true;
        for (size_t k = 0; k < r->n_turns; k++) {
            captions = captions && !strstr(r->turns[k].value.at, "<Prompt");
            assert_true(r->turns[k].value.n > 0);
        }
        n_captions += captions;
        if (captions)
            assert_int_equal(r->n_turns, 2 * r->n_regions);
        turns[r->n_turns / 2]++;
        for (size_t k = 0; k < r->n_regions; k++) {
            gr_rle rle;
            MUST(gr_rle_from_text(&rle, b.rt, r->height, r->width, r->regions[k].rle.at, r->regions[k].rle.n,
                                  &err));
            assert_true(gr_rle_area(&rle) >= 150);
            gr_rle_fini(&rle);
        }
    }
    assert_in_range(n_captions, 50, 110);
    for (int k = 1; k <= 4; k++)
        assert_true(turns[k] > 10);
    bench_fini(&b);
}

static void rows_become_training_samples(void **state)
{
    (void)state;
    bench b;
    gr_error err = { 0 };
    gr_gar_config c;
    gr_profile profile;
    gr_model *model;
    gr_gar_sample_rules rules;
    int kinds[3] = { 0 };
    bench_init(&b, GR_SYNTH_PPM);
    MUST(gr_gar_config_preset(&c, "gar-test", &err));
    MUST(gr_gar_new(b.rt, &c, test_dir_file(&b.dir, "model"), NULL, &err));
    MUST(gr_model_open(&model, b.rt, test_dir_file(&b.dir, "model"), NULL, &err));
    MUST(gr_profile_init(&profile, "released", &err));
    gr_gar_sample_rules_init(&rules, &model->gar->config, &model->markers, model->tokenizer, &profile);
    for (uint64_t i = 0; i < 60; i++) {
        gr_gar_sample *sample;
        gr_skip skipped;
        gr_draws d = gr_draws_for(1, 0, 0, (uint32_t)i, 0);
        MUST(gr_synth_record(b.y, i, &b.record, &err));
        MUST(gr_gar_sample_make(&sample, b.rt, &b.record, &rules, &d, &skipped, &err));
        assert_true(sample->kind != GR_ROW_PLAIN);
        assert_true(sample->n_regions >= 1 && (size_t)sample->n_regions <= b.record.n_regions);
        assert_int_equal(sample->n_resized, 0);
        kinds[sample->kind]++;
        gr_gar_sample_free(sample);
    }
    assert_true(kinds[GR_ROW_CAPTION] > 10 && kinds[GR_ROW_RELATION] > 20);
    gr_model_close(model);
    bench_fini(&b);
}

static void the_picture_is_that_of_the_row(void **state)
{
    (void)state;
    bench b;
    gr_error err = { 0 };
    bench_init(&b, GR_SYNTH_PPM);
    gr_image *read;
    MUST(gr_synth_record(b.y, 5, &b.record, &err));
    MUST(gr_image_decode(&read, b.rt, b.record.bytes.at, b.record.bytes.n, NULL, &err));
    const gr_image *p = gr_synth_picture(b.y);
    assert_int_equal(read->width, p->width);
    assert_int_equal(read->height, p->height);
    assert_memory_equal(read->pixels, p->pixels, (size_t)p->width * (size_t)p->height * 3);
    gr_image_free(read);
    bench_fini(&b);
}

/* Its pixels are those of the whole scene, its mask has all of the object that is seen. */
static void a_closeup_is_a_part_of_its_scene(void **state)
{
    (void)state;
    bench b;
    gr_error err = { 0 };
    gr_synth *whole;
    gr_synth_rules rules;
    int smaller = 0, squares = 0;
    bench_init(&b, GR_SYNTH_NO_PICTURE);
    gr_synth_rules_init(&rules);
    rules.seed = 21;
    rules.picture = GR_SYNTH_NO_PICTURE;
    MUST(gr_synth_new(&whole, b.rt, &rules, &err));
    gr_synth_free(b.y);
    rules.closeups = 1;
    MUST(gr_synth_new(&b.y, b.rt, &rules, &err));
    for (uint64_t i = 0; i < 40; i++) {
        int n;
        double box[4];
        gr_rle rle;
        MUST(gr_synth_record(b.y, i, &b.record, &err));
        const gr_record *r = &b.record;
        const gr_image *cut = gr_synth_picture(b.y);
        const gr_object *o = &gr_synth_scene(b.y)->objects[gr_synth_shown(b.y, &n)[0]];
        assert_true(n == 1 && r->n_regions == 1 && r->n_turns == 2 && o->entity == GR_ENTITY);
        MUST(gr_record_check(r, &err));
        assert_true(cut->width == r->width && cut->height == r->height);
        assert_non_null(strstr(r->turns[1].value.at, gr_object_noun(o)->word));
        MUST(gr_rle_from_text(&rle, b.rt, r->height, r->width, r->regions[0].rle.at, r->regions[0].rle.n,
                              &err));
        assert_int_equal(gr_rle_area(&rle), o->visible);
        gr_rle_box(&rle, box);
        gr_rle_fini(&rle);
        assert_true(box[2] == o->box[2] - o->box[0] && box[3] == o->box[3] - o->box[1]);
        const int x = o->box[0] - (int)box[0], y = o->box[1] - (int)box[1];
        MUST(gr_synth_paint(whole, i, NULL, &err));
        const gr_image *p = gr_synth_picture(whole);
        assert_true(x >= 0 && y >= 0 && x + cut->width <= p->width && y + cut->height <= p->height);
        for (int row = 0; row < cut->height; row++)
            assert_memory_equal(cut->pixels + (size_t)row * (size_t)cut->width * 3,
                                p->pixels + ((size_t)(y + row) * (size_t)p->width + (size_t)x) * 3,
                                (size_t)cut->width * 3);
        smaller += cut->width * cut->height < p->width * p->height / 2;
        squares += cut->width == cut->height;
        assert_true(cut->width == cut->height || cut->width == p->width || cut->height == p->height);
    }
    assert_true(smaller > 20 && squares > 30);
    gr_synth_free(whole);
    bench_fini(&b);
}

/* --- files --------------------------------------------------------------------------------------------- */

static gr_synth_options small(gr_synth_form form, uint64_t count)
{
    gr_synth_options o;
    gr_synth_options_init(&o);
    o.seed = 21;
    o.form = form;
    o.count = count;
    return o;
}

static void the_forms_hold_the_same_rows(void **state)
{
    (void)state;
    bench b;
    gr_error err = { 0 };
    gr_row_source *arrow, *lines;
    gr_record other;
    bench_init(&b, GR_SYNTH_PNG);
    gr_record_init(&other, b.rt);
    gr_synth_options o = small(GR_SYNTH_ARROW, 20);
    gr_synth_written written = { .size = sizeof written };
    MUST(gr_synth_write(b.rt, test_dir_file(&b.dir, "arrow"), &o, &written, &err));
    assert_int_equal(written.rows, 20);
    o.form = GR_SYNTH_JSONL;
    MUST(gr_synth_write(b.rt, test_dir_file(&b.dir, "lines"), &o, NULL, &err));
    o.form = GR_SYNTH_TEXTS;
    MUST(gr_synth_write(b.rt, test_dir_file(&b.dir, "texts"), &o, NULL, &err));
    char *texts;
    size_t n_texts;
    MUST(gr_file_read(b.rt, test_dir_file(&b.dir, "texts/texts.txt"), 1 << 24, &texts, &n_texts, &err));
    const char *at = texts;
    MUST(gr_arrow_records_open(&arrow, b.rt, test_dir_file(&b.dir, "arrow"), NULL, NULL, &err));
    MUST(gr_json_rows_open(&lines, b.rt, test_dir_file(&b.dir, "lines/rows.jsonl"), NULL, gr_gar_row_parse,
                           &err));
    assert_int_equal(arrow->count, 20);
    assert_int_equal(lines->count, 20);
    for (size_t i = 0; i < 20; i++) {
        char *file;
        size_t size;
        MUST(gr_synth_record(b.y, i, &b.record, &err));
        MUST(gr_rows_read(arrow, i, &other, &err));
        assert_true(gr_record_same(&b.record, &other));
        MUST(gr_rows_read(lines, i, &other, &err));
        char path[64];
        snprintf(path, sizeof path, "lines/%s", other.path.at);
        MUST(gr_file_read(b.rt, test_dir_file(&b.dir, path), 1 << 24, &file, &size, &err));
        assert_int_equal(size, b.record.bytes.n);
        assert_memory_equal(file, b.record.bytes.at, size);
        gr_free(b.rt, file);
        assert_int_equal(other.n_turns, b.record.n_turns);
        for (size_t k = 0; k < other.n_turns; k++) {
            const gr_chars said = b.record.turns[k].value;
            assert_string_equal(other.turns[k].value.at, said.at);
            assert_true((size_t)(texts + n_texts - at) > said.n && at[said.n] == '\n');
            assert_memory_equal(at, said.at, said.n);
            at += said.n + 1;
        }
    }
    assert_true(at == texts + n_texts);
    gr_free(b.rt, texts);
    gr_rows_close(arrow);
    gr_rows_close(lines);
    gr_record_fini(&other);
    bench_fini(&b);
}

static void expect_same_file(bench *b, const char *one, const char *two)
{
    gr_error err = { 0 };
    char *a, *c;
    size_t n, m;
    MUST(gr_file_read(b->rt, test_dir_file(&b->dir, one), 1 << 26, &a, &n, &err));
    MUST(gr_file_read(b->rt, test_dir_file(&b->dir, two), 1 << 26, &c, &m, &err));
    assert_int_equal(n, m);
    assert_memory_equal(a, c, n);
    gr_free(b->rt, a);
    gr_free(b->rt, c);
}

static void threads_change_no_byte(void **state)
{
    (void)state;
    bench b;
    gr_error err = { 0 };
    bench_init(&b, GR_SYNTH_PNG);
    gr_runtime *three = test_runtime_threads(3);
    const gr_synth_options rows = small(GR_SYNTH_ARROW, 30), items = small(GR_SYNTH_BENCH, 3);
    MUST(gr_synth_write(b.rt, test_dir_file(&b.dir, "a2"), &rows, NULL, &err));
    MUST(gr_synth_write(three, test_dir_file(&b.dir, "a3"), &rows, NULL, &err));
    expect_same_file(&b, "a2/data-00000-of-00001.arrow", "a3/data-00000-of-00001.arrow");
    MUST(gr_synth_write(b.rt, test_dir_file(&b.dir, "b2"), &items, NULL, &err));
    MUST(gr_synth_write(three, test_dir_file(&b.dir, "b3"), &items, NULL, &err));
    expect_same_file(&b, "b2/synth-bench.json", "b3/synth-bench.json");
    expect_same_file(&b, "b2/synth-bench-cap.json", "b3/synth-bench-cap.json");
    expect_same_file(&b, "b2/images/vqa_00020.png", "b3/images/vqa_00020.png");
    gr_runtime_free(three);
    bench_fini(&b);
}

static bool stop_at_five(void *user, uint64_t done, uint64_t total)
{
    (void)user;
    (void)total;
    return done < 5;
}

static void what_is_cancelled_or_wrong_leaves_nothing(void **state)
{
    (void)state;
    bench b;
    gr_error err = { 0 };
    bench_init(&b, GR_SYNTH_PNG);
    const int before = test_dir_count(&b.dir);
    for (int form = GR_SYNTH_ARROW; form <= GR_SYNTH_BENCH; form++) {
        gr_synth_options o = small((gr_synth_form)form, 20);
        o.progress = stop_at_five;
        MUST_FAIL(gr_synth_write(b.rt, test_dir_file(&b.dir, "none"), &o, NULL, &err), GR_ERR_CANCELLED,
                  "after 5");
        assert_int_equal(test_dir_count(&b.dir), before);
    }
    gr_synth_options o = small(GR_SYNTH_ARROW, 0);
    MUST_FAIL(gr_synth_write(b.rt, test_dir_file(&b.dir, "none"), &o, NULL, &err), GR_ERR_ARG, "0 rows");
    o.count = 1;
    o.split = "other";
    MUST_FAIL(gr_synth_write(b.rt, test_dir_file(&b.dir, "none"), &o, NULL, &err), GR_ERR_ARG,
              "no split 'other'");
    o.split = NULL;
    o.font = "/there/is/no/font";
    MUST_FAIL(gr_synth_write(b.rt, test_dir_file(&b.dir, "none"), &o, NULL, &err), GR_ERR_IO,
              "/there/is/no/font");
    assert_int_equal(test_dir_count(&b.dir), before);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sound_and_every_mask_has_pixels),
        cmocka_unit_test(rows_become_training_samples),
        cmocka_unit_test(the_picture_is_that_of_the_row),
        cmocka_unit_test(a_closeup_is_a_part_of_its_scene),
        cmocka_unit_test(the_forms_hold_the_same_rows),
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(what_is_cancelled_or_wrong_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
