"""Where a block's largest number is wanted, there are two loops over the block: one finds it, one uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from thalweg.engines.expressions import Loop, Writer, indented
from thalweg.graph.program import NotTraced
from thalweg.graph.storage import BLOCK
from thalweg.values.symbols import TENSOR, Symbol

if TYPE_CHECKING:
    from thalweg.engines.kernel import Printer


@dataclass(frozen=True)
class Phases:
    """Whether there are two loops over a block, and the symbols (by id) that the second computes."""

    blocks: bool
    late: set[int]


def phases_of(printer: Printer) -> Phases:
    """Which loop each symbol is computed in: the second, where it needs a largest number or nothing else needs it."""
    late: set[int] = set()
    users: dict[int, list[int]] = {}
    for symbol in printer.symbols:
        args = [id(printer.first(arg)) for arg in symbol.args if isinstance(arg, Symbol)]
        for arg in args:
            users.setdefault(arg, []).append(id(symbol))
        if symbol.op == "largest_of_block" or late.intersection(args):
            late.add(id(symbol))
    tops = {id(symbol) for symbol in printer.symbols if symbol.op == "largest_of_block"}
    for symbol in reversed(printer.symbols):
        mine = users.get(id(symbol), [])
        at_hand = all(arg.op != "input" or arg.level < TENSOR for arg in symbol.args if isinstance(arg, Symbol))
        mine_alone = bool(mine) and late.issuperset(mine) and not tops.intersection(mine)
        if symbol.op != "input" and symbol.level == TENSOR and at_hand and mine_alone:
            late.add(id(symbol))
    return Phases(bool(tops), late)


def carried_by(printer: Printer, phases: Phases) -> list[Symbol]:
    """What the first loop computes and the second needs."""
    found: dict[int, Symbol] = {}
    for symbol in printer.symbols:
        if id(symbol) in phases.late and symbol.op != "largest_of_block":
            for arg in symbol.args:
                first = printer.first(arg)
                if isinstance(first, Symbol) and first.level == TENSOR and id(first) not in phases.late:
                    if first.op == "input":
                        raise NotTraced("what is kept in int8 depends on a tensor as it was before the step")
                    found.setdefault(id(first), first)
    return list(found.values())


def two_loops(
    printer: Printer, write: Writer, loop: Loop, phases: Phases, carried: list[Symbol], loads: list[str],
    columns: tuple[str, ...], stores: list[tuple[str, Any]], tops: dict[int, str],
) -> list[str]:  # fmt: skip
    """The two loops, for one block after another."""
    loop.said |= {"larger", "magnitude", "largest", "scratch"}
    early = [s for s in printer.symbols if s.level == TENSOR and id(s) not in phases.late]
    for symbol in early:
        write.visit(symbol)
    for symbol in printer.symbols:
        if symbol.op == "largest_of_block":
            top = tops[id(symbol)]
            write.lines.append(f"{top} = larger({top}, magnitude({write.text(symbol.args[0])[0]}))")
    for name, value in stores:
        if not isinstance(value, Symbol) or id(value) not in phases.late:
            write.lines.append(printer.store(write, columns, name, value))
    ends, again, keeps = [], [], []
    first = len(columns)
    for k, symbol in enumerate(carried):
        letter = write.letters[id(symbol)]
        keeps.append(f"store_{loop.computed}({first + k}, kept_{k}, i - begin, {letter})")
        again.append(f"{letter} = load_{loop.computed}({first + k}, kept_{k}, i - begin)")
    finding, write.lines = [*loads, *write.lines, *keeps], []
    for symbol in printer.symbols:
        if symbol.op == "largest_of_block":
            write.letters[id(symbol)] = f"scale_{tops[id(symbol)]}"
            ends.append(f"scale_{tops[id(symbol)]} = largest({tops[id(symbol)]})")
    blocked = {name for name, _ in stores} & printer.program.blocked
    ends += [printer.store(write, columns, name, value) for name, value in stores if name in blocked]
    for symbol in printer.symbols:
        if id(symbol) in phases.late:
            write.visit(symbol)
    late = [
        printer.store(write, columns, name, value)
        for name, value in stores
        if name not in blocked and isinstance(value, Symbol) and id(value) in phases.late
    ]
    return [
        f"for block in range(jobs[4 * job + 2] // {BLOCK}, (jobs[4 * job + 3] + {BLOCK - 1}) // {BLOCK}):",
        *indented(
            [
                f"begin = {BLOCK} * block",
                f"end = min(begin + {BLOCK}, jobs[4 * job + 3])",
                f"{' = '.join(tops.values())} = magnitude(number(0.0))",
                "for i in range(begin, end):",
                *indented(finding),
                *ends,
                "for i in range(begin, end):",
                *indented([*again, *write.lines, *late]),
            ]
        ),
    ]
