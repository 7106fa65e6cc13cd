#include "dataset/arrow_compress.h"

#ifdef GR_HAVE_LZ4
#define LZ4_UNPACK gr_arrow_unpack_lz4
#else
#define LZ4_UNPACK NULL
#endif
#ifdef GR_HAVE_ZSTD
#define ZSTD_UNPACK gr_arrow_unpack_zstd
#else
#define ZSTD_UNPACK NULL
#endif

typedef struct {
    const char *name, *library;
    gr_status (*unpack)(const void *from, size_t n, void *to, size_t size, gr_error *err);
} method;

static const method *method_of(gr_arrow_codec codec)
{
    static const method methods[] = {
        [GR_ARROW_LZ4] = { "LZ4", "liblz4", LZ4_UNPACK },
        [GR_ARROW_ZSTD] = { "ZSTD", "libzstd", ZSTD_UNPACK },
    };
    return &methods[codec];
}

bool gr_arrow_can_unpack(gr_arrow_codec codec) { return codec == GR_ARROW_RAW || method_of(codec)->unpack; }

gr_status gr_arrow_unpack(gr_arrow_codec codec, const void *from, size_t n, void *to, size_t size,
                          gr_error *err)
{
    const method *m = method_of(codec);
    gr_error why = { 0 };
    if (!m->unpack)
        return gr_fail(err, GR_ERR_UNSUPPORTED,
                       "the buffers are compressed with %s, which needs %s; this build has not got it",
                       m->name, m->library);
    const gr_status st = m->unpack(from, n, to, size, &why);
    return st == GR_OK ? st : gr_fail(err, st, "%s: %s", m->name, why.msg);
}
