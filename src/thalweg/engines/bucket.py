"""What a kernel goes by besides memory: numbers, in a table with a row for each lane of each tensor that has its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.values.scalars import Scalar

Floats = npt.NDArray[Any]


class Bucket:
    """Tensors of one launch that share their numbers: of one parameter group, at the same t."""

    def __init__(self, members: Sequence[int], leaves: Sequence[str], t: int, rows: tuple[int, int, int], whole: bool) -> None:
        self.leaves, self.leaf, self.t, self.rows = leaves, leaves[0], t, rows
        self.block: Floats = np.zeros(0)
        self.blocks: list[Floats] = []
        self.members: Any = slice(None) if whole else np.asarray(members)
        self.arguments: list[Any] = []
        self.changing: list[tuple[int, Callable[..., Any]]] = []
        self.scheduled: list[tuple[int, Callable[[int], Any]]] = []


def block_of(table: Floats, rows: tuple[int, int, int]) -> Floats:
    """A bucket's numbers: (lane, tensor, number). rows: the first of them, the lanes, the tensors that are told apart."""
    first, lanes, width = rows
    return table[first : first + lanes * width].reshape(lanes, width, -1)


def fill(block: Floats, values: Sequence[Any]) -> None:
    """Numbers into a block (lane, tensor, number): one for all, one a lane (a Scalar), or one a tensor."""
    if {float, np.float64}.issuperset(map(type, values)):
        block[...] = values
        return
    for k, value in enumerate(values):
        block[..., k] = broadcastable(value)


def single(x: Any) -> Any:
    """A number of the model, as NumPy's."""
    return np.float64(x.values if isinstance(x, Scalar) else x)


def broadcastable(value: Any) -> Any:
    """A number so that it broadcasts over (lane, tensor)."""
    if not isinstance(value, Scalar):
        return value
    return value.values[:, None] if value.values.ndim else value.values
