"""python make_vision.py OUT: canvas choice, resizing and NEAREST indices (vision/)."""

import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.transforms import functional as V
from transformers.image_utils import PILImageResampling
from transformers.models.perception_lm.image_processing_perception_lm_fast import (
    PerceptionLMImageProcessorFast,
)

import cases
import files

TILE = 448
LIMITS = (8, 16, 36)
WORKED = [
    (640, 480),
    (1920, 1080),
    (300, 1200),
    (5000, 100),
    (448, 448),
    (224, 224),
    (449, 448),
    (500, 333),
    (1280, 720),
    (4000, 3000),
    (3000, 4000),
    (100, 5000),
]


def sizes(count):
    """The worked examples, sizes at and around multiples of the tile, then sizes from a linear congruence."""
    out = list(WORKED)
    out += [
        (a * TILE + i, b * TILE + j)
        for a, b in ((1, 1), (2, 1), (1, 3), (3, 2), (4, 4), (6, 6), (5, 7))
        for i, j in ((0, 0), (1, 0), (0, 1), (-1, -1))
    ]
    out += [
        (1, 1),
        (10, 10),
        (1, 4000),
        (4000, 1),
        (16128, 448),
        (16129, 448),
        (448, 16129),
        (2, 3),
        (7168, 448),
        (7169, 448),
    ]
    state = 12345
    while len(out) < count:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        w, h = 8 + (state >> 33) % 3000, 8 + (state >> 48) % 3000
        if (w, h) not in out:
            out.append((w, h))
    return out


def canvas(processor, w, h, limit):
    processor.max_num_tiles = limit
    meta = torch.empty((1, h, w), device="meta")  # only its size is looked at before the resize
    found = processor._fit_image_to_canvas(img_width=w, img_height=h, tile_size=TILE)
    assert meta.shape[1:] == (h, w)
    return found or processor._find_closest_aspect_ratio(img_width=w, img_height=h, tile_size=TILE)


# (w_in, h_in) -> (w_out, h_out), number of the picture
RESIZES = [
    ((40, 30), (112, 56), 1),
    ((31, 77), (56, 112), 3),
    ((180, 120), (42, 42), 4),
    ((97, 83), (56, 84), 5),
    ((1, 9), (28, 28), 6),
    ((301, 7), (84, 28), 7),
    ((64, 48), (134, 90), 8),
    ((28, 15), (28, 28), 9),
    ((28, 28), (28, 28), 10),
    ((171, 133), (84, 56), 11),
    ((13, 200), (28, 14), 12),
]

NEAREST = sorted(
    {
        (a, b)
        for a, b in [
            (640, 448),
            (480, 448),
            (448, 448),
            (447, 448),
            (449, 448),
            (1, 448),
            (2, 448),
            (3, 7),
            (7, 3),
            (5000, 448),
            (100, 448),
            (333, 1344),
            (640, 1792),
            (480, 1344),
            (500, 2240),
            (4000, 448),
            (3000, 1792),
            (150, 112),
            (104, 112),
            (133, 224),
            (171, 224),
            (250, 672),
            (31, 112),
            (97, 112),
            (83, 112),
        ]
    }
    | {(7 * i + 3 * (i % 5) + 1, 448 * (1 + i % 8)) for i in range(1, 36)}
)


def main():
    out_dir = pathlib.Path(sys.argv[1]) / "vision"
    processor = PerceptionLMImageProcessorFast()
    rows = [[w, h, [list(canvas(processor, w, h, n)) for n in LIMITS]] for w, h in sizes(300)]
    text = "[\n" + ",\n".join(files.json.dumps(r) for r in rows) + "\n]"
    files.save_json(
        out_dir / "canvas.json",
        {"tile_size": TILE, "max_num_tiles": LIMITS, "row": "[w, h, [canvas for each limit]]"},
    )
    path = out_dir / "canvas.json"
    path.write_text(path.read_text().rstrip("}\n") + ',\n"rows": ' + text + "\n}\n")

    listed, tensors = [], {}
    for (wi, hi), (wo, ho), kind in RESIZES:
        image = cases.picture(wi, hi, kind)
        x = torch.from_numpy(image).permute(2, 0, 1).contiguous()[None]
        y = V.resize(x, (ho, wo), interpolation=PILImageResampling.BICUBIC)[0]
        exact = F.interpolate(x.double(), (ho, wo), mode="bicubic", antialias=True, align_corners=False)[0]
        near = float((exact - exact.floor() - 0.5).abs().min())
        name = f"{wi}x{hi}_{wo}x{ho}"
        tensors[f"{name}.in"], tensors[f"{name}.out"] = image, y
        listed.append(
            {
                "name": name,
                "in": [wi, hi],
                "out": [wo, ho],
                "picture": kind,
                "closest_to_half": float("%.2g" % near),
            }
        )
    tensors["normalise"] = processor.rescale_and_normalize(
        torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16),
        True,
        1 / 255,
        True,
        (0.5,) * 3,
        (0.5,) * 3,
    )[0, 0].reshape(256)
    files.save_tensors(out_dir / "resize.safetensors", tensors)
    files.save_rows(out_dir / "resize.json", listed)

    rows = []
    for n_in, n_out in NEAREST:
        line = torch.arange(n_in, dtype=torch.float32)[None, None, None]
        index = F.interpolate(line, (1, n_out), mode="nearest").reshape(-1).to(torch.int32)
        assert torch.equal(
            index,
            V.resize(line, (1, n_out), interpolation=V.InterpolationMode.NEAREST).reshape(-1).to(torch.int32),
        )
        rows.append(
            {
                "in": n_in,
                "out": n_out,
                "crc32": files.crc32(index),
                "sum": int(index.sum()),
                "first": index[:8].tolist(),
                "last": index[-4:].tolist(),
            }
        )
    files.save_rows(out_dir / "nearest.json", rows)
    print({p.name: p.stat().st_size for p in sorted(out_dir.iterdir())}, len(NEAREST), "nearest")


if __name__ == "__main__":
    main()
