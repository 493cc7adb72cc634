"""What a configured method is, alone or in a chain: immutable, its memory handed in and out."""

from __future__ import annotations

import copy
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from thalweg.core.leaf import Leaf, Memory
from thalweg.core.step import Step, directed
from thalweg.form.hyper import Hyper, Range, Role
from thalweg.form.memory import Kind
from thalweg.form.trace import Configured, Trace


class Configurable(ABC):
    """What becomes a stage when it is called with hyper-parameters: a rule."""

    name: str
    function: Callable[..., Any]
    hyper: dict[str, Hyper]
    lr: float | None

    @abstractmethod
    def __call__(self, *hyper: Any, **named: Any) -> Stage:
        """The stage."""


class Declared(Configured, Protocol):
    """What a stage tells that is a declared function with its hyper-parameters set."""

    rule: Configurable
    owns_step: bool

    @property
    def asks(self) -> frozenset[str]:
        """What it has injected."""

    @property
    def memory(self) -> dict[str, Kind]:
        """What it keeps."""

    @property
    def trace(self) -> Trace:
        """What one run of it on symbols tells."""

    def value_of(self, role: Role, otherwise: Any) -> Any:
        """The value of the hyper-parameter that stands for this."""


class Stage(ABC):
    """A configured piece of an optimizer. Immutable; its memory is handed in and out."""

    name: str
    lr: float | None = None
    place: int = 1
    """In a chain: 0 around the step, 1 at it, 2 after it."""
    owns_step: bool = False
    """Whether what it returns has the learning rate in it."""
    outermost: bool = False
    """Whether it goes into no chain."""

    @property
    @abstractmethod
    def asks(self) -> frozenset[str]:
        """What must be injected."""

    @property
    @abstractmethod
    def memory(self) -> dict[str, Kind]:
        """slot -> kind, for the catalogue; a chain joins its stages' slots."""

    def __getstate__(self) -> dict[str, Any]:
        """Without what was worked out of it, which a copy with other parts works out anew, and another process as it is there."""
        told = {name for kind in type(self).__mro__ for name, x in vars(kind).items() if isinstance(x, functools.cached_property)}
        return {name: value for name, value in self.__dict__.items() if name not in told}

    def named(self, name: str, lr: float | None) -> Stage:
        """The same stage under a recipe's name and usual learning rate."""
        renamed = copy.copy(self)
        renamed.name = name
        renamed.lr = self.lr if lr is None else lr
        return renamed

    def at(self, lr: Any) -> Stage:
        """The same stage at a learning rate of its own, as a branch of `choose`."""
        return At(self, lr)

    @property
    def parts(self) -> Sequence[Stage]:
        """The stages this one is a chain of; itself alone if it is none."""
        return (self,)

    @property
    @abstractmethod
    def functions(self) -> Sequence[Declared]:
        """The declared functions in it (of `choose`: in all its branches); `ways` says which of them a parameter passes."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Transform(Stage):
    """A stage before or at the step: it turns each leaf's direction into another."""

    @abstractmethod
    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        """Its memory at the start."""

    @abstractmethod
    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        """Update each leaf's `d` (and `owned`, `lr`) in place; return the new memory."""


def as_stage(x: Any) -> Stage:
    """A stage from a stage, or from a rule not yet configured. Raises TypeError for anything else."""
    if isinstance(x, Configurable):
        return x()
    if isinstance(x, Stage):
        return x
    by_name = "; thalweg.rules has them by name" if isinstance(x, str) else ""
    raise TypeError(f"wanted a rule such as adam(beta1=0.95), not {x!r}{by_name}")


class Chain(Transform):
    """Stages in a row: each gets what the one before it made of the gradient."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        flat = [part for stage in stages for part in stage.parts]
        self.keys = told_apart([stage.name for stage in flat])
        self.stages = tuple(flat)
        self.name = " + ".join(stage.name for stage in flat) or "identity"
        rates = [stage.lr for stage in stages if stage.lr is not None]
        self.lr = rates[0] if rates else None
        self._check_order()

    def __repr__(self) -> str:
        stages = " + ".join(map(inside, self.stages))
        own_name = self.name not in ("identity", " + ".join(stage.name for stage in self.stages))
        return f"<{self.name}: {stages}>" if own_name else f"<{stages or self.name}>"

    def _check_order(self) -> None:
        if any(stage.outermost for stage in self.stages):
            raise ValueError(f"{self.name}: every(n, ...) goes outermost: every(n, chain(...))")
        places = [stage.place for stage in self.stages]
        if places != sorted(places):
            raise ValueError(
                f"{self.name}: in a chain an @around method comes first, then rules, then what happens after the step"
            )
        owners = [stage.name for stage in self.stages if stage.owns_step]
        if len(owners) > 1:
            raise ValueError(
                f"{' and '.join(owners)} each own the step (they put the learning rate in); a chain takes one of them"
            )

    @property
    def parts(self) -> Sequence[Stage]:
        return self.stages

    @functools.cached_property
    def functions(self) -> Sequence[Declared]:
        return [function for stage in self.stages for function in stage.functions]

    @functools.cached_property
    def asks(self) -> frozenset[str]:
        return frozenset().union(*(stage.asks for stage in self.stages))

    @functools.cached_property
    def memory(self) -> dict[str, Kind]:
        pairs = [(key, stage.memory) for key, stage in zip(self.keys, self.stages, strict=True) if stage.memory]
        if len(pairs) == 1:
            return pairs[0][1]
        return {f"{key}.{slot}": kind for key, memory in pairs for slot, kind in memory.items()}

    def items(self, kind: type) -> list[tuple[str, Any]]:
        """Its stages of one kind, with the keys of their memory."""
        return [(key, stage) for key, stage in zip(self.keys, self.stages, strict=True) if isinstance(stage, kind)]

    @functools.cached_property
    def transforms(self) -> list[tuple[str, Any]]:
        """What stands before or at the step."""
        return self.items(Transform)

    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        started = {key: stage.init(leaves, step) for key, stage in self.items(Stage) if hasattr(stage, "init")}
        return {key: memory for key, memory in started.items() if memory}

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        return directed(self.transforms, leaves, memory, step)


def inside(stage: Stage) -> str:
    return repr(stage)[1:-1]


def told_apart(names: Sequence[str]) -> list[str]:
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
    def functions(self) -> Sequence[Declared]:
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
        return f"<({inside(self.inner)}).at(lr={self.rate!r})>"

    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        return self.inner.init(leaves, step)

    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        for leaf in leaves:
            leaf.lr = step.resolved(self.rate, leaf)
        return self.inner.apply(leaves, memory, step)
