"""python mistakes.py OUT: applies deliberate mistakes one by one and measures how far the golden tensors move.

Writes OUT/gar/mistakes.json: for each mistake the case and tensor that shows it best, and by how many tolerances
(relative RMS 1e-5, for logits 1e-4) that tensor moved. Every mistake must move a compared tensor by over 100.
The golden files of OUT are what is compared with, so this also shows that an unspoilt run reproduces them.
"""

import contextlib
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from timm.layers import AttentionRope
from timm.layers.pos_embed_sincos import RotaryEmbeddingCat, apply_rot_embed_cat
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as V
import torchvision
from transformers.models.llama import modeling_llama as llama
from transformers.models.perception_lm.modeling_perception_lm import PerceptionLMMultiModalProjector

import cases
import files
import make_gar
import prompts
import reference
from reference import patched

MISTAKES = []
WANTED = 100.0


def tolerance(tensor):
    return 1e-4 if tensor == "logits" else 1e-5


def mistake(name, case, what):
    """Registers a mistake: a generator function that spoils a Gar, yields while it runs, and mends what is shared."""

    def register(f):
        MISTAKES.append((name, case, what, contextlib.contextmanager(f)))
        return f

    return register


def spoil(name, case, what, f):
    """A mistake that only changes the one Gar object."""

    def run(gar):
        f(gar)
        yield

    mistake(name, case, what)(run)


# ---- pictures ----


def interpolating(mode, antialias):
    def f(gar):
        tile = gar.grasp["tile_size"]

        def resize(image, max_tiles, resample):
            if resample != InterpolationMode.BICUBIC:
                return type(gar).resize(gar, image, max_tiles, resample)
            w, h = gar.canvas(image.shape[-1], image.shape[-2], max_tiles)
            return V.resize(image, (h * tile, w * tile), interpolation=mode, antialias=antialias), (w, h)

        gar.resize = resize

    return f


def pillow_nearest(gar):
    tile = gar.grasp["tile_size"]

    def resize(image, max_tiles, resample):
        if resample != InterpolationMode.NEAREST:
            return type(gar).resize(gar, image, max_tiles, resample)
        w, h = gar.canvas(image.shape[-1], image.shape[-2], max_tiles)
        return V.resize(image, (h * tile, w * tile), interpolation=InterpolationMode.NEAREST_EXACT), (w, h)

    gar.resize = resize


def through_bytes(gar):
    """Vertical pass first, and rounded to bytes between the passes."""
    tile = gar.grasp["tile_size"]

    def resize(image, max_tiles, resample):
        if resample != InterpolationMode.BICUBIC:
            return type(gar).resize(gar, image, max_tiles, resample)
        w, h = gar.canvas(image.shape[-1], image.shape[-2], max_tiles)
        half = V.resize(image, (h * tile, image.shape[-1]), interpolation=InterpolationMode.BICUBIC)
        return V.resize(half, (h * tile, w * tile), interpolation=InterpolationMode.BICUBIC), (w, h)

    gar.resize = resize


def column_major(gar):
    def tiles(image, max_tiles, resample=InterpolationMode.BICUBIC):
        pixels, (w, h) = type(gar).tiles(gar, image, max_tiles, resample)
        order = [0] + [1 + r * w + c for c in range(w) for r in range(h)]
        return pixels[order], (w, h)

    gar.tiles = tiles


spoil(
    "bicubic_not_antialiased",
    "l-single-released",
    "bicubic with a = -0.75 and four taps",
    interpolating(InterpolationMode.BICUBIC, False),
)
spoil(
    "bilinear_for_bicubic",
    "l-single-released",
    "antialiased bilinear",
    interpolating(InterpolationMode.BILINEAR, True),
)
spoil("bytes_between_passes", "l-single-released", "rounded to bytes between the two passes", through_bytes)
spoil(
    "normalise_127",
    "l-single-released",
    "(x - 127) / 127.5",
    lambda g: setattr(g, "normalise", lambda p: (p.float() - 127) / 127.5),
)
spoil(
    "channels_reversed",
    "l-single-released",
    "BGR for RGB",
    lambda g: setattr(g, "normalise", lambda p: type(g).normalise(g, p.flip(1))),
)
spoil(
    "thumbnail_last",
    "l-single-released",
    "tiles, then thumbnail",
    lambda g: setattr(g, "order", lambda a, b: torch.cat([b, a])),
)
spoil("tiles_column_major", "g-mask-bicubic", "tiles down the columns", column_major)

