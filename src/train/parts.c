#include "train/parts.h"

#include <string.h>

static const char *const names[] = {
#define X(name, word, what) word,
    GR_TRAIN_PART_TABLE(X)
#undef X
};

const char *gr_train_part_name(gr_train_part part) { return names[part]; }

gr_train_part gr_train_part_of(gr_gar_tensor_id id)
{
    static const gr_train_part of[] = {
#define X(id, part, ...)      [GR_GAR_T_##id] = GR_TRAIN_OF_##part,
#define GR_TRAIN_OF_VISION    GR_TRAIN_TOWER
#define GR_TRAIN_OF_MASK      GR_TRAIN_MASK
#define GR_TRAIN_OF_PROJECTOR GR_TRAIN_PROJECTOR
#define GR_TRAIN_OF_TEXT      GR_TRAIN_DECODER
#define GR_TRAIN_OF_HEAD      GR_TRAIN_HEAD
        GR_GAR_TENSOR_TABLE(X)
#undef X
    };
    return id == GR_GAR_T_EMBED ? GR_TRAIN_EMBED : of[id];
}

static int find(const char *word, size_t n)
{
    for (int i = 0; i < GR_TRAIN_PART_COUNT; i++)
        if (strlen(names[i]) == n && memcmp(names[i], word, n) == 0)
            return i;
    return -1;
}

gr_status gr_train_parts_parse(unsigned *parts, const char *text, gr_error *err)
{
    const bool all = strcmp(text, "all") == 0;
    *parts = all ? GR_TRAIN_ALL : 0;
    if (all || strcmp(text, "none") == 0)
        return GR_OK;
    for (const char *at = text;; at++) {
        const size_t n = strcspn(at, ",");
        const int part = find(at, n);
        if (part < 0)
            return gr_fail(err, GR_ERR_ARG,
                           "'%.*s' is no part of a model; expected all, none, or some of tower, mask, "
                           "projector, embed, decoder and head, joined by commas",
                           (int)n, at);
        *parts |= 1u << part;
        at += n;
        if (!*at)
            return GR_OK;
    }
}
