"""The published GAR forward pass, wired as the released code wires it, around the published classes:
transformers' PerceptionLM and Llama, timm's Perception Encoder, torchvision's resize and roi_align.

Every place where released code and paper differ is a switch of PROFILES. Every step is a method, so that
mistakes.py can replace one step by a wrong one.
"""

import contextlib
import copy
import math

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torchvision.transforms import InterpolationMode
from transformers import PerceptionLMConfig, PerceptionLMForConditionalGeneration
from transformers.cache_utils import DynamicCache
from transformers.models.perception_lm.image_processing_perception_lm_fast import (
    PerceptionLMImageProcessorFast,
)

import draw

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

PROFILES = {
    "released": dict(
        roi_mode="released", multi_bbox="last", bbox="inclusive", double_bos=True, mask_resample="nearest"
    ),
    "paper": dict(
        roi_mode="paper", multi_bbox="own", bbox="exclusive", double_bos=False, mask_resample="nearest"
    ),
}
NO_PROMPT = 5


def mllm_config(gar):
    """The PerceptionLM config inside a GAR config.json, newer keys rewritten to the ones this transformers reads."""
    c = copy.deepcopy(gar["mllm_config"])
    text = c["text_config"]
    rope = text.pop("rope_parameters", None)
    if rope:
        text["rope_theta"] = rope.pop("rope_theta")
        text["rope_scaling"] = rope if rope.get("rope_type", "default") != "default" else None
    text.pop("dtype", None)
    c.pop("dtype", None)
    c["text_config"] = text
    vision = c["vision_config"]
    for key in ("num_classes", "label_names", "pretrained_cfg", "model_type"):
        vision.pop(key, None)
    return PerceptionLMConfig(**{k: v for k, v in c.items() if k != "model_type"})


# ---- bf16: the published rounding points, with sums that do not depend on the matrix library ----


def linear_once(x, weight, bias=None):
    """A linear layer whose sum is exact before its one rounding."""
    y = x.double() @ weight.double().t()
    if bias is not None:
        y = y + bias.double()
    return y.to(x.dtype)


