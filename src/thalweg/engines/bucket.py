"""The numbers of a kernel: a table with a row for each lane of each tensor that has its own."""

from __future__ import annotations

import functools
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.checks import check_lanes
from thalweg.core.leaf import number_at
from thalweg.core.optimizer import Optimizer
from thalweg.graph.program import Program
from thalweg.values.scalars import Scalar

Floats = npt.NDArray[Any]
FLOATS = {float, np.float64}
Take = Callable[..., Any]
"""Computes one argument of `numbers` from (bucket, state, loss, norms)."""


class Bucket:
    """Tensors of one launch that share their numbers: same parameter group, same t."""

    def __init__(self, members: Sequence[int], leaves: Sequence[str], t: int, rows: tuple[int, int, int], whole: bool) -> None:
        self.leaves, self.leaf, self.t, self.rows = leaves, leaves[0], t, rows
        self.block: Floats = np.zeros(0)
        self.row: memoryview | None = None
        self.members: Any = slice(None) if whole else np.asarray(members)
        self.arguments: list[Any] = []
        self.changing: list[tuple[int, Take]] = []
        self.scheduled: list[tuple[int, Callable[[int], Any]]] = []

    def bind(self, table: Floats) -> None:
        """Take the rows of a table as the block."""
        self.block = block_of(table, self.rows)
        self.row = self.block.reshape(-1).data if self.block.shape[:2] == (1, 1) else None

    def write(self, values: Sequence[Any]) -> None:
        """Write values into the block. For the usual single row of floats, NumPy would take several times as long."""
        if self.row is not None and FLOATS.issuperset(map(type, values)):
            self.row[:] = array(self.row.format, values)
        else:
            fill(self.block, values)


class Inputs:
    """The sources of the arguments of a program's `numbers`, by name.

    vectors: the per-tensor numbers by slot. plain: restrict arguments to Python's and NumPy's numbers. sizes: numbers of the
    tensors' elements, rows and columns per lane, by argument.
    """

    def __init__(
        self, optimizer: Optimizer, program: Program, vectors: dict[int, Floats], sizes: dict[str, Floats], *, plain: bool
    ) -> None:
        self.optimizer, self.program, self.vectors, self.plain = optimizer, program, vectors, plain
        self.sizes = sizes

    def take(self, name: str) -> Take:
        """Return the source of an argument."""
        hyper, plain = self.program.hyper, self.plain
        if name == "loss":
            return lambda bucket, state, loss, norms: single(loss) if plain else loss
        if name in self.program.norms:
            path = self.program.norms[name]
            return lambda bucket, state, loss, norms: single(norms[path]) if plain else norms[path]
        if name in self.sizes:
            sizes = self.sizes[name]
            return lambda bucket, state, loss, norms: sizes[bucket.members]
        if name in hyper:
            return functools.partial(self._at, name, hyper[name])
        return self._remembered(name)

    def _at(self, name: str, value: Any, bucket: Bucket, *_: Any) -> Any:
        """Return a hyper-parameter's value at this step; without one of its own, the learning rate is the optimizer's.

        Raises ValueError if a schedule gives a vector without lanes.
        """
        found = number_at(self.optimizer.lr if value is None else value, bucket.t, bucket.leaf)
        if isinstance(found, Scalar):
            check_lanes(name, found.values, self.optimizer.lanes)
        return found

    def _remembered(self, name: str) -> Take:
        """Return the source of a slot with less than a tensor of memory."""
        vectors = self.vectors
        i = next(i for i, slot in enumerate(self.program.slots) if slot.old.name == name)
        if i in vectors:
            return lambda bucket, state, loss, norms: vectors[i][..., bucket.members]
        *above, last = self.program.slots[i].path
        number: Callable[[Any], Any] = np.float64 if self.plain else Scalar
        return lambda bucket, state, loss, norms: number(functools.reduce(dict.__getitem__, above, state["memory"])[last])


def block_of(table: Floats, rows: tuple[int, int, int]) -> Floats:
    """Return a bucket's numbers: (lane, tensor, number). rows: the first row, the lanes, the distinct tensors."""
    first, lanes, width = rows
    return table[first : first + lanes * width].reshape(lanes, width, -1)


def fill(block: Floats, values: Sequence[Any]) -> None:
    """Write values into a block (lane, tensor, number): one for all, one per lane (a Scalar), or one per tensor."""
    if FLOATS.issuperset(map(type, values)):
        block[...] = values
        return
    for k, value in enumerate(values):
        block[..., k] = broadcastable(value)


def single(x: Any) -> Any:
    """Return a number of the model as a NumPy number."""
    return np.float64(x.values if isinstance(x, Scalar) else x)


def broadcastable(value: Any) -> Any:
    """Return a number in a shape that broadcasts over (lane, tensor)."""
    if not isinstance(value, Scalar):
        return value
    return value.values[:, None] if value.values.ndim else value.values
