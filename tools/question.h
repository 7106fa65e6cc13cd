/* question.h - what describe and ask share: a model made ready for some questions, and one question asked and
 * answered. */
#ifndef GRASP_CLI_QUESTION_H
#define GRASP_CLI_QUESTION_H

#include <grasp/session.h>

#include "json_out.h"
#include "regions.h"

typedef struct {
    region_values regions;
    int64_t profile, numerics, max_tiles;
    cli_list switches;
    int64_t max_tokens, top_k;
    double temperature, top_p;
    cli_list stops, choices;
    const char *system, *overlay, *dump;
} question_values;

enum { QUESTION_TABLES = 3 };
extern const cli_table question_tables[QUESTION_TABLES];

/* A model, an engine for the largest of the requests, one session. */
typedef struct {
    cli *app;
    const question_values *values;
    gr_runtime *rt;
    region_set regions;
    gr_model *model;
    gr_engine *engine;
    gr_session *session;
    gr_memory memory;
    gr_profile profile;
    gr_dump *dump;
    gr_choice *choices; /* [values->choices.count], of the last answer */
    size_t chosen;
    double load_ms;
} question;

/* Picture, regions, overlay, model: all that can fail early, before weights are packed. */
cli_exit question_open(question *q, cli *app, const question_values *v, const char *image);
/* A request with everything filled in but regions and text. */
void question_request(question *q, gr_request *r);
/* Makes the engine for these requests; says what it takes. */
cli_exit question_ready(question *q, const gr_request *requests, size_t n);
/* Asks, and streams the answer to stdout unless --json. */
cli_exit question_ask(question *q, const gr_request *r);
/* Members of the answer's JSON object: text, tokens, finish, timings. */
void question_put_answer(question *q, cli_json *j);
/* Members of the whole object: image, regions, model, profile. */
void question_put_frame(question *q, cli_json *j, const char *image);
/* ... and, once all is done: what was announced, and the most this process has held. */
void question_put_memory(question *q, cli_json *j);
/* Writes the dump, and releases everything. Returns `code`, or the code of the dump's failure. */
cli_exit question_close(question *q, cli_exit code);

#endif
