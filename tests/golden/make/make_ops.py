"""python make_ops.py OUT: single operators with gradients in float32 (ops/f32) and with bf16 rounding (ops/bf16).

float32: inputs are float32; outputs and gradients are computed in double by the published functions and rounded to
float32, except where the published function fixes float32 arithmetic itself (roi_align, the rotary tables).
bf16: inputs are bf16 values; the seed of every case is chosen so that no exact value lies near the middle between two
bf16 values, so every implementation that sums in float32 and follows the rounding rules gives exactly these outputs.
"""

import pathlib
import sys

import numpy as np
import timm.layers
import timm.models.eva
import torch
import torch.nn.functional as F
import torchvision
from timm.layers.pos_embed_sincos import RotaryEmbeddingCat, apply_rot_embed_cat
from transformers import LlamaConfig
from transformers.models.llama import modeling_llama as llama
from transformers.models.perception_lm.modeling_perception_lm import PerceptionLMAdaptiveAvgPooling

import draw
import files
import reference

BF16 = torch.bfloat16
CASES, TENSORS = [], {}


def normal(case, name, shape, std=1.0, mean=0.0, seed=0):
    return torch.from_numpy(draw.draw(f"{case}.{name}", tuple(shape), 1000 + seed, mean, std))


def record(case, op, inputs, out, grads=None, dout=None, **attributes):
    CASES.append({"name": case, "op": op, **attributes})
    for name, x in inputs.items():
        TENSORS[f"{case}.in.{name}"] = x
    for name, x in (out.items() if isinstance(out, dict) else [("", out)]):
        TENSORS[f"{case}.out" + (f".{name}" if name else "")] = x
    if dout is not None:
        TENSORS[f"{case}.dout"] = dout
    for name, g in (grads or {}).items():
        TENSORS[f"{case}.grad.{name}"] = g


def case(name, op, inputs, f, extra=None, double=True, **attributes):
    """Runs f on the inputs (those in `extra` carry no gradient) forwards and backwards."""
    leaves = {k: (v.double() if double else v).requires_grad_() for k, v in inputs.items()}
    out = f(**leaves, **(extra or {}))
    dout = normal(name, "dout", out.shape)
    out.backward(dout.double() if double else dout)
    record(
        name,
        op,
        {**{k: v.detach().float() for k, v in leaves.items()}, **(extra or {})},
        out.detach().float(),
        {k: v.grad.float() for k, v in leaves.items()},
        dout,
        **attributes,
    )


def attend(q, k, v, causal, scale):
    """q [Sq,heads,d], k and v [Sk,kv,d]: query row i stands at position Sk - Sq + i."""
    group = q.shape[1] // k.shape[1]
    q, k, v = (
        q.transpose(0, 1),
        k.transpose(0, 1).repeat_interleave(group, 0),
        v.transpose(0, 1).repeat_interleave(group, 0),
    )
    s = q @ k.transpose(1, 2) * scale
    if causal:
        allowed = torch.ones(s.shape[1:], dtype=torch.bool).tril(s.shape[2] - s.shape[1])
        s = s.masked_fill(~allowed, -torch.inf)
    return (s.softmax(-1) @ v).transpose(0, 1)


def llama_config(head_dim, theta, rope):
    return LlamaConfig(
        hidden_size=head_dim * 2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=head_dim,
        rope_theta=theta,
        rope_scaling=rope,
        max_position_embeddings=11520,
    )


def llama3(factor, length, low=1.0, high=4.0):
    return {
        "rope_type": "llama3",
        "factor": float(factor),
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": length,
    }


ROPES = [  # head_dim, theta, scaling
    (64, 500000.0, None),
    (64, 500000.0, llama3(32, 8192)),
    (128, 500000.0, llama3(8, 8192)),
    (128, 500000.0, llama3(32, 8192)),
    (16, 500000.0, llama3(32, 64)),
    (32, 500000.0, llama3(8, 128)),
    (16, 10000.0, None),
    (64, 10000.0, llama3(4, 1024, 2.0, 8.0)),
]


