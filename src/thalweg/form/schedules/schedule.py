"""What all schedules have in common."""

from __future__ import annotations

from typing import Any


def check_steps(what: str, steps: Any) -> None:
    """Raise ValueError if this is no number of updates."""
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise ValueError(f"{what}: steps counts updates, so it is a whole number from 1 on, not {steps!r}")


class Schedule:
    """A function of t, and no number, which those who compute with it are told; its `steps` count updates, if it has any."""

    def __post_init__(self) -> None:
        if hasattr(self, "steps"):
            check_steps(type(self).__name__, self.steps)

    def _is_no_number(self, *_: Any) -> Any:
        raise TypeError(
            f"{self!r} is a schedule, a function of t = 1, 2, ..., and no number to compute with; "
            "a framework's scheduler needs a number, lr=0.1"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __float__ = _is_no_number
