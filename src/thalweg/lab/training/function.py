"""A training function as a problem: its loop runs a whole trial, and its scores choose and judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from thalweg.lab.data.problem import Params, RunsElsewhere, Score

STEPS = 1000
"""The steps of a trial, where neither the user nor the loop itself says how many there are."""
BETTER = ("higher", "lower")
"""Which scores are better."""


@final
@dataclass(eq=False)
class TrainingFunction(RunsElsewhere):
    """The description of a user's training function, and, in a process that runs trials, the function.

    The parameters belong to the function, so `init` gives stand-ins: a matrix and a vector, so that a rule for matrices alone is
    identified together with what moves the rest. block: the block of a comparison that its runs belong to. validations: how
    often a run computes the score that it reports as a function; None: as often as there is time for, see `Validations`.
    """

    name: str
    about: str
    fingerprint: str
    better: str = "higher"
    steps: int = STEPS
    function: Callable[[Any], Any] | None = None
    block: int = 0
    validations: int | None = None
    batch_size: int = 0
    train_size: int = 0
    test_size: int = 0
    score: Score = field(init=False)
    not_here = "a training function computes its gradients inside its own loop"

    def __post_init__(self) -> None:
        self.score = Score("score", self.better == "higher")

    def init(self, seeds: Sequence[int]) -> Params:
        return {"matrix": np.zeros((len(seeds), 2, 2)), "vector": np.zeros((len(seeds), 2))}
