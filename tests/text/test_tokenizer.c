#include "test.h"

#include <limits.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "support/toy_tokenizer.h"
#include "text/bpe.h"
#include "text/tokenizer.h"

#define LLAMA3 "tokenizers/llama3-gar/tokenizer.json"

static gr_tokenizer *open_llama3(gr_runtime *rt)
{
    gr_tokenizer *t = NULL;
    gr_error err = { 0 };
    MUST(gr_tokenizer_open(&t, rt, SHARED_FILE(LLAMA3), &err));
    return t;
}

/* The 47 public vectors of the Llama-3 vocabulary and 858 made by an independent implementation. */
static void published_vectors_of_llama3_hold(void **state)
{
    (void)state;
    NEED_SHARED("tokenizers/llama3-gar/vectors.json");
    gr_runtime *rt = test_runtime();
    gr_tokenizer *t = open_llama3(rt);
    gr_error err = { 0 };
    char *file;
    size_t size;
    MUST(gr_file_read(rt, SHARED_FILE("tokenizers/llama3-gar/vectors.json"), 1 << 24, &file, &size, &err));
    gr_json j;
    gr_json_init(&j, rt, file, size, "vectors.json", 1 << 20);
    gr_ids ids;
    gr_ids_init(&ids, rt, 100000);
    gr_buf text, back;
    gr_buf_init(&text, rt, 1 << 20);
    gr_buf_init(&back, rt, 1 << 20);
    int n_vectors = 0;
    const char *key;
    for (gr_json_array(&j); gr_json_item(&j); n_vectors++)
        for (gr_json_object(&j); gr_json_key(&j, &key);) {
            if (strcmp(key, "text") == 0) {
                size_t n;
                const char *value = gr_json_string(&j, &n);
                gr_buf_clear(&text);
                gr_buf_add(&text, value, n);
                gr_ids_clear(&ids);
                MUST(gr_tokenizer_encode(t, text.data, n, false, &ids, &err));
                gr_buf_clear(&back);
                MUST(gr_tokenizer_decode(t, ids.v, ids.n, 0, &back, &err));
                assert_string_equal(gr_buf_str(&back), text.data);
            } else {
                size_t i = 0;
                for (gr_json_array(&j); gr_json_item(&j); i++) {
                    const int64_t want = gr_json_int(&j, 0, 1 << 20);
                    if (i >= ids.n || ids.v[i] != want)
                        fail_msg("vector %d '%s': token %zu is %d, expected %d", n_vectors, text.data, i,
                                 i < ids.n ? ids.v[i] : -1, (int)want);
                }
                assert_int_equal(i, ids.n);
            }
        }
    MUST(gr_json_status(&j, true, &err));
    assert_int_equal(n_vectors, 905);
    gr_buf_fini(&text);
    gr_buf_fini(&back);
    gr_ids_fini(&ids);
    gr_json_fini(&j);
    gr_free(rt, file);
    gr_tokenizer_free(t);
    gr_runtime_free(rt);
}

/* Ids of spec and of published prompts, taken from the Llama-3 vocabulary. */
static void handy_ids_of_llama3_hold(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA3);
    static const struct {
        const char *text;
        int32_t ids[8];
    } cases[] = {
        { "system", { 9125 } },     { "user", { 882 } },
        { "assistant", { 78191 } }, { "\n", { 198 } },
        { "\n\n", { 271 } },        { "\n\n\n", { 1432 } },
        { ";\n", { 280 } },         { "; \n", { 26, 720 } },
        { ": ", { 25, 220 } },      { "<Prompt5>", { 22332, 15091, 20, 29 } },
    };
    gr_runtime *rt = test_runtime();
    gr_tokenizer *t = open_llama3(rt);
    gr_error err = { 0 };
    gr_ids ids;
    gr_ids_init(&ids, rt, 100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_ids_clear(&ids);
        MUST(gr_tokenizer_encode(t, cases[i].text, strlen(cases[i].text), false, &ids, &err));
        for (size_t k = 0; k < 8 && (k < ids.n || cases[i].ids[k]); k++)
            if (k >= ids.n || ids.v[k] != cases[i].ids[k])
                fail_msg("'%s': token %zu", cases[i].text, k);
    }
    static const struct {
        const char *name;
        int32_t id;
    } names[] = { { "<|begin_of_text|>", 128000 },
                  { "<|eot_id|>", 128009 },
                  { "<|image|>", 128002 },
                  { "<|reserved_special_token_2|>", 128004 },
                  { "<|reserved_special_token_250|>", 128255 },
                  { "<Prompt0>", 128256 },
                  { "<NO_Prompt>", 128261 },
                  { "system", 9125 },
                  { "<Prompt5>", -1 },
                  { "", -1 } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(gr_tokenizer_id(t, names[i].name), names[i].id);
    assert_int_equal(gr_tokenizer_n_vocab(t), 128262);
    assert_int_equal(gr_tokenizer_bos(t), 128000);
    assert_true(gr_tokenizer_is_special(t, 128256));
    assert_false(gr_tokenizer_is_special(t, 9125));
    gr_ids_fini(&ids);
    gr_tokenizer_free(t);
    gr_runtime_free(rt);
}

