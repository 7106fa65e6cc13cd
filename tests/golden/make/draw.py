"""Draws weights from the counter-based generator that the C side uses too, so golden models need not be stored.

Philox4x32-10 (Salmon et al. 2011). The key is (low 32 bits of the seed, FNV-1a of the tensor name), the counter is
(block number low, high, high 32 bits of the seed, 0). A block of four words makes two elements, each a sum of four
16-bit uniforms, which is nearly normal and exactly the same number in every language:

    n     = (a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16) - 131070
    value = mean + std * (n / 37837)        in double, product and sum rounded separately, then rounded to float32
"""

import math

import numpy as np

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)

# First matching suffix decides: (suffixes, mean, std, divide std by sqrt(fan_in)).
RULES = [
    (("cls_token", "pos_embed"), 0.0, 0.5, False),
    (("patch_embed.proj.weight", "mask_patch_embedding.weight"), 0.0, 2.0, True),
    (("gamma_1", "gamma_2"), 0.65, 0.15, False),
    (
        (
            "norm_pre.weight",
            "norm1.weight",
            "norm2.weight",
            "input_layernorm.weight",
            "post_attention_layernorm.weight",
            "language_model.norm.weight",
        ),
        1.0,
        0.2,
        False,
    ),
    ((".bias",), 0.0, 0.2, False),
    (("attn.qkv.weight", "q_proj.weight", "k_proj.weight"), 0.0, 1.7, True),
    (("embed_tokens.weight", "lm_head.weight"), 0.0, 3.0, True),
    ((".weight",), 0.0, 1.0, True),
]


def fnv1a32(name):
    h = 0x811C9DC5
    for b in name.encode():
        h = ((h ^ b) * 0x01000193) & 0xFFFFFFFF
    return h


def philox(counter, key):
    """counter: four uint64 arrays holding 32-bit words, key: two words. Returns four arrays of 32-bit words."""
    c0, c1, c2, c3 = [np.asarray(c, np.uint64) for c in counter]
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(10):
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW, (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0, c1, c2, c3


def scale_of(name, shape):
    fan_in = 1
    for n in shape[1:]:
        fan_in *= n
    for suffixes, mean, std, by_fan in RULES:
        if name.endswith(suffixes):
            return mean, std / math.sqrt(float(fan_in)) if by_fan else std
    raise KeyError(f"no rule for tensor {name}")


def unit(name, count, seed):
    """count doubles n / 37837 of the stream (seed, name)."""
    blocks = np.arange((count + 1) // 2, dtype=np.uint64)
    zero = np.zeros_like(blocks)
    high = zero + np.uint64(seed >> 32)
    r = philox((blocks & LOW, blocks >> HALF, high, zero), (seed & 0xFFFFFFFF, fnv1a32(name)))
    w = [x.astype(np.int64) for x in r]
    n = np.empty((blocks.size, 2), np.int64)
    for e in range(2):
        a, b = w[2 * e], w[2 * e + 1]
        n[:, e] = (a & 0xFFFF) + (a >> 16) + (b & 0xFFFF) + (b >> 16) - 131070
    return n.reshape(-1)[:count].astype(np.float64) / 37837.0


def draw(name, shape, seed, mean=None, std=None):
    """The float32 tensor `name` of `shape`; mean and std by the rules above unless given."""
    if mean is None:
        mean, std = scale_of(name, shape)
    count = int(np.prod(shape, dtype=np.int64))
    return (mean + std * unit(name, count, seed)).astype(np.float32).reshape(shape)


if __name__ == "__main__":
    r = philox([np.zeros(1, np.uint64)] * 4, (0, 0))
    assert [int(x[0]) for x in r] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    ones = [np.full(1, 0xFFFFFFFF, np.uint64)] * 4
    assert [int(x[0]) for x in philox(ones, (0xFFFFFFFF, 0xFFFFFFFF))] == [
        0x408F276D,
        0x41C83B0E,
        0xA20BC7C6,
        0x6D5451FD,
    ]
    x = draw("mllm.lm_head.weight", (296, 64), 7)
    print("known answers agree; mean %.4f std %.4f (wanted 0 and %.4f)" % (x.mean(), x.std(), 3 / 8))
    print([float(v) for v in draw("mllm.lm_head.weight", (1, 4), 7).reshape(-1)])
