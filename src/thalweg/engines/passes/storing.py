"""Runs a pass that stores whole matrices, of which the host makes others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
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
from thalweg.engines.threads import Pool
from thalweg.graph.margins import Stored

Floats = npt.NDArray[Any]
Shape = tuple[int, ...]

LINE = 16
"""Elements to whose multiples a matrix's first one is moved, for aligned loads."""


class Storing:
    """One of a launch's passes, which stores a matrix for each one of its address table.

    shapes: the tensors', with lanes. The matrices live until the step is done: they are as large as the parameters.
    """

    def __init__(
        self, kernel: Kernel, stored: Sequence[Stored], dtype: str, addresses: Addresses, shapes: list[Shape], *, plain: bool
    ) -> None:
        self.kernel, self.stored, self.computed = kernel, stored, COMPUTED[dtype]
        self.addresses, self.shapes = addresses, shapes
        self.numbers = numbers_of(kernel.numbers, dtype, plain=plain)
        self.places: list[int] = []
        native.compiled(kernel.text, kernel.title)  # so that Numba's errors are raised now

    def arrange(
        self, rows: int, buckets: Sequence[Bucket], jobs: npt.NDArray[np.int64], pool: Pool | None, *, quick: bool
    ) -> None:
        """Make room for the numbers; other arguments are those of `Adding.arrange`."""
        self.table = np.zeros((rows, self.kernel.width), self.computed)
        self.blocks = [block_of(self.table, bucket.rows) for bucket in buckets]
        self.jobs, self.pool = jobs, pool
        self.where = self.addresses.own, address(self.table), address(jobs), len(jobs)
        self.step = native.compiled(self.kernel.text, self.kernel.title, holds_gil=quick)

    def run(self, buckets: Sequence[Bucket], present: Sequence[int]) -> list[dict[str, Floats]]:
        """Store, with the buckets' arguments. Returns the matrices of each tensor that is present, by name."""
        for bucket, block in zip(buckets, self.blocks, strict=True):
            fill(block, self.numbers(*[bucket.arguments[i] for i in self.places]))
        found = self._room(present)
        for k, own in zip(present, found, strict=True):
            for name, array in own.items():
                self.addresses.hold(name, k, array)
        if self.pool is None:
            addresses, numbers, jobs, total = self.where
            self.step(addresses, numbers, jobs, 0, total)
        else:
            self.pool.share(self.step, *self.where)
        return found

    def _room(self, present: Sequence[int]) -> list[dict[str, Floats]]:
        """Return memory for the matrices, all of it in one piece, for which NumPy asks for large pages."""
        sizes = [-(-math.prod(self.shapes[k]) // LINE) * LINE for k in present]
        room = np.empty((len(self.stored), sum(sizes)), self.computed)
        starts = itertools.accumulate(sizes, initial=0)
        return [
            {
                one.name: own[i : i + math.prod(self.shapes[k])].reshape(self.shapes[k])
                for one, own in zip(self.stored, room, strict=True)
            }
            for k, i in zip(present, starts, strict=False)
        ]
