#include "grasp/image.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/source.h"
#include "base/target.h"
#include "media/codec.h"
#include "media/exif.h"

/* width * height at which Pillow refuses a picture as a decompression bomb: a quarter gigabyte of RGB,
 * doubled. */
#define DEFAULT_MAX_PIXELS 178956970

void gr_image_options_init(gr_image_options *options)
{
    *options = (gr_image_options){
        .size = sizeof *options, .max_pixels = DEFAULT_MAX_PIXELS, .max_side = 65535, .exif = GR_EXIF_APPLY
    };
}

const char *gr_image_formats(void)
{
    return ""
#ifdef GR_HAVE_JPEG
           "JPEG, "
#endif
#ifdef GR_HAVE_SPNG
           "PNG, "
#endif
#ifdef GR_HAVE_WEBP
           "WebP, "
#endif
           "PNM";
}

gr_status gr_image_check_size(const gr_image_options *options, const char *format, uint64_t width,
                              uint64_t height, gr_error *err)
{
    if (width == 0 || height == 0)
        return gr_fail(err, GR_ERR_FORMAT, "a %s picture of %llu x %llu pixels has none", format,
                       (unsigned long long)width, (unsigned long long)height);
    const uint64_t side = width > height ? width : height;
    if (options->max_side < 1 || side > (uint64_t)options->max_side)
        return gr_fail(err, GR_ERR_LIMIT,
                       "a %s picture of %llu x %llu pixels is over the limit of %d pixels a side (max_side)",
                       format, (unsigned long long)width, (unsigned long long)height, options->max_side);
    if (options->max_pixels < 1 ||
        width * height > (uint64_t)options->max_pixels) /* sides fit 31 bits here */
        return gr_fail(err, GR_ERR_LIMIT,
                       "a %s picture of %llu x %llu pixels is over the limit of %lld pixels (max_pixels)",
                       format, (unsigned long long)width, (unsigned long long)height,
                       (long long)options->max_pixels);
    return GR_OK;
}

gr_status gr_image_new(gr_image **out, gr_runtime *rt, int width, int height, int channels, gr_error *err)
{
    *out = NULL;
    if (width < 1 || height < 1 || (channels != 1 && channels != 3 && channels != 4))
        return gr_fail(
            err, GR_ERR_ARG,
            "a picture of %d x %d pixels with %d channels; sides begin at 1, channels are 1, 3 or 4", width,
            height, channels);
    gr_image *image = gr_calloc(rt, 1, sizeof *image);
    if (!image)
        return gr_fail(err, GR_ERR_MEM, "no memory for a picture");
    *image = (gr_image){ .rt = rt, .width = width, .height = height, .channels = channels, .orientation = 1 };
    if ((size_t)height <= SIZE_MAX / (size_t)channels / (size_t)width)
        image->pixels = gr_calloc(rt, (size_t)height * (size_t)width, (size_t)channels);
    if (!image->pixels) {
        gr_free(rt, image);
        return gr_fail(err, GR_ERR_MEM, "no memory for a picture of %d x %d pixels with %d channels", width,
                       height, channels);
    }
    *out = image;
    return GR_OK;
}

void gr_image_free(gr_image *image)
{
    if (!image)
        return;
    gr_free(image->rt, image->pixels);
    gr_free(image->rt, image);
}

/* --- what the bytes are -------------------------------------------------------------------------- */

typedef gr_status decode_fn(gr_image **, gr_runtime *, const uint8_t *, size_t, const gr_image_options *,
                            gr_error *);

#ifdef GR_HAVE_JPEG
#define JPEG_DECODE gr_jpeg_decode
#else
#define JPEG_DECODE NULL
#endif
#ifdef GR_HAVE_SPNG
#define PNG_DECODE gr_png_decode
#else
#define PNG_DECODE NULL
#endif
#ifdef GR_HAVE_WEBP
#define WEBP_DECODE gr_webp_decode
#else
#define WEBP_DECODE NULL
#endif

/* `magic` at `offset` identifies a format; a '?' stands for any byte. `library` is NULL for formats that no
 * build reads: they are here to be named in the refusal. */
