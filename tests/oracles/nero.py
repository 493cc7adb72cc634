"""Nero; p is one tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, divide, finish, rate, silent


@silent()
def nero(p: Any, gradients: Gradients, lr: Rate = 1e-2, beta: float = 0.999, steps: int | None = None) -> Array:
    """Nero: Liu, Bernstein, Meister & Yue 2021, arXiv 2102.07227, as in the authors' code; eta = lr.

    Of each row w: gbar^2 = beta gbar^2 + (1 - beta) |g|^2; ghat = gbar / sqrt(1 - beta^t); w = w - eta |w| / ghat g; w = w - mean(w);
    w = w / |w|. Of an entry of a vector: sigma, the mean of the first |w|, or 0.01 if that is 0, in the place of |w|, and the first
    step alone.
    """
    x, grad, T = begin(p, gradients, steps)
    matrix = x.ndim == 2
    sigma = float(np.mean(np.abs(x))) or 0.01
    squares, path = np.zeros((len(x), 1)) if matrix else np.zeros_like(x), []
    for t in range(1, T + 1):
        g = grad(t, x)
        squares = beta * squares + (1.0 - beta) * (np.sum(g**2, 1, keepdims=True) if matrix else g**2)
        ghat = np.sqrt(squares / (1.0 - beta**t))
        size = np.linalg.norm(x, axis=1, keepdims=True) if matrix else sigma
        x = x - rate(lr, t) * size * divide(g, ghat + 0.0 * g)
        if matrix:
            x = x - x.mean(1, keepdims=True)
            x = x / np.linalg.norm(x, axis=1, keepdims=True)
        path.append(x)
    return finish(path, x)
