"""One step, on arrays and on symbols alike: the only place where a parameter moves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeAlias

from thalweg.core.leaf import Leaf, Memory

Keyed: TypeAlias = Sequence[tuple[Any, Any]]
"""Stages, each with the key of its memory."""


class Step(ABC):
    """The state of one step of the whole model, and the operations that differ between arrays and symbols."""

    lanes: int | None
    seed: Any
    loss: Any

    @abstractmethod
    def run(self, stage: Any, leaves: Sequence[Leaf], memory: Memory) -> tuple[Sequence[Any], Memory]:
        """Return a declared function's first result for each leaf, and its new memory."""

    @abstractmethod
    def rate(self, leaf: Leaf) -> Any:
        """Return the learning rate that applies to the leaf."""

    @abstractmethod
    def moved(self, points: list[Any], starts: list[Any]) -> list[Any]:
        """Convert new points to the form of the starts."""


def advance(stages: Keyed, afters: Keyed, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
    """Update the leaves in place: each stage maps the direction, the parameter moves, the after-steps run.

    This is the only place where a parameter moves. stages, afters: with the keys of their memory. Returns the new memory.
    """
    memory = directed(stages, leaves, memory, step)
    starts = [leaf.p if leaf.walked is None else leaf.walked for leaf in leaves]
    points = step.moved([start - way for start, way in zip(starts, taken(leaves, step), strict=True)], starts)
    for leaf, point in zip(leaves, points, strict=True):
        leaf.p = point
    return evaluated(afters, leaves, memory, step) if afters else memory


def evaluated(afters: Keyed, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
    """Run the after-steps, which say where the next gradient is taken; return the new memory.

    A leaf's `walked` becomes its point before the after-steps, or behind the last that resets it: there the next step starts.
    """
    last = max((k for k, (_, after) in enumerate(afters, 1) if after.resets), default=0)
    memory = directed(afters[:last], leaves, memory, step)
    for leaf in leaves:
        leaf.walked = leaf.p
    return directed(afters[last:], leaves, memory, step)


def directed(stages: Keyed, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
    """Apply the stages to the leaves in order; return the new memory."""
    new = {key: stage.apply(leaves, memory.get(key, {}), step) for key, stage in stages}
    return {**memory, **{key: own for key, own in new.items() if own}}


def taken(leaves: Sequence[Leaf], step: Step) -> list[Any]:
    """Return what is subtracted from each parameter: the learning rate times the direction."""
    return [leaf.d if leaf.owned else step.rate(leaf) * leaf.d for leaf in leaves]
