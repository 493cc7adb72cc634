"""A pass that reduces matrices to rows and columns as Triton source: each job over a block of one matrix, a few rows at a time.

A row's part in the block is stored in float64, a column's in the dtype of the arithmetic; torch joins the blocks. Maxima are
taken of the bits, as on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.engines.expressions import Loop, Writer, indented
from thalweg.engines.kernel import Kernel
from thalweg.engines.passes.reading import Reading
from thalweg.engines.triton.kernel import TritonPrinter
from thalweg.form.memory import COLS, ROWS
from thalweg.graph.margins import Reduction
from thalweg.graph.passes import Cut
from thalweg.values.symbols import Symbol

TALL, WIDE = 8, 128
"""The rows and columns that are computed at a time; a block is as wide."""
EVEN = 16
"""If a matrix has a multiple of so many columns, all its rows are accessed in the widest words."""
FIELDS = 7
"""Integers of a job: its tensor, its first row of all the tensor's matrices and the one after its last, its first column and the
one after its last, and where its results for rows and for columns begin.
"""


def printed(cut: Cut, reductions: Sequence[Reduction], title: str, dtypes: dict[str, str], columns: tuple[str, ...]) -> Kernel:
    """Return the kernel: the counterpart of `passes.reductions.printed` for the CPU, whose columns have the same results."""
    return _ReductionsPrinter(cut, reductions, title, dtypes, columns).kernel()


class _ReductionsPrinter(TritonPrinter, Reading):
    finds, one = "of rows and columns", "rows and columns"

    def __init__(
        self, cut: Cut, reductions: Sequence[Reduction], title: str, dtypes: dict[str, str], columns: tuple[str, ...]
    ) -> None:
        dtypes = {**dtypes, **{each.name: "float64" for each in reductions if each.along == ROWS}}
        super().__init__(cut, reductions, title, dtypes, columns)
        self.reductions = reductions
        own = [f"{word}_{k}" for k in range(len(reductions)) for word in ("x", "total")]
        self.names.keep_off({"inside", "first_col", "last_col", "of_rows", "of_cols", *own})

    @property
    def fields(self) -> int:
        """The number of integers of a job."""
        return FIELDS

    def rooms(self) -> list[str]:
        return []

    def job(self, loop: Loop, of_row: list[str], element: list[str], values: list[str]) -> list[str]:
        if any(each.word == "max" for each in self.reductions):
            loop.said |= {"magnitude", "largest"}
        own = [f"x_{k} = {x}" for k, x in enumerate(values)]
        return self._over([*of_row, *element, *own, *(self._taken(k, each) for k, each in enumerate(self.reductions))])

    def heads(self, write: Writer, loop: Loop, shared: list[Symbol], columns: tuple[str, ...]) -> list[str]:
        fields = ("first_col", "last_col", "of_rows", "of_cols")
        return [
            *super().heads(write, loop, shared, columns),
            *(f"{name} = tl.load(jobs + {FIELDS} * job + {k})" for k, name in enumerate(fields, 3)),
            *(f"{name} = tl.multiple_of({name}, 1 if PARTS else {EVEN})" for name in ("across", "last_col")),
            f"column = tl.multiple_of(first_col, {WIDE}) + tl.arange(0, {WIDE})",
            "inside = column < last_col",
            "of_col = (first // down * across + column)[None, :]",
        ]

    def _over(self, body: list[str]) -> list[str]:
        """Return the loop over a job's rows."""
        cols = [(k, each) for k, each in enumerate(self.reductions) if each.along == COLS]
        zeros = {"mean": f"tl.zeros(({TALL}, {WIDE}), tl.{self.computed})"}
        zeros["max"] = f"magnitude({zeros['mean']})"
        return [
            *(f"total_{k} = {zeros[each.word]}" for k, each in cols),
            "for block in range(BLOCKS):",
            f"    line = first + block * {TALL} + tl.arange(0, {TALL})",
            "    there = line < last",
            "    here = there[:, None] & inside[None, :]",
            "    i = line[:, None] * across + column[None, :]",
            *indented(body),
            *(
                f"tl.store({each.name}_at + of_cols + column, {self._joined(f'total_{k}', each, axis=0)}, mask=inside)"
                for k, each in cols
            ),
        ]

    def _taken(self, k: int, each: Reduction) -> str:
        """Return the line that takes a few rows into a result."""
        x = f"tl.where(here, {f'magnitude(x_{k})' if each.word == 'max' else f'x_{k}'}, 0)"
        if each.along == ROWS:
            value = f"{self._joined(x, each, axis=1)}.to(tl.float64)"
            return f"tl.store({each.name}_at + of_rows + line, {value}, mask=there)"
        return f"total_{k} = tl.maximum(total_{k}, {x})" if each.word == "max" else f"total_{k} += {x}"

    def _joined(self, x: str, each: Reduction, axis: int) -> str:
        return f"largest(tl.max({x}, axis={axis}))" if each.word == "max" else f"tl.sum({x}, axis={axis})"

    def load(self, k: int, column: str) -> str:
        place = self._place(column)
        mask, axis = ("there", "[:, None]") if place == "line" else ("inside[None, :]", "") if place == "of_col" else ("here", "")
        found = f"tl.load({column}_at + {place}, mask={mask}, other=0.0){axis}"
        return found if self.dtypes[column] == self.computed else f"{found}.to(tl.{self.computed})"
