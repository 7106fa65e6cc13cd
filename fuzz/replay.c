/* replay.c - runs a fuzz target over the files of the folders named on the command line, where there is no
 * fuzzing engine. Options of the engine (-runs=0 ...) are ignored. Exit status 1 when a folder is missing or
 * empty: a replay of nothing proves nothing. */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    uint8_t *data = NULL;
    size_t size = 0, n;
    do {
        data = realloc(data, size + 65536);
        FUZZ_CHECK(data);
        n = fread(data + size, 1, 65536, f);
        size += n;
    } while (n > 0);
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    int n_files = 0;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-')
            continue;
        DIR *dir = opendir(argv[i]);
        if (!dir) {
            fprintf(stderr, "%s: no such folder of seeds\n", argv[i]);
            return 1;
        }
        for (struct dirent *e; (e = readdir(dir));) {
            char path[4096];
            if (e->d_name[0] != '.' &&
                snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name) < (int)sizeof path)
                n_files += replay_file(path);
        }
        closedir(dir);
    }
    printf("%d inputs replayed\n", n_files);
    return n_files == 0;
}
