#include "model/gar_folder.h"

#include "base/alloc.h"
#include "base/file.h"
#include "model/gar_new.h"
#include "text/tokenizer.h"

#define FILE_MAX ((size_t)16 << 20)

gr_status gr_gar_folder_config(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder, gr_error *err)
{
    static const struct {
        const char *name;
        gr_status (*write)(gr_buf *out, const gr_gar_config *config, gr_error *err);
    } files[] = {
        { "config.json", gr_gar_config_write },
        { "preprocessor_config.json", gr_gar_preprocessor_write },
        { "processor_config.json", gr_gar_processor_write },
        { "generation_config.json", gr_gar_generation_write },
    };
    gr_buf text;
    gr_status st = GR_OK;
    gr_buf_init(&text, rt, FILE_MAX);
    for (size_t i = 0; i < sizeof files / sizeof *files && st == GR_OK; i++) {
        gr_buf_clear(&text);
        st = files[i].write(&text, c, err);
        if (st == GR_OK)
            st = gr_folder_add(folder, files[i].name, text.data, text.len, err);
    }
    gr_buf_fini(&text);
    return st;
}

static gr_status copy_file(gr_runtime *rt, const gr_folder *folder, const char *name, const char *from,
                           gr_error *err)
{
    char *bytes;
    size_t n;
    GR_TRY(gr_file_read(rt, from, GR_TOKENIZER_FILE_MAX, &bytes, &n, err));
    const gr_status st = gr_folder_add(folder, name, bytes, n, err);
    gr_free(rt, bytes);
    return st;
}

gr_status gr_gar_folder_tokenizer(gr_runtime *rt, const gr_folder *folder, const char *from, gr_error *err)
{
    static const char *const names[] = { "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                                         "chat_template.jinja" };
    char path[4096];
    if (!gr_path_is_dir(from))
        return copy_file(rt, folder, names[0], from, err);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!gr_path_join(path, sizeof path, from, names[i]))
            return gr_fail(err, GR_ERR_ARG, "%s: the path is too long", from);
        if (i == 0 || gr_path_exists(path))
            GR_TRY(copy_file(rt, folder, names[i], path, err));
    }
    return GR_OK;
}
