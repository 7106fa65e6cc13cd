"""Recomputes the worked numbers of the specification with the published code. Prints every comparison; exits 1 on a difference."""

import sys

import numpy as np
import timm
import torch
import torch.nn.functional as F
import torchvision
from timm.layers.pos_embed_sincos import RotaryEmbeddingCat
from torchvision.transforms import functional as V
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.perception_lm.image_processing_perception_lm_fast import (
    PerceptionLMImageProcessorFast,
)

import make_ops
import make_vision
import reference

BAD = []


def check(what, got, want, tolerance):
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    far = float(np.abs(got - want).max())
    if not far <= tolerance:
        BAD.append(what)
    print(
        f"{'ok ' if far <= tolerance else 'BAD'} {what}: off by {far:.2g}"
        + ("" if far <= tolerance else f" got {got.tolist()} want {want.tolist()}")
    )


def tower_rotation():
    for name, dim, offset, want in [
        ("L", 64, 1.0, dict(sin=[-0.2794155, -0.2303675, 0.8414710], cos=[0.9601703, -0.9731037, 0.5403023])),
        ("G", 96, 0.0, dict(sin=[-0.9589243, -0.2617816, 0.0], cos=[0.2836622, -0.9651271, 1.0])),
    ]:
        e = RotaryEmbeddingCat(
            dim,
            in_pixels=False,
            feat_shape=[32, 32],
            ref_feat_shape=[32, 32],
            grid_offset=offset,
            grid_indexing="xy",
        )
        sin, cos = e.get_embed().tensor_split(2, -1)
        at = [0, 2, dim // 2]
        check(
            f"tower rotation {name}",
            [sin[5][at].tolist(), cos[5][at].tolist()],
            [want["sin"], want["cos"]],
            1e-6,
        )
        pairs = sin[5].reshape(-1, 2)
        check(f"tower rotation {name} pairs equal", pairs[:, 0], pairs[:, 1], 0)


def text_rotation():
    for d, factor, want in [
        (
            64,
            None,
            {
                0: 1,
                8: 0.0376060307,
                14: 0.00321144611,
                15: 0.0021311196,
                16: 0.00141421345,
                17: 0.000938473851,
                18: 0.000622772437,
                31: 3.01385808e-06,
            },
        ),
        (
            64,
            32,
            {
                0: 1,
                8: 0.0376060307,
                14: 0.00321144611,
                15: 0.00129054801,
                16: 0.000429556705,
                17: 9.70828623e-05,
                18: 1.94616387e-05,
                31: 9.41830649e-08,
            },
        ),
        (
            128,
            8,
            {
                28: 0.00321144611,
                29: 0.00216657063,
                32: 0.000524846022,
                34: 0.000178507791,
                35: 9.55621217e-05,
                63: 3.06892588e-07,
            },
        ),
    ]:
        e = LlamaRotaryEmbedding(
            make_ops.llama_config(d, 500000.0, make_ops.llama3(factor, 8192) if factor else None)
        )
        got = np.array([float(e.inv_freq[i]) for i in want])
        check(
            f"inverse frequencies d={d} factor {factor} (relative)",
            got / np.array(list(want.values())),
            np.ones(len(want)),
            3e-7,
        )


def resize_weights():
    def row(n_in, n_out, i):
        eye = torch.eye(n_in).reshape(1, n_in, 1, n_in)
        return F.interpolate(eye, (1, n_out), mode="bicubic", antialias=True, align_corners=False)[0, :, 0, i]

    for n_in, n_out, i, start, want in [
        (640, 448, 0, 0, [0.692248, 0.359918, -0.0512996, -0.0008664]),
        (640, 448, 1, 0, [-0.0378025, 0.4398082, 0.6049705, 0.0207979, -0.0277741]),
        (640, 448, 447, 636, [-0.0008666, -0.051299, 0.3599229, 0.6922427]),
        (480, 1344, 0, 0, [1.1031363, -0.1031363]),
        (480, 1344, 700, 248, [-0.0350534, 0.3175309, 0.7915249, -0.0740023]),
    ]:
        w = row(n_in, n_out, i)
        check(f"resize weights {n_in}->{n_out} i={i}", w[start : start + len(want)], want, 3e-7)
        check("  nothing else", float(w.abs().sum() - w[start : start + len(want)].abs().sum()), 0, 1e-7)


def nearest():
    line = torch.arange(640, dtype=torch.float32)[None, None, None]
    got = F.interpolate(line, (1, 448), mode="nearest").reshape(-1)[[0, 1, 2, 3, 10, 446, 447]]
    check("NEAREST 640->448", got, [0, 1, 2, 4, 14, 637, 638], 0)
    for n_in, n_out in make_vision.NEAREST:
        got = F.interpolate(
            torch.arange(n_in, dtype=torch.float32)[None, None, None], (1, n_out), mode="nearest"
        ).reshape(-1)
        scale = np.float32(np.float32(n_in) / np.float32(n_out))
        rule = np.minimum(np.floor(np.arange(n_out, dtype=np.float32) * scale), n_in - 1)
        if not np.array_equal(got.numpy(), rule):
            check(f"NEAREST rule {n_in}->{n_out}", got, rule, 0)


def canvases():
    table = {
        (640, 480): ((3, 2), (4, 3), (7, 5)),
        (1920, 1080): ((3, 2), (5, 3), (8, 4)),
        (300, 1200): ((1, 4), (2, 8), (3, 12)),
        (5000, 100): ((8, 1), (16, 1), (36, 1)),
        (448, 448): ((2, 2), (4, 4), (6, 6)),
        (224, 224): ((2, 2), (4, 4), (6, 6)),
        (449, 448): ((3, 2), (4, 4), (6, 6)),
        (500, 333): ((4, 2), (5, 3), (7, 5)),
        (1280, 720): ((4, 2), (5, 3), (8, 4)),
        (4000, 3000): ((2, 2), (4, 3), (4, 3)),
        (3000, 4000): ((2, 2), (4, 4), (4, 5)),
        (100, 5000): ((1, 8), (1, 16), (1, 36)),
    }
    p = PerceptionLMImageProcessorFast()
    for (w, h), want in table.items():
        check(f"canvas {w}x{h}", [make_vision.canvas(p, w, h, n) for n in make_vision.LIMITS], want, 0)
    for n, count in ((16, 50), (36, 140)):
        p.max_num_tiles = n
        check(
            f"arrangements N={n}", sum(len(v) for v in p._find_supported_aspect_ratios().values()), count, 0
        )


def roi():
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    maps = torch.stack([100 * y + x, x, y])[None]

    def run(box, scale):
        c = torch.tensor([[0.0, box[0] * 64, box[1] * 48, box[2] * 64, box[3] * 48]], dtype=torch.float32)
        return torchvision.ops.roi_align(
            maps, c, (16, 16), spatial_scale=scale, sampling_ratio=2, aligned=True
        )[0]

    box = (0.25, 0.25, 0.7484375, 0.7479167)
    inclusive = (160 / 640, 120 / 480, 479 / 640, 359 / 480)
    exclusive = (160 / 640, 120 / 480, 480 / 640, 360 / 480)
    diagonal = [0, 4, 8, 12, 15]
    check("box", inclusive, box, 5e-8)
    r, p = run(inclusive, 1 / 28), run(inclusive, 1.0)
    check("released columns", r[1, 0][[0, 1, 2, 15]], [0.1070, 0.1782, 0.2494, 1.1751], 6e-5)
    check("released rows", r[2, :, 0][[0, 1, 2, 15]], [0.0, 0.0110, 0.0619, 0.7555], 6e-5)
    check("paper columns", p[1, 0][[0, 1, 15]], [16.4969, 18.4906, 46.4031], 6e-5)
    check("paper rows", p[2, :, 0][[0, 1, 15]], [12.2469, 13.7406, 34.6531], 6e-5)
    at = lambda o: o[0][diagonal, diagonal]
    check("released diagonal", at(r), [0.1070, 17.2557, 38.8798, 60.5039, 76.7220], 1e-4)
    check("paper diagonal", at(p), [1241.1843, 1846.6594, 2452.1343, 3057.6094, 3511.7156], 5e-4)
    check("paper, exclusive box", at(run(exclusive, 1.0)), [1241.5, 1849.5, 2457.5, 3065.5, 3521.5], 5e-4)
    second = (500 / 640, 400 / 480, 620 / 640, 470 / 480)
    check(
        "second box released",
        at(run(second, 1 / 28)),
        [94.9375, 101.2946, 107.6518, 114.0089, 118.7768],
        2e-4,
    )
    check("second box paper", at(run(second, 1.0)), [4021.75, 4199.75, 4377.75, 4555.75, 4689.25], 1e-3)


def masks():
    """Q-u: prompted pixels of an ellipse under bicubic and NEAREST resampling."""
    y, x = np.mgrid[0:480, 0:640]
    mask = (((x - 300) / 120) ** 2 + ((y - 220) / 80) ** 2 < 1).astype(np.uint8)
    gar = object.__new__(reference.Gar)
    gar.grasp, gar.dtype = {"tile_size": 448}, torch.float32
    gar.processor = PerceptionLMImageProcessorFast(tile_size=448, max_num_tiles=16)
    assert gar.canvas(640, 480, 16) == (4, 3)
    got = []
    for prompt, resample in ((0, "bicubic"), (1, "bicubic"), (4, "bicubic"), (0, "nearest"), (4, "nearest")):
        values = gar.mask_values(gar.paint([(prompt, mask)], 480, 640), 16, resample)
        got.append(int(values[1:, 0].sum()))
    check("prompted pixels", got, [237981, 237884, 236118, 236167, 236167], 0)
    plane = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        m = gar.normalise(plane).to(dtype)
        ids = torch.clamp(torch.round((m + 1) / 2 * 255), 0, 5)[0, 0].reshape(-1)
        check(f"plane round trip {dtype}", ids.float(), torch.arange(256).clamp(max=5).float(), 0)


def inventory():
    """Names and sizes of the towers, from one block and two (the rest is more of the same)."""
    for name, lang, dim, depth, count, size in [
        ("vit_pe_core_large_patch14_336", "vit_pe_lang_large_patch14_448", 1024, 23, 327, 291415040),
        ("vit_pe_core_gigantic_patch14_448", "vit_pe_lang_gigantic_patch14_448", 1536, 47, 662, 1740922624),
    ]:
        args = dict(
            embed_dim=dim,
            img_size=(448, 448),
            global_pool="",
            use_post_transformer_norm=False,
            init_values=0.1,
            ref_feat_shape=(32, 32),
        )
        one, two = shapes(name, depth=1, **args), shapes(name, depth=2, **args)
        check(f"{name}: tensors of the tower", len(one) + (depth - 1) * (len(two) - len(one)), count, 0)
        total = [sum(int(np.prod(v)) for v in s.values()) for s in (one, two)]
        check("  parameters", total[0] + (depth - 1) * (total[1] - total[0]), size, 0)
        check("  same names and shapes as the language tower", int(two == shapes(lang, depth=2)), 1, 0)


def shapes(name, **args):
    m = timm.create_model(name, pretrained=False, num_classes=0, **args)
    return {k: tuple(v.shape) for k, v in m.named_parameters()}


if __name__ == "__main__":
    for f in (tower_rotation, text_rotation, resize_weights, nearest, canvases, roi, masks, inventory):
        f()
    print(f"{len(BAD)} differences", BAD)
    sys.exit(1 if BAD else 0)
