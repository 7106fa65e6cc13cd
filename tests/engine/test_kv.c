/* Pages of keys and values: who holds which, when one is copied, and that all come back. */
#include "test.h"

#include "base/rng.h"
#include "engine/kv.h"

#define LAYERS      2
#define HEADS       3
#define HEAD_DIM    4
#define PAGES       8
#define PAGE_FLOATS ((size_t)LAYERS * 2 * HEADS * GR_PAGE_TOKENS * HEAD_DIM)

/* The CPU's backend, which counts the copies made through it. */
typedef struct {
    gr_runtime *rt;
    gr_backend *cpu;
    gr_backend_ops ops;
    const gr_backend_ops *own;
    gr_kv kv;
    gr_error err;
} fixture;

static int copies;
static size_t copied_bytes;

static void counting_copy(gr_backend *b, void *to, const void *from, size_t bytes)
{
    (void)b;
    copies++;
    copied_bytes = bytes;
    memcpy(to, from, bytes);
}

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    f = (fixture){ .rt = test_runtime() };
    MUST(gr_backend_cpu_new(&f.cpu, f.rt, &err));
    f.own = f.cpu->ops;
    f.ops = *f.own;
    f.ops.copy = counting_copy;
    f.cpu->ops = &f.ops;
    MUST(gr_kv_init(&f.kv, f.cpu, LAYERS, HEADS, HEAD_DIM, PAGES, &err));
    copies = 0;
    *state = &f;
    return 0;
}

static void must_be_free(const gr_kv *kv)
{
    bool seen[PAGES] = { 0 };
    assert_int_equal(kv->n_free, PAGES);
    for (int i = 0; i < PAGES; i++) {
        assert_int_equal(kv->users[i], 0);
        assert_in_range(kv->free_list[i], 0, PAGES - 1);
        assert_false(seen[kv->free_list[i]]);
        seen[kv->free_list[i]] = true;
    }
}

static int teardown(void **state)
{
    fixture *f = *state;
    must_be_free(&f->kv);
    gr_kv_fini(&f->kv);
    f->cpu->ops = f->own;
    gr_backend_free(f->cpu);
    gr_runtime_free(f->rt);
    return 0;
}

static void extend(fixture *f, gr_kv_sequence *s, int n)
{
    gr_error err = { 0 };
    MUST(gr_kv_reserve(&f->kv, s, n, &err));
    s->n_tokens += n;
}

static float *page_of(fixture *f, int32_t page) { return f->kv.pages.memory + (size_t)page * PAGE_FLOATS; }

static void fill(fixture *f, const gr_kv_sequence *s, float value)
{
    for (int p = 0; p < s->n_pages; p++)
        for (size_t i = 0; i < PAGE_FLOATS; i++)
            page_of(f, s->pages[p])[i] = value + (float)p;
}

static void bytes_are_those_of_the_pages(void **state)
{
    fixture *f = *state;
    assert_int_equal(gr_kv_bytes(LAYERS, HEADS, HEAD_DIM, PAGES), PAGES * PAGE_FLOATS * sizeof(float));
    assert_ptr_equal(gr_kv_page(&f->kv.pages, 3, 1), page_of(f, 3) + PAGE_FLOATS / LAYERS);
}

static void room_is_taken_page_by_page(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_kv_sequence s;
    MUST(gr_kv_sequence_init(&s, &f->kv, 130, &err));
    static const int steps[][3] = { { 1, 1, 1 }, { 62, 63, 1 }, { 1, 64, 1 }, { 1, 65, 2 }, { 65, 130, 3 } };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        extend(f, &s, steps[i][0]);
        assert_int_equal(s.n_tokens, steps[i][1]);
        assert_int_equal(s.n_pages, steps[i][2]);
        assert_int_equal(f->kv.n_free, PAGES - steps[i][2]);
    }
    MUST(gr_kv_reserve(&f->kv, &s, 62, &err)); /* its pages have room for 192 */
    MUST_FAIL(gr_kv_reserve(&f->kv, &s, 63, &err), GR_ERR_LIMIT, "would have 193 tokens, the limit is 192");
    assert_int_equal(s.n_pages, 3);
    assert_int_equal(copies, 0);
    gr_kv_sequence_fini(&f->kv, &s);
    gr_kv_sequence_fini(&f->kv, &s); /* again is nothing */
}

