/* Whichever allocation fails: GR_ERR_MEM with a sentence, nothing held, and the next try works as if nothing
 * had been. Every call of the public interface that takes memory, every allocation of it, once alone and once
 * with all that follow. Memory of the picture libraries is their own. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "grasp/new.h"
#include "grasp/tokenizer.h"
#include "grasp/verify.h"
#include "support/api.h"
#include "support/counting.h"
#include "support/drawn.h"
#include "support/outputs.h"

typedef struct {
    counting c;
    gr_runtime *rt;
    test_dir dir, root; /* a checkpoint, and a place to write */
    gr_model *model;
    gr_engine *engine;
    gr_image *image;
    test_outputs outputs;
    gr_model *judged; /* against them */
    api_answer said;  /* when nothing fails */
    size_t dumped;    /* bytes of its dump */
    size_t nth;       /* the allocation that is to fail, counted from `began` */
    size_t began;
} bench;

/* Counting begins here: what a deed needs first is there. */
static void arm(bench *b)
{
    b->began = atomic_load(&b->c.calls);
    atomic_store(&b->c.fail_at, b->began + b->nth);
}

static void disarm(bench *b) { atomic_store(&b->c.fail_at, 0); }

/* Does something and undoes it; leaves nothing when it fails. */
typedef gr_status deed(bench *b, gr_error *err);

static gr_status open_runtime(bench *b, gr_error *err)
{
    gr_runtime *rt;
    gr_runtime_options o;
    gr_runtime_options_init(&o);
    o.n_threads = 3;
    o.allocator = counting_allocator(&b->c);
    GR_TRY(gr_runtime_new(&rt, &o, err));
    gr_runtime_free(rt);
    return GR_OK;
}

static gr_status open_tokenizer(bench *b, gr_error *err)
{
    gr_tokenizer *t;
    int32_t ids[100];
    char text[100];
    size_t n, bytes;
    GR_TRY(gr_tokenizer_open(&t, b->rt, b->dir.path, err));
    gr_status st = gr_tokenizer_to_ids(t, "two words<|eot_id|>", 19, true, ids, 100, &n, err);
    if (st == GR_OK)
        st = gr_tokenizer_to_text(t, ids, n, 0, text, sizeof text, &bytes, err);
    gr_tokenizer_free(t);
    return st;
}

static gr_status open_picture(bench *b, gr_error *err)
{
    gr_image *image, *grey = NULL;
    const char *path = test_dir_file(&b->root, "x.ppm");
    GR_TRY(gr_image_write(b->image, path, err));
    gr_status st = gr_image_open(&image, b->rt, path, NULL, err);
    if (st == GR_OK) {
        st = gr_image_to_luma(&grey, image, err);
        if (st == GR_OK)
            st = gr_image_turn(grey, 6, err);
        gr_image_free(grey);
        gr_image_free(image);
    }
    unlink(path);
    return st;
}

static gr_status resolve(bench *b, const char *text, gr_error *err)
{
    gr_region_spec *spec;
    gr_region *region;
    gr_region_frame frame;
    gr_region_frame_init(&frame, b->image);
    GR_TRY(gr_region_spec_parse(&spec, b->rt, text, strlen(text), err));
    const gr_status st = gr_region_resolve(&region, b->rt, spec, &frame, err);
    gr_region_spec_free(spec);
    if (st == GR_OK)
        gr_region_free(region);
    return st;
}

static gr_status make_regions(bench *b, gr_error *err)
{
    static const char *const specs[] = {
        "box:1,2,30,40",
        "polygon:1,1,50,1,25,50;60,30,80,30,70,50",
        "{\"scribble\":{\"strokes\":[[[5,5],[50,40]]],\"width\":3},\"convert\":\"none\"}",
        "rle:{\"size\":[60,120],\"counts\":[100,50,7050]}",
        "{\"box\":[1,2,30,40],\"name\":\"it\"}",
    };
    char mask[600];
    gr_status st = GR_OK;
    for (size_t i = 0; i < sizeof specs / sizeof *specs && st == GR_OK; i++)
        st = resolve(b, specs[i], err);
    const char *path = test_dir_file(&b->root, "mask.ppm");
    if (st == GR_OK)
        st = gr_image_write(b->image, path, err);
    snprintf(mask, sizeof mask, "mask:%s", path);
    if (st == GR_OK)
        st = resolve(b, mask, err);
    unlink(path);
    return st;
}

