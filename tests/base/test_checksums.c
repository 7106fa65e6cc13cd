/* XXH64 and CRC-32C give the published values, however the bytes are cut into calls. */
#include "test.h"

#include "base/crc32c.h"
#include "base/xxh64.h"

static uint64_t xxh64_of(const void *bytes, size_t n, uint64_t seed, size_t portion)
{
    gr_xxh64 x;
    gr_xxh64_init(&x, seed);
    for (size_t at = 0; at < n; at += portion)
        gr_xxh64_add(&x, (const char *)bytes + at, n - at < portion ? n - at : portion);
    return gr_xxh64_value(&x);
}

/* Values that the xxHash repository and its bindings publish. */
static void xxh64_gives_published_values(void **state)
{
    static const struct {
        const char *text;
        uint64_t seed, want;
    } rows[] = {
        { "", 0, 0xef46db3751d8e999u },
        { "a", 0, 0xd24ec4f1a98c6e5bu },
        { "abc", 0, 0x44bc2cf5ad770999u },
        { "xxhash", 0, 0x32dd38952c4bc720u },
        { "xxhash", 20141025, 0xb559b98d844e0635u },
        { "Nobody inspects the spammish repetition", 0, 0xfbcea83c8a378bf1u }, /* longer than a stripe */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t portion = 1; portion < 64; portion++)
            assert_int_equal(xxh64_of(rows[i].text, strlen(rows[i].text), rows[i].seed, portion),
                             rows[i].want);
}

static void xxh64_does_not_depend_on_the_cut(void **state)
{
    uint8_t bytes[1000];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i + 7 * i);
    for (size_t n = 0; n < sizeof bytes; n += 37)
        for (size_t portion = 1; portion < 200; portion += 13)
            assert_int_equal(xxh64_of(bytes, n, 1, portion), xxh64_of(bytes, n, 1, sizeof bytes));
}

/* RFC 3720, appendix B.4, and the usual check value. */
static void crc32c_gives_published_values(void **state)
{
    uint8_t bytes[32];
    (void)state;
    assert_int_equal(gr_crc32c(0, "123456789", 9), 0xe3069283u);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(gr_crc32c(0, bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(gr_crc32c(0, bytes, 32), 0x62a8ab43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(gr_crc32c(0, bytes, 32), 0x46dd794eu);
    for (size_t cut = 0; cut <= 32; cut++)
        assert_int_equal(gr_crc32c(gr_crc32c(0, bytes, cut), bytes + cut, 32 - cut), 0x46dd794eu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xxh64_gives_published_values),
        cmocka_unit_test(xxh64_does_not_depend_on_the_cut),
        cmocka_unit_test(crc32c_gives_published_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
