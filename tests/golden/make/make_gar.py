"""python make_gar.py OUT [case ...]: golden models and cases under OUT/gar."""

import pathlib
import sys

import numpy as np
import torch

import cases
import files
import prompts
import reference

# What follows exactly from other stored tensors is stored in a few cases only (the JSON has check sums of the rest).
STORED_MASKS = {"g-pixel-paper", "l-two-overlap-released", "g-mask-bicubic", "r-single-released"}
TEXT_TAP_ROWS = 16


def profile_of(c):
    src = cases.source(c)
    return {**reference.PROFILES[src["profile"]], **src["switches"]}


def ids_of(c, gar, tokenizer, profile):
    """Prompt text and ids of a case for the canvas its picture gets."""
    src = cases.source(c)
    per_tile = gar.tokens_per_tile()
    canvas = gar.canvas(*src["size"], src["max_tiles"]) if src["size"] else None
    images = per_tile * (canvas[0] * canvas[1] + 1) if canvas else 0
    rendered = prompts.chat(cases.messages_of(src, gar.grasp["replay_grid"] ** 2))
    return canvas, rendered, prompts.encode(tokenizer, rendered, images, profile["double_bos"])


def model_of(c, **more):
    seed, config = cases.MODELS[c["model"]]
    return reference.Gar(config, seed, c["numerics"], **more)


def run(c, gar, tokenizer, **more):
    """-> canvas, rendered prompt, ids, tensors."""
    src, profile = cases.source(c), profile_of(c)
    canvas, rendered, ids = ids_of(c, gar, tokenizer, profile)
    out = gar.run(
        cases.image_of(src), cases.masks_of(src), ids, profile, src["max_tiles"], steps=c["steps"], **more
    )
    return canvas, rendered, ids, out


def noise_of(c, gar, tokenizer, out):
    """How far the compared tensors move when the same path is summed in another way: a measure of what rounding alone
    does. f32: sums in double; bf16: sums in float32 (the same rounding points)."""
    kind = dict(linear=one_linear, conv2d=one_conv, scaled_dot_product_attention=one_attention)
    other = model_of(c, exact=c["numerics"] == "f32")
    if c["numerics"] == "bf16":
        with reference.patched(torch.nn.functional, **kind):
            again = run(c, other, tokenizer, forced=out["greedy"])[3]
    else:
        again = run(c, other, tokenizer, forced=out["greedy"])[3]
    keys = [k for k in again if out[k].dtype == torch.float32]
    return {k: float("%.2g" % files.relative_rms(again[k], out[k])) for k in sorted(keys)}


def one_linear(x, weight, bias=None):
    y = x.float() @ weight.float().t()
    return (y if bias is None else y + bias.float()).to(x.dtype)


def one_conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return reference._conv2d(x.float(), weight.float(), None, stride, padding, dilation, groups).to(x.dtype)


def one_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    group = query.shape[1] // key.shape[1]
    k, v = [t.float().repeat_interleave(group, 1) for t in (key, value)]
    return torch._C._nn.scaled_dot_product_attention(
        query.float(), k, v, attn_mask, 0.0, is_causal, scale=scale
    ).to(query.dtype)


def margin_of(logits):
    top = np.sort(files.array(logits), axis=-1)
    return float("%.3g" % (top[:, -1] - top[:, -2]).min())


def make(c, out_dir, tokenizer):
    src, profile = cases.source(c), profile_of(c)
    gar = model_of(c)
    canvas, rendered, ids, out = run(c, gar, tokenizer, taps=c["taps"])
    noise = noise_of(c, gar, tokenizer, out)
    tensors = dict(out)
    inputs = {"pixel_values"} | ({"tile_pixels", "plane", "mask_values"} if c["inputs"] else set())
    if c["name"] not in STORED_MASKS:
        inputs |= {"mask_values", "plane"}
    if not c["embeds"]:
        inputs.add("inputs_embeds")
    if not c["embeds"] and not c["inputs"]:
        inputs.add("vision_features")
    sums = {
        k: files.crc32(out[k]) for k in ("tile_pixels", "plane", "mask_values", "pixel_values") if k in out
    }
    for name in inputs:
        tensors.pop(name, None)
    if not c["inputs"]:
        if src["size"]:
            tensors["image"] = cases.image_of(src)
        tensors["input_ids"] = np.array(ids, np.int64)
    for name in tensors:  # the thumbnail, or the last rows of the prompt, are enough to find a wrong block
        if name.startswith("tap.vision"):
            tensors[name] = tensors[name][:1]
        elif name.startswith("tap.text"):
            tensors[name] = tensors[name][0, -TEXT_TAP_ROWS:]
    regions = [
        {
            "prompt": p,
            "size": list(m.shape),
            "counts": reference.rle_encode(m),
            "box": [float(v) for v in gar.box(m, profile["bbox"] == "inclusive")],
        }
        for p, m in (cases.masks_of(src) if src["size"] else [])
    ]
    files.save_tensors(out_dir / f"{c['name']}.safetensors", tensors)
    files.save_json(
        out_dir / f"{c['name']}.json",
        {
            "model": c["model"],
            "config": f"{c['model']}/config.json",
            "seed": cases.MODELS[c["model"]][0],
            "numerics": c["numerics"],
            "profile": src["profile"],
            **profile,
            "max_num_tiles": src["max_tiles"],
            "image_size": list(src["size"]) if src["size"] else None,
            "canvas": list(canvas) if canvas else None,
            "regions": regions,
            "system": src["system"],
            "user": cases.text_of(src, gar.grasp["replay_grid"] ** 2),
            "rendered": rendered,
            "prompt_length": len(ids),
            "steps": c["steps"],
            "crc32": sums,
            "file": f"{c['name']}.safetensors",
            "inputs": f"{c['inputs'] or c['name']}.safetensors",
            "least_top2_margin": margin_of(out["logits"]),
            "rounding_noise": noise,
        },
    )
    size = (out_dir / f"{c['name']}.safetensors").stat().st_size
    print(
        f"{c['name']}: canvas {canvas} S {len(ids)} {size} bytes, noise of logits {noise['logits']}, margin {margin_of(out['logits'])}",
        flush=True,
    )


def main():
    out_dir = pathlib.Path(sys.argv[1]) / "gar"
    wanted = sys.argv[2:]
    tokenizer = prompts.byte_tokenizer()
    for name, (seed, config) in cases.MODELS.items():
        files.save_json(out_dir / name / "config.json", config)
        gar = reference.Gar(config, seed)
        files.save_rows(
            out_dir / name / "tensors.json",
            [
                {
                    "name": n,
                    "shape": list(p.shape),
                    "sum": float("%.9g" % p.double().sum()),
                    "first": float(p.reshape(-1)[0]),
                }
                for n, p in gar.tensors.items()
            ],
        )
    for c in cases.CASES:
        if not wanted or c["name"] in wanted:
            make(c, out_dir, tokenizer)


if __name__ == "__main__":
    main()
