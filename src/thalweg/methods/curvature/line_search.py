"""How far to go along a direction: line searches, as generators that look at points of the whole model.

An @around method writes `alpha = yield from strong_wolfe(p, d, f, g, 1.0, c1, c2, Limits(25, 1e-9))`.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from thalweg.ops import known, total
from thalweg.values.arrays import framework
from thalweg.values.symbols import Symbol

Search = Generator[Any, Any, Any]

LEAST, MOST = 1.01, 10.0
"""An extrapolation lies at least a hundredth of the last stride beyond the last point, and at most ten times as far out."""
MARGIN = 0.1
"""How near to an end of its bracket, as a share of it, an interpolation may come, once; the next time it is moved inside."""


class Look(NamedTuple):
    """A point p + alpha d that was looked at: the loss there, and its slope along d."""

    alpha: float
    f: float
    slope: float


@dataclass(frozen=True)
class Wolfe:
    """The two conditions on a step from `start`: it lowers the loss enough, and the slope is nearly gone."""

    start: Look
    c1: float
    c2: float

    def too_high(self, x: Look) -> bool:
        """Whether the sufficient decrease is missing (Nocedal & Wright, equation 3.7a); a loss of NaN has none."""
        return not x.f <= self.start.f + self.c1 * x.alpha * self.start.slope

    def flat(self, x: Look) -> bool:
        """Whether the curvature condition holds (equation 3.7b)."""
        return abs(x.slope) <= -self.c2 * self.start.slope


class Limits(NamedTuple):
    """Where a search gives up: after so many points, or where its bracket moves no parameter by `tolerance`."""

    evaluations: int
    tolerance: Any


class _Ray:
    """The ray p + alpha d, and how many more points of it may be looked at."""

    def __init__(self, p: Any, d: Any, left: int) -> None:
        self.p, self.d, self.left = p, d, left

    def look(self, alpha: float) -> Search:
        self.left -= 1
        f, g = yield self.p + alpha * self.d
        return Look(alpha, known(f), known(total(g * self.d)))


def strong_wolfe(p: Any, d: Any, f: Any, g: Any, first: Any, c1: Any, c2: Any, limits: Limits) -> Search:
    """The alpha to go along d from p, where the loss is f and its gradient g (Nocedal & Wright 2006, algorithm 3.5).

    The first point looked at is p + first d. It returns an alpha at which the strong Wolfe conditions hold; the lowest
    point seen that lowers the loss enough where it came to its `limits`; 0 where d does not go down.
    """
    if isinstance(d, Symbol):
        return Symbol.of("strong_wolfe", p, d, f, first, c1, c2)
    start = Look(0.0, known(f), known(total(g * d)))
    step = known(first)
    if not step * start.slope < 0:
        return 0.0
    wolfe, ray = Wolfe(start, known(c1), known(c2)), _Ray(p, d, limits.evaluations)
    before, here = start, (yield from ray.look(step))
    while True:
        if wolfe.too_high(here) or (before is not start and here.f >= before.f):
            return (yield from _zoom(ray, wolfe, before, here, known(limits.tolerance)))
        if wolfe.flat(here) or not ray.left:
            return here.alpha
        if here.slope >= 0:
            return (yield from _zoom(ray, wolfe, here, before, known(limits.tolerance)))
        nearest = here.alpha + (LEAST - 1) * (here.alpha - before.alpha)
        further = lowest_of_cubic(before, here, nearest, MOST * here.alpha)
        before, here = here, (yield from ray.look(further))


def _zoom(ray: _Ray, wolfe: Wolfe, low: Look, high: Look, tolerance: float) -> Search:
    """Nocedal & Wright's algorithm 3.6: between `low`, the lowest point so far, and `high` a good one lies."""
    largest, at_the_end = _largest(ray.d), False
    while ray.left and abs(high.alpha - low.alpha) * largest >= tolerance:
        alpha, at_the_end = _inside(low, high, at_the_end)
        here = yield from ray.look(alpha)
        if wolfe.too_high(here) or here.f >= low.f:
            high = here
            continue
        if wolfe.flat(here):
            return here.alpha
        if here.slope * (high.alpha - low.alpha) >= 0:
            high = low
        low = here
    return low.alpha


def _inside(low: Look, high: Look, again: bool) -> tuple[float, bool]:
    """Where to look between two points, and whether that is near an end of what is between: twice in a row it is not."""
    left, right = sorted((low, high))
    alpha = lowest_of_cubic(left, right, left.alpha, right.alpha)
    margin = MARGIN * (right.alpha - left.alpha)
    if min(right.alpha - alpha, alpha - left.alpha) >= margin:
        return alpha, False
    if not again and left.alpha < alpha < right.alpha:
        return alpha, True
    return (right.alpha - margin if right.alpha - alpha < alpha - left.alpha else left.alpha + margin), False


def lowest_of_cubic(a: Look, b: Look, least: float, most: float) -> float:
    """Where the cubic through two points and their slopes is lowest, kept within [least, most] (equation 3.59).

    The middle of these where the cubic has no minimum, or a loss is not finite.
    """
    a, b = Look(*map(np.float64, a)), Look(*map(np.float64, b))  # these divide by zero without a word
    with np.errstate(all="ignore"):
        d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.alpha - b.alpha)
        d2 = np.sqrt(d1 * d1 - a.slope * b.slope)
        found = float(b.alpha - (b.alpha - a.alpha) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)))
    return (least + most) / 2 if math.isnan(found) else min(max(found, least), most)


def _largest(d: Any) -> float:
    """The largest entry of a whole tree, without its sign."""
    return max(float(framework(leaf).max(abs(leaf))) for leaf in d.leaves if 0 not in leaf.shape)
