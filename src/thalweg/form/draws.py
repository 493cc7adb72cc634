"""The standard normal numbers that a function asks for, and those that a memory starts with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg.values.arrays import Array
from thalweg.values.noise import standard_normal
from thalweg.values.scalars import Scalar


def draw(seed: Any, t: Any, words: Sequence[str], p: Array, lanes: int | None) -> Array:
    """Draw standard normal numbers for a leaf as a function of (seed, t, words, place in the leaf), so that resuming is exact.

    They are float32 for half precision, which is no dtype of arithmetic.

    words: the last is the leaf's name. With lanes, `seed` may hold one seed per lane: lane i then draws what a run with seed[i]
    draws.
    """
    return standard_normal(seed, t.values if isinstance(t, Scalar) else t, words, p, lanes)