/* --- a vocabulary whose merges can be seen at a glance ------------------------------------------------- */

typedef struct {
    gr_runtime *rt;
    gr_tokenizer *t;
    gr_ids ids;
} toy;

static toy toy_new(const toy_parts *parts)
{
    toy y = { .rt = test_runtime() };
    gr_error err = { 0 };
    MUST(toy_parse(&y.t, y.rt, parts, &err));
    gr_ids_init(&y.ids, y.rt, 1 << 22);
    return y;
}

static void toy_free(toy *y)
{
    gr_ids_fini(&y->ids);
    gr_tokenizer_free(y->t);
    gr_runtime_free(y->rt);
}

/* `want` ends with -1. */
static void check_ids(toy *y, const char *text, bool specials, const int32_t *want)
{
    gr_error err = { 0 };
    gr_ids_clear(&y->ids);
    MUST(gr_tokenizer_encode(y->t, text, strlen(text), specials, &y->ids, &err));
    size_t n = 0;
    for (; want[n] >= 0; n++)
        if (n >= y->ids.n || y->ids.v[n] != want[n])
            fail_msg("'%s': token %zu is %d, expected %d", text, n, n < y->ids.n ? y->ids.v[n] : -1, want[n]);
    assert_int_equal(y->ids.n, n);
}

#define IDS(...) ((const int32_t[]){ __VA_ARGS__, -1 })

static void the_lowest_rank_merges_first_and_the_leftmost_of_those(void **state)
{
    (void)state;
    toy y = toy_new(&toy_merging);
    check_ids(&y, "abc", false, IDS(258)); /* a b first, then ab c; never b c */
    check_ids(&y, "bcab", false, IDS(257, 256));
    check_ids(&y, "aaa", false, IDS(264, 'a')); /* the left pair */
    check_ids(&y, "aaaaaaa", false, IDS(265, 264, 'a'));
    check_ids(&y, "the", false, IDS(260, 'e'));      /* "t h" is before "h e" */
    check_ids(&y, " the", false, IDS(263));          /* " th" e, by "t h", " " "th" */
    check_ids(&y, "xyz", false, IDS('x', 'y', 'z')); /* a token without merges */
    check_ids(&y, " t", false, IDS(259));
    check_ids(&y, "a b", false, IDS('a', ' ', 'b')); /* merges do not cross pieces */
    toy_free(&y);
}

static void ignore_merges_takes_a_whole_piece_that_is_a_token(void **state)
{
    (void)state;
    toy_parts parts = toy_merging;
    parts.model_more = "\"ignore_merges\":true,";
    toy y = toy_new(&parts);
    check_ids(&y, "xyz", false, IDS(266));
    check_ids(&y, "xyzz", false, IDS('x', 'y', 'z', 'z'));
    toy_free(&y);
}

