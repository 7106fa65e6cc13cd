#include "support/toy_pieces.h"

#include <stdio.h>
#include <string.h>

#include "base/half.h"
#include "support/gguf_file.h"

enum { FIRST = 259 }; /* pieces before those given */

static toy_piece piece_at(const toy_piece *more, size_t i, char byte[8])
{
    static const toy_piece first[] = { { "<unk>", 0, GR_SPM_UNKNOWN },
                                       { "<s>", 0, GR_SPM_CONTROL },
                                       { "</s>", 0, GR_SPM_CONTROL } };
    if (i < 3)
        return first[i];
    if (i >= FIRST)
        return more[i - FIRST];
    snprintf(byte, 8, "<0x%02X>", (unsigned)(i - 3) & 0xff);
    return (toy_piece){ byte, 0, GR_SPM_BYTE };
}

gr_status toy_pieces_make(gr_tokenizer **out, gr_runtime *rt, const toy_piece *more, size_t n, gr_error *err)
{
    gr_spm_pieces p;
    char byte[8];
    *out = NULL;
    GR_TRY(gr_spm_pieces_init(&p, rt, err));
    for (size_t i = 0; i < FIRST + n; i++) {
        const toy_piece piece = piece_at(more, i, byte);
        const gr_status st =
            gr_spm_pieces_add(&p, piece.text, strlen(piece.text), piece.score, (uint64_t)piece.type, err);
        if (st != GR_OK) {
            gr_spm_pieces_fini(&p);
            return st;
        }
    }
    return gr_spm_pieces_finish(&p, 1, true, out, err);
}

void toy_pieces_gguf(gr_buf *out, const toy_piece *more, size_t n, size_t n_keys)
{
    char byte[8];
    gguf_head(out, 3, 0, 4 + n_keys);
    gguf_key_string(out, "tokenizer.ggml.model", "llama");
    gguf_key_array(out, "tokenizer.ggml.tokens", GR_GGUF_STRING, FIRST + n);
    for (size_t i = 0; i < FIRST + n; i++)
        gguf_string(out, piece_at(more, i, byte).text);
    gguf_key_array(out, "tokenizer.ggml.scores", GR_GGUF_F32, FIRST + n);
    for (size_t i = 0; i < FIRST + n; i++)
        gguf_number(out, gr_f32_bits(piece_at(more, i, byte).score), 4);
    gguf_key_array(out, "tokenizer.ggml.token_type", GR_GGUF_I32, FIRST + n);
    for (size_t i = 0; i < FIRST + n; i++)
        gguf_number(out, (uint64_t)piece_at(more, i, byte).type, 4);
}

static void varint(gr_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        gguf_number(out, (value & 0x7f) | 0x80, 1);
    gguf_number(out, value, 1);
}

void proto_number(gr_buf *out, uint32_t field, uint64_t value)
{
    varint(out, field << 3);
    varint(out, value);
}

void proto_bytes(gr_buf *out, uint32_t field, const void *bytes, size_t n)
{
    varint(out, field << 3 | 2);
    varint(out, n);
    gr_buf_add(out, bytes, n);
}

void toy_pieces_model(gr_buf *out, const toy_piece *more, size_t n)
{
    char byte[8];
    gr_buf part;
    gr_buf_init(&part, out->rt, 1 << 16);
    for (size_t i = 0; i < FIRST + n; i++) {
        const toy_piece piece = piece_at(more, i, byte);
        gr_buf_clear(&part);
        proto_bytes(&part, 1, piece.text, strlen(piece.text));
        varint(&part, 2 << 3 | 5);
        gguf_number(&part, gr_f32_bits(piece.score), 4);
        if (piece.type != GR_SPM_NORMAL)
            proto_number(&part, 3, (uint64_t)piece.type);
        proto_bytes(out, 1, part.data, part.len);
    }
    gr_buf_clear(&part);
    proto_number(&part, 3, 2);           /* model_type: BPE */
    proto_number(&part, 35, 1);          /* byte_fallback */
    proto_number(&part, 43, UINT64_MAX); /* pad_id: -1 */
    proto_bytes(out, 2, part.data, part.len);
    gr_buf_clear(&part);
    proto_bytes(&part, 1, "identity", 8);
    proto_number(&part, 4, 0); /* remove_extra_whitespaces */
    proto_bytes(out, 3, part.data, part.len);
    gr_buf_fini(&part);
}

int toy_pieces_find(const toy_piece *pieces, size_t n, const char *text, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(pieces[i].text) == len && memcmp(pieces[i].text, text, len) == 0)
            return (int)i;
    return -1;
}