static void truncation_gives_pages_back(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_kv_sequence s;
    MUST(gr_kv_sequence_init(&s, &f->kv, 400, &err));
    extend(f, &s, 300);
    static const int cuts[][2] = { { 400, 5 }, { 300, 5 }, { 257, 5 }, { 256, 4 },
                                   { 129, 3 }, { 1, 1 },   { 0, 0 } };
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        gr_kv_truncate(&f->kv, &s, cuts[i][0]);
        assert_int_equal(s.n_pages, cuts[i][1]);
        assert_int_equal(s.n_tokens, cuts[i][0] < 300 ? cuts[i][0] : 300);
        assert_int_equal(f->kv.n_free, PAGES - cuts[i][1]);
    }
    extend(f, &s, 64);
    assert_int_equal(s.n_pages, 1);
    gr_kv_sequence_fini(&f->kv, &s);
}

static void exhaustion_is_a_sentence_and_can_be_survived(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_kv_sequence a, b;
    MUST(gr_kv_sequence_init(&a, &f->kv, 1000, &err));
    MUST(gr_kv_sequence_init(&b, &f->kv, 1000, &err));
    extend(f, &a, 6 * 64);
    extend(f, &b, 64);
    MUST_FAIL(gr_kv_reserve(&f->kv, &b, 128, &err), GR_ERR_LIMIT, "all 8 KV pages of 64 tokens are in use");
    assert_int_equal(b.n_tokens, 64);
    gr_kv_truncate(&f->kv, &a, 64);
    extend(f, &b, 128);
    assert_int_equal(b.n_pages, 3);
    gr_kv_sequence_fini(&f->kv, &a);
    gr_kv_sequence_fini(&f->kv, &b);
}

/* Whole pages are shared for good; the one that is written next is copied, once, by the first who writes. */
static void a_fork_copies_the_page_it_writes_and_no_other(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_kv_sequence a, b;
    MUST(gr_kv_sequence_init(&a, &f->kv, 300, &err));
    MUST(gr_kv_sequence_init(&b, &f->kv, 300, &err));
    extend(f, &a, 150);
    fill(f, &a, 10);
    MUST(gr_kv_fork(&f->kv, &a, &b, &err));
    assert_int_equal(b.n_tokens, 150);
    assert_int_equal(f->kv.n_free, PAGES - 3);
    assert_memory_equal(a.pages, b.pages, 3 * sizeof *a.pages);
    MUST_FAIL(gr_kv_fork(&f->kv, &a, &b, &err), GR_ERR_LIMIT, "is not empty");

    MUST(gr_kv_reserve(&f->kv, &b, 0, &err));
    assert_int_equal(copies, 0);
    extend(f, &b, 1);
    assert_int_equal(copies, 1);
    assert_int_equal(copied_bytes, PAGE_FLOATS * sizeof(float));
    assert_int_not_equal(a.pages[2], b.pages[2]);
    assert_memory_equal(a.pages, b.pages, 2 * sizeof *a.pages);
    for (size_t i = 0; i < PAGE_FLOATS; i++) {
        assert_true(page_of(f, b.pages[2])[i] == 12);
        page_of(f, b.pages[2])[i] = -1;
    }
    extend(f, &a, 10); /* nobody shares its last page any more */
    assert_int_equal(copies, 1);
    assert_true(page_of(f, a.pages[2])[0] == 12);

    gr_kv_sequence_fini(&f->kv, &a); /* the shared pages stay */
    assert_int_equal(f->kv.n_free, PAGES - 3);
    assert_true(page_of(f, b.pages[0])[5] == 10 && page_of(f, b.pages[1])[5] == 11);
    gr_kv_sequence_fini(&f->kv, &b);
}