static void specials_are_found_only_when_asked_for(void **state)
{
    (void)state;
    toy y = toy_new(&toy_merging);
    check_ids(&y, "a<|x|>b", true, IDS('a', 301, 'b'));
    check_ids(&y, "<|x|>yy", true, IDS(302, 'y')); /* the longest one */
    check_ids(&y, "<|x<|x|>", true, IDS('<', '|', 'x', 301));
    check_ids(&y, "<|x|>", false, IDS('<', '|', 'x', '|', '>'));
    check_ids(&y, "a[A]b", false, IDS('a', 303, 'b')); /* an added token that is not special */
    check_ids(&y, "<|x|>[A]", true, IDS(301, 303));
    check_ids(&y, "ab<|x|>c", true, IDS(256, 301, 'c')); /* no merge across one */
    assert_int_equal(gr_tokenizer_bos(y.t), 300);
    assert_int_equal(gr_tokenizer_n_vocab(y.t), 304);
    assert_int_equal(gr_tokenizer_id(y.t, "abc"), 258);
    assert_int_equal(gr_tokenizer_id(y.t, "[A]"), 303);
    size_t n;
    assert_null(gr_tokenizer_bytes(y.t, 299, &n)); /* a gap */
    assert_null(gr_tokenizer_bytes(y.t, -1, &n));
    assert_memory_equal(gr_tokenizer_bytes(y.t, 263, &n), " the", 4);
    assert_int_equal(n, 4);
    toy_free(&y);
}

static void ends_tell_which_bytes_a_token_covers(void **state)
{
    (void)state;
    toy y = toy_new(&toy_merging);
    gr_error err = { 0 };
    const char text[] = "abc th\xC3\xA9[A]";
    MUST(gr_tokenizer_encode(y.t, text, strlen(text), false, &y.ids, &err));
    size_t ends[8];
    const size_t want[] = { 3, 6, 7, 8, 11 };
    assert_int_equal(y.ids.n, 5);
    gr_tokenizer_ends(y.t, y.ids.v, y.ids.n, ends);
    assert_memory_equal(ends, want, sizeof want);
    toy_free(&y);
}

