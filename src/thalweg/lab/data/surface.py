"""Test surfaces: a formula of a few coordinates with its gradient, known minima and starting points."""

from __future__ import annotations

import hashlib
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import numpy.typing as npt

from thalweg.lab.data.problem import Score
from thalweg.values.arrays import framework

Array = npt.NDArray[np.float64]
Sides = tuple[tuple[float, float], ...]
"""(low, high) of each coordinate."""


@final
@dataclass(eq=False)
class Surface:
    """A function of d coordinates in float64, and the problem (see `Problem`) of minimising it.

    A lane's parameters are one array (d,). Its start is drawn from `box` by its seed, so tuning and judging, which have
    different seeds, have different starts. There are no data: validation and test use the value itself, and the score is
    the value minus the minimum.

    Parameters
    ----------
    name : str
        Its name on the command line.
    about : str
        A description for the reader, in a few sentences.
    f : Callable[..., Array]
        The formula, a function of d arrays, one per coordinate.
    df : Callable[..., tuple[Array, ...]]
        Its partial derivatives, d arrays.
    minima : Array
        The points (m, d) of the global minimum.
    lowest : float
        The value there.
    window : Sides
        The region that a picture shows.
    start : Array
        The start (d,) in a picture.
    box : Sides
        The box from which starts of trials are drawn uniformly.
    steps : int
        Default number of steps of a trial.
    """

    name: str
    about: str
    f: Callable[..., Array]
    df: Callable[..., tuple[Array, ...]]
    minima: Array
    lowest: float
    window: Sides
    start: Array
    box: Sides
    steps: int
    score: Score = field(default=Score("f − f_min", higher_is_better=False), init=False)
    batch_size: int = field(default=0, init=False)
    train_size: int = field(default=0, init=False)
    test_size: int = field(default=0, init=False)
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        text = inspect.getsource(self.f) + inspect.getsource(self.df) + repr((self.lowest, self.box))
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()

    def value(self, x: npt.ArrayLike) -> Array:
        """The values (...) at points x (..., d). Overflow gives inf or NaN, without a warning."""
        with np.errstate(all="ignore"):
            return self.f(*_coordinates(x))

    def gradient(self, x: npt.ArrayLike) -> Array:
        """The gradients (..., d) at points x (..., d). Overflow gives inf or NaN, without a warning."""
        with np.errstate(all="ignore"):
            return np.stack(self.df(*_coordinates(x)), axis=-1)

    def init(self, seeds: Sequence[int]) -> Array:
        """Starts (T, d), each drawn from the box by its seed."""
        low, high = np.transpose(self.box)
        return np.stack([np.random.default_rng(seed).uniform(low, high) for seed in seeds])

    def draws(self, seeds: Sequence[int], batch_size: int) -> Iterator[None]:
        """None for each step: there are no samples."""
        return itertools.repeat(None)

    def loss_and_grad(self, params: Array, draw: Any) -> tuple[Array, Array]:
        """The values (T,) and the gradients (T, d)."""
        return self.value(params), self.gradient(params)

    def validate(self, params: Array, seeds: Sequence[int] = ()) -> tuple[Array, Array]:
        """The values (T,), and their difference to the minimum; the same for all seeds."""
        values = self.value(params)
        return values, np.maximum(values - self.lowest, 0)  # at the minimum, rounding may give -1e-14

    # for engines that differentiate the loss; see `Differentiable`

    def held_out(self, seeds: Sequence[int]) -> tuple[()]:
        """None: there are no samples."""
        return ()

    def batch(self, draw: Any) -> tuple[()]:
        """None: there are no samples."""
        return ()

    def loss(self, params: Any, batch: tuple[()]) -> Any:
        """The values (T,)."""
        return self.f(*(params[..., i] for i in range(params.shape[-1])))

    def judge(self, params: Any, part: tuple[()]) -> tuple[Any, Any]:
        """The values (T,), and their difference to the minimum."""
        values = self.loss(params, ())
        return values, framework(values).maximum(values - self.lowest, 0)

    def test(self, params: Array, seeds: Sequence[int] = ()) -> tuple[Array, Array]:
        """As `validate`."""
        return self.validate(params)


def _coordinates(x: npt.ArrayLike) -> Array:
    return np.moveaxis(np.asarray(x, np.float64), -1, 0)
