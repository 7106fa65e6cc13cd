#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define MAX_DEPTH 8

static bool is_empty_dir(const char *path)
{
    DIR *d = opendir(path);
    bool empty = d != NULL;
    for (struct dirent *e; empty && (e = readdir(d));)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (d)
        closedir(d);
    return empty;
}

static gr_status settle_names(gr_folder *f, const char *dir, gr_error *err)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    if (n == 0 || n >= sizeof f->place)
        return gr_fail(err, GR_ERR_ARG, "the name of the folder has %zu bytes, expected 1 to %zu", n,
                       sizeof f->place - 1);
    memcpy(f->place, dir, n);
    f->place[n] = '\0';
    snprintf(f->work, sizeof f->work, "%s.tmp-%ld", f->place, (long)getpid());
    return GR_OK;
}

gr_status gr_folder_init(gr_folder *f, const char *dir, gr_error *err)
{
    f->replaces = false;
    GR_TRY(settle_names(f, dir, err));
    if (gr_path_exists(f->place) && !is_empty_dir(f->place))
        return gr_fail(err, GR_ERR_ARG, "%s: is there already and not an empty folder", f->place);
    return GR_OK;
}

gr_status gr_folder_init_over(gr_folder *f, const char *dir, gr_error *err)
{
    f->replaces = true;
    return settle_names(f, dir, err);
}

gr_status gr_folder_make(gr_folder *f, gr_error *err)
{
    gr_folder_remove(f->work);
    if (mkdir(f->work, 0777) != 0)
        return gr_fail(err, GR_ERR_IO, "%s: cannot make this folder: %s", f->work, strerror(errno));
    return GR_OK;
}

gr_status gr_folder_add(const gr_folder *f, const char *name, const void *bytes, size_t n, gr_error *err)
{
    char path[4096];
    if (!gr_path_join(path, sizeof path, f->work, name))
        return gr_fail(err, GR_ERR_ARG, "%s: the path of %s is too long", f->work, name);
    return gr_file_write(path, bytes, n, err);
}

gr_status gr_folder_sync(const char *path, gr_error *err)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot sync a folder, and say so with EINVAL: there is no more to be done there. */
    const bool good = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    const int cause = errno;
    if (fd >= 0)
        close(fd);
    return good ? GR_OK : gr_fail(err, GR_ERR_IO, "%s: cannot sync this folder: %s", path, strerror(cause));
}

static gr_status sync_parent(const char *path, gr_error *err)
{
    char parent[4096];
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    return gr_folder_sync(parent, err);
}

gr_status gr_folder_finish(gr_folder *f, gr_status st, gr_error *err)
{
    if (st == GR_OK)
        st = gr_folder_sync(f->work, err);
    if (st == GR_OK && f->replaces)
        gr_folder_remove(f->place);
    if (st == GR_OK && rename(f->work, f->place) != 0)
        st = gr_fail(err, GR_ERR_IO, "%s: cannot rename the finished folder %s to it: %s", f->place, f->work,
                     strerror(errno));
    if (st == GR_OK)
        return sync_parent(f->place, err);
    gr_folder_remove(f->work);
    return st;
}

/* --- walking ------------------------------------------------------------------------------------------- */

typedef struct {
    char path[4096]; /* of what is being visited */
    size_t root;     /* length of the walk's own folder with its slash */
    gr_status (*visit)(void *user, const char *name, bool is_dir, gr_error *err);
    void *user;
} walk;

static gr_status walk_folder(walk *w, size_t n, int depth, gr_error *err);

/* The entry that stands at w->path, whose length is n. */
static gr_status walk_entry(walk *w, size_t n, int depth, gr_error *err)
{
    struct stat s;
    if (lstat(w->path, &s) != 0)
        return gr_fail(err, GR_ERR_IO, "%s: %s", w->path, strerror(errno));
    if (S_ISDIR(s.st_mode))
        GR_TRY(walk_folder(w, n, depth + 1, err));
    return w->visit(w->user, w->path + w->root, S_ISDIR(s.st_mode), err);
}

static gr_status walk_folder(walk *w, size_t n, int depth, gr_error *err)
{
    DIR *d = depth <= MAX_DEPTH ? opendir(w->path) : NULL;
    gr_status st = GR_OK;
    if (!d)
        return depth > MAX_DEPTH
                   ? gr_fail(err, GR_ERR_LIMIT, "%s: more than %d folders in each other", w->path, MAX_DEPTH)
                   : gr_fail(err, GR_ERR_IO, "%s: cannot read this folder: %s", w->path, strerror(errno));
    for (struct dirent *e; st == GR_OK && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        const int len = snprintf(w->path + n, sizeof w->path - n, "/%s", e->d_name);
        st = len > 0 && (size_t)len < sizeof w->path - n
                 ? walk_entry(w, n + (size_t)len, depth, err)
                 : gr_fail(err, GR_ERR_LIMIT, "%s: the path is too long", w->path);
        w->path[n] = '\0';
    }
    closedir(d);
    return st;
}

gr_status gr_folder_walk(const char *path,
                         gr_status (*visit)(void *user, const char *name, bool is_dir, gr_error *err),
                         void *user, gr_error *err)
{
    walk w = { .visit = visit, .user = user };
    const size_t n = strlen(path);
    if (n >= sizeof w.path)
        return gr_fail(err, GR_ERR_LIMIT, "a path of %zu bytes is too long", n);
    memcpy(w.path, path, n + 1);
    w.root = n + 1;
    return walk_folder(&w, n, 0, err);
}

static gr_status remove_entry(void *user, const char *name, bool is_dir, gr_error *err)
{
    char path[4096];
    (void)err;
    if (gr_path_join(path, sizeof path, user, name))
        (void)(is_dir ? rmdir(path) : unlink(path));
    return GR_OK;
}

void gr_folder_remove(const char *path)
{
    gr_folder_walk(path, remove_entry, (void *)(uintptr_t)path, NULL);
    rmdir(path);
}
