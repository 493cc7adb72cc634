"""What is done with each column of a user's file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from thalweg.lab.data import dates
from thalweg.lab.data.columns import Column, counted
from thalweg.lab.data.doubts import Doubt
from thalweg.lab.data.inputs import KINDS, Inputs
from thalweg.lab.data.parts import Array

ROW_NUMBERS = ("", "__index_level_0__")
"""The names that pandas gives to row numbers in text and Parquet files."""
ID = re.compile(
    r"(?i:(?:.*[^a-z0-9])?(?:id|uuid|guid|key|index|idx|row|row[ _]?(?:name|number)s?|nr\.?|no\.|nummer|#)"
    r"|unnamed: ?\d+(?:\.\d+)?)"
    r"|.*[a-z](?:I[Dd]|UUID|Key)"
)
"""The names of columns that number the rows or name them."""


@dataclass(frozen=True)
class Treated:
    """A column of a user's file: its name, what it holds, and what is done with it, in words. used: whether it is an input."""

    name: str
    holds: str
    treatment: str
    used: bool = False


@dataclass(frozen=True)
class Preparation:
    """What was done with a user's file: its columns, and the repairs, in sentences."""

    columns: tuple[Treated, ...] = ()
    repairs: tuple[str, ...] = ()


def treated(name: str, found: Column, rows: Array) -> tuple[Treated, list[Doubt]]:
    """What is done with a column of inputs, and the doubts about it, which name the column. rows: their numbers in the file."""
    if (unused := _unused(name, found)) is not None:
        why, doubts = unused
        return Treated(name, holds(found), f"left out: {why}"), doubts
    doubts = [named(name, doubt) for doubt in found.doubts]
    if found.missing.any():
        doubts.append(gaps(f"column '{name}'", found, rows=rows))
    different = len(np.unique(found.values[~found.missing]))
    if found.texts is not None:
        words = f"one-hot encoded, {counted(different, 'value')}"
        if different + bool(found.missing.any()) > KINDS:
            words = f"one-hot encoded: the {KINDS - 1} values that are most frequent in the training rows, and one for the others"
            doubts.append(
                Doubt(f"column '{name}' holds {different:,} different texts", f"the {KINDS - 1} most frequent are told apart")
            )
        words += "; a gap is a value of its own" if found.missing.any() else ""
    else:
        words = ", ".join(dates.parts(found.values)) if found.kind == "date" else "as it is"
        words += "; gaps get the median of the training rows, and a mark" if found.missing.any() else ""
        words += "; it counts the rows, so leave it out with --ignore if it is their number" if _counts(found) else ""
    return Treated(name, holds(found), words, used=True), doubts


def _unused(name: str, found: Column) -> tuple[str, list[Doubt]] | None:
    """Why a column is left out, and the doubt about that; None if it is used."""
    known = found.values[~found.missing]
    different, rows = len(np.unique(known)), len(known)
    if name in ROW_NUMBERS:
        return "it numbers the rows", []
    if not rows:
        return "it has no values", [Doubt(f"column '{name}' has no values", "left out")]
    if different == 1 and rows == len(found.values):
        return "it has only one value", []
    if found.texts is not None and different > KINDS and different > rows / 2:
        return "names, keys or free text", [
            Doubt(f"column '{name}' holds {different:,} different texts in {counted(rows)}", "left out")
        ]
    if found.kind == "number" and different == rows and ID.fullmatch(name) and not (known.astype(np.float64) % 1).any():
        return "it numbers the rows", [Doubt(f"column '{name}' numbers the rows, as its name says", "left out")]
    return None


def holds(found: Column) -> str:
    """What a column holds, in words."""
    what = f"{found.kind}s" if found.texts is None else counted(len(found.texts), "different text")
    return f"{what} ({found.told})" if found.told else what


def named(name: str, doubt: Doubt) -> Doubt:
    """The doubt about a column, with its name."""
    return replace(doubt, what=f"column '{name}' {doubt.what}")


def gaps(what: str, found: Column, repair: str = "", rows: Array | None = None) -> Doubt:
    """The doubt about missing values. rows: their numbers in the file, if not all rows are there."""
    missing, first = found.missing, int(found.missing.argmax())
    number = first if rows is None else int(rows[first])
    many = f"{missing.sum():,} of {counted(len(missing))}, the first in row {number + 1:,}"
    usual = (
        "a gap is a value of its own" if found.texts is not None else "filled with the median of the training rows, and marked"
    )
    return Doubt(f"{what} has a missing, NaN or infinite value in {many}", repair or usual)


def _counts(found: Column) -> bool:
    """Whether each row's number is a whole one, one more than that of the row before."""
    values = found.values.astype(np.float64)
    return not found.missing.any() and values[0] % 1 == 0 and bool((np.diff(values) == 1).all())


def inputs(columns: Mapping[str, Column]) -> Inputs:
    """The columns as numbers."""
    found: list[Array] = []
    texts: list[int] = []
    for column in columns.values():
        values = np.where(column.missing, np.nan, column.values.astype(np.float64))
        if column.texts is not None:
            texts.append(sum(block.shape[1] for block in found))
        found.append(dates.numbers(values) if column.kind == "date" else values[:, None])
    return Inputs(np.concatenate(found, axis=1), tuple(texts))