static void any_bytes_come_back_from_their_tokens(void **state)
{
    (void)state;
    toy y = toy_new(&toy_merging);
    gr_error err = { 0 };
    uint32_t seed = 1;
    for (int round = 0; round < 200; round++) {
        char text[64];
        const size_t size = (size_t)round % sizeof text;
        for (size_t i = 0; i < size; i++)
            text[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        gr_ids_clear(&y.ids);
        MUST(gr_tokenizer_encode(y.t, text, size, round & 1, &y.ids, &err));
        size_t at = 0, n;
        for (size_t i = 0; i < y.ids.n; i++, at += n) {
            const uint8_t *bytes = gr_tokenizer_bytes(y.t, y.ids.v[i], &n);
            assert_true(at + n <= size && memcmp(text + at, bytes, n) == 0);
        }
        assert_int_equal(at, size);
    }
    toy_free(&y);
}

/* A megabyte of one letter: as many steps as n log n asks for, not n * n. */
static void a_long_run_of_one_letter_costs_n_log_n_steps(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_bpe bpe;
    gr_bpe_init(&bpe, rt);
    for (int i = 0; i < 256; i++)
        bpe.byte_ids[i] = i;
    for (int32_t k = 0; k < 12; k++) /* a a, aa aa, ... up to 4096 letters */
        MUST(gr_bpe_add(&bpe, k == 0 ? (gr_merge){ 'a', 'a', 256 } : (gr_merge){ 255 + k, 255 + k, 256 + k },
                        &err));
    MUST(gr_bpe_index(&bpe, &err));
    const size_t n = 1 << 20;
    uint8_t *text = gr_malloc(rt, n, 1);
    memset(text, 'a', n);
    gr_ids ids;
    gr_ids_init(&ids, rt, n);
    gr_bpe_work work = { 0 };
    MUST(gr_bpe_encode(&bpe, &work, text, n, &ids, &err));
    assert_int_equal(ids.n, n / 4096);
    for (size_t i = 0; i < ids.n; i++)
        assert_int_equal(ids.v[i], 256 + 11);
    assert_true(work.heap.steps < 4 * n * 20);
    gr_bpe_work_fini(&work, rt);
    gr_ids_fini(&ids);
    gr_free(rt, text);
    gr_bpe_fini(&bpe);
    gr_runtime_free(rt);
}

static void too_many_tokens_and_too_long_texts_are_refused(void **state)
{
    (void)state;
    toy y = toy_new(&toy_merging);
    gr_error err = { 0 };
    y.ids.max = 3;
    MUST_FAIL(gr_tokenizer_encode(y.t, "x y z", 5, false, &y.ids, &err), GR_ERR_LIMIT, "more than 3 tokens");
    MUST_FAIL(gr_tokenizer_encode(y.t, "", GR_TEXT_MAX + 1, false, &y.ids, &err), GR_ERR_LIMIT,
              "the limit is");
    toy_free(&y);
}

static void arrays_get_what_lists_get_or_say_how_much_room_they_need(void **state)
{
    (void)state;
    toy y = toy_new(&toy_merging);
    gr_error err = { 0 };
    static const char text[] = "the abc <|x|> \xff";
    const size_t n = sizeof text - 1;
    int32_t ids[32];
    size_t count = 0, bytes = 0;
    char back[64];
    for (int specials = 0; specials < 2; specials++) {
        gr_ids_clear(&y.ids);
        MUST(gr_tokenizer_encode(y.t, text, n, specials, &y.ids, &err));
        MUST(gr_tokenizer_to_ids(y.t, text, n, specials, NULL, 0, &count, &err));
        assert_int_equal(count, y.ids.n);
        memset(ids, 0xff, sizeof ids);
        MUST(gr_tokenizer_to_ids(y.t, text, n, specials, ids, count, &count, &err));
        assert_memory_equal(ids, y.ids.v, count * sizeof *ids);
        assert_int_equal(ids[count], -1);
        MUST_FAIL(gr_tokenizer_to_ids(y.t, text, n, specials, ids, count - 1, &count, &err), GR_ERR_LIMIT,
                  "there is room for");
    }
    MUST(gr_tokenizer_to_ids(y.t, "", 0, false, ids, 0, &count, &err));
    assert_int_equal(count, 0);

    MUST(gr_tokenizer_to_text(y.t, y.ids.v, y.ids.n, 0, NULL, 0, &bytes, &err));
    assert_int_equal(bytes, n - 1 + 3); /* one U+FFFD */
    MUST(gr_tokenizer_to_text(y.t, y.ids.v, y.ids.n, 0, back, bytes + 1, &bytes, &err));
    assert_string_equal(back, "the abc <|x|> \xef\xbf\xbd");
    MUST_FAIL(gr_tokenizer_to_text(y.t, y.ids.v, y.ids.n, 0, back, bytes, &bytes, &err), GR_ERR_LIMIT,
              "there is room for");
    MUST(
        gr_tokenizer_to_text(y.t, y.ids.v, y.ids.n, GR_DECODE_SKIP_SPECIAL, back, sizeof back, &bytes, &err));
    assert_string_equal(back, "the abc  \xef\xbf\xbd");
    MUST(gr_tokenizer_to_text(y.t, NULL, 0, 0, back, 1, &bytes, &err));
    assert_string_equal(back, "");
    toy_free(&y);
}

/* --- files that are refused, and why ------------------------------------------------------------------- */

#define SEQUENCE(steps) "{\"type\":\"Sequence\",\"pretokenizers\":[" steps "]}"
#define TEMPLATE(single, tokens) \
    "{\"type\":\"TemplateProcessing\",\"single\":[" single "],\"special_tokens\":{" tokens "}}"
#define TOKEN_X "{\"SpecialToken\":{\"id\":\"x\",\"type_id\":0}}"
#define TEXT_A  "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}"

static const struct {
    toy_parts parts;
    gr_status status;
    const char *why;
} bad_files[] = {
    { { .normalizer = "{\"type\":\"NFC\"}" }, GR_ERR_UNSUPPORTED, "normalizer 'NFC'" },
    { { .pre_tokenizer = "null" }, GR_ERR_FORMAT, "expected an object" },
    { { .pre_tokenizer = TOY_BYTE_LEVEL }, GR_ERR_UNSUPPORTED, "without Split" },
    { { .pre_tokenizer = SEQUENCE(TOY_SPLIT) }, GR_ERR_UNSUPPORTED, "without ByteLevel" },
    { { .pre_tokenizer = SEQUENCE(TOY_BYTE_LEVEL "," TOY_SPLIT) }, GR_ERR_UNSUPPORTED, "after another step" },
    { { .pre_tokenizer = SEQUENCE("{\"type\":\"Metaspace\"}") }, GR_ERR_UNSUPPORTED, "'Metaspace'" },
    { { .pre_tokenizer = SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\d+\"},\"behavior\":"
                                  "\"Isolated\",\"invert\":false}") },
      GR_ERR_UNSUPPORTED,
      "Regex \"\\d+\"" },
    { { .pre_tokenizer = SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"String\":\"" TOY_REGEX
                                  "\"},\"behavior\":\"Isolated\",\"invert\":false}") },
      GR_ERR_UNSUPPORTED,
      "with String" },
    { { .pre_tokenizer = SEQUENCE(TOY_SPLIT ",{\"type\":\"ByteLevel\",\"add_prefix_space\":false}") },
      GR_ERR_UNSUPPORTED,
      "use_regex true" },
    { { .post_processor = "{\"type\":\"BertProcessing\"}" }, GR_ERR_UNSUPPORTED, "'BertProcessing'" },
    { { .post_processor = TEMPLATE(TEXT_A "," TOKEN_X, "") }, GR_ERR_UNSUPPORTED, "'x' after the text" },
    { { .post_processor = TEMPLATE(TOKEN_X "," TOKEN_X, "") }, GR_ERR_UNSUPPORTED, "beside another" },
    { { .post_processor = TEMPLATE(TOKEN_X, "") }, GR_ERR_FORMAT, "gives 'x' the id -1" },
    { { .post_processor = TEMPLATE(TOKEN_X, "\"x\":{\"id\":\"x\",\"ids\":[7]}") },
      GR_ERR_FORMAT,
      "the id 7" },
    { { .decoder = "null" }, GR_ERR_UNSUPPORTED, "decoder 'null'" },
    { { .decoder = "{\"type\":\"WordPiece\"}" }, GR_ERR_UNSUPPORTED, "decoder 'WordPiece'" },
    { { .model_more = "\"dropout\":0.1," }, GR_ERR_UNSUPPORTED, "dropout" },
    { { .model_more = "\"end_of_word_suffix\":\"</w>\"," }, GR_ERR_UNSUPPORTED, "'</w>'" },
    { { .model_more = "\"type\":\"BPE\"," }, GR_ERR_FORMAT, "the key 'type' twice" },
    { { .tokens = ",\"ab\":255" }, GR_ERR_FORMAT, "'ab' has id 255, which is the id of" },
    { { .tokens = ",\"a\":256" }, GR_ERR_FORMAT, "token 'a' is there twice, with ids 97 and 256" },
    { { .tokens = ",\"ab\":-1" }, GR_ERR_FORMAT, "" },
    { { .tokens = ",\"ab\":1048576" }, GR_ERR_FORMAT, "" },
    { { .tokens = ",\"ab\":1.5" }, GR_ERR_FORMAT, "" },
    { { .tokens = ",\"\":256" }, GR_ERR_LIMIT, "token 256 has 0 bytes" },
    { { .merges = "[\"a b\"]" },
      GR_ERR_FORMAT,
      "merge 0 ('a' and 'b'): the result is not in the vocabulary" },
    { { .tokens = ",\"abc\":256", .merges = "[\"ab c\"]" }, GR_ERR_FORMAT, "the first half is not" },
    { { .tokens = ",\"abc\":256", .merges = "[\"a bc\"]" }, GR_ERR_FORMAT, "the second half is not" },
    { { .tokens = ",\"ab\":256", .merges = "[\"a b\",[\"a\",\"b\"]]" },
      GR_ERR_FORMAT,
      "merge 1 repeats merge 0" },
    { { .tokens = ",\"ab\":256", .merges = "[\"ab\"]" }, GR_ERR_FORMAT, "two halves" },
    { { .tokens = ",\"ab\":256", .merges = "[\"a \"]" }, GR_ERR_FORMAT, "an empty half" },
    { { .tokens = ",\"ab\":256", .merges = "[\" b\"]" }, GR_ERR_FORMAT, "an empty half" },
    { { .tokens = ",\"ab\":256", .merges = "[\"a  b\"]" }, GR_ERR_FORMAT, "no byte" },
    { { .tokens = ",\"ab\":256", .merges = "[[\"a\"]]" }, GR_ERR_FORMAT, "found 1" },
    { { .tokens = ",\"ab\":256", .merges = "[[\"a\",\"b\",\"c\"]]" }, GR_ERR_FORMAT, "found 3" },
    { { .merges = "[7]" }, GR_ERR_FORMAT, "expected a string" },
    { { .added = "[{\"id\":300,\"content\":\"\"}]" }, GR_ERR_FORMAT, "wants an id and a content" },
    { { .added = "[{\"content\":\"x\"}]" }, GR_ERR_FORMAT, "wants an id and a content" },
    { { .added = "[{\"id\":300,\"content\":\"<x>\",\"rstrip\":true}]" }, GR_ERR_UNSUPPORTED, "'<x>'" },
    { { .added = "[{\"id\":300,\"content\":\"a\"}]" }, GR_ERR_FORMAT, "in the vocabulary it has 97" },
    { { .added = "[{\"id\":97,\"content\":\"<x>\"}]" }, GR_ERR_FORMAT, "which is the id of 'a'" },
    { { .added = "[{\"id\":300,\"content\":\"<x>\"},{\"id\":301,\"content\":\"<x>\"}]" },
      GR_ERR_FORMAT,
      "there twice, with ids 300 and 301" },
    { { .added = "[{\"id\":300,\"content\":\"<x>\"},{\"id\":300,\"content\":\"<y>\"}]" },
      GR_ERR_FORMAT,
      "which is the id of '<x>'" },
};

