"""Formulas derived from the rules themselves: the function is run on symbols, with the letters of its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thalweg.core.around_stage import AroundStage
from thalweg.core.leaf import Leaf, Memory
from thalweg.core.rule_stage import AfterStage, RuleStage
from thalweg.core.stage import Declared, Stage
from thalweg.core.step import Step, advance
from thalweg.core.ways import Way, ways
from thalweg.form import trace
from thalweg.form.asks import ASKS
from thalweg.graph.notation import HEADING, PRODUCT, SUM, UNIT, Latex, Notation, Plain, Text
from thalweg.values.symbols import NUMBER, TENSOR, Symbol

BINARY = frozenset({"add", "sub", "mul", "truediv", "pow"})
COMPARED = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or"})
LONG = 12  # a local variable used once is inlined, unless it has more operations than this

Line = tuple[str, str]


class Formula(str):
    """A formula in LaTeX (the string itself, also `.latex`) and, for a terminal, `.plain`; notebooks typeset it."""

    plain: str

    def __new__(cls, latex: str, plain: str) -> Formula:
        made = super().__new__(cls, latex)
        made.plain = plain
        return made

    @property
    def latex(self) -> str:
        return str(self)

    def _repr_latex_(self) -> str:
        return f"$${self}$$"


def formula(stage: Stage) -> Formula:
    """Return the update of a stage or chain: one line per memory slot and local name, and one for the parameter."""
    return Formula(*(notation.page(_page(stage, notation)) for notation in (Latex(), Plain())))


def _page(stage: Stage, write: Notation) -> list[Line]:
    """Return the lines of each path through the stage, with headings if there are several paths."""
    return [line for way in ways(stage) for line in (*_heading(way), *_lines(way.functions, write))]


def _heading(way: Way) -> Iterator[Line]:
    said = [
        f"once in {way.calls} calls, on the mean of their gradients" if way.calls > 1 else "",
        f"where {way.where}" if way.conditions else "",
        "" if way.rate is None else f"with lr = {way.rate!r}",
    ]
    if any(said):
        yield HEADING, f"{', '.join(filter(None, said))}:"


def _lines(functions: Sequence[Declared], write: Notation) -> list[Line]:
    """Return each function's lines in the order of computation: around, rules, the step itself, after."""
    rules = [f for f in functions if isinstance(f, RuleStage)]
    afters = [f for f in functions if isinstance(f, AfterStage)]
    start, walked = ("z" if any(f.moves for f in afters) else "p", "z" if any(f.trace.moves for f in afters) else "p")
    step = _WrittenStep(write, len(rules), start, walked)
    leaf = Leaf("p", (), step.point, step.arrived, None, None, step.arrived)
    for function in functions:
        if isinstance(function, AroundStage):
            step.around(function, leaf)
    advance([(None, f) for f in rules], [(None, f) for f in afters], [leaf], {}, step)
    return step.lines


