#include "support/toy_tokenizer.h"

#include "text/byte_alphabet.h"
#include "text/unicode.h"

const toy_parts toy_merging = {
    .added = "[{\"id\":300,\"content\":\"<|bos|>\",\"special\":true,\"normalized\":false},"
             "{\"id\":301,\"content\":\"<|x|>\",\"special\":true,\"normalized\":false},"
             "{\"id\":302,\"content\":\"<|x|>y\",\"special\":true,\"normalized\":false},"
             "{\"id\":303,\"content\":\"[A]\",\"special\":false,\"normalized\":true}]",
    .post_processor = "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<|bos|>\","
                      "\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[],"
                      "\"special_tokens\":{\"<|bos|>\":{\"id\":\"<|bos|>\",\"ids\":[300],"
                      "\"tokens\":[\"<|bos|>\"]}}}",
    .tokens = ",\"ab\":256,\"bc\":257,\"abc\":258,\"\\u0120t\":259,\"th\":260,\"he\":261,\"\\u0120th\":262,"
              "\"\\u0120the\":263,\"aa\":264,\"aaaa\":265,\"xyz\":266",
    .merges = "[\"a b\",\"b c\",[\"ab\",\"c\"],\"t h\",\"\\u0120 t\",\"\\u0120 th\",\"h e\",\"\\u0120th e\","
              "\"a a\",\"aa aa\"]",
};

static const char *or_else(const char *part, const char *usual) { return part ? part : usual; }

void toy_json(gr_buf *out, const toy_parts *parts)
{
    gr_buf_printf(out, "{\"version\":\"1.0\",\"added_tokens\":%s,\"normalizer\":%s,\"pre_tokenizer\":%s,",
                  or_else(parts->added, "[]"), or_else(parts->normalizer, "null"),
                  or_else(parts->pre_tokenizer,
                          "{\"type\":\"Sequence\",\"pretokenizers\":[" TOY_SPLIT "," TOY_BYTE_LEVEL "]}"));
    gr_buf_printf(out, "\"post_processor\":%s,\"decoder\":%s,\"model\":{\"type\":\"BPE\",%s\"vocab\":{",
                  or_else(parts->post_processor, "null"), or_else(parts->decoder, "{\"type\":\"ByteLevel\"}"),
                  or_else(parts->model_more, ""));
    for (int byte = 0; byte < 256; byte++) {
        char spelled[5] = "";
        gr_utf8_encode(gr_byte_to_char((uint8_t)byte), (uint8_t *)spelled);
        const char *escape = byte == '"' || byte == '\\' ? "\\" : "";
        gr_buf_printf(out, "%s\"%s%s\":%d", byte ? "," : "", escape, spelled, byte);
    }
    gr_buf_printf(out, "%s},\"merges\":%s}}", or_else(parts->tokens, ""), or_else(parts->merges, "[]"));
}

gr_status toy_parse(gr_tokenizer **out, gr_runtime *rt, const toy_parts *parts, gr_error *err)
{
    gr_buf text;
    gr_buf_init(&text, rt, 1 << 20);
    toy_json(&text, parts);
    const gr_status st = gr_tokenizer_parse(out, rt, text.data, text.len, "toy.json", err);
    gr_buf_fini(&text);
    return st;
}
