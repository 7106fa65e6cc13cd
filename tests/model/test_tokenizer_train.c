/* grasp/tokenizer_train.h, through public headers. */
#include "test.h"

#include "grasp/tokenizer_train.h"
#include "support/tempdir.h"

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    char text[300], out[300]; /* a file of text, and the folder to make */
    gr_tokenizer_train_options o;
} world;

static const char a_text[] =
    "the red mug and the red ball\nthe ball isn't red, the mug is\n<|eot_id|> <Prompt0>\n";

/* Ready to learn 20 tokens of a_text. */
static void world_make(world *w, int n_threads)
{
    w->rt = test_runtime_threads(n_threads);
    test_dir_make(&w->dir);
    test_dir_write(&w->dir, "text", a_text, sizeof a_text - 1);
    snprintf(w->text, sizeof w->text, "%s", test_dir_file(&w->dir, "text"));
    snprintf(w->out, sizeof w->out, "%s", test_dir_file(&w->dir, "out"));
    gr_tokenizer_train_options_init(&w->o);
    w->o.vocab_size = 256 + 20 + 262;
    w->o.min_frequency = 1;
}

static void world_remove(world *w)
{
    char file[400];
    static const char *const names[] = { "tokenizer.json", "tokenizer_config.json",
                                         "special_tokens_map.json" };
    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s/%s", w->out, names[i]);
        remove(file);
    }
    rmdir(w->out);
    test_dir_remove(&w->dir);
    gr_runtime_free(w->rt);
}

static gr_status train(world *w, gr_tokenizer_training *training, gr_error *err)
{
    const char *paths[] = { w->text };
    return gr_tokenizer_train(w->rt, paths, 1, w->out, &w->o, training, err);
}

/* The call fails so, and only the file of text is there. */
static void refused(world *w, gr_status status, const char *part)
{
    gr_error err;
    MUST_FAIL(train(w, NULL, &err), status, part);
    assert_int_equal(test_dir_count(&w->dir), 1);
}

static void ids_are_bytes_then_learned_then_the_special_tokens_of_gar(void **state)
{
    (void)state;
    world w;
    gr_error err = { 0 };
    gr_tokenizer *t = NULL;
    gr_tokenizer_training training = { .size = sizeof training };
    world_make(&w, 2);
    MUST(train(&w, &training, &err));
    assert_int_equal(training.vocab_size, 538);
    assert_int_equal(training.n_learned, 20);
    assert_int_equal(training.n_specials, 262);
    assert_int_equal(training.bytes, sizeof a_text - 1);
    assert_int_equal(training.texts, 3);
    MUST(gr_tokenizer_open(&t, w.rt, w.out, &err));
    assert_int_equal(gr_tokenizer_n_vocab(t), 538);
    assert_int_equal(gr_tokenizer_id(t, "!"), 0);
    assert_int_equal(gr_tokenizer_id(t, " "), 220);
    assert_true(gr_tokenizer_id(t, " the") >= 256 && gr_tokenizer_id(t, " the") < 276);
    static const struct {
        const char *name;
        int place; /* from the first special token on, as published from 128000 on */
    } known[] = { { "<|begin_of_text|>", 0 },
                  { "<|image|>", 2 },
                  { "<|eot_id|>", 9 },
                  { "<|reserved_special_token_5|>", 10 },
                  { "<|reserved_special_token_250|>", 255 },
                  { "<Prompt0>", 256 },
                  { "<NO_Prompt>", 261 } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(gr_tokenizer_id(t, known[i].name), 276 + known[i].place);
        assert_true(gr_tokenizer_is_special(t, 276 + known[i].place));
    }
    assert_int_equal(gr_tokenizer_bos(t), 276);
    gr_tokenizer_free(t);
    world_remove(&w);
}

static void a_text_that_spells_special_tokens_does_not_become_them(void **state)
{
    (void)state;
    world w;
    gr_error err = { 0 };
    gr_tokenizer *t = NULL;
    int32_t ids[200];
    size_t n;
    world_make(&w, 1);
    w.o.vocab_size = 2000; /* all there is to learn, <|eot_id|> among it */
    MUST(train(&w, NULL, &err));
    MUST(gr_tokenizer_open(&t, w.rt, w.out, &err));
    MUST(gr_tokenizer_to_ids(t, a_text, sizeof a_text - 1, false, ids, 200, &n, &err));
    for (size_t i = 0; i < n; i++)
        assert_false(gr_tokenizer_is_special(t, ids[i]));
    char text[200];
    size_t bytes;
    MUST(gr_tokenizer_to_text(t, ids, n, GR_DECODE_SKIP_SPECIAL, text, sizeof text, &bytes, &err));
    assert_string_equal(text, a_text);
    assert_true(n < sizeof a_text / 2); /* words are tokens */
    gr_tokenizer_free(t);
    world_remove(&w);
}

