"""The registry of element-wise words: how each is written on the host, in kernels and in formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class Spelling(NamedTuple):
    """An expression with places for the arguments: "{1} if {0} else {2}".

    binds: the precedence of its outermost operator. `of`: the precedence that an argument needs, as in `engines.expressions`.
    """

    text: str
    binds: int
    of: int = 0


@dataclass(frozen=True)
class Word:
    """How to write one word; None means a function of the word's own name.

    host: on single numbers; None is NumPy's function. loop: in a CPU kernel, with numbers as `number(2.0)`; None is the function
    of `math`. triton: in a CUDA kernel; None is Triton's function, and an empty
    spelling means that it has none. latex, plain: in formulas, an operator's name or a pattern
    with places for the arguments.
    """

    name: str
    host: Callable[..., Any]
    loop: Spelling | None = None
    triton: Spelling | None = None
    latex: str | None = None
    plain: str | None = None

    @property
    def repeats(self) -> bool:
        """Whether the kernel's expression repeats an argument, which must then be computed before."""
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
