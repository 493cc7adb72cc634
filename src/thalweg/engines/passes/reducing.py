"""Runs a pass that reduces matrices to rows and columns: blocks of rows, whose results the host joins."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.engines import native
from thalweg.engines.addresses import Addresses
from thalweg.engines.bucket import Bucket, block_of, fill
from thalweg.engines.drawn import numbers_of
from thalweg.engines.expressions import COMPUTED
from thalweg.engines.gradients import address
from thalweg.engines.kernel import Kernel
from thalweg.engines.passes.reductions import FIELDS
from thalweg.engines.threads import Pool
from thalweg.form.memory import ROWS
from thalweg.graph.margins import Reduction

Floats = npt.NDArray[Any]
Shape = tuple[int, ...]
Places = dict[int, list[int]]
"""The rows of the numbers of each tensor: one for each lane."""

BLOCK, WIDE = 64, 4096
"""Largest numbers of rows and columns in a block: a quarter of a million elements, and a sixty-fourth of them in results."""
STRETCH = 1 << 16
"""Elements of a job of several matrices."""


class Reducing:
    """One of a launch's passes, which reduces the matrices of its address table."""

    def __init__(
        self,
        kernel: Kernel,
        reductions: Sequence[Reduction],
        dtype: str,
        addresses: Addresses,
        shapes: list[Shape],
        *,
        plain: bool,
    ) -> None:
        self.kernel, self.reductions, self.computed, self.addresses = kernel, reductions, COMPUTED[dtype], addresses
        self.shapes = shapes
        self.numbers = numbers_of(kernel.numbers, dtype, plain=plain)
        self.places: list[int] = []
        native.compiled(kernel.text, kernel.title)  # so that Numba's errors are raised now

    def arrange(self, rows: int, buckets: Sequence[Bucket], present: Places, pool: Pool | None, *, quick: bool) -> None:
        """Make room for what goes in and comes out, and list the jobs; arguments are those of `Adding.arrange`."""
        self.table = np.zeros((rows, self.kernel.width), self.computed)
        self.blocks = [block_of(self.table, bucket.rows) for bucket in buckets]
        self.results: dict[int, list[Floats]] = {}
        jobs: list[tuple[int, ...]] = []
        for k, at in present.items():
            *first, down, across = self.shapes[k]
            matrices, tiles, each = math.prod(first), -(-across // WIDE), -(-down // BLOCK)
            for lane, own in zip(at, _blocks(matrices, len(at), down, across), strict=True):
                for (begin, end, block), tile in itertools.product(own, range(tiles)):
                    columns = WIDE * tile, min(WIDE * (tile + 1), across)
                    jobs.append((k, lane, begin, end, *columns, tile * matrices * down, block * across))
            self.results[k] = [
                np.zeros((tiles, matrices * down) if one.along == ROWS else (matrices, each, across), self._dtype(one))
                for one in self.reductions
            ]
            for one, result in zip(self.reductions, self.results[k], strict=True):
                self.addresses.hold(one.name, k, result)
        self.jobs, self.pool = np.array(jobs, np.int64).reshape(-1, FIELDS), pool
        self.where = self.addresses.own, address(self.table), address(self.jobs), len(self.jobs)
        self.step = native.compiled(self.kernel.text, self.kernel.title, holds_gil=quick)

    def _dtype(self, one: Reduction) -> str:
        return "float64" if one.along == ROWS else self.computed

    def run(self, buckets: Sequence[Bucket]) -> None:
        """Reduce all matrices, with the buckets' arguments."""
        for bucket, block in zip(buckets, self.blocks, strict=True):
            fill(block, self.numbers(*[bucket.arguments[i] for i in self.places]))
        for results in self.results.values():
            for one, result in zip(self.reductions, results, strict=True):
                if one.along != ROWS:
                    result[...] = 0.0
        if self.pool is None:
            addresses, numbers, jobs, total = self.where
            self.step(addresses, numbers, jobs, 0, total)
        else:
            self.pool.share(self.step, *self.where)

    def of_tensor(self, k: int) -> dict[str, Floats]:
        """Return the k-th tensor's results by name: (..., rows, 1) or (..., 1, columns)."""
        *first, down, across = self.shapes[k]
        found = {}
        for one, parts in zip(self.reductions, self.results[k], strict=True):
            axis, shape, count = (0, (*first, down, 1), across) if one.along == ROWS else (1, (*first, 1, across), down)
            if one.word == "max":
                value = parts.max(axis, initial=0.0).astype(self.computed)
            else:
                value = parts.sum(axis, dtype=np.float64).astype(self.computed) / max(count, 1)
            found[one.name] = value.reshape(shape)
        return found


def _blocks(matrices: int, lanes: int, down: int, across: int) -> Iterator[list[tuple[int, int, int]]]:
    """Yield each lane's jobs: first row, last row, first block. They are blocks of one matrix each, or several whole matrices."""
    own = matrices // lanes
    for first in range(0, matrices, own) if own else [0] * lanes:
        if down > BLOCK:
            each = -(-down // BLOCK)
            spans = itertools.product(range(first, first + own), range(each))
            yield [(m * down + b * BLOCK, min(m * down + (b + 1) * BLOCK, (m + 1) * down), m * each + b) for m, b in spans]
        else:
            several = max(1, STRETCH // max(1, down * across))
            starts = range(first, first + own if down else first, several)
            yield [(m * down, min(m + several, first + own) * down, m) for m in starts]
