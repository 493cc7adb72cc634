"""Two loops over each block for programs that need its largest number: one finds it, one uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from thalweg.engines.expressions import Loop, Writer, indented
from thalweg.engines.names import Names
from thalweg.graph.program import NotTraced
from thalweg.graph.storage import BLOCK
from thalweg.values.symbols import TENSOR, Symbol


@dataclass(frozen=True)
class Phases:
    """The symbols (by id) whose largest number is needed, with its name, and the symbols of the second loop.

    Without any of the former, one loop suffices.
    """

    tops: dict[int, str]
    late: set[int]


@dataclass(frozen=True)
class Stores:
    """The outputs of a pass: new values by name, the names with one number per block, and how to write a store."""

    values: list[tuple[str, Any]]
    blocked: frozenset[str]
    line: Callable[[str, Any], str]


def phases_of(names: Names) -> Phases:
    """Assign each symbol to a loop: to the second if it needs a largest number or if no largest number needs it."""
    late: set[int] = set()
    users: dict[int, list[int]] = {}
    for symbol in names.symbols:
        args = [id(names.first(arg)) for arg in symbol.args if isinstance(arg, Symbol)]
        for arg in args:
            users.setdefault(arg, []).append(id(symbol))
        if symbol.op == "largest_of_block" or late.intersection(args):
            late.add(id(symbol))
    tops = {id(symbol): f"top_{k}" for k, symbol in enumerate(names.symbols) if symbol.op == "largest_of_block"}
    for symbol in reversed(names.symbols):
        mine = users.get(id(symbol), [])
        at_hand = all(arg.op != "input" or arg.level < TENSOR for arg in symbol.args if isinstance(arg, Symbol))
        mine_alone = bool(mine) and late.issuperset(mine) and tops.keys().isdisjoint(mine)
        if symbol.op != "input" and symbol.level == TENSOR and at_hand and mine_alone:
            late.add(id(symbol))
    return Phases(tops, late)


def carried_by(names: Names, phases: Phases) -> list[Symbol]:
    """Return the symbols that the first loop computes and the second needs."""
    found: dict[int, Symbol] = {}
    for symbol in names.symbols:
        if id(symbol) in phases.late and symbol.op != "largest_of_block":
            for arg in symbol.args:
                first = names.first(arg)
                if isinstance(first, Symbol) and first.level == TENSOR and id(first) not in phases.late:
                    if first.op == "input":
                        raise NotTraced("what is kept in int8 depends on a tensor as it was before the step")
                    found.setdefault(id(first), first)
    return list(found.values())


@dataclass(frozen=True)
class Frame:
    """What a kernel has around its loops: columns, after which the carried values are stored; integers of a job; and lines that
    draw the random numbers of elements `begin` to `end`.
    """

    width: int
    fields: int
    draws: list[str]


def two_loops(
    write: Writer, loop: Loop, phases: Phases, carried: list[Symbol], loads: list[str], frame: Frame, stores: Stores
) -> list[str]:
    """Write the two loops over each block."""
    loop.said |= {"larger", "magnitude", "largest", "scratch"}
    _find(write, phases, stores)
    keeps, again = [], []
    for k, symbol in enumerate(carried):
        letter = write.letters[id(symbol)]
        keeps.append(f"store_{loop.computed}({frame.width + k}, kept_{k}, i - begin, {letter})")
        again.append(f"{letter} = load_{loop.computed}({frame.width + k}, kept_{k}, i - begin)")
    finding, write.lines = [*loads, *write.lines, *keeps], []
    scales = _scales(write, phases, stores)
    late = _use(write, phases, stores)
    first, last = (f"jobs[{frame.fields} * job + {k}]" for k in (2, 3))
    body = [
        f"begin = {BLOCK} * block",
        f"end = min(begin + {BLOCK}, {last})",
        *frame.draws,
        f"{' = '.join(phases.tops.values())} = magnitude(number(0.0))",
        "for i in range(begin, end):",
        *indented(finding),
        *scales,
        "for i in range(begin, end):",
        *indented([*again, *write.lines, *late]),
    ]
    blocks = f"for block in range({first} // {BLOCK}, ({last} + {BLOCK - 1}) // {BLOCK}):"
    return [blocks, *indented(body)]


def _find(write: Writer, phases: Phases, stores: Stores) -> None:
    """Write the first loop: its values, the running maxima, and the stores that are ready."""
    for symbol in write.names.symbols:
        if symbol.level == TENSOR and id(symbol) not in phases.late:
            write.visit(symbol)
    for symbol in write.names.symbols:
        if symbol.op == "largest_of_block":
            top = phases.tops[id(symbol)]
            write.lines.append(f"{top} = larger({top}, magnitude({write.text(symbol.args[0])[0]}))")
    for name, value in stores.values:
        if not isinstance(value, Symbol) or id(value) not in phases.late:
            write.lines.append(stores.line(name, value))


def _scales(write: Writer, phases: Phases, stores: Stores) -> list[str]:
    """Write the code between the loops: the maxima, stored once per block."""
    for key, top in phases.tops.items():
        write.letters[key] = f"scale_{top}"
    scales = [f"scale_{top} = largest({top})" for top in phases.tops.values()]
    return scales + [stores.line(name, value) for name, value in stores.values if name in stores.blocked]


def _use(write: Writer, phases: Phases, stores: Stores) -> list[str]:
    """Write the second loop; return its stores."""
    for symbol in write.names.symbols:
        if id(symbol) in phases.late:
            write.visit(symbol)
    return [
        stores.line(name, value)
        for name, value in stores.values
        if name not in stores.blocked and isinstance(value, Symbol) and id(value) in phases.late
    ]
