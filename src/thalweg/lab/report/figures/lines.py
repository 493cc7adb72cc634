"""Lines of many optimizers in one figure: the first few in colour with names, the others in grey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from thalweg.lab.report.figures.marks import FIRST, Mark
from thalweg.lab.report.figures.style import INK, SETTINGS, SIZE, WIDTH, background, dashes, marks, put, short
from thalweg.lab.report.figures.svg import svg
from thalweg.lab.report.schema.parts import Named

HEIGHT = 3.0  # inches
LEAST = 0.055
"""Distance of two names, as a share of the axes' height."""


def lines(
    curves: Mapping[str, Sequence[float]], xs: Sequence[float] | None, across: str, upwards: str, name: str,
    ticks: Literal["whole", "share", "ratio"],
) -> str:  # fmt: skip
    """Shares (0 to 100 %) of each optimizer over xs (default 1, 2, ...); optimizers in the order of rank.

    across, upwards: the axis labels. ticks: the format of the horizontal ticks. Empty if no row has data.
    """
    known = {name: (xs if xs is not None else range(1, len(curve) + 1), curve) for name, curve in curves.items() if curve}
    if not known:
        return ""
    drawn = marks([Named(name=name) for name in curves])
    first_ones = list(known.items())[:FIRST]

    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, HEIGHT))
        axes = figure.add_axes((0.135, 0.14, 0.585, 0.84))
        background(axes, list(known.values())[FIRST:])
        ends = []
        for optimizer, (across_, up) in first_ones:
            m = drawn[optimizer]
            axes.plot(across_, up, color=m.colour, linestyle=dashes(m), zorder=3)
            ends.append((up[-1], optimizer, m, across_[-1]))
        low = min(min(up) for _, (_, up) in first_ones)
        axes.set_ylim(max(0.0, low - 0.05), 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=ticks == "whole", steps=[1, 2, 5, 10]))
        if ticks == "share":
            axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        last = max(across_[-1] for across_, _ in known.values())
        first = min(across_[0] for across_, _ in known.values())
        axes.set_xlim(first - 0.01 * (last - first), last + 0.03 * ((last - first) or 1))
        axes.set_xlabel(across, fontsize=SIZE)
        axes.set_ylabel(upwards, fontsize=SIZE)
        name_ends(axes, ends)
        return svg(
            figure, name, "; ".join(f"{optimizer}: {100 * up[-1]:.0f} % at the end" for optimizer, (_, up) in known.items())
        )


def name_ends(axes: Axes, ends: Sequence[tuple[float, str, Mark, float]]) -> None:
    """Write the names to the right of the lines' ends (y, name, mark, x), without overlap. The limits of the axes are set."""
    places = [float(np.clip(_height(axes, right, up), 0, 1)) for up, _, _, right in ends]
    order = sorted(range(len(ends)), key=lambda i: -places[i])
    above, below = np.inf, 0.0
    for i in order:
        above = places[i] = min(places[i], above - LEAST)
    for i in reversed(order):  # the lowest ones stay above the axis
        places[i] = max(places[i], below)
        below = places[i] + LEAST
    for (up, name, m, right), place in zip(ends, places, strict=True):
        put(axes, right, up, m, clip_on=not 0 <= _height(axes, right, up) <= 1)
        axes.annotate(
            short(name, 16), (right, up), (1.04, place), textcoords="axes fraction", va="center", color=INK,
            arrowprops={"arrowstyle": "-", "relpos": (0, 0.5), "color": m.colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3},
        )  # fmt: skip


def _height(axes: Axes, x: float, y: float) -> float:
    """Where a point is, as a share of the axes' height."""
    return float(axes.transAxes.inverted().transform(axes.transData.transform((x, y)))[1])
