"""Writing golden files: plain safetensors with sorted, 8-byte aligned tensors, and JSON."""

import json
import pathlib
import struct
import zlib

import numpy as np
import torch

TYPES = {
    np.dtype(np.float32): "F32",
    np.dtype(np.int32): "I32",
    np.dtype(np.int64): "I64",
    np.dtype(np.uint8): "U8",
}


def array(x):
    if isinstance(x, torch.Tensor):
        x = x.detach()
        x = (x.float() if x.is_floating_point() else x).cpu().numpy()
    x = np.asarray(x)
    if x.dtype == np.float64:
        x = x.astype(np.float32)
    return x if x.ndim == 0 else np.ascontiguousarray(x)


def save_tensors(path, tensors):
    """Widest types first, so that every tensor is aligned; the same input always gives the same bytes."""
    items = sorted(((k, array(v)) for k, v in tensors.items()), key=lambda kv: (-kv[1].dtype.itemsize, kv[0]))
    header, at = {}, 0
    for name, x in items:
        assert x.size and (x.dtype != np.float32 or np.isfinite(x).all()), name
        header[name] = {"dtype": TYPES[x.dtype], "shape": list(x.shape), "data_offsets": [at, at + x.nbytes]}
        at += x.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for _, x in items:
            f.write(x.astype(x.dtype.newbyteorder("<"), copy=False).tobytes())


def save_json(path, value):
    """A JSON object, one member a line; values are short or compact."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.dumps(k) + ": " + json.dumps(v, ensure_ascii=False) for k, v in value.items()]
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def crc32(x):
    return zlib.crc32(array(x).tobytes())


def save_rows(path, rows):
    """A JSON list, one element a line."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in rows) + "\n]\n")


def relative_rms(got, want):
    got, want = np.asarray(array(got), np.float64), np.asarray(array(want), np.float64)
    if got.shape != want.shape:
        return float("inf")
    return float(np.sqrt(((got - want) ** 2).mean()) / max(np.sqrt((want**2).mean()), 1e-30))
