"""A configured @around method: a generator over whole trees, or one per lane if values decide its course."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from thalweg.core.array_step import ArrayStep, as_array_like
from thalweg.core.function_stage import FunctionStage
from thalweg.core.leaf import Leaf, Memory, value_at
from thalweg.core.stage import Configurable
from thalweg.form.asks import ASKS, Asking
from thalweg.form.declaration import Declaration, Function
from thalweg.values.arrays import Array, framework, widened
from thalweg.values.scalars import Scalar
from thalweg.values.trees import Vector


class AroundStage(FunctionStage):
    """What happens around the step: a generator over whole trees."""

    place = 0

    def __init__(
        self, rule: Configurable, declaration: Declaration, config: dict[str, Any], *, owns_step: bool, decides: bool
    ) -> None:
        self.decides = decides
        super().__init__(rule, declaration, config, owns_step=owns_step)

    @property
    def call(self) -> Function:
        return self.function

    @property
    def asks(self) -> frozenset[str]:
        """What the method asks for; also the loss, if it reads the loss at the first point."""
        return super().asks | ({"loss"} & {"loss" if word == "loss_1" else "" for word in self.trace.used})

    def points(self, leaves: Sequence[Leaf], memory: Memory, step: ArrayStep, lane: int | None = None) -> Walk:
        """Run the generator; return its result and its memory. lane: the lane of leaves, memory and step, if they are of one."""
        stage = self.beside(memory)
        if stage is not self:
            return (yield from stage.points(leaves, memory, step, lane))
        if self.decides and step.lanes is not None:
            return (yield from self._side_by_side(leaves, memory, step))
        lanes = step.lanes is not None
        tree = replace(leaves[0], p=Vector([leaf.p for leaf in leaves], lanes))
        values = [ASKS[ask].supplied(Asking(tree, step, self)) for ask in self.declaration.asks]
        for slot in self.declaration.memory:
            held = memory.get(slot) or {}
            for leaf in leaves:
                if leaf.name not in held:
                    step.check_lost(self, slot, leaf, memory)
            found = [held[leaf.name] if leaf.name in held else self.start(slot, step, leaf.stored()) for leaf in leaves]
            values.append(Vector(list(map(widened, found)), lanes))
        hyper = {name: value_at(value, leaves[0].t, leaves[0].name) for name, value in self.config.items()}
        if lane is not None:
            hyper = {name: _of_lane(value, lane) if isinstance(value, Scalar) else value for name, value in hyper.items()}
        try:
            results = yield from self.function(*values, **self.declaration.joined(hyper))
        except TypeError as error:
            if not self.decides or "under jax.jit" not in str(error):  # what `known` raises
                raise
            raise TypeError(f"{self.name}: {error}, with a grad_fn that is jitted") from error
        gradient, *rest = results if isinstance(results, tuple) else (results,)
        kept = {slot: dict(held) for slot, held in memory.items()}
        first = () if step.lanes is None else (step.lanes,)
        for (slot, kind), value in zip(self.declaration.memory.items(), rest, strict=True):
            for leaf, x in zip(leaves, value.leaves, strict=True) if slot in self.memory else ():
                dtype = kind.dtype or leaf.half
                kept.setdefault(slot, {})[leaf.name] = as_array_like(x, first + kind.shape(leaf.shape), leaf, dtype, self.name)
        return gradient, kept

    def _side_by_side(self, leaves: Sequence[Leaf], memory: Memory, step: ArrayStep) -> Walk:
        """Run one generator per lane, all evaluated together. A generator that has finished keeps its last point."""
        assert step.lanes is not None
        runs = [[_in_lane(leaf, i) for leaf in leaves] for i in range(step.lanes)]
        walks = [
            self.points(
                run,
                {slot: {name: _of_lane(x, i) for name, x in held.items()} for slot, held in memory.items()},
                ArrayStep(None, step.seed if np.ndim(step.seed) == 0 else step.seed[i]),
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
"""Yields points, receives (loss, gradient) at each, and returns a gradient or a step and the new memory."""


def _of_lane(x: Any, i: int) -> Any:
    """Return the part of one lane."""
    if x is None:
        return None
    if isinstance(x, Scalar):
        return Scalar(x.values[i]) if x.values.ndim else x
    return np.asarray(x[i]) if isinstance(x, np.ndarray) else x[i]  # NumPy turns 0-d arrays into numbers


def _in_lane(leaf: Leaf, i: int) -> Leaf:
    t = int(leaf.t.values[i]) if isinstance(leaf.t, Scalar) else leaf.t
    lr = _of_lane(leaf.lr, i) if isinstance(leaf.lr, Scalar) else leaf.lr
    p = _of_lane(leaf.p, i)
    return Leaf(leaf.name, leaf.shape, p, p, t, lr, p, half=leaf.half)


def _stack(xs: Sequence[Array], leaf: Leaf) -> Array:
    return framework(leaf.p).stack(list(xs), axis=0)


def _stacked(points: Sequence[Vector], leaves: Sequence[Leaf]) -> Vector:
    """Stack the points of the lanes into one."""
    return Vector([_stack([point.leaves[k] for point in points], leaf) for k, leaf in enumerate(leaves)], True)