static void a_vocabulary_needs_room_for_bytes_and_special_tokens(void **state)
{
    (void)state;
    world w;
    gr_error err = { 0 };
    gr_tokenizer_training training = { .size = sizeof training };
    world_make(&w, 1);
    w.o.vocab_size = 517;
    refused(&w, GR_ERR_ARG,
            "a vocabulary of 517 ids was asked for, the 256 bytes and 262 special tokens take 518");
    w.o.vocab_size = 0;
    refused(&w, GR_ERR_ARG, "a vocabulary of 0 ids");
    w.o.vocab_size = (1 << 20) + 1;
    refused(&w, GR_ERR_ARG, "the limit is 1048576");
    w.o.vocab_size = 518;
    MUST(train(&w, &training, &err));
    assert_int_equal(training.n_learned, 0);
    world_remove(&w);
}

static void an_empty_text_gives_the_bytes_alone(void **state)
{
    (void)state;
    world w;
    gr_error err = { 0 };
    gr_tokenizer *t = NULL;
    gr_tokenizer_training training = { .size = sizeof training };
    world_make(&w, 2);
    test_dir_write(&w.dir, "text", "", 0);
    MUST(train(&w, &training, &err));
    assert_int_equal(training.vocab_size, 518);
    assert_int_equal(training.words, 0);
    MUST(gr_tokenizer_open(&t, w.rt, w.out, &err));
    assert_int_equal(gr_tokenizer_n_vocab(t), 518);
    gr_tokenizer_free(t);
    world_remove(&w);
}

static void special_tokens_may_be_chosen(void **state)
{
    (void)state;
    world w;
    gr_error err = { 0 };
    gr_tokenizer *t = NULL;
    static const char *const mine[] = { "<s>", "</s>", "the" };
    world_make(&w, 1);
    w.o.specials = mine;
    w.o.n_specials = 3;
    w.o.bos = "<s>";
    w.o.eos = "</s>";
    w.o.vocab_size = 300;
    MUST(train(&w, NULL, &err));
    MUST(gr_tokenizer_open(&t, w.rt, w.out, &err));
    const int32_t first = gr_tokenizer_bos(t);
    assert_int_equal(gr_tokenizer_id(t, "<s>"), first);
    assert_int_equal(gr_tokenizer_id(t, "the"), first + 2);
    int32_t ids[3];
    size_t n;
    MUST(gr_tokenizer_to_ids(t, "the", 3, false, ids, 3, &n, &err));
    assert_int_equal(n, 2); /* "the" is no learned token, "th" or "he" is */
    gr_tokenizer_free(t);
    world_remove(&w);
}

static void special_tokens_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "<s>", "" }, { "<s>", "<s>" }, { "<s>", "\xff" }, { "<s>", "x" }
    };
    static const char *const parts[] = { "has 0 bytes", "'<s>' is there twice", "has 1 bytes, expected UTF-8",
                                         "'x' is how the file spells a byte" };
    world w;
    world_make(&w, 1);
    w.o.bos = w.o.eos = "<s>";
    w.o.n_specials = 2;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        w.o.specials = rows[i];
        refused(&w, GR_ERR_ARG, parts[i]);
    }
    static char long_one[300];
    memset(long_one, 'x', 257);
    const char *const both[] = { "<s>", long_one };
    w.o.specials = both;
    refused(&w, GR_ERR_ARG, "has 257 bytes, expected UTF-8 of 1 to 256");
    w.o.n_specials = 1;
    w.o.eos = "</s>";
    refused(&w, GR_ERR_ARG, "'</s>' is to be the end token, and not among the special tokens");
    w.o.bos = "<t>";
    refused(&w, GR_ERR_ARG, "'<t>' is to be the begin-of-text token");
    w.o.n_specials = 0;
    refused(&w, GR_ERR_ARG, "'<t>' is to be the begin-of-text token");
    world_remove(&w);
}

