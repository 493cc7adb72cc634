"""Learning curves: the validation loss of each tuned optimizer, in front of all others."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from thalweg.lab.report.figures.scale import plain_log
from thalweg.lab.report.figures.style import BAD, SETTINGS, SOFT, background, marks, panel, put
from thalweg.lab.report.figures.svg import svg
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.problem import Results

COARSE = 26
"""Number of points of a background curve."""


def curves(results: Results) -> list[str]:
    """A panel for each optimizer: median and middle half over the judged seeds, the target, and the step that reaches it."""
    at = np.array(results["evaluated_at"], float)
    rows, target = results["rules"], results["target"]["loss"]
    bands = [quartiles(row, len(at)) for row in rows]
    log, low, high = _limits(bands, target)
    drawn = marks(rows)
    some = np.unique(np.linspace(0, len(at) - 1, COARSE).astype(int))
    panels = []
    with matplotlib.rc_context(SETTINGS):
        for i, (row, band) in enumerate(zip(rows, bands, strict=True)):
            remark = _remark(row, band[1][-1], high)
            figure, axes = panel(drawn[row["name"]], row["rank"]["place"], row["name"], remark)
            background(axes, [(at[some], other[1][some]) for other in bands])
            _draw(axes, at, band, row, drawn[row["name"]], target)
            if log:
                plain_log(axes, "y", low, high)
            axes.set_ylim(low, high)
            axes.set_xlim(0, max(at[-1], 1))
            if _is_score(results):  # drawn with its sign changed, as losses are
                axes.set_ylim(high, low)
                axes.yaxis.set_major_formatter(lambda y, _: f"{-y:.4g}")
            axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(3, integer=True))
            panels.append(svg(figure, f"curve{i}", _label(row, band[1], _is_score(results)), panel=True))
    return panels


def _is_score(results: Results) -> bool:
    """Whether the losses are scores turned round, of which higher ones are better."""
    return "training" in results and results["problem"]["score"]["higher_is_better"]


def _remark(row: Row, end: float, high: float) -> str:
    """A remark on failures, beside the title."""
    broken = sum(run["diverged"] for run in row["judging"])
    if broken:
        return f"{broken}/{len(row['judging'])} diverged"
    return f"ends at {end:.2g}" if end > high else ""


def _draw(axes: Axes, at: Any, band: Any, row: Row, m: Any, target: float | None) -> None:
    colour = m.colour
    axes.fill_between(at, band[0], band[2], color=colour, alpha=0.2, linewidth=0, zorder=2)
    axes.plot(at, band[1], color=colour, zorder=3)
    if not np.isfinite(band[1]).any():
        axes.annotate("no finite loss", (0.5, 0.5), xycoords="axes fraction", ha="center", color=BAD)
    if target is None:
        return
    axes.axhline(target, color=SOFT, linewidth=0.8, linestyle=(0, (1, 3)), zorder=2)
    if row["steps_to_target"]["median"] is not None:
        put(axes, row["steps_to_target"]["median"], target, m)


def quartiles(row: Row, length: int, curve: Literal["loss_curve", "score_curve", "train_curve"] = "loss_curve") -> Any:
    """The quartiles over seeds at each evaluation; NaN if the median is not finite."""
    table = np.full((max(1, len(row["judging"])), length), np.inf)
    for run, line in zip(row["judging"], table, strict=False):
        if run[curve]:
            line[:] = [np.inf if x is None else x for x in run[curve]]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = np.percentile(table, [25, 50, 75], axis=0, method="nearest")
    return np.where(np.isfinite(found[1]), np.minimum(found, 1e300), np.nan)


def _limits(bands: list[Any], target: float | None) -> tuple[bool, float, float]:
    """Whether the axis is logarithmic, and its limits: from the lowest median to a little above the common start."""
    middles, lower = np.concatenate([band[1] for band in bands]), np.concatenate([band[0] for band in bands])
    middles, lower = middles[np.isfinite(middles)], lower[np.isfinite(lower)]
    if not len(middles):
        return False, 0.0, 1.0
    starts = [band[1][0] for band in bands if np.isfinite(band[1][0])]
    top = float(np.median(starts)) if starts else float(middles.max())
    if middles.min() >= 0 and top > 0:
        low = float(min(middles[middles > 0].min(), top if target is None else target))
        inner = lower[lower > low / 2].min(initial=low)
        return True, float(inner) / 1.15, max(top * 1.6, low * 2)
    low = float(middles.min())
    margin = 0.1 * ((top - low) or 1.0)
    return False, low - margin, max(top, low) + margin


def _label(row: Row, middle: Any, score: bool) -> str:
    finite = middle[np.isfinite(middle)]
    if not len(finite):
        return f"{row['name']}: no finite validation loss"
    first, last, best = finite[0], finite[-1], finite.min()
    if score:
        return f"{row['name']}: median validation score from {-first:.3g} to {-last:.3g}, at its highest {-best:.3g}"
    return f"{row['name']}: median validation loss from {first:.3g} to {last:.3g}, at its lowest {best:.3g}"