def rope_tables():
    for i, (d, theta, rope) in enumerate(ROPES):
        e = llama.LlamaRotaryEmbedding(llama_config(d, theta, rope))
        position = torch.tensor([0, 1, 2, 77, 1000, 4095])
        cos, sin = e(torch.zeros(1), position[None])
        record(
            f"llama_inv_freq.{i}",
            "llama_inv_freq",
            {"position": position},
            {
                "inv_freq": e.inv_freq,
                "cos": cos[0, :, : d // 2].contiguous(),
                "sin": sin[0, :, : d // 2].contiguous(),
            },
            head_dim=d,
            rope_theta=theta,
            rope_scaling=rope,
        )
    for name, d, grid, ref, offset, rows in [
        ("large", 64, 32, 32, 1.0, [0, 5, 31, 32, 500, 1023]),
        ("gigantic", 96, 32, 32, 0.0, [0, 5, 31, 32, 500, 1023]),
        ("small", 16, 8, 8, 1.0, list(range(64))),
        ("rescaled", 24, 4, 8, 1.0, list(range(16))),
    ]:
        e = RotaryEmbeddingCat(
            d,
            in_pixels=False,
            feat_shape=[grid, grid],
            ref_feat_shape=[ref, ref],
            grid_offset=offset,
            grid_indexing="xy",
        )
        sin, cos = e.get_embed().tensor_split(2, -1)
        record(
            f"vit_rope_table.{name}",
            "vit_rope_table",
            {"patch": torch.tensor(rows)},
            {"sin": sin[rows], "cos": cos[rows]},
            head_dim=d,
            grid=grid,
            reference_grid=ref,
            offset=offset,
            theta=10000.0,
        )


def norms():
    for name, shape, std in [("wide", (7, 96), 1.5), ("odd", (3, 37), 1.0), ("faint", (4, 48), 2e-3)]:

        def inputs(c):
            return {
                "x": normal(c, "x", shape, std, std / 3),
                "weight": normal(c, "weight", shape[1:], 0.2, 1.0),
            }

        c = f"layer_norm.{name}"
        case(
            c,
            "layer_norm",
            {**inputs(c), "bias": normal(c, "bias", shape[1:], 0.2)},
            lambda x, weight, bias: F.layer_norm(x, (shape[1],), weight, bias, 1e-5),
            eps=1e-5,
        )
        c = f"rms_norm.{name}"
        case(
            c,
            "rms_norm",
            inputs(c),
            lambda x, weight: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight,
            eps=1e-5,
        )


def pointwise():
    x = torch.cat(
        [
            torch.tensor([0.0, -0.0, 1e-6, -1e-6, 0.5, -0.5, 5.5, -5.5, 9.0, -9.0, 30.0, -30.0]),
            normal("gelu", "x", (84,), 2.0),
        ]
    )
    case("gelu.erf", "gelu", {"x": x}, lambda x: F.gelu(x))
    # where the tanh approximation is far off, relatively
    case("gelu.tail", "gelu", {"x": torch.linspace(-5.25, -2.25, 49)}, lambda x: F.gelu(x))
    case(
        "silu_mul.swiglu",
        "silu_mul",
        {"gate": x.clone(), "up": normal("silu_mul", "up", x.shape)},
        lambda gate, up: F.silu(gate) * up,
    )
    case(
        "layer_scale.residual",
        "layer_scale_residual",
        {
            "x": normal("layer_scale", "x", (5, 24)),
            "gamma": normal("layer_scale", "gamma", (24,), 0.15, 0.65),
            "branch": normal("layer_scale", "branch", (5, 24)),
        },
        lambda x, gamma, branch: x + gamma * branch,
    )


def linears():
    for name, rows, n_in, n_out, bias in [
        ("bias", 5, 37, 29, True),
        ("plain", 3, 64, 70, False),
        ("one_row", 1, 96, 33, True),
    ]:
        c = f"linear.{name}"
        inputs = {"x": normal(c, "x", (rows, n_in)), "weight": normal(c, "weight", (n_out, n_in), n_in**-0.5)}
        if bias:
            inputs["bias"] = normal(c, "bias", (n_out,), 0.2)
        case(c, "linear", inputs, lambda x, weight, bias=None: F.linear(x, weight, bias))
    c = "conv.patch"
    case(
        c,
        "patch_conv",
        {"x": normal(c, "x", (1, 3, 28, 42)), "weight": normal(c, "weight", (5, 3, 14, 14), 588**-0.5)},
        lambda x, weight: F.conv2d(x, weight, stride=14).flatten(2).transpose(1, 2),
        patch=14,
    )
    c = "pool.mean2"
    case(
        c, "pool", {"x": normal(c, "x", (2, 36, 7))}, lambda x: PerceptionLMAdaptiveAvgPooling(2)(x), ratio=2
    )
    c = "embedding.rows"
    ids = torch.tensor([3, 0, 3, 8, 3, 1])
    case(
        c,
        "embedding",
        {"weight": normal(c, "weight", (9, 5))},
        lambda weight, ids: F.embedding(ids, weight),
        {"ids": ids},
    )


def attentions():
    for name, sq, sk, heads, kv, d, causal in [
        ("causal_gqa", 37, 37, 6, 2, 16, True),
        ("causal_mqa", 19, 19, 4, 1, 32, True),
        ("one_query", 1, 71, 6, 2, 16, True),
        ("chunk", 5, 70, 4, 2, 24, True),
        ("both_ways", 35, 35, 3, 3, 24, False),
        ("single", 1, 1, 2, 2, 8, True),
    ]:
        c = f"attention.{name}"
        case(
            c,
            "attention",
            {
                "q": normal(c, "q", (sq, heads, d), 1.7),
                "k": normal(c, "k", (sk, kv, d), 1.7),
                "v": normal(c, "v", (sk, kv, d)),
            },
            lambda q, k, v: attend(q, k, v, causal, d**-0.5),
            causal=causal,
            scale=d**-0.5,
        )


def rotations():
    for name, s, heads, d, first, rope in [
        ("half", 9, 3, 16, 0, llama3(32, 64)),
        ("far", 4, 2, 32, 1000, None),
    ]:
        c = f"llama_rope.{name}"
        e = llama.LlamaRotaryEmbedding(llama_config(d, 500000.0, rope))
        cos, sin = e(torch.zeros(1), torch.arange(first, first + s)[None])

        def turn(x):
            return llama.apply_rotary_pos_emb(
                x.transpose(0, 1)[None], x.transpose(0, 1)[None], cos.double(), sin.double()
            )[0][0].transpose(0, 1)

        case(
            c,
            "llama_rope",
            {"x": normal(c, "x", (s, heads, d))},
            turn,
            head_dim=d,
            first_position=first,
            rope_theta=500000.0,
            rope_scaling=rope,
        )
    for name, grid, heads, d, offset, prefix in [("large", 4, 2, 16, 1.0, 1), ("gigantic", 3, 2, 24, 0.0, 0)]:
        c = f"vit_rope.{name}"
        e = (
            RotaryEmbeddingCat(
                d,
                in_pixels=False,
                feat_shape=[grid, grid],
                ref_feat_shape=[grid, grid],
                grid_offset=offset,
                grid_indexing="xy",
            )
            .get_embed()
            .double()
        )

        def turn(x):
            x = x.transpose(0, 1)
            return torch.cat([x[:, :prefix], apply_rot_embed_cat(x[:, prefix:], e)], 1).transpose(0, 1)

        case(
            c,
            "vit_rope",
            {"x": normal(c, "x", (prefix + grid * grid, heads, d))},
            turn,
            head_dim=d,
            grid=grid,
            reference_grid=grid,
            offset=offset,
            prefix_rows=prefix,
            theta=10000.0,
        )


# Boxes in map cells (x1, y1, x2, y2), before spatial_scale.
ROIS = [
    ("inside", 9, 12, [2.3, 1.2, 8.9, 6.7], 1.0, 4),
    ("whole", 8, 8, [0.0, 0.0, 8.0, 8.0], 1.0, 4),
    ("point", 8, 12, [5.25, 3.5, 5.25, 3.5], 1.0, 4),
    ("column", 8, 12, [4.0, 1.0, 4.0, 7.0], 1.0, 4),
    ("edge", 6, 6, [4.0, 4.0, 6.0, 6.0], 1.0, 4),
    ("outside", 6, 7, [-4.0, 5.0, 3.0, 12.0], 1.0, 4),
    ("beyond", 5, 5, [7.5, 7.5, 9.0, 9.0], 1.0, 3),
    ("inverted", 6, 6, [4.0, 4.5, 1.5, 2.0], 1.0, 3),
    ("twice", 8, 16, [2.0, 1.0, 15.5, 7.9], 1.0 / 28, 4),
    ("large_grid", 16, 16, [1.1, 2.2, 13.3, 15.4], 1.0, 16),
    ("one_cell_map", 1, 1, [0.0, 0.0, 1.0, 1.0], 1.0, 2),
]


def rois():
    for name, h, w, box, scale, grid in ROIS:
        c = f"roi_align.{name}"
        channels = 2 if grid == 16 else 3
        box = torch.tensor(box)
        case(
            c,
            "roi_align",
            {"map": normal(c, "map", (channels, h, w))},
            lambda map, box: torchvision.ops.roi_align(
                map[None],
                torch.cat([torch.zeros(1), box])[None],
                (grid, grid),
                spatial_scale=scale,
                sampling_ratio=2,
                aligned=True,
            )[0],
            {"box": box},
            double=False,
            spatial_scale=scale,
            output=grid,
            sampling_ratio=2,
            aligned=True,
        )


def losses():
    c = "cross_entropy.mean"
    labels = torch.tensor([4, -100, 0, 30, 12, -100, 7])
    leaf = normal(c, "logits", (7, 31), 3.0).double().requires_grad_()
    loss = F.cross_entropy(leaf, labels)
    loss.backward()
    record(
        c,
        "cross_entropy",
        {"logits": leaf.detach().float(), "labels": labels},
        loss.detach().float().reshape(1),
        {"logits": leaf.grad.float()},
        ignore_index=-100,
        reduction="mean",
    )


def blocks():
    """A whole block of each kind, published modules in double, with the gradient of every weight."""
    for kind, grid, offset, prefix, dim, heads, ratio in [
        ("large", 2, 1.0, 1, 16, 2, 4.0),
        ("gigantic", 3, 0.0, 0, 24, 2, 8960 / 1536),
    ]:
        c = f"vit_block.{kind}"
        norm = lambda n: timm.layers.LayerNorm(n, eps=1e-5)
        block = timm.models.eva.EvaBlock(
            dim,
            heads,
            attn_type="rope",
            mlp_ratio=ratio,
            num_prefix_tokens=prefix,
            init_values=0.1,
            norm_layer=norm,
        ).double()
        rope = (
            RotaryEmbeddingCat(
                dim // heads,
                in_pixels=False,
                feat_shape=[grid, grid],
                ref_feat_shape=[grid, grid],
                grid_offset=offset,
                grid_indexing="xy",
            )
            .get_embed()
            .double()
        )
        module_case(
            c,
            "vit_block",
            block,
            (prefix + grid * grid, dim),
            lambda x: block(x[None], rope=rope)[0],
            heads=heads,
            grid=grid,
            offset=offset,
            prefix_rows=prefix,
            theta=10000.0,
            eps=1e-5,
        )
    rope = llama3(32, 16)
    config = LlamaConfig(
        hidden_size=24,
        intermediate_size=40,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        num_hidden_layers=1,
        rms_norm_eps=1e-5,
        rope_theta=500000.0,
        rope_scaling=rope,
        max_position_embeddings=512,
    )
    config._attn_implementation = "sdpa"
    layer = llama.LlamaDecoderLayer(config, 0).double()
    cos, sin = llama.LlamaRotaryEmbedding(config)(torch.zeros(1), torch.arange(11)[None])
    with reference.patched(llama.LlamaRMSNorm, forward=rms_double):
        module_case(
            "llama_layer.gqa",
            "llama_layer",
            layer,
            (11, 24),
            lambda x: layer(x[None], position_embeddings=(cos.double(), sin.double()))[0],
            heads=4,
            kv_heads=2,
            head_dim=8,
            rope_theta=500000.0,
            rope_scaling=rope,
            eps=1e-5,
        )


def rms_double(self, x):
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


def module_case(c, op, module, shape, f, **attributes):
    weights = dict(module.named_parameters())
    with torch.no_grad():
        for name, p in weights.items():
            p.copy_(torch.from_numpy(draw.draw(f"{c}.{name}", tuple(p.shape), 1000)))
    x = normal(c, "x", shape).double().requires_grad_()
    out = f(x)
    dout = normal(c, "dout", out.shape)
    out.backward(dout.double())
    inputs = {"x": x.detach().float(), **{k: p.detach().float() for k, p in weights.items()}}
    record(
        c,
        op,
        inputs,
        out.detach().float(),
        {"x": x.grad.float(), **{k: p.grad.float() for k, p in weights.items()}},
        dout,
        **attributes,
    )


# ---- bf16 ----


def clearance(exact, size=None):
    """Least distance of the exact values from a rounding boundary, relative to `size` (what the sum is made of)."""
    v = exact.double().abs().numpy().reshape(-1)
    size = v if size is None else size.double().abs().numpy().reshape(-1)
    ok = v > 0
    ulp = 2.0 ** (np.floor(np.log2(v[ok])) - 7)
    t = v[ok] / ulp
    return (
        float((np.abs(t - np.floor(t) - 0.5) * ulp / np.maximum(size[ok], 1e-30)).min()) if ok.any() else 1.0
    )


def bf(case, name, shape, std=1.0, mean=0.0, seed=0):
    return normal(case, name, shape, std, mean, seed).to(BF16)


def search(c, op, build, need=2e-6, **attributes):
    """Takes the first seed for which build(seed) -> (inputs, out, clearances) keeps clear of every boundary."""
    for seed in range(4000):
        inputs, out, clear = build(seed)
        if min(clear) > need:
            out = {k: v.float() for k, v in out.items()} if isinstance(out, dict) else out.float()
            record(
                c,
                op,
                {k: v.float() if v.is_floating_point() else v for k, v in inputs.items()},
                out,
                **attributes,
            )
            return
    raise RuntimeError(f"{c}: no seed keeps clear of the rounding boundaries")


def agree(published, exact):
    """The published bf16 function equals the once-rounded exact value."""
    assert torch.equal(published, exact.to(BF16)), (published.double() - exact).abs().max()


def bf16_norms():
    for name, shape, std in [("wide", (4, 64), 1.5), ("odd", (3, 37), 1.0), ("faint", (2, 48), 2e-3)]:

        def layer(seed):
            c = f"layer_norm.{name}"
            x, w, b = (
                bf(c, "x", shape, std, std / 3, seed),
                bf(c, "weight", shape[1:], 0.2, 1.0, seed),
                bf(c, "bias", shape[1:], 0.2, 0, seed),
            )
            exact = F.layer_norm(x.double(), (shape[1],), w.double(), b.double(), 1e-5)
            clear = clearance(exact, exact.abs() + b.double().abs() + 1)
            out = exact.to(BF16)
            if clear > 2e-6:
                agree(F.layer_norm(x, (shape[1],), w, b, 1e-5), exact)
            return {"x": x, "weight": w, "bias": b}, out, [clear]

        search(f"layer_norm.{name}", "layer_norm", layer, eps=1e-5)

        def rms(seed):
            c = f"rms_norm.{name}"
            x, w = bf(c, "x", shape, std, std / 3, seed), bf(c, "weight", shape[1:], 0.2, 1.0, seed)
            inner = x.double() * torch.rsqrt(x.double().pow(2).mean(-1, keepdim=True) + 1e-5)
            m = llama.LlamaRMSNorm(shape[1], 1e-5)
            m.weight.data = w
            out = m(x)
            clear = clearance(inner)
            if clear > 2e-6:
                assert torch.equal(out, w * inner.to(BF16))
            return {"x": x, "weight": w}, out.detach(), [clear]

        search(f"rms_norm.{name}", "rms_norm", rms, eps=1e-5)


def bf16_pointwise():
    def gelu(seed):
        x = torch.cat(
            [torch.tensor([0.0, 0.5, -0.5, 4.0, -2.0, 9.0]), normal("gelu", "x", (58,), 1.5, 0, seed)]
        ).to(BF16)
        exact = F.gelu(x.double())
        clear = clearance(exact, x.double().abs())
        if clear > 2e-6:
            agree(F.gelu(x), exact)
        return {"x": x}, exact.to(BF16), [clear]

    search("gelu.erf", "gelu", gelu)

    def swiglu(seed):
        gate, up = bf("silu_mul", "gate", (64,), 2.0, 0, seed), bf("silu_mul", "up", (64,), 1.0, 0, seed)
        inner = F.silu(gate.double())
        clear = clearance(inner)
        if clear > 2e-6:
            agree(F.silu(gate), inner)
        return {"gate": gate, "up": up}, inner.to(BF16) * up, [clear]

    search("silu_mul.swiglu", "silu_mul", swiglu)

    def residual(seed):
        c = "layer_scale"
        x, g, b = bf(c, "x", (4, 24)), bf(c, "gamma", (24,), 0.15, 0.65), bf(c, "branch", (4, 24))
        return {"x": x, "gamma": g, "branch": b}, x + g * b, [1.0]

    search("layer_scale.residual", "layer_scale_residual", residual)
    search(
        "add.residual",
        "add",
        lambda seed: ({"x": (x := bf("add", "x", (60,))), "y": (y := bf("add", "y", (60,)))}, x + y, [1.0]),
    )


def bf16_linears():
    for name, rows, n_in, n_out, has_bias in [
        ("bias", 4, 37, 21, True),
        ("plain", 3, 64, 24, False),
        ("one_row", 1, 96, 33, True),
    ]:

        def build(seed):
            c = f"linear.{name}"
            x, w = bf(c, "x", (rows, n_in), 1, 0, seed), bf(c, "weight", (n_out, n_in), n_in**-0.5, 0, seed)
            b = bf(c, "bias", (n_out,), 0.2, 0, seed) if has_bias else None
            exact = F.linear(x.double(), w.double(), b.double() if has_bias else None)
            size = F.linear(x.double().abs(), w.double().abs(), b.double().abs() if has_bias else None)
            clear = clearance(exact, size)
            if clear > 1e-6:
                agree(F.linear(x, w, b), exact)
            return {"x": x, "weight": w, **({"bias": b} if has_bias else {})}, exact.to(BF16), [clear]

        search(f"linear.{name}", "linear", build, 1e-6)

    def conv(seed):
        x, w = bf("conv", "x", (1, 3, 14, 28), 1, 0, seed), bf(
            "conv", "weight", (6, 3, 14, 14), 588**-0.5, 0, seed
        )
        exact = F.conv2d(x.double(), w.double(), stride=14)
        size = F.conv2d(x.double().abs(), w.double().abs(), stride=14)
        clear = clearance(exact, size)
        rows = lambda t: t.flatten(2).transpose(1, 2).contiguous()
        if clear > 1e-6:
            agree(F.conv2d(x, w, stride=14), exact)
        return {"x": x, "weight": w}, rows(exact.to(BF16)), [clear]

    search("conv.patch", "patch_conv", conv, 1e-6, patch=14)

    def pool(seed):
        x = bf("pool", "x", (1, 36, 5), 1, 0, seed)
        pick = PerceptionLMAdaptiveAvgPooling(2)
        exact, size = pick(x.double()), pick(x.double().abs())
        clear = clearance(exact, size)
        # four bf16 values often sum to an exact middle, where rounding to even is right for everyone
        out = pick(x)
        assert torch.equal(out, pick(x.float()).to(BF16))
        return {"x": x}, out, [1.0]

    search("pool.mean2", "pool", pool, ratio=2)


def bf16_attention():
    for name, sq, sk, heads, kv, d, causal in [
        ("causal_gqa", 9, 9, 6, 2, 16, True),
        ("one_query", 1, 40, 4, 2, 16, True),
        ("both_ways", 10, 10, 2, 2, 24, False),
    ]:

        def build(seed):
            c = f"attention.{name}"
            q, k, v = (
                bf(c, "q", (sq, heads, d), 1.2, 0, seed),
                bf(c, "k", (sk, kv, d), 1.2, 0, seed),
                bf(c, "v", (sk, kv, d), 1, 0, seed),
            )
            exact = attend(q.double(), k.double(), v.double(), causal, d**-0.5)
            return {"q": q, "k": k, "v": v}, exact.to(BF16), [clearance(exact, torch.ones_like(exact))]

        search(f"attention.{name}", "attention", build, 1.5e-6, causal=causal, scale=d**-0.5)


def bf16_rotations():
    for name, s, heads, d, first, rope in [
        ("half", 7, 2, 16, 0, llama3(32, 64)),
        ("later", 3, 2, 32, 30, None),
    ]:
        e = llama.LlamaRotaryEmbedding(llama_config(d, 500000.0, rope))

        def build(seed):
            c = f"llama_rope.{name}"
            x = bf(c, "x", (s, heads, d), 1, 0, seed)
            start = first + seed  # the seed moves the positions, so that cos and sin keep clear too
            position = torch.arange(start, start + s)
            cos, sin = e(x, position[None])
            angle = position[:, None].double() * e.inv_freq.double()
            out = llama.apply_rotary_pos_emb(x.transpose(0, 1)[None], x.transpose(0, 1)[None], cos, sin)[0][
                0
            ].transpose(0, 1)
            one = torch.ones_like(angle)
            far = 1 + angle  # float32 angles err in proportion to their size
            return (
                {"x": x, "position": position},
                {"": out.contiguous()},
                [
                    clearance(angle.cos(), far * one),
                    clearance(angle.sin(), far * angle.sin().abs().clamp(min=1e-3)),
                ],
            )

        search(
            f"llama_rope.{name}",
            "llama_rope",
            build,
            2e-7,
            head_dim=d,
            rope_theta=500000.0,
            rope_scaling=rope,
        )
    for name, grid, heads, d, offset, prefix in [("large", 3, 2, 16, 1.0, 1), ("gigantic", 3, 1, 24, 0.0, 0)]:
        e = RotaryEmbeddingCat(
            d,
            in_pixels=False,
            feat_shape=[grid, grid],
            ref_feat_shape=[grid, grid],
            grid_offset=offset,
            grid_indexing="xy",
        ).get_embed()

        def build(seed):
            c = f"vit_rope.{name}"
            x = bf(c, "x", (prefix + grid * grid, heads, d), 1, 0, seed)
            y = x.transpose(0, 1)
            turned = (
                torch.cat([y[:, :prefix], apply_rot_embed_cat(y[:, prefix:], e)], 1)
                .type_as(x)
                .transpose(0, 1)
            )
            exact = apply_rot_embed_cat(y[:, prefix:].double(), e.double())
            size = apply_rot_embed_cat(y[:, prefix:].double(), e.double()).abs() + 1
            return {"x": x}, turned.contiguous(), [clearance(exact, size)]

        search(
            f"vit_rope.{name}",
            "vit_rope",
            build,
            5e-7,
            head_dim=d,
            grid=grid,
            reference_grid=grid,
            offset=offset,
            prefix_rows=prefix,
            theta=10000.0,
        )


def bf16_rois():
    for name, h, w, box, scale, grid in ROIS:
        if name not in ("inside", "twice", "outside"):
            continue

        def build(seed):
            c = f"roi_align.{name}"
            m = bf(c, "map", (3, h, w), 1, 0, seed)
            b = torch.tensor(box)
            out = torchvision.ops.roi_align(
                m[None].float(),
                torch.cat([torch.zeros(1), b])[None],
                (grid, grid),
                spatial_scale=scale,
                sampling_ratio=2,
                aligned=True,
            )[0]
            return {"map": m, "box": b}, out.to(BF16), [clearance(out, torch.ones_like(out))]

        search(
            f"roi_align.{name}",
            "roi_align",
            build,
            1e-6,
            spatial_scale=scale,
            output=grid,
            sampling_ratio=2,
            aligned=True,
        )


def flush(out_dir, name):
    files.save_tensors(out_dir / f"{name}.safetensors", TENSORS)
    listed = list(CASES)
    print(
        f"{name}: {len(listed)} cases, {(out_dir / f'{name}.safetensors').stat().st_size} bytes", flush=True
    )
    CASES.clear()
    TENSORS.clear()
    return listed


def main():
    out_dir = pathlib.Path(sys.argv[1]) / "ops"
    for f in (rope_tables, norms, pointwise, linears, attentions, rotations, rois, losses, blocks):
        f()
    listed = {"f32": flush(out_dir, "f32")}
    for f in (bf16_norms, bf16_pointwise, bf16_linears, bf16_attention, bf16_rotations, bf16_rois):
        f()
    listed["bf16"] = flush(out_dir, "bf16")
    text = ",\n".join(
        f'"{kind}": [\n' + ",\n".join(files.json.dumps(r) for r in rows) + "\n]"
        for kind, rows in listed.items()
    )
    (out_dir / "ops.json").write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
