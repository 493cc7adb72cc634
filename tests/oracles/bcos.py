"""BCOS."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, rate, silent


@silent()
def bcos(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta: float = 0.9,
    eps: float = 1e-6,
    estimator: str = "old",
    steps: int | None = None,
) -> Array:
    """BCOS: Jiang & Xiao 2025, arXiv 2507.08963: v = (1 - (1 - beta)^2) m^2 + (1 - beta)^2 g^2, of the m before; m_0 = g_1.

    ``estimator="new"``: v = (3 beta^2 - 2 beta^3) m^2 + (1 - beta)^2 g^2 + 2 beta (1 - beta)^2 m g of the m after, and
    "simple new" the v above of it.
    """
    choice("estimator", estimator, ("old", "new", "simple new"))
    w, grad, T = begin(p, gradients, steps)
    m, path = np.zeros_like(w), []
    for t in range(1, T + 1):
        g = grad(t, w)
        m = g if t == 1 else m
        of = m if estimator == "old" else beta * m + (1.0 - beta) * g
        if estimator != "new":
            v = (1.0 - (1.0 - beta) ** 2) * of**2 + (1.0 - beta) ** 2 * g**2
        else:
            v = (3.0 * beta**2 - 2.0 * beta**3) * of**2 + (1.0 - beta) ** 2 * g**2 + 2.0 * beta * (1.0 - beta) ** 2 * of * g
        m = beta * m + (1.0 - beta) * g
        w = w - rate(lr, t) * m / (np.sqrt(v) + eps)
        path.append(w)
    return finish(path, w)
