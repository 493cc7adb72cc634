"""The result of a check: lines of found and expected values, and whether they agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Say = Callable[[str], None]
"""Called with the current activity of a check."""


@dataclass(frozen=True)
class Line:
    """A found and an expected number.

    expected: the published or predicted value, or None. holds: whether the two agree; None if the number is only reported.
    digits: decimals in the table. note: a remark.
    """

    what: str
    found: float
    expected: float | None = None
    holds: bool | None = None
    note: str = ""
    digits: int = 4

    def __post_init__(self) -> None:
        """Convert NumPy values to plain ones: NumPy's False is not False."""
        object.__setattr__(self, "found", float(self.found))
        object.__setattr__(self, "holds", None if self.holds is None else bool(self.holds))

    @property
    def difference(self) -> float | None:
        return None if self.expected is None else self.found - self.expected

    @property
    def word(self) -> str:
        return {True: "holds", False: "FAILS", None: "reported"}[self.holds]


@dataclass(frozen=True)
class Check:
    """A check and its outcome. about: a description in a few sentences. conclusion: the outcome in words."""

    name: str
    title: str
    source: str
    about: str
    lines: list[Line]
    conclusion: str

    @property
    def holds(self) -> bool:
        return all(line.holds is not False for line in self.lines)


def close(what: str, found: float, expected: float, within: float, note: str = "", digits: int = 4) -> Line:
    """A line that holds if the two differ by at most `within`."""
    return Line(what, found, expected, abs(found - expected) <= within, note, digits)


def relative(what: str, found: float, expected: float, within: float, note: str = "", digits: int = 4) -> Line:
    """A line that holds if the two differ by at most the share `within` of the expected value."""
    return Line(what, found, expected, abs(found - expected) <= within * abs(expected), note, digits)
