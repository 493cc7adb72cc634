"""What stands before, after and around a rule: clipping, averages of weights, schedules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .common import Array, finish, inner, silent

Schedule = Callable[[int], float]


@silent()
def clip_by_global_norm(gradients: Sequence[Any], max_norm: float, eps: float = 0.0) -> list[Array]:
    """Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, Algorithm 1, over all tensors of one step: if ||g|| >= c: g = c
    g / ||g||.

    ``eps``: PyTorch divides by ||g|| + 1e-6, and scales by no more than 1.
    """
    g = [np.asarray(a, dtype=np.float64) for a in gradients]
    total = 0.0
    for a in g:
        total = total + inner(a, a)
    norm = math.sqrt(total)
    if norm + eps <= max_norm:
        return g
    return [a * (max_norm / (norm + eps)) for a in g]


@silent()
def clip_by_value(gradients: Sequence[Any], limit: float) -> list[Array]:
    """Every coordinate into [-limit, limit]."""
    return [np.minimum(np.maximum(np.asarray(a, dtype=np.float64), -limit), limit) for a in gradients]


@silent()
def ema_of_weights(p: Any, path: Any, decay: float, debias: bool = False) -> Array:
    """Exponential moving average of the weights, after each step: e_t = decay e_(t-1) + (1 - decay) w_t.

    e_0 is the starting point p; with ``debias`` it is 0 and the average is divided by 1 - decay^t (p itself then has no
    part in it).
    """
    p = np.asarray(p, dtype=np.float64)
    e = np.zeros_like(p) if debias else p
    out = []
    for t, w in enumerate(np.asarray(path, dtype=np.float64), start=1):
        e = decay * e + (1.0 - decay) * w
        out.append(e / (1.0 - decay**t) if debias else e)
    return finish(out, p)


@silent()
def mean_of_weights(p: Any, path: Any, start: int = 1) -> Array:
    """Polyak & Juditsky 1992 (SIAM J. Control Optim. 30:838): the mean of w_start ... w_t; w_t itself before ``start``."""
    p = np.asarray(p, dtype=np.float64)
    path = np.asarray(path, dtype=np.float64)
    out = [path[t - 1] if t < start else np.mean(path[start - 1 : t], axis=0) for t in range(1, len(path) + 1)]
    return finish(out, p)


def constant(lr: float) -> Schedule:
    """lr."""
    return lambda t: lr


def inverse_sqrt(lr: float) -> Schedule:
    """lr / sqrt(t)."""
    return lambda t: lr / math.sqrt(t)


def inverse_time(lr: float, gamma: float) -> Schedule:
    """lr / (1 + gamma (t - 1))."""
    return lambda t: lr / (1.0 + gamma * (t - 1))


def exponential(lr: float, gamma: float) -> Schedule:
    """lr gamma^(t - 1)."""
    return lambda t: lr * gamma ** (t - 1)


def step_decay(lr: float, every: int, gamma: float) -> Schedule:
    """lr gamma^floor((t - 1) / every)."""
    return lambda t: lr * gamma ** ((t - 1) // every)


def cosine(lr: float, total: int, final: float = 0.0) -> Schedule:
    """Loshchilov & Hutter 2017, arXiv 1608.03983, eq 5, one period: lr at t = 1, ``final`` from t = total + 1 on."""
    return lambda t: final + 0.5 * (lr - final) * (1.0 + math.cos(math.pi * min(t - 1, total) / total))


def linear(lr: float, total: int, final: float = 0.0) -> Schedule:
    """A straight line: lr at t = 1, ``final`` from t = total + 1 on."""
    return lambda t: lr + (final - lr) * min(t - 1, total) / total


def warmed_up(schedule: Schedule, warmup: int) -> Schedule:
    """``schedule`` times min(1, t / warmup): never 0, whole from t = warmup on."""
    return lambda t: schedule(t) * min(1.0, t / warmup) if warmup else schedule(t)


@silent()
def lookahead(p: Any, direction: Callable[[int], Array], lr: float, k: int, alpha: float, steps: int) -> tuple[Array, Array]:
    """Zhang et al. 2019, arXiv 1907.08610, Algorithm 1: an outer loop over t, an inner one of k steps; the points that are
    walked, and the slow weights after each. ``direction``: of the rule at each inner step, from 1.
    """
    phi = np.array(p, dtype=np.float64)
    walked, slow, step = [], [], 0
    while step < steps:
        theta = phi
        for _ in range(k):
            step += 1
            theta = theta - lr * direction(step)
            walked.append(theta)
            slow.append(phi)
        phi = phi + alpha * (theta - phi)
        walked[-1] = slow[-1] = phi
    return finish(walked[:steps], phi), finish(slow[:steps], phi)


@silent()
def swa(p: Any, path: Any, start: int, cycle: int) -> Array:
    """Izmailov et al. 2018, arXiv 1803.05407, Algorithm 1, i counted from ``start``, where w^ is: w_swa = w^; if mod(i, c) = 0:
    n = i / c, w_swa = (w_swa n + w) / (n + 1). Before ``start`` the point itself.
    """
    points = [np.asarray(p, dtype=np.float64), *np.asarray(path, dtype=np.float64)]
    average, out = points[start], []
    for t in range(1, len(points)):
        i = t - start
        if i > 0 and i % cycle == 0:
            n = i / cycle
            average = (average * n + points[t]) / (n + 1)
        out.append(points[t] if i <= 0 else average)
    return finish(out, points[0])
