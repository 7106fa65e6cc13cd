#include "base/crc32c.h"

#define POLYNOMIAL 0x82f63b78u /* bits reversed */

/* tables[k][b]: what byte b does to the sum when k more bytes follow. */
static void make_tables(uint32_t tables[8][256])
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (POLYNOMIAL & -(crc & 1));
        tables[0][b] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++)
            tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 255];
}

uint32_t gr_crc32c(uint32_t crc, const void *bytes, size_t n)
{
    uint32_t tables[8][256]; /* made again for each call: large blocks are summed, and nothing is shared */
    const uint8_t *at = bytes;
    make_tables(tables);
    crc = ~crc;
    for (; n >= 8; at += 8, n -= 8) {
        const uint32_t low =
            crc ^ (at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^
              tables[4][low >> 24] ^ tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^
              tables[0][at[7]];
    }
    for (; n > 0; at++, n--)
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 255];
    return ~crc;
}
