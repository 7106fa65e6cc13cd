/* session_fixture.h - what the tests of sessions share: the golden model opened for one conversation, a
 * picture with two regions, questions about them, and what an answer was, to the bit. The model's weights are
 * random numbers and its vocabulary is bytes, so that answers are full of broken characters. Public headers
 * only. */
#ifndef TEST_SESSION_FIXTURE_H
#define TEST_SESSION_FIXTURE_H

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
} session_fixture;

/* For cmocka_run_group_tests: *state is a session_fixture. It has a runtime of two threads, so CMake runs the
 * files that name session_setup under ThreadSanitizer, too. */
int session_setup(void **state);
int session_teardown(void **state);

#define ANSWER_MAX_TOKENS 256

typedef struct {
    char text[8192];
    size_t n_text, n_tokens;
    int32_t ids[ANSWER_MAX_TOKENS];
    double logprobs[ANSWER_MAX_TOKENS];
    gr_finish_reason finish;
} answer;

/* What the session said by now. */
void take_answer(const gr_session *s, answer *a);
/* Fails unless both are the same, to the bit. */
void same_answer(const answer *a, const answer *b);

/* For an answer of so many tokens, end tokens or not, drawn at a temperature of 1.2. */
gr_answer_options drawn_answer(int max_tokens, uint64_t seed);
void ask_and_answer(gr_session *s, const gr_request *r, const gr_answer_options *o, answer *a);

/* A question without a picture; it is borrowed. */
gr_request text_request(const session_fixture *f, const char *question);
/* A question about both regions. `regions` is borrowed by the request. */
gr_request both_request(const session_fixture *f, const gr_region *regions[2]);

#endif
