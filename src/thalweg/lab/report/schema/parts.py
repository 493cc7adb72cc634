"""Types shared by the results of one problem and of a suite."""

from __future__ import annotations

from typing import TypedDict


class Answer(TypedDict):
    """The answer of a comparison, in sentences."""

    matters: str
    """Whether the choice matters."""
    use: str
    """Which optimizer to use, with which setting, by how many settings can be tried."""
    avoid: str
    """Which optimizers not to use; "" if there is none."""
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
    """A rank, and those that it may truly be: for all optimizers at once with probability 95 %."""

    place: int
    low: int
    high: int


class Verdict(TypedDict):
    """One optimizer against the best."""

    p: float | None
    """The p-value."""
    adjusted: float | None
    """The p-value of there being no better one, adjusted for all pairs."""
    separable: bool | None
    """Whether any other is better; None if there is too little data for any test to say so."""
    sentence: str
    """The verdict in a few words."""


class Behind(TypedDict):
    """How far an optimizer is behind the best of the others, at least and at most, for all at once with probability 95 %.

    In units of the score; negative numbers are a lead; None if that cannot be said.
    """

    least: float | None
    most: float | None


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
