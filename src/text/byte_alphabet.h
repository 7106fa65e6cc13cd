/* byte_alphabet.h - how byte-level vocabularies spell bytes as printable characters (GPT-2's table).
 *
 * Bytes 33-126, 161-172 and 174-255 are the characters of the same number; the other 68, in order, are U+0100
 * to U+0143. So a space is spelled U+0120. */
#ifndef GR_TEXT_BYTE_ALPHABET_H
#define GR_TEXT_BYTE_ALPHABET_H

#include <stddef.h>
#include <stdint.h>

/* The character that stands for a byte. */
uint32_t gr_byte_to_char(uint8_t byte);

/* Turns spelled text (UTF-8) into the bytes it stands for, at most `n` of them: out may be `spelled` itself.
 * Gives the number of bytes, or -1 when a character is not of the alphabet; then out is not touched. */
ptrdiff_t gr_byte_unspell(uint8_t *out, const uint8_t *spelled, size_t n);

#endif
