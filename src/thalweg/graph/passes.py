"""A step cut into passes over memory: each computes sums that later passes need, and the last one writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from thalweg.form import trace
from thalweg.form.memory import COLS, ROWS, SLICES
from thalweg.graph import margins
from thalweg.graph.margins import Margin, Reduction, Stored
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
class Pass:
    """What a pass before the last one sums up, what it reduces to rows and columns, and what it stores."""

    sums: tuple[Sum, ...]
    reductions: tuple[Reduction, ...]
    stored: tuple[Stored, ...]


@dataclass(frozen=True)
class Cut:
    """The passes but the last, and the program of the last pass, whose inputs are the sums.

    margins: what the host computes before each pass, and before the last. count: the input for the number of elements in a
    tensor, if the program needs it. like: the host's input for an array of the tensor's shape, likewise. sizes: the inputs for a
    matrix's numbers of rows and of columns, by word. words: the functions of whole matrices, by the names that margins have for
    them.
    """

    passes: tuple[Pass, ...]
    last: Program
    margins: tuple[tuple[Margin, ...], ...]
    count: str | None = None
    like: str | None = None
    sizes: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def by_row(self) -> bool:
        """Whether it matters which elements of a tensor are a row."""
        return bool(any(self.margins) or any(each.reductions for each in self.passes) or self.sizes)

    @property
    def plain_words(self) -> list[str]:
        """The words of whole matrices, each once, as rules call them."""
        return list(dict.fromkeys(word.rsplit("_", 1)[0] for word in self.words))

    def of(self, values: dict[str, Any]) -> Program:
        """Return the program of a pass that writes nothing but these values."""
        return replace(self.last, slots=[], parameter=None, walked=None, beside=values)


def cut(program: Program) -> Cut:
    """Cut a program into passes. Raises NotTraced for a sum of a number per tensor, row or column."""
    return _Cutter(program).cut()


class _Cutter:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.inputs = dict(program.inputs)
        self.first = trace.shared(program.results)
        self.new: dict[int, Any] = {}
        self.depths: dict[int, int] = {}
        self.sums: list[list[Sum]] = []
        self.reductions: list[list[Reduction]] = []
        self.stored: list[list[Stored]] = []
        self.words: dict[str, Callable[..., Any]] = {}
        self.sizes: dict[str, Symbol] = {}
        self.margins: list[list[Margin]] = [[]]
        self.kinds: dict[int, str] = {}
        self.read: dict[int, Symbol] = {}
        self.names = dict(program.names)
        self.count: Symbol | None = None
        self.like: Symbol | None = None

    def cut(self) -> Cut:
        program = self.program
        for symbol in trace.steps(program.results):
            self._visit(symbol)
        slots = [replace(slot, new=self._full(slot.new)) for slot in program.slots if slot.old.name not in program.margins]
        for slot in program.slots:
            if slot.old.name in program.margins and slot.new is not slot.old:
                self._remember(slot.old.name, self._of(slot.new))
        beside = {name: self._full(value) for name, value in program.beside.items()}
        point, walked = self._full(program.parameter), self._full(program.walked)
        self._put_off()
        found = zip(self.sums, self.reductions, self.stored, strict=True)
        passes = tuple(Pass(tuple(sums), tuple(reductions), tuple(stored)) for sums, reductions, stored in found)
        held = tuple(map(tuple, self.margins))
        sizes = {word: symbol.name for word, symbol in self.sizes.items()}
        if program.arranged and (any(held) or sizes or any(each.reductions or each.stored for each in passes)):
            raise NotTraced("rows and columns of axes that are arranged in another way")
        if not passes and not any(held) and not program.flat and not sizes:
            return Cut((), program, held)
        last = replace(
            program, slots=slots, parameter=point, walked=walked, beside=beside, inputs=self.inputs, names=self.names,
            margins={one.name: one.kind for own in held for one in own if not one.is_memory and one.kind != margins.WHOLE},
        )  # fmt: skip
        count, like = (None if x is None else x.name for x in (self.count, self.like))
        return Cut(passes, last, held, count, like, sizes, self.words)

    def _of(self, value: Any) -> Any:
        return self.new[id(self.first[id(value)])] if isinstance(value, Symbol) else value

    def _visit(self, symbol: Symbol) -> None:
        args = tuple(map(self._of, symbol.args))
        depth = self._depth(args)
        kinds = [self.kinds.get(id(arg)) for arg in args if isinstance(arg, Symbol) and arg.level == TENSOR]
        if symbol.op in REDUCTIONS or symbol.op in MODEL_SUMS:
            made = self._sum(symbol, args[0], depth)
            depth += 1
        elif symbol.op in margins.MEANS and kinds == [None]:
            made = self._reduced(args[0], margins.MEANS[symbol.op], "mean", depth)
            depth += 1
        elif symbol.compute is not None and kinds == [None]:
            made = self._whole(symbol, args, depth)
            depth = self.depths[id(made)]
        elif symbol.op in ("rows", "cols") and kinds == [None]:
            made = self.sizes.setdefault(symbol.op, self._input(self._free(symbol.op), PER_TENSOR))
            depth = 0
        elif symbol.op in ("slice_max", "slice_min"):
            made = self._slices(symbol.op, args[0], depth)
            depth = self.depths.get(id(made), depth)
        else:
            made = self._joined(symbol, args, kinds)
        self.new[id(symbol)] = made
        self.depths[id(made)] = depth
        if id(symbol) in self.program.names and not (made.op == "input" and made is not symbol):
            self.names.setdefault(id(made), self.program.names[id(symbol)])

    def _depth(self, args: Iterable[Any]) -> int:
        """Return the number of the first pass before which these are known, or during which they can be computed."""
        return max((self.depths[id(arg)] for arg in args if isinstance(arg, Symbol)), default=0)

    def _joined(self, symbol: Symbol, args: tuple[Any, ...], kinds: list[str | None]) -> Symbol:
        """Return an operation on these arguments: one of the host's if they are margins, else one of the passes'."""
        kind = self.program.margins.get(symbol.name) if symbol.op == "input" else margins.joined(symbol.op, kinds)
        if kind is None:
            args = tuple(map(self._as_read, args))
        made = symbol if _are(args, symbol.args) else Symbol(symbol.op, args, symbol.level, symbol.name)
        if kind is not None:
            self.kinds[id(made)] = kind
        return made

    # sums

    def _sum(self, symbol: Symbol, addend: Any, depth: int) -> Symbol:
        """Return the input for a sum that is computed in the pass of this depth."""
        if not isinstance(addend, Symbol) or addend.level < TENSOR:
            raise NotTraced(f"{symbol.op} of what is one number a tensor")
        if id(addend) in self.kinds:
            raise NotTraced(f"{symbol.op} of what is one number a row or column")
        over = symbol.name if symbol.op in MODEL_SUMS else ""
        name = self._free("sum")
        self._reach(depth)
        self.sums[depth].append(Sum(name, addend, symbol.op in NORMS, over))
        made = self._input(name, NUMBER if over else PER_TENSOR)
        if symbol.op != "mean":
            return made
        if self.count is None:
            self.count = self._input(self._free("elements"), PER_TENSOR)
        return Symbol("truediv", (made, self.count), PER_TENSOR)

    def _reach(self, depth: int) -> None:
        """Make room for the pass of this depth, and for what is computed after it."""
        while len(self.sums) <= depth:
            self.sums.append([])
            self.reductions.append([])
            self.stored.append([])
            self.margins.append([])

    def _put_off(self) -> None:
        """Move a pass's sums together to a later pass that has some and before which none is read: that saves one kernel."""
        for k, sums in enumerate(self.sums):
            names = {one.name for one in sums}
            first = next((j for j in range(k + 1, len(self.sums)) if names & self._read_by(j)), len(self.sums))
            later = [j for j in range(k + 1, first) if self.sums[j]]
            if later and not any(one.over for one in sums):
                self.sums[later[-1]] = [*sums, *self.sums[later[-1]]]
                self.sums[k] = []

    def _read_by(self, depth: int) -> set[str]:
        """Return the names of the inputs of a pass and of what the host computes before it."""
        of: list[Any] = [one.of for own in (self.sums, self.reductions, self.stored) for one in own[depth]]
        return {symbol.name for symbol in trace.steps([*of, *(one.of for one in self.margins[depth])])}

    # rows and columns

    def _reduced(self, x: Symbol, along: str, word: str, depth: int) -> Symbol:
        """Return the host's input for means or maxima that are computed in the pass of this depth."""
        name = self._free(along)
        self._reach(depth)
        self.reductions[depth].append(Reduction(name, x, along, word))
        made = self._input(name, TENSOR)
        self.kinds[id(made)], self.depths[id(made)] = along, depth + 1
        return made

    def _whole(self, symbol: Symbol, args: tuple[Any, ...], depth: int) -> Symbol:
        """Return the passes' input for what the host makes of a matrix that the pass of this depth stores."""
        assert symbol.compute is not None
        if not all(isinstance(arg, Symbol | int | float | np.number) for arg in args[1:]):
            raise NotTraced(f"{symbol.op} of what is no number")
        self._reach(depth)
        stored, word = self._free("stored"), f"{symbol.op}_{len(self.words) + 1}"
        self.stored[depth].append(Stored(stored, args[0]))
        self.words[word] = symbol.compute
        made = Symbol(word, (self._input(stored, TENSOR), *args[1:]), TENSOR)
        self.kinds[id(made)], self.depths[id(made)] = margins.WHOLE, depth + 1
        read: Symbol = self._as_read(made)
        return read

    def _slices(self, op: str, x: Symbol, depth: int) -> Symbol:
        """Return the slices' maxima, or for each element the least of its slices' numbers."""
        if self.program.flat:
            return x
        kind = self.kinds.get(id(x))
        if kind != (SLICES if op == "slice_min" else None):
            raise NotTraced(f"{op} of what is not its own")
        if op == "slice_max":
            rows, cols = (self._reduced(x, along, "max", depth) for along in (ROWS, COLS))
            return self._margin(margins.all_slices(rows, cols), SLICES, depth + 1)
        like = self.like = self.like or self._input(self._free("like"), TENSOR)
        rows = self._margin(margins.row_part(x, like), ROWS, depth)
        cols = self._margin(margins.col_part(x, like), COLS, depth)
        made = Symbol("minimum", (self._as_read(rows), self._as_read(cols)), TENSOR)
        self.depths[id(made)] = depth
        return made

    def _margin(self, made: Symbol, kind: str, depth: int) -> Symbol:
        self.kinds[id(made)], self.depths[id(made)] = kind, depth
        return made

    def _full(self, value: Any) -> Any:
        """Return a result of the passes."""
        return self._as_read(self._of(value))

    def _as_read(self, x: Any) -> Any:
        """Return the input through which the passes read a margin; anything else unchanged."""
        kind = self.kinds.get(id(x)) if isinstance(x, Symbol) else None
        if kind is None:
            return x
        if kind == SLICES:
            raise NotTraced("slices beside what is no slices")
        if id(x) not in self.read:
            name = self._free({COLS: "col", margins.WHOLE: "matrix"}.get(kind, "row"))
            self.margins[self.depths[id(x)]].append(Margin(name, x, kind, is_memory=False))
            self.read[id(x)] = self._input(name, TENSOR)
            self.depths[id(self.read[id(x)])] = self.depths[id(x)]
        return self.read[id(x)]

    def _remember(self, name: str, value: Any) -> None:
        """Let the host compute the new memory of a margin."""
        kind, tensor = self.program.margins[name], isinstance(value, Symbol) and value.level == TENSOR
        if tensor and self.kinds.get(id(value)) != kind:
            raise NotTraced(f"'{name}' is one number a row or column, and its new value is another")
        self.margins[self._depth([value])].append(Margin(name, value, kind, is_memory=True))

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
