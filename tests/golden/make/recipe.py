"""The published training recipe, step by step, on a model and the two samples of every step.

AdamW (betas 0.9 and 0.999, eps 1e-8, no decay), the norm of all gradients clipped at 1, two samples a step with weight
1/2 each, and the schedule of the configuration: a rate per iteration (= sample), which grows over the first 3 percent of
them and falls as a cosine; a step has the rate of its last iteration. Here are the first STEPS steps of a run of ITERATIONS
iterations. What a step is made of is a method, so that train_mistakes.py can replace it by a wrong one.

The published peak rate is 1e-5. Weights near 1 then move by 1e-4 in ten steps, and float32 keeps that to 1e-3 only; at
1e-3 a step is so large that rounding grows a hundredfold in ten of them. Between the two lies the sharpest comparison.
"""

import contextlib
import math
import types

import torch
import torch.nn.functional as F
from transformers.models.llama import modeling_llama as llama

import draw
import files
import reference

STEPS, ITERATIONS = 10, 100
FLOOR = 1e-5  # of the RMS of all gradients: below it a gradient may be rounding alone
TIMES = 3  # times its own noise may a number differ from the reference: products with a drawn direction scatter
LOSS, NORM = 1e-5, 1e-5  # least tolerances, relative


class Recipe:
    peak, start, ratio, iterations, group = 1e-4, 1e-5, 0.03, ITERATIONS, 2
    adamw = dict(betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)

    def __init__(self, **changes):
        """Other numbers or other methods, for mistakes."""
        for name, value in changes.items():
            setattr(self, name, types.MethodType(value, self) if callable(value) else value)

    def rate(self, t):
        warm = int(self.ratio * self.iterations)
        if t < warm:
            return self.peak * (self.start + (1 - self.start) * t / max(warm - 1, 1))
        return self.peak * 0.5 * (1 + math.cos(math.pi * (t - warm) / (self.iterations - warm)))

    def rate_of_step(self, step):
        return self.rate(step * self.group + self.group - 1)

    def shares(self, samples):
        return [1 / self.group] * self.group

    def clip(self, parameters):
        return torch.nn.utils.clip_grad_norm_(parameters, 1.0)

    def optimiser(self, parameters):
        return torch.optim.AdamW(parameters, lr=0.0, **self.adamw)

    def accumulate(self, gar, samples):
        """The gradients of a step; returns its loss."""
        total = 0.0
        for share, sample in zip(self.shares(samples), samples):
            loss = gar.loss(*sample) * share
            loss.backward()
            total += float(loss)
        return total

    def run(self, gar, samples):
        """-> losses before each step and after the last, norms before clipping, rates, and by name the gradients of the
        first step and how far all steps together moved the weights."""
        parameters = list(gar.tensors.values())
        before = {n: p.detach().double().clone() for n, p in gar.tensors.items()}
        optimiser = self.optimiser(parameters)
        out = dict(losses=[], norms=[], rates=[])
        for step in range(STEPS):
            optimiser.zero_grad()
            out["losses"].append(self.accumulate(gar, samples))
            if step == 0:
                out["gradients"] = {n: p.grad.detach().double().clone() for n, p in gar.tensors.items()}
            out["norms"].append(float(self.clip(parameters)))
            out["rates"].append(self.rate_of_step(step))
            for g in optimiser.param_groups:
                g["lr"] = out["rates"][-1]
            optimiser.step()
        with torch.no_grad():
            out["losses"].append(
                sum(float(gar.loss(*s)) * share for s, share in zip(samples, self.shares(samples)))
            )
        out["changes"] = {n: p.detach().double() - before[n] for n, p in gar.tensors.items()}
        return out


# ---- the same steps in double: what rounding alone does ----


def rms_norm_wide(self, x):
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


@contextlib.contextmanager
def widened(gar):
    """Weights, moments and every sum in double, from the same float32 beginning."""
    narrow = gar.dtype
    gar.dtype = torch.float64
    gar.lm.double(), gar.mask_patch_embedding.double()
    for p in gar.tensors.values():
        p.data = p.data.double()
    with reference.patched(llama.LlamaRMSNorm, forward=rms_norm_wide):
        with reference.patched(torch.Tensor, float=torch.Tensor.double):
            yield
    gar.dtype = narrow


# ---- what is compared ----


def row(name, values):
    """Norm, and inner product with the direction of the name."""
    x = values.double().reshape(-1)
    probe = torch.from_numpy(draw.unit("probe." + name, x.numel(), 1))
    return [name, float("%.9g" % x.norm()), float("%.9g" % (x @ probe))]


def below(gradients):
    """By name the elements whose gradient is below the floor. Zeros are not: they stand still on both sides."""
    n = sum(g.numel() for g in gradients.values())
    floor = FLOOR * math.sqrt(sum(float((g**2).sum()) for g in gradients.values()) / n)
    return {name: (g != 0) & (g.abs() < floor) for name, g in gradients.items()}


def runs(flags):
    """[first, count, first, count, ...] of the elements that are true."""
    out = []
    for i in flags.reshape(-1).nonzero().reshape(-1).tolist():
        if out and out[-2] + out[-1] == i:
            out[-1] += 1
        else:
            out += [i, 1]
    return out


def change_rows(out, left_out):
    return [row(n, x.masked_fill(left_out[n], 0)) for n, x in out["changes"].items()]


def noise(out, wide, left_out):
    """How far rounding alone moves what is compared: of losses, of norms, of the change of the worst tensor, and of all
    changes together."""
    worst = lambda key: max(abs(a / b - 1) for a, b in zip(out[key], wide[key]))
    square, off, all_of_it = 0.0, 0.0, 0.0
    for name, x in out["changes"].items():
        a, b = [d["changes"][name].masked_fill(left_out[name], 0) for d in (out, wide)]
        square = max(square, files.relative_rms(a, b))
        off, all_of_it = off + float(((a - b) ** 2).sum()), all_of_it + float((b**2).sum())
    return [worst("losses"), worst("norms"), square, math.sqrt(off / all_of_it)]


def moved(rows, out, want_rows, want, tolerances):
    """By how many tolerances each compared number moved."""
    worst = lambda key: max(abs(a / b - 1) for a, b in zip(out[key], want[key]))
    tensors = [max(abs(a[1] - b[1]), abs(a[2] - b[2])) / b[1] for a, b in zip(rows, want_rows)]
    off = math.sqrt(sum((a[2] - b[2]) ** 2 for a, b in zip(rows, want_rows)))
    whole = off / math.sqrt(sum(b[1] ** 2 for b in want_rows))
    return {
        key: value / tolerance
        for key, value, tolerance in zip(
            ("losses", "norms", "change", "changes"),
            (worst("losses"), worst("norms"), max(tensors), whole),
            tolerances,
        )
    }


def tolerances(noise):
    """As tests/support/training.c has them."""
    least = [LOSS, NORM, 0.0, 0.0]
    return [max(TIMES * n, at_least) for n, at_least in zip(noise, least)]
