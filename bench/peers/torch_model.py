# torch_model.py - GAR's tower and decoder in plain PyTorch, as its fused operators allow, with weights that mean nothing: the time is
# that of a model of these sizes, which a model folder's config.json says. Embedding of patches, and projector, are not in it.
import torch
import torch.nn.functional as F


def weight(dtype, *shape):
    return torch.full(shape, 0.0115, dtype=dtype)  # values do not change the time, drawing them would


def rotate(x, cos, sin):
    """Rotary embedding of [heads, rows, width]: pairs are the two halves."""
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


def heads_of(x, n):
    return x.view(x.shape[0], n, -1).transpose(0, 1)


class Tower:
    """Blocks of the vision transformer on the rows of one tile."""

    def __init__(self, config, dtype):
        args = config["mllm_config"]["vision_config"]["model_args"]
        width, self.heads = args["embed_dim"], args["num_heads"]
        inner = round(width * args["mlp_ratio"])
        side = args["img_size"][0] // args["patch_size"]
        self.rows = side * side + bool(args["class_token"])
        self.x = torch.randn(self.rows, width).to(dtype)
        self.cos = torch.rand(self.rows, width // self.heads).to(dtype)
        shapes = {"qkv": (3 * width, width), "out": (width, width), "up": (inner, width), "down": (width, inner)}
        self.blocks = [{name: (weight(dtype, *shape), weight(dtype, shape[0])) for name, shape in shapes.items()}
                       for _ in range(args["depth"])]
        self.gain = weight(dtype, width)

    def norm(self, x):
        return F.layer_norm(x, x.shape[-1:], self.gain, self.gain)

    def block(self, b, x):
        q, k, v = (heads_of(part, self.heads) for part in F.linear(self.norm(x), *b["qkv"]).chunk(3, -1))
        q, k = rotate(q, self.cos, self.cos), rotate(k, self.cos, self.cos)
        y = F.scaled_dot_product_attention(q[None], k[None], v[None])[0].transpose(0, 1).reshape(x.shape)
        x = x + F.linear(y, *b["out"]) * self.gain
        return x + F.linear(F.gelu(F.linear(self.norm(x), *b["up"])), *b["down"]) * self.gain

    def __call__(self):
        x = self.x
        for b in self.blocks:
            x = self.block(b, x)
        return x


class Decoder:
    """The language model over a cache that has its place beforehand: `rows` new rows, or one after `past`; then the head of the last row."""

    def __init__(self, config, dtype, rows, past):
        text = config["mllm_config"]["text_config"]
        width, inner, self.kv_heads = text["hidden_size"], text["intermediate_size"], text["num_key_value_heads"]
        self.heads, head = text["num_attention_heads"], text["head_dim"]
        self.past, self.rows = past, rows
        shapes = {"q": (self.heads * head, width), "k": (self.kv_heads * head, width), "v": (self.kv_heads * head, width),
                  "o": (width, self.heads * head), "gate": (inner, width), "up": (inner, width), "down": (width, inner)}
        self.layers = [{name: weight(dtype, *shape) for name, shape in shapes.items()} for _ in range(text["num_hidden_layers"])]
        self.head = weight(dtype, text["vocab_size"], width)
        self.gain = weight(dtype, width)
        self.cos = torch.rand(rows, head).to(dtype)
        self.cache = [torch.randn(2, self.kv_heads, past + rows, head).to(dtype) for _ in self.layers]
        self.x = torch.randn(rows, width).to(dtype)

    def norm(self, x):
        return F.rms_norm(x, x.shape[-1:], self.gain, 1e-5)

    def attention(self, layer, cache, x):
        q, k, v = (heads_of(F.linear(x, layer[name]), n) for name, n in (("q", self.heads), ("k", self.kv_heads), ("v", self.kv_heads)))
        cache[0, :, self.past:], cache[1, :, self.past:] = rotate(k, self.cos, self.cos), v
        keys, values = (part.repeat_interleave(self.heads // self.kv_heads, 0) for part in cache)
        y = F.scaled_dot_product_attention(rotate(q, self.cos, self.cos)[None], keys[None], values[None], is_causal=self.rows > 1)
        return F.linear(y[0].transpose(0, 1).reshape(self.rows, -1), layer["o"])

    def __call__(self):
        x = self.x
        for layer, cache in zip(self.layers, self.cache):
            x = x + self.attention(layer, cache, self.norm(x))
            y = self.norm(x)
            x = x + F.linear(F.silu(F.linear(y, layer["gate"])) * F.linear(y, layer["up"]), layer["down"])
        return F.linear(self.norm(x[-1:]), self.head)
