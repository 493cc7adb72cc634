"""Colours, shapes and dashes, given out among the rules that a picture shows: no two look the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

COLOURS = ("#1b1b97", "#af7500", "#ad115c", "#11c0a9", "#111111", "#af7bfe", "#1673a7", "#574406")
"""Distinguishable with any colour vision, and printed in grey: their lightness is in steps of about 8, of 100."""
GREY = "#c4cad1"
"""The colour of what is drawn behind, on white."""
DIM = "#8b95a1"
"""The same on shaded ground."""
FIRST = len(COLOURS)
"""So many rules are in colour, in a picture of more."""
Dash = tuple[float, ...]
DASHES: tuple[Dash, ...] = ((), (5, 2), (1.5, 1.5), (6, 2, 1.5, 2))
"""Lengths of ink and gap, in line widths: solid, dashed, dotted, dash-dotted."""

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
    _cross(0.125), _regular(10, inner=0.45), _regular(3, 0.0), _regular(6), _regular(8, inner=0.35), _regular(5, 0.75),
    _regular(6, inner=0.3), _regular(8, 0.125, 0.35), _regular(6, 0.0), _regular(12, inner=0.5), _regular(6, 0.75, 0.3),
)))  # fmt: skip
"""Disc, square, triangle, diamond, ... as corners around the centre."""


@dataclass(frozen=True)
class Mark:
    """How a rule is drawn."""

    colour: str
    shape: Polygon
    dash: Dash = ()

    @property
    def reach(self) -> float:
        """The extent of the corners, disc = 1, by which matplotlib scales a shape."""
        return max(max(abs(x), abs(y)) for x, y in self.shape)


def given_out(names: Sequence[str]) -> dict[str, Mark]:
    """The marks of the rules of a picture, given in the order of importance.

    Of up to eight no two share a colour, and of up to nineteen no two a shape. 8 colours and 19 shapes have no common factor: 152
    rules before two look the same.
    """
    return {
        name: Mark(COLOURS[i % len(COLOURS)], SHAPES[i % len(SHAPES)], DASHES[i % len(DASHES)]) for i, name in enumerate(names)
    }
