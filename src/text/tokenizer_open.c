#include <string.h>

#include "base/file.h"
#include "text/spm_gguf.h"

static gr_status read_gguf(gr_tokenizer **out, gr_runtime *rt, const gr_file_map *map, const char *path,
                           gr_error *err)
{
    gr_gguf *f;
    GR_TRY(gr_gguf_parse(&f, rt, map->data, map->size, path, err));
    const gr_status st = gr_tokenizer_from_gguf(out, rt, f, err);
    gr_gguf_free(f);
    return st;
}

gr_status gr_tokenizer_open(gr_tokenizer **out, gr_runtime *rt, const char *path, gr_error *err)
{
    *out = NULL;
    char file[4096];
    if (gr_path_is_dir(path)) {
        if (!gr_path_join(file, sizeof file, path, "tokenizer.json"))
            return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", path);
        path = file;
    }
    gr_file_map map;
    GR_TRY(gr_file_map_open(&map, path, err));
    const bool gguf = map.size >= 4 && memcmp(map.data, "GGUF", 4) == 0;
    const gr_status st = gguf ? read_gguf(out, rt, &map, path, err)
                              : gr_tokenizer_parse(out, rt, (const char *)map.data, map.size, path, err);
    gr_file_map_close(&map);
    return st;
}
