"""A configured rule and a configured after-step: what they are handed, leaf by leaf, or all leaves at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg.core.function_stage import FunctionStage, copied, settle
from thalweg.core.leaf import Leaf, Memory, Step
from thalweg.core.stage import Configurable, Transform
from thalweg.form.declaration import Declaration
from thalweg.form.memory import draw
from thalweg.values.arrays import widened
from thalweg.values.per_tensor import of, together
from thalweg.values.trees import Vector


class RuleStage(FunctionStage, Transform):
    """A rule: g, memory -> direction, memory, one leaf at a time."""

    def __init__(
        self,
        rule: Configurable,
        declaration: Declaration,
        config: dict[str, Any],
        *,
        owns_step: bool,
        given_grad_fn: Configurable | None,
    ) -> None:
        self.owns_step, self.given_grad_fn = owns_step, given_grad_fn
        super().__init__(rule, declaration, config)

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        updated = copied(memory)
        given = self._given(leaves, step)
        directions = (self._run_on_all if self.trace.whole else self._run_on_each)(leaves, given, memory, updated, step)
        for leaf, direction in zip(leaves, directions, strict=True):
            leaf.d = settle(direction, leaf.p.shape, leaf, None, self.name)
            leaf.owned = leaf.owned or self.owns_step
        return updated

    def _given(self, leaves: Sequence[Leaf], step: Step) -> list[dict[str, Any]]:
        """What may be asked for, leaf by leaf."""
        asks = self.asks
        gnorm = _norm_of_all(leaves, step) if "gnorm" in asks else None
        found = []
        for leaf in leaves:
            if self.owns_step and leaf.owned:
                raise ValueError(f"{self.name} owns its step, and so does a rule before it in the chain; only one can")
            given = {
                "g": leaf.d, "t": leaf.t, "p": leaf.p, "lr": leaf.lr, "rate": leaf.lr if leaf.owned else 1.0,
                "gnorm": gnorm, "loss": step.loss, "grad": leaf.grad, **leaf.extras,
            }  # fmt: skip
            if "noise" in asks and "noise" not in leaf.extras:
                given["noise"] = widened(draw(step.seed, leaf.t, (self.name, leaf.name), leaf.stored().p, step.lanes))
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
        results = self.call(values, hyper)
        return [self.keep([of(x, i) for x in results], leaf, updated, step) for i, leaf in enumerate(leaves)]


class AfterStage(FunctionStage):
    """What happens after the step: z, memory -> the point of the next gradient, memory."""

    place = 2

    @property
    def moves(self) -> bool:
        """False where the next gradient is simply taken at the walked point."""
        return self.trace.moves

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        updated = copied(memory)
        for leaf in leaves:
            given = {"z": leaf.p, "t": leaf.t, "lr": leaf.lr}
            leaf.p = settle(self.run(leaf, given, memory, updated, step), leaf.p.shape, leaf, None, self.name)
        return updated


def _norm_of_all(leaves: Sequence[Leaf], step: Step) -> Any:
    return Vector([leaf.d for leaf in leaves], step.lanes is not None).norm_of_all()