static gr_status make_checkpoint(bench *b, gr_error *err)
{
    gr_new_options o;
    gr_new_options_init(&o);
    char path[600];
    snprintf(path, sizeof path, "%s", test_dir_file(&b->root, "new"));
    GR_TRY(gr_checkpoint_new(b->rt, "gar-test", path, &o, err));
    char command[700];
    snprintf(command, sizeof command, "rm -r '%s'", path);
    assert_int_equal(system(command), 0);
    return GR_OK;
}

static gr_status open_model(bench *b, gr_error *err)
{
    gr_model *m;
    GR_TRY(gr_model_open(&m, b->rt, b->dir.path, NULL, err));
    gr_model_close(m);
    return GR_OK;
}

static gr_status verify(bench *b, gr_error *err) { return gr_verify_model(b->model, NULL, err); }

static void engine_options(gr_engine_options *o)
{
    gr_engine_options_init(o);
    o->max_context = 400;
    o->max_tiles = 2; /* what the picture takes */
    o->max_branches = 2;
}

static gr_status open_engine(bench *b, gr_error *err)
{
    gr_engine *e;
    gr_engine_options o;
    gr_memory memory;
    engine_options(&o);
    disarm(b);
    gr_model *m = api_model(b->rt, b->dir.path, GR_NUMERICS_EXACT);
    arm(b);
    gr_status st = gr_engine_measure(m, &o, &memory, err);
    if (st == GR_OK)
        st = gr_engine_open(&e, m, &o, err);
    if (st == GR_OK)
        gr_engine_close(e);
    gr_model_close(m);
    return st;
}

/* Asks, answers and dumps on the way. */
static gr_status converse(bench *b, gr_session *s, gr_request *r, gr_error *err)
{
    gr_answer_options how;
    static const char *const stops[] = { "never said" };
    gr_answer_options_init(&how);
    how.max_tokens = 4;
    how.ignore_end = true;
    how.temperature = 0.7;
    how.stops = stops;
    how.n_stops = 1;
    GR_TRY(gr_dump_open(&r->dump, b->rt, test_dir_file(&b->root, "dump"), err));
    gr_status st = gr_session_ask(s, r, &how, err);
    if (st == GR_OK)
        st = gr_session_answer(s, NULL, NULL, err);
    if (st != GR_OK) {
        gr_dump_abort(r->dump);
        return st;
    }
    return gr_dump_close(r->dump, err);
}

