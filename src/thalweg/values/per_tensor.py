"""One value per tensor of the model, for rules that compute over all tensors at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg.values.arithmetic import Arithmetic, Operation
from thalweg.values.scalars import Scalar


class Each(Arithmetic):
    """Values in the order of the tensors (arrays, numbers or Scalars); arithmetic and words apply to each."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = list(values)

    def _with(self, operate: Operation, other: Any, *, swapped: bool) -> Each:
        made: Each = each(operate, other, self) if swapped else each(operate, self, other)
        return made

    def __abs__(self) -> Each:
        return Each([abs(value) for value in self.values])

    def __bool__(self) -> bool:
        raise TypeError("`if` on a value that each tensor has of its own; use where(condition, a, b)")

    def __repr__(self) -> str:
        return f"Each({self.values})"


def each(word: Callable[..., Any], *args: Any) -> Any:
    """Apply the word tensor by tensor. An argument that is no Each is shared; a word with several results returns several."""
    columns = [arg.values if isinstance(arg, Each) else itertools.repeat(arg) for arg in args]
    results = [word(*row) for row in zip(*columns, strict=False)]  # a repeated value never ends
    if isinstance(results[0], tuple | list):
        return tuple(map(Each, zip(*results, strict=True)))
    return Each(results)


def together(values: Sequence[Any]) -> Any:
    """Return the tensors' values as one; a value that is the same for all stays single, so that it is computed once."""
    first = values[0]
    return first if all(_same(value, first) for value in values[1:]) else Each(values)


def of(value: Any, i: int) -> Any:
    """Return the value of the i-th tensor."""
    return value.values[i] if isinstance(value, Each) else value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        on_host = isinstance(a.values, np.ndarray) and isinstance(b.values, np.ndarray)
        return a.values is b.values or (on_host and np.array_equal(a.values, b.values))
    return a is b or (type(a) is type(b) and isinstance(a, bool | int | float | str) and a == b)