static const struct {
    const char *name, *magic;
    size_t magic_bytes, offset;
    decode_fn *decode;
    const char *library;
} formats[] = {
    { "JPEG", "\xff\xd8\xff", 3, 0, JPEG_DECODE, "libjpeg" },
    { "PNG", "\x89PNG\r\n\x1a\n", 8, 0, PNG_DECODE, "libspng" },
    { "WebP", "RIFF????WEBP", 12, 0, WEBP_DECODE, "libwebp" },
    { "PNM", "P2", 2, 0, gr_pnm_decode, "" },
    { "PNM", "P3", 2, 0, gr_pnm_decode, "" },
    { "PNM", "P5", 2, 0, gr_pnm_decode, "" },
    { "PNM", "P6", 2, 0, gr_pnm_decode, "" },
    { "PBM (bitmap)", "P1", 2, 0, NULL, NULL },
    { "PBM (bitmap)", "P4", 2, 0, NULL, NULL },
    { "PAM", "P7", 2, 0, NULL, NULL },
    { "GIF", "GIF8", 4, 0, NULL, NULL },
    { "BMP", "BM", 2, 0, NULL, NULL },
    { "TIFF", "II*\0", 4, 0, NULL, NULL },
    { "TIFF", "MM\0*", 4, 0, NULL, NULL },
    { "AVIF", "ftypavif", 8, 4, NULL, NULL },
    { "HEIF", "ftypheic", 8, 4, NULL, NULL },
    { "HEIF", "ftypmif1", 8, 4, NULL, NULL },
    { "JPEG XL", "\xff\x0a", 2, 0, NULL, NULL },
    { "JPEG 2000", "jP  ", 4, 4, NULL, NULL },
    { "SVG", "<svg", 4, 0, NULL, NULL },
    { "PDF", "%PDF", 4, 0, NULL, NULL },
};

#define HEAD_BYTES ((size_t)64) /* that tell the format: offset + magic_bytes above are fewer */

static bool has_magic(const uint8_t *bytes, size_t n, const char *magic, size_t magic_bytes, size_t offset)
{
    if (n < offset + magic_bytes)
        return false;
    for (size_t i = 0; i < magic_bytes; i++)
        if (magic[i] != '?' && bytes[offset + i] != (uint8_t)magic[i])
            return false;
    return true;
}

/* What decodes a picture of n bytes, of which `head` are the first, at most HEAD_BYTES; or why nothing does.
 */
static gr_status find_decoder(decode_fn **decode, const uint8_t *head, size_t n, gr_error *err)
{
    const size_t n_head = n < HEAD_BYTES ? n : HEAD_BYTES;
    if (n == 0)
        return gr_fail(err, GR_ERR_FORMAT, "a picture of 0 bytes is none");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (!has_magic(head, n_head, formats[i].magic, formats[i].magic_bytes, formats[i].offset))
            continue;
        *decode = formats[i].decode;
        if (formats[i].decode)
            return GR_OK;
        if (formats[i].library)
            return gr_fail(err, GR_ERR_UNSUPPORTED,
                           "a %s picture: this build was made without %s and reads %s only", formats[i].name,
                           formats[i].library, gr_image_formats());
        return gr_fail(err, GR_ERR_UNSUPPORTED, "a %s file: pictures are read from %s", formats[i].name,
                       gr_image_formats());
    }
    char text[3 * 8 + 1] = "";
    for (size_t i = 0; i < n_head && i < 8; i++)
        snprintf(text + 3 * i, 4, " %02x", head[i]);
    return gr_fail(err, GR_ERR_FORMAT, "not a picture: %zu bytes beginning with%s; expected %s", n, text,
                   gr_image_formats());
}

static gr_status read_options(gr_image_options *o, const gr_image_options *given, gr_error *err)
{
    gr_image_options_init(o);
    if (given && given->size != sizeof *o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_image_options.size is %zu, this library expects %zu: call gr_image_options_init",
                       given->size, sizeof *o);
    if (given)
        *o = *given;
    return GR_OK;
}

gr_status gr_image_decode(gr_image **out, gr_runtime *rt, const void *bytes, size_t n,
                          const gr_image_options *options, gr_error *err)
{
    *out = NULL;
    gr_image_options o;
    decode_fn *decode;
    gr_image *image = NULL;
    GR_TRY(read_options(&o, options, err));
    GR_TRY(find_decoder(&decode, bytes, n, err));
    gr_status st = decode(&image, rt, bytes, n, &o, err);
    if (st == GR_OK) {
        image->orientation = gr_exif_orientation(bytes, n);
        if (o.exif == GR_EXIF_APPLY) {
            st = gr_image_turn(image, image->orientation, err);
            image->upright = true;
        }
    }
    if (st != GR_OK)
        gr_image_free(image);
    else
        *out = image;
    return st;
}

/* Bytes that a picture of the most pixels may take in the widest of all encodings, 16-bit colour written out
 * as text, and as much for profiles and comments as any has. */
static size_t most_bytes(const gr_image_options *o)
{
    const size_t per_pixel = 20, besides = (size_t)64 << 20;
    const uint64_t pixels = o->max_pixels < 0 ? 0 : (uint64_t)o->max_pixels;
    return pixels < (SIZE_MAX - besides) / per_pixel ? (size_t)pixels * per_pixel + besides : SIZE_MAX;
}

