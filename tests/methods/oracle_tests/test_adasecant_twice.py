"""AdaSecant's two published forms, written a second time: one coordinate of a block at a time, by the statements of the
authors' code.

No library has it, and its thirteen memories leave many places for a slip of the pen; two slips are seldom the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracles.adasecant import adasecant, adasecant_j
from oracles.streams import apart, start, stream


class Coordinate:
    """The memory of one coordinate; `tau` is the time constant of every average but those with a fixed decay."""

    def __init__(self) -> None:
        self.tau = 2.1 * (1 + 1e-7)
        self.alive = 1 - 2e-7  # the product of (1 - 1/tau)
        for name in ("mean", "square", "top", "bottom", "cov", "corrected", "plain", "curve", "curve2"):
            setattr(self, name, 1e-7)
        self.dx = self.dx2 = self.total = 0.0

    def average(self, name: str, x: float) -> float:
        setattr(self, name, getattr(self, name) + (x - getattr(self, name)) / self.tau)
        return float(getattr(self, name))

    def far(self, x: float, mean: float, square: float) -> bool:
        return abs(x - mean) > 2 * math.sqrt(max(square - mean**2, 0.0))

    def correct(self, g: float, mean: float, gamma: float) -> float:
        self.average("top", ((g - self.corrected) * (self.corrected - mean)) ** 2)
        self.average("bottom", ((mean - g) * (self.corrected - mean)) ** 2)
        return (g + gamma * mean) / (1 + gamma)

    def rate(self, dx2: float, curve2: float) -> float:
        return math.sqrt(dx2 + 1e-7) / math.sqrt(curve2 + 1e-7) - self.cov / (curve2 + 1e-7)

    def thresholded(self, step: float, direction: float) -> float:
        self.total += direction**2
        return step / max(math.sqrt(self.total), 1.0)


def workshop(s: Coordinate, g: float, first: bool, adagrad: bool) -> float:
    dx, dx2 = (g, g**2) if first else (s.dx, s.dx2)
    s.mean, s.square = 0.95 * s.mean + 0.05 * g, 0.95 * s.square + 0.05 * g**2
    gamma = min(math.sqrt(s.top / (s.bottom + 1e-7)), 1.8)
    direction = s.correct(g, s.mean, gamma)
    curve = g - s.plain
    mean_curve, mean_curve2 = s.average("curve", curve), s.average("curve2", curve**2)
    step = -s.rate(dx2, mean_curve2) * direction
    if adagrad:
        step = s.thresholded(step, direction)
    tau = (1 - dx**2 / (dx2 + 1e-7)) * s.tau + 1 + 1e-7
    s.dx2 = dx2
    s.average("dx2", step**2)
    s.average("dx", step)
    s.average("cov", step * curve)
    if s.far(g, s.mean, s.square) or s.far(curve, mean_curve, mean_curve2):
        tau = 2.2
    s.tau, s.plain, s.corrected = min(max(tau, 1.5), 1e8), g, direction
    return step


def later(s: Coordinate, g: float, first: bool, adagrad: bool) -> float:
    s.dx, s.dx2 = (g, g**2) if first else (s.dx, s.dx2)
    ratio = s.dx**2 / (s.dx2 + 1e-7)
    s.alive *= 1 - 1 / s.tau
    whole = 1 - s.alive
    mean, square = s.average("mean", g) / whole, s.average("square", g**2) / whole
    gamma = math.sqrt(s.top) / (math.sqrt(s.bottom + 1e-7) + 1e-6)
    direction = s.correct(g, mean, gamma)
    curve = g - s.plain
    mean_curve, mean_curve2 = s.average("curve", curve), s.average("curve2", curve**2)
    step = -min(max(s.rate(s.dx2, mean_curve2), -25.0), 25.0) * direction
    if adagrad:
        step = s.thresholded(step, direction)
    tau = (1 - ratio) * s.tau + 1 + 1e-7
    s.average("dx2", step**2)
    s.average("dx", step)
    s.average("cov", step * curve)
    if s.far(g, mean, square) or s.far(curve, mean_curve / whole, mean_curve2 / whole):
        tau = 2.5 if tau > 2.5 else tau + 1 + 1e-7
    s.tau, s.plain, s.corrected = min(max(tau, 1.5), 1e7), g, direction
    return step


def second(rule: Callable[..., float], gradients: Any, norms: Callable[[int, float], float], adagrad: bool) -> Any:
    """The walk from the start; `norms` gives what step k divides its block by, the block's own norm being the argument."""
    w = start().ravel().copy()
    block = [Coordinate() for _ in w]
    path = []
    for k, g in enumerate(gradients):
        divisor = norms(k, math.sqrt(sum(x * x for x in g.ravel())))
        for i, x in enumerate(g.ravel()):
            w[i] += rule(block[i], x / divisor, k == 0, adagrad)
        path.append(w.reshape(start().shape).copy())
    return np.array(path)


class RunningNorm:
    """The later code's: an average of the squared norm of what it has already divided, or of the raw gradient."""

    def __init__(self, raw: bool) -> None:
        self.raw = raw
        self.mean = 0.0

    def __call__(self, k: int, norm: float) -> float:
        if k == 0:
            self.mean = norm**2
        divisor = math.sqrt(self.mean / (1 - 0.995 ** (k + 1))) + 1e-7
        self.mean += 0.005 * ((norm if self.raw else norm / divisor) ** 2 - self.mean)
        return divisor


def jumpy() -> Any:
    """Gradients of one size with sudden ones among them, so that every branch on outliers is taken, at small tau too."""
    draw = np.random.default_rng(6)
    g = 1.0 + 0.1 * draw.standard_normal((60, *start().shape))
    return np.where(draw.random(g.shape) < 0.15, -30.0 * draw.standard_normal(g.shape), g)


STREAMS = {"steady": stream(zeros=False), "jumpy": jumpy()}


@pytest.mark.parametrize("adagrad", [False, True])
@pytest.mark.parametrize("name", STREAMS)
def test_workshop_form(adagrad: bool, name: str) -> None:
    g = STREAMS[name]
    theirs = second(workshop, g, lambda k, norm: norm + 1e-7, adagrad)
    assert apart(adasecant(start(), g, use_adagrad=adagrad), theirs, start()) < 1e-12


@pytest.mark.parametrize("adagrad", [False, True])
@pytest.mark.parametrize("norm_of", ["normalised", "raw"])
@pytest.mark.parametrize("name", STREAMS)
def test_later_form(adagrad: bool, norm_of: str, name: str) -> None:
    g = STREAMS[name]
    theirs = second(later, g, RunningNorm(norm_of == "raw"), adagrad)
    assert apart(adasecant_j(start(), g, use_adagrad=adagrad, norm_of=norm_of), theirs, start()) < 1e-12
