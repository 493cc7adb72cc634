"""Scalars at separate addresses, as a vector: read, compared and written all at once."""

from __future__ import annotations

import functools
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
        """Deal with these numbers from now on, and leave the others alone.

        `read()` reads them into the vector, `write()` writes the vector back, `count_on()` adds 1 to each number of the vector
        and writes it back, and `agree()` says whether the addresses hold the vector's numbers. Each is one call.
        """
        self._which = np.array(list(which), np.int64)
        rest = address(self.places), address(self.vector), address(self._which), len(self._which)
        self.read, self.write, self.count_on, self.agree = (functools.partial(self._move, *rest, what) for what in range(4))