static void files_that_would_be_read_wrong_are_refused_by_name(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        gr_tokenizer *t = NULL;
        const gr_status st = toy_parse(&t, rt, &bad_files[i].parts, &err);
        if (st != bad_files[i].status || t || !strstr(err.msg, "toy.json") ||
            !strstr(err.msg, bad_files[i].why))
            fail_msg("file %zu: status %d, '%s'; expected %d with '%s'", i, st, err.msg, bad_files[i].status,
                     bad_files[i].why);
        err = (gr_error){ 0 };
    }
    gr_runtime_free(rt);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_buf text;
    gr_buf_init(&text, rt, 1 << 20);
    toy_json(&text, &toy_merging);
    for (size_t n = 0; n < text.len; n++) {
        gr_tokenizer *t = NULL;
        gr_error err = { 0 };
        assert_int_not_equal(gr_tokenizer_parse(&t, rt, text.data, n, "cut", &err), GR_OK);
        assert_true(t == NULL && err.msg[0]);
    }
    gr_buf_fini(&text);
    gr_runtime_free(rt);
}

static void a_vocabulary_without_some_byte_is_refused(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_buf text;
    gr_buf_init(&text, rt, 1 << 20);
    toy_json(&text, &toy_merging);
    char *q = strstr(text.data, "\"q\":113"); /* the token becomes "zzz" without changing anything else */
    assert_non_null(q);
    memcpy(q, "\"Q\":113", 7);
    gr_tokenizer *t = NULL;
    MUST_FAIL(gr_tokenizer_parse(&t, rt, text.data, text.len, "toy", &err), GR_ERR_FORMAT, "there twice");
    memcpy(q, "\" \":113", 7); /* a space is no spelled byte: no text becomes this token */
    MUST_FAIL(gr_tokenizer_parse(&t, rt, text.data, text.len, "toy", &err), GR_ERR_UNSUPPORTED,
              "no token for byte 0x71");
    gr_buf_fini(&text);
    gr_runtime_free(rt);
}

