"""What is doubtful in a user's data, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from thalweg.lab.refusal import Refusal


@dataclass(frozen=True)
class Doubt:
    """A doubt, and the repair, both in words. `str` joins them."""

    what: str
    repair: str

    def __str__(self) -> str:
        return f"{self.what}: {self.repair}"


@dataclass
class Complaints:
    """All that is wrong with a file: `errors`, with which it cannot be used, and `doubts`, which strict reading refuses too."""

    path: Path
    strict: bool = False
    errors: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    def refuse(self, *, final: bool = True) -> None:
        """Raises Refusal with all complaints so far, if there are errors or, in the end, doubts that count."""
        doubts = [doubt.what for doubt in self.doubts if self.strict]
        if self.errors or (final and doubts):
            raise Refusal(f"{self.path}: {together([*self.errors, *doubts])}")


def together(said: Iterable[str]) -> str:
    """One complaint as it is, several as a list."""
    first, *others = said
    return "\n".join([first, *(f"  also: {other}" for other in others)])
