#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "model/gar_prompt.h"

#define LLAMA3 "tokenizers/llama3-gar/tokenizer.json"

enum { TURNS_MAX = 8, REGION_ROWS = 16, IMAGE_ROWS = 32 };

/* A tokenizer with the ids a config.json would give, and the rows of the last prompt. */
typedef struct {
    gr_runtime *rt;
    gr_tokenizer *t;
    gr_gar_markers m;
    gr_prompt p;
    gr_ids ids, source;
    gr_error err;
} bench;

static gr_gar_config config_of(const gr_tokenizer *t)
{
    static const char *const crops[] = { "2", "3", "4", "5", "6" };
    gr_gar_config c = { .n_prompts = 5, .n_crop = 5 };
    for (int k = 0; k < 5; k++) {
        char name[64];
        snprintf(name, sizeof name, "<|reserved_special_token_%s|>", crops[k]);
        c.crop_ids[k] = gr_tokenizer_id(t, name);
    }
    c.image_id = gr_tokenizer_id(t, "<|image|>");
    c.text.bos = gr_tokenizer_id(t, "<|begin_of_text|>");
    return c;
}

static void bench_init(bench *b, const char *file)
{
    *b = (bench){ .rt = test_runtime() };
    if (gr_tokenizer_open(&b->t, b->rt, file, &b->err) != GR_OK)
        fail_msg("%s", b->err.msg);
    const gr_gar_config c = config_of(b->t);
    if (gr_gar_markers_init(&b->m, &c, b->t, &b->err) != GR_OK)
        fail_msg("%s", b->err.msg);
    gr_prompt_init(&b->p, b->rt);
    gr_ids_init(&b->ids, b->rt, 100000);
    gr_ids_init(&b->source, b->rt, 100000);
}

static void bench_fini(bench *b)
{
    gr_prompt_fini(&b->p);
    gr_ids_fini(&b->ids);
    gr_ids_fini(&b->source);
    gr_tokenizer_free(b->t);
    gr_runtime_free(b->rt);
}

static gr_status rows(bench *b, const gr_gar_dialog *d, gr_error *err)
{
    gr_prompt_clear(&b->p);
    gr_ids_clear(&b->ids);
    gr_ids_clear(&b->source);
    GR_TRY(gr_gar_prompt_build(&b->p, &b->m, d, err));
    return gr_prompt_rows(&b->p, b->t, &b->ids, &b->source, err);
}

static void must_rows(bench *b, const gr_gar_dialog *d)
{
    gr_error err = { 0 };
    MUST(rows(b, d, &err));
    assert_int_equal(b->ids.n, b->source.n);
}

static void expect_ids(const bench *b, const char *what, size_t at, const int32_t *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at + i >= b->ids.n || b->ids.v[at + i] != want[i])
            fail_msg("%s: row %zu is %d, expected %d", what, at + i,
                     at + i < b->ids.n ? b->ids.v[at + i] : -1, want[i]);
}

static gr_gar_turn user(const char *text, int n_regions, gr_gar_style style)
{
    return (gr_gar_turn){
        .role = GR_GAR_USER, .text = text, .bytes = strlen(text), .n_regions = n_regions, .style = style
    };
}

static gr_gar_turn assistant(const char *text)
{
    return (gr_gar_turn){ .role = GR_GAR_ASSISTANT, .text = text, .bytes = strlen(text) };
}

/* --- the published ids --------------------------------------------------------------------------------- */

