#include "slurp.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signals.h"

/* False: the work was asked to stop while nothing came. A read would begin again after a signal (SA_RESTART).
 */
static bool wait_for_bytes(int fd)
{
    struct pollfd wanted = { .fd = fd, .events = POLLIN };
    while (!cli_cancelled(NULL))
        if (poll(&wanted, 1, -1) >= 0 || errno != EINTR)
            return true; /* or an end, or an error, which the read tells */
    return false;
}

static gr_status read_all(char **text, size_t *n, int fd, size_t max, gr_error *err)
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
        if (!wait_for_bytes(fd))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled while standard input was read");
        const ssize_t got = read(fd, *text + *n, room - 1 - *n);
        if (got < 0)
            return gr_fail(err, GR_ERR_IO, "standard input: %s", strerror(errno));
        *n += (size_t)got;
        if (*n > max)
            return gr_fail(err, GR_ERR_LIMIT, "standard input: more than %zu bytes", max);
        if (got == 0)
            break;
    }
    (*text)[*n] = '\0';
    return GR_OK;
}

gr_status cli_slurp(char **text, size_t *n, int fd, size_t max, gr_error *err)
{
    *text = NULL;
    *n = 0;
    const gr_status st = read_all(text, n, fd, max, err);
    if (st != GR_OK) {
        free(*text);
        *text = NULL;
    }
    return st;
}
