"""What has one number for each row or column of a matrix: memory, means and maxima, and what is computed of them.

They are few beside the matrix, so the host computes them between two passes over memory, and the passes read them as vectors. So
does it with words that take a whole matrix: a pass stores what they are of, and later ones read what they return.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from thalweg.form.memory import COLS, ROWS, SLICES
from thalweg.graph.program import NotTraced
from thalweg.values.symbols import Symbol

MATRICES = "matrices"
"""One number for each matrix of a tensor with more axes: the margin of a margin."""
WHOLE = "whole"
"""A whole matrix: what the host makes of one that a pass has stored."""
MEANS = {"row_means": ROWS, "col_means": COLS}
MEANS_OF = {
    ("row_means", ROWS): ROWS, ("row_means", COLS): MATRICES, ("row_means", MATRICES): MATRICES,
    ("col_means", ROWS): MATRICES, ("col_means", COLS): COLS, ("col_means", MATRICES): MATRICES,
}  # fmt: skip
"""What a mean of a margin has a number for."""


@dataclass(frozen=True)
class Reduction:
    """A vector that one pass computes from all elements, and that is the input `name` of the host.

    along: `ROWS` for one number a row, `COLS` for one a column. word: "mean" or "max"; what it is of is then not negative.
    """

    name: str
    of: Symbol
    along: str
    word: str


@dataclass(frozen=True)
class Stored:
    """A matrix that one pass stores, element by element, and that is the input `name` of the host."""

    name: str
    of: Symbol


@dataclass(frozen=True)
class Margin:
    """What the host computes, of this kind: the input `name` of later passes, or the new memory of that name."""

    name: str
    of: Any
    kind: str
    is_memory: bool


def joined(op: str, kinds: Iterable[str | None]) -> str | None:
    """Return what an operation on tensors of these kinds has a number for; None stands for each element."""
    found = set(kinds)
    if SLICES in found and len(found) > 1:
        raise NotTraced("slices beside what is no slices")
    if len(found) == 1:
        (kind,) = found
        return MEANS_OF.get((op, kind), kind) if kind is not None else None
    found.discard(MATRICES)
    return found.pop() if len(found) == 1 else None


# words of the host, which `thalweg.engines.passes.margins` computes


def row_part(slices: Symbol, like: Symbol) -> Symbol:
    """For each row, the least of its slices' numbers along all axes but the last."""
    return Symbol("row_part", (slices, like), slices.level)


def col_part(slices: Symbol, like: Symbol) -> Symbol:
    """For each column, its slice's number."""
    return Symbol("col_part", (slices, like), slices.level)


def all_slices(rows: Symbol, cols: Symbol) -> Symbol:
    """The maxima of all slices, from those of the rows and columns."""
    return Symbol("all_slices", (rows, cols), rows.level)


HOST_WORDS = ("row_means", "col_means", "row_part", "col_part", "all_slices")
