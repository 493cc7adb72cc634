"""Shared style of the figures: colours, marks and shortened names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from thalweg.lab.report.figures.marks import COLOURS, Mark, given_out
from thalweg.lab.report.schema.parts import Named

INK, SOFT, PALE, BAD, BAND = "#1f2933", "#5b6875", "#c8d0d8", "#b3380a", "#e9eef3"

DARK = dict(
    zip(
        (INK, SOFT, PALE, BAD, BAND, *COLOURS),
        ("#e4e7eb", "#a3afbb", "#46525e", "#ff9468", "#242d36",
         "#4862dd", "#e8a32f", "#ea558e", "#3af3d8", "#f8f8f8", "#d0b8fe", "#28a6ee", "#977815"),
        strict=True,
    )
)  # fmt: skip
"""Each colour of the figures in light mode, and its replacement in dark mode."""

WIDTH = 4.6
"""The width of a figure in inches: its text is legible on a page 360 pixels wide, and in a column of a paper."""
SIZE = 8.0
"""Size of text and diameter of markers, in points."""
SETTINGS: Any = {
    "svg.fonttype": "none",  # keep text as text: small, sharp, selectable
    "svg.hashsalt": "thalweg",  # identical figures give identical bytes
    "font.family": "DejaVu Sans",  # shipped with matplotlib, so that the layout is the same everywhere
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "axes.labelsize": SIZE,
    "xtick.labelsize": SIZE - 1,
    "ytick.labelsize": SIZE - 1,
    "axes.titlepad": 4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": PALE,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.labelcolor": SOFT,
    "text.color": INK,
    "text.parse_math": False,  # a $ in a rule's name is literal
    "xtick.color": PALE,
    "ytick.color": PALE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.4,
}


def marks(rows: Sequence[Named]) -> dict[str, Mark]:
    """Each rule's mark, the same in all figures of a page, whose rows have one order."""
    return given_out([row["name"] for row in rows])


def dashes(m: Mark) -> Any:
    """A rule's line style."""
    return (0, m.dash) if m.dash else "-"


def short(name: str, length: int = 18) -> str:
    """A name in printable characters, cut to `length`."""
    plain = "".join(c if c.isprintable() else " " for c in name)
    return plain if len(plain) <= length else plain[: length - 1] + "…"


def put(axes: Axes, x: float, y: float, m: Mark, scale: float = 0.75, **options: Any) -> Line2D:
    """Draw a rule's marker."""
    (line,) = axes.plot(
        [x], [y], linestyle="none", marker=m.shape, markersize=SIZE * scale * m.reach, markerfacecolor=m.colour,
        markeredgewidth=0, **{"clip_on": False, "zorder": 4, **options},
    )  # fmt: skip
    return line


def background(axes: Axes, curves: Sequence[tuple[Any, Any]]) -> None:
    """Draw the background curves of a panel as one line with gaps."""
    xs, ys = ([x for curve in curves for x in (*curve[i], np.nan)] for i in (0, 1))
    axes.plot(xs, ys, color=PALE, linewidth=0.5, zorder=1)


def panel(m: Mark, rank: int, name: str, remark: str = "") -> tuple[Figure, Axes]:
    """A panel: axes with a title of the rule's rank, marker and name, and a remark to its right."""
    figure = Figure(figsize=(2.2, 1.55))
    axes = figure.add_axes((0.155, 0.145, 0.815, 0.70))
    room = 23 - len(remark)
    axes.annotate(f"{rank}", (0, 1), (0, 8), xycoords="axes fraction", textcoords="offset points", color=SOFT)
    axes.annotate(short(name, room), (0, 1), (25, 8), xycoords="axes fraction", textcoords="offset points", weight="bold")
    axes.annotate(remark, (1, 1), (0, 8), xycoords="axes fraction", textcoords="offset points", ha="right", color=BAD)
    width, height = axes.get_position().width * 2.2 * 72, axes.get_position().height * 1.55 * 72
    put(axes, 18 / width, 1 + 11 / height, m, transform=axes.transAxes)
    return figure, axes
