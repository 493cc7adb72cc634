"""What the host computes of rows and columns between two passes, as a function of arrays and numbers."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg import ops
from thalweg.engines.expressions import OPERATORS
from thalweg.engines.kernel import Printer
from thalweg.graph.margins import HOST_WORDS, Margin
from thalweg.graph.passes import Cut
from thalweg.graph.program import NotTraced
from thalweg.ops import slices
from thalweg.ops.word import WORDS
from thalweg.values.symbols import Symbol


@dataclass(frozen=True)
class Host:
    """The margins that are computed before a pass. needs: the argument names of `compute`, which returns them."""

    margins: tuple[Margin, ...]
    needs: tuple[str, ...]
    compute: Callable[..., tuple[Any, ...]]


def host(cut: Cut, margins: Sequence[Margin], title: str) -> Host:
    """Return the function of these margins. Raises NotTraced for words that NumPy does not compute of vectors."""
    text, needs = _HostPrinter(cut, margins, title).numbers()
    return Host(tuple(margins), needs, _function(text, tuple(cut.words.items())))


class _HostPrinter(Printer):
    def __init__(self, cut: Cut, margins: Sequence[Margin], title: str) -> None:
        super().__init__(cut.of({f"{k}": each.of for k, each in enumerate(margins)}), title, {})
        self.margins, self.words = margins, cut.words

    def numbers(self) -> tuple[str, tuple[str, ...]]:
        """Return the source of the function, called `numbers`, and the names of its arguments."""
        for symbol in self.names.symbols:
            self._check(symbol)
        return self._numbers([self.names.first(each.of) for each in self.margins], [])

    def _check(self, symbol: Symbol) -> None:
        if symbol.op not in {"input", "neg", "abs", "pow", *OPERATORS, *WORDS, *HOST_WORDS, *self.words}:
            raise NotTraced(f"{self.title}: {symbol.op} of what is one number a row or column")


@functools.lru_cache(maxsize=256)
def _function(text: str, more: tuple[tuple[str, Callable[..., Any]], ...]) -> Callable[..., tuple[Any, ...]]:
    """more: words of whole matrices, whose functions are those of one optimizer."""
    words = {name: getattr(ops, name, None) or getattr(slices, name) for name in (*WORDS, *HOST_WORDS)}
    scope: dict[str, Any] = {"math": math, **words, **dict(more)}
    exec(text, scope)  # the text comes from `kernel`
    made: Callable[..., tuple[Any, ...]] = scope["numbers"]
    return made
