"""A whole step as a JavaScript function: the same graph as the kernels', printed for a web page, in float64."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg import ops
from thalweg.core.leaf import Leaf
from thalweg.core.optimizer import Optimizer
from thalweg.engines.expressions import ATOM, COMPARISONS, OPERATORS, Loop, Text, Writer, indented, wrap
from thalweg.engines.names import Names
from thalweg.form.hyper import Nonzero
from thalweg.graph.passes import cut
from thalweg.graph.program import NotTraced, Program, program, stage_paths
from thalweg.ops import elements
from thalweg.ops.word import WORDS, Spelling
from thalweg.rule import Rule
from thalweg.values.symbols import NUMBER, REDUCTIONS, TENSOR, Symbol

RESERVED = frozenset(
    re.findall(
        r"\w+",
        "i n state parameters gradient hyper asks Math const let var new in of if else for function return this class delete "
        "do void with yield case default enum export import super switch throw try typeof while await instanceof debugger "
        "null true false Infinity NaN",
    )
)
"""JavaScript's words, and the names that a printed step uses itself."""


SPELLINGS = {
    "arctan2": Spelling("Math.atan2({0}, {1})", 9),
    "sigmoid": Spelling("0.5 * Math.tanh(0.5 * {0}) + 0.5", 5, of=7),
    "maximum": Spelling("Math.max({0}, {1})", 9),
    "minimum": Spelling("Math.min({0}, {1})", 9),
    "where": Spelling("{0} ? {1} : {2}", 1, of=3),
    "ratio": Spelling("{1} === 0 ? 0 : {0} / {1}", 1, of=7),
}
"""How JavaScript spells the words of `thalweg.ops`; the others are functions of `Math` of the same name."""

KNOWN = frozenset({"abs", *WORDS})
"""The element-wise words of a graph that a step in JavaScript may use."""
HAS = sorted({*KNOWN, *elements.__all__, *REDUCTIONS, "over_root", "over_debiased_root"})
"""The words that a rule may use, those included that are made of others."""


class JavaScript(Loop):
    """Words in JavaScript, whose numbers are float64."""

    def __init__(self) -> None:
        super().__init__("float64")

    def constant(self, x: Any) -> str:
        return repr(float(x)).replace("inf", "Infinity").replace("nan", "NaN")

    def word(self, op: str, args: list[Text]) -> Text:
        if op == "pow":
            return self._power(args)
        if (spelling := SPELLINGS.get(op)) is not None:
            return spelling.text.format(*(wrap(arg, spelling.of) for arg in args)), spelling.binds
        return f"Math.{op}({', '.join(text for text, _ in args)})", ATOM

    def _power(self, args: list[Text]) -> Text:
        (x, _), (y, _) = args
        return (f"{x} * {x}", 6) if y == "2.0" else (f"Math.pow({x}, {y})", ATOM)


def arrow(inputs: Mapping[str, Symbol], values: Sequence[Any]) -> str:
    """Return an arrow function of numbers that gives these values: one, or a list of several."""
    beside = {str(k): value for k, value in enumerate(values)}
    write = Writer(Names(Program([], None, inputs=dict(inputs), beside=beside), RESERVED), JavaScript(), set())
    for symbol in write.names.symbols:
        write.visit(symbol)
    found = ", ".join(write.text(value)[0] for value in values)
    lines = "".join(f"const {line}; " for line in write.lines)
    return f"({', '.join(inputs)}) => {{ {lines}return {found if len(values) == 1 else f'[{found}]'}; }}"


def words() -> str:
    """Return the declaration of WORDS, which maps each element-wise word to its number of arguments, its function of numbers, and
    whether that is a condition.
    """
    found = {}
    for name in sorted({*HAS} - REDUCTIONS - {"off"}):
        word = getattr(ops, name, abs)
        wanted = [each.name for each in inspect.signature(word).parameters.values() if each.default is each.empty]
        inputs = {each: Symbol.input(each, NUMBER) for each in wanted}
        value = word(*inputs.values())
        found[name] = f"[{len(wanted)}, {arrow(inputs, [value])}, {str(value.op in COMPARISONS).lower()}]"
    return f"const WORDS = new Map(Object.entries({{{', '.join(f'{name}: {text}' for name, text in found.items())}}}));"


@dataclass(frozen=True)
class Step:
    """A step in JavaScript.

    text: the source of a function that updates `state` and `parameters` in place. starts: the first value of each
    slot of memory, with whether it is one number an element; None is the parameter itself. hyper: the numbers that it looks up,
    with None for the learning rate.
    """

    text: str
    starts: dict[str, tuple[bool, float | None]]
    hyper: dict[str, Any]


class _Public(Nonzero):
    """A hyper-parameter of a rule on its way into the stages that it configures: a constant schedule that knows its name."""

    def __new__(cls, name: str, value: float) -> _Public:
        made = super().__new__(cls, lambda t: value)
        made.name, made.value = name, value
        return made

    name: str
    value: float


def printed_rule(rule: Rule) -> Step:
    """Return the step of a rule's default configuration, which looks up the rule's own hyper-parameters.

    A recipe hands these to its stages, which may call them something else; numbers that it fixes itself are part of the text.
    Where a recipe computes with its hyper-parameters, all of them are. Raises NotTraced with the reason where a rule has no step.
    """
    defaults = {name: part.default for name, part in rule.parts.items()}
    public = {name: _Public(name, value) for name, value in defaults.items() if isinstance(value, float) and value != 0}
    try:
        stage = rule.configured({**defaults, **public})
    except TypeError:
        stage = rule()
    return _printer(Optimizer(stage), own_only=True).step()


