# torch_train.py - a training step of GAR in PyTorch, f32: tower on all tiles at once, projector, replay of one region, decoder, loss of the
# scored rows, gradients, clipping, AdamW. Sizes are those of a model folder's config.json, the sample those of `grasp bench train`.
import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

from torch_model import heads_of, rotate

LORA = ("q", "v")


class Weights:
    """Named parameters, of which the parts that are trained want gradients."""

    def __init__(self, parts):
        self.parts = parts
        self.trained = []

    def make(self, part, *shape, train=None):
        w = torch.randn(*shape).mul_(0.02)
        if part in self.parts if train is None else train:
            self.trained.append(w.requires_grad_())
        return w

    def linear(self, part, outputs, inputs, bias=True):
        return self.make(part, outputs, inputs), self.make(part, outputs) if bias else None


class Step:
    def __init__(self, config, parts, tiles, rows, rank, saves):
        self.saves = saves
        mllm, args = config["mllm_config"], config["mllm_config"]["vision_config"]["model_args"]
        w = self.w = Weights(parts)
        self.vision(w, args)
        self.text(w, mllm["text_config"], rank)
        self.pool, self.tiles, self.rows = mllm["projector_pooling_ratio"], tiles, rows
        width, hidden = args["embed_dim"], mllm["text_config"]["hidden_size"]
        self.linear_1, self.linear_2 = w.linear("projector", hidden, width), w.linear("projector", hidden, hidden)
        self.replay = config.get("grasp", {}).get("replay_grid", self.grid // self.pool)
        self.sample(args)
        self.optimiser = torch.optim.AdamW(w.trained, lr=1e-9, betas=(0.9, 0.999), weight_decay=0, fused=True)

    def vision(self, w, args):
        width, self.v_heads = args["embed_dim"], args["num_heads"]
        inner, self.patch = round(width * args["mlp_ratio"]), args["patch_size"]
        self.grid, self.class_token = args["img_size"][0] // self.patch, bool(args["class_token"])
        n = self.grid * self.grid + self.class_token
        self.patch_w, self.mask_w = (w.make(part, width, 3 * self.patch**2) for part in ("tower", "mask"))
        self.cls, self.position = w.make("tower", 1, width), w.make("tower", n, width)
        self.pre = w.make("tower", width), w.make("tower", width)
        names = {"qkv": (3 * width, width), "out": (width, width), "up": (inner, width), "down": (width, inner)}
        self.blocks = []
        for _ in range(args["depth"]):
            b = {name: w.linear("tower", *shape) for name, shape in names.items()}
            b |= {name: w.make("tower", width) for name in ("n1", "b1", "n2", "b2", "g1", "g2")}
            self.blocks.append(b)
        self.v_turn = torch.rand(n, width // self.v_heads), torch.rand(n, width // self.v_heads)

    def text(self, w, text, rank):
        width, inner = text["hidden_size"], text["intermediate_size"]
        self.heads, self.kv_heads, head = text["num_attention_heads"], text["num_key_value_heads"], text["head_dim"]
        self.hidden, self.head = width, head
        shapes = {"q": (self.heads * head, width), "k": (self.kv_heads * head, width), "v": (self.kv_heads * head, width),
                  "o": (width, self.heads * head), "gate": (inner, width), "up": (inner, width), "down": (width, inner)}
        self.layers = []
        for _ in range(text["num_hidden_layers"]):
            layer = {name: w.make("decoder", *shape) for name, shape in shapes.items()}
            layer |= {name: w.make("decoder", width) for name in ("n1", "n2")}
            for name in LORA if rank else ():
                outputs, inputs = shapes[name]
                layer["lora_" + name] = w.make("", rank, inputs, train=True), w.make("", outputs, rank, train=True)
            self.layers.append(layer)
        self.norm_w, self.table = w.make("decoder", width), w.make("embed", text["vocab_size"], width)
        self.out = self.table if text["tie_word_embeddings"] else w.make("head", text["vocab_size"], width)

    def sample(self, args):
        side = args["img_size"][0]
        self.pixels = torch.rand(1 + self.tiles, 3, side, side).mul_(2).sub_(1)
        self.masks = (torch.rand(1 + self.tiles, 1, side, side) > 0.5).float()
        tokens = (self.grid // self.pool) ** 2
        self.features = (1 + self.tiles) * tokens + self.replay**2
        words = self.rows - self.features
        self.ids = torch.arange(self.rows) * 2654435761 % self.table.shape[0]
        self.scored = torch.arange(self.features + 1 + words // 2, self.rows)
        self.turn = torch.rand(self.rows, self.head), torch.rand(self.rows, self.head)
        at = torch.linspace(-0.8, 0.8, 2 * self.replay)
        self.points = torch.stack(torch.meshgrid(at, at, indexing="xy"), -1)[None]

    def patches(self, x):
        return F.unfold(x, self.patch, stride=self.patch).transpose(1, 2)

    def tower(self):
        x = F.linear(self.patches(self.pixels), self.patch_w) + F.linear(self.patches(self.masks.expand(-1, 3, -1, -1)), self.mask_w)
        if self.class_token:
            x = torch.cat((self.cls.expand(x.shape[0], 1, -1), x), 1)
        x = F.layer_norm(x + self.position, x.shape[-1:], *self.pre)
        for b in self.blocks:
            x = self.run(self.tower_block, b, x)
        return x[:, 1:] if self.class_token else x

    def tower_block(self, b, x):
        n, rows, width = x.shape
        y = F.linear(F.layer_norm(x, (width,), b["n1"], b["b1"]), *b["qkv"])
        q, k, v = y.view(n, rows, 3, self.v_heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(rotate(q, *self.v_turn), rotate(k, *self.v_turn), v)
        x = x + F.linear(y.transpose(1, 2).reshape(n, rows, width), *b["out"]) * b["g1"]
        y = F.gelu(F.linear(F.layer_norm(x, (width,), b["n2"], b["b2"]), *b["up"]))
        return x + F.linear(y, *b["down"]) * b["g2"]

    def project(self, x):
        x = F.linear(F.gelu(F.linear(x, *self.linear_1)), *self.linear_2)
        x = x.transpose(1, 2).reshape(x.shape[0], self.hidden, self.grid, self.grid)
        return F.avg_pool2d(x, self.pool)

    def all_features(self, x):
        whole = x[1:].permute(1, 2, 0, 3).reshape(1, self.hidden, x.shape[2], -1)  # one row of tiles
        region = F.avg_pool2d(F.grid_sample(whole, self.points, align_corners=False), 2)
        return torch.cat((x.flatten(2).transpose(1, 2).reshape(-1, self.hidden), region[0].flatten(1).T))

    def rms(self, x, w):
        return F.rms_norm(x, x.shape[-1:], w, 1e-5)

    def adapted(self, layer, name, x):
        y = F.linear(x, layer[name])
        pair = layer.get("lora_" + name)
        return y + 2 * F.linear(F.linear(x, pair[0]), pair[1]) if pair else y

    def layer(self, layer, x):
        y = self.rms(x, layer["n1"])
        counts = ("q", self.heads), ("k", self.kv_heads), ("v", self.kv_heads)
        q, k, v = (heads_of(self.adapted(layer, name, y), n) for name, n in counts)
        q, k = rotate(q, *self.turn), rotate(k, *self.turn)
        k, v = (part.repeat_interleave(self.heads // self.kv_heads, 0)[None] for part in (k, v))
        y = F.scaled_dot_product_attention(q[None], k, v, is_causal=True)[0].transpose(0, 1).reshape(self.rows, -1)
        x = x + F.linear(y, layer["o"])
        y = self.rms(x, layer["n2"])
        return x + F.linear(F.silu(F.linear(y, layer["gate"])) * F.linear(y, layer["up"]), layer["down"])

    def run(self, block, weights, x):
        return block(weights, x) if self.saves else checkpoint(block, weights, x, use_reentrant=False)

    def loss(self):
        features = self.all_features(self.project(self.tower()))
        words = F.embedding(self.ids, self.table)
        x = torch.cat((words[:1], features, words[1 + self.features:]))
        for layer in self.layers:
            x = self.run(self.layer, layer, x)
        return F.cross_entropy(F.linear(self.rms(x[self.scored - 1], self.norm_w), self.out), self.ids[self.scored])

    def __call__(self):
        with torch.enable_grad():
            self.loss().backward()
        torch.nn.utils.clip_grad_norm_(self.w.trained, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
