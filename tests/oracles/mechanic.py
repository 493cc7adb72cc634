"""Mechanic; p is the whole model."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, inner, norm, rate, silent


@silent()
def mechanic_adam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    s_init: float = 1e-8,
    weight_decay: float = 1e-2,
    mechanic_eps: float = 1e-8,
    n: int = 6,
    form: str = "paper",
    recomputed: bool = False,
    base: str = "adam",
    steps: int | None = None,
) -> Array:
    """Mechanic: Cutkosky, Defazio & Mehta 2023, arXiv 2306.00144, Algorithm 1, on Adam (or ``base`` "sgd").

    u = BASE(g); h = <Delta, g + lambda (sum s) |g| x / |x|>; m = max(beta m, |h| + eps); v = beta^2 v + h^2;
    r = max(0, beta r - s h); W = s_init / n m + r; s = W / (sqrt(v) + eps); Delta = Delta + u; x = x_ref + (sum s) Delta.
    |h| + eps is from the authors' code, where the paper has h. ``form`` "optax": h within the m of before; r not cut at 0
    where it is kept.
    ``recomputed``: as that code, Delta = (x - x_ref) / (sum s + eps), s from s_init on, and |x| + eps.
    """
    choice("form", form, ("paper", "optax"))
    choice("base", base, ("adam", "sgd"))
    x, grad, T = begin(p, gradients, steps)
    ref, delta = x.copy(), np.zeros_like(x)
    first, second = np.zeros_like(x), np.zeros_like(x)
    betas = np.array([1.0 - 0.1**i for i in range(1, n + 1)])
    s, m, v, r = (np.zeros(n) for _ in range(4))
    s = s + (s_init if recomputed else 0.0)
    path = []
    for t in range(1, T + 1):
        g = grad(t, x)
        first = beta1 * first + (1.0 - beta1) * g
        second = beta2 * second + (1.0 - beta2) * g * g
        adam = first / (1.0 - beta1**t) / (np.sqrt(second / (1.0 - beta2**t)) + eps)
        u = -rate(lr, t) * (adam if base == "adam" else g)
        if recomputed:
            delta = (x - ref) / (s.sum() + mechanic_eps)
        length = norm(x) + (mechanic_eps if recomputed else 0.0)
        pull = weight_decay * s.sum() * norm(g) / length
        h = inner(delta, g + pull * x)
        r = betas * r - s * (np.minimum(np.maximum(h, -m), m) if form == "optax" else h)
        m = np.maximum(betas * m, abs(h) + mechanic_eps)
        v = betas**2 * v + h**2
        if form == "paper":
            r = np.maximum(0.0, r)
        s = (s_init / n * m + np.maximum(0.0, r)) / (np.sqrt(v) + mechanic_eps)
        delta = delta + u
        x = ref + s.sum() * delta
        path.append(x)
    return finish(path, x)