def conv_once(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    y = _conv2d(
        x.double(),
        weight.double(),
        None if bias is None else bias.double(),
        stride,
        padding,
        dilation,
        groups,
    )
    return y.to(x.dtype)


def attention_once(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    """softmax(q k' scale) v with nothing rounded between the rounded q, k, v and the rounded output."""
    q, k, v = query.double(), key.double(), value.double()
    group = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
    s = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        s = s.masked_fill(~torch.ones(s.shape[-2:], dtype=torch.bool).tril(), -math.inf)
    if attn_mask is not None:
        s = s.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else s + attn_mask.double()
    return (s.softmax(-1) @ v).to(query.dtype)


def pool_once(x, shape):
    b, c, h, w = x.shape
    ph, pw = h // shape[0], w // shape[1]
    return x.double().reshape(b, c, shape[0], ph, shape[1], pw).mean((3, 5)).to(x.dtype)


_conv2d = F.conv2d
EXACT = dict(
    linear=linear_once,
    conv2d=conv_once,
    scaled_dot_product_attention=attention_once,
    adaptive_avg_pool2d=pool_once,
)


@contextlib.contextmanager
def patched(module, **functions):
    saved = {name: getattr(module, name) for name in functions}
    for name, f in functions.items():
        setattr(module, name, f)
    try:
        yield
    finally:
        for name, f in saved.items():
            setattr(module, name, f)


# ---- masks ----


def rle_encode(mask):
    """COCO run lengths: column-major, starting with the number of zeros."""
    flat = np.asarray(mask, np.uint8).reshape(-1, order="F")
    change = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate(([0], change, [flat.size]))).tolist()
    return ([0] if flat[0] else []) + [int(r) for r in runs]


def rle_decode(counts, height, width):
    flat = np.repeat(np.arange(len(counts)) % 2, counts).astype(np.uint8)
    assert flat.size == height * width
    return flat.reshape((height, width), order="F")


class Gar:
    """One golden model. numerics: "f32" or "bf16"; exact=True takes sums in double before each rounding."""

    def __init__(self, config, seed, numerics="f32", exact=None):
        self.config = config
        self.grasp = config["grasp"]
        self.numerics = numerics
        self.exact = numerics == "bf16" if exact is None else exact
        self.dtype = torch.bfloat16 if numerics == "bf16" else torch.float32
        c = mllm_config(config)
        self.lm = PerceptionLMForConditionalGeneration(c).eval()
        self.mask_patch_embedding = torch.nn.Conv2d(
            3,
            config["mask_path_embedding_out_channels"],
            tuple(config["kernel_size"]),
            tuple(config["kernel_size"]),
            bias=False,
        )
        self.tied = config["mllm_config"]["text_config"]["tie_word_embeddings"]
        if self.tied:
            self.lm.lm_head.weight = self.lm.model.language_model.embed_tokens.weight
        self.tensors = {}
        with torch.no_grad():
            for name, p in self.lm.named_parameters(remove_duplicate=True):
                if not (self.tied and name == "lm_head.weight"):
                    self.tensors["mllm." + name] = p
            self.tensors["mask_patch_embedding.weight"] = self.mask_patch_embedding.weight
            for name, p in self.tensors.items():
                p.copy_(torch.from_numpy(draw.draw(name, tuple(p.shape), seed)))
                p.data = p.data.to(
                    self.dtype
                )  # parameters only: the rotary tables stay float32, as published
        self.tower = self.lm.model.vision_tower.timm_model
        self.llama = self.lm.model.language_model
        self.mask_term = None
        self.tower.patch_embed.register_forward_hook(self.add_mask)
        self.processor = PerceptionLMImageProcessorFast(tile_size=self.grasp["tile_size"], max_num_tiles=36)
        self.taps = None
        self.crop_ids = config["crop_tokens_ids"]

    # ---- pictures ----

    def canvas(self, width, height, max_tiles):
        self.processor.max_num_tiles = max_tiles
        tile = self.grasp["tile_size"]
        if max_tiles <= 1:
            return 1, 1
        found = self.processor._fit_image_to_canvas(width, height, tile)
        return found or self.processor._find_closest_aspect_ratio(width, height, tile)

    def resize(self, image, max_tiles, resample):
        self.processor.max_num_tiles = max_tiles
        return self.processor.resize(
            image, self.grasp["tile_size"], max_num_tiles=max_tiles, resample=resample
        )

    def tiles(self, image, max_tiles, resample=InterpolationMode.BICUBIC):
        """u8 [3,H,W] -> u8 [T+1,3,S,S], thumbnail first, and the canvas (w, h)."""
        image = image[None]
        thumb, _ = self.resize(image, 1, resample)
        whole, (w, h) = self.resize(image, max_tiles, resample)
        return self.order(thumb, self.processor._split(whole, w, h)[0]), (w, h)

    def order(self, thumb, tiles):
        return torch.cat([thumb, tiles])

    def normalise(self, pixels):
        return self.processor.rescale_and_normalize(
            pixels, True, 1 / 255, True, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
        )

    # ---- masks ----

    def paint(self, regions, height, width):
        """Prompt plane, u8 [H,W]: prompt id where painted (first painted wins), 5 elsewhere."""
        plane = np.full((height, width), -1, np.int16)
        for prompt, mask in regions:
            plane[(mask != 0) & (plane == -1)] = prompt
        plane[plane == -1] = NO_PROMPT
        return plane.astype(np.uint8)

    def mask_values(self, plane, max_tiles, resample):
        """Prompt plane -> binary float [T+1,3,S,S], by the published round trip through the normalised plane."""
        rgb = torch.from_numpy(np.repeat(plane[None], 3, 0))
        kind = InterpolationMode.NEAREST if resample == "nearest" else InterpolationMode.BICUBIC
        values = self.normalise(self.tiles(rgb, max_tiles, kind)[0]).to(self.dtype)
        return self.binary(values)

    def binary(self, values):
        ids = torch.clamp(torch.round((values + 1) / 2 * 255), 0, NO_PROMPT).long()
        return (ids != NO_PROMPT).to(self.dtype)

    def box(self, mask, inclusive):
        rows, columns = np.nonzero(mask)
        height, width = mask.shape
        more = 0 if inclusive else 1
        return (
            columns.min() / width,
            rows.min() / height,
            (columns.max() + more) / width,
            (rows.max() + more) / height,
        )

    # ---- forward ----

    def add_mask(self, module, inputs, output):
        return output if self.mask_term is None else output + self.mask_term

    def running(self):
        stack = contextlib.ExitStack()
        stack.enter_context(torch.no_grad())
        if self.exact:
            stack.enter_context(patched(torch.nn.functional, **EXACT))
        return stack

    def vision(self, pixel_values, mask):
        """-> tower output without the class row [T+1,patches,D], features [T+1,tokens,H]."""
        with self.running():
            self.mask_term = None
            if mask is not None:
                self.mask_term = self.mask_patch_embedding(mask.to(self.dtype)).flatten(2).transpose(1, 2)
            seen = {}
            handle = self.lm.model.multi_modal_projector.register_forward_hook(
                lambda m, i, o: seen.__setitem__("tower", i[0])
            )
            features = self.lm.model.get_image_features(pixel_values=pixel_values.to(self.dtype)[None])
            handle.remove()
            self.mask_term = None
        return seen["tower"], features

    def merge(self, features, canvas):
        """Features of the tiles (thumbnail excluded) as one map [H, grid*h, grid*w]."""
        w, h = canvas
        n, dim = features.shape[1:]
        g = math.isqrt(n)
        x = features[1:].reshape(h, w, g, g, dim)
        return x.permute(4, 0, 2, 1, 3).reshape(dim, h * g, w * g)

    def roi(self, feature_map, box, mode):
        """[H,fh,fw] and a box in 0..1 -> [grid*grid, H] in the type of the map."""
        _, fh, fw = feature_map.shape
        grid = self.grasp["replay_grid"]
        stride = self.grasp["tile_size"] // int(
            math.sqrt(self.tokens_per_tile())
        )  # 28 in the published models
        orig_w, orig_h = stride * fw, stride * fh
        scale = fw / orig_w
        coords = [
            box[0] * orig_w * scale,
            box[1] * orig_h * scale,
            box[2] * orig_w * scale,
            box[3] * orig_h * scale,
        ]
        rois = torch.tensor([[0.0] + coords], dtype=torch.float32)
        out = self.roi_align(feature_map[None].float(), rois, grid, scale if mode == "released" else 1.0)
        return out[0].flatten(1).t().to(feature_map.dtype).contiguous()

    def roi_align(self, x, rois, grid, scale):
        return torchvision.ops.roi_align(
            x, rois, (grid, grid), spatial_scale=scale, sampling_ratio=2, aligned=True
        )

    def tokens_per_tile(self):
        args = self.config["mllm_config"]["vision_config"]["model_args"]
        side = (
            args["img_size"][0]
            // self.config["kernel_size"][0]
            // self.config["mllm_config"]["projector_pooling_ratio"]
        )
        return side * side

    def splice(self, ids, features):
        embeds = self.lm.get_input_embeddings()(ids[None])
        if features is not None:
            mask, _ = self.lm.model.get_placeholder_mask(ids[None], embeds, features)
            embeds = embeds.masked_scatter(mask, features)
        return embeds[0]

    def replay(self, ids, embeds, features, canvas, boxes, mode):
        """Replaces the crop-token rows; boxes: crop id -> box. Returns embeds and {crop id: rows}."""
        rows = {}
        embeds = embeds.clone()
        feature_map = self.merge(features, canvas)
        for crop in self.crop_ids:
            at = (ids == crop).nonzero().flatten()
            if at.numel() == 0:
                continue
            rows[crop] = self.roi(feature_map, boxes[crop], mode)
            self.place(embeds, at, rows[crop])
        return embeds, rows

    def place(self, embeds, at, rows):
        head, tail = int(at[0]), int(at[-1])
        assert tail - head + 1 == rows.shape[0] == at.numel()
        embeds[head : tail + 1] = rows

    def boxes(self, regions, profile):
        """Crop id -> box. regions: (prompt, mask) in ascending prompt order."""
        own = {self.crop_ids[p]: self.box(m, profile["bbox"] == "inclusive") for p, m in regions}
        if profile["multi_bbox"] == "last" and regions:
            last = own[self.crop_ids[regions[-1][0]]]
            own = {crop: last for crop in own}
        return own

    def decode(self, embeds, steps, forced=None):
        """Greedy decoding with a cache, never stopping. -> logits [steps+1, vocab], greedy ids [steps]."""
        with self.running():
            cache = DynamicCache()
            x, ids, logits = embeds[None], [], []
            for step in range(steps + 1):
                out = self.lm(inputs_embeds=x, past_key_values=cache, use_cache=True, logits_to_keep=1)
                logits.append(out.logits[0, -1].float())
                if step == steps:
                    break
                ids.append(int(logits[-1].argmax()) if forced is None else int(forced[step]))
                x = self.lm.get_input_embeddings()(torch.tensor([[ids[-1]]]))
        return torch.stack(logits), torch.tensor(ids)

    @contextlib.contextmanager
    def tapping(self):
        """Collects the output of every block and layer (first call of each only) in self.taps."""
        self.taps, handles = {}, []

        def tap(name):
            def hook(module, inputs, output):
                out = output[0] if isinstance(output, tuple) else output
                self.taps.setdefault(name, out.detach().float())

            return hook

        handles.append(self.tower.norm_pre.register_forward_hook(tap("tap.vision.norm_pre")))
        for i, block in enumerate(self.tower.blocks):
            handles.append(block.register_forward_hook(tap(f"tap.vision.block.{i}")))
        for i, layer in enumerate(self.llama.layers):
            handles.append(layer.register_forward_hook(tap(f"tap.text.layer.{i}")))
        handles.append(self.llama.norm.register_forward_hook(tap("tap.text.norm")))
        try:
            yield self.taps
        finally:
            for h in handles:
                h.remove()

    def run(self, image, regions, ids, profile, max_tiles, steps=64, forced=None, taps=False):
        """Everything, from a picture (u8 [H,W,3] or None), regions [(prompt, mask u8 [H,W])] and ids to logits."""
        out = {}
        regions = sorted(regions, key=lambda r: r[0])
        ids = torch.tensor(ids)
        with contextlib.ExitStack() as stack:
            collected = stack.enter_context(self.tapping()) if taps else None
            features = None
            if image is not None:
                height, width = image.shape[:2]
                pixels, canvas = self.tiles(torch.from_numpy(image).permute(2, 0, 1).contiguous(), max_tiles)
                out["tile_pixels"] = pixels
                out["pixel_values"] = self.normalise(pixels)
                mask = None
                if regions:
                    plane = self.paint(regions, height, width)
                    mask = self.mask_values(plane, max_tiles, profile["mask_resample"])
                    out["plane"] = torch.from_numpy(plane)
                    out["mask_values"] = mask[:, 0].to(torch.uint8)
                out["vision_features"], out["image_features"] = self.vision(out["pixel_values"], mask)
                features = out["image_features"]
            with self.running():
                embeds = self.splice(ids, features)
                if regions:
                    embeds, rows = self.replay(
                        ids, embeds, features, canvas, self.boxes(regions, profile), profile["roi_mode"]
                    )
                    for p, _ in regions:
                        out[f"replay_{p}"] = rows[self.crop_ids[p]]
            out["inputs_embeds"] = embeds
            out["logits"], out["greedy"] = self.decode(embeds, steps, forced)
            if taps:
                out.update(collected)
        return {k: v.float() if v.is_floating_point() else v for k, v in out.items()}
