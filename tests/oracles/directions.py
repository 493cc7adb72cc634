"""Stages that change a gradient or a direction, each with the rule of its paper: p is one layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, divide, finish, inner, norm, rate, silent

Direction = Callable[[int, Array], Array]


def adam(shape: Array, beta1: float, beta2: float, eps: float) -> Direction:
    """Adam's direction: Kingma & Ba 2015, arXiv 1412.6980, Algorithm 1."""
    moments = [np.zeros_like(shape), np.zeros_like(shape)]

    def direction(t: int, g: Array) -> Array:
        moments[0] = beta1 * moments[0] + (1.0 - beta1) * g
        moments[1] = beta2 * moments[1] + (1.0 - beta2) * g**2
        return (moments[0] / (1.0 - beta1**t)) / (np.sqrt(moments[1] / (1.0 - beta2**t)) + eps)

    return direction


@silent()
def cautious_adam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    form: str = "code",
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """C-AdamW: Liang, Chen, Liu & Liu 2024, arXiv 2411.16085: w = w - lr phi u, phi = 1(u g > 0) times dim / (nnz + 1).

    ``form="code"``: divided by max(mean(1(u g > 0)), 1e-3).
    """
    choice("form", form, ("paper", "code"))
    w, grad, T = begin(p, gradients, steps)
    direction = adam(w, beta1, beta2, eps)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        u = direction(t, g)
        mask = (u * g > 0.0).astype(np.float64)
        scale = w.size / (mask.sum() + 1.0) if form == "paper" else 1.0 / max(float(mask.mean()), 1e-3)
        w = w - rate(lr, t) * (scale * mask * u + weight_decay * w)
        path.append(w)
    return finish(path, w)


