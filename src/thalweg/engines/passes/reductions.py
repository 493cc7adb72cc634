"""A pass that reduces matrices to rows and columns as source code: means and maxima, each job over a block of rows,
or over several whole matrices.

A row is summed in leaves, which are added in float64. A column is summed within a block, in the dtype of the arithmetic, and the
host adds the blocks. Results for columns begin as zeros. Maxima are taken of the bits, which are ordered as numbers that are not
negative, NaN above all.
"""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.engines.expressions import Loop, indented
from thalweg.engines.kernel import BYTES, Kernel
from thalweg.engines.lines import RESERVED
from thalweg.engines.passes.reading import LEAF, Reading
from thalweg.form.memory import ROWS
from thalweg.graph.margins import Reduction
from thalweg.graph.passes import Cut

FIELDS = 8
"""Integers of a job: the row of its addresses and of its numbers, its first and last row of all the tensor's matrices, its first
and last column, and where its results for rows and for columns begin."""


def printed(cut: Cut, reductions: Sequence[Reduction], title: str, dtypes: dict[str, str], columns: tuple[str, ...]) -> Kernel:
    """Return the kernel, called as in `kernel.printed`, but with jobs of `FIELDS` integers.

    The columns with the reductions' names have the addresses of the results. Raises NotTraced for words that no pass over single
    numbers can compute.
    """
    return _ReductionsPrinter(cut, reductions, title, dtypes, columns).kernel()


class _ReductionsPrinter(Reading):
    finds, one = "of rows and columns", "rows and columns"

    def __init__(
        self, cut: Cut, reductions: Sequence[Reduction], title: str, dtypes: dict[str, str], columns: tuple[str, ...]
    ) -> None:
        super().__init__(cut, reductions, title, dtypes, columns)
        self.reductions = reductions
        self.leaved = [k for k, each in enumerate(reductions) if each.along == ROWS and each.word == "mean"]
        own = [f"{word}_{k}" for k in range(len(reductions)) for word in ("x", "room", "part", "total", "top")]
        self.names.keep_off(
            {*RESERVED, *own, "leaf", "leaf_end", "leaf_sums", "end", "of_rows", "of_cols", "first_col", "last_col"}
        )

    def rooms(self) -> list[str]:
        rooms = [f"leaf_sums = scratch({2 * LEAF * len(self.leaved)})"] if self.leaved else []
        return rooms + [f"room_{k} = leaf_sums + {r * LEAF * BYTES[self.computed]}" for r, k in enumerate(self.leaved)]

    @property
    def by_row(self) -> bool:
        """False, since its loop is its own."""
        return False

    @property
    def fields(self) -> int:
        """The number of integers of a job."""
        return FIELDS

    def job(self, loop: Loop, of_row: list[str], element: list[str], values: list[str]) -> list[str]:
        """Return the loop over a job's rows."""
        element = [*element, *(f"x_{k} = {value}" for k, value in enumerate(values))]
        rows = [(k, each) for k, each in enumerate(self.reductions) if each.along == ROWS]
        before, ends = [self._begun(loop, k, each) for k, each in rows], [self._ended(loop, k, each) for k, each in rows]
        leaves = self._leaves(loop, [*element, *(self._added(loop, k, each) for k, each in enumerate(self.reductions))])
        return [
            f"first_col, last_col = jobs[{FIELDS} * job + 4], jobs[{FIELDS} * job + 5]",
            f"of_rows, of_cols = jobs[{FIELDS} * job + 6], jobs[{FIELDS} * job + 7]",
            f"line = jobs[{FIELDS} * job + 2]",
            "left, base = down - line % down, line // down * across",
            f"for line in range(line, jobs[{FIELDS} * job + 3]):",
            "    start = line * across",
            "    shift = base - start",
            *indented([*of_row, *before, *leaves, *ends]),
            "    left = left - 1",
            "    if left == 0:",
            "        left, base, of_cols = down, base + across, of_cols + across",
        ]

    def _leaves(self, loop: Loop, element: list[str]) -> list[str]:
        """Return the loop over a row's elements, leaf after leaf if it adds them up."""
        if not self.leaved:
            return ["for i in range(start + first_col, start + last_col):", *indented(element)]
        loop.said |= {"scratch", f"leaf_sums_{self.computed}"}
        parts = "".join(f"part_{k}, " for k in self.leaved)
        return [
            f"for leaf in range(start + first_col, start + last_col, {LEAF}):",
            f"    leaf_end = min(leaf + {LEAF}, start + last_col)",
            "    for i in range(leaf, leaf_end):",
            *indented(indented(element)),
            f"    {parts}= leaf_sums_{self.computed}(leaf_sums, leaf_end - leaf, {len(self.leaved)})",
            *(f"    total_{k} += float64(part_{k})" for k in self.leaved),
        ]

    def _begun(self, loop: Loop, k: int, each: Reduction) -> str:
        """Return the line that begins a row's result."""
        if each.word == "mean":
            return f"total_{k} = 0.0"
        loop.said.add("magnitude")
        return f"top_{k} = magnitude(number(0.0))"

    def _added(self, loop: Loop, k: int, each: Reduction) -> str:
        """Return the line that takes an element into a result."""
        if each.along == ROWS and each.word == "mean":
            return f"store_{self.computed}({len(self.columns) + k}, room_{k}, i - leaf, x_{k})"
        kept = f"load_{self.computed}({self._column(each)}, {each.name}_at, of_cols + i - start)"
        if each.word == "mean":
            return self._store(each, "of_cols + i - start", f"{kept} + x_{k}")
        loop.said |= {"larger", "magnitude", "largest"}
        if each.along == ROWS:
            return f"top_{k} = larger(top_{k}, magnitude(x_{k}))"
        return self._store(each, "of_cols + i - start", f"largest(larger(magnitude({kept}), magnitude(x_{k})))")

    def _ended(self, loop: Loop, k: int, each: Reduction) -> str:
        """Return the line that stores a row's result, in float64."""
        value = f"total_{k}" if each.word == "mean" else f"float64(largest(top_{k}))"
        return f"store_float64({self._column(each)}, {each.name}_at, of_rows + line, {value})"

    def _store(self, each: Reduction, place: str, value: str) -> str:
        """Return the line that stores a column's result."""
        return f"store_{self.computed}({self._column(each)}, {each.name}_at, {place}, {value})"

    def _column(self, each: Reduction) -> int:
        return self.columns.index(each.name)
