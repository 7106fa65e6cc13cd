/* toy_tokenizer.h - tokenizer.json texts made of parts that a test can replace. */
#ifndef TEST_TOY_TOKENIZER_H
#define TEST_TOY_TOKENIZER_H

#include "text/tokenizer.h"

/* Parts as JSON text; NULL takes the usual one. The vocabulary is the 256 bytes (byte b has id b), then
 * `tokens`: ,"ab":256,... */
typedef struct {
    const char *added, *normalizer, *pre_tokenizer, *post_processor, *decoder, *tokens, *merges, *model_more;
} toy_parts;

/* clang-format off */
#define TOY_REGEX                                                                                       \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}|"               \
    " ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
/* clang-format on */
#define TOY_SPLIT                                             \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" TOY_REGEX \
    "\"},\"behavior\":\"Isolated\",\"invert\":false}"
#define TOY_BYTE_LEVEL \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}"

/* The text of such a file, in `out`. */
void toy_json(gr_buf *out, const toy_parts *parts);
/* Parses it. */
gr_status toy_parse(gr_tokenizer **out, gr_runtime *rt, const toy_parts *parts, gr_error *err);

/* A vocabulary with merges: ab, bc, abc (by ab+c, rank 2), " t", "th", "he", " th", " the", aa, aaaa; xyz 266
 * without merges; and the specials
 * <|bos|> 300, <|x|> 301, <|x|>y 302 and the plain added token "[A]" 303. */
extern const toy_parts toy_merging;

#endif
