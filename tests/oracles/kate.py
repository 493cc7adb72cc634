"""KATE."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, divide, finish, rate, silent


@silent()
def kate(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    eta: float = 0.9,
    eps: float = 1e-8,
    eps_place: str = "beside",
    steps: int | None = None,
) -> Array:
    """KATE: Choudhury et al. 2024, arXiv 2403.02648, Algorithm 1: b^2 = b^2 + g^2, m^2 = m^2 + eta g^2 + g^2 / b^2, w = w - gamma m g / b^2.

    0/0 = 0. ``eps``: the authors' code, beside b^2; ``eps_place="summed"``: added to b^2 for good at each step.
    """
    choice("eps_place", eps_place, ("beside", "summed"))
    w, grad, T = begin(p, gradients, steps)
    b2, m2, path = np.zeros_like(w), np.zeros_like(w), []
    for t in range(1, T + 1):
        g = grad(t, w)
        b2 = b2 + g**2 + (eps if eps_place == "summed" else 0.0)
        below = b2 + (eps if eps_place == "beside" else 0.0)
        m2 = m2 + eta * g**2 + divide(g**2, below)
        w = w - rate(lr, t) * divide(np.sqrt(m2) * g, below)
        path.append(w)
    return finish(path, w)
