/* The options of a run: defaults of the published recipe, a file, assignments, and what is refused. */
#include "test.h"

#include "support/tempdir.h"
#include "train/train_config.h"

typedef struct {
    test_dir dir;
    gr_runtime *rt;
    gr_train_config c;
} fixture;

static int setup(void **state)
{
    static fixture f;
    test_dir_make(&f.dir);
    f.rt = test_runtime();
    gr_train_config_init(&f.c, f.rt);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_runtime_free(f->rt);
    test_dir_remove(&f->dir);
    return 0;
}

static gr_status read_text(fixture *f, const char *text, gr_error *err)
{
    test_dir_write(&f->dir, "train.json", text, strlen(text));
    return gr_train_config_read(&f->c, test_dir_file(&f->dir, "train.json"), err);
}

static void defaults_are_the_published_recipe(void **state)
{
    const fixture *f = *state;
    const gr_train_config *c = &f->c;
    assert_string_equal(c->parts, "all");
    assert_true(c->learning_rate == 1e-5 && c->warmup == 0.03 && c->warmup_start == 1e-5 && c->beta1 == 0.9 &&
                c->beta2 == 0.999 && c->eps == 1e-8 && c->weight_decay == 0 && c->clip == 1);
    assert_true(c->accumulation == 64 && c->epochs == 1 && c->seed == 42 && c->save_every == 5000 &&
                c->keep == 2 && c->dtype == 0 && c->max_tiles == 17 && c->lora_rank == 0);
}

static void adapters_come_from_rank_alpha_layers_and_the_seed(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_lora lora = { .targets = 1 };
    MUST(gr_train_config_lora(&f->c, &lora, &err));
    assert_int_equal(lora.targets, 0); /* none, unless asked for */
    MUST(gr_train_config_set(&f->c, "lora_rank=16", &err));
    MUST(gr_train_config_lora(&f->c, &lora, &err));
    assert_true(lora.targets == (1u << GR_LORA_Q | 1u << GR_LORA_V) && lora.rank == 16 && lora.alpha == 8 &&
                lora.seed == 42);
    MUST(gr_train_config_set(&f->c, "lora_alpha=0.5", &err));
    MUST(gr_train_config_set(&f->c, "seed=7", &err));
    MUST(gr_train_config_set(&f->c, "lora_layers=fc1", &err));
    MUST(gr_train_config_lora(&f->c, &lora, &err));
    assert_true(lora.targets == 1u << GR_LORA_FC1 && lora.alpha == 0.5f && lora.seed == 7);
    MUST(gr_train_config_set(&f->c, "lora_layers=fc1,fc3", &err));
    MUST_FAIL(gr_train_config_lora(&f->c, &lora, &err), GR_ERR_ARG, "lora_layers: 'fc3' is no linear layer");
    MUST_FAIL(gr_train_config_set(&f->c, "lora_rank=1025", &err), GR_ERR_ARG, "no value of lora_rank");
    MUST_FAIL(gr_train_config_set(&f->c, "lora_alpha=0", &err), GR_ERR_ARG, "no value of lora_alpha");
}

/* The help is text; the layers are a table. */
static void the_help_names_every_layer_that_can_have_an_adapter(void **state)
{
    fixture *f = *state;
    gr_buf text;
    gr_buf_init(&text, f->rt, 1 << 20);
    gr_train_config_write(&f->c, &text, true);
    const char *line = strstr(gr_buf_str(&text), "lora_layers");
    assert_non_null(line);
    line = strstr(line, "]  "); /* behind the default */
    const char *end = line ? strchr(line, '\n') : NULL;
    assert_non_null(end);
    for (int i = 0; i < GR_LORA_TARGET_COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, " %s", gr_lora_target_name((gr_lora_target)i));
        const char *at = strstr(line, name);
        if (!at || at > end)
            fail_msg("the help of lora_layers does not name %s", name + 1);
    }
    gr_buf_fini(&text);
}

static void a_file_then_assignments(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    MUST(read_text(f, "{\"model\": \"a b\", \"output\": \"r\", \"clip\": 2, \"dtype\": \"f32\"}", &err));
    MUST(gr_train_config_set(&f->c, "clip=0.5", &err));
    MUST(gr_train_config_set(&f->c, "model=x=y", &err));
    assert_true(f->c.clip == 0.5 && f->c.dtype == 1);
    assert_string_equal(f->c.model, "x=y");
    MUST(gr_train_config_check(&f->c, &err));
}

