"""The interface of problems: parameters, losses and gradients with lanes, and a score on held-out data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Params = Any
"""A tree of arrays whose first axis counts the lanes (trials)."""


@dataclass(frozen=True)
class Score:
    """The score of trials: its name ("accuracy"), its direction, and whether it is a share, shown in %."""

    name: str
    higher_is_better: bool
    share: bool = False


class Problem(Protocol):
    """A problem to optimize. All methods work on lanes: T trials at once, each with its own seed."""

    name: str
    """The name on the command line: "digits"."""
    about: str
    """A few sentences: the data, its size, source and licence; the network."""
    score: Score
    steps: int
    """Default number of steps of a trial."""
    batch_size: int
    """Default mini-batch size; 0 for a problem without samples."""
    train_size: int
    """Number of training samples; 0 for a problem without samples."""
    test_size: int
    """Number of test samples; 0 if its score is no mean over samples."""
    fingerprint: str
    """A hash of the data and the definition. It is part of a trial's identity."""

    def init(self, seeds: Sequence[int]) -> Params:
        """The initial parameters of each lane, a function of its seed."""

    def draws(self, seeds: Sequence[int], batch_size: int) -> Iterator[Any]:
        """For each step the samples of each lane, a function of its seed and the same for every optimizer."""

    def loss_and_grad(self, params: Params, draw: Any) -> tuple[Floats, Params]:
        """The training loss of each lane, shape (T,), and its gradients."""

    def validate(self, params: Params, seeds: Sequence[int]) -> tuple[Floats, Floats]:
        """Loss and score of each lane on validation data, shapes (T,). Tuning may use it.

        seeds: the lanes' seeds, as for `init` and `draws`, for problems with an instance per seed.
        """

    def test(self, params: Params, seeds: Sequence[int]) -> tuple[Floats, Floats]:
        """Loss and score of each lane on test data, shapes (T,), for judging the winner. seeds: as for `validate`."""


class RunsElsewhere:
    """The methods of a problem that is only described here: all but `init` raise NotImplementedError.

    not_here: the message, which says where the problem runs.
    """

    not_here: ClassVar[str]

    def draws(self, seeds: Sequence[int], batch_size: int) -> Iterator[Any]:
        raise NotImplementedError(self.not_here)

    def loss_and_grad(self, params: Params, draw: Any) -> tuple[Floats, Params]:
        raise NotImplementedError(self.not_here)

    def validate(self, params: Params, seeds: Sequence[int]) -> tuple[Floats, Floats]:
        raise NotImplementedError(self.not_here)

    def test(self, params: Params, seeds: Sequence[int]) -> tuple[Floats, Floats]:
        raise NotImplementedError(self.not_here)


class Differentiable(Protocol):
    """The further methods of a problem that JAX can run. Arrays are JAX's, of one lane, with a first axis of length 1."""

    def batch(self, draw: Any) -> Any:
        """The batch of a draw: a tree of NumPy arrays with a first axis for the lanes, of length 1 if all share them. An array
        that is the same at all steps must be one object.
        """

    def held_out(self, seeds: Sequence[int]) -> Any:
        """The validation data for `judge`: a tree of NumPy arrays like that of `batch`. seeds: as for `validate`."""

    def loss(self, params: Params, batch: Any) -> Any:
        """The training loss (1,), which JAX differentiates."""

    def judge(self, params: Params, part: Any) -> tuple[Any, Any]:
        """Loss and score (1,) on held-out data."""
