"""One step: the only place where a parameter moves, of arrays and of symbols alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from thalweg.core.leaf import Leaf, Memory


class Step(ABC):
    """What belongs to the whole model in one step, and what differs where a step is of arrays and where it is of symbols."""

    lanes: int | None
    seed: Any
    loss: Any
    arranges: bool
    """Whether its tensors have axes, which can be put in another order."""

    @abstractmethod
    def run(self, stage: Any, leaves: Sequence[Leaf], memory: Memory, updated: Memory) -> list[Any]:
        """A declared function's first result for each leaf; its new memory goes into `updated`."""

    @abstractmethod
    def resolved(self, rate: Any, leaf: Leaf) -> Any:
        """What a leaf keeps for a learning rate that holds from here on."""

    @abstractmethod
    def rate(self, leaf: Leaf) -> Any:
        """The learning rate that holds where the leaf is."""

    @abstractmethod
    def moved(self, point: Any, start: Any, leaf: Leaf) -> Any:
        """A new point as the start was."""


def advance(
    stages: Iterable[tuple[Any, Any]], afters: Iterable[tuple[Any, Any]], leaves: Sequence[Leaf], memory: Memory, step: Step,
    walked: dict[str, Any] | None = None,
) -> tuple[Memory, dict[str, Any]]:  # fmt: skip
    """One update of the leaves, in place: each stage makes of the direction another, the point moves, the after-steps look on.

    stages, afters: with the key of each one's memory. walked: where they move from, if not from where the gradient was taken.
    Returns the new memory, and where each leaf came to before the after-steps. It is the only place where a parameter moves.
    """
    memory = directed(stages, leaves, memory, step)
    for leaf in leaves:
        start = leaf.p if walked is None else walked[leaf.name]
        leaf.p = step.moved(start - taken(leaf, step), start, leaf)
    reached = {leaf.name: leaf.p for leaf in leaves}
    return directed(afters, leaves, memory, step), reached


def directed(stages: Iterable[tuple[Any, Any]], leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
    """Have each stage see the leaves, one after another; returns the new memory."""
    updated = dict(memory)
    for key, stage in stages:
        new = stage.apply(leaves, memory.get(key, {}), step)
        if new:
            updated[key] = new
    return updated


def taken(leaf: Leaf, step: Step) -> Any:
    """What is taken from the parameter: the learning rate times the direction."""
    return leaf.d if leaf.owned else step.rate(leaf) * leaf.d