static void single_region_prompt_has_the_published_ids(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA3);
    static const int32_t head[] = {
        128000, 128000, 128006, 9125, 128007, 271,    2675,   527,  264,    11190, 4221, 323,
        11376,  18328,  13,     1472, 527,    3025,   311,    3619, 279,    9302,  2262, 430,
        279,    1217,   5825,   11,   323,    7945,   279,    1217, 449,    264,   8205, 315,
        9256,   1701,   5933,   4221, 13,     128009, 128006, 882,  128007, 271,
    };
    static const int32_t middle[] = { 3947, 527, 1063,   6302, 358,    1097, 22999, 922,
                                      25,   220, 128257, 280,  128257, 25,   220 };
    static const int32_t tail[] = {
        75885, 420, 43248, 5654, 304, 7872, 13, 128009, 128006, 78191, 128007, 271
    };
    enum { N_HEAD = sizeof head / sizeof *head, N_MIDDLE = sizeof middle / sizeof *middle };
    bench b;
    bench_init(&b, SHARED_FILE(LLAMA3));
    const gr_gar_turn turn = user("", 1, GR_GAR_AUTO);
    gr_gar_region region = { .prompt = -1 };
    gr_gar_dialog d = { .turns = &turn,
                        .n_turns = 1,
                        .regions = &region,
                        .n_regions = 1,
                        .image_rows = 3328,
                        .region_rows = 256,
                        .double_bos = true,
                        .open_answer = true };
    gr_gar_assign_prompts(&d, b.m.n_prompts);
    assert_int_equal(region.prompt, 1);
    must_rows(&b, &d);
    assert_int_equal(b.ids.n, 3657);
    expect_ids(&b, "head", 0, head, N_HEAD);
    for (size_t i = 0; i < 3328; i++) {
        assert_int_equal(b.ids.v[N_HEAD + i], 128002);
        assert_int_equal(b.source.v[N_HEAD + i], i);
    }
    expect_ids(&b, "middle", N_HEAD + 3328, middle, N_MIDDLE);
    const size_t rows_at = N_HEAD + 3328 + N_MIDDLE;
    for (size_t i = 0; i < 256; i++) {
        assert_int_equal(b.ids.v[rows_at + i], 128005);
        assert_int_equal(b.source.v[rows_at + i], 3328 + i);
    }
    expect_ids(&b, "tail", rows_at + 256, tail, sizeof tail / sizeof *tail);
    assert_int_equal(b.source.v[0], -1);
    assert_int_equal(b.source.v[rows_at + 256], -1);
    /* the paper's wording differs by one token */
    d.paper_wording = true;
    must_rows(&b, &d);
    assert_int_equal(b.ids.n, 3657);
    assert_int_equal(b.ids.v[rows_at + 257], 279);
    bench_fini(&b);
}

static void seams_of_several_regions_have_the_published_ids(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA3);
    bench b;
    bench_init(&b, SHARED_FILE(LLAMA3));
    gr_buf question;
    gr_buf_init(&question, b.rt, 10000);
    const char *const options[] = { "A. holding", "B. under" };
    assert_true(gr_gar_choice_question(&question, "What is the relationship between <Prompt0> and <Prompt1>?",
                                       options, 2));
    assert_string_equal(
        gr_buf_str(&question),
        "Question: What is the relationship between <Prompt0> and <Prompt1>?\nOptions:\nA. holding\n"
        "B. under\nAnswer with the correct option's letter directly.");
    gr_gar_turn turn = user(gr_buf_str(&question), 2, GR_GAR_AUTO);
    gr_gar_region regions[] = { { .prompt = 1 }, { .prompt = 0 } };
    gr_gar_dialog d = { .turns = &turn,
                        .n_turns = 1,
                        .regions = regions,
                        .n_regions = 2,
                        .image_rows = 256,
                        .region_rows = 256 };
    must_rows(&b, &d);
    /* after the image: the list by ascending prompt, so region 1 of the dialog comes first */
    static const int32_t list[] = { 3947,   527, 1063, 6302,   358, 1097, 22999,  922, 25,  220,
                                    128256, 26,  220,  128257, 26,  720,  128256, 25,  220, 128004 };
    static const int32_t seam[] = { 128004, 198, 128257, 25, 220, 128005 };
    static const int32_t last[] = { 128005, 271, 14924, 25, 3639, 374, 279, 5133, 1990, 220, 128256 };
    const size_t list_at = 45 + 256; /* one BOS */
    expect_ids(&b, "list", list_at, list, sizeof list / sizeof *list);
    expect_ids(&b, "seam", list_at + 19 + 255, seam, 6);
    expect_ids(&b, "last", list_at + 19 + 256 + 4 + 255, last, 11);
    assert_int_equal(b.source.v[list_at + 19], 256 + 256); /* rows of region 1 */
    assert_int_equal(b.source.v[list_at + 19 + 256 + 4], 256);
    /* a question that begins with a newline: the three newlines are one token */
    turn = user("\nWhere is <Prompt1>?", 2, GR_GAR_ASK);
    must_rows(&b, &d);
    assert_int_equal(b.ids.v[list_at + 19 + 256 + 4 + 256], 1432);
    gr_buf_fini(&question);
    bench_fini(&b);
}

