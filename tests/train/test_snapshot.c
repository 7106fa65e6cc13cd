/* A run goes on from its checkpoint as if it had never stopped, whatever happened to the files meanwhile. */
#define _GNU_SOURCE
#include "test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "io/checkpoint.h"
#include "support/trained.h"
#include "train/snapshot.h"

typedef struct {
    test_dir dir;
    gr_runtime *rt;
    char warnings[2048];
} fixture;

static void on_log(void *user, gr_log_level level, const char *line)
{
    fixture *f = user;
    const size_t at = strlen(f->warnings);
    if (level == GR_LOG_WARNING)
        snprintf(f->warnings + at, sizeof f->warnings - at, "%s\n", line);
}

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    gr_runtime_options o;
    memset(&f, 0, sizeof f);
    gr_runtime_options_init(&o);
    o.n_threads = 2;
    o.log = on_log;
    o.log_user = &f;
    test_dir_make(&f.dir);
    MUST(gr_runtime_new(&f.rt, &o, &err));
    trained_make(f.rt, &f.dir);
    assert_int_equal(mkdir(test_dir_file(&f.dir, "run"), 0777), 0);
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

/* Saves under RUN/; the state tells its step. */
static gr_status save(const fixture *f, const gr_trainer *t, int keep, gr_error *err)
{
    gr_snapshot_state s;
    gr_snapshot_state_init(&s, t->rt);
    s.step = t->steps;
    s.iteration = 2 * t->steps;
    s.epoch = 3;
    s.cursor = 41;
    s.seed = 0xfedcba9876543210u;
    s.fingerprint = 0x8000000000000001u;
    s.accumulation = 2;
    s.schedule = (gr_schedule){ 1e-3, 1e-5, 7, 90 };
    s.wall_s = 12.75;
    snprintf(s.order, sizeof s.order, "in turn");
    gr_buf_text(&s.config, "{\"lr\": [1, 2]}");
    const gr_status st = gr_snapshot_save(test_dir_file(&f->dir, "run"), t, &s, GR_DTYPE_BF16, keep, err);
    gr_snapshot_state_fini(&s);
    return st;
}

static gr_status load(const fixture *f, gr_trainer *t, gr_error *err)
{
    gr_snapshot_state s;
    gr_snapshot_state_init(&s, t->rt);
    const gr_status st = gr_snapshot_load(t, &s, test_dir_file(&f->dir, "run"), err);
    if (st == GR_OK) {
        assert_int_equal(s.step, t->steps);
        assert_int_equal(s.iteration, 2 * t->steps);
        assert_true(s.epoch == 3 && s.cursor == 41 && s.seed == 0xfedcba9876543210u &&
                    s.fingerprint == 0x8000000000000001u && s.accumulation == 2 && s.world == 1 &&
                    s.schedule.lr == 1e-3 && s.schedule.start == 1e-5 && s.schedule.warmup == 7 &&
                    s.schedule.n == 90 && s.wall_s == 12.75);
        assert_string_equal(s.order, "in turn");
        assert_string_equal(gr_buf_str(&s.config), "{\"lr\": [1, 2]}");
    }
    gr_snapshot_state_fini(&s);
    return st;
}

static bool has(const fixture *f, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "run/%s", name);
    return gr_path_exists(test_dir_file(&f->dir, path));
}

/* Turns one bit in the middle of a file of the run. */
static void spoil(const fixture *f, const char *name)
{
    gr_error err = { 0 };
    char path[300], *bytes;
    size_t n;
    snprintf(path, sizeof path, "run/%s", name);
    MUST(gr_file_read(f->rt, test_dir_file(&f->dir, path), (size_t)1 << 28, &bytes, &n, &err));
    bytes[n / 2] ^= 1;
    test_dir_write(&f->dir, path, bytes, n);
    gr_free(f->rt, bytes);
}

/* --- going on ------------------------------------------------------------------------------------------ */

