"""The comparison on several problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, final

from thalweg.lab.report.schema.parts import Answer, Diverged, Estimated, Named, Verdict
from thalweg.lab.report.schema.problem import Check, Protocol, Results, SuiteSettings


class LostCheck(Check):
    """A check that did not hold on one problem of a suite."""

    problem: str


class Standing(TypedDict):
    """Where an optimizer stands among the others."""

    mean_rank: Estimated
    share: Estimated
    """The interquartile mean, over problems and seeds, of the share of the way from the start to the best."""
    untuned: Estimated
    """That, as the optimizer comes."""
    places_without_a_problem: list[int]
    """Its best and its worst place when a problem is left out."""
    verdict: Verdict


class Pace(TypedDict):
    """How soon an optimizer came how far."""

    targets: float | None
    """The area under `reached`."""
    reached: list[float]
    """The share of targets that it has reached after each of `shares_of_steps`."""
    profile: list[float]
    """The share of problems on which it takes at most each of `taus` times the fewest steps."""
    profile_area: float | None


class SuiteRow(Named, Standing, Pace):
    """An optimizer over all problems of a suite."""

    place: int
    paper: str
    mine: bool
    first_on: list[str]
    """The problems on which it is the first."""
    not_separable_on: list[str]
    """The problems on which it cannot be told from the best."""
    diverged: Diverged
    width: float | None
    """The median over problems, as is the next."""
    step_cost: float | None
    state_per_parameter: float
    best_of: list[float]
    """The mean over problems."""


class CriticalDifference(TypedDict):
    """All pairs over the problems, where there are enough of them."""

    mean_rank: dict[str, float]
    order: Sequence[str]
    cliques: Sequence[Sequence[str]]
    """Optimizers that cannot be told from one another."""
    remark: str | None


class SuiteChecks(TypedDict):
    """The checks of all problems together."""

    controls: int
    """How many A/A controls there are."""
    alarms: int
    """How many were told from their twins on their problem."""
    p: float | None
    """Of a test over problems."""
    held: bool
    lost: list[LostCheck]
    sentence: str


class SuiteUntuned(TypedDict):
    """What trying several optimizers as they come is worth, beside tuning one."""

    best_of_all: float
    """The share of the way that the best of all as they come reaches, in the mean over problems."""
    one: str
    """The optimizer that is tuned alone."""
    one_tuned: float
    """The share of the way that it reaches."""
    sentence: str


class Unranked(Named):
    """An optimizer that did not run on every problem, and so has no place over problems."""

    ran_on: list[str]
    """The problems on which it ran, and has a row."""
    sentence: str
    """Why, and what it is left out of."""


class Overall(TypedDict, total=False):
    """What the problems come to together; of it there is only `rules`, and that empty, where no optimizer got anywhere."""

    critical_difference: CriticalDifference
    without_problem: dict[str, dict[str, int]]
    """By problem: the places of all optimizers without it."""
    without_optimizer: dict[str, dict[str, int]]
    """By optimizer: the places of all others without it."""
    taus: list[float]
    shares_of_steps: list[float]
    checks: SuiteChecks
    untuned: SuiteUntuned


class SuiteFacts(Overall):
    """What was found on several problems."""

    version: str
    command: str
    made: str
    suite: str
    """Its name."""
    environment: dict[str, str]
    settings: SuiteSettings
    caution: str | None
    protocol: Protocol
    problems: list[Results]
    left_out: list[str]
    """The problems on which no ranked optimizer got away from the start."""
    rules: list[SuiteRow]
    """The optimizers that ran on every problem, the best mean rank first."""
    unranked: list[Unranked]
    """The others, by name."""


@final
class SuiteResults(SuiteFacts):
    """The comparison on several problems."""

    answer: Answer
