#include "test.h"

#include "support/outputs.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "engine/model.h"
#include "eval/answer_text.h"
#include "io/json.h"
#include "region/rle.h"
#include "support/drawn.h"

/* Sizes for which limits of 4 and 6 tiles give different canvases. */
static const int sizes[OUTPUTS_ITEMS][2] = { { 90, 70 }, { 200, 150 }, { 75, 75 }, { 150, 260 } };

static int n_regions(int item) { return item == 3 ? 2 : 1; }

static const char *question(int item)
{
    return n_regions(item) == 2 ? "What is <Prompt0> doing to <Prompt1>?"
           : item % 2           ? "What is <Prompt0>?"
                                : "Is <Prompt0> red?";
}

static gr_image *picture(gr_runtime *rt, int item)
{
    gr_error err = { 0 };
    gr_image *image;
    MUST(gr_image_new(&image, rt, sizes[item][0], sizes[item][1], 3, &err));
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++)
            for (int c = 0; c < 3; c++)
                image->pixels[(y * image->width + x) * 3 + c] =
                    (uint8_t)((x * (3 + item) + y * (5 + c) + x * y / 7) % 256);
    return image;
}

static gr_mask *region(gr_runtime *rt, int item, int k)
{
    gr_error err = { 0 };
    gr_mask *m;
    MUST(gr_mask_new(&m, rt, sizes[item][0], sizes[item][1], &err));
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++) {
            const double dx = (x - m->width * (0.6 - 0.3 * k)) / (m->width * 0.3);
            const double dy = (y - m->height * 0.55) / (m->height * (0.25 + 0.02 * item));
            m->data[y * m->width + x] = dx * dx + dy * dy < 1;
        }
    return m;
}

void test_outputs_make(gr_runtime *rt, test_outputs *o)
{
    gr_error err = { 0 };
    char name[64];
    test_drawn_checkpoint(rt, &o->model, "l-tied", 11, GR_DTYPE_F32);
    test_dir_make(&o->dir);
    assert_int_equal(mkdir(test_dir_file(&o->dir, "images"), 0700), 0);
    for (int i = 0; i < OUTPUTS_ITEMS; i++) {
        gr_image *image = picture(rt, i);
        snprintf(name, sizeof name, "images/%d.ppm", i);
        MUST(gr_image_write(image, test_dir_file(&o->dir, name), &err));
        gr_image_free(image);
    }
    snprintf(o->reference, sizeof o->reference, "%s/outputs.json", o->dir.path);
}

void test_outputs_remove(test_outputs *o)
{
    test_dir_remove(&o->model);
    test_dir_remove(&o->dir);
}

/* The text of one answer. */
static void answer(gr_buf *out, gr_model *m, gr_session *s, const gr_request *r)
{
    gr_error err = { 0 };
    gr_answer_options o;
    int32_t ids[OUTPUTS_TOKENS];
    gr_answer_options_init(&o);
    o.max_tokens = OUTPUTS_TOKENS;
    o.keep_special = true;
    MUST(gr_session_ask(s, r, &o, &err));
    MUST(gr_session_answer(s, NULL, NULL, &err));
    const size_t n = gr_session_n_tokens(s);
    for (size_t i = 0; i < n; i++)
        ids[i] = gr_session_token(s, i).id;
    gr_buf_clear(out);
    MUST(gr_answer_text(out, m->tokenizer, ids, n, GR_ANSWER_BENCH, false, &err));
}

static void put_mask(gr_json_writer *w, gr_runtime *rt, const gr_mask *mask)
{
    gr_error err = { 0 };
    gr_rle rle;
    gr_buf text;
    gr_buf_init(&text, rt, 100000);
    MUST(gr_rle_from_mask(&rle, mask, &err));
    MUST(gr_rle_to_text(&text, &rle, &err));
    gr_json_put_object(w);
    gr_json_put_key(w, "size");
    gr_json_put_array(w);
    gr_json_put_int(w, mask->height);
    gr_json_put_int(w, mask->width);
    gr_json_put_end(w, ']');
    gr_json_put_key(w, "counts");
    gr_json_put_string(w, gr_buf_str(&text), text.len);
    gr_json_put_end(w, '}');
    gr_rle_fini(&rle);
    gr_buf_fini(&text);
}

static void put_item(gr_json_writer *w, gr_runtime *rt, int item, gr_model *m, gr_session *s, gr_request *r)
{
    char name[64];
    gr_buf text;
    gr_region regions[2] = { { 0 } };
    const gr_region *const list[2] = { &regions[0], &regions[1] };
    gr_image *image = picture(rt, item);
    gr_buf_init(&text, rt, 100000);
    snprintf(name, sizeof name, "images/%d.ppm", item);
    gr_json_put_object(w);
    gr_json_put_key(w, "image");
    gr_json_put_text(w, name);
    gr_json_put_key(w, "mask_rles");
    gr_json_put_array(w);
    for (int k = 0; k < n_regions(item); k++) {
        regions[k].mask = region(rt, item, k);
        put_mask(w, rt, regions[k].mask);
    }
    gr_json_put_end(w, ']');
    gr_json_put_key(w, "question");
    gr_json_put_text(w, question(item));
    r->image = image;
    r->regions = list;
    r->n_regions = (size_t)n_regions(item);
    r->question = question(item);
    answer(&text, m, s, r);
    gr_json_put_key(w, "model_output");
    gr_json_put_string(w, gr_buf_str(&text), text.len);
    gr_json_put_end(w, '}');
    for (int k = 0; k < n_regions(item); k++)
        gr_mask_free(regions[k].mask);
    gr_image_free(image);
    gr_buf_fini(&text);
}

void test_outputs_write(gr_runtime *rt, test_outputs *o, const char *profile, int max_tiles)
{
    gr_error err = { 0 };
    gr_model *m;
    gr_engine *e;
    gr_session *s;
    gr_engine_options eo;
    gr_request r;
    gr_buf json;
    gr_json_writer w;
    gr_engine_options_init(&eo);
    eo.max_tiles = 16;
    MUST(gr_model_open(&m, rt, o->model.path, NULL, &err));
    MUST(gr_engine_open(&e, m, &eo, &err));
    MUST(gr_session_open(&s, e, &err));
    gr_buf_init(&json, rt, 1 << 20);
    gr_json_writer_init(&w, &json, true);
    gr_request_init(&r, m);
    MUST(gr_profile_parse(&r.profile, profile, &err));
    r.max_tiles = max_tiles;
    gr_json_put_array(&w);
    for (int i = 0; i < OUTPUTS_ITEMS; i++)
        put_item(&w, rt, i, m, s, &r);
    gr_json_put_end(&w, ']');
    assert_false(json.failed);
    test_dir_write(&o->dir, "outputs.json", gr_buf_str(&json), json.len);
    gr_buf_fini(&json);
    gr_session_close(s);
    gr_engine_close(e);
    gr_model_close(m);
}
