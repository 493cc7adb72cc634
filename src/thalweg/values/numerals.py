"""Numbers as they can be typed back."""

from __future__ import annotations


def typed(x: float) -> str:
    """The shortest decimal that reads back as this very number: 0.99999 and not 1, 1e-05, 10 and not 10.0."""
    return repr(float(x)).removesuffix(".0")


def short(x: float) -> float:
    """A number as it is tried, told and kept: six digits."""
    return float(f"{x:.6g}")
