"""Kunstner's effect: with many rare classes, gradient descent neglects them, while Adam and sign descent do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import wrightomega

import thalweg as tw
from thalweg.lab.statistics.stats import Floats
from thalweg.lab.verify.check import Check, Line, Say, close, relative

CLASSES = 256
CERTAIN = 0.9
STEPS = 100
RATES = {
    "sgd": np.geomspace(1, 1e4, 17), "momentum": np.geomspace(0.1, 1e3, 17),
    "signsgd": np.geomspace(1e-3, 1, 13), "adam": np.geomspace(1e-3, 10, 17),
}  # fmt: skip


@dataclass(frozen=True)
class Classes:
    """One input for each class. share: the inputs' frequencies, (c,). label: row k holds input k's label frequencies, (c, c)."""

    share: Floats
    label: Floats

    def left(self, w: Floats) -> Floats:
        """Each input's loss above its minimum, (..., c), for logits w (..., c, c): the divergence of the predicted
        labels from the true ones."""
        with np.errstate(divide="ignore"):
            certain = np.where(self.label > 0, np.log(self.label), 0.0)
        found: Floats = (self.label * (certain - _log_softmax(w))).sum(axis=-1)
        return found

    def grad(self, w: Floats) -> Floats:
        """The gradient of the mean loss, (..., c, c)."""
        found: Floats = self.share[:, None] * (np.exp(_log_softmax(w)) - self.label)
        return found


def _log_softmax(w: Floats) -> Floats:
    z = w - w.max(axis=-1, keepdims=True)
    found: Floats = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return found


def zipf(classes: int, certain: float) -> Classes:
    """Class k has frequency proportional to 1 / k. An input has its class's label with this probability, else a random one."""
    share = 1 / np.arange(1, classes + 1)
    share /= share.sum()
    return Classes(share, certain * np.eye(classes) + (1 - certain) * share)


def trained(data: Classes, name: str, rates: Floats, steps: int) -> Floats:
    """Each class's remaining loss after full-batch training, (lanes, c), with a lane for each learning rate."""
    optimizer = tw.Optimizer(tw.rules[name](), lr=rates, lanes=len(rates))
    w = np.zeros((len(rates), *data.label.shape))
    state = optimizer.init(w)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            w, state = optimizer.step(w, data.grad(w), state)
        return data.left(w)


def check(quick: bool, say: Say) -> Check:
    say("laws of rare classes")
    lines = _laws()
    data = zipf(CLASSES // 2 if quick else CLASSES, CERTAIN)
    rare, common = (_share_left(data, part) for part in (slice(len(data.share) // 2, None), slice(0, 4)))
    left, uneven = {}, {}
    for name, rates in RATES.items():
        say(f"rare classes: tuning {name}")
        tried = rates[:: 2 if quick else 1]
        found = trained(data, name, tried, STEPS)
        best = found[int(np.nan_to_num(found @ data.share, nan=np.inf).argmin())]
        left[name], uneven[name] = rare(best), rare(best) / common(best)
        lines.append(
            Line(
                f"{name}: % left of the rarer half's loss",
                100 * left[name],
                note=f"at the best of {len(tried)} rates; {100 * common(best):.4f} for the four commonest classes",
            )
        )
    return Check(
        "heavy_tails",
        "Rare classes",
        "Kunstner et al. 2024, arXiv 2402.19449",
        _about(data),
        [*lines, *_compared(left, uneven)],
        f"Of the rarer half's loss, gradient descent at its best rate leaves {left['sgd']:.2%} and momentum "
        f"{left['momentum']:.2%}; sign descent leaves {left['signsgd']:.3%} and Adam {left['adam']:.3%}, no more than for the "
        "common classes.",
    )


def _compared(left: Mapping[str, float], uneven: Mapping[str, float]) -> list[Line]:
    """Compare with the paper's claims: the loss that each rule leaves on rare classes, alone and relative to common ones."""
    slow, far = uneven["sgd"], left["sgd"] / left["adam"]
    first = "gradient descent: share left of the rare classes' loss over that of the common ones"
    return [
        Line(first, slow, None, slow > 3, "slow on rare classes: more than 3", 2),
        *(
            Line(f"{name}: the same", uneven[name], None, 0.5 < uneven[name] < 1.5, "as fast on rare classes: near 1", 2)
            for name in ("signsgd", "adam")
        ),
        Line("left by gradient descent over left by Adam", far, None, far > 10, "on the rarer half: more than 10", 0),
    ]


def _about(data: Classes) -> str:
    return (
        f"A linear softmax model, in float64, with {len(data.share)} classes and one input for each class. The frequency of the "
        "k-th class is proportional to 1 / k. The first lines are for the simplest case, in which the input determines the "
        "class: small steps of gradient descent follow the gradient flow, whose loss on a class of frequency π falls as "
        "1 / (π t) and is known in closed form (by Wright's omega function), and the loss of sign descent is the same on all "
        f"classes. In the other lines, a label is certain only to {CERTAIN:.0%}; with certain labels, any large rate separates "
        f"the classes at once, and tuning hides the effect. Each rule takes {STEPS} steps on all data, at the tuned rate with "
        "the lowest mean loss at the end. These lines have the loss above its minimum that is left on the rarer half of the "
        "classes, as a share of its value at the start."
    )


def _share_left(data: Classes, part: slice) -> Callable[[Floats], float]:
    """The remaining loss of some classes as a share of the initial one."""
    begun = float(data.left(np.zeros(data.label.shape))[part].mean())
    return lambda left: float(left[part].mean()) / begun


def flow(share: Floats, classes: int, time: float) -> Floats:
    """The loss of classes of these frequencies after a time of gradient flow from 0, if the input determines the class.

    With u = exp(own logit - another's) / (c - 1), initially 1 / (c - 1), log u + u grows by share c / (c - 1) per unit of
    time. For long times the loss, log(1 + 1 / u), is (c - 1) / (c share time).
    """
    start = 1 / (classes - 1)
    u = np.real(wrightomega(share * classes / (classes - 1) * time + np.log(start) + start))
    found: Floats = np.log1p(1 / u)
    return found


def _laws() -> list[Line]:
    data, steps, rate = zipf(10, 1.0), 4000, 0.05
    found = trained(data, "sgd", np.array([rate]), steps)[0]
    expected = flow(data.share, 10, rate * steps)
    far = flow(data.share, 10, 1e9) * data.share * 1e9 * 10 / 9
    signs = trained(data, "signsgd", np.array([0.01]), 300)[0]
    same = float(np.log1p(9 * np.exp(-2 * 0.01 * 300)))
    return [
        relative(
            "gradient descent, commonest class: loss",
            found[0],
            expected[0],
            2e-3,
            f"closed form of the flow; {steps} steps of {rate:g}",
            6,
        ),
        relative(
            "gradient descent, rarest class: loss", found[-1], expected[-1], 2e-3, "the same, at a tenth of the frequency", 6
        ),
        close("loss × π t c / (c - 1) of the rarest class for long times", far[-1], 1.0, 1e-5, "the law 1 / (π t)", 6),
        close("sign, commonest class: loss", signs[0], same, 1e-12, "log(1 + 9 exp(-2 · 0.01 · 300))", 12),
        close("sign, rarest class: loss", signs[-1], same, 1e-12, "the same number", 12),
    ]
