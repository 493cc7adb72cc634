"""AdaLomo; p is one tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, norm, rate, silent


@silent()
def adalomo(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta2_decay: float = -0.8,
    eps1: float = 1e-30,
    eps2: float = 1e-3,
    d: float = 1.0,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """AdaLomo: Lv et al. 2023, arXiv 2310.10195, Algorithm 1: r = beta r + (1 - beta) g^2 1, c = beta c + (1 - beta) 1^T g^2, v = r c / 1^T r,
    u = g / sqrt(v), u^ = u / max(1, RMS(u) / d) max(eps2, RMS(w)), w = w - alpha u^. beta = 1 - t^-0.8 from the authors' code.
    """
    w, grad, T = begin(p, gradients, steps)
    r = np.zeros(w.shape[0]) if w.ndim == 2 else np.zeros_like(w)
    c, path = np.zeros(w.shape[-1] if w.ndim else ()), []
    for t in range(1, T + 1):
        g, beta = grad(t, w), 1.0 - float(t) ** beta2_decay
        squares = g**2 + eps1
        if w.ndim == 2:
            r = beta * r + (1.0 - beta) * np.sum(squares, 1)
            c = beta * c + (1.0 - beta) * np.sum(squares, 0)
            v = np.outer(r, c) / np.sum(r)
        else:
            r = beta * r + (1.0 - beta) * squares
            v = r
        u = g / np.sqrt(v)
        size = max(eps2, norm(w) / math.sqrt(w.size))
        eta = rate(lr, t)
        step = u / max(1.0, norm(u) / math.sqrt(u.size) / d) * size
        w = w - eta * step - eta * weight_decay * w
        path.append(w)
    return finish(path, w)
