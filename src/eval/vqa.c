#include "eval/vqa.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/file.h"
#include "eval/caption.h"
#include "eval/wilson.h"
#include "io/json.h"

#define MOST_TYPES 64

/* The benchmarks: what their file is called in a folder, and their categories in the order of the paper's
 * table. */
static const struct {
    const char *name, *files[3], *types[10];
    bool describes;
} benchmarks[] = {
    { "gar-bench-vqa",
      { "GAR-Bench-VQA.json", "annotations/GAR-Bench-VQA.json" },
      { "color", "shape", "texture/pattern", "material", "ordering", "mirror", "relation" },
      false },
    { "synth-bench",
      { "synth-bench.json" },
      { "color", "shape", "texture/pattern", "material", "ordering", "mirror", "relation" },
      false },
    { "synth-bench-cap", { "synth-bench-cap.json" }, { NULL }, true },
};
enum { N_BENCHMARKS = sizeof benchmarks / sizeof *benchmarks };

const char *gr_eval_benchmark(size_t i) { return i < N_BENCHMARKS ? benchmarks[i].name : NULL; }

/* --- reading ------------------------------------------------------------------------------------------- */

static bool has_type(const gr_evaluation *e, const char *type)
{
    for (size_t i = 0; i < e->n_types; i++)
        if (strcmp(e->types[i], type) == 0)
            return true;
    return false;
}

/* The benchmark's own, then what else there is, as it comes. */
static gr_status list_types(gr_evaluation *e, size_t benchmark, const char *name, gr_error *err)
{
    e->types = gr_calloc(e->rt, MOST_TYPES, sizeof *e->types);
    if (!e->types)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for categories", name);
    for (size_t i = 0; benchmarks[benchmark].types[i]; i++)
        e->types[e->n_types++] = benchmarks[benchmark].types[i];
    for (size_t i = 0; i < e->items.n; i++) {
        if (has_type(e, e->items.items[i].type))
            continue;
        if (e->n_types == MOST_TYPES)
            return gr_fail(err, GR_ERR_LIMIT, "%s: more than %d categories", name, MOST_TYPES);
        e->types[e->n_types++] = e->items.items[i].type;
    }
    return GR_OK;
}

static gr_status check_items(const gr_evaluation *e, const char *name, gr_error *err)
{
    for (size_t i = 0; i < e->items.n; i++) {
        const gr_reference_item *x = &e->items.items[i];
        const char *missing = x->n_choices == 0 ? "choices"
                              : !x->answer      ? "answer"
                              : !x->type        ? "type"
                                                : NULL;
        if (missing)
            return gr_fail(err, GR_ERR_FORMAT, "%s: item %zu has no \"%s\"; expected multiple choice", name,
                           i, missing);
        const int letter = strlen(x->answer) == 1 ? x->answer[0] - 'A' : -1;
        if (x->n_choices > GR_VQA_LETTERS || letter < 0 || (size_t)letter >= x->n_choices)
            return gr_fail(err, GR_ERR_FORMAT,
                           "%s: item %zu has the answer '%.20s', expected a letter of %zu choices", name, i,
                           x->answer, x->n_choices);
    }
    return GR_OK;
}

static gr_status take_outputs(gr_evaluation *e, gr_error *err)
{
    e->answers = gr_calloc(e->rt, e->items.n, sizeof *e->answers);
    if (!e->answers)
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu answers", e->items.n);
    for (size_t i = 0; i < e->items.n; i++) {
        e->answers[i].chosen = true;
        if (e->items.items[i].failed)
            continue;
        e->answers[i].output = e->items.items[i].output;
        e->items.items[i].output = NULL;
    }
    return GR_OK;
}

static gr_status read_all(gr_evaluation *e, size_t benchmark, const char *json, size_t n, const char *name,
                          gr_error *err)
{
    e->benchmark = benchmarks[benchmark].name;
    e->text = gr_malloc(e->rt, n + 1, 1);
    if (!e->text)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for %zu bytes", name, n);
    memcpy(e->text, json, n);
    e->text[n] = '\0';
    e->n_text = n;
    e->describes = benchmarks[benchmark].describes;
    if (e->describes) {
        GR_TRY(gr_reference_parse_truths(&e->items, e->rt, e->text, n, name, err));
        GR_TRY(gr_caption_check(e, name, err));
    } else {
        GR_TRY(gr_reference_parse_questions(&e->items, e->rt, e->text, n, name, err));
        GR_TRY(check_items(e, name, err));
        GR_TRY(list_types(e, benchmark, name, err));
    }
    return take_outputs(e, err);
}

