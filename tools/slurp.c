#include "slurp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static gr_status read_all(char **text, size_t *n, FILE *stream, size_t max, gr_error *err)
{
    size_t room = 0;
    for (;;) {
        if (*n + 1 >= room) {
            room = room ? 2 * room : 65536;
            char *larger = realloc(*text, room);
            if (!larger)
                return gr_fail(err, GR_ERR_MEM, "standard input: no memory for %zu bytes", room);
            *text = larger;
        }
        const size_t got = fread(*text + *n, 1, room - 1 - *n, stream);
        *n += got;
        if (*n > max)
            return gr_fail(err, GR_ERR_LIMIT, "standard input: more than %zu bytes", max);
        if (got == 0)
            break;
    }
    if (ferror(stream))
        return gr_fail(err, GR_ERR_IO, "standard input: %s", strerror(errno));
    (*text)[*n] = '\0';
    return GR_OK;
}

gr_status cli_slurp(char **text, size_t *n, FILE *stream, size_t max, gr_error *err)
{
    *text = NULL;
    *n = 0;
    const gr_status st = read_all(text, n, stream, max, err);
    if (st != GR_OK) {
        free(*text);
        *text = NULL;
    }
    return st;
}
