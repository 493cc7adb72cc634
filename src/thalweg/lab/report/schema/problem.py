"""The comparison on one problem."""

from __future__ import annotations

from typing import Literal, TypedDict, final

from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import Answer


class Score(TypedDict):
    """What is counted."""

    name: str
    higher_is_better: bool
    share: bool
    """Whether it is a share, and shown in per cent."""


class About(TypedDict):
    """A problem."""

    name: str
    about: str
    train_size: int
    """Samples to train on; 0 where there are none."""
    fingerprint: str
    """A hash of its data."""
    score: Score


class SuiteSettings(TypedDict):
    """What is the same on all problems."""

    budget: int
    """Settings tried for each optimizer."""
    seeds: int
    """Seeds that judge."""
    tuning_seeds: int
    """Seeds that tune."""
    tuned: str
    """"lr", or "all" for every hyper-parameter that is a number."""
    schedules: list[str]
    search: str
    """"quasi-random" or "optuna"."""
    rules: list[str]
    """The optimizers that were asked for."""


class ProblemSettings(SuiteSettings):
    """What is a problem's own, too."""

    steps: int
    batch_size: int


class Protocol(TypedDict):
    """How it was done."""

    version: str
    sentences: list[str]
    """The protocol in words."""


class Target(TypedDict):
    """The validation loss that "steps to target" are counted to."""

    loss: float | None
    sentence: str


class Check(TypedDict):
    """What a comparison checks of itself: one optimizer under two names, or one that holds another in it."""

    kind: Literal["A/A control", "inclusion"]
    first: str
    second: str
    scores: list[float | None]
    """Their mean test scores."""
    p: float
    """Of a permutation test."""
    held: bool
    sentence: str


class Sight(TypedDict):
    """How small a difference the comparison could have seen."""

    smallest: float | None
    """The smallest difference to the best that it would probably have told."""
    pair: list[str] | None
    """The best, and the next that could be told from it with more seeds."""
    more: int | None
    """How many more seeds that takes."""
    seeds: int | None
    """How many in all."""


class Facts(TypedDict):
    """What was found on one problem."""

    version: str
    """Of thalweg."""
    protocol: Protocol
    caution: str | None
    """What must be known before these are compared: that search was adaptive."""
    command: str
    """What to write to run it again."""
    made: str
    """When, in ISO 8601."""
    problem: About
    settings: ProblemSettings
    environment: dict[str, str]
    """Versions and the machine."""
    evaluated_at: list[int]
    """The steps at which curves have a point."""
    target: Target
    checks: list[Check]
    sight: Sight
    rules: list[Row]
    """The optimizers, the best first."""
    not_run: dict[str, str]
    """By optimizer that was asked for and cannot run on this problem: why."""


@final
class Results(Facts):
    """The comparison on one problem."""

    answer: Answer
