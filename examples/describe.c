/* describe.c - describes one region of a picture: describe MODEL_DIR PICTURE box:X0,Y0,X1,Y1 */
#include <stdio.h>
#include <string.h>

#include <grasp/session.h>

static gr_runtime *rt;
static gr_model *model;
static gr_image *image;
static gr_region_spec *spec;
static gr_region *region;
static gr_engine *engine;
static gr_session *session;

static bool show(void *file, const char *utf8, size_t n)
{
    return fwrite(utf8, 1, n, file) == n && fflush(file) == 0; /* false ends the answer */
}

static gr_status describe(const char *dir, const char *picture, const char *where, gr_error *err)
{
    GR_TRY(gr_runtime_new(&rt, NULL, err));
    GR_TRY(gr_model_open(&model, rt, dir, NULL, err));
    GR_TRY(gr_image_open(&image, rt, picture, NULL, err));
    gr_region_frame frame;
    gr_region_frame_init(&frame, image);
    GR_TRY(gr_region_spec_parse(&spec, rt, where, strlen(where), err));
    GR_TRY(gr_region_resolve(&region, rt, spec, &frame, err));
    gr_request request; /* without a question: the published one, which describes a region */
    gr_request_init(&request, model);
    request.image = image;
    request.regions = (const gr_region *const *)&region;
    request.n_regions = 1;
    gr_request_size size;
    GR_TRY(gr_request_measure(model, &request, &size, err));
    gr_engine_options options; /* memory for this conversation, not for the longest there can be */
    gr_engine_options_init(&options);
    options.max_context = size.prompt_rows + 1024; /* tokens of the longest answer, by default */
    GR_TRY(gr_engine_open(&engine, model, &options, err));
    GR_TRY(gr_session_open(&session, engine, err));
    GR_TRY(gr_session_ask(session, &request, NULL, err));
    return gr_session_answer(session, show, stdout, err);
}

int main(int argc, char **argv)
{
    gr_error err = { 0 };
    const gr_status st = argc == 4 ? describe(argv[1], argv[2], argv[3], &err)
                                   : gr_fail(&err, GR_ERR_ARG, "usage: describe MODEL_DIR PICTURE REGION");
    fprintf(st == GR_OK ? stdout : stderr, "%s\n", err.msg); /* a sentence, or the end of the line */
    gr_session_close(session);
    gr_engine_close(engine);
    gr_region_free(region);
    gr_region_spec_free(spec);
    gr_image_free(image);
    gr_model_close(model);
    gr_runtime_free(rt);
    return st != GR_OK;
}
