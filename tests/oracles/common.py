"""What every oracle needs and no paper writes down."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Array = np.ndarray
Gradients = Iterable[Any] | Callable[[Array], Any]
Rate = float | Callable[[int], float]

silent = functools.partial(np.errstate, all="ignore")
"""Decorator: inf and NaN are results, not warnings. What an oracle does where its paper's formula meets 0/0 is in its code."""


def begin(p: Any, gradients: Gradients, steps: int | None = None) -> tuple[Array, Callable[[int, Array], Array], int]:
    """A float64 copy of p, the gradient as a function of (t, point), and the number of steps."""
    w = np.array(p, dtype=np.float64)
    if callable(gradients):
        if steps is None:
            raise ValueError("gradients is a function: say how many steps")
        return w, lambda t, point: np.asarray(gradients(point), dtype=np.float64), steps
    rows = [np.asarray(g, dtype=np.float64) for g in gradients]
    for g in rows:
        if g.shape != w.shape:
            raise ValueError(f"a gradient of shape {g.shape} for a parameter of shape {w.shape}")
    return w, lambda t, point: rows[t - 1], len(rows) if steps is None else steps


def rate(lr: Rate, t: int) -> float:
    """lr at step t."""
    return float(lr(t)) if callable(lr) else float(lr)


def finish(path: list[Array], like: Array) -> Array:
    """The points of a walk as one array, shape (steps, *shape), also for no steps."""
    return np.array(path, dtype=np.float64).reshape(len(path), *like.shape)


def divide(a: Array, b: Array) -> Array:
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.shape(b)), where=np.not_equal(b, 0.0))


def inner(a: Array, b: Array) -> float:
    """<a, b>: over all entries."""
    return float(np.sum(a * b))


def norm(x: Array) -> float:
    """The Euclidean norm of all entries."""
    return math.sqrt(inner(x, x))


def choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a misspelt option: an oracle that falls back to a default would lie."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r}; it is one of {allowed}")