static void a_missing_file_and_a_folder_without_one_are_named(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_tokenizer *t = NULL;
    MUST_FAIL(gr_tokenizer_open(&t, rt, TEST_FILE("no-such.json"), &err), GR_ERR_IO, "no-such.json");
    MUST_FAIL(gr_tokenizer_open(&t, rt, TEST_FILE("text"), &err), GR_ERR_IO, "text/tokenizer.json");
    MUST(gr_tokenizer_open(&t, rt, TEST_FILE("golden/text"), &err));
    assert_int_equal(gr_tokenizer_n_vocab(t), 296);
    gr_tokenizer_free(t);
    gr_runtime_free(rt);
}

/* --- memory that runs out ------------------------------------------------------------------------------ */

typedef struct {
    long left; /* allocations that still succeed */
    long held;
} purse;

static void *purse_alloc(void *user, size_t bytes, size_t align)
{
    purse *p = user;
    void *memory = NULL;
    if (p->left-- <= 0 || posix_memalign(&memory, align, bytes) != 0)
        return NULL;
    p->held++;
    return memory;
}

static void purse_free(void *user, void *memory)
{
    ((purse *)user)->held--;
    free(memory);
}

static gr_status parse_and_use(gr_runtime *rt, const gr_buf *text, gr_error *err)
{
    static const char words[] = "The quick <|x|> brown\n\n fox";
    gr_tokenizer *t = NULL;
    gr_status st = gr_tokenizer_parse(&t, rt, text->data, text->len, "toy", err);
    gr_ids ids;
    gr_buf out;
    gr_ids_init(&ids, rt, 1000);
    gr_buf_init(&out, rt, 1000);
    if (st == GR_OK)
        st = gr_tokenizer_encode(t, words, sizeof words - 1, true, &ids, err);
    if (st == GR_OK)
        st = gr_tokenizer_decode(t, ids.v, ids.n, 0, &out, err);
    if (st == GR_OK)
        assert_string_equal(out.data, words);
    gr_ids_fini(&ids);
    gr_buf_fini(&out);
    gr_tokenizer_free(t);
    return st;
}

