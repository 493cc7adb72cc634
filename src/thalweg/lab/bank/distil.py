"""From the results of a comparison to the rows of a bank."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

import thalweg
from thalweg.lab.bank.identity import identity
from thalweg.lab.bank.table import Bank, Made, Measured, Row
from thalweg.lab.protocol import protocol
from thalweg.lab.report.schema import optimizer
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.store.spec import engine_hash
from thalweg.rule import Rule

DIGITS = 5
"""Significant digits that a score keeps: a file of half the size, and an error far below that of any score."""


def distilled(found: Results, rules: Mapping[str, Rule], share: float, command: str) -> Bank:
    """The bank of the results on one problem. share: the share of its usual steps that the trials ran."""
    settings = found["settings"]
    known = {row["name"] for row in found["rules"] if not row["mine"]}
    return Bank(
        Made(
            protocol.VERSION, thalweg.__version__, engine_hash(), platform.python_version(), np.__version__,
            f"{platform.machine()}, {platform.system()}",
            datetime.datetime.now(datetime.UTC).date().isoformat(), command,
            settings["budget"], settings["tuning_seeds"], settings["seeds"], share,
        ),
        {found["problem"]["name"]: _measured(found)},
        {name: identity(rules[name]) for name in sorted(known)},
        tuple(_row(row, found) for row in sorted(found["rules"], key=_name) if row["name"] in known),
    )  # fmt: skip


def joined(banks: Sequence[Bank]) -> Bank:
    """The banks of several problems as one. They were made by one command, so they share the rest."""
    problems = {name: each for bank in banks for name, each in bank.problems.items()}
    rules = {name: each for bank in banks for name, each in bank.rules.items()}
    rows = tuple(row for bank in banks for row in bank.rows)
    return replace(banks[0], problems=problems, rules=dict(sorted(rules.items())), rows=rows)


def _name(row: optimizer.Row) -> str:
    return row["name"]


def _measured(found: Results) -> Measured:
    about, settings = found["problem"], found["settings"]
    starts = [run["score_curve"][0] for row in found["rules"] for run in row["judging"] if run["score_curve"]]
    start = float(np.median([score for score in starts if score is not None]))
    score = about["score"]
    return Measured(
        about["name"], about["fingerprint"], settings["steps"] or 0, settings["batch_size"] or 0, about["train_size"],
        score["name"], score["higher_is_better"], _short(start) or 0.0,
    )  # fmt: skip


def _row(row: optimizer.Row, found: Results) -> Row:
    tuned = [run["test_score"] for run in row["judging"]]
    return Row(
        row["name"], found["problem"]["name"], row["best_lr"], row["at_edge"], _short(row["width"]),
        row["diverged"]["judging"], tuple(map(_short, tuned)), tuple(map(_short, row["untuned"]["test_scores"])),
    )  # fmt: skip


def _short(x: float | None) -> float | None:
    return None if x is None else float(f"{x:.{DIGITS}g}")