/* In another runtime, with another number of threads, out of a model opened anew. */
static void a_resumed_run_is_the_run_to_the_bit(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *straight = trained_open(f->rt, &f->dir, GR_TRAIN_ALL),
               *before = trained_open(f->rt, &f->dir, GR_TRAIN_ALL);
    trained_steps(straight, 0, 6);
    trained_steps(before, 0, 2);
    MUST(save(f, before, 2, &err));
    gr_trainer_close(before);
    gr_runtime *rt = test_runtime_threads(3);
    gr_trainer *after = trained_open(rt, &f->dir, GR_TRAIN_ALL);
    MUST(load(f, after, &err));
    assert_int_equal(after->steps, 2);
    trained_steps(after, 2, 6);
    trained_same(straight, after);
    gr_trainer_close(after);
    gr_runtime_free(rt);
    gr_trainer_close(straight);
}

static const gr_lora adapters = {
    .targets = 1u << GR_LORA_Q | 1u << GR_LORA_V | 1u << GR_LORA_QKV, .rank = 4, .alpha = 8, .seed = 3
};

static gr_trainer *adapted(const fixture *f, gr_runtime *rt, const gr_lora *lora)
{
    return trained_open_adapted(rt, &f->dir, "m", 1u << GR_TRAIN_MASK, lora);
}

/* Another seed draws another A, all of which the checkpoint replaces. */
static void a_resumed_run_of_adapters_is_the_run_to_the_bit(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_lora reseeded = adapters;
    gr_trainer *straight = adapted(f, f->rt, &adapters), *before = adapted(f, f->rt, &adapters);
    trained_steps(straight, 0, 5);
    trained_steps(before, 0, 2);
    MUST(save(f, before, 2, &err));
    gr_trainer_close(before);
    gr_runtime *rt = test_runtime_threads(3);
    reseeded.seed++;
    gr_trainer *after = adapted(f, rt, &reseeded);
    MUST(load(f, after, &err));
    trained_steps(after, 2, 5);
    trained_same(straight, after);
    gr_trainer_close(after);
    gr_runtime_free(rt);
    gr_trainer_close(straight);
}

static void other_adapters_are_refused_by_name_and_nothing_is_loaded(void **state)
{
    fixture *f = *state;
    static const struct {
        gr_lora lora;
        const char *says;
    } others[] = {
        { { .targets = 0 }, "it has adapters, and the model in training has none" },
        { { 1u << GR_LORA_Q | 1u << GR_LORA_QKV, 4, 8, 3 },
          "v_proj has an adapter in it, and none in the model in training" },
        { { 1u << GR_LORA_Q | 1u << GR_LORA_V | 1u << GR_LORA_QKV | 1u << GR_LORA_FC1, 4, 8, 3 },
          "fc1 has no adapter in it, and one in the model in training" },
        { { 1u << GR_LORA_Q | 1u << GR_LORA_V | 1u << GR_LORA_QKV, 5, 8, 3 },
          "ckpt-000000001: its adapters are of rank 4, and those in training of rank 5" },
        { { 1u << GR_LORA_Q | 1u << GR_LORA_V | 1u << GR_LORA_QKV, 4, 9, 3 },
          "its adapters have alpha 8, and those in training alpha 9" },
    };
    gr_error err = { 0 };
    gr_trainer *t = adapted(f, f->rt, &adapters);
    trained_steps(t, 0, 1);
    MUST(save(f, t, 2, &err));
    gr_trainer_close(t);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        gr_trainer *other = adapted(f, f->rt, &others[i].lora), *fresh = adapted(f, f->rt, &others[i].lora);
        MUST_FAIL(load(f, other, &err), GR_ERR_ARG, others[i].says);
        trained_same(other, fresh);
        gr_trainer_close(other);
        gr_trainer_close(fresh);
    }
    assert_string_equal(f->warnings, ""); /* the checkpoint is sound */
    gr_trainer *plain = trained_open(f->rt, &f->dir, 1u << GR_TRAIN_MASK);
    plain->steps = 2;
    MUST(save(f, plain, 2, &err));
    gr_trainer_close(plain);
    t = adapted(f, f->rt, &adapters);
    MUST_FAIL(load(f, t, &err), GR_ERR_ARG, "it has no adapters, and the model in training has them");
    gr_trainer_close(t);
}

