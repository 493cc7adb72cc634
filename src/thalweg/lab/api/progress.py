"""How far a comparison is, as its caller is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Progress:
    """What a `progress` callback is given. `str` of it is one line, so that `progress=print` shows how it goes.

    kind: "line" for what is worth keeping (a forecast, an optimizer that is left out); "stage" when a part of the work has
    begun or ended; "now" for what is being done, many times a second. done, total: trials; total is None until they are
    counted.
    """

    text: str
    kind: Literal["line", "stage", "now"]
    done: int
    total: int | None

    def __str__(self) -> str:
        return self.text if self.kind == "line" or self.total is None else f"{self.done:,} of {self.total:,} trials: {self.text}"
