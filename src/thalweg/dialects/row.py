"""What a library calls its own, as our stages: a row of a dialect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from thalweg.core.stage import Stage


class Arguments(Protocol):
    """A library's arguments, as they stand now and as they will at later steps."""

    def static(self, name: str) -> Any:
        """A value that chooses the algorithm."""

    def dynamic(self, name: str, part: int | None = None) -> Any:
        """A number that may change from step to step, as a schedule (or part of a tuple of such)."""

    def dynamic_or_zero(self, name: str) -> Any:
        """The same, but a plain 0 where it now is 0, so that what it would do is left out."""


class Masks(Arguments, Protocol):
    """The arguments of a library that has masks."""

    def leaves(self, name: str) -> Callable[[Any], bool] | None:
        """Which parameters a mask names, as `choose` and `only` ask it; None where there is no mask."""

    def told(self, name: str) -> Callable[[Any], Any] | None:
        """What an argument says of each parameter; None where it is None."""


def _rate_of_group(given: Any) -> Any:
    return given.dynamic("lr")


def _always(given: Any) -> bool:
    return True


@dataclass(frozen=True)
class Row:
    """One optimizer of a library: its stages from its arguments, and its names for `stage.slot`.

    rate: the learning rate from its arguments. starts: first values, from its arguments, of memory that it begins with
    others than the rule; optax's may be functions of the list of parameters. counts: whether it keeps the number of updates,
    as "step". scalars: the dtype in which it keeps what is one number a tensor, where that is not the parameters'. dtypes:
    the argument that says in which dtype it keeps a slot of memory. kernel: whether kernels take its steps; where our
    functions are no single pass over memory, its own code does, and a test says that they compute the same. only: the
    arguments beside whose defaults its own code is taken; fits: whether ours is, where that is not all there is to it.
    draws: the argument with the key that its draws are from, where it keeps that in its state; looks: that with what
    estimates the curvature.
    """

    stages: Callable[[Any], Stage]
    names: dict[str, str] = field(default_factory=dict)
    rate: Callable[[Any], Any] = _rate_of_group
    starts: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    counts: bool = True
    scalars: str | None = None
    dtypes: dict[str, str] = field(default_factory=dict)
    kernel: bool = True
    only: tuple[str, ...] = ()
    fits: Callable[[Any], bool] = _always
    draws: str = ""
    looks: str = ""
