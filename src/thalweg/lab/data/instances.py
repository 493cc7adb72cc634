"""Families of functions of d coordinates: each seed is an instance with its own rotation, shift and start.

So tuning cannot exploit a start or the axes, as in BBOB (Hansen, Finck, Ros, Auger 2009, INRIA RR-6829).
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import numpy.typing as npt

from thalweg.lab.data.parts import digest
from thalweg.lab.data.problem import Score
from thalweg.lab.data.surface import Surface
from thalweg.values.arrays import framework

Array = npt.NDArray[np.float64]
Parts = tuple[Array, ...]

SHIFT = 4.0
"""The largest absolute coordinate of a minimum, as in BBOB."""
FLOOR = -12.0
"""The lowest score: below it, rounding dominates the loss."""
SCORE = "log10 of the loss left"
SCORED = (
    "Score: log10 of what is left of the loss at the start, at best -12; 0 for a run that ends no better than it began, or that "
    "is no longer finite."
)


@final
@dataclass(eq=False)
class Instances:
    """A family of functions in float64 with minimum 0, and the problem (see `Problem`) of minimising them.

    A lane's parameters are one array (d,). There are no data: validation and test use the value without noise. The score is
    log10(value / value at the start), clipped to [FLOOR, 0], and 0 for a value that is not finite.

    Parameters
    ----------
    name : str
        Its name on the command line.
    about : str
        A description for the reader, in a few sentences.
    make : Callable[[np.random.Generator], Parts]
        Makes an instance from a generator: the start (d,) first, then the arrays that `value_and_grad` takes.
    value_and_grad : Callable[..., tuple[Array, Array]]
        Function of points (T, d), draws (T, d) and the instances' arrays, without the start, each (T, ...).
    value : Callable[..., Any]
        The same without the gradient, for arrays of any framework. At the minimum rounding may make it negative.
    noise : float
        Standard deviation of each coordinate's draws; 0: no noise.
    steps : int
        Default number of steps of a trial.
    definition : str
        Text that distinguishes this family from others with the same functions.
    """

    name: str
    about: str
    make: Callable[[np.random.Generator], Parts]
    value_and_grad: Callable[..., tuple[Array, Array]]
    value: Callable[..., Any]
    noise: float
    steps: int
    definition: str
    score: Score = field(default=Score(SCORE, higher_is_better=False), init=False)
    batch_size: int = field(default=0, init=False)
    train_size: int = field(default=0, init=False)
    test_size: int = field(default=0, init=False)
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        code = "".join(map(inspect.getsource, (self.make, self.value_and_grad)))
        self.fingerprint = digest(repr((self.definition, self.noise, SHIFT, code)))
        self._known: dict[int, tuple[Parts, float]] = {}

    def init(self, seeds: Sequence[int]) -> Array:
        """The instances' starts (T, d)."""
        return self._gathered(seeds)[0][0].copy()

    def draws(self, seeds: Sequence[int], batch_size: int) -> Iterator[tuple[Array, Parts]]:
        """For each step the lanes' noise (T, d), and their instances, which are constant."""
        (start, *parts), _ = self._gathered(seeds)
        if not self.noise:
            return itertools.repeat((np.zeros_like(start), tuple(parts)))
        return self._noisy(seeds, start.shape[1], tuple(parts))

    def _noisy(self, seeds: Sequence[int], size: int, parts: Parts) -> Iterator[tuple[Array, Parts]]:
        distinct, lane = np.unique(np.asarray(seeds), return_inverse=True)
        generators = [np.random.default_rng([seed, 1]) for seed in distinct.tolist()]  # an instance is drawn from [seed]
        while True:
            drawn = np.stack([generator.standard_normal(size) for generator in generators])
            yield self.noise * drawn[lane], parts

    def loss_and_grad(self, params: Array, draw: tuple[Array, Parts]) -> tuple[Array, Array]:
        """The values (T,), with the draw's noise, and their gradients (T, d). Overflow gives inf or NaN, without a warning."""
        noise, parts = draw
        with np.errstate(all="ignore"):
            return self.value_and_grad(params, noise, *parts)

    def validate(self, params: Array, seeds: Sequence[int]) -> tuple[Array, Array]:
        """The values (T,) without noise, and the score."""
        (_, *parts), starts = self._gathered(seeds)
        values, _ = self.loss_and_grad(params, (np.zeros_like(params), tuple(parts)))
        with np.errstate(all="ignore"):
            return values, _score(values, starts)

    def test(self, params: Array, seeds: Sequence[int]) -> tuple[Array, Array]:
        """Equal to `validate`: judging has other seeds than tuning, and so other instances."""
        return self.validate(params, seeds)

    # for engines that differentiate the loss; see `Differentiable`

    def batch(self, draw: tuple[Array, Parts]) -> tuple[Array, Parts]:
        """The draw."""
        return draw

    def held_out(self, seeds: Sequence[int]) -> tuple[Array, Parts]:
        """The lanes' values at the start (T,), and their instances."""
        (_, *parts), starts = self._gathered(seeds)
        return starts, tuple(parts)

    def loss(self, params: Any, batch: tuple[Any, Any]) -> Any:
        """The values (T,), with the draw's noise."""
        noise, parts = batch
        return self.value(params, noise, *parts)

    def judge(self, params: Any, part: tuple[Any, Any]) -> tuple[Any, Any]:
        """The values (T,) without noise, and the score."""
        starts, parts = part
        space = framework(params)
        values = space.maximum(self.value(params, space.zeros_like(params), *parts), 0)
        return values, _score(values, starts)

    def _gathered(self, seeds: Sequence[int]) -> tuple[Parts, Array]:
        """The lanes' instances, each part (T, ...), and their values at the start (T,)."""
        for seed in set(seeds) - self._known.keys():
            parts = self.make(np.random.default_rng(seed))
            lane = [part[None] for part in parts]
            value, _ = self.value_and_grad(lane[0], np.zeros_like(lane[0]), *lane[1:])
            self._known[seed] = (parts, float(value[0]))
        several = [self._known[seed] for seed in seeds]
        stacked = tuple(np.stack(part) for part in zip(*(parts for parts, _ in several), strict=True))
        return stacked, np.array([value for _, value in several])


