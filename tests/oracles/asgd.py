"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


class Averaged(NamedTuple):
    """The points walked, and their means, both (steps, *shape)."""

    w: Array
    mean: Array


@silent()
def asgd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    lam: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 0.0,
    weight_decay: float = 0.0,
    ahead: bool = False,
    steps: int | None = None,
) -> Averaged:
    """ASGD: Bottou 2010 (COMPSTAT, "Large-scale machine learning with stochastic gradient descent") and his svmasgd.cpp,
    sgd 2.0; the mean of Polyak & Juditsky 1992 (SIAM J. Control Optim. 30:838).

    With his t, which counts from 0: eta_t = eta_0 / (1 + lambda eta_0 t)^alpha; w = (1 - eta_t lambda) w - eta_t g;
    mu_t = 1 if t <= t0, else 1 / (1 + t - t0); a = a + mu_t (w - a). ``weight_decay``: g + weight_decay w in g's place.
    ``ahead``: PyTorch, which sets eta and mu = 1 / max(1, t - t0) at the end of step t = 1, 2, ... for the next.
    """
    w, grad, T = begin(p, gradients, steps)
    a = np.zeros_like(w)
    path, means = [], []
    set_eta, set_mu = rate(lr, 1), 1.0
    for t in range(T):
        eta_0 = rate(lr, t + 1)
        g = grad(t + 1, w) + weight_decay * w
        eta = eta_0 / (1.0 + lam * eta_0 * t) ** alpha
        mu = 1.0 if t <= t0 else 1.0 / (1.0 + t - t0)
        if ahead:
            eta, mu = set_eta, set_mu
            set_eta = eta_0 / (1.0 + lam * eta_0 * (t + 1)) ** alpha
            set_mu = 1.0 / max(1.0, t + 1 - t0)
        w = (1.0 - eta * lam) * w - eta * g
        a = w if mu == 1.0 else a + mu * (w - a)
        path.append(w)
        means.append(a)
    return Averaged(finish(path, w), finish(means, w))
