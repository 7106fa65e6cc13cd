/* json_out.h - writes one JSON value to a stream, in one line. The caller nests correctly; commas and quoting
 * are done here. `key` is NULL for members of an array and for the outermost value. */
#ifndef GRASP_CLI_JSON_H
#define GRASP_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CLI_JSON_DEPTH 16

typedef struct {
    FILE *stream;
    int depth;
    bool comma[CLI_JSON_DEPTH];
} cli_json;

void cli_json_init(cli_json *j, FILE *stream);
void cli_json_open(cli_json *j, const char *key, char bracket); /* '{' or '[' */
void cli_json_close(cli_json *j, char bracket);
void cli_json_text(cli_json *j, const char *key, const char *text); /* NULL: null; not UTF-8: U+FFFD */
/* The same of bytes that need not end with a zero, and may hold some. */
void cli_json_bytes(cli_json *j, const char *key, const void *bytes, size_t n);
void cli_json_number(cli_json *j, const char *key, double x); /* not finite: null */
void cli_json_bool(cli_json *j, const char *key, bool x);
void cli_json_null(cli_json *j, const char *key);

#endif
