"""python train_mistakes.py OUT: deliberate mistakes in the training recipe, and how far each moves what is compared.

Writes OUT/train/mistakes.json: for each mistake the number of OUT/train that shows it best - losses, norms, the change of
the worst tensor after ten steps, all changes together - and by how many tolerances it moved: over 100 each. The unspoilt
recipe has to give the golden numbers.

Ten steps cannot show everything: a decay of 0.01 moves a tensor by 50 tolerances, moments kept in bf16 all changes by 33,
and the largest second moment in place of the second moment (amsgrad) nothing.
"""

import json
import pathlib
import sys
import types

import torch

import files
import make_train
import prompts
import recipe
from recipe import Recipe

CASE = "r-single-released"
WANTED = 100.0
MISTAKES = []


def spoil(name, what, **changes):
    """A recipe with other numbers or other methods."""
    MISTAKES.append((name, what, changes))


def adamw(**changes):
    return {**Recipe.adamw, **changes}


# ---- the schedule ----


def by_steps(self, step):
    return Recipe(iterations=self.iterations // self.group).rate(step)


def warm_too_long(self, t):
    warm = int(self.ratio * self.iterations)
    return self.peak * (self.start + (1 - self.start) * t / warm) if t < warm else Recipe.rate(self, t)


def first_rate(self, step):
    return self.rate(step * self.group)


def next_rate(self, step):
    return self.rate(step * self.group + self.group)


def flat(self, t):
    return Recipe.rate(self, min(t, 3))


def cosine_from_the_start(self, t):
    return Recipe.rate(self, t) if t < 3 else Recipe(ratio=0.0).rate(t)


spoil("rate_of_first_sample", "a step has the rate of its first iteration", rate_of_step=first_rate)
spoil("rate_of_next_sample", "the scheduler is stepped before the optimiser", rate_of_step=next_rate)
spoil("rate_counted_in_steps", "the schedule counts steps, not samples", rate_of_step=by_steps)
spoil("warm_up_off_by_one", "t / W where t / (W - 1) is meant", rate=warm_too_long)
spoil("no_warm_up", "the rate begins at its peak", ratio=0.0)
spoil("no_cosine", "the rate stays at its peak", rate=flat)
spoil("cosine_over_all", "the cosine began with the run", rate=cosine_from_the_start)

# ---- AdamW ----


class Written(torch.optim.Optimizer):
    """AdamW step by step, to be spoilt by flags."""

    def __init__(self, parameters, **flags):
        super().__init__(parameters, dict(lr=0.0))
        usual = dict(bias1=True, bias2=True, eps_inside=False, shared=False, late=False)
        self.flags = types.SimpleNamespace(**{**usual, **flags})
        self.k = 0

    @torch.no_grad()
    def step(self):
        f, (b1, b2), eps = self.flags, Recipe.adamw["betas"], Recipe.adamw["eps"]
        self.k += 1
        for group in self.param_groups:
            for p in group["params"]:
                s = self.state[p]
                if not s:
                    s["m"], s["v"] = torch.zeros_like(p), torch.zeros_like(p)
                m, v, g = s["m"], s["v"], p.grad
                m.mul_(b1).add_(g, alpha=1 - b1)
                v.mul_(b2).addcmul_(g, g, value=1 - b2)
                k = self.k - 1 if f.late and self.k > 1 else self.k
                top = m / (1 - b1**k) if f.bias1 else m
                under = v / (1 - b2**k) if f.bias2 else v
                if f.shared:
                    under = torch.full_like(under, float(under.mean()))
                root = (under + eps).sqrt() if f.eps_inside else under.sqrt() + eps
                p.add_(top / root, alpha=-group["lr"])


def written(**flags):
    return lambda self, parameters: Written(parameters, **flags)


class BF16Weights(torch.optim.AdamW):
    def step(self):
        super().step()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p.copy_(p.bfloat16())


spoil("beta2_0.95", "the second moment forgets sooner", adamw=adamw(betas=(0.9, 0.95)))
spoil("beta2_0.99", "the second moment forgets sooner", adamw=adamw(betas=(0.9, 0.99)))
spoil("beta1_0.95", "the first moment forgets later", adamw=adamw(betas=(0.95, 0.999)))
spoil("eps_1e-6", "eps a hundredfold", adamw=adamw(eps=1e-6))
spoil("weight_decay_0.1", "decay on", adamw=adamw(weight_decay=0.1))
spoil("no_bias_correction", "moments as they are", optimiser=written(bias1=False, bias2=False))
spoil("no_bias_correction_of_m", "of the second moment only", optimiser=written(bias1=False))
spoil("no_bias_correction_of_v", "of the first moment only", optimiser=written(bias2=False))
spoil("bias_correction_late", "steps counted from 0", optimiser=written(late=True))
spoil("eps_inside_root", "sqrt(v + eps)", optimiser=written(eps_inside=True))
spoil("moment_of_a_tensor", "one second moment a tensor", optimiser=written(shared=True))
spoil("weights_bf16", "no float32 master weights", optimiser=lambda self, p: BF16Weights(p, lr=0.0, **self.adamw))
spoil("plain_descent", "no moments", optimiser=lambda self, p: torch.optim.SGD(p, lr=0.0))

# ---- clipping, samples ----


def clip_each(self, parameters):
    norm = torch.nn.utils.clip_grad_norm_(parameters, float("inf"))
    for p in parameters:
        torch.nn.utils.clip_grad_norm_([p], 1.0)
    return norm


def clip_values(self, parameters):
    norm = torch.nn.utils.clip_grad_norm_(parameters, float("inf"))
    torch.nn.utils.clip_grad_value_(parameters, 1.0)
    return norm


def shares_of_tokens(self, samples):
    n = [int((s[3] >= 0).sum()) for s in samples]
    return [k / sum(n) for k in n]


def no_clip(self, parameters):
    return torch.nn.utils.clip_grad_norm_(parameters, float("inf"))


spoil("no_clip", "gradients as they are", clip=no_clip)
spoil("clip_each_tensor", "every tensor's own norm clipped", clip=clip_each)
spoil("clip_elements", "elements clipped at 1", clip=clip_values)
spoil("mean_over_all_tokens", "longer answers weigh more", shares=shares_of_tokens)
spoil("sum_of_samples", "losses not divided by the samples of a step", shares=lambda self, s: [1.0, 1.0])
spoil("last_sample_only", "gradients overwritten, not added", shares=lambda self, s: [0.0, 1.0])


def main():
    out_dir = pathlib.Path(sys.argv[1]) / "train"
    tokenizer = prompts.byte_tokenizer()
    want, left_out, noise = make_train.steps(CASE, tokenizer)
    golden = json.loads((out_dir / f"{CASE}.json").read_text())
    want_rows, tolerances = recipe.change_rows(want, left_out), recipe.tolerances(noise)
    assert [r[:3] for r in golden["changes"]] == want_rows
    rows, bad = [], 0
    for name, what, changes in MISTAKES:
        out = Recipe(**changes).run(*make_train.fresh(CASE, tokenizer))
        by = recipe.moved(recipe.change_rows(out, left_out), out, want_rows, want, tolerances)
        shown = max(by, key=by.get)
        rows.append(dict(name=name, what=what, case=CASE, shown_by=shown))
        rows[-1]["moved_in_tolerances"] = {key: float("%.3g" % value) for key, value in by.items()}
        bad += by[shown] <= WANTED
        print(("" if by[shown] > WANTED else "WEAK ") + str(rows[-1]), flush=True)
    files.save_rows(out_dir / "mistakes.json", rows)
    print(f"{len(rows)} mistakes, {bad} too weak, least {min(max(r['moved_in_tolerances'].values()) for r in rows)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
