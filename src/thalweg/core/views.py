"""What a caller's tensor is, where stages get another view of it.

A complex tensor reaches a stage as a real one: its real and imaginary parts along a first axis of two, so that its last two
axes are what they were, and words on matrices take each part for itself. What is asked of the tensor (`choose`, whether it
is a matrix) is asked of the shape that its owner knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thalweg.core.stage import Leaf

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
