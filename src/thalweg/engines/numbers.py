"""Numbers that lie one by one in memory, read into a vector and written back, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.engines import native
from thalweg.engines.gradients import address

MOVER = """
from numba import cfunc, types

NUMBERS = types.CPointer(types.{dtype})


@cfunc(types.int64(types.CPointer(NUMBERS), NUMBERS, types.int64, types.int64))
def step(places, vector, count, back):
    for k in range(count):
        if back:
            places[k][0] = vector[k]
        else:
            vector[k] = places[k][0]
    return count
"""


class Numbers:
    """A vector, and where each of its numbers is kept: addresses of as many numbers of its dtype, which others look after."""

    def __init__(self, places: Sequence[int], vector: npt.NDArray[Any]) -> None:
        self.places, self.vector = np.array(places, np.int64), vector
        self._move = native.compiled(MOVER.format(dtype=vector.dtype.name), f"numbers, {vector.dtype}", holds_gil=True)
        self._rest = address(self.places), address(vector), len(self.places)

    def read(self) -> None:
        """What is kept, into the vector."""
        self._move(*self._rest, 0)

    def write(self) -> None:
        """The vector, to where it is kept."""
        self._move(*self._rest, 1)
