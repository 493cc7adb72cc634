"""Rules that step by signs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


@silent()
def signsgd(p: Any, gradients: Gradients, lr: Rate = 1e-3, steps: int | None = None) -> Array:
    """signSGD: Bernstein et al. 2018, arXiv 1802.04434, Algorithm 1: x <- x - delta sign(g), and sign(0) = 0."""
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        w = w - rate(lr, t) * ((g > 0.0).astype(float) - (g < 0.0).astype(float))
        path.append(w)
    return finish(path, w)


@silent()
def signum(p: Any, gradients: Gradients, lr: Rate = 1e-3, beta: float = 0.9, steps: int | None = None) -> Array:
    """Signum: Bernstein et al. 2018, arXiv 1802.04434, Algorithm 2: m <- beta m + (1 - beta) g; x <- x - delta sign(m)."""
    w, grad, T = begin(p, gradients, steps)
    m = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        m = beta * m + (1.0 - beta) * grad(t, w)
        w = w - rate(lr, t) * np.sign(m)
        path.append(w)
    return finish(path, w)


@silent()
def lion(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-4,
    beta1: float = 0.9,
    beta2: float = 0.99,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Lion: Chen et al. 2023, arXiv 2302.06675, Algorithm 2; its lambda is ``weight_decay``."""
    w, grad, T = begin(p, gradients, steps)
    m = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        c = beta1 * m + (1.0 - beta1) * g
        w = w - rate(lr, t) * (np.sign(c) + weight_decay * w)
        m = beta2 * m + (1.0 - beta2) * g
        path.append(w)
    return finish(path, w)


@silent()
def tiger(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta: float = 0.965,
    weight_decay: float = 0.01,
    form: str = "basic",
    steps: int | None = None,
) -> Array:
    """Tiger: Su 2023, github.com/bojone/tiger: m = beta m + (1 - beta) g, theta = theta - eta (sign(m) + lambda theta).

    ``form="code"``: eta times the root mean square of a matrix; of anything else half of eta, and lambda = 0.
    """
    w, grad, T = begin(p, gradients, steps)
    m = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        m = beta * m + (1.0 - beta) * grad(t, w)
        eta, lam = rate(lr, t), weight_decay
        if form == "code":
            eta, lam = (eta * float(np.sqrt(np.mean(w**2))), lam) if w.ndim == 2 else (0.5 * eta, 0.0)
        w = w - eta * (np.sign(m) + lam * w)
        path.append(w)
    return finish(path, w)


@silent()
def focus(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    gamma: float = 0.1,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """FOCUS: Liu, Liu & Gore 2025, arXiv 2501.12243, Algorithm 1: m = beta1 m + (1 - beta1) g, mean = beta2 mean + (1 - beta2) theta,
    theta = theta - eta (sign(m) + gamma sign(theta - mean / (1 - beta2^t)) + lambda mean / (1 - beta2^t)).

    A difference below 1e-13 is what rounding leaves of 0, and has no sign.
    """
    w, grad, T = begin(p, gradients, steps)
    m, mean = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        m = beta1 * m + (1.0 - beta1) * grad(t, w)
        mean = beta2 * mean + (1.0 - beta2) * w
        centre = mean / (1.0 - beta2**t)
        away = np.where(np.abs(w - centre) < 1e-13, 0.0, w - centre)
        w = w - rate(lr, t) * (np.sign(m) + gamma * np.sign(away) + weight_decay * centre)
        path.append(w)
    return finish(path, w)
