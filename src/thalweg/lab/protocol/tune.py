"""Which settings an optimizer is tried at: the same number for all, in an order that nobody chooses."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import qmc

from thalweg.form.hyper import Hyper, Role
from thalweg.lab.protocol.protocol import RESERVED, SCHEDULES
from thalweg.rule import Rule
from thalweg.values.numerals import short

EPSILONS = (1e-10, 1.0)
"""Where the guard of a denominator is searched: at 1 an adaptive method is all but plain momentum (Choi et al. 2019, arXiv
1910.05446)."""

End = tuple[float, float]
"""How a setting did, lower the better: its median score at the end, then its median loss."""


@dataclass(frozen=True)
class Setting:
    """What a trial runs a rule with: the learning rate, other hyper-parameters, how the rate changes over the steps."""

    lr: float
    hyper: tuple[tuple[str, float], ...] = ()
    schedule: str = "constant"


@dataclass(frozen=True)
class Axis:
    """A hyper-parameter's range, searched log-uniformly: of itself, or of 1 - itself."""

    name: str
    low: float
    high: float
    complement: bool = False

    def at(self, share: float) -> float:
        """The value this far along."""
        value = _between(self.low, self.high, share)
        return below_one(value) if self.complement else short(value)


@dataclass(frozen=True)
class Space:
    """What is tuned of a rule: its learning rate in a range; other hyper-parameters, if any; schedules to draw from.

    draws: whose draws these are; another word gives others from the same ranges.
    """

    search: tuple[float, float]
    budget: int
    axes: tuple[Axis, ...] = ()
    schedules: tuple[str, ...] = ("constant",)
    draws: str = ""

    @property
    def opening(self) -> int:
        """How many trials come first, all at once."""
        return self.budget - self.budget // RESERVED

    @property
    def step(self) -> float:
        """What the learning rates of a grid lie apart, as a factor."""
        return float((self.search[1] / self.search[0]) ** (1 / self.opening))


def axes(rule: Rule) -> tuple[Axis, ...]:
    """Where each float hyper-parameter of a rule is searched, by its default and its declared range.

    An average's decay x: 1 - x within a decade of the default's (AlgoPerf does so). A guard eps: EPSILONS. Another positive
    number: within two decades of its default. What is 0 or infinite by default, negative, or fixed in advance stays.
    """
    return tuple(axis for hyper in rule.parts.values() if (axis := _axis(hyper)) is not None)


def _axis(hyper: Hyper) -> Axis | None:
    value = hyper.default
    if hyper.static or hyper.range is None or hyper.role is Role.DATA_SIZE or not math.isfinite(value) or value <= 0:
        return None
    if hyper.name == "eps":
        return Axis("eps", *EPSILONS)
    if hyper.range.high == 1:
        return Axis(hyper.name, (1 - value) / 10, min(10 * (1 - value), 1.0), complement=True) if value < 1 else None
    low, high = value / 100, value * 100
    return Axis(hyper.name, max(low, hyper.range.low), min(high, hyper.range.high))


def opening(space: Space) -> list[Setting]:
    """The first settings: all but those that are kept back."""
    return spread(space, space.opening)


def spread(space: Space, count: int) -> list[Setting]:
    """So many settings: a log grid where only the learning rate is tuned, else quasi-random in all that is."""
    if not space.axes and len(space.schedules) == 1:
        phase = _phase(space.draws)
        shares = [(i + phase) / count for i in range(count)]
        return [Setting(short(_between(*space.search, share)), (), space.schedules[0]) for share in shares]
    return [_drawn(space, row) for row in _halton(space)[:count]]


def following(space: Space, ends: Mapping[Setting, End]) -> list[Setting]:
    """The settings kept back, once the first have ended: beyond the edge if the best stands there, else beside the best
    (on a grid, halfway to its neighbours) or further quasi-random ones.
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
    """Quasi-random rows, one for each trial: more of them leave the first ones as they are."""
    rng = np.random.default_rng(_number(space.draws))
    found: list[list[float]] = qmc.Halton(d=2 + len(space.axes), scramble=True, rng=rng).random(space.budget).tolist()
    return found


def _phase(draws: str) -> float:
    """Where in each of its cells a grid has its point: the middle; elsewhere for other draws."""
    return 0.5 if not draws else _number(draws) / 2**32


def _number(draws: str) -> int:
    return int.from_bytes(hashlib.sha256(draws.encode()).digest()[:4], "big") if draws else 0


def _between(low: float, high: float, share: float) -> float:
    return float(low * (high / low) ** share)


def below_one(rest: float) -> float:
    """1 - rest with the digits that rest needs: 0.9999999, which six digits would call 1."""
    return short(1 - rest) if rest >= 1e-3 else round(1 - rest, 5 - math.floor(math.log10(rest)))


def rate(settings: list[Setting], steps: int) -> Any:
    """The learning rates of lanes with these settings: numbers, or a function of t = 1, 2, ..., steps."""
    rates = np.array([setting.lr for setting in settings])
    names = [setting.schedule for setting in settings]
    if set(names) == {"constant"}:
        return rates
    masks = {name: np.array([own == name for own in names]) for name in sorted(set(names))}
    return lambda t: rates * sum(mask * SCHEDULES[name].factor(steps)(t) for name, mask in masks.items())
