/* suggest.h - which known word a mistyped one may have been. */
#ifndef GRASP_CLI_SUGGEST_H
#define GRASP_CLI_SUGGEST_H

#include <stddef.h>

#define CLI_SUGGEST_MAX 40 /* longer words get no suggestion */

typedef struct {
    char word[CLI_SUGGEST_MAX + 1];
    const char *best; /* borrowed from the offers */
    size_t distance;
} cli_suggest;

/* Edits (insert, delete, replace, swap neighbours) that turn a into b; both at most CLI_SUGGEST_MAX long. */
size_t cli_edit_distance(const char *a, const char *b);

void cli_suggest_init(cli_suggest *s, const char *word, size_t n);
void cli_suggest_offer(cli_suggest *s, const char *known);
/* The first of the nearest offers, NULL when none is near: the word begins it, or an edit for every three
 * letters makes it. */
const char *cli_suggest_best(const cli_suggest *s);

#endif
