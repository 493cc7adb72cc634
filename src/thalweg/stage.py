"""Configured methods, ready to run: what passes through them in one step, and how a rule's function is called."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg import trace, views
from thalweg.arrays import Array, dtype_name, framework
from thalweg.each import of, together
from thalweg.hyper import ByLeaf
from thalweg.memory import Kind, Shape, draw
from thalweg.scalars import Scalar
from thalweg.trees import Vector

if TYPE_CHECKING:
    from thalweg.rule import Declaration, Rule

Memory = dict[str, Any]
"""slot -> leaf's name -> array; a per-model slot -> its number."""


@dataclass
class Leaf:
    """One tensor on its way through a step. `d` is what arrives at the next stage; `owned` once the rate is in it."""

    name: str
    shape: Shape
    p: Array
    grad: Array
    t: Any
    lr: Any
    d: Array
    owned: bool = False
    extras: dict[str, Array] = field(default_factory=dict)


@dataclass
class Step:
    """What belongs to the whole model in one step."""

    lanes: int | None
    seed: Any
    loss: Any = None


def resolve(value: Any, t: Any, leaf: str) -> Any:
    """A hyper-parameter's value for a leaf at its update t: a schedule is called, one value per lane becomes a Scalar."""
    if isinstance(value, ByLeaf):
        value = value.values[leaf]
    if callable(value):
        if isinstance(t, Scalar):
            return Scalar(np.asarray([value(int(i)) for i in t.values]))
        value = value(t)
    return Scalar(value) if getattr(value, "ndim", 0) == 1 else value


class Stage(ABC):
    """A configured piece of an optimizer. Immutable; its memory is handed in and out."""

    name: str
    lr: float | None = None

    @property
    @abstractmethod
    def asks(self) -> frozenset[str]:
        """What must be injected."""

    @property
    @abstractmethod
    def memory(self) -> dict[str, Kind]:
        """slot -> kind, for the catalogue; a chain joins its stages' slots."""

    def named(self, name: str, lr: float | None) -> Stage:
        """The same stage under a recipe's name and usual learning rate."""
        renamed = copy.copy(self)
        renamed.name = name
        renamed.lr = self.lr if lr is None else lr
        return renamed

    def at(self, lr: Any) -> Stage:
        """The same stage at a learning rate of its own, as a branch of `choose`."""
        from thalweg.compose import At

        return At(self, lr)

    @property
    def parts(self) -> Sequence[Stage]:
        """The stages this one is a chain of; itself alone if it is none."""
        return (self,)

    @property
    @abstractmethod
    def functions(self) -> Sequence[FunctionStage]:
        """The declared functions that a parameter passes (of `choose`: in its first branch), for formula and cost."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Transform(Stage):
    """A stage before or at the step: it turns each leaf's direction into another."""

    @abstractmethod
    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        """Its memory at the start."""

    @abstractmethod
    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        """Update each leaf's `d` (and `owned`, `lr`) in place; return the new memory."""


