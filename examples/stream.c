/* stream.c - an answer that can be stopped, here from another thread: by Ctrl-C, or after N pieces of text.
 *     stream MODEL_DIR PICTURE QUESTION [N] */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <grasp/session.h>

static gr_runtime *rt;
static gr_model *model;
static gr_image *image;
static gr_engine *engine;
static gr_session *session;

static pthread_t watcher;
static bool watching;
static sigset_t interrupt;
static atomic_bool stopped;
static long pieces, most_pieces; /* 0: as many as come */

/* Waits for Ctrl-C, or for end_watch, and cancels what the session is doing: looking at the picture, reading
 * the prompt or answering. When it is doing nothing, that changes nothing. */
static void *watch(void *user)
{
    int number;
    sigwait(&interrupt, &number);
    atomic_store(&stopped, true);
    gr_session_cancel(session); /* from any thread */
    return user;
}

static void end_watch(void)
{
    if (!watching)
        return;
    watching = false;
    pthread_kill(watcher, SIGINT);
    pthread_join(watcher, NULL);
}

/* Asked while the picture is looked at. A Ctrl-C that came just before gr_session_ask is not lost either. */
static bool cancelled(void *user)
{
    (void)user;
    return atomic_load(&stopped);
}

static bool show(void *file, const char *utf8, size_t n)
{
    if (++pieces == most_pieces)
        end_watch();
    return fwrite(utf8, 1, n, file) == n && fflush(file) == 0;
}

static gr_status prepare(char **argv, gr_request *request, gr_error *err)
{
    GR_TRY(gr_runtime_new(&rt, NULL, err));
    GR_TRY(gr_model_open(&model, rt, argv[1], NULL, err));
    GR_TRY(gr_image_open(&image, rt, argv[2], NULL, err));
    gr_request_init(request, model);
    request->image = image;
    request->question = argv[3];
    request->cancelled = cancelled;
    gr_request_size size;
    GR_TRY(gr_request_measure(model, request, &size, err));
    gr_engine_options options;
    gr_engine_options_init(&options);
    options.max_context = size.prompt_rows + 1024; /* tokens of the longest answer, by default */
    GR_TRY(gr_engine_open(&engine, model, &options, err));
    return gr_session_open(&session, engine, err);
}

static gr_status converse(const gr_request *request, gr_error *err)
{
    if (pthread_create(&watcher, NULL, watch, NULL) != 0)
        return gr_fail(err, GR_ERR_MEM, "cannot start a thread");
    watching = true;
    gr_status st = gr_session_ask(session, request, NULL, err);
    if (st == GR_OK)
        st = gr_session_answer(session, show, stdout, err);
    end_watch();
    return st;
}

static gr_status run(int argc, char **argv, gr_error *err)
{
    static const char *const ends[] = { "not over", "over", "cut at its longest", "cancelled" };
    if (argc < 4 || argc > 5)
        return gr_fail(err, GR_ERR_ARG, "usage: stream MODEL_DIR PICTURE QUESTION [N]");
    most_pieces = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
    gr_request request;
    GR_TRY(prepare(argv, &request, err));
    GR_TRY(converse(&request, err));
    putchar('\n');
    fprintf(stderr, "%s after %zu tokens in %ld pieces\n", ends[gr_session_finish(session)],
            gr_session_n_tokens(session), pieces);
    return GR_OK;
}

int main(int argc, char **argv)
{
    gr_error err = { 0 };
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, NULL); /* threads inherit it: Ctrl-C is the watcher's */
    if (run(argc, argv, &err) != GR_OK)
        fprintf(stderr, "%s\n", err.msg);
    gr_session_close(session);
    gr_engine_close(engine);
    gr_image_free(image);
    gr_model_close(model);
    gr_runtime_free(rt);
    return err.status != GR_OK;
}