static void model_holds_adapters_as_peft_names_them(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_checkpoint *c;
    gr_trainer *t = adapted(f, f->rt, &adapters);
    MUST(save(f, t, 2, &err));
    MUST(gr_checkpoint_open(&c, f->rt, test_dir_file(&f->dir, "run/ckpt-000000000/model"), &err));
    assert_int_equal(gr_checkpoint_count(c), t->flat.n_ranges);
    for (size_t i = t->flat.n_tensors; i < t->flat.n_ranges; i++) {
        const gr_weight *w = gr_flat_adapter(&t->flat, &t->flat.ranges[i]);
        const gr_stored *s = gr_checkpoint_find(c, w->name);
        assert_non_null(s);
        assert_true(s->rank == 2 && (size_t)s->shape[0] == w->rows && (size_t)s->shape[1] == w->cols);
    }
    gr_checkpoint_close(c);
    gr_trainer_close(t);
}

static void model_holds_what_is_trained_as_bf16(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_checkpoint *c;
    gr_trainer *t = trained_open(f->rt, &f->dir, 1u << GR_TRAIN_PROJECTOR);
    MUST(save(f, t, 2, &err));
    MUST(gr_checkpoint_open(&c, f->rt, test_dir_file(&f->dir, "run/ckpt-000000000/model"), &err));
    assert_int_equal(gr_checkpoint_count(c), t->flat.n_ranges);
    for (size_t i = 0; i < t->flat.n_ranges; i++) {
        const gr_stored *s = gr_checkpoint_find(c, t->flat.ranges[i].name);
        assert_non_null(s);
        assert_int_equal(s->dtype, GR_DTYPE_BF16);
    }
    gr_checkpoint_close(c);
    gr_trainer_close(t);
}

static void the_last_k_are_kept(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = trained_open(f->rt, &f->dir, 1u << GR_TRAIN_PROJECTOR);
    for (t->steps = 5; t->steps <= 20; t->steps += 5)
        MUST(save(f, t, 2, &err));
    assert_true(!has(f, "ckpt-000000005") && !has(f, "ckpt-000000010") && has(f, "ckpt-000000015/DONE") &&
                has(f, "ckpt-000000020/DONE"));
    assert_int_equal(gr_snapshot_newest(test_dir_file(&f->dir, "run")), 20);
    MUST(save(f, t, 1, &err)); /* t->steps is 25 */
    assert_true(!has(f, "ckpt-000000020") && has(f, "ckpt-000000025/DONE"));
    MUST(save(f, t, 1, &err)); /* again at the same step: replaced */
    assert_true(has(f, "ckpt-000000025/DONE"));
    gr_trainer_close(t);
}

/* --- damage -------------------------------------------------------------------------------------------- */

static void a_damaged_checkpoint_is_passed_over_and_it_says_so(void **state)
{
    fixture *f = *state;
    static const char *const files[] = { "ckpt-000000002/DONE", "ckpt-000000002/state.json",
                                         "ckpt-000000002/model/model.safetensors",
                                         "ckpt-000000002/optim/rank-00000-of-00001.bin" };
    gr_error err = { 0 };
    gr_trainer *one = trained_open(f->rt, &f->dir, GR_TRAIN_ALL),
               *t = trained_open(f->rt, &f->dir, GR_TRAIN_ALL);
    trained_steps(one, 0, 1);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        gr_trainer *two = trained_open(f->rt, &f->dir, GR_TRAIN_ALL);
        gr_folder_remove(test_dir_file(&f->dir, "run/ckpt-000000002"));
        trained_steps(two, 0, 1);
        MUST(save(f, two, 2, &err));
        trained_steps(two, 1, 2);
        MUST(save(f, two, 2, &err));
        gr_trainer_close(two);
        spoil(f, files[i]);
        f->warnings[0] = '\0';
        MUST(load(f, t, &err));
        assert_non_null(strstr(f->warnings, "checkpoint ckpt-000000002 is passed over: "));
        trained_same(one, t);
    }
    spoil(f, "ckpt-000000001/optim/rank-00000-of-00001.bin");
    MUST_FAIL(load(f, t, &err), GR_ERR_FORMAT, "no checkpoint can be used; the newest: ");
    gr_trainer_close(one);
    gr_trainer_close(t);
}