/* --- golden prompts ------------------------------------------------------------------------------------ */

/* One row of golden/text/prompts.json. */
typedef struct {
    char name[64], tokenizer[32], template[16];
    size_t image_rows, region_rows;
    bool double_bos, open_answer;
    int n_turns, n_prompts, n_supervised;
    int prompts[8];
    char *texts[TURNS_MAX]; /* NULL: the region prompt */
    char roles[TURNS_MAX][16], *question;
    size_t supervised[8][2];
    gr_ids ids;
} row;

static void read_turns(gr_json *j, gr_runtime *rt, row *r)
{
    const char *key;
    r->n_turns = 0;
    for (gr_json_array(j); gr_json_item(j); r->n_turns++) {
        assert_true(r->n_turns < TURNS_MAX);
        for (gr_json_object(j); gr_json_key(j, &key);) {
            if (strcmp(key, "role") == 0)
                snprintf(r->roles[r->n_turns], 16, "%s", gr_json_string(j, NULL));
            else if (strcmp(key, "text") == 0)
                r->texts[r->n_turns] = gr_json_null(j) ? NULL : gr_strdup(rt, gr_json_string(j, NULL));
            else
                gr_json_skip(j);
        }
    }
}

static void read_regions(gr_json *j, gr_runtime *rt, row *r)
{
    const char *key;
    if (gr_json_null(j))
        return;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "prompts") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                r->prompts[r->n_prompts++] = (int)gr_json_int(j, 0, 4);
        else if (strcmp(key, "question") == 0)
            r->question = gr_strdup(rt, gr_json_string(j, NULL));
        else
            snprintf(r->template, sizeof r->template, "%s", gr_json_string(j, NULL));
    }
}

/* Runs are folded: [id, n] stands for n copies. */
static void read_folded(gr_json *j, gr_ids *ids)
{
    gr_ids_clear(ids);
    for (gr_json_array(j); gr_json_item(j);) {
        int64_t pair[2] = { 0, 1 };
        if (gr_json_peek(j) != GR_JSON_ARRAY) {
            pair[0] = gr_json_int(j, 0, 1 << 20);
        } else {
            int n = 0;
            for (gr_json_array(j); gr_json_item(j);)
                pair[n++ & 1] = gr_json_int(j, 0, 1 << 20);
        }
        assert_int_equal(gr_ids_fill(ids, (int32_t)pair[0], (size_t)pair[1], NULL), GR_OK);
    }
}

static void read_spans(gr_json *j, row *r)
{
    for (gr_json_array(j); gr_json_item(j); r->n_supervised++) {
        int n = 0;
        for (gr_json_array(j); gr_json_item(j);)
            r->supervised[r->n_supervised][n++ & 1] = (size_t)gr_json_int(j, 0, 1 << 20);
    }
}

static void read_row(gr_json *j, gr_runtime *rt, row *r)
{
    const char *key;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "name") == 0)
            snprintf(r->name, sizeof r->name, "%s", gr_json_string(j, NULL));
        else if (strcmp(key, "tokenizer") == 0)
            snprintf(r->tokenizer, sizeof r->tokenizer, "%s", gr_json_string(j, NULL));
        else if (strcmp(key, "region_tokens") == 0)
            r->region_rows = (size_t)gr_json_int(j, 0, 1 << 20);
        else if (strcmp(key, "image_tokens") == 0)
            r->image_rows = (size_t)gr_json_int(j, 0, 1 << 20);
        else if (strcmp(key, "double_bos") == 0)
            r->double_bos = gr_json_bool(j);
        else if (strcmp(key, "generation_prompt") == 0)
            r->open_answer = gr_json_bool(j);
        else if (strcmp(key, "messages") == 0)
            read_turns(j, rt, r);
        else if (strcmp(key, "regions") == 0)
            read_regions(j, rt, r);
        else if (strcmp(key, "supervised") == 0)
            read_spans(j, r);
        else if (strcmp(key, "ids") == 0)
            read_folded(j, &r->ids);
        else
            gr_json_skip(j);
    }
}

