#include "test.h"

#include "support/api.h"

gr_model *api_model(gr_runtime *rt, const char *dir, gr_numerics numerics)
{
    gr_error err = { 0 };
    gr_model *model;
    gr_model_options o;
    gr_model_options_init(&o);
    o.numerics = numerics;
    MUST(gr_model_open(&model, rt, dir, &o, &err));
    return model;
}

gr_engine *api_engine(gr_model *model, int max_sessions, int max_context, int chunk_rows)
{
    gr_error err = { 0 };
    gr_engine *engine;
    gr_engine_options o;
    gr_engine_options_init(&o);
    o.max_sessions = max_sessions ? max_sessions : o.max_sessions;
    o.max_context = max_context;
    o.chunk_rows = chunk_rows ? chunk_rows : o.chunk_rows;
    MUST(gr_engine_open(&engine, model, &o, &err));
    return engine;
}

gr_session *api_session(gr_engine *engine)
{
    gr_error err = { 0 };
    gr_session *s;
    MUST(gr_session_open(&s, engine, &err));
    return s;
}

gr_image *api_image(gr_runtime *rt, int width, int height, uint64_t seed)
{
    gr_error err = { 0 };
    gr_image *image;
    MUST(gr_image_new(&image, rt, width, height, 3, &err));
    uint64_t x = seed * 2654435761u + 12345;
    for (size_t i = 0; i < (size_t)width * (size_t)height * 3; i++) {
        if (i % 24 == 0) /* patches of colour: something is left of it when it is resized */
            x = x * 6364136223846793005u + 1442695040888963407u;
        image->pixels[i] = (uint8_t)(x >> (40 + 4 * (i % 3)));
    }
    return image;
}

gr_region *api_region(gr_runtime *rt, const gr_image *image, const char *spec)
{
    gr_error err = { 0 };
    gr_region_spec *written;
    gr_region *region;
    gr_region_frame frame;
    gr_region_frame_init(&frame, image);
    MUST(gr_region_spec_parse(&written, rt, spec, strlen(spec), &err));
    MUST(gr_region_resolve(&region, rt, written, &frame, &err));
    gr_region_spec_free(written);
    return region;
}

void api_take(const gr_session *s, api_answer *a)
{
    memset(a, 0, sizeof *a);
    a->n = gr_session_n_tokens(s);
    assert_true(a->n <= 64);
    for (size_t i = 0; i < a->n; i++) {
        const gr_token t = gr_session_token(s, i);
        a->ids[i] = t.id;
        a->logprobs[i] = t.logprob;
    }
}
