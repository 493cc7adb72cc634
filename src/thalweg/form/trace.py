"""A rule run on symbols: its memory and its operations."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from thalweg.form import foreign_words
from thalweg.form.asks import ASKS
from thalweg.form.declaration import Declaration, Function
from thalweg.form.hyper import is_nonzero
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

    @property
    def call(self) -> Function:
        """The function of a value for each ask and slot, and of its hyper-parameters, to direction and new memory."""


class Run(NamedTuple):
    """One run of a function: its inputs by name, its first result, each slot's new memory, the points of an @around method."""

    inputs: dict[str, Any]
    direction: Any
    memory: dict[str, Any]
    evaluations: list[Any]


class Trace:
    """One run on symbols, and what it reveals.

    forgotten: the slots whose old value is multiplied by a plain 0 wherever it is read, as Adam's m is with beta1 = 0; none of an
    after-step, whose memory exists to be shipped. changed: the slots that change and are not forgotten. stored: the slots to
    store between steps: those that change, and initial copies of the parameter that are read, which cannot be recovered once the
    parameter has moved. results: the values that a step must compute: the first result, the stored memory, the points at which
    it asks for gradients. used: the inputs that the results depend on. needs_whole_model: whether it sums over all tensors of
    the model, which are then computed together.
    """

    def __init__(self, stage: Configured, *, general: bool = False) -> None:
        """general: as in `run`."""
        self.inputs, self.direction, self.memory, self.evaluations = run(stage, general=general)
        starts = {slot for slot, kind in stage.declaration.memory.items() if kind.from_parameter}
        made = [self.direction, *self.memory.values(), *self.evaluations]
        lost = frozenset() if "z" in self.inputs else _read(made) - _read(made, without=is_zero)
        self.forgotten = lost & self.memory.keys()
        self.changed = frozenset(slot for slot, value in self.memory.items() if value is not self.inputs[slot]) - lost
        read = _read([self.direction, *(self.memory[slot] for slot in sorted(self.changed)), *self.evaluations])
        self.stored = self.changed | (starts & read) - lost
        self.results = [self.direction, *(self.memory[slot] for slot in sorted(self.stored)), *self.evaluations]
        self.used = _read(self.results)
        self.needs_whole_model = any(symbol.op == "model_total" for symbol in every(self.results))

    @functools.cached_property
    def computed(self) -> list[Symbol]:
        """The operations that lead to the results, without duplicates and without operands of a plain 0."""
        same = shared(self.results)
        needed = {id(same[id(symbol)]) for symbol in every(self.results, without=is_zero)}
        return [symbol for symbol in steps(self.results) if id(symbol) in needed]

    @property
    def moves(self) -> bool:
        """Whether an after-step returns another point than it received."""
        return self.direction is not self.inputs.get("z")


def run(stage: Configured, *, general: bool = False) -> Run:
    """Run a configuration on symbols: a plain 0 is known to be 0 (`off`), every other float is a symbol.

    general: every float is a symbol, which finds a wrong arity, an `if` on a dynamic number, a foreign function.
    """
    memory, values = stage.declaration.memory, known(stage, general)
    inputs = {word: Symbol.input(word, (memory.get(word) or ASKS[word]).level) for word in stage.declaration.order}
    free = {n: Symbol.input(n, NUMBER, not general and is_nonzero(x)) for n, x in stage.config.items() if n not in values}
    return run_on(stage, inputs, {**values, **free})


def known(stage: Configured, general: bool = False) -> dict[str, Any]:
    """Return the hyper-parameters whose values are part of the trace: the static ones, and if not general each plain 0."""
    fixed = stage.declaration.hyper
    return {name: x for name, x in stage.config.items() if fixed[name].fixes(x) or (off(x) and not general)}


def run_on(stage: Configured, inputs: dict[str, Any], hyper: dict[str, Any]) -> Run:
    """Run the function on these inputs. Raises TypeError, in the rule's own terms, for what a rule may not do."""
    declaration = stage.declaration
    evaluations: list[Any] = []
    try:
        results = stage.call(*[inputs[word] for word in declaration.order], **declaration.joined(hyper))
        if inspect.isgenerator(results):
            results = _drive(results, evaluations)
    except (TypeError, AttributeError) as error:
        raise _refused(stage, error) from error
    if not isinstance(results, tuple) or len(results) != 1 + len(declaration.memory):
        raise _miscounted(stage, len(results) if isinstance(results, tuple) else 1)
    return Run(inputs, results[0], dict(zip(declaration.memory, results[1:], strict=True)), evaluations)


def _refused(stage: Configured, error: Exception) -> TypeError:
    hint = foreign_words.hint(error, stage.function.__code__)
    return TypeError(f"{stage.name}: {hint or f'{error} (a rule uses only operators and the words of thalweg.ops)'}")


def _miscounted(stage: Configured, results: int) -> TypeError:
    slots = ", ".join(stage.declaration.memory) or "no memory"
    return TypeError(f"{stage.name} returns {results} value(s); wanted: the direction, then {slots}, in the signature's order")


def _drive(method: Any, evaluations: list[Any]) -> tuple[Any, ...]:
    """Run an @around generator on symbols: each point it yields is answered with a loss and a gradient."""
    try:
        evaluations.append(next(method))
        while True:
            k = len(evaluations)
            evaluations.append(method.send((Symbol.input(f"loss_{k}", NUMBER), Symbol.input(f"g_{k}", TENSOR))))
    except StopIteration as stop:
        return stop.value if isinstance(stop.value, tuple) else (stop.value,)


class LocalNames:
    """Context manager: gives the local variables of `function` at its return, by name; they are the letters of its formula."""

    def __init__(self, function: Any) -> None:
        self.code = function.__code__
        self.names: dict[str, Any] = {}

    def __enter__(self) -> dict[str, Any]:
        self.before = sys.getprofile()
        sys.setprofile(self._seen)
        return self.names

    def __exit__(self, *error: Any) -> None:
        if self.before is None or callable(self.before):
            sys.setprofile(self.before)
        else:  # cProfile before Python 3.12, whose profiler is not a function
            self.before.enable()

    def _seen(self, frame: Any, event: str, result: Any) -> None:
        if event == "return" and frame.f_code is self.code:
            self.names.update(frame.f_locals)


def every(roots: list[Any], without: Callable[[Symbol], bool] | None = None) -> Iterator[Symbol]:
    """Yield each symbol that the roots depend on, as the function created it; equal symbols may occur more than once.

    without: symbols to skip, together with what only they depend on.
    """
    waiting, seen = [r for r in roots if isinstance(r, Symbol)], set()
    while waiting:
        symbol = waiting.pop()
        if id(symbol) not in seen and not (without is not None and without(symbol)):
            seen.add(id(symbol))
            yield symbol
            waiting += [arg for arg in symbol.args if isinstance(arg, Symbol)]


def _read(roots: list[Any], without: Callable[[Symbol], bool] | None = None) -> frozenset[str]:
    """Return the names of the inputs that the roots depend on."""
    return frozenset(symbol.name for symbol in every(roots, without) if symbol.op == "input")


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
            same = symbol.op, symbol.name, symbol.compute, *map(key, symbol.args)
            found[id(symbol)] = first.setdefault(same, symbol)
        return found[id(symbol)]

    for root in roots:
        if isinstance(root, Symbol):
            visit(root)
    return found


def steps(roots: list[Any]) -> Iterator[Symbol]:
    """Return the symbols that the roots depend on, arguments first, without duplicates."""
    yield from {id(symbol): symbol for symbol in shared(roots).values()}.values()
