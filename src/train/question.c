#include "train/question.h"

#include <string.h>

#include "text/strip.h"
#include "text/unicode.h"

static const char *const templates[GR_QUESTION_TEMPLATES] = {
    "Describe the masked region {prompt_suffix}.",
    "Describe the masked area {prompt_suffix}.",
    "What can you describe about the masked region {prompt_suffix}?",
    "Can you describe the masked region {prompt_suffix}?",
    "Provide an explanation of the masked region {prompt_suffix}.",
    "Depict the masked area {prompt_suffix}.",
    "Portray the masked area {prompt_suffix}.",
    "Describe what the masked region looks like {prompt_suffix}.",
    "Illustrate the masked region {prompt_suffix}.",
    "How would you explain the masked area {prompt_suffix}?",
    "What details can you provide about the masked region {prompt_suffix}?",
    "What does the masked region entail {prompt_suffix}?",
    "How would you illustrate the masked region {prompt_suffix}?",
    "How would you depict the masked area {prompt_suffix}?",
    "How would you portray the masked area {prompt_suffix}?",
    "Give a detailed description of the masked region.",
    "Provide a thorough description of the masked region.",
    "Can you explain the details of the masked area?",
    "Give a detailed account of the masked region.",
    "Describe the masked area comprehensively.",
    "Provide an in-depth description of the masked region.",
    "Explain the specifics of the masked area.",
    "Can you provide a thorough explanation of the masked region?",
    "What are the details of the masked area?",
    "Provide a comprehensive description of the masked area.",
    "What specific details can you provide about the masked region?",
    "Can you give an in-depth account of the masked section?",
    "What are the main characteristics of the masked region?",
    "Give a thorough description of the masked area's details.",
    "Provide detailed information about the masked area.",
};

const char *gr_question_template(int i) { return templates[i]; }

static bool is_blank(uint32_t cp)
{
    return gr_char_classify(cp) == GR_CHAR_SPACE || (cp >= 0x1c && cp <= 0x1f);
}

size_t gr_count_words(const char *text, size_t n)
{
    size_t words = 0;
    bool inside = false;
    for (size_t at = 0; at < n;) {
        const gr_utf8 c = gr_utf8_decode((const uint8_t *)text + at, n - at);
        const bool blank = is_blank(c.cp);
        words += !blank && !inside;
        inside = !blank;
        at += (size_t)c.bytes;
    }
    return words;
}

size_t gr_count_sentences(const char *text, size_t n)
{
    size_t sentences = 0;
    for (size_t from = 0; from <= n;) {
        size_t to = from;
        while (to < n && !strchr(".!?", text[to] ? text[to] : ' '))
            to++;
        const char *piece = text + from;
        size_t length = to - from;
        gr_strip(&piece, &length, GR_STRIP_BOTH);
        sentences += length > 0;
        from = to + 1;
    }
    return sentences;
}

static bool add_sentences(gr_buf *out, size_t n, gr_draws *draws)
{
    static const char *const one[] = { "in a sentence", "in one sentence", "in 1 sentence" };
    if (n == 1)
        return gr_buf_text(out, one[gr_draw_below(draws, 3)]);
    return gr_buf_printf(out, "in %zu sentences", n);
}

static size_t round_to_tens(size_t n)
{
    const size_t tens = n / 10, rest = n % 10;
    return 10 * (tens + (rest > 5 || (rest == 5 && tens % 2 == 1)));
}

static bool add_words(gr_buf *out, size_t n, gr_draws *draws)
{
    static const char *const roughly[] = { "about", "around" };
    if (n < 10)
        return gr_buf_printf(out, "in %zu words", n);
    if (n > 200)
        return gr_buf_text(out, "in more than 200 words");
    return gr_buf_printf(out, "in %s %zu words", roughly[gr_draw_below(draws, 2)], round_to_tens(n));
}

bool gr_question_add(gr_buf *out, const char *caption, size_t n, gr_draws *draws)
{
    static const char slot[] = "{prompt_suffix}";
    const double r = gr_draw_unit(draws);
    const uint32_t choices = r < 0.6 ? GR_QUESTION_TEMPLATES : GR_QUESTION_SUFFIXED;
    const char *text = templates[gr_draw_below(draws, choices)], *at = strstr(text, slot);
    if (!at)
        return gr_buf_text(out, text);
    gr_buf_add(out, text, (size_t)(at - text));
    if (r < 0.6)
        gr_buf_text(out, "in detail");
    else if (r <= 0.8)
        add_sentences(out, gr_count_sentences(caption, n), draws);
    else
        add_words(out, gr_count_words(caption, n), draws);
    return gr_buf_text(out, at + sizeof slot - 1);
}
