"""Mean ranks over problems with intervals, and bars that join optimizers that are not separable."""

from __future__ import annotations

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from thalweg.lab.report.figures.style import INK, PALE, SETTINGS, SIZE, SOFT, WIDTH, marks, put, short
from thalweg.lab.report.figures.svg import svg
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.statistics.scores import number

LINE = 0.2  # inches
LEFT = 0.28  # share of the width


def ranks(results: SuiteResults) -> str:
    """A row for each optimizer, the best at the top: the mean rank, its interval, and to the right the groups of the
    critical-difference test if there are enough problems.
    """
    rows, cliques = results["rules"], results["critical_difference"]["cliques"]
    drawn, height = marks(rows), LINE * len(rows) + 0.5
    place = {row["name"]: i for i, row in enumerate(rows)}
    right = 0.97 - 0.02 * len(cliques)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((LEFT, 0.36 / height, right - LEFT, 1 - 0.42 / height))
        for row in rows:
            rank, y, m = row["mean_rank"], place[row["name"]], drawn[row["name"]]
            low, high = number(rank["low"]), number(rank["high"])
            axes.axhline(y, color=PALE, linewidth=0.4, zorder=0)
            axes.plot([low, high], [y, y], color=m.colour, linewidth=2.2, solid_capstyle="butt")
            put(axes, number(rank["value"]), y, m)
            axes.annotate(
                short(row["name"]), (0, y), (-8, 0), xycoords=("axes fraction", "data"), textcoords="offset points", ha="right",
                va="center", color=INK, weight="bold" if y == 0 else "normal",
            )  # fmt: skip
        for i, clique in enumerate(cliques):
            ends = [min(place[name] for name in clique) - 0.25, max(place[name] for name in clique) + 0.25]
            axes.plot(
                [1.015 + 0.025 * i] * 2, ends, color=SOFT, linewidth=2.5, clip_on=False, solid_capstyle="butt",
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0.5, max(number(row["mean_rank"]["high"]) for row in rows) + 0.5)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xlabel("mean rank, 1 the best", fontsize=SIZE)
        return svg(figure, "ranks", "; ".join(f"{row['name']}: mean rank {row['mean_rank']['value']:.1f}" for row in rows))
