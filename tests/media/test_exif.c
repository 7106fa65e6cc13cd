#include "test.h"

#include "media/exif.h"

#define BLOCK(bytes) gr_exif_orientation_of_block((const uint8_t *)(bytes), sizeof(bytes) - 1)

static void both_byte_orders_are_read(void **state)
{
    (void)state;
    assert_int_equal(BLOCK("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"), 6);
    assert_int_equal(BLOCK("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0"), 8);
    /* second entry of a directory that does not follow the header at once */
    assert_int_equal(
        BLOCK("II*\0\x0a\0\0\0..\x02\0\x0f\x01\x02\0\x01\0\0\0a\0\0\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0"), 3);
}

static void damaged_blocks_state_nothing(void **state)
{
    (void)state;
    assert_int_equal(BLOCK(""), 0);
    assert_int_equal(BLOCK("II*\0\x08\0\0\0\x01\0"), 0);
    assert_int_equal(BLOCK("II+\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"), 0); /* not TIFF */
    assert_int_equal(BLOCK("II*\0\xff\xff\xff\xff\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"),
                     0); /* far away */
    assert_int_equal(BLOCK("II*\0\x08\0\0\0\xff\xff\x13\x01\x03\0\x01\0\0\0\x06\0\0\0"),
                     0);                                                                   /* 65535 entries */
    assert_int_equal(BLOCK("II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x06\0\0\0"), 0); /* a LONG */
    assert_int_equal(BLOCK("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x02\0\0\0\x06\0\0\0"), 0); /* two of them */
    assert_int_equal(BLOCK("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0"), 0); /* 9 */
    assert_int_equal(BLOCK("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0"), 0);   /* 0 */
}

static void segments_before_the_block_are_passed_over(void **state)
{
    (void)state;
#define EXIF "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x05\0\0"
    static const char jpeg[] =
        "\xff\xd8\xff\xe0\0\x04JF\xff\xff\xff\xe1\0\x07http:\xff\xe1\0\x1e" EXIF "\xff\xda";
    assert_int_equal(gr_exif_orientation((const uint8_t *)jpeg, sizeof jpeg - 1), 5);
    for (size_t cut = 0; cut < sizeof jpeg - 3; cut++) /* without its last byte the block is gone */
        assert_int_equal(gr_exif_orientation((const uint8_t *)jpeg, cut), 1);
    static const char late[] = "\xff\xd8\xff\xda\0\x02\xff\xe1\0\x1e" EXIF; /* after the picture began */
    assert_int_equal(gr_exif_orientation((const uint8_t *)late, sizeof late - 1), 1);
    static const char webp[] = "RIFF\x40\0\0\0WEBPVP8X\x03\0\0\0abc.EXIF\x1c\0\0\0" EXIF;
    assert_int_equal(gr_exif_orientation((const uint8_t *)webp, sizeof webp - 1), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_byte_orders_are_read),
        cmocka_unit_test(damaged_blocks_state_nothing),
        cmocka_unit_test(segments_before_the_block_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
