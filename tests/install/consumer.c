/* consumer.c - what the first program of a user looks like. */
#include <stdio.h>

#include <grasp/runtime.h>
#include <grasp/version.h>

int main(void)
{
    gr_error err = { 0 };
    gr_runtime_options options;
    gr_runtime *rt;
    gr_runtime_options_init(&options);
    options.n_threads = 2;
    if (gr_runtime_new(&rt, &options, &err) != GR_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    printf("grasp %s with %d threads\n", gr_version(), gr_runtime_n_threads(rt));
    gr_runtime_free(rt);
    return 0;
}
