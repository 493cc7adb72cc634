"""An optimizer on one problem: a row of `Results`."""

from __future__ import annotations

from typing import Any, TypedDict

from thalweg.lab.report.schema.parts import Behind, Compared, Diverged, Interval, Priced, Rank, StepsToTarget


class TunedTrial(TypedDict):
    """A run on a tuning seed, and its last validation loss and score."""

    block: int
    """The block of the comparison, from 0 on."""
    lr: float
    hyper: dict[str, float]
    """The other hyper-parameters that were tuned."""
    schedule: str
    seed: int
    diverged: bool
    stopped: float | None
    """The step at which it was stopped early; None if it ran whole."""
    loss: float | None
    score: float | None


class Chosen(TypedDict):
    """The setting that a block chose."""

    block: int
    lr: float
    hyper: dict[str, float]
    """The other hyper-parameters that were tuned."""
    schedule: str
    at_edge: str | None
    """"low" or "high" if the learning rate is the smallest or largest one tried in the block."""


class JudgedTrial(TypedDict):
    """A run of its block's chosen setting on a fresh seed. The curves have points at `evaluated_at`."""

    block: int
    """The block of the comparison, from 0 on."""
    seed: int
    loss_curve: list[float | None]
    """Validation loss."""
    score_curve: list[float | None]
    """Validation score."""
    train_curve: list[float | None]
    """Training loss, the mean since the previous point."""
    test_score: float | None
    test_loss: float | None
    diverged: bool


class Untuned(TypedDict):
    """The untuned optimizer on the judging seeds."""

    lr: float
    score: Interval
    diverged: float
    """The share of runs that diverged."""
    test_scores: list[float | None]
    """One per seed, block after block."""


class Described(TypedDict):
    """Description and status of an optimizer."""

    name: str
    paper: str
    """Authors, year, arXiv id and algorithm."""
    mine: bool
    """Whether it is a rule of the user's own."""
    hyper: dict[str, Any]
    """Its hyper-parameters' defaults."""
    state_per_parameter: float
    """State in numbers per parameter."""
    failed: bool
    """Whether any of its runs raised, hung or ended its process."""
    note: str | None
    """A remark; for a failed optimizer, the reason."""


class HowTuned(TypedDict):
    """Tuning of an optimizer."""

    tuned: bool
    """False for an optimizer that always runs at its defaults."""
    search: list[float] | None
    """The declared range of learning rates."""
    trials: int
    """The number of settings tried, in each block."""
    best_lr: float
    """Learning rate of the chosen setting, of several blocks the middle one; the next two fields belong to it too."""
    best_hyper: dict[str, float]
    best_schedule: str
    best_settings: list[Chosen]
    """The setting that each block chose."""
    at_edge: str | None
    """"low" or "high" if the chosen learning rate is the smallest or largest one tried, in more than half of the blocks."""
    tuning: list[TunedTrial]
    width: float | None
    """Decades of learning rates that are about as good as the best, the median over the blocks."""


class Row(Described, HowTuned, Compared, Priced):
    """An optimizer on one problem: its score is on test data, its step cost a multiple of plain gradient descent's."""

    judging: list[JudgedTrial]
    untuned: Untuned
    best_of: list[float]
    """The expected best of k = 1, 2, ... settings, as a share of the way to the best of all; empty after adaptive search."""
    rank: Rank
    behind: Behind
    level: bool
    """Whether it is behind by no more than the margin."""
    unreliable: float | None
    """The share of runs that diverges at least, if that is more than is tolerated."""
    best_of_few: Interval
    """The validation score that the best of `FEW` settings has, out of sample; low, high: nine times in ten it lies between."""
    steps_to_target: StepsToTarget
    diverged: Diverged
