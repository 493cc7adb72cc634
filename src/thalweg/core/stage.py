"""What a configured method is, and what passes through it in one step."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.form.hyper import ByLeaf
from thalweg.form.memory import Kind, Shape
from thalweg.values.arrays import HALF, Array, dtype_name, framework, widened
from thalweg.values.scalars import Scalar

if TYPE_CHECKING:
    from thalweg.core.function_stage import FunctionStage

Memory = dict[str, Any]
"""slot -> leaf's name -> array; a per-model slot -> its number."""


@dataclass
class Leaf:
    """One tensor on its way through a step. `d` is what arrives at the next stage; `owned` once the rate is in it.

    half: the dtype that the parameter and its memory are kept in, where that is half precision and a step computes in float32.
    """

    name: str
    shape: Shape
    p: Array
    grad: Array
    t: Any
    lr: Any
    d: Array
    owned: bool = False
    extras: dict[str, Array] = field(default_factory=dict)
    half: str | None = None

    def widened(self) -> Leaf:
        """The leaf as a step computes with it: half precision in float32, so that results are rounded once, at the end."""
        dtype = dtype_name(self.p)
        if dtype not in HALF:
            return self
        grad, d = (x if x is None else widened(x) for x in (self.grad, self.d))
        extras = {word: x if x is None else widened(x) for word, x in self.extras.items()}
        return replace(self, p=widened(self.p), grad=grad, d=d, extras=extras, half=dtype)

    def stored(self) -> Leaf:
        """The leaf with its parameter as it is kept."""
        return self if self.half is None else replace(self, p=self.as_stored(self.p), half=None)

    def as_stored(self, x: Array) -> Array:
        """A parameter as it is kept."""
        return x if self.half is None else framework(x).cast(x, self.half)


@dataclass
class Step:
    """What belongs to the whole model in one step."""

    lanes: int | None
    seed: Any
    loss: Any = None
    remembers: bool = False
    """Whether the memory handed in is a whole state's, so that what it lacks was lost; else it begins where it is missing."""


def resolve(value: Any, t: Any, leaf: str) -> Any:
    """A hyper-parameter's value for a leaf at its update t: a schedule is called, one value per lane becomes a Scalar."""
    if isinstance(value, ByLeaf):
        value = value.values[leaf]
    if callable(value):
        if isinstance(t, Scalar):
            return Scalar(np.asarray([value(int(i)) for i in t.values]))
        value = value(t)
    return Scalar(value) if getattr(value, "ndim", 0) == 1 else value


class Stage(ABC):
    """A configured piece of an optimizer. Immutable; its memory is handed in and out."""

    name: str
    lr: float | None = None

    @property
    @abstractmethod
    def asks(self) -> frozenset[str]:
        """What must be injected."""

    @property
    @abstractmethod
    def memory(self) -> dict[str, Kind]:
        """slot -> kind, for the catalogue; a chain joins its stages' slots."""

    def named(self, name: str, lr: float | None) -> Stage:
        """The same stage under a recipe's name and usual learning rate."""
        renamed = copy.copy(self)
        renamed.name = name
        renamed.lr = self.lr if lr is None else lr
        return renamed

    def at(self, lr: Any) -> Stage:
        """The same stage at a learning rate of its own, as a branch of `choose`."""
        from thalweg.core.compose import At

        return At(self, lr)

    @property
    def parts(self) -> Sequence[Stage]:
        """The stages this one is a chain of; itself alone if it is none."""
        return (self,)

    @property
    @abstractmethod
    def functions(self) -> Sequence[FunctionStage]:
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