class _WrittenStep(Step):
    """One step as lines. The result of a function is a letter, or is inlined where it is used."""

    lanes, seed, loss = None, 0, None

    def __init__(self, write: Notation, rules: int, start: str, walked: str) -> None:
        self.write, self.rules, self.walked, self.passed = write, rules, walked, 0
        self.lines: list[Line] = []
        self.texts = {"lr": (write.letter("lr"), UNIT)}
        self.point = self._as("point", (write.letter(start, "t-1"), UNIT))
        self.arrived = self._as("g", (write.letter("g", "t"), UNIT))

    def _as(self, name: str, text: Text) -> Symbol:
        """Return a symbol that is written as this text; for a text with a leading minus, the negative of a symbol."""
        minus = text[0].startswith("-")
        self.texts[name] = (text[0][1:], PRODUCT) if minus else text
        symbol = Symbol.input(name, TENSOR)
        return -symbol if minus else symbol

    def _text(self, symbol: Symbol) -> Text:
        return _Expressions(self.write, {}, self.texts.__getitem__).text(symbol)

    def around(self, stage: AroundStage, leaf: Leaf) -> None:
        """Write the lines of a method that asks for gradients itself; its result becomes the leaf's direction."""
        leaf.owned = stage.owns_step
        writer = _Writer(stage, self.write, self._text(leaf.d))
        named = "g" if not leaf.owned else "d" if self.rules else None
        self.lines += writer.lines(named)
        if leaf.owned:
            leaf.d = self._as("d", (self.write.letter("d", "t"), UNIT) if self.rules else writer.direction)

    def run(self, stage: Any, leaves: Sequence[Leaf], memory: Memory) -> tuple[Sequence[Any], Memory]:
        (leaf,) = leaves
        if isinstance(stage, AfterStage):
            self.lines += _Writer(stage, self.write, self._text(leaf.p)).lines("p" if stage.trace.moves else None)
            return [self._as("point", (self.write.letter("p", "t"), UNIT)) if stage.resets else leaf.p], {}
        writer = _Writer(stage, self.write, self._text(leaf.d), leaf.owned)
        self.passed += 1
        if self.passed == self.rules:
            self.lines += writer.lines(None)
            return [self._as("d", writer.direction)], {}
        self.lines += writer.lines(f"d{self.passed}" if self.rules > 2 else "d")
        return [self._as("d", (self.lines[-1][0], UNIT))], {}

    def rate(self, leaf: Leaf) -> Symbol:
        return Symbol.input("lr", NUMBER)

    def moved(self, points: list[Any], starts: list[Any]) -> list[Any]:
        self.lines.append((self.write.letter(self.walked, "t"), self._text(points[0])[0]))
        return [self._as("point", (self.write.letter(self.walked, "t"), UNIT))]


class _Writer:
    """Writes one function's trace: named values get lines of their own, before their use."""

    def __init__(self, stage: Declared, write: Notation, arrives: Text, owned: bool = False) -> None:
        self.stage, self.write, self.arrives, self.owned = stage, write, arrives, owned
        with trace.LocalNames(stage.function) as self.locals:
            self.trace = trace.Trace(stage)
        self.done: list[Line] = []
        self.written: set[int] = set()
        self.names = self._named()
        self.expressions = _Expressions(write, self.names, self._input)

    def lines(self, direction: str | None) -> list[Line]:
        """Return all lines, the direction's last, under this name; None omits it (see `direction`)."""
        for k, point in enumerate(self.trace.evaluations, 1):
            self._visit(point)
            gradient = self.write.letter("g" if k == 1 else f"g{k}", "t")
            self.done.append(
                (
                    gradient,
                    self.write.call("∇f" if isinstance(self.write, Plain) else "grad", [self.expressions.text(point)[0]])[0],
                )
            )
        for slot in sorted(self.trace.changed, key=list(self.trace.memory).index):
            self._visit(self.trace.memory[slot])
            self._alias(slot)
        self._visit(self.trace.direction)
        self.direction = self.expressions.text(self.trace.direction)
        if direction is not None:
            self.done.append((self.write.letter(direction, "t"), self.direction[0]))
        return self.done

    def _named(self) -> dict[int, str]:
        """Return what has a letter: each slot's new memory, and locals that are used twice or would be long."""
        uses: Counter[int] = Counter()
        for symbol in trace.every(self.trace.results):
            uses.update(id(arg) for arg in symbol.args if isinstance(arg, Symbol))
        names: dict[int, str] = {}
        for slot in self.trace.stored:
            value = self.trace.memory[slot]
            if isinstance(value, Symbol) and value.op != "input":
                names.setdefault(id(value), self.write.letter(slot, "t"))
        for name, value in self.locals.items():
            if not isinstance(value, Symbol) or value.op == "input" or id(value) in names:
                continue
            if uses[id(value)] > 1 or (uses[id(value)] == 1 and sum(1 for _ in trace.every([value])) > LONG):
                names[id(value)] = self.write.letter(f"{name}_bar" if name in self.trace.inputs else name, "t")
        return names

    def _alias(self, slot: str) -> None:
        """Write an alias for a slot that stores a named value or a plain input."""
        text, own = self.expressions.text(self.trace.memory[slot])[0], self.write.letter(slot, "t")
        if text != own:
            self.done.append((own, text))

    def _visit(self, symbol: Any) -> None:
        if not isinstance(symbol, Symbol) or id(symbol) in self.written:
            return
        self.written.add(id(symbol))
        for arg in symbol.args:
            self._visit(arg)
        if id(symbol) in self.names:
            self.done.append((self.names[id(symbol)], self.expressions.expression(symbol)[0]))

    def _input(self, name: str) -> Text:
        if name == ("z" if isinstance(self.stage, AfterStage) else "g") and not isinstance(self.stage, AroundStage):
            return self.arrives
        if name in self.stage.declaration.memory:
            return self.write.letter(name, "t-1" if name in self.trace.changed else ""), UNIT
        if name == "gnorm":
            return self.write.call("norm", [self.arrives[0]])
        if name.startswith("g_") and isinstance(self.stage, AroundStage):
            return self.write.letter("g" if name == "g_1" else name.replace("_", ""), "t"), UNIT
        if name.startswith("loss_") and isinstance(self.stage, AroundStage):
            return self.write.letter("f" if name == "loss_1" else name.replace("loss_", "f"), "t"), UNIT
        if name == "rate":
            return (self.write.letter("lr") if self.owned else self.write.number(1)), UNIT
        ask = ASKS.get(name)
        return (self.write.letter(name) if ask is None else self.write.letter(ask.letter, ask.time)), UNIT


