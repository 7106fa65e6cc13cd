#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static bool is_name(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static bool is_empty_dir(const char *path)
{
    DIR *d = opendir(path);
    bool empty = d != NULL;
    for (struct dirent *e; empty && (e = readdir(d));)
        empty = !is_name(e);
    if (d)
        closedir(d);
    return empty;
}

/* Removes a folder of plain files. */
static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    char file[4096];
    if (d) {
        for (struct dirent *e; (e = readdir(d));)
            if (is_name(e) && gr_path_join(file, sizeof file, path, e->d_name))
                unlink(file);
        closedir(d);
    }
    rmdir(path);
}

gr_status gr_folder_init(gr_folder *f, const char *dir, gr_error *err)
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
    if (gr_path_exists(f->place) && !is_empty_dir(f->place))
        return gr_fail(err, GR_ERR_ARG, "%s: is there already and not an empty folder", f->place);
    return GR_OK;
}

gr_status gr_folder_make(gr_folder *f, gr_error *err)
{
    if (mkdir(f->work, 0777) != 0)
        return gr_fail(err, GR_ERR_IO, "%s: cannot make this folder: %s", f->work, strerror(errno));
    return GR_OK;
}

gr_status gr_folder_add(const gr_folder *f, const char *name, const void *bytes, size_t n, gr_error *err)
{
    char path[4096];
    gr_file_writer file;
    if (!gr_path_join(path, sizeof path, f->work, name))
        return gr_fail(err, GR_ERR_ARG, "%s: the path of %s is too long", f->work, name);
    GR_TRY(gr_file_writer_open(&file, path, err));
    gr_file_writer_add(&file, bytes, n);
    return gr_file_writer_commit(&file, err);
}

gr_status gr_folder_finish(gr_folder *f, gr_status st, gr_error *err)
{
    if (st == GR_OK && rename(f->work, f->place) != 0)
        st = gr_fail(err, GR_ERR_IO, "%s: cannot rename the finished folder %s to it: %s", f->place, f->work,
                     strerror(errno));
    if (st != GR_OK)
        remove_folder(f->work);
    return st;
}
