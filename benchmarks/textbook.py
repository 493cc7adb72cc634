"""The rules as textbooks and blogs write them in NumPy: a new array for each operation, a loop over the tensors.

`s` holds a tensor's memory, zeros at first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
Kept = dict[str, Array]


def sgd(w: Array, g: Array, s: Kept, t: int) -> None:
    w -= 1e-2 * g


def momentum(w: Array, g: Array, s: Kept, t: int) -> None:
    s["v"] = 0.9 * s["v"] + g
    w -= 1e-2 * s["v"]


def adagrad(w: Array, g: Array, s: Kept, t: int) -> None:
    s["G"] = s["G"] + g**2
    w -= 1e-2 * g / (np.sqrt(s["G"]) + 1e-8)


def rmsprop(w: Array, g: Array, s: Kept, t: int) -> None:
    s["v"] = 0.9 * s["v"] + (1 - 0.9) * g**2
    w -= 1e-3 * g / (np.sqrt(s["v"]) + 1e-8)


def adadelta(w: Array, g: Array, s: Kept, t: int) -> None:
    s["v"] = 0.95 * s["v"] + (1 - 0.95) * g**2
    delta = np.sqrt(s["u"] + 1e-6) / np.sqrt(s["v"] + 1e-6) * g
    s["u"] = 0.95 * s["u"] + (1 - 0.95) * delta**2
    w -= delta


def adam(w: Array, g: Array, s: Kept, t: int) -> None:
    s["m"] = 0.9 * s["m"] + (1 - 0.9) * g
    s["v"] = 0.999 * s["v"] + (1 - 0.999) * g**2
    m_hat = s["m"] / (1 - 0.9**t)
    v_hat = s["v"] / (1 - 0.999**t)
    w -= 1e-3 * m_hat / (np.sqrt(v_hat) + 1e-8)


def adamax(w: Array, g: Array, s: Kept, t: int) -> None:
    s["m"] = 0.9 * s["m"] + (1 - 0.9) * g
    s["u"] = np.maximum(0.999 * s["u"], np.abs(g) + 1e-8)
    w -= 2e-3 / (1 - 0.9**t) * s["m"] / s["u"]


def nesterov(w: Array, g: Array, s: Kept, t: int) -> None:
    s["v"] = 0.9 * s["v"] + g
    w -= 1e-2 * (g + 0.9 * s["v"])


def adamw(w: Array, g: Array, s: Kept, t: int) -> None:
    w -= 1e-3 * 0.01 * w
    adam(w, g, s, t)


def amsgrad(w: Array, g: Array, s: Kept, t: int) -> None:
    s["m"] = 0.9 * s["m"] + (1 - 0.9) * g
    s["v"] = 0.999 * s["v"] + (1 - 0.999) * g**2
    s["v_max"] = np.maximum(s["v_max"], s["v"])
    w -= 1e-3 * s["m"] / (1 - 0.9**t) / (np.sqrt(s["v_max"] / (1 - 0.999**t)) + 1e-8)


def nadam(w: Array, g: Array, s: Kept, t: int) -> None:
    mu, mu_next = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t, t + 1))
    s["product"] = so_far = (1.0 if t == 1 else s["product"]) * mu
    s["m"] = 0.9 * s["m"] + (1 - 0.9) * g
    s["n"] = 0.999 * s["n"] + (1 - 0.999) * g**2
    m_hat = mu_next * s["m"] / (1 - so_far * mu_next) + (1 - mu) * g / (1 - so_far)
    w -= 2e-3 * m_hat / (np.sqrt(s["n"] / (1 - 0.999**t)) + 1e-8)


def rmsprop_graves(w: Array, g: Array, s: Kept, t: int) -> None:
    s["n"] = 0.95 * s["n"] + (1 - 0.95) * g**2
    s["m"] = 0.95 * s["m"] + (1 - 0.95) * g
    s["delta"] = 0.9 * s["delta"] - 1e-4 * g / np.sqrt(s["n"] - s["m"] ** 2 + 1e-4)
    w += s["delta"]


def smorms3(w: Array, g: Array, s: Kept, t: int) -> None:
    if t == 1:
        s["mem"] = np.ones_like(w)
    r = 1 / (s["mem"] + 1)
    s["g1"] = (1 - r) * s["g1"] + r * g
    s["g2"] = (1 - r) * s["g2"] + r * g**2
    x = s["g1"] ** 2 / (s["g2"] + 1e-16)
    s["mem"] = 1 + s["mem"] * (1 - x)
    w -= g * np.minimum(1e-3, x) / (np.sqrt(s["g2"]) + 1e-16)


RULES: dict[str, Callable[[Array, Array, Kept, int], None]] = {
    rule.__name__: rule
    for rule in (
        *(sgd, momentum, nesterov, adagrad, rmsprop, rmsprop_graves, smorms3),
        *(adadelta, adam, adamw, amsgrad, adamax, nadam),
    )
}
