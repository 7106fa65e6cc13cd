#include "suggest.h"

#include <string.h>

static size_t min(size_t a, size_t b) { return a < b ? a : b; }

/* Optimal string alignment: the usual table of prefixes, three rows of it. */
size_t cli_edit_distance(const char *a, const char *b)
{
    const size_t n = strlen(b);
    size_t rows[3][CLI_SUGGEST_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t k = 0; k <= n; k++)
        above[k] = before[k] = k;
    for (size_t i = 1; a[i - 1]; i++) {
        row[0] = i;
        for (size_t k = 1; k <= n; k++) {
            row[k] = min(min(row[k - 1], above[k]) + 1, above[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = min(row[k], before[k - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[n];
}

void cli_suggest_init(cli_suggest *s, const char *word, size_t n)
{
    *s = (cli_suggest){ .distance = CLI_SUGGEST_MAX };
    if (n > CLI_SUGGEST_MAX)
        n = 0;
    memcpy(s->word, word, n);
    for (size_t i = 0; i < n; i++)
        if (s->word[i] == '_')
            s->word[i] = '-';
}

void cli_suggest_offer(cli_suggest *s, const char *known)
{
    const size_t n = strlen(s->word);
    if (n == 0 || strlen(known) > CLI_SUGGEST_MAX)
        return;
    const size_t distance = n >= 2 && strncmp(known, s->word, n) == 0 ? 1 : cli_edit_distance(s->word, known);
    if (distance <= (n + 2) / 3 && distance < s->distance) {
        s->best = known;
        s->distance = distance;
    }
}

const char *cli_suggest_best(const cli_suggest *s) { return s->best; }
