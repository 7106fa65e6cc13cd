"""python make_train.py OUT: loss, gradients of every weight and a few optimiser steps of the golden models (train/CASE.json).

A case's picture, masks and prompt, followed by an answer; cross entropy over the answer tokens in float32. Every
gradient is stored as its norm and its inner product with a drawn direction (draw.unit of "probe." + name, seed 1).
Then AdamW steps on the same sample: learning rate 1e-3, betas 0.9 and 0.999, eps 1e-8, no decay, norm clipped at 1.
"""

import contextlib
import pathlib
import sys

import torch
import torch.nn.functional as F

import cases
import draw
import files
import make_gar
import prompts
import reference

ANSWERS = {
    "l-five-paper": "From left to right.",
    "g-single-paper": "A grey field.",
    "r-single-released": "Stripes, mostly.",
}
STEPS, RATE = 5, 1e-3


class Trained(reference.Gar):
    """A Gar whose forward keeps the graph. `tensors` are what is trained."""

    def running(self):
        return contextlib.nullcontext()

    def vision(self, pixel_values, mask):
        self.mask_term = self.mask_patch_embedding(mask.to(self.dtype)).flatten(2).transpose(1, 2)
        features = self.lm.model.get_image_features(pixel_values=pixel_values[None])
        self.mask_term = None
        return features

    def loss(self, image, regions, ids, labels, profile, max_tiles):
        height, width = image.shape[:2]
        pixels, canvas = self.tiles(torch.from_numpy(image).permute(2, 0, 1).contiguous(), max_tiles)
        mask = self.mask_values(self.paint(regions, height, width), max_tiles, profile["mask_resample"])
        features = self.vision(self.normalise(pixels), mask)
        embeds = self.splice(ids, features)
        embeds, _ = self.replay(
            ids, embeds, features, canvas, self.boxes(regions, profile), profile["roi_mode"]
        )
        logits = self.lm(inputs_embeds=embeds[None], use_cache=False).logits[0].float()
        return F.cross_entropy(logits[:-1], labels[1:])


def sample(c, gar, tokenizer):
    profile = {**make_gar.profile_of(c), "double_bos": False}
    _, _, ids = make_gar.ids_of(c, gar, tokenizer, profile)
    answer = tokenizer.encode(ANSWERS[c["name"]] + "<|eot_id|>", add_special_tokens=False).ids
    labels = [-100] * len(ids) + answer
    return (
        cases.image_of(c),
        sorted(cases.masks_of(c), key=lambda r: r[0]),
        torch.tensor(ids + answer),
        torch.tensor(labels),
        profile,
        c["max_tiles"],
    )


def row(name, values):
    """Norm, and inner product with the direction of the name."""
    x = values.double().reshape(-1)
    probe = torch.from_numpy(draw.unit("probe." + name, x.numel(), 1))
    return [name, float("%.9g" % x.norm()), float("%.9g" % (x @ probe))]


def gradients(gar):
    return [row(name, p.grad) for name, p in gar.tensors.items()]


def make(name, tokenizer, kind=Trained):
    c = cases.BY_NAME[name]
    seed, config = cases.MODELS[c["model"]]

    def fresh():
        gar = kind(config, seed)
        for p in gar.tensors.values():
            p.requires_grad_(True)
        return gar, sample(c, gar, tokenizer)

    gar, data = fresh()
    loss = gar.loss(*data)
    loss.backward()
    rows = gradients(gar)
    with reference.patched(F, **reference.EXACT):  # the same sums in double: what rounding alone does
        other, _ = fresh()
        other.loss(*data).backward()
        noise = max(files.relative_rms(other.tensors[n].grad, p.grad) for n, p in gar.tensors.items())
        other, _ = fresh()
        again, _ = descend(other, data)
    losses, norms = descend(gar, data)
    moved = max(abs(a / b - 1) for a, b in zip(again, losses))
    print(
        name,
        "losses",
        losses,
        "norms",
        norms,
        "gradient noise %.1e" % noise,
        "loss noise %.1e" % moved,
        flush=True,
    )
    return {
        "case": name,
        "answer": ANSWERS[name],
        "double_bos": False,
        "ids": data[2].tolist(),
        "first_label": int((data[3] >= 0).nonzero()[0]),
        "loss": float("%.9g" % loss),
        "gradient_noise": float("%.2g" % noise),
        "learning_rate": RATE,
        "losses": losses,
        "norms": norms,
        "loss_noise": float("%.2g" % moved),
        "gradients": rows,
    }


def descend(gar, data):
    """Losses before each step and after the last, gradient norms before clipping."""
    optimiser = torch.optim.AdamW(
        list(gar.tensors.values()), lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0
    )
    losses, norms = [], []
    for step in range(STEPS):
        optimiser.zero_grad()
        at = gar.loss(*data)
        at.backward()
        norms.append(float("%.9g" % torch.nn.utils.clip_grad_norm_(list(gar.tensors.values()), 1.0)))
        losses.append(float("%.9g" % at))
        optimiser.step()
    losses.append(float("%.9g" % gar.loss(*data)))
    return losses, norms


def save(path, value):
    """Tables of rows at the end, a row a line."""
    tables = {key: value.pop(key) for key in ("gradients", "merged") if key in value}
    files.save_json(path, value)
    text = path.read_text().rstrip().removesuffix("}").rstrip()
    for key, rows in tables.items():
        text += f',\n"{key}": [\n' + ",\n".join(files.json.dumps(r) for r in rows) + "\n]"
    path.write_text(text + "\n}\n")


def main():
    out_dir = pathlib.Path(sys.argv[1]) / "train"
    tokenizer = prompts.byte_tokenizer()
    for name in ANSWERS:
        save(out_dir / f"{name}.json", make(name, tokenizer))


if __name__ == "__main__":
    main()
