"""Data of the page's interactive charts: each problem's curves and sweeps, rounded to visible precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.lab.report.figures.curves import quartiles
from thalweg.lab.report.figures.marks import Mark
from thalweg.lab.report.figures.style import marks
from thalweg.lab.report.figures.sweeps import sweep
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import Named
from thalweg.lab.report.schema.problem import Results, Score

DIGITS = 4


def explored(found: Sequence[Results], rows: Sequence[Named]) -> dict[str, Any]:
    """The problems with, for each optimizer, its curve (quartiles over the judged seeds) and its sweep of learning rates.

    rows: the optimizers in the order of the page.
    """
    drawn = marks(rows)
    return {
        "problems": [_problem(each) for each in found],
        "rules": {row["name"]: _look(drawn[row["name"]]) for row in rows},
    }


def _look(m: Mark) -> dict[str, Any]:
    return {"colour": m.colour, "shape": _shape(m.shape), "dash": m.dash}


def _problem(each: Results) -> dict[str, Any]:
    score, points = each["problem"]["score"], len(each["evaluated_at"])
    turned = "training" in each and score["higher_is_better"]
    return {
        "name": each["problem"]["name"], "score": score, "at": each["evaluated_at"], "turned": turned,
        "target": each["target"]["loss"], "rules": {row["name"]: _row(row, points, score) for row in each["rules"]},
    }  # fmt: skip


def _row(row: Row, points: int, score: Score) -> dict[str, Any]:
    return {
        "curve": [[_short(x) for x in line] for line in quartiles(row, points).tolist()], "best_lr": row["best_lr"],
        "place": row["rank"]["place"], "sweep": _sweep(row, score),
    }  # fmt: skip


def _sweep(row: Row, score: Score) -> list[list[float | None]]:
    """Pairs of learning rate and median final score (None if a run diverged), sorted by rate."""
    return [[lr, _short(median)] for lr, median in zip(*sweep(row, score["higher_is_better"]), strict=True)]


def _shape(corners: Any) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in corners]


def _short(x: float) -> float | None:
    return float(f"{x:.{DIGITS}g}") if np.isfinite(x) else None
