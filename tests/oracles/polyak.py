"""SGD with Polyak's step."""

from __future__ import annotations

import math
from typing import Any

from .common import Array, Gradients, Rate, begin, finish, rate, silent
from .eve import Losses, loss_at


@silent()
def polyak_sgd(
    p: Any,
    gradients: Gradients,
    losses: Losses,
    lr: Rate = 1.0,
    c: float = 0.5,
    fstar: float = 0.0,
    positive_part: bool = True,
    eps: float = 0.0,
    norms: Any = None,
    steps: int | None = None,
) -> Array:
    """SPS_max: Loizou, Vaswani, Laradji & Lacoste-Julien 2021, arXiv 2002.10542; gamma_b = lr.

    gamma = min((f - f*) / (c |g|^2), gamma_b); w = w - gamma g. ``norms``: |g| of each step, where p is one of several
    tensors. The paper asks for f >= f* and |g| > 0; elsewhere nothing moves; ``positive_part=False``: below
    f* the rate is negative, as the formula has it. ``eps``: added to c |g|^2 (optax).
    """
    w, grad, T = begin(p, gradients, steps)
    loss = loss_at(losses)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        norm = math.sqrt(float((g * g).sum())) if norms is None else float(norms[t - 1])
        gap = loss(t, w) - fstar
        gamma = 0.0
        if (gap > 0.0 or not positive_part) and norm > 0.0:
            gamma = min(gap / (c * norm**2 + eps), rate(lr, t))
        w = w - gamma * g
        path.append(w)
    return finish(path, w)


@silent()
def alig(
    p: Any,
    gradients: Gradients,
    losses: Losses,
    lr: Rate = 0.1,
    mu: float = 0.9,
    eps: float = 1e-5,
    norms: Any = None,
    steps: int | None = None,
) -> Array:
    """ALI-G: Berrada, Zisserman & Kumar 2020, arXiv 1906.05661, Algorithm 1, no projection; eta = lr.

    gamma = min(f / (|g|^2 + eps), eta); w = w - gamma g. With Nesterov's momentum, as in the authors' code:
    b = mu b - gamma g; w = w - gamma g + mu b.
    """
    w, grad, T = begin(p, gradients, steps)
    loss = loss_at(losses)
    b, path = 0.0 * w, []
    for t in range(1, T + 1):
        g = grad(t, w)
        square = float((g * g).sum()) if norms is None else float(norms[t - 1]) ** 2
        gamma = min(max(loss(t, w), 0.0) / (square + eps), rate(lr, t))
        b = mu * b - gamma * g
        w = w - gamma * g + mu * b
        path.append(w)
    return finish(path, w)
