"""Scalars at separate addresses, as a vector: read, compared and written all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.engines import native
from thalweg.engines.gradients import address

MOVER = """
from numba import cfunc, types

NUMBERS = types.CPointer(types.{dtype})
WHICH = types.CPointer(types.int64)


@cfunc(types.int64(types.CPointer(NUMBERS), NUMBERS, WHICH, types.int64, types.int64))
def step(places, vector, which, count, what):
    same = 1
    for i in range(count):
        k = which[i]
        if what == 0:
            vector[k] = places[k][0]
        elif what == 1:
            places[k][0] = vector[k]
        elif what == 2:
            vector[k] += 1
            places[k][0] = vector[k]
        elif places[k][0] != vector[k]:
            same = 0
    return same
"""


class Numbers:
    """A vector, and the addresses of its numbers, which have its dtype and which others keep alive."""

    def __init__(self, places: Sequence[int], vector: npt.NDArray[Any]) -> None:
        self.places, self.vector = np.array(places, np.int64), vector
        self._move = native.compiled(MOVER.format(dtype=vector.dtype.name), f"numbers, {vector.dtype}", holds_gil=True)
        self.choose(range(len(places)))

    def choose(self, which: Iterable[int]) -> None:
        """Deal with these numbers from now on, and leave the others alone."""
        self._which = np.array(list(which), np.int64)
        self._rest = address(self.places), address(self.vector), address(self._which), len(self._which)

    def read(self) -> None:
        """Read the numbers into the vector."""
        self._move(*self._rest, 0)

    def write(self) -> None:
        """Write the vector back to the addresses."""
        self._move(*self._rest, 1)

    def count_on(self) -> None:
        """Add 1 to each number of the vector, and write it back."""
        self._move(*self._rest, 2)

    def agree(self) -> bool:
        """Whether the addresses hold the vector's numbers."""
        return self._move(*self._rest, 3) == 1
