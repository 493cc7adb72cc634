"""One step, on arrays and on symbols alike: the only place where a parameter moves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from thalweg.core.leaf import Leaf, Memory


class Step(ABC):
    """The state of one step of the whole model, and the operations that differ between arrays and symbols."""

    lanes: int | None
    seed: Any
    loss: Any

    @abstractmethod
    def run(self, stage: Any, leaves: Sequence[Leaf], memory: Memory, updated: Memory) -> list[Any]:
        """Return a declared function's first result for each leaf; write its new memory into `updated`."""

    @abstractmethod
    def rate(self, leaf: Leaf) -> Any:
        """Return the learning rate that applies to the leaf."""

    @abstractmethod
    def moved(self, points: list[Any], starts: list[Any]) -> list[Any]:
        """Convert new points to the form of the starts."""


def advance(
    stages: Iterable[tuple[Any, Any]], afters: Iterable[tuple[Any, Any]], leaves: Sequence[Leaf], memory: Memory, step: Step,
    walked: dict[str, Any] | None = None,
) -> tuple[Memory, dict[str, Any]]:  # fmt: skip
    """Update the leaves in place: each stage maps the direction, the parameter moves, the after-steps run.

    This is the only place where a parameter moves. stages, afters: with the keys of their memory. walked: the iterate to
    move, if the gradient was taken elsewhere. Returns the new memory, and each leaf's point before the after-steps, or behind the
    last that resets it.
    """
    memory = directed(stages, leaves, memory, step)
    starts = [leaf.p if walked is None else walked[leaf.name] for leaf in leaves]
    points = step.moved([start - taken(leaf, step) for start, leaf in zip(starts, leaves, strict=True)], starts)
    for leaf, point in zip(leaves, points, strict=True):
        leaf.p = point
    afters = list(afters)
    last = max((k for k, (_, after) in enumerate(afters, 1) if after.resets), default=0)
    memory = directed(afters[:last], leaves, memory, step) if last else memory
    reached = {leaf.name: leaf.p for leaf in leaves}
    return directed(afters[last:], leaves, memory, step), reached


def directed(stages: Iterable[tuple[Any, Any]], leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
    """Apply the stages to the leaves in order; return the new memory."""
    updated = dict(memory)
    for key, stage in stages:
        new = stage.apply(leaves, memory.get(key, {}), step)
        if new:
            updated[key] = new
    return updated


def taken(leaf: Leaf, step: Step) -> Any:
    """Return what is subtracted from the parameter: the learning rate times the direction."""
    return leaf.d if leaf.owned else step.rate(leaf) * leaf.d
