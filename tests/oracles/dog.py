"""DoG, L-DoG and DoWG: distance over gradients. p is the whole model, of L-DoG one layer."""

from __future__ import annotations

import math
from typing import Any

from .common import Array, Gradients, Rate, begin, finish, inner, norm, rate, silent


@silent()
def dog(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    r_eps: float = 1e-6,
    eps: float = 1e-8,
    relative: bool = True,
    steps: int | None = None,
) -> Array:
    """DoG: Ivgi, Hinder & Carmon 2023, arXiv 2302.12022; c = lr.

    rbar_t = max(r_eps, |x_i - x_0| for i <= t); eta_t = c rbar_t / sqrt(sum of |g_i|^2 for i <= t, + eps); x = x - eta g.
    relative: r_eps is that times 1 + |x_0|, the paper's recommendation.
    """
    x, grad, T = begin(p, gradients, steps)
    x_0 = x.copy()
    rbar = r_eps * (1.0 + norm(x_0)) if relative else r_eps
    G = 0.0
    path = []
    for t in range(1, T + 1):
        g = grad(t, x)
        rbar = max(rbar, norm(x - x_0))
        G = G + inner(g, g)
        root = math.sqrt(G + eps)
        eta = rate(lr, t) * rbar / root if root > 0.0 else 0.0
        x = x - eta * g
        path.append(x)
    return finish(path, x)


def ldog(p: Any, gradients: Gradients, lr: Rate = 1.0, **options: Any) -> Array:
    """L-DoG: DoG of each layer by itself."""
    return dog(p, gradients, lr, **options)


@silent()
def dowg(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    r_eps: float = 1e-2,
    eps: float = 0.0,
    steps: int | None = None,
) -> Array:
    """DoWG: Khaled, Mishchenko & Jin 2023, arXiv 2305.16284, Algorithm 1.

    rbar = max(|x - x_0|, rbar); v = v + rbar^2 |g|^2; eta = rbar^2 / sqrt(v); x = x - eta g. eps: added to the root, as in
    the authors' code.
    """
    x, grad, T = begin(p, gradients, steps)
    x_0 = x.copy()
    rbar, v = r_eps, 0.0
    path = []
    for t in range(1, T + 1):
        g = grad(t, x)
        rbar = max(rbar, norm(x - x_0))
        v = v + rbar**2 * inner(g, g)
        root = math.sqrt(v) + eps
        eta = rate(lr, t) * rbar**2 / root if root > 0.0 else 0.0
        x = x - eta * g
        path.append(x)
    return finish(path, x)
