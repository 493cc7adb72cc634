"""Runs a summing pass: the sums over each tensor, combined in NumPy's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.engines import native
from thalweg.engines.addresses import Addresses
from thalweg.engines.drawn import numbers_of
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.gradients import address
from thalweg.engines.kernel import Kernel
from thalweg.engines.threads import Pool
from thalweg.graph.passes import Sum

Floats = npt.NDArray[Any]
Rows = slice | npt.NDArray[np.int64]
Level = tuple[Rows, Rows, Rows]
"""Stretches combined from two others: the left ones, the right ones, and the rows of their sums."""

STRETCH = 1 << 16
"""Largest number of elements in a job."""


class Stretches:
    """Tensors with several lanes, halved into jobs in the order in which NumPy adds."""

    def __init__(self) -> None:
        self.jobs: list[tuple[int, int, int, int]] = []
        self.inner: list[tuple[int, int, int]] = []
        self.roots: list[int] = []
        self.rows: list[int] = []
        self.whose: list[int] = []

    def add(self, k: int, at: int, begin: int, end: int, whose: int) -> None:
        """Add elements `begin` to `end`, one lane of the k-th tensor. at: the row of its numbers. whose: the row of its sums."""
        self.rows.append(at)
        self.whose.append(whose)
        self.roots.append(self._halved(k, at, begin, end)[0] if begin < end else -1)

    def _halved(self, k: int, at: int, begin: int, end: int) -> tuple[int, int]:
        """Return the place of a stretch's sum and the number of halvings. Sums of halves follow those of jobs: -2, -3, ..."""
        if end - begin <= STRETCH:
            self.jobs.append((k, at, begin, end))
            return len(self.jobs) - 1, 0
        middle = begin + (end - begin) // 16 * 8
        (left, deep), (right, deeper) = self._halved(k, at, begin, middle), self._halved(k, at, middle, end)
        height = 1 + max(deep, deeper)
        self.inner.append((height, left, right))
        return -1 - len(self.inner), height

    def levels(self) -> list[Level]:
        """Return the combinations, lowest level first; their sums have rows in this order."""
        order = sorted(range(len(self.inner)), key=lambda j: self.inner[j][0])
        self.ranks = {j: rank for rank, j in enumerate(order)}
        found: dict[int, tuple[list[int], list[int], list[int]]] = {}
        for j in order:
            height, *halves = self.inner[j]
            for rows, where in zip(found.setdefault(height, ([], [], [])), (*halves, -2 - j), strict=True):
                rows.append(self.place(where))
        return [(rows_of(left), rows_of(right), rows_of(out)) for left, right, out in found.values()]

    def place(self, where: int) -> int:
        """Return the row of a sum, once the levels are known; the last row is for empty tensors."""
        if where >= 0:
            return where
        return len(self.jobs) + len(self.inner) if where == -1 else len(self.jobs) + self.ranks[-2 - where]


def rows_of(rows: list[int]) -> Rows:
    """Return an index of these rows: a slice, if they are evenly spaced, which NumPy takes several times faster."""
    step = rows[1] - rows[0] if len(rows) > 1 else 1
    even = step > 0 and rows == list(range(rows[0], rows[-1] + 1, step))
    return slice(rows[0], rows[-1] + 1, step) if even else np.array(rows, np.int64)


class Adding:
    """The k-th pass of a launch, which computes `sums` over the arrays of its address table."""

    def __init__(self, kernel: Kernel, sums: Sequence[Sum], dtype: str, addresses: Addresses, *, plain: bool) -> None:
        self.kernel, self.sums, self.computed, self.addresses = kernel, sums, COMPUTED[dtype], addresses
        self.numbers = numbers_of(kernel.numbers, dtype, plain=plain)
        self.totals = [r for r, each in enumerate(sums) if not each.is_norm]
        self.norms = [r for r, each in enumerate(sums) if each.is_norm]
        self.scales = len(self.norms) if self.computed == "float64" else 0
        self.places: list[int] = []
        self.blocks: list[Floats] = []
        native.compiled(kernel.text, kernel.title)  # so that Numba's errors are raised now

    def arrange(self, rows: int, jobs: Stretches, pool: Pool | None, *, quick: bool) -> None:
        """Make room for what goes in and comes out. rows: of numbers; pool: None for one thread; quick: keep Python's lock."""
        self.table = np.ones((rows, self.kernel.width), self.computed)
        self.found = np.zeros((len(jobs.jobs) + len(jobs.inner) + 1, len(self.sums)))
        self.jobs, self.levels = np.array(jobs.jobs, np.int64).reshape(-1, 4), jobs.levels()
        self.roots = np.array([jobs.place(root) for root in jobs.roots], np.int64)
        self.rows, self.whose = np.array(jobs.rows, np.int64), np.array(jobs.whose, np.int64)
        lanes = () if self.addresses.lanes is None else (self.addresses.lanes,)
        self.full = np.zeros((*lanes, len(self.addresses.names), len(self.sums)))
        self.flat = self.full.reshape(-1, len(self.sums))
        self.where = self.addresses.own, address(self.table), address(self.jobs), len(self.jobs)
        self.out, self.pool = address(self.found), pool
        self.step = native.compiled(self.kernel.text, self.kernel.title, holds_gil=quick)

    def run(self) -> Floats:
        """Return the sums (for norms, those of squares) per tensor: (lane, tensor, sum), or (tensor, sum) without lanes."""
        self.addresses.table[:, -1] = self.out
        if self.pool is None:
            addresses, numbers, jobs, total = self.where
            self.step(addresses, numbers, jobs, 0, total)
        else:
            self.pool.share(self.step, *self.where)
        self._combine()
        self.flat[self.whose] = self.found[self.roots]
        self.full += 0.0  # in NumPy even a sum of -0 is 0
        return self.full

    def _combine(self) -> None:
        """Add the sums of halves, those of numbers that are no squares in the dtype of the arithmetic."""
        narrow = bool(self.levels and self.totals) and self.computed != "float64"
        singles = self.found[:, self.totals].astype(self.computed) if narrow else None
        for left, right, out in self.levels:
            self.found[out] = self.found[left] + self.found[right]
            if singles is not None:
                singles[out] = singles[left] + singles[right]
        if singles is not None:
            self.found[:, self.totals] = singles

    def again(self, r: int, scale: Floats) -> Floats:
        """Repeat a norm's sum of squares with the addends scaled by a factor per lane and tensor."""
        column = self.kernel.width - len(self.norms) + self.norms.index(r)
        self.table[self.rows, column] = np.broadcast_to(scale, self.full.shape[:-1]).reshape(-1)[self.whose]
        found: Floats = self.run()[..., r].copy()
        self.table[:, column] = 1.0
        return found
