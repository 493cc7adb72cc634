"""Combinators of rules: by parameter and every n-th call."""

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
"""A predicate for `choose`: it sees a parameter's name ('layer.w') and shape (without the lane axis)."""


def is_matrix(leaf: Leaf) -> bool:
    """Predicate: whether a parameter has two dimensions or more.

    Parameters
    ----------
    leaf : Leaf
        The parameter, with `name` and `shape`.

    Returns
    -------
    bool
    """
    return len(leaf.shape) >= 2


class Condition:
    """A predicate that joins with others: `~role("bias") & is_matrix`, `named("head") | named("embed")`."""

    reads_names = False
    """Whether parameters' names decide it."""

    def __call__(self, leaf: Leaf) -> bool:
        raise NotImplementedError

    def __and__(self, other: Predicate) -> Condition:
        return Joined(" and ", (self, other))

    def __or__(self, other: Predicate) -> Condition:
        return Joined(" or ", (self, other))

    def __rand__(self, other: Predicate) -> Condition:
        return Joined(" and ", (other, self))

    def __ror__(self, other: Predicate) -> Condition:
        return Joined(" or ", (other, self))

    def __invert__(self) -> Condition:
        return Joined("not ", (self,))


@dataclass(frozen=True)
class Joined(Condition):
    """Predicates joined by " and ", " or ", or one with "not "."""

    how: str
    parts: tuple[Predicate, ...]

    @property
    def reads_names(self) -> bool:  # type: ignore[override]
        return any(getattr(part, "reads_names", False) for part in self.parts)

    def __call__(self, leaf: Leaf) -> bool:
        if self.how == "not ":
            return not self.parts[0](leaf)
        return (all if self.how == " and " else any)(part(leaf) for part in self.parts)

    def __repr__(self) -> str:
        told = [f"({word(part)})" if isinstance(part, Joined) and part.how != "not " else word(part) for part in self.parts]
        return f"not {told[0]}" if self.how == "not " else self.how.join(told)


@dataclass(frozen=True)
class named(Condition):
    """Predicate: whether a parameter's name contains a match of a regular expression.

    Parameters
    ----------
    pattern : str
        The regular expression, searched for in names such as 'layer.w'.
    """

    pattern: str
    reads_names = True

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
    """Return a predicate in words."""
    name = getattr(predicate, "__name__", None)
    return repr(predicate) if name is None else "a condition of the caller's" if name == "<lambda>" else str(name)


class Choose(Transform):
    """Sends each parameter to the first branch whose predicate holds for it."""

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
        """Return the index of a parameter's branch."""
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
    """Choose a rule for each parameter.

    A norm over all parameters (`gnorm`) that a branch asks for runs over the parameters of that branch.

    Parameters
    ----------
    *branches : (predicate, Rule or Stage)
        A parameter goes to the first branch whose predicate holds for it.
    otherwise : Rule or Stage
        The branch of all other parameters. Its usual learning rate is that of the whole; `.at` gives a branch its own.

    Returns
    -------
    Choose
        A stage.

    Examples
    --------
    >>> choose((is_matrix, momentum().at(lr=0.02)), otherwise=adamw())
    """
    return Choose([(predicate, as_stage(stage)) for predicate, stage in branches], as_stage(otherwise))


def only(predicate: Predicate, stage: Any) -> Choose:
    """Apply a stage to some parameters and leave the directions of the others unchanged.

    Parameters
    ----------
    predicate : callable
        Whether the stage applies to a parameter.
    stage : Rule or Stage
        The stage to apply.

    Returns
    -------
    Choose
        A stage.

    Examples
    --------
    >>> chain(adam(), only(is_matrix, decay(0.01)))
    """
    return choose((predicate, stage), otherwise=chain())


def refuses_vectors(stage: Stage) -> bool:
    """Whether a method is for matrices only; `choose` combines it with another for the rest."""
    if isinstance(stage, Choose):
        return refuses_vectors(stage.stages[-1])
    if isinstance(stage, Shell | Every):
        return refuses_vectors(stage.inner)
    if isinstance(stage, Chain):
        return any(map(refuses_vectors, stage.stages))
    return isinstance(stage, FunctionStage) and any(kind.of_matrices for kind in stage.declaration.memory.values())


def looks_at_time(stage: Stage) -> bool:
    """Whether a stage depends on the number of the update, through its rules or through a schedule."""
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
    """Accumulate gradients: the rule sees the mean of n calls' gradients; t, schedules and averages count updates.

    Parameters
    ----------
    n : int
        Number of calls per update.
    stage : Rule or Stage
        The stage or chain; `every` must be outermost.

    Returns
    -------
    Every
        A stage.

    Raises
    ------
    ValueError
        If n < 1.

    Examples
    --------
    >>> Optimizer(every(4, chain(clip(1.0), adam())))
    """
    return Every(n, as_stage(stage))