/* Whichever allocation fails: a sentence, and nothing stays behind. */
static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    gr_runtime *plain = test_runtime(), *rt = NULL;
    gr_buf text;
    gr_buf_init(&text, plain, 1 << 20);
    toy_json(&text, &toy_merging);
    purse p = { .left = LONG_MAX };
    gr_runtime_options o;
    gr_runtime_options_init(&o);
    o.n_threads = 1;
    o.allocator = (gr_allocator){ purse_alloc, purse_free, &p };
    gr_error err = { 0 };
    MUST(gr_runtime_new(&rt, &o, &err));
    const long held = p.held;
    gr_status st = GR_ERR_MEM;
    long n = 0;
    for (; st != GR_OK; n++) {
        err = (gr_error){ 0 };
        p.left = n;
        st = parse_and_use(rt, &text, &err);
        if (st != GR_OK && st != GR_ERR_MEM)
            fail_msg("allocation %ld: status %d, '%s'", n, st, err.msg);
        assert_true(st == GR_OK || strstr(err.msg, "memory"));
        assert_int_equal(p.held, held);
    }
    assert_true(n > 10);
    p.left = LONG_MAX;
    gr_runtime_free(rt);
    gr_buf_fini(&text);
    gr_runtime_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_of_llama3_hold),
        cmocka_unit_test(handy_ids_of_llama3_hold),
        cmocka_unit_test(the_lowest_rank_merges_first_and_the_leftmost_of_those),
        cmocka_unit_test(ignore_merges_takes_a_whole_piece_that_is_a_token),
        cmocka_unit_test(specials_are_found_only_when_asked_for),
        cmocka_unit_test(ends_tell_which_bytes_a_token_covers),
        cmocka_unit_test(any_bytes_come_back_from_their_tokens),
        cmocka_unit_test(a_long_run_of_one_letter_costs_n_log_n_steps),
        cmocka_unit_test(too_many_tokens_and_too_long_texts_are_refused),
        cmocka_unit_test(arrays_get_what_lists_get_or_say_how_much_room_they_need),
        cmocka_unit_test(files_that_would_be_read_wrong_are_refused_by_name),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_vocabulary_without_some_byte_is_refused),
        cmocka_unit_test(a_missing_file_and_a_folder_without_one_are_named),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
