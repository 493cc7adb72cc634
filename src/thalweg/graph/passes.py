"""A step cut into passes over memory: each computes sums that later passes need, and the last one writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from thalweg.form import trace
from thalweg.graph.model_sums import MODEL_SUMS
from thalweg.graph.program import NotTraced, Program
from thalweg.values.symbols import NUMBER, PER_TENSOR, REDUCTIONS, TENSOR, Symbol

NORMS = frozenset({"norm", "model_norm"})


@dataclass(frozen=True)
class Sum:
    """A number that one pass sums up and that is the input `name` of later passes.

    of: the addend, element by element; if `is_norm`, the sum is the root of its squares. over: the stage over whose tensors the
    sum runs, and its number among the sums of that stage; empty for a sum over one tensor.
    """

    name: str
    of: Symbol
    is_norm: bool
    over: str


@dataclass(frozen=True)
class Cut:
    """The sums of each pass but the last, and the program of the last pass, whose inputs they are.

    count: the input for the number of elements in a tensor, if the program needs it.
    """

    passes: tuple[tuple[Sum, ...], ...]
    last: Program
    count: str | None = None

    def adding(self, sums: tuple[Sum, ...]) -> Program:
        """Return the program of a summing pass, which writes nothing but the sums."""
        return replace(self.last, slots=[], parameter=None, walked=None, beside={each.name: each.of for each in sums})


def cut(program: Program) -> Cut:
    """Cut a program into passes. Raises NotTraced for a sum of a per-tensor number."""
    return _Cutter(program).cut()


class _Cutter:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.inputs = dict(program.inputs)
        self.first = trace.shared(program.results)
        self.new: dict[int, Any] = {}
        self.depths: dict[int, int] = {}
        self.passes: list[list[Sum]] = []
        self.names = dict(program.names)
        self.count: Symbol | None = None

    def cut(self) -> Cut:
        program = self.program
        for symbol in trace.steps(program.results):
            self._visit(symbol)
        if not self.passes:
            return Cut((), program)
        slots = [replace(slot, new=self._of(slot.new)) for slot in program.slots]
        beside = {name: self._of(value) for name, value in program.beside.items()}
        last = replace(
            program, slots=slots, parameter=self._of(program.parameter), walked=self._of(program.walked), beside=beside,
            inputs=self.inputs, names=self.names,
        )  # fmt: skip
        return Cut(tuple(map(tuple, self.passes)), last, None if self.count is None else self.count.name)

    def _of(self, value: Any) -> Any:
        return self.new[id(self.first[id(value)])] if isinstance(value, Symbol) else value

    def _visit(self, symbol: Symbol) -> None:
        args = tuple(map(self._of, symbol.args))
        depth = max((self.depths[id(arg)] for arg in args if isinstance(arg, Symbol)), default=0)
        if symbol.op in REDUCTIONS or symbol.op in MODEL_SUMS:
            made = self._sum(symbol, args[0], depth)
            depth += 1
        else:
            made = symbol if _are(args, symbol.args) else Symbol(symbol.op, args, symbol.level, symbol.name)
        self.new[id(symbol)] = made
        self.depths[id(made)] = depth
        if id(symbol) in self.program.names and not (made.op == "input" and made is not symbol):
            self.names.setdefault(id(made), self.program.names[id(symbol)])

    def _sum(self, symbol: Symbol, addend: Any, depth: int) -> Symbol:
        """Return the input for a sum that is computed in the pass of this depth."""
        if not isinstance(addend, Symbol) or addend.level < TENSOR:
            raise NotTraced(f"{symbol.op} of what is one number a tensor")
        over = symbol.name if symbol.op in MODEL_SUMS else ""
        name = self._free("sum")
        self.passes += [[] for _ in range(depth + 1 - len(self.passes))]
        self.passes[depth].append(Sum(name, addend, symbol.op in NORMS, over))
        made = self._input(name, NUMBER if over else PER_TENSOR)
        if symbol.op != "mean":
            return made
        if self.count is None:
            self.count = self._input(self._free("elements"), PER_TENSOR)
        return Symbol("truediv", (made, self.count), PER_TENSOR)

    def _input(self, name: str, level: int) -> Symbol:
        made = self.inputs[name] = Symbol.input(name, level)
        return made

    def _free(self, word: str) -> str:
        k = 1
        while f"{word}_{k}" in self.inputs:
            k += 1
        return f"{word}_{k}"


def _are(some: Iterable[Any], others: Iterable[Any]) -> bool:
    return all(a is b for a, b in zip(some, others, strict=True))
