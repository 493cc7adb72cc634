"""A rule run on symbols: its memory and its operations."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from thalweg.form import foreign_words
from thalweg.form.asks import ASKS
from thalweg.form.declaration import Declaration, Function
from thalweg.form.memory import LikeP
from thalweg.ops import off
from thalweg.values.symbols import NUMBER, TENSOR, Symbol


class Configured(Protocol):
    """A declared function with its hyper-parameters set."""

    name: str
    declaration: Declaration
    config: dict[str, Any]

    @property
    def function(self) -> Function:
        """The function itself."""


@dataclass
class Trace:
    """One run on symbols: the inputs by name, the first result, each slot's new memory, the function's local names.

    `starts` are the slots that begin with the parameter's value, which cannot be recovered once the parameter has moved.
    """

    inputs: dict[str, Symbol]
    direction: Any
    memory: dict[str, Any]
    names: dict[str, Any] = field(default_factory=dict)
    evaluations: list[Any] = field(default_factory=list)
    starts: frozenset[str] = frozenset()

    @functools.cached_property
    def forgotten(self) -> frozenset[str]:
        """The slots whose old value is multiplied by a plain 0 wherever it is read, as Adam's m is with beta1 = 0.

        Memory of an after-step never counts: it exists to be shipped.
        """
        if "z" in self.inputs:
            return frozenset()
        made = [self.direction, *self.memory.values(), *self.evaluations]
        return (_inputs(steps(made)) - _inputs(every(made, without=is_zero))) & self.memory.keys()

    @functools.cached_property
    def changed(self) -> frozenset[str]:
        """The slots that change and are not forgotten."""
        return frozenset(slot for slot, value in self.memory.items() if value is not self.inputs[slot]) - self.forgotten

    @functools.cached_property
    def stored(self) -> frozenset[str]:
        """The slots to store between steps: those that change, and initial copies of the parameter that are read."""
        made = [self.direction, *(self.memory[slot] for slot in sorted(self.changed)), *self.evaluations]
        return self.changed | (self.starts & _inputs(steps(made))) - self.forgotten

    @functools.cached_property
    def needs_whole_model(self) -> bool:
        """Whether it sums over all tensors of the model, which are then computed together."""
        return any(symbol.op == "model_total" for symbol in steps(self.results))

    @property
    def results(self) -> list[Any]:
        """The values that a step must compute: the first result, the stored memory, the points at which it asks for gradients."""
        return [self.direction, *(self.memory[slot] for slot in sorted(self.stored)), *self.evaluations]

    @functools.cached_property
    def computed(self) -> list[Symbol]:
        """The operations that lead to the results, without duplicates and without operands of a plain 0."""
        same = shared(self.results)
        needed = {id(same[id(symbol)]) for symbol in every(self.results, without=is_zero)}
        return [symbol for symbol in steps(self.results) if id(symbol) in needed]

    @functools.cached_property
    def used(self) -> frozenset[str]:
        """The inputs that the results depend on."""
        return _inputs(steps(self.results))

    @functools.cached_property
    def moves(self) -> bool:
        """Whether an after-step returns another point than it received."""
        return self.direction is not self.inputs.get("z")


def general(stage: Configured) -> Trace:
    """Run the rule with every float unknown: finds a wrong arity, an `if` on a dynamic number, a foreign function."""
    hypers = stage.declaration.hyper.items()
    return _run(stage, {name: stage.config[name] if hyper.static else Symbol.input(name, NUMBER) for name, hyper in hypers})


def of(stage: Configured) -> Trace:
    """Return the trace of this configuration: a plain 0 is known to be 0 (`off`), every other float is a symbol."""
    return _run(stage, _hyper(stage))


def named(stage: Configured) -> Trace:
    """Return the trace with the function's local names, for its formula."""
    return _run(stage, _hyper(stage), keep_names=True)


def _hyper(stage: Configured) -> dict[str, Any]:
    return {name: value if is_known(stage, name) else Symbol.input(name, NUMBER) for name, value in stage.config.items()}


def is_known(stage: Configured, name: str) -> bool:
    """Whether a hyper-parameter's value is part of the trace: any static value, and a plain 0."""
    value = stage.config[name]
    return stage.declaration.hyper[name].static or (isinstance(value, int | float) and value == 0)


def _run(stage: Configured, hyper: dict[str, Any], keep_names: bool = False) -> Trace:
    declaration = stage.declaration
    levels = {
        **{word: ask.level for word, ask in ASKS.items()},
        **{slot: kind.level for slot, kind in declaration.memory.items()},
    }
    inputs = {word: Symbol.input(word, levels[word]) for word in declaration.order}
    return run_on(stage, inputs, hyper, keep_names)