# ---- masks ----

spoil("nearest_as_pillow", "l-two-overlap-released", "NEAREST with half-pixel centres", pillow_nearest)
spoil(
    "mask_nearest_for_bicubic",
    "g-mask-bicubic",
    "NEAREST where the profile says bicubic",
    lambda g: setattr(g, "mask_values", lambda p, n, r: type(g).mask_values(g, p, n, "nearest")),
)
spoil(
    "mask_bicubic_for_nearest",
    "r-single-released",
    "bicubic where the profile says NEAREST",
    lambda g: setattr(g, "mask_values", lambda p, n, r: type(g).mask_values(g, p, n, "bicubic")),
)
spoil("mask_term_dropped", "l-single-released", "no mask embedding", lambda g: unhook(g))
spoil(
    "mask_inverted",
    "l-single-released",
    "background counts as prompted",
    lambda g: setattr(g, "binary", lambda v: 1 - type(g).binary(g, v)),
)
spoil(
    "mask_plane_not_restored",
    "l-single-released",
    "the normalised plane read as v * 255",
    lambda g: setattr(g, "binary", lambda v: (torch.clamp(torch.round(v * 255), 0, 5) != 5).to(v.dtype)),
)
spoil(
    "mask_as_prompt_id",
    "l-two-overlap-released",
    "prompt id + 1 instead of 1",
    lambda g: setattr(
        g,
        "binary",
        lambda v: (lambda i: torch.where(i == 5, 0, i + 1).to(v.dtype))(
            torch.clamp(torch.round((v + 1) / 2 * 255), 0, 5)
        ),
    ),
)
spoil(
    "mask_one_channel",
    "l-single-released",
    "the mask in the first channel only",
    lambda g: setattr(g, "binary", lambda v: type(g).binary(g, v) * torch.tensor([1.0, 0, 0])[:, None, None]),
)
spoil(
    "last_painted_wins",
    "l-two-overlap-released",
    "later regions paint over earlier ones",
    lambda g: setattr(g, "paint", lambda r, h, w: type(g).paint(g, r[::-1], h, w)),
)


def unhook(gar):
    gar.tower.patch_embed._forward_hooks.clear()


# ---- tower ----


def table(**changes):
    def f(gar):
        r = gar.tower.rope
        args = dict(
            in_pixels=False,
            feat_shape=r.feat_shape,
            ref_feat_shape=r.ref_feat_shape,
            grid_offset=r.grid_offset,
            grid_indexing=r.grid_indexing,
            temperature=r.temperature,
        )
        gar.tower.rope = RotaryEmbeddingCat(r.dim, **{**args, **changes})

    return f


def class_turned(gar):
    e = gar.tower.rope.pos_embed
    gar.tower.rope.pos_embed = torch.cat([e[:1], e])
    for b in gar.tower.blocks:
        b.attn.num_prefix_tokens = 0


@mistake("vit_rope_half_split", "l-single-paper", "first half against second half instead of adjacent pairs")
def half_split(gar):
    import timm.layers.attention as module

    def turn(x, emb):
        sin, cos = emb.tensor_split(2, -1)
        sin, cos = [torch.cat([t[..., ::2], t[..., ::2]], -1) for t in (sin, cos)]
        return x * cos + llama.rotate_half(x) * sin

    with patched(module, apply_rot_embed_cat=turn):
        yield


@mistake("vit_rope_on_v", "l-single-paper", "v rotated too")
def rope_on_v(gar):
    forward = AttentionRope.forward

    def spoilt(self, x, rope=None, attn_mask=None):
        sdpa = F.scaled_dot_product_attention

        def with_v(q, k, v, **kw):
            n = self.num_prefix_tokens
            return sdpa(q, k, torch.cat([v[:, :, :n], apply_rot_embed_cat(v[:, :, n:], rope)], 2), **kw)

        with patched(F, scaled_dot_product_attention=with_v):
            return forward(self, x, rope, attn_mask)

    with patched(AttentionRope, forward=spoilt):
        yield


def reorder_qkv(change):
    def f(gar):
        for b in gar.tower.blocks:
            heads = b.attn.num_heads
            for p in (b.attn.qkv.weight, b.attn.qkv.bias):
                p.data = change(p.data, heads)

    return f


def per_head(p, heads):
    x = p.reshape(heads, 3, -1, *p.shape[1:])
    return x.transpose(0, 1).reshape(p.shape).contiguous()


