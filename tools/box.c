/* box.c - the model in the box: what answers where no --model is given. It lies beside the program: in
 * ../models of a build folder, in ../share/grasp/models of an installation. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define BOX "models/grasp-tiny"

/* The folder of the program; false: the system does not tell. */
static bool own_folder(char *dir, size_t size)
{
    const ssize_t n = readlink("/proc/self/exe", dir, size);
    if (n <= 0 || (size_t)n >= size)
        return false;
    dir[n] = '\0';
    char *slash = strrchr(dir, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

static bool is_model(const char *dir)
{
    char path[CLI_BOX_PATH + 16];
    snprintf(path, sizeof path, "%s/config.json", dir);
    return access(path, R_OK) == 0;
}

const char *cli_model(cli *app)
{
    static const char *const places[] = { "../" BOX, "../share/grasp/" BOX };
    char own[CLI_BOX_PATH];
    if (app->common.model)
        return app->common.model;
    if (own_folder(own, sizeof own))
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            const int n = snprintf(app->box, sizeof app->box, "%s/%s", own, places[i]);
            if (n < 0 || (size_t)n >= sizeof app->box || !is_model(app->box))
                continue;
            cli_warn(&app->out,
                     "no --model: the small one in the box answers, which knows drawn scenes only; "
                     "--model GAR-1B is for photographs");
            return app->common.model = app->box;
        }
    cli_error(&app->out, "no model: give --model DIR, a GAR folder as published or one made by 'grasp new'");
    return NULL;
}
