"""One tensor during a step.

Stages see a complex tensor as a real one: real and imaginary parts along a new first axis of length two. The last two axes
keep their meaning, and matrix words treat each part separately. Predicates (`choose`, whether it is a matrix) see the
original shape.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from thalweg.form.hyper import ByLeaf
from thalweg.form.memory import Shape
from thalweg.ops import off
from thalweg.values.arrays import HALF, Array, dtype_name, framework, is_traced, widened
from thalweg.values.scalars import Scalar

Memory = dict[str, Any]
"""slot -> leaf's name -> array; a per-model slot -> its number."""


@dataclass
class Leaf:
    """One tensor during a step. `d` is the direction that the next stage receives; `owned` means that it includes the rate.

    half: the half-precision dtype in which parameter and memory are stored; the step then computes in float32. walked: the
    iterate that moves, if the gradient was taken elsewhere.
    """

    name: str
    shape: Shape
    p: Array
    grad: Array
    t: Any
    lr: Any
    d: Array
    owned: bool = False
    extras: dict[str, Array] = field(default_factory=dict)
    half: str | None = None
    walked: Array = None

    @functools.cached_property
    def space(self) -> Any:
        """The parameter's framework."""
        return framework(self.p)

    @functools.cached_property
    def dtype(self) -> str:
        """The parameter's dtype, by name."""
        return dtype_name(self.p)

    def widened(self) -> Leaf:
        """Return the leaf with half precision widened to float32, so that results are rounded once, at the end."""
        dtype = self.dtype
        if dtype not in HALF:
            return self
        grad, d = (x if x is None else widened(x) for x in (self.grad, self.d))
        extras = {word: x if x is None else widened(x) for word, x in self.extras.items()}
        return replace(self, p=widened(self.p), grad=grad, d=d, extras=extras, half=dtype)

    def stored(self) -> Leaf:
        """Return the leaf with its parameter in the stored dtype."""
        return self if self.half is None else replace(self, p=self.as_stored(self.p), half=None)

    def as_stored(self, x: Array) -> Array:
        """Convert a parameter to the stored dtype."""
        return x if self.half is None else self.space.cast(x, self.half)


def value_at(value: Any, t: Any, leaf: str) -> Any:
    """Return a hyper-parameter's value for a leaf at its update t, as a rule takes it.

    A 0 that may be another number for another leaf or update becomes a Scalar, because a plain 0 is `off`.
    """
    found = number_at(value, t, leaf)
    return Scalar(found) if off(found) and (callable(value) or isinstance(value, ByLeaf)) else found


def number_at(value: Any, t: Any, leaf: str) -> Any:
    """Return a hyper-parameter's number for a leaf at its update t: a schedule is called, one per lane becomes a Scalar."""
    if isinstance(value, ByLeaf):
        value = value.values[leaf]
    if callable(value):
        if isinstance(t, Scalar):
            return Scalar(np.asarray([checked_number(value, value(int(i)), i) for i in t.values]))
        found = value(t)
        value = found if type(found) is float else checked_number(value, found, t)
    return Scalar(value) if getattr(value, "ndim", 0) == 1 else value


def checked_number(schedule: Any, value: Any, t: Any, *, one: bool = False) -> Any:
    """Return what a schedule gave at t; NumPy's numbers as Python's or as float64, since a narrow dtype would round what follows.

    Raises TypeError for text, and for None, as where its `return` was forgotten. one: also for several numbers, and for a
    complex one.
    """
    if value is None or isinstance(value, str) or (one and (np.shape(value) or np.iscomplexobj(value))):
        when = "" if is_traced(t) else f" at t = {t}"
        raise TypeError(f"the schedule {schedule!r} gave {value!r}{when}; it returns a number")
    if isinstance(value, np.ndarray | np.generic):
        return value.astype(np.float64) if value.ndim else value.item()
    return value


_in_parts: ContextVar[frozenset[str]] = ContextVar("the complex tensors", default=frozenset())


@contextmanager
def in_parts(names: Iterable[str]) -> Iterator[None]:
    """Context manager: the tensors of these names are complex to the user."""
    token = _in_parts.set(frozenset(names))
    try:
        yield
    finally:
        _in_parts.reset(token)


def owned(leaf: Leaf) -> Leaf:
    """Return the leaf with its original shape."""
    return replace(leaf, shape=leaf.shape[1:]) if leaf.name in _in_parts.get() else leaf
