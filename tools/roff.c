#include "roff.h"

#include <stdbool.h>
#include <string.h>

#define WIDTH 76

/* Characters that mean something to roff, or that a terminal would show as another one. */
static const struct {
    char c;
    const char *escape;
} escapes[] = {
    { '\\', "\\e" },  { '\'', "\\(aq" }, { '`', "\\(ga" },
    { '^', "\\(ha" }, { '~', "\\(ti" },  { '"', "\\(dq" },
};

static const char *escape_of(char c)
{
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (escapes[i].c == c)
            return escapes[i].escape;
    return NULL;
}

/* A dash that begins a word, or follows such a one, begins an option; inside a word it is a hyphen. */
static void put(FILE *f, const char *text, size_t n, bool every_dash)
{
    bool begins = true;
    for (size_t i = 0; i < n; i++) {
        const char *escape = escape_of(text[i]);
        if (text[i] == '-' && (every_dash || begins))
            fputs("\\-", f);
        else if (escape)
            fputs(escape, f);
        else
            fputc(text[i], f);
        begins = strchr(" (-=/[", text[i]) != NULL;
    }
}

void cli_roff_word(FILE *f, const char *text, size_t n) { put(f, text, n, true); }

void cli_roff_line(FILE *f, const char *text, size_t n)
{
    if (n > 0 && text[0] == '.')
        fputs("\\&", f);
    put(f, text, n, true);
    fputc('\n', f);
}

void cli_roff_text(FILE *f, const char *text)
{
    for (size_t column = 0; *(text += strspn(text, " \n"));) {
        const size_t n = strcspn(text, " \n");
        if (column > 0 && column + 1 + n > WIDTH) {
            fputc('\n', f);
            column = 0;
        }
        if (column > 0)
            fputc(' ', f);
        else if (text[0] == '.')
            fputs("\\&", f);
        put(f, text, n, false);
        column += n + 1;
        text += n;
        const bool sentence = text[-1] == '.' && *text;
        if (sentence)
            column = 0;
        if (sentence || !text[strspn(text, " \n")])
            fputc('\n', f);
    }
}
