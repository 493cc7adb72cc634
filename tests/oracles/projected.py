"""AdamP and SGDP: p is one layer, of (outputs, inputs)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, inner, norm, rate, silent


def projection(u: Array, g: Array, w: Array, delta: float) -> tuple[Array, bool]:
    """Heo et al. 2021, arXiv 2006.08217: Pi_w(u) = u - (w_hat . u) w_hat if |cos(w, g)| < delta / sqrt(dim(w)).

    From the authors' code: first with each row as a w, if all of them are so; else with the whole matrix. Vectors stay.
    """
    if w.ndim < 2:
        return u, False

    def small(g: Array, w: Array) -> bool:
        return abs(inner(g, w)) <= delta / math.sqrt(w.size) * norm(g) * norm(w)

    def cut(u: Array, w: Array) -> Array:
        unit = w / norm(w)
        return u - inner(unit, u) * unit

    if all(small(*row) for row in zip(g, w, strict=True)):
        return np.array([cut(*row) for row in zip(u, w, strict=True)]), True
    return (cut(u, w), True) if small(g, w) else (u, False)


@silent()
def adamp(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    delta: float = 0.1,
    weight_decay: float = 0.0,
    share: float = 0.1,
    steps: int | None = None,
) -> Array:
    """AdamP: Heo et al. 2021, arXiv 2006.08217, Algorithm 2; the decay times ``share`` where projected, from the authors' code."""
    w, grad, T = begin(p, gradients, steps)
    m, v = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        u = (m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + eps)
        q, projected = projection(u, g, w, delta)
        w = w - rate(lr, t) * (q + weight_decay * (share if projected else 1.0) * w)
        path.append(w)
    return finish(path, w)


@silent()
def sgdp(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    mu: float = 0.9,
    delta: float = 0.1,
    weight_decay: float = 0.0,
    share: float = 0.1,
    form: str = "paper",
    steps: int | None = None,
) -> Array:
    """SGDP: Heo et al. 2021, arXiv 2006.08217, Algorithm 1; ``form="code"``: the decay over 1 - mu."""
    w, grad, T = begin(p, gradients, steps)
    m = np.zeros_like(w)
    decay = weight_decay / (1.0 - mu) if form == "code" else weight_decay
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = mu * m + g
        q, projected = projection(m, g, w, delta)
        w = w - rate(lr, t) * (q + decay * (share if projected else 1.0) * w)
        path.append(w)
    return finish(path, w)
