"""The settings at which an optimizer is tried: the same number for all, in a deterministic order."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.form.hyper import Hyper, Role
from thalweg.lab.protocol.protocol import RESERVED, SCHEDULES
from thalweg.rule import Rule
from thalweg.values.numerals import short

EPSILONS = (1e-10, 1.0)
"""The search range of an epsilon: at 1 an adaptive method nearly equals plain momentum (Choi et al. 2019, arXiv
1910.05446)."""

End = tuple[float, float]
"""The result of a setting, lower is better: its median final score, then its median loss."""


@dataclass(frozen=True)
class Setting:
    """A trial's setting: learning rate, other hyper-parameters and learning-rate schedule."""

    lr: float
    hyper: tuple[tuple[str, float], ...] = ()
    schedule: str = "constant"


@dataclass(frozen=True)
class Axis:
    """The log-uniform search range of a hyper-parameter, or of 1 minus it."""

    name: str
    low: float
    high: float
    complement: bool = False

    def at(self, share: float) -> float:
        """The value at this share of the log range."""
        value = _between(self.low, self.high, share)
        return below_one(value) if self.complement else short(value)


@dataclass(frozen=True)
class Space:
    """The search space of a rule: a range of learning rates, other hyper-parameters if any, and schedules to draw from.

    draws: a label; another label gives different draws from the same ranges. phase: where the points of a grid lie in their
    cells; None: in the middle, for other draws elsewhere.
    """

    search: tuple[float, float]
    budget: int
    axes: tuple[Axis, ...] = ()
    schedules: tuple[str, ...] = ("constant",)
    draws: str = ""
    phase: float | None = None

    @property
    def opening(self) -> int:
        """The number of trials in the first round."""
        return self.budget - self.budget // RESERVED

    @property
    def step(self) -> float:
        """The ratio of neighbouring learning rates of the grid."""
        return float((self.search[1] / self.search[0]) ** (1 / self.opening))


def axes(rule: Rule) -> tuple[Axis, ...]:
    """The search range of each float hyper-parameter of a rule: the declared `Search`, or from its default and its range:

    The decay x of an average: 1 - x within a decade of the default's (as in AlgoPerf). An epsilon: EPSILONS. Another
    positive number: within two decades of its default. A default that is 0, infinite, negative or fixed is not tuned.
    """
    return tuple(axis for hyper in rule.parts.values() if (axis := _axis(hyper)) is not None)


def _axis(hyper: Hyper) -> Axis | None:
    value = hyper.default
    if hyper.search is not None and not hyper.static:
        low, high = hyper.search.low, hyper.search.high
        near_one = hyper.range is not None and hyper.range.high == 1
        return Axis(hyper.name, 1 - high, 1 - low, complement=True) if near_one else Axis(hyper.name, low, high)
    if hyper.static or hyper.range is None or hyper.role is Role.DATA_SIZE or not math.isfinite(value) or value <= 0:
        return None
    if hyper.name == "eps":
        return Axis("eps", *EPSILONS)
    if hyper.range.high == 1:
        least = max(hyper.range.low, 0.0)
        furthest = min(10 * (1 - value), (1 - least) if hyper.range.low_in else 0.9 * (1 - least))
        return Axis(hyper.name, (1 - value) / 10, furthest, complement=True) if value < 1 else None
    low, high = value / 100, value * 100
    return Axis(hyper.name, max(low, hyper.range.low), min(high, hyper.range.high))


def opening(space: Space) -> list[Setting]:
    """The first settings: all except the reserved ones."""
    return spread(space, space.opening)


def spread(space: Space, count: int) -> list[Setting]:
    """`count` settings: a log grid if only the learning rate is tuned, otherwise quasi-random in all dimensions."""
    if not space.axes and len(space.schedules) == 1:
        phase = _phase(space)
        shares = [(i + phase) / count for i in range(count)]
        return [Setting(short(_between(*space.search, share)), (), space.schedules[0]) for share in shares]
    return [_drawn(space, row) for row in _halton(space)[:count]]


def following(space: Space, ends: Mapping[Setting, End]) -> list[Setting]:
    """The reserved settings, after the first round: beyond the edge if the best is there, otherwise next to the best (on a
    grid, halfway to its neighbours) or further quasi-random ones.
    """
    left = space.budget - space.opening
    best = min(ends, key=lambda setting: (*ends[setting], setting.lr))
    rates = sorted({setting.lr for setting in ends})
    if not left:
        return []
    if best.lr in (rates[0], rates[-1]):
        way = space.step if best.lr == rates[-1] else 1 / space.step
        rates_beyond = [short(best.lr * way ** (i + 1)) for i in range(left)]
        return [Setting(rate, best.hyper, best.schedule) for rate in rates_beyond]
    if space.axes or len(space.schedules) > 1:
        return [_drawn(space, row) for row in _halton(space)[space.opening :]]
    halves = [best.lr * space.step ** ((-1) ** i * 0.5 ** (i // 2 + 1)) for i in range(left)]
    return [Setting(short(rate), best.hyper, best.schedule) for rate in halves]


def _drawn(space: Space, row: list[float]) -> Setting:
    rate, *shares, word = row
    hyper = tuple((axis.name, axis.at(share)) for axis, share in zip(space.axes, shares, strict=True))
    return Setting(short(_between(*space.search, rate)), hyper, space.schedules[int(word * len(space.schedules))])


def _halton(space: Space) -> list[list[float]]:
    """Quasi-random rows, one for each trial. More trials keep the first rows."""
    from scipy.stats import qmc  # takes longer to import than all that a process of trials needs

    rng = np.random.default_rng(_number(space.draws))
    found: list[list[float]] = qmc.Halton(d=2 + len(space.axes), scramble=True, rng=rng).random(space.budget).tolist()
    return found


def _phase(space: Space) -> float:
    """The position of a grid point in its cell."""
    if space.phase is not None:
        return space.phase
    return 0.5 if not space.draws else _number(space.draws) / 2**32


def _number(draws: str) -> int:
    return int.from_bytes(hashlib.sha256(draws.encode()).digest()[:4], "big") if draws else 0


def _between(low: float, high: float, share: float) -> float:
    return float(low * (high / low) ** share)


def below_one(rest: float) -> float:
    """1 - rest with as many digits as rest needs: 0.9999999, which six digits would round to 1."""
    return short(1 - rest) if rest >= 1e-3 else round(1 - rest, 5 - math.floor(math.log10(rest)))


def rate(settings: list[Setting], steps: int) -> Any:
    """The learning rates of lanes with these settings: numbers, or a function of t = 1, 2, ..., steps."""
    rates = np.array([setting.lr for setting in settings])
    names = [setting.schedule for setting in settings]
    if set(names) == {"constant"}:
        return rates
    masks = {name: np.array([own == name for own in names]) for name in sorted(set(names))}
    return lambda t: rates * sum(mask * SCHEDULES[name].factor(steps)(t) for name, mask in masks.items())