class FunctionStage(Stage):
    """A declared function with its hyper-parameters set: how memory is made, injected and taken back."""

    owns_step = False
    """Whether what it returns has the learning rate in it."""

    def __init__(self, rule: Rule, declaration: Declaration, config: dict[str, Any]) -> None:
        self.rule, self.declaration, self.config = rule, declaration.sized(config), config
        self.name, self.lr = rule.name, rule.lr
        trace.check(self)

    def __repr__(self) -> str:
        changed = [f"{k}={v!r}" for k, v in self.config.items() if v is not self.declaration.hyper[k].default]
        return f"<{self.name}({', '.join(changed)})>"

    @property
    def functions(self) -> Sequence[FunctionStage]:
        return (self,)

    @property
    def asks(self) -> frozenset[str]:
        return trace.of(self).used & frozenset(self.declaration.asks)

    @property
    def memory(self) -> dict[str, Kind]:
        return {slot: kind for slot, kind in self.declaration.memory.items() if slot in self.stored}

    def keeping(self, dtypes: dict[str, str]) -> FunctionStage:
        """The same, with slots of memory kept in these dtypes."""
        kept = copy.copy(self)
        memory = self.declaration.memory
        kept.declaration = replace(
            self.declaration, memory={slot: replace(kind, dtype=dtypes.get(slot, kind.dtype)) for slot, kind in memory.items()}
        )
        return kept

    @property
    def stored(self) -> frozenset[str]:
        """The slots this configuration really keeps: one handed back untouched is never stored."""
        return trace.of(self).stored

    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        memory: Memory = {}
        for slot, kind in self.memory.items():
            if kind.kind == "per_model":
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
        kind.shape(views.owned(leaf).shape)  # the parts of a complex vector are no matrix
        return kind.start(leaf.p, leaf.shape, step.lanes, lambda: draw(step.seed, 0, words, leaf.p, step.lanes))

    def run(self, leaf: Leaf, given: dict[str, Any], memory: Memory, updated: Memory, step: Step) -> Any:
        """Call the function for one leaf; put its new memory into `updated` and return its first result."""
        values, hyper = self.arguments(leaf, given, memory, step)
        results = self.rule.function(*self.declaration.packed(values), **hyper)
        return self.keep(self.declaration.unpacked(results), leaf, updated, step)

    def arguments(self, leaf: Leaf, given: dict[str, Any], memory: Memory, step: Step) -> tuple[list[Any], dict[str, Any]]:
        """What the function is called with for a leaf: what it asks for and remembers, and its hyper-parameters."""
        values = [given[ask] for ask in self.declaration.asks]
        for slot, kind in self.declaration.memory.items():
            values.append(self._recall(slot, kind, leaf, memory, step))
        return values, {name: resolve(value, leaf.t, leaf.name) for name, value in self.config.items()}

    def keep(self, results: Sequence[Any], leaf: Leaf, updated: Memory, step: Step) -> Any:
        """Put the new memory among a leaf's results into `updated`; returns the first result."""
        first, *rest = results
        for (slot, kind), value in zip(self.declaration.memory.items(), rest, strict=True):
            if slot not in self.stored:
                continue
            if kind.kind == "per_model":
                updated[slot] = model_number(value)
            else:
                updated.setdefault(slot, {})[leaf.name] = self._settle(value, kind, leaf, step)
        return first

    def _recall(self, slot: str, kind: Kind, leaf: Leaf, memory: Memory, step: Step) -> Any:
        if kind.kind == "per_model":
            value = memory.get(slot, kind.value)
            if isinstance(value, dict):  # in JAX, of a single array, a number cannot be told from a tree like the parameters
                (value,) = value.values()
            on_host = framework(value) is None or framework(value).name == "numpy"
            return Scalar(value) if on_host or getattr(value, "ndim", 0) == 1 else value
        found = memory.get(slot, {}).get(leaf.name)
        if found is None:
            return kind.value if kind.kind == "filled" and slot not in self.stored else self.start(slot, leaf, step)
        if step.lanes is not None and kind.kind == "per_tensor":
            return found.reshape(found.shape + (1,) * len(leaf.shape))
        return found

    def _settle(self, value: Any, kind: Kind, leaf: Leaf, step: Step) -> Array:
        first = () if step.lanes is None else (step.lanes,)
        if step.lanes is not None and kind.kind == "per_tensor":
            value = value.meet(leaf.p) if isinstance(value, Scalar) else value
            value = value.reshape(first) if framework(value) is not None else value
        return settle(value, first + kind.shape(leaf.shape), leaf, kind.dtype, self.name)


def settle(value: Any, shape: Shape, leaf: Leaf, dtype: str | None, owner: str) -> Array:
    """A rule's result as an array of its own, of the given shape and dtype, in the parameter's framework."""
    space = framework(leaf.p)
    dtype = dtype or dtype_name(leaf.p)
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
    if value is leaf.grad or value is leaf.p:  # the caller may overwrite his gradient; memory must not follow
        return space.copy(value)
    return space.asarray(value, leaf.p, dtype) if isinstance(value, np.generic) else value


def _copied(memory: Memory) -> Memory:
    """The memory with tables of its own: the state handed in stays as it was."""
    return {slot: dict(held) if isinstance(held, dict) else held for slot, held in memory.items()}


def model_number(value: Any) -> Any:
    if isinstance(value, Scalar):
        value = value.values
    return value.item() if isinstance(value, np.ndarray | np.generic) and value.ndim == 0 else value


