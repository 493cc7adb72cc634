"""Learning-rate sensitivity: the final score over the tuning range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from thalweg.lab.report.figures.marks import Mark
from thalweg.lab.report.figures.scale import Scale, plain_log
from thalweg.lab.report.figures.style import BAD, SETTINGS, SOFT, background, marks, panel, put
from thalweg.lab.report.figures.svg import svg
from thalweg.lab.report.figures.sweeps import good, sweep
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.problem import Results, Score
from thalweg.lab.statistics.scores import format_score, number
from thalweg.values.numerals import typed


def sensitivity(results: Results) -> list[str]:
    """A panel for each tuned optimizer: the final validation score of its trials against the learning rate.

    The others are drawn behind it, each shifted so that its chosen rate coincides with the one of the panel.
    """
    tuned = [row for row in results["rules"] if row["tuning"]]
    score = results["problem"]["score"]
    medians = [_medians(row, score) for row in tuned]
    ends = reach(tuned, score)
    scale = Scale.of(ends, score)
    drawn = marks(results["rules"])
    panels = []
    with matplotlib.rc_context(SETTINGS):
        for i, row in enumerate(tuned):
            edge = "at the edge" if row["at_edge"] else ""
            figure, axes = panel(drawn[row["name"]], row["rank"]["place"], row["name"], edge)
            shifts = [row["best_lr"] / other["best_lr"] for other in tuned]
            background(axes, [(x * shift, _placed(scale, y)) for shift, (x, y) in zip(shifts, medians, strict=True)])
            chosen = _draw(axes, row, medians[i], scale, drawn[row["name"]])
            scale.dress(axes, "y", min(ends, default=0.0), max(ends, default=1.0), ticks=4)
            low, high = row["search"] or (medians[i][0][0], medians[i][0][-1])
            plain_log(axes, "x", low / 1.3, high * 1.3)
            panels.append(svg(figure, f"rate{i}", _label(row, score, chosen), panel=True))
    return panels


def reach(rows: Sequence[Row], score: Score) -> list[float]:
    """The range of scores of all panels: every median, and the best single trial."""
    single = [number(trial["score"]) for row in rows for trial in row["tuning"] if good(trial)]
    best = [(max if score["higher_is_better"] else min)(single)] if single else []
    return best + [x for row in rows for x in _medians(row, score)[1].tolist() if np.isfinite(x)]


def _draw(axes: Axes, row: Row, medians: Any, scale: Scale, m: Mark) -> float | None:
    """Draw a rule's trials. Returns the median at the chosen rate, None if a run diverged there."""
    rates, middle = medians
    ended = [t for t in row["tuning"] if good(t)]
    bad = sorted({t["lr"] for t in row["tuning"] if not good(t)})
    axes.plot(rates, _placed(scale, middle), color=m.colour, zorder=2)
    for stopped, look in ((False, {"marker": "."}), (True, {"marker": "o", "markerfacecolor": "none", "markeredgewidth": 0.5})):
        some = [t for t in ended if (t["stopped"] is not None) is stopped]
        places = [scale.place(number(t["score"])) for t in some]
        axes.plot([t["lr"] for t in some], places, linestyle="none", color=m.colour, markersize=3, zorder=3, **look)
    axes.plot(bad, [0.04] * len(bad), "x", color=BAD, markersize=4, transform=axes.get_xaxis_transform(), zorder=3)
    for rate in {chosen["lr"] for chosen in row["best_settings"]}:
        axes.axvline(rate, color=SOFT, linewidth=0.6, linestyle=":", zorder=1)
    best = float(middle[np.abs(np.log(rates / row["best_lr"])).argmin()])
    if not np.isfinite(best):
        return None
    put(axes, row["best_lr"], scale.place(best), m)
    return best


def _medians(row: Row, score: Score) -> tuple[Any, Any]:
    rates, medians = sweep(row, score["higher_is_better"])
    return np.array(rates), np.array(medians)


def _placed(scale: Scale, scores: Any) -> list[float]:
    return [scale.place(x) if np.isfinite(x) else np.nan for x in scores.tolist()]


def _label(row: Row, score: Score, best: float | None) -> str:
    share = np.mean([not good(trial) for trial in row["tuning"]])
    return (
        f"{row['name']}: best learning rate {typed(row['best_lr'])}{', at the edge of those tried' if row['at_edge'] else ''}, "
        f"median validation {score['name']} {format_score(best, score['share'])}; {share:.0%} of trials diverged"
    )
