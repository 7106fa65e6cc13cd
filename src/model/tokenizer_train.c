/* tokenizer_train.c - grasp/tokenizer_train.h: GAR's special tokens, and text/bpe_train.h for the rest. */
#include "grasp/tokenizer_train.h"

#include <string.h>

#include "base/log.h"
#include "model/gar_new_internal.h"
#include "text/added.h"
#include "text/bpe_train.h"
#include "text/corpus.h"
#include "text/unicode.h"
#include "text/vocab.h"
#include "text/word_count.h"

#define SPECIALS_MAX 4096
#define MEMORY_TOLD  ((uint64_t)1000000000) /* more than this is announced */

void gr_tokenizer_train_options_init(gr_tokenizer_train_options *options)
{
    *options = (gr_tokenizer_train_options){ .size = sizeof *options,
                                             .min_frequency = 2,
                                             .bos = "<|begin_of_text|>",
                                             .eos = "<|eot_id|>",
                                             .max_words = (uint64_t)1 << 23 };
}

typedef struct {
    gr_runtime *rt;
    const gr_tokenizer_train_options *o;
    gr_new_specials gar;        /* where the options have none */
    const char **contents;      /* [n] of the special tokens */
    gr_special_token *specials; /* [n], with their ids once these are known */
    size_t n;
    gr_gar_config published;
} work;

/* --- what was asked for -------------------------------------------------------------------------------- */

static gr_status check_sizes(const gr_tokenizer_train_options *o, gr_error *err)
{
    if (o->size != sizeof *o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_tokenizer_train_options.size is %zu, this library expects %zu: call "
                       "gr_tokenizer_train_options_init",
                       o->size, sizeof *o);
    if (o->min_frequency < 1)
        return gr_fail(err, GR_ERR_ARG, "the least frequency is %d, expected 1 or more", o->min_frequency);
    if (o->specials && o->n_specials > SPECIALS_MAX)
        return gr_fail(err, GR_ERR_ARG, "%zu special tokens, the limit is %d", o->n_specials, SPECIALS_MAX);
    return GR_OK;
}

static gr_status check_vocab_size(const work *w, gr_error *err)
{
    if (w->o->vocab_size > GR_VOCAB_MAX)
        return gr_fail(err, GR_ERR_ARG, "a vocabulary of %d ids was asked for, the limit is %d",
                       w->o->vocab_size, GR_VOCAB_MAX);
    if (w->o->vocab_size < 256 + (int64_t)w->n)
        return gr_fail(err, GR_ERR_ARG,
                       "a vocabulary of %d ids was asked for, the 256 bytes and %zu special tokens take %zu",
                       w->o->vocab_size, w->n, 256 + w->n);
    return GR_OK;
}

static gr_status check_content(const char *content, gr_error *err)
{
    const size_t n = strlen(content);
    if (n == 0 || n > GR_ADDED_BYTES_MAX || !gr_utf8_valid(content, n))
        return gr_fail(err, GR_ERR_ARG, "special token '%s' has %zu bytes, expected UTF-8 of 1 to %d",
                       content, n, GR_ADDED_BYTES_MAX);
    return GR_OK;
}

/* The place of a content among the special tokens; n: it is none. */
static size_t place_of(const work *w, const char *content)
{
    size_t i = 0;
    while (i < w->n && strcmp(w->contents[i], content) != 0)
        i++;
    return i;
}

static gr_status check_contents(const work *w, gr_error *err)
{
    const char *const named[] = { w->o->bos, w->o->eos };
    for (size_t i = 0; i < w->n; i++) {
        GR_TRY(check_content(w->contents[i], err));
        if (place_of(w, w->contents[i]) != i)
            return gr_fail(err, GR_ERR_ARG, "special token '%s' is there twice", w->contents[i]);
    }
    for (int i = 0; i < 2; i++)
        if (!named[i] || place_of(w, named[i]) == w->n)
            return gr_fail(err, GR_ERR_ARG, "'%s' is to be the %s token, and not among the special tokens",
                           named[i] ? named[i] : "", i == 0 ? "begin-of-text" : "end");
    return GR_OK;
}

static gr_status take_specials(work *w, gr_error *err)
{
    GR_TRY(gr_gar_config_preset(&w->published, "gar-1b", err));
    if (!w->o->specials)
        GR_TRY(gr_gar_new_specials(&w->gar, w->rt, &w->published, err));
    w->n = w->o->specials ? w->o->n_specials : w->gar.n;
    w->contents = gr_calloc(w->rt, w->n, sizeof *w->contents);
    w->specials = gr_calloc(w->rt, w->n, sizeof *w->specials);
    if (!w->contents || !w->specials)
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu special tokens", w->n);
    for (size_t i = 0; i < w->n; i++)
        w->contents[i] = w->o->specials ? w->o->specials[i] : w->gar.tokens[i].content;
    GR_TRY(check_contents(w, err));
    return check_vocab_size(w, err);
}

/* --- the way ------------------------------------------------------------------------------------------- */

static gr_status tell_read(const work *w, const gr_corpus *c, gr_error *err)
{
    const uint64_t done = c->done + c->used;
    if (w->o->progress && !w->o->progress(w->o->progress_user, GR_TRAIN_READ, done, c->total))
        return gr_fail(err, GR_ERR_CANCELLED, "cancelled after %llu of %llu bytes", (unsigned long long)done,
                       (unsigned long long)c->total);
    return GR_OK;
}