@silent()
def grams(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Grams: Cao et al. 2024, arXiv 2412.17107, Algorithm 1: w = w - lr (sign(g) |u| + lambda w), u being Adam's."""
    w, grad, T = begin(p, gradients, steps)
    direction = adam(w, beta1, beta2, eps)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        w = w - rate(lr, t) * (np.sign(g) * np.abs(direction(t, g)) + weight_decay * w)
        path.append(w)
    return finish(path, w)


@silent()
def mars(
    p: Any,
    gradients: Gradients,
    lr: Rate = 3e-3,
    gamma: float = 0.025,
    beta1: float = 0.95,
    beta2: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    steps: int | None = None,
) -> Array:
    """MARS-AdamW: Yuan et al. 2024, arXiv 2411.10438, Algorithm 2, approximate: c = g + gamma beta1 / (1 - beta1)(g - g_old).

    c / |c| where |c| > 1; AdamW of that. g_old = 0 at first, from the authors' code.
    """
    w, grad, T = begin(p, gradients, steps)
    direction = adam(w, beta1, beta2, eps)
    old = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        c = g + gamma * (beta1 / (1.0 - beta1)) * (g - old)
        old = g
        if norm(c) > 1.0:
            c = c / norm(c)
        w = w - rate(lr, t) * (direction(t, c) + weight_decay * w)
        path.append(w)
    return finish(path, w)


@silent()
def adamc(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.05,
    max_lr: float = 1e-3,
    steps: int | None = None,
) -> Array:
    """AdamC: Defazio 2025, arXiv 2506.02285, Algorithm 1: w = w - gamma u - gamma (gamma / gamma_max lambda) w."""
    w, grad, T = begin(p, gradients, steps)
    direction = adam(w, beta1, beta2, eps)
    path = []
    for t in range(1, T + 1):
        eta = rate(lr, t)
        corrected = eta / max_lr * weight_decay
        w = w - eta * direction(t, grad(t, w)) - eta * corrected * w
        path.append(w)
    return finish(path, w)


@silent()
def grokfast(
    p: Any, gradients: Gradients, lr: Rate = 1e-2, alpha: float = 0.98, lamb: float = 2.0, steps: int | None = None
) -> Array:
    """Grokfast-EMA before gradient descent: Lee et al. 2024, arXiv 2405.20233: mu = alpha mu + (1 - alpha) g; g + lambda mu.

    mu starts at the first g, from the authors' code.
    """
    w, grad, T = begin(p, gradients, steps)
    mu = None
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        mu = alpha * (g if mu is None else mu) + (1.0 - alpha) * g
        w = w - rate(lr, t) * (g + lamb * mu)
        path.append(w)
    return finish(path, w)


@silent()
def centralized_sgd(p: Any, gradients: Gradients, lr: Rate = 1e-2, steps: int | None = None) -> Array:
    """Gradient descent with centralized gradients: Yong et al. 2020, arXiv 2004.01461, Equation 1, w of (outputs, inputs)."""
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(1, T + 1):
        w = w - rate(lr, t) * np.array([row - np.mean(row) for row in grad(t, w)])
        path.append(w)
    return finish(path, w)


@silent()
def orthograd(p: Any, gradients: Gradients, lr: Rate = 1e-2, keep_norm: bool = False, steps: int | None = None) -> Array:
    """Gradient descent orthogonal to w: Prieto et al. 2025, arXiv 2501.04697: g - (w.g / w.w) w.

    ``keep_norm``: times |g| over its own norm, from the authors' code.
    """
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        rest = g - inner(w, g) / inner(w, w) * w
        if keep_norm:
            rest = norm(g) / norm(rest) * rest
        w = w - rate(lr, t) * rest
        path.append(w)
    return finish(path, w)


@silent()
def agc_sgd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    clipping: float = 0.01,
    eps: float = 1e-3,
    unit: str = "row",
    steps: int | None = None,
) -> Array:
    """Gradient descent, clipped: Brock et al. 2021, arXiv 2102.06171, Equation 3: G_i = lambda |W_i|* / |G_i| G_i if |G_i| /
    |W_i|* > lambda, |W_i|* = max(|W_i|, eps). A unit i is a row, a column or the whole tensor.
    """
    choice("unit", unit, ("row", "column", "tensor"))
    w, grad, T = begin(p, gradients, steps)

    def clipped(g: Array, x: Array) -> Array:
        size = max(norm(x), eps)
        return clipping * size / norm(g) * g if norm(g) / size > clipping else g

    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        if unit == "tensor":
            g = clipped(g, w)
        elif unit == "row":
            g = np.array([clipped(*both) for both in zip(g, w, strict=True)])
        else:
            g = np.array([clipped(*both) for both in zip(g.T, w.T, strict=True)]).T
        w = w - rate(lr, t) * g
        path.append(w)
    return finish(path, w)


@silent()
def adagc_sgd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    relative: float = 1.05,
    max_norm: float = 1.0,
    beta: float = 0.98,
    start: int = 100,
    norms: Sequence[float] = (),
    losses: Sequence[float] = (),
    steps: int | None = None,
) -> Array:
    """Gradient descent behind AdaGC: Wang et al. 2025, arXiv 2502.11034, Algorithm 1; ``norms``: of the whole model's gradients.

    t < start: h = min(max_norm / |g of all|, 1), gamma = min(gamma, |h g|). Then h = min(relative gamma / |g|, 1), gamma = beta
    gamma + (1 - beta)|h g|. At t = 1 there is no gamma yet, whatever start is.
    """
    w, grad, T = begin(p, gradients, steps)
    gamma = math.inf
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        if t < start or t == 1:
            g = min(max_norm / norms[t - 1], 1.0) * g
            gamma = min(gamma, norm(g))
        else:
            g = min(float(divide(np.float64(relative * gamma), np.float64(norm(g)))), 1.0) * g
            gamma = beta * gamma + (1.0 - beta) * norm(g)
        w = w - rate(lr, t) * g
        path.append(w)
    return finish(path, w)


@silent()
def clipped_sgd(p: Any, gradients: Gradients, lr: Rate = 1e-2, max_norm: float = 1.0, steps: int | None = None) -> Array:
    """Gradient descent, each tensor clipped: Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, Algorithm 1."""
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        w = w - rate(lr, t) * (max_norm / norm(g) * g if norm(g) > max_norm else g)
        path.append(w)
    return finish(path, w)
