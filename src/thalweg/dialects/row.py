"""A row of a dialect: one optimizer of another library as our stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from thalweg.core.stage import Stage


class Arguments(Protocol):
    """A library's arguments, now and at later steps."""

    def static(self, name: str) -> Any:
        """Return a value that selects the algorithm."""

    def dynamic(self, name: str, part: int | None = None) -> Any:
        """Return a number that may change from step to step, such as a schedule; part: its index in a tuple."""

    def dynamic_or_zero(self, name: str) -> Any:
        """Return the same, but a plain 0 if it is now 0, so that its effect is left out."""


class Typed(Arguments, Protocol):
    """The arguments of a library some of whose numbers depend on a parameter's dtype."""

    def by_dtype(self, values: dict[str, Any]) -> Any:
        """Return the value for the parameters' dtype, or one per parameter if they differ."""


class Masks(Arguments, Protocol):
    """The arguments of a library with masks."""

    def leaves(self, name: str) -> Callable[[Any], bool] | None:
        """Return the predicate of a mask, for `choose` and `only`; None if there is no mask."""

    def told(self, name: str) -> Callable[[Any], Any] | None:
        """Return a function from parameter to the argument's value for it; None if the argument is None."""


def _rate_of_group(given: Any) -> Any:
    return given.dynamic("lr")


@dataclass(frozen=True)
class Row:
    """One optimizer of a library: its stages as a function of its arguments, and its names for `stage.slot`.

    rate: the learning rate from the arguments. starts: first values of memory, from the arguments, where they differ from the
    rule's; in optax they may be functions of the list of parameters. counts: whether the library stores the number of updates,
    as "step". scalars: the storage dtype of per-tensor numbers, if not the parameters'. dtypes: the argument with the storage
    dtype of a memory slot. kernel: whether kernels run its steps; otherwise the library's code runs, and a test checks that
    both compute the same. stored: whether the user may choose how kernels store parameters and memory. only: arguments that,
    unless at their defaults, select the library's code. fits: further conditions for ours. draws: the argument with the key of
    its draws, if its state keeps that. looks: the argument with the estimator of the curvature.
    """

    stages: Callable[[Any], Stage]
    names: dict[str, str] = field(default_factory=dict)
    rate: Callable[[Any], Any] = _rate_of_group
    starts: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    counts: bool = True
    scalars: str | None = None
    dtypes: dict[str, str] = field(default_factory=dict)
    kernel: bool = True
    stored: bool = True
    only: tuple[str, ...] = ()
    fits: Callable[[Any], bool] | None = None
    draws: str = ""
    looks: str = ""
