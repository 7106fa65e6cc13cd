/* protobuf.h - protocol buffers field by field, in place. (protobuf.dev, "Encoding") */
#ifndef GR_IO_PROTOBUF_H
#define GR_IO_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    GR_PROTO_VARINT = 0,
    GR_PROTO_FIXED64 = 1,
    GR_PROTO_BYTES = 2,
    GR_PROTO_FIXED32 = 5
} gr_proto_wire;

typedef struct {
    uint32_t number; /* 1 .. 2^29 - 1 */
    gr_proto_wire wire;
    uint64_t value;      /* of numbers; a negative int32 is sign-extended to 64 bits */
    const uint8_t *data; /* of GR_PROTO_BYTES: texts and messages */
    size_t n;
} gr_proto_field;

/* Begin with { data, data + n, NULL }. */
typedef struct {
    const uint8_t *at, *end;
    const char *bad; /* NULL, or what is wrong; then no more fields come */
} gr_proto;

/* The next field. False: the message ends, or p->bad says why it cannot be read on. */
bool gr_proto_next(gr_proto *p, gr_proto_field *f);

#endif
