#include "model/gar_markers.h"

#include <stdio.h>
#include <string.h>

static gr_status marker(int32_t *out, const gr_tokenizer *t, const char *content, int32_t given,
                        gr_error *err)
{
    *out = gr_tokenizer_id(t, content);
    if (*out < 0)
        return gr_fail(err, GR_ERR_FORMAT, "tokenizer.json has no token '%s', which the chat template needs",
                       content);
    if (given >= 0 && given != *out)
        return gr_fail(err, GR_ERR_FORMAT, "'%s' has id %d in config.json, %d in tokenizer.json", content,
                       given, *out);
    return GR_OK;
}

/* <|reserved_special_token_{K+2}|>, unless it is the crop token of a prompt before K. */
static int32_t extra_crop(const gr_gar_markers *m, const gr_tokenizer *t, int k)
{
    char name[48];
    snprintf(name, sizeof name, "<|reserved_special_token_%d|>", k + 2);
    const int32_t id = gr_tokenizer_id(t, name);
    for (int i = 0; i < k; i++)
        if (m->crop[i] == id)
            return -1;
    return id;
}

gr_status gr_gar_markers_init(gr_gar_markers *m, const gr_gar_config *c, const gr_tokenizer *t, gr_error *err)
{
    GR_TRY(marker(&m->bos, t, "<|begin_of_text|>", c->text.bos, err));
    GR_TRY(marker(&m->start_header, t, "<|start_header_id|>", -1, err));
    GR_TRY(marker(&m->end_header, t, "<|end_header_id|>", -1, err));
    GR_TRY(marker(&m->eot, t, "<|eot_id|>", -1, err));
    GR_TRY(marker(&m->image, t, "<|image|>", c->image_id, err));
    m->n_prompts = c->base_only ? 0 : c->n_prompts;
    for (int k = 0; k < m->n_prompts; k++) {
        char name[32];
        size_t n;
        snprintf(name, sizeof name, "<Prompt%d>", k);
        GR_TRY(marker(&m->prompt[k], t, name, -1, err));
        m->crop[k] = k < c->n_crop ? c->crop_ids[k] : -1;
        if (!gr_tokenizer_bytes(t, m->crop[k], &n))
            return gr_fail(err, GR_ERR_FORMAT,
                           "config.json: the crop token of <Prompt%d> has id %d, which is no token of "
                           "tokenizer.json",
                           k, m->crop[k]);
    }
    for (int k = m->n_prompts; k < GR_MAX_PROMPTS; k++) {
        m->prompt[k] = -1;
        m->crop[k] = m->n_prompts > 0 ? extra_crop(m, t, k) : -1;
    }
    return GR_OK;
}

/* The header of an answer as tokens: <|start_header_id|>assistant<|end_header_id|>\n\n. */
static gr_status answer_header(gr_ids *header, const gr_gar_markers *m, const gr_tokenizer *t, gr_error *err)
{
    static const char role[] = "assistant", gap[] = "\n\n";
    GR_TRY(gr_ids_add(header, m->start_header, err));
    GR_TRY(gr_tokenizer_encode(t, role, sizeof role - 1, false, header, err));
    GR_TRY(gr_ids_add(header, m->end_header, err));
    return gr_tokenizer_encode(t, gap, sizeof gap - 1, false, header, err);
}

gr_status gr_gar_supervise(const gr_gar_markers *m, const gr_tokenizer *t, const int32_t *ids, size_t n,
                           uint8_t *supervised, gr_error *err)
{
    gr_ids header;
    gr_ids_init(&header, gr_tokenizer_runtime(t), 64);
    const gr_status st = answer_header(&header, m, t, err);
    memset(supervised, 0, n);
    for (size_t i = 0; st == GR_OK && i + header.n <= n;) {
        if (memcmp(ids + i, header.v, header.n * sizeof *ids) != 0) {
            i++;
            continue;
        }
        size_t end = i += header.n;
        while (end < n && ids[end] != m->eot)
            end++;
        if (end == n)
            break;
        memset(supervised + i, 1, end + 1 - i);
        i = end + 1;
    }
    gr_ids_fini(&header);
    return st;
}
