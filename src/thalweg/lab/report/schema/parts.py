"""Types shared by the results of one problem and of a suite."""

from __future__ import annotations

from typing import TypedDict


class Answer(TypedDict):
    """The answer of a comparison, in sentences."""

    use: str
    """Which optimizer to use, with which setting."""
    sure: str
    """The certainty, and optimizers that may be as good."""
    why: str
    """The scores that support it."""


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
    """A rank, and its bootstrap interval over seeds."""

    place: int
    low: int
    high: int


class Verdict(TypedDict):
    """One optimizer against the best."""

    p: float | None
    """The p-value."""
    adjusted: float | None
    """The p-value after Holm's correction."""
    separable: bool | None
    """Whether the test separates the two; None if there is too little data for any test to do so."""
    sentence: str
    """The verdict in a few words."""


class Diverged(TypedDict):
    """The share of runs that diverged."""

    tuning: float
    judging: float


class StepsToTarget(TypedDict):
    """Steps until the validation loss is at the target."""

    median: float | None
    """None if more than half of the runs do not reach it."""
    reached: float
    """The share of runs that reach it."""


class Named(TypedDict):
    """A row of either table."""

    name: str


class Compared(Named):
    """A row with the verdict of the test."""

    verdict: Verdict


class Scored(Named):
    """A row with its mean score."""

    score: Interval


class Priced(Scored):
    """A row with the cost of a step."""

    step_cost: float | None