/* The dialog a row describes. A turn without text is the region prompt; in the training template each such
 * turn shows the next region. */
static void dialog_of(const row *r, gr_gar_dialog *d, gr_gar_turn *turns, gr_gar_region *regions)
{
    const bool training = strcmp(r->template, "training") == 0;
    *d = (gr_gar_dialog){ .turns = turns,
                          .regions = regions,
                          .n_regions = r->n_prompts,
                          .image_rows = r->image_rows,
                          .region_rows = r->region_rows,
                          .double_bos = r->double_bos,
                          .open_answer = r->open_answer,
                          .all_markers = true };
    for (int i = 0; i < r->n_prompts; i++)
        regions[i] = (gr_gar_region){ .prompt = r->prompts[i] };
    for (int i = 0; i < r->n_turns; i++) {
        if (strcmp(r->roles[i], "system") == 0) {
            d->system = r->texts[i];
            continue;
        }
        gr_gar_turn *turn = &turns[d->n_turns++];
        if (strcmp(r->roles[i], "assistant") == 0)
            *turn = assistant(r->texts[i]);
        else if (r->texts[i])
            *turn = user(r->texts[i], 0, GR_GAR_AUTO);
        else
            *turn = user(r->question, training ? 1 : r->n_prompts,
                         training                             ? GR_GAR_LIST
                         : strcmp(r->template, "single") == 0 ? GR_GAR_DESCRIBE
                                                              : GR_GAR_ASK);
    }
}

static void check_row(bench *b, const row *r)
{
    gr_gar_dialog d;
    gr_gar_turn turns[TURNS_MAX];
    gr_gar_region regions[8];
    gr_error err = { 0 };
    dialog_of(r, &d, turns, regions);
    must_rows(b, &d);
    expect_ids(b, r->name, 0, r->ids.v, r->ids.n);
    assert_int_equal(b->ids.n, r->ids.n);
    uint8_t *supervised = gr_malloc(b->rt, b->ids.n, 1);
    MUST(gr_gar_supervise(&b->m, b->t, b->ids.v, b->ids.n, supervised, &err));
    for (size_t i = 0; i < b->ids.n; i++) {
        bool want = false;
        for (int s = 0; s < r->n_supervised; s++)
            want |= i >= r->supervised[s][0] && i < r->supervised[s][1];
        if (supervised[i] != want)
            fail_msg("%s: row %zu is%s supervised", r->name, i, want ? " not" : "");
    }
    gr_free(b->rt, supervised);
}

static void check_golden(const char *tokenizer, const char *file)
{
    bench b;
    bench_init(&b, file);
    gr_error err = { 0 };
    char *text;
    size_t size;
    MUST(gr_file_read(b.rt, TEST_FILE("golden/text/prompts.json"), 1 << 24, &text, &size, &err));
    gr_json j;
    gr_json_init(&j, b.rt, text, size, "prompts.json", 1 << 20);
    int checked = 0;
    for (gr_json_array(&j); gr_json_item(&j);) {
        row r = { 0 };
        gr_ids_init(&r.ids, b.rt, 100000);
        read_row(&j, b.rt, &r);
        if (strcmp(r.tokenizer, tokenizer) == 0) {
            check_row(&b, &r);
            checked++;
        }
        for (int i = 0; i < r.n_turns; i++)
            gr_free(b.rt, r.texts[i]);
        gr_free(b.rt, r.question);
        gr_ids_fini(&r.ids);
    }
    MUST(gr_json_status(&j, true, &err));
    assert_int_equal(checked, 23);
    gr_json_fini(&j);
    gr_free(b.rt, text);
    bench_fini(&b);
}

static void golden_prompts_of_the_byte_vocabulary_hold(void **state)
{
    (void)state;
    check_golden("gar-test", TEST_FILE("golden/text/tokenizer.json"));
}

static void golden_prompts_of_llama3_hold(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA3);
    check_golden("llama3-gar", SHARED_FILE(LLAMA3));
}

/* --- references, trimming, conversations: the byte vocabulary shows every character ----------------------
 */

