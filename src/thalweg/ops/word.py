"""What is to be known of an element-wise word besides its function: how it is said on the host, in kernels and in formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class Spelling(NamedTuple):
    """An expression with places for the arguments: "{1} if {0} else {2}".

    binds: how tightly its outermost operator binds, and `of` how tightly an argument must, as `engines.expressions` counts.
    """

    text: str
    binds: int
    of: int = 0


@dataclass(frozen=True)
class Word:
    """One word, and how it is said; None: as a function of its own name.

    host: on single numbers; None: NumPy's function. loop: in a kernel for a processor, where numbers are `number(2.0)`; None:
    the function of `math`. triton: in a kernel for CUDA; None: Triton's function. latex, plain: in formulas, an operator's name,
    or with places for the arguments.
    """

    name: str
    host: Callable[..., Any]
    loop: Spelling | None = None
    triton: Spelling | None = None
    latex: str | None = None
    plain: str | None = None

    @property
    def repeats(self) -> bool:
        """Whether a kernel says an argument of it twice, so that it is to be computed before."""
        return self.loop is not None and any(self.loop.text.count(f"{{{i}}}") > 1 for i in range(3))


WORDS: dict[str, Word] = {}
"""The element-wise words."""


def word(
    *,
    host: Callable[..., Any] | None = None,
    loop: Spelling | None = None,
    triton: Spelling | None = None,
    latex: str | None = None,
    plain: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an element-wise word."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        WORDS[name] = Word(name, host or getattr(np, name), loop, triton, latex, plain)
        return function

    return declare
