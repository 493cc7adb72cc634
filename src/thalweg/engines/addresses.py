"""Where the arrays of a launch lie: a table with a row for each tensor and a column for each array that goes with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.engines.gradients import address, lies_flat, overlaps, strides

Floats = npt.NDArray[Any]


class Addresses:
    """The table, and the arrays whose addresses are in it.

    arrays: the parameters, one for each name. `work` are those that a kernel walks over: the same, or copies of such as lie
    in pieces, which `staged` has side by side. columns: what the columns are called, "p" among them.
    """

    def __init__(self, names: list[str], arrays: list[Floats], lanes: int | None, columns: Sequence[str]) -> None:
        self.names, self.arrays, self.lanes = names, arrays, lanes
        self.columns = {name: k for k, name in enumerate(columns)}
        self.work = [a if lies_flat(a, lanes) else np.array(a, order="C") for a in arrays]
        self.staged = [(a, w) for a, w in zip(arrays, self.work, strict=True) if a is not w]
        self.table = np.zeros((len(arrays), len(columns)), np.int64)
        self.table[:, self.columns["p"]] = [address(w) for w in self.work]
        self.own = address(self.table)
        self.held: dict[tuple[str, int], Floats] = {}

    def look_up(self, present: Iterable[int], gradients: Sequence[Any], taken: npt.NDArray[np.int64]) -> None:
        """Put the gradients' addresses into the table; what lies otherwise than its parameter, or over `taken`, is copied."""
        for k in present:
            gradient, work = gradients[k], self.work[k]
            near = gradient.strides == work.strides and gradient.flags.aligned and gradient.dtype == work.dtype
            if not near or overlaps(gradient, taken):
                copy = np.empty_like(work)
                copy[...] = gradient
                gradient = copy
            self.hold("g", k, gradient)

    def hold(self, column: str, k: int, array: Floats) -> None:
        """Put the address of an array into the table, and keep it alive."""
        self.held[column, k] = array
        self.table[k, self.columns[column]] = address(array)

    def adopt(self, column: str, held: dict[str, Floats], start: Callable[[int], Floats], dtype: np.dtype[Any] | None) -> None:
        """Have a column of the state's arrays, `held` by name; one that is not there, or does not lie as its parameter, is made.

        start: the first values of the k-th; dtype: what they are kept in, where it is not the parameters'.
        """
        for k, (leaf, work) in enumerate(zip(self.names, self.work, strict=True)):
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
        """Hold no parameter any more, for an owner who looks at each step whether all of them are where they were."""
        self.arrays, self.work, self.staged = [], [], []