static gr_status count_words(const work *w, gr_word_counter *words, const gr_corpus_format *format,
                             uint64_t *bytes, gr_error *err)
{
    gr_corpus c;
    gr_status st = gr_corpus_open(&c, w->rt, format, err);
    if (st == GR_OK)
        st = tell_read(w, &c, err);
    while (st == GR_OK && (st = gr_corpus_next(&c, err)) == GR_OK && c.used > 0) {
        st = gr_word_counter_add(words, &c, err);
        if (st == GR_OK)
            st = tell_read(w, &c, err);
    }
    *bytes = c.total;
    gr_corpus_close(&c);
    return st;
}

static bool tell_join(void *user, uint64_t tokens, uint64_t max_tokens)
{
    const gr_tokenizer_train_options *o = user;
    return !o->progress || o->progress(o->progress_user, GR_TRAIN_JOIN, tokens, max_tokens);
}

static gr_status learn(const work *w, const gr_word_counter *words, gr_bpe_learned *l, gr_error *err)
{
    const gr_word_totals totals = gr_word_counter_totals(words);
    const uint64_t bytes = gr_bpe_train_bytes(&totals);
    const gr_bpe_train_options o = {
        .max_tokens = w->o->vocab_size - (int32_t)w->n,
        .min_frequency = w->o->min_frequency,
        .reserved = w->contents,
        .n_reserved = w->n,
        .progress = tell_join,
        .user = (void *)w->o,
    };
    gr_log(w->rt, bytes > MEMORY_TOLD ? GR_LOG_WARNING : GR_LOG_INFO,
           "%llu distinct words of %.3g MB: joining pairs takes about %.3g GB of memory",
           (unsigned long long)totals.words, (double)totals.bytes * 1e-6, (double)bytes * 1e-9);
    return gr_bpe_train(l, w->rt, words, &o, err);
}

static gr_status write_files(work *w, const gr_bpe_learned *l, const gr_folder *folder, gr_error *err)
{
    for (size_t i = 0; i < w->n; i++)
        w->specials[i] = (gr_special_token){ (int32_t)(l->tokens.n + i), w->contents[i] };
    const gr_tokenizer_text t = {
        .learned = l,
        .specials = w->specials,
        .n_specials = w->n,
        .bos = w->specials[place_of(w, w->o->bos)].id,
        .eos = w->specials[place_of(w, w->o->eos)].id,
        .context = w->published.text.context,
    };
    return gr_tokenizer_write_files(folder, w->rt, &t, err);
}

static void report(const work *w, const gr_word_counter *words, const gr_bpe_learned *l, uint64_t bytes,
                   gr_tokenizer_training *out)
{
    const gr_word_totals totals = gr_word_counter_totals(words);
    *out = (gr_tokenizer_training){ .size = sizeof *out,
                                    .bytes = bytes,
                                    .texts = words->documents,
                                    .words = totals.occurrences,
                                    .distinct = totals.words,
                                    .vocab_size = (int32_t)(l->tokens.n + w->n),
                                    .n_learned = (int32_t)l->tokens.n - 256,
                                    .n_specials = (int32_t)w->n };
}

static gr_status train(work *w, const gr_corpus_format *format, const gr_folder *folder,
                       gr_tokenizer_training *out, gr_error *err)
{
    gr_word_counter words;
    gr_bpe_learned learned = { 0 };
    uint64_t bytes = 0;
    gr_word_counter_init(&words, w->rt, w->o->max_words);
    gr_status st = count_words(w, &words, format, &bytes, err);
    if (st == GR_OK)
        st = learn(w, &words, &learned, err);
    if (st == GR_OK)
        st = write_files(w, &learned, folder, err);
    if (st == GR_OK && out)
        report(w, &words, &learned, bytes, out);
    gr_bpe_learned_fini(&learned);
    gr_word_counter_fini(&words);
    return st;
}

gr_status gr_tokenizer_train(gr_runtime *rt, const char *const *paths, size_t n_paths, const char *dir,
                             const gr_tokenizer_train_options *options, gr_tokenizer_training *training,
                             gr_error *err)
{
    work w = { .rt = rt, .o = options };
    const gr_corpus_format format = { paths, n_paths, options->whole_files, options->field };
    gr_folder folder;
    GR_TRY(check_sizes(options, err));
    if (training && training->size != sizeof *training)
        return gr_fail(err, GR_ERR_ARG, "gr_tokenizer_training.size is %zu, this library expects %zu",
                       training->size, sizeof *training);
    gr_status st = take_specials(&w, err);
    if (st == GR_OK)
        st = gr_folder_init(&folder, dir, err);
    if (st == GR_OK) /* now, so that a place where no folder can be is known before the work */
        st = gr_folder_make(&folder, err);
    if (st == GR_OK)
        st = gr_folder_finish(&folder, train(&w, &format, &folder, training, err), err);
    gr_free(rt, w.contents);
    gr_free(rt, w.specials);
    if (w.gar.tokens)
        gr_gar_new_specials_fini(&w.gar, rt);
    return st;
}
