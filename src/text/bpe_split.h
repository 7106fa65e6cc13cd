/* bpe_split.h - the Llama-3 pre-tokeniser: where a text is cut before byte-pair encoding.
 *
 * Equal to matching, leftmost and in this order of alternatives (tokenizer.json of Llama 3, Split/Isolated):
 *   (?i:'s|'t|'re|'ve|'m|'ll|'d)  |  [^\r\n\p{L}\p{N}]?\p{L}+  |  \p{N}{1,3}  |   ?[^\s\p{L}\p{N}]+[\r\n]*
 *   |  \s*[\r\n]+  |  \s+(?!\S)  |  \s+
 * Every character is matched by one of them, so the pieces join to the text. Linear in the length.
 *
 * Bytes that are not UTF-8 stay as they are; the cuts are where they would be if each maximal ill-formed part
 * were one U+FFFD, which is what a reader of such a text (Python's errors="replace") would hand on. */
#ifndef GR_TEXT_BPE_SPLIT_H
#define GR_TEXT_BPE_SPLIT_H

#include <stddef.h>
#include <stdint.h>

/* The regular expression itself, as tokenizer.json spells it (one backslash each). */
extern const char gr_llama3_split[];

/* Bytes of the first piece of text[0..n); n >= 1, the result is in 1..n. */
size_t gr_bpe_split(const uint8_t *text, size_t n);

#endif
