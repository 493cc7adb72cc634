"""Progress reports of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Progress:
    """The argument of a `progress` callback. `str` of it is one line, so `progress=print` works.

    Attributes
    ----------
    kind : str
        "line": worth keeping (a forecast, an optimizer that is left out). "stage": a part of the work begins or ends.
        "now": the current activity, many times a second.
    done, total : int, int | None
        Trials finished and planned; total is None until they are counted.
    """

    text: str
    kind: Literal["line", "stage", "now"]
    done: int
    total: int | None

    def __str__(self) -> str:
        return self.text if self.kind == "line" or self.total is None else f"{self.done:,} of {self.total:,} trials: {self.text}"
