"""Epsilon: the small number that keeps a division finite, and its place in the formula."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from thalweg.ops.calling import X
from thalweg.ops.elements import debias, maximum, off, ratio, sqrt

PLACES = ("outside", "inside", "raw", "inside_raw", "both", "at_least")
RAW = ("raw", "inside_raw")
"""The places relative to the average without bias correction."""


@dataclass(frozen=True)
class Epsilon:
    """A small number and its place in the denominator.

    The place is "outside" for sqrt(v) + eps, "inside" for sqrt(v + eps), "both" for sqrt(v + eps) + eps, or "at_least" for
    max(sqrt(v), eps). For an average v with initial value 0, "raw" and "inside_raw" are outside and inside the root of v
    without bias correction. root: a second number, added to v under the root whatever the place.

    The numbers are dynamic, like every float of a rule: a schedule, a tracer, or one per lane. The place is static.
    """

    number: Any
    place: str = "outside"
    root: Any = 0.0

    def __repr__(self) -> str:
        word = "inside" if self.place.startswith("inside") else "outside" if self.place == "raw" else self.place
        root = "" if off(self.root) else f", root={self.root!r}"
        return f"{word}({self.number!r}{root}{', raw=True' if self.place in RAW else ''})"

    def under(self, v: X) -> X:
        """Return the radicand: v plus what belongs under the root."""
        v = v if off(self.root) else v + self.root
        return v + self.number if self.place in ("inside", "inside_raw", "both") and not off(self.number) else v

    def beside(self, size: X) -> X:
        """Return the denominator for a root or another size."""
        if self.place.startswith("inside") or off(self.number):
            return size
        return maximum(size, self.number) if self.place == "at_least" else size + self.number


def outside(eps: X, *, root: X = 0.0, raw: bool = False) -> Epsilon:
    """Epsilon beside the root: x / (sqrt(v) + eps).

    Parameters
    ----------
    eps : float
        The number.
    root : float
        A second number, under the root; it gives the root a finite slope at 0, for gradients through a step.
    raw : bool
        True: beside the root of an average without bias correction.

    Returns
    -------
    Epsilon
    """
    return Epsilon(eps, "raw" if raw else "outside", root)


def inside(eps: X, *, root: X = 0.0, raw: bool = False) -> Epsilon:
    """Epsilon under the root: x / sqrt(v + eps).

    Parameters
    ----------
    eps, root, raw
        As in `outside`.

    Returns
    -------
    Epsilon
    """
    return Epsilon(eps, "inside_raw" if raw else "inside", root)


def both(eps: X, *, root: X = 0.0) -> Epsilon:
    """The same epsilon under the root and beside it: x / (sqrt(v + eps) + eps).

    Parameters
    ----------
    eps, root
        As in `outside`.

    Returns
    -------
    Epsilon
    """
    return Epsilon(eps, "both", root)


def at_least(eps: X, *, root: X = 0.0) -> Epsilon:
    """Epsilon as a lower bound of the denominator: x / max(sqrt(v), eps).

    Parameters
    ----------
    eps, root
        As in `outside`.

    Returns
    -------
    Epsilon
    """
    return Epsilon(eps, "at_least", root)


def over_root(x: X, v: X, eps: X, eps_place: str | None = None, eps_root: X = 0.0) -> X:
    """Divide x by the root of v, kept finite by an `Epsilon`; a plain number means `outside`. With 0, 0/0 = 0.

    eps_place and eps_root are deprecated spellings of an `Epsilon`; the next release removes them.
    """
    if not isinstance(eps, Epsilon):
        eps = _spelled(eps, eps_place, eps_root)
    size = eps.beside(sqrt(eps.under(v)))
    return x / size if (eps.number == 0) is False else ratio(x, size)


def _spelled(eps: X, place: str | None, root: X) -> Epsilon:
    if place is not None or not off(root):
        warnings.warn("over_root(x, v, eps, place) is now over_root(x, v, inside(eps)), or outside(eps)", DeprecationWarning, 3)
    return Epsilon(eps, place or "outside", root)


def over_debiased_root(x: X, v: X, beta: X, t: X, eps: X) -> X:
    """Divide x by the root of the bias-corrected average v, whose initial value is 0.

    With a raw `Epsilon`, x is divided by the root of v itself and by the root of the correction: only eps then acts otherwise.
    """
    if isinstance(eps, Epsilon) and eps.place in RAW:
        return sqrt(1 - beta**t) * over_root(x, v, eps)
    return over_root(x, debias(v, beta, t), eps)
