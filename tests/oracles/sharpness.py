"""Sharpness-aware minimization and its kin with gradient descent: p is the whole model, gradients a function of the point."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, inner, norm, rate, silent


@silent()
def sharpness_aware(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    form: str = "sam",
    rho: float = 0.05,
    eta: float = 0.01,
    alpha: float = 0.4,
    gamma: float = 0.9,
    k: int = 10,
    steps: int | None = None,
) -> Array:
    """w = w - lr d, with g the gradient at w and h that at w + e.

    "sam": Foret et al. 2021, arXiv 2010.01412, Algorithm 1: e = rho g / |g|, d = h. "asam": Kwon et al. 2021, arXiv 2102.11600,
    Algorithm 1: e = rho T^2 g / |T g|, T = diag(|w| + eta). "gsam": Zhuang et al. 2022, arXiv 2203.08065, Algorithm 1: g = its
    part along h + the rest, d = h - alpha rest. "wsam": Yue et al. 2023, arXiv 2305.15817, Equation 6: d = (1 - 2 gamma) / (1 -
    gamma) g + gamma / (1 - gamma) h. "looksam": Liu et al. 2022, arXiv 2203.02714, Algorithm 1, t from 0: if t mod k = 0: d = h, v = h - |h|
    cos(g, h) g / |g|; else d = g + alpha |g| / |v| v.
    """
    choice("form", form, ("sam", "asam", "gsam", "wsam", "looksam"))
    w, grad, T = begin(p, gradients, steps)
    path, v = [], np.zeros_like(w)
    for t in range(1, T + 1):
        g = grad(t, w)
        if form == "looksam" and (t - 1) % k:
            w = w - rate(lr, t) * (g + alpha * norm(g) / norm(v) * v)
            path.append(w)
            continue
        scale = np.diag(np.abs(w) + eta) if form == "asam" else np.eye(w.size)
        h = grad(t, w + rho * scale @ scale @ g / norm(scale @ g))
        if form == "gsam":
            unit = h / norm(h)
            d = h - alpha * (g - inner(g, unit) * unit)
        elif form == "wsam":
            d = (1.0 - 2.0 * gamma) / (1.0 - gamma) * g + gamma / (1.0 - gamma) * h
        else:
            d = h
            v = h - norm(h) * (inner(g, h) / (norm(g) * norm(h))) * g / norm(g)
        w = w - rate(lr, t) * d
        path.append(w)
    return finish(path, w)
