"""Symbols as source code, for the host and for the loop over memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.engines.names import Names
from thalweg.graph.draws import DRAWN
from thalweg.ops.word import WORDS
from thalweg.values.symbols import Symbol

NEEDS_NAMES = frozenset({"pow", "clip", *(name for name, word in WORDS.items() if word.repeats)})
"""Words that repeat an argument, which is therefore computed before."""
OPERATORS = {
    "add": ("+", 5), "sub": ("-", 5), "mul": ("*", 6), "truediv": ("/", 6), "and": ("&", 4), "or": ("|", 3),
    "eq": ("==", 2), "ne": ("!=", 2), "lt": ("<", 2), "le": ("<=", 2), "gt": (">", 2), "ge": (">=", 2),
}  # fmt: skip
ATOM = 9
CALLED = re.compile(r"\b([a-z_][a-z_0-9]*)\(")
COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "and", "or"})
STORAGE_WORDS = ("dithered", "rounded_float16", "rounded_bfloat16", "largest_of_block")
"""Words of `thalweg.graph.storage`, which occur in the loop only."""
COMPUTED = {"float16": "float32", "bfloat16": "float32", "float32": "float32", "float64": "float64"}
"""The dtype of the arithmetic for each parameter dtype."""
Text = tuple[str, int]
"""An expression, and the precedence of its outermost operator."""


def indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


class Python:
    """Words on the host: as in `thalweg.ops`, in float64 or on vectors of per-tensor numbers."""

    numeric = divides = False
    letter = "n"

    def constant(self, x: Any) -> str:
        plain = x.item() if isinstance(x, np.generic) else x  # NumPy's say in their repr of which type they are
        return repr(plain).replace("inf", "math.inf").replace("nan", "math.nan")

    def word(self, op: str, args: list[Text]) -> Text:
        if op == "pow":
            return f"{wrap(args[0], ATOM)} ** {wrap(args[1], ATOM)}", 8
        return f"{op}({', '.join(text for text, _ in args)})", ATOM


class Loop:
    """Words in the loop, on numbers of one dtype: no promotion, and no branch except a choice between two values."""

    numeric, divides = True, False
    letter = "x"

    def __init__(self, computed: str) -> None:
        self.computed, self.said = computed, set[str]()
        self.drawn: dict[str, str] = {}
        """The loads of random numbers, by the number of the draw."""

    def constant(self, x: Any) -> str:
        text = repr(float(x))
        self.said.update(re.findall("inf|nan", text))
        return f"number({text})"

    def word(self, op: str, args: list[Text]) -> Text:
        texts = [text for text, _ in args]
        if op == "pow":
            return self._power(args)
        if op in WORDS and (spelling := WORDS[op].loop) is not None:
            self.said.update(word for word in CALLED.findall(spelling.text) if word not in ("number", "abs"))
            return spelling.text.format(*(wrap(arg, spelling.of) for arg in args)), spelling.binds
        if op == "abs":
            return f"abs({texts[0]})", ATOM
        if op in DRAWN:
            return self.drawn[texts[2]], ATOM
        self.said.add(op)
        return f"{op}({', '.join(texts)})", ATOM

    def _power(self, args: list[Text]) -> Text:
        (x, _), (y, _) = args
        if y == self.constant(2):
            return f"{x} * {x}", 6
        if y == self.constant(0.5):
            self.said.add("sqrt")
            return f"sqrt({x})", ATOM
        if y == self.constant(1 / 3):
            self.said.add("cube_root")
            return f"cube_root({x})", ATOM
        if self.computed == "float32":
            self.said.add("raised")
            raised: Text = f"raised({x}, {y})", ATOM
        else:
            raised = f"{wrap(args[0], ATOM)} ** {wrap(args[1], ATOM)}", 8
        return raised if y.startswith("number(") else (f"{x} if {y} == number(1.0) else {raised[0]}", 1)  # most defaults are 1


class Writer:
    """Writes symbols in order: a line of its own for each that is used twice, has an author's name or must be an atom."""

    def __init__(self, names: Names, say: Python | Loop, always: set[int]) -> None:
        self.names, self.say, self.always = names, say, always
        self.letters = dict(names.letters)
        self.lines: list[str] = []
        self.kept: set[int] = set()
        self.atoms = {id(names.first(a)) for s in names.symbols if s.op in NEEDS_NAMES for a in s.args if isinstance(a, Symbol)}

    def name(self, symbol: Symbol, otherwise: str) -> str:
        """Return the symbol's name from here on: the author's if it is free."""
        if id(symbol) not in self.letters:
            self.letters[id(symbol)] = self.names.free(otherwise, symbol)
        return self.letters[id(symbol)]

    def visit(self, symbol: Symbol) -> None:
        """Write a line for the symbol if it needs one."""
        if id(symbol) in self.letters:
            return
        several = self.names.uses[id(symbol)] > 1 or id(symbol) in self.atoms or id(symbol) in self.always
        if several or id(symbol) in self.names.authors:
            text = self.expression(symbol)[0]
            if id(symbol) in self.kept:
                text = f"kept({text})"
            self.lines.append(f"{self.name(symbol, self.say.letter)} = {text}")

    def text(self, x: Any) -> Text:
        if not isinstance(x, Symbol):
            return self.say.constant(x), ATOM if not self.say.constant(x).startswith("-") else 7
        first = self.names.first(x)
        return (self.letters[id(first)], ATOM) if id(first) in self.letters else self.expression(first)

    def expression(self, symbol: Symbol) -> Text:
        args = [self.text(arg) for arg in symbol.args]
        if symbol.op in OPERATORS and not (symbol.op == "truediv" and self.say.divides):
            sign, binds = OPERATORS[symbol.op]
            tight = binds + (symbol.op in COMPARISONS)
            return f"{wrap(args[0], tight)} {sign} {wrap(args[1], binds + 1)}", binds
        if symbol.op == "neg":
            return f"-{wrap(args[0], 7)}", 7
        if symbol.op == "clip" and self.say.numeric:
            return self._clip(args)
        return self.say.word(symbol.op, args)

    def _clip(self, args: list[Text]) -> Text:
        """Write minimum(maximum(x, low), high), with the inner call on a line of its own."""
        inner = self.names.free("x")
        self.lines.append(f"{inner} = {self.say.word('maximum', args[:2])[0]}")
        return self.say.word("minimum", [(inner, ATOM), args[2]])


def level(value: Any) -> int:
    return value.level if isinstance(value, Symbol) else 0


def wrap(text: Text, binds: int) -> str:
    return text[0] if text[1] >= binds else f"({text[0]})"
