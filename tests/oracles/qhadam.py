"""QHAdam."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, rate, silent


@silent()
def qhadam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    nu1: float = 0.7,
    nu2: float = 1.0,
    beta1: float = 0.995,
    beta2: float = 0.999,
    eps: float = 1e-8,
    eps_place: str = "outside",
    steps: int | None = None,
) -> Array:
    """QHAdam: Ma & Yarats 2019, arXiv 1810.06801: (1 - nu1) g + nu1 g' over sqrt((1 - nu2) g^2 + nu2 s') + eps.

    g' and s' are the averages, corrected for their start at 0. ``eps_place="inside"``: eps under the root.
    """
    choice("eps_place", eps_place, ("outside", "inside"))
    w, grad, T = begin(p, gradients, steps)
    average = np.zeros_like(w)
    s = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        average = beta1 * average + (1.0 - beta1) * g
        s = beta2 * s + (1.0 - beta2) * g**2
        above = (1.0 - nu1) * g + nu1 * average / (1.0 - beta1**t)
        under = (1.0 - nu2) * g**2 + nu2 * s / (1.0 - beta2**t)
        below = np.sqrt(under) + eps if eps_place == "outside" else np.sqrt(under + eps)
        w = w - rate(lr, t) * above / below
        path.append(w)
    return finish(path, w)
