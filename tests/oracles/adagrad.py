"""AdaGrad, and AdaGrad-Norm, of which p is the whole model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, divide, finish, inner, rate, silent


@silent()
def adagrad(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    eps: float = 1e-8,
    eps_place: str = "outside",
    initial: float = 0.0,
    weight_decay: float = 0.0,
    decay: str = "coupled",
    steps: int | None = None,
) -> Array:
    """AdaGrad: Duchi, Hazan & Singer 2011 (JMLR 12:2121), the diagonal form, H_t = delta I + diag(s_t).

    ``eps_place``: "outside" (the paper's delta), "inside" the root, "none" (then 0/0 = 0). ``initial``: where the sum
    starts (optax: 0.1).
    ``decay``: "coupled" into g; "numerator": the sum sees g alone, the numerator is g + weight_decay w; "decoupled".
    """
    choice("eps_place", eps_place, ("outside", "inside", "none"))
    choice("decay", decay, ("coupled", "numerator", "decoupled"))
    w, grad, T = begin(p, gradients, steps)
    G = np.full_like(w, initial)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        eta = rate(lr, t)
        if decay == "coupled":
            g = g + weight_decay * w
        G = G + g * g
        if eps_place == "outside":
            root = np.sqrt(G) + eps
        elif eps_place == "inside":
            root = np.sqrt(G + eps)
        else:
            root = np.sqrt(G)
        numerator = g + weight_decay * w if decay == "numerator" else g
        shrink = eta * weight_decay * w if decay == "decoupled" else 0.0
        w = w - eta * divide(numerator, root) - shrink
        path.append(w)
    return finish(path, w)


@silent()
def adagrad_norm(p: Any, gradients: Gradients, lr: Rate = 1e-2, b0: float = 0.1, steps: int | None = None) -> Array:
    """AdaGrad-Norm: Ward, Wu & Bottou 2018, arXiv 1806.01811, Algorithm 1: b^2 = b^2 + |g|^2; x = x - (eta / b) g."""
    x, grad, T = begin(p, gradients, steps)
    b2, path = b0**2, []
    for t in range(1, T + 1):
        g = grad(t, x)
        b2 = b2 + inner(g, g)
        x = x - rate(lr, t) / math.sqrt(b2) * g
        path.append(x)
    return finish(path, x)
