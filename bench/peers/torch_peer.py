# torch_peer.py - PyTorch on the processor: linear layers, attention and the passes between them, and tower and decoder of a model, in f32
# and bf16.
import os

import peer

try:
    import torch
    import torch.nn.functional as F
except ImportError as error:
    peer.missing(f"PyTorch is not there: {error}")
import torch_model
import torch_train

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
COLD_BYTES = 512 << 20  # one token reads weights from memory: rotating over this much of them keeps caches out of it
MAX_COPIES = 64


def random(dtype, *shape):
    return torch.randn(*shape, dtype=torch.float32).to(dtype)


def weight(dtype, outputs, inputs):
    return torch.full((outputs, inputs), 0.0115, dtype=dtype)  # values do not change the time, drawing them would


def linear(case, dtype):
    """x W^T: of many rows with one weight, of one row with enough of them."""
    size = case.inputs * case.outputs * dtype.itemsize
    copies = 1 if case.rows > 1 else max(1, min(MAX_COPIES, -(-COLD_BYTES // size)))
    x = random(dtype, case.rows, case.inputs)
    return [lambda w=weight(dtype, case.outputs, case.inputs): F.linear(x, w) for _ in range(copies)]


def gradient(case, dtype):
    """Products of training of a layer y = x W^T: y, dx = dy W, dW = dy^T x."""
    x, dy = random(dtype, case.rows, case.inputs), random(dtype, case.rows, case.outputs)
    w = weight(dtype, case.outputs, case.inputs)
    if case.name.endswith("-y"):
        return [lambda: F.linear(x, w)]
    return [lambda: dy.T @ x] if case.name.endswith("-dw") else [lambda: dy @ w]


def attention(case, dtype):
    """The fused attention; keys and values are repeated for their heads beforehand, as it is slower when it does so itself."""
    width = case.outputs // case.heads
    q = random(dtype, 1, case.heads, case.rows, width)
    k, v = (random(dtype, 1, case.kv_heads, case.inputs, width).repeat_interleave(case.heads // case.kv_heads, 1) for _ in "kv")
    if "/tower/" in case.name or case.rows == 1:
        return [lambda: F.scaled_dot_product_attention(q, k, v)]
    if case.rows == case.inputs:
        return [lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)]
    seen = torch.ones(case.rows, case.inputs, dtype=torch.bool).tril(case.inputs - case.rows)
    mask = torch.zeros(case.rows, case.inputs, dtype=dtype).masked_fill(~seen, float("-inf"))
    return [lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=mask)]


def layer_norm(x, y, g):
    return F.layer_norm(x, x.shape[-1:], g, g)


def rms_norm(x, y, g):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * g


PASSES = {
    "tower/norm": layer_norm,
    "tower/gelu": lambda x, y, g: F.gelu(x),
    "tower/scale-add": lambda x, y, g: x + y * g,
    "prefill/norm": rms_norm,
    "prefill/swiglu": lambda x, y, g: F.silu(x) * y,
    "prefill/add": lambda x, y, g: x + y,
}


def one_pass(case, dtype):
    function = PASSES.get(case.name.partition("/")[2])
    if not function:
        return []
    x, y, g = (random(dtype, rows, case.inputs) for rows in (case.rows, case.rows, 1))
    return [lambda: function(x, y, g[0])]


STAGES = {
    "tower": lambda case, dtype: torch_model.Tower(peer.model_config(), dtype),
    "prefill": lambda case, dtype: torch_model.Decoder(peer.model_config(), dtype, case.rows, 0),
    "decode": lambda case, dtype: torch_model.Decoder(peer.model_config(), dtype, 1, case.past),
}


def stage(case, dtype):
    whole, _, name = case.name.rpartition("/")
    maker = STAGES.get(name) if name != "tower" or whole == "tile" else None
    return [maker(case, dtype)] if maker else []


PARTS = ("tower", "mask", "projector", "embed", "decoder", "head")


def steps(case):
    """Training, with what blocks compute kept for the backward pass, and made again."""
    parts = os.environ["PEER_PARTS"]
    for name, saves in (("f32", True), ("f32-again", False)):
        made = torch_train.Step(peer.model_config(), PARTS if parts == "all" else parts.split(","), int(os.environ["PEER_TILES"]), case.rows,
                                int(os.environ.get("PEER_LORA_RANK") or 0), saves)
        yield name, "samples/s", 1, [made]
        del made


MAKERS = {"product": linear, "gradient": gradient, "row": linear, "attention": attention, "pass": one_pass, "stage": stage}


def work(case, dtype):
    """Unit and amount of a call: of weights their own bytes, of the rest what the case counts, if it does."""
    if case.kind == "row":
        return "GB/s", 1e-9 * case.inputs * case.outputs * dtype.itemsize
    if case.name.endswith(("/prefill", "/decode")):
        return "tokens/s", case.rows
    amount = case.flop if case.unit == "GFLOP/s" else case.bytes
    return (case.unit, 1e-9 * amount) if amount else ("calls/s", 1)


def cases(case):
    if case.kind == "step":
        yield from steps(case)
    maker = MAKERS.get(case.kind)
    for name, dtype in DTYPES.items() if maker else ():
        yield name, *work(case, dtype), maker(case, dtype)


torch.set_num_threads(peer.THREADS)
torch.set_grad_enabled(False)
peer.serve(f"PyTorch {torch.__version__}; instructions {torch.backends.cpu.get_cpu_capability()}, "
           f"{'oneDNN' if torch.backends.mkldnn.is_available() else 'no oneDNN'}, {'MKL' if torch.backends.mkl.is_available() else 'no MKL'}", cases)
