#include "test.h"

#include "support/lesson.h"

#include "base/rng.h"

static gr_status give_tile(void *user, int t, float *pixels, float *mask, gr_error *err)
{
    const lesson *l = user;
    const size_t side = (size_t)l->config->vision.tile_px, n = side * side;
    (void)err;
    for (size_t i = 0; i < 3 * n; i++)
        pixels[i] = (float)(2 * gr_uniform(l->row, (uint64_t)t, i) - 1);
    for (size_t i = 0; i < n; i++)
        mask[i] = i % side < side / 2 && i / side >= side / 4;
    if (l->spoiled == (int64_t)l->row)
        pixels[0] = NAN;
    return GR_OK;
}

/* Rows: begin, [picture, region], question, answer, end. */
static int fill_rows(lesson *l)
{
    const gr_gar_config *c = l->config;
    const int tile = c->tokens_side * c->tokens_side, region = c->replay_grid * c->replay_grid;
    int n = 0, features = l->pictures ? tile + region : 0;
    l->ids[n++] = c->text.bos;
    for (int i = 0; i < features; i++)
        l->ids[n++] = i < tile ? c->image_id : c->crop_ids[0];
    l->ids[n++] = (int32_t)(l->row % 200);
    const int answer = n;
    for (int i = 0; i < LESSON_ANSWER; i++)
        l->ids[n++] = (int32_t)((l->row * 17 + (uint64_t)i * 29) % 250);
    l->ids[n++] = c->text.eos[c->text.n_eos - 1];
    assert_true(n <= LESSON_ROWS);
    for (int i = 0; i < n; i++) {
        l->source[i] = i >= 1 && i <= features ? i - 1 : -1;
        l->labels[i] = i >= answer ? l->ids[i] : -1;
    }
    return n;
}

static gr_status give(void *user, uint32_t epoch, uint64_t element, gr_train_item *out, gr_error *err)
{
    lesson *l = user;
    if (l->refuses)
        return gr_fail(err, GR_ERR_IO, "the lesson was lost");
    l->asked++;
    l->row = (element + epoch) % l->count;
    snprintf(l->name, sizeof l->name, "lesson/%llu", (unsigned long long)l->row);
    const float side = (float)l->config->tokens_side;
    l->picture = (gr_picture){ .across = 0, .down = 0, .tile = give_tile, .user = l, .n_regions = 1 };
    const float box[4] = { 0, 0, side / 2, side };
    memcpy(l->picture.boxes[0], box, sizeof box);
    *out = (gr_train_item){ .sample = { .picture = l->pictures ? &l->picture : NULL,
                                        .ids = l->ids,
                                        .source = l->source,
                                        .labels = l->labels },
                            .name = l->name };
    out->sample.n = fill_rows(l);
    out->set = l->n_sets ? (int)(l->row % (uint64_t)l->n_sets) : 0;
    return GR_OK;
}

void lesson_init(lesson *l, const gr_gar_config *config, uint64_t count, bool pictures)
{
    *l = (lesson){ .config = config, .count = count, .pictures = pictures, .spoiled = -1 };
}

gr_train_source lesson_source(lesson *l)
{
    return (gr_train_source){ .give = give,
                              .user = l,
                              .count = l->count,
                              .fingerprint = 0x1e5505 + l->count,
                              .order = "in turn",
                              .n_sets = l->n_sets,
                              .sets = { "first", "second", "third", "fourth" } };
}
