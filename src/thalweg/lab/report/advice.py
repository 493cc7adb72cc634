"""What to take, by how many settings can be tried: none, a few, or as many as here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import Compared, Interval
from thalweg.lab.report.schema.problem import Advice
from thalweg.lab.statistics import simultaneous
from thalweg.lab.statistics.scores import number
from thalweg.lab.statistics.stats import Floats

FEW = 4
"""The settings that somebody tries who tries only a few."""
SPIKE = math.log10(2)
"""A learning rate whose neighbours within a factor of two are bad already stands alone on a spike."""
TIE = (
    "Among those that are not separable, and whose best rate is neither the last one tried nor alone on a spike, this is the one "
    "with the best untuned score; then the one with the widest range of good learning rates, the least memory and the cheapest "
    "step."
)
"""The rule within a tie."""


def tested(rows: Sequence[Compared]) -> bool:
    """Whether there were enough seeds or problems for the test to separate any optimizer from the best."""
    return all(row["verdict"]["separable"] is not None for row in rows)


def alike(rows: Sequence[Row]) -> list[Row]:
    """The best optimizer, and those that were not shown to be worse by more than the margin."""
    if not tested(rows):
        return list(rows[:1])
    return [row for row in rows if not row["failed"] and (row["level"] or row["verdict"]["separable"] is False)]


def avoided(rows: Sequence[Row], margin: float) -> list[Row]:
    """Those that are worse, and as far as the scores go by more than the margin. The rows are sorted, the best first."""
    best = number(rows[0]["score"]["mean"])
    worse = [row for row in rows if row["verdict"]["separable"] and not (row["level"] or row["failed"] or row["unreliable"])]
    return [row for row in worse if not abs(number(row["score"]["mean"]) - best) <= margin]


def advice(rows: Sequence[Row], untuned: Mapping[str, Floats], higher: bool, margin: float) -> list[Advice]:
    """The advice from the rows of the results, the best first.

    untuned: the untuned test scores. higher: whether higher ones are better. margin: the largest difference that does not matter.
    """
    if not rows or rows[0]["score"]["mean"] is None:
        return []
    found = [_untuned(rows, untuned, higher, margin)]
    if few := _few(rows, higher, margin):
        found.append(few)
    if any(row["tuned"] for row in rows):
        found.append(_tuned(rows, higher))
    return [each for each in found if each is not None]


def copied(row: Row) -> bool:
    """Whether somebody should copy the tuned setting: its rate is neither at the edge of those tried nor alone on a spike."""
    return not row["at_edge"] and not (row["tuned"] and row["width"] is not None and row["width"] < SPIKE)


def _untuned(rows: Sequence[Row], untuned: Mapping[str, Floats], higher: bool, margin: float) -> Advice | None:
    some = {name: scores for name, scores in untuned.items() if len(scores) and np.isfinite(scores).all()}
    if not some:
        return None
    found = simultaneous.standings(some, higher, margin)
    some_rows = [row for row in rows if row["name"] in some and not row["untuned"]["diverged"]]
    tied = [row for row in some_rows if found[row["name"]].level or found[row["name"]].separable is False]
    first = _first(tied or some_rows, higher)
    if first is None:
        return None
    return {
        "tries": 0, "name": first["name"], "lr": first["untuned"]["lr"], "score": first["untuned"]["score"],
        "level": [row["name"] for row in tied if row is not first],
    }  # fmt: skip


def _few(rows: Sequence[Row], higher: bool, margin: float) -> Advice | None:
    more = [row for row in rows if row["trials"] > FEW]  # of no more settings than these, the best tuned one says it all
    known = [row for row in more if row["best_of_few"]["mean"] is not None and not row["failed"] and row["unreliable"] is None]
    if not known:
        return None
    best = max(known, key=lambda row: _value(row["best_of_few"], higher))
    near = [row for row in known if _value(best["best_of_few"], higher) - _value(row["best_of_few"], higher) <= margin]
    first = _first(near, higher)
    assert first is not None
    return {
        "tries": FEW, "name": first["name"], "lr": None, "score": first["best_of_few"],
        "level": [row["name"] for row in near if row is not first],
    }  # fmt: skip


def _tuned(rows: Sequence[Row], higher: bool) -> Advice | None:
    tied = [row for row in alike(rows) if row["tuned"] and row["unreliable"] is None]
    first = _first([row for row in tied if copied(row)] or tied, higher)
    if first is None:
        return None
    return {
        "tries": first["trials"], "name": first["name"], "lr": first["best_lr"], "score": first["score"],
        "level": [row["name"] for row in alike(rows) if row is not first],
    }  # fmt: skip


def _first(rows: Sequence[Row], higher: bool) -> Row | None:
    """The first by the rule within a tie."""

    def key(row: Row) -> Any:
        cost = row["step_cost"]
        return -_value(row["untuned"]["score"], higher), -(row["width"] or 0.0), row["state_per_parameter"], cost or math.inf

    return min(rows, key=key, default=None)


def _value(score: Interval, higher: bool) -> float:
    """A score, the higher the better; a missing one is the worst."""
    mean = score["mean"]
    return -math.inf if mean is None else mean if higher else -mean


def worth(rows: Sequence[Row], higher: bool) -> tuple[float, float] | None:
    """What tuning brought a typical optimizer, and what choosing the best one brought instead of a typical one, tuned.

    Both in units of the score, higher is better; None if nothing was tuned.
    """
    some = [row for row in rows if row["tuned"] and None not in (row["score"]["mean"], row["untuned"]["score"]["mean"])]
    if not some:
        return None
    tuned = np.array([_value(row["score"], higher) for row in some])
    plain = np.array([_value(row["untuned"]["score"], higher) for row in some])
    return float(np.median(tuned - plain)), float(tuned.max() - np.median(tuned))