class _Expressions:
    """Writes symbols as text. names: letters by a symbol's id; given: the text of each input."""

    def __init__(self, write: Notation, names: dict[int, str], given: Callable[[str], Text]) -> None:
        self.write, self.names, self.given = write, names, given

    def text(self, x: Any) -> Text:
        if not isinstance(x, Symbol):
            return (self.write.number(x), SUM if x < 0 else UNIT) if isinstance(x, int | float) else (str(x), UNIT)
        if id(x) in self.names:
            return self.names[id(x)], UNIT
        return self.given(x.name) if x.op == "input" else self.expression(x)

    def expression(self, symbol: Symbol) -> Text:
        write, args = self.write, [self.text(arg) for arg in symbol.args if not hasattr(arg, "dtype")]
        if symbol.op in BINARY:
            return self._binary(symbol, *args)
        if symbol.op in COMPARED:
            return write.compared(symbol.op, args[0][0], args[1][0])
        if symbol.op == "where":
            return write.cases(*(text for text, _ in args))
        if symbol.op == "ratio":
            return write.fraction(*args)
        if symbol.op == "neg":
            return f"-{write.wrap(args[0], PRODUCT)}", SUM
        return write.call(symbol.op, [text for text, _ in args])

    def _binary(self, symbol: Symbol, a: Text, b: Text) -> Text:
        """Write a binary operation without neutral parts: + 0, times 0 or 1, over 1, 0^t, 1 - (1 - x), x times x."""
        op, (left, right) = symbol.op, symbol.args
        if (op in ("add", "sub") and b[0] == "0") or (op == "truediv" and b[0] == "1"):
            return a
        if op == "add" and a[0] == "0":
            return b
        if (op == "mul" and "0" in (a[0], b[0])) or (op == "pow" and a[0] == "0"):
            return "0", UNIT
        if op == "mul" and "1" in (a[0], b[0]):
            return b if a[0] == "1" else a
        if op == "mul" and a[0] == b[0]:
            return self.write.power(a, (self.write.number(2), UNIT))
        if op == "mul" and isinstance(left, Symbol) and left.op == "mul" and self.text(left.args[1])[0] == b[0]:
            return self.write.binary("mul", self.text(left.args[0]), self.write.power(b, (self.write.number(2), UNIT)))
        doubly = op == "sub" and isinstance(right, Symbol) and right.op == "sub" and id(right) not in self.names
        if doubly and left == right.args[0] == 1.0 and not isinstance(left, Symbol):
            return self.text(right.args[1])
        if op == "sub" and isinstance(right, Symbol) and right.op == "neg" and id(right) not in self.names:
            return self.write.binary("add", a, self.text(right.args[0]))
        return self.write.binary(op, a, b)
