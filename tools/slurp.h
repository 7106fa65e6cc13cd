/* slurp.h - standard input as one text. */
#ifndef GRASP_CLI_SLURP_H
#define GRASP_CLI_SLURP_H

#include <stddef.h>
#include <stdio.h>

#include <grasp/error.h>

/* All bytes of the stream and a terminating zero that is not counted; free(*text). GR_ERR_LIMIT: more than
 * `max`. GR_ERR_IO, GR_ERR_MEM. On failure *text is NULL. */
gr_status cli_slurp(char **text, size_t *n, FILE *stream, size_t max, gr_error *err);

#endif