def _score(values: Any, starts: Any) -> Any:
    """log10(value / value at the start), clipped."""
    space = framework(values)
    left = space.log10(values / starts)
    return space.where(space.isnan(left), 0.0, space.clip(left, FLOOR, 0.0))


def rotation(generator: np.random.Generator, size: int) -> Array:
    """A uniformly distributed orthogonal matrix (Mezzadri 2007, Notices of the AMS 54:592)."""
    q, r = np.linalg.qr(generator.standard_normal((size, size)))
    turn: Array = q * np.sign(np.diagonal(r))
    return turn


def inward(x: Array, minimum: Array, turn: Array) -> Array:
    """Q (x - m) of points (T, d), with a minimum m (T, d) and an orthogonal matrix Q (T, d, d) for each."""
    inner: Array = np.einsum("tij,tj->ti", turn, x - minimum)
    return inner


def outward(slopes: Array, turn: Array) -> Array:
    """Q^T s: the gradient with respect to x from the gradient s (T, d) with respect to Q (x - m)."""
    outer: Array = np.einsum("tij,ti->tj", turn, slopes)
    return outer


def quadratic(name: str, condition: float, *, size: int = 64, noise: float = 0.0, steps: int = 300) -> Instances:
    """f(x) = |R (x - m) - e|^2 / 2 with R^2 = Q diag(1 ... 1 / condition) Q^T, the eigenvalues in equal ratios.

    The seed determines Q and m, and the start is m plus a normal vector. The noise e is drawn at each step: the gradient
    noise has the covariance noise^2 R^2, as in the noisy quadratic model (Zhang et al. 2019, arXiv 1907.04164).
    """

    def make(generator: np.random.Generator) -> Parts:
        turn, minimum = rotation(generator, size), generator.uniform(-SHIFT, SHIFT, size)
        root = turn * condition ** (-np.linspace(0, 0.5, size)) @ turn.T
        return minimum + generator.standard_normal(size), minimum, root

    noisy = (
        f" Each step draws a vector of noise of size {noise:g}, so that the gradient's noise has {noise:g}² times the Hessian as "
        "its covariance (Zhang et al. 2019, arXiv 1907.04164)."
        if noise
        else ""
    )
    about = (
        f"A quadratic in {size} coordinates with condition number {condition:g}, eigenvalues from {1 / condition:g} to 1 in "
        f"equal ratios; the seed draws its axes, its minimum and the start.{noisy} {SCORED}"
    )
    return Instances(name, about, make, _least_squares, _half_square, noise, steps, repr(("quadratic", condition, size)))


def _least_squares(x: Array, e: Array, minimum: Array, root: Array) -> tuple[Array, Array]:
    r = np.matmul(root, (x - minimum)[..., None])[..., 0] - e
    return np.einsum("ti,ti->t", r, r) / 2, np.matmul(root, r[..., None])[..., 0]


def _half_square(x: Any, e: Any, minimum: Any, root: Any) -> Any:
    r = (root @ (x - minimum)[..., None])[..., 0] - e
    return (r * r).sum(-1) / 2


def turned(name: str, surface: Surface, *, copies: int = 5, steps: int = 1000) -> Instances:
    """The sum of several copies of a two-dimensional surface, rotated together and shifted by the seed.

    f(x) = sum_k s(z_2k, z_2k+1) with z = Q (x - m) + the surface's first minimum; each pair of a start lies in the
    surface's box. As in the "extended" functions of More, Garbow and Hillstrom (1981, ACM TOMS 7:17).
    """
    lowest_at = np.tile(surface.minima[0], copies)

    def make(generator: np.random.Generator) -> Parts:
        turn, minimum = rotation(generator, 2 * copies), generator.uniform(-SHIFT, SHIFT, 2 * copies)
        low, high = np.transpose(surface.box)
        z = generator.uniform(low, high, (copies, 2)).ravel()
        return minimum + (z - lowest_at) @ turn, minimum, turn

    def value_and_grad(x: Array, _: Array, minimum: Array, turn: Array) -> tuple[Array, Array]:
        z = inward(x, minimum, turn) + lowest_at
        pairs = z.reshape(len(z), copies, 2)
        values = np.maximum(surface.value(pairs) - surface.lowest, 0).sum(axis=1)  # at the minimum, rounding may give -1e-14
        slopes = surface.gradient(pairs).reshape(z.shape)
        return values, outward(slopes, turn)

    def value(x: Any, _: Any, minimum: Any, turn: Any) -> Any:
        z = (turn @ (x - minimum)[..., None])[..., 0] + framework(x).asarray(lowest_at, x)
        return (surface.f(z[..., ::2], z[..., 1::2]) - surface.lowest).sum(-1)

    about = (
        f"{copies} copies of {surface.name} summed up, {2 * copies} coordinates, turned together and shifted: the seed draws the "
        f"axes, the minimum and the start, so that every seed is another instance, as in BBOB. The minimum is 0. {SCORED}"
    )
    definition = repr(("turned", surface.fingerprint, copies, surface.minima.tolist()))
    return Instances(name, about, make, value_and_grad, value, 0.0, steps, definition)
