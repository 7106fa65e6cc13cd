/* load_by_name.c - the library as a ctypes module sees it: found by its name, functions by theirs, and
 * structs by sizes and offsets that were written down once. They may only ever grow at the end. For 64-bit
 * machines. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <grasp/error.h>
#include <grasp/image.h>
#include <grasp/runtime.h>
#include <grasp/verify.h>
#include <grasp/version.h>

static const struct {
    const char *what;
    size_t found, want;
} layout[] = {
#define SIZE(type, want)         { "sizeof " #type, sizeof(type), want },
#define FIELD(type, field, want) { #type "." #field, offsetof(type, field), want },
    SIZE(gr_error, 516) FIELD(gr_error, status, 0) FIELD(gr_error, msg, 4) SIZE(gr_allocator, 24)
        SIZE(gr_runtime_options, 56) FIELD(gr_runtime_options, size, 0)
            FIELD(gr_runtime_options, n_threads, 8) FIELD(gr_runtime_options, cpu_mask, 12)
                FIELD(gr_runtime_options, allocator, 16) FIELD(gr_runtime_options, log, 40)
                    FIELD(gr_runtime_options, log_user, 48) SIZE(gr_image_options, 32)
                        FIELD(gr_image_options, max_pixels, 8) FIELD(gr_image_options, max_side, 16)
                            FIELD(gr_image_options, exif, 20) FIELD(gr_image_options, lenient, 24)
                                SIZE(gr_image, 40) FIELD(gr_image, width, 8) FIELD(gr_image, height, 12)
                                    FIELD(gr_image, channels, 16) FIELD(gr_image, pixels, 24)
                                        FIELD(gr_image, orientation, 32) FIELD(gr_image, upright, 36)
                                            SIZE(gr_verify_options, 72) FIELD(gr_verify_options, images, 8)
};

/* Growing structs: their init writes the size first. */
static const struct {
    const char *init;
    size_t size;
} growing[] = {
    { "gr_runtime_options_init", sizeof(gr_runtime_options) },
    { "gr_image_options_init", sizeof(gr_image_options) },
    { "gr_verify_options_init", sizeof(gr_verify_options) },
};

static int check_growing(void *library)
{
    int failures = 0;
    for (size_t i = 0; i < sizeof growing / sizeof *growing; i++) {
        union {
            size_t size;
            char bytes[4096];
        } options;
        memset(&options, 0xff, sizeof options);
        void (*init)(void *);
        *(void **)&init = dlsym(library, growing[i].init);
        if (init)
            init(&options);
        if (!init || options.size != growing[i].size || options.bytes[growing[i].size] != (char)0xff) {
            printf("%s: missing, or it does not write exactly %zu bytes\n", growing[i].init, growing[i].size);
            failures++;
        }
    }
    return failures;
}

int main(int argc, char **argv)
{
    int failures = argc != 2;
    for (size_t i = 0; i < sizeof layout / sizeof *layout; i++)
        if (layout[i].found != layout[i].want) {
            printf("%s is %zu, was published as %zu\n", layout[i].what, layout[i].found, layout[i].want);
            failures++;
        }

    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        printf("%s\n", dlerror());
        return 1;
    }
    const char *(*version)(void);
    void (*init)(gr_runtime_options *);
    gr_status (*runtime_new)(gr_runtime **, const gr_runtime_options *, gr_error *);
    *(void **)&version = dlsym(library, "gr_version");
    *(void **)&init = dlsym(library, "gr_runtime_options_init");
    *(void **)&runtime_new = dlsym(library, "gr_runtime_new");
    if (!version || !init || !runtime_new) {
        printf("%s lacks a function: %s\n", argv[1], dlerror());
        return 1;
    }

    char header[32];
    snprintf(header, sizeof header, "%d.%d.%d", GR_VERSION_MAJOR, GR_VERSION_MINOR, GR_VERSION_PATCH);
    gr_runtime_options options;
    init(&options);
    failures += strcmp(version(), header) != 0;
    failures += check_growing(library);

    options.size -=
        8; /* an older caller's struct, or one that was never initialised, is refused with a sentence */
    gr_runtime *rt = NULL;
    gr_error err = { 0 };
    failures +=
        runtime_new(&rt, &options, &err) != GR_ERR_ARG || rt != NULL || strstr(err.msg, "size") == NULL;
    printf("%s %s: %d failures\n", argv[1], version(), failures);
    return failures != 0;
}
