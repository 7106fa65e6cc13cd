#include "model/gar_folder.h"

#include "base/alloc.h"
#include "base/file.h"
#include "model/gar_new.h"
#include "model/gar_prompt.h"
#include "text/tokenizer.h"

#define FILE_MAX ((size_t)16 << 20)

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

typedef gr_status (*write_config)(gr_buf *out, const gr_gar_config *config, gr_error *err);

static gr_status write_file(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder, const char *name,
                            write_config write, gr_error *err)
{
    gr_buf text;
    gr_buf_init(&text, rt, FILE_MAX);
    gr_status st = write(&text, c, err);
    if (st == GR_OK)
        st = gr_folder_add(folder, name, text.data, text.len, err);
    gr_buf_fini(&text);
    return st;
}

gr_status gr_gar_folder_config(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder,
                               const char *from, gr_error *err)
{
    static const struct {
        const char *name;
        write_config write;
    } files[] = {
        { "preprocessor_config.json", gr_gar_preprocessor_write },
        { "processor_config.json", gr_gar_processor_write },
        { "video_preprocessor_config.json", gr_gar_video_write },
        { "generation_config.json", gr_gar_generation_write },
    };
    char path[4096];
    GR_TRY(write_file(rt, c, folder, "config.json", gr_gar_config_write, err));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (from && gr_path_join(path, sizeof path, from, files[i].name) && gr_path_exists(path))
            GR_TRY(copy_file(rt, folder, files[i].name, path, err));
        else
            GR_TRY(write_file(rt, c, folder, files[i].name, files[i].write, err));
    return GR_OK;
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

gr_status gr_gar_folder_chat_template(gr_runtime *rt, const gr_folder *folder, gr_error *err)
{
    static const char begin[] = "{%- macro turn(role, text) -%}\n"
                                "{{ '<|start_header_id|>' ~ role ~ '<|end_header_id|>\\n\\n' ~ text ~ "
                                "'<|eot_id|>' }}\n"
                                "{%- endmacro -%}\n"
                                "{%- set told = messages[0]['role'] == 'system' -%}\n"
                                "{{ bos_token }}\n"
                                "{%- if told %}{{ turn('system', messages[0]['content'] | trim) }}{% else %}"
                                "{{ turn('system', '",
                      end[] = "') }}{% endif -%}\n"
                              "{%- for message in (messages[1:] if told else messages) -%}\n"
                              "{%- set parts = namespace(text='') -%}\n"
                              "{%- for kind in ['image', 'video', 'text'] -%}\n"
                              "{%- for part in message['content'] if part['type'] == kind -%}\n"
                              "{%- set parts.text = parts.text ~ (part['text'] | trim if kind == 'text' else "
                              "'<|' ~ kind ~ '|>') -%}\n"
                              "{%- endfor -%}\n"
                              "{%- endfor -%}\n"
                              "{{ turn(message['role'], parts.text) }}\n"
                              "{%- endfor -%}\n"
                              "{%- if add_generation_prompt %}"
                              "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}";
    gr_buf text;
    gr_buf_init(&text, rt, FILE_MAX);
    gr_buf_text(&text, begin);
    gr_buf_text(&text, gr_gar_system_text);
    gr_buf_text(&text, end);
    const gr_status st = text.failed ? gr_fail(err, GR_ERR_MEM, "no memory for a chat template")
                                     : gr_folder_add(folder, "chat_template.jinja", text.data, text.len, err);
    gr_buf_fini(&text);
    return st;
}