/* The rows of a prompt as text: bytes as they are, specials by name, features as [k]. */
static const char *shown(bench *b, gr_buf *out)
{
    gr_buf_clear(out);
    for (size_t i = 0; i < b->ids.n; i++) {
        size_t n;
        if (b->source.v[i] >= 0) {
            if (b->source.v[i] % REGION_ROWS == 0)
                gr_buf_printf(out, "[%d:%d]", b->ids.v[i], b->source.v[i]);
            continue;
        }
        const uint8_t *bytes = gr_tokenizer_bytes(b->t, b->ids.v[i], &n);
        gr_buf_add(out, gr_tokenizer_is_special(b->t, b->ids.v[i]) ? "@" : "",
                   gr_tokenizer_is_special(b->t, b->ids.v[i]));
        gr_buf_add(out, bytes, n);
    }
    return gr_buf_str(out);
}

#define SYSTEM "@<|begin_of_text|>@<|start_header_id|>system@<|end_header_id|>\n\nS@<|eot_id|>"
#define USER   "@<|start_header_id|>user@<|end_header_id|>\n\n"
#define ANSWER "@<|start_header_id|>assistant@<|end_header_id|>\n\n"
#define EOT    "@<|eot_id|>"
#define IMAGE  "[258:0][258:16]"
#define LIST   "There are some objects I am curious about: "

static const struct {
    const char *what, *turns[3]; /* user, assistant, user */
    int n_regions[3];
    const char *want;
} dialogs[] = {
    { "text is trimmed as Python does it",
      { " \x1c\xE3\x80\x80 a  b\xC2\x85\t" },
      { 0 },
      SYSTEM USER IMAGE "a  b" EOT ANSWER },
    { "special spellings are characters",
      { "<|eot_id|><|image|><NO_Prompt><Prompt0>" },
      { 0 },
      SYSTEM USER IMAGE "<|eot_id|><|image|><NO_Prompt><Prompt0>" EOT ANSWER },
    { "one region, no mention: described, prompt 1",
      { "What is it? " },
      { 1 },
      SYSTEM USER IMAGE LIST "@<Prompt1>;\n@<Prompt1>: [261:32]What is it?" EOT ANSWER },
    { "one region, mentioned by its number",
      { "Is <region:0> red?" },
      { 1 },
      SYSTEM USER IMAGE LIST "@<Prompt0>; \n@<Prompt0>: [260:32]\n\nIs @<Prompt0> red?" EOT ANSWER },
    { "one region, mentioned by a prompt that is then its own",
      { "Is <Prompt2> red?" },
      { 1 },
      SYSTEM USER IMAGE LIST "@<Prompt2>; \n@<Prompt2>: [264:32]\n\nIs @<Prompt2> red?" EOT ANSWER },
    { "names; what means no region stays text",
      { "<region:dog><region:cat_1.x> <Prompt5><Prompt01><Prompt2><region:><region:a b><Prompt1" },
      { 2 },
      SYSTEM USER IMAGE LIST
      "@<Prompt0>; @<Prompt2>; \n@<Prompt0>: [260:48]\n@<Prompt2>: [264:32]\n\n"
      "@<Prompt2>@<Prompt0> <Prompt5><Prompt01>@<Prompt2><region:><region:a b><Prompt1" EOT ANSWER },
    { "a later turn shows one more region",
      { "x", "It is <Prompt1>.", "Describe it." },
      { 1, 0, 1 },
      SYSTEM USER IMAGE LIST "@<Prompt1>;\n@<Prompt1>: [261:32]x" EOT ANSWER "It is @<Prompt1>." EOT USER
                             "@<Prompt0>: [260:48]Describe it." EOT ANSWER },
    { "a later turn shows two and asks",
      { "hi", "Hello.", "<region:dog> or <region:cat_1.x>?" },
      { 0, 0, 2 },
      SYSTEM USER IMAGE
      "hi" EOT ANSWER "Hello." EOT USER LIST
      "@<Prompt0>; @<Prompt1>; \n@<Prompt0>: [260:32]\n@<Prompt1>: [261:48]\n\n@<Prompt0> or @<Prompt1>?" EOT
          ANSWER },
    { "an answer may name what is no region",
      { "a", "<region:foo> <Prompt0>", "b" },
      { 0 },
      SYSTEM USER IMAGE "a" EOT ANSWER "<region:foo> <Prompt0>" EOT USER "b" EOT ANSWER },
};

