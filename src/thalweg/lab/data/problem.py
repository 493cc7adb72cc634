"""What the lab asks of a problem: parameters, losses and gradients with lanes, and a score on data held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Params = Any
"""A tree of arrays whose first axis counts the lanes (trials)."""


@dataclass(frozen=True)
class Score:
    """What trials are judged by: its name ("accuracy"), which way is better, and whether it is a share, shown in %."""

    name: str
    higher_is_better: bool
    share: bool = False


class Problem(Protocol):
    """One thing to optimize. All of its methods work on lanes: T trials at once, each with its own seed."""

    name: str
    """As the command line knows it: "digits"."""
    about: str
    """A few sentences: the data, its size, source and licence; the network."""
    score: Score
    steps: int
    """How many steps a trial has by default."""
    batch_size: int
    """Samples in a mini-batch by default; 0 for a problem without samples."""
    train_size: int
    """Samples to train on; 0 for a problem without samples."""
    fingerprint: str
    """A hash of the data and the definition: trials on another fingerprint are other trials."""

    def init(self, seeds: Sequence[int]) -> Params:
        """The start of each lane, a function of its seed."""

    def draws(self, seeds: Sequence[int], batch_size: int) -> Iterator[Any]:
        """For each step, which samples each lane sees: a function of its seed, the same for every optimizer."""

    def loss_and_grad(self, params: Params, draw: Any) -> tuple[Floats, Params]:
        """The training loss of each lane, shape (T,), and its gradients."""

    def validate(self, params: Params, seeds: Sequence[int]) -> tuple[Floats, Floats]:
        """Loss and score of each lane on validation data, shapes (T,): what tuning may see.

        seeds: the lanes', as `init` and `draws` had them, for problems of which every seed is another instance.
        """

    def test(self, params: Params, seeds: Sequence[int]) -> tuple[Floats, Floats]:
        """Loss and score of each lane on test data, shapes (T,): what judges the winner. seeds: as for `validate`."""


class Differentiable(Protocol):
    """What else a problem has whose trials JAX runs. Arrays are JAX's, of one lane, whose axis of length 1 comes first."""

    def batch(self, draw: Any) -> Any:
        """What a draw means: a tree of NumPy arrays whose first axis counts the lanes, or is 1 where all share them. An array
        that stays the same for all steps is one object.
        """

    def held_out(self, seeds: Sequence[int]) -> Any:
        """The validation data, as `judge` wants them: a tree of NumPy arrays like `batch`'s. seeds: as for `validate`."""

    def loss(self, params: Params, batch: Any) -> Any:
        """The training loss (1,), of which JAX takes the gradient."""

    def judge(self, params: Params, part: Any) -> tuple[Any, Any]:
        """Loss and score (1,) on data held out."""
