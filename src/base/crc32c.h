/* crc32c.h - CRC-32C (Castagnoli), as in RFC 3720, appendix B.4. */
#ifndef GR_BASE_CRC32C_H
#define GR_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of n bytes, continuing `crc`: begin with 0. The cut into calls does not matter. */
uint32_t gr_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