static void dialogs_become_the_pieces_they_should(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, TEST_FILE("golden/text/tokenizer.json"));
    gr_buf out;
    gr_buf_init(&out, b.rt, 100000);
    for (size_t i = 0; i < sizeof dialogs / sizeof *dialogs; i++) {
        gr_gar_turn turns[3];
        gr_gar_region regions[] = { { .name = "dog", .prompt = -1 }, { .name = "cat_1.x", .prompt = -1 } };
        gr_gar_dialog d = { .system = " S\n",
                            .turns = turns,
                            .regions = regions,
                            .image_rows = IMAGE_ROWS,
                            .region_rows = REGION_ROWS,
                            .open_answer = true };
        for (; d.n_turns < 3 && dialogs[i].turns[d.n_turns]; d.n_turns++) {
            d.n_regions += dialogs[i].n_regions[d.n_turns];
            turns[d.n_turns] = d.n_turns == 1 ? assistant(dialogs[i].turns[1])
                                              : user(dialogs[i].turns[d.n_turns],
                                                     dialogs[i].n_regions[d.n_turns], GR_GAR_AUTO);
        }
        gr_gar_assign_prompts(&d, b.m.n_prompts);
        must_rows(&b, &d);
        if (strcmp(shown(&b, &out), dialogs[i].want) != 0)
            fail_msg("%s:\n%s\nexpected\n%s", dialogs[i].what, gr_buf_str(&out), dialogs[i].want);
    }
    gr_buf_fini(&out);
    bench_fini(&b);
}

static void an_answer_can_be_the_ids_it_was_generated_with(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, TEST_FILE("golden/text/tokenizer.json"));
    gr_buf out;
    gr_buf_init(&out, b.rt, 10000);
    const int32_t ids[] = { 'o', 'k', ' ', 290 };
    gr_gar_turn turns[] = { user("a", 0, GR_GAR_AUTO), { .role = GR_GAR_ASSISTANT, .ids = ids, .n_ids = 4 } };
    const gr_gar_dialog d = { .system = "S", .turns = turns, .n_turns = 2 };
    must_rows(&b, &d);
    assert_string_equal(shown(&b, &out), SYSTEM USER "a" EOT ANSWER "ok @<Prompt0>" EOT);
    gr_buf_fini(&out);
    bench_fini(&b);
}

static void what_cannot_be_meant_is_refused(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, TEST_FILE("golden/text/tokenizer.json"));
    gr_error err = { 0 };
    gr_gar_turn turn = user("Where is <region:cat>?", 1, GR_GAR_AUTO);
    gr_gar_region regions[6] = { { .name = "dog", .prompt = 0 }, { .prompt = 1 } };
    gr_gar_dialog d = {
        .turns = &turn, .n_turns = 1, .regions = regions, .n_regions = 1, .image_rows = 32, .region_rows = 16
    };
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_ARG, "refers to '<region:cat>', but 1 region is known");
    turn = user("<region:1>", 1, GR_GAR_AUTO);
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_ARG, "refers to '<region:1>'");
    turn = user("x", 1, GR_GAR_AUTO);
    d.image_rows = 0;
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_ARG, "without picture");
    d.image_rows = 32;
    d.region_rows = 0; /* of a region that is shown nobody leaves the rows away but who says so */
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_ARG, "1 regions of a picture");
    d.image_rows = 0;
    d.fewer_rows = true;
    MUST(rows(&b, &d, &err));
    for (size_t i = 0; i < b.source.n; i++)
        assert_int_equal(b.source.v[i], -1);
    d.fewer_rows = false;
    d.region_rows = 16;
    d.image_rows = 32;
    turn.n_regions = 0;
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_ARG, "0 of them shown");
    turn.n_regions = d.n_regions = 2;
    regions[1].prompt = 0;
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_ARG, "regions 0 and 1 both have prompt index 0");
    regions[1].prompt = 5;
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_ARG, "region 1 has prompt index 5, expected 0 to 4");
    regions[1].prompt = 1;
    turn.style = GR_GAR_DESCRIBE;
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_ARG, "2 regions to describe");
    turn = user(" \n", 2, GR_GAR_AUTO);
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_ARG, "2 regions in a turn without a question");
    turn.n_regions = d.n_regions = 6;
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_LIMIT,
              "too_many_regions: 6 regions in one dialog, the model takes at most 5");
    const gr_gar_turn answer = assistant("x");
    const gr_gar_dialog only = { .turns = &answer, .n_turns = 1, .image_rows = 32 };
    MUST_FAIL(rows(&b, &only, &err), GR_ERR_ARG, "without a user's turn");
    b.m.n_prompts = 0;
    MUST_FAIL(rows(&b, &d, &err), GR_ERR_UNSUPPORTED, "base Perception-LM");
    bench_fini(&b);
}