static gr_status find_benchmark(size_t *k, const char *name, gr_error *err)
{
    for (*k = 0; *k < N_BENCHMARKS; ++*k)
        if (strcmp(benchmarks[*k].name, name) == 0)
            return GR_OK;
    return gr_fail(err, GR_ERR_ARG, "there is no benchmark '%.40s'", name);
}

gr_status gr_vqa_parse(gr_evaluation **out, gr_runtime *rt, const char *benchmark, const char *json, size_t n,
                       const char *name, gr_error *err)
{
    size_t k;
    *out = NULL;
    GR_TRY(find_benchmark(&k, benchmark, err));
    gr_evaluation *e = gr_calloc(rt, 1, sizeof *e);
    if (!e)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for a benchmark", name);
    e->rt = rt;
    const gr_status st = read_all(e, k, json, n, name, err);
    if (st != GR_OK)
        gr_evaluation_free(e);
    else
        *out = e;
    return st;
}

/* The file itself, or the benchmark's own of a folder. */
static gr_status find_file(char *out, size_t size, size_t benchmark, const char *path, gr_error *err)
{
    const char *const *files = benchmarks[benchmark].files;
    if ((size_t)snprintf(out, size, "%s", path) >= size)
        return gr_fail(err, GR_ERR_ARG, "%.100s...: the path is too long", path);
    if (!gr_path_is_dir(path))
        return GR_OK;
    for (size_t i = 0; files[i]; i++)
        if (gr_path_join(out, size, path, files[i]) && gr_path_exists(out))
            return GR_OK;
    return gr_fail(err, GR_ERR_IO, "%s: the folder has no %s", path, files[0]);
}

gr_status gr_vqa_open(gr_evaluation **out, gr_runtime *rt, const char *benchmark, const char *path,
                      gr_error *err)
{
    char *text, file[4096];
    size_t n, k;
    *out = NULL;
    GR_TRY(find_benchmark(&k, benchmark, err));
    GR_TRY(find_file(file, sizeof file, k, path, err));
    GR_TRY(gr_file_read(rt, file, GR_REFERENCE_MAX_BYTES, &text, &n, err));
    gr_status st = gr_vqa_parse(out, rt, benchmark, text, n, file, err);
    gr_free(rt, text);
    GR_TRY(st);
    (*out)->path = gr_strdup(rt, file);
    if ((*out)->path)
        return GR_OK;
    gr_evaluation_free(*out);
    *out = NULL;
    return gr_fail(err, GR_ERR_MEM, "%s: no memory for its name", file);
}

void gr_evaluation_free(gr_evaluation *e)
{
    if (!e)
        return;
    for (size_t i = 0; e->answers && i < e->items.n; i++) {
        gr_free(e->rt, e->answers[i].output);
        gr_free(e->rt, e->answers[i].why);
    }
    gr_free(e->rt, e->path);
    gr_free(e->rt, e->run);
    gr_free(e->rt, e->answers);
    gr_free(e->rt, (void *)e->types);
    gr_free(e->rt, e->text);
    gr_reference_fini(&e->items);
    gr_free(e->rt, e);
}

gr_status gr_eval_vqa_score(gr_evaluation **out, gr_runtime *rt, const char *benchmark, const char *path,
                            gr_error *err)
{
    GR_TRY(gr_vqa_open(out, rt, benchmark, path, err));
    for (size_t i = 0; i < (*out)->items.n; i++)
        if ((*out)->answers[i].output)
            return GR_OK;
    gr_evaluation_free(*out);
    *out = NULL;
    return gr_fail(err, GR_ERR_FORMAT, "%s: no item has a \"model_output\", so there is nothing to score",
                   path);
}

/* --- scoring ------------------------------------------------------------------------------------------- */

bool gr_vqa_right(const char *output, const char *answer)
{
    return output && strcasecmp(output, answer) == 0;
}

