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

int toy_pieces_find(const toy_piece *pieces, size_t n, const char *text, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(pieces[i].text) == len && memcmp(pieces[i].text, text, len) == 0)
            return (int)i;
    return -1;
}
