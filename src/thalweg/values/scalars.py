"""Numbers that belong to no tensor: a learning rate per lane, a loss, a number of per-model memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.values.arithmetic import Arithmetic, Operation
from thalweg.values.arrays import Array, dtype_name, framework


class Scalar(Arithmetic):
    """A float64 number on the host, or one per lane (shape (T,)); it takes a tensor's dtype only in arithmetic with one.

    A plain NumPy float64 would promote a float32 tensor to float64, and Python's floats raise on 1/0. A Scalar does
    neither, so that T lanes compute exactly what T separate runs compute.
    """

    __slots__ = ("values",)

    def __init__(self, values: Any) -> None:
        self.values: Any = values if framework(values) is not None else np.asarray(values)

    def meet(self, like: Array) -> Any:
        """Return the number in a form for `like`: a Python number, or an array of shape (T, 1, ...) of its dtype."""
        values = self.values
        if values.ndim == 0:
            return values.item() if isinstance(values, np.ndarray | np.generic) else values
        boolean = "bool" in str(values.dtype)
        lanes = framework(like).asarray(values, like, dtype="bool" if boolean else None)
        return lanes.reshape(lanes.shape + (1,) * (like.ndim - 1))

    def _with(self, operate: Operation, other: Any, *, swapped: bool) -> Any:
        if _is_count(other):
            other = Scalar(other)
        if isinstance(other, Scalar):
            mine, other = in_one_framework(self.values, other.values)
            with np.errstate(all="ignore"):
                return Scalar(operate(other, mine) if swapped else operate(mine, other))
        if framework(other) is not None:
            mine = self.meet(other)
            return operate(other, mine) if swapped else operate(mine, other)
        if not isinstance(other, int | float):
            return NotImplemented
        with np.errstate(all="ignore"):
            return Scalar(operate(other, self.values) if swapped else operate(self.values, other))

    def __abs__(self) -> Scalar:
        return Scalar(abs(self.values))

    def __bool__(self) -> bool:
        raise TypeError("`if` on a number that may differ from step to step or lane to lane; use where(condition, a, b)")

    def __repr__(self) -> str:
        return f"Scalar({self.values})"


def _is_count(x: Any) -> bool:
    """Whether x is an integer in a tensor, such as a traced t, and so has no floating dtype."""
    return framework(x) is not None and x.ndim == 0 and "int" in dtype_name(x)


def in_one_framework(*values: Any) -> list[Any]:
    """Return the scalars' values in one framework: that of a value that is not on the host, if there is one."""
    guest = next((v for v in values if framework(v) is not None and framework(v).name != "numpy"), None)
    if guest is None:
        return list(values)
    space = framework(guest)
    guest = guest * 1.0 if _is_count(guest) else guest
    return [space.asarray(v, guest) if framework(v) is not None and framework(v) is not space else v for v in values]