def run_on(stage: Configured, inputs: dict[str, Any], hyper: dict[str, Any], keep_names: bool = False) -> Trace:
    """Run the function on these inputs. Raises TypeError, in the rule's own terms, for what a rule may not do."""
    declaration, name = stage.declaration, stage.name
    names: dict[str, Any] = {}
    evaluations: list[Any] = []
    try:
        with _Locals(stage.function, names if keep_names else None):
            given = declaration.packed([inputs[word] for word in declaration.order])
            result = stage.function(*given, **declaration.joined(hyper))
            if inspect.isgenerator(result):
                result = _drive(result, evaluations)
    except (TypeError, AttributeError) as error:
        hint = foreign_words.hint(error, stage.function.__code__)
        raise TypeError(f"{name}: {hint or f'{error} (a rule uses only operators and the words of thalweg.ops)'}") from error
    first, *rest = declaration.unpacked(result)
    if len(rest) != len(declaration.memory):
        slots = ", ".join(declaration.memory) or "no memory"
        raise TypeError(f"{name} returns {1 + len(rest)} value(s); wanted: the direction, then {slots}, in the signature's order")
    starts = frozenset(slot for slot, kind in declaration.memory.items() if isinstance(kind, LikeP))
    return Trace(inputs, first, dict(zip(declaration.memory, rest, strict=True)), names, evaluations, starts)


def _drive(method: Any, evaluations: list[Any]) -> Any:
    """Run an @around generator on symbols: each point it yields is answered with a loss and a gradient."""
    try:
        evaluations.append(next(method))
        while True:
            k = len(evaluations)
            evaluations.append(method.send((Symbol.input(f"loss_{k}", NUMBER), Symbol.input(f"g_{k}", TENSOR))))
    except StopIteration as stop:
        return stop.value


class _Locals:
    """Context manager: put the local variables of `function` at its return into `names`, the letters of its formula."""

    def __init__(self, function: Any, names: dict[str, Any] | None) -> None:
        self.code, self.names = function.__code__, names

    def __enter__(self) -> None:
        if self.names is not None:
            self.before = sys.getprofile()
            sys.setprofile(self._seen)

    def __exit__(self, *error: Any) -> None:
        if self.names is None:
            return
        if self.before is None or callable(self.before):
            sys.setprofile(self.before)
        else:  # cProfile before Python 3.12, whose profiler is not a function
            self.before.enable()

    def _seen(self, frame: Any, event: str, result: Any) -> None:
        if event == "return" and frame.f_code is self.code and self.names is not None:
            self.names.update(frame.f_locals)


def every(roots: list[Any], without: Callable[[Symbol], bool] = lambda symbol: False) -> Iterator[Symbol]:
    """Yield each symbol that the roots depend on, as the function created it; equal symbols may occur more than once.

    without: symbols to skip, together with what only they depend on.
    """
    waiting, seen = [r for r in roots if isinstance(r, Symbol)], set()
    while waiting:
        symbol = waiting.pop()
        if id(symbol) not in seen and not without(symbol):
            seen.add(id(symbol))
            yield symbol
            waiting += [arg for arg in symbol.args if isinstance(arg, Symbol)]


def _inputs(symbols: Iterable[Symbol]) -> frozenset[str]:
    return frozenset(symbol.name for symbol in symbols if symbol.op == "input")


def is_zero(x: Any) -> bool:
    """Whether x is a plain 0 or a product with one, so that its operands do not matter."""
    return x.op == "mul" and any(map(is_zero, x.args)) if isinstance(x, Symbol) else off(x)


def shared(roots: list[Any]) -> dict[int, Symbol]:
    """Map the id of each symbol that the roots depend on to the first equal symbol; inputs come first."""
    first: dict[Any, Symbol] = {}
    found: dict[int, Symbol] = {}

    def key(x: Any) -> Any:
        if isinstance(x, Symbol):
            return id(visit(x))
        return (type(x), repr(x)) if isinstance(x, int | float | str) else ("array", id(x))  # -1 and -2 have the same hash

    def visit(symbol: Symbol) -> Symbol:
        if id(symbol) not in found:
            found[id(symbol)] = first.setdefault((symbol.op, symbol.name, *map(key, symbol.args)), symbol)
        return found[id(symbol)]

    for root in roots:
        if isinstance(root, Symbol):
            visit(root)
    return found


def steps(roots: list[Any]) -> Iterator[Symbol]:
    """Return the symbols that the roots depend on, arguments first, without duplicates."""
    yield from {id(symbol): symbol for symbol in shared(roots).values()}.values()
