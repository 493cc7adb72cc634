"""Gradient descent and heavy ball on quadratics, against the rates derived by Polyak."""

from __future__ import annotations

import math

import numpy as np

import thalweg as tw
from thalweg.core.stage import Stage
from thalweg.lab.statistics.stats import Floats
from thalweg.lab.verify.check import Check, Line, Say, close

CONDITIONS = (10.0, 100.0, 1000.0, 10000.0)
STEPS = 60
CURVATURES = 7


def descended(stage: Stage, lr: float, curvatures: Floats, steps: int) -> Floats:
    """The iterates (steps + 1, n) of a rule on ½ Σ λ x², from x = 1, in float64."""
    optimizer, x = tw.Optimizer(stage, lr=lr), np.ones(len(curvatures))
    state, found = optimizer.init(x), [x]
    for _ in range(steps):
        x, state = optimizer.step(x, curvatures * x, state)
        found.append(x)
    return np.stack(found)


def heavy_ball(curvature: float, lr: float, mu: float, steps: int) -> Floats:
    """The closed form of x(t) from x(0) = 1 at rest: a sum of powers of the two roots of r² - (1 + mu - lr λ) r + mu."""
    t, first = np.arange(steps + 1), 1 - lr * curvature
    half = (1 + mu - lr * curvature) / 2
    inside = half * half - mu
    if abs(inside) < 1e-13:  # a double root, at both ends of the spectrum with optimal tuning
        return half**t * (1 + t * (first / half - 1))
    root = np.sqrt(complex(inside))
    one, two = half + root, half - root
    share = (first - two) / (one - two)
    return np.real(share * one**t + (1 - share) * two**t)


def contraction(x: Floats) -> float:
    """The modulus of the larger root of the recurrence x(t+1) = s x(t) - p x(t-1) that the first four iterates obey."""
    s, p = np.linalg.solve([[x[1], -x[0]], [x[2], -x[1]]], [x[2], x[3]])
    inside = s * s / 4 - p
    return math.sqrt(p) if inside <= 1e-9 else abs(s) / 2 + math.sqrt(inside)


def check(quick: bool, say: Say) -> Check:
    lines: list[Line] = []
    for condition in CONDITIONS[: 2 if quick else None]:
        say(f"descending a quadratic of condition {condition:g}")
        lines += _at(condition)
    return Check(
        "momentum",
        "Momentum's rates on quadratics",
        "Polyak 1964, USSR Comp. Math. Math. Phys. 4:1; as in Goh 2017, Distill, doi 10.23915/distill.00006",
        "Our rules sgd and momentum, in float64, on ½ Σ λ x² with seven curvatures from 1 to the condition number k. With the "
        "rate 2 / (1 + k) gradient descent shrinks the slowest coordinates by (k - 1) / (k + 1) a step; with mu = ((√k "
        "- 1) / (√k + 1))² "
        "and the rate (2 / (1 + √k))² the heavy ball shrinks all of them by (√k - 1) / (√k + 1), the smallest "
        "factor that any rate and mu can reach. Its iterates are compared with their closed form, and the rates are computed "
        "from the recurrence that the iterates satisfy.",
        lines,
        f"The rates agree to {_digits(lines)} digits or more, and every tried change of the rate or mu is slower."
        if all(line.holds for line in lines)
        else "Not all rates agree.",
    )


def _digits(lines: list[Line]) -> int:
    apart = [abs(line.difference) for line in lines if line.difference is not None]
    return min(12, math.floor(-math.log10(max(*apart, 1e-16))))  # as many as are shown


def _at(condition: float) -> list[Line]:
    curvatures = np.geomspace(1, condition, CURVATURES)
    plain, ball = 2 / (1 + condition), (2 / (1 + math.sqrt(condition))) ** 2
    fast = (math.sqrt(condition) - 1) / (math.sqrt(condition) + 1)
    slow = (condition - 1) / (condition + 1)
    gd, hb = descended(tw.sgd(), plain, curvatures, STEPS), descended(tw.momentum(mu=fast**2), ball, curvatures, STEPS)
    norms = np.abs(gd[:, [0, -1]]).max(axis=1)
    closed = np.stack([heavy_ball(curvature, ball, fast**2, STEPS) for curvature in curvatures], axis=1)
    apart = np.abs(hb - closed).max() / np.abs(closed).max()
    return [
        close(
            f"gradient descent, k = {condition:g}",
            float(norms[-1] / norms[0]) ** (1 / STEPS),
            slow,
            1e-13,
            f"mean over {STEPS} steps",
            12,
        ),
        close(f"heavy ball, k = {condition:g}", max(map(contraction, hb.T)), fast, 1e-12, "the slowest coordinate", 12),
        close(
            f"heavy ball's iterates, k = {condition:g}",
            float(apart),
            0.0,
            1e-12,
            f"largest distance to the closed form in {STEPS} steps",
            15,
        ),
        *_optimal(condition, ball, fast),
    ]


def _optimal(condition: float, lr: float, fast: float) -> list[Line]:
    """The smallest contraction among neighbours of the optimum, which must not be below that of the optimum."""
    curvatures = np.geomspace(1, condition, CURVATURES)
    rates = [
        max(contraction(x) for x in descended(tw.momentum(mu=min(fast**2 * a, 0.9999)), lr * b, curvatures, 3).T)
        for a, b in ((0.98, 1), (1.0005, 1), (1, 0.98), (1, 1.02), (0.98, 0.98), (1.0005, 1.02))
    ]
    worse = min(rates)
    note = f"the fastest of six neighbours in (rate, mu) is slower than {fast:.9f}"
    return [Line(f"heavy ball beside its optimum, k = {condition:g}", worse, None, worse > fast, note, 9)]
