"""The surface of a race as drawn, and random instances of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from thalweg.lab.data.instances import SHIFT, inward, outward, rotation
from thalweg.lab.data.surface import Surface

Array = np.ndarray[Any, np.dtype[np.float64]]


class Ground(Protocol):
    """A function with values (T,) and gradients (T, d) at points (T, d). Both may hold inf and NaN."""

    def value(self, x: Array) -> Array: ...

    def gradient(self, x: Array) -> Array: ...


@dataclass(frozen=True)
class Placed:
    """A surface s rotated about its first minimum z and shifted, differently in each lane: f(x) = s(z + Q (x - m)).

    Each lane has its own start, drawn from the surface's box and transformed with it, so that an optimizer cannot exploit
    axes, origin or start, as in BBOB (Hansen, Finck, Ros, Auger 2009, INRIA RR-6829). The minimal value is the surface's.
    minimum: m (T, d). turn: Q (T, d, d). start: (T, d).
    """

    surface: Surface
    minimum: Array
    turn: Array
    start: Array

    def value(self, x: Array) -> Array:
        return self.surface.value(self._inner(x))

    def gradient(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return outward(self.surface.gradient(self._inner(x)), self.turn)

    def times(self, lanes: int) -> Placed:
        """All instances, repeated `lanes` times."""
        return Placed(self.surface, *(np.concatenate([part] * lanes) for part in (self.minimum, self.turn, self.start)))

    def _inner(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            points: Array = self.surface.minima[0] + inward(x, self.minimum, self.turn)
        return points


def instances(surface: Surface, seeds: Sequence[Sequence[int]]) -> Placed:
    """The instances of these seeds: a uniformly random orthogonal matrix (a reflection in one dimension), a minimum within
    SHIFT of 0 in each coordinate, and a start.
    """
    made = [_instance(surface, np.random.default_rng(list(seed))) for seed in seeds]
    minimum, turn, start = (np.stack(part) for part in zip(*made, strict=True))
    return Placed(surface, minimum, turn, start)


def _instance(surface: Surface, generator: np.random.Generator) -> tuple[Array, Array, Array]:
    size = surface.start.size
    turn, minimum = rotation(generator, size), generator.uniform(-SHIFT, SHIFT, size)
    inner = generator.uniform(*np.transpose(surface.box))
    return minimum, turn, minimum + (inner - surface.minima[0]) @ turn
