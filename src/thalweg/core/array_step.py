"""A step on arrays: the functions' arguments, reading the memory, and writing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

from thalweg.core.function_stage import FunctionStage, to_float_or_lanes
from thalweg.core.leaf import Leaf, Memory
from thalweg.core.step import Step
from thalweg.form.asks import ASKS, Asking
from thalweg.form.draws import draw
from thalweg.form.hyper import Role
from thalweg.form.memory import Filled, Kind, PerModel, PerTensor, Shape
from thalweg.values.arrays import Array, dtype_name, framework, is_traced, widened
from thalweg.values.per_tensor import of, together
from thalweg.values.scalars import Scalar
from thalweg.values.trees import Vector


@dataclass
class ArrayStep(Step):
    """One step on a model's arrays."""

    lanes: int | None
    seed: Any
    loss: Any = None
    remembers: bool = False
    """Whether the memory is from a complete state, so that a missing slot is lost; otherwise it starts anew."""
    running: Sequence[Leaf] = ()
    """The leaves on which a stage runs."""
    norm: Any = None
    """The norm of all that arrives at that stage, once it has been asked for."""

    def run(self, stage: FunctionStage, leaves: Sequence[Leaf], memory: Memory) -> tuple[Sequence[Array], Memory]:
        if not leaves:
            return [], memory
        stage = stage if stage.memory.keys() >= memory.keys() else stage.beside(memory)
        self.running, self.norm = leaves, None
        if stage.trace.needs_whole_model and stage.place == 1:
            return self._run_on_all(stage, leaves, memory)
        hypers = [stage.declaration.joined(stage.hyper_at(leaf)) if stage.steady is None else stage.steady for leaf in leaves]
        handed = zip(self._handed(stage, leaves, memory), hypers, strict=True)
        return self._kept(stage, [stage.call(*values, **hyper) for values, hyper in handed], leaves, memory)

    def _run_on_all(self, stage: FunctionStage, leaves: Sequence[Leaf], memory: Memory) -> tuple[Sequence[Array], Memory]:
        """Call the function once for all leaves, because it sums over the model."""
        configs = [stage.hyper_at(leaf) for leaf in leaves]
        hyper = {name: together([config[name] for config in configs]) for name in stage.config}
        values = [together(of_leaves) for of_leaves in zip(*self._handed(stage, leaves, memory), strict=True)]
        results = stage.call(*values, **stage.declaration.joined(hyper))
        return self._kept(stage, [[of(x, i) for x in results] for i in range(len(leaves))], leaves, memory)

    def _handed(self, stage: FunctionStage, leaves: Sequence[Leaf], memory: Memory) -> list[list[Any]]:
        """Return the function's arguments for each leaf: what it asks for, and its memory."""
        asking = [Asking(leaf, self, stage) for leaf in leaves]
        asked = [[ASKS[ask].supplied(at) for ask in stage.declaration.asks] for at in asking]
        slots = [self._slot(stage, slot, kind, leaves, memory) for slot, kind in stage.declaration.memory.items()]
        return [[*values, *held] for values, *held in zip(asked, *slots, strict=True)]

    def _slot(self, stage: FunctionStage, slot: str, kind: Kind, leaves: Sequence[Leaf], memory: Memory) -> list[Any]:
        """Return a slot's memory of each leaf, as the function takes it."""
        held = (memory.get(slot) if kind.full else None) or {}
        found = [held.get(leaf.name) for leaf in leaves]
        full = [x is not None and leaf.half is None and x.shape == leaf.p.shape for x, leaf in zip(found, leaves, strict=True)]
        return found if all(full) else [self._recalled(stage, slot, kind, leaf, memory) for leaf in leaves]

    def _kept(
        self, stage: FunctionStage, results: Sequence[Sequence[Any]], leaves: Sequence[Leaf], memory: Memory
    ) -> tuple[Sequence[Array], Memory]:
        """Return a function's first result for each leaf, and the memory with its other results."""
        found = []
        for leaf, row in zip(leaves, results, strict=True):
            p, g = leaf.p, leaf.grad
            own = all(type(x) is type(p) and x.dtype == p.dtype and x.shape == p.shape and x is not p and x is not g for x in row)
            usual = own and stage.like_parameters and leaf.half is None
            found.append(row if usual else self._converted(stage, row, leaf))
        directions, *columns = zip(*found, strict=True)
        slots = zip(stage.declaration.memory.items(), columns, strict=True)
        new = {slot: kind.table(memory.get(slot), leaves, x) for (slot, kind), x in slots if slot in stage.memory}
        return directions, {**memory, **new}

    def _converted(self, stage: FunctionStage, results: Sequence[Any], leaf: Leaf) -> list[Any]:
        """Return a function's results as a separate array of the parameter's shape and memory of its kinds."""
        found = [as_array_like(results[0], leaf.p.shape, leaf, None, stage.name)]
        for (slot, kind), value in zip(stage.declaration.memory.items(), results[1:], strict=True):
            found.append(self._as_memory(stage, kind, value, leaf) if slot in stage.memory else value)
        return found

    def _as_memory(self, stage: FunctionStage, kind: Kind, value: Any, leaf: Leaf) -> Any:
        if isinstance(kind, PerModel):
            return to_float_or_lanes(value)
        if self.lanes is not None and isinstance(kind, PerTensor):
            value = value.meet(leaf.p) if isinstance(value, Scalar) else value
            value = value.reshape(self._first) if framework(value) is not None else value
        shape = leaf.p.shape if kind.full else (*self._first, *kind.shape(leaf.shape))
        narrow = None if isinstance(kind, PerTensor) else leaf.half  # one number stays as it was computed, see `PerTensor.start`
        return as_array_like(value, shape, leaf, kind.dtype or narrow, stage.name)

    @property
    def _first(self) -> Shape:
        """The axis of lanes."""
        return () if self.lanes is None else (self.lanes,)

    # what functions may ask for

    def rate(self, leaf: Leaf) -> Any:
        return leaf.lr

    def gnorm(self, leaf: Leaf, stage: FunctionStage) -> Any:
        if self.norm is None and "gnorm" in stage.asks:
            self.norm = Vector([leaf.d for leaf in self.running], self.lanes is not None).norm_of_all()
        return self.norm

    def noise(self, leaf: Leaf, stage: FunctionStage) -> Array:
        given, every, t = leaf.extras.get("noise"), stage.value_of(Role.INTERVAL, 1), leaf.t
        t = t.values if isinstance(t, Scalar) else t
        if given is None and every > 1 and not is_traced(t) and not np.any((np.asarray(t) - 1) % every == 0):
            return leaf.d  # it is not looked at in this step
        if given is None:
            given = draw(self.seed, leaf.t, (stage.name, leaf.name), leaf.p, self.lanes)
        return given

    def curvature(self, leaf: Leaf) -> Any:
        return leaf.extras.get("curvature")

    def moved(self, points: list[Array], starts: list[Array]) -> list[Array]:
        pairs = zip(points, starts, strict=True)
        return [x if type(x) is type(start) and x.dtype == start.dtype else _cast(x, start) for x, start in pairs]

    # memory

    def _recalled(self, stage: FunctionStage, slot: str, kind: Kind, leaf: Leaf, memory: Memory) -> Any:
        if isinstance(kind, PerModel):
            return self._number(stage, slot, kind, leaf, memory)
        found = (memory.get(slot) or {}).get(leaf.name)
        if found is None:
            if isinstance(kind, Filled) and slot not in stage.memory:
                return kind.value
            self.check_lost(stage, slot, leaf, memory)
            return widened(stage.start(slot, self, leaf.stored()))
        if self.remembers and not (kind.full and found.shape == leaf.p.shape):
            self._check_shape(stage, slot, kind, leaf, found)
        if leaf.half is not None:  # narrow memory beside wide parameters is optax's concern
            found = widened(found)
        if self.lanes is not None and isinstance(kind, PerTensor):
            return found.reshape(found.shape + (1,) * len(leaf.shape))
        return found

    def _number(self, stage: FunctionStage, slot: str, kind: Kind, leaf: Leaf, memory: Memory) -> Any:
        """Return a number of the whole model."""
        if slot not in memory:
            self.check_lost(stage, slot, leaf, memory)
        value = memory.get(slot, kind.value)
        if isinstance(value, dict):  # in JAX, a number of a single array looks like a tree of parameters
            (value,) = value.values()
        on_host = framework(value) is None or framework(value).name == "numpy"
        return Scalar(value) if on_host or getattr(value, "ndim", 0) == 1 else value

    def check_lost(self, stage: FunctionStage, slot: str, leaf: Leaf, memory: Memory) -> None:
        """Raise ValueError if memory that an update would have written is missing."""
        if not self.remembers or slot not in stage.memory:
            return
        if leaf.t is None or is_traced(leaf.t) or np.any(np.asarray(leaf.t.values if isinstance(leaf.t, Scalar) else leaf.t) > 1):
            raise ValueError(
                f"the state lacks '{slot}' of {stage.name} for '{leaf.name}', which has been updated before; hand over all that "
                f"init(params) or step returned, or begin anew with init(params){stage.forgetting(slot)}"
            )

    def _check_shape(self, stage: FunctionStage, slot: str, kind: Kind, leaf: Leaf, found: Any) -> None:
        """Raise ValueError for memory of another shape, which would broadcast silently."""
        wanted = (*self._first, *kind.shape(leaf.shape))
        if tuple(np.shape(found)) != wanted:
            raise ValueError(
                f"the state's '{slot}' of {stage.name} for '{leaf.name}' has shape {tuple(np.shape(found))}; wanted is {wanted}: "
                "it is of other parameters; init(params) makes their own"
            )


def _cast(point: Any, start: Array) -> Array:
    """Return a new point in the dtype of its start."""
    found = point if point.dtype == start.dtype else framework(point).cast(point, dtype_name(start))
    return np.asarray(found) if isinstance(found, np.generic) else found  # NumPy turns 0-d arrays into numbers


def as_array_like(value: Any, shape: Shape, leaf: Leaf, dtype: str | None, owner: str) -> Array:
    """Return a rule's result as a separate array of this shape and dtype, in the parameter's framework."""
    p = leaf.p
    if dtype is None and type(value) is type(p) and value.dtype == p.dtype and value.shape == shape:
        return leaf.space.copy(value) if value is leaf.grad or value is p else value  # the caller may overwrite the gradient
    space, dtype, shape = leaf.space, dtype or leaf.dtype, tuple(shape)
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
        if dtype_name(value).startswith("complex") and not dtype.startswith("complex"):  # a cast would drop the imaginary part
            raise TypeError(f"{owner}: for '{leaf.name}' it returned {dtype_name(value)} where {dtype} is wanted")
        return space.cast(value, dtype)
    if value is leaf.grad or value is p:
        return space.copy(value)
    return space.asarray(value, leaf.p, dtype) if isinstance(value, np.generic) else value