class RuleStage(FunctionStage, Transform):
    """A rule: g, memory -> direction, memory, one leaf at a time."""

    def __init__(
        self, rule: Rule, declaration: Declaration, config: dict[str, Any], *, owns_step: bool, given_grad_fn: Rule | None
    ) -> None:
        self.owns_step, self.given_grad_fn = owns_step, given_grad_fn
        super().__init__(rule, declaration, config)

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        updated = _copied(memory)
        given = self._given(leaves, step)
        directions = (self._run_on_all if trace.of(self).whole else self._run_on_each)(leaves, given, memory, updated, step)
        for leaf, direction in zip(leaves, directions, strict=True):
            leaf.d = settle(direction, tuple(leaf.p.shape), leaf, None, self.name)
            leaf.owned = leaf.owned or self.owns_step
        return updated

    def _given(self, leaves: Sequence[Leaf], step: Step) -> list[dict[str, Any]]:
        """What may be asked for, leaf by leaf."""
        gnorm = _norm_of_all(leaves, step) if "gnorm" in self.asks else None
        found = []
        for leaf in leaves:
            if self.owns_step and leaf.owned:
                raise ValueError(f"{self.name} owns its step, and so does a rule before it in the chain; only one can")
            given = {
                "g": leaf.d, "t": leaf.t, "p": leaf.p, "lr": leaf.lr, "rate": leaf.lr if leaf.owned else 1.0,
                "gnorm": gnorm, "loss": step.loss, "grad": leaf.grad, **leaf.extras,
            }  # fmt: skip
            if "noise" in self.asks and "noise" not in leaf.extras:
                given["noise"] = draw(step.seed, leaf.t, (self.name, leaf.name), leaf.p, step.lanes)
            found.append(given)
        return found

    def _run_on_each(
        self, leaves: Sequence[Leaf], given: Sequence[dict[str, Any]], memory: Memory, updated: Memory, step: Step
    ) -> list[Any]:
        return [self.run(leaf, asked, memory, updated, step) for leaf, asked in zip(leaves, given, strict=True)]

    def _run_on_all(
        self, leaves: Sequence[Leaf], given: Sequence[dict[str, Any]], memory: Memory, updated: Memory, step: Step
    ) -> list[Any]:
        """Call the function once, for all leaves: it has sums over the model in it."""
        if not leaves:
            return []
        arguments = [self.arguments(leaf, asked, memory, step) for leaf, asked in zip(leaves, given, strict=True)]
        values = [together(of_leaves) for of_leaves in zip(*(values for values, _ in arguments), strict=True)]
        hyper = {name: together([config[name] for _, config in arguments]) for name in self.config}
        results = self.declaration.unpacked(self.rule.function(*self.declaration.packed(values), **hyper))
        return [self.keep([of(x, i) for x in results], leaf, updated, step) for i, leaf in enumerate(leaves)]


class AfterStage(FunctionStage):
    """What happens after the step: z, memory -> the point of the next gradient, memory."""

    @property
    def moves(self) -> bool:
        """False where the next gradient is simply taken at the walked point."""
        return trace.of(self).moves

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        updated = _copied(memory)
        for leaf in leaves:
            given = {"z": leaf.p, "t": leaf.t, "lr": leaf.lr}
            leaf.p = settle(self.run(leaf, given, memory, updated, step), tuple(leaf.p.shape), leaf, None, self.name)
        return updated


