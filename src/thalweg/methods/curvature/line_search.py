"""Line searches: generators that evaluate points of the whole model along a direction.

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
"""Range of an extrapolation: at least a hundredth of the last stride beyond the last point, at most ten times as far."""
MARGIN = 0.1
"""How near an interpolation may come to an end of its bracket, as a share of it, once; a second time it is moved inside."""


class Look(NamedTuple):
    """An evaluation at p + alpha d: the loss there, and its slope along d."""

    alpha: float
    f: float
    slope: float


@dataclass(frozen=True)
class Wolfe:
    """The strong Wolfe conditions on a step from `start`: sufficient decrease and small slope."""

    start: Look
    c1: float
    c2: float

    def too_high(self, x: Look) -> bool:
        """Whether sufficient decrease fails (Nocedal & Wright, equation 3.7a); it does for a loss of NaN."""
        return not x.f <= self.start.f + self.c1 * x.alpha * self.start.slope

    def flat(self, x: Look) -> bool:
        """Whether the curvature condition holds (equation 3.7b)."""
        return abs(x.slope) <= -self.c2 * self.start.slope


class Limits(NamedTuple):
    """When a search stops: after so many points, or when its bracket moves no parameter by `tolerance`."""

    evaluations: int
    tolerance: Any


class _Ray:
    """The ray p + alpha d, and the number of evaluations left."""

    def __init__(self, p: Any, d: Any, left: int) -> None:
        self.p, self.d, self.left = p, d, left

    def look(self, alpha: float) -> Search:
        self.left -= 1
        f, g = yield self.p + alpha * self.d
        return Look(alpha, known(f), known(total(g * self.d)))


def strong_wolfe(p: Any, d: Any, f: Any, g: Any, first: Any, c1: Any, c2: Any, limits: Limits) -> Search:
    """Find alpha along d from p, where the loss is f and its gradient g (Nocedal & Wright 2006, algorithm 3.5).

    The first point is p + first d. Returns an alpha at which the strong Wolfe conditions hold; at its `limits`, the lowest
    point found with sufficient decrease; or 0 if d is no descent direction.
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
    """Search between `low`, the lowest point so far, and `high` (Nocedal & Wright, algorithm 3.6)."""
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
    """Return the next point between two points, and whether it is near an end of the bracket, which happens once in a row."""
    left, right = sorted((low, high))
    alpha = lowest_of_cubic(left, right, left.alpha, right.alpha)
    margin = MARGIN * (right.alpha - left.alpha)
    if min(right.alpha - alpha, alpha - left.alpha) >= margin:
        return alpha, False
    if not again and left.alpha < alpha < right.alpha:
        return alpha, True
    return (right.alpha - margin if right.alpha - alpha < alpha - left.alpha else left.alpha + margin), False


def lowest_of_cubic(a: Look, b: Look, least: float, most: float) -> float:
    """Return the minimum of the cubic through two points and their slopes, within [least, most] (equation 3.59).

    Returns the middle of these if the cubic has no minimum or a loss is not finite.
    """
    a, b = Look(*map(np.float64, a)), Look(*map(np.float64, b))  # these divide by zero without an error
    with np.errstate(all="ignore"):
        d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.alpha - b.alpha)
        d2 = np.sqrt(d1 * d1 - a.slope * b.slope)
        found = float(b.alpha - (b.alpha - a.alpha) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)))
    return (least + most) / 2 if math.isnan(found) else min(max(found, least), most)


def _largest(d: Any) -> float:
    """Return the largest magnitude in a whole tree."""
    return max(float(framework(leaf).max(abs(leaf))) for leaf in d.leaves if 0 not in leaf.shape)
