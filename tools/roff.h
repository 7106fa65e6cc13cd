/* roff.h - text for man(7): escaped, so that nothing in it is taken for a request, and in short lines. */
#ifndef GRASP_CLI_ROFF_H
#define GRASP_CLI_ROFF_H

#include <stdio.h>

/* Running text, every sentence on a line of its own; white space is a place to break. Ends its line. */
void cli_roff_text(FILE *f, const char *text);
/* n bytes inside a line that begins with something else: a macro, or \fB. Every dash is one to type. */
void cli_roff_word(FILE *f, const char *text, size_t n);
/* A line that is shown as it is. */
void cli_roff_line(FILE *f, const char *text, size_t n);

#endif
