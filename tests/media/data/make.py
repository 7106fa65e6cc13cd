#!/usr/bin/env python3
"""Makes the tiny pictures of this folder and, beside each, what Pillow's convert("RGB") gives (NAME.ppm) and, for masks, its
convert("L") (NAME.pgm). Run with Pillow and numpy; the files are committed, so the tests need neither."""
import io
import os
import struct
import zlib

import numpy as np
from PIL import Image

W, H = 11, 7
rng = np.random.RandomState(7)
here = os.path.dirname(os.path.abspath(__file__))


def put(name, data):
    with open(os.path.join(here, name), "wb") as f:
        f.write(data)
    image = Image.open(io.BytesIO(data))
    for mode, ending, magic in (("RGB", ".ppm", b"P6"), ("L", ".pgm", b"P5")):
        with open(os.path.join(here, name + ending), "wb") as f:
            f.write(magic + b"\n%d %d\n255\n" % image.size + image.convert(mode).tobytes())


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_row(samples, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", v) for v in samples)
    bits = "".join(format(v, "0%db" % depth) for v in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def png(color, depth, per_pixel, adam7=False, extra=b"", limit=None):
    """Stored samples, random; rows filtered with 'none'."""
    top = (1 << depth) if limit is None else limit
    a = rng.randint(0, top, (H, W, per_pixel))
    if depth == 16:
        a[::2] %= 300  # around the place where 16-bit grey is clamped
    passes = [(0, 0, 1, 1)]
    if adam7:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    raw = b""
    for x0, y0, dx, dy in passes:
        sub = a[y0::dy, x0::dx]
        if sub.size:
            for row in sub:
                raw += b"\0" + pack_row([int(v) for v in row.reshape(-1)], depth)
    head = struct.pack(">IIBBBBB", W, H, depth, color, 0, 0, 1 if adam7 else 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def palette(n):
    return chunk(b"PLTE", bytes(int(v) for v in rng.randint(0, 256, 3 * n)))


for depth in (1, 2, 4, 8, 16):
    put("grey%d.png" % depth, png(0, depth, 1))
for depth in (1, 2, 4, 8):
    put("palette%d.png" % depth, png(3, depth, 1, extra=palette(1 << depth)))
put("palette4_adam7.png", png(3, 4, 1, True, palette(16)))
put("palette8_alpha.png", png(3, 8, 1, False, palette(20) + chunk(b"tRNS", bytes(range(0, 250, 25))), 20))
put("grey1_adam7.png", png(0, 1, 1, True))
put("grey8_key.png", png(0, 8, 1, False, chunk(b"tRNS", b"\0\3"), 5))
for depth in (8, 16):
    put("rgb%d.png" % depth, png(2, depth, 3))
    put("rgba%d.png" % depth, png(6, depth, 4))
    put("greyalpha%d.png" % depth, png(4, depth, 2))
put("rgba16_adam7.png", png(6, 16, 4, True))

y, x = np.mgrid[0:H * 3, 0:W * 3]
smooth = np.stack([x * 7, y * 11, 255 - x * 4 - y * 3], 2).astype(np.uint8)
picture = Image.fromarray(smooth)


def saved(image, kind, **options):
    f = io.BytesIO()
    image.save(f, kind, **options)
    return f.getvalue()


put("rgb420.jpg", saved(picture, "JPEG", quality=90))
put("rgb444.jpg", saved(picture, "JPEG", quality=90, subsampling=0))
put("progressive.jpg", saved(picture, "JPEG", quality=90, progressive=True))
put("grey.jpg", saved(picture.convert("L"), "JPEG", quality=90))
put("cmyk.jpg", saved(picture.convert("CMYK"), "JPEG", quality=90))
put("lossless.webp", saved(picture, "WEBP", lossless=True))
put("lossy.webp", saved(picture, "WEBP", quality=90))
rgba = np.dstack([smooth, (x * 5).astype(np.uint8)])
put("lossless_alpha.webp", saved(Image.fromarray(rgba), "WEBP", lossless=True, exact=True))


def exif(orientation, big):
    o = ">" if big else "<"
    return ((b"MM" if big else b"II") + struct.pack(o + "HIH", 42, 8, 1)
            + struct.pack(o + "HHIHHI", 0x112, 3, 1, orientation, 0, 0))


# Raw pixels (as stored) are what NAME.ppm holds; the reader turns them.
put("turn6.jpg", saved(picture, "JPEG", quality=95, exif=b"Exif\0\0" + exif(6, True)))
put("turn3.png", saved(picture, "PNG", exif=exif(3, False)))
put("turn8.webp", saved(picture, "WEBP", lossless=True, exif=exif(8, True)))
