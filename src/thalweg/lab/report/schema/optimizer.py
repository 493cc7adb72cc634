"""An optimizer on one problem: a row of `Results`."""

from __future__ import annotations

from typing import Any, TypedDict

from thalweg.lab.report.schema.parts import Compared, Diverged, Interval, Priced, Rank, StepsToTarget


class TunedTrial(TypedDict):
    """A run on a tuning seed, and how it ended on validation data."""

    lr: float
    hyper: dict[str, float]
    """The other hyper-parameters that were tuned."""
    schedule: str
    seed: int
    diverged: bool
    loss: float | None
    score: float | None


class JudgedTrial(TypedDict):
    """A run of the chosen setting on a fresh seed. The curves' points are at `evaluated_at`."""

    seed: int
    loss_curve: list[float | None]
    """Validation loss."""
    score_curve: list[float | None]
    """Validation score."""
    train_curve: list[float | None]
    """Training loss, a mean since the point before."""
    test_score: float | None
    test_loss: float | None
    diverged: bool


class Untuned(TypedDict):
    """The optimizer as it comes, on the seeds that judge."""

    lr: float
    score: Interval
    diverged: float
    """The share of runs that diverged."""
    test_scores: list[float | None]
    """For each seed."""


class Described(TypedDict):
    """What an optimizer is, and what became of it."""

    name: str
    paper: str
    """Authors, year, arXiv id and algorithm."""
    mine: bool
    """Whether it is a rule of the user's own."""
    hyper: dict[str, Any]
    """Its hyper-parameters' defaults."""
    state_per_parameter: float
    """Numbers that it keeps for each parameter."""
    failed: bool
    """Whether any of its runs raised, hung or ended its process."""
    note: str | None
    """What a reader must know of it; of one that failed, why."""


class HowTuned(TypedDict):
    """How a setting was chosen."""

    tuned: bool
    """False for one that runs as it is shipped."""
    search: list[float] | None
    """The range of learning rates that it declares."""
    trials: int
    """Settings that were tried."""
    best_lr: float
    """Of the setting that was chosen, as are the next two."""
    best_hyper: dict[str, float]
    best_schedule: str
    at_edge: str | None
    """"low" or "high" where the chosen learning rate is the smallest or largest that was tried."""
    tuning: list[TunedTrial]
    width: float | None
    """Decades of learning rates that do about as well as its best."""


class Row(Described, HowTuned, Compared, Priced):
    """An optimizer on one problem: its score is on test data, its step cost a multiple of plain gradient descent's."""

    judging: list[JudgedTrial]
    untuned: Untuned
    best_of: list[float]
    """The expected best of k = 1, 2, ... settings, as a share of the way to the best of all; empty after adaptive search."""
    rank: Rank
    steps_to_target: StepsToTarget
    diverged: Diverged
