"""Epsilon: the small number that keeps a division finite, and where it stands."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from thalweg.ops.calling import X
from thalweg.ops.elements import debias, maximum, off, ratio, sqrt

PLACES = ("outside", "inside", "raw", "inside_raw", "both", "at_least")


@dataclass(frozen=True)
class Epsilon:
    """A number and its place: "outside" is sqrt(v) + eps, "inside" sqrt(v + eps), "both" sqrt(v + eps) + eps, and
    "at_least" max(sqrt(v), eps). Of an average v that begins at 0, "raw" and "inside_raw" stand beside and under the root
    of v as it is, not corrected for its beginning. root: a second number, which is added to v wherever the first stands.

    The numbers are dynamic, as every float of a rule: a schedule, a tracer, one for each lane. The place is static.
    """

    number: Any
    place: str = "outside"
    root: Any = 0.0

    def __repr__(self) -> str:
        word = "inside" if self.place.startswith("inside") else "outside" if self.place == "raw" else self.place
        root = "" if off(self.root) else f", root={self.root!r}"
        return f"{word}({self.number!r}{root}{', raw=True' if self.raw else ''})"

    @property
    def raw(self) -> bool:
        """Whether it is measured against an average that is not corrected for its beginning at 0."""
        return self.place in ("raw", "inside_raw")

    def under(self, v: X) -> X:
        """What is under the root: v, with what belongs there added."""
        v = v if off(self.root) else v + self.root
        return v + self.number if self.place in ("inside", "inside_raw", "both") and not off(self.number) else v

    def beside(self, size: X) -> X:
        """What is divided by, from a root or another size."""
        if self.place == "at_least":
            return maximum(size, self.number)
        return size + self.number if self.place in ("outside", "raw", "both") else size


def outside(eps: X, *, root: X = 0.0, raw: bool = False) -> Epsilon:
    """Beside the root: x / (sqrt(v) + eps). root: a second number, under it, which gives the root a finite slope at 0, for
    gradients through a step. raw: beside the root of an average as it is, not corrected for its beginning at 0."""
    return Epsilon(eps, "raw" if raw else "outside", root)


def inside(eps: X, *, root: X = 0.0, raw: bool = False) -> Epsilon:
    """Under the root: x / sqrt(v + eps). root, raw: as `outside` has them."""
    return Epsilon(eps, "inside_raw" if raw else "inside", root)


def both(eps: X, *, root: X = 0.0) -> Epsilon:
    """The same number under the root and beside it: x / (sqrt(v + eps) + eps). root: as `outside` has it."""
    return Epsilon(eps, "both", root)


def at_least(eps: X, *, root: X = 0.0) -> Epsilon:
    """The least that is divided by: x / max(sqrt(v), eps). root: as `outside` has it."""
    return Epsilon(eps, "at_least", root)


def over_root(x: X, v: X, eps: X, eps_place: str | None = None, eps_root: X = 0.0) -> X:
    """x over the root of v, kept finite by an `Epsilon`; a plain number stands `outside`. With 0, 0/0 = 0.

    eps_place and eps_root are an earlier release's words for what an `Epsilon` says, and go with the next one.
    """
    if eps_place is not None or not off(eps_root):
        warnings.warn("over_root(x, v, eps, place) is now over_root(x, v, inside(eps)), or outside(eps)", DeprecationWarning, 2)
        eps = Epsilon(eps, eps_place or "outside", eps_root)
    if not isinstance(eps, Epsilon):
        eps = Epsilon(eps)
    root = sqrt(eps.under(v))
    return ratio(x, root) if off(eps.number) else x / eps.beside(root)


def over_debiased_root(x: X, v: X, beta: X, t: X, eps: X) -> X:
    """x over the root of an average v that began at 0, corrected for it; with a raw `Epsilon`, x over the root of v as it is
    and of what it is to be divided by, which is the same but for the number."""
    if isinstance(eps, Epsilon) and eps.raw:
        return sqrt(1 - beta**t) * over_root(x, v, eps)
    return over_root(x, debias(v, beta, t), eps)
