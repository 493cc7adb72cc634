"""A declared function with its hyper-parameters set, and the start of its memory."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from thalweg.core.leaf import Leaf, Memory, owned, value_at
from thalweg.core.stage import Configurable, Stage
from thalweg.core.step import Step
from thalweg.form import trace
from thalweg.form.declaration import Declaration, Function
from thalweg.form.draws import draw
from thalweg.form.hyper import Role, with_role
from thalweg.form.memory import Kind
from thalweg.form.schedules import constant
from thalweg.ops import off
from thalweg.values.arrays import Array
from thalweg.values.scalars import Scalar


class FunctionStage(Stage):
    """A declared function with its hyper-parameters set."""

    starts: Mapping[str, float] = MappingProxyType({})
    """The first values of slots that `starting` has set."""

    def __init__(self, rule: Configurable, declaration: Declaration, config: dict[str, Any], *, owns_step: bool = False) -> None:
        self.declaration = declaration.sized(config) if declaration.unsized else declaration
        self.rule, self.config, self.owns_step = rule, config, owns_step
        self.name, self.lr = rule.name, rule.lr
        trace.run(self, general=True)

    def __repr__(self) -> str:
        signature, given = self.declaration.signature, self.declaration.joined(self.config)
        changed = [f"{k}={signature[k].told(v)}" for k, v in given.items() if repr(v) != repr(signature[k].default)]
        begun = f".starting({', '.join(f'{slot}={value!r}' for slot, value in self.starts.items())})" if self.starts else ""
        return f"<{self.name}({', '.join(changed)}){begun}>"

    @property
    def function(self) -> Function:
        """The rule's function."""
        return self.rule.function

    @cached_property
    def trace(self) -> trace.Trace:
        """The trace of this configuration: one run on symbols."""
        return trace.Trace(self)

    @property
    def functions(self) -> Sequence[FunctionStage]:
        return (self,)

    @cached_property
    def asks(self) -> frozenset[str]:
        return self.trace.used & frozenset(self.declaration.asks)

    @cached_property
    def memory(self) -> dict[str, Kind]:
        """The slots that this configuration stores, and their kinds: a slot that is returned unchanged is never stored."""
        return {slot: kind for slot, kind in self.declaration.memory.items() if slot in self.trace.stored}

    def but(self, **config: Any) -> Self:
        """Return the stage with other hyper-parameters. Raises TypeError if the rule does not take them."""
        other = copy.copy(self)
        other.config = {**self.config, **config}
        if self.declaration.unsized:
            other.declaration = self.declaration.sized(other.config)
        trace.run(other, general=True)
        return other

    def keeping(self, dtypes: dict[str, str]) -> FunctionStage:
        """Return the stage with some slots of memory in these dtypes."""
        kept = copy.copy(self)
        memory = self.declaration.memory
        kept.declaration = replace(
            self.declaration, memory={slot: replace(kind, dtype=dtypes.get(slot, kind.dtype)) for slot, kind in memory.items()}
        )
        return kept

    def starting(self, **values: float) -> FunctionStage:
        """Return the stage with other first values of some slots of memory: `adagrad().starting(G=0.1)`."""
        memory = self.declaration.memory
        if unknown := values.keys() - memory.keys():
            raise TypeError(f"{self.name} has no memory '{min(unknown)}'; it has {', '.join(memory)}")
        begun = copy.copy(self)
        begun.starts = {**self.starts, **{slot: value for slot, value in values.items() if value != memory[slot].value}}
        changed = {slot: replace(memory[slot], value=float(value)) for slot, value in values.items()}
        begun.declaration = replace(self.declaration, memory={**memory, **changed})
        return begun

    def value_of(self, role: Role, otherwise: Any) -> Any:
        """Return the value of the hyper-parameter with this role, or `otherwise`."""
        name = with_role(self.declaration.hyper, role)
        return otherwise if name is None else self.config[name]

    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        return {slot: kind.started(leaves, step.lanes, partial(self.start, slot, step)) for slot, kind in self.memory.items()}

    def start(self, slot: str, step: Step, leaf: Leaf) -> Array:
        """Return a slot's first value for a leaf."""
        kind = self.declaration.memory[slot]
        if kind.of_matrices:
            kind.shape(owned(leaf).shape)  # the two parts of a complex vector are no matrix
        return kind.start(leaf.p, leaf.shape, step.lanes, lambda: self._drawn(slot, leaf, step))

    def _drawn(self, slot: str, leaf: Leaf, step: Step) -> Array:
        return draw(step.seed, 0, (self.name, slot, leaf.name), leaf.p, step.lanes)

    @cached_property
    def call(self) -> Callable[..., Any]:
        """The function of a value for each ask and slot, and of its hyper-parameters, to direction and new memory."""
        function, declaration = self.rule.function, self.declaration
        if declaration.tuples:
            return partial(_packed, declaration, function)
        return function if declaration.memory else partial(_alone, function)

    @cached_property
    def steady(self) -> dict[str, Any] | None:
        """The hyper-parameters as the function takes them, if they are the same for each tensor at each step."""
        plain = all(isinstance(value, bool | int | float | str | None) for value in self.config.values())
        return self.declaration.joined(self.config) if plain else None

    @cached_property
    def like_parameters(self) -> bool:
        """Whether all memory has its parameter's shape and dtype."""
        return all(kind.full and kind.dtype is None for kind in self.memory.values())

    def hyper_at(self, leaf: Leaf) -> dict[str, Any]:
        """Return the hyper-parameters of a leaf at its update."""
        return {name: value_at(value, leaf.t, leaf.name) for name, value in self.config.items()}

    @cached_property
    def _beside(self) -> dict[frozenset[str], Self]:
        return {}

    def beside(self, held: Collection[str]) -> Self:
        """Return the stage for memory that holds these slots: a 0 that would leave one of them out is a number like any other."""
        if self.memory.keys() >= set(held):
            return self
        key = frozenset(held)
        if key not in self._beside:
            self._beside[key] = self._counting_zeros(key)
        return self._beside[key]

    def _counting_zeros(self, held: frozenset[str]) -> Self:
        zeros = [name for name, hyper in self.declaration.hyper.items() if not hyper.static and off(self.config[name])]
        found = self.but(**dict.fromkeys(zeros, constant(0.0)))
        wanted = held & found.memory.keys()
        if self.memory.keys() >= wanted:
            return self
        for name in zeros:
            other = found.but(**{name: 0.0})
            found = other if other.memory.keys() >= wanted else found
        return found

    def forgetting(self, slot: str) -> str:
        """Return, for a message, the hyper-parameters whose 0 leaves this slot out, and what to write instead."""
        at_0 = [
            name for name, hyper in self.declaration.hyper.items() if not hyper.static and (not hyper.range or 0.0 in hyper.range)
        ]
        names = [name for name in at_0 if slot not in self.but(**{name: 0.0}).memory]
        told = " or ".join(f"{name}=schedules.constant(0.0)" for name in names)
        return (
            f"; a plain 0 for {' or '.join(names)} leaves it out, so where that is to change later, begin with {told}"
            if told
            else ""
        )


def to_float_or_lanes(value: Any) -> Any:
    if isinstance(value, Scalar):
        value = value.values
    return value.item() if isinstance(value, np.ndarray | np.generic) and value.ndim == 0 else value


# They hold no stage, which would hold itself through them, and all that it was made of beyond its end.


def _packed(declaration: Declaration, function: Function, *values: Any, **hyper: Any) -> tuple[Any, ...]:
    """Return the results of a function that has several slots in one tuple."""
    return declaration.unpacked(function(*declaration.packed(values), **hyper))


def _alone(function: Function, *values: Any, **hyper: Any) -> tuple[Any, ...]:
    """Return the result of a function that has no memory, in a tuple."""
    results = function(*values, **hyper)
    return results if isinstance(results, tuple) else (results,)
