"""The bank's file: how each rule did on each problem, with the identities of both, so that what has changed since is told.

It is JSON with one row on a line. Half a megabyte needs no columns; text needs no package to be read, so that `thalweg show`
starts as fast as without it, a wheel compresses it anyway, and a new bank shows in a diff which rows are others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.lab.data.problem import Floats
from thalweg.lab.refusal import Refusal
from thalweg.values.atomic import atomic_write

FORMAT = 1
"""The version of the file's format."""
SHIPPED = Path(__file__).with_name("bank.json")
"""The bank that is part of the package."""


@dataclass(frozen=True)
class Made:
    """How a bank was made.

    protocol, thalweg, engine, python, numpy: versions; engine as in `spec.engine_hash`. share: the share of a problem's usual
    steps that a trial ran.
    """

    protocol: str
    thalweg: str
    engine: str
    python: str
    numpy: str
    machine: str
    date: str
    command: str
    budget: int
    tuning_seeds: int
    seeds: int
    share: float


@dataclass(frozen=True)
class Measured:
    """A problem of the bank. fingerprint: that of its data and definition. start: the median score before the first step."""

    name: str
    fingerprint: str
    steps: int
    batch_size: int
    train_size: int
    score: str
    higher_is_better: bool
    start: float


@dataclass(frozen=True)
class Row:
    """A rule on a problem.

    lr: the chosen learning rate. edge: "low" or "high" if that is the smallest or largest one tried. width: decades of good
    rates. tuned, untuned: the test score of each judged run of the chosen and of the usual setting, the same seeds in all
    rows of a problem; None if it is not finite. diverged: the share of the judged runs that did.
    """

    rule: str
    problem: str
    lr: float
    edge: str | None
    width: float | None
    diverged: float
    tuned: tuple[float | None, ...]
    untuned: tuple[float | None, ...]


COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True)
class Bank:
    """Rows, one for each rule and problem, with what they are about. rules: the identity of each rule, see `identity`."""

    made: Made
    problems: dict[str, Measured]
    rules: dict[str, str]
    rows: tuple[Row, ...]

    def only(self, problems: set[str] | None = None, rules: set[str] | None = None) -> Bank:
        """The rows of these problems and rules alone."""
        return replace(
            self,
            problems={name: each for name, each in self.problems.items() if problems is None or name in problems},
            rules={name: each for name, each in self.rules.items() if rules is None or name in rules},
            rows=tuple(
                row for row in self.rows if (problems is None or row.problem in problems) and (rules is None or row.rule in rules)
            ),
        )


def numbers(scores: tuple[float | None, ...]) -> Floats:
    """Scores as an array, with NaN for those that are not finite."""
    return np.array([math.nan if score is None else score for score in scores], float)


def text(bank: Bank) -> str:
    """The content of a bank's file."""
    head = {"format": FORMAT, "made": asdict(bank.made)}
    lines = [f'"{name}": {json.dumps(value)}' for name, value in head.items()]
    lines += [f'"problems": [\n{_lines(asdict(each) for each in bank.problems.values())}\n]']
    lines += [f'"rules": {json.dumps(bank.rules)}', f'"columns": {json.dumps(COLUMNS)}']
    lines += [f'"rows": [\n{_lines(astuple(row) for row in bank.rows)}\n]']
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _lines(values: Iterator[Any]) -> str:
    return ",\n".join(json.dumps(value, allow_nan=False) for value in values)


def write(bank: Bank, path: Path) -> None:
    """Write a bank's file, whole or not at all. Raises OSError on failure."""
    with atomic_write(path) as file:
        file.write(text(bank))


def read(path: Path = SHIPPED) -> Bank:
    """Read a bank's file. Raises Refusal if there is none, or if it is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Refusal(f"{path}: cannot be read ({error.strerror}); `thalweg lab bank` makes such a file") from None
    except ValueError:
        raise Refusal(f"{path}: this is not a bank; `thalweg lab bank` makes one") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or found.get("columns") != list(COLUMNS):
        raise Refusal(f"{path}: this is not a bank as this version of thalweg reads it; `thalweg lab bank` makes one")
    try:
        problems = [Measured(**each) for each in found["problems"]]
        rows = tuple(_row(each) for each in found["rows"])
        return Bank(Made(**found["made"]), {each.name: each for each in problems}, dict(found["rules"]), rows)
    except (KeyError, TypeError, ValueError):
        raise Refusal(f"{path}: this bank is damaged; `thalweg lab bank` makes another one") from None


def _row(cells: list[Any]) -> Row:
    found: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
    return Row(**{**found, "tuned": tuple(found["tuned"]), "untuned": tuple(found["untuned"])})
