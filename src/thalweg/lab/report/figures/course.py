"""The course of training: the training loss and the score by epoch, all optimizers in one plot; the first few in colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from thalweg.lab.report.figures.curves import quartiles
from thalweg.lab.report.figures.lines import name_ends
from thalweg.lab.report.figures.marks import FIRST, Mark
from thalweg.lab.report.figures.scale import plain_log
from thalweg.lab.report.figures.style import SETTINGS, SIZE, WIDTH, background, dashes, marks
from thalweg.lab.report.figures.svg import svg
from thalweg.lab.report.schema.problem import Results

HEIGHT = 3.0  # inches
BOX = (0.135, 0.14, 0.585, 0.84)
DPI = 200
SUFFIXES = (".png", ".svg", ".pdf")
Curve = Literal["train_curve", "score_curve"]
KINDS: dict[Curve, str] = {"train_curve": "training", "score_curve": "validation"}
"""The curves, and the names of their figures."""


class Course(NamedTuple):
    """What a plot shows: where the points are along the horizontal axis, and three quartiles over the judged runs by rule."""

    along: Any
    axis: str
    title: str
    share: bool
    bands: dict[str, Any]


def course(results: Results, curve: Curve) -> str:
    """The figure of one kind of curve, by epoch, or by step where an epoch has no length. Empty if there are no such curves."""
    known = _known(results, curve)
    if known is None:
        return ""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, HEIGHT))
        _draw(figure.add_axes(BOX), known)
        ends = ((name, band[1][np.isfinite(band[1])]) for name, band in known.bands.items())
        told = "; ".join(f"{name}: {_said(line[-1], known.share)} at the end" for name, line in ends if len(line))
        return svg(figure, KINDS[curve], f"{known.title} by {known.axis}. {told}")


def write_picture(results: Results, path: Path) -> None:
    """Write both plots side by side, as the suffix says. Raises ValueError for another suffix, or if there is nothing to draw."""
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: the file's name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    found = [known for curve in KINDS if (known := _known(results, curve)) is not None]
    if not found:
        raise ValueError("no run has a finite training loss or score")
    with matplotlib.rc_context({**SETTINGS, "figure.facecolor": "white", "pdf.fonttype": 42}):
        figure = Figure(figsize=(WIDTH * len(found), HEIGHT))
        for i, known in enumerate(found):
            left, bottom, width, height = BOX
            _draw(figure.add_axes(((i + left) / len(found), bottom, width / len(found), height)), known)
        figure.savefig(path, dpi=DPI, format=path.suffix[1:].lower())


def _known(results: Results, curve: Curve) -> Course | None:
    score, at = results["problem"]["score"], np.array(results["evaluated_at"], float)
    trained = "training" in results  # a loop of the user's own, whose loss is not known
    if trained and curve == "train_curve":
        return None
    bands = {row["name"]: quartiles(row, len(at), curve) for row in results["rules"]}
    if not any(np.isfinite(band[1]).any() for band in bands.values()):
        return None
    samples = results["settings"]["batch_size"] if results["problem"]["train_size"] else 0
    along, axis = (at * samples / results["problem"]["train_size"], "epoch") if samples else (at, "step")
    if curve == "train_curve":
        return Course(along, axis, "training loss", False, bands)
    return Course(along, axis, f"validation {score['name']}", score["share"], bands)


def _draw(axes: Axes, known: Course) -> None:
    bands = list(known.bands.values())
    low, high, log = _limits([band[1] for band in bands[:FIRST]])
    background(axes, [(known.along, band[1]) for band in bands[FIRST:]])
    ends: list[tuple[float, str, Mark, float]] = []
    for (name, band), m in zip(known.bands.items(), marks([{"name": name} for name in known.bands]).values(), strict=True):
        if len(ends) == FIRST:
            break
        axes.fill_between(known.along, band[0], band[2], color=m.colour, alpha=0.12, linewidth=0, zorder=2)
        axes.plot(known.along, band[1], color=m.colour, linestyle=dashes(m), zorder=3)
        seen = np.flatnonzero(np.isfinite(band[1]))
        ends.append((float(band[1][seen[-1]]) if len(seen) else high, name, m, float(known.along[-1])))
    if log:
        plain_log(axes, "y", low, high)
    elif known.share:
        axes.yaxis.set_major_formatter(lambda y, _: f"{100 * y:.4g} %")
    axes.set_ylim(low, high)
    axes.set_xlim(0, 1.02 * max(float(known.along[-1]), 1e-9))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=known.axis == "step"))
    axes.set_xlabel(known.axis, fontsize=SIZE)
    axes.set_ylabel(f"{known.title[0].upper()}{known.title[1:]}", fontsize=SIZE)
    name_ends(axes, ends)


def _limits(medians: Sequence[Any]) -> tuple[float, float, bool]:
    """The limits of the vertical axis, and whether it is logarithmic. A curve that goes far beyond leaves the plot.

    A loss is drawn from its start on; of scores, which rise steeply at first, what comes after a tenth of the run.
    """
    finite = [line[np.isfinite(line)] for line in medians if np.isfinite(line).any()]
    if not finite:
        return 0.0, 1.0, False
    start, every = float(np.median([line[0] for line in finite])), np.concatenate(finite)
    low, top = float(every.min()), float(every.max())
    if low > 0 and start / low > 3:
        return low / 1.2, min(top, 2 * start) * 1.1, True
    later = np.concatenate([line[len(line) // 10 :] for line in finite])
    low, high = (float(x) for x in np.quantile(later, [0.0, 1.0]))
    room = 0.05 * ((high - low) or 1.0)
    return low - room, high + room, False


def _said(x: float, share: bool) -> str:
    return f"{100 * x:.1f} %" if share else f"{x:.3g}"