/* A cut in the middle of a shared page, or at its end, must not write into the other's. */
static void truncating_a_fork_leaves_the_other_alone(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_kv_sequence a, b;
    MUST(gr_kv_sequence_init(&a, &f->kv, 300, &err));
    MUST(gr_kv_sequence_init(&b, &f->kv, 300, &err));
    extend(f, &a, 128);
    fill(f, &a, 20);
    MUST(gr_kv_fork(&f->kv, &a, &b, &err));
    extend(f, &b, 1); /* begins a page of its own: nothing to copy */
    assert_int_equal(copies, 0);
    gr_kv_truncate(&f->kv, &b, 40);
    extend(f, &b, 5);
    assert_int_equal(copies, 1);
    assert_int_not_equal(a.pages[0], b.pages[0]);
    assert_int_equal(f->kv.users[a.pages[0]], 1);
    gr_kv_truncate(&f->kv, &b, 0);
    gr_kv_truncate(&f->kv, &a, 64);
    extend(f, &a, 1);
    assert_true(page_of(f, a.pages[0])[0] == 20);
    gr_kv_sequence_fini(&f->kv, &a);
    gr_kv_sequence_fini(&f->kv, &b);
}

static void a_fork_needs_room_for_its_pages(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_kv_sequence a, small;
    MUST(gr_kv_sequence_init(&a, &f->kv, 300, &err));
    MUST(gr_kv_sequence_init(&small, &f->kv, 64, &err));
    extend(f, &a, 65);
    MUST_FAIL(gr_kv_fork(&f->kv, &a, &small, &err), GR_ERR_LIMIT, "has less room");
    assert_int_equal(small.n_pages, 0);
    gr_kv_sequence_fini(&f->kv, &a);
    gr_kv_sequence_fini(&f->kv, &small);
}

/* Random work by several sequences: what each wrote is what it reads, whoever shared it meanwhile. Position p
 * of a sequence holds a number of (who wrote it, p) in the first float of its place. */
static void random_work_keeps_every_sequence_its_own(void **state)
{
    enum { N = 4, MAX = 120 };
    fixture *f = *state;
    gr_error err = { 0 };
    gr_kv_sequence s[N];
    float expected[N][MAX];
    for (int i = 0; i < N; i++)
        MUST(gr_kv_sequence_init(&s[i], &f->kv, MAX, &err));
    float next = 1;
    for (uint64_t step = 0; step < 4000; step++) {
        const int i = (int)(gr_uniform(1, 0, step) * N), what = (int)(gr_uniform(1, 1, step) * 4);
        const double u = gr_uniform(1, 2, step);
        if (what == 0) {
            gr_kv_truncate(&f->kv, &s[i], (int)(u * (s[i].n_tokens + 1)));
        } else if (what == 1) {
            const int j = (i + 1) % N;
            gr_kv_truncate(&f->kv, &s[j], 0);
            if (s[j].n_pages == 0) {
                MUST(gr_kv_fork(&f->kv, &s[i], &s[j], &err));
                memcpy(expected[j], expected[i], sizeof expected[i]);
            }
        } else {
            const int room = MAX - s[i].n_tokens, n = (int)(u * u * (room + 1));
            MUST(gr_kv_reserve(&f->kv, &s[i], n, &err));
            for (int k = 0; k < n; k++, s[i].n_tokens++) {
                const int p = s[i].n_tokens;
                page_of(f, s[i].pages[p / GR_PAGE_TOKENS])[p % GR_PAGE_TOKENS] = expected[i][p] = next++;
            }
        }
        for (int k = 0; k < N; k++)
            for (int p = 0; p < s[k].n_tokens; p++)
                if (page_of(f, s[k].pages[p / GR_PAGE_TOKENS])[p % GR_PAGE_TOKENS] != expected[k][p])
                    fail_msg("step %d: position %d of sequence %d was overwritten", (int)step, p, k);
    }
    assert_true(copies > 100);
    for (int i = 0; i < N; i++)
        gr_kv_sequence_fini(&f->kv, &s[i]);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(bytes_are_those_of_the_pages),
        WITH(room_is_taken_page_by_page),
        WITH(truncation_gives_pages_back),
        WITH(exhaustion_is_a_sentence_and_can_be_survived),
        WITH(a_fork_copies_the_page_it_writes_and_no_other),
        WITH(truncating_a_fork_leaves_the_other_alone),
        WITH(a_fork_needs_room_for_its_pages),
        WITH(random_work_keeps_every_sequence_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
