/* regions.c - a question about several regions, with the log-probability of every token of the answer:
 *     regions MODEL_DIR PICTURE 'What is <Prompt0> doing to <Prompt1>?' box:10,10,90,80 mask:dog.png */
#include <stdio.h>
#include <string.h>

#include <grasp/session.h>

#define MAX_REGIONS 15

static gr_runtime *rt;
static gr_model *model;
static gr_image *image;
static gr_region *regions[MAX_REGIONS];
static gr_engine *engine;
static gr_session *session;

/* One region of the picture, written as for the command's --region. */
static gr_status point_at(gr_region **out, const char *text, gr_error *err)
{
    gr_region_frame frame;
    gr_region_frame_init(&frame, image);
    gr_region_spec *spec;
    GR_TRY(gr_region_spec_parse(&spec, rt, text, strlen(text), err));
    const gr_status st = gr_region_resolve(out, rt, spec, &frame, err);
    gr_region_spec_free(spec);
    return st;
}

static gr_status ask(const char *question, int n_regions, gr_error *err)
{
    gr_request request;
    gr_request_init(&request, model);
    request.image = image;
    request.regions = (const gr_region *const *)regions;
    request.n_regions = (size_t)n_regions;
    request.question = question;
    gr_request_size size;
    GR_TRY(gr_request_measure(model, &request, &size, err));

    gr_answer_options answer;
    gr_answer_options_init(&answer);
    answer.max_tokens = 64;
    gr_engine_options options;
    gr_engine_options_init(&options);
    options.max_context = size.prompt_rows + answer.max_tokens;
    options.max_regions = n_regions;
    GR_TRY(gr_engine_open(&engine, model, &options, err));
    GR_TRY(gr_session_open(&session, engine, err));
    GR_TRY(gr_session_ask(session, &request, &answer, err));
    return gr_session_answer(session, NULL, NULL, err);
}

/* A token's bytes need not be whole characters: what is not printable ASCII is shown as \xHH. */
static void print_token(gr_token t)
{
    printf("%8.3f  %6d  ", t.logprob, (int)t.id);
    for (size_t i = 0; i < t.n_bytes; i++) {
        const unsigned char c = (unsigned char)t.bytes[i];
        printf(c >= 32 && c < 127 && c != '\\' ? "%c" : "\\x%02x", c);
    }
    putchar('\n');
}

static gr_status run(int argc, char **argv, gr_error *err)
{
    const int n = argc - 4;
    if (n < 1 || n > MAX_REGIONS)
        return gr_fail(err, GR_ERR_ARG, "usage: regions MODEL_DIR PICTURE QUESTION REGION... (at most %d)",
                       MAX_REGIONS);
    GR_TRY(gr_runtime_new(&rt, NULL, err));
    GR_TRY(gr_model_open(&model, rt, argv[1], NULL, err));
    GR_TRY(gr_image_open(&image, rt, argv[2], NULL, err));
    for (int i = 0; i < n; i++)
        GR_TRY(point_at(&regions[i], argv[4 + i], err));
    GR_TRY(ask(argv[3], n, err));

    printf("%s\n\n", gr_session_text(session, NULL));
    puts(" logprob      id  token");
    double sum = 0;
    const size_t n_tokens = gr_session_n_tokens(session);
    for (size_t i = 0; i < n_tokens; i++) {
        print_token(gr_session_token(session, i));
        sum += gr_session_token(session, i).logprob;
    }
    printf("%8.3f  of %zu tokens\n", sum, n_tokens);
    return GR_OK;
}

int main(int argc, char **argv)
{
    gr_error err = { 0 };
    if (run(argc, argv, &err) != GR_OK)
        fprintf(stderr, "%s\n", err.msg);
    gr_session_close(session);
    gr_engine_close(engine);
    for (int i = 0; i < MAX_REGIONS; i++)
        gr_region_free(regions[i]);
    gr_image_free(image);
    gr_model_close(model);
    gr_runtime_free(rt);
    return err.status != GR_OK;
}
