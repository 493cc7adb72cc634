"""Placement of labels beside points without overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle, in points."""

    left: float
    bottom: float
    right: float
    top: float

    def covers(self, other: Box) -> float:
        """The area of the overlap."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, wide) * max(0.0, high)

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.top - self.bottom)


def beside(points: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], frame: Box, gap: float) -> list[Box]:
    """Place a box of each size near its point, inside the frame. In turn, each takes the nearest free position.

    gap: the distance between a point and its box, about a point's radius. If no position is free, the one with least overlap.
    """
    taken = [Box(x - gap, y - gap, x + gap, y + gap) for x, y in points]
    found: list[Box] = []
    for (x, y), size in zip(points, sizes, strict=True):
        best, least = None, math.inf
        for distance in (1.0, 1.6, 2.4, 3.4, 4.6, 6.0, 7.5, 9.0, 11.0):
            for turn in (0, 12, 2, 14, 1, 15, 4, 8, 7, 9, 6, 10, 5, 11, 3, 13):
                box = _turned(x, y, size, gap * distance, turn / 16)
                cost = sum(box.covers(other) for other in taken) + box.area - box.covers(frame)
                if cost < least - 1e-9:
                    best, least = box, cost
            if least < 1e-6:
                break
        assert best is not None
        found.append(best)
        taken.append(best)
    return found


def _turned(x: float, y: float, size: tuple[float, float], gap: float, turn: float) -> Box:
    """The box at distance `gap` from the point in the direction of `turn` circles."""
    across, up = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    left = x + gap * across - size[0] * (1 - across) / 2
    bottom = y + gap * up - size[1] * (1 - up) / 2
    return Box(left, bottom, left + size[0], bottom + size[1])
