"""Formulas printed from the rules themselves: the function run on symbols, in the letters it was written in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from thalweg.core.around_stage import AroundStage
from thalweg.core.rule_stage import AfterStage, RuleStage
from thalweg.core.stage import Declared, Stage
from thalweg.core.ways import Way, ways
from thalweg.form import trace
from thalweg.form.trace import Trace
from thalweg.graph.notation import HEADING, PRODUCT, SUM, UNIT, Latex, Notation, Plain, Text
from thalweg.values.symbols import Symbol

BINARY = frozenset({"add", "sub", "mul", "truediv", "pow"})
COMPARED = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or"})
TIMED = frozenset({"g", "p", "grad", "noise", "loss", "z", "curvature"})
LONG = 12  # a local variable used once is written out where it stands, unless it is longer than this many operations

Line = tuple[str, str]


class Formula(str):
    """A formula in LaTeX (the text itself, also `.latex`) and, for a terminal, `.plain`; a notebook typesets it."""

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
    """The update of a stage or chain: a line for each memory and local name, and one for the parameter."""
    return Formula(*(notation.page(_page(stage, notation)) for notation in (Latex(), Plain())))


def _page(stage: Stage, write: Notation) -> list[Line]:
    """The lines of each way that a parameter may go; where there is more to say of one, a heading before them."""
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
    """Around, rules, the step itself, after: each function's lines in the order they are computed."""
    rules = [f for f in functions if isinstance(f, RuleStage)]
    after = [f for f in functions if isinstance(f, AfterStage)]
    walked = "z" if any(f.moves for f in after) else "p"
    arrives: Text = (write.letter("g", "t"), UNIT)
    owned = False
    lines: list[Line] = []
    for function in functions:
        if isinstance(function, AroundStage):
            owned = function.owns_step
            writer = _Writer(function, write, arrives)
            lines += writer.lines(None if owned and not rules else "d" if owned else "g")
            if owned:
                arrives = (write.letter("d", "t"), UNIT) if rules else writer.direction
    for i, function in enumerate(rules):
        writer = _Writer(function, write, arrives, owned)
        owned = owned or function.owns_step
        if i < len(rules) - 1:
            lines += writer.lines(f"d{i + 1}" if len(rules) > 2 else "d")
            arrives = lines[-1][0], UNIT
        else:
            lines += writer.lines(None)
            arrives = writer.direction
    sign, step = ("add", (arrives[0][1:], PRODUCT)) if owned and arrives[0].startswith("-") else ("sub", arrives)
    step = step if owned else write.binary("mul", (write.letter("lr"), UNIT), step)
    lines.append((write.letter(walked, "t"), write.binary(sign, (write.letter(walked, "t-1"), UNIT), step)[0]))
    for function in after:
        lines += _Writer(function, write, (write.letter(walked, "t"), UNIT)).lines("p" if function.moves else None)
    return lines


class _Writer:
    """One function's trace, written down: named things get a line of their own, before they are used."""

    def __init__(self, stage: Declared, write: Notation, arrives: Text, owned: bool = False) -> None:
        self.stage, self.write, self.arrives, self.owned = stage, write, arrives, owned
        self.trace: Trace = trace.named(stage)
        self.done: list[Line] = []
        self.written: set[int] = set()
        self.names = self._named()

    def lines(self, direction: str | None) -> list[Line]:
        """All lines; the direction's own last, under this name (None: none, see `direction`)."""
        for k, point in enumerate(self.trace.evaluations, 1):
            self._visit(point)
            gradient = self.write.letter("g" if k == 1 else f"g{k}", "t")
            self.done.append(
                (gradient, self.write.call("∇f" if isinstance(self.write, Plain) else "grad", [self._text(point)[0]])[0])
            )
        for slot in sorted(self.trace.changed, key=list(self.trace.memory).index):
            self._visit(self.trace.memory[slot])
            self._alias(slot)
        self._visit(self.trace.direction)
        self.direction = self._text(self.trace.direction)
        if direction is not None:
            self.done.append((self.write.letter(direction, "t"), self.direction[0]))
        return self.done

    def _named(self) -> dict[int, str]:
        """What has a letter: each slot's new memory, and locals that are used twice or would be long."""
        uses: Counter[int] = Counter()
        for symbol in trace.every(self.trace.results):
            uses.update(id(arg) for arg in symbol.args if isinstance(arg, Symbol))
        names: dict[int, str] = {}
        for slot in self.trace.stored:
            value = self.trace.memory[slot]
            if isinstance(value, Symbol) and value.op != "input":
                names.setdefault(id(value), self.write.letter(slot, "t"))
        for name, value in self.trace.names.items():
            if not isinstance(value, Symbol) or value.op == "input" or id(value) in names:
                continue
            if uses[id(value)] > 1 or (uses[id(value)] == 1 and sum(1 for _ in trace.every([value])) > LONG):
                names[id(value)] = self.write.letter(f"{name}_bar" if name in self.trace.inputs else name, "t")
        return names

    def _alias(self, slot: str) -> None:
        """A slot that keeps something with another name, or a plain input, says so."""
        text, own = self._text(self.trace.memory[slot])[0], self.write.letter(slot, "t")
        if text != own:
            self.done.append((own, text))

    def _visit(self, symbol: Any) -> None:
        if not isinstance(symbol, Symbol) or id(symbol) in self.written:
            return
        self.written.add(id(symbol))
        for arg in symbol.args:
            self._visit(arg)
        if id(symbol) in self.names:
            self.done.append((self.names[id(symbol)], self._expression(symbol)[0]))

    def _text(self, x: Any) -> Text:
        if not isinstance(x, Symbol):
            return (self.write.number(x), SUM if x < 0 else UNIT) if isinstance(x, int | float) else (str(x), UNIT)
        if id(x) in self.names:
            return self.names[id(x)], UNIT
        return self._input(x.name) if x.op == "input" else self._expression(x)

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
        if name in TIMED:
            letter = {"grad": "g", "loss": "f"}.get(name, name)
            return self.write.letter(letter, "t-1" if name == "p" else "t"), UNIT
        if name == "rate":
            return (self.write.letter("lr") if self.owned else self.write.number(1)), UNIT
        return self.write.letter(name), UNIT

    def _expression(self, symbol: Symbol) -> Text:
        write, args = self.write, [self._text(arg) for arg in symbol.args if not hasattr(arg, "dtype")]
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
        """An operation on two things, without what says nothing: + 0, times 0 or 1, over 1, 0^t, 1 - (1 - x), x times x."""
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
        if op == "mul" and isinstance(left, Symbol) and left.op == "mul" and self._text(left.args[1])[0] == b[0]:
            return self.write.binary("mul", self._text(left.args[0]), self.write.power(b, (self.write.number(2), UNIT)))
        doubly = op == "sub" and isinstance(right, Symbol) and right.op == "sub" and id(right) not in self.names
        if doubly and left == right.args[0] == 1.0 and not isinstance(left, Symbol):
            return self._text(right.args[1])
        if op == "sub" and isinstance(right, Symbol) and right.op == "neg" and id(right) not in self.names:
            return self.write.binary("add", a, self._text(right.args[0]))
        return self.write.binary(op, a, b)
