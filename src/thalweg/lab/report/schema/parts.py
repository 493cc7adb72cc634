"""What both tables are made of, that of one problem and that of a suite."""

from __future__ import annotations

from typing import TypedDict


class Answer(TypedDict):
    """What a comparison came to, in sentences."""

    use: str
    """Which optimizer to use, with which setting."""
    sure: str
    """How sure that is, and who may be as good."""
    why: str
    """The scores behind it."""


class Interval(TypedDict):
    """A mean over seeds and its 95 % interval."""

    mean: float | None
    low: float | None
    high: float | None


class Estimated(TypedDict):
    """A statistic over problems and its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None


class Rank(TypedDict):
    """A place, and where it lies when the seeds are drawn again."""

    place: int
    low: int
    high: int


class Verdict(TypedDict):
    """One optimizer against the best."""

    p: float | None
    """Of the test."""
    adjusted: float | None
    """That after Holm's correction."""
    separable: bool | None
    """Whether the test tells the two apart; None where there is too little for any test to do so."""
    sentence: str
    """That in a few words."""


class Diverged(TypedDict):
    """The share of runs that diverged."""

    tuning: float
    judging: float


class StepsToTarget(TypedDict):
    """Steps until the validation loss is at the target."""

    median: float | None
    """None where more than half of the runs do not get there."""
    reached: float
    """The share of runs that do."""


class Named(TypedDict):
    """A row of either table."""

    name: str


class Compared(Named):
    """A row with what the test says of it."""

    verdict: Verdict


class Scored(Named):
    """A row with its mean score."""

    score: Interval


class Priced(Scored):
    """A row with what a step costs."""

    step_cost: float | None
