"""Placement of overlapping markers."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

UPWARDS = np.stack([np.zeros(600), np.arange(600) / 6.0], axis=1)
"""Candidate shifts in diameters, nearest first: a vertical stack."""
_TURNS = 2.399963 * np.arange(1500)  # the golden angle fills the disc evenly
AROUND = np.sqrt(np.arange(1500))[:, None] / 4.0 * np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=1)
"""Candidate shifts: a spiral."""


def spread(spots: Array, diameter: float, shifts: Array) -> Array:
    """Positions (n, 2) for markers of this diameter at `spots` (n, 2). In turn, each takes the first
    of the `shifts` at which it covers no earlier marker."""
    places = np.empty_like(spots)
    for i, spot in enumerate(spots):
        tries = spot + shifts * diameter
        apart = np.linalg.norm(tries[:, None] - places[None, :i], axis=-1).min(axis=1, initial=np.inf)
        free = apart >= diameter * 0.999
        places[i] = tries[free.argmax()] if free.any() else spot
    return places
