"""The golden models and cases: configurations, pictures and masks from formulas, prompts."""

import numpy as np

import prompts

CROPS = [260, 261, 264, 266, 267]


def model_config(architecture, vision, text, rope, tied, pooling, use_cls, replay_grid, new_keys):
    """A config.json in the published key style (new_keys: the style of the newer transformers line)."""
    dim = vision["embed_dim"]
    text = dict(
        model_type="llama",
        architectures=["LlamaForCausalLM"],
        attention_bias=False,
        attention_dropout=0.0,
        bos_token_id=256,
        eos_token_id=[257, 265],
        hidden_act="silu",
        initializer_range=0.02,
        max_position_embeddings=4096,
        mlp_bias=False,
        pretraining_tp=1,
        rms_norm_eps=1e-05,
        use_cache=True,
        vocab_size=296,
        tie_word_embeddings=tied,
        **text
    )
    if new_keys:
        text["rope_parameters"] = dict(rope_theta=500000.0, **(rope or {"rope_type": "default"}))
        text["dtype"] = "float32"
    else:
        text["rope_theta"] = 500000.0
        text["rope_scaling"] = rope
        text["torch_dtype"] = "float32"
    kind = "dtype" if new_keys else "torch_dtype"
    return {
        "architectures": ["GARModel"],
        "auto_map": {
            "AutoConfig": "configuration_gar.GARConfig",
            "AutoModel": "modeling_gar.GARModel",
            "AutoModelForCausalLM": "modeling_gar.GARModel",
        },
        "crop_tokens_ids": CROPS,
        kind: "float32",
        "grasp": {"tile_size": vision["img_size"][0], "max_num_tiles": 4, "replay_grid": replay_grid},
        "kernel_size": [14, 14],
        "mask_path_embedding_out_channels": dim,
        "mllm_config": {
            "architectures": ["PerceptionLMForConditionalGeneration"],
            "image_token_id": 258,
            "model_type": "perception_lm",
            "projector_pooling_ratio": pooling,
            "text_config": text,
            kind: "float32",
            "use_flash_attn": True,
            "video_token_id": 259,
            "vision_config": {
                "architecture": architecture,
                "do_pooling": True,
                "global_pool": "map",
                "initializer_range": 0.02,
                "label_names": ["LABEL_0", "LABEL_1"],
                "model_type": "timm_wrapper",
                "model_args": {
                    **vision,
                    "global_pool": "",
                    "init_values": 0.1,
                    "use_post_transformer_norm": False,
                },
                "num_classes": 2,
                "num_features": dim,
                "pretrained_cfg": {},
            },
            "vision_use_cls_token": use_cls,
        },
        "model_type": "GAR",
        "patch_size_h": 14,
        "patch_size_w": 14,
        "prompt_numbers": 5,
        "transformers_version": "5.0.0" if new_keys else "4.56.2",
    }


def llama3(factor, length):
    return {
        "factor": float(factor),
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": length,
        "rope_type": "llama3",
    }