def printed(optimizer: Optimizer) -> Step:
    """Return the step of one vector, a model's only tensor. Raises NotTraced with the reason where a rule has none."""
    return _printer(optimizer).step()


def _printer(optimizer: Optimizer, own_only: bool = False) -> _Printer:
    if optimizer.asks_gradients:
        raise NotTraced("it asks for gradients at several points")
    p = np.zeros(2)
    made = program(
        stage_paths(optimizer, Leaf("p", (2,), p, p, 0, None, p)), moves=optimizer.moves, dtype="float64", norms_given=False
    )
    if made.draws:
        raise NotTraced("it draws random numbers")
    if "curvature" in made.inputs:
        raise NotTraced("it asks for a curvature")
    return _Printer(made, own_only)


class _Printer:
    def __init__(self, made: Program, own_only: bool) -> None:
        """own_only: numbers that are neither the learning rate nor a `_Public` one are written as they are, not looked up."""
        self.made, self.cut, self.own_only = made, cut(made), own_only
        if self.cut.words:
            raise NotTraced(f"it takes {' and '.join(self.cut.plain_words)} of a whole matrix")
        if self.cut.by_row:
            raise NotTraced("it keeps numbers of rows and columns")
        self.found: list[str] = []
        """The sums that are known already."""

    def step(self) -> Step:
        starts: dict[str, tuple[bool, float | None]] = {}
        for slot in self.made.slots:
            if slot.kind.drawn:
                raise NotTraced("its memory starts with random numbers")
            starts[slot.old.name] = slot.old.level == TENSOR, None if slot.kind.from_parameter else slot.kind.value
        if self.made.walked is not None:
            starts["walked"] = True, None
        lines = ["const n = parameters.length;"] + ([f"const {self.cut.count} = n;"] if self.cut.count else [])
        for each in self.cut.passes:
            lines += [f"let {one.name} = 0;" for one in each.sums]
            part = self.cut.of({one.name: one.of for one in each.sums})
            adds = [(one.name, "{0} += {1} * {1};" if one.is_norm else "{0} += {1};", one.of) for one in each.sums]
            lines += ["{", *indented(self._pass(part, adds, [])), "}"]
            lines += [f"{one.name} = Math.sqrt({one.name});" for one in each.sums if one.is_norm]
        last = self.cut.last
        kept = [slot for slot in last.slots if slot.new is not slot.old]
        stores = [(f"state.{slot.old.name}[i]", "{0} = {1};", slot.new) for slot in kept if slot.old.level == TENSOR]
        stores += [("state.walked[i]", "{0} = {1};", last.walked)] if last.walked is not None else []
        numbers = [(f"state.{slot.old.name}", slot.new) for slot in kept if slot.old.level < TENSOR]
        lines += self._pass(last, [*stores, ("parameters[i]", "{0} = {1};", last.parameter)], numbers)
        text = "\n".join(["function step(state, parameters, gradient, hyper, asks) {", *indented(lines), "}"])
        return Step(text, starts, dict(self._looked_up()))

    def _looked_up(self) -> Iterator[tuple[str, Any]]:
        for name, value in self.made.hyper.items():
            if isinstance(value, _Public):
                yield value.name, value.value
            elif value is None or not self.own_only:
                yield name, value

    def _pass(self, part: Program, results: list[tuple[str, str, Any]], numbers: list[tuple[str, Any]]) -> list[str]:
        """Return the lines of one loop over the elements, with the numbers that it needs before it."""
        names = Names(part, {*RESERVED, *part.inputs})
        names.letters = {id(symbol): f"{name}_" if name in RESERVED else name for name, symbol in part.inputs.items()}
        for symbol in names.symbols:
            if symbol.op not in OPERATORS and symbol.op not in {"input", "neg", "pow", *KNOWN}:
                raise NotTraced(f"JavaScript has no word {symbol.op}; it has {', '.join(HAS)}")
        used = [arg for s in names.symbols if s.level == TENSOR for arg in s.args]
        values = [*(value for *_, value in results), *(value for _, value in numbers)]
        always = {id(names.first(x)) for x in used if isinstance(x, Symbol) and x.level < TENSOR}
        always |= {id(names.first(x)) for x in values if isinstance(x, Symbol)}
        write = Writer(names, JavaScript(), always)
        before, loads = list[str](), list[str]()
        for symbol in names.symbols:
            if symbol.op == "input" and (source := self._source(symbol)):
                (loads if symbol.level == TENSOR else before).append(f"const {write.letters[id(symbol)]} = {source};")
        for symbol in names.symbols:
            if symbol.level < TENSOR:
                write.visit(symbol)
        before += [f"const {line};" for line in write.lines]
        write.lines.clear()
        for symbol in names.symbols:
            if symbol.level == TENSOR:
                write.visit(symbol)
        loop = [*loads, *(f"const {line};" for line in write.lines)]
        loop += [form.format(target, write.text(value)[0]) for target, form, value in results]
        after = [f"{target} = {write.text(value)[0]};" for target, value in numbers]
        return [*before, "for (let i = 0; i < n; i++) {", *indented(loop), "}", *after]

    def _source(self, symbol: Symbol) -> str | None:
        """Return where an input is read, or None for a number that an earlier pass found."""
        name = symbol.name
        if name in ("p", "g"):
            return "parameters[i]" if name == "p" else "gradient[i]"
        if name in self.made.hyper:
            value = self.made.hyper[name]
            if self.own_only and isinstance(value, int | float):
                return JavaScript().constant(value)
            return f"hyper.{value.name if isinstance(value, _Public) else name}"
        if name in ("t", "loss"):
            return f"asks.{name}"
        if name in self.made.inputs:
            return f"state.{name}[i]" if symbol.level == TENSOR else f"state.{name}"
        return None
