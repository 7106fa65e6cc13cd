/* session_case.h - two small models, an engine, a session, a picture with two regions; answers kept and
 * compared. For the tests of sessions, which share it a program. */
#ifndef TEST_SESSION_CASE_H
#define TEST_SESSION_CASE_H

#include "test.h"

#include "support/api.h"
#include "support/tempdir.h"

typedef struct {
    gr_runtime *rt;
    test_dir dir, other_dir;
    gr_model *model, *other; /* the same sizes, other weights */
    gr_engine *engine;
    gr_session *s;
    gr_image *image;
    gr_region *left, *right;
} fixture;

int group_setup(void **state);
int group_teardown(void **state);

/* What an answer was. */
#define MAX_TOKENS 256

typedef struct {
    char text[8192];
    size_t n_text, n_tokens;
    int32_t ids[MAX_TOKENS];
    double logprobs[MAX_TOKENS];
    gr_finish_reason finish;
} answer;

void take_answer(const gr_session *s, answer *a);
void same_answer(const answer *a, const answer *b);
/* Sampled at 1.2, past every end token. */
gr_answer_options drawn(int max_tokens, uint64_t seed);
void ask_and_answer(gr_session *s, const gr_request *r, const gr_answer_options *o, answer *a);
gr_request text_request(const fixture *f, const char *question);
/* A question about both regions. `regions` is borrowed by the request. */
gr_request both_request(const fixture *f, const gr_region *regions[2]);

#endif
