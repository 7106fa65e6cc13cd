"""python make_train.py OUT: loss, gradients of every weight and ten optimiser steps of the golden models (train/CASE.json).

A case's picture, masks and prompt, followed by an answer; cross entropy over the answer tokens in float32. Every
gradient is stored as its norm and its inner product with a drawn direction (draw.unit of "probe." + name, seed 1).
Then the published recipe (recipe.py) on that sample and the same with another answer, two a step. How far the steps moved
each weight is stored in the same way, without the elements whose first gradient is below the floor.
"""

import contextlib
import pathlib
import sys

import torch
import torch.nn.functional as F

import cases
import files
import make_gar
import prompts
import recipe
import reference
from recipe import row

ANSWERS = {
    "l-five-paper": "From left to right.",
    "g-single-paper": "A grey field.",
    "r-single-released": "Stripes, mostly.",
}
OTHERS = {  # longer and shorter ones
    "l-five-paper": "From top to bottom, I think: 4, 3, 2.",
    "g-single-paper": "An ellipse.",
    "r-single-released": "A tall one.",
}


class Trained(reference.Gar):
    """A Gar whose forward keeps the graph. `tensors` are what is trained."""

    def running(self):
        return contextlib.nullcontext()

    def normalise(self, pixels):
        return super().normalise(pixels).to(self.dtype)

    def roi_align(self, x, rois, grid, scale):
        return super().roi_align(x, rois.to(x.dtype), grid, scale)

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


def sample(c, gar, tokenizer, answers=ANSWERS):
    profile = {**make_gar.profile_of(c), "double_bos": False}
    _, _, ids = make_gar.ids_of(c, gar, tokenizer, profile)
    answer = tokenizer.encode(answers[c["name"]] + "<|eot_id|>", add_special_tokens=False).ids
    labels = [-100] * len(ids) + answer
    return (
        cases.image_of(c),
        sorted(cases.masks_of(c), key=lambda r: r[0]),
        torch.tensor(ids + answer),
        torch.tensor(labels),
        profile,
        c["max_tiles"],
    )


def gradients(gar):
    return [row(name, p.grad) for name, p in gar.tensors.items()]


def fresh(name, tokenizer, kind=Trained):
    """A model that has not been trained, and the two samples of its steps."""
    c = cases.BY_NAME[name]
    seed, config = cases.MODELS[c["model"]]
    gar = kind(config, seed)
    for p in gar.tensors.values():
        p.requires_grad_(True)
    return gar, [sample(c, gar, tokenizer, answers) for answers in (ANSWERS, OTHERS)]


def steps(name, tokenizer, kind=Trained):
    """What ten steps do, the elements that are left out, what rounding alone does."""
    out = recipe.Recipe().run(*fresh(name, tokenizer, kind))
    other, samples = fresh(name, tokenizer, kind)
    with recipe.widened(other):
        wide = recipe.Recipe().run(other, samples)
    left_out = recipe.below(out["gradients"])
    return out, left_out, recipe.noise(out, wide, left_out)


def make(name, tokenizer, kind=Trained):
    gar, (data, second) = fresh(name, tokenizer, kind)
    loss = gar.loss(*data)
    loss.backward()
    rows = gradients(gar)
    with reference.patched(F, **reference.EXACT):  # the same sums in double: what rounding alone does
        other, _ = fresh(name, tokenizer, kind)
        other.loss(*data).backward()
        noise = max(files.relative_rms(other.tensors[n].grad, p.grad) for n, p in gar.tensors.items())
    out, left_out, moved = steps(name, tokenizer, kind)
    print(name, "losses", out["losses"], "norms", out["norms"], "gradient noise %.1e, noise" % noise, moved, flush=True)
    short = lambda values: [float("%.9g" % v) for v in values]
    return {
        "case": name,
        "answer": ANSWERS[name],
        "other_answer": OTHERS[name],
        "double_bos": False,
        "ids": data[2].tolist(),
        "other_ids": second[2].tolist(),
        "first_label": int((data[3] >= 0).nonzero()[0]),
        "loss": float("%.9g" % loss),
        "gradient_noise": float("%.2g" % noise),
        "learning_rate": recipe.Recipe.peak,
        "iterations": recipe.ITERATIONS,
        "rates": out["rates"],
        "losses": short(out["losses"]),
        "norms": short(out["norms"]),
        "noise": [float("%.2g" % m) for m in moved],
        "gradients": rows,
        "changes": [r + recipe.runs(left_out[n]) for r, n in zip(recipe.change_rows(out, left_out), gar.tensors)],
    }


def save(path, value):
    """Tables of rows at the end, a row a line."""
    tables = {key: value.pop(key) for key in ("gradients", "changes", "merged") if key in value}
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
