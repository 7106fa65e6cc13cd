/* slurp.h - standard input as one text. */
#ifndef GRASP_CLI_SLURP_H
#define GRASP_CLI_SLURP_H

#include <stddef.h>

#include <grasp/error.h>

/* All bytes that the file gives and a terminating zero that is not counted; free(*text). GR_ERR_LIMIT: more
 * than `max`. GR_ERR_CANCELLED: a signal asked to stop (signals.h). GR_ERR_IO, GR_ERR_MEM. On failure *text
 * is NULL. */
gr_status cli_slurp(char **text, size_t *n, int fd, size_t max, gr_error *err);

#endif
