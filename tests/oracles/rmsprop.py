"""RMSprop, Graves' form of it, and SMORMS3."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, divide, finish, rate, silent


@silent()
def rmsprop(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    rho: float = 0.9,
    eps: float = 1e-8,
    eps_place: str = "outside",
    centred: bool = False,
    mu: float = 0.0,
    lr_inside: bool = True,
    nesterov: str = "none",
    initial: float = 0.0,
    weight_decay: float = 0.0,
    decay: str = "coupled",
    steps: int | None = None,
) -> Array:
    """RMSprop: Tieleman & Hinton 2012 (Coursera, Neural Networks for Machine Learning, lecture 6.5): divide by a
    running RMS.

    The lecture has no eps: ``eps=0`` (then 0/0 = 0). ``eps_place``: "outside" or "inside" the root. ``centred``: the
    root of r - m^2, m the average gradient.
    ``mu``: momentum on the scaled gradient s; ``lr_inside``: the buffer holds lr * s (Graves, TensorFlow, optax, source
    004), else s (PyTorch). ``nesterov``: "lookahead" is Goodfellow, Bengio & Courville 2016, Algorithm 8.6
    (``gradients`` a function, taken at w + mu v); "shifted" the same walk seen from W = w + mu v, for gradients at the
    stored point.
    ``initial``: where r starts (TensorFlow 1: 1). ``decay``: "coupled"; "numerator" (r and m see g alone; source 004);
    "decoupled".
    """
    choice("eps_place", eps_place, ("outside", "inside"))
    choice("nesterov", nesterov, ("none", "lookahead", "shifted"))
    choice("decay", decay, ("coupled", "numerator", "decoupled"))
    if nesterov == "lookahead" and not (callable(gradients) and lr_inside):
        raise ValueError("looking ahead needs the gradient as a function, and the rate inside the velocity")
    w, grad, T = begin(p, gradients, steps)
    r = np.full_like(w, initial)
    m = np.zeros_like(w)
    v = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        eta = rate(lr, t)
        at = w + mu * v if nesterov == "lookahead" else w
        g = grad(t, at)
        if decay == "coupled":
            g = g + weight_decay * at
        r = rho * r + (1.0 - rho) * g * g
        m = rho * m + (1.0 - rho) * g
        under = np.maximum(r - m * m, 0.0) if centred else r  # a variance: only rounding makes it negative
        root = np.sqrt(under) + eps if eps_place == "outside" else np.sqrt(under + eps)
        s = divide(g + weight_decay * at if decay == "numerator" else g, root)
        shrink = eta * weight_decay * w if decay == "decoupled" else 0.0
        if lr_inside:
            v = mu * v - eta * s
            w = (w + mu * v - eta * s if nesterov == "shifted" else w + v) - shrink
        else:
            v = mu * v + s
            w = w - eta * (s + mu * v if nesterov == "shifted" else v) - shrink
        path.append(w)
    return finish(path, w)


@silent()
def rmsprop_graves(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-4,
    rho: float = 0.95,
    mu: float = 0.9,
    eps: float = 1e-4,
    steps: int | None = None,
) -> Array:
    """RMSprop for handwriting: Graves 2013, arXiv 1308.0850, eqs 38-45. ``mu=0`` is source 002."""
    w, grad, T = begin(p, gradients, steps)
    n = np.zeros_like(w)
    m = np.zeros_like(w)
    delta = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        e = grad(t, w)
        n = rho * n + (1.0 - rho) * e * e
        m = rho * m + (1.0 - rho) * e
        delta = mu * delta - rate(lr, t) * e / np.sqrt(np.maximum(n - m * m, 0.0) + eps)
        w = w + delta
        path.append(w)
    return finish(path, w)


@silent()
def smorms3(p: Any, gradients: Gradients, lr: Rate = 1e-3, eps: float = 1e-16, steps: int | None = None) -> Array:
    """SMORMS3: Simon Funk 2015, "RMSprop loses to SMORMS3 - Beware the Epsilon!"
    (sifter.org/~simon/journal/20150420.html).
    """
    w, grad, T = begin(p, gradients, steps)
    mem = np.ones_like(w)
    g1 = np.zeros_like(w)
    g2 = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        r = 1.0 / (mem + 1.0)
        g1 = (1.0 - r) * g1 + r * g
        g2 = (1.0 - r) * g2 + r * g * g
        x = g1 * g1 / (g2 + eps)
        mem = 1.0 + mem * (1.0 - x)
        w = w - g * np.minimum(rate(lr, t), x) / (np.sqrt(g2) + eps)
        path.append(w)
    return finish(path, w)
