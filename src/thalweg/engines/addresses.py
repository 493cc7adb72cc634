"""The address table of a launch: a row per tensor, a column per array that belongs to it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.engines.gradients import address, lies_flat, overlaps, strides

Floats = npt.NDArray[Any]


class Addresses:
    """The table, and the arrays whose addresses it holds.

    arrays: the parameters by name. `work` are the arrays that a kernel reads and writes: the same, or contiguous copies of
    non-contiguous ones, listed in pairs in `staged`. columns: the names of the columns, including "p". by_row: whether a kernel
    needs the rows of a matrix one after another.
    """

    def __init__(
        self, names: list[str], arrays: list[Floats], lanes: int | None, columns: Sequence[str], *, by_row: bool = False
    ) -> None:
        self.names, self.arrays, self.lanes = names, arrays, lanes
        self.columns = {name: k for k, name in enumerate(columns)}
        flat = [lies_flat(a, lanes) and (a.flags.c_contiguous or not by_row) for a in arrays]
        self.work = [a if lies else np.array(a, order="C") for a, lies in zip(arrays, flat, strict=True)]
        self.sizes = [w.size for w in self.work]
        self.staged = [(a, w) for a, w in zip(arrays, self.work, strict=True) if a is not w]
        self.table = np.zeros((len(arrays), len(columns)), np.int64)
        self.table[:, self.columns["p"]] = [address(w) for w in self.work]
        self.own, self.flat = address(self.table), self.table.data.cast("B").cast("q")
        self.held: dict[tuple[str, int], Floats] = {}

    def look_up(self, present: Iterable[int], gradients: Sequence[Any], taken: npt.NDArray[np.int64]) -> None:
        """Write the gradients' addresses into the table; copy those in another layout, or overlapping `taken`."""
        for k in present:
            self.lend("g", k, gradients[k], taken)

    def lend(self, column: str, k: int, array: Any, taken: npt.NDArray[np.int64], dtype: str | None = None) -> None:
        """Write the address of an array that is only read; of a copy, if it lies in another layout or overlaps `taken`.

        dtype: of the column, if it differs from the parameters'.
        """
        work = self.work[k]
        storage = work.dtype if dtype is None else np.dtype(dtype)
        fits = isinstance(array, np.ndarray) and array.dtype == storage and array.shape == work.shape and array.flags.aligned
        if not fits or strides(array) != strides(work) or overlaps(array, taken):
            copy = np.empty_like(work, dtype=storage)
            copy[...] = array
            array = copy
        self.hold(column, k, array)

    def hold(self, column: str, k: int, array: Floats) -> None:
        """Write an array's address into the table and keep the array alive."""
        self.held[column, k] = array
        self.table[k, self.columns[column]] = address(array)

    def drop(self, columns: Iterable[str]) -> None:
        """Let go the arrays of these columns, which the next step holds anew."""
        for name in columns:
            for k in range(len(self.names)):
                self.held.pop((name, k), None)

    def column(self, column: str) -> memoryview:
        """Return a column, whose assignment takes an array of 64-bit integers."""
        return self.flat[self.columns[column] :: len(self.columns)]

    def write(self, column: str, rows: list[int], there: Sequence[int]) -> None:
        """Write addresses into a column. For all rows of a few tensors, NumPy would take several times as long."""
        if len(rows) == len(self.names):
            self.column(column)[:] = array("q", there)
        else:
            self.table[rows, self.columns[column]] = there

    def adopt(
        self, column: str, held: dict[str, Floats], start: Callable[[int], Floats], dtype: np.dtype[Any] | None, *, axes: int = 0
    ) -> None:
        """Take a column from the state's arrays, `held` by name; create those that are missing or in another layout.

        start: the first values of the k-th array. dtype: of the column, if it differs from the parameters'. axes: the least
        number of axes, if the parameters may have fewer.
        """
        for k, (leaf, whole) in enumerate(zip(self.names, self.work, strict=True)):
            work = whole if whole.ndim >= axes else whole.reshape(*whole.shape, 1)
            found = held[leaf] if leaf in held else start(k)
            storage = work.dtype if dtype is None else dtype
            fits = found.shape == work.shape and strides(found) == strides(work) and found.dtype == storage
            fits = fits and found.flags.writeable and found.flags.aligned
            if not fits or np.may_share_memory(found, work):
                copy = np.empty_like(work, dtype=storage)
                copy[...] = found
                found = copy
            held[leaf] = found
            self.table[k, self.columns[column]] = address(found)

    def let_go(self) -> None:
        """Drop the references to the parameters, for an owner who checks their addresses at each step."""
        self.arrays, self.work, self.staged = [], [], []
