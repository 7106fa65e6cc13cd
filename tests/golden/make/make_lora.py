"""python make_lora.py OUT: loss, gradients of adapters and ten optimiser steps of a golden model (train/lora-CASE.json).

As make_train.py, with the model frozen and low-rank adapters beside some of its linear layers, written out:
y = x W' + b + (alpha / r) (x A') B' (Hu et al. 2021, section 4.1; peft/tuners/lora/layer.py). A is drawn with
1 / sqrt(in) (draw.unit of A's name, seed 1), B with 0.1: zeros, where training begins, would hide the gradient of A.
`merged`: what W + (alpha / r) B A, taken in float32, adds to each W.
"""

import math
import pathlib
import sys

import torch
import torch.nn.functional as F

import draw
import make_train
import prompts

CASE = "g-single-paper"
TARGETS = ["q_proj", "v_proj", "gate_proj", "down_proj", "qkv", "fc2"]
RANK, ALPHA = 5, 8.0


class Adapted(make_train.Trained):
    """`tensors`: A and B of every adapted layer, in the order of the model, by peft's names."""

    def __init__(self, config, seed):
        super().__init__(config, seed)
        base, self.tensors, self.layers = self.tensors, {}, []
        for p in base.values():
            p.requires_grad_(False)
        modules = {"mllm." + name: m for name, m in self.lm.named_modules()}
        for name in base:
            module = name.removesuffix(".weight")
            if name.endswith(".weight") and module.rpartition(".")[2] in TARGETS:
                self.adapt(module, modules[module])

    def adapt(self, name, linear):
        out, width = linear.weight.shape
        a = self.draw(f"base_model.model.{name}.lora_A.weight", (RANK, width), 1 / math.sqrt(width))
        b = self.draw(f"base_model.model.{name}.lora_B.weight", (out, RANK), 0.1)
        linear.register_forward_hook(lambda m, i, o: o + F.linear(F.linear(i[0], a), b) * (ALPHA / RANK))
        self.layers.append((name + ".weight", linear, a, b))

    def draw(self, name, shape, std):
        values = torch.from_numpy(draw.draw(name, shape, 1, mean=0.0, std=std))
        self.tensors[name] = torch.nn.Parameter(values)
        return self.tensors[name]

    def merged(self):
        with torch.no_grad():
            return [
                make_train.row(name, (m.weight + (b @ a) * (ALPHA / RANK)).double() - m.weight.double())
                for name, m, a, b in self.layers
            ]


def main():
    torch.manual_seed(0)
    value = make_train.make(CASE, prompts.byte_tokenizer(), Adapted)
    value["lora"] = {"targets": ",".join(TARGETS), "rank": RANK, "alpha": ALPHA}
    seed, config = make_train.cases.MODELS[make_train.cases.BY_NAME[CASE]["model"]]
    value["merged"] = Adapted(config, seed).merged()
    make_train.save(pathlib.Path(sys.argv[1]) / "train" / f"lora-{CASE}.json", value)


if __name__ == "__main__":
    main()
