"""Rprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def rprop(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    eta_minus: float = 0.5,
    eta_plus: float = 1.2,
    size_min: float = 1e-6,
    size_max: float = 50.0,
    backtracking: bool = False,
    steps: int | None = None,
) -> Array:
    """Rprop without weight-backtracking: Igel & Huesken 2000 (iRprop-), coordinate by coordinate as their pseudocode has it.

    The first step size, Delta_0, is lr at the first step; where the rate is 0, nothing moves.
    ``backtracking``: Riedmiller & Braun 1993, ICNN 1:586, equation 7 (Igel & Huesken's Rprop+): where the sign turns,
    the step before is taken back.
    """
    w, grad, T = begin(p, gradients, steps)
    flat = w.ravel().copy()
    size = np.full(flat.shape, rate(lr, 1))
    before = np.zeros(flat.shape)
    taken = np.zeros(flat.shape)
    path = []
    for t in range(1, T + 1):
        g = grad(t, flat.reshape(w.shape)).ravel().copy()
        for i in range(flat.size):
            back = False
            if before[i] * g[i] > 0:
                size[i] = min(size[i] * eta_plus, size_max)
            elif before[i] * g[i] < 0:
                size[i] = max(size[i] * eta_minus, size_min)
                g[i] = 0.0
                back = backtracking
            size[i] = min(max(size[i], size_min), size_max)
            taken[i] = -taken[i] if back else -np.sign(g[i]) * size[i]
            if rate(lr, t) == 0:
                taken[i] = 0.0
            flat[i] += taken[i]
            before[i] = g[i]
        path.append(flat.reshape(w.shape).copy())
    return finish(path, w)
