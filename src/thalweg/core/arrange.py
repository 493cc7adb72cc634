"""Matrix rules on tensors with more axes: which axes become rows and which become columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from thalweg.core.leaf import Leaf, Memory, owned
from thalweg.core.rule_stage import RuleStage
from thalweg.core.stage import Shell, Stage, as_stage
from thalweg.core.step import Step
from thalweg.form.memory import Shape
from thalweg.values.arrays import Array, framework

Axes = tuple[tuple[int, ...], ...]
"""Groups of a tensor's axes, each axis in exactly one group. Each group becomes one axis of the array that the rule sees."""


class Arranged(Shell):
    """A stage that sees a tensor with its axes permuted and some of them joined."""

    def __init__(self, axes: Callable[[Leaf], Axes], stage: Stage) -> None:
        super().__init__(stage)
        self.axes = axes
        if not all(isinstance(part, RuleStage) for part in self.inner.stages):
            raise TypeError(f"arranged takes a rule, or a chain of rules, not {self.name}")

    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        views = [_View(leaf, self.axes(owned(leaf))) for leaf in leaves]
        return self._told(self.inner.init([view.seen for view in views], step), views, _View.back)

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        views = [_View(leaf, self.axes(owned(leaf))) for leaf in leaves]
        updated = self.inner.apply([view.seen for view in views], self._told(memory, views, _View.to), step)
        for leaf, view in zip(leaves, views, strict=True):
            leaf.d, leaf.owned, leaf.lr = view.back(view.seen.d), view.seen.owned, view.seen.lr
        return self._told(updated, views, _View.back)

    def _told(self, memory: Memory, views: Sequence[_View], way: Callable[[_View, Array], Array]) -> Memory:
        """Return the memory with its full tensors converted to the rule's layout, or back."""
        told = {key: dict(held) for key, held in memory.items()}
        for key, stage in self.inner.items(RuleStage):
            for slot, kind in stage.memory.items():
                held = told.get(key, {}).get(slot)
                if kind.full and held is not None:  # stored in the parameter's layout, so that it is sharded as the parameter is
                    told[key][slot] = {**held, **{v.seen.name: way(v, held[v.seen.name]) for v in views if v.seen.name in held}}
        return told


class _View:
    """The conversion of one tensor to the rule's layout and back."""

    def __init__(self, leaf: Leaf, axes: Axes) -> None:
        own = owned(leaf).shape
        order = [axis % len(own) for group in axes for axis in group]
        if sorted(order) != list(range(len(own))):
            raise ValueError(f"'{leaf.name}' has axes 0 to {len(own) - 1}, and each is wanted once, not {axes}")
        self.first = leaf.p.ndim - len(own)  # the axis of lanes and that of a complex tensor's parts stay in front
        self.order = [*range(self.first), *(self.first + axis for axis in order)]
        self.between: Shape = tuple(leaf.p.shape[axis] for axis in self.order)
        shape = tuple(math.prod(own[axis] for axis in group) for group in axes)
        self.shape = (*leaf.p.shape[: self.first], *shape)
        arrays = {word: self.to(getattr(leaf, word)) for word in ("p", "grad", "d")}
        parts = leaf.shape[: len(leaf.shape) - len(own)]
        self.seen = replace(leaf, shape=(*parts, *shape), extras={w: self.to(x) for w, x in leaf.extras.items()}, **arrays)

    def to(self, x: Array) -> Array:
        """Convert a tensor from the parameter's layout to the rule's."""
        return self._moved(x, self.order, range(len(self.order))).reshape(self.shape)

    def back(self, x: Array) -> Array:
        """Convert it back."""
        return self._moved(x.reshape(self.between), range(len(self.order)), self.order)

    def _moved(self, x: Array, source: Sequence[int], to: Sequence[int]) -> Array:
        return x if list(source) == list(to) else framework(x).moveaxis(x, tuple(source), tuple(to))


def arranged(axes: Axes | Callable[[Leaf], Axes], stage: Any) -> Arranged:
    """Apply a matrix rule to tensors with more axes.

    Parameters
    ----------
    axes : tuple of tuples of int, or callable
        Groups of a tensor's axes. The rule sees each group as one axis, the last two as rows and columns. A callable
        returns the groups for a parameter (with `name` and `shape`).
    stage : Rule or Stage
        A rule or a chain of rules.

    Returns
    -------
    Arranged
        A stage.

    Raises
    ------
    TypeError
        If `stage` is neither a rule nor a chain of rules.
    ValueError
        At `init`, if an axis is missing or named twice.

    Examples
    --------
    A convolution kernel of shape (outputs, inputs, height, width) as a matrix of outputs by the rest:

    >>> arranged(((0,), (1, 2, 3)), muon())
    """
    return Arranged(axes if callable(axes) else _Always(axes), as_stage(stage))


@dataclass(frozen=True)
class _Always:
    """The same axes for each parameter."""

    axes: Axes

    def __call__(self, leaf: Leaf) -> Axes:
        return self.axes