/* What is no picture is refused by its first bytes: it may be a file of many gigabytes. */
static gr_status read_picture(char **bytes, gr_runtime *rt, const gr_source *file, const char *path,
                              const gr_image_options *o, gr_error *err)
{
    uint8_t head[HEAD_BYTES];
    decode_fn *decode;
    size_t n;
    gr_error why = { 0 };
    gr_status st = gr_source_read(file, 0, head, file->size < HEAD_BYTES ? file->size : HEAD_BYTES, &why);
    if (st == GR_OK)
        st = find_decoder(&decode, head, file->size, &why);
    return st == GR_OK ? gr_source_read_whole(rt, file, path, most_bytes(o), bytes, &n, err)
                       : gr_fail(err, st, "%s: %s", path, why.msg);
}

gr_status gr_image_open(gr_image **out, gr_runtime *rt, const char *path, const gr_image_options *options,
                        gr_error *err)
{
    *out = NULL;
    gr_image_options o;
    gr_source file;
    char *bytes;
    gr_error why = { 0 };
    GR_TRY(read_options(&o, options, err));
    GR_TRY(gr_source_open(&file, path, err));
    const size_t size = file.size;
    gr_status st = read_picture(&bytes, rt, &file, path, &o, err);
    gr_source_close(&file);
    if (st != GR_OK)
        return st;
    st = gr_image_decode(out, rt, bytes, size, &o, &why);
    gr_free(rt, bytes);
    return st == GR_OK ? GR_OK : gr_fail(err, st, "%s: %s", path, why.msg);
}

/* --- conversions --------------------------------------------------------------------------------- */

static uint8_t luma(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

static gr_status convert(gr_image **out, const gr_image *image, int channels, gr_error *err)
{
    GR_TRY(gr_image_new(out, image->rt, image->width, image->height, channels, err));
    (*out)->orientation = image->orientation;
    (*out)->upright = image->upright;
    const size_t n = (size_t)image->width * (size_t)image->height, from = (size_t)image->channels;
    const uint8_t *in = image->pixels;
    uint8_t *p = (*out)->pixels;
    if (image->channels == channels)
        memcpy(p, in, n * from);
    else if (channels == 1)
        for (size_t i = 0; i < n; i++)
            p[i] = luma(in + i * from);
    else
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < 3; c++)
                p[3 * i + c] = in[i * from + (from == 1 ? 0 : c)];
    return GR_OK;
}

gr_status gr_image_to_rgb(gr_image **out, const gr_image *image, gr_error *err)
{
    return convert(out, image, 3, err);
}

gr_status gr_image_to_luma(gr_image **out, const gr_image *image, gr_error *err)
{
    return convert(out, image, 1, err);
}

gr_status gr_image_turn(gr_image *image, int orientation, gr_error *err)
{
    if (orientation < 1 || orientation > 8)
        return gr_fail(err, GR_ERR_ARG, "EXIF orientation %d, expected 1 to 8", orientation);
    if (orientation == 1)
        return GR_OK;
    const size_t n = (size_t)image->width * (size_t)image->height;
    uint8_t *turned = gr_malloc(image->rt, n, (size_t)image->channels);
    if (!turned)
        return gr_fail(err, GR_ERR_MEM, "no memory to turn a picture of %d x %d pixels", image->width,
                       image->height);
    gr_exif_turn(turned, image->pixels, image->width, image->height, image->channels, orientation);
    gr_free(image->rt, image->pixels);
    image->pixels = turned;
    if (orientation >= 5) {
        const int width = image->width;
        image->width = image->height;
        image->height = width;
    }
    return GR_OK;
}

/* --- writing ------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_pnm(const char *path)
{
    return ends_with(path, ".ppm") || ends_with(path, ".pgm") || ends_with(path, ".pnm");
}

#ifdef GR_HAVE_SPNG
#define PNG_ENCODE gr_png_encode
#else
#define PNG_ENCODE NULL
#endif

gr_status gr_image_write(const gr_image *image, const char *path, gr_error *err)
{
    gr_status (*encode)(gr_file_writer *, const gr_image *, gr_error *) =
        is_pnm(path) ? gr_pnm_encode : PNG_ENCODE;
    gr_file_writer writer;
    if (!encode)
        return gr_fail(
            err, GR_ERR_UNSUPPORTED,
            "%s: this build was made without libspng and writes no PNG; choose a name that ends in .ppm",
            path);
    GR_TRY(gr_target_check(path, err));
    GR_TRY(gr_file_writer_open(&writer, path, err));
    const gr_status st = encode(&writer, image, err);
    if (st == GR_OK)
        return gr_file_writer_commit(&writer, err);
    gr_file_writer_abort(&writer);
    return st;
}
