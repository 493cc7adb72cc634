"""A program as source code: `numbers` computes what a tensor's elements share, `step` is one loop over memory for Numba."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.engines.blocks import Frame, Stores, carried_by, phases_of, two_loops
from thalweg.engines.expressions import (
    COMPARISONS,
    COMPUTED,
    OPERATORS,
    STORAGE_WORDS,
    Loop,
    Python,
    Writer,
    indented,
    level,
)
from thalweg.engines.lines import RESERVED, at_start, row_by_row
from thalweg.engines.names import Names, needed_if
from thalweg.form import trace
from thalweg.form.memory import COLS
from thalweg.graph.draws import DRAWN
from thalweg.graph.program import NotTraced, Program
from thalweg.graph.storage import BLOCK
from thalweg.ops.word import WORDS
from thalweg.values.symbols import PER_TENSOR, TENSOR, Symbol

OWN_WORDS = (
    "angle", "cube_root", "exponential", "fetch", "floor", "hyperbolic_tangent", "larger", "largest", "leaf_squares_float32",
    "leaf_squares_float64", "leaf_sums_float32", "leaf_sums_float64", "logistic", "magnitude", "peek", "poke", "raised",
    "scratch", "share",
)  # fmt: skip
"""Words of `thalweg.engines.words` that a loop may use, besides those of storage, loads and stores."""
SAID = (
    "row", "at", "job", "jobs", "first", "last", "i", "numbers", "addresses", "number", "block", "begin", "end",
    "tile", "seed", "name", "start",
    "normals", "bits", "whole", "share", "kept", "math",
    "inf", "nan", *(name for name, word in WORDS.items() if word.loop is None), *STORAGE_WORDS,
)  # fmt: skip
"""Names that every loop uses."""
GENERATORS = frozenset({"normals", "bits", "whole"})
"""Words of `thalweg.engines.generator`."""
TILE = 512
"""Elements whose noise is drawn at once, into a buffer in the cache."""
BYTES = {"int8": 1, "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
AHEAD = 8192
"""Bytes of all columns between what a loop computes and what it asks the memory for. Processors ask by themselves, but not far
enough ahead of a loop with much arithmetic."""
PIECE, MUCH = 64, 4.5
"""Elements asked for at once; and how many operations for each column are so much that asking pays."""
FUNCTIONS, MANY = frozenset({"pow", "exp", "log", "cos", "tanh", "sigmoid", "arctan2"}), 20
"""Words that take about so many operations."""


@dataclass(frozen=True)
class Kernel:
    """A module's source with both functions, the source of `numbers` alone, and their arguments.

    columns: the tensors by input name, in the order of the kernel's addresses. needs: the argument names of `numbers`,
    which returns the kernel's `width` numbers, then the new per-tensor and per-model memory, by slot.
    """

    title: str
    numbers: str
    text: str
    columns: tuple[str, ...]
    needs: tuple[str, ...]
    width: int
    kept: tuple[int, ...]


def printed(program: Program, title: str, dtypes: dict[str, str], columns: tuple[str, ...] | None = None) -> Kernel:
    """Return the kernel of a program. dtypes: of each input tensor, by name. columns: all columns of the address table, if it
    has more than the program needs.

    Raises NotTraced for a program with words that no single pass over memory can compute.
    """
    return Printer(program, title, dtypes, columns).kernel()


class Printer:
    reserved: Collection[str] = ()
    """Names that the language's kernels use, besides `SAID`."""

    def __init__(self, program: Program, title: str, dtypes: dict[str, str], columns: tuple[str, ...] | None = None) -> None:
        self.program, self.title, self.dtypes, self.columns = program, title, dtypes, columns
        self.names = Names(program, SAID)
        self.names.keep_off((*OWN_WORDS, *self.reserved, *(RESERVED if program.margins else ())))

    def language(self) -> Loop:
        """Return the words of the loop."""
        return Loop(self.computed)

    def kernel(self) -> Kernel:
        slots = self.program.slots
        for symbol in self.names.symbols:
            self._check(symbol)
        updated = [("p", self.program.parameter), ("walked", self.program.walked)]
        updated += [(slot.old.name, slot.new) for slot in slots if slot.old.level == TENSOR and slot.new is not slot.old]
        updated += self.program.beside.items()
        stores = [(name, self.names.first(value)) for name, value in updated if value is not None]
        kept = [i for i, slot in enumerate(slots) if slot.old.level < TENSOR]
        for i in kept:
            if level(slots[i].new) > slots[i].old.level:
                raise NotTraced(f"{slots[i].stage.name} keeps in '{slots[i].old.name}' what differs within a tensor or model")
        shared = self._frontier([value for _, value in stores])
        numbers, needs = self._numbers(shared, [self.names.first(slots[i].new) for i in kept])
        used = {s.name for s in self.names.symbols if s.op == "input" and s.level == TENSOR} | {name for name, _ in stores}
        columns = self.columns or tuple(name for name in self.program.inputs if name in used)
        imports, step = self._step(shared, columns, stores)
        does = "what the host takes" if self.program.parameter is None else "the new values"
        text = "\n".join(
            [
                f'"""{self.title}: {does}, in one pass over memory. Printed by thalweg from the rule."""',
                "",
                imports,
                numbers,
                step,
            ]
        )
        return Kernel(self.title, numbers, text, columns, needs, len(shared), tuple(kept))

    def _check(self, symbol: Symbol) -> None:
        words = {"input", "neg", "abs", "pow", "rpow", *DRAWN, *WORDS, *STORAGE_WORDS}
        known = symbol.op in OPERATORS or symbol.op in words
        if not known:
            raise NotTraced(f"{self.title}: no pass over single numbers knows {symbol.op}")

    def _frontier(self, results: Sequence[Any]) -> list[Symbol]:
        """Return the inputs of the loop: numbers that its operations or results use."""
        wanted: dict[int, Symbol] = {}
        used = [arg for s in self.names.symbols if s.level == TENSOR for arg in s.args] + list(results)
        for arg in used:
            if isinstance(arg, Symbol) and arg.level < TENSOR:
                first = self.names.first(arg)
                wanted.setdefault(id(first), first)
        return list(wanted.values())

    # the host's part

    def _numbers(self, shared: list[Symbol], kept: list[Any]) -> tuple[str, tuple[str, ...]]:
        below = {id(s) for s in trace.steps([*shared, *kept])}
        symbols = [s for s in self.names.symbols if id(s) in below]
        needs = tuple(s.name for s in symbols if s.op == "input")
        write = Writer(self.names, Python(), {id(s) for s in [*shared, *kept] if isinstance(s, Symbol)})
        write.kept = {id(s) for s in kept if isinstance(s, Symbol) and s.level == PER_TENSOR}
        for symbol in symbols:
            write.visit(symbol)
        returned = [write.text(value)[0] for value in [*shared, *kept]]
        lines = [*write.lines, f"return ({', '.join(returned)}{',' if len(returned) == 1 else ''})"]
        body = "\n".join(f"    {line}" for line in lines)
        self.names.letters.update(write.letters)
        arguments = ", ".join(self.names.letters[id(self.program.inputs[name])] for name in needs)
        return f"def numbers({arguments}):\n{body}\n", needs

    # the loop

    def _step(self, shared: list[Symbol], columns: tuple[str, ...], stores: list[tuple[str, Any]]) -> tuple[str, str]:
        phases = phases_of(self.names)
        carried = carried_by(self.names, phases)
        loop = self.language()
        write = Writer(self.names, loop, {id(symbol) for symbol in carried})
        heads = self.heads(write, loop, shared, columns)
        loads = self.loads(write, columns)
        to = Stores(stores, self.program.blocked, lambda name, value: self.store(write, columns, name, value))
        if phases.tops and self.by_row:
            raise NotTraced("rows and columns beside what is kept in int8")
        rooms = [f"kept_{k} = scratch({BLOCK})" for k in range(len(carried))]
        for k, symbol in enumerate(self.draws):
            rooms.append(f"drawn_{k} = scratch({TILE})")
            if needed_if(self.names, symbol) is not None:  # what lies there by chance may be numbers that take longer
                zero = f"store_float32({len(columns) + len(carried) + k}, drawn_{k}, i, number(0.0))"
                rooms += [f"for i in range({TILE}):", f"    {zero}"]
        draws = self.drawing(write, loop, len(columns) + len(carried))
        if phases.tops:
            body = two_loops(write, loop, phases, carried, loads, Frame(len(columns), self.fields, draws), to)
        else:
            self.visit(write)
            ends = [to.line(name, value) for name, value in stores]
            element = [*loads, *write.lines, *ends]
            first, last = (f"jobs[{self.fields} * job + {k}]" for k in (2, 3))
            fetches = self.fetches(loop, "begin", PIECE, columns) if self.much and not (draws or self.by_row) else []
            body = self.over(*(("begin", "end") if draws or fetches else (first, last)), self.row_loads(write, columns), element)
            body = in_tiles(first, last, PIECE if fetches else TILE, [*draws, *fetches, *body]) if draws or fetches else body
        used = self.dtypes_of(columns) | ({self.computed} if carried else set()) | ({"float32"} if self.draws else set())
        return self.imports(loop, used), self.function(rooms, (len(columns), len(shared)), [*heads, *body])

    def dtypes_of(self, columns: tuple[str, ...]) -> set[str]:
        """Return the dtypes of the arrays among the columns of an address table."""
        return {self.dtypes[column] for column in columns if column in self.dtypes}

    @property
    def computed(self) -> str:
        """The dtype of the arithmetic."""
        return COMPUTED[self.dtypes["p"]]

    @property
    def by_row(self) -> bool:
        """Whether it reads a number per row or column."""
        return any(symbol.op == "input" and symbol.name in self.program.margins for symbol in self.names.symbols)

    def heads(self, write: Writer, loop: Loop, shared: list[Symbol], columns: tuple[str, ...]) -> list[str]:
        """Return the first lines of a job: its numbers, and the addresses of its columns."""
        lines = []
        for k, symbol in enumerate(shared):
            name = write.name(symbol, "n")
            truth = " != 0" if symbol.op in COMPARISONS else ""
            lines.append(f"{name} = numbers[at + {k}]{truth}")
        names = [f"{column}_at" if column in self.dtypes else column for column in columns]  # the others are matrices' sizes
        lines += [f"{name} = addresses[row + {k}]" for k, name in enumerate(names)]
        lines += at_start() if self.by_row else []
        if self.draws:
            lines.append(f"seed, name, start = {', '.join(f'jobs[{self.fields} * job + {k}]' for k in (4, 5, 6))}")
        return lines

    @property
    def draws(self) -> list[Symbol]:
        """What the kernel draws itself."""
        return [symbol for symbol in self.names.symbols if symbol.op in DRAWN]

    def drawing(self, write: Writer, loop: Loop, arrays: int) -> list[str]:
        """Return lines that draw the random numbers of elements `begin` to `end` into buffers; the loop learns how to read them.

        arrays: how many arrays there are besides these buffers.
        """
        lines = []
        for k, symbol in enumerate(self.draws):
            (t, _), (more, _), (draw, _) = map(write.text, symbol.args)
            fill, load = ("normals", "load_float32") if symbol.op == "normal" else ("bits", "share")
            found = f"{load}({arrays + k}, drawn_{k}, i - begin)"
            loop.drawn[draw] = found if self.computed == "float32" else f"number({found})"
            loop.said |= {"scratch", fill, "whole", *(["share"] if load == "share" else [])}
            line = f"{fill}(drawn_{k}, seed, name, whole({t}, {more}), {symbol.args[2]}, begin - start, end - begin)"
            condition = needed_if(self.names, symbol)
            lines += [line] if condition is None else [f"if {write.text(condition)[0]}:", f"    {line}"]
        return lines

    @property
    def much(self) -> bool:
        """Whether the loop computes so much that it keeps the memory waiting."""
        own = [symbol for symbol in self.names.symbols if symbol.level == TENSOR]
        plain = [symbol for symbol in own if symbol.op == "pow" and repr(symbol.args[1]) in ("2", "2.0", "0.5")]
        work = len(own) + (MANY - 1) * (sum(symbol.op in FUNCTIONS for symbol in own) - len(plain))
        reads = sum(symbol.op == "input" for symbol in own)
        return work - reads >= MUCH * reads

    def read(self, columns: tuple[str, ...]) -> list[str]:
        """Return the columns of which the loop reads an element at a time."""
        read = {s.name for s in self.names.symbols if s.op == "input" and s.level == TENSOR}
        return [column for column in columns if column in read and self._place(column) == "i"]

    def fetches(self, loop: Loop, first: str, count: int, columns: tuple[str, ...]) -> list[str]:
        """Return lines that ask for what a loop reads some time after it has read `count` elements from `first` on."""
        sizes = {column: BYTES[self.dtypes[column]] for column in self.read(columns)}
        loop.said.add("fetch")
        later = max(1, AHEAD // sum(sizes.values()) // PIECE) * PIECE
        return [f"fetch({column}_at + {size} * ({first} + {later}), {size * count})" for column, size in sizes.items()]

    def over(self, first: str, last: str, of_row: list[str], element: list[str]) -> list[str]:
        """Return the loop over elements `first` to `last` of a tensor. of_row: lines for each row, if rows matter."""
        if self.by_row:
            return row_by_row(first, last, of_row, element)
        return [f"for i in range({first}, {last}):", *indented(element)]

    def row_loads(self, write: Writer, columns: tuple[str, ...]) -> list[str]:
        """Return lines that load a row's number of each column that is read and has one per row."""
        return self.loads(write, columns, per_row=True)

    def loads(self, write: Writer, columns: tuple[str, ...], *, per_row: bool = False) -> list[str]:
        """Return lines that load an element of each column that is read."""
        read = {s.name for s in self.names.symbols if s.op == "input" and s.level == TENSOR}
        lines = []
        for k, column in enumerate(columns):
            if column in read and per_row == (self._place(column) == "line"):
                letter = write.letters[id(self.program.inputs[column])]
                lines.append(f"{letter} = {self.load(k, column)}")
        return lines

    def load(self, k: int, column: str) -> str:
        """Return the load of an element of the k-th column."""
        return f"load_{self.dtypes[column]}({k}, {column}_at, {self._place(column)})"

    def visit(self, write: Writer) -> None:
        """Write all that differs between elements."""
        for symbol in self.names.symbols:
            if symbol.level == TENSOR:
                write.visit(symbol)

    def imports(self, loop: Loop, dtypes: Collection[str]) -> str:
        """Return a module's import lines. dtypes: of its loads and stores."""
        math = sorted(loop.said - {*OWN_WORDS, *STORAGE_WORDS, *GENERATORS})
        drawn = loop.said & GENERATORS
        words = [f"{verb}_{dtype}" for dtype in sorted(dtypes) for verb in ("load", "store")]
        words += sorted(word for word in (*OWN_WORDS, *STORAGE_WORDS) if word in loop.said)
        lines = [
            *([f"from math import {', '.join(math)}", ""] if math else []),
            "from numba import cfunc, types",
            "from numpy import " + self.computed + " as number",
            "",
            *([f"from thalweg.engines.generator import {', '.join(sorted(drawn))}"] if drawn else []),
            "from thalweg.engines.words import " + ", ".join(words),
            "",
            "integers = types.CPointer(types.int64)",
            f"floats = types.CPointer(types.{self.computed})",
            "\n",
        ]
        return "\n".join(lines)

    @property
    def fields(self) -> int:
        """The number of integers of a job: tensor, row of numbers, first and last element; to draw, key and lane's start."""
        return 7 if self.draws else 4

    def function(self, rooms: list[str], widths: tuple[int, int], body: list[str]) -> str:
        """Return the source of `step`. rooms: lines before its jobs. widths: how many columns and numbers it has. body: a job."""
        fields = self.fields
        lines = [
            "",
            '@cfunc(types.int64(integers, floats, integers, types.int64, types.int64), error_model="numpy")',
            "def step(addresses, numbers, jobs, first, last):",
            *indented(rooms),
            "    for job in range(first, last):",
            f"        row, at = {widths[0]} * jobs[{fields} * job], {widths[1]} * jobs[{fields} * job + 1]",
            *indented(indented(body)),
            "    return 0",
        ]
        return "\n".join(lines) + "\n"

    def store(self, write: Writer, columns: tuple[str, ...], name: str, value: Any) -> str:
        column = columns.index(name)
        return f"store_{self.dtypes[name]}({column}, {name}_at, {self._place(name)}, {write.text(value)[0]})"

    def _place(self, column: str) -> str:
        if column in self.program.margins:
            return "i + shift" if self.program.margins[column] == COLS else "line"
        return "block" if column in self.program.blocked else "i"


def in_tiles(first: str, last: str, size: int, tile: Sequence[str]) -> list[str]:
    """Return the loop over tiles of elements `first` to `last`. tile: lines for elements `begin` to `end`."""
    return [
        f"for begin in range({first}, {last}, {size}):",
        f"    end = min(begin + {size}, {last})",
        *indented(tile),
    ]
