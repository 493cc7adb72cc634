"""The comparison on one problem."""

from __future__ import annotations

from typing import Literal, TypedDict, final

from thalweg.lab.report.schema.optimizer import Row
from thalweg.lab.report.schema.parts import Answer, Interval

Split = Literal["ours", "theirs", "none"]
"""Who splits the data: the lab, in each block anew; the user's own code; or there are none to split."""


class Score(TypedDict):
    """The score of a problem."""

    name: str
    higher_is_better: bool
    share: bool
    """Whether it is a share, shown in per cent."""


class About(TypedDict):
    """The description of a problem."""

    name: str
    about: str
    train_size: int
    """Number of training samples; 0 without data."""
    test_size: int
    """Number of test samples; 0 if the score is no mean over samples."""
    fingerprint: str
    """A hash of its data."""
    score: Score


class SuiteSettings(TypedDict):
    """The settings shared by all problems."""

    budget: int
    """Tuning trials of each optimizer."""
    seeds: int
    """Number of judging seeds, in each block."""
    tuning_seeds: int
    """Number of tuning seeds."""
    tuned: str
    """"lr", or "all" for every numeric hyper-parameter."""
    schedules: list[str]
    search: str
    """"quasi-random" or "optuna"."""
    rules: list[str]
    """The requested optimizers."""


class ProblemSettings(SuiteSettings):
    """The settings of one problem."""

    steps: int
    batch_size: int
    blocks: int
    """How often each optimizer is tuned anew; `seeds` is for each. Of several, intervals, ranks and tests are over the blocks."""
    split: Split
    ranges: dict[str, list[float]]
    """The ranges of learning rates that are not the declared ones, by optimizer."""
    early_stopping: str
    """"halving" if the worse half of an optimizer's first tuning runs stopped early, or "none"."""


class Protocol(TypedDict):
    """The protocol of the comparison."""

    version: str
    sentences: list[str]
    """The protocol in words."""


class Target(TypedDict):
    """The target loss of "steps to target"."""

    loss: float | None
    sentence: str


class Check(TypedDict):
    """A self-check: one optimizer under two names, or one that contains another as a special case."""

    kind: Literal["A/A control", "inclusion"]
    first: str
    second: str
    scores: list[float | None]
    """The mean test scores of the two."""
    p: float
    """The p-value of a permutation test."""
    held: bool
    sentence: str


class Sight(TypedDict):
    """The power of the comparison."""

    smallest: float | None
    """The smallest difference to the best that would probably be detected."""
    pair: list[str] | None
    """The best, and the optimizer that fewest more seeds could separate from it."""
    times: str | None
    """How many seeds, or blocks, that takes, in a class: "up to twice as many"."""


class Margin(TypedDict):
    """The largest difference of scores that does not matter."""

    value: float
    """In units of the score; 0 if any difference matters."""
    given: bool
    """Whether the user gave it."""


class Advice(TypedDict):
    """What to take if so many settings can be tried."""

    tries: int
    name: str
    lr: float | None
    """The learning rate; None if it is to be found."""
    score: Interval
    """The expected test score, or where few settings are tried the expected validation score."""
    level: list[str]
    """The others that may be as good."""


class Training(TypedDict):
    """What is known of a training function."""

    rule: str
    """The rule that ran twice on one seed."""
    repeated: list[float | None]
    """The two validation scores."""
    judges: bool
    """Whether the function returns a test score; otherwise the validation score judges."""
    reports: bool
    """Whether it reports scores on the way; otherwise the curves are flat, and steps to the target say nothing."""
    seconds: float
    """The time of a run."""
    validations: int | None
    """How many scores on the way the lab has a run compute; None if the function computes as many as it reports."""
    spread: float | None
    """The standard deviation of a rule's judged scores over seeds, the median over the rules."""


class TreatedColumn(TypedDict):
    """A column of a user's file."""

    name: str
    holds: str
    """What it holds, in words."""
    treatment: str
    """What was done with it, in words."""


class Baseline(TypedDict):
    """A model that is no network."""

    name: str
    about: str
    score: float | None
    """Its test score; None if it could not be fitted."""


class OwnData(TypedDict):
    """What was done with a user's file, and what does without a network on it."""

    columns: list[TreatedColumn]
    """The target, the other columns and those that were ignored; empty for arrays."""
    repairs: list[str]
    """What was doubtful, and what was done about it, in sentences."""
    baselines: list[Baseline]


class AtTimes(TypedDict, total=False):
    """What is not always there."""

    training: Training
    """For a training function, whose losses are its validation scores, turned so that lower is better."""
    data: OwnData
    """For a user's own data."""


class Facts(AtTimes):
    """The results on one problem, without the answer."""

    version: str
    """The version of thalweg."""
    protocol: Protocol
    caution: str | None
    """A caution about the comparison: that search was adaptive, or what a training function lacks."""
    command: str
    """The command that repeats it."""
    made: str
    """The time, in ISO 8601."""
    problem: About
    settings: ProblemSettings
    environment: dict[str, str]
    """Versions and the machine."""
    evaluated_at: list[int]
    """The steps of the points of all curves."""
    target: Target
    checks: list[Check]
    sight: Sight
    margin: Margin
    winner: Interval
    """The best optimizer's score, corrected for its having been chosen for it."""
    advice: list[Advice]
    """What to take, by how many settings can be tried: none, few, all; empty if nothing can be said."""
    rules: list[Row]
    """The optimizers, the best first."""
    not_run: dict[str, str]
    """The reason, by optimizer, why a requested optimizer cannot run on this problem."""


@final
class Results(Facts):
    """The comparison on one problem."""

    answer: Answer
