#include "train/skip.h"

static const struct {
    const char *word, *text;
    bool damage;
} reasons[GR_SKIP_COUNT] = { [GR_SKIP_NONE] = { "none", "the row makes a sample", false },
#define X(name, word, text, damage) [GR_SKIP_##name] = { word, text, damage },
                             GR_SKIP_TABLE(X)
#undef X
};

const char *gr_skip_word(gr_skip reason) { return reasons[reason].word; }
const char *gr_skip_text(gr_skip reason) { return reasons[reason].text; }
bool gr_skip_is_damage(gr_skip reason) { return reasons[reason].damage; }
