"""Numbers as decimals."""

from __future__ import annotations


def typed(x: float) -> str:
    """Return the shortest decimal that reads back as this number: 0.99999 and not 1, 1e-05, 10 and not 10.0."""
    return repr(float(x)).removesuffix(".0")


def short(x: float) -> float:
    """Round a number to the six digits with which it is tried, shown and stored."""
    return float(f"{x:.6g}")
