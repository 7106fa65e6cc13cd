/* Any bytes as an Arrow stream: refused with a sentence, or every row of every column can be asked for and
 * gives values that lie in memory, or a sentence. */
#include "dataset/arrow_cursor.h"
#include "fuzz.h"

#define ROWS_MAX  5 /* of a file, from both ends */
#define BYTES_MAX ((size_t)1 << 20)

/* Reads every byte; the sum keeps the compiler from leaving it out. */
static unsigned touch(const gr_arrow_value *v)
{
    unsigned sum = v->kind;
    FUZZ_CHECK((unsigned)v->kind < GR_VALUE_KIND_COUNT);
    for (size_t i = 0; v->kind == GR_VALUE_BYTES && i < v->as.bytes.n; i++)
        sum += v->as.bytes.at[i];
    for (size_t i = 0; v->kind == GR_VALUE_LIST && i < v->as.list.n; i++)
        sum += touch(&v->as.list.items[i]);
    for (size_t k = 0; k < gr_arrow_n_members(v); k++)
        sum += touch(gr_arrow_member_at(v, k));
    return sum;
}

static void read_row(gr_arrow_cursor *c, const gr_arrow_file *f, uint64_t row)
{
    for (int field = 0; field < f->schema.n_fields; field++) {
        const gr_arrow_value *v, *list;
        gr_error err = { 0 }, other = { 0 };
        if (gr_arrow_cursor_read(c, f, row, field, &v, &err) != GR_OK) {
            FUZZ_CHECK(!v && err.msg[0] != '\0');
            continue;
        }
        touch(v);
        if (gr_arrow_cursor_list(c, v, &list, &other) == GR_OK)
            touch(list);
        else
            FUZZ_CHECK(!list && other.msg[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_arrow_file *f;
    gr_arrow_cursor *c;
    const gr_arrow_cursor_options limits = { .cache_bytes = 4096, .row_bytes = BYTES_MAX };
    if (gr_arrow_file_parse(&f, fuzz_runtime(), data, size, "fuzz", &err) != GR_OK) {
        FUZZ_CHECK(f == NULL && err.msg[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(gr_arrow_cursor_new(&c, fuzz_runtime(), &limits, NULL) == GR_OK);
    for (uint64_t i = 0; i < f->n_rows && i < 2 * ROWS_MAX; i++) {
        const uint64_t row = i < ROWS_MAX ? i : f->n_rows - 1 - (i - ROWS_MAX);
        const size_t at = gr_arrow_file_batch_of(f, row);
        FUZZ_CHECK(f->batches[at].first_row <= row && row - f->batches[at].first_row < f->batches[at].n_rows);
        read_row(c, f, row);
    }
    gr_arrow_cursor_free(c);
    gr_arrow_file_close(f);
    return 0;
}