static void check_answer(bench *b, const gr_session *s)
{
    FILE *f = fopen(test_dir_file(&b->root, "dump"), "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    const size_t dumped = (size_t)ftell(f);
    fclose(f);
    api_answer now;
    api_take(s, &now);
    if (b->said.n == 0) {
        b->said = now;
        b->dumped = dumped;
        assert_true(now.n == 4 && dumped > 100000);
    }
    assert_memory_equal(&now, &b->said, sizeof now);
    assert_int_equal(dumped, b->dumped);
    unlink(test_dir_file(&b->root, "dump"));
}

static gr_status talk(bench *b, gr_error *err)
{
    gr_session *s;
    gr_request r;
    gr_region region = { 0 };
    const gr_region *regions[] = { &region };
    gr_request_init(&r, b->model);
    r.image = b->image;
    r.regions = regions;
    r.n_regions = 1;
    r.question = "What is <Prompt0>?";
    GR_TRY(gr_mask_new(&region.mask, b->rt, b->image->width, b->image->height, err));
    memset(region.mask->data + 2000, 1, 500);
    gr_status st = gr_session_open(&s, b->engine, err);
    if (st == GR_OK) {
        st = converse(b, s, &r, err);
        if (st == GR_OK)
            check_answer(b, s);
        gr_session_close(s);
    }
    gr_mask_free(region.mask);
    return st;
}

/* Says nothing until the walk among the answers begins, and from then on that nothing was taken. */
typedef struct {
    bench *b;
    size_t steps, calls;
} walk_watch;

static bool watch_walk(void *user)
{
    walk_watch *w = user;
    const size_t calls = atomic_load(&w->b->c.calls);
    if (w->steps++ > 4) /* the prompt is over, the forks are made */
        assert_int_equal(calls, w->calls);
    w->calls = calls;
    return false;
}

static gr_status choose(bench *b, gr_error *err)
{
    static const char *const names[] = { "reddish", "red", "blue", "dark blue" };
    gr_session *s;
    gr_request r;
    gr_choice out[4];
    size_t chosen;
    gr_choice_options o;
    walk_watch w = { .b = b };
    gr_request_init(&r, b->model);
    r.image = b->image;
    r.question = "What is it?";
    gr_choice_options_init(&o);
    o.texts = names;
    o.n = 4;
    o.cancelled = watch_walk;
    o.cancel_user = &w;
    gr_status st = gr_session_open(&s, b->engine, err);
    if (st != GR_OK)
        return st;
    st = gr_session_choose(s, &r, &o, out, &chosen, err);
    assert_true(st != GR_OK || w.steps > 8);
    gr_session_close(s);
    return st;
}

/* One item under one combination of switches; the model keeps the weights that the first time packed. */
static gr_status compare(bench *b, gr_error *err)
{
    gr_verification *v;
    gr_verify_options o;
    gr_verify_options_init(&o);
    o.limit = 1;
    o.max_tokens = 3;
    o.grid = "roi_mode=paper,double_bos=on,mask_resample=nearest,max_tiles=1";
    GR_TRY(gr_verify_outputs(&v, b->judged, b->outputs.reference, &o, err));
    gr_verification_free(v);
    return GR_OK;
}

/* Every `stride`-th allocation, from the first or, when there are more than are quickly done, from anywhere.
 */
static void torment(bench *b, const char *what, deed *act, size_t at_least, size_t stride)
{
    size_t n = 1;
    const size_t first = stride > 1 ? (size_t)getpid() % stride + 1 : 1;
    for (int for_good = 0; for_good < 2; for_good++)
        for (n = first;; n += stride) {
            gr_error err = { 0 };
            const size_t held = atomic_load(&b->c.now);
            b->c.for_good = for_good;
            b->nth = n;
            arm(b);
            const gr_status st = act(b, &err);
            disarm(b);
            if (atomic_load(&b->c.now) != held)
                fail_msg("%s, allocation %zu: %zu bytes held before, %zu after", what, n, held,
                         atomic_load(&b->c.now));
            if (atomic_load(&b->c.calls) < b->began + n) { /* it was never reached */
                MUST(st);
                break;
            }
            if (st != GR_ERR_MEM || !err.msg[0])
                fail_msg("%s, allocation %zu: status %d, '%s'", what, n, st, err.msg);
            assert_int_equal(test_dir_count(&b->root), 0);
        }
    print_message("%s: allocations %zu, %zu, ... before %zu\n", what, first, first + stride, n);
    assert_true(n > at_least);
}

static void a_failed_allocation_is_a_failed_call_and_no_more(void **state)
{
    static const struct {
        const char *what;
        deed *act;
        size_t at_least, stride;
    } deeds[] = {
        { "runtime", open_runtime, 2, 1 }, { "tokenizer", open_tokenizer, 10, 1 },
        { "picture", open_picture, 3, 1 }, { "regions", make_regions, 10, 1 },
        { "new", make_checkpoint, 20, 1 }, { "model", open_model, 20, 1 },
        { "verify", verify, 3, 1 },        { "engine", open_engine, 100, 1 },
        { "talk", talk, 10, 1 },           { "choose", choose, 20, 1 },
        { "outputs", compare, 300, 7 },
    };
    (void)state;
    bench *b = test_calloc(1, sizeof *b);
    gr_engine_options o;
    gr_error err = { 0 };
    gr_runtime *plain = test_runtime();
    test_drawn_checkpoint(plain, &b->dir, "l-tied", 101, GR_DTYPE_BF16);
    test_dir_make(&b->root);
    b->rt = counting_runtime(&b->c, 2);
    b->image = api_image(b->rt, 120, 60, 4);
    engine_options(&o);
    b->model = api_model(b->rt, b->dir.path, GR_NUMERICS_EXACT);
    MUST(gr_engine_open(&b->engine, b->model, &o, &err));
    test_outputs_make(plain, &b->outputs);
    test_outputs_write(plain, &b->outputs, "released", 1);
    b->judged = api_model(b->rt, b->outputs.model.path, GR_NUMERICS_EXACT);
    MUST(compare(b, &err));
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
        torment(b, deeds[i].what, deeds[i].act, deeds[i].at_least, deeds[i].stride);
    gr_engine_close(b->engine);
    gr_model_close(b->model);
    gr_model_close(b->judged);
    test_outputs_remove(&b->outputs);
    gr_image_free(b->image);
    gr_runtime_free(b->rt);
    assert_int_equal(atomic_load(&b->c.now), 0);
    gr_runtime_free(plain);
    test_dir_remove(&b->root);
    test_dir_remove(&b->dir);
    test_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_failed_allocation_is_a_failed_call_and_no_more) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
