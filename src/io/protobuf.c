#include "io/protobuf.h"

#include "base/reader.h"

static bool broken(gr_proto *p, const char *why)
{
    p->bad = why;
    return false;
}

/* Seven bits a byte, lowest first, at most 64 bits. */
static bool read_varint(gr_proto *p, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (p->at == p->end)
            return broken(p, "cut off in a number");
        const uint8_t byte = *p->at++;
        if (shift == 63 && byte > 1)
            return broken(p, "a number of more than 64 bits");
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return broken(p, "a number of more than 64 bits");
}

static bool read_fixed(gr_proto *p, int n_bytes, uint64_t *value)
{
    gr_reader r = { p->at, p->end, false };
    *value = gr_reader_uint(&r, n_bytes);
    p->at = r.at;
    return r.bad ? broken(p, "cut off in a number") : true;
}

bool gr_proto_next(gr_proto *p, gr_proto_field *f)
{
    uint64_t tag;
    if (p->bad || p->at == p->end || !read_varint(p, &tag))
        return false;
    if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return broken(p, "a field number outside 1 to 2^29 - 1");
    *f = (gr_proto_field){ .number = (uint32_t)(tag >> 3), .wire = (gr_proto_wire)(tag & 7) };
    switch (tag & 7) {
    case GR_PROTO_VARINT:
        return read_varint(p, &f->value);
    case GR_PROTO_FIXED64:
        return read_fixed(p, 8, &f->value);
    case GR_PROTO_FIXED32:
        return read_fixed(p, 4, &f->value);
    case GR_PROTO_BYTES: {
        uint64_t n;
        if (!read_varint(p, &n))
            return false;
        if (n > (uint64_t)(p->end - p->at))
            return broken(p, "cut off in a text or message");
        f->data = p->at;
        f->n = (size_t)n;
        p->at += f->n;
        return true;
    }
    default:
        return broken(p, "a field of a kind that is not in use any more (groups)");
    }
}