def thirds(a, b, c):
    return lambda p, heads: torch.cat([p.chunk(3)[i] for i in (a, b, c)])


def layer_scale_dropped(gar):
    for b in gar.tower.blocks:
        b.gamma_1 = b.gamma_2 = None


def layer_scales_swapped(gar):
    for b in gar.tower.blocks:
        b.gamma_1, b.gamma_2 = b.gamma_2, b.gamma_1


@mistake("vit_attention_scale", "g-single-paper", "embed_dim^-0.5 instead of head_dim^-0.5")
def vit_scale(gar):
    sdpa, dim = F.scaled_dot_product_attention, gar.tower.embed_dim

    def wrong(q, k, v, **kw):
        if "enable_gqa" in kw or kw.get("scale") is not None:
            return sdpa(q, k, v, **kw)
        return sdpa(q, k, v, scale=dim**-0.5, **kw)

    with patched(F, scaled_dot_product_attention=wrong):
        yield


def class_last(gar):
    """The class row is put last, position rows unchanged."""
    model = gar.lm.model

    def features(pixel_values):
        x = model.vision_tower(pixel_values.flatten(0, 1)).last_hidden_state
        return model.multi_modal_projector(x[:, :-1])

    model.get_image_features = features


spoil(
    "vit_rope_axes_swapped", "l-single-paper", "y in the first half of the angles", table(grid_indexing="ij")
)
spoil(
    "vit_rope_offset_0_for_1",
    "l-single-paper",
    "patch coordinates from 0 (shows against the class row only)",
    table(grid_offset=0.0),
)
spoil("vit_rope_theta", "l-single-paper", "theta 100 for 10000", table(temperature=100))
spoil("vit_rope_missing", "l-single-paper", "no rotation", lambda g: setattr(g.tower, "rope", None))
spoil("class_token_rotated", "l-single-paper", "the class row turned like the first patch", class_turned)
spoil("class_row_kept", "l-single-paper", "the last row dropped instead of the class row", class_last)
spoil(
    "qkv_order_kqv",
    "l-single-paper",
    "rows of the fused linear read as k, q, v",
    reorder_qkv(thirds(1, 0, 2)),
)
spoil(
    "qkv_order_qvk",
    "l-single-paper",
    "rows of the fused linear read as q, v, k",
    reorder_qkv(thirds(0, 2, 1)),
)
spoil("qkv_per_head", "l-single-paper", "rows read head by head (head, which, i)", reorder_qkv(per_head))
spoil("layer_scale_dropped", "l-single-paper", "no layer scale", layer_scale_dropped)
spoil("layer_scales_swapped", "g-single-paper", "gamma_1 and gamma_2 exchanged", layer_scales_swapped)
spoil(
    "tower_final_norm",
    "g-single-paper",
    "a plain LayerNorm after the last block",
    lambda g: setattr(g.tower, "norm", torch.nn.LayerNorm(g.tower.embed_dim, eps=1e-5)),
)
spoil(
    "norm_pre_dropped",
    "l-single-paper",
    "no norm before the blocks",
    lambda g: setattr(g.tower, "norm_pre", torch.nn.Identity()),
)
spoil(
    "position_table_shifted",
    "l-single-paper",
    "position row of the class token last instead of first",
    lambda g: setattr(g.tower.pos_embed, "data", g.tower.pos_embed.data.roll(-1, 1)),
)
spoil(
    "patch_kernel_transposed",
    "g-single-paper",
    "rows and columns of the patch kernel exchanged",
    lambda g: setattr(
        g.tower.patch_embed.proj.weight,
        "data",
        g.tower.patch_embed.proj.weight.data.transpose(2, 3).contiguous(),
    ),
)
spoil(
    "last_block_dropped",
    "g-single-paper",
    "one block fewer",
    lambda g: setattr(g.tower, "blocks", g.tower.blocks[:-1]),
)


@mistake("mask_after_norm_pre", "l-single-paper", "mask term added after position table and norm_pre")
def mask_late(gar):
    unhook(gar)
    gar.tower.norm_pre.register_forward_hook(
        lambda m, i, o: torch.cat(
            [o[:, : -gar.mask_term.shape[1]], o[:, -gar.mask_term.shape[1] :] + gar.mask_term], 1
        )
    )
    yield


# ---- projector ----


@mistake("pool_before_projector", "l-single-released", "mean of the tower rows, then the two linears")
def pool_first(gar):
    def forward(self, x):
        return self.linear_2(self.gelu(self.linear_1(self.pooling(x))))

    with patched(PerceptionLMMultiModalProjector, forward=forward):
        yield


