#include <string.h>

#include "base/file.h"
#include "text/spm_gguf.h"
#include "text/spm_model.h"

static gr_status read_gguf(gr_tokenizer **out, gr_runtime *rt, const gr_file_map *map, const char *path,
                           gr_error *err)
{
    gr_gguf *f;
    GR_TRY(gr_gguf_parse(&f, rt, map->data, map->size, path, err));
    const gr_status st = gr_tokenizer_from_gguf(out, rt, f, err);
    gr_gguf_free(f);
    return st;
}

/* ModelProto has no magic number, and its first byte may begin a JSON text as well. */
static bool is_spm_model(const char *path)
{
    const size_t n = strlen(path), end = sizeof ".model" - 1;
    return n >= end && strcmp(path + n - end, ".model") == 0;
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
    gr_file_map map;
    GR_TRY(gr_file_map_open(&map, path, err));
    const bool gguf = map.size >= 4 && memcmp(map.data, "GGUF", 4) == 0;
    const gr_status st = gguf ? read_gguf(out, rt, &map, path, err)
                         : is_spm_model(path)
                             ? gr_tokenizer_from_spm_model(out, rt, map.data, map.size, path, err)
                             : gr_tokenizer_parse(out, rt, (const char *)map.data, map.size, path, err);
    gr_file_map_close(&map);
    return st;
}
