"""Optimistic gradient descent."""

from __future__ import annotations

from typing import Any

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def optimistic_gd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    alpha: float = 1.0,
    beta: float = 1.0,
    steps: int | None = None,
) -> Array:
    """Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141: w_(t+1) = w_t - 2 eta g_t + eta g_(t-1).

    The two points before the first step are equal, and so are their gradients. ``alpha``, ``beta``: the
    generalized form, w - eta (alpha + beta) g_t + eta beta g_(t-1).
    """
    w, grad, T = begin(p, gradients, steps)
    before = None
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        before = g if before is None else before
        w = w - rate(lr, t) * (alpha + beta) * g + rate(lr, t) * beta * before
        before = g
        path.append(w)
    return finish(path, w)
