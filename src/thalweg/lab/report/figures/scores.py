"""Final scores: every judged run as a dot, and the interval of the mean."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.lab.report.figures.scale import Scale
from thalweg.lab.report.figures.style import BAD, BAND, SETTINGS, SOFT, WIDTH, marks, put, short
from thalweg.lab.report.figures.svg import svg
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import Scored
from thalweg.lab.report.schema.problem import Results, Score
from thalweg.lab.statistics import stats
from thalweg.lab.statistics.scores import format_score, number

FAR = 6.0
"""A mean is drawn in place up to this many times the median optimizer's distance from the best."""
ROW = 0.21  # inches
LEFT, ACROSS = 0.345, 0.495  # share of the width


def scores(results: Results) -> str:
    """Test scores in the order of rank. Those far off are written at the edge, so that the others are distinguishable."""
    rows, score = results["rules"], results["problem"]["score"]
    factor = 100.0 if score["share"] else 1.0
    drawn = marks(rows)
    scale = Scale.of([x for row in rows for x in _runs(row)], score)
    scale = scale if scale.kind == "log" else Scale("linear")
    near = near_best(rows, scale)
    shown = [x for row, is_near in zip(rows, near, strict=True) if is_near for x in (*_runs(row), *_ends(row))]
    low, high = (factor * min(shown), factor * max(shown)) if shown else (0.0, 1.0)
    with matplotlib.rc_context(SETTINGS):
        height = ROW * len(rows) + 0.7
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((LEFT, 0.45 / height, ACROSS, ROW * len(rows) / height))
        scale.dress(axes, "x", low, high, ticks=5)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        if near[:1] == [True]:
            low, high = (scale.place(factor * end) for end in _by_seeds(rows[0]))
            axes.axvspan(low, high, color=BAND, zorder=0, linewidth=0)
        for y, (row, is_near) in enumerate(zip(rows, near, strict=True)):
            _name(axes, y, row, drawn[row["name"]], format_score(row["score"]["mean"], score["share"]))
            if is_near:
                _draw(axes, y, row, factor, scale, drawn[row["name"]])
            else:
                _far(axes, y, row, score)
        _frame(axes, score, bool(shown))
        return svg(figure, "score", _label(results))


def _frame(axes: Axes, score: Score, ticks: bool) -> None:
    axes.set_yticks([])
    if not ticks:
        axes.set_xticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"test {score['name']}{' (%)' if score['share'] else ''}")
    axes.annotate("mean", (1, 1), (44, 3), xycoords="axes fraction", textcoords="offset points", ha="right", color=SOFT)
    side, words, x = ("right", "→ better", 1) if score["higher_is_better"] else ("left", "better ←", 0)
    axes.annotate(words, (x, 0), (0, -24), xycoords="axes fraction", textcoords="offset points", ha=side, color=SOFT)


def near_best(rows: Sequence[Scored], scale: Scale) -> list[bool]:
    """The rows, given in the order of rank, that fit on this scale beside the best."""
    means = [row["score"]["mean"] for row in rows]
    places = [_far_along(scale, mean) for mean in means if mean is not None]
    if len(places) < 4:
        return [mean is not None for mean in means]
    doubt = [_far_along(scale, x) for x in (rows[0]["score"]["low"], rows[0]["score"]["high"]) if x is not None]
    reach = FAR * max(abs(places[len(places) // 2] - places[0]), (max(doubt) - min(doubt)) / 2 if doubt else 0.0)
    return [mean is not None and (reach == 0 or abs(_far_along(scale, mean) - places[0]) <= reach) for mean in means]


def _far_along(scale: Scale, x: float) -> float:
    return math.log10(scale.place(x)) if scale.kind == "log" else x


def _runs(row: Row) -> list[float]:
    return [run["test_score"] for run in row["judging"] if run["test_score"] is not None]


def _ends(row: Row) -> list[float]:
    """The ends of the interval of the mean."""
    return [x for x in (row["score"]["low"], row["score"]["high"]) if x is not None]


def _by_seeds(row: Row) -> list[float]:
    """The ends of the interval that counts the luck of the seeds, or blocks, alone."""
    blocks: dict[int, list[float]] = {}
    for run in row["judging"]:
        if run["test_score"] is not None:
            blocks.setdefault(run["block"], []).append(run["test_score"])
    means = [float(np.mean(own)) for own in blocks.values()]
    found = stats.interval(np.array(means if len(means) > 1 else _runs(row)))[1:]
    low, high = _ends(row) or (-np.inf, np.inf)
    return [float(np.clip(x, low, high)) for x in found]  # a share ends at 1


def _name(axes: Axes, y: int, row: Row, m: Any, mean: str) -> None:
    where: Any = ("axes fraction", "data")
    rank = row["rank"]["place"]
    axes.annotate(f"{rank}", (0, y), (-104, 0), xycoords=where, textcoords="offset points", ha="right", va="center", color=SOFT)
    axes.annotate(short(row["name"]), (0, y), (-88, 0), xycoords=where, textcoords="offset points", va="center")
    axes.annotate(mean, (1, y), (44, 0), xycoords=where, textcoords="offset points", ha="right", va="center")
    put(axes, -96 / (WIDTH * ACROSS * 72), y, m, transform=axes.get_yaxis_transform())


def _draw(axes: Axes, y: int, row: Row, factor: float, scale: Scale, m: Any) -> None:
    runs = [scale.place(factor * x) for x in _runs(row)]
    axes.axhline(y, color=BAND, linewidth=0.6, zorder=0)
    axes.plot(
        runs,
        [y + shift for shift in _stacked(runs, axes)],
        "o",
        color=SOFT,
        alpha=0.5,
        markersize=2.6,
        markeredgewidth=0,
        zorder=1,
    )
    for ends, width in ((_ends(row), 0.7), (_by_seeds(row), 2.2)):
        axes.plot([scale.place(factor * x) for x in ends], [y] * len(ends), color=m.colour, linewidth=width, zorder=2)
    put(axes, scale.place(factor * number(row["score"]["mean"])), y, m)


def _stacked(runs: list[float], axes: Axes) -> list[float]:
    """Alternating vertical shifts of coinciding dots."""
    to_screen = axes.transData.transform
    spots = [round(float(to_screen((x, 0))[0]) / 3) for x in runs]
    seen: Counter[int] = Counter()
    shifts = []
    for spot in spots:
        turn = seen[spot]
        seen[spot] += 1
        shifts.append(min(0.44, 0.15 * ((turn + 1) // 2)) * (1 if turn % 2 else -1))
    return shifts


def _far(axes: Axes, y: int, row: Row, score: Score) -> None:
    """Write the score of a row that is off the scale."""
    missing = sum(run["test_score"] is None for run in row["judging"])
    left = score["higher_is_better"]
    if missing:
        text = f"no finite score in {missing} of {len(row['judging'])} runs"
    else:
        low, high = (format_score(row["score"][side], score["share"]) for side in ("low", "high"))
        text = f"off this scale: {low} to {high}"
    text = f"◂ {text}" if left else f"{text} ▸"
    axes.annotate(text, (0.01 if left else 0.99, y), xycoords=("axes fraction", "data"), color=BAD, va="center",
                  ha="left" if left else "right")  # fmt: skip


def _label(results: Results) -> str:
    score, rows = results["problem"]["score"], results["rules"]
    told = "; ".join(
        f"{row['rank']['place']}. {row['name']} {format_score(row['score']['mean'], score['share'])}" for row in rows
    )
    return f"Mean test {score['name']} in the order of rank: {told}"
