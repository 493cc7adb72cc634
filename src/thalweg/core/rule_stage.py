"""A configured rule, which maps a direction to a direction, and a configured after-step, which maps a point to a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg.core.function_stage import FunctionStage
from thalweg.core.leaf import Leaf, Memory
from thalweg.core.stage import Configurable, Transform
from thalweg.core.step import Step
from thalweg.form.declaration import Declaration


class RuleStage(FunctionStage, Transform):
    """A rule: g, memory -> direction, memory."""

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        if self.owns_step and any(leaf.owned for leaf in leaves):
            raise ValueError(f"{self.name} owns its step, and so does a rule before it in the chain; only one can")
        directions, updated = step.run(self, leaves, memory)
        for leaf, direction in zip(leaves, directions, strict=True):
            leaf.d, leaf.owned = direction, leaf.owned or self.owns_step
        return updated


class AfterStage(FunctionStage):
    """What happens after the step: z, memory -> the point of the next gradient, memory."""

    place = 2

    def __init__(self, rule: Configurable, declaration: Declaration, config: dict[str, Any], *, resets: bool = False) -> None:
        self.resets = resets
        super().__init__(rule, declaration, config)

    @property
    def moves(self) -> bool:
        """Whether the next gradient is taken elsewhere than at the updated iterate."""
        return self.trace.moves and not self.resets

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        points, updated = step.run(self, leaves, memory)
        for leaf, point in zip(leaves, points, strict=True):
            leaf.p = point
        return updated