static void what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *text, *part;
    } files[] = {
        { "{\"learnig_rate\": 1}",
          "train.json: line 1, column 2: there is no option 'learnig_rate'; 'learning_rate' "
          "may be meant" },
        { "{\"zebra_crossing\": 1}", "there is no option 'zebra_crossing'" },
        { "{\"clip\": 1, \"clip\": 1}", "clip is there twice" },
        { "{\"clip\": -1}", "clip is -1, expected 0 to 1e+30" },
        { "{\"keep\": 0}", "keep" },
        { "{\"keep\": 1.5}", "keep" },
        { "{\"keep\": \"2\"}", "keep" },
        { "{\"dtype\": \"f16\"}", "dtype: expected one of bf16|f32" },
        { "{\"model\": 3}", "model" },
        { "[]", "train.json: line 1" },
        { "{} x", "train.json: line 1" },
    };
    static const struct {
        const char *text, *part;
    } sets[] = {
        { "clip", "'clip' is no assignment, expected NAME=VALUE" },
        { "clop=1", "there is no option 'clop'; 'clip' may be meant" },
        { "clip=", "'' is no value of clip" },
        { "clip=1x", "'1x' is no value of clip" },
        { "dtype=f16", "'f16' is no value of dtype" },
        { "keep=1e9", "is no value of keep" },
    };
    fixture *f = *state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        MUST_FAIL(read_text(f, files[i].text, &err), GR_ERR_FORMAT, files[i].part);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        MUST_FAIL(gr_train_config_set(&f->c, sets[i].text, &err), GR_ERR_ARG, sets[i].part);
    MUST_FAIL(gr_train_config_read(&f->c, "/nowhere", &err), GR_ERR_IO, "/nowhere");
    gr_train_config_init(&f->c, f->rt);
    MUST_FAIL(gr_train_config_check(&f->c, &err), GR_ERR_ARG, "the run has no model");
    MUST(gr_train_config_set(&f->c, "model=m", &err));
    MUST_FAIL(gr_train_config_check(&f->c, &err), GR_ERR_ARG, "the run has no output");
    MUST(gr_train_config_set(&f->c, "output=r", &err));
    MUST(gr_train_config_set(&f->c, "parts=none", &err));
    MUST_FAIL(gr_train_config_check(&f->c, &err), GR_ERR_ARG,
              "parts is none and lora_rank is 0: nothing would be trained");
    MUST(gr_train_config_set(&f->c, "lora_rank=4", &err));
    MUST(gr_train_config_check(&f->c, &err));
}

/* Assignments, and the sentence of what they refuse; NULL: nothing. */
static void ablations_of_regions_go_with_crops_room_and_no_export(void **state)
{
    static const struct {
        const char *set[4], *part;
    } cases[] = {
        { { "region_rows=crop" }, NULL },
        { { "region_rows=none" }, NULL },
        { { "region_rows=crop", "picture_rows=no" }, NULL },
        { { "export_to=e" }, NULL },
        { { "picture_rows=no" }, "picture_rows is no, and region_rows is not crop" },
        { { "region_rows=none", "picture_rows=no" }, "picture_rows is no, and region_rows is not crop" },
        { { "region_rows=crop", "export_to=e" }, "such a model cannot be asked" },
        { { "region_rows=crop", "picture_rows=no", "export_to=e" }, "such a model cannot be asked" },
        { { "region_rows=none", "export_to=e" }, "such a model cannot be asked" },
        { { "max_tiles=2" }, NULL },
        { { "region_rows=crop", "max_tiles=7" }, NULL },
        { { "region_rows=crop", "max_tiles=6" }, "a sample of 5 regions has at least 7 tiles" },
        { { "region_rows=crop", "max_tiles=5", "picture_rows=no" }, NULL },
        { { "region_rows=crop", "max_tiles=4", "picture_rows=no" }, "has at least 5 tiles" },
        { { "region_rows=crop", "max_tiles=4", "max_regions=2" }, NULL },
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        gr_train_config_init(&f->c, f->rt);
        MUST(gr_train_config_set(&f->c, "model=m", &err));
        MUST(gr_train_config_set(&f->c, "output=r", &err));
        for (int k = 0; k < 4 && cases[i].set[k]; k++)
            MUST(gr_train_config_set(&f->c, cases[i].set[k], &err));
        if (cases[i].part)
            MUST_FAIL(gr_train_config_check(&f->c, &err), GR_ERR_ARG, cases[i].part);
        else
            MUST(gr_train_config_check(&f->c, &err));
    }
}

static void what_is_written_is_read_back(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_buf text, again;
    gr_buf_init(&text, f->rt, 1 << 20);
    gr_buf_init(&again, f->rt, 1 << 20);
    MUST(gr_train_config_set(&f->c, "model=a \"b\"", &err));
    MUST(gr_train_config_set(&f->c, "learning_rate=0.1", &err));
    gr_train_config_write(&f->c, &text, false);
    gr_train_config_init(&f->c, f->rt);
    MUST(read_text(f, gr_buf_str(&text), &err));
    gr_train_config_write(&f->c, &again, false);
    assert_string_equal(gr_buf_str(&text), gr_buf_str(&again));

    gr_buf_clear(&again);
    gr_train_config_init(&f->c, f->rt);
    MUST(gr_train_config_set(&f->c, "clip=3", &err));
    gr_train_config_write(&f->c, &again, true);
    assert_non_null(strstr(gr_buf_str(&again),
                           "clip               = 3.0   [command line; default 1, gar_1b.py]  largest"));
    assert_non_null(strstr(gr_buf_str(&again), "keep               = 2   [default; default 2, gar_1b.py]"));
    gr_buf_fini(&text);
    gr_buf_fini(&again);
}

static void what_decides_a_run_may_not_change(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_buf text;
    gr_buf_init(&text, f->rt, 1 << 20);
    gr_train_config_write(&f->c, &text, false);
    MUST(gr_train_config_compare(&f->c, text.data, text.len, &err));
    MUST(gr_train_config_set(&f->c, "save_every=3", &err));
    MUST(gr_train_config_compare(&f->c, text.data, text.len, &err));
    MUST(gr_train_config_set(&f->c, "learning_rate=0.25", &err));
    MUST_FAIL(gr_train_config_compare(&f->c, text.data, text.len, &err), GR_ERR_ARG,
              "learning_rate is 0.25, and the run was begun with 0.00001: it cannot go on");
    gr_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_are_the_published_recipe, setup, teardown),
        cmocka_unit_test_setup_teardown(adapters_come_from_rank_alpha_layers_and_the_seed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_help_names_every_layer_that_can_have_an_adapter, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_then_assignments, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(ablations_of_regions_go_with_crops_room_and_no_export, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_decides_a_run_may_not_change, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
