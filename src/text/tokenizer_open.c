#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/source.h"
#include "text/spm_gguf.h"
#include "text/spm_model.h"

/* ModelProto has no magic number, and its first byte may begin a JSON text as well. */
static bool is_spm_model(const char *path)
{
    const size_t n = strlen(path), end = sizeof ".model" - 1;
    return n >= end && strcmp(path + n - end, ".model") == 0;
}

static bool is_gguf(const gr_source *source)
{
    char magic[4];
    return source->size >= 4 && gr_source_read(source, 0, magic, 4, NULL) == GR_OK &&
           memcmp(magic, "GGUF", 4) == 0;
}

static gr_status read_gguf(gr_tokenizer **out, gr_runtime *rt, const gr_source *source, const char *path,
                           gr_error *err)
{
    gr_gguf *f;
    GR_TRY(gr_gguf_parse(&f, rt, source, path, err));
    const gr_status st = gr_tokenizer_from_gguf(out, rt, f, err);
    gr_gguf_free(f);
    return st;
}

/* tokenizer.json and tokenizer.model. */
static gr_status read_text(gr_tokenizer **out, gr_runtime *rt, const gr_source *source, const char *path,
                           gr_error *err)
{
    char *text;
    size_t n;
    GR_TRY(gr_source_read_whole(rt, source, path, GR_TOKENIZER_FILE_MAX, &text, &n, err));
    const gr_status st = is_spm_model(path)
                             ? gr_tokenizer_from_spm_model(out, rt, (const uint8_t *)text, n, path, err)
                             : gr_tokenizer_parse(out, rt, text, n, path, err);
    gr_free(rt, text);
    return st;
}

/* Path of a folder's tokenizer.json, or of its tokenizer.model when only that is there. False: too long. */
static bool find_in(char *file, size_t n, const char *folder)
{
    if (!gr_path_join(file, n, folder, "tokenizer.model"))
        return false;
    char json[4096];
    const bool fits = gr_path_join(json, sizeof json, folder, "tokenizer.json");
    return gr_path_exists(file) && !(fits && gr_path_exists(json))
               ? true
               : gr_path_join(file, n, folder, "tokenizer.json");
}

gr_status gr_tokenizer_open(gr_tokenizer **out, gr_runtime *rt, const char *path, gr_error *err)
{
    *out = NULL;
    char file[4096];
    if (gr_path_is_dir(path)) {
        if (!find_in(file, sizeof file, path))
            return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", path);
        path = file;
    }
    gr_source source;
    GR_TRY(gr_source_open(&source, path, err));
    const gr_status st =
        is_gguf(&source) ? read_gguf(out, rt, &source, path, err) : read_text(out, rt, &source, path, err);
    gr_source_close(&source);
    return st;
}
