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
    """The standing of an optimizer in a suite."""

    mean_rank: Estimated
    share: Estimated
    """The interquartile mean, over problems and seeds, of the share of the way from the start to the best."""
    untuned: Estimated
    """The same for the untuned optimizer."""
    places_without_a_problem: list[int]
    """Its best and worst place when one problem is left out."""
    verdict: Verdict


class Pace(TypedDict):
    """The speed of an optimizer in a suite."""

    targets: float | None
    """The area under `reached`."""
    reached: list[float]
    """The share of targets reached after each of `shares_of_steps`."""
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
    """The problems on which it is not separable from the best."""
    diverged: Diverged
    width: float | None
    """The median over problems, as for the next field."""
    step_cost: float | None
    state_per_parameter: float
    best_of: list[float]
    """The mean over problems."""


class CriticalDifference(TypedDict):
    """Tests of all pairs over the problems, if there are enough problems."""

    mean_rank: dict[str, float]
    order: Sequence[str]
    cliques: Sequence[Sequence[str]]
    """Groups of optimizers that are not separable from one another."""
    remark: str | None


class SuiteChecks(TypedDict):
    """The checks of all problems together."""

    controls: int
    """The number of A/A controls."""
    alarms: int
    """The number of controls that differ significantly from their twin on their problem."""
    p: float | None
    """The p-value of a test over problems."""
    held: bool
    lost: list[LostCheck]
    sentence: str


class SuiteUntuned(TypedDict):
    """Trying several untuned optimizers compared with tuning one."""

    best_of_all: float
    """The share of the way that the best untuned optimizer reaches, the mean over problems."""
    one: str
    """The single tuned optimizer."""
    one_tuned: float
    """The share of the way that it reaches."""
    sentence: str


class Unranked(Named):
    """An optimizer that did not run on every problem and so has no rank over problems."""

    ran_on: list[str]
    """The problems on which it ran and has a row."""
    sentence: str
    """The reason, and the statistics that omit it."""


class Overall(TypedDict, total=False):
    """The aggregates over problems. All are missing if no optimizer improved on its start on any problem."""

    critical_difference: CriticalDifference
    without_problem: dict[str, dict[str, int]]
    """By left-out problem: the places of all optimizers."""
    without_optimizer: dict[str, dict[str, int]]
    """By left-out optimizer: the places of all others."""
    taus: list[float]
    shares_of_steps: list[float]
    checks: SuiteChecks
    untuned: SuiteUntuned


class SuiteFacts(Overall):
    """The results on several problems, without the answer."""

    version: str
    command: str
    made: str
    suite: str
    """The suite's name."""
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
