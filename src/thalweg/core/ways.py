"""The paths of parameters through a stage: one, or with `choose` one for each branch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from thalweg.core.compose import Choose, Every, word
from thalweg.core.leaf import Leaf
from thalweg.core.stage import At, Chain, Declared, Shell, Stage

Condition = tuple[Callable[[Leaf], bool], bool]
"""A predicate of `choose`, and whether it holds."""


@dataclass(frozen=True)
class Way:
    """The functions on a path, its conditions, its own learning rate if any, and the number of calls per step."""

    functions: tuple[Declared, ...] = ()
    conditions: tuple[Condition, ...] = ()
    rate: Any = None
    calls: int = 1

    def then(self, other: Way) -> Way:
        """Return this path followed by another. The last learning rate set applies."""
        new = tuple(condition for condition in other.conditions if condition not in self.conditions)
        rate = self.rate if other.rate is None else other.rate
        return Way(self.functions + other.functions, self.conditions + new, rate)

    @property
    def goes(self) -> bool:
        """Whether some parameter can take the path: no condition both holds and fails."""
        return not any((predicate, not holds) in self.conditions for predicate, holds in self.conditions)

    @property
    def where(self) -> str:
        """The conditions in words: "is_matrix", "not is_matrix and named('head')"."""
        return " and ".join(f"{'' if holds else 'not '}{word(predicate)}" for predicate, holds in self.conditions)


def ways(stage: Stage) -> list[Way]:
    """Return the paths through a stage, in the order of the branches."""
    return [way for way in _ways(stage) if way.goes]


def _ways(stage: Stage) -> list[Way]:
    if isinstance(stage, Every):
        return [replace(way, calls=stage.n) for way in ways(stage.inner)]
    if isinstance(stage, At):
        return [replace(way, rate=stage.rate) for way in ways(stage.inner)]
    if isinstance(stage, Shell):
        return ways(stage.inner)
    if isinstance(stage, Choose):
        return [Way(conditions=when).then(way) for when, own in _branches(stage) for way in ways(own)]
    if isinstance(stage, Chain):
        return _one_after_another(stage.stages)
    return [Way(tuple(stage.functions))]


def _branches(stage: Choose) -> Iterator[tuple[tuple[Condition, ...], Stage]]:
    before: tuple[Condition, ...] = ()
    for predicate, own in zip(stage.predicates, stage.stages, strict=False):
        yield (*before, (predicate, True)), own
        before = (*before, (predicate, False))
    yield before, stage.stages[-1]


def _one_after_another(stages: Sequence[Stage]) -> list[Way]:
    found = [Way()]
    for stage in stages:
        found = [both for way in found for other in ways(stage) if (both := way.then(other)).goes]
    return found
