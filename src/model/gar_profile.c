#include "model/gar_profile.h"

#include <stdbool.h>
#include <string.h>

static const gr_profile_switch switches[GR_SWITCH_COUNT + 1] = {
    [GR_SWITCH_ROI_MODE] = { "roi_mode",
                             { "released", "paper" },
                             0,
                             1,
                             "Q-a",
                             "the box of a region is scaled to cells twice (released), so that replay sees "
                             "the top left corner only, or once" },
    [GR_SWITCH_MULTI_BBOX] = { "multi_bbox",
                               { "last", "own" },
                               0,
                               1,
                               "Q-b",
                               "with several regions, every replay pools the box of the last one, or each "
                               "its own" },
    [GR_SWITCH_BBOX] = { "bbox",
                         { "inclusive", "exclusive" },
                         0,
                         1,
                         "Q-c",
                         "a box ends at the last pixel's left edge (released), or at its right edge" },
    [GR_SWITCH_DOUBLE_BOS] = { "double_bos",
                               { "off", "on" },
                               1,
                               0,
                               "4.4",
                               "the prompt begins with two begin-of-text tokens" },
    [GR_SWITCH_MASK_RESAMPLE] = { "mask_resample",
                                  { "nearest", "bicubic" },
                                  0,
                                  0,
                                  "Q-u",
                                  "how the prompt plane is resized: nearest (inference), or blended as the "
                                  "released training code does" },
    [GR_SWITCH_WORDING] = { "wording",
                            { "released", "paper" },
                            0,
                            1,
                            "4.5",
                            "what is asked when no question is given: \"Describe this masked region in "
                            "detail.\" (released scripts), or \"... the masked region ...\"" },
    [GR_SWITCH_EXTRA_PROMPTS] = { "extra_prompts",
                                  { "refuse", "released", "replay" },
                                  0,
                                  0,
                                  "Q-g",
                                  "more regions than prompts: an error; as published, painted as background "
                                  "and shown as rows of an untrained token; or painted and replayed like "
                                  "the others" },
    [GR_SWITCH_SINGLE_PROMPT] = { "single_prompt",
                                  { "0", "1" },
                                  1,
                                  1,
                                  "Q-o",
                                  "the prompt index of a single region that no text mentions" },
    [GR_SWITCH_STOP] = { "stop",
                         { "eot", "config" },
                         0,
                         0,
                         "6",
                         "which tokens end an answer: that of a turn alone, or every one that the "
                         "configuration lists" },
};

const gr_profile_switch *gr_profile_switch_at(size_t i) { return i < GR_SWITCH_COUNT ? &switches[i] : NULL; }

gr_status gr_profile_init(gr_profile *p, const char *set, gr_error *err)
{
    const int paper = strcmp(set, "paper") == 0;
    if (!paper && strcmp(set, "released") != 0)
        return gr_fail(err, GR_ERR_ARG, "profile '%s', expected released or paper", set);
    *p = (gr_profile){ { 0 } };
    for (int i = 0; i < GR_SWITCH_COUNT; i++)
        p->value[i] = paper ? switches[i].paper : switches[i].released;
    return GR_OK;
}

static void list_names(char *out, size_t n, const gr_profile_switch *s)
{
    out[0] = '\0';
    for (int i = 0; s ? s->values[i] != NULL : i < GR_SWITCH_COUNT; i++) {
        const size_t at = strlen(out);
        if (at + 32 < n)
            strcat(strcat(out, i ? ", " : ""), s ? s->values[i] : switches[i].name);
    }
}

gr_status gr_profile_set(gr_profile *p, const char *text, gr_error *err)
{
    char names[256];
    const char *equals = strchr(text, '=');
    const size_t n = equals ? (size_t)(equals - text) : strlen(text);
    for (int i = 0; i < GR_SWITCH_COUNT; i++) {
        if (strlen(switches[i].name) != n || strncmp(switches[i].name, text, n) != 0)
            continue;
        for (unsigned char v = 0; equals && switches[i].values[v]; v++)
            if (strcmp(switches[i].values[v], equals + 1) == 0) {
                p->value[i] = v;
                return GR_OK;
            }
        list_names(names, sizeof names, &switches[i]);
        return gr_fail(err, GR_ERR_ARG, "switch %s is '%s', expected one of %s", switches[i].name,
                       equals ? equals + 1 : "", names);
    }
    list_names(names, sizeof names, NULL);
    return gr_fail(err, GR_ERR_ARG, "there is no switch '%.*s', only %s", (int)(n < 64 ? n : 64), text,
                   names);
}

gr_status gr_profile_parse(gr_profile *p, const char *text, gr_error *err)
{
    char part[64];
    gr_profile made = { { 0 } };
    for (bool first = true; first || *text; first = false) {
        const size_t n = strcspn(text, ",");
        if (n >= sizeof part)
            return gr_fail(err, GR_ERR_ARG, "profile: '%.60s...' is neither a set nor NAME=VALUE", text);
        memcpy(part, text, n);
        part[n] = '\0';
        GR_TRY(first ? gr_profile_init(&made, part, err) : gr_profile_set(&made, part, err));
        text += n + (text[n] == ',');
    }
    *p = made;
    return GR_OK;
}

const char *gr_profile_value(const gr_profile *p, size_t i)
{
    return i < GR_SWITCH_COUNT ? switches[i].values[p->value[i]] : NULL;
}
