"""Joining rules: one after another, by parameter, every n-th time."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.core.function_stage import FunctionStage
from thalweg.core.leaf import Leaf, Memory, owned
from thalweg.core.stage import At, Chain, Declared, Shell, Stage, Transform, as_stage, chain, inside, told_apart
from thalweg.core.step import Step
from thalweg.form.hyper import Count, Hyper
from thalweg.form.memory import Filled, Kind

Predicate = Callable[[Leaf], bool]
"""What `choose` asks of a parameter: it has a name ('layer.w') and its owner's shape (without the lane axis)."""


def is_matrix(leaf: Leaf) -> bool:
    """True for a parameter of two dimensions or more."""
    return len(leaf.shape) >= 2


@dataclass(frozen=True)
class named:
    """A predicate: the parameter's name ('layer.w') contains a match of this regular expression."""

    pattern: str

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except (TypeError, re.error) as error:
            raise ValueError(f"named({self.pattern!r}): not a regular expression: {error}") from error

    def __call__(self, leaf: Leaf) -> bool:
        return re.search(self.pattern, leaf.name) is not None

    def __repr__(self) -> str:
        return f"named({self.pattern!r})"


def word(predicate: Predicate) -> str:
    """A predicate in words."""
    name = getattr(predicate, "__name__", None)
    return repr(predicate) if name is None else "a condition of the caller's" if name == "<lambda>" else str(name)


class Choose(Transform):
    """Each parameter goes to the first branch whose predicate holds for it."""

    def __init__(self, branches: Sequence[tuple[Predicate, Stage]], otherwise: Stage) -> None:
        self.predicates = [predicate for predicate, _ in branches]
        for predicate in self.predicates:
            if not callable(predicate):
                cure = (
                    f"named({predicate!r})" if isinstance(predicate, str) else "is_matrix, named('head') or a function of yours"
                )
                raise TypeError(f"choose: {predicate!r} cannot be asked of a parameter; write {cure}")
        self.stages: list[Chain | At] = [s if isinstance(s, At) else chain(s) for s in [*(b for _, b in branches), otherwise]]
        for stage in self.stages:
            if any(part.place != 1 for part in stage.parts):
                raise ValueError(
                    f"{stage.name}: a branch of choose holds rules only; what is around or after the step goes outside"
                )
        self.keys = told_apart([stage.name for stage in self.stages])
        self.name = f"choose({', '.join(self.keys)})"
        rates = [stage.lr for stage in reversed(self.stages) if stage.lr is not None]
        self.lr = rates[0] if rates else None

    def __repr__(self) -> str:
        words = [f"{word(predicate)}: {inside(stage)}" for predicate, stage in zip(self.predicates, self.stages, strict=False)]
        return f"<choose({', '.join(words)}, otherwise: {inside(self.stages[-1])})>"

    @property
    def functions(self) -> Sequence[Declared]:
        return [function for stage in self.stages for function in stage.functions]

    @property
    def asks(self) -> frozenset[str]:
        return frozenset().union(*(stage.asks for stage in self.stages))

    @property
    def memory(self) -> dict[str, Kind]:
        return {
            f"{key}.{slot}": kind
            for key, stage in zip(self.keys, self.stages, strict=True)
            for slot, kind in stage.memory.items()
        }

    def branch(self, leaf: Leaf) -> int:
        """Which of its stages a parameter goes to."""
        leaf = owned(leaf)
        return next((i for i, predicate in enumerate(self.predicates) if predicate(leaf)), len(self.predicates))

    def _split(self, leaves: Sequence[Leaf]) -> list[list[Leaf]]:
        groups: list[list[Leaf]] = [[] for _ in self.stages]
        for leaf in leaves:
            groups[self.branch(leaf)].append(leaf)
        return groups

    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        groups = zip(self.keys, self.stages, self._split(leaves), strict=True)
        started = {key: stage.init(group, step) for key, stage, group in groups}
        return {key: memory for key, memory in started.items() if memory}

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        updated = dict(memory)
        for key, stage, group in zip(self.keys, self.stages, self._split(leaves), strict=True):
            new = stage.apply(group, memory.get(key, {}), step)
            if new:
                updated[key] = new
        return updated


def choose(*branches: tuple[Predicate, Any], otherwise: Any) -> Choose:
    """A rule by parameter: `choose((is_matrix, momentum().at(lr=0.02)), otherwise=adamw())`.

    `otherwise` gives the branch its learning rate where it has none of its own (`.at`). A norm asked for inside a
    branch (`gnorm`) is over that branch's parameters.
    """
    return Choose([(predicate, as_stage(stage)) for predicate, stage in branches], as_stage(otherwise))


def only(predicate: Predicate, stage: Any) -> Choose:
    """A stage for some parameters, the rest passing by: `chain(adam(), only(is_matrix, decay(0.01)))`."""
    return choose((predicate, stage), otherwise=chain())


def refuses_vectors(stage: Stage) -> bool:
    """Whether a method is for matrices alone; `choose` takes it together with another for the rest."""
    if isinstance(stage, Choose):
        return refuses_vectors(stage.stages[-1])
    if isinstance(stage, Shell | Every):
        return refuses_vectors(stage.inner)
    if isinstance(stage, Chain):
        return any(map(refuses_vectors, stage.stages))
    return isinstance(stage, FunctionStage) and any(kind.of_matrices for kind in stage.declaration.memory.values())


def looks_at_time(stage: Stage) -> bool:
    """Whether it matters to a stage which update it is: to its rules, or to a schedule of theirs."""
    if isinstance(stage, Chain | Choose):
        return any(map(looks_at_time, stage.stages))
    if isinstance(stage, At):
        return callable(stage.rate) or looks_at_time(stage.inner)
    scheduled = any(callable(value) for function in stage.functions for value in function.config.values())
    return scheduled or bool(stage.asks & {"t", "noise", "curvature"})


class Every(Stage):
    """A stage that steps once in n calls, on the mean of their gradients."""

    outermost = True

    def __init__(self, n: int, stage: Stage) -> None:
        self.n: int = Hyper.declared("n", 1, Count).check(n, "every")
        self.inner = stage
        self.name, self.lr = f"every({n}, {stage.name})", stage.lr

    def __repr__(self) -> str:
        return f"<every({self.n}, {inside(self.inner)})>"

    @property
    def functions(self) -> Sequence[Declared]:
        return self.inner.functions

    @property
    def asks(self) -> frozenset[str]:
        return self.inner.asks

    @property
    def memory(self) -> dict[str, Kind]:
        return {**self.inner.memory, "accumulated": Filled()}

    def named(self, name: str, lr: float | None) -> Stage:
        renamed = copy.copy(self)
        renamed.inner = self.inner.named(name, lr)
        renamed.name, renamed.lr = name, renamed.inner.lr
        return renamed


def every(n: int, stage: Any) -> Every:
    """Gradient accumulation: the rule sees the mean of n calls' gradients, and t, schedules and averages count updates.

    Outermost: `Optimizer(every(4, chain(clip(1.0), adam())))`. Raises ValueError for n < 1.
    """
    return Every(n, as_stage(stage))
