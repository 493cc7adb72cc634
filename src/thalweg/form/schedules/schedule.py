"""What all schedules have in common."""

from __future__ import annotations

import numbers
from typing import Any


def counted(what: str, x: Any) -> int:
    """Return a whole number from 1 on, NumPy's too, as Python's. what: says what it is, for the ValueError of any other."""
    if not isinstance(x, numbers.Integral) or isinstance(x, bool) or x < 1:
        raise ValueError(f"{what} a whole number from 1 on, not {x!r}")
    return int(x)


def counted_steps(schedule: str, steps: Any) -> int:
    """Return a number of updates."""
    return counted(f"{schedule}: steps counts updates, so it is", steps)


class Schedule:
    """A function of t, and no number, which those who compute with it are told; its `steps` count updates, if it has any."""

    def __post_init__(self) -> None:
        if hasattr(self, "steps"):
            object.__setattr__(self, "steps", counted_steps(type(self).__name__, self.steps))

    def _is_no_number(self, *_: Any) -> Any:
        raise TypeError(
            f"{self!r} is a schedule, a function of t = 1, 2, ..., and no number to compute with; "
            "a framework's scheduler needs a number, lr=0.1"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __float__ = _is_no_number
