"""MoMo and MoMo-Adam; p is the whole model."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, divide, finish, inner, rate, silent
from .eve import Losses, loss_at


@silent()
def momo(
    p: Any,
    gradients: Gradients,
    losses: Losses,
    lr: Rate = 1.0,
    beta: float = 0.9,
    fstar: float = 0.0,
    weight_decay: float = 0.0,
    estimate: bool = False,
    steps: int | None = None,
) -> Array:
    """MoMo: Schaipp, Ohana, Eickenberg, Defazio & Gower 2023, arXiv 2305.07583, Algorithm 1; alpha = lr, lambda = weight_decay.

    fbar = (1 - beta) f + beta fbar; gamma likewise of <g, x>; d likewise of g; each begins as its first value;
    tau = min(alpha, ((1 + alpha lambda)(fbar - f* - gamma) + <d, x>)_+ / |d|^2); x = (x - tau d) / (1 + alpha lambda).
    """
    x, grad, T = begin(p, gradients, steps)
    loss = loss_at(losses)
    fbar, gamma, d = 0.0, 0.0, np.zeros_like(x)
    low = fstar
    path = []
    for k in range(1, T + 1):
        g, f, alpha = grad(k, x), loss(k, x), rate(lr, k)
        b = beta if k > 1 else 0.0
        fbar = (1.0 - b) * f + b * fbar
        gamma = (1.0 - b) * inner(g, x) + b * gamma
        d = (1.0 - b) * g + b * d
        tau, low = model(fbar - gamma, inner(d, x), inner(d, d), low, alpha, 1.0, fstar, alpha * weight_decay, estimate)
        x = (x - tau * d) / (1.0 + alpha * weight_decay)
        path.append(x)
    return finish(path, x)


@silent()
def momo_adam(
    p: Any,
    gradients: Gradients,
    losses: Losses,
    lr: Rate = 1e-2,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    fstar: float = 0.0,
    weight_decay: float = 0.0,
    estimate: bool = False,
    steps: int | None = None,
) -> Array:
    """MoMo-Adam: the same paper, Algorithm 2; D = eps + sqrt(v / (1 - beta2^k)), rho = 1 - beta1^k.

    The averages begin at 0; tau = min(alpha / rho, ((1 + alpha lambda)(fbar - rho f* - gamma) + <d, x>)_+ / <d, d / D>);
    x = (x - tau d / D) / (1 + alpha lambda).
    """
    x, grad, T = begin(p, gradients, steps)
    loss = loss_at(losses)
    fbar, gamma, d, v = 0.0, 0.0, np.zeros_like(x), np.zeros_like(x)
    low = fstar
    path = []
    for k in range(1, T + 1):
        g, f, alpha = grad(k, x), loss(k, x), rate(lr, k)
        fbar = (1.0 - beta1) * f + beta1 * fbar
        gamma = (1.0 - beta1) * inner(g, x) + beta1 * gamma
        d = (1.0 - beta1) * g + beta1 * d
        v = beta2 * v + (1.0 - beta2) * g**2
        step = divide(d, eps + np.sqrt(v / (1.0 - beta2**k)))
        rho = 1.0 - beta1**k
        tau, low = model(fbar - gamma, inner(d, x), inner(d, step), low, alpha, rho, fstar, alpha * weight_decay, estimate)
        x = (x - tau * step) / (1.0 + alpha * weight_decay)
        path.append(x)
    return finish(path, x)


def model(
    height: float,
    dx: float,
    dd: float,
    low: float,
    alpha: float,
    rho: float,
    fstar: float,
    shrinking: float,
    estimate: bool,
) -> tuple[float, float]:
    """tau, and the lower bound for the next step: as f* says, or (MoMo*) found from where the model was.

    The bound is set back to half of what the model reaches where it is above that, never under f*; then
    low = max((h - tau |d|^2 / 2) / rho, f*), h = fbar + <d, x> - gamma.
    """
    grown = 1.0 + shrinking
    least = fstar
    if estimate:
        cap = grown * height + dx
        least = max(cap / (2.0 * grown * rho), fstar) if cap < grown * rho * low else low
    tau = min(alpha / rho, max(grown * (height - rho * least) + dx, 0.0) / dd) if dd > 0.0 else 0.0
    if estimate:
        low = max((height + dx - 0.5 * tau * dd) / rho, fstar)
    return tau, low
