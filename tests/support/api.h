/* api.h - the public interface with few words: a model of a drawn checkpoint, a picture, regions, an answer.
 * Public headers only. */
#ifndef TEST_API_H
#define TEST_API_H

#include "grasp/session.h"

gr_model *api_model(gr_runtime *rt, const char *dir, gr_numerics numerics);
/* Limits left 0 are the defaults. */
gr_engine *api_engine(gr_model *model, int max_sessions, int max_context, int chunk_rows);
gr_session *api_session(gr_engine *engine);
/* A picture of colours that follow from a seed. */
gr_image *api_image(gr_runtime *rt, int width, int height, uint64_t seed);
gr_region *api_region(gr_runtime *rt, const gr_image *image, const char *spec);

/* What a session said, to the bit; compared with assert_memory_equal. (Its text may have zeros in the
 * middle.) */
typedef struct {
    size_t n;
    int32_t ids[64];
    double logprobs[64];
} api_answer;

/* Of at most 64 tokens. */
void api_take(const gr_session *s, api_answer *a);

#endif
