"""AdaBound and AMSBound: an adaptive rate between bounds that converge to a fixed rate."""

import math

from thalweg.form.hyper import Decay, NonNegative, Positive
from thalweg.ops import clip, maximum, mix, sign, sqrt, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-4, 1e0), step=True)
def adabound(
    g, t, lr, m=0.0, v=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, final_lr: Positive = 0.1, gamma: float | None = None,
    base_lr: float | None = None, eps: NonNegative = 0.0, bound_eps: NonNegative = 0.0, sqrt_decay: bool = True,
    bias_correction: bool = False,
):  # fmt: skip
    """AdaBound (Luo, Xiong, Liu & Sun 2019, arXiv 1902.09843, algorithm 2), with the bounds of its experiments.

    From adam: each coordinate's rate is clipped to bounds that close on the rate of SGD.
    As the paper: divided by sqrt(t), no bias correction, no epsilon (lr / 0 is clipped to the upper bound), and the
    bounds close at the rate gamma = 1 - beta2. They do not depend on lr, but lr = 0 moves nothing. bound_eps is added to
    gamma t in the upper one.
    Differs from the authors' code: that is gamma=1e-3, eps=1e-8, sqrt_decay=False, bias_correction=True, and base_lr
    the first learning rate, so that final_lr follows the schedule.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    wanted = unbounded(t, lr, v, beta1, beta2, eps, bias_correction)
    limits = bounds(t, lr, final_lr, base_lr, 1 - beta2 if gamma is None else gamma, bound_eps)
    rate = bounded(t, lr, wanted, limits, sqrt_decay)
    return rate * m, m, v


@rule(lr=1e-3, search=(1e-4, 1e0), step=True)
def amsbound(
    g, t, lr, m=0.0, v=0.0, v_max=0.0, *, beta1: Decay = 0.9, beta2: Decay = 0.999, final_lr: Positive = 0.1,
    gamma: float | None = None, base_lr: float | None = None, eps: NonNegative = 0.0, bound_eps: NonNegative = 0.0,
    sqrt_decay: bool = True, bias_correction: bool = False,
):  # fmt: skip
    """AMSBound (Luo, Xiong, Liu & Sun 2019, arXiv 1902.09843, algorithm 3): AdaBound on the largest v so far.

    From adabound and amsgrad: the largest v so far divides.
    Options and the differences from the authors' code as in adabound.
    """
    m = mix(m, g, beta1)
    v = mix(v, g * g, beta2)
    v_max = maximum(v_max, v)
    wanted = unbounded(t, lr, v_max, beta1, beta2, eps, bias_correction)
    limits = bounds(t, lr, final_lr, base_lr, 1 - beta2 if gamma is None else gamma, bound_eps)
    rate = bounded(t, lr, wanted, limits, sqrt_decay)
    return rate * m, m, v, v_max


def unbounded(t, lr, v, beta1, beta2, eps, bias_correction):
    """Return the element-wise rate lr / sqrt(v)."""
    root = sqrt(v) + eps
    wanted = lr * sqrt(1 - beta2**t) / (1 - beta1**t) if bias_correction else lr
    return where(root > 0, wanted / root, math.inf)


def bounds(t, lr, final_lr, base_lr, gamma, bound_eps):
    """Return the lower and upper bound of the rate, which converge to the final rate with speed gamma."""
    slope = gamma * t
    final = final_lr if base_lr is None else final_lr * lr / base_lr
    return final * (1 - 1 / (slope + 1)), final * (1 + 1 / (slope + bound_eps))


def bounded(t, lr, wanted, limits, sqrt_decay):
    """Return the rate clipped to its bounds."""
    rate = sign(lr) * clip(wanted, *limits)
    return rate / sqrt(t) if sqrt_decay else rate
