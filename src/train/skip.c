#include "train/skip.h"

#include <stdarg.h>
#include <stdio.h>

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

gr_status gr_skip_because(const gr_skip_note *note, gr_skip why, const gr_error *cause)
{
    if (cause->status != GR_ERR_MEM)
        *note->skip = why;
    return gr_fail(note->err, cause->status, "%.200s: %s", note->key, cause->msg);
}

gr_status gr_skip_row(const gr_skip_note *note, gr_skip why, const char *fmt, ...)
{
    gr_error cause = { .status = GR_ERR_FORMAT };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cause.msg, sizeof cause.msg, fmt, ap);
    va_end(ap);
    return gr_skip_because(note, why, &cause);
}
