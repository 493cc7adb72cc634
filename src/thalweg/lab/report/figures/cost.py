"""Score against the cost of a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.lab.report.figures.labels import Box, beside
from thalweg.lab.report.figures.marks import Mark
from thalweg.lab.report.figures.scale import Scale, plain_log
from thalweg.lab.report.figures.scores import near_best
from thalweg.lab.report.figures.style import INK, PALE, SETTINGS, SIZE, SOFT, WIDTH, marks, put, short
from thalweg.lab.report.figures.svg import svg
from thalweg.lab.report.schema.parts import Priced
from thalweg.lab.report.schema.problem import Score
from thalweg.lab.statistics.scores import format_score, number

HEIGHT = 3.7  # inches
SAME = 1.1
"""Step costs within this factor count as equal: timings of a few microseconds vary that much."""


def cost(rows: Sequence[Priced], score: Score, what: str | None = None) -> str:
    """The mean test score of each optimizer against the time of its step. A line joins those that no other beats in both.

    Scores far off are drawn at the edge, with their value. what: the name of the scores, if not test scores. Empty if fewer
    than two optimizers have a score and a step cost.
    """
    drawn = marks(rows)
    rows = [row for row in rows if row["score"]["mean"] is not None and row["step_cost"]]
    if len(rows) < 2:
        return ""
    scale = Scale.of([number(row["score"]["mean"]) for row in rows], score)
    scale = scale if scale.kind == "log" else Scale("linear")
    measured = list(zip(rows, near_best(rows, scale), strict=True))
    factor = 100.0 if score["share"] else 1.0
    shown = [factor * number(row["score"]["mean"]) for row, near in measured if near] or [0.0]
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, HEIGHT))
        axes = figure.add_axes((0.125, 0.115, 0.86, 0.87))
        scale.dress(axes, "y", min(shown), max(shown), ticks=7)
        if not score["higher_is_better"]:
            axes.yaxis.set_inverted(True)
        edge = axes.get_ylim()[0]
        points = []
        for row, near in measured:
            mean, name = number(row["score"]["mean"]), short(row["name"])
            there = scale.place(factor * mean) if near else edge
            points.append(
                Point(
                    row["name"],
                    number(row["step_cost"]),
                    there,
                    name if near else f"{name} ▾ {format_score(mean, score['share'])}",
                )
            )
        _draw(axes, points, frontier(rows, score["higher_is_better"]), drawn)
        what = what or f"mean test {score['name']}"
        axes.set_ylabel(f"{what}{' (%)' if score['share'] else ''}")
        return svg(figure, "cost", _label(frontier(rows, score["higher_is_better"]), score, what))


@dataclass(frozen=True)
class Point:
    """A rule in the figure."""

    name: str
    x: float
    y: float
    text: str


def frontier(rows: Sequence[Priced], higher_is_better: bool) -> list[Priced]:
    """The Pareto front, cheapest first: each row is better than all that are not clearly more expensive."""
    sign = -1 if higher_is_better else 1

    def beats(other: Priced, row: Priced) -> bool:
        theirs, ours = sign * number(other["score"]["mean"]), sign * number(row["score"]["mean"])
        price, own = number(other["step_cost"]), number(row["step_cost"])
        better = theirs < ours or (theirs == ours and price < own)
        return better and price <= SAME * own

    return sorted((row for row in rows if not any(beats(other, row) for other in rows)), key=lambda row: number(row["step_cost"]))


def _draw(axes: Axes, points: list[Point], front: Sequence[Priced], drawn: dict[str, Mark]) -> None:
    costs = [point.x for point in points]
    plain_log(axes, "x", min(costs) / 1.15, max(max(costs) * 1.3, 2 * min(costs)))
    axes.grid(color=PALE, linewidth=0.3)
    where = {point.name: (point.x, point.y) for point in points}
    line = [where[row["name"]] for row in front]
    axes.plot(*zip(*line, strict=True), color=PALE, drawstyle="steps-post", linewidth=1.2, zorder=1)
    for point in points:
        put(axes, point.x, point.y, drawn[point.name], 0.9)
    _names(axes, points, {row["name"] for row in front})
    axes.set_xlabel("time of a step, plain gradient descent = 1")


def _names(axes: Axes, points: list[Point], bold: set[str]) -> None:
    """Write each rule's name beside its point, with a leader if it is not adjacent."""
    unit = axes.figure.dpi / 72
    spots = [(float(x) / unit, float(y) / unit) for x, y in axes.transData.transform([(p.x, p.y) for p in points])]
    sizes = [(0.62 * SIZE * len(p.text) + 2, SIZE + 1.5) for p in points]
    corners = axes.transAxes.transform([(0, 0), (1, 1)]) / unit
    boxes = beside(spots, sizes, Box(*map(float, corners.ravel())), gap=0.62 * SIZE)
    for point, (x, y), box in zip(points, spots, boxes, strict=True):
        place = ((box.left + box.right) / 2 - x, (box.bottom + box.top) / 2 - y)
        near = (min(max(x, box.left), box.right) - x, min(max(y, box.bottom), box.top) - y)
        looks: Any = {"color": INK, "weight": "bold"} if point.name in bold else {"color": SOFT}
        axes.annotate(point.text, (point.x, point.y), place, textcoords="offset points", ha="center", va="center_baseline",
                      zorder=5, **looks)  # fmt: skip
        if near[0] ** 2 + near[1] ** 2 > (1.1 * SIZE) ** 2:
            tie = {"arrowstyle": "-", "color": SOFT, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}
            axes.annotate("", (point.x, point.y), near, textcoords="offset points", zorder=2, arrowprops=tie)


def _label(front: Sequence[Priced], score: Score, what: str) -> str:
    told = "; ".join(
        f"{row['name']} {format_score(row['score']['mean'], score['share'])} at {row['step_cost']:.1f}" for row in front
    )
    return f"{what} against the time of a step. None is both cheaper and better than: {told}"