/* --- more regions than prompts ---------------------------------------------------------------------------
 */

static void expect_extra(bench *b, gr_extra_prompts extra)
{
    /* Ids of the tokenizers library, 0.22, for the text with its special tokens. */
    static const int32_t list[] = { 128260, 26, 366, 55715, 20, 66895, 720, 128256, 25, 220, 128004 };
    static const int32_t seam[] = { 128011, 198, 22332, 15091, 20, 27916, 220, 128012 };
    static const int32_t last[] = { 128012, 271, 14924, 25, 366, 55715, 20, 29 };
    const gr_gar_turn turn = user("Question: <Prompt5>", 6, GR_GAR_ASK);
    gr_gar_region regions[6];
    gr_gar_dialog d = { .turns = &turn,
                        .n_turns = 1,
                        .regions = regions,
                        .n_regions = 6,
                        .image_rows = 256,
                        .region_rows = 256,
                        .extra = extra };
    for (int i = 0; i < 6; i++)
        regions[i] = (gr_gar_region){ .prompt = -1 };
    gr_gar_assign_prompts(&d, b->m.n_prompts);
    assert_int_equal(regions[0].prompt, 5); /* what the text mentions comes first */
    for (int i = 0; i < 6; i++)
        regions[i].prompt = i;
    must_rows(b, &d);
    const size_t list_at = 45 + 256 + 10;
    expect_ids(b, "list", list_at + 12, list, 11);
    const size_t fifth = list_at + 22 + 5 * 256 + 4 * 4; /* behind the rows of prompt 4 */
    const size_t rows_at = fifth + 6;
    expect_ids(b, "seam", fifth - 1, seam, 8);
    expect_ids(b, "last", rows_at + 255, last, 8);
    for (size_t i = 0; i < 256; i++) {
        assert_int_equal(b->ids.v[rows_at + i], 128012);
        assert_int_equal(b->source.v[rows_at + i],
                         extra == GR_EXTRA_RELEASED ? -1 : (int32_t)(256 + 5 * 256 + i));
    }
}

static void a_sixth_region_is_text_and_rows_of_a_reserved_token(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA3);
    bench b;
    bench_init(&b, SHARED_FILE(LLAMA3));
    expect_extra(&b, GR_EXTRA_RELEASED);
    expect_extra(&b, GR_EXTRA_REUSE);
    assert_int_equal(b.m.crop[6], 128013);
    bench_fini(&b);
}

/* One item of GAR-Bench: regions, and the question with its choices. */
static int read_item(gr_json *j, gr_buf *text)
{
    const char *key;
    int n_masks = 0;
    gr_buf_clear(text);
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "mask_rles") == 0)
            for (gr_json_array(j); gr_json_item(j); n_masks++)
                gr_json_skip(j);
        else if (strcmp(key, "question") == 0)
            gr_buf_text(text, gr_json_string(j, NULL));
        else if (strcmp(key, "choices") == 0)
            for (gr_json_array(j); gr_json_item(j);)
                gr_buf_text(text, gr_json_string(j, NULL));
        else
            gr_json_skip(j);
    }
    return n_masks;
}

