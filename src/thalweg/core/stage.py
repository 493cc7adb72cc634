"""Stages, alone or in a chain: immutable, with their memory passed in and out."""

from __future__ import annotations

import copy
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from thalweg.core.leaf import Leaf, Memory, value_at
from thalweg.core.step import Step, directed
from thalweg.form.hyper import Hyper, Range, Role
from thalweg.form.memory import Kind
from thalweg.form.trace import Configured, Trace


class Configurable(ABC):
    """A rule: becomes a stage when it is called with hyper-parameters."""

    name: str
    function: Callable[..., Any]
    hyper: dict[str, Hyper]
    lr: float | None
    given_grad_fn: Configurable | None = None
    """The @around method to use instead when the caller has a grad_fn."""

    @abstractmethod
    def __call__(self, *hyper: Any, **named: Any) -> Stage:
        """Return the stage."""


class Declared(Configured, Protocol):
    """A declared function with its hyper-parameters set."""

    rule: Configurable
    owns_step: bool

    @property
    def asks(self) -> frozenset[str]:
        """What the function asks for."""

    @property
    def memory(self) -> dict[str, Kind]:
        """The memory slots and their kinds."""

    @property
    def trace(self) -> Trace:
        """The trace of one run on symbols."""

    @property
    def steady(self) -> dict[str, Any] | None:
        """The hyper-parameters as the function takes them, if they are the same for each tensor at each step."""

    def value_of(self, role: Role, otherwise: Any) -> Any:
        """Return the value of the hyper-parameter with this role, or `otherwise`."""


class Stage(ABC):
    """A configured piece of an optimizer. Immutable; its memory is passed in and out."""

    name: str
    lr: float | None = None
    place: int = 1
    """Position in a chain: 0 around the step, 1 at the step, 2 after it."""
    owns_step: bool = False
    """Whether its result includes the learning rate."""
    outermost: bool = False
    """Whether it must be outermost, in no chain."""

    @property
    @abstractmethod
    def asks(self) -> frozenset[str]:
        """What the functions ask for."""

    @property
    @abstractmethod
    def memory(self) -> dict[str, Kind]:
        """Maps slots to kinds, for the catalogue; a chain joins the slots of its stages."""

    def __getstate__(self) -> dict[str, Any]:
        """Drop cached properties: a copy with other parts, or another process, computes its own."""
        told = {name for kind in type(self).__mro__ for name, x in vars(kind).items() if isinstance(x, functools.cached_property)}
        return {name: value for name, value in self.__dict__.items() if name not in told}

    def named(self, name: str, lr: float | None) -> Stage:
        """Return the same stage under a recipe's name and usual learning rate."""
        renamed = copy.copy(self)
        renamed.name = name
        renamed.lr = self.lr if lr is None else lr
        return renamed

    def at(self, lr: Any) -> Stage:
        """Return the same stage at a learning rate of its own, as a branch of `choose`.

        Parameters
        ----------
        lr : float, callable or array
            The learning rate of this stage: a number, a schedule, or with lanes one number per lane.
        """
        return At(self, lr)

    @property
    def parts(self) -> Sequence[Stage]:
        """The stages of a chain; for any other stage, itself alone."""
        return (self,)

    @property
    @abstractmethod
    def functions(self) -> Sequence[Declared]:
        """The declared functions in the stage; of `choose`, those of all branches. `ways` says which a parameter passes."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Transform(Stage):
    """A stage before or at the step: it maps each leaf's direction to another."""

    @abstractmethod
    def init(self, leaves: Sequence[Leaf], step: Step) -> Memory:
        """Return the memory before the first step."""

    @abstractmethod
    def apply(self, leaves: Sequence[Leaf], memory: Memory, step: Step) -> Memory:
        """Update each leaf's `d` (and `owned`, `lr`) in place; return the new memory."""


def as_stage(x: Any) -> Stage:
    """Return the stage for a stage or an unconfigured rule. Raises TypeError for anything else."""
    if isinstance(x, Configurable):
        return x()
    if isinstance(x, Stage):
        return x
    by_name = "; thalweg.rules has them by name" if isinstance(x, str) else ""
    raise TypeError(f"wanted a rule such as adam(beta1=0.95), not {x!r}{by_name}")


class Chain(Transform):
    """Stages in sequence: each receives the direction that the previous one returned."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        flat = [part for stage in stages for part in stage.parts]
        self.keys = told_apart([stage.name for stage in flat])
        self.stages = tuple(flat)
        self.name = " + ".join(stage.name for stage in flat) or "identity"
        self.lr = next((stage.lr for stage in stages if stage.lr is not None), None)
        places = [stage.place for stage in flat]
        if places != sorted(places) or any(stage.outermost for stage in flat) or sum(stage.owns_step for stage in flat) > 1:
            self._refuse()

    def __repr__(self) -> str:
        stages = " + ".join(map(inside, self.stages))
        own_name = self.name not in ("identity", " + ".join(stage.name for stage in self.stages))
        return f"<{self.name}: {stages}>" if own_name else f"<{stages or self.name}>"

    def _refuse(self) -> None:
        """Raise ValueError for what is wrong with the order of the stages, or with their number."""
        if any(stage.outermost for stage in self.stages):
            raise ValueError(f"{self.name}: every(n, ...) goes outermost: every(n, chain(...))")
        places = [stage.place for stage in self.stages]
        if places != sorted(places):
            raise ValueError(
                f"{self.name}: in a chain an @around method comes first, then rules, then what happens after the step"
            )
        owners = [stage.name for stage in self.stages if stage.owns_step]
        raise ValueError(f"{' and '.join(owners)} each own the step (they put the learning rate in); a chain takes one of them")

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
        """Return the stages of one kind, with the keys of their memory."""
        return [(key, stage) for key, stage in zip(self.keys, self.stages, strict=True) if isinstance(stage, kind)]

    @functools.cached_property
    def transforms(self) -> list[tuple[str, Any]]:
        """The stages before or at the step."""
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
    """Join rules and stages in sequence; the learning rate multiplies the last direction.

    Parameters
    ----------
    *stages : Rule or Stage
        An @around method comes first, then rules, then after-steps.

    Returns
    -------
    Chain
        The chain, a stage.

    Raises
    ------
    TypeError
        If an argument is neither a rule nor a stage.
    ValueError
        If the order is wrong, or if two stages own their step.

    Examples
    --------
    >>> chain(clip(1.0), adam(), decay(0.01))
    """
    return Chain([as_stage(stage) for stage in stages])


def check_lr(lr: Any, owner: str) -> Any:
    """Return a valid learning rate: a non-negative number, a schedule, or one number per lane."""
    return Hyper("lr", 0.0, Range(0)).check(lr, owner)


class Shell(Transform):
    """A stage that wraps a chain and changes its input or output."""

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
            leaf.lr = value_at(self.rate, leaf.t, leaf.name)
        return self.inner.apply(leaves, memory, step)
