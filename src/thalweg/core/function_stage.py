"""A declared function with its hyper-parameters set: how memory is made, injected and taken back."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from dataclasses import replace
from numbers import Number
from typing import Any, Self

import numpy as np

from thalweg.core.leaf import Leaf, Memory, Step, owned, resolve
from thalweg.core.stage import Configurable, Stage
from thalweg.form import trace
from thalweg.form.declaration import Declaration, Function
from thalweg.form.hyper import Role, with_role
from thalweg.form.memory import Filled, Kind, PerModel, PerTensor, Shape, draw
from thalweg.values.arrays import Array, dtype_name, framework, is_traced, widened
from thalweg.values.scalars import Scalar


class FunctionStage(Stage):
    """A declared function with its hyper-parameters set: how memory is made, injected and taken back."""

    def __init__(self, rule: Configurable, declaration: Declaration, config: dict[str, Any]) -> None:
        self.rule, self.declaration, self.config = rule, declaration.sized(config), config
        self.name, self.lr = rule.name, rule.lr
        trace.general(self)

    def __repr__(self) -> str:
        signature, given = self.declaration.signature, self.declaration.joined(self.config)
        changed = [f"{k}={signature[k].told(v)}" for k, v in given.items() if repr(v) != repr(signature[k].default)]
        return f"<{self.name}({', '.join(changed)})>"

    @property
    def function(self) -> Function:
        """What its rule declares."""
        return self.rule.function

    @functools.cached_property
    def trace(self) -> trace.Trace:
        """What one run of this configuration on symbols tells."""
        return trace.of(self)

    @property
    def functions(self) -> Sequence[FunctionStage]:
        return (self,)

    @functools.cached_property
    def asks(self) -> frozenset[str]:
        return self.trace.used & frozenset(self.declaration.asks)

    @functools.cached_property
    def memory(self) -> dict[str, Kind]:
        return {slot: kind for slot, kind in self.declaration.memory.items() if slot in self.stored}

    @functools.cached_property
    def stored(self) -> frozenset[str]:
        """The slots this configuration really keeps: one handed back untouched is never stored."""
        return self.trace.stored

    def but(self, **config: Any) -> Self:
        """The same with other hyper-parameters. Raises TypeError where the rule does not take them."""
        other = copy.copy(self)
        other.config = {**self.config, **config}
        other.declaration = self.declaration.sized(other.config)
        trace.general(other)
        return other

    def keeping(self, dtypes: dict[str, str]) -> FunctionStage:
        """The same, with slots of memory kept in these dtypes."""
        kept = copy.copy(self)
        memory = self.declaration.memory
        kept.declaration = replace(
            self.declaration, memory={slot: replace(kind, dtype=dtypes.get(slot, kind.dtype)) for slot, kind in memory.items()}
        )
        return kept

    def value_of(self, role: Role, otherwise: Any) -> Any:
        """The value of the hyper-parameter that stands for this."""
        name = with_role(self.declaration.hyper, role)
        return otherwise if name is None else self.config[name]

    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        memory: Memory = {}
        for slot, kind in self.memory.items():
            if isinstance(kind, PerModel):
                memory[slot] = self.model_start(kind, leaves, step)
            else:
                memory[slot] = {leaf.name: self.start(slot, leaf, step) for leaf in leaves}
        return memory

    def model_start(self, kind: Kind, leaves: Sequence[Leaf], step: Step) -> Any:
        if leaves and framework(leaves[0].p).name == "jax":  # a Python number would change type in lax.scan's carry
            return framework(leaves[0].p).zeros(() if step.lanes is None else (step.lanes,)) + kind.value
        return kind.value if step.lanes is None else np.full(step.lanes, kind.value)

    def start(self, slot: str, leaf: Leaf, step: Step) -> Array:
        words, kind = (self.name, slot, leaf.name), self.declaration.memory[slot]
        kind.shape(owned(leaf).shape)  # the parts of a complex vector are no matrix
        return kind.start(leaf.p, leaf.shape, step.lanes, lambda: draw(step.seed, 0, words, leaf.p, step.lanes))

    def run(self, leaf: Leaf, given: dict[str, Any], memory: Memory, updated: Memory, step: Step) -> Any:
        """Call the function for one leaf; put its new memory into `updated` and return its first result."""
        values, hyper = self.arguments(leaf, given, memory, step)
        return self.keep(self.call(values, hyper), leaf, updated, step)

    def call(self, values: Sequence[Any], hyper: dict[str, Any]) -> Sequence[Any]:
        """The function's direction and new memory, from a value for each ask and slot."""
        hyper = self.fixed if hyper is self.config else self.declaration.joined(hyper)
        if self.declaration.tuples:
            return self.declaration.unpacked(self.rule.function(*self.declaration.packed(values), **hyper))
        results = self.rule.function(*values, **hyper)
        return results if isinstance(results, tuple) else (results,)

    def arguments(self, leaf: Leaf, given: dict[str, Any], memory: Memory, step: Step) -> tuple[list[Any], dict[str, Any]]:
        """What the function is called with for a leaf: what it asks for and remembers, and its hyper-parameters."""
        values = [given[ask] for ask in self.declaration.asks]
        for slot, kind in self.declaration.memory.items():
            values.append(self._recall(slot, kind, leaf, memory, step))
        if self.steady:
            return values, self.config
        return values, {name: resolve(value, leaf.t, leaf.name) for name, value in self.config.items()}

    @functools.cached_property
    def fixed(self) -> dict[str, Any]:
        """Its hyper-parameters as the function takes them."""
        return self.declaration.joined(self.config)

    @functools.cached_property
    def steady(self) -> bool:
        """Whether its hyper-parameters are the same for each tensor at each step."""
        return all(isinstance(value, bool | int | float | str | None) for value in self.config.values())

    def keep(self, results: Sequence[Any], leaf: Leaf, updated: Memory, step: Step) -> Any:
        """Put the new memory among a leaf's results into `updated`; returns the first result."""
        first, *rest = results
        stored = self.stored
        for (slot, kind), value in zip(self.declaration.memory.items(), rest, strict=True):
            if slot not in stored:
                continue
            if isinstance(kind, PerModel):
                updated[slot] = model_number(value)
            else:
                updated.setdefault(slot, {})[leaf.name] = self._settle(value, kind, leaf, step)
        return first

    def _recall(self, slot: str, kind: Kind, leaf: Leaf, memory: Memory, step: Step) -> Any:
        if isinstance(kind, PerModel):
            if slot not in memory:
                self._check_lost(slot, leaf, memory, step)
            value = memory.get(slot, kind.value)
            if isinstance(value, dict):  # in JAX, of a single array, a number cannot be told from a tree like the parameters
                (value,) = value.values()
            on_host = framework(value) is None or framework(value).name == "numpy"
            return Scalar(value) if on_host or getattr(value, "ndim", 0) == 1 else value
        found = (memory.get(slot) or {}).get(leaf.name)
        if found is None:
            if isinstance(kind, Filled) and slot not in self.stored:
                return kind.value
            self._check_lost(slot, leaf, memory, step)
            return widened(self.start(slot, leaf.stored(), step))
        if step.remembers and not (kind.full and found.shape == leaf.p.shape):
            self._check_shape(found, slot, kind, leaf, step)
        if leaf.half is not None:  # what a caller keeps narrow beside wide parameters is optax's affair
            found = widened(found)
        if step.lanes is not None and isinstance(kind, PerTensor):
            return found.reshape(found.shape + (1,) * len(leaf.shape))
        return found

    def _may_need_none(self) -> bool:
        """Whether with one of its numbers at 0 it keeps nothing."""
        for name, hyper in self.declaration.hyper.items():
            if not hyper.static:
                at_0 = copy.copy(self)
                at_0.config = {**self.config, name: 0.0}
                if not at_0.stored:
                    return True
        return False

    def _check_lost(self, slot: str, leaf: Leaf, memory: Memory, step: Step) -> None:
        """Raise ValueError where a leaf's memory is missing that was there after its last update.

        Where there is none of this stage at all it may have needed none, as momentum at 0, and begins now.
        """
        if not step.remembers or slot not in self.stored or (not memory and self._may_need_none()):
            return
        if leaf.t is None or is_traced(leaf.t) or np.any(np.asarray(leaf.t.values if isinstance(leaf.t, Scalar) else leaf.t) > 1):
            raise ValueError(
                f"the state lacks '{slot}' of {self.name} for '{leaf.name}', which has been updated before; hand over all that "
                "init(params) or step returned, or begin anew with init(params)"
            )

    def _check_shape(self, found: Any, slot: str, kind: Kind, leaf: Leaf, step: Step) -> None:
        """Raise ValueError for memory of a parameter of another shape, which could be broadcast without a word."""
        wanted = (() if step.lanes is None else (step.lanes,)) + kind.shape(leaf.shape)
        if tuple(np.shape(found)) != wanted:
            raise ValueError(
                f"the state's '{slot}' of {self.name} for '{leaf.name}' has shape {tuple(np.shape(found))}; wanted is {wanted}: "
                "it is of other parameters; init(params) makes their own"
            )

    def _settle(self, value: Any, kind: Kind, leaf: Leaf, step: Step) -> Array:
        first = () if step.lanes is None else (step.lanes,)
        if step.lanes is not None and isinstance(kind, PerTensor):
            value = value.meet(leaf.p) if isinstance(value, Scalar) else value
            value = value.reshape(first) if framework(value) is not None else value
        shape = leaf.p.shape if kind.full else first + kind.shape(leaf.shape)
        return settle(value, shape, leaf, kind.dtype or leaf.half, self.name)


