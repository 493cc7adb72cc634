"""One tensor on its way through a step.

A complex tensor reaches a stage as a real one: its real and imaginary parts along a first axis of two, so that its last two
axes are what they were, and words on matrices take each part for itself. What is asked of the tensor (`choose`, whether it
is a matrix) is asked of the shape that its owner knows.
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
from thalweg.values.arrays import HALF, Array, dtype_name, framework, widened
from thalweg.values.scalars import Scalar

Memory = dict[str, Any]
"""slot -> leaf's name -> array; a per-model slot -> its number."""


@dataclass
class Leaf:
    """One tensor on its way through a step. `d` is what arrives at the next stage; `owned` once the rate is in it.

    half: the dtype that the parameter and its memory are kept in, where that is half precision and a step computes in float32.
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

    @functools.cached_property
    def space(self) -> Any:
        """The parameter's framework."""
        return framework(self.p)

    @functools.cached_property
    def dtype(self) -> str:
        """The parameter's dtype, by name."""
        return dtype_name(self.p)

    def widened(self) -> Leaf:
        """The leaf as a step computes with it: half precision in float32, so that results are rounded once, at the end."""
        dtype = self.dtype
        if dtype not in HALF:
            return self
        grad, d = (x if x is None else widened(x) for x in (self.grad, self.d))
        extras = {word: x if x is None else widened(x) for word, x in self.extras.items()}
        return replace(self, p=widened(self.p), grad=grad, d=d, extras=extras, half=dtype)

    def stored(self) -> Leaf:
        """The leaf with its parameter as it is kept."""
        return self if self.half is None else replace(self, p=self.as_stored(self.p), half=None)

    def as_stored(self, x: Array) -> Array:
        """A parameter as it is kept."""
        return x if self.half is None else self.space.cast(x, self.half)


def value_at(value: Any, t: Any, leaf: str) -> Any:
    """A hyper-parameter's value for a leaf at its update t: a schedule is called, one value per lane becomes a Scalar."""
    if isinstance(value, ByLeaf):
        value = value.values[leaf]
    if callable(value):
        if isinstance(t, Scalar):
            return Scalar(np.asarray([value(int(i)) for i in t.values]))
        value = value(t)
    return Scalar(value) if getattr(value, "ndim", 0) == 1 else value


_in_parts: ContextVar[frozenset[str]] = ContextVar("the complex tensors", default=frozenset())


@contextmanager
def in_parts(names: Iterable[str]) -> Iterator[None]:
    """Within it the tensors of these names are complex to their owner."""
    token = _in_parts.set(frozenset(names))
    try:
        yield
    finally:
        _in_parts.reset(token)


def owned(leaf: Leaf) -> Leaf:
    """The leaf with the shape that its owner knows."""
    return replace(leaf, shape=leaf.shape[1:]) if leaf.name in _in_parts.get() else leaf
