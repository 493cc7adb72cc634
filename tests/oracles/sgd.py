"""Gradient descent, plain and with noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, rate, silent


@silent()
def sgd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    weight_decay: float = 0.0,
    decay: str = "coupled",
    steps: int | None = None,
) -> Array:
    """Stochastic gradient descent: Robbins & Monro 1951 (Ann. Math. Stat. 22); steepest descent: Cauchy 1847.

    ``decay``: "coupled" (L2: the term enters the gradient), "numerator" and "decoupled" (Loshchilov & Hutter 2019,
    arXiv 1711.05101: w shrinks by lr * weight_decay). Without memory the three are one; all are here so that this can
    be shown of the library. "independent" (Wortsman et al. 2023, arXiv 2309.14322): w shrinks by weight_decay.
    """
    choice("decay", decay, ("coupled", "numerator", "decoupled", "independent"))
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        eta = rate(lr, t)
        if decay == "decoupled":
            w = w - eta * g - eta * weight_decay * w
        elif decay == "independent":
            w = w - eta * g - weight_decay * w
        else:
            w = w - eta * (g + weight_decay * w)
        path.append(w)
    return finish(path, w)


@silent()
def noisy_sgd(
    p: Any, gradients: Gradients, noise: Any, lr: Rate = 1e-2, eta: float = 0.01, gamma: float = 0.55, steps: int | None = None
) -> Array:
    """Neelakantan et al. 2015, arXiv 1511.06807, equation 1: g + N(0, sigma^2), sigma^2 = eta / (1 + t)^gamma, t = 0, 1, ...

    ``noise``: standard normal, one a step.
    """
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(T):
        sigma = (eta / (1.0 + t) ** gamma) ** 0.5
        w = w - rate(lr, t + 1) * (grad(t + 1, w) + sigma * np.asarray(noise[t], dtype=np.float64))
        path.append(w)
    return finish(path, w)
