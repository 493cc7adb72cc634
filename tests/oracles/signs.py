"""Rules that step by signs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def signsgd(p: Any, gradients: Gradients, lr: Rate = 1e-3, steps: int | None = None) -> Array:
    """signSGD: Bernstein et al. 2018, arXiv 1802.04434, Algorithm 1: x <- x - delta sign(g), and sign(0) = 0."""
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        w = w - rate(lr, t) * ((g > 0.0).astype(float) - (g < 0.0).astype(float))
        path.append(w)
    return finish(path, w)


@silent()
def signum(p: Any, gradients: Gradients, lr: Rate = 1e-3, beta: float = 0.9, steps: int | None = None) -> Array:
    """Signum: Bernstein et al. 2018, arXiv 1802.04434, Algorithm 2: m <- beta m + (1 - beta) g; x <- x - delta sign(m)."""
    w, grad, T = begin(p, gradients, steps)
    m = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        m = beta * m + (1.0 - beta) * grad(t, w)
        w = w - rate(lr, t) * np.sign(m)
        path.append(w)
    return finish(path, w)


@silent()
def lion(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-4,
    beta1: float = 0.9,
    beta2: float = 0.99,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Lion: Chen et al. 2023, arXiv 2302.06675, Algorithm 2; its lambda is ``weight_decay``."""
    w, grad, T = begin(p, gradients, steps)
    m = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        c = beta1 * m + (1.0 - beta1) * g
        w = w - rate(lr, t) * (np.sign(c) + weight_decay * w)
        m = beta2 * m + (1.0 - beta2) * g
        path.append(w)
    return finish(path, w)
