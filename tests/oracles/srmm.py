"""SRMM."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, rate, silent


@silent()
def srmm(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    beta: float = 0.5,
    form: str = "paper",
    memory_length: int | None = None,
    steps: int | None = None,
) -> Array:
    """SRMM: Lyu 2022, arXiv 2201.01652, Algorithm 1, of the surrogates <g, x - x_(n-1)> + |x - x_(n-1)|^2 / (2 lr).

    Their average with weights w_n is least at the average of the x less lr times that of the g; w_n = n^-beta.
    ``form="code"``: w_n = (n + 1)^-beta, n counted modulo ``memory_length``; both averages are 0 at first, and x_n is written over
    that of the points.
    """
    choice("form", form, ("paper", "code"))
    w, grad, T = begin(p, gradients, steps)
    points, slopes, path = np.zeros_like(w), np.zeros_like(w), []
    for n in range(1, T + 1):
        g = grad(n, w)
        at = n if memory_length is None else n % memory_length
        weight = float(n) ** -beta if form == "paper" else float(at + 1) ** -beta
        slopes = (1.0 - weight) * slopes + weight * g
        points = (1.0 - weight) * points + weight * w
        w = points - rate(lr, n) * slopes
        points = w if form == "code" else points
        path.append(w)
    return finish(path, w)
