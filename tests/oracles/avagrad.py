"""AvaGrad; p is the whole model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, norm, rate, silent


@silent()
def avagrad(
    p: Any,
    gradients: Gradients,
    lr: Rate = 0.1,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 0.1,
    form: str = "paper",
    steps: int | None = None,
) -> Array:
    """AvaGrad: Savarese et al. 2021, arXiv 1912.01823, Algorithm 2: eta = 1 / (sqrt(v) + eps), w = w - alpha eta / |eta / sqrt(d)| m, then v.

    ``form="code"``: m and v corrected; |eta / sqrt(d)| of the step before, with v's correction of then; no first step.
    """
    choice("form", form, ("paper", "code"))
    w, grad, T = begin(p, gradients, steps)
    m, v, size, path = np.zeros_like(w), np.zeros_like(w), 0.0, []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        if form == "paper":
            eta = 1.0 / (np.sqrt(v) + eps)
            w = w - rate(lr, t) * eta / norm(eta / math.sqrt(w.size)) * m
        else:
            if t > 1:
                eta = 1.0 / (np.sqrt(v / (1.0 - beta2 ** (t - 1))) + eps)
                w = w - rate(lr, t) * eta / size * m / (1.0 - beta1**t)
            size = norm(1.0 / (np.sqrt(v / (1.0 - beta2**t)) + eps)) / math.sqrt(w.size)
        v = beta2 * v + (1.0 - beta2) * g**2
        path.append(w)
    return finish(path, w)