def settle(value: Any, shape: Shape, leaf: Leaf, dtype: str | None, owner: str) -> Array:
    """A rule's result as an array of its own, of the given shape and dtype, in the parameter's framework."""
    space, p = leaf.space, leaf.p
    dtype, shape = dtype or leaf.dtype, tuple(shape)
    if type(value) is type(p) and value.dtype == p.dtype and dtype == leaf.dtype and value.shape == shape:
        return space.copy(value) if value is leaf.grad or value is p else value  # the caller may overwrite his gradient
    if isinstance(value, Scalar):
        value = value.meet(leaf.p)
    if framework(value) is None:
        if not isinstance(value, Number):
            raise TypeError(f"{owner}: for '{leaf.name}' it returned {value!r} where an array is wanted")
        return space.full(shape, value, leaf.p, dtype)
    if tuple(value.shape) != shape:
        try:
            value = space.broadcast_to(value, shape)
        except (ValueError, RuntimeError):
            message = f"{owner}: for '{leaf.name}' it returned shape {tuple(value.shape)} where {shape} is wanted"
            raise ValueError(message) from None
        value = space.copy(value)
    if dtype_name(value) != dtype:
        if dtype_name(value).startswith("complex") and not dtype.startswith("complex"):  # a cast would drop half of it
            raise TypeError(f"{owner}: for '{leaf.name}' it returned {dtype_name(value)} where {dtype} is wanted")
        return space.cast(value, dtype)
    if value is leaf.grad or value is p:
        return space.copy(value)
    return space.asarray(value, leaf.p, dtype) if isinstance(value, np.generic) else value


def copied(memory: Memory) -> Memory:
    """The memory with tables of its own: the state handed in stays as it was."""
    return {slot: dict(held) if isinstance(held, dict) else held for slot, held in memory.items()}


def model_number(value: Any) -> Any:
    if isinstance(value, Scalar):
        value = value.values
    return value.item() if isinstance(value, np.ndarray | np.generic) and value.ndim == 0 else value
