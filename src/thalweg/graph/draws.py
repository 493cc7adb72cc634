"""Words for random numbers: functions of the tensor's key, the update t, which of its draws it is, and the position."""

from __future__ import annotations

from thalweg.ops import floor
from thalweg.values.draws import draw_of
from thalweg.values.symbols import TENSOR, Symbol

PART = 20
"""The places of t's lower part. float32 represents both parts exactly."""
DRAWN = ("normal", "uniform")


def normal(t: Symbol, stage: str) -> Symbol:
    """A standard normal number for each element."""
    return _drawn("normal", t, stage)


def uniform(t: Symbol, number: int) -> Symbol:
    """A number between 0 and 1 of 16 bits for each element. number: among those that storage needs."""
    return _drawn("uniform", t, f"rounding {number}")


def _drawn(word: str, t: Symbol, draw: str) -> Symbol:
    more = floor(t * 2.0**-PART)
    return Symbol(word, (t - more * 2.0**PART, more, draw_of(draw)), TENSOR)