class AroundStage(FunctionStage):
    """What happens around the step: a generator over whole trees."""

    def __init__(self, rule: Rule, declaration: Declaration, config: dict[str, Any], *, owns_step: bool, decides: bool) -> None:
        self.owns_step, self.decides = owns_step, decides
        super().__init__(rule, declaration, config)

    @property
    def asks(self) -> frozenset[str]:
        """What must be injected; the loss too, where it is made use of at the first point."""
        return super().asks | ({"loss"} & {"loss" if word == "loss_1" else "" for word in trace.of(self).used})

    def points(self, leaves: Sequence[Leaf], memory: Memory, step: Step, lane: int | None = None) -> Walk:
        """Run the generator: what it returns, and its memory. lane: of which lane the leaves, memory and step are."""
        if self.decides and step.lanes is not None:
            return (yield from self._side_by_side(leaves, memory, step))
        lanes = step.lanes is not None
        tree = {"p": Vector([leaf.p for leaf in leaves], lanes), "t": leaves[0].t, "lr": leaves[0].lr}
        values = [tree[ask] for ask in self.declaration.asks]
        for slot in self.declaration.memory:
            held = memory.get(slot, {})
            values.append(
                Vector([held[leaf.name] if leaf.name in held else self.start(slot, leaf, step) for leaf in leaves], lanes)
            )
        hyper = {name: resolve(value, leaves[0].t, leaves[0].name) for name, value in self.config.items()}
        if lane is not None:
            hyper = {name: _of_lane(value, lane) if isinstance(value, Scalar) else value for name, value in hyper.items()}
        results = yield from self.rule.function(*values, **hyper)
        gradient, *rest = results if isinstance(results, tuple) else (results,)
        kept = _copied(memory)
        first = () if step.lanes is None else (step.lanes,)
        for (slot, kind), value in zip(self.declaration.memory.items(), rest, strict=True):
            for leaf, x in zip(leaves, value.leaves, strict=True) if slot in self.stored else ():
                kept.setdefault(slot, {})[leaf.name] = settle(x, first + kind.shape(leaf.shape), leaf, kind.dtype, self.name)
        return gradient, kept

    def _side_by_side(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Walk:
        """A generator for each lane, all asked at once; one that is done waits where it looked last."""
        assert step.lanes is not None
        runs = [[_in_lane(leaf, i) for leaf in leaves] for i in range(step.lanes)]
        walks = [
            self.points(
                run,
                {slot: {name: _of_lane(x, i) for name, x in held.items()} for slot, held in memory.items()},
                Step(None, step.seed if np.ndim(step.seed) == 0 else step.seed[i]),
                lane=i,
            )
            for i, run in enumerate(runs)
        ]
        asked = [next(walk) for walk in walks]
        done: dict[int, tuple[Vector, Memory]] = {}
        while len(done) < step.lanes:
            at_start = all(
                a is leaf.p for point, run in zip(asked, runs, strict=True) for a, leaf in zip(point.leaves, run, strict=True)
            )
            loss, gradient = yield Vector([leaf.p for leaf in leaves], True) if at_start else _stacked(asked, leaves)
            for i, walk in enumerate(walks):
                if i not in done:
                    try:
                        asked[i] = walk.send((_of_lane(loss, i), Vector([_of_lane(g, i) for g in gradient.leaves])))
                    except StopIteration as stop:
                        done[i] = stop.value
        ends = [done[i] for i in range(step.lanes)]
        kept = {
            slot: {**memory.get(slot, {}), **{leaf.name: _stack([m[slot][leaf.name] for _, m in ends], leaf) for leaf in leaves}}
            for slot in self.memory
        }
        return _stacked([gradient for gradient, _ in ends], leaves), kept


Walk = Generator[Vector, Any, tuple[Vector, Memory]]
"""Points to look at, each answered with (loss, gradient); at the end a gradient or a step, and the new memory."""


def _of_lane(x: Any, i: int) -> Any:
    """What belongs to one lane."""
    if x is None:
        return None
    if isinstance(x, Scalar):
        return Scalar(x.values[i]) if x.values.ndim else x
    return np.asarray(x[i]) if isinstance(x, np.ndarray) else x[i]  # NumPy makes numbers of 0-d arrays


def _in_lane(leaf: Leaf, i: int) -> Leaf:
    t = int(leaf.t.values[i]) if isinstance(leaf.t, Scalar) else leaf.t
    lr = _of_lane(leaf.lr, i) if isinstance(leaf.lr, Scalar) else leaf.lr
    return Leaf(leaf.name, leaf.shape, _of_lane(leaf.p, i), _of_lane(leaf.p, i), t, lr, _of_lane(leaf.p, i))


def _stack(xs: Sequence[Array], leaf: Leaf) -> Array:
    return framework(leaf.p).stack(list(xs), axis=0)


def _stacked(points: Sequence[Vector], leaves: Sequence[Leaf]) -> Vector:
    """One point of all lanes from one of each."""
    return Vector([_stack([point.leaves[k] for point in points], leaf) for k, leaf in enumerate(leaves)], True)


def _norm_of_all(leaves: Sequence[Leaf], step: Step) -> Any:
    return Vector([leaf.d for leaf in leaves], step.lanes is not None).norm_of_all()
