"""A colour and a shape for each rule: always the same pair, and a different one for each rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.methods import rules

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
"""Okabe and Ito's palette (2008, jfly.uni-koeln.de/color), distinguishable with any colour vision; without its yellow."""

Polygon = tuple[tuple[float, float], ...]


def _regular(sides: int, turn: float = 0.25, inner: float = 1.0) -> Polygon:
    """The corners of a regular polygon, y upwards, the first at `turn` circles from the right; a star for `inner` < 1."""
    angles = [2 * math.pi * (turn + i / sides) for i in range(sides)]
    radii = [inner if i % 2 else 1.0 for i in range(sides)]
    return tuple((r * math.cos(angle), r * math.sin(angle)) for r, angle in zip(radii, angles, strict=True))


def _cross(turn: float) -> Polygon:
    arm = 0.38
    corners = [(arm, arm), (arm, 1), (-arm, 1), (-arm, arm), (-1, arm), (-1, -arm),
               (-arm, -arm), (-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm)]  # fmt: skip
    c, s = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    return tuple((x * c - y * s, x * s + y * c) for x, y in corners)


def _even(shape: Polygon) -> Polygon:
    """The shape scaled to the apparent size of a unit disc: half way between equal extent and equal area."""
    area = abs(sum(x * v - u * y for (x, y), (u, v) in zip(shape, (*shape[1:], shape[0]), strict=True))) / 2
    scale = (math.pi / area) ** 0.25
    return tuple((x * scale, y * scale) for x, y in shape)


SHAPES: tuple[Polygon, ...] = tuple(map(_even, (
    _regular(32), _regular(4, 0.125), _regular(3), _regular(4), _regular(3, 0.75), _cross(0), _regular(5), _regular(3, 0.5),
    _cross(0.125), _regular(10, inner=0.45), _regular(3, 0.0),
)))  # fmt: skip
"""Disc, square, triangle, diamond, ... as corners around the centre."""


@dataclass(frozen=True)
class Mark:
    """How a rule is drawn."""

    colour: str
    shape: Polygon

    @property
    def reach(self) -> float:
        """The extent of the corners, disc = 1, by which matplotlib scales a shape."""
        return max(max(abs(x), abs(y)) for x, y in self.shape)


def mark(name: str, own: Sequence[str] = ()) -> Mark:
    """The mark of a rule of the catalogue, or of the user's `own` rules, which are counted after it.

    7 colours and 11 shapes have no common factor: 77 rules before two look the same.
    """
    index = [*rules, *own].index(name)
    return Mark(COLOURS[index % len(COLOURS)], SHAPES[index % len(SHAPES)])