/* Of one type; NULL: of all. */
static gr_eval_row score(const gr_evaluation *e, const char *type)
{
    gr_eval_row row = { .name = type ? type : "overall" };
    double probability = 0;
    for (size_t i = 0; i < e->items.n; i++) {
        const gr_reference_item *x = &e->items.items[i];
        const gr_vqa_answer *a = &e->answers[i];
        if (!a->chosen || (type && strcmp(x->type, type) != 0))
            continue;
        row.items++;
        row.answered += a->output != NULL;
        row.correct += gr_vqa_right(a->output, x->answer);
        row.chance += 1 / (double)x->n_choices;
        probability += a->output ? a->probability[x->answer[0] - 'A'] : 0;
    }
    gr_wilson(row.correct, row.items, &row.low, &row.high);
    row.accuracy = row.items ? (double)row.correct / (double)row.items : 0;
    row.chance = row.items ? row.chance / (double)row.items : 0;
    row.probability = e->has_probabilities && row.answered ? probability / (double)row.answered : NAN;
    return row;
}

bool gr_evaluation_row(const gr_evaluation *e, size_t i, gr_eval_row *row)
{
    if (e->describes)
        return false;
    for (size_t k = 0; k < e->n_types; k++) {
        *row = score(e, e->types[k]);
        if (row->items > 0 && i-- == 0)
            return true;
    }
    *row = score(e, NULL);
    return i == 0;
}

/* --- writing ------------------------------------------------------------------------------------------- */

void gr_vqa_put_answer(gr_json_writer *w, const gr_evaluation *e, size_t i)
{
    const gr_vqa_answer *a = &e->answers[i];
    gr_json_put_key(w, "model_output");
    gr_json_put_text(w, a->output);
    if (!e->has_probabilities)
        return;
    gr_json_put_key(w, "probabilities");
    gr_json_put_array(w);
    for (size_t k = 0; k < e->items.items[i].n_choices; k++)
        gr_json_put_number(w, a->probability[k]);
    gr_json_put_end(w, ']');
}

/* The item as the file has it, but for what an earlier run added. */
static void put_item(gr_json_writer *w, const gr_evaluation *e, size_t i)
{
    static const char *const ours[] = { "model_output", "error", "probabilities", "statements" };
    const size_t n_ours = e->describes ? 4 : 3;
    const gr_reference_item *x = &e->items.items[i];
    const gr_vqa_answer *a = &e->answers[i];
    gr_json j;
    const char *key;
    gr_json_init(&j, e->rt, e->text + x->begin, x->end - x->begin, "item", x->end - x->begin);
    gr_json_put_object(w);
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        size_t n;
        bool old = false;
        for (size_t k = 0; k < n_ours; k++)
            old |= strcmp(key, ours[k]) == 0;
        if (!old)
            gr_json_put_key(w, key);
        const char *raw = gr_json_raw(&j, &n);
        if (!old)
            gr_json_put_raw(w, raw, n);
    }
    w->out->failed |= gr_json_status(&j, true, NULL) != GR_OK; /* it was read before: only memory can fail */
    gr_json_fini(&j);
    if (a->output) {
        gr_vqa_put_answer(w, e, i);
        if (e->describes)
            gr_caption_put(w, e, i);
    } else { /* the published script wants an output, and finds that it is wrong */
        gr_json_put_key(w, "model_output");
        gr_json_put_text(w, "");
        gr_json_put_key(w, "error");
        gr_json_put_text(w, a->why ? a->why : "it was not asked");
    }
    gr_json_put_end(w, '}');
}

gr_status gr_evaluation_write(const gr_evaluation *e, const char *path, gr_error *err)
{
    gr_buf out;
    bool first = true;
    gr_buf_init(&out, e->rt, (size_t)2 << 30);
    gr_buf_text(&out, "[");
    for (size_t i = 0; i < e->items.n; i++) {
        gr_json_writer w;
        if (!e->answers[i].chosen)
            continue;
        gr_buf_text(&out, first ? "\n" : ",\n");
        gr_json_writer_init(&w, &out, false);
        put_item(&w, e, i);
        first = false;
    }
    gr_buf_text(&out, "\n]\n");
    const gr_status st = out.failed ? gr_fail(err, GR_ERR_MEM, "%s: no memory to write it", path)
                                    : gr_file_write(path, out.data, out.len, err);
    gr_buf_fini(&out);
    return st;
}
