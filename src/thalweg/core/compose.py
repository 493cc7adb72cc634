"""Joining rules: one after another, by parameter, every n-th time."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.core import views
from thalweg.core.around_stage import AroundStage
from thalweg.core.function_stage import FunctionStage
from thalweg.core.rule_stage import AfterStage
from thalweg.core.stage import Leaf, Memory, Stage, Step, Transform, resolve
from thalweg.form.hyper import Count, Hyper, Range
from thalweg.form.memory import Kind
from thalweg.rule import Rule


def as_stage(x: Any) -> Stage:
    """A stage from a stage, or from a rule not yet configured. Raises TypeError for anything else."""
    if isinstance(x, Rule):
        return x()
    if isinstance(x, Stage):
        return x
    by_name = "; thalweg.rules has them by name" if isinstance(x, str) else ""
    raise TypeError(f"wanted a rule such as adam(beta1=0.95), not {x!r}{by_name}")


class Chain(Transform):
    """Stages in a row: each gets what the one before it made of the gradient."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        flat = [part for stage in stages for part in stage.parts]
        self.keys = _unique([stage.name for stage in flat])
        self.stages = tuple(flat)
        self.name = " + ".join(stage.name for stage in flat) or "identity"
        rates = [stage.lr for stage in stages if stage.lr is not None]
        self.lr = rates[0] if rates else None
        self._check_order()

    def __repr__(self) -> str:
        inside = " + ".join(map(_inside, self.stages))
        own_name = self.name not in ("identity", " + ".join(stage.name for stage in self.stages))
        return f"<{self.name}: {inside}>" if own_name else f"<{inside or self.name}>"

    def _check_order(self) -> None:
        if any(isinstance(stage, Every) for stage in self.stages):
            raise ValueError(f"{self.name}: every(n, ...) goes outermost: every(n, chain(...))")
        places = [_place(stage) for stage in self.stages]
        if places != sorted(places):
            raise ValueError(
                f"{self.name}: in a chain an @around method comes first, then rules, then what happens after the step"
            )
        owners = [stage.name for stage in self.stages if isinstance(stage, FunctionStage) and stage.owns_step]
        if len(owners) > 1:
            raise ValueError(
                f"{' and '.join(owners)} each own the step (they put the learning rate in); a chain takes one of them"
            )

    @property
    def parts(self) -> Sequence[Stage]:
        return self.stages

    @property
    def functions(self) -> Sequence[FunctionStage]:
        return [function for stage in self.stages for function in stage.functions]

    @property
    def asks(self) -> frozenset[str]:
        return frozenset().union(*(stage.asks for stage in self.stages))

    @property
    def memory(self) -> dict[str, Kind]:
        pairs = [(key, stage.memory) for key, stage in zip(self.keys, self.stages, strict=True) if stage.memory]
        if len(pairs) == 1:
            return pairs[0][1]
        return {f"{key}.{slot}": kind for key, memory in pairs for slot, kind in memory.items()}

    def items(self, kind: type) -> list[tuple[str, Any]]:
        """Its stages of one kind, with the keys of their memory."""
        return [(key, stage) for key, stage in zip(self.keys, self.stages, strict=True) if isinstance(stage, kind)]

    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        started = {key: stage.init(leaves, step) for key, stage in self.items(Stage) if hasattr(stage, "init")}
        return {key: memory for key, memory in started.items() if memory}

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        updated = dict(memory)
        for key, stage in self.items(Transform):
            new = stage.apply(leaves, memory.get(key, {}), step)
            if new:
                updated[key] = new
        return updated


def _inside(stage: Stage) -> str:
    return repr(stage)[1:-1]


def _place(stage: Stage) -> int:
    return 0 if isinstance(stage, AroundStage) else 2 if isinstance(stage, AfterStage) else 1


def _unique(names: Sequence[str]) -> list[str]:
    return [name if names.index(name) == i else f"{name}_{names[:i].count(name) + 1}" for i, name in enumerate(names)]


def chain(*stages: Any) -> Chain:
    """Rules in a row: `chain(clip(1.0), adam(), decay(0.01))`. The last direction is what the learning rate multiplies.

    An @around method goes first, after-steps last. Raises ValueError for two rules that own their step.
    """
    return Chain([as_stage(stage) for stage in stages])


def check_lr(lr: Any, owner: str) -> Any:
    """A learning rate as an optimizer takes it: a number from 0 on, a schedule, or one number per lane."""
    return Hyper("lr", 0.0, Range(0)).check(lr, owner)


class Shell(Transform):
    """A stage that has a chain inside, and does something to what goes in and comes out."""

    def __init__(self, stage: Stage) -> None:
        self.inner = chain(stage)
        self.name, self.lr = stage.name, stage.lr

    @property
    def functions(self) -> Sequence[FunctionStage]:
        return self.inner.functions

    @property
    def asks(self) -> frozenset[str]:
        return self.inner.asks

    @property
    def memory(self) -> dict[str, Kind]:
        return self.inner.memory


class At(Shell):
    """A stage at a learning rate of its own, whatever the optimizer's is."""

    def __init__(self, stage: Stage, lr: Any) -> None:
        super().__init__(stage)
        self.rate = check_lr(lr, stage.name)
        self.lr = lr if isinstance(lr, int | float) else stage.lr

    def __repr__(self) -> str:
        return f"<({_inside(self.inner)}).at(lr={self.rate!r})>"

    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        return self.inner.init(leaves, step)

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        for leaf in leaves:
            leaf.lr = resolve(self.rate, leaf.t, leaf.name)
        return self.inner.apply(leaves, memory, step)


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
            if any(_place(part) != 1 for part in stage.parts):
                raise ValueError(
                    f"{stage.name}: a branch of choose holds rules only; what is around or after the step goes outside"
                )
        self.keys = _unique([stage.name for stage in self.stages])
        self.name = f"choose({', '.join(self.keys)})"
        rates = [stage.lr for stage in reversed(self.stages) if stage.lr is not None]
        self.lr = rates[0] if rates else None

    def __repr__(self) -> str:
        words = [f"{word(predicate)}: {_inside(stage)}" for predicate, stage in zip(self.predicates, self.stages, strict=False)]
        return f"<choose({', '.join(words)}, otherwise: {_inside(self.stages[-1])})>"

    @property
    def functions(self) -> Sequence[FunctionStage]:
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
        leaf = views.owned(leaf)
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

    def __init__(self, n: int, stage: Stage) -> None:
        self.n: int = Hyper.declared("n", 1, Count).check(n, "every")
        self.inner = stage
        self.name, self.lr = f"every({n}, {stage.name})", stage.lr

    def __repr__(self) -> str:
        return f"<every({self.n}, {_inside(self.inner)})>"

    @property
    def functions(self) -> Sequence[FunctionStage]:
        return self.inner.functions

    @property
    def asks(self) -> frozenset[str]:
        return self.inner.asks

    @property
    def memory(self) -> dict[str, Kind]:
        return {**self.inner.memory, "accumulated": Kind("filled")}

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
