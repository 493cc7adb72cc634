"""The rules as textbooks and blogs write them in NumPy: a new array for each operation, a loop over the tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
Kept = dict[str, Array]


def sgd(w: Array, g: Array, s: Kept, t: int) -> None:
    w -= 1e-2 * g


def momentum(w: Array, g: Array, s: Kept, t: int) -> None:
    s["v"] = 0.9 * s.get("v", np.zeros_like(w)) + g
    w -= 1e-2 * s["v"]


def adagrad(w: Array, g: Array, s: Kept, t: int) -> None:
    s["G"] = s.get("G", np.zeros_like(w)) + g**2
    w -= 1e-2 * g / (np.sqrt(s["G"]) + 1e-8)


def rmsprop(w: Array, g: Array, s: Kept, t: int) -> None:
    s["v"] = 0.9 * s.get("v", np.zeros_like(w)) + (1 - 0.9) * g**2
    w -= 1e-3 * g / (np.sqrt(s["v"]) + 1e-8)


def adadelta(w: Array, g: Array, s: Kept, t: int) -> None:
    s["v"] = 0.95 * s.get("v", np.zeros_like(w)) + (1 - 0.95) * g**2
    delta = np.sqrt(s.get("u", np.zeros_like(w)) + 1e-6) / np.sqrt(s["v"] + 1e-6) * g
    s["u"] = 0.95 * s.get("u", np.zeros_like(w)) + (1 - 0.95) * delta**2
    w -= delta


def adam(w: Array, g: Array, s: Kept, t: int) -> None:
    s["m"] = 0.9 * s.get("m", np.zeros_like(w)) + (1 - 0.9) * g
    s["v"] = 0.999 * s.get("v", np.zeros_like(w)) + (1 - 0.999) * g**2
    m_hat = s["m"] / (1 - 0.9**t)
    v_hat = s["v"] / (1 - 0.999**t)
    w -= 1e-3 * m_hat / (np.sqrt(v_hat) + 1e-8)


def adamax(w: Array, g: Array, s: Kept, t: int) -> None:
    s["m"] = 0.9 * s.get("m", np.zeros_like(w)) + (1 - 0.9) * g
    s["u"] = np.maximum(0.999 * s.get("u", np.zeros_like(w)), np.abs(g) + 1e-8)
    w -= 2e-3 / (1 - 0.9**t) * s["m"] / s["u"]


RULES: dict[str, Callable[[Array, Array, Kept, int], None]] = {
    rule.__name__: rule for rule in (sgd, momentum, adagrad, rmsprop, adadelta, adam, adamax)
}
