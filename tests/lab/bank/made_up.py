"""Banks made up for the tests, in which the answer is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from thalweg.lab.bank.identity import identity
from thalweg.lab.bank.table import Bank, Made, Measured, Row
from thalweg.lab.protocol import protocol
from thalweg.methods import rules

MADE = Made(protocol.VERSION, "0", "0", "3", "2", "a machine", "2026-01-01", "thalweg lab bank", 6, 2, 2, 0.5)


def bank(tuned: Mapping[str, Mapping[str, float]], untuned: float = 0.5, functions: Sequence[str] = ()) -> Bank:
    """Rule -> problem -> accuracy, of both seeds; a start of 0. untuned: that share of it untuned. functions: without data."""
    problems = list(dict.fromkeys(problem for own in tuned.values() for problem in own))
    measured = {name: Measured(name, "f", 100, 8, 0 if name in functions else 90, "accuracy", True, 0.0) for name in problems}
    rows = tuple(
        Row(rule, problem, 0.1, None, 1.0, 0.0, (score, score), (untuned * score,) * 2)
        for rule, own in tuned.items()
        for problem, score in own.items()
    )
    return Bank(MADE, measured, {name: identity(rules[name]) for name in tuned}, rows)


def row(rule: str, problem: str, tuned: Sequence[float | None], untuned: Sequence[float | None] = (0.0, 0.0)) -> Row:
    return Row(rule, problem, 0.1, None, 1.0, 0.0, tuple(tuned), tuple(untuned))
