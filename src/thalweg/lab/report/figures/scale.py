"""Axis scales for scores on which relevant differences are visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from thalweg.lab.report.schema.problem import Score

Which = Literal["x", "y"]
NO_SPAN = 1e-9
"""Scores that differ by less than this share count as equal: matplotlib cannot separate such axis limits."""
CLOSE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
"""Ticks of a logarithmic axis that spans less than half a decade."""


@dataclass(frozen=True)
class Scale:
    """A map from scores to axis positions: linear, logarithmic, or, for scores with maximum 1, logarithmic in 1 - score."""

    kind: Literal["linear", "log", "missing"]
    floor: float = 0.0
    factor: float = 1.0
    """Factor of the tick labels for kind "missing": 100 for shares."""

    @classmethod
    def of(cls, scores: Sequence[float], score: Score) -> Scale:
        """The scale on which these scores are distinguishable."""
        if score["higher_is_better"] and max(scores, default=1.0) <= 1:
            return cls("missing", min((1 - x for x in scores if x < 1), default=0.02) / 2, 100.0 if score["share"] else 1.0)
        positive = [x for x in scores if x > 0]
        if not score["higher_is_better"] and positive and min(scores) >= 0 and max(positive) > 50 * min(positive):
            return cls("log", min(positive) / 2)
        return cls("linear")

    def place(self, x: float) -> float:
        """The axis position of a score."""
        if self.kind == "linear":
            return x
        return max(1 - x if self.kind == "missing" else x, self.floor)

    def dress(self, axes: Axes, which: Which, low: float, high: float, ticks: int = 5) -> None:
        """Set an axis to this scale, from score `low` to `high`."""
        axis = axes.xaxis if which == "x" else axes.yaxis
        first, last = sorted((self.place(low), self.place(high)))
        if self.kind == "linear":
            span = last - first
            margin = 0.06 * (span if span > NO_SPAN * abs(first) else abs(first) or 1.0)
            _limit(axes, which, first - margin, last + margin)
            axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))
            return
        if last - first <= NO_SPAN * first:
            first, last = first / 2, last * 2
        plain_log(axes, which, first, last)
        margin = (last / first) ** 0.06
        _limit(axes, which, first / margin, last * margin)
        if self.kind == "missing":
            axis.set_inverted(True)
            steps = [m * 10.0**e for e in range(-6, 6) for m in (1, 2, 5)]
            inside = [e for e in steps if first / margin <= e <= last * margin and e > 1.3 * self.floor]
            chosen = inside[:: -(-len(inside) // (ticks + 1))] if inside else []
            perfect = [self.floor] if first <= self.floor else []
            axis.set_major_locator(FixedLocator(perfect + chosen))
            axis.set_major_formatter(FuncFormatter(lambda e, _: f"{self.factor * (1 - e if e > self.floor else 1):g}"))


def plain_log(axes: Axes, which: Which, low: float, high: float) -> None:
    """A logarithmic axis with few ticks in plain numbers; over a short range also at 2 and 5."""
    low, high = (low / 2, high * 2) if low == high else (low, high)
    _limit(axes, which, low, high)  # a single point has no range
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    subs = CLOSE if high < 4 * low else (1.0, 2.0, 5.0) if high < 100 * low else (1.0,)
    axis.set_major_locator(LogLocator(base=10, subs=subs, numticks=5))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_minor_locator(NullLocator())
    _limit(axes, which, low, high)


def _limit(axes: Axes, which: Which, low: float, high: float) -> None:
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