static void other_mistakes_are_explained(void **state)
{
    (void)state;
    world w;
    gr_error err = { 0 };
    gr_tokenizer_training small = { .size = 8 };
    world_make(&w, 1);
    w.o.min_frequency = 0;
    refused(&w, GR_ERR_ARG, "the least frequency is 0");
    gr_tokenizer_train_options_init(&w.o);
    w.o.vocab_size = 600;
    w.o.size = 8;
    refused(&w, GR_ERR_ARG, "gr_tokenizer_train_options.size is 8");
    w.o.size = sizeof w.o;
    MUST_FAIL(train(&w, &small, &err), GR_ERR_ARG, "gr_tokenizer_training.size is 8");
    w.o.max_words = 3;
    refused(&w, GR_ERR_LIMIT, "the limit is 3");
    w.o.max_words = 1000;
    w.o.field = "caption";
    refused(&w, GR_ERR_FORMAT, "/text: line 1, column 1: ");
    w.o.whole_files = true;
    refused(&w, GR_ERR_ARG, "not both");
    w.o.field = NULL;
    snprintf(w.text, sizeof w.text, "%s", test_dir_file(&w.dir, "none"));
    refused(&w, GR_ERR_IO, "/none: cannot open");
    snprintf(w.out, sizeof w.out, "%s", w.dir.path);
    MUST_FAIL(train(&w, NULL, &err), GR_ERR_ARG, "is there already and not an empty folder");
    world_remove(&w);
}

typedef struct {
    int calls, stop_at;
    gr_train_phase phase;
    uint64_t done, total;
} watcher;

static bool watch(void *user, gr_train_phase phase, uint64_t now, uint64_t total)
{
    watcher *x = user;
    assert_true(phase > x->phase || (phase == x->phase && now >= x->done) || x->calls == 0);
    assert_true(now <= total);
    x->phase = phase;
    x->done = now;
    x->total = total;
    return ++x->calls != x->stop_at;
}

static void progress_goes_to_the_end_of_both_phases(void **state)
{
    (void)state;
    world w;
    gr_error err = { 0 };
    watcher x = { 0 };
    world_make(&w, 1);
    w.o.progress = watch;
    w.o.progress_user = &x;
    MUST(train(&w, NULL, &err));
    assert_int_equal(x.calls, 2 + 20); /* nothing was read, all is read; 20 tokens */
    assert_int_equal(x.phase, GR_TRAIN_JOIN);
    assert_int_equal(x.done, 276);
    assert_int_equal(x.total, 276);
    world_remove(&w);
}

static void cancelled_at_any_moment_it_leaves_nothing(void **state)
{
    (void)state;
    world w;
    world_make(&w, 1);
    w.o.progress = watch;
    for (int at = 1; at <= 22; at++) {
        watcher x = { .stop_at = at };
        w.o.progress_user = &x;
        refused(&w, GR_ERR_CANCELLED, "cancelled after");
        assert_int_equal(x.calls, at);
    }
    world_remove(&w);
}

static size_t read_file(const char *dir, char *out, size_t n)
{
    char path[400];
    snprintf(path, sizeof path, "%s/tokenizer.json", dir);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t got = fread(out, 1, n, f);
    fclose(f);
    assert_true(got > 0 && got < n);
    return got;
}

static void threads_order_and_cut_of_the_files_do_not_matter(void **state)
{
    (void)state;
    enum { MAX = 1 << 18 };
    static char first[MAX], other[MAX];
    world a, b;
    gr_error err = { 0 };
    world_make(&a, 1);
    world_make(&b, 3);
    MUST(train(&a, NULL, &err));
    const char *end = strchr(a_text, '\n') + 1; /* of the first line */
    test_dir_write(&b.dir, "text", end, strlen(end));
    test_dir_write(&b.dir, "more", a_text, (size_t)(end - a_text));
    const char *paths[] = { b.text, test_dir_file(&b.dir, "more") };
    MUST(gr_tokenizer_train(b.rt, paths, 2, b.out, &b.o, NULL, &err));
    const size_t n = read_file(a.out, first, MAX);
    assert_int_equal(read_file(b.out, other, MAX), n);
    assert_memory_equal(first, other, n);
    world_remove(&a);
    world_remove(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_bytes_then_learned_then_the_special_tokens_of_gar),
        cmocka_unit_test(a_text_that_spells_special_tokens_does_not_become_them),
        cmocka_unit_test(a_vocabulary_needs_room_for_bytes_and_special_tokens),
        cmocka_unit_test(an_empty_text_gives_the_bytes_alone),
        cmocka_unit_test(special_tokens_may_be_chosen),
        cmocka_unit_test(special_tokens_that_cannot_be_are_refused),
        cmocka_unit_test(other_mistakes_are_explained),
        cmocka_unit_test(progress_goes_to_the_end_of_both_phases),
        cmocka_unit_test(cancelled_at_any_moment_it_leaves_nothing),
        cmocka_unit_test(threads_order_and_cut_of_the_files_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