/* Rows of each kind in the prompt of an item, as the released code makes it. */
static void check_item(bench *b, const char *question, int n_regions)
{
    const gr_gar_turn turn = user(question, n_regions, GR_GAR_ASK);
    gr_gar_region regions[GR_MAX_PROMPTS];
    gr_gar_dialog d = { .turns = &turn,
                        .n_turns = 1,
                        .regions = regions,
                        .n_regions = n_regions,
                        .image_rows = IMAGE_ROWS,
                        .region_rows = REGION_ROWS,
                        .extra = GR_EXTRA_RELEASED };
    for (int i = 0; i < n_regions; i++)
        regions[i] = (gr_gar_region){ .prompt = -1 };
    gr_gar_assign_prompts(&d, b->m.n_prompts);
    must_rows(b, &d);
    for (int k = 0; k < n_regions; k++) {
        int rows_of = 0, features = 0;
        assert_int_equal(regions[k].prompt, k);
        for (size_t i = 0; i < b->ids.n; i++)
            if (b->ids.v[i] == b->m.crop[k]) {
                rows_of++;
                features += b->source.v[i] >= 0;
            }
        assert_int_equal(rows_of, REGION_ROWS);
        assert_int_equal(features, k < 5 ? REGION_ROWS : 0);
    }
}

static void items_of_gar_bench_have_their_regions(void **state)
{
    (void)state;
    NEED_SHARED(LLAMA3);
    NEED_SHARED("GAR-Bench/annotations/GAR-Bench-VQA.json");
    static const int want[10] = { 0, 274, 43, 54, 33, 10, 6, 2, 0, 2 };
    int counts[10] = { 0 };
    bench b;
    bench_init(&b, SHARED_FILE(LLAMA3));
    gr_error err = { 0 };
    gr_json j;
    gr_buf question;
    char *text;
    size_t size;
    gr_buf_init(&question, b.rt, 100000);
    MUST(gr_file_read(b.rt, SHARED_FILE("GAR-Bench/annotations/GAR-Bench-VQA.json"), 1 << 26, &text, &size,
                      &err));
    gr_json_init(&j, b.rt, text, size, "GAR-Bench-VQA.json", 1 << 20);
    for (gr_json_array(&j); gr_json_item(&j);) {
        const int n = read_item(&j, &question);
        assert_in_range(n, 1, 9);
        counts[n]++;
        check_item(&b, gr_buf_str(&question), n);
    }
    MUST(gr_json_status(&j, true, &err));
    assert_memory_equal(counts, want, sizeof want);
    gr_json_fini(&j);
    gr_free(b.rt, text);
    gr_buf_fini(&question);
    bench_fini(&b);
}

static void config_and_tokenizer_have_to_agree(void **state)
{
    (void)state;
    bench b;
    bench_init(&b, TEST_FILE("golden/text/tokenizer.json"));
    gr_error err = { 0 };
    gr_gar_markers m;
    gr_gar_config c = config_of(b.t);
    c.image_id = 259;
    MUST_FAIL(gr_gar_markers_init(&m, &c, b.t, &err), GR_ERR_FORMAT,
              "'<|image|>' has id 259 in config.json, 258 in tokenizer.json");
    c = config_of(b.t);
    c.crop_ids[3] = 500;
    MUST_FAIL(gr_gar_markers_init(&m, &c, b.t, &err), GR_ERR_FORMAT, "crop token of <Prompt3> has id 500");
    c = config_of(b.t);
    c.n_prompts = c.n_crop = 6;
    MUST_FAIL(gr_gar_markers_init(&m, &c, b.t, &err), GR_ERR_FORMAT, "no token '<Prompt5>'");
    c.base_only = true;
    MUST(gr_gar_markers_init(&m, &c, b.t, &err));
    assert_int_equal(m.n_prompts, 0);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_region_prompt_has_the_published_ids),
        cmocka_unit_test(seams_of_several_regions_have_the_published_ids),
        cmocka_unit_test(golden_prompts_of_the_byte_vocabulary_hold),
        cmocka_unit_test(golden_prompts_of_llama3_hold),
        cmocka_unit_test(dialogs_become_the_pieces_they_should),
        cmocka_unit_test(an_answer_can_be_the_ids_it_was_generated_with),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(a_sixth_region_is_text_and_rows_of_a_reserved_token),
        cmocka_unit_test(items_of_gar_bench_have_their_regions),
        cmocka_unit_test(config_and_tokenizer_have_to_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
