"""Python's arithmetic operators, forwarded to one method: shared by per-lane scalars, symbols and whole trees."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

Operation = Callable[[Any, Any], Any]


def _forward(operate: Operation) -> Callable[[Any, Any], Any]:
    return lambda self, other: self._with(operate, other, swapped=False)


def _reflected(operate: Operation) -> Callable[[Any, Any], Any]:
    return lambda self, other: self._with(operate, other, swapped=True)


class Arithmetic:
    """Base class: `self + other` and the other operators call `self._with(operator.add, other, swapped=False)`.

    Not an abstract base class: a step calls isinstance(x, Scalar) a hundred times, which an ABC makes four times as slow.
    """

    __slots__ = ()
    __array_ufunc__ = None  # so that NumPy leaves `array * self` to the reflected methods below

    def _with(self, operate: Operation, other: Any, *, swapped: bool) -> Any:
        """Return `operate(self, other)`, or `operate(other, self)` if swapped; NotImplemented for a foreign `other`."""
        raise NotImplementedError

    __add__ = _forward(operator.add)
    __sub__ = _forward(operator.sub)
    __mul__ = _forward(operator.mul)
    __truediv__ = _forward(operator.truediv)
    __pow__ = _forward(operator.pow)
    __radd__ = _reflected(operator.add)
    __rsub__ = _reflected(operator.sub)
    __rmul__ = _reflected(operator.mul)
    __rtruediv__ = _reflected(operator.truediv)
    __rpow__ = _reflected(operator.pow)
    __lt__ = _forward(operator.lt)
    __le__ = _forward(operator.le)
    __gt__ = _forward(operator.gt)
    __ge__ = _forward(operator.ge)
    __and__ = _forward(operator.and_)
    __or__ = _forward(operator.or_)
    __eq__ = _forward(operator.eq)
    __ne__ = _forward(operator.ne)
    __hash__ = object.__hash__

    def __neg__(self) -> Any:
        return self * -1.0

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return NotImplemented  # so that torch leaves `tensor * self` to the reflected methods above