def vision(dim, depth, heads, tile=112):
    return {
        "embed_dim": dim,
        "depth": depth,
        "num_heads": heads,
        "img_size": [tile, tile],
        "ref_feat_shape": [tile // 14, tile // 14],
    }


def text(hidden, ffn, layers, heads, kv, head_dim):
    return dict(
        hidden_size=hidden,
        intermediate_size=ffn,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv,
        head_dim=head_dim,
    )


LARGE, GIGANTIC = "vit_pe_core_large_patch14_336", "vit_pe_core_gigantic_patch14_448"

# name -> (seed of the weights, config)
MODELS = {
    "l-tied": (
        101,
        model_config(
            LARGE, vision(64, 3, 4), text(96, 160, 3, 6, 2, 16), llama3(32, 64), True, 2, True, 4, False
        ),
    ),
    "g-untied": (
        0x900000002,
        model_config(GIGANTIC, vision(96, 2, 4), text(64, 112, 3, 4, 2, 16), None, False, 2, False, 4, False),
    ),
    "l-rope8": (
        303,
        model_config(
            LARGE, vision(48, 2, 3, 84), text(128, 192, 5, 4, 1, 32), llama3(8, 128), False, 2, True, 3, True
        ),
    ),
}


# ---- pictures and masks ----


def wave(t):
    """Triangle wave of period 510 and range 0..255."""
    return np.abs(t % 510 - 255)


def picture(width, height, k):
    """u8 [H,W,3] from integers only: two triangle waves, a checkerboard and a product term per channel."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    planes = []
    for c in range(3):
        a = wave((3 + k + 2 * c) * x + (5 + 2 * k - c) * y + 90 * c)
        b = wave((x * y) // (7 + c) + 31 * k)
        check = (((x // (9 + c)) ^ (y // (7 + k))) & 1) * 255
        planes.append((3 * a + 3 * b + 2 * check) // 8)
    return np.stack(planes, -1).astype(np.uint8)


def ellipse(width, height, cx, cy, rx, ry):
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    return (((x - cx) ** 2 * ry * ry + (y - cy) ** 2 * rx * rx) < rx * rx * ry * ry).astype(np.uint8)


def rectangle(width, height, x0, y0, x1, y1):
    """Columns x0..x1-1, rows y0..y1-1."""
    m = np.zeros((height, width), np.uint8)
    m[y0:y1, x0:x1] = 1
    return m


# ---- cases ----


def case(
    name,
    model,
    profile,
    max_tiles=4,
    size=None,
    kind=0,
    regions=(),
    question=None,
    system=None,
    taps=False,
    numerics="f32",
    inputs=None,
    steps=15,
    embeds=False,
    **switches
):
    """regions: (prompt, function, numbers). inputs: another case whose picture, masks and ids are used. steps: forced
    steps stored after the prompt. taps, embeds: store block outputs, the spliced embeddings."""
    return dict(
        name=name,
        model=model,
        profile=profile,
        switches=switches,
        max_tiles=max_tiles,
        size=size,
        kind=kind,
        regions=list(regions),
        question=question,
        system=system,
        taps=taps,
        numerics=numerics,
        inputs=inputs,
        steps=steps,
        embeds=embeds or taps,
    )


DETAIL = "Describe this masked region in detail."
SHORT = "You see."
CASES = [
    case(
        "l-single-released",
        "l-tied",
        "released",
        2,
        (150, 104),
        1,
        [(1, ellipse, (60, 50, 38, 27))],
        DETAIL,
        None,
    ),
    case(
        "l-single-paper",
        "l-tied",
        "paper",
        2,
        (150, 104),
        1,
        [(1, ellipse, (60, 50, 38, 27))],
        DETAIL,
        SHORT,
        taps=True,
        steps=64,
    ),
    case(
        "l-two-overlap-released",
        "l-tied",
        "released",
        4,
        (133, 171),
        2,
        [(0, ellipse, (50, 70, 30, 44)), (1, rectangle, (40, 60, 120, 150))],
        "Question: What is the relationship between <Prompt0> and <Prompt1>?\nOptions:\nA. left\nB. under\n"
        "Answer with the correct option's letter directly.",
        SHORT,
    ),
    case(
        "l-five-paper",
        "l-tied",
        "paper",
        4,
        (140, 140),
        3,
        [
            (0, ellipse, (30, 30, 22, 16)),
            (1, rectangle, (20, 28, 90, 70)),
            (2, ellipse, (105, 100, 25, 33)),
            (3, rectangle, (0, 90, 41, 140)),
            (4, rectangle, (76, 77, 79, 78)),
        ],
        "\nOrder <Prompt4>, <Prompt3>, <Prompt2>, <Prompt1>, <Prompt0>.",
        SHORT,
    ),
    case("l-no-mask", "l-tied", "released", 2, (90, 101), 4, [], "What is in the picture?", SHORT),
    case(
        "l-text",
        "l-tied",
        "released",
        1,
        None,
        0,
        [],
        "Why is the sky blue? Grüße, 世界!",
        SHORT,
        embeds=True,
        steps=64,
    ),
    case(
        "l-wide-released",
        "l-tied",
        "released",
        6,
        (250, 31),
        5,
        [(0, rectangle, (3, 2, 60, 20)), (2, rectangle, (180, 5, 247, 27))],
        "Compare <Prompt0> with <Prompt2>.",
        SHORT,
    ),
    case(
        "g-single-paper",
        "g-untied",
        "paper",
        2,
        (100, 160),
        2,
        [(0, ellipse, (45, 90, 31, 52))],
        DETAIL,
        SHORT,
        taps=True,
        steps=64,
    ),
    case(
        "g-pixel-paper",
        "g-untied",
        "paper",
        1,
        (97, 83),
        3,
        [(1, rectangle, (61, 40, 62, 41))],
        DETAIL,
        SHORT,
    ),
    case(
        "g-three-released",
        "g-untied",
        "released",
        3,
        (170, 60),
        6,
        [(1, ellipse, (30, 30, 25, 22)), (2, rectangle, (50, 5, 110, 33)), (4, ellipse, (140, 34, 22, 21))],
        "Which of <Prompt1>, <Prompt2> and <Prompt4> is it?",
        SHORT,
    ),
    case(
        "g-mask-bicubic",
        "g-untied",
        "paper",
        6,
        (150, 101),
        7,
        [(0, ellipse, (40, 50, 31, 23)), (3, ellipse, (100, 60, 37, 30))],
        "Describe <Prompt0> beside <Prompt3>.",
        SHORT,
        mask_resample="bicubic",
    ),
    case(
        "r-single-released",
        "l-rope8",
        "released",
        2,
        (80, 150),
        8,
        [(1, rectangle, (11, 20, 61, 127))],
        DETAIL,
        SHORT,
        taps=True,
        steps=64,
    ),
    case(
        "r-four-paper",
        "l-rope8",
        "paper",
        3,
        (260, 95),
        9,
        [
            (0, ellipse, (40, 50, 33, 40)),
            (1, ellipse, (100, 40, 30, 28)),
            (2, rectangle, (120, 30, 190, 90)),
            (3, rectangle, (200, 3, 259, 61)),
        ],
        "Relate <Prompt0>, <Prompt1>, <Prompt2>, <Prompt3>.",
        None,
    ),
    case(
        "r-pixel-inclusive",
        "l-rope8",
        "paper",
        2,
        (115, 113),
        10,
        [(1, rectangle, (70, 35, 71, 36))],
        DETAIL,
        SHORT,
        bbox="inclusive",
        double_bos=True,
    ),
    case(
        "l-single-released-bf16", "l-tied", "released", numerics="bf16", steps=64, inputs="l-single-released"
    ),
    case("l-five-paper-bf16", "l-tied", "paper", numerics="bf16", inputs="l-five-paper"),
    case("g-single-paper-bf16", "g-untied", "paper", numerics="bf16", steps=64, inputs="g-single-paper"),
    case("g-three-released-bf16", "g-untied", "released", numerics="bf16", inputs="g-three-released"),
]
BY_NAME = {c["name"]: c for c in CASES}


def source(c):
    """The case that owns the picture, masks and ids of c."""
    return BY_NAME[c["inputs"]] if c["inputs"] else c


def image_of(c):
    return None if c["size"] is None else picture(*c["size"], c["kind"])


def masks_of(c):
    return [(p, f(*c["size"], *numbers)) for p, f, numbers in c["regions"]]


def text_of(c, tokens):
    """User text of a case; a region with the plain question takes the single-region template."""
    which = [p for p, _, _ in c["regions"]]
    if not which:
        return c["question"]
    if len(which) == 1:
        return prompts.single(which[0], tokens, c["question"])
    return prompts.multi(which, tokens, c["question"])


def messages_of(c, tokens):
    system = [] if c["system"] is None else [{"role": "system", "content": c["system"]}]
    return system + [prompts.user(text_of(c, tokens), c["size"] is not None)]