static void what_is_not_complete_is_not_read(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = trained_open(f->rt, &f->dir, 1u << GR_TRAIN_PROJECTOR);
    MUST_FAIL(load(f, t, &err), GR_ERR_IO, "there is no complete checkpoint");
    t->steps = 3;
    MUST(save(f, t, 2, &err));
    t->steps = 4;
    MUST(save(f, t, 2, &err));
    unlink(test_dir_file(&f->dir, "run/ckpt-000000004/DONE"));
    mkdir(test_dir_file(&f->dir, "run/ckpt-000000009.tmp-77"), 0777);
    test_dir_write(&f->dir, "run/ckpt-000000009.tmp-77/state.json", "{", 1);
    MUST(load(f, t, &err));
    assert_int_equal(t->steps, 3);
    t->steps = 5;
    MUST(save(f, t, 1, &err));
    assert_true(!has(f, "ckpt-000000009.tmp-77") && !has(f, "ckpt-000000004") && !has(f, "ckpt-000000003"));
    MUST(load(f, t, &err));
    assert_int_equal(t->steps, 5);
    gr_trainer_close(t);
}

/* A child saves on and on and is killed at any moment; what it left is a checkpoint, every time. */
static void a_killed_save_loses_nothing(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    if (TEST_THREAD_SANITIZER)
        skip(); /* it does not follow a fork of threads */
    gr_trainer *t = trained_open(f->rt, &f->dir, 1u << GR_TRAIN_DECODER);
    trained_steps(t, 0, 1);
    MUST(save(f, t, 2, &err));
    for (int kill_us = 500; kill_us < 40000; kill_us += 2000) {
        const int64_t from = gr_snapshot_newest(test_dir_file(&f->dir, "run"));
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (t->steps = from + 1;; t->steps++)
                if (save(f, t, 2, NULL) != GR_OK)
                    _exit(1);
        }
        usleep((useconds_t)kill_us);
        kill(child, SIGKILL);
        int status;
        assert_true(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        MUST(load(f, t, &err));
        assert_true(t->steps >= from);
    }
    MUST(save(f, t, 1, &err));
    assert_int_equal(test_dir_count(&f->dir), 2); /* m and run */
    gr_trainer_close(t);
}

/* --- a full disk --------------------------------------------------------------------------------------- */

static void full(const fixture *f, gr_trainer *t)
{
    gr_error err = { 0 };
    t->steps = 9;
    assert_int_equal(save(f, t, 2, &err), GR_ERR_IO);
    assert_non_null(strstr(err.msg, "rank-00000-of-00001.bin"));
    err = (gr_error){ 0 };
    MUST(load(f, t, &err));
    assert_int_equal(t->steps, 1);
    assert_false(has(f, "ckpt-000000009"));
}

static void a_file_that_may_not_grow_leaves_the_last_checkpoint(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    struct rlimit limit, small;
    gr_trainer *t = trained_open(f->rt, &f->dir, GR_TRAIN_ALL);
    trained_steps(t, 0, 1);
    MUST(save(f, t, 2, &err));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    small = limit;
    small.rlim_cur = 3 * t->flat.n * sizeof(float) / 2;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    full(f, t);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, before);
    gr_trainer_close(t);
}

static void a_full_disk_leaves_the_last_checkpoint(void **state)
{
    const fixture *f = *state;
    gr_error err = { 0 };
    gr_trainer *t = trained_open(f->rt, &f->dir, GR_TRAIN_ALL);
    char size[64];
    trained_steps(t, 0, 1);
    snprintf(size, sizeof size, "size=%zu",
             5 * t->flat.n * sizeof(float)); /* one checkpoint of 3.5, not two */
    const char *run = test_dir_file(&f->dir, "run");
#ifdef __linux__
    const bool mounted = mount("tmpfs", run, "tmpfs", 0, size) == 0;
#else
    const bool mounted = false;
#endif
    if (!mounted) {
        printf("SKIP %s: no right to mount a small disk\n", __func__);
        gr_trainer_close(t);
        skip();
    }
#ifdef __linux__
    MUST(save(f, t, 2, &err));
    full(f, t);
    umount(test_dir_file(&f->dir, "run"));
#endif
    gr_trainer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_resumed_run_is_the_run_to_the_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_resumed_run_of_adapters_is_the_run_to_the_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(other_adapters_are_refused_by_name_and_nothing_is_loaded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(model_holds_adapters_as_peft_names_them, setup, teardown),
        cmocka_unit_test_setup_teardown(model_holds_what_is_trained_as_bf16, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_k_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_checkpoint_is_passed_over_and_it_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_complete_is_not_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_killed_save_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_may_not_grow_leaves_the_last_checkpoint, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_leaves_the_last_checkpoint, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