@mistake("pool_of_neighbours_in_row", "g-single-paper", "mean of four consecutive rows instead of 2x2 cells")
def pool_rows(gar):
    gar.lm.model.multi_modal_projector.pooling = Grouped()
    yield


@mistake("pool_max", "g-single-paper", "maximum of 2x2 cells")
def pool_max(gar):
    with patched(F, adaptive_avg_pool2d=lambda x, shape: F.max_pool2d(x, x.shape[-1] // shape[0])):
        yield


class Grouped(torch.nn.Module):
    def forward(self, x):
        return x.unflatten(1, (-1, 4)).mean(2)


# ---- replay ----


def roi_with(change):
    """change(args of roi_align) -> args."""

    def f(gar):
        def roi_align(x, rois, grid, scale):
            args = dict(
                input=x,
                boxes=rois,
                output_size=(grid, grid),
                spatial_scale=scale,
                sampling_ratio=2,
                aligned=True,
            )
            return torchvision.ops.roi_align(**{**args, **change(args)})

        gar.roi_align = roi_align

    return f


def place_shifted(gar):
    def place(embeds, at, rows):
        embeds[int(at[0]) + 1 : int(at[-1]) + 2] = rows

    gar.place = place


def profile(**changes):
    """The switches of another profile."""

    def f(gar):
        run = gar.run
        gar.run = lambda image, regions, ids, p, *a, **k: run(image, regions, ids, {**p, **changes}, *a, **k)

    return f


def merge_wrong(gar):
    def merge(features, canvas):
        w, h = canvas
        side = int(features.shape[1] ** 0.5)
        x = features[1:].reshape(w, h, side, side, -1)
        return x.permute(4, 1, 2, 0, 3).reshape(features.shape[2], h * side, w * side)

    gar.merge = merge


def merge_cells(gar):
    def merge(features, canvas):
        w, h = canvas
        side = int(features.shape[1] ** 0.5)
        x = features[1:].reshape(h, w, side, side, -1)
        return x.permute(4, 0, 3, 1, 2).reshape(features.shape[2], h * side, w * side)

    gar.merge = merge


def rows_transposed(gar):
    gar.roi = lambda m, b, mode: (
        lambda r: r.unflatten(0, (gar.grasp["replay_grid"],) * 2).transpose(0, 1).flatten(0, 1)
    )(type(gar).roi(gar, m, b, mode))


def contiguous_crops(gar):
    replay = gar.replay

    def wrong(ids, embeds, features, canvas, boxes, mode):
        gar.crop_ids = [c for i, c in enumerate(gar.config["crop_tokens_ids"]) if c == 260 + i]
        out, rows = replay(ids, embeds, features, canvas, boxes, mode)
        gar.crop_ids = gar.config["crop_tokens_ids"]
        for c in gar.crop_ids:
            at = ids == c
            if at.any() and c not in rows:
                rows[c] = embeds[at]
        return out, rows

    gar.replay = wrong


def no_replay(gar):
    replay = gar.replay
    gar.replay = lambda ids, embeds, *a: (embeds, {c: embeds[ids == c] for c in replay(ids, embeds, *a)[1]})


spoil("wrong_box_last_for_own", "l-five-paper", "every region gets the last box", profile(multi_bbox="last"))
spoil(
    "wrong_box_own_for_last",
    "l-wide-released",
    "own boxes where the released code leaks the last",
    profile(multi_bbox="own"),
)
spoil(
    "roi_scaled_once",
    "l-wide-released",
    "map coordinates where the released code scales twice",
    profile(roi_mode="paper"),
)
spoil(
    "roi_scaled_twice",
    "l-five-paper",
    "scaled twice where the paper scales once",
    profile(roi_mode="released"),
)
spoil("box_inclusive", "l-single-paper", "inclusive for exclusive", profile(bbox="inclusive"))
spoil("box_exclusive", "r-pixel-inclusive", "exclusive for inclusive", profile(bbox="exclusive"))
spoil("roi_not_aligned", "l-single-paper", "no half-cell shift", roi_with(lambda a: dict(aligned=False)))
spoil("roi_sampling_1", "l-single-paper", "one sample a cell", roi_with(lambda a: dict(sampling_ratio=1)))
spoil(
    "roi_axes_swapped",
    "l-single-paper",
    "x and y of the box exchanged",
    roi_with(lambda a: dict(boxes=a["boxes"][:, [0, 2, 1, 4, 3]])),
)
spoil(
    "roi_pool_max",
    "g-single-paper",
    "RoI max pooling",
    lambda g: setattr(g, "roi_align", lambda x, r, n, s: torchvision.ops.roi_pool(x, r, (n, n), s)),
)
spoil(
    "roi_minimum_size",
    "g-pixel-paper",
    "boxes narrower than a cell made one cell wide",
    roi_with(
        lambda a: dict(
            boxes=torch.cat([a["boxes"][:, :3], torch.maximum(a["boxes"][:, 3:], a["boxes"][:, 1:3] + 1)], 1)
        )
    ),
)
spoil("merge_tiles_column_major", "g-mask-bicubic", "tile index = column * h + row", merge_wrong)
spoil("merge_cells_transposed", "l-five-paper", "rows and columns exchanged inside each tile", merge_cells)
spoil(
    "merge_thumbnail_included",
    "l-single-paper",
    "the map begins with the thumbnail",
    lambda g: setattr(g, "merge", lambda f, c: type(g).merge(g, torch.cat([f[:1], f[:-1]]), c)),
)
spoil("replay_transposed", "l-single-paper", "replay rows column-major", rows_transposed)
spoil("replay_rows_shifted", "l-single-paper", "written one position late", place_shifted)
spoil("replay_missing", "l-single-released", "crop tokens keep their embeddings", no_replay)
spoil("crop_ids_contiguous", "l-five-paper", "crop id computed as 260 + prompt", contiguous_crops)

# ---- text ----


@mistake("double_bos_missing", "l-two-overlap-released", "one begin-of-text token")
def one_bos(gar):
    run = gar.run
    gar.run = lambda image, regions, ids, *a, **k: run(image, regions, ids[1:], *a, **k)
    yield


@mistake("kv_head_modulo", "l-single-paper", "query head h reads kv head h % kv")
def kv_modulo(gar):
    sdpa = F.scaled_dot_product_attention

    def wrong(q, k, v, **kw):
        if kw.pop("enable_gqa", False) or q.shape[1] != k.shape[1]:
            n = q.shape[1] // k.shape[1]
            k, v = k.repeat(1, n, 1, 1), v.repeat(1, n, 1, 1)
        return sdpa(q, k, v, **kw)

    with patched(F, scaled_dot_product_attention=wrong):
        yield


def text_attention(**changes):
    def run(gar):
        sdpa = F.scaled_dot_product_attention

        def wrong(q, k, v, **kw):
            return sdpa(q, k, v, **({**kw, **changes} if kw.get("scale") is not None else kw))

        with patched(F, scaled_dot_product_attention=wrong):
            yield

    return run


mistake("causal_mask_dropped", "l-single-paper", "every position sees every other")(
    text_attention(is_causal=False)
)
mistake("text_attention_scale", "r-single-released", "no attention scale")(text_attention(scale=1.0))


@mistake("llama_rope_interleaved", "l-single-paper", "adjacent pairs instead of halves")
def interleaved(gar):
    def turn(q, k, cos, sin, position_ids=None, unsqueeze_dim=1):
        half = cos.shape[-1] // 2
        emb = torch.cat([t[..., :half].repeat_interleave(2, -1) for t in (sin, cos)], -1)[:, None]
        return apply_rot_embed_cat(q, emb), apply_rot_embed_cat(k, emb)

    with patched(llama, apply_rotary_pos_emb=turn):
        yield


def frequencies(**changes):
    def f(gar):
        c = gar.llama.config
        scaling = changes.get("rope_scaling", c.rope_scaling)
        if isinstance(scaling, dict) and "factor" in changes:
            scaling = {**scaling, "factor": changes["factor"]}
        text = {**c.to_dict(), "rope_scaling": scaling, "rope_theta": changes.get("rope_theta", c.rope_theta)}
        gar.llama.rotary_emb = llama.LlamaRotaryEmbedding(llama.LlamaConfig(**text))

    return f


@mistake("decode_position_off_by_one", "l-text", "decoding starts at position S + 1")
def late_positions(gar):
    forward = llama.LlamaRotaryEmbedding.forward

    def wrong(self, x, position_ids):
        return forward(self, x, position_ids + 1 if position_ids.shape[1] == 1 else position_ids)

    with patched(llama.LlamaRotaryEmbedding, forward=wrong):
        yield


@mistake("silu_on_up", "l-text", "gate * silu(up)")
def silu_on_up(gar):
    with patched(
        llama.LlamaMLP,
        forward=lambda self, x: self.down_proj(self.gate_proj(x) * self.act_fn(self.up_proj(x))),
    ):
        yield


@mistake("gelu_for_silu", "l-text", "GELU in the decoder")
def gelu_for_silu(gar):
    with patched(
        llama.LlamaMLP, forward=lambda self, x: self.down_proj(F.gelu(self.gate_proj(x)) * self.up_proj(x))
    ):
        yield


@mistake("rms_subtracts_mean", "l-text", "LayerNorm without bias for RMSNorm")
def rms_mean(gar):
    with patched(
        llama.LlamaRMSNorm,
        forward=lambda self, x: F.layer_norm(x, x.shape[-1:], self.weight, None, self.variance_epsilon),
    ):
        yield


@mistake("residual_after_norm", "l-text", "the second residual taken after the norm")
def residual_after(gar):
    def forward(self, hidden_states, **kw):
        x = hidden_states + self.self_attn(hidden_states=self.input_layernorm(hidden_states), **kw)[0]
        x = self.post_attention_layernorm(x)
        return x + self.mlp(x)

    with patched(llama.LlamaDecoderLayer, forward=forward):
        yield


def embedding_as_head(gar):
    gar.lm.lm_head.weight = gar.llama.embed_tokens.weight


def drawn_head(gar):
    import draw

    gar.lm.lm_head.weight = torch.nn.Parameter(
        torch.from_numpy(
            draw.draw("mllm.lm_head.weight", tuple(gar.lm.lm_head.weight.shape), cases.MODELS["l-tied"][0])
        )
    )


def norms_swapped(gar):
    for layer in gar.llama.layers:
        layer.input_layernorm, layer.post_attention_layernorm = (
            layer.post_attention_layernorm,
            layer.input_layernorm,
        )


spoil("llama3_scaling_missing", "l-single-paper", "plain inverse frequencies", frequencies(rope_scaling=None))
spoil("llama3_factor_8_for_32", "l-single-paper", "factor 8", frequencies(factor=8.0))
spoil("llama3_factor_32_for_8", "r-single-released", "factor 32", frequencies(factor=32.0))
spoil(
    "llama3_scaling_added",
    "g-single-paper",
    "factor 8 where there is none",
    frequencies(rope_scaling=cases.llama3(8, 64)),
)
spoil("rope_theta_10000", "g-single-paper", "theta 10000 for 500000", frequencies(rope_theta=10000.0))
spoil("untied_head_tied", "g-single-paper", "embedding used although there is a head", embedding_as_head)
spoil("tied_head_separate", "l-text", "a separate head although tied", drawn_head)
spoil(
    "final_norm_dropped",
    "l-text",
    "no norm before the head",
    lambda g: setattr(g.llama, "norm", torch.nn.Identity()),
)
spoil("layer_norms_swapped", "g-single-paper", "norms before attention and MLP exchanged", norms_swapped)


# ---- single operators: mistakes that activations of ordinary size cannot show ----


def operator_mistakes(out_dir):
    ops = load_file(out_dir / "ops" / "f32.safetensors")
    get = lambda name: torch.from_numpy(ops[name]).double()
    row = []

    def add(name, what, case, got):
        want = ops[f"{case}.out"]
        row.append(
            dict(
                name=name,
                what=what,
                case="ops/f32",
                tensor=f"{case}.out",
                moved_in_tolerances=files.relative_rms(got.float(), want) / 1e-5,
            )
        )

    c = "gelu.tail"  # in a model the two differ by about 10 tolerances only
    add("gelu_tanh", "tanh approximation", c, F.gelu(get(f"{c}.in.x"), approximate="tanh"))
    c = "layer_norm.faint"
    x, w, b = get(f"{c}.in.x"), get(f"{c}.in.weight"), get(f"{c}.in.bias")
    add("layer_norm_eps_1e-6", "timm's default eps", c, F.layer_norm(x, x.shape[-1:], w, b, 1e-6))
    c = "rms_norm.faint"
    x, w = get(f"{c}.in.x"), get(f"{c}.in.weight")
    square = x.pow(2).mean(-1, keepdim=True)
    add("rms_norm_eps_outside", "x / (sqrt(mean) + eps)", c, x / (square.sqrt() + 1e-5) * w)
    add("rms_norm_eps_1e-6", "eps of another family", c, x * torch.rsqrt(square + 1e-6) * w)
    c = "llama_rope.far"
    x = get(f"{c}.in.x").float().transpose(0, 1)[None]
    e = llama.LlamaRotaryEmbedding(
        llama.LlamaConfig(hidden_size=64, num_attention_heads=2, head_dim=32, rope_theta=500000.0)
    )
    cos, sin = e(x, torch.arange(1001, 1001 + x.shape[2])[None])
    add(
        "positions_off_by_one",
        "all positions from 1 (invisible in a model: rotations are relative)",
        c,
        llama.apply_rotary_pos_emb(x, x, cos, sin)[0][0].transpose(0, 1),
    )
    c = "vit_rope.gigantic"
    x = get(f"{c}.in.x").transpose(0, 1)
    e = (
        RotaryEmbeddingCat(
            24, in_pixels=False, feat_shape=[3, 3], ref_feat_shape=[3, 3], grid_offset=1.0, grid_indexing="xy"
        )
        .get_embed()
        .double()
    )
    add(
        "vit_rope_offset_1_for_0",
        "offset 1 without a class row (invisible in a model: rotations are relative)",
        c,
        apply_rot_embed_cat(x, e).transpose(0, 1),
    )
    return row


def rounding_mistakes(out_dir):
    """Wrong rounding points, against the bf16 operators, which must be equal bit for bit."""
    ops = load_file(out_dir / "ops" / "bf16.safetensors")
    wide = lambda name: torch.from_numpy(ops[name])
    half = lambda name: wide(name).bfloat16()
    rows = []

    def add(name, what, case, got):
        want = wide(f"{case}.out")
        got = got.float().reshape(want.shape)
        rows.append(
            dict(
                name=name,
                what=what,
                case="ops/bf16",
                tensor=f"{case}.out",
                moved_in_tolerances=files.relative_rms(got, want) / 1e-5,
                elements_changed=int((got != want).sum()),
            )
        )

    c = "rms_norm.wide"
    x, w = wide(f"{c}.in.x"), wide(f"{c}.in.weight")
    add(
        "bf16_rms_rounded_once",
        "weight applied before the rounding",
        c,
        (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * w).bfloat16(),
    )
    c = "layer_norm.wide"
    x, w, b = half(f"{c}.in.x"), half(f"{c}.in.weight"), half(f"{c}.in.bias")
    add(
        "bf16_layer_norm_rounded_twice",
        "rounded before weight and bias",
        c,
        F.layer_norm(x.float(), x.shape[-1:], eps=1e-5).bfloat16() * w + b,
    )
    c = "llama_rope.half"
    x, position = half(f"{c}.in.x").transpose(0, 1)[None], torch.from_numpy(ops[f"{c}.in.position"])
    e = llama.LlamaRotaryEmbedding(
        llama.LlamaConfig(
            hidden_size=32,
            num_attention_heads=2,
            head_dim=16,
            rope_theta=500000.0,
            rope_scaling=cases.llama3(32, 64),
        )
    )
    cos, sin = e(x, position[None])
    fine = e(x.float(), position[None])
    turn = lambda x, cos, sin: llama.apply_rotary_pos_emb(x, x, cos, sin)[0][0].transpose(0, 1)
    add(
        "bf16_llama_rope_rounded_once",
        "products and sum in float32",
        c,
        turn(x.float(), cos.float(), sin.float()).bfloat16(),
    )
    add("bf16_llama_rope_fine_table", "cos and sin not rounded", c, turn(x.float(), *fine).bfloat16())
    c = "vit_rope.large"
    x = half(f"{c}.in.x").transpose(0, 1)
    e = RotaryEmbeddingCat(
        16, in_pixels=False, feat_shape=[3, 3], ref_feat_shape=[3, 3], grid_offset=1.0, grid_indexing="xy"
    ).get_embed()
    add(
        "bf16_vit_rope_in_bf16",
        "table, products and sum rounded",
        c,
        torch.cat([x[:, :1], apply_rot_embed_cat(x[:, 1:], e.bfloat16())], 1).transpose(0, 1),
    )
    c = "linear.bias"
    x, w, b = half(f"{c}.in.x"), half(f"{c}.in.weight"), half(f"{c}.in.bias")
    add(
        "bf16_bias_after_rounding",
        "the bias added to the rounded product",
        c,
        reference.linear_once(x, w) + b,
    )
    exact = x.double() @ w.double().t() + b.double()
    cut = (exact.float().view(torch.int32) & -65536).view(torch.float32)
    add("bf16_truncated", "cut instead of rounded to nearest", c, cut)
    c = "pool.mean2"
    x = half(f"{c}.in.x").unflatten(1, (3, 2, 3, 2))
    add(
        "bf16_pool_in_bf16",
        "running sums rounded",
        c,
        (((x[:, :, 0, :, 0] + x[:, :, 0, :, 1]) + x[:, :, 1, :, 0]) + x[:, :, 1, :, 1]) / 4,
    )
    c = "layer_scale.residual"
    x, g, y = [wide(f"{c}.in.{n}") for n in ("x", "gamma", "branch")]
    add("bf16_layer_scale_fused", "product not rounded before the sum", c, (x + g * y).bfloat16())
    c = "silu_mul.swiglu"
    add(
        "bf16_silu_fused",
        "silu not rounded before the product",
        c,
        (F.silu(wide(f"{c}.in.gate")) * wide(f"{c}.in.up")).bfloat16(),
    )
    c = "attention.both_ways"
    q, k, v = [half(f"{c}.in.{n}").transpose(0, 1) for n in ("q", "k", "v")]
    p = (q.float() @ k.float().transpose(1, 2) * 24**-0.5).softmax(-1)
    add(
        "bf16_probabilities_rounded",
        "attention probabilities rounded",
        c,
        (p.bfloat16().float() @ v.float()).bfloat16().transpose(0, 1),
    )
    add(
        "bf16_scores_rounded",
        "attention scores rounded",
        c,
        (((q @ k.transpose(1, 2)) * 24**-0.5).float().softmax(-1) @ v.float()).bfloat16().transpose(0, 1),
    )
    c = "roi_align.inside"
    args = dict(output_size=(4, 4), spatial_scale=1.0, sampling_ratio=2, aligned=True)
    box = torch.cat([torch.zeros(1), wide(f"{c}.in.box")])[None]
    add(
        "bf16_roi_box_rounded",
        "box rounded to bf16",
        c,
        torchvision.ops.roi_align(wide(f"{c}.in.map")[None], box.bfloat16().float(), **args)[0].bfloat16(),
    )
    return rows


def measure(out_dir, case, spoilt, tokenizer, golden):
    c = cases.BY_NAME[case]
    if case not in golden:
        golden[case] = load_file(out_dir / "gar" / f"{case}.safetensors")
    want = golden[case]
    gar = make_gar.model_of(c)
    with spoilt(gar):
        out = make_gar.run(c, gar, tokenizer, forced=want["greedy"], taps=c["taps"])[3]
    moved = {}
    for tensor, w in want.items():
        got = files.array(out[tensor]) if tensor in out else None
        if tensor.startswith("tap.vision") and got is not None:
            got = got[:1]
        elif tensor.startswith("tap.text") and got is not None:
            got = got[0, -make_gar.TEXT_TAP_ROWS :]
        if got is None or tensor == "greedy" or got.shape != w.shape or tensor == "input_ids":
            continue
        moved[tensor] = files.relative_rms(got, w) / tolerance(tensor)
    return moved


def main():
    out_dir = pathlib.Path(sys.argv[1])
    tokenizer = prompts.byte_tokenizer()
    golden, rows = {}, []

    @contextlib.contextmanager
    def nothing(gar):
        yield

    for case in sorted({m[1] for m in MISTAKES}):
        moved = measure(out_dir, case, nothing, tokenizer, golden)
        assert not any(moved.values()), (case, moved)
    for name, case, what, spoilt in MISTAKES:
        moved = measure(out_dir, case, spoilt, tokenizer, golden)
        tensor = max(moved, key=moved.get)
        rows.append(dict(name=name, what=what, case=case, tensor=tensor, moved_in_tolerances=moved[tensor]))
        rows[-1]["logits_moved"] = moved["logits"]
    rows += operator_mistakes(out_dir) + rounding_mistakes(out_dir)
    bad = 0
    for r in rows:
        for key in ("moved_in_tolerances", "logits_moved"):
            if key in r:
                r[key] = float("%.4g" % r[key])
        bad += r["moved_in_tolerances"] <= WANTED
        print(("" if r["moved_in_tolerances"] > WANTED else "WEAK ") + str(r))
    files.save_rows(out_dir / "gar" / "mistakes.json", rows)
    print(f"{len(rows)} mistakes, {bad} too weak, least {min(r['moved_in_tolerances'] for r in rows)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
