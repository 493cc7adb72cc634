"""Data of the page's interactive charts: each problem's curves and sweeps, rounded to visible precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.lab.report.figures.curves import quartiles
from thalweg.lab.report.figures.style import marks
from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import Named
from thalweg.lab.report.schema.problem import Results

DIGITS = 4


def explored(found: Sequence[Results], rows: Sequence[Named]) -> dict[str, Any]:
    """The problems with, for each optimizer, its curve (quartiles over the judged seeds) and its sweep of learning rates.

    rows: the optimizers in the order of the page.
    """
    drawn = marks(rows)
    return {
        "problems": [_problem(each) for each in found],
        "rules": {row["name"]: {"colour": drawn[row["name"]].colour, "shape": _shape(drawn[row["name"]].shape)} for row in rows},
    }


def _problem(each: Results) -> dict[str, Any]:
    turned = "training" in each and each["problem"]["score"]["higher_is_better"]
    return {
        "name": each["problem"]["name"], "score": each["problem"]["score"], "at": each["evaluated_at"], "turned": turned,
        "target": each["target"]["loss"], "rules": {row["name"]: _row(row, len(each["evaluated_at"])) for row in each["rules"]},
    }  # fmt: skip


def _row(row: Row, points: int) -> dict[str, Any]:
    return {
        "curve": [[_short(x) for x in line] for line in quartiles(row, points).tolist()], "best_lr": row["best_lr"],
        "place": row["rank"]["place"], "sweep": _sweep(row),
    }  # fmt: skip


def _sweep(row: Row) -> list[list[float | None]]:
    """Pairs of learning rate and median final score (None if a run diverged), sorted by rate."""
    ends: dict[float, list[float]] = {}
    for trial in row["tuning"]:
        score = np.nan if trial["diverged"] or trial["score"] is None else trial["score"]
        ends.setdefault(trial["lr"], []).append(score)
    return [[lr, _short(float(np.median(ends[lr])))] for lr in sorted(ends)]


def _shape(corners: Any) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in corners]


def _short(x: float) -> float | None:
    return float(f"{x:.{DIGITS}g}") if np.isfinite(x) else None
